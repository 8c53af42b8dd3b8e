/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/choice.h"

#include <assert.h>

void hf_choice_begin(struct hf_choice *choice, uint32_t given_count)
{
    assert(given_count <= HF_CHOICES_MAX);
    choice->given_count = given_count;
    choice->count = 0;
}

/* A 64-bit linear congruential generator; its high bits are the good ones. */
static uint64_t draw(struct hf_choice *choice)
{
    choice->random = choice->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return choice->random >> 32;
}

static bool is_given(const struct hf_choice *choice)
{
    return choice->count < choice->given_count;
}

static uint32_t note(struct hf_choice *choice, uint32_t value, uint32_t bound)
{
    assert(choice->count < HF_CHOICES_MAX && bound <= UINT16_MAX);
    choice->given[choice->count] = (uint16_t)value;
    choice->bound[choice->count] = (uint16_t)bound;
    choice->count++;
    return value;
}

uint32_t hf_choose(struct hf_choice *choice, uint32_t bound)
{
    assert(bound >= 1);
    if (bound == 1) {
        return 0;
    }
    uint32_t value = 0;
    if (is_given(choice)) {
        value = choice->given[choice->count] % bound;
    } else if (choice->random != 0) {
        value = (uint32_t)(draw(choice) % bound);
    }
    return note(choice, value, bound);
}

/* The alternative that has rank existing ones before it. */
static uint32_t existing(const uint32_t *weights, uint32_t count, uint32_t rank)
{
    for (uint32_t i = 0; i < count; i++) {
        if (weights[i] != 0 && rank-- == 0) {
            return i;
        }
    }
    assert(!"rank is below the number of existing alternatives");
    return 0;
}

static uint32_t rank_by_weight(struct hf_choice *choice, const uint32_t *weights, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    uint64_t left = draw(choice) % sum;
    uint32_t rank = 0;
    for (uint32_t i = 0; left >= weights[i]; i++) {
        left -= weights[i];
        rank += weights[i] != 0;
    }
    return rank;
}

uint32_t hf_choose_weighted(struct hf_choice *choice, const uint32_t *weights, uint32_t count)
{
    uint32_t bound = 0;
    for (uint32_t i = 0; i < count; i++) {
        bound += weights[i] != 0;
    }
    assert(bound >= 1);
    if (bound == 1) {
        return existing(weights, count, 0);
    }
    uint32_t rank = 0;
    if (is_given(choice)) {
        rank = choice->given[choice->count] % bound;
    } else if (choice->random != 0) {
        rank = rank_by_weight(choice, weights, count);
    }
    return existing(weights, count, note(choice, rank, bound));
}

bool hf_choice_next(struct hf_choice *choice)
{
    while (choice->count > 0) {
        uint32_t last = choice->count - 1;
        if (choice->given[last] + 1 < choice->bound[last]) {
            choice->given[last]++;
            hf_choice_begin(choice, choice->count);
            return true;
        }
        choice->count = last;
    }
    return false;
}
