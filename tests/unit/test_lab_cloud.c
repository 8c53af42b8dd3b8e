/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cloud's protocol: the explorer finds the outage of October 2025 in it, and the wedge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "lab/cloud.h"
#include "lab/explore.h"

enum { STEPS_MAX = 64 };

struct search {
    struct hf_model model;
    struct hf_explore explore;
    struct hf_cloud end;
    struct hf_buf lines;
    uint32_t steps;
};

static void replay(struct search *search)
{
    struct hf_schedule steps[STEPS_MAX];
    struct hf_choice choice = {0};
    assert_int_equal(hf_explore_path(&search->explore, steps, STEPS_MAX, &search->steps), HF_OK);
    search->model.init(&search->model, &search->end, 0);
    for (uint32_t i = 0; i < search->steps; i++) {
        struct hf_cloud before = search->end;
        hf_choice_begin_with(&choice, &steps[i]);
        assert_int_equal(search->model.step(&search->model, &search->end, &choice),
                         i + 1 < search->steps ? HF_STEP_TAKEN : HF_STEP_BROKEN);
        search->model.tell(&search->model, &before, &choice, &search->end, &search->lines);
        hf_buf_put_text(&search->lines, "\n");
    }
}

static enum hf_explore_end run_model(struct search *search)
{
    struct hf_explore_options bounds = {.states_max = 1000000, .ring_size = 8000000};
    void *memory = malloc(hf_explore_layout(&search->model, &bounds));
    assert_non_null(memory);
    hf_buf_init(&search->lines, 20000);
    hf_explore_init(&search->explore, &search->model, &bounds, memory);
    while (hf_explore_run(&search->explore, 10000) == HF_EXPLORE_GOING) {
    }
    if (search->explore.end == HF_EXPLORE_BROKEN) {
        replay(search);
    }
    free(memory);
    return (enum hf_explore_end)search->explore.end;
}

static enum hf_explore_end run(struct search *search, const struct hf_cloud_options *options)
{
    memset(search, 0, sizeof *search);
    hf_cloud_model(&search->model, options);
    return run_model(search);
}

static const struct hf_cloud_options usual = {.enactors = 3, .endpoints = 2, .plans = 5, .age = 2};

static void test_outage(void **state)
{
    (void)state;
    static const char *const outage =
        "planner publishes plan 2\n"
        "enactor 1 takes plan 2\n"
        "enactor 1 checks: plan 2 is newer than applied plan 1\n"
        "planner publishes plan 3\n"
        "planner publishes plan 4\n"
        "enactor 2 takes plan 4\n"
        "enactor 2 checks: plan 4 is newer than applied plan 1\n"
        "enactor 2 wins the lock and points api to plan 4\n"
        "enactor 1 with plan 2 loses the lock and backs off\n"
        "enactor 1 wins the lock and points api to plan 2, older than plan 4 that it replaces\n"
        "enactor 2 with plan 4 loses the lock and backs off\n"
        "enactor 2 wins the lock and points db to plan 4\n"
        "clean-up of enactor 2 deletes plan 1\n"
        "clean-up of enactor 2 deletes plan 2: api answers nothing\n";
    struct search outages;
    assert_int_equal(run(&outages, &usual), HF_EXPLORE_BROKEN);
    assert_string_equal(hf_buf_text(&outages.lines), outage);
    assert_int_equal(outages.steps, 14);
    assert_string_equal(outages.explore.why,
                        "empty: api answers nothing, its alias points to a plan that was deleted");
    hf_buf_release(&outages.lines);
}

