/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs from seeds, and how one that fails is made short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "lab/run.h"
#include "lab/shrink.h"
#include "lab_toy.h"

enum { STEPS_MAX = 400 };

struct world {
    struct hf_model model;
    struct hf_run run;
    uint64_t memory[64];
    struct hf_schedule steps[STEPS_MAX];
    struct hf_trace trace;
};

static void begin(struct world *world, const struct walk_options *options)
{
    walk_model(&world->model, options);
    assert_true(hf_run_layout(&world->model) <= sizeof world->memory);
    hf_run_init(&world->run, &world->model, world->memory);
}

/* A whole run, with its steps kept. */
static enum hf_run_end run_seed(struct world *world, uint64_t seed, uint32_t steps)
{
    struct hf_run *run = &world->run;
    world->trace = (struct hf_trace){.seed = seed, .steps = world->steps};
    hf_run_begin(run, seed, true);
    while (run->end == HF_RUN_GOING && run->steps < steps) {
        uint32_t before = run->steps;
        (void)hf_run_draw(run);
        if (run->steps > before) {
            hf_choice_keep(&run->choice, &world->steps[world->trace.step_count++]);
        }
    }
    world->trace.heals = !hf_run_failed((enum hf_run_end)run->end);
    if (world->trace.heals) {
        (void)hf_run_heal(run);
    }
    hf_trace_expect_end(&world->trace, (enum hf_run_end)run->end, run->why);
    return (enum hf_run_end)run->end;
}

static void test_a_seed_is_a_history(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.broken_at = 0};
    begin(&world, &options);
    uint64_t hashes[20];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        assert_int_equal(run_seed(&world, seed, 100), HF_RUN_HEALED);
        assert_int_equal(world.run.steps, 100);
        hashes[seed - 1] = world.run.hash;
        for (uint64_t other = 1; other < seed; other++) {
            assert_true(hashes[other - 1] != world.run.hash);
        }
    }
    world.model.is_always_enabled = true; /* as it is: the history is the same */
    for (uint64_t seed = 1; seed <= 20; seed++) {
        (void)run_seed(&world, seed, 100);
        assert_true(world.run.hash == hashes[seed - 1]);
    }
}

/* The steps that were kept lead through the same states as those that were drawn. */
static void test_given_steps_are_the_same_history(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.broken_at = 0};
    begin(&world, &options);
    (void)run_seed(&world, 7, 200);
    uint64_t place[8] = {0};
    memcpy(place, world.run.state, world.model.state_size);
    hf_run_begin(&world.run, 7, true);
    for (uint32_t i = 0; i < world.trace.step_count; i++) {
        assert_true(hf_run_take(&world.run, &world.steps[i]));
    }
    assert_int_equal(hf_run_heal(&world.run), HF_RUN_HEALED);
    assert_memory_equal(place, world.run.state, world.model.state_size);
}

static void shrink(struct world *world)
{
    struct hf_shrink all;
    void *memory = malloc(hf_shrink_layout(&world->model, world->trace.step_count));
    assert_non_null(memory);
    hf_shrink_init(&all, &world->model, &world->trace, memory);
    while (hf_shrink_try(&all)) {
        assert_in_range(all.tried, 1, 1000 * 1000);
    }
    hf_shrink_result(&all, &world->trace);
    free(memory);
}

/* Every step is a step up, of the least choices. */
static void assert_straight_up(const struct world *world, uint32_t steps)
{
    assert_int_equal(world->trace.step_count, steps);
    for (uint32_t i = 0; i < steps; i++) {
        assert_int_equal(world->trace.steps[i].count, 0);
    }
}

static void test_a_broken_run_becomes_the_shortest(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.broken_at = 5};
    begin(&world, &options);
    assert_int_equal(run_seed(&world, 3, STEPS_MAX), HF_RUN_BROKEN);
    assert_true(world.trace.step_count > 5);
    shrink(&world);
    assert_straight_up(&world, 5);
}

/* The last noise must be odd, and there is none at the start: one more step is needed. */
static void test_the_reason_stays_the_same(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.broken_at = 5};
    begin(&world, &options);
    uint64_t seed = 14;
    do {
        assert_int_equal(run_seed(&world, seed += 14, STEPS_MAX), HF_RUN_BROKEN);
    } while (hf_run_word(world.run.why) != strlen("odd"));
    shrink(&world);
    assert_int_equal(world.trace.step_count, 6);
    assert_string_equal(world.trace.word, "odd");
}

/* Leaving steps out does not change what happens in the healing. */
static void test_healing_is_apart_from_steps(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.broken_at = 0};
    uint64_t drawn[2];
    begin(&world, &options);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(run_seed(&world, 9, 10 + i), HF_RUN_HEALED);
        drawn[i] = ((const struct walk *)(const void *)world.run.state)->time_ms;
    }
    assert_int_equal(drawn[0], drawn[1]);
}

static void test_a_restless_run_becomes_the_shortest(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.restless_from = 4};
    begin(&world, &options);
    assert_int_equal(run_seed(&world, 1, 300), HF_RUN_RESTLESS);
    shrink(&world);
    assert_straight_up(&world, 4);
}

static void test_a_wedge_becomes_the_shortest(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.stuck_at = 3};
    begin(&world, &options);
    assert_int_equal(run_seed(&world, 5, STEPS_MAX), HF_RUN_WEDGE);
    assert_string_equal(world.run.why, "nothing can happen");
    shrink(&world);
    assert_straight_up(&world, 3);
}

static void test_wedge_is_looked_for_without_a_step(void **state)
{
    (void)state;
    static struct world world;
    const struct walk_options options = {.stuck_at = 2};
    begin(&world, &options);
    const struct hf_schedule up = {.count = 0};
    hf_run_begin(&world.run, 1, false);
    assert_true(hf_run_take(&world.run, &up));
    assert_false(hf_run_is_wedged(&world.run));
    assert_int_equal(world.run.steps, 1);
    assert_true(hf_run_take(&world.run, &up));
    assert_true(hf_run_is_wedged(&world.run));
}

/* Steps that are drawn in vain end in a look at all of them. */
static void test_rare_steps_are_found(void **state)
{
    (void)state;
    static struct world world;
    const struct tree_options options = {.limit = 2};
    tree_model(&world.model, &options);
    hf_run_init(&world.run, &world.model, world.memory);
    hf_run_begin(&world.run, 1, false);
    assert_int_equal(hf_run_draw(&world.run), HF_RUN_STILL);
    assert_int_equal(world.run.steps, 0);
    assert_int_equal(hf_run_heal(&world.run), HF_RUN_HEALED);
}

static void test_the_word_of_a_reason(void **state)
{
    (void)state;
    assert_int_equal(hf_run_word("I2: backwards"), 2);
    assert_int_equal(hf_run_word("I2 backwards"), 2);
    assert_int_equal(hf_run_word(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seed_is_a_history),
        cmocka_unit_test(test_given_steps_are_the_same_history),
        cmocka_unit_test(test_a_broken_run_becomes_the_shortest),
        cmocka_unit_test(test_the_reason_stays_the_same),
        cmocka_unit_test(test_healing_is_apart_from_steps),
        cmocka_unit_test(test_a_restless_run_becomes_the_shortest),
        cmocka_unit_test(test_a_wedge_becomes_the_shortest),
        cmocka_unit_test(test_wedge_is_looked_for_without_a_step),
        cmocka_unit_test(test_rare_steps_are_found),
        cmocka_unit_test(test_the_word_of_a_reason),
    };
    return cmocka_run_group_tests_name("lab run", tests, NULL, NULL);
}
