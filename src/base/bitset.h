/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bitset: a set of small numbers in memory that the caller provides; pure, allocates nothing.
 *
 * A summary level (one bit per word) makes "the next member from here" cheap in a set of a million
 * numbers of which few are members. Equal sets of equal size have equal bytes, so a machine that
 * keeps its work in bitsets can be compared and hashed as plain data.
 */
#ifndef HF_BASE_BITSET_H
#define HF_BASE_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_BITSET_NONE UINT32_MAX

struct hf_bitset {
    uint64_t *words; /* hf_bitset_words(size) of them: members, then summary */
    uint32_t size;   /* members are below size */
    uint32_t count;  /* members now */
};

/* How many 64-bit words a set of this size needs. */
size_t hf_bitset_words(uint32_t size);

/* An empty set over words, which must stay valid as long as the set. */
void hf_bitset_init(struct hf_bitset *set, uint64_t *words, uint32_t size);

bool hf_bitset_has(const struct hf_bitset *set, uint32_t member);
void hf_bitset_add(struct hf_bitset *set, uint32_t member);
void hf_bitset_remove(struct hf_bitset *set, uint32_t member);
void hf_bitset_clear(struct hf_bitset *set);
/* Adds every number below end (at most size) to the set. */
void hf_bitset_fill(struct hf_bitset *set, uint32_t end);

/* The smallest member at or above from, or HF_BITSET_NONE. */
uint32_t hf_bitset_next(const struct hf_bitset *set, uint32_t from);

/* The greatest member below end, or HF_BITSET_NONE. */
uint32_t hf_bitset_previous(const struct hf_bitset *set, uint32_t end);

/* The member with rank smaller members than itself, or HF_BITSET_NONE; scans the words. */
uint32_t hf_bitset_nth(const struct hf_bitset *set, uint32_t rank);

#endif
