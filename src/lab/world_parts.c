/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world as parts: each enactor, around all that they share. */
#include <assert.h>

#include "lab/world_internal.h"

static size_t split(const struct hf_model *model, const void *state, uint32_t part,
                    uint8_t *ret_bytes)
{
    (void)model;
    return part == 0 ? hf_world_encode_rest(state, ret_bytes)
                     : hf_world_encode_enactor(state, part - 1, ret_bytes);
}

static void join(const struct hf_model *model, const uint8_t *const *bytes, uint32_t count,
                 uint64_t taken, void *ret_state)
{
    struct hf_world *world = ret_state;
    hf_world_decode_init(model->options, world);
    (void)hf_world_decode_rest(bytes[0], world);
    world->shape.enactors = count - 1;
    world->taken = taken;
    for (uint32_t i = 1; i < count; i++) {
        (void)hf_world_decode_enactor(bytes[i], world, i - 1);
    }
}

/* An enactor writes what its plan says, or the one that it loads. */
static void values(const struct hf_model *model, const void *state, uint32_t part,
                   uint64_t *ret_held, uint64_t *ret_looked_at)
{
    const struct hf_world *world = state;
    (void)model;
    if (part == 0) {
        *ret_held = hf_world_tokens_of_rest(world);
        *ret_looked_at = hf_world_tokens_for(world, &world->store.plan);
    } else {
        const struct hf_world_enactor *enactor = &world->enactors[part - 1];
        *ret_held = hf_world_tokens_of(world, part - 1);
        *ret_looked_at = hf_world_tokens_for(world, &enactor->image) |
                         hf_world_tokens_for(world, &enactor->late);
    }
}

static enum hf_step step(const struct hf_model *model, void *state, bool of_rest,
                         struct hf_choice *choice)
{
    struct hf_world *world = state;
    (void)model;
    world->turn = of_rest ? HF_TURN_REST : HF_TURN_ENACTORS;
    return hf_world_step(world, choice);
}

/* Without restarts of the server, whoever knew the zone does not know it when it has changed. */
static bool forgets(const struct hf_model *model, const void *state)
{
    const struct hf_world *world = state;
    (void)model;
    return world->zone_changed && world->shape.restarts == 0;
}

const struct hf_model_parts *hf_world_parts(uint32_t enactors)
{
    static const struct hf_model_parts parts[HF_WORLD_ENACTORS_MAX] = {
        {1, split, join, values, step, forgets},
        {2, split, join, values, step, forgets},
        {3, split, join, values, step, forgets},
    };
    assert(enactors >= 1 && enactors <= HF_WORLD_ENACTORS_MAX);
    return &parts[enactors - 1];
}
