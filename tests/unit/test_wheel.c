/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A wheel against a plain table of what is due when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/wheel.h"

enum { ENTRIES = 300, STEPS = 200000 };

struct pair {
    struct hf_wheel wheel;
    struct hf_wheel_entry entries[ENTRIES];
    uint64_t due[ENTRIES]; /* HF_WHEEL_NEVER: not in it */
    uint64_t now, random;
};

static uint64_t draw(struct pair *pair, uint64_t bound)
{
    pair->random = pair->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (pair->random >> 20) % bound;
}

static struct pair *pair_new(uint64_t now)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    pair->now = now;
    pair->random = now + 1;
    hf_wheel_init(&pair->wheel, now);
    for (int i = 0; i < ENTRIES; i++) {
        pair->due[i] = HF_WHEEL_NEVER;
    }
    return pair;
}

static uint64_t earliest(const struct pair *pair)
{
    uint64_t found = HF_WHEEL_NEVER;
    for (int i = 0; i < ENTRIES; i++) {
        found = pair->due[i] < found ? pair->due[i] : found;
    }
    return found;
}

static void add(struct pair *pair, uint64_t index, uint64_t due)
{
    hf_wheel_add(&pair->wheel, &pair->entries[index], due);
    pair->due[index] = due;
}

/* Everything that is due comes out, in order, and nothing else. */
static void go_to(struct pair *pair, uint64_t now)
{
    struct hf_wheel_entry *entry;
    uint64_t before = pair->now;
    while ((entry = hf_wheel_pop(&pair->wheel, now)) != NULL) {
        ptrdiff_t index = entry - pair->entries;
        uint64_t first = earliest(pair);
        assert_false(hf_wheel_has(entry));
        assert_true(pair->due[index] <= now);
        assert_true(pair->due[index] == first || pair->due[index] <= before);
        pair->due[index] = HF_WHEEL_NEVER;
    }
    pair->now = now;
    assert_true(earliest(pair) > now);
}

/* A sleeper that wakes at every hf_wheel_next wakes in time for each entry, and not in vain often.
 */
static void check_next(const struct pair *pair)
{
    uint64_t first = earliest(pair);
    uint64_t next = hf_wheel_next(&pair->wheel);
    assert_true(next <= first);
    assert_true((first == HF_WHEEL_NEVER) == (next == HF_WHEEL_NEVER));
    assert_true(first == HF_WHEEL_NEVER || first - pair->now >= 256 || next == first ||
                next > pair->now);
}

static void agree_from(uint64_t now)
{
    static const uint64_t ranges[] = {2, 200, 256, 257, 3000, 65535, 65537, 100000, 40000000};
    struct pair *pair = pair_new(now);
    for (uint32_t step = 0; step < STEPS / 100; step++) {
        for (uint32_t i = 0; i < 30; i++) {
            uint64_t index = draw(pair, ENTRIES);
            if (draw(pair, 4) == 0) {
                hf_wheel_remove(&pair->wheel, &pair->entries[index]);
                pair->due[index] = HF_WHEEL_NEVER;
            } else {
                uint64_t range = ranges[draw(pair, sizeof(ranges) / sizeof(ranges[0]))];
                add(pair, index, pair->now + draw(pair, range));
            }
            assert_true(hf_wheel_has(&pair->entries[index]) ==
                        (pair->due[index] != HF_WHEEL_NEVER));
        }
        check_next(pair);
        go_to(pair, pair->now + draw(pair, ranges[draw(pair, 9)]));
    }
    free(pair);
}

static void it_agrees_with_a_table(void **state)
{
    (void)state;
    agree_from(0);
    agree_from(255);
    agree_from(65535);
    agree_from(UINT64_C(1) << 32);
}

static void what_is_past_is_due_at_once(void **state)
{
    (void)state;
    struct pair *pair = pair_new(1000);
    add(pair, 0, 3);
    assert_int_equal(hf_wheel_next(&pair->wheel), 1000);
    assert_ptr_equal(hf_wheel_pop(&pair->wheel, 1000), &pair->entries[0]);
    assert_null(hf_wheel_pop(&pair->wheel, 1000));
    assert_true(hf_wheel_next(&pair->wheel) == HF_WHEEL_NEVER);
    free(pair);
}

/* At each distance where a ring ends, seen from each place in a ring. */
static void every_border_holds(void **state)
{
    static const uint64_t borders[] = {255,   256,   257,           65279,   65280,        65535,
                                       65536, 65537, (1 << 24) - 1, 1 << 24, (1 << 24) + 1};
    (void)state;
    for (uint64_t now = 0; now < 300; now++) {
        for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
            struct pair *pair = pair_new(now);
            add(pair, 0, now + borders[i]);
            assert_null(hf_wheel_pop(&pair->wheel, now + borders[i] - 1));
            assert_int_equal(hf_wheel_next(&pair->wheel), now + borders[i]);
            assert_ptr_equal(hf_wheel_pop(&pair->wheel, now + borders[i]), &pair->entries[0]);
            free(pair);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_table),
        cmocka_unit_test(what_is_past_is_due_at_once),
        cmocka_unit_test(every_border_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
