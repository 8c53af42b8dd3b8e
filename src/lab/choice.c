/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/choice.h"

#include <assert.h>
#include <string.h>

void hf_choice_begin(struct hf_choice *choice, uint32_t given_count)
{
    assert(given_count <= HF_CHOICES_MAX);
    choice->given_count = given_count;
    choice->count = 0;
}

void hf_choice_begin_with(struct hf_choice *choice, const struct hf_schedule *schedule)
{
    memcpy(choice->given, schedule->given, schedule->count * sizeof(choice->given[0]));
    hf_choice_begin(choice, schedule->count);
}

void hf_choice_keep(const struct hf_choice *choice, struct hf_schedule *ret_schedule)
{
    uint32_t count = choice->count;
    while (count > 0 && choice->given[count - 1] == 0) {
        count--;
    }
    *ret_schedule = (struct hf_schedule){.count = (uint16_t)count};
    memcpy(ret_schedule->given, choice->given, count * sizeof(choice->given[0]));
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

static uint32_t draw_by_weight(struct hf_choice *choice, const uint32_t *weights, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    assert(sum > 0);
    uint64_t left = draw(choice) % sum;
    uint32_t at = 0;
    while (left >= weights[at]) {
        left -= weights[at++];
    }
    return at;
}

uint32_t hf_choose_weighted(struct hf_choice *choice, const uint32_t *weights, uint32_t count)
{
    uint32_t bound = count;
    while (bound > 0 && weights[bound - 1] == 0) {
        bound--;
    }
    assert(bound >= 1);
    if (count == 1) {
        return 0;
    }
    uint32_t at = 0;
    if (is_given(choice)) {
        at = choice->given[choice->count] % count;
        at = at < bound ? at : 0;
    } else if (choice->random != 0) {
        at = draw_by_weight(choice, weights, count);
    }
    while (weights[at] == 0) {
        at++; /* ends: the one before bound exists */
    }
    return note(choice, at, bound);
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
