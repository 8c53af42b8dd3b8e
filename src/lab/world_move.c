/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moves: which there are in a state, and what each does. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

enum { WHO_SHIFT = 3, WHO_MASK = 7, WHO_COUNT = 8 }; /* who: process, then which of its own */

static bool is_write(const struct hf_world_flight *flight)
{
    return flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
}

/* --- requests --- */

static bool flight_may(const struct hf_world *world, enum hf_world_move_kind kind,
                       const struct hf_world_flight *flight)
{
    bool is_sent = flight->state == HF_FLIGHT_SENT;
    switch (kind) {
    case HF_MOVE_SERVE:
        return is_sent || flight->state == HF_FLIGHT_TORN;
    case HF_MOVE_DELIVER:
        return flight->state == HF_FLIGHT_ANSWERED;
    case HF_MOVE_LATE:
    case HF_MOVE_TIMEOUT:
        return is_sent;
    case HF_MOVE_TEAR:
        return is_sent && flight->kind == HF_ENACTOR_READ && (flight->lanes != 0);
    case HF_MOVE_STALE:
        return is_sent && world->older.count > 0 &&
               (flight->kind == HF_ENACTOR_READ || flight->kind == HF_ENACTOR_READ_ZONE);
    default:
        return is_sent && is_write(flight);
    }
}

static int flight_bound(enum hf_world_move_kind kind)
{
    switch (kind) {
    case HF_MOVE_LATE:
        return HF_BOUND_LATE_REPLIES;
    case HF_MOVE_TIMEOUT:
        return HF_BOUND_TIMEOUTS;
    case HF_MOVE_TEAR:
        return HF_BOUND_TORN;
    case HF_MOVE_STALE:
        return HF_BOUND_STALE;
    case HF_MOVE_LOSE:
        return HF_BOUND_LOST_REPLIES;
    case HF_MOVE_DUPLICATE:
        return HF_BOUND_DUPLICATES;
    case HF_MOVE_UNTRUE:
        return HF_BOUND_UNTRUE;
    default:
        return -1;
    }
}

static uint64_t flights(const struct hf_world *world, enum hf_world_move_kind kind)
{
    uint64_t bits = 0;
    int bound = flight_bound(kind);
    if (bound >= 0 && world->left[bound] == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        const struct hf_world_enactor *enactor = &world->enactors[i];
        for (uint32_t f = 0; f < HF_WORLD_FLIGHTS_MAX; f++) {
            if (enactor->flights[f].state != HF_FLIGHT_FREE &&
                flight_may(world, kind, &enactor->flights[f])) {
                bits |= UINT64_C(1) << (i << WHO_SHIFT | f);
            }
        }
    }
    return bits;
}

static uint64_t ghosts(const struct hf_world *world)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        bits |= world->ghosts[i].state != HF_FLIGHT_FREE ? UINT64_C(1) << i : 0;
    }
    return bits;
}

/* --- processes --- */

static uint64_t timers(const struct hf_world *world)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        uint32_t armed = hf_world_timers(world, i);
        if (world->left[HF_BOUND_AUDITS] == 0) {
            armed &= ~(1U << HF_TIMER_AUDIT);
        }
        bits |= (uint64_t)armed << (i << WHO_SHIFT);
    }
    return bits;
}

static uint64_t enactors_where(const struct hf_world *world, enum hf_world_move_kind kind)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        bool has_plan = world->enactors[i].object != 0;
        bool may = kind == HF_MOVE_LOAD     ? !hf_world_is_loaded(world, i)
                   : kind == HF_MOVE_REPORT ? hf_world_has_news(world, i)
                   : kind == HF_MOVE_CRASH  ? world->left[HF_BOUND_CRASHES] > 0
                                            : world->left[HF_BOUND_WARM_CRASHES] > 0 && has_plan;
        bits |= may ? UINT64_C(1) << i : 0;
    }
    return bits;
}

static uint64_t planners_where(const struct hf_world *world, enum hf_world_move_kind kind)
{
    uint64_t bits = 0;
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        bool may = kind == HF_MOVE_PLANNER  ? hf_world_planner_due(world, p)
                   : kind == HF_MOVE_WINDOW ? hf_world_planner_waits(world, p)
                                            : world->left[HF_BOUND_PLANNER_ENDS] > 0;
        bits |= may ? UINT64_C(1) << p : 0;
    }
    return bits;
}

static uint64_t checks(const struct hf_world *world)
{
    uint64_t bits = 0;
    uint32_t count = world->shape.random ? world->shape.planners : 1; /* else all see alike */
    for (uint32_t p = 0; world->left[HF_BOUND_GENERATIONS] > 0 && p < count; p++) {
        bits |= ((UINT64_C(1) << hf_world_backends(world)) - 1) << (p << WHO_SHIFT);
    }
    return bits;
}

