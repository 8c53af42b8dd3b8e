/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time, in simulations: it passes until something is due; clocks jump. */
#include <string.h>

#include "lab/world_internal.h"

enum { JUMP_MS = 600000, STEP_MS = 20 };

static uint64_t later_of(uint64_t now_ms, uint64_t due_ms)
{
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* How long until the first process has something to do; HF_NEVER: it has not. */
static uint64_t until_due(const struct hf_world *world)
{
    uint64_t soonest = HF_NEVER;
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        struct hf_world_bench bench;
        hf_world_take(world, i, &bench);
        bench.machine.now_ms = hf_world_clock(world, world->enactors[i].skew_ms);
        uint64_t due_ms = hf_enactor_deadline_ms(&bench.machine);
        uint64_t wait_ms = due_ms == HF_NEVER ? due_ms : later_of(bench.machine.now_ms, due_ms);
        soonest = wait_ms < soonest ? wait_ms : soonest;
    }
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        const struct hf_world_planner *planner = &world->planners[p];
        if (!hf_world_planner_waits(world, p)) {
            continue;
        }
        uint64_t due_ms =
            planner->wake_ms < planner->claim_ms ? planner->wake_ms : planner->claim_ms;
        uint64_t wait_ms = later_of(hf_world_clock(world, planner->skew_ms), due_ms);
        soonest = wait_ms < soonest ? wait_ms : soonest;
    }
    return soonest;
}

/* Everybody whose time has come is ticked. */
void hf_world_tick_all(struct hf_world *world)
{
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        hf_world_tick(world, i);
    }
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        const struct hf_world_planner *planner = &world->planners[p];
        uint64_t now_ms = hf_world_clock(world, planner->skew_ms);
        bool is_due = planner->wake_ms <= now_ms || planner->claim_ms <= now_ms;
        if (is_due && hf_world_planner_waits(world, p)) {
            hf_world_planner_wake(world, p);
        }
    }
}

/*
 * Wall clocks of a lone planner and of the janitor. A clock that jumps opens windows early, by the
 * jump at most (core/guard.h): what left before it does not count any more.
 */
static void jump(struct hf_world *world, int32_t by_ms)
{
    if (world->shape.planners == 1) {
        world->planners[0].skew_ms += by_ms;
        memset(world->changed_ms, 0, sizeof world->changed_ms);
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            memset(world->sites[e].past, 0, sizeof world->sites[e].past);
        }
    }
    world->janitor.skew_ms -= by_ms;
}

void hf_world_pass_time(struct hf_world *world, uint32_t what)
{
    uint64_t wait_ms = until_due(world);
    switch (what) {
    case HF_TIME_FORWARD:
    case HF_TIME_BACK:
        jump(world, what == HF_TIME_FORWARD ? JUMP_MS : -JUMP_MS);
        break;
    case HF_TIME_A_LITTLE:
    case HF_TIME_A_LITTLE_MORE:
        world->now_ms += STEP_MS * (what - HF_TIME_BACK);
        break;
    default:
        world->now_ms += wait_ms == HF_NEVER ? STEP_MS : wait_ms + 1;
        break;
    }
    hf_world_tick_all(world);
}
