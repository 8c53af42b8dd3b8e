/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/incident_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/history.h"
#include "holdfast/incidents.h"

enum { BEFORE_MS = 300000 /* plans and refusals so long before it belong to the story */ };

struct report {
    struct hf_look *look;
    const struct hf_incident *incident;
    struct hf_buf *text;
    uint64_t from_ms, to_ms; /* what belongs to it */
};

/* Text in a line or a cell: nothing in it is Markdown or HTML. */
static void put(struct report *report, const char *text)
{
    static const char special[] = "\\`*_{}[]<>()#+!|&~";
    for (; *text != 0; text++) {
        uint8_t octet = (uint8_t)*text;
        if (octet < ' ' || octet == 0x7f) {
            hf_buf_put_text(report->text, " ");
        } else if (strchr(special, *text) != NULL) {
            hf_buf_put(report->text, "\\", 1);
            hf_buf_put(report->text, text, 1);
        } else {
            hf_buf_put(report->text, text, 1);
        }
    }
}

static void put_time(struct report *report, uint64_t at_ms)
{
    char stamp[HF_TERM_SHORT_MAX];
    hf_term_timestamp(at_ms, stamp);
    hf_buf_printf(report->text, "%s", stamp);
}

static void put_duration(struct report *report, uint64_t duration_ms)
{
    uint64_t seconds = duration_ms / 1000;
    if (seconds >= 3600) {
        hf_buf_printf(report->text, "%" PRIu64 " h ", seconds / 3600);
    }
    if (seconds >= 60) {
        hf_buf_printf(report->text, "%" PRIu64 " min ", seconds / 60 % 60);
    }
    hf_buf_printf(report->text, "%" PRIu64 " s", seconds % 60);
}

static void put_permille(struct report *report, uint32_t permille)
{
    hf_buf_printf(report->text, "%u.%u %%", permille / 10, permille % 10);
}

/* --- the parts --- */

static void put_head(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    bool is_open = incident->closed_ms == 0;
    hf_buf_printf(report->text, "# Incident %" PRIu64 ": ", incident->number);
    put(report, incident->title);
    hf_buf_put_text(report->text, "\n\n- Installation: ");
    put(report, report->look->config->installation);
    hf_buf_printf(report->text,
                  "\n- Severity: %s\n- Opened: ", hf_severity_name(incident->severity));
    put_time(report, incident->opened_ms);
    hf_buf_put_text(report->text, is_open ? "\n- Still open; lasted so far: " : "\n- Closed: ");
    if (!is_open) {
        put_time(report, incident->closed_ms);
        hf_buf_put_text(report->text, "\n- Lasted: ");
    }
    uint64_t end_ms = is_open ? report->look->now_ms : incident->closed_ms;
    put_duration(report, end_ms > incident->opened_ms ? end_ms - incident->opened_ms : 0);
    if (incident->reopened > 0) {
        hf_buf_printf(report->text, "\n- Opened again: %" PRIu64 " time%s", incident->reopened,
                      hf_look_plural(incident->reopened));
    }
    if (incident->merged_into != 0) {
        hf_buf_printf(report->text, "\n- Became a part of incident %" PRIu64,
                      incident->merged_into);
    }
    hf_buf_put_text(report->text, "\n- This report: ");
    put_time(report, report->look->now_ms);
    hf_buf_put_text(report->text, "\n");
}

static void put_rows(struct report *report, const struct hf_incident_affected *rows, uint32_t count,
                     bool is_dependent)
{
    if (count == 0) {
        return;
    }
    hf_buf_put_text(report->text,
                    is_dependent
                        ? "\n| dependent | criticality | impact | lost time | worst share |\n"
                          "|---|---|---|---|---|\n"
                        : "\n| service | lost time | worst share |\n|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_incident_affected *row = &rows[i];
        uint64_t now_ms = report->look->now_ms;
        hf_buf_put_text(report->text, "| ");
        put(report, row->title);
        if (is_dependent) {
            uint32_t score = hf_incident_score(row, now_ms);
            hf_buf_put_text(report->text, " | ");
            put(report, row->criticality);
            hf_buf_printf(report->text, " | %u.%03u", score / 1000, score % 1000);
        }
        hf_buf_put_text(report->text, " | ");
        put_duration(report, hf_impact_lost_ms(&row->impact, now_ms));
        hf_buf_put_text(report->text, " | ");
        put_permille(report, row->impact.highest_share);
        hf_buf_put_text(report->text, " |\n");
    }
}

