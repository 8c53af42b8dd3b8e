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

/* Where the search for a hash begins: slots are in about the order of their hashes. */
static uint32_t home_of(const struct hf_index *index, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * index->slot_count >> 32);
}

static uint32_t slot_after(const struct hf_index *index, uint32_t at)
{
    return at + 1 == index->slot_count ? 0 : at + 1;
}

uint32_t hf_index_find(const struct hf_index *index, const void *key, size_t key_size,
                       hf_index_equal *equal, const void *context)
{
    if (index->slot_count == 0) {
        return HF_INDEX_NONE;
    }
    uint32_t hash = (uint32_t)hf_hash64(key, key_size);
    for (uint32_t at = home_of(index, hash);; at = slot_after(index, at)) {
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
    uint32_t at = home_of(index, hash);
    while (index->slots[at].row != HF_INDEX_NONE) {
        at = slot_after(index, at);
    }
    index->slots[at] = (struct hf_index_slot){.hash = hash, .row = row};
}

/* At most four fifths full: probes stay short. */
static uint64_t slots_for(uint64_t rows)
{
    return rows + rows / 4 + 1;
}

static void index_resize(struct hf_index *index, uint64_t slot_count)
{
    struct hf_index old = *index;
    assert(slot_count <= UINT32_MAX);
    index->slot_count = (uint32_t)slot_count;
    index->slots = malloc(slot_count * sizeof(*index->slots));
    if (index->slots == NULL) {
        abort();
    }
    /* Every octet 255 makes every row HF_INDEX_NONE. */
    memset(index->slots, 0xff, slot_count * sizeof(*index->slots));
    for (uint32_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i].row != HF_INDEX_NONE) {
            slot_put(index, old.slots[i].hash, old.slots[i].row);
        }
    }
    free(old.slots);
}

void hf_index_reserve(struct hf_index *index, uint32_t row_count)
{
    if (slots_for(row_count) > index->slot_count) {
        index_resize(index, slots_for(row_count));
    }
}

void hf_index_trim(struct hf_index *index)
{
    if (slots_for(index->row_count) < index->slot_count) {
        index_resize(index, slots_for(index->row_count));
    }
}

void hf_index_add(struct hf_index *index, const void *key, size_t key_size, uint32_t row)
{
    assert(row != HF_INDEX_NONE);
    if (slots_for(index->row_count + 1ULL) > index->slot_count) {
        uint64_t more = index->slot_count + index->slot_count / 2;
        index_resize(index, more < INDEX_FIRST_SLOTS ? INDEX_FIRST_SLOTS : more);
    }
    slot_put(index, (uint32_t)hf_hash64(key, key_size), row);
    index->row_count++;
}
