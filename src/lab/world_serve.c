/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests: what the server or the store does with one, and what comes back when. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

enum { SKIPPED_MAX = 9, LATENCY_MS = 10 };

static bool is_write(const struct hf_world_flight *flight)
{
    return flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
}

/* --- ghosts: messages that nobody waits for --- */

bool hf_world_add_ghost(struct hf_world *world, const struct hf_world_flight *flight)
{
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        struct hf_world_flight *ghost = &world->ghosts[i];
        if (ghost->state == HF_FLIGHT_FREE) {
            *ghost = *flight;
            ghost->state = HF_FLIGHT_SENT;
            ghost->op = 0;
            return true;
        }
    }
    return false; /* the network is full: it is lost */
}

/*
 * Values of fences are unique and floors do not fall: a ghost that demands one which is gone can
 * never take effect. That holds as long as the zone itself does not go back.
 */
static bool is_hopeless(const struct hf_world *world, const struct hf_world_flight *flight,
                        hf_world_value guard)
{
    bool is_floored = hf_world_value_kind(guard) == HF_FENCE_OURS &&
                      hf_world_value_kind(flight->guard) == HF_FENCE_OURS &&
                      hf_world_value_gen(flight->guard) < hf_world_value_gen(guard);
    for (uint32_t e = 0; e < world->shape.endpoints && !is_floored; e++) {
        struct hf_world_view view;
        if (!hf_bit8(flight->lanes, e) || hf_world_value_kind(flight->before[e]) != HF_FENCE_OURS) {
            continue;
        }
        hf_world_look(&world->zone, e, &view);
        is_floored = flight->before[e] != view.fence;
    }
    return is_floored;
}

void hf_world_drop_hopeless(struct hf_world *world)
{
    if (world->shape.canary != HF_WORLD_SOUND || world->shape.restarts > 0) {
        return;
    }
    hf_world_value guard = hf_world_look_guard(&world->zone);
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        struct hf_world_flight *ghost = &world->ghosts[i];
        if (ghost->state != HF_FLIGHT_FREE && is_hopeless(world, ghost, guard)) {
            *ghost = (struct hf_world_flight){0};
        }
    }
}

/* --- reading --- */

static void see_site(struct hf_world_flight *flight, const struct hf_server_zone *zone, uint32_t e)
{
    struct hf_world_view view;
    hf_world_look(zone, e, &view);
    flight->before[e] = view.fence;
    flight->records[e] = view.records;
    flight->content[e] = view.content;
}

/* The zone at one moment (AXFR), or the names of a READ that were not seen yet. */
static void see(const struct hf_world *world, struct hf_world_flight *flight,
                const struct hf_server_zone *zone)
{
    bool all = flight->kind == HF_ENACTOR_READ_ZONE;
    if (flight->state != HF_FLIGHT_TORN) {
        flight->guard = hf_world_look_guard(zone);
        flight->serial = hf_server_serial(zone);
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (all || (hf_bit8(flight->lanes, e) && !hf_bit8(flight->torn, e))) {
            see_site(flight, zone, e);
        }
    }
}

/* --- answers --- */

static void tell_site(struct hf_world *world, uint32_t number, struct hf_world_bench *bench,
                      const struct hf_world_flight *flight, uint32_t e)
{
    bool all = flight->kind == HF_ENACTOR_READ_ZONE;
    struct hf_fence fence = hf_world_fence_of(flight->before[e]);
    bool is_absent = fence.kind == HF_FENCE_ABSENT;
    struct hf_enactor_event event = {
        .type = HF_ENACTOR_EV_SEEN, .op = flight->op, .lane = e, .fence = fence};
    if (all && is_absent && flight->records[e] == HF_RECORDS_NONE) {
        return;
    }
    if (!hf_bit8(world->enactors[number].known, e)) {
        if (is_absent) {
            return;
        }
        event.type = HF_ENACTOR_EV_STRAY;
        event.gen = fence.gen;
        event.foreign = fence.kind != HF_FENCE_OURS;
    } else if (all || is_absent) {
        event.records = flight->records[e];
        event.sum = hf_world_sum(flight->content[e]);
    }
    const struct hf_lane *lane = &bench->machine.lanes[e];
    bool was_right = hf_world_is_right(world, lane, e);
    hf_world_feed(world, number, bench, &event);
    hf_world_law_news(world, lane, e, was_right);
}

