/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The explorer on a protocol whose states Spin has counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "lab/explore.h"
#include "lab/race.h"

enum { STEPS_MAX = 100 };

static enum hf_explore_end search(struct hf_explore *explore, struct hf_model *model,
                                  const struct hf_race_options *options, void **ret_memory)
{
    struct hf_explore_options bounds = {.states_max = 1000000, .ring_size = 10000000};
    hf_race_model(model, options);
    *ret_memory = malloc(hf_explore_layout(model, &bounds));
    assert_non_null(*ret_memory);
    hf_explore_init(explore, model, &bounds, *ret_memory);
    while (hf_explore_run(explore, 10000) == HF_EXPLORE_GOING) {
    }
    return (enum hf_explore_end)explore->end;
}

/* spin -o2 -a bench/promela/race.pml; pan with -DSAFETY -DNOREDUCE -DNOCLAIM, run with -E -c0. */
static void test_as_many_states_as_spin(void **state)
{
    (void)state;
    struct hf_explore explore;
    struct hf_model model;
    struct hf_race_options options = {.go_on = 1};
    void *memory;
    assert_int_equal(search(&explore, &model, &options, &memory), HF_EXPLORE_COMPLETE);
    assert_int_equal(explore.states, 999255);
    assert_int_equal(explore.transitions + 1, 999255 + 1691760); /* stored and matched */
    free(memory);
}

static void test_shortest_violation(void **state)
{
    (void)state;
    struct hf_explore explore;
    struct hf_model model;
    struct hf_race_options options = {0};
    struct hf_schedule steps[STEPS_MAX];
    struct hf_choice choice = {0};
    void *memory;
    uint64_t world[8] = {0}, before[8] = {0};
    struct hf_buf line;
    hf_buf_init(&line, 4000);
    assert_int_equal(search(&explore, &model, &options, &memory), HF_EXPLORE_BROKEN);
    uint32_t count;
    assert_int_equal(hf_explore_path(&explore, steps, STEPS_MAX, &count), HF_OK);
    assert_int_equal(count, 54); /* Spin without reduction: depth 53; published: 55 */
    assert_true(model.state_size <= sizeof world);
    model.init(&model, world, 0);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(before, world, sizeof before);
        hf_choice_begin_with(&choice, &steps[i]);
        assert_int_equal(model.step(&model, world, &choice),
                         i + 1 < count ? HF_STEP_TAKEN : HF_STEP_BROKEN);
        size_t size = line.size;
        model.tell(&model, before, &choice, world, &line);
        hf_buf_put_text(&line, line.size > size ? "\n" : "");
    }
    assert_non_null(strstr(hf_buf_text(&line), "clean-up of enactor"));
    assert_string_equal(explore.why, "the plan that the endpoint answers with was deleted");
    hf_buf_release(&line);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_states_as_spin),
        cmocka_unit_test(test_shortest_violation),
    };
    return cmocka_run_group_tests_name("lab race", tests, NULL, NULL);
}
