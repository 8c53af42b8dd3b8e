/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rolls of several enactors over one set of lanes: all is reached, and little is done twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/roll.h"

enum { LANES = 3001, ENACTORS_MAX = 5, WORDS = 256, FEW = 10 };

struct fleet {
    struct hf_bitset sets[ENACTORS_MAX]; /* what each believes is to be done */
    uint64_t words[ENACTORS_MAX][WORDS];
    struct hf_roll rolls[ENACTORS_MAX];
    uint32_t offsets[ENACTORS_MAX], shares[ENACTORS_MAX];
    bool done[LANES];
    uint32_t done_count, twice;
};

static void begin(struct fleet *fleet, uint32_t count, uint32_t step)
{
    memset(fleet, 0, sizeof(*fleet));
    assert_in_range(hf_bitset_words(LANES), 1, WORDS);
    for (uint32_t i = 0; i < count; i++) {
        hf_bitset_init(&fleet->sets[i], fleet->words[i], LANES);
        for (uint32_t lane = 0; lane < LANES; lane += step) {
            hf_bitset_add(&fleet->sets[i], lane);
        }
        uint32_t offset = i * HF_ROLL_WHOLE / count;
        uint32_t share = (i + 1) * HF_ROLL_WHOLE / count - offset;
        fleet->offsets[i] = offset;
        fleet->shares[i] = share;
        hf_roll_begin(&fleet->rolls[i], HF_ROLL_OWN, &fleet->sets[i], offset, share, FEW);
    }
}

static void look(struct fleet *fleet, uint32_t i)
{
    for (uint32_t lane = 0; lane < LANES; lane++) {
        if (fleet->done[lane]) {
            hf_bitset_remove(&fleet->sets[i], lane);
        }
    }
}

/* One lane of one enactor; what another has done meanwhile is refused and calls for a look. */
static void turn(struct fleet *fleet, uint32_t i)
{
    struct hf_roll *roll = &fleet->rolls[i];
    uint32_t lane = hf_roll_next(roll, &fleet->sets[i]);
    if (lane == HF_BITSET_NONE) {
        look(fleet, i);
        hf_roll_begin(roll, HF_ROLL_HELP, &fleet->sets[i], fleet->offsets[i], fleet->shares[i],
                      FEW);
        return;
    }
    assert_true(hf_bitset_has(&fleet->sets[i], lane));
    hf_bitset_remove(&fleet->sets[i], lane);
    hf_roll_took(roll, lane);
    if (fleet->done[lane]) {
        fleet->twice++;
        look(fleet, i);
    } else {
        fleet->done[lane] = true;
        fleet->done_count++;
    }
}

static void shares_are_done_once(void **state)
{
    static struct fleet fleet;
    (void)state;
    for (uint32_t count = 1; count <= ENACTORS_MAX; count++) {
        begin(&fleet, count, 1);
        for (uint32_t i = 0; fleet.done_count < LANES; i++) {
            assert_in_range(i, 0, 2 * LANES);
            turn(&fleet, i % count);
        }
        assert_in_range(fleet.twice, 0, count * FEW);
    }
}

/* One is slow, or does nothing at all: the others do its share, and meet it once. */
static void others_are_helped(void **state)
{
    static struct fleet fleet;
    (void)state;
    for (uint32_t slowness = 2; slowness < 2 * LANES; slowness *= 3) {
        begin(&fleet, 3, 1);
        for (uint32_t i = 0; fleet.done_count < LANES; i++) {
            assert_in_range(i, 0, 10 * LANES);
            if (i % 3 != 1 || i / 3 % slowness == slowness - 1) {
                turn(&fleet, i % 3);
            }
        }
        assert_in_range(fleet.twice, 0, 5 * FEW);
    }
}

static void few_lanes_are_nobodys_share(void **state)
{
    static struct fleet fleet;
    (void)state;
    begin(&fleet, 3, 310); /* ten of them */
    for (uint32_t i = 0; i < 3; i++) {
        struct hf_roll *roll = &fleet.rolls[i];
        uint32_t lane;
        uint32_t count = 0;
        assert_false(hf_roll_is_shared(roll));
        for (; (lane = hf_roll_next(roll, &fleet.sets[i])) != HF_BITSET_NONE; count++) {
            hf_bitset_remove(&fleet.sets[i], lane);
            hf_roll_took(roll, lane);
        }
        assert_int_equal(count, 10);
    }
}

/* What comes back to the share is done before help begins, which goes downwards. */
static void lanes_come_back(void **state)
{
    static struct fleet fleet;
    (void)state;
    begin(&fleet, 2, 1);
    struct hf_roll *roll = &fleet.rolls[1];
    struct hf_bitset *set = &fleet.sets[1];
    uint32_t first = hf_roll_next(roll, set);
    uint32_t lane;
    while ((lane = hf_roll_next(roll, set)) != HF_BITSET_NONE) {
        hf_bitset_remove(set, lane);
        hf_roll_took(roll, lane);
    }
    hf_bitset_add(set, first + 1);
    assert_int_equal(hf_roll_next(roll, set), first + 1);
    hf_bitset_remove(set, first + 1);
    hf_roll_begin(roll, HF_ROLL_HELP, set, HF_ROLL_WHOLE / 2, HF_ROLL_WHOLE / 2, FEW);
    assert_int_equal(hf_roll_next(roll, set), first - 1);
    hf_bitset_remove(set, first - 1);
    hf_roll_took(roll, first - 1);
    assert_int_equal(hf_roll_next(roll, set), first - 2);
    hf_bitset_add(set, first - 1);
    while (hf_roll_next(roll, set) != first - 1) {
        lane = hf_roll_next(roll, set);
        assert_in_range(lane, first / 2, first - 2);
        hf_bitset_remove(set, lane);
        hf_roll_took(roll, lane);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_done_once),
        cmocka_unit_test(others_are_helped),
        cmocka_unit_test(few_lanes_are_nobodys_share),
        cmocka_unit_test(lanes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
