/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Liveness: faults stop, an operator mends what only people can, and all must come to rest. */
#include <assert.h>

#include "lab/world_internal.h"

enum {
    ROUNDS = 400,
    SETTLED = 3, /* rounds in a row in which nothing is left to do */
    PLANNER_TURNS = 16,
    ROUND_MS = 8000,
    SERVES_MAX = 64,
};

/* --- before: what is late arrives or never does, and people do their part --- */

static void end_ghosts(struct hf_world *world, struct hf_choice *choice)
{
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        struct hf_world_flight ghost = world->ghosts[i];
        world->ghosts[i] = (struct hf_world_flight){0};
        if (ghost.state != HF_FLIGHT_FREE && hf_choose(choice, 2) == 0) {
            (void)hf_world_update(world, &ghost);
        }
    }
    while (world->janitor.flight.state != HF_FLIGHT_FREE) {
        hf_world_janitor_act(world);
    }
}

static void mend_guard(struct hf_world *world)
{
    hf_world_value value = hf_world_look_guard(&world->zone);
    struct hf_zone_guard guard = hf_world_guard_of(value, world->store.instance);
    bool is_new = value == HF_VALUE_ABSENT && world->store.plan.gen == 0; /* to be claimed */
    if (is_new || (guard.kind == HF_FENCE_OURS && !guard.frozen)) {
        return;
    }
    if (guard.kind != HF_FENCE_OURS) {
        guard = (struct hf_zone_guard){.kind = HF_FENCE_OURS,
                                       .instance = world->store.instance,
                                       .floor = world->store.plan.gen};
    }
    guard.frozen = false;
    hf_world_put_guard(world, hf_world_guard_value(&guard));
    hf_world_serial_up(world);
}

static void mend_planners(struct hf_world *world)
{
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        struct hf_world_planner *planner = &world->planners[p];
        for (uint32_t b = 0; b < hf_world_backends(world); b++) {
            if (planner->seen[b] != world->planners[0].seen[b]) {
                hf_world_check(world, p, b);
            }
        }
        if (planner->stopped && !planner->frozen) {
            struct hf_planner_event event = {.type = HF_PLANNER_FREEZE, .on = true};
            hf_world_planner_feed(world, p, &event);
            event.on = false;
            hf_world_planner_feed(world, p, &event);
        }
    }
}

/* All enactors of ours; those of others come last. */
uint32_t hf_world_own(const struct hf_world *world)
{
    uint32_t count = world->shape.enactors;
    while (count > 0 && hf_world_is_strange(world, count - 1)) {
        count--;
    }
    return count;
}

/* One enactor is enough. */
static uint32_t choose_alive(const struct hf_world *world, struct hf_choice *choice)
{
    uint32_t count = hf_world_own(world);
    uint32_t alive = (1U << count) - 1;
    if (world->shape.random) {
        alive &= hf_choose(choice, 1U << count) | 1U << hf_choose(choice, count);
    }
    return alive;
}

static void calm_down(struct hf_world *world, struct hf_choice *choice)
{
    world->calm = true;
    end_ghosts(world, choice);
    mend_guard(world);
    world->store.overrides.frozen = false;
    world->store.overrides.drained = 0;
    if (hf_choose(choice, 2) == 1) {
        world->store.overrides.adopted = (uint8_t)((1U << world->shape.endpoints) - 1);
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            world->sites[e].adopted = true;
        }
    }
    hf_world_store_changed(world);
    mend_planners(world);
}

/* --- fair turns --- */

static void serve_all(struct hf_world *world, uint32_t number)
{
    const struct hf_world_enactor *enactor = &world->enactors[number];
    for (uint32_t turn = 0; turn < SERVES_MAX; turn++) {
        uint32_t at = 0;
        while (at < HF_WORLD_FLIGHTS_MAX && enactor->flights[at].state == HF_FLIGHT_FREE) {
            at++;
        }
        if (at == HF_WORLD_FLIGHTS_MAX) {
            return;
        }
        if (enactor->flights[at].state == HF_FLIGHT_ANSWERED) {
            hf_world_deliver(world, number, at);
        } else {
            hf_world_serve(world, number, at, HF_MOVE_SERVE);
        }
    }
}

static void turn_enactor(struct hf_world *world, uint32_t number)
{
    serve_all(world, number);
    if (!hf_world_is_loaded(world, number)) {
        hf_world_load(world, number);
        serve_all(world, number);
    }
    for (uint32_t timer = 0; !world->shape.random && timer < HF_TIMERS; timer++) {
        if ((hf_world_timers(world, number) >> timer & 1) != 0) {
            hf_world_fire(world, number, timer);
            serve_all(world, number);
        }
    }
    if (hf_world_has_news(world, number)) {
        hf_world_report(world, number);
    }
}

