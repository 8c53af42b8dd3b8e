/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { INDEX_FIRST_SLOTS = 64 };

uint64_t hf_hash64(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

void hf_index_init(struct hf_index *index)
{
    *index = (struct hf_index){0};
}

void hf_index_release(struct hf_index *index)
{
    free(index->slots);
    hf_index_init(index);
}

uint32_t hf_index_find(const struct hf_index *index, const void *key, size_t key_size,
                       hf_index_equal *equal, const void *context)
{
    if (index->slot_count == 0) {
        return HF_INDEX_NONE;
    }
    uint32_t hash = (uint32_t)hf_hash64(key, key_size);
    uint32_t mask = index->slot_count - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        const struct hf_index_slot *slot = &index->slots[at];
        if (slot->row == HF_INDEX_NONE) {
            return HF_INDEX_NONE;
        }
        if (slot->hash == hash && equal(context, slot->row, key, key_size)) {
            return slot->row;
        }
    }
}

static void slot_put(struct hf_index *index, uint32_t hash, uint32_t row)
{
    uint32_t mask = index->slot_count - 1;
    uint32_t at = hash & mask;
    while (index->slots[at].row != HF_INDEX_NONE) {
        at = (at + 1) & mask;
    }
    index->slots[at] = (struct hf_index_slot){.hash = hash, .row = row};
}

static void index_grow(struct hf_index *index)
{
    struct hf_index old = *index;
    index->slot_count = old.slot_count == 0 ? INDEX_FIRST_SLOTS : old.slot_count * 2;
    index->slots = malloc(index->slot_count * sizeof(*index->slots));
    if (index->slots == NULL) {
        abort();
    }
    /* Every octet 255 makes every row HF_INDEX_NONE. */
    memset(index->slots, 0xff, index->slot_count * sizeof(*index->slots));
    for (uint32_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i].row != HF_INDEX_NONE) {
            slot_put(index, old.slots[i].hash, old.slots[i].row);
        }
    }
    free(old.slots);
}

void hf_index_add(struct hf_index *index, const void *key, size_t key_size, uint32_t row)
{
    assert(row != HF_INDEX_NONE);
    /* At most three quarters full: probes stay short. */
    if ((uint64_t)index->row_count * 4 >= (uint64_t)index->slot_count * 3) {
        index_grow(index);
    }
    slot_put(index, (uint32_t)hf_hash64(key, key_size), row);
    index->row_count++;
}
