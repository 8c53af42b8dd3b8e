/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/incident.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* --- the table --- */

void hf_incident_table_init(struct hf_incident_table *table, uint32_t hold_ms, uint32_t reopen_ms)
{
    memset(table, 0, sizeof(*table));
    table->hold_ms = hold_ms;
    table->reopen_ms = reopen_ms;
    table->next_number = 1;
}

static void say(struct hf_incident_changes *changes, enum hf_incident_event event, uint64_t number,
                uint64_t key, uint64_t at_ms)
{
    assert(changes->count < HF_INCIDENT_CHANGES_MAX);
    changes->rows[changes->count++] =
        (struct hf_incident_change){.event = event, .number = number, .key = key, .at_ms = at_ms};
}

static struct hf_incident_case *case_of(struct hf_incident_table *table, uint64_t number)
{
    for (uint32_t i = 0; i < table->case_count; i++) {
        if (table->cases[i].number == number) {
            return &table->cases[i];
        }
    }
    return NULL;
}

const struct hf_incident_case *hf_incident_case(const struct hf_incident_table *table,
                                                uint64_t number)
{
    return case_of((struct hf_incident_table *)table, number);
}

static struct hf_incident_member *member_of(struct hf_incident_table *table, uint64_t key)
{
    for (uint32_t i = 0; i < table->member_count; i++) {
        if (table->members[i].condition.key == key) {
            return &table->members[i];
        }
    }
    return NULL;
}

static bool is_open(const struct hf_incident_table *table, uint64_t number)
{
    const struct hf_incident_case *found = hf_incident_case(table, number);
    return found != NULL && found->closed_ms == 0;
}

const struct hf_incident_member *hf_incident_member(const struct hf_incident_table *table,
                                                    uint64_t key)
{
    const struct hf_incident_member *member = member_of((struct hf_incident_table *)table, key);
    return member != NULL && is_open(table, member->number) ? member : NULL;
}

static void remove_member(struct hf_incident_table *table, uint32_t row)
{
    table->member_count--;
    memmove(&table->members[row], &table->members[row + 1],
            (table->member_count - row) * sizeof(table->members[0]));
}

static void remove_case(struct hf_incident_table *table, uint32_t row)
{
    uint64_t number = table->cases[row].number;
    for (uint32_t i = table->member_count; i-- > 0;) {
        if (table->members[i].number == number) {
            remove_member(table, i);
        }
    }
    table->case_count--;
    memmove(&table->cases[row], &table->cases[row + 1],
            (table->case_count - row) * sizeof(table->cases[0]));
}

/* Forgets the case that was closed first; false where all are open. */
static bool forget_one(struct hf_incident_table *table)
{
    uint32_t oldest = UINT32_MAX;
    for (uint32_t i = 0; i < table->case_count; i++) {
        uint64_t closed = table->cases[i].closed_ms;
        if (closed != 0 && (oldest == UINT32_MAX || closed < table->cases[oldest].closed_ms)) {
            oldest = i;
        }
    }
    if (oldest != UINT32_MAX) {
        remove_case(table, oldest);
    }
    return oldest != UINT32_MAX;
}

/* --- a condition finds its incident --- */

/* The open incident with the lowest number that holds what explains the condition, or 0. */
static uint64_t explaining(const struct hf_incident_table *table,
                           const struct hf_condition *condition)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < table->member_count; i++) {
        const struct hf_incident_member *member = &table->members[i];
        if ((best == 0 || member->number < best) && is_open(table, member->number) &&
            hf_condition_explains(&member->condition, condition)) {
            best = member->number;
        }
    }
    return best;
}

/* Whether the incident is open and the condition explains its cause. */
static bool is_explained(struct hf_incident_table *table, const struct hf_incident_case *incident,
                         const struct hf_condition *condition)
{
    const struct hf_incident_member *cause = member_of(table, incident->cause);
    return incident->closed_ms == 0 && cause != NULL &&
           hf_condition_explains(condition, &cause->condition);
}

static void add_member(struct hf_incident_table *table, const struct hf_condition *condition,
                       uint64_t number, uint64_t now_ms)
{
    assert(table->member_count < HF_INCIDENT_MEMBERS_MAX);
    table->members[table->member_count++] =
        (struct hf_incident_member){.condition = *condition, .since_ms = now_ms, .number = number};
}

