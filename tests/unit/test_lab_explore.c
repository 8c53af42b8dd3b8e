/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The explorer on a protocol whose numbers of states are published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "lab/explore.h"
#include "lab/run.h"
#include "lab/two_phase.h"
#include "lab_toy.h"

struct search {
    struct hf_model model;
    struct hf_explore explore;
    void *memory;
};

static enum hf_explore_end search(struct search *search, const struct hf_two_phase_options *options,
                                  uint32_t states_max, size_t ring_size)
{
    struct hf_explore_options bounds = {.states_max = states_max, .ring_size = ring_size};
    hf_two_phase_model(&search->model, options);
    search->memory = malloc(hf_explore_layout(&search->model, &bounds));
    assert_non_null(search->memory);
    hf_explore_init(&search->explore, &search->model, &bounds, search->memory);
    while (hf_explore_run(&search->explore, 1000) == HF_EXPLORE_GOING) {
    }
    return (enum hf_explore_end)search->explore.end;
}

static uint32_t count_states(uint32_t managers, uint32_t symmetry)
{
    struct search all;
    struct hf_two_phase_options options = {.managers = managers, .symmetry = symmetry};
    assert_int_equal(search(&all, &options, 1000000, 10000000), HF_EXPLORE_COMPLETE);
    free(all.memory);
    return all.explore.states;
}

static void test_published_counts(void **state)
{
    (void)state;
    assert_int_equal(count_states(3, HF_TWO_PHASE_NO_SYMMETRY), 288);
    assert_int_equal(count_states(5, HF_TWO_PHASE_NO_SYMMETRY), 8832);
}

static void test_symmetry_is_smaller(void **state)
{
    (void)state;
    assert_int_equal(count_states(3, HF_TWO_PHASE_PERFECT), 80);
    assert_int_equal(count_states(5, HF_TWO_PHASE_PERFECT), 314);
    assert_int_equal(count_states(3, HF_TWO_PHASE_BY_STATE), 120);
    assert_int_equal(count_states(5, HF_TWO_PHASE_BY_STATE), 1092);
}

/* --- stateright's search: see two_phase.h --- */

enum { FORMS_MAX = 2000, FORM_SIZE = HF_TWO_PHASE_MANAGERS_MAX + 1, STATE_WORDS = 2 };

struct forms {
    uint8_t seen[FORMS_MAX][FORM_SIZE];
    uint64_t waiting[FORMS_MAX][STATE_WORDS]; /* states as they were found */
    uint32_t seen_count, waiting_count;
};

static void find(struct forms *forms, const struct hf_model *model, const uint64_t *state)
{
    uint8_t form[FORM_SIZE] = {0};
    (void)model->encode(model, state, form);
    for (uint32_t i = 0; i < forms->seen_count; i++) {
        if (memcmp(forms->seen[i], form, FORM_SIZE) == 0) {
            return;
        }
    }
    assert_true(forms->seen_count < FORMS_MAX);
    memcpy(forms->seen[forms->seen_count++], form, FORM_SIZE);
    memcpy(forms->waiting[forms->waiting_count++], state, sizeof forms->waiting[0]);
}

static uint32_t count_forms_last_first(uint32_t managers)
{
    static const uint64_t none[STATE_WORDS];
    struct hf_two_phase_options options = {.managers = managers, .symmetry = HF_TWO_PHASE_BY_STATE};
    struct hf_model model;
    struct forms *forms = calloc(1, sizeof *forms);
    assert_non_null(forms);
    hf_two_phase_model(&model, &options);
    assert_true(model.state_size <= sizeof none);
    find(forms, &model, none);
    while (forms->waiting_count > 0) {
        uint64_t from[STATE_WORDS], state[STATE_WORDS];
        struct hf_choice choice = {0};
        memcpy(from, forms->waiting[--forms->waiting_count], sizeof from);
        hf_choice_begin(&choice, 0);
        do {
            memcpy(state, from, sizeof state);
            if (model.step(&model, state, &choice) == HF_STEP_TAKEN) {
                find(forms, &model, state);
            }
        } while (hf_choice_next(&choice));
    }
    uint32_t count = forms->seen_count;
    free(forms);
    return count;
}

