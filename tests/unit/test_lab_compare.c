/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cloud's outage and Holdfast's enactors under its schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "lab/compare.h"

static int compare(const struct hf_compare_options *options, struct hf_compare_result *ret_result)
{
    void *memory = malloc(hf_compare_layout(options));
    assert_non_null(memory);
    int error = hf_compare_run(options, memory, ret_result);
    free(memory);
    return error;
}

static const struct hf_timeline_line *find(const struct hf_timeline *timeline, const char *text)
{
    for (uint32_t i = 0; i < timeline->count; i++) {
        if (strcmp(timeline->lines[i].text, text) == 0) {
            return &timeline->lines[i];
        }
    }
    fail_msg("no line '%s'", text);
    return NULL;
}

static void test_delayed_write(void **state)
{
    (void)state;
    struct hf_compare_result result;
    assert_int_equal(compare(&hf_compare_usual, &result), HF_OK);
    const struct hf_timeline_line *cloud = find(
        &result.cloud,
        "enactor 1 wins the lock and points api to plan 2, older than plan 4 that it replaces");
    const struct hf_timeline_line *fenced =
        find(&result.fenced,
             "the server refuses enactor 1: plan 2 was to replace plan 1 on api, which has plan 4");
    assert_int_equal(cloud->row, fenced->row);
    assert_int_equal(cloud->kind, HF_TIMELINE_DANGER);
    assert_int_equal(fenced->kind, HF_TIMELINE_REFUSED);
    assert_int_equal(cloud->answers[0], 2);
    assert_int_equal(fenced->answers[0], 4);
    /* It believes nothing that it has not read since. */
    assert_string_equal(fenced[1].text, "enactor 1 reads the fence of api: plan 4");
    assert_int_equal(fenced[1].row, fenced->row);
}

static void test_both_ends(void **state)
{
    (void)state;
    struct hf_compare_result result;
    assert_int_equal(compare(&hf_compare_usual, &result), HF_OK);
    assert_int_equal(result.outage_rows, 14);
    assert_int_equal(result.wedge_rows, 12);
    assert_int_equal(result.cloud.count, 26);
    assert_int_equal(result.cloud.lines[12].answers[0], 2);
    for (uint32_t i = 13; i < result.cloud.count; i++) {
        assert_int_equal(result.cloud.lines[i].answers[0], 0);
    }
    const struct hf_timeline_line *last = &result.fenced.lines[result.fenced.count - 1];
    assert_string_equal(last->text, "all enactors are in step with plan 5");
    assert_int_equal(last->answers[0], 5);
    assert_int_equal(last->answers[1], 5);
    assert_int_equal(last->row, 26);
    assert_true(result.in_step);
    assert_in_range(result.refused, 1, 20);
}

/* Every row has lines on both sides, in order. */
static void test_rows(void **state)
{
    (void)state;
    struct hf_compare_result result;
    assert_int_equal(compare(&hf_compare_usual, &result), HF_OK);
    uint32_t at = 0;
    for (uint32_t row = 0; row <= result.cloud.count; row++) {
        assert_true(row == result.cloud.count || result.cloud.lines[row].row == row);
        assert_int_equal(result.fenced.lines[at].row, row);
        while (at < result.fenced.count && result.fenced.lines[at].row == row) {
            at++;
        }
    }
    assert_int_equal(at, result.fenced.count);
}

/* Without prerequisites it is as bad, and that is seen. */
static void test_canary(void **state)
{
    (void)state;
    struct hf_compare_result result;
    struct hf_compare_options options = hf_compare_usual;
    options.careless = 1;
    assert_int_equal(compare(&options, &result), HF_OK);
    assert_int_equal(result.refused, 0);
    assert_false(result.in_step);
}

static void test_other_sizes(void **state)
{
    (void)state;
    struct hf_compare_result result;
    for (uint32_t enactors = 2; enactors <= 3; enactors++) {
        for (uint32_t endpoints = 1; endpoints <= 3; endpoints++) {
            struct hf_compare_options options = hf_compare_usual;
            options.enactors = enactors;
            options.endpoints = endpoints;
            assert_int_equal(compare(&options, &result), HF_OK);
            assert_true(result.in_step);
        }
    }
}

/* The plan after the outage is one more than the outage may have. */
static void test_fewest_plans(void **state)
{
    (void)state;
    struct hf_compare_result result;
    struct hf_compare_options options = hf_compare_usual;
    options.plans = 4;
    assert_int_equal(compare(&options, &result), HF_OK);
    assert_string_equal(result.cloud.lines[result.outage_rows].text, "planner publishes plan 5");
    assert_true(result.in_step);
}

static void test_none(void **state)
{
    (void)state;
    struct hf_compare_result result;
    struct hf_compare_options options = hf_compare_usual;
    options.age = options.plans;
    assert_int_equal(compare(&options, &result), HF_ENOENT);
    options = hf_compare_usual;
    options.states_max = 1000;
    assert_int_equal(compare(&options, &result), HF_ELIMIT);
    options = hf_compare_usual;
    options.enactors = 1; /* nobody to race with */
    assert_int_equal(compare(&options, &result), HF_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delayed_write), cmocka_unit_test(test_both_ends),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_canary),
        cmocka_unit_test(test_other_sizes),   cmocka_unit_test(test_none),
        cmocka_unit_test(test_fewest_plans),
    };
    return cmocka_run_group_tests_name("lab compare", tests, NULL, NULL);
}
