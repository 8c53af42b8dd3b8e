/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simulations: the same seed is the same history, and what happens when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "holdfast/lab_jobs.h"
#include "holdfast/tool.h"
#include "lab_toy.h"

/* What a model must not have: a memory of its own. */
struct faulty {
    struct walk_options options;
    uint32_t steps;
};

static enum hf_step forgetful_step(const struct hf_model *model, void *state,
                                   struct hf_choice *choice)
{
    struct faulty *faulty = (struct faulty *)(uintptr_t)model->options;
    struct walk *now = state;
    now->noise += ++faulty->steps == 150;
    return walk_step(model, state, choice);
}

static enum hf_step crashing_step(const struct hf_model *model, void *state,
                                  struct hf_choice *choice)
{
    const struct walk *now = state;
    if (now->place == 12) {
        abort();
    }
    return walk_step(model, state, choice);
}

static void test_a_history_is_compared(void **state)
{
    (void)state;
    struct faulty faulty = {.steps = 1000};
    struct hf_model model;
    struct hf_run run;
    uint64_t memory[64], simulated_ms = 0;
    const struct hf_lab_plan plan = {.first = 1, .seeds = 1, .steps = 100, .twice_each = 1};
    walk_model(&model, &faulty.options);
    model.step = forgetful_step;
    assert_true(hf_run_layout(&model) <= sizeof memory);
    hf_run_init(&run, &model, memory);
    assert_true(hf_lab_run_seed(&run, &plan, 1, NULL, &simulated_ms));
    assert_true(simulated_ms >= 100);
    faulty.steps = 0; /* its 150th step is in the second run */
    assert_false(hf_lab_run_seed(&run, &plan, 1, NULL, &simulated_ms));
}

/* All seeds on two jobs. */
static struct hf_lab_board *simulate(const struct hf_model *model, uint64_t seeds, uint32_t steps)
{
    const struct hf_lab_plan plan = {.first = 1, .seeds = seeds, .steps = steps};
    struct hf_lab_board *board = hf_lab_board_new(&plan);
    struct hf_lab_jobs jobs;
    assert_non_null(board);
    hf_tool_block_signals();
    assert_true(hf_lab_jobs_start(&jobs, board, model, 2));
    while (jobs.running > 0) {
        assert_false(hf_tool_interrupted(20));
        hf_lab_jobs_reap(&jobs, model);
    }
    return board;
}

static void test_each_seed_is_run_once(void **state)
{
    (void)state;
    const struct walk_options options = {.broken_at = 0};
    struct hf_model model;
    walk_model(&model, &options);
    struct hf_lab_board *board = simulate(&model, 300, 20);
    assert_int_equal(board->runs, 300);
    assert_int_equal(board->steps, 6000);
    assert_int_equal(board->failure_count, 0);
    hf_lab_board_free(board);
}

static void test_a_crash_is_a_failure_of_its_seed(void **state)
{
    (void)state;
    const struct walk_options options = {.broken_at = 0};
    struct hf_model model;
    walk_model(&model, &options);
    model.step = crashing_step;
    struct hf_lab_board *board = simulate(&model, 40, 60);
    uint32_t count = board->failure_count;
    assert_in_range(count, 1, HF_LAB_FAILURES_MAX - 1);
    assert_int_equal(board->runs, 40);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(board->failures[i].kind, HF_LAB_RUN_CRASHED);
        assert_string_equal(board->failures[i].why, "crashed: Aborted");
    }
    hf_lab_board_free(board);
}

static enum hf_step endless_step(const struct hf_model *model, void *state,
                                 struct hf_choice *choice)
{
    (void)model;
    (void)state;
    while (choice != NULL) {
        (void)pause();
    }
    return HF_STEP_DISABLED;
}

static void test_what_does_not_end_is_a_failure(void **state)
{
    (void)state;
    const struct hf_lab_plan plan = {.first = 7, .seeds = 1, .steps = 1};
    const struct walk_options options = {.broken_at = 0};
    struct hf_lab_board *board = hf_lab_board_new(&plan);
    struct hf_lab_jobs jobs;
    struct hf_model model;
    assert_non_null(board);
    walk_model(&model, &options);
    model.step = endless_step;
    assert_true(hf_lab_jobs_start(&jobs, board, &model, 1));
    while (atomic_load(&board->seeds[0]) == 0) {
        hf_lab_jobs_reap(&jobs, &model);
    }
    hf_lab_jobs_kill(&jobs);
    assert_int_equal(jobs.running, 0);
    assert_int_equal(board->failure_count, 1);
    assert_int_equal(board->failures[0].seed, 7);
    hf_lab_board_free(board);
}

static void test_many_failures_end_it(void **state)
{
    (void)state;
    const struct walk_options options = {.broken_at = 1};
    struct hf_model model;
    walk_model(&model, &options);
    struct hf_lab_board *board = simulate(&model, 100000, 1000);
    assert_true(board->failure_count >= HF_LAB_FAILURES_MAX);
    assert_true(board->runs < 1000);
    hf_lab_board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_history_is_compared),
        cmocka_unit_test(test_each_seed_is_run_once),
        cmocka_unit_test(test_a_crash_is_a_failure_of_its_seed),
        cmocka_unit_test(test_what_does_not_end_is_a_failure),
        cmocka_unit_test(test_many_failures_end_it),
    };
    return cmocka_run_group_tests_name("lab jobs", tests, NULL, NULL);
}
