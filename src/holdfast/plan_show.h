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
    uint64_t max;      /* endpoints that are shown to people */
    uint32_t json_max; /* and as JSON */
};

void hf_plan_show_text(const struct hf_look *look, const struct hf_plan_shown *shown);
/* An enum hf_exit. */
int hf_plan_show_json(const struct hf_look *look, const struct hf_plan_shown *shown);
/* Verdicts of the look, or those given, counted. */
void hf_plan_count_verdicts(const struct hf_look *look, const uint8_t *verdicts,
                            struct hf_plan_verdicts *ret_counts);
/* Without the head and what operators said there is nothing true to tell. */
bool hf_plan_is_readable(const struct hf_look *look);

/* The plans that hold the backends of the entries before and after. */
struct hf_plan_images {
    const struct hf_plan *before, *after;
};
void hf_plan_put_difference(const struct hf_plan_images *images,
                            const struct hf_plan_difference *row, struct hf_json *json);
/* Its members into an object. */
void hf_plan_put_json(const struct hf_look *look, const struct hf_plan_shown *shown,
                      struct hf_json *json);

#endif
