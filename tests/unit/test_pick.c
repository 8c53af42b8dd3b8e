/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shares are measured: every pick of hours of rotation is made, and each address's part of all
 * answers is compared with its weight's part, over whole hours and over hours that begin anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/fleet.h"
#include "core/pick.h"

enum { CANDIDATES_MAX = 100, HOURS = 3, SLOTS_MAX = HOURS * 3600 };

static const struct weights {
    const char *name;
    uint32_t count;
    uint16_t of[16]; /* repeated up to count */
    uint32_t period;
} sets[] = {
    {"2 of 10 and 1", 2, {10, 1}, 2},
    {"3 equal", 3, {7}, 1},
    {"9 equal", 9, {1}, 1},
    {"100 equal", 100, {100}, 1},
    {"rising", 8, {1, 2, 3, 4, 5, 6, 7, 8}, 8},
    {"one heavy", 12, {1000, 10, 10, 10}, 4},
    {"one tiny", 5, {65535, 65535, 1, 65535, 65535}, 5},
    {"with zero", 6, {5, 0, 3}, 3},
    {"all zero", 6, {0}, 1},
    {"50 mixed", 50, {3, 1, 4, 1, 5, 9, 2, 6}, 8},
};

static uint32_t candidates_of(const struct weights *set, struct hf_pick_candidate *candidates)
{
    for (uint32_t i = 0; i < set->count; i++) {
        candidates[i] = (struct hf_pick_candidate){.member = i, .weight = set->of[i % set->period]};
    }
    return set->count;
}

enum { OCTETS = 16 };

static uint32_t bits_in(const uint8_t bits[OCTETS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < OCTETS; i++) {
        count += (uint32_t)__builtin_popcount(bits[i]);
    }
    return count;
}

static void test_size(void **state)
{
    (void)state;
    static const struct {
        uint32_t count, max, size;
        uint16_t weights[4];
        bool rotates;
    } table[] = {
        {0, 8, 0, {0}, false},       {1, 8, 1, {5}, false},        {1, 1, 1, {0}, false},
        {3, 8, 3, {5, 5, 5}, false}, {3, 2, 2, {5, 5, 5}, true},   {3, 1, 1, {5, 5, 5}, true},
        {2, 8, 1, {10, 1}, true},    {3, 8, 2, {10, 10, 5}, true}, {4, 8, 3, {1, 2, 3, 3}, true},
        {3, 8, 1, {5, 0, 0}, false}, {3, 8, 2, {5, 5, 0}, false},  {3, 8, 3, {0, 0, 0}, false},
        {3, 2, 2, {0, 0, 0}, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct hf_pick_candidate candidates[4] = {{0}};
        for (uint32_t c = 0; c < table[i].count; c++) {
            candidates[c] = (struct hf_pick_candidate){.member = c, .weight = table[i].weights[c]};
        }
        bool rotates = false;
        assert_int_equal(hf_pick_size(candidates, table[i].count, table[i].max, &rotates),
                         table[i].size);
        assert_int_equal(rotates, table[i].rotates);
    }
}

/* Every pick has its size, never a repetition, and nobody of weight 0 beside others. */
static void test_every_pick_is_whole(void **state)
{
    (void)state;
    struct hf_pick_candidate candidates[CANDIDATES_MAX] = {{0}};
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        uint32_t count = candidates_of(&sets[s], candidates);
        bool all_zero = strcmp(sets[s].name, "all zero") == 0;
        for (uint32_t max = 1; max <= HF_ANSWERS_MAX; max += max < 10 ? 1 : 45) {
            bool rotates = false;
            uint32_t size = hf_pick_size(candidates, count, max, &rotates);
            for (uint64_t slot = 0; slot < 300; slot++) {
                uint8_t bits[OCTETS] = {0};
                hf_pick(candidates, count, max, 30, 12345, slot * slot, bits);
                assert_int_equal(bits_in(bits), size);
                for (uint32_t i = 0; i < count; i++) {
                    bool is_picked = (bits[i / 8] >> (i % 8) & 1) != 0;
                    assert_true(!is_picked || candidates[i].weight > 0 || all_zero);
                }
            }
        }
    }
}

/* The greatest difference, in parts of a million of all answers, over hours from each slot on. */
static uint32_t worst_share(const struct weights *set, uint32_t max, uint32_t ttl_s, uint32_t seed)
{
    static uint8_t picks[SLOTS_MAX][OCTETS];
    struct hf_pick_candidate candidates[CANDIDATES_MAX] = {{0}};
    uint32_t count = candidates_of(set, candidates);
    uint32_t hour = 3600 / ttl_s, slots = HOURS * hour;
    uint64_t first = UINT64_C(1760000000) / ttl_s, length = 0;
    uint32_t in_hour[CANDIDATES_MAX] = {0};
    bool rotates = false;
    uint64_t size = hf_pick_size(candidates, count, max, &rotates);
    for (uint32_t i = 0; i < count; i++) {
        length += candidates[i].weight;
    }
    uint32_t worst = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        memset(picks[slot], 0, sizeof picks[slot]);
        hf_pick(candidates, count, max, ttl_s, seed, first + slot, picks[slot]);
        for (uint32_t i = 0; i < count; i++) {
            in_hour[i] += (picks[slot][i / 8] >> (i % 8) & 1) != 0;
            if (slot >= hour) {
                in_hour[i] -= (picks[slot - hour][i / 8] >> (i % 8) & 1) != 0;
            }
            if (slot + 1 < hour || length == 0) {
                continue;
            }
            uint64_t wanted = UINT64_C(1000000) * candidates[i].weight / length;
            uint64_t share = UINT64_C(1000000) * in_hour[i] / (size * hour);
            uint64_t gap = share > wanted ? share - wanted : wanted - share;
            worst = gap > worst ? (uint32_t)gap : worst;
        }
    }
    return worst;
}

