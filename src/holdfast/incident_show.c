/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "holdfast/incidents.h"

/* --- a list --- */

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

void hf_incidents_show(const struct hf_term *out, const struct hf_incident_log *log,
                       uint64_t now_ms)
{
    const struct hf_incident *incident;
    struct hf_table table;
    hf_table_init(&table, ">NUMBER|STATE|SEVERITY|OPENED|LASTED|>ENDPOINTS|WORST IMPACT|WHAT");
    uint32_t i = 0;
    for (; (incident = hf_incident_at(log, i)) != NULL; i++) {
        put_row(&table, incident, now_ms);
    }
    if (i == 0) {
        hf_term_put(out, HF_STYLE_GOOD, "No incident in the last 90 days.\n");
    } else {
        hf_table_print(&table, out, 0);
    }
    hf_table_release(&table);
}

/* --- one --- */

static void show_affected(const struct hf_term *out, const struct hf_incident *incident,
                          uint64_t now_ms)
{
    struct hf_table table;
    hf_table_init(&table, "DEPENDENT|CRITICALITY|>IMPACT|>LOST TIME|>SHARE NOW|>WORST SHARE");
    for (uint32_t i = 0; i < incident->dependent_count; i++) {
        const struct hf_incident_affected *row = &incident->dependents[i];
        char lost[HF_TERM_SHORT_MAX];
        uint32_t score = hf_incident_score(row, now_ms);
        hf_term_duration(hf_impact_lost_ms(&row->impact, now_ms), lost);
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

static void show_timeline(const struct hf_term *out, const struct hf_incident *incident)
{
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

static void show_messages(const struct hf_term *out, const struct hf_incident *incident)
{
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

void hf_incident_show(const struct hf_term *out, const struct hf_incident *incident,
                      uint64_t now_ms)
{
    char ago[HF_TERM_SHORT_MAX];
    hf_term_put(out, HF_STYLE_BOLD, "Incident %" PRIu64 "  ", incident->number);
    hf_term_put(out, style_of(incident->severity), "%s", incident->title);
    hf_term_ago(now_ms, incident->opened_ms, ago);
    hf_term_put(out, HF_STYLE_PLAIN, "\nopened %s", ago);
    if (incident->merged_into != 0) {
        hf_term_put(out, HF_STYLE_PLAIN, ", a part of incident %" PRIu64, incident->merged_into);
    } else if (incident->closed_ms != 0) {
        hf_term_ago(now_ms, incident->closed_ms, ago);
        hf_term_put(out, HF_STYLE_GOOD, ", closed %s", ago);
    } else {
        hf_term_put(out, HF_STYLE_BAD, ", open");
    }
    hf_term_put(out, HF_STYLE_PLAIN, ", %u endpoint%s affected", incident->endpoint_total,
                hf_look_plural(incident->endpoint_total));
    hf_term_put(out, HF_STYLE_PLAIN, ", %" PRIu64 " write%s refused by servers\n",
                incident->refused, hf_look_plural(incident->refused));
    show_affected(out, incident, now_ms);
    show_timeline(out, incident);
    show_messages(out, incident);
}

void hf_incident_said(const struct hf_term *out, const char *number, bool is_public)
{
    hf_term_put(out, HF_STYLE_PLAIN, "message added to incident %s%s\n", number,
                is_public ? ", for the status page too" : "");
}
