/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pick.h"

#include <assert.h>

#include "core/fleet.h"

enum {
    DRIFT_STEPS = 64, /* positions of the offsets within their distance, one a run */
    GOLDEN_PERMILLE = 618,
    CANDIDATES_MAX = 1 << 20, /* keeps positions along the line within 64 bits */
};

/* The line that the candidates lie along. */
struct line {
    uint64_t length;
    uint32_t longest;
    uint32_t lying; /* candidates that have a length */
    bool is_even;   /* all that have one have the same */
    bool is_flat;   /* all weights are 0, and count as 1 */
};

static struct line line_of(const struct hf_pick_candidate *candidates, uint32_t count)
{
    assert(count <= CANDIDATES_MAX);
    struct line line = {.is_even = true};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t weight = candidates[i].weight;
        assert(weight <= UINT16_MAX);
        if (weight == 0) {
            continue;
        }
        line.is_even = line.is_even && (line.lying == 0 || weight == line.longest);
        line.longest = weight > line.longest ? weight : line.longest;
        line.length += weight;
        line.lying++;
    }
    if (line.lying == 0) {
        return (struct line){
            .length = count, .longest = 1, .lying = count, .is_even = true, .is_flat = true};
    }
    return line;
}

static uint32_t size_on(const struct line *line, uint32_t answers_max)
{
    assert(answers_max >= 1 && answers_max <= HF_ANSWERS_MAX);
    uint64_t size = line->length / line->longest;
    return size < answers_max ? (uint32_t)size : answers_max;
}

uint32_t hf_pick_size(const struct hf_pick_candidate *candidates, uint32_t count,
                      uint32_t answers_max, bool *ret_rotates)
{
    struct line line = line_of(candidates, count);
    uint32_t size = size_on(&line, answers_max);
    *ret_rotates = size < line.lying;
    return size;
}

uint32_t hf_pick_slots(uint32_t ttl_s)
{
    assert(ttl_s >= 1);
    uint32_t slots = HF_PICK_PERIOD_S / ttl_s;
    return slots > HF_PICK_SLOTS_MIN ? slots : HF_PICK_SLOTS_MIN;
}

uint64_t hf_pick_slot(uint32_t ttl_s, uint64_t now_ms)
{
    assert(ttl_s >= 1);
    return now_ms / ((uint64_t)ttl_s * 1000);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t golden_step(uint32_t slots)
{
    uint32_t step = slots * GOLDEN_PERMILLE / 1000;
    while (common_divisor(step, slots) != 1) {
        step++;
    }
    return step;
}

/* Where the first point lies, in parts of the points' distance: DRIFT_STEPS * slots of them. */
static uint64_t first_point(uint32_t slots, uint32_t seed, uint64_t slot)
{
    uint64_t turn = slot + seed % slots;
    uint64_t position = turn % slots * golden_step(slots) % slots;
    uint32_t tide = (uint32_t)(turn / slots % (UINT64_C(2) * DRIFT_STEPS));
    uint32_t drift = tide < DRIFT_STEPS ? tide : 2 * DRIFT_STEPS - 1 - tide;
    return position * DRIFT_STEPS + drift;
}

static void set_bit(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] |= (uint8_t)(1U << (bit % 8));
}

/* As many points as candidates: all are equally long, and each has one. */
static void pick_all(const struct hf_pick_candidate *candidates, uint32_t count, bool is_flat,
                     uint8_t *bits)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_flat || candidates[i].weight > 0) {
            set_bit(bits, candidates[i].member);
        }
    }
}

void hf_pick(const struct hf_pick_candidate *candidates, uint32_t count, uint32_t answers_max,
             uint32_t ttl_s, uint32_t seed, uint64_t slot, uint8_t *bits)
{
    struct line line = line_of(candidates, count);
    uint32_t size = size_on(&line, answers_max);
    if (size == line.lying) {
        pick_all(candidates, count, line.is_flat, bits);
        return;
    }
    uint32_t slots = hf_pick_slots(ttl_s);
    uint64_t parts = (uint64_t)DRIFT_STEPS * slots;
    /* Lengths are multiplied by size * parts, so that all points lie on whole numbers. */
    uint64_t point = first_point(slots, seed, slot) * line.length;
    uint64_t distance = parts * line.length;
    uint64_t end = 0;
    uint32_t picked = 0;
    for (uint32_t i = 0; i < count; i++) {
        end += parts * size * (line.is_flat ? 1 : candidates[i].weight);
        if (point < end) {
            set_bit(bits, candidates[i].member);
            point += distance;
            picked++;
        }
    }
    assert(picked == size);
}
