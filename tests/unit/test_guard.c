/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Budgets and paces: tables of what is left when, and a long random life of each, checked against
 * a plain list of what left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/guard.h"

enum { WINDOW_MS = 60000, LIFE = 4000 };

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static void test_budget_without_window(void **state)
{
    (void)state;
    static const struct {
        uint64_t have;
        uint32_t permille;
        uint64_t left;
    } table[] = {
        {300, 340, 102},
        {300, 333, 99},
        {300, 0, 0},
        {300, 1000, 300},
        {0, 500, 0},
        {1, 999, 0},
        {2, 500, 1},
        {3, 500, 1},
        {UINT64_C(100000) * UINT32_MAX, 1000, UINT64_C(100000) * UINT32_MAX},
    };
    struct hf_budget none = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(hf_budget_left(&none, table[i].have, table[i].permille, 1000),
                         table[i].left);
    }
}

static void test_budget_window_begins_and_ends(void **state)
{
    (void)state;
    struct hf_budget budget = {0};
    hf_budget_book(&budget, 300, 100, 0, WINDOW_MS, 1000);
    assert_int_equal(budget.quiet_at_ms, 61000);
    /* The base stays what it was when the window began. */
    assert_int_equal(hf_budget_left(&budget, 200, 340, 1000), 2);
    assert_int_equal(hf_budget_left(&budget, 900, 340, 60999), 2);
    assert_int_equal(hf_budget_left(&budget, 200, 340, 61000), 68);
    /* A further removal prolongs it. */
    hf_budget_book(&budget, 200, 2, 0, WINDOW_MS, 60000);
    assert_int_equal(budget.quiet_at_ms, 120000);
    assert_int_equal(hf_budget_left(&budget, 200, 340, 119999), 0);
    hf_budget_follow(&budget, WINDOW_MS, 119999);
    assert_int_equal(budget.spent, 102);
    hf_budget_follow(&budget, WINDOW_MS, 120000);
    assert_memory_equal(&budget, &(struct hf_budget){0}, sizeof budget);
}

static void test_budget_gives_back_what_was_spent(void **state)
{
    (void)state;
    struct hf_budget budget = {0};
    hf_budget_book(&budget, 300, 100, 0, WINDOW_MS, 0);
    hf_budget_book(&budget, 300, 0, 60, WINDOW_MS, 10);
    assert_int_equal(hf_budget_left(&budget, 300, 340, 10), 62);
    hf_budget_book(&budget, 300, 0, 600, WINDOW_MS, 20);
    assert_int_equal(hf_budget_left(&budget, 300, 340, 20), 102);
    /* What enters in the same plan does not pay for what leaves in it. */
    hf_budget_book(&budget, 600, 100, 300, WINDOW_MS, 30);
    assert_int_equal(hf_budget_left(&budget, 600, 340, 30), 2);
}

static void test_budget_follows_clocks(void **state)
{
    (void)state;
    struct hf_budget budget = {0};
    hf_budget_book(&budget, 300, 100, 0, WINDOW_MS, 1000000);
    /* Back by far: not for longer than a window from now, and not for shorter. */
    hf_budget_follow(&budget, WINDOW_MS, 1000);
    assert_int_equal(budget.quiet_at_ms, 61000);
    assert_int_equal(hf_budget_left(&budget, 300, 340, 60999), 2);
    /* Back by little: as it was. */
    hf_budget_follow(&budget, WINDOW_MS, 500);
    assert_int_equal(budget.quiet_at_ms, 60500);
    hf_budget_follow(&budget, WINDOW_MS, 30000);
    assert_int_equal(budget.quiet_at_ms, 60500);
    /* The end of time. */
    hf_budget_book(&budget, 300, 1, 0, WINDOW_MS, UINT64_MAX - 1);
    assert_int_equal(budget.quiet_at_ms, UINT64_MAX);
}

static void test_budget_without_length_limits_one_plan(void **state)
{
    (void)state;
    struct hf_budget budget = {0};
    hf_budget_book(&budget, 300, 100, 0, 0, 1000);
    assert_int_equal(hf_budget_left(&budget, 300, 340, 1000), 102);
}

/* One removal or change of a random life. */
struct spent {
    uint64_t at_ms;
    uint64_t amount;
};

static uint64_t spent_within(const struct spent *list, uint32_t count, uint64_t now_ms)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += now_ms - list[i].at_ms < WINDOW_MS ? list[i].amount : 0;
    }
    return sum;
}