static void tell(struct hf_world *world, uint32_t number, struct hf_world_bench *bench,
                 const struct hf_world_flight *flight)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_GUARD, .op = flight->op};
    event.guard = hf_world_guard_of(flight->guard, enactor->instance);
    hf_world_feed(world, number, bench, &event);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (flight->kind == HF_ENACTOR_READ_ZONE || hf_bit8(flight->lanes, e)) {
            tell_site(world, number, bench, flight, e);
        }
    }
    if (flight->kind == HF_ENACTOR_READ_ZONE) {
        enactor->serial = flight->serial;
        enactor->skipped = 0;
    }
}

/* The end of an operation, as the flight says; the flight is over. */
static void answer(struct hf_world *world, uint32_t number, uint32_t at)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_flight flight = enactor->flights[at];
    struct hf_world_bench bench;
    world->last_result = flight.result;
    if (flight.kind == HF_ENACTOR_HEAD) {
        hf_world_answer_head(world, number, at);
        return;
    }
    hf_world_take(world, number, &bench);
    enactor->flights[at] = (struct hf_world_flight){0};
    bool has_seen = !is_write(&flight) && flight.result == HF_RESULT_OK && !flight.unchanged;
    if (has_seen) {
        tell(world, number, &bench, &flight);
    }
    struct hf_enactor_event done = {.type = HF_ENACTOR_EV_DONE,
                                    .op = flight.op,
                                    .result = flight.result,
                                    .latency_ms = LATENCY_MS,
                                    .unchanged = flight.unchanged};
    hf_world_feed(world, number, &bench, &done);
    hf_world_law_doubt(world, &bench.machine, &flight);
    hf_world_law_healed(world, number, &flight);
    hf_world_lay(world, number, &bench);
}

void hf_world_deliver(struct hf_world *world, uint32_t number, uint32_t at)
{
    assert(world->enactors[number].flights[at].state == HF_FLIGHT_ANSWERED);
    answer(world, number, at);
}

/* --- serving --- */

/* What a read or the store gives back; the flight then holds it. */
static void serve_read(struct hf_world *world, struct hf_world_enactor *enactor,
                       struct hf_world_flight *flight, const struct hf_server_zone *zone)
{
    flight->result = HF_RESULT_OK;
    if (flight->kind == HF_ENACTOR_HEAD) {
        bool readable = flight->stranger || hf_world_readable(&world->store, enactor->object);
        flight->result = readable ? HF_RESULT_OK : HF_RESULT_UNKNOWN;
        enactor->late = world->store.plan;
        enactor->late_object = world->store.head;
        return;
    }
    flight->unchanged = flight->kind == HF_ENACTOR_READ_ZONE && !flight->whole &&
                        enactor->serial != 0 && enactor->serial == hf_server_serial(zone) &&
                        enactor->skipped < SKIPPED_MAX;
    enactor->skipped += flight->unchanged;
    if (!flight->unchanged) {
        see(world, flight, zone);
    }
}

static void tear(struct hf_world *world, struct hf_world_flight *flight)
{
    see(world, flight, &world->zone);
    flight->state = HF_FLIGHT_TORN;
    flight->torn = flight->lanes & (uint8_t)-flight->lanes; /* the first of them */
}

void hf_world_serve(struct hf_world *world, uint32_t number, uint32_t at, uint8_t how)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_flight *flight = &enactor->flights[at];
    if (how == HF_MOVE_DUPLICATE) {
        (void)hf_world_add_ghost(world, flight);
        return;
    }
    if (how == HF_MOVE_TEAR) {
        tear(world, flight);
        return;
    }
    if (how == HF_MOVE_TIMEOUT) {
        if (is_write(flight)) {
            (void)hf_world_add_ghost(world, flight);
        }
        flight->result = HF_RESULT_UNKNOWN;
    } else if (how == HF_MOVE_UNTRUE) {
        flight->result = HF_RESULT_REFUSED;
    } else if (is_write(flight)) {
        flight->result = hf_world_update(world, flight);
        world->last_result = flight->result;
    } else {
        serve_read(world, enactor, flight, how == HF_MOVE_STALE ? &world->older : &world->zone);
    }
    if (how == HF_MOVE_LOSE) {
        flight->result = HF_RESULT_UNKNOWN;
    }
    if (how == HF_MOVE_LATE) {
        flight->state = HF_FLIGHT_ANSWERED;
    } else {
        answer(world, number, at);
    }
}
