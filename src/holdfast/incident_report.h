/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incident report: what happened, for people who were not there, in Markdown (CommonMark with
 * tables). Names and texts are escaped: whatever they hold, they are text in it.
 */
#ifndef HF_HOLDFAST_INCIDENT_REPORT_H
#define HF_HOLDFAST_INCIDENT_REPORT_H

#include "base/buf.h"
#include "codec/incident_log.h"
#include "holdfast/look.h"

enum { HF_INCIDENT_REPORT_PLANS_MAX = 1000 };

/*
 * Appends it. Plans, and writes that were refused, are those that the store still has; where it has
 * no older ones, the report says so.
 */
void hf_incident_report(struct hf_look *look, const struct hf_incident *incident,
                        struct hf_buf *ret_markdown);

#endif