/* Takes as much as it may, at random times: no window sees more than the limit. */
static void test_budget_any_window(void **state)
{
    (void)state;
    static struct spent list[LIFE];
    struct hf_budget budget = {0};
    uint64_t random = 1, now_ms = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < LIFE; i++) {
        now_ms += random_below(&random, 5) == 0 ? random_below(&random, 2 * WINDOW_MS)
                                                : random_below(&random, WINDOW_MS / 8);
        hf_budget_follow(&budget, WINDOW_MS, now_ms);
        uint64_t left = hf_budget_left(&budget, 1000, 340, now_ms);
        uint64_t take = random_below(&random, 100);
        take = take < left ? take : left;
        hf_budget_book(&budget, 1000, take, 0, WINDOW_MS, now_ms);
        used += take > 0;
        list[i] = (struct spent){.at_ms = now_ms, .amount = take};
        assert_in_range(spent_within(list, i + 1, now_ms), 0, 340);
    }
    assert_in_range(used, LIFE / 10, LIFE);
}

static void test_pace_limit_rounds_up(void **state)
{
    (void)state;
    assert_int_equal(hf_pace_limit(1, 1), 1);
    assert_int_equal(hf_pace_limit(5, 100), 1);
    assert_int_equal(hf_pace_limit(1000000, 100), 100000);
    assert_int_equal(hf_pace_limit(3, 0), 0);
    assert_int_equal(hf_pace_limit(0, 1000), 0);
}

static void test_pace_windows_follow_each_other(void **state)
{
    (void)state;
    struct hf_budget pace = {0};
    hf_pace_book(&pace, 10, WINDOW_MS, 1000);
    assert_int_equal(hf_pace_left(&pace, 10), 0);
    hf_pace_follow(&pace, WINDOW_MS, 60999);
    assert_int_equal(hf_pace_left(&pace, 10), 0);
    /* Spent in the window before: still counts, for one window more. */
    hf_pace_follow(&pace, WINDOW_MS, 61000);
    assert_int_equal(hf_pace_left(&pace, 10), 0);
    hf_pace_follow(&pace, WINDOW_MS, 120999);
    assert_int_equal(hf_pace_left(&pace, 10), 0);
    hf_pace_follow(&pace, WINDOW_MS, 121000);
    assert_int_equal(hf_pace_left(&pace, 10), 10);
    assert_memory_equal(&pace, &(struct hf_budget){0}, sizeof pace);
}

static void test_pace_follows_clocks(void **state)
{
    (void)state;
    struct hf_budget pace = {0};
    hf_pace_book(&pace, 10, WINDOW_MS, 1000000);
    hf_pace_follow(&pace, WINDOW_MS, 1000);
    assert_int_equal(pace.quiet_at_ms, 61000);
    assert_int_equal(hf_pace_left(&pace, 10), 0);
    hf_pace_follow(&pace, WINDOW_MS, 10000000);
    assert_int_equal(hf_pace_left(&pace, 10), 10);
    hf_pace_book(&pace, 10, 0, 1000);
    hf_pace_follow(&pace, 0, 1000);
    assert_int_equal(hf_pace_left(&pace, 10), 10);
}

static void test_pace_any_window(void **state)
{
    (void)state;
    static struct spent list[LIFE];
    struct hf_budget pace = {0};
    uint64_t random = 7, now_ms = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < LIFE; i++) {
        now_ms += random_below(&random, 5) == 0 ? random_below(&random, 2 * WINDOW_MS)
                                                : random_below(&random, WINDOW_MS / 8);
        hf_pace_follow(&pace, WINDOW_MS, now_ms);
        uint64_t left = hf_pace_left(&pace, 100);
        uint64_t take = random_below(&random, 50);
        take = take < left ? take : left;
        hf_pace_book(&pace, take, WINDOW_MS, now_ms);
        used += take > 0;
        list[i] = (struct spent){.at_ms = now_ms, .amount = take};
        assert_in_range(spent_within(list, i + 1, now_ms), 0, 100);
    }
    assert_in_range(used, LIFE / 10, LIFE);
}

/* Half of the limit a window, for ever, never waits. */
static void test_pace_lets_steady_changes_through(void **state)
{
    (void)state;
    struct hf_budget pace = {0};
    for (uint64_t now_ms = 0; now_ms < 1000 * WINDOW_MS; now_ms += WINDOW_MS / 50) {
        hf_pace_follow(&pace, WINDOW_MS, now_ms);
        assert_true(hf_pace_left(&pace, 101) > 0);
        hf_pace_book(&pace, 1, WINDOW_MS, now_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_without_window),
        cmocka_unit_test(test_budget_window_begins_and_ends),
        cmocka_unit_test(test_budget_gives_back_what_was_spent),
        cmocka_unit_test(test_budget_follows_clocks),
        cmocka_unit_test(test_budget_without_length_limits_one_plan),
        cmocka_unit_test(test_budget_any_window),
        cmocka_unit_test(test_pace_limit_rounds_up),
        cmocka_unit_test(test_pace_windows_follow_each_other),
        cmocka_unit_test(test_pace_follows_clocks),
        cmocka_unit_test(test_pace_any_window),
        cmocka_unit_test(test_pace_lets_steady_changes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