static void turn_planner(struct hf_world *world, uint32_t number)
{
    for (uint32_t turn = 0; turn < PLANNER_TURNS && hf_world_planner_due(world, number); turn++) {
        hf_world_planner_act(world, number);
    }
    if (!world->shape.random && hf_world_planner_waits(world, number)) {
        hf_world_planner_wake(world, number);
    }
    for (uint32_t turn = 0; turn < PLANNER_TURNS && hf_world_planner_due(world, number); turn++) {
        hf_world_planner_act(world, number);
    }
}

static void turn(struct hf_world *world, uint32_t alive)
{
    mend_guard(world); /* a freeze that was still on its way ends, too */
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        if (hf_bit8(alive, i)) {
            turn_enactor(world, i);
        }
    }
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        turn_planner(world, p);
    }
    if (world->shape.random) {
        world->now_ms += ROUND_MS;
        hf_world_tick_all(world);
    }
}

/* --- has it come to rest where it should be? --- */

static bool is_foreign(const struct hf_world *world, uint32_t alive, uint32_t e)
{
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        if (hf_bit8(alive, i) && world->enactors[i].machine.lanes[e].need == HF_NEED_ADOPT) {
            return !hf_bit8(world->store.overrides.adopted, e);
        }
    }
    return false;
}

/* A head that nobody can read stays where there is nothing to publish over it. */
static bool is_empty(const struct hf_world *world)
{
    uint32_t all = (1U << world->shape.endpoints) - 1;
    return !hf_world_readable(&world->store, 0) && world->store.overrides.retired == all;
}

static bool is_there(const struct hf_world *world, uint32_t alive, uint32_t e)
{
    const struct hf_world_entry *entry = &world->store.plan.entries[e];
    struct hf_world_view view;
    hf_world_look(&world->zone, e, &view);
    bool is_ours = hf_world_value_kind(view.fence) == HF_FENCE_OURS;
    bool is_away = (entry->flags & HF_ROW_RETIRED) != 0 && !is_ours;
    if (entry->gen == 0 || is_empty(world)) {
        /* Forgotten: then nothing of ours may be left there. */
        return hf_bit8(world->store.overrides.retired, e) && !is_ours;
    }
    if (is_away || (!is_ours && is_foreign(world, alive, e))) {
        return true;
    }
    uint8_t records = entry->content == HF_CONTENT_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    return is_ours && hf_world_value_gen(view.fence) == entry->gen &&
           hf_world_value_content(view.fence) == entry->content && view.records == records &&
           view.content == entry->content;
}

static bool is_at_rest(const struct hf_world *world, uint32_t alive)
{
    bool is_lost = is_empty(world);
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        bool is_loaded = is_lost || hf_world_is_loaded(world, i);
        if (hf_bit8(alive, i) && (!is_loaded || hf_world_has_news(world, i))) {
            return false;
        }
    }
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        if (hf_world_planner_due(world, p)) {
            return false;
        }
    }
    if (!is_lost && !hf_world_readable(&world->store, 0)) {
        return false;
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (!is_there(world, alive, e)) {
            return false;
        }
    }
    return true;
}

bool hf_world_come_to_rest(struct hf_world *world, uint32_t alive)
{
    uint32_t settled = 0;
    for (uint32_t round = 0; round < ROUNDS && !world->broken; round++) {
        turn(world, alive);
        settled = is_at_rest(world, alive) ? settled + 1 : 0;
        if (settled == SETTLED) {
            return true;
        }
    }
    return false;
}

enum hf_step hf_world_heal(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    struct hf_world *world = state;
    (void)model;
    hf_choice_begin(choice, 0);
    calm_down(world, choice);
    uint32_t alive = choose_alive(world, choice);
    if (hf_world_come_to_rest(world, alive)) {
        return HF_STEP_TAKEN;
    }
    for (uint32_t e = 0; e < world->shape.endpoints && !world->broken; e++) {
        if (!is_there(world, alive, e)) {
            hf_world_broken(world, "I5: endpoint %u does not reach generation %u of the plan",
                            e + 1, world->store.plan.entries[e].gen);
        }
    }
    if (!world->broken) {
        hf_world_broken(world, "I5: processes do not come to rest");
    }
    return HF_STEP_BROKEN;
}