static void put_affected(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    hf_buf_put_text(report->text, "\n## Who was affected\n");
    put_rows(report, incident->dependents, incident->dependent_count, true);
    put_rows(report, incident->services, incident->service_count, false);
    if (incident->dependent_count + incident->service_count == 0) {
        hf_buf_put_text(report->text,
                        "\nNo service or dependent of the configuration was touched.\n");
    } else {
        hf_buf_put_text(report->text,
                        "\nLost time: as long as all answers lost would have been as bad. Impact: "
                        "lost time / (lost time + time that is tolerated).\n");
    }
    hf_buf_printf(report->text, "\n%u endpoint%s touched%s", incident->endpoint_total,
                  incident->endpoint_total == 1 ? " was" : "s were",
                  incident->endpoint_count > 0 ? ": " : ".");
    for (uint32_t i = 0; i < incident->endpoint_count; i++) {
        hf_buf_put_text(report->text, i == 0 ? "" : ", ");
        put(report, incident->endpoints[i]);
    }
    hf_buf_put_text(report->text,
                    incident->endpoint_total > incident->endpoint_count ? " and others.\n" : "\n");
}

static void put_cause(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    hf_buf_put_text(report->text, "\n## Cause\n\n");
    put(report, incident->conditions[incident->cause].sight.text);
    hf_buf_put_text(report->text, "\n\n| what | from | to | text |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        const struct hf_incident_condition *row = &incident->conditions[i];
        hf_buf_put_text(report->text, "| ");
        put(report, row->sight.code);
        hf_buf_put_text(report->text, row->sight.subject[0] == 0 ? "" : " ");
        put(report, row->sight.subject);
        hf_buf_put_text(report->text, " | ");
        put_time(report, row->since_ms);
        hf_buf_put_text(report->text, " | ");
        if (row->cleared_ms != 0) {
            put_time(report, row->cleared_ms);
        } else {
            hf_buf_put_text(report->text, "still so");
        }
        hf_buf_put_text(report->text, " | ");
        put(report, row->sight.text);
        hf_buf_put_text(report->text, " |\n");
    }
}

static void put_timeline(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    hf_buf_put_text(report->text, "\n## Timeline\n\n");
    for (uint32_t i = 0; i < incident->timeline_count; i++) {
        const struct hf_incident_entry *entry = &incident->timeline[i];
        hf_buf_put_text(report->text, "- ");
        put_time(report, entry->at_ms);
        hf_buf_printf(report->text, " **%s** ", hf_incident_event_name(entry->event));
        put(report, entry->text);
        hf_buf_put_text(report->text, "\n");
    }
    if (incident->timeline_dropped > 0) {
        hf_buf_printf(report->text, "- and %u more\n", incident->timeline_dropped);
    }
}

/* --- what was refused --- */

static bool is_refusal(const struct hf_report_write *write)
{
    return write->kind == HF_WRITE_STALE || write->kind == HF_WRITE_REFUSED;
}

static void put_refused_writes(struct report *report)
{
    const struct hf_reports *reports = &report->look->reports;
    for (uint32_t i = 0; i < reports->count; i++) {
        for (uint32_t k = 0; k < reports->rows[i].write_count; k++) {
            const struct hf_report_write *write = &reports->rows[i].writes[k];
            if (!is_refusal(write) || write->at_ms < report->from_ms ||
                write->at_ms > report->to_ms) {
                continue;
            }
            hf_buf_put_text(report->text, "- ");
            put_time(report, write->at_ms);
            hf_buf_printf(report->text, ", %s: generation %" PRIu64 " of ",
                          hf_write_kind_name(write->kind), write->gen);
            put(report, write->endpoint);
            hf_buf_put_text(report->text, " by ");
            put(report, reports->rows[i].enactor);
            if (write->met_gen != 0) {
                hf_buf_printf(report->text, "; generation %" PRIu64 " was there", write->met_gen);
            }
            hf_buf_put_text(report->text, "\n");
        }
    }
}

