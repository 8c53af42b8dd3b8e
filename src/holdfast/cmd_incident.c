/* SPDX-License-Identifier: GPL-3.0-or-later */
/* incident: list, show, message, report, observe. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/incident_report.h"
#include "holdfast/incidents.h"
#include "holdfast/override.h"
#include "holdfast/remote.h"
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

/* --- list, show --- */

/* The same as the API's answer. */
static int put_json(const struct work *work, const struct hf_incident *one)
{
    struct hf_look look = {
        .invocation = work->invocation, .config = work->config, .now_ms = work->now_ms};
    struct hf_look_json output;
    const struct hf_incident *incident;
    hf_look_json_begin(&look, &output);
    if (one != NULL) {
        hf_json_key(&output.json, "incident");
        hf_incident_json(&output.json, one, work->now_ms, true);
        return hf_look_json_end(&look, &output);
    }
    hf_json_key(&output.json, "incidents");
    hf_json_array(&output.json);
    for (uint32_t i = 0; (incident = hf_incident_at(&work->incidents.log, i)) != NULL; i++) {
        hf_incident_json(&output.json, incident, work->now_ms, false);
    }
    hf_json_array_end(&output.json);
    hf_json_put_null(&output.json, "next");
    return hf_look_json_end(&look, &output);
}

static int list(struct work *work)
{
    if (work->invocation->json) {
        return put_json(work, NULL);
    }
    hf_incidents_show(&work->invocation->out, &work->incidents.log, work->now_ms);
    return HF_EXIT_DONE;
}

static int show(struct work *work)
{
    const struct hf_incident *incident = hf_incident_log_find(&work->incidents.log, work->number);
    if (work->invocation->json) {
        return put_json(work, incident);
    }
    hf_incident_show(&work->invocation->out, incident, work->now_ms);
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
        if (work->invocation->json) {
            return put_json(work, hf_incident_log_find(&work->incidents.log, work->number));
        }
        hf_incident_said(&work->invocation->out, work->invocation->arguments[1], row.is_public);
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
    .remote = hf_remote_incident,
};
