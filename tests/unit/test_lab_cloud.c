/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cloud's protocol: the explorer finds the outage of October 2025 in it, and the wedge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

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
    struct hf_choice steps[STEPS_MAX];
    search->steps = hf_explore_path(&search->explore, steps, STEPS_MAX);
    search->model.init(&search->model, &search->end, 0);
    for (uint32_t i = 0; i < search->steps; i++) {
        struct hf_cloud before = search->end;
        hf_choice_begin(&steps[i], steps[i].given_count);
        assert_int_equal(search->model.step(&search->model, &search->end, &steps[i]),
                         i + 1 < search->steps ? HF_STEP_TAKEN : HF_STEP_BROKEN);
        search->model.tell(&search->model, &before, &steps[i], &search->end, &search->lines);
        hf_buf_put_text(&search->lines, "\n");
    }
}

static enum hf_explore_end run(struct search *search, const struct hf_cloud_options *options)
{
    struct hf_explore_options bounds = {.states_max = 5000000, .ring_size = 80000000};
    hf_cloud_model(&search->model, options);
    void *memory = malloc(hf_explore_layout(&search->model, &bounds));
    assert_non_null(memory);
    hf_buf_init(&search->lines, 20000);
    hf_explore_init(&search->explore, &search->model, &bounds, memory);
    while (hf_explore_run(&search->explore, 10000) == HF_EXPLORE_GOING) {
    }
    replay(search);
    free(memory);
    return (enum hf_explore_end)search->explore.end;
}

static void test_dev2(void **state)
{
    (void)state;
        struct search s, w;
        struct hf_cloud_options o = {.enactors = 3, .endpoints = 2, .plans = 5, .age = 2};
        run(&s, &o);
        print_message("%s\n", hf_buf_text(&s.lines));
        o.start = &s.end; o.goal = 1;
        run(&w, &o);
        print_message("%u %s\n", w.explore.states, hf_buf_text(&w.lines));
}
static void test_dev(void **state)
{
    (void)state;
    for (uint32_t en = 2; en <= 3; en++)
    for (uint32_t ep = 1; ep <= 2; ep++)
    for (uint32_t goal = 0; goal < 3; goal++) {
        struct search s;
        struct hf_cloud_options o = {.enactors = en, .endpoints = ep, .plans = 5, .age = 2, .goal = goal, .fence = goal == 2};
        enum hf_explore_end e = run(&s, &o);
        print_message("== %u enactors %u endpoints goal %u: end %u states %u depth %u steps %u %s\n%s", en, ep, goal, e, s.explore.states, s.explore.depth, s.steps, s.explore.why, hf_buf_text(&s.lines));
        hf_buf_release(&s.lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dev2),
    };
    return cmocka_run_group_tests_name("lab cloud", tests, NULL, NULL);
}