static void open_case(struct hf_incident_table *table, const struct hf_condition *condition,
                      uint64_t now_ms, struct hf_incident_changes *changes)
{
    if (table->case_count == HF_INCIDENT_CASES_MAX && !forget_one(table)) {
        table->unplaced++;
        return;
    }
    uint64_t number = table->next_number++;
    table->cases[table->case_count++] =
        (struct hf_incident_case){.number = number, .cause = condition->key};
    add_member(table, condition, number, now_ms);
    say(changes, HF_INCIDENT_OPENED, number, condition->key, now_ms);
}

/* All members of the incident from belong to into; from is forgotten. */
static void merge(struct hf_incident_table *table, uint64_t from, uint64_t into, uint64_t now_ms,
                  struct hf_incident_changes *changes)
{
    say(changes, HF_INCIDENT_MERGED, from, 0, now_ms);
    changes->rows[changes->count - 1].into = into;
    for (uint32_t i = 0; i < table->member_count; i++) {
        if (table->members[i].number == from) {
            table->members[i].number = into;
        }
    }
    remove_case(table, (uint32_t)(case_of(table, from) - table->cases));
}

/* The condition belongs to into; what it explains becomes part of that incident. */
static void join(struct hf_incident_table *table, const struct hf_condition *condition,
                 uint64_t into, uint64_t cause, uint64_t now_ms,
                 struct hf_incident_changes *changes)
{
    add_member(table, condition, into, now_ms);
    say(changes, HF_INCIDENT_JOINED, into, condition->key, now_ms);
    struct hf_incident_case *incident = case_of(table, into);
    if (incident->cause != cause) {
        incident->cause = cause;
        say(changes, HF_INCIDENT_CAUSE, into, cause, now_ms);
    }
}

static void place(struct hf_incident_table *table, const struct hf_condition *condition,
                  uint64_t now_ms, struct hf_incident_changes *changes)
{
    uint64_t others[HF_INCIDENT_CASES_MAX];
    uint32_t other_count = 0;
    uint64_t into = explaining(table, condition);
    uint64_t cause = into == 0 ? condition->key : case_of(table, into)->cause;
    for (uint32_t i = 0; i < table->case_count; i++) {
        uint64_t number = table->cases[i].number;
        if (number != into && is_explained(table, &table->cases[i], condition)) {
            others[other_count++] = number;
        }
    }
    if (into == 0 && other_count == 0) {
        open_case(table, condition, now_ms, changes);
        return;
    }
    uint64_t lowest = into == 0 || (other_count > 0 && others[0] < into) ? others[0] : into;
    if (into != 0 && into != lowest) {
        others[other_count++] = into;
    }
    for (uint32_t i = 0; i < other_count; i++) {
        if (others[i] != lowest) {
            merge(table, others[i], lowest, now_ms, changes);
        }
    }
    join(table, condition, lowest, cause, now_ms, changes);
}

/* --- conditions that hold --- */

/* True once the condition has held for as long as its kind must. */
static bool is_ripe(struct hf_incident_table *table, const struct hf_condition *condition,
                    uint64_t now_ms)
{
    uint32_t delay_ms = hf_condition_delay_ms(condition->kind);
    uint32_t row = 0;
    if (delay_ms == 0) {
        return true;
    }
    while (row < table->pending_count && table->pending[row].key != condition->key) {
        row++;
    }
    if (row == table->pending_count) {
        if (table->pending_count == HF_CONDITIONS_MAX) {
            table->unplaced++;
            return false;
        }
        table->pending[table->pending_count++] =
            (struct hf_incident_pending){.key = condition->key, .since_ms = now_ms};
    }
    struct hf_incident_pending *pending = &table->pending[row];
    if (now_ms < pending->since_ms) {
        pending->since_ms = now_ms; /* a clock that was set back */
    }
    pending->due_ms = pending->since_ms + delay_ms;
    return now_ms >= pending->due_ms;
}

