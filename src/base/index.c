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

/*
 * Slots are in the order of their hashes. Where a hash would lie if it had room around is in
 * proportion to it, so the search for one begins there and ends at the first that is greater, and
 * growing copies from front to back.
 */
static uint32_t home_of(const struct hf_index *index, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * index->slot_count >> 32);
}

/* Behind the last home: for the last ones that are not at home. */
static uint64_t all_slots(uint64_t slot_count)
{
    return slot_count + slot_count / 32 + INDEX_FIRST_SLOTS;
}

uint32_t hf_index_find(const struct hf_index *index, const void *key, size_t key_size,
                       hf_index_equal *equal, const void *context)
{
    if (index->slot_count == 0) {
        return HF_INDEX_NONE;
    }
    uint32_t hash = (uint32_t)hf_hash64(key, key_size);
    const struct hf_index_slot *end = index->slots + all_slots(index->slot_count);
    for (const struct hf_index_slot *slot = index->slots + home_of(index, hash); slot < end;
         slot++) {
        if (slot->row == HF_INDEX_NONE || slot->hash > hash) {
            return HF_INDEX_NONE;
        }
        if (slot->hash == hash && equal(context, slot->row, key, key_size)) {
            return slot->row;
        }
    }
    return HF_INDEX_NONE;
}

/* Puts a row before the first slot that is empty or has a greater hash. False: no room behind. */
static bool slot_put(struct hf_index *index, uint32_t hash, uint32_t row)
{
    struct hf_index_slot *end = index->slots + all_slots(index->slot_count);
    struct hf_index_slot *slot = index->slots + home_of(index, hash);
    while (slot < end && slot->row != HF_INDEX_NONE && slot->hash <= hash) {
        slot++;
    }
    struct hf_index_slot *empty = slot;
    while (empty < end && empty->row != HF_INDEX_NONE) {
        empty++;
    }
    if (empty == end) {
        return false;
    }
    memmove(slot + 1, slot, (size_t)(empty - slot) * sizeof(*slot));
    *slot = (struct hf_index_slot){.hash = hash, .row = row};
    return true;
}

/* At most seven eighths full: searches stay short. */
static uint64_t slots_for(uint64_t rows)
{
    return rows + rows / 7 + 1;
}

/* False: not all found room. */
static bool copy_slots(struct hf_index *index, const struct hf_index *old)
{
    uint64_t old_count = old->slot_count == 0 ? 0 : all_slots(old->slot_count);
    uint64_t end = all_slots(index->slot_count);
    uint64_t next = 0;
    for (uint64_t i = 0; i < old_count; i++) {
        if (old->slots[i].row != HF_INDEX_NONE) {
            uint32_t home = home_of(index, old->slots[i].hash);
            uint64_t at = home > next ? home : next;
            if (at == end) {
                return false;
            }
            index->slots[at] = old->slots[i];
            next = at + 1;
        }
    }
    return true;
}

static void index_resize(struct hf_index *index, uint64_t slot_count)
{
    struct hf_index old = *index;
    for (bool done = false; !done; slot_count += slot_count / 2) {
        size_t size = all_slots(slot_count) * sizeof(*index->slots);
        assert(slot_count <= UINT32_MAX);
        index->slot_count = (uint32_t)slot_count;
        index->slots = malloc(size);
        if (index->slots == NULL) {
            abort();
        }
        /* Every octet 255 makes every row HF_INDEX_NONE. */
        memset(index->slots, 0xff, size);
        done = copy_slots(index, &old);
        if (!done) {
            free(index->slots);
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

static void index_grow(struct hf_index *index)
{
    uint64_t more = index->slot_count + index->slot_count / 8 * 3;
    index_resize(index, more < INDEX_FIRST_SLOTS ? INDEX_FIRST_SLOTS : more);
}

void hf_index_add(struct hf_index *index, const void *key, size_t key_size, uint32_t row)
{
    assert(row != HF_INDEX_NONE);
    uint32_t hash = (uint32_t)hf_hash64(key, key_size);
    if (slots_for(index->row_count + UINT64_C(1)) > index->slot_count) {
        index_grow(index);
    }
    while (!slot_put(index, hash, row)) {
        index_grow(index);
    }
    index->row_count++;
}
