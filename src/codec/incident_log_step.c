/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine of core/incident.h on a log: its table is made of the log before each step, and what
 * it says is written into the log afterwards. So the log is all there is to keep.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/index.h"
#include "codec/incident_log_internal.h"

/* What is too much for a stack, for one step. */
struct step {
    struct hf_incident_log *log;
    struct hf_incident_table table;
    struct hf_condition conditions[HF_CONDITIONS_MAX];
    const struct hf_incident_sight *sights[HF_CONDITIONS_MAX]; /* of each condition */
    uint32_t count;
    bool is_changed;
};

static uint64_t hash_of(const char *text)
{
    uint64_t hash = hf_hash64(text, strlen(text));
    return text[0] == 0 ? 0 : hash == 0 ? 1 : hash;
}

static uint64_t key_of(enum hf_condition_kind kind, const char *subject)
{
    uint64_t parts[2] = {(uint64_t)kind + 1, hash_of(subject)};
    uint64_t hash = hf_hash64(parts, sizeof(parts));
    return hash == 0 ? 1 : hash;
}

static struct hf_condition condition_of(const struct hf_incident_sight *sight)
{
    struct hf_condition condition = {.key = key_of(sight->kind, sight->subject),
                                     .kind = sight->kind};
    for (int i = 0; i < HF_SCOPE_COUNT; i++) {
        condition.scopes[i] = hash_of(sight->scopes[i]);
    }
    return condition;
}

static void take_sights(struct step *step, const struct hf_incident_sight *sights, uint32_t count)
{
    for (uint32_t i = 0; i < count && step->count < HF_CONDITIONS_MAX; i++) {
        struct hf_condition condition = condition_of(&sights[i]);
        uint32_t at = 0;
        while (at < step->count && step->conditions[at].key != condition.key) {
            at++;
        }
        if (at == step->count) {
            step->conditions[at] = condition;
            step->sights[at] = &sights[i];
            step->count++;
        }
    }
}

static const struct hf_incident_sight *sight_of(const struct step *step, uint64_t key)
{
    uint32_t i = 0;
    while (i < step->count && step->conditions[i].key != key) {
        i++;
    }
    assert(i < step->count); /* the machine speaks of what it was told */
    return step->sights[i];
}

/* --- the table --- */

static uint32_t row_of_condition(const struct hf_incident *incident, uint64_t key)
{
    uint32_t i = 0;
    while (i < incident->condition_count && key_of(incident->conditions[i].sight.kind,
                                                   incident->conditions[i].sight.subject) != key) {
        i++;
    }
    return i;
}

static bool has_member(const struct hf_incident_table *table, uint64_t key)
{
    uint32_t i = 0;
    while (i < table->member_count && table->members[i].condition.key != key) {
        i++;
    }
    return i < table->member_count;
}

/* A closed one without its cause, which a later incident has now, can not be opened again. */
static bool can_return(const struct hf_incident_table *table, const struct hf_incident *incident)
{
    const struct hf_incident_sight *cause = &incident->conditions[incident->cause].sight;
    return !has_member(table, key_of(cause->kind, cause->subject));
}

static void take_incident(struct hf_incident_table *table, const struct hf_incident *incident)
{
    const struct hf_incident_sight *cause = &incident->conditions[incident->cause].sight;
    table->cases[table->case_count++] =
        (struct hf_incident_case){.number = incident->number,
                                  .closed_ms = incident->closed_ms,
                                  .cause = key_of(cause->kind, cause->subject)};
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        const struct hf_incident_condition *row = &incident->conditions[i];
        struct hf_condition condition = condition_of(&row->sight);
        if (table->member_count < HF_INCIDENT_MEMBERS_MAX && !has_member(table, condition.key)) {
            table->members[table->member_count++] =
                (struct hf_incident_member){.condition = condition,
                                            .since_ms = row->since_ms,
                                            .cleared_ms = row->cleared_ms,
                                            .number = incident->number};
        }
    }
}

