/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What receivers of alerts are told of the log of incidents. */
#include "holdfast/api.h"

enum { NOTICES_MAX = 2 * HF_NOTIFY_INCIDENTS_MAX };

struct notices {
    struct hf_notice rows[NOTICES_MAX];
    uint32_t count;
};

static void add(struct notices *notices, const struct hf_incident *incident)
{
    const struct hf_incident_sight *cause = &incident->conditions[incident->cause].sight;
    if (notices->count < NOTICES_MAX && incident->condition_count > 0) {
        notices->rows[notices->count++] = (struct hf_notice){
            .number = incident->number,
            .severity = incident->severity,
            .code = cause->code,
            .subject = cause->subject,
            .title = incident->title,
            .text = cause->text,
            .opened_ms = incident->opened_ms,
            .closed_ms = incident->closed_ms,
        };
    }
}

/* What is open, most urgent first, and then what closed lately. */
void hf_api_notify(struct hf_api *api)
{
    const struct hf_incident_log *log = &api->incidents->kept.log;
    struct notices notices = {.count = 0};
    if (api->notify == NULL || (!api->incidents->kept.is_loaded && log->count == 0)) {
        return;
    }
    for (int severity = HF_SEVERITY_CRITICAL; severity <= HF_SEVERITY_NOTICE; severity++) {
        for (uint32_t i = 0; i < log->count; i++) {
            const struct hf_incident *incident = &log->incidents[i];
            if (incident->closed_ms == 0 && incident->severity == (enum hf_severity)severity) {
                add(&notices, incident);
            }
        }
    }
    for (uint32_t i = log->count; i > 0; i--) {
        const struct hf_incident *incident = &log->incidents[i - 1];
        if (incident->closed_ms != 0 &&
            incident->closed_ms + HF_NOTIFY_RECENT_MS >= api->look->now_ms) {
            add(&notices, incident);
        }
    }
    hf_notify_tell(api->notify, notices.rows, notices.count);
}
