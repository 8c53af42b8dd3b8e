/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bitset.h"

#include <assert.h>
#include <string.h>

enum { FEW = 16 }; /* words for each member that is removed by itself */

static uint32_t word_count(uint32_t size)
{
    return size / 64 + (size % 64 != 0);
}

size_t hf_bitset_words(uint32_t size)
{
    uint32_t words = word_count(size);
    return (size_t)words + word_count(words);
}

void hf_bitset_init(struct hf_bitset *set, uint64_t *words, uint32_t size)
{
    *set = (struct hf_bitset){.words = words, .size = size};
    size_t count = hf_bitset_words(size);
    if (count > 0) {
        memset(words, 0, count * sizeof(*words));
    }
}

bool hf_bitset_has(const struct hf_bitset *set, uint32_t member)
{
    assert(member < set->size);
    return (set->words[member / 64] >> (member % 64) & 1) != 0;
}

void hf_bitset_add(struct hf_bitset *set, uint32_t member)
{
    if (hf_bitset_has(set, member)) {
        return;
    }
    uint32_t word = member / 64;
    set->words[word] |= UINT64_C(1) << (member % 64);
    set->words[word_count(set->size) + word / 64] |= UINT64_C(1) << (word % 64);
    set->count++;
}

void hf_bitset_remove(struct hf_bitset *set, uint32_t member)
{
    if (!hf_bitset_has(set, member)) {
        return;
    }
    uint32_t word = member / 64;
    set->words[word] &= ~(UINT64_C(1) << (member % 64));
    if (set->words[word] == 0) {
        set->words[word_count(set->size) + word / 64] &= ~(UINT64_C(1) << (word % 64));
    }
    set->count--;
}

void hf_bitset_clear(struct hf_bitset *set)
{
    size_t words = hf_bitset_words(set->size);
    if (set->count < words / FEW) {
        for (uint32_t member = hf_bitset_next(set, 0); member != HF_BITSET_NONE;
             member = hf_bitset_next(set, member + 1)) {
            hf_bitset_remove(set, member);
        }
    } else if (words > 0) {
        memset(set->words, 0, words * sizeof(*set->words));
    }
    set->count = 0;
}

void hf_bitset_fill(struct hf_bitset *set, uint32_t end)
{
    assert(end <= set->size);
    uint32_t words = word_count(set->size);
    for (uint32_t word = 0; word * 64 < end; word++) {
        uint64_t bits = end - word * 64 >= 64 ? UINT64_MAX : (UINT64_C(1) << (end % 64)) - 1;
        set->count += (uint32_t)__builtin_popcountll(bits & ~set->words[word]);
        set->words[word] |= bits;
        set->words[words + word / 64] |= UINT64_C(1) << (word % 64);
    }
}

static uint32_t lowest_bit(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

uint32_t hf_bitset_next(const struct hf_bitset *set, uint32_t from)
{
    if (from >= set->size || set->count == 0) {
        return HF_BITSET_NONE;
    }
    uint32_t word = from / 64;
    uint64_t rest = set->words[word] & (UINT64_MAX << (from % 64));
    if (rest != 0) {
        return word * 64 + lowest_bit(rest);
    }
    uint32_t words = word_count(set->size);
    const uint64_t *summary = set->words + words;
    word++;
    for (uint32_t i = word / 64; i < word_count(words); i++) {
        uint64_t busy = summary[i];
        if (i == word / 64) {
            busy &= UINT64_MAX << (word % 64);
        }
        if (busy != 0) {
            uint32_t found = i * 64 + lowest_bit(busy);
            return found * 64 + lowest_bit(set->words[found]);
        }
    }
    return HF_BITSET_NONE;
}

static uint32_t highest_bit(uint64_t word)
{
    return 63 - (uint32_t)__builtin_clzll(word);
}

/* The bits of a word that lie below a number of one of its bits. */
static uint64_t bits_below(uint64_t word, uint32_t end)
{
    return word & ((UINT64_C(1) << (end % 64)) - 1);
}

uint32_t hf_bitset_previous(const struct hf_bitset *set, uint32_t end)
{
    uint32_t words = word_count(set->size);
    const uint64_t *summary = set->words + words;
    end = end < set->size ? end : set->size;
    if (set->count == 0) {
        return HF_BITSET_NONE;
    }
    uint32_t word = end / 64;
    uint64_t rest = end % 64 != 0 ? bits_below(set->words[word], end) : 0;
    if (rest != 0) {
        return word * 64 + highest_bit(rest);
    }
    while (word > 0) { /* whole words below this one */
        uint32_t i = (word - 1) / 64;
        uint64_t busy = word % 64 != 0 ? bits_below(summary[i], word) : summary[i];
        if (busy != 0) {
            uint32_t found = i * 64 + highest_bit(busy);
            return found * 64 + highest_bit(set->words[found]);
        }
        word = i * 64;
    }
    return HF_BITSET_NONE;
}

uint32_t hf_bitset_nth(const struct hf_bitset *set, uint32_t rank)
{
    for (uint32_t word = 0; word < word_count(set->size); word++) {
        uint64_t bits = set->words[word];
        uint32_t here = (uint32_t)__builtin_popcountll(bits);
        if (rank >= here) {
            rank -= here;
            continue;
        }
        for (; rank > 0; rank--) {
            bits &= bits - 1;
        }
        return word * 64 + lowest_bit(bits);
    }
    return HF_BITSET_NONE;
}
