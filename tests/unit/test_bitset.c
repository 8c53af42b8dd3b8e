/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bitset against an array of booleans, at every size where a word begins or ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"

enum { GUARD_WORDS = 2 }; /* behind the set's memory: must stay as they are */

struct pair {
    struct hf_bitset set;
    uint64_t *words;
    bool *model;
    uint32_t count;
};

static const uint32_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 1000000};

static struct pair pair_new(uint32_t size)
{
    struct pair pair = {0};
    size_t words = hf_bitset_words(size);
    pair.words = malloc((words + GUARD_WORDS) * sizeof(*pair.words));
    pair.model = calloc((size_t)size + 1, sizeof(*pair.model));
    assert_non_null(pair.words);
    assert_non_null(pair.model);
    memset(pair.words, 0x5a, (words + GUARD_WORDS) * sizeof(*pair.words));
    hf_bitset_init(&pair.set, pair.words, size);
    return pair;
}

static void pair_free(struct pair *pair)
{
    size_t words = hf_bitset_words(pair->set.size);
    for (size_t i = words; i < words + GUARD_WORDS; i++) {
        assert_true(pair->words[i] == UINT64_C(0x5a5a5a5a5a5a5a5a));
    }
    free(pair->words);
    free(pair->model);
}

static void model_set(struct pair *pair, uint32_t member, bool is_in)
{
    pair->count += is_in;
    pair->count -= pair->model[member];
    pair->model[member] = is_in;
}

static uint32_t model_next(const struct pair *pair, uint32_t from)
{
    for (uint32_t i = from; i < pair->set.size; i++) {
        if (pair->model[i]) {
            return i;
        }
    }
    return HF_BITSET_NONE;
}

/* All members one after another, in both ways of finding them. */
static void expect_same(const struct pair *pair)
{
    uint32_t rank = 0;
    uint32_t at = hf_bitset_next(&pair->set, 0);
    bool ranks = pair->set.size <= 5000;
    assert_int_equal(pair->set.count, pair->count);
    for (uint32_t i = 0; i < pair->set.size; i++) {
        assert_int_equal(hf_bitset_has(&pair->set, i), pair->model[i]);
        if (!pair->model[i]) {
            continue;
        }
        assert_int_equal(at, i);
        if (ranks || rank % 50021 == 0) {
            assert_int_equal(hf_bitset_nth(&pair->set, rank), i);
        }
        rank++;
        at = hf_bitset_next(&pair->set, i + 1);
    }
    uint32_t below = hf_bitset_previous(&pair->set, UINT32_MAX);
    for (uint32_t i = pair->set.size; i-- > 0;) {
        if (pair->model[i]) {
            assert_int_equal(below, i);
            below = hf_bitset_previous(&pair->set, i);
        } else if (i % 997 == 0) {
            assert_int_equal(hf_bitset_previous(&pair->set, i), below);
        }
    }
    assert_int_equal(below, HF_BITSET_NONE);
    assert_int_equal(at, HF_BITSET_NONE);
    assert_int_equal(hf_bitset_nth(&pair->set, rank), HF_BITSET_NONE);
    assert_int_equal(hf_bitset_nth(&pair->set, UINT32_MAX), HF_BITSET_NONE);
    assert_int_equal(hf_bitset_next(&pair->set, pair->set.size), HF_BITSET_NONE);
    assert_int_equal(hf_bitset_next(&pair->set, UINT32_MAX), HF_BITSET_NONE);
}

static void fill(struct pair *pair, uint32_t end)
{
    hf_bitset_fill(&pair->set, end);
    for (uint32_t i = 0; i < end; i++) {
        model_set(pair, i, true);
    }
}

static void clear(struct pair *pair)
{
    hf_bitset_clear(&pair->set);
    memset(pair->model, 0, pair->set.size * sizeof(*pair->model));
    pair->count = 0;
}

