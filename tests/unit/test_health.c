/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables say what each threshold does on its own; the golden traces in tests/trace/health say
 * what a backend's whole life looks like. A trace line reads
 *   TIME_MS RESULT -> VERDICT [run N] [flaps N] [held until MS]
 * with "changed" where the verdict changed; the part right of the arrow is computed anew here and
 * must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/health.h"

enum { LINE_MAX_SIZE = 200 };

static const struct hf_health_policy usual = {
    .rise = 3,
    .fall = 2,
    .hold_down_ms = 10000,
    .hold_down_max_ms = 40000,
    .flap_window_ms = 60000,
};

/* Steps through letters (P passed, F failed, L late), one every step_ms; the last verdict. */
static enum hf_verdict feed(struct hf_health *health, const struct hf_health_policy *policy,
                            const char *results, uint64_t *now_ms, uint64_t step_ms)
{
    for (; *results != 0; results++) {
        *now_ms += step_ms;
        enum hf_check_result result = *results == 'P'   ? HF_CHECK_PASSED
                                      : *results == 'F' ? HF_CHECK_FAILED
                                                        : HF_CHECK_LATE;
        enum hf_verdict before = (enum hf_verdict)health->verdict;
        bool changed = hf_health_step(health, policy, result, *now_ms);
        assert_int_equal(changed, before != health->verdict);
    }
    return (enum hf_verdict)health->verdict;
}

static void test_thresholds(void **state)
{
    (void)state;
    static const struct {
        uint16_t rise, fall;
        const char *results;
        enum hf_verdict verdict;
    } table[] = {
        {3, 2, "", HF_VERDICT_UNKNOWN},
        {3, 2, "P", HF_VERDICT_UP}, /* the first success is enough to start with */
        {3, 2, "F", HF_VERDICT_UNKNOWN},
        {3, 2, "FF", HF_VERDICT_DOWN},
        {3, 2, "FP", HF_VERDICT_UP},
        {3, 2, "FLF", HF_VERDICT_DOWN},
        {3, 2, "PF", HF_VERDICT_UP},
        {3, 2, "PFPFPF", HF_VERDICT_UP}, /* failures that are not in a row */
        {3, 2, "PFF", HF_VERDICT_DOWN},
        {3, 2, "PFFPP", HF_VERDICT_DOWN},
        {3, 2, "PFFPPP", HF_VERDICT_UP},
        {3, 2, "PFFPPFPP", HF_VERDICT_DOWN}, /* successes that are not in a row */
        {3, 2, "PFFPPFPPP", HF_VERDICT_UP},
        {1, 1, "PF", HF_VERDICT_DOWN},
        {1, 1, "F", HF_VERDICT_DOWN},
        {1, 1, "PFP", HF_VERDICT_UP},
        {1, 5, "PFFFF", HF_VERDICT_UP},
        {1, 5, "PFFFFF", HF_VERDICT_DOWN},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct hf_health health;
        hf_health_init(&health);
        struct hf_health_policy policy = usual;
        policy.rise = table[i].rise;
        policy.fall = table[i].fall;
        uint64_t now_ms = 1000;
        enum hf_verdict verdict = feed(&health, &policy, table[i].results, &now_ms, 2000);
        if (verdict != table[i].verdict) {
            fail_msg("rise %u fall %u %s: verdict %d, expected %d", policy.rise, policy.fall,
                     table[i].results, verdict, table[i].verdict);
        }
    }
}

static void test_late_changes_nothing(void **state)
{
    (void)state;
    static const char *const lives[] = {"", "F", "P", "PF", "PFF", "PFFPP", "PFFPPPFF"};
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct hf_health health;
        hf_health_init(&health);
        uint64_t now_ms = 0;
        feed(&health, &usual, lives[i], &now_ms, 2000);
        struct hf_health before = health;
        feed(&health, &usual, "LLLLLLLLLL", &now_ms, 100000);
        assert_memory_equal(&health, &before, sizeof health);
    }
}

/* One flap: DOWN until the hold-down is over, UP, then failures at once; returns the hold-down. */
static uint64_t flap(struct hf_health *health, uint64_t *now_ms)
{
    *now_ms += 100000000; /* far beyond any hold-down */
    assert_int_equal(feed(health, &usual, "PPP", now_ms, 1000), HF_VERDICT_UP);
    assert_int_equal(feed(health, &usual, "FF", now_ms, 1000), HF_VERDICT_DOWN);
    return health->held_until_ms - (health->held_until_ms == 0 ? 0 : *now_ms);
}

