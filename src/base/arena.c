/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

struct hf_arena_block {
    struct hf_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void hf_arena_init(struct hf_arena *arena, size_t cap_bytes)
{
    *arena = (struct hf_arena){.cap_bytes = cap_bytes};
}

static struct hf_arena_block *block_new(size_t size)
{
    struct hf_arena_block *block = calloc(1, sizeof(*block) + size);
    if (block == NULL) {
        abort();
    }
    block->size = size;
    return block;
}

void *hf_arena_alloc(struct hf_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    if (size > arena->cap_bytes - arena->used_bytes) {
        return NULL;
    }
    struct hf_arena_block *block = arena->blocks;
    if (block == NULL || size > block->size - block->used) {
        struct hf_arena_block *fresh =
            block_new(size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES);
        if (block != NULL && size > ARENA_BLOCK_BYTES) {
            /* A big block goes behind the current one, whose rest stays in use. */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
    }
    void *at = block->bytes + block->used;
    block->used += size;
    arena->used_bytes += size;
    return at;
}

void *hf_arena_array(struct hf_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return hf_arena_alloc(arena, count * size);
}

char *hf_arena_copy(struct hf_arena *arena, const void *bytes, size_t size)
{
    if (size == SIZE_MAX) {
        return NULL;
    }
    char *copy = hf_arena_alloc(arena, size + 1);
    if (copy != NULL && size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

void hf_arena_release(struct hf_arena *arena)
{
    struct hf_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct hf_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
}