static int compare_cases(const void *a, const void *b)
{
    const struct hf_incident_case *one = a;
    const struct hf_incident_case *other = b;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Nothing ended in the future: after a clock was set back, waits begin now. */
static void follow_clock(struct step *step, uint64_t now_ms)
{
    for (uint32_t i = 0; i < step->log->count; i++) {
        struct hf_incident *incident = &step->log->incidents[i];
        if (incident->closed_ms > now_ms) {
            incident->closed_ms = now_ms;
            step->is_changed = true;
        }
        for (uint32_t k = 0; k < incident->condition_count && incident->closed_ms == 0; k++) {
            if (incident->conditions[k].cleared_ms > now_ms) {
                incident->conditions[k].cleared_ms = now_ms;
                step->is_changed = true;
            }
        }
    }
}

/* Open incidents first, then those that may be opened again, the latest first. */
static void take_log(struct step *step, const struct hf_incident_waiting *waiting, uint64_t now_ms)
{
    struct hf_incident_table *table = &step->table;
    const struct hf_incident_log *log = step->log;
    table->next_number = log->next_number;
    for (int closed = 0; closed <= 1; closed++) {
        for (uint32_t i = log->count; i-- > 0 && table->case_count < HF_INCIDENT_CASES_MAX;) {
            const struct hf_incident *incident = &log->incidents[i];
            bool is_recent =
                now_ms < incident->closed_ms || now_ms - incident->closed_ms < table->reopen_ms;
            bool is_wanted = closed == 0
                                 ? incident->closed_ms == 0
                                 : incident->closed_ms != 0 && is_recent &&
                                       incident->merged_into == 0 && can_return(table, incident);
            if (is_wanted) {
                take_incident(table, incident);
            }
        }
    }
    qsort(table->cases, table->case_count, sizeof(table->cases[0]), compare_cases);
    memcpy(table->pending, waiting->rows, waiting->count * sizeof(waiting->rows[0]));
    table->pending_count = waiting->count;
}

/* --- what the machine said --- */

static void set_cause(struct hf_incident_log *log, struct hf_incident *incident, uint32_t row)
{
    struct hf_buf title;
    if (row == incident->condition_count) {
        return; /* a log that was made by hand has it in another incident, too */
    }
    const struct hf_incident_sight *sight = &incident->conditions[row].sight;
    hf_buf_init(&title, HF_INCIDENT_TEXT_BYTES_MAX);
    hf_incident_title(sight->kind, sight->subject, &title);
    incident->cause = row;
    incident->title = hf_incident_log_text(log, hf_buf_text(&title), HF_INCIDENT_TEXT_BYTES_MAX);
    hf_buf_release(&title);
}

static void raise_severity(struct hf_incident *incident, enum hf_severity severity)
{
    incident->severity = severity < incident->severity ? severity : incident->severity;
}

static void add_condition(struct hf_incident_log *log, struct hf_incident *incident,
                          const struct hf_incident_sight *sight, uint64_t at_ms)
{
    struct hf_incident_condition *row = hf_incident_log_grow(
        log, (void **)&incident->conditions, &incident->condition_count, sizeof(*row));
    *row = (struct hf_incident_condition){.sight = *sight, .since_ms = at_ms};
    const char **texts[] = {&row->sight.code,      &row->sight.subject,   &row->sight.text,
                            &row->sight.scopes[0], &row->sight.scopes[1], &row->sight.scopes[2],
                            &row->sight.scopes[3]};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = hf_incident_log_text(log, *texts[i], HF_INCIDENT_TEXT_BYTES_MAX);
    }
    raise_severity(incident, sight->severity);
}

static void join(struct step *step, struct hf_incident *incident,
                 const struct hf_incident_change *change)
{
    const struct hf_incident_sight *sight = sight_of(step, change->key);
    add_condition(step->log, incident, sight, change->at_ms);
    if (change->event == HF_INCIDENT_OPENED) {
        incident->opened_ms = change->at_ms;
        set_cause(step->log, incident, 0);
    }
    hf_incident_log_enter(step->log, incident, change->at_ms, change->event, sight->text);
}