uint64_t hf_world_targets(const struct hf_world *world, enum hf_world_move_kind kind)
{
    bool has_time = world->shape.random != 0;
    if (kind <= HF_MOVE_STALE) {
        return flights(world, kind);
    }
    switch (kind) {
    case HF_MOVE_GHOST:
        return ghosts(world);
    case HF_MOVE_DROP:
        return has_time ? ghosts(world) : 0;
    case HF_MOVE_TIMER:
        return has_time ? 0 : timers(world);
    case HF_MOVE_LOAD:
    case HF_MOVE_REPORT:
    case HF_MOVE_CRASH:
    case HF_MOVE_CRASH_CACHED:
        return enactors_where(world, kind);
    case HF_MOVE_CHECK:
        return checks(world);
    case HF_MOVE_WINDOW:
        return has_time ? 0 : planners_where(world, kind);
    case HF_MOVE_PLANNER:
    case HF_MOVE_PLANNER_CRASH:
        return planners_where(world, kind);
    case HF_MOVE_JANITOR:
        return hf_world_janitor_due(world);
    case HF_MOVE_JANITOR_CRASH:
        return world->left[HF_BOUND_PLANNER_ENDS] > 0 && world->janitor.phase != HF_JANITOR_IDLE;
    case HF_MOVE_TIME:
        return has_time;
    default:
        return hf_world_people_may(world, kind);
    }
}

/* --- what they do --- */

static void crash(struct hf_world *world, uint32_t number, bool is_warm)
{
    world->left[is_warm ? HF_BOUND_WARM_CRASHES : HF_BOUND_CRASHES]--;
    hf_world_start(world, number, is_warm);
    bool reads_head = !is_warm && !world->shape.random && world->store.head != 0;
    if (reads_head && !hf_world_is_strange(world, number)) {
        hf_world_load(world, number);
    }
}

static void crash_planner(struct hf_world *world, const struct hf_world_move *move)
{
    world->left[HF_BOUND_PLANNER_ENDS]--;
    if (move->kind == HF_MOVE_JANITOR_CRASH) {
        hf_world_janitor_start(world);
    } else {
        hf_world_planner_start(world, move->who);
    }
}

static void serve(struct hf_world *world, const struct hf_world_move *move)
{
    int bound = flight_bound((enum hf_world_move_kind)move->kind);
    uint32_t number = move->who >> WHO_SHIFT, flight = move->who & WHO_MASK;
    if (bound >= 0) {
        world->left[bound]--;
    }
    if (move->kind == HF_MOVE_DELIVER) {
        hf_world_deliver(world, number, flight);
    } else {
        hf_world_serve(world, number, flight, move->kind);
    }
}

static void serve_ghost(struct hf_world *world, const struct hf_world_move *move)
{
    struct hf_world_flight ghost = world->ghosts[move->who];
    world->ghosts[move->who] = (struct hf_world_flight){0};
    if (move->kind == HF_MOVE_GHOST) {
        world->last_result = hf_world_update(world, &ghost);
    }
}

static void fire(struct hf_world *world, const struct hf_world_move *move)
{
    uint32_t timer = move->who & WHO_MASK;
    if (timer == HF_TIMER_AUDIT) {
        world->left[HF_BOUND_AUDITS]--;
    }
    hf_world_fire(world, move->who >> WHO_SHIFT, timer);
}

static void check(struct hf_world *world, const struct hf_world_move *move)
{
    world->left[HF_BOUND_GENERATIONS]--;
    hf_world_check(world, move->who >> WHO_SHIFT, move->who & WHO_MASK);
}

/* One planner alone with its store has nobody to interleave with. */
static void settle_planner(struct hf_world *world)
{
    bool is_alone = world->shape.planners == 1 && !world->shape.random;
    for (uint32_t i = 0; is_alone && hf_world_planner_due(world, 0); i++) {
        assert(i < 32);
        hf_world_planner_act(world, 0);
    }
}

static void move_process(struct hf_world *world, const struct hf_world_move *move)
{
    switch (move->kind) {
    case HF_MOVE_TIMER:
        fire(world, move);
        break;
    case HF_MOVE_LOAD:
        hf_world_load(world, move->who);
        break;
    case HF_MOVE_REPORT:
        hf_world_report(world, move->who);
        break;
    case HF_MOVE_CRASH:
    case HF_MOVE_CRASH_CACHED:
        crash(world, move->who, move->kind == HF_MOVE_CRASH_CACHED);
        break;
    case HF_MOVE_CHECK:
        check(world, move);
        break;
    case HF_MOVE_PLANNER:
        hf_world_planner_act(world, move->who);
        break;
    case HF_MOVE_WINDOW:
        hf_world_planner_wake(world, move->who);
        break;
    case HF_MOVE_JANITOR:
        hf_world_janitor_act(world);
        break;
    default:
        assert(move->kind == HF_MOVE_PLANNER_CRASH || move->kind == HF_MOVE_JANITOR_CRASH);
        crash_planner(world, move);
        break;
    }
}

void hf_world_perform(struct hf_world *world, const struct hf_world_move *move)
{
    world->last = *move;
    if (move->kind <= HF_MOVE_STALE) {
        serve(world, move);
    } else if (move->kind == HF_MOVE_GHOST || move->kind == HF_MOVE_DROP) {
        serve_ghost(world, move);
    } else if (move->kind == HF_MOVE_TIME) {
        hf_world_pass_time(world, move->what);
    } else if (move->kind < HF_MOVE_RETIRE) {
        move_process(world, move);
    } else {
        hf_world_people(world, move);
    }
    settle_planner(world);
}
