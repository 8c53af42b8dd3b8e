/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Index: finds a row number by the hash of its key, 9 to 13 bytes a row.
 *
 * The keys stay where they are: the caller compares them. A fleet of a million names would pay
 * five times as much for a general hash table with a handle in every row.
 * Row numbers are below HF_INDEX_NONE; rows are never removed one by one.
 */
#ifndef HF_BASE_INDEX_H
#define HF_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_INDEX_NONE UINT32_MAX

struct hf_index_slot {
    uint32_t hash;
    uint32_t row;
};

struct hf_index {
    struct hf_index_slot *slots;
    uint32_t slot_count; /* without those behind the last */
    uint32_t row_count;
};

/* Says whether the row's key is the one that is looked for. */
typedef bool hf_index_equal(const void *context, uint32_t row, const void *key, size_t key_size);

void hf_index_init(struct hf_index *index);
void hf_index_release(struct hf_index *index);

/* The row with this key, or HF_INDEX_NONE. */
uint32_t hf_index_find(const struct hf_index *index, const void *key, size_t key_size,
                       hf_index_equal *equal, const void *context);

/* Makes room for this many rows in all, and no more: 9 bytes a row. */
void hf_index_reserve(struct hf_index *index, uint32_t row_count);

/* Gives back what the rows that are there do not need. */
void hf_index_trim(struct hf_index *index);

/* Adds a row whose key is not in the index yet. */
void hf_index_add(struct hf_index *index, const void *key, size_t key_size, uint32_t row);

/* A 64-bit hash (XXH3) of bytes, the same on every machine. */
uint64_t hf_hash64(const void *bytes, size_t size);

#endif
