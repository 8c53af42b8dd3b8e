/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Past: records that lie in a zone and that the plan has already replaced, by lane.
 *
 * Who is to send the differences between an endpoint's old and new records needs both; the plan
 * image only holds the new ones. In a fleet in step there is nothing here and it takes no memory;
 * during a rollout it holds one set of records for each lane that is not written yet. What a change
 * costs follows from how much is kept, never from how many lanes there are.
 */
#ifndef HF_CODEC_PAST_H
#define HF_CODEC_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/records.h"

struct hf_past {
    uint32_t *slots; /* a hash table by lane: where in bytes, in 8 octets, plus one; 0: free */
    uint8_t *bytes;
    size_t size, room, dead; /* octets: used, allocated, and of them dropped */
    uint32_t slot_count, kept;
};

/* All zero is an empty one, too. */
void hf_past_init(struct hf_past *past);
void hf_past_release(struct hf_past *past);

/* Keeps a copy for the lane, in place of what it had; sum is hf_records_sum of the records. */
void hf_past_keep(struct hf_past *past, uint32_t lane, uint64_t sum,
                  const struct hf_records *records);

/* The lane's records if they have this sum; their bytes are valid until the next keep or drop. */
bool hf_past_find(const struct hf_past *past, uint32_t lane, uint64_t sum,
                  struct hf_records *ret_records);

void hf_past_drop(struct hf_past *past, uint32_t lane);

#endif