static void test_published_count_with_symmetry(void **state)
{
    (void)state;
    assert_int_equal(count_forms_last_first(5), 665);
}

static void test_shortest_counterexample(void **state)
{
    (void)state;
    struct search all;
    struct hf_two_phase_options options = {.managers = 3, .careless = true};
    assert_int_equal(search(&all, &options, 100000, 1000000), HF_EXPLORE_BROKEN);
    struct hf_schedule steps[16];
    uint32_t count = 0;
    assert_int_equal(hf_explore_path(&all.explore, steps, 2, &count), HF_ELIMIT);
    assert_int_equal(hf_explore_path(&all.explore, steps, 16, &count), HF_OK);
    assert_int_equal(count, 3); /* one aborts, the coordinator commits, another hears it */
    uint64_t memory[16];
    assert_true(hf_run_layout(&all.model) <= sizeof memory);
    struct hf_run run;
    hf_run_init(&run, &all.model, memory);
    hf_run_begin(&run, 0, false);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(run.end, HF_RUN_GOING);
        assert_true(hf_run_take(&run, &steps[i]));
    }
    assert_int_equal(run.end, HF_RUN_BROKEN);
    free(all.memory);
}

static void test_limits(void **state)
{
    (void)state;
    struct search all;
    struct hf_two_phase_options options = {.managers = 3};
    assert_int_equal(search(&all, &options, 287, 100000), HF_EXPLORE_FULL);
    free(all.memory);
    assert_int_equal(search(&all, &options, 288, 100000), HF_EXPLORE_COMPLETE);
    free(all.memory);
    assert_int_equal(search(&all, &options, 288, 40), HF_EXPLORE_FULL);
    uint32_t count = 0;
    assert_int_equal(hf_explore_path(&all.explore, NULL, 0, &count), HF_ENOENT);
    free(all.memory);
}

/* Enough states that fingerprints and ring grow and the ring wraps many times. */
static enum hf_explore_end search_tree(struct hf_explore *explore,
                                       const struct tree_options *options,
                                       const struct hf_explore_options *bounds)
{
    struct hf_model model;
    tree_model(&model, options);
    void *memory = malloc(hf_explore_layout(&model, bounds));
    assert_non_null(memory);
    memset(memory, 0xa5, hf_explore_layout(&model, bounds));
    hf_explore_init(explore, &model, bounds, memory);
    while (hf_explore_run(explore, 1000) == HF_EXPLORE_GOING) {
    }
    struct hf_schedule steps[32];
    uint32_t count = 0;
    if (explore->end == HF_EXPLORE_BROKEN) {
        assert_int_equal(hf_explore_path(explore, steps, 32, &count), HF_OK);
        uint32_t number = 1;
        for (uint32_t i = 0; i < count; i++) {
            number = 2 * number + (steps[i].count > 0 ? steps[i].given[0] : 0);
        }
        assert_int_equal(number, options->broken_at);
    }
    free(memory);
    return (enum hf_explore_end)explore->end;
}

static void test_growing(void **state)
{
    (void)state;
    struct hf_explore explore;
    const struct tree_options options = {.limit = 300000};
    struct hf_explore_options bounds = {.states_max = 1000000, .ring_size = 10000000};
    assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_COMPLETE);
    assert_int_equal(explore.states, 299999);
    assert_int_equal(explore.transitions, 2 * 299998); /* to and from all but the first */
    assert_int_equal(explore.depth, 18);
    assert_true(hf_explore_stored(&explore) <= 16 * (uint64_t)explore.states);
    bounds.states_max = 299999; /* room for all, and not for one more */
    assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_COMPLETE);
    bounds.states_max--;
    assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_FULL);
    assert_string_equal(explore.why, "as many states as allowed");
}

