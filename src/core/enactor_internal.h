/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the enactor share. */
#ifndef HF_CORE_ENACTOR_INTERNAL_H
#define HF_CORE_ENACTOR_INTERNAL_H

#include "core/enactor.h"

static inline enum hf_need hf_pace_need(enum hf_pace pace)
{
    static const uint8_t needs[] = {HF_NEED_WRITE, HF_NEED_CROWD, HF_NEED_FAST};
    return (enum hf_need)needs[pace];
}

static inline uint64_t hf_lane_heal_until_ms(const struct hf_lane *lane)
{
    return (uint64_t)lane->heal_until_s * 1000;
}

/* Puts the lane into the set of what it needs now. Called after every change of its facts. */
void hf_lane_settle(struct hf_enactor *enactor, uint32_t lane, uint64_t now_ms);

/* Settles again every lane of a set (the floor rose, a heal window ended). */
void hf_lane_settle_set(struct hf_enactor *enactor, enum hf_need need, uint64_t now_ms);

/* Leaves as many actions as there are slots, outbox room and leave to act. */
void hf_enactor_pump(struct hf_enactor *enactor, const struct hf_enactor_event *event,
                     struct hf_enactor_outbox *outbox);

/* The slot of an operation under way, or NULL for one that is forgotten. */
struct hf_enactor_op *hf_enactor_op_find(struct hf_enactor *enactor, uint32_t number);

/* Nothing is asked of the zone for a while that doubles with every failure. */
void hf_enactor_back_off(struct hf_enactor *enactor, const struct hf_enactor_event *event);

/* The own share was acknowledged: the zone is looked at for what others have left of theirs. */
void hf_enactor_share_done(struct hf_enactor *enactor, uint64_t now_ms);

/* Operation numbers carry their slot in the low byte: completions are found without a search. */
enum { HF_OP_SLOT_BITS = 8 };

static inline uint32_t hf_enactor_op_count(uint32_t number)
{
    return number >> HF_OP_SLOT_BITS;
}

/* Takes in the result of an operation. */
void hf_enactor_done(struct hf_enactor *enactor, const struct hf_enactor_event *event);

/* Takes in a guard that was read, or written by us. */
void hf_enactor_guard_seen(struct hf_enactor *enactor, const struct hf_zone_guard *guard,
                           uint64_t now_ms);

#endif
