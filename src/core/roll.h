/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roll: in which order one of several enactors goes through the lanes of a rollout.
 *
 * Nothing but this order divides the work. Each takes its own share first, upwards. Then it looks
 * at what is left, and helps: it takes its share of that, downwards, so that it meets as late as
 * can be who still writes there upwards; and so on until nothing is left. So the share of one that
 * is dead is divided among the others, again and again. A few lanes are nobody's share: they are
 * written in turn (core/enactor_pump.c), or by everybody at once, and the first one wins.
 *
 * Lanes are members of a set from which what was taken disappears, and to which it may return.
 */
#ifndef HF_CORE_ROLL_H
#define HF_CORE_ROLL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitset.h"

enum { HF_ROLL_WHOLE = 65536 }; /* what offsets and shares are parts of */

enum hf_roll_stage {
    HF_ROLL_NONE, /* no rollout is under way */
    HF_ROLL_ALL,  /* everything, by everybody */
    HF_ROLL_OWN,
    HF_ROLL_LOOK, /* the share is done; what is left is not known yet */
    HF_ROLL_HELP,
};

struct hf_roll {
    uint32_t cursor;    /* ALL, OWN: next lane upwards; HELP: next is below it */
    uint32_t from, end; /* share: lanes from, but not end */
    uint8_t stage;      /* enum hf_roll_stage */
};

/*
 * Starts on the share of the lanes that there are now, as OWN or as HELP; as ALL where they are at
 * most few_max, or the share is nothing.
 */
void hf_roll_begin(struct hf_roll *roll, enum hf_roll_stage stage, const struct hf_bitset *lanes,
                   uint32_t offset, uint32_t share, uint32_t few_max);

/* The lane that comes next; HF_BITSET_NONE: the share is done, or all is. */
uint32_t hf_roll_next(const struct hf_roll *roll, const struct hf_bitset *lanes);

/* The lane that came next was taken. */
void hf_roll_took(struct hf_roll *roll, uint32_t lane);

/* Whether others may be writing the same lanes in another order. */
bool hf_roll_is_shared(const struct hf_roll *roll);

#endif
