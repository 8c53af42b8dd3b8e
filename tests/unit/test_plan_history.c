/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Old generations: reading one again, what history shows, and what the janitor must keep. */
#include "plan_store_help.h"

enum { GENERATIONS = 40, ENDPOINTS = 30 };

/* Publishes GENERATIONS generations and keeps a copy of the image after each. */
static void publish_many(struct hf_store *store, struct hf_plan *plan, struct hf_plan *copies)
{
    uint64_t seed = 1;
    publish_first(store, plan, ENDPOINTS);
    for (uint32_t i = 0; i < GENERATIONS; i++) {
        if (i > 0) {
            assert_int_equal(publish_one(store, plan, sample_random(&seed, ENDPOINTS),
                                         sample_random(&seed, 100), 1 + i % 5),
                             HF_OK);
        }
        hf_plan_init(&copies[i]);
        (void)load(store, &copies[i]);
        assert_int_equal(copies[i].head.gen, i + 1);
    }
}

static void release_all(struct hf_plan *copies)
{
    for (uint32_t i = 0; i < GENERATIONS; i++) {
        hf_plan_release(&copies[i]);
    }
}

static void every_generation_can_be_read_again(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan copies[GENERATIONS];
    hf_plan_init(&plan);
    publish_many(store, &plan, copies);
    for (uint64_t gen = 1; gen <= GENERATIONS + 1; gen++) {
        struct hf_plan old;
        uint64_t at = gen <= GENERATIONS ? gen : GENERATIONS;
        assert_int_equal(hf_plan_load_at(store, gen, &old), HF_OK);
        assert_int_equal(old.head.gen, at);
        sample_plans_equal(&old, &copies[at - 1]);
        hf_plan_release(&old);
    }
    struct hf_plan none;
    assert_int_equal(hf_plan_load_at(store, 0, &none), HF_ENOENT);
    expect_words(hf_store_why(store), *state, "no plan as old as 0");
    release_all(copies);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static void a_generation_between_two_is_the_one_before(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan old;
    struct hf_plan_head head = {.gen = 100};
    hf_plan_init(&plan);
    publish_first(store, &plan, 10);
    uint32_t row = sample_set(&plan, 1, 100, 9, 9);
    assert_int_equal(hf_plan_publish(store, &plan, &head, &row, 1), HF_OK);
    assert_int_equal(hf_plan_load_at(store, 99, &old), HF_OK);
    assert_int_equal(old.head.gen, 1);
    hf_plan_release(&old);
    assert_int_equal(hf_plan_load_at(store, 100, &old), HF_OK);
    assert_int_equal(old.head.gen, 100);
    hf_plan_release(&old);
    hf_plan_release(&plan);
    hf_store_close(store);
}

struct watcher {
    const struct hf_plan *copies;
    uint64_t next; /* generation that must come now */
    uint32_t calls;
    uint32_t stop_after;
};

static int watch(void *context, const struct hf_plan_head *head, const struct hf_digest *name,
                 const struct hf_plan *changes)
{
    struct watcher *watcher = context;
    const struct hf_plan *then = &watcher->copies[head->gen - 1];
    assert_int_equal(head->gen, watcher->next--);
    assert_memory_equal(name, &then->name, sizeof(*name));
    assert_int_equal(changes->entry_count, head->gen == 1 ? ENDPOINTS : 1);
    for (uint32_t i = 0; i < changes->entry_count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(changes, i, &entry);
        uint32_t row = hf_plan_find(then, entry.owner);
        assert_int_not_equal(row, UINT32_MAX);
        assert_int_equal(entry.gen, head->gen);
        struct hf_plan_entry planned = sample_entry(then, row);
        sample_entries_equal(then, &planned, changes, &entry);
        assert_non_null(changes->backends[entry.cause_backend].name);
    }
    return ++watcher->calls == watcher->stop_after ? 99 : HF_OK;
}

static void history_goes_back_from_the_head(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan copies[GENERATIONS];
    hf_plan_init(&plan);
    struct watcher none = {.copies = copies};
    assert_int_equal(hf_plan_history(store, 10, watch, &none), HF_OK);
    publish_many(store, &plan, copies);
    struct watcher all = {.copies = copies, .next = GENERATIONS};
    assert_int_equal(hf_plan_history(store, UINT32_MAX, watch, &all), HF_OK);
    assert_int_equal(all.calls, GENERATIONS);
    struct watcher some = {.copies = copies, .next = GENERATIONS};
    assert_int_equal(hf_plan_history(store, 7, watch, &some), HF_OK);
    assert_int_equal(some.calls, 7);
    struct watcher stopped = {.copies = copies, .next = GENERATIONS, .stop_after = 3};
    assert_int_equal(hf_plan_history(store, 7, watch, &stopped), 99);
    assert_int_equal(stopped.calls, 3);

    /* What the janitor deleted ends it; a head that is gone is an error. */
    assert_int_equal(hf_store_delete(store, &copies[20].name), HF_OK);
    struct watcher kept = {.copies = copies, .next = GENERATIONS};
    assert_int_equal(hf_plan_history(store, UINT32_MAX, watch, &kept), HF_OK);
    assert_int_equal(kept.calls, GENERATIONS - 21);
    assert_int_equal(hf_store_delete(store, &plan.name), HF_OK);
    struct watcher lost = {.copies = copies, .next = GENERATIONS};
    assert_int_equal(hf_plan_history(store, UINT32_MAX, watch, &lost), HF_ENOENT);
    assert_int_equal(lost.calls, 0);
    release_all(copies);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static int left_plan(void *context, const struct hf_plan_head *head, const struct hf_digest *name,
                     const struct hf_plan *changes)
{
    (void)head;
    (void)name;
    (void)context;
    assert_int_equal(changes->entry_count, 1);
    assert_int_equal(sample_entry(changes, 0).gen, 0);
    return HF_OK;
}

static void history_shows_what_left_the_plan(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct edits edits = {0};
    hf_plan_init(&plan);
    publish_first(store, &plan, 10);
    edits_add(&edits, sample_remove(&plan, 3));
    assert_int_equal(publish(store, &plan, &edits), HF_OK);
    assert_int_equal(hf_plan_history(store, 1, left_plan, NULL), HF_OK);
    hf_plan_release(&plan);
    hf_store_close(store);
}

enum { NEEDED_MAX = 256 };
struct needed {
    struct hf_digest names[NEEDED_MAX];
    uint32_t count;
};

static int note_needed(void *context, const struct hf_digest *name)
{
    struct needed *needed = context;
    assert_true(needed->count < NEEDED_MAX);
    needed->names[needed->count++] = *name;
    return HF_OK;
}

static bool is_needed(const struct needed *needed, const struct hf_digest *name)
{
    for (uint32_t i = 0; i < needed->count; i++) {
        if (memcmp(&needed->names[i], name, sizeof(*name)) == 0) {
            return true;
        }
    }
    return false;
}

/* Deletes all that is not needed; returns how many objects are left. */
static uint32_t clean(struct hf_store *store, const struct needed *needed)
{
    struct hf_store_object objects[NEEDED_MAX];
    size_t count = 0;
    uint32_t left = 0;
    assert_int_equal(hf_store_list(store, NULL, objects, NEEDED_MAX, &count), HF_OK);
    assert_true(count < NEEDED_MAX);
    for (size_t i = 0; i < count; i++) {
        if (is_needed(needed, &objects[i].name)) {
            left++;
        } else {
            assert_int_equal(hf_store_delete(store, &objects[i].name), HF_OK);
        }
    }
    return left;
}

static void what_loading_needs_is_enough(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan copies[GENERATIONS];
    struct needed needed = {0};
    hf_plan_init(&plan);
    publish_many(store, &plan, copies);
    assert_int_equal(hf_plan_needed(store, note_needed, &needed), HF_OK);
    assert_int_equal(needed.count, plan.head.chain_count + 1);
    assert_int_equal(clean(store, &needed), needed.count);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    release_all(copies);

    /* With parts. */
    hf_plan_init(&plan);
    (void)load(store, &plan);
    struct edits edits = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        (void)sample_set(&plan, i, GENERATIONS + 1, i, 2);
    }
    plan.head.chain_count = HF_PLAN_CHAIN_MAX; /* as a snapshot, without naming every row */
    assert_int_equal(publish(store, &plan, &edits), HF_OK);
    needed.count = 0;
    assert_int_equal(hf_plan_needed(store, note_needed, &needed), HF_OK);
    assert_true(needed.count > 2);
    assert_int_equal(clean(store, &needed), needed.count);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_generation_can_be_read_again, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_generation_between_two_is_the_one_before, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(history_goes_back_from_the_head, place_make, place_remove),
        cmocka_unit_test_setup_teardown(history_shows_what_left_the_plan, place_make, place_remove),
        cmocka_unit_test_setup_teardown(what_loading_needs_is_enough, place_make, place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
