/* SPDX-License-Identifier: GPL-3.0-or-later */
/* incident: list, show, message, report, observe. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/incident_report.h"
#include "holdfast/incidents.h"
#include "holdfast/override.h"
#include "io/audit.h"
#include "io/wallclock.h"

enum { NUMBER_DIGITS_MAX = 18 };

/* What each of the verbs works with. */
struct work {
    const struct hf_invocation *invocation;
    struct hf_config *config;
    struct hf_store *store;
    struct hf_incidents incidents;
    uint64_t now_ms;
    uint64_t number; /* argument */
};

/* --- list --- */

static enum hf_style style_of(enum hf_severity severity)
{
    return severity == HF_SEVERITY_CRITICAL  ? HF_STYLE_BAD
           : severity == HF_SEVERITY_WARNING ? HF_STYLE_WARN
                                             : HF_STYLE_DIM;
}

/* The dependent that is hit worst, with its impact; "" for none. */
static void worst_text(const struct hf_incident *incident, uint64_t now_ms, char *ret_text,
                       size_t size)
{
    const struct hf_incident_affected *worst = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < incident->dependent_count; i++) {
        uint32_t score = hf_incident_score(&incident->dependents[i], now_ms);
        if (worst == NULL || score > most) {
            worst = &incident->dependents[i];
            most = score;
        }
    }
    ret_text[0] = 0;
    if (worst != NULL) {
        (void)snprintf(ret_text, size, "%s 0.%03u", worst->title, most > 999 ? 999 : most);
    }
}

static void put_row(struct hf_table *table, const struct hf_incident *incident, uint64_t now_ms)
{
    char ago[HF_TERM_SHORT_MAX];
    char lasted[HF_TERM_SHORT_MAX];
    char worst[2 * HF_CONFIG_TITLE_MAX];
    bool is_open = incident->closed_ms == 0;
    uint64_t end_ms = is_open ? now_ms : incident->closed_ms;
    hf_term_ago(now_ms, incident->opened_ms, ago);
    hf_term_duration(end_ms > incident->opened_ms ? end_ms - incident->opened_ms : 0, lasted);
    worst_text(incident, now_ms, worst, sizeof(worst));
    hf_table_put(table, HF_STYLE_BOLD, "%" PRIu64, incident->number);
    hf_table_put(table, is_open ? HF_STYLE_BAD : HF_STYLE_GOOD, "%s",
                 is_open                      ? "open"
                 : incident->merged_into != 0 ? "merged"
                                              : "closed");
    hf_table_put(table, style_of(incident->severity), "%s", hf_severity_name(incident->severity));
    hf_table_put(table, HF_STYLE_DIM, "%s", ago);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", lasted);
    hf_table_put(table, HF_STYLE_PLAIN, "%u", incident->endpoint_total);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", worst);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", incident->title);
}

static int output_json(const struct work *work, bool is_list, const struct hf_incident *one)
{
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, 8 * (size_t)HF_INCIDENT_LOG_BYTES_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "installation", work->config->installation);
    hf_json_put_u64(&json, "now_ms", work->now_ms);
    hf_json_key(&json, is_list ? "incidents" : "incident");
    if (is_list) {
        const struct hf_incident *incident;
        hf_json_array(&json);
        for (uint32_t i = 0; (incident = hf_incident_at(&work->incidents.log, i)) != NULL; i++) {
            hf_incident_json(&json, incident, work->now_ms, false);
        }
        hf_json_array_end(&json);
    } else {
        hf_incident_json(&json, one, work->now_ms, true);
    }
    hf_json_object_end(&json);
    (void)fprintf(work->invocation->out.stream, "%s\n", hf_buf_text(&buf));
    hf_buf_release(&buf);
    return HF_EXIT_DONE;
}

static int list(struct work *work)
{
    const struct hf_term *out = &work->invocation->out;
    const struct hf_incident *incident;
    struct hf_table table;
    if (work->invocation->json) {
        return output_json(work, true, NULL);
    }
    hf_table_init(&table, ">NUMBER|STATE|SEVERITY|OPENED|LASTED|>ENDPOINTS|WORST IMPACT|WHAT");
    uint32_t i = 0;
    for (; (incident = hf_incident_at(&work->incidents.log, i)) != NULL; i++) {
        put_row(&table, incident, work->now_ms);
    }
    if (i == 0) {
        hf_term_put(out, HF_STYLE_GOOD, "No incident in the last 90 days.\n");
    } else {
        hf_table_print(&table, out, 0);
    }
    hf_table_release(&table);
    return HF_EXIT_DONE;
}

/* --- show --- */