static void test_shares(void **state)
{
    (void)state;
    static const struct {
        uint32_t ttl_s;
        uint32_t limit; /* parts of a million */
    } ttls[] = {{1, 10000}, {5, 10000}, {7, 10000}, {30, 10000}, {35, 10100}, {60, 17000}};
    for (size_t t = 0; t < sizeof ttls / sizeof ttls[0]; t++) {
        uint32_t worst = 0;
        for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
            for (uint32_t max = 1; max <= 8; max += ttls[t].ttl_s < 30 ? 3 : 1) {
                uint32_t gap =
                    worst_share(&sets[s], max, ttls[t].ttl_s, (uint32_t)(s * 7919 + max));
                if (gap > ttls[t].limit) {
                    fail_msg("ttl %u, %s, max %u: off by %u ppm", ttls[t].ttl_s, sets[s].name, max,
                             gap);
                }
                worst = gap > worst ? gap : worst;
            }
        }
        print_message("# ttl %u s: no share of any hour is off by more than %u.%04u %%\n",
                      ttls[t].ttl_s, worst / 10000, worst % 10000);
    }
}

/* A weight too small for one slot an hour is answered too, as often as it should, in 128 hours. */
static void test_tiny_weight_is_not_starved(void **state)
{
    (void)state;
    struct hf_pick_candidate candidates[2] = {{0, 999}, {1, 1}};
    uint32_t tiny = 0, slots = 128 * 120;
    for (uint64_t slot = 0; slot < slots; slot++) {
        uint8_t bits = 0;
        hf_pick(candidates, 2, 8, 30, 5, slot, &bits);
        tiny += bits == 2;
    }
    assert_in_range(tiny, slots / 1000 - 2, slots / 1000 + 2);
}

/* Above an hour's TTL nothing is promised of an hour, but of 60 TTLs. */
static void test_long_ttl(void **state)
{
    (void)state;
    struct hf_pick_candidate candidates[3] = {{0, 5}, {1, 3}, {2, 2}};
    uint32_t picked[3] = {0};
    assert_int_equal(hf_pick_slots(86400), HF_PICK_SLOTS_MIN);
    for (uint64_t slot = 17; slot < 17 + HF_PICK_SLOTS_MIN; slot++) {
        uint8_t bits = 0;
        hf_pick(candidates, 3, 1, 86400, 99, slot, &bits);
        picked[0] += bits == 1;
        picked[1] += bits == 2;
        picked[2] += bits == 4;
    }
    assert_in_range(picked[0], 29, 31);
    assert_in_range(picked[1], 17, 19);
    assert_in_range(picked[2], 11, 13);
}

static void test_slots(void **state)
{
    (void)state;
    assert_int_equal(hf_pick_slots(1), 3600);
    assert_int_equal(hf_pick_slots(30), 120);
    assert_int_equal(hf_pick_slots(60), 60);
    assert_int_equal(hf_pick_slot(30, 29999), 0);
    assert_int_equal(hf_pick_slot(30, 30000), 1);
    assert_int_equal(hf_pick_slot(UINT32_MAX, UINT64_MAX),
                     UINT64_MAX / (UINT64_C(1000) * UINT32_MAX));
}

/* Neighbours with other seeds do not pick alike. */
static void test_seeds_differ(void **state)
{
    (void)state;
    struct hf_pick_candidate candidates[10];
    for (uint32_t i = 0; i < 10; i++) {
        candidates[i] = (struct hf_pick_candidate){.member = i, .weight = 1};
    }
    uint32_t per_member[10] = {0};
    for (uint32_t seed = 0; seed < 1200; seed++) {
        uint8_t bits[2] = {0, 0};
        hf_pick(candidates, 10, 1, 30, seed * UINT32_C(2654435761), 1000, bits);
        per_member[bits[0] != 0 ? __builtin_ctz(bits[0]) : 8 + __builtin_ctz(bits[1])]++;
    }
    for (uint32_t i = 0; i < 10; i++) {
        assert_in_range(per_member[i], 60, 180);
    }
}

/* The largest line: 2^20 candidates of the greatest weight stay within 64 bits. */
static void test_largest_line(void **state)
{
    (void)state;
    enum { MANY = 1 << 20 };
    static struct hf_pick_candidate candidates[MANY];
    static uint8_t bits[MANY / 8];
    for (uint32_t i = 0; i < MANY; i++) {
        candidates[i] = (struct hf_pick_candidate){.member = i, .weight = UINT16_MAX};
    }
    for (uint64_t slot = 3590; slot < 3610; slot++) {
        memset(bits, 0, sizeof bits);
        hf_pick(candidates, MANY, HF_ANSWERS_MAX, 1, UINT32_MAX, slot, bits);
        uint32_t picked = 0;
        for (uint32_t i = 0; i < MANY / 8; i++) {
            picked += (uint32_t)__builtin_popcount(bits[i]);
        }
        assert_int_equal(picked, HF_ANSWERS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),         cmocka_unit_test(test_every_pick_is_whole),
        cmocka_unit_test(test_shares),       cmocka_unit_test(test_tiny_weight_is_not_starved),
        cmocka_unit_test(test_long_ttl),     cmocka_unit_test(test_slots),
        cmocka_unit_test(test_seeds_differ), cmocka_unit_test(test_largest_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
