/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plan between: what differs between two images of a plan, endpoint by endpoint, by name. */
#ifndef HF_HOLDFAST_PLAN_BETWEEN_H
#define HF_HOLDFAST_PLAN_BETWEEN_H

#include "holdfast/plan_diff.h"

struct hf_plan_between {
    const struct hf_plan *before, *after; /* borrowed */
    struct hf_plan_difference *rows;      /* in order of name; entries are those of the images */
    uint32_t row_count;
    uint32_t counts[HF_PLAN_ACTIONS];
    struct hf_arena arena; /* names */
};

/* Either may be the newer one: what is shown leads from before to after. */
void hf_plan_between_make(const struct hf_plan *before, const struct hf_plan *after,
                          struct hf_plan_between *ret_between);
void hf_plan_between_release(struct hf_plan_between *between);

#endif