static void returned(struct hf_incident_table *table, struct hf_incident_member *member,
                     const struct hf_condition *condition, uint64_t now_ms,
                     struct hf_incident_changes *changes)
{
    struct hf_incident_case *incident = case_of(table, member->number);
    if (incident->closed_ms != 0) {
        incident->closed_ms = 0;
        say(changes, HF_INCIDENT_REOPENED, incident->number, condition->key, now_ms);
    }
    if (member->cleared_ms != 0) {
        member->cleared_ms = 0;
        say(changes, HF_INCIDENT_RETURNED, incident->number, condition->key, now_ms);
    }
}

/* The member of a closed incident becomes one of an open one; without its cause it is no more. */
static void take_out(struct hf_incident_table *table, struct hf_incident_member *member)
{
    struct hf_incident_case *incident = case_of(table, member->number);
    if (incident->cause == member->condition.key) {
        remove_case(table, (uint32_t)(incident - table->cases));
    } else {
        remove_member(table, (uint32_t)(member - table->members));
    }
}

static void hold(struct hf_incident_table *table, const struct hf_condition *condition,
                 uint64_t now_ms, struct hf_incident_changes *changes)
{
    struct hf_incident_member *member = member_of(table, condition->key);
    if (member != NULL && is_open(table, member->number)) {
        returned(table, member, condition, now_ms, changes);
        return;
    }
    if (!is_ripe(table, condition, now_ms)) {
        return;
    }
    bool is_cause = member != NULL && case_of(table, member->number)->cause == condition->key;
    if (is_cause && explaining(table, condition) == 0) {
        returned(table, member, condition, now_ms, changes); /* regroup() takes in its effects */
        return;
    }
    if (member != NULL) {
        take_out(table, member);
    }
    if (table->member_count == HF_INCIDENT_MEMBERS_MAX && !forget_one(table)) {
        table->unplaced++;
        return;
    }
    place(table, condition, now_ms, changes);
}

/* What conditions are about may be known only after they are. */
static void learn(struct hf_incident_table *table, const struct hf_condition *condition)
{
    struct hf_incident_member *member = member_of(table, condition->key);
    for (uint32_t i = 0; member != NULL && i < HF_SCOPE_COUNT; i++) {
        uint64_t scope = condition->scopes[i];
        member->condition.scopes[i] = scope != 0 ? scope : member->condition.scopes[i];
    }
}

/* Another open incident that explains the cause of this one, or 0. */
static uint64_t explaining_cause(struct hf_incident_table *table,
                                 const struct hf_incident_case *incident)
{
    const struct hf_incident_member *cause = member_of(table, incident->cause);
    for (uint32_t i = 0; cause != NULL && i < table->member_count; i++) {
        const struct hf_incident_member *member = &table->members[i];
        if (member->number != incident->number && is_open(table, member->number) &&
            hf_condition_explains(&member->condition, &cause->condition)) {
            return member->number;
        }
    }
    return 0;
}

/* Incidents of which it has shown that one explains the other become one. */
static void regroup(struct hf_incident_table *table, uint64_t now_ms,
                    struct hf_incident_changes *changes)
{
    for (uint32_t i = 0; i < table->case_count;) {
        const struct hf_incident_case *incident = &table->cases[i];
        uint64_t number = incident->number;
        uint64_t other = incident->closed_ms == 0 ? explaining_cause(table, incident) : 0;
        if (other == 0) {
            i++;
            continue;
        }
        uint64_t cause = case_of(table, other)->cause;
        uint64_t lowest = other < number ? other : number;
        merge(table, lowest == number ? other : number, lowest, now_ms, changes);
        struct hf_incident_case *kept = case_of(table, lowest);
        if (kept->cause != cause) {
            kept->cause = cause;
            say(changes, HF_INCIDENT_CAUSE, lowest, cause, now_ms);
        }
        i = 0; /* rows have moved; there is one case less */
    }
}

/* --- conditions that ended, incidents that close --- */

static bool is_among(const struct hf_condition *conditions, uint32_t count, uint64_t key)
{
    uint32_t i = 0;
    while (i < count && conditions[i].key != key) {
        i++;
    }
    return i < count;
}