static void show_affected(const struct work *work, const struct hf_incident *incident)
{
    const struct hf_term *out = &work->invocation->out;
    struct hf_table table;
    hf_table_init(&table, "DEPENDENT|CRITICALITY|>IMPACT|>LOST TIME|>SHARE NOW|>WORST SHARE");
    for (uint32_t i = 0; i < incident->dependent_count; i++) {
        const struct hf_incident_affected *row = &incident->dependents[i];
        char lost[HF_TERM_SHORT_MAX];
        uint32_t score = hf_incident_score(row, work->now_ms);
        hf_term_duration(hf_impact_lost_ms(&row->impact, work->now_ms), lost);
        hf_table_put(&table, HF_STYLE_NAME, "%s", row->title);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", row->criticality);
        hf_table_put(&table, score > 0 ? HF_STYLE_BAD : HF_STYLE_GOOD, "%u.%03u", score / 1000,
                     score % 1000);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", lost);
        hf_table_put(&table, HF_STYLE_PLAIN, "%u.%u%%", row->impact.share / 10,
                     row->impact.share % 10);
        hf_table_put(&table, HF_STYLE_PLAIN, "%u.%u%%", row->impact.highest_share / 10,
                     row->impact.highest_share % 10);
    }
    if (incident->dependent_count > 0) {
        hf_term_put(out, HF_STYLE_PLAIN, "\n");
        hf_table_print(&table, out, 0);
    }
    hf_table_release(&table);
}

static void show_timeline(const struct work *work, const struct hf_incident *incident)
{
    const struct hf_term *out = &work->invocation->out;
    char stamp[HF_TERM_SHORT_MAX];
    hf_term_put(out, HF_STYLE_BOLD, "\nTimeline\n");
    for (uint32_t i = 0; i < incident->timeline_count; i++) {
        const struct hf_incident_entry *entry = &incident->timeline[i];
        hf_term_timestamp(entry->at_ms, stamp);
        hf_term_put(out, HF_STYLE_DIM, "  %s  ", stamp);
        hf_term_put(out, HF_STYLE_PLAIN, "%-9s ", hf_incident_event_name(entry->event));
        hf_look_wrap(out, 4, entry->text);
    }
    if (incident->timeline_dropped > 0) {
        hf_term_put(out, HF_STYLE_DIM, "  and %u more\n", incident->timeline_dropped);
    }
}

static void show_messages(const struct work *work, const struct hf_incident *incident)
{
    const struct hf_term *out = &work->invocation->out;
    char stamp[HF_TERM_SHORT_MAX];
    if (incident->message_count > 0) {
        hf_term_put(out, HF_STYLE_BOLD, "\nMessages\n");
    }
    for (uint32_t i = 0; i < incident->message_count; i++) {
        const struct hf_incident_message *message = &incident->messages[i];
        hf_term_timestamp(message->at_ms, stamp);
        hf_term_put(out, HF_STYLE_DIM, "  %s  ", stamp);
        hf_term_put(out, HF_STYLE_NAME, "%s", message->who);
        hf_term_put(out, message->is_public ? HF_STYLE_WARN : HF_STYLE_DIM, " (%s)\n    ",
                    message->is_public ? "public" : "internal");
        hf_look_wrap(out, 4, message->text);
    }
}

static int show(struct work *work)
{
    const struct hf_term *out = &work->invocation->out;
    const struct hf_incident *incident = hf_incident_log_find(&work->incidents.log, work->number);
    if (work->invocation->json) {
        return output_json(work, false, incident);
    }
    char ago[HF_TERM_SHORT_MAX];
    hf_term_put(out, HF_STYLE_BOLD, "Incident %" PRIu64 "  ", incident->number);
    hf_term_put(out, style_of(incident->severity), "%s", incident->title);
    hf_term_ago(work->now_ms, incident->opened_ms, ago);
    hf_term_put(out, HF_STYLE_PLAIN, "\nopened %s", ago);
    if (incident->merged_into != 0) {
        hf_term_put(out, HF_STYLE_PLAIN, ", a part of incident %" PRIu64, incident->merged_into);
    } else if (incident->closed_ms != 0) {
        hf_term_ago(work->now_ms, incident->closed_ms, ago);
        hf_term_put(out, HF_STYLE_GOOD, ", closed %s", ago);
    } else {
        hf_term_put(out, HF_STYLE_BAD, ", open");
    }
    hf_term_put(out, HF_STYLE_PLAIN, ", %u endpoint%s affected", incident->endpoint_total,
                hf_look_plural(incident->endpoint_total));
    hf_term_put(out, HF_STYLE_PLAIN, ", %" PRIu64 " write%s refused by servers\n",
                incident->refused, hf_look_plural(incident->refused));
    show_affected(work, incident);
    show_timeline(work, incident);
    show_messages(work, incident);
    return HF_EXIT_DONE;
}

/* --- message --- */

