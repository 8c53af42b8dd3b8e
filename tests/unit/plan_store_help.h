/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of plans in a store share. */
#ifndef HF_TESTS_PLAN_STORE_HELP_H
#define HF_TESTS_PLAN_STORE_HELP_H

#include "plan_sample.h"
#include "store_help.h"

#include "io/plan_store.h"

/* Rows that were set and not published yet. */
struct edits {
    uint32_t rows[256];
    uint32_t count;
};

static inline void edits_add(struct edits *edits, uint32_t row)
{
    for (uint32_t i = 0; i < edits->count; i++) {
        if (edits->rows[i] == row) {
            return;
        }
    }
    assert_true(edits->count < 256);
    edits->rows[edits->count++] = row;
}

/* Publishes the next generation. */
static inline int publish(struct hf_store *store, struct hf_plan *plan, struct edits *edits)
{
    struct hf_plan_head head = {.gen = plan->head.gen + 1, .created_ms = 1700000000000};
    (void)snprintf(head.planner, sizeof(head.planner), "planner-1");
    int error = hf_plan_publish(store, plan, &head, edits->rows, edits->count);
    edits->count = 0;
    return error;
}

/* Sets one endpoint at the next generation and publishes it. */
static inline int publish_one(struct hf_store *store, struct hf_plan *plan, uint32_t endpoint,
                              uint32_t first, uint32_t count)
{
    struct edits edits = {0};
    edits_add(&edits, sample_set(plan, endpoint, plan->head.gen + 1, first, count));
    return publish(store, plan, &edits);
}

/* A plan of count endpoints as generation 1. */
static inline void publish_first(struct hf_store *store, struct hf_plan *plan, uint32_t count)
{
    struct edits edits = {0};
    for (uint32_t i = 0; i < count; i++) {
        (void)sample_set(plan, i, 1, i, 2);
    }
    assert_int_equal(publish(store, plan, &edits), HF_OK);
    assert_true(plan->head.snapshot);
}

static inline uint64_t load(struct hf_store *store, struct hf_plan *plan)
{
    uint64_t gen = UINT64_MAX;
    int error = hf_plan_load(store, plan, NULL, &gen);
    assert_string_equal(hf_store_why(store), "");
    assert_int_equal(error, HF_OK);
    assert_int_equal(gen, plan->head.gen);
    assert_false(plan->edited);
    return gen;
}

/* What a reader that starts anew gets is the image. */
static inline void expect_stored(struct hf_store *store, const struct hf_plan *plan)
{
    struct hf_plan fresh;
    hf_plan_init(&fresh);
    assert_int_equal(load(store, &fresh), plan->head.gen);
    assert_memory_equal(&fresh.name, &plan->name, sizeof(fresh.name));
    sample_plans_equal(plan, &fresh);
    hf_plan_release(&fresh);
}

/* Loading fails with error and these words, and the image stays as it is. */
static inline void expect_refused(struct hf_store *store, struct hf_plan *plan, int error,
                                  const struct place *place, const char *words)
{
    struct hf_plan_head head = plan->head;
    uint32_t rows = plan->entry_count;
    uint32_t in_plan = sample_in_plan(plan);
    uint64_t gen = 77;
    assert_int_equal(hf_plan_load(store, plan, NULL, &gen), error);
    expect_words(hf_store_why(store), place, words);
    assert_int_equal(gen, 77);
    assert_int_equal(plan->head.gen, head.gen);
    assert_int_equal(plan->entry_count, rows);
    assert_int_equal(sample_in_plan(plan), in_plan);
}

#endif
