/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lanes: what each endpoint needs, decided in one place from its facts. */
#include <assert.h>

#include "core/enactor_internal.h"

bool hf_lane_was_healed(const struct hf_lane *lane)
{
    switch (lane->fence.kind) {
    case HF_FENCE_UNKNOWN:
        return false; /* claimed by the plan while the write was under way: a creation */
    case HF_FENCE_OURS:
        return lane->fence.gen == lane->sent_gen;
    case HF_FENCE_ABSENT:
        return (lane->flags & HF_LANE_CLAIMED) != 0;
    default:
        return true;
    }
}

bool hf_lane_is_audited(const struct hf_lane *lane)
{
    return lane->fence.kind == HF_FENCE_OURS && lane->records == HF_RECORDS_SUM &&
           lane->records_sum == lane->fence.sum;
}

static bool records_agree(const struct hf_lane *lane, uint64_t sum)
{
    switch (lane->records) {
    case HF_RECORDS_UNKNOWN:
        return true; /* an audit will tell */
    case HF_RECORDS_NONE:
        return sum == HF_SUM_EMPTY;
    case HF_RECORDS_SUM:
        return lane->records_sum == sum;
    default:
        return false;
    }
}

/* A repair, unless there were too many of them in this window. */
static enum hf_need need_heal(const struct hf_lane *lane, uint64_t now_ms)
{
    bool worn = lane->heals >= HF_ENACTOR_HEALS_MAX && now_ms < hf_lane_heal_until_ms(lane);
    return worn ? HF_NEED_PEACE : HF_NEED_FAST;
}

/*
 * Without a fence of ours nothing says how new the records are. Where others than the plan's are
 * answered, they are replaced after the head was read once more: our plan may be an old one.
 */
static enum hf_need need_restore(const struct hf_lane *lane, uint64_t now_ms)
{
    bool is_harmless = lane->records == HF_RECORDS_NONE ||
                       (lane->records == HF_RECORDS_SUM && lane->records_sum == lane->want_sum);
    if (!is_harmless && (lane->flags & HF_LANE_AHEAD) == 0) {
        return HF_NEED_HEAD;
    }
    return need_heal(lane, now_ms);
}

static enum hf_need need_write(const struct hf_lane *lane)
{
    if ((lane->flags & HF_LANE_URGENT) == 0) {
        return HF_NEED_WRITE;
    }
    return lane->flags & HF_LANE_CROWD ? HF_NEED_CROWD : HF_NEED_FAST;
}

static enum hf_need need_under_our_fence(const struct hf_lane *lane, uint64_t now_ms)
{
    const struct hf_fence *fence = &lane->fence;
    if (fence->gen > lane->want_gen ||
        (fence->gen == lane->want_gen && fence->sum != lane->want_sum)) {
        return lane->flags & HF_LANE_AHEAD ? HF_NEED_HISTORY : HF_NEED_HEAD;
    }
    if (fence->gen < lane->want_gen) {
        return need_write(lane);
    }
    if (!records_agree(lane, fence->sum)) {
        return need_heal(lane, now_ms);
    }
    bool known = (lane->flags & (HF_LANE_CLAIMED | HF_LANE_RETIRED)) != 0;
    return known ? HF_NEED_IN_STEP : HF_NEED_CLAIM;
}

static enum hf_need need_without_fence(const struct hf_enactor *enactor, const struct hf_lane *lane,
                                       uint64_t now_ms)
{
    bool ours = (lane->flags & (HF_LANE_CLAIMED | HF_LANE_ADOPT)) != 0;
    if (lane->records == HF_RECORDS_UNKNOWN) {
        return HF_NEED_READ;
    }
    if (lane->flags & HF_LANE_RETIRED &&
        (lane->records == HF_RECORDS_NONE || lane->want_gen <= enactor->guard.floor)) {
        return HF_NEED_GONE; /* its tombstone was cleaned away, or never written */
    }
    if (lane->want_gen <= enactor->guard.floor) {
        return HF_NEED_STAMP;
    }
    if (lane->flags & HF_LANE_CLAIMED) {
        return need_restore(lane, now_ms);
    }
    if (ours || records_agree(lane, lane->want_sum) || lane->records == HF_RECORDS_NONE) {
        return need_write(lane);
    }
    return HF_NEED_ADOPT;
}

enum hf_need hf_lane_need(const struct hf_enactor *enactor, const struct hf_lane *lane,
                          uint64_t now_ms)
{
    if (lane->slot != 0) {
        return HF_NEED_BUSY;
    }
    if (lane->want_gen == 0) {
        return HF_NEED_NOTHING;
    }
    switch (lane->fence.kind) {
    case HF_FENCE_UNKNOWN:
        return HF_NEED_READ;
    case HF_FENCE_OURS:
        return need_under_our_fence(lane, now_ms);
    case HF_FENCE_ABSENT:
        return need_without_fence(enactor, lane, now_ms);
    case HF_FENCE_DAMAGED:
        if (lane->flags & (HF_LANE_CLAIMED | HF_LANE_ADOPT)) {
            return lane->want_gen <= enactor->guard.floor ? HF_NEED_STAMP
                                                          : need_restore(lane, now_ms);
        }
        return HF_NEED_ADOPT;
    default:
        assert(lane->fence.kind == HF_FENCE_ALIEN);
        if (lane->flags & HF_LANE_ADOPT) {
            return lane->want_gen <= enactor->guard.floor ? HF_NEED_STAMP : need_heal(lane, now_ms);
        }
        return HF_NEED_ADOPT;
    }
}

static bool is_in_step(uint8_t need)
{
    return need == HF_NEED_IN_STEP || need == HF_NEED_CLAIM || need == HF_NEED_GONE;
}

static bool has_set(uint8_t need)
{
    return need > HF_NEED_IN_STEP;
}

void hf_lane_settle(struct hf_enactor *enactor, uint32_t lane_number, uint64_t now_ms)
{
    struct hf_lane *lane = &enactor->lanes[lane_number];
    uint8_t need = (uint8_t)hf_lane_need(enactor, lane, now_ms);
    enactor->in_step -= is_in_step(lane->need);
    enactor->in_step += is_in_step(need);
    if (has_set(lane->need)) {
        hf_bitset_remove(&enactor->sets[lane->need], lane_number);
    }
    lane->need = need;
    if (has_set(need)) {
        hf_bitset_add(&enactor->sets[need], lane_number);
    }
    if (need == HF_NEED_PEACE && hf_lane_heal_until_ms(lane) < enactor->heal_wake_ms) {
        enactor->heal_wake_ms = hf_lane_heal_until_ms(lane);
    }
}

void hf_lane_settle_set(struct hf_enactor *enactor, enum hf_need need, uint64_t now_ms)
{
    const struct hf_bitset *set = &enactor->sets[need];
    for (uint32_t lane = hf_bitset_next(set, 0); lane != HF_BITSET_NONE;
         lane = hf_bitset_next(set, lane + 1)) {
        hf_lane_settle(enactor, lane, now_ms);
    }
}
