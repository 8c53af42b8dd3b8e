/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History: what the plans in the store changed, newest first, for `holdfast history`. */
#ifndef HF_HOLDFAST_HISTORY_H
#define HF_HOLDFAST_HISTORY_H

#include "holdfast/look.h"

enum { HF_HISTORY_CAUSES_MAX = 8 }; /* different ones that are told apart in one plan */

struct hf_history_cause {
    enum hf_cause cause;
    const char *backend; /* or NULL */
    uint32_t count;      /* endpoints */
    uint32_t serves;     /* those of them that the backend serves from then on */
};

/* One plan. */
struct hf_history_plan {
    uint64_t gen, parent_gen, created_ms; /* parent_gen 0: it was the first */
    const char *planner;
    const char *first_name; /* of the endpoints that changed, or NULL */
    struct hf_history_cause causes[HF_HISTORY_CAUSES_MAX];
    uint32_t cause_count;
    uint32_t changed; /* endpoints with another answer, or that left */
    uint32_t marked;  /* endpoints with the same answer: marks, members that are not picked */
    bool snapshot, has_more_causes;
};

/* One change of one endpoint. */
struct hf_history_change {
    uint64_t gen, changed_ms;
    enum hf_cause cause;
    const char *backend;
    struct hf_records records;
    bool is_removed; /* it left the plan */
};

struct hf_history {
    const char *name; /* of the endpoint, or NULL: plans are told */
    uint32_t max;
    bool is_complete; /* no older plan is kept */
    struct hf_history_plan *plans;
    struct hf_history_change *changes; /* up to max + 1: the last is only to compare with */
    uint32_t plan_count, change_count;
    /* private from here */
    uint32_t room;
    uint64_t below;
    const uint8_t *owner;
    struct hf_arena arena;
};

/* owner NULL: plans; below: only those of a lower generation, 0: all. look is not changed, but for
 * its store. */
int hf_history_load(const struct hf_look *look, const uint8_t *owner, uint64_t below, uint32_t max,
                    struct hf_history *ret_history);
void hf_history_release(struct hf_history *history);

/*
 * Calls each for every address of before or after, in order: sign '+' only in after, '-' only in
 * before, ' ' in both. size is 4 or 16.
 */
typedef void hf_history_each(void *context, char sign, const uint8_t *bytes, size_t size);
void hf_history_compare(const struct hf_records *before, const struct hf_records *after,
                        hf_history_each *each, void *context);

/* history_show.c: for people. */
void hf_history_show(const struct hf_look *look, const struct hf_term *out,
                     const struct hf_history *history);

/* history_json.c: its members into an object; those of one plan. */
void hf_history_put_json(const struct hf_history *history, struct hf_json *json);
void hf_history_put_plan(const struct hf_history_plan *plan, struct hf_json *json);

/* For a hf_history_each that writes the addresses of one sign as JSON. */
struct hf_history_signs {
    struct hf_json *json;
    char sign;
};

#endif