static void test_a_long_way(void **state)
{
    (void)state;
    struct hf_explore explore;
    const struct tree_options options = {.limit = 300000, .broken_at = 234567};
    const struct hf_explore_options bounds = {.states_max = 1000000, .ring_size = 10000000};
    assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_BROKEN);
    assert_int_equal(explore.depth + 1, 17);
}

static void test_bounds_on_memory(void **state)
{
    (void)state;
    struct hf_explore explore;
    const struct tree_options options = {.limit = 300000};
    struct hf_explore_options bounds = {.states_max = 1000000, .ring_size = 10000000};
    for (size_t most = 100000; most < 4000000; most += 700001) {
        bounds.memory_max = most;
        assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_FULL);
        assert_string_equal(explore.why, "no memory left");
        assert_in_range(hf_explore_memory(&explore), most / 2, most);
    }
    bounds.memory_max = 0;
    bounds.ring_size = 70000;
    assert_int_equal(search_tree(&explore, &options, &bounds), HF_EXPLORE_FULL);
    assert_string_equal(explore.why, "no room for states that wait");
}

static void test_choices(void **state)
{
    (void)state;
    struct hf_choice choice = {0};
    const uint32_t weights[] = {0, 5, 0, 1, 0};
    char seen[64] = "";
    hf_choice_begin(&choice, 0);
    size_t at = 0;
    do {
        uint32_t first = hf_choose(&choice, 2);
        uint32_t second = first == 0 ? hf_choose_weighted(&choice, weights, 5) : 9;
        at += (size_t)snprintf(seen + at, sizeof seen - at, "%u%u ", first, second);
    } while (hf_choice_next(&choice));
    assert_string_equal(seen, "01 03 19 ");
}

/* What a schedule means does not depend on which other alternatives exist. */
static uint32_t choose_given(const uint32_t weights[4], uint16_t given)
{
    struct hf_choice choice = {.given = {given}};
    hf_choice_begin(&choice, 1);
    uint32_t chosen = hf_choose_weighted(&choice, weights, 4);
    assert_int_equal(choice.given[0], chosen);
    return chosen;
}

static void test_weighted_choices_are_absolute(void **state)
{
    (void)state;
    const uint32_t some[] = {0, 5, 0, 1}, all[] = {1, 5, 1, 1}, few[] = {0, 5, 0, 0};
    const uint32_t ends[] = {1, 0, 1, 0};
    assert_int_equal(choose_given(all, 1), 1);
    assert_int_equal(choose_given(some, 1), 1);
    assert_int_equal(choose_given(some, 2), 3); /* the next one above */
    assert_int_equal(choose_given(some, 3), 3);
    assert_int_equal(choose_given(few, 3), 1); /* after the last the first */
    assert_int_equal(choose_given(few, 0), 1);
    assert_int_equal(choose_given(ends, 3), 0);
    assert_int_equal(choose_given(ends, 4), 0); /* beyond all: modulo their number */
    struct hf_choice choice = {.random = 1};
    uint32_t seen[4] = {0};
    for (uint32_t i = 0; i < 600; i++) {
        hf_choice_begin(&choice, 0);
        seen[hf_choose_weighted(&choice, some, 4)]++;
    }
    assert_int_equal(seen[1] + seen[3], 600);
    assert_in_range(seen[3], 50, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_counts),
        cmocka_unit_test(test_symmetry_is_smaller),
        cmocka_unit_test(test_published_count_with_symmetry),
        cmocka_unit_test(test_shortest_counterexample),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_a_long_way),
        cmocka_unit_test(test_bounds_on_memory),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_weighted_choices_are_absolute),
    };
    return cmocka_run_group_tests_name("lab explore", tests, NULL, NULL);
}
