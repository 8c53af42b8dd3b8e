/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arena: memory for things that live and die together (a configuration, a plan, a request).
 *
 * Allocations are never freed one by one; hf_arena_release frees all. A cap bounds the whole; an
 * allocation beyond it returns NULL, which callers report as HF_ELIMIT. When the operating system
 * has no memory left, the process aborts: there is no half-way state to mend.
 */
#ifndef HF_BASE_ARENA_H
#define HF_BASE_ARENA_H

#include <stddef.h>

struct hf_arena_block;

struct hf_arena {
    struct hf_arena_block *blocks;
    size_t used_bytes; /* handed out, padding included */
    size_t cap_bytes;
};

void hf_arena_init(struct hf_arena *arena, size_t cap_bytes);

/* Zeroed memory aligned for any type, or NULL when the cap would be passed. */
void *hf_arena_alloc(struct hf_arena *arena, size_t size);

/* The same for an array; NULL also when count * size overflows. */
void *hf_arena_array(struct hf_arena *arena, size_t count, size_t size);

/* A copy of size bytes with a NUL behind them. */
char *hf_arena_copy(struct hf_arena *arena, const void *bytes, size_t size);

/* Frees everything; the arena can be used again with the same cap. */
void hf_arena_release(struct hf_arena *arena);

#endif
