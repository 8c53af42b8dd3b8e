/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plan show: a difference of plans for people and as JSON (docs/reference/output.md). */
#ifndef HF_HOLDFAST_PLAN_SHOW_H
#define HF_HOLDFAST_PLAN_SHOW_H

#include "holdfast/plan_diff.h"

struct hf_plan_verdicts {
    const char *source; /* "planner", "checks", "none" */
    uint64_t at_ms;
    uint32_t up, down, unknown;
};

struct hf_plan_shown {
    const struct hf_plan_diff *diff;
    struct hf_plan_verdicts verdicts;
    uint64_t max; /* endpoints that are shown to people */
};

void hf_plan_show_text(const struct hf_look *look, const struct hf_plan_shown *shown);
/* An enum hf_exit. */
int hf_plan_show_json(const struct hf_look *look, const struct hf_plan_shown *shown);
/* Its members into an object. */
void hf_plan_put_json(const struct hf_look *look, const struct hf_plan_shown *shown,
                      struct hf_json *json);

#endif