static void put_refused(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    hf_buf_put_text(report->text, "\n## What Holdfast refused\n\n");
    hf_buf_printf(report->text,
                  "- %" PRIu64 " write%s refused by DNS servers, because what they "
                  "were conditional on did not hold\n",
                  incident->refused, incident->refused == 1 ? " was" : "s were");
    put_refused_writes(report);
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        const struct hf_incident_condition *row = &incident->conditions[i];
        if (row->sight.kind == HF_CONDITION_HELD || row->sight.kind == HF_CONDITION_TOO_FEW) {
            hf_buf_put_text(report->text, "- ");
            put_time(report, row->since_ms);
            hf_buf_put_text(report->text, ", not published: ");
            put(report, row->sight.text);
            hf_buf_put_text(report->text, "\n");
        }
    }
}

/* --- what changed --- */

static void put_plan(struct report *report, const struct hf_history_plan *plan)
{
    hf_buf_printf(report->text, "| %" PRIu64 " | ", plan->gen);
    put_time(report, plan->created_ms);
    hf_buf_printf(report->text, " | %u | ", plan->changed);
    for (uint32_t i = 0; i < plan->cause_count; i++) {
        char words[HF_LOOK_SENTENCE_MAX];
        hf_look_cause(plan->causes[i].cause, plan->causes[i].backend, words);
        hf_buf_put_text(report->text, i == 0 ? "" : ", ");
        put(report, words);
        hf_buf_printf(report->text, " \\(%u\\)", plan->causes[i].count);
    }
    hf_buf_put_text(report->text, plan->has_more_causes ? ", others |\n" : " |\n");
}

static void put_changes(struct report *report)
{
    struct hf_history history;
    uint32_t told = 0;
    hf_buf_put_text(report->text, "\n## What changed\n\n");
    if (report->look->store == NULL ||
        hf_history_load(report->look, NULL, 0, HF_INCIDENT_REPORT_PLANS_MAX, &history) != HF_OK) {
        hf_buf_put_text(report->text, "The plans cannot be read.\n");
        return;
    }
    for (uint32_t i = history.plan_count; i-- > 0;) {
        const struct hf_history_plan *plan = &history.plans[i];
        if (plan->created_ms < report->from_ms || plan->created_ms > report->to_ms) {
            continue;
        }
        if (told++ == 0) {
            hf_buf_put_text(
                report->text,
                "| generation | published | endpoints | because |\n|---|---|---|---|\n");
        }
        put_plan(report, plan);
    }
    if (told == 0) {
        hf_buf_put_text(report->text, "No plan of that time is kept.\n");
    }
    uint64_t oldest_ms =
        history.plan_count == 0 ? 0 : history.plans[history.plan_count - 1].created_ms;
    if (oldest_ms > report->from_ms) {
        hf_buf_put_text(report->text, "\nPlans from before ");
        put_time(report, oldest_ms);
        hf_buf_put_text(report->text, " are not kept or not read.\n");
    }
    hf_history_release(&history);
}

static void put_messages(struct report *report)
{
    const struct hf_incident *incident = report->incident;
    hf_buf_put_text(report->text, "\n## What operators said\n\n");
    for (uint32_t i = 0; i < incident->message_count; i++) {
        const struct hf_incident_message *message = &incident->messages[i];
        hf_buf_put_text(report->text, "- ");
        put_time(report, message->at_ms);
        hf_buf_put_text(report->text, ", ");
        put(report, message->who);
        hf_buf_put_text(report->text, message->is_public ? ", public: " : ": ");
        put(report, message->text);
        hf_buf_put_text(report->text, "\n");
    }
    if (incident->message_count == 0) {
        hf_buf_put_text(report->text, "Nothing.\n");
    }
}

void hf_incident_report(struct hf_look *look, const struct hf_incident *incident,
                        struct hf_buf *ret_markdown)
{
    uint64_t begin_ms = incident->opened_ms;
    struct report report = {
        .look = look,
        .incident = incident,
        .text = ret_markdown,
        .from_ms = begin_ms > BEFORE_MS ? begin_ms - BEFORE_MS : 0,
        .to_ms = incident->closed_ms == 0 ? look->now_ms : incident->closed_ms,
    };
    put_head(&report);
    put_affected(&report);
    put_cause(&report);
    put_timeline(&report);
    put_refused(&report);
    put_changes(&report);
    put_messages(&report);
}
