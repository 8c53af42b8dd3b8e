/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Incidents: what incidents.c and its helpers share. Not for others. */
#ifndef HF_HOLDFAST_INCIDENTS_INTERNAL_H
#define HF_HOLDFAST_INCIDENTS_INTERNAL_H

#include "holdfast/incidents.h"

/* --- incident_sights.c: a status as conditions --- */

struct hf_sights {
    struct hf_incident_sight rows[HF_CONDITIONS_MAX];
    uint32_t count;
    bool is_complete; /* what is not among them does not hold */
    struct hf_arena arena;
};

void hf_sights_make(const struct hf_status *status, struct hf_sights *ret_sights);
void hf_sights_release(struct hf_sights *sights);
/* Kind and subject of the condition that an alert is. */
enum hf_condition_kind hf_sight_kind(const struct hf_alert *alert);
const char *hf_sight_subject(enum hf_condition_kind kind, const struct hf_alert *alert);

/* --- incident_touch.c: whom the conditions of an incident hit --- */

/*
 * Notes endpoints, and the share of answers that each service and dependent loses now, in all open
 * incidents of the log. False: nothing is other than it was.
 */
bool hf_incidents_touch(struct hf_incident_log *log, const struct hf_status *status);

#endif
