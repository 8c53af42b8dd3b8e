/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model: its first state, and one step. */
#include "lab/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lab/world_internal.h"

enum {
    TARGETS_MAX = 64,
    SERIAL_FIRST = 1,
};

void hf_world_broken(struct hf_world *world, const char *format, ...)
{
    va_list arguments;
    if (world->broken) {
        return;
    }
    world->broken = true;
    va_start(arguments, format);
    (void)vsnprintf(world->why, sizeof world->why, format, arguments);
    va_end(arguments);
}

uint64_t hf_world_clock(const struct hf_world *world, int32_t skew_ms)
{
    return world->now_ms + (uint64_t)(int64_t)skew_ms;
}

/* --- values that nothing else has --- */

/*
 * Fences with different generations differ anyhow: what makes a value unique has to differ from
 * those of its own generation only. Small numbers are used again as soon as nothing has them, so
 * few states differ by them alone. Taken ones are bits: eight places, by endpoint and generation,
 * of eight numbers each.
 */
enum { TOKENS = 8, PLACES = 8 };

static uint64_t place_of(uint32_t e, uint64_t gen)
{
    return (3 * e + gen) % PLACES * TOKENS;
}

static uint64_t token_bit(uint32_t e, hf_world_value value)
{
    struct hf_fence fence = hf_world_fence_of(value);
    assert(fence.gen == 0 || fence.count < TOKENS);
    return fence.gen == 0 ? 0 : UINT64_C(1) << (place_of(e, fence.gen) + fence.count);
}

static uint64_t tokens_of_zone(const struct hf_world *world, const struct hf_server_zone *zone)
{
    uint64_t used = 0;
    for (uint32_t e = 0; zone->count > 0 && e < world->shape.endpoints; e++) {
        struct hf_world_view view;
        hf_world_look(zone, e, &view);
        used |= token_bit(e, view.fence);
    }
    return used;
}

/* What a message would write is nowhere yet; whichever comes first, the others do not fit then. */
static uint64_t tokens_of_flight(const struct hf_world *world, const struct hf_world_flight *flight)
{
    uint64_t used = 0;
    for (uint32_t e = 0; flight->state != HF_FLIGHT_FREE && e < world->shape.endpoints; e++) {
        used |= token_bit(e, flight->before[e]);
    }
    return used;
}

uint64_t hf_world_tokens_of_rest(const struct hf_world *world)
{
    uint64_t used = tokens_of_zone(world, &world->zone);
    used |= world->shape.stale > 0 ? tokens_of_zone(world, &world->older) : 0;
    used |= world->shape.restarts > 0 ? tokens_of_zone(world, &world->synced) : 0;
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        used |= tokens_of_flight(world, &world->ghosts[i]);
    }
    return used | tokens_of_flight(world, &world->janitor.flight);
}

uint64_t hf_world_tokens_of(const struct hf_world *world, uint32_t number)
{
    const struct hf_world_enactor *enactor = &world->enactors[number];
    uint64_t used = 0;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        used |= token_bit(e, enactor->machine.lanes[e].fence);
    }
    for (uint32_t f = 0; f < HF_WORLD_FLIGHTS_MAX; f++) {
        used |= tokens_of_flight(world, &enactor->flights[f]);
    }
    return used;
}

uint64_t hf_world_tokens_for(const struct hf_world *world, const struct hf_world_plan *plan)
{
    uint64_t looked_at = 0;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        uint32_t gen = plan->entries[e].gen;
        looked_at |= gen == 0 ? 0 : UINT64_C(0xff) << place_of(e, gen);
    }
    return looked_at;
}

uint64_t hf_world_token(struct hf_world *world, const struct hf_world_plan *plan, uint32_t lanes)
{
    if (world->shape.random) {
        return ++world->token;
    }
    uint64_t used = world->taken | hf_world_tokens_of_rest(world);
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        used |= hf_world_tokens_of(world, i);
    }
    uint64_t here = 0; /* in one place: taken for any of the lanes */
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        here |= hf_bit8(lanes, e) ? used >> place_of(e, plan->entries[e].gen) & 0xff : 0;
    }
    uint64_t token = 0;
    while ((here >> token & 1) != 0) {
        token++;
    }
    assert(token < TOKENS);
    return token;
}

/* --- the first state --- */

static void take_bounds(struct hf_world *world, const struct hf_world_options *options)
{
    const uint32_t *bounds = &options->retires;
    for (uint32_t i = 0; i < HF_BOUND_GENERATIONS; i++) {
        world->left[i] = (uint16_t)bounds[i];
    }
    world->left[HF_BOUND_GENERATIONS] = (uint16_t)options->generations;
}

/* In step before anything happens, but for what may happen afterwards. */
static void warm_up(struct hf_world *world)
{
    bool is_at_rest = hf_world_come_to_rest(world, (1U << hf_world_own(world)) - 1);
    assert(is_at_rest);
    world->older = (struct hf_server_zone){0};
    world->synced = world->zone;
    world->saved = (struct hf_world_store){0};
}