static void clear(struct hf_incident_table *table, const struct hf_condition *conditions,
                  uint32_t count, uint64_t now_ms, struct hf_incident_changes *changes)
{
    for (uint32_t i = 0; i < table->member_count; i++) {
        struct hf_incident_member *member = &table->members[i];
        if (member->cleared_ms == 0 && !is_among(conditions, count, member->condition.key)) {
            member->cleared_ms = now_ms;
            say(changes, HF_INCIDENT_CLEARED, member->number, member->condition.key, now_ms);
        }
    }
    for (uint32_t i = table->pending_count; i-- > 0;) {
        if (!is_among(conditions, count, table->pending[i].key)) {
            table->pending[i] = table->pending[--table->pending_count];
        }
    }
}

/* When the last condition of the incident ended, 0 while one holds. */
static uint64_t ended_ms(const struct hf_incident_table *table, uint64_t number)
{
    uint64_t latest = 0;
    for (uint32_t i = 0; i < table->member_count; i++) {
        const struct hf_incident_member *member = &table->members[i];
        if (member->number != number) {
            continue;
        }
        if (member->cleared_ms == 0) {
            return 0;
        }
        latest = member->cleared_ms > latest ? member->cleared_ms : latest;
    }
    return latest;
}

static void close_cases(struct hf_incident_table *table, uint64_t now_ms,
                        struct hf_incident_changes *changes)
{
    for (uint32_t i = table->case_count; i-- > 0;) {
        struct hf_incident_case *incident = &table->cases[i];
        uint64_t ended = ended_ms(table, incident->number);
        if (incident->closed_ms == 0 && ended != 0 && now_ms - ended >= table->hold_ms) {
            incident->closed_ms = ended;
            say(changes, HF_INCIDENT_CLOSED, incident->number, 0, ended);
        }
        if (incident->closed_ms != 0 && now_ms - incident->closed_ms >= table->reopen_ms) {
            remove_case(table, i);
        }
    }
}

/* Nothing ends in the future: a clock that was set back prolongs no wait. */
static void follow_clock(struct hf_incident_table *table, uint64_t now_ms)
{
    for (uint32_t i = 0; i < table->member_count; i++) {
        if (table->members[i].cleared_ms > now_ms) {
            table->members[i].cleared_ms = now_ms;
        }
    }
    for (uint32_t i = 0; i < table->case_count; i++) {
        if (table->cases[i].closed_ms > now_ms) {
            table->cases[i].closed_ms = now_ms;
        }
    }
}

void hf_incident_step(struct hf_incident_table *table, const struct hf_condition *conditions,
                      uint32_t count, bool is_complete, uint64_t now_ms,
                      struct hf_incident_changes *ret_changes)
{
    uint32_t known = count > HF_CONDITIONS_MAX ? HF_CONDITIONS_MAX : count;
    assert(now_ms != 0 && table->next_number != 0);
    ret_changes->count = 0;
    follow_clock(table, now_ms);
    if (is_complete && known == count) {
        clear(table, conditions, known, now_ms, ret_changes);
    }
    for (uint32_t i = 0; i < known; i++) {
        learn(table, &conditions[i]);
    }
    for (int kind = 0; kind < HF_CONDITION_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < known; i++) {
            if (conditions[i].kind == (enum hf_condition_kind)kind) {
                hold(table, &conditions[i], now_ms, ret_changes);
            }
        }
    }
    regroup(table, now_ms, ret_changes);
    close_cases(table, now_ms, ret_changes);
}

uint64_t hf_incident_deadline_ms(const struct hf_incident_table *table)
{
    uint64_t deadline = UINT64_MAX;
    for (uint32_t i = 0; i < table->case_count; i++) {
        const struct hf_incident_case *incident = &table->cases[i];
        uint64_t ended = ended_ms(table, incident->number);
        if (incident->closed_ms == 0 && ended != 0 && ended + table->hold_ms < deadline) {
            deadline = ended + table->hold_ms;
        }
    }
    for (uint32_t i = 0; i < table->pending_count; i++) {
        bool is_placed = hf_incident_member(table, table->pending[i].key) != NULL;
        if (!is_placed && table->pending[i].due_ms < deadline) {
            deadline = table->pending[i].due_ms;
        }
    }
    return deadline;
}
