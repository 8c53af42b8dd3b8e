/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weaving changes what a search costs, and nothing else: on worlds small enough for both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "lab/explore.h"
#include "lab/weave.h"
#include "lab/world.h"

enum { STATES_MAX = 1 << 20, RING = 1 << 28, STEPS_MAX = 64 };

struct search {
    struct hf_model base, woven;
    struct hf_explore explore;
    struct hf_weave weave;
    void *memory, *room;
    size_t size, room_size;
};

static void *map(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static void begin(struct search *all, const struct hf_world_options *options, bool is_woven,
                  uint32_t heal_each)
{
    struct hf_explore_options bounds = {
        .states_max = STATES_MAX, .ring_size = RING, .heal_each = heal_each};
    const struct hf_model *model = &all->base;
    memset(all, 0, sizeof *all);
    hf_world_model(&all->base, options);
    if (is_woven) {
        all->room_size = hf_weave_layout(&all->base);
        all->room = map(all->room_size);
        hf_weave_init(&all->weave, &all->base, all->room, &all->woven);
        model = &all->woven;
    }
    all->size = hf_explore_layout(model, &bounds);
    all->memory = map(all->size);
    hf_explore_init(&all->explore, model, &bounds, all->memory);
    while (hf_explore_run(&all->explore, 1000) == HF_EXPLORE_GOING) {
    }
}

static void end(struct search *all)
{
    (void)munmap(all->memory, all->size);
    if (all->room != NULL) {
        (void)munmap(all->room, all->room_size);
    }
}

#define SMALL .enactors = 2, .planners = 1, .endpoints = 1, .members = 2, .batch = 2, .window = 1

/* One of each kind of fault that the woven search must not lose. */
static const struct hf_world_options worlds[] = {
    {SMALL, .generations = 2},
    {SMALL, .generations = 1, .cold = 1},
    {SMALL, .generations = 1, .crashes = 1, .lost_replies = 1},
    {SMALL, .generations = 1, .warm_crashes = 1, .timeouts = 1, .pauses = 1},
    {SMALL, .generations = 1, .retires = 1, .cleans = 1},
    {SMALL, .generations = 1, .late_replies = 1, .audits = 1, .edits = 1},
    {SMALL, .generations = 1, .duplicates = 1, .untrue = 1, .torn = 1},
    {SMALL, .generations = 1, .guard_edits = 1},
    {SMALL, .generations = 1, .freezes = 1},
    {SMALL, .generations = 1, .drains = 1},
    {SMALL, .generations = 2, .restores = 1},
    {SMALL, .generations = 1, .strangers = 1, .crashes = 1},
    {SMALL, .generations = 2, .restarts = 1, .stale = 1},
    {SMALL, .generations = 1, .lost_stores = 1},
    {SMALL, .generations = 1, .corruptions = 1, .cleans = 1, .objects = 1},
    {.enactors = 1,
     .planners = 2,
     .endpoints = 1,
     .members = 2,
     .batch = 2,
     .window = 1,
     .generations = 1,
     .planner_ends = 1},
    {.enactors = 2,
     .planners = 1,
     .endpoints = 2,
     .members = 3,
     .batch = 1,
     .window = 2,
     .generations = 2},
    {.enactors = 3,
     .planners = 1,
     .endpoints = 1,
     .members = 2,
     .batch = 1,
     .window = 1,
     .generations = 2},
};

static void test_same_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
        struct search plain, woven;
        begin(&plain, &worlds[i], false, 50);
        begin(&woven, &worlds[i], true, 50);
        if (plain.explore.end != HF_EXPLORE_COMPLETE || woven.explore.end != HF_EXPLORE_COMPLETE ||
            plain.explore.states != woven.explore.states ||
            plain.explore.depth != woven.explore.depth) {
            fail_msg("world %zu: %u states in %u steps (%s); woven: %u in %u (%s)", i,
                     plain.explore.states, plain.explore.depth, plain.explore.why,
                     woven.explore.states, woven.explore.depth, woven.explore.why);
        }
        end(&plain);
        end(&woven);
    }
}

/* What a woven search finds can be followed step by step in the world itself. */
static void test_unravelled(void **state)
{
    (void)state;
    static const struct hf_world_options options[] = {
        {SMALL, .generations = 2, .canary = HF_WORLD_NO_GUARD, .freezes = 1},
        {SMALL, .generations = 2, .canary = HF_WORLD_NO_FENCE},
        {SMALL, .generations = 1, .canary = HF_WORLD_NO_RECORDS, .cold = 1, .edits = 1},
        {.enactors = 1,
         .planners = 2,
         .endpoints = 1,
         .members = 2,
         .batch = 1,
         .window = 1,
         .generations = 2,
         .canary = HF_WORLD_NO_CAS},
    };
    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
        struct search all;
        struct hf_schedule steps[STEPS_MAX];
        uint32_t count = 0;
        begin(&all, &options[k], true, 0);
        assert_int_equal(all.explore.end, HF_EXPLORE_BROKEN);
        assert_int_equal(hf_explore_path(&all.explore, steps, STEPS_MAX, &count), HF_OK);
        assert_int_equal(hf_weave_unravel(&all.weave, &all.woven, steps, count), HF_OK);
        void *world = calloc(1, all.base.state_size);
        assert_non_null(world);
        all.base.init(&all.base, world, 0);
        for (uint32_t i = 0; i < count; i++) {
            struct hf_choice choice = {0};
            hf_choice_begin_with(&choice, &steps[i]);
            assert_int_equal(all.base.step(&all.base, world, &choice),
                             i + 1 < count ? HF_STEP_TAKEN : HF_STEP_BROKEN);
        }
        assert_string_equal(all.base.why(&all.base, world), all.explore.why);
        free(world);
        end(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_states),
        cmocka_unit_test(test_unravelled),
    };
    return cmocka_run_group_tests_name("lab weave", tests, NULL, NULL);
}
