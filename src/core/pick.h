/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pick: which of an endpoint's serving addresses of one family are answered now. Pure.
 *
 * An RRset has no weights. Where there are more candidates than answers_max, or their weights
 * differ, each is picked with a frequency in proportion to its weight, without repetition, by
 * systematic sampling: the candidates lie along a line, each as long as its weight, and equally
 * spaced points choose those that they fall on. Since no address can be in an RRset twice, as few
 * points are used as keep their distance at least the longest weight.
 *
 * The points' offset takes hf_pick_slots equally spaced values, one a TTL, in an order that jumps
 * by about the golden section, so that any run of that many TTLs holds each exactly once. Each
 * candidate's frequency in such a run is therefore its exact share, more or less one slot: over any
 * hour within 1 % of all answers for a TTL of up to 36 s, within 1.7 % for one of 60 s; above that
 * within 1.7 % over 60 TTLs. From run to run the offsets move by a small part of their distance,
 * there and back, so that a weight too small for one slot is answered too, now and then, and in
 * the long run (128 runs) the shares are right to one part in 64 of a slot.
 */
#ifndef HF_CORE_PICK_H
#define HF_CORE_PICK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HF_PICK_PERIOD_S = 3600,
    HF_PICK_SLOTS_MIN = 60, /* in a run, however long the TTL */
};

struct hf_pick_candidate {
    uint32_t member; /* position in the endpoint's members */
    uint32_t weight; /* at most UINT16_MAX */
};

/*
 * How many are picked, at most answers_max (at least 1, at most HF_ANSWERS_MAX); 0 only for no
 * candidates. ret_rotates: the pick changes with time; else it is all candidates, but those of
 * weight 0 where another has one.
 */
uint32_t hf_pick_size(const struct hf_pick_candidate *candidates, uint32_t count,
                      uint32_t answers_max, bool *ret_rotates);

/* The number of distinct offsets in a run, and the number of the slot at a time. */
uint32_t hf_pick_slots(uint32_t ttl_s);
uint64_t hf_pick_slot(uint32_t ttl_s, uint64_t now_ms);

/*
 * Sets the bits of the picked members in bits (which is not cleared first). Candidates of weight
 * 0 are picked only where all are of weight 0.
 */
void hf_pick(const struct hf_pick_candidate *candidates, uint32_t count, uint32_t answers_max,
             uint32_t ttl_s, uint32_t seed, uint64_t slot, uint8_t *bits);

#endif