static int message(struct work *work)
{
    char who[HF_CHANGE_WHO_MAX];
    hf_change_who(work->invocation, who);
    const struct hf_incident_message row = {.at_ms = work->now_ms,
                                            .who = who,
                                            .text = work->invocation->arguments[2],
                                            .is_public =
                                                hf_option_given(work->invocation, "public")};
    int error = hf_incidents_say(&work->incidents, work->store, work->number, &row);
    if (error == HF_OK) {
        (void)hf_audit_append(work->store,
                              &(struct hf_audit_entry){.command = "incident message",
                                                       .subject = work->invocation->arguments[1],
                                                       .who = who,
                                                       .why = "",
                                                       .via = "command",
                                                       .text = row.text});
    }
    switch (error) {
    case HF_OK:
        hf_term_put(&work->invocation->out, HF_STYLE_PLAIN,
                    "message added to incident %" PRIu64 "%s\n", work->number,
                    row.is_public ? ", for the status page too" : "");
        return HF_EXIT_DONE;
    case HF_EINVAL:
        return hf_command_misuse(work->invocation, "expected a text in UTF-8 that is not empty");
    case HF_ELIMIT:
        return hf_command_fail(work->invocation,
                               "expected at most %d octets, and %d messages for one incident",
                               HF_INCIDENT_MESSAGE_BYTES_MAX, HF_INCIDENT_MESSAGES_MAX);
    default:
        return hf_command_fail(work->invocation, "the message was not added: %s",
                               work->incidents.why);
    }
}

/* --- what needs a look --- */

static int report(struct work *work)
{
    struct hf_look *look;
    if (hf_look_open(work->invocation, &look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    struct hf_buf text;
    hf_buf_init(&text, 8 * (size_t)HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_report(look, hf_incident_log_find(&work->incidents.log, work->number), &text);
    (void)fputs(hf_buf_text(&text), work->invocation->out.stream);
    hf_buf_release(&text);
    hf_look_close(look);
    return HF_EXIT_DONE;
}

static int observe(struct work *work)
{
    struct hf_look *look;
    struct hf_incident_changes *changes = calloc(1, sizeof(*changes));
    if (changes == NULL) {
        abort();
    }
    int exit = hf_look_open(work->invocation, &look);
    if (exit == HF_EXIT_DONE) {
        struct hf_status status = {.look = look};
        hf_status_count(&status);
        hf_status_alerts(&status);
        if (hf_incidents_observe(&work->incidents, &status, changes) != HF_OK) {
            exit = hf_command_fail(work->invocation, "%s", work->incidents.why);
        }
        hf_status_release(&status);
        hf_look_close(look);
    }
    free(changes);
    return exit == HF_EXIT_DONE ? list(work) : exit;
}

/* --- the command --- */

static const struct verb {
    const char *name;
    int argument_count; /* with the verb */
    bool has_number;
    int (*run)(struct work *work);
} verbs[] = {
    {"list", 1, false, list},    {"show", 2, true, show},        {"message", 3, true, message},
    {"report", 2, true, report}, {"observe", 1, false, observe},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static bool parse_number(const char *text, uint64_t *ret_number)
{
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size > NUMBER_DIGITS_MAX || text[size] != 0) {
        return false;
    }
    *ret_number = strtoull(text, NULL, 10);
    return true;
}

static int run_verb(struct work *work, const struct verb *verb)
{
    int exit = HF_EXIT_FAILED;
    hf_incidents_init(&work->incidents);
    work->incidents.ends_soon = true;
    if (hf_incidents_load(&work->incidents, work->store) != HF_OK) {
        exit = hf_command_fail(work->invocation, "%s", work->incidents.why);
    } else if (verb->has_number &&
               hf_incident_log_find(&work->incidents.log, work->number) == NULL) {
        exit = hf_command_fail(work->invocation, "there is no incident %" PRIu64, work->number);
    } else {
        exit = verb->run(work);
    }
    hf_incidents_release(&work->incidents);
    return exit;
}

static int run(const struct hf_invocation *invocation)
{
    struct work work = {.invocation = invocation, .now_ms = hf_wallclock_ms()};
    const struct verb *verb =
        find_verb(invocation->argument_count > 0 ? invocation->arguments[0] : "list");
    if (verb == NULL ||
        (invocation->argument_count > 0 && invocation->argument_count != verb->argument_count)) {
        return hf_command_misuse(invocation,
                                 "expected list, show N, message N TEXT, report N or observe");
    }
    if (verb->has_number && !parse_number(invocation->arguments[1], &work.number)) {
        return hf_command_misuse(invocation, "found %s, expected the number of an incident",
                                 invocation->arguments[1]);
    }
    if (hf_open_config_zones(invocation, &work.config) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    int exit = HF_EXIT_FAILED;
    if (hf_open_store(invocation, work.config, false, &work.store) == HF_OK) {
        exit = run_verb(&work, verb);
        hf_store_close(work.store);
    }
    hf_config_free(work.config);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "public", .help = "message: for the status page too"},
    {.name = "as", .argument = "NAME", .help = "message: who says it (default: your user name)"},
    {0},
};

const struct hf_command hf_command_incident = {
    .name = "incident",
    .group = HF_COMMAND_LOOK,
    .arguments = "[list | show N | message N TEXT | report N | observe]",
    .summary = "what went wrong, since when, whom it hits; and what operators say of it",
    .details =
        "Incidents open and close by themselves while the api role runs. list: those of the\n"
        "last 90 days, open ones first. message adds what people say; --public shows it on\n"
        "the status page. report writes a post-incident report in Markdown: timeline,\n"
        "cause, what was refused, what changed, who was affected. observe looks once and\n"
        "notes what it finds, where no api role runs.",
    .options = options,
    .arguments_max = 3,
    .run = run,
};
