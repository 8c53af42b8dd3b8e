/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/roll.h"

void hf_roll_begin(struct hf_roll *roll, enum hf_roll_stage stage, const struct hf_bitset *lanes,
                   uint32_t offset, uint32_t share, uint32_t few_max)
{
    uint64_t first = (uint64_t)lanes->count * offset / HF_ROLL_WHOLE;
    uint64_t end = (uint64_t)lanes->count * (offset + share) / HF_ROLL_WHOLE;
    bool is_few = lanes->count <= few_max || first == end;
    roll->stage = (uint8_t)(is_few ? HF_ROLL_ALL : stage);
    roll->from = first == 0 ? 0 : hf_bitset_nth(lanes, (uint32_t)first);
    roll->end = end < lanes->count ? hf_bitset_nth(lanes, (uint32_t)end) : lanes->size;
    roll->cursor = roll->stage == HF_ROLL_HELP ? roll->end : roll->from;
}

static uint32_t next_around(const struct hf_bitset *lanes, uint32_t cursor)
{
    uint32_t lane = hf_bitset_next(lanes, cursor);
    return lane != HF_BITSET_NONE ? lane : hf_bitset_next(lanes, 0);
}

/* In a share: also what has come back behind the cursor. */

static uint32_t next_up(const struct hf_roll *roll, const struct hf_bitset *lanes)
{
    uint32_t lane = hf_bitset_next(lanes, roll->cursor);
    if (lane >= roll->end) {
        lane = hf_bitset_next(lanes, roll->from);
    }
    return lane < roll->end ? lane : HF_BITSET_NONE;
}

static uint32_t next_down(const struct hf_roll *roll, const struct hf_bitset *lanes)
{
    uint32_t lane = hf_bitset_previous(lanes, roll->cursor);
    if (lane == HF_BITSET_NONE || lane < roll->from) {
        lane = hf_bitset_previous(lanes, roll->end);
    }
    return lane != HF_BITSET_NONE && lane >= roll->from ? lane : HF_BITSET_NONE;
}

uint32_t hf_roll_next(const struct hf_roll *roll, const struct hf_bitset *lanes)
{
    switch (roll->stage) {
    case HF_ROLL_ALL:
        return next_around(lanes, roll->cursor);
    case HF_ROLL_OWN:
        return next_up(roll, lanes);
    case HF_ROLL_HELP:
        return next_down(roll, lanes);
    default:
        return HF_BITSET_NONE;
    }
}

void hf_roll_took(struct hf_roll *roll, uint32_t lane)
{
    roll->cursor = roll->stage == HF_ROLL_HELP ? lane : lane + 1;
}

bool hf_roll_is_shared(const struct hf_roll *roll)
{
    return roll->stage >= HF_ROLL_OWN;
}
