/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receivers hear of incidents as the log has them. */
#include <stdlib.h>

#include "holdfast/api.h"

static struct hf_notice notice_of(const struct hf_incident *incident)
{
    const struct hf_incident_sight none = {.code = "incident", .subject = "", .text = ""};
    const struct hf_incident_sight *cause = incident->cause < incident->condition_count
                                                ? &incident->conditions[incident->cause].sight
                                                : &none;
    return (struct hf_notice){.number = incident->number,
                              .severity = (enum hf_notify_severity)incident->severity,
                              .code = cause->code,
                              .subject = cause->subject,
                              .title = incident->title,
                              .text = cause->text,
                              .opened_ms = incident->opened_ms,
                              .closed_ms = incident->closed_ms};
}

/* Most urgent first; closed ones, which nobody has to hurry for, at the end. */
static int compare(const void *a, const void *b)
{
    const struct hf_notice *one = a;
    const struct hf_notice *other = b;
    if ((one->closed_ms != 0) != (other->closed_ms != 0)) {
        return one->closed_ms != 0 ? 1 : -1;
    }
    if (one->severity != other->severity) {
        return one->severity < other->severity ? -1 : 1;
    }
    return one->number > other->number ? -1 : one->number < other->number;
}

void hf_api_notify(struct hf_api *api)
{
    const struct hf_incident_log *log = &api->incidents->kept.log;
    if (api->notify == NULL || !api->incidents->kept.is_loaded) {
        return; /* what is not known is not told: nothing is resolved by it */
    }
    struct hf_notice *notices = calloc(log->count + 1U, sizeof(*notices));
    uint32_t count = 0;
    if (notices == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < log->count; i++) {
        const struct hf_incident *incident = &log->incidents[i];
        bool is_recent = api->look->now_ms < incident->closed_ms + HF_NOTIFY_RECENT_MS;
        if (incident->closed_ms == 0 || is_recent) {
            notices[count++] = notice_of(incident);
        }
    }
    qsort(notices, count, sizeof(*notices), compare);
    hf_notify_tell(api->notify, notices, count);
    free(notices);
}
