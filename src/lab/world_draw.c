/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of a random world, from its seed: who lives in it, what goes wrong and how often. */
#include "lab/world_internal.h"

static uint64_t next(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static uint32_t draw(uint64_t *random, uint32_t count)
{
    return (uint32_t)(next(random) % count);
}

/* What happens in every world, and how often beside each other. */
static void draw_daily(struct hf_world *world, uint64_t *random)
{
    uint32_t *weights = world->weights;
    weights[HF_MOVE_SERVE] = 400;
    weights[HF_MOVE_DELIVER] = 100 + draw(random, 300);
    weights[HF_MOVE_GHOST] = 5 + draw(random, 40);
    weights[HF_MOVE_DROP] = 1 + draw(random, 5);
    weights[HF_MOVE_LOAD] = 20 + draw(random, 200);
    weights[HF_MOVE_REPORT] = 10 + draw(random, 60);
    weights[HF_MOVE_CHECK] = 1 + draw(random, 60);
    weights[HF_MOVE_PLANNER] = 50 + draw(random, 150);
    weights[HF_MOVE_JANITOR] = 5 + draw(random, 60);
    weights[HF_MOVE_TIME] = 50 + draw(random, 150);
    weights[HF_MOVE_RECREATE] = 4;
    weights[HF_MOVE_RELEASE] = 4;
    weights[HF_MOVE_UNDRAIN] = 4;
    weights[HF_MOVE_THAW] = 8;
    weights[HF_MOVE_APPROVE] = 2;
    weights[HF_MOVE_ADOPT] = draw(random, 2);
    weights[HF_MOVE_ADOPT_ZONE] = 2;
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        /* Some lose again and again, or sleep over many generations. */
        uint32_t slow = draw(random, 4);
        world->haste[i] = slow == 0 ? 1 : slow == 1 ? 20 : 200;
    }
}

/* Each kind of fault is there or not; its weight is drawn, and how often it may happen. */
static void draw_faults(struct hf_world *world, uint64_t *random)
{
    static const struct {
        uint8_t move, bound;
    } faults[] = {
        {HF_MOVE_LATE, HF_BOUND_LATE_REPLIES},
        {HF_MOVE_LOSE, HF_BOUND_LOST_REPLIES},
        {HF_MOVE_TIMEOUT, HF_BOUND_TIMEOUTS},
        {HF_MOVE_DUPLICATE, HF_BOUND_DUPLICATES},
        {HF_MOVE_UNTRUE, HF_BOUND_UNTRUE},
        {HF_MOVE_TEAR, HF_BOUND_TORN},
        {HF_MOVE_STALE, HF_BOUND_STALE},
        {HF_MOVE_CRASH, HF_BOUND_CRASHES},
        {HF_MOVE_CRASH_CACHED, HF_BOUND_WARM_CRASHES},
        {HF_MOVE_PLANNER_CRASH, HF_BOUND_PLANNER_ENDS},
        {HF_MOVE_JANITOR_CRASH, HF_BOUND_PLANNER_ENDS},
        {HF_MOVE_RETIRE, HF_BOUND_RETIRES},
        {HF_MOVE_ROLLBACK, HF_BOUND_ROLLBACKS},
        {HF_MOVE_DRAIN, HF_BOUND_DRAINS},
        {HF_MOVE_FREEZE, HF_BOUND_FREEZES},
        {HF_MOVE_EDIT, HF_BOUND_EDITS},
        {HF_MOVE_EDIT_GUARD, HF_BOUND_GUARD_EDITS},
        {HF_MOVE_RESTORE, HF_BOUND_RESTORES},
        {HF_MOVE_LOSE_STORE, HF_BOUND_LOST_STORES},
        {HF_MOVE_CORRUPT, HF_BOUND_CORRUPTIONS},
        {HF_MOVE_RESTART, HF_BOUND_RESTARTS},
    };
    for (uint32_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint32_t chance = draw(random, 3), weight = 1 + draw(random, 12);
        world->weights[faults[i].move] = chance == 0 ? 0 : weight;
    }
    for (uint32_t i = 0; i < HF_BOUND_GENERATIONS; i++) {
        world->left[i] = (uint16_t)draw(random, world->left[i] + 1U);
    }
    world->left[HF_BOUND_CLEANS] = UINT16_MAX;
    world->left[HF_BOUND_AUDITS] = UINT16_MAX;
}

void hf_world_draw(struct hf_world *world, uint64_t seed)
{
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    struct hf_world_options *shape = &world->shape;
    (void)next(&random);
    shape->enactors = 1 + draw(&random, shape->enactors);
    shape->planners = 1 + (draw(&random, 3) == 0 ? draw(&random, shape->planners) : 0);
    shape->endpoints = 1 + draw(&random, shape->endpoints);
    shape->members = 2 + draw(&random, shape->members - 1);
    shape->batch = 1 + draw(&random, shape->batch);
    shape->window = 1 + draw(&random, shape->window);
    shape->strangers = draw(&random, 2) & shape->strangers;
    shape->cold = draw(&random, 3) == 0;
    draw_daily(world, &random);
    draw_faults(world, &random);
    /* Wall clocks differ where that may not be mistaken for a guard that fails. */
    for (uint32_t i = 0; i < shape->enactors; i++) {
        world->enactors[i].skew_ms = (int32_t)draw(&random, 100000);
    }
    world->planners[0].skew_ms = shape->planners == 1 ? (int32_t)draw(&random, 100000) : 0;
    world->janitor.skew_ms = (int32_t)draw(&random, 1000000) - 500000;
}

/* How likely it is to be this one's turn. */
uint32_t hf_world_haste(const struct hf_world *world, enum hf_world_move_kind kind, uint32_t who)
{
    if (!world->shape.random) {
        return 1;
    }
    if (kind <= HF_MOVE_STALE) {
        return world->haste[who >> 3];
    }
    return kind == HF_MOVE_LOAD || kind == HF_MOVE_REPORT ? world->haste[who] : 1;
}
