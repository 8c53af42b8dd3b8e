/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The explorer's set of fingerprints, inside the room. Open addressing with places in proportion
 * to the fingerprint, so that it can grow in place by an eighth, and is never emptier than eight
 * tenths after its first steps: 10 octets for each state at most.
 */
#ifndef HF_LAB_EXPLORE_TABLE_H
#define HF_LAB_EXPLORE_TABLE_H

#include "lab/explore.h"

/* Places that the table takes at most. */
size_t hf_explore_table_places(uint32_t states_max);

/* The smallest table; explore->seen stands. */
void hf_explore_table_init(struct hf_explore *explore);

/* Octets in use. */
size_t hf_explore_table_size(const struct hf_explore *explore);

/* Whether it may have to grow before so many more are put in, and can. */
bool hf_explore_table_is_short(const struct hf_explore *explore, uint32_t more);

/* A table that is full is made larger by an eighth. Octets that it will take then. */
size_t hf_explore_table_next_size(const struct hf_explore *explore);
void hf_explore_table_grow(struct hf_explore *explore);

/* The place where a fingerprint would be; not 0. */
static inline uint64_t *hf_explore_table_home(const struct hf_explore *explore,
                                              uint64_t fingerprint)
{
    return explore->seen + (size_t)((fingerprint >> 32) * explore->seen_room >> 32);
}

/* True when it was not there before. The table is not full. */
static inline bool hf_explore_table_insert(struct hf_explore *explore, uint64_t fingerprint)
{
    uint64_t *at = hf_explore_table_home(explore, fingerprint);
    while (*at != 0) {
        if (*at == fingerprint) {
            return false;
        }
        at++; /* what follows the places is never full */
    }
    *at = fingerprint;
    return true;
}

#endif