static void ends_of_every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pair pair = pair_new(sizes[i]);
        expect_same(&pair);
        if (sizes[i] > 0) {
            hf_bitset_add(&pair.set, sizes[i] - 1);
            hf_bitset_add(&pair.set, sizes[i] - 1);
            model_set(&pair, sizes[i] - 1, true);
            expect_same(&pair);
            hf_bitset_add(&pair.set, 0);
            model_set(&pair, 0, true);
            expect_same(&pair);
            hf_bitset_remove(&pair.set, sizes[i] - 1);
            hf_bitset_remove(&pair.set, sizes[i] - 1);
            model_set(&pair, sizes[i] - 1, false);
            expect_same(&pair);
        }
        fill(&pair, sizes[i]);
        expect_same(&pair);
        fill(&pair, 0);
        expect_same(&pair);
        clear(&pair);
        expect_same(&pair);
        pair_free(&pair);
    }
}

static void every_end_of_a_fill(void **state)
{
    (void)state;
    for (uint32_t end = 0; end <= 260; end++) {
        struct pair pair = pair_new(260);
        hf_bitset_add(&pair.set, 66);
        hf_bitset_add(&pair.set, 259);
        model_set(&pair, 66, true);
        model_set(&pair, 259, true);
        fill(&pair, end);
        expect_same(&pair);
        pair_free(&pair);
    }
}

/* xorshift64*: the same sequence everywhere. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static void random_step(struct pair *pair, uint64_t *seed)
{
    uint32_t size = pair->set.size;
    /* Members near each other, so that words become empty and full. */
    uint32_t member = draw(seed, 3) == 0 ? draw(seed, size) : draw(seed, size < 130 ? size : 130);
    switch (draw(seed, 20)) {
    case 0:
        fill(pair, draw(seed, size < 300 ? size + 1 : 300));
        break;
    case 1:
        if (draw(seed, 10) == 0) {
            clear(pair);
        }
        break;
    case 2:
    case 3:
    case 4:
        assert_int_equal(hf_bitset_next(&pair->set, member), model_next(pair, member));
        break;
    default:
        if (draw(seed, 5) < 2) {
            hf_bitset_add(&pair->set, member);
            model_set(pair, member, true);
        } else {
            hf_bitset_remove(&pair->set, member);
            model_set(pair, member, false);
        }
    }
}

static void random_operations(void **state)
{
    uint64_t seed = 20251020;
    (void)state;
    for (size_t i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pair pair = pair_new(sizes[i]);
        uint32_t steps = sizes[i] > 100000 ? 300 : 3000;
        for (uint32_t step = 0; step < steps; step++) {
            random_step(&pair, &seed);
            if (step % 100 == 99) {
                expect_same(&pair);
            }
        }
        pair_free(&pair);
    }
}

/* However a set came to its members, its bytes are the same: it can be compared and hashed. */
static void equal_sets_have_equal_bytes(void **state)
{
    (void)state;
    struct pair one = pair_new(4097);
    struct pair other = pair_new(4097);
    hf_bitset_fill(&one.set, 4097);
    for (uint32_t i = 0; i < 4097; i++) {
        if (i % 640 != 7) {
            hf_bitset_remove(&one.set, i);
        }
    }
    for (uint32_t i = 7; i < 4097; i += 640) {
        hf_bitset_add(&other.set, i);
    }
    assert_memory_equal(one.words, other.words, hf_bitset_words(4097) * sizeof(*one.words));
    pair_free(&one);
    pair_free(&other);
}

/* Few members of a large set are removed one by one: nothing of them stays. */
static void clearing_leaves_nothing(void **state)
{
    const uint32_t size = 1000000;
    struct pair pair = pair_new(size);
    (void)state;
    for (uint32_t count = 1; count < size / 2; count *= 7) {
        for (uint32_t i = 0; i < count; i++) {
            hf_bitset_add(&pair.set, (uint32_t)((uint64_t)i * 2654435761U % size));
        }
        hf_bitset_clear(&pair.set);
        assert_int_equal(pair.set.count, 0);
        for (size_t i = 0; i < hf_bitset_words(size); i++) {
            assert_true(pair.words[i] == 0);
        }
    }
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_of_every_size),      cmocka_unit_test(every_end_of_a_fill),
        cmocka_unit_test(random_operations),       cmocka_unit_test(equal_sets_have_equal_bytes),
        cmocka_unit_test(clearing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
