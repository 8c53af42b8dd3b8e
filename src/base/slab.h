/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slab: very many small pieces of memory of a few sizes, without a header for each.
 *
 * A piece is named by 32 bits instead of a pointer, and its span knows how large it is: a million
 * rows of a plan would pay 20 octets more each to malloc and for pointers. Sizes are rounded up to
 * HF_SLAB_UNIT octets; pieces of one size share spans of HF_SLAB_SPAN_BYTES, and a span whose last
 * piece is freed is given back. A piece above HF_SLAB_PIECE_MAX is memory of its own, to which a
 * small piece points. When the operating system has no memory left, the process aborts.
 * Pieces are not aligned beyond 8 octets.
 */
#ifndef HF_BASE_SLAB_H
#define HF_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
    HF_SLAB_SPAN_BYTES = 64 * 1024,
    HF_SLAB_PIECE_MAX = 512,
    HF_SLAB_UNIT = 8,
    HF_SLAB_CLASSES = HF_SLAB_PIECE_MAX / HF_SLAB_UNIT + 1,
};

struct hf_slab_span;

struct hf_slab {
    struct hf_slab_span *spans;
    uint32_t span_count, span_room;
    uint32_t idle;                  /* first of the spans without memory, number + 1; 0: none */
    uint32_t open[HF_SLAB_CLASSES]; /* first of a class with room, number + 1; 0: none */
};

void hf_slab_init(struct hf_slab *slab);
/* Frees the spans; pieces above HF_SLAB_PIECE_MAX are to be freed one by one before. */
void hf_slab_release(struct hf_slab *slab);

/* A piece of size octets (at least 1). 2^25 pieces fit, whatever their sizes; more: aborts. */
uint32_t hf_slab_alloc(struct hf_slab *slab, size_t size);
void hf_slab_free(struct hf_slab *slab, uint32_t piece);

/* Where a piece lies, until it is freed. */
void *hf_slab_at(const struct hf_slab *slab, uint32_t piece);

#endif