/* A condition ended, or holds again. */
static void turn(struct step *step, struct hf_incident *incident,
                 const struct hf_incident_change *change)
{
    uint32_t number = row_of_condition(incident, change->key);
    assert(number < incident->condition_count);
    struct hf_incident_condition *row = &incident->conditions[number];
    bool is_cleared = change->event == HF_INCIDENT_CLEARED;
    struct hf_buf text;
    hf_buf_init(&text, HF_INCIDENT_TEXT_BYTES_MAX);
    row->cleared_ms = is_cleared ? change->at_ms : 0;
    if (is_cleared) {
        hf_incident_title(row->sight.kind, row->sight.subject, &text);
    }
    hf_incident_log_enter(step->log, incident, change->at_ms, change->event,
                          is_cleared ? hf_buf_text(&text) : sight_of(step, change->key)->text);
    hf_buf_release(&text);
}

static void end_impact(struct hf_incident *incident, uint64_t at_ms)
{
    for (uint32_t i = 0; i < incident->service_count; i++) {
        hf_impact_set(&incident->services[i].impact, 0, at_ms);
    }
    for (uint32_t i = 0; i < incident->dependent_count; i++) {
        hf_impact_set(&incident->dependents[i].impact, 0, at_ms);
    }
}

/* What the other has lost, where that is more: both have seen the same answers. */
static void take_impact(struct hf_incident_log *log, struct hf_incident *into, bool is_dependent,
                        const struct hf_incident_affected *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_impact *impact = &rows[i].impact;
        struct hf_incident_affected *own = is_dependent ? into->dependents : into->services;
        uint32_t own_count = is_dependent ? into->dependent_count : into->service_count;
        uint32_t at = 0;
        while (at < own_count && strcmp(own[at].name, rows[i].name) != 0) {
            at++;
        }
        if (at == own_count &&
            !hf_incident_log_hit(log, into, is_dependent, &rows[i], impact->share, impact->at_ms)) {
            continue;
        }
        own = is_dependent ? into->dependents : into->services;
        if (impact->lost > own[at].impact.lost) {
            own[at].impact = *impact;
        }
    }
}

static void merge(struct step *step, struct hf_incident *incident,
                  const struct hf_incident_change *change)
{
    struct hf_incident_log *log = step->log;
    struct hf_incident *into = hf_incident_log_find(log, change->into);
    end_impact(incident, change->at_ms);
    incident->closed_ms = change->at_ms;
    incident->merged_into = change->into;
    hf_incident_log_enter(log, incident, change->at_ms, change->event, into->title);
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        const struct hf_incident_condition *row = &incident->conditions[i];
        uint32_t at = row_of_condition(into, key_of(row->sight.kind, row->sight.subject));
        bool is_new = at == into->condition_count;
        if (is_new) {
            add_condition(log, into, &row->sight, row->since_ms);
        }
        uint64_t own_ms = into->conditions[at].cleared_ms;
        bool is_later = own_ms != 0 && (row->cleared_ms == 0 || row->cleared_ms > own_ms);
        if (is_new || is_later) { /* it holds where one of the two says so */
            into->conditions[at].cleared_ms = row->cleared_ms;
        }
    }
    for (uint32_t i = 0; i < incident->endpoint_count; i++) {
        (void)hf_incident_log_endpoint(log, into, incident->endpoints[i]);
    }
    into->endpoint_total = into->endpoint_total > incident->endpoint_total
                               ? into->endpoint_total
                               : incident->endpoint_total;
    into->opened_ms = into->opened_ms < incident->opened_ms ? into->opened_ms : incident->opened_ms;
    take_impact(log, into, false, incident->services, incident->service_count);
    take_impact(log, into, true, incident->dependents, incident->dependent_count);
}

