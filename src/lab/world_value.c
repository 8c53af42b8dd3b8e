/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values: kind in 3 bits, content in 9, generation or floor in 16, what makes it unique above. */
#include "lab/world_internal.h"

#include <assert.h>

enum {
    KIND_BITS = 3,
    CONTENT_AT = KIND_BITS,
    CONTENT_MASK = 0x1ff,
    GEN_AT = CONTENT_AT + 9,
    GEN_MASK = 0xffff,
    TOKEN_AT = GEN_AT + 16,
    FROZEN = 1, /* in place of a content */
};

/* Sums that the machines see: any numbers do, but the one of nothing at all. */
#define SUM_BASE UINT64_C(0x5a00)

uint64_t hf_world_sum(uint32_t content)
{
    return content == HF_CONTENT_EMPTY ? HF_SUM_EMPTY : SUM_BASE + content;
}

uint32_t hf_world_content(uint64_t sum)
{
    if (sum == HF_SUM_EMPTY || sum == 0) {
        return HF_CONTENT_EMPTY;
    }
    assert(sum > SUM_BASE && sum - SUM_BASE <= CONTENT_MASK);
    return (uint32_t)(sum - SUM_BASE);
}

static hf_world_value value(uint8_t kind, uint64_t content, uint64_t gen, uint64_t token)
{
    assert(content <= CONTENT_MASK && gen <= GEN_MASK);
    return kind | content << CONTENT_AT | gen << GEN_AT | token << TOKEN_AT;
}

/* A fence in doubt keeps what was known of it: reading back compares with that. */
hf_world_value hf_world_fence_value(const struct hf_fence *fence)
{
    bool is_ours = fence->gen != 0;
    return value(fence->kind, is_ours ? hf_world_content(fence->sum) : 0, fence->gen, fence->count);
}

struct hf_fence hf_world_fence_of(hf_world_value of)
{
    struct hf_fence fence = {.kind = hf_world_value_kind(of), .count = of >> TOKEN_AT};
    fence.gen = of >> GEN_AT & GEN_MASK;
    if (fence.gen != 0) {
        fence.sum = hf_world_sum(hf_world_value_content(of));
    }
    return fence;
}

hf_world_value hf_world_guard_value(const struct hf_zone_guard *guard)
{
    if (guard->kind != HF_FENCE_OURS) {
        return value(guard->kind, 0, 0, 0);
    }
    return value(HF_FENCE_OURS, guard->frozen ? FROZEN : 0, guard->floor, guard->instance);
}

struct hf_zone_guard hf_world_guard_of(hf_world_value of, uint32_t instance)
{
    struct hf_zone_guard guard = {.kind = hf_world_value_kind(of)};
    if (guard.kind == HF_FENCE_OURS) {
        guard.floor = of >> GEN_AT & GEN_MASK;
        guard.frozen = hf_world_value_content(of) == FROZEN;
        guard.instance = (uint32_t)(of >> TOKEN_AT);
        guard.kind = guard.instance == instance ? HF_FENCE_OURS : HF_FENCE_ALIEN;
    }
    return guard;
}

uint32_t hf_world_value_instance(hf_world_value of)
{
    return (uint32_t)(of >> TOKEN_AT);
}

uint32_t hf_world_value_gen(hf_world_value of)
{
    return (uint32_t)(of >> GEN_AT & GEN_MASK);
}

uint32_t hf_world_value_content(hf_world_value of)
{
    return (uint32_t)(of >> CONTENT_AT & CONTENT_MASK);
}

uint8_t hf_world_value_kind(hf_world_value of)
{
    return (uint8_t)(of & ((1U << KIND_BITS) - 1));
}

hf_world_value hf_world_odd_value(uint8_t kind, uint32_t token)
{
    return value(kind, 0, 0, token);
}