static uint32_t count_text(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void test_wedge(void **state)
{
    (void)state;
    struct search wedges;
    struct hf_cloud_options options = usual;
    options.goal = HF_CLOUD_GOAL_WEDGE;
    assert_int_equal(run(&wedges, &options), HF_EXPLORE_BROKEN);
    assert_int_equal(wedges.steps, 24);
    assert_string_equal(wedges.explore.why,
                        "wedge: no enactor can install anything any more, whatever is planned");
    const char *lines = hf_buf_text(&wedges.lines);
    assert_int_equal(count_text(lines, "the rollback record needs plan 2, which is gone"), 3);
    hf_buf_release(&wedges.lines);
}

/* Where an outage was, it goes on until nobody can do anything. */
static void test_wedge_after_outage(void **state)
{
    (void)state;
    struct search outages, wedges;
    assert_int_equal(run(&outages, &usual), HF_EXPLORE_BROKEN);
    struct hf_cloud_from from = {.options = usual, .start = outages.end};
    from.options.goal = HF_CLOUD_GOAL_WEDGE;
    memset(&wedges, 0, sizeof wedges);
    hf_cloud_model_from(&wedges.model, &from);
    assert_int_equal(run_model(&wedges), HF_EXPLORE_BROKEN);
    assert_in_range(wedges.steps, 1, 24);
    /* Nothing that anybody does changes what is answered. */
    struct hf_cloud_options any = usual;
    struct hf_cloud_event event;
    any.plans = HF_CLOUD_PLANS_MAX;
    for (uint32_t i = 0; i < 1000; i++) {
        (void)hf_cloud_move(&any, &wedges.end, i % (1 + any.enactors), &event);
        assert_int_equal(hf_cloud_answer(&wedges.end, 0), 0);
        assert_int_not_equal(event.what, HF_CLOUD_INSTALLED);
    }
    hf_buf_release(&outages.lines);
    hf_buf_release(&wedges.lines);
}

/* All have failed, but one still has the very plan in hand whose tree is gone: it can mend it. */
static void test_no_wedge_yet(void **state)
{
    (void)state;
    struct hf_model model;
    struct hf_cloud cloud;
    struct hf_choice planner = {.given = {2}, .given_count = 1};
    struct hf_cloud_from from = {
        .options = {.enactors = 2, .endpoints = 1, .plans = 9, .age = 2, .goal = 1},
        .start = {
            .published = 5,
            .alias = {2},
            .trees = {1U << 5},
            .enactors = {{.at = HF_CLOUD_WALKING, .plan = 2, .failed = true}, {.failed = true}}}};
    hf_cloud_model_from(&model, &from);
    model.init(&model, &cloud, 0);
    assert_int_equal(model.step(&model, &cloud, &planner), HF_STEP_TAKEN);
    from.start.enactors[0].plan = 4;
    model.init(&model, &cloud, 0);
    hf_choice_begin(&planner, 1);
    assert_int_equal(model.step(&model, &cloud, &planner), HF_STEP_BROKEN);
}

/* What would have helped, and what would not. */
static void test_what_helps(void **state)
{
    (void)state;
    struct search all;
    struct hf_cloud_options fenced = usual, old = usual;
    fenced.fence = 1;
    assert_int_equal(run(&all, &fenced), HF_EXPLORE_COMPLETE);
    hf_buf_release(&all.lines);
    fenced.goal = HF_CLOUD_GOAL_WEDGE;
    assert_int_equal(run(&all, &fenced), HF_EXPLORE_COMPLETE);
    hf_buf_release(&all.lines);
    old.age = 3; /* older plans are kept; then it takes one plan more */
    assert_int_equal(run(&all, &old), HF_EXPLORE_BROKEN);
    assert_int_equal(all.steps, 15);
    hf_buf_release(&all.lines);
    old.age = usual.plans; /* nothing is ever deleted */
    assert_int_equal(run(&all, &old), HF_EXPLORE_COMPLETE);
    hf_buf_release(&all.lines);
}

static void test_whole_space(void **state)
{
    (void)state;
    struct search all;
    struct hf_cloud_options options = usual;
    options.goal = HF_CLOUD_GOAL_NONE;
    assert_int_equal(run(&all, &options), HF_EXPLORE_COMPLETE);
    assert_int_equal(all.explore.states, 423571);
    hf_buf_release(&all.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_wedge),
        cmocka_unit_test(test_wedge_after_outage),
        cmocka_unit_test(test_no_wedge_yet),
        cmocka_unit_test(test_what_helps),
        cmocka_unit_test(test_whole_space),
    };
    return cmocka_run_group_tests_name("lab cloud", tests, NULL, NULL);
}