static void apply(struct step *step, const struct hf_incident_change *change)
{
    struct hf_incident *incident = change->event == HF_INCIDENT_OPENED
                                       ? hf_incident_log_add(step->log, change->number)
                                       : hf_incident_log_find(step->log, change->number);
    assert(incident != NULL);
    switch (change->event) {
    case HF_INCIDENT_OPENED:
    case HF_INCIDENT_JOINED:
        join(step, incident, change);
        break;
    case HF_INCIDENT_REOPENED:
        incident->closed_ms = 0;
        incident->reopened++;
        hf_incident_log_enter(step->log, incident, change->at_ms, change->event, incident->title);
        break;
    case HF_INCIDENT_CAUSE:
        set_cause(step->log, incident, row_of_condition(incident, change->key));
        hf_incident_log_enter(step->log, incident, change->at_ms, change->event, incident->title);
        break;
    case HF_INCIDENT_CLEARED:
    case HF_INCIDENT_RETURNED:
        turn(step, incident, change);
        break;
    case HF_INCIDENT_MERGED:
        merge(step, incident, change);
        break;
    case HF_INCIDENT_CLOSED:
        end_impact(incident, change->at_ms);
        incident->closed_ms = change->at_ms;
        hf_incident_log_enter(step->log, incident, change->at_ms, change->event, incident->title);
        break;
    }
    step->is_changed = true;
}

/* What it is about, where that was not known at first. */
static void learn_scopes(struct step *step, struct hf_incident_sight *known,
                         const struct hf_incident_sight *sight)
{
    for (int i = 0; i < HF_SCOPE_COUNT; i++) {
        if (known->scopes[i][0] == 0 && sight->scopes[i][0] != 0) {
            known->scopes[i] =
                hf_incident_log_text(step->log, sight->scopes[i], HF_INCIDENT_TEXT_BYTES_MAX);
            step->is_changed = true;
        }
    }
}

/* What grew worse since it was first seen. */
static void worsen(struct step *step)
{
    for (uint32_t i = 0; i < step->count; i++) {
        const struct hf_incident_sight *sight = step->sights[i];
        struct hf_incident *incident = hf_incident_log_of(step->log, sight->kind, sight->subject);
        if (incident == NULL) {
            continue;
        }
        struct hf_incident_condition *row =
            &incident->conditions[row_of_condition(incident, step->conditions[i].key)];
        learn_scopes(step, &row->sight, sight);
        if (sight->severity < row->sight.severity) {
            row->sight.severity = sight->severity;
            row->sight.text =
                hf_incident_log_text(step->log, sight->text, HF_INCIDENT_TEXT_BYTES_MAX);
            raise_severity(incident, sight->severity);
            step->is_changed = true;
        }
    }
}

bool hf_incident_log_step(struct hf_incident_log *log, const struct hf_incident_sight *sights,
                          uint32_t count, bool is_complete, uint32_t hold_ms, uint64_t now_ms,
                          struct hf_incident_waiting *waiting,
                          struct hf_incident_changes *ret_changes)
{
    struct step *step = calloc(1, sizeof(*step));
    if (step == NULL) {
        abort();
    }
    step->log = log;
    hf_incident_table_init(&step->table, hold_ms, HF_INCIDENT_REOPEN_MS);
    follow_clock(step, now_ms);
    take_log(step, waiting, now_ms);
    take_sights(step, sights, count);
    hf_incident_step(&step->table, step->conditions, step->count,
                     is_complete && count <= HF_CONDITIONS_MAX, now_ms, ret_changes);
    for (uint32_t i = 0; i < ret_changes->count; i++) {
        apply(step, &ret_changes->rows[i]);
    }
    log->next_number = step->table.next_number;
    worsen(step);
    memcpy(waiting->rows, step->table.pending,
           step->table.pending_count * sizeof(waiting->rows[0]));
    waiting->count = step->table.pending_count;
    waiting->due_ms = hf_incident_deadline_ms(&step->table);
    bool is_changed = step->is_changed;
    free(step);
    return is_changed;
}

struct hf_incident *hf_incident_log_of(const struct hf_incident_log *log,
                                       enum hf_condition_kind kind, const char *subject)
{
    for (uint32_t i = log->count; i-- > 0;) {
        struct hf_incident *incident = &log->incidents[i];
        uint32_t row = incident->closed_ms == 0 ? row_of_condition(incident, key_of(kind, subject))
                                                : incident->condition_count;
        if (row < incident->condition_count && incident->conditions[row].cleared_ms == 0) {
            return incident;
        }
    }
    return NULL;
}
