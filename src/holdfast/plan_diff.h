/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plan diff: what the planner would publish now, endpoint by endpoint, for `holdfast plan`. */
#ifndef HF_HOLDFAST_PLAN_DIFF_H
#define HF_HOLDFAST_PLAN_DIFF_H

#include "holdfast/look.h"

enum hf_plan_action {
    HF_PLAN_CREATE,
    HF_PLAN_CHANGE,
    HF_PLAN_ROTATE, /* weights: another pick of the same members */
    HF_PLAN_RETIRE, /* a tombstone takes its place */
    HF_PLAN_LEAVE,  /* its tombstone leaves the plan */
    HF_PLAN_MARK,   /* the same answer: members that are not picked, marks */
    HF_PLAN_ACTIONS,
};
const char *hf_plan_action_name(enum hf_plan_action action); /* "create" */

struct hf_plan_difference {
    const char *name;
    enum hf_plan_action action;
    enum hf_cause cause;
    const char *backend;                /* of the cause, or NULL */
    struct hf_plan_entry before, after; /* entries of the image; gen 0: not in the plan */
};

struct hf_plan_hold {
    const char *name;
    uint32_t endpoint; /* of the planning */
    enum hf_hold hold;
    uint64_t until_ms; /* when it is looked at again, 0: not before something changes */
};

struct hf_plan_diff {
    struct hf_planning *planning;
    uint64_t head_gen, next_gen; /* the same when nothing is to be published */
    struct hf_plan_difference *rows;
    uint32_t row_count;
    uint32_t counts[HF_PLAN_ACTIONS];
    struct hf_plan_hold *holds;
    uint32_t hold_count;
    char held_id[HF_DIGEST_TEXT_SIZE]; /* "" when nothing is held */
    const char **orphans;              /* answered, and in no configuration any more */
    uint32_t orphan_count;
};

/* Edits the image of the look: nothing else is to be read from it afterwards. In its arena. */
int hf_plan_diff_make(struct hf_look *look, const uint8_t *verdicts, struct hf_plan_diff *ret_diff);
void hf_plan_diff_release(struct hf_plan_diff *diff);

/* Changes that a person would call ones: all but rotations and marks. */
uint32_t hf_plan_diff_changes(const struct hf_plan_diff *diff);

/* The backend of an entry that has this address, or NULL. */
const char *hf_plan_diff_backend(const struct hf_plan *plan, const struct hf_plan_entry *entry,
                                 const uint8_t *address, size_t size);

#endif