static void init(const struct hf_model *model, void *state, uint64_t seed)
{
    const struct hf_world_options *options = model->options;
    struct hf_world *world = state;
    assert(hf_world_options_check(options) == NULL);
    memset(world, 0, sizeof *world);
    world->shape = *options;
    world->now_ms = HF_WORLD_NOW_MS;
    take_bounds(world, options);
    if (options->random) {
        hf_world_draw(world, seed);
    }
    hf_server_zone_init(&world->zone, SERIAL_FIRST);
    world->synced = world->zone;
    world->store.instance = HF_WORLD_INSTANCE;
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        memset(world->planners[p].seen, HF_VERDICT_UP, hf_world_backends(world));
        hf_world_planner_start(world, p);
    }
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        bool is_last = i == world->shape.enactors - 1;
        bool is_strange = world->shape.strangers > 0 && is_last && i > 0;
        world->enactors[i].instance = is_strange ? HF_WORLD_STRANGE : 0;
        hf_world_start(world, i, false);
    }
    if (!world->shape.cold) {
        warm_up(world);
    }
}

/* --- one step --- */

/* Whose moves they are: an enactor's own, or those of all that enactors share. */
static bool is_turn(const struct hf_world *world, uint32_t kind)
{
    bool of_enactor = kind <= HF_MOVE_STALE || (kind >= HF_MOVE_TIMER && kind < HF_MOVE_CHECK);
    return world->turn == HF_TURN_ALL || of_enactor == (world->turn == HF_TURN_ENACTORS);
}

static bool choose_move(struct hf_world *world, struct hf_choice *choice,
                        struct hf_world_move *ret_move)
{
    uint64_t targets[HF_MOVES];
    uint32_t weights[TARGETS_MAX] = {0};
    bool any = false;
    for (uint32_t kind = 0; kind < HF_MOVES; kind++) {
        bool is_on = is_turn(world, kind);
        targets[kind] = is_on ? hf_world_targets(world, (enum hf_world_move_kind)kind) : 0;
        uint32_t weight = world->shape.random ? world->weights[kind] : 1;
        weights[kind] = targets[kind] != 0 ? weight : 0;
        any = any || weights[kind] != 0;
    }
    if (!any) {
        return false;
    }
    uint32_t kind = hf_choose_weighted(choice, weights, HF_MOVES);
    memset(weights, 0, sizeof weights);
    uint32_t count = 0;
    for (uint64_t left = targets[kind]; left != 0; left &= left - 1) {
        uint32_t at = (uint32_t)__builtin_ctzll(left);
        weights[at] = hf_world_haste(world, (enum hf_world_move_kind)kind, at);
        count = at + 1;
    }
    ret_move->kind = (uint8_t)kind;
    ret_move->who = (uint8_t)hf_choose_weighted(choice, weights, count);
    ret_move->what = (uint8_t)hf_choose(
        choice,
        kind == HF_MOVE_TIME ? HF_TIMES : hf_world_edits(world, (enum hf_world_move_kind)kind));
    return true;
}

static bool may_change_zone(enum hf_world_move_kind kind)
{
    return kind <= HF_MOVE_GHOST || kind == HF_MOVE_JANITOR ||
           (kind >= HF_MOVE_EDIT && kind != HF_MOVE_DRAIN && kind != HF_MOVE_UNDRAIN);
}

enum hf_step hf_world_step(struct hf_world *world, struct hf_choice *choice)
{
    struct hf_world_move move;
    if (!choose_move(world, choice, &move)) {
        return HF_STEP_DISABLED;
    }
    uint32_t serial = hf_server_serial(&world->zone);
    world->zone_changed = false;
    hf_world_perform(world, &move);
    if (!may_change_zone((enum hf_world_move_kind)move.kind) &&
        hf_server_serial(&world->zone) != serial) {
        hf_world_broken(world, "I7: the zone changes though nobody writes");
    }
    return world->broken ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

static enum hf_step step(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    struct hf_world *world = state;
    (void)model;
    return hf_world_step(world, choice);
}

static const char *why(const struct hf_model *model, const void *state)
{
    (void)model;
    return ((const struct hf_world *)state)->why;
}

static uint64_t time_ms(const struct hf_model *model, const void *state)
{
    (void)model;
    return ((const struct hf_world *)state)->now_ms - HF_WORLD_NOW_MS;
}

const char *hf_world_options_check(const struct hf_world_options *options)
{
    if (options->enactors < 1 || options->enactors > HF_WORLD_ENACTORS_MAX) {
        return "enactors: expected 1 to 3";
    }
    if (options->planners < 1 || options->planners > HF_WORLD_PLANNERS_MAX) {
        return "planners: expected 1 or 2";
    }
    if (options->endpoints < 1 || options->endpoints > HF_WORLD_ENDPOINTS_MAX) {
        return "endpoints: expected 1 to 3";
    }
    if (options->members < 2 || options->members > HF_WORLD_MEMBERS_MAX) {
        return "members: expected 2 or 3";
    }
    if (options->batch < 1 || options->window < 1 || options->window > 4) {
        return "batch: expected at least 1; window: expected 1 to 4";
    }
    return options->canary < HF_WORLD_CANARIES ? NULL : "canary: expected 0 to 4";
}

void hf_world_model(struct hf_model *ret_model, const struct hf_world_options *options)
{
    *ret_model =
        (struct hf_model){.name = "world",
                          .options = options,
                          .parts = options->random ? NULL : hf_world_parts(options->enactors),
                          .state_size = sizeof(struct hf_world),
                          .encoded_max = hf_world_encoded_max(options),
                          .init = init,
                          .step = step,
                          .encode = hf_world_encode,
                          .decode = options->random ? NULL : hf_world_decode,
                          .heal = hf_world_heal,
                          .why = why,
                          .time_ms = time_ms,
                          .tell = hf_world_tell};
}