static void test_hold_down_grows_to_its_maximum(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    assert_int_equal(feed(&health, &usual, "PFF", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_int_equal(health.held_until_ms, 0); /* the first fall is no flap */
    static const uint64_t expected_ms[] = {10000, 20000, 40000, 40000, 40000};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(flap(&health, &now_ms), expected_ms[i]);
        assert_int_equal(health.flap_count, i + 1);
    }
}

static void test_hold_down_holds(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    feed(&health, &usual, "PFFPPPFF", &now_ms, 1000);
    uint64_t until_ms = now_ms + 10000;
    assert_int_equal(health.held_until_ms, until_ms);
    assert_int_equal(feed(&health, &usual, "PPPPPPPPP", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_false(hf_health_step(&health, &usual, HF_CHECK_PASSED, until_ms - 1));
    assert_true(hf_health_step(&health, &usual, HF_CHECK_PASSED, until_ms));
    assert_int_equal(health.verdict, HF_VERDICT_UP);
    assert_int_equal(health.verdict_at_ms, until_ms);
}

static void test_failure_under_hold_down_starts_the_row_anew(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    feed(&health, &usual, "PFFPPPFF", &now_ms, 1000);
    uint64_t until_ms = health.held_until_ms;
    feed(&health, &usual, "PPPPPPF", &now_ms, 1000);
    assert_int_equal(health.held_until_ms, until_ms); /* does not extend it */
    now_ms = until_ms;
    assert_int_equal(feed(&health, &usual, "PP", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_int_equal(feed(&health, &usual, "P", &now_ms, 1000), HF_VERDICT_UP);
}

static void test_quiet_window_resets(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    feed(&health, &usual, "PFF", &now_ms, 1000);
    flap(&health, &now_ms);
    assert_int_equal(flap(&health, &now_ms), 20000);
    now_ms += 100000000;
    feed(&health, &usual, "PPP", &now_ms, 1000);
    uint64_t up_ms = now_ms;
    hf_health_step(&health, &usual, HF_CHECK_PASSED, up_ms + 59999);
    assert_int_equal(health.hold_down_ms, 20000);
    hf_health_step(&health, &usual, HF_CHECK_PASSED, up_ms + 60000);
    assert_int_equal(health.hold_down_ms, 0);
    assert_int_equal(health.flap_count, 0);
    now_ms = up_ms + 60000;
    feed(&health, &usual, "FF", &now_ms, 1000);
    assert_int_equal(health.held_until_ms, 0);
    assert_int_equal(flap(&health, &now_ms), 10000); /* the first value again */
}

/* No result between return and fall: the fall itself sees that the window has passed. */
static void test_fall_at_the_edge_of_the_window(void **state)
{
    (void)state;
    for (uint64_t after_ms = 59999; after_ms <= 60000; after_ms++) {
        struct hf_health health;
        hf_health_init(&health);
        uint64_t now_ms = 0;
        feed(&health, &usual, "PFFPPP", &now_ms, 1000);
        hf_health_step(&health, &usual, HF_CHECK_FAILED, now_ms + 1);
        hf_health_step(&health, &usual, HF_CHECK_FAILED, now_ms + after_ms);
        assert_int_equal(health.verdict, HF_VERDICT_DOWN);
        assert_int_equal(health.flap_count, after_ms < 60000 ? 1 : 0);
    }
}

static void test_no_hold_down(void **state)
{
    (void)state;
    struct hf_health_policy policy = usual;
    policy.hold_down_ms = 0;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(feed(&health, &policy, "PPPFF", &now_ms, 1000), HF_VERDICT_DOWN);
        assert_int_equal(health.hold_down_ms, 0);
    }
    assert_int_equal(feed(&health, &policy, "PPP", &now_ms, 1000), HF_VERDICT_UP);
}

static void test_hold_down_switched_off_while_held(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    feed(&health, &usual, "PFFPPPFF", &now_ms, 1000);
    now_ms = health.held_until_ms;
    feed(&health, &usual, "PPP", &now_ms, 1000);
    struct hf_health_policy policy = usual;
    policy.hold_down_ms = 0;
    feed(&health, &policy, "FF", &now_ms, 1000);
    assert_int_equal(health.hold_down_ms, 0);
    assert_int_equal(feed(&health, &policy, "PPP", &now_ms, 1000), HF_VERDICT_UP);
}

static void test_first_hold_down_above_the_maximum(void **state)
{
    (void)state;
    struct hf_health_policy policy = usual;
    policy.hold_down_ms = 50000;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 0;
    feed(&health, &policy, "PFFPPPFF", &now_ms, 1000);
    assert_int_equal(health.hold_down_ms, 40000);
}

static void test_growth_does_not_overflow(void **state)
{
    (void)state;
    struct hf_health_policy policy = {.rise = 1,
                                      .fall = 1,
                                      .hold_down_ms = 3000000000U,
                                      .hold_down_max_ms = UINT32_MAX,
                                      .flap_window_ms = UINT32_MAX};
    struct hf_health health;
    hf_health_init(&health);
    hf_health_step(&health, &policy, HF_CHECK_FAILED, 0);
    uint64_t now_ms = 0;
    for (unsigned i = 0; i < 4; i++) {
        now_ms += UINT32_MAX;
        hf_health_step(&health, &policy, HF_CHECK_PASSED, now_ms);
        assert_int_equal(health.verdict, HF_VERDICT_UP);
        hf_health_step(&health, &policy, HF_CHECK_FAILED, now_ms);
        assert_int_equal(health.hold_down_ms, i == 0 ? 3000000000U : UINT32_MAX);
    }
    hf_health_init(&health);
    hf_health_step(&health, &policy, HF_CHECK_FAILED, UINT64_MAX - 2);
    hf_health_step(&health, &policy, HF_CHECK_PASSED, UINT64_MAX - 1);
    hf_health_step(&health, &policy, HF_CHECK_FAILED, UINT64_MAX - 1);
    assert_int_equal(health.held_until_ms, UINT64_MAX);
}

static void test_clock_that_stands_still(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 5000;
    assert_int_equal(feed(&health, &usual, "PFFPPPFF", &now_ms, 0), HF_VERDICT_DOWN);
    assert_int_equal(health.held_until_ms, 15000);
    for (unsigned i = 0; i <= UINT16_MAX; i++) { /* one more than the row counter holds */
        assert_false(hf_health_step(&health, &usual, HF_CHECK_PASSED, now_ms));
    }
    assert_true(hf_health_step(&health, &usual, HF_CHECK_PASSED, 15000));
}

static void test_clock_that_jumps_forward(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 5000;
    feed(&health, &usual, "PFFPPPFFPP", &now_ms, 1000);
    /* One success after a jump is the third in a row, and the hold-down has passed. */
    assert_true(hf_health_step(&health, &usual, HF_CHECK_PASSED, now_ms + 1000000000));
    assert_int_equal(health.verdict, HF_VERDICT_UP);
}

static void test_clock_that_jumps_back(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    uint64_t now_ms = 1000000000;
    feed(&health, &usual, "PFFPPPFF", &now_ms, 1000);
    now_ms = 0;
    assert_int_equal(feed(&health, &usual, "PPPPPPPPPP", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_int_equal(health.held_until_ms, 41000); /* the longest hold-down, from the jump on */
    assert_int_equal(health.verdict_at_ms, 1000);
    now_ms = 40000;
    assert_int_equal(feed(&health, &usual, "P", &now_ms, 1000), HF_VERDICT_UP);

    /* A fall just after a jump back counts from the jump: a flap. */
    hf_health_init(&health);
    now_ms = 1000000000;
    feed(&health, &usual, "PFFPPP", &now_ms, 1000);
    now_ms = 0;
    feed(&health, &usual, "FF", &now_ms, 1000);
    assert_int_equal(health.flap_count, 1);
}

static void test_set(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    assert_false(hf_health_set(&health, HF_VERDICT_UNKNOWN, 10));
    assert_true(hf_health_set(&health, HF_VERDICT_DOWN, 10));
    assert_false(hf_health_set(&health, HF_VERDICT_DOWN, 20));
    assert_int_equal(health.verdict_at_ms, 10);
    assert_true(hf_health_set(&health, HF_VERDICT_UP, 30));
    assert_int_equal(health.verdict_at_ms, 30);

    /* A fall after a return that was set is no flap. */
    uint64_t now_ms = 30;
    assert_int_equal(feed(&health, &usual, "FF", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_int_equal(health.flap_count, 0);

    /* Setting ends a hold-down and forgets a row. */
    feed(&health, &usual, "PPPFF", &now_ms, 1000);
    assert_int_not_equal(health.held_until_ms, 0);
    assert_true(hf_health_set(&health, HF_VERDICT_UP, now_ms));
    assert_int_equal(health.held_until_ms, 0);
    assert_int_equal(feed(&health, &usual, "F", &now_ms, 1000), HF_VERDICT_UP);
    assert_false(hf_health_set(&health, HF_VERDICT_UP, now_ms));
    assert_int_equal(feed(&health, &usual, "F", &now_ms, 1000), HF_VERDICT_UP);
    assert_int_equal(feed(&health, &usual, "F", &now_ms, 1000), HF_VERDICT_DOWN);
}

static void test_hold_down_that_was_set(void **state)
{
    (void)state;
    struct hf_health health;
    hf_health_init(&health);
    hf_health_set(&health, HF_VERDICT_DOWN, 1000);
    health.held_until_ms = 20000;
    uint64_t now_ms = 2000;
    assert_int_equal(feed(&health, &usual, "PPPPP", &now_ms, 1000), HF_VERDICT_DOWN);
    assert_true(hf_health_step(&health, &usual, HF_CHECK_PASSED, 20000));
}

static enum hf_check_result trace_result(const char *word)
{
    if (strcmp(word, "passed") == 0) {
        return HF_CHECK_PASSED;
    }
    if (strcmp(word, "failed") == 0) {
        return HF_CHECK_FAILED;
    }
    assert_string_equal(word, "late");
    return HF_CHECK_LATE;
}

static void trace_line(char text[LINE_MAX_SIZE], uint64_t now_ms, const char *word, bool changed,
                       const struct hf_health *health)
{
    static const char *const verdicts[] = {"unknown", "up", "down"};
    int size = snprintf(text, LINE_MAX_SIZE, "%" PRIu64 " %s -> %s", now_ms, word,
                        verdicts[health->verdict]);
    const char *note = changed ? " changed" : "";
    size += snprintf(text + size, LINE_MAX_SIZE - (size_t)size, "%s", note);
    if (health->run > 0) {
        size += snprintf(text + size, LINE_MAX_SIZE - (size_t)size, " run %u", health->run);
    }
    if (health->flap_count > 0) {
        size += snprintf(text + size, LINE_MAX_SIZE - (size_t)size, " flaps %" PRIu32,
                         health->flap_count);
    }
    if (health->held_until_ms > now_ms) {
        size += snprintf(text + size, LINE_MAX_SIZE - (size_t)size, " held until %" PRIu64,
                         health->held_until_ms);
    }
    assert_in_range(size, 1, LINE_MAX_SIZE - 1);
}

static void trace_policy(const char *line, struct hf_health_policy *ret_policy)
{
    unsigned rise, fall;
    int count = sscanf(
        line, "policy rise %u fall %u hold_down %" SCNu32 " max %" SCNu32 " flap_window %" SCNu32,
        &rise, &fall, &ret_policy->hold_down_ms, &ret_policy->hold_down_max_ms,
        &ret_policy->flap_window_ms);
    assert_int_equal(count, 5);
    ret_policy->rise = (uint16_t)rise;
    ret_policy->fall = (uint16_t)fall;
}

static void replay(void **state)
{
    const char *path = *state;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
    }
    struct hf_health_policy policy = {0};
    struct hf_health health;
    hf_health_init(&health);
    char line[LINE_MAX_SIZE];
    unsigned number = 0, steps = 0, wrong = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        number++;
        line[strcspn(line, "\n")] = 0;
        if (line[0] == 0 || line[0] == '#') {
            continue;
        }
        if (strncmp(line, "policy", 6) == 0) {
            trace_policy(line, &policy);
            continue;
        }
        uint64_t now_ms;
        char word[16];
        assert_int_equal(sscanf(line, "%" SCNu64 " %15s", &now_ms, word), 2);
        bool changed = hf_health_step(&health, &policy, trace_result(word), now_ms);
        char actual[LINE_MAX_SIZE];
        trace_line(actual, now_ms, word, changed, &health);
        steps++;
        if (strcmp(line, actual) != 0) {
            wrong++;
            print_error("%s:%u: %s\n", path, number, actual);
        }
    }
    (void)fclose(file);
    assert_int_not_equal(steps, 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_late_changes_nothing),
        cmocka_unit_test(test_hold_down_grows_to_its_maximum),
        cmocka_unit_test(test_hold_down_holds),
        cmocka_unit_test(test_failure_under_hold_down_starts_the_row_anew),
        cmocka_unit_test(test_quiet_window_resets),
        cmocka_unit_test(test_fall_at_the_edge_of_the_window),
        cmocka_unit_test(test_no_hold_down),
        cmocka_unit_test(test_hold_down_switched_off_while_held),
        cmocka_unit_test(test_first_hold_down_above_the_maximum),
        cmocka_unit_test(test_growth_does_not_overflow),
        cmocka_unit_test(test_clock_that_stands_still),
        cmocka_unit_test(test_clock_that_jumps_forward),
        cmocka_unit_test(test_clock_that_jumps_back),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_hold_down_that_was_set),
        {"trace_flapping", replay, NULL, NULL,
         (void *)(uintptr_t) "tests/trace/health/flapping.trace"},
        {"trace_late_checker", replay, NULL, NULL,
         (void *)(uintptr_t) "tests/trace/health/late-checker.trace"},
        {"trace_slow_start", replay, NULL, NULL,
         (void *)(uintptr_t) "tests/trace/health/slow-start.trace"},
    };
    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
