/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compare: the outage of October 2025 beside what Holdfast does under the same schedule.
 *
 * The explorer finds the shortest outage of the cloud's protocol (cloud.h); one more plan is
 * published; from there it finds the shortest way to where no enactor can do anything any more.
 * Everything that happened on the way happens to Holdfast's enactors (fenced.h) as well, row by
 * row.
 */
#ifndef HF_LAB_COMPARE_H
#define HF_LAB_COMPARE_H

#include <stddef.h>

#include "lab/cloud.h"
#include "lab/fenced.h"
#include "lab/timeline.h"

struct hf_compare_options {
    uint32_t enactors, endpoints; /* at most HF_CLOUD_ENACTORS_MAX, HF_CLOUD_ENDPOINTS_MAX */
    uint32_t plans, age;          /* of cloud.h; one plan more is published after the outage */
    uint32_t states_max;          /* of each search */
    uint32_t careless;            /* 1: a canary, Holdfast's writes have no prerequisites */
};

/* Three enactors, two endpoints: the outage is 14 steps away. */
extern const struct hf_compare_options hf_compare_usual;

struct hf_compare_result {
    struct hf_timeline cloud;  /* one line a row */
    struct hf_timeline fenced; /* one or more lines a row; one row more than cloud at the end */
    uint32_t outage_rows;      /* of cloud; the last of them leaves an endpoint empty */
    uint32_t wedge_rows;       /* after these, with the plan that is published first */
    uint32_t outage_states, wedge_states; /* that were explored */
    uint32_t refused;                     /* writes, by the fence */
    bool in_step; /* at the end everybody is, and nothing was ever empty or went back */
    struct hf_compare_options options;
};

/* Octets of memory that hf_compare_run needs; aligned to 8. */
size_t hf_compare_layout(const struct hf_compare_options *options);

/*
 * Does all of it. memory needs no content and stays the caller's. HF_ENOENT: there is no outage or
 * no wedge with these options; HF_ELIMIT: states_max, or a timeline, is too small for it.
 */
int hf_compare_run(const struct hf_compare_options *options, void *memory,
                   struct hf_compare_result *ret_result);

#endif
