/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A planner's facts become the production machine over its fleet, and the machine its facts. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

enum { TTL_S = 30, WHOLE = 1000, CHANGED_PERMILLE = 500 };

uint32_t hf_world_backends(const struct hf_world *world)
{
    return world->shape.endpoints + world->shape.members - 1;
}

/* The first member is the endpoint's own, the others serve every endpoint. */
uint32_t hf_world_backend(const struct hf_world *world, uint32_t endpoint, uint32_t member)
{
    return member == 0 ? endpoint : world->shape.endpoints + member - 1;
}

static void build_backends(const struct hf_world *world, struct hf_world_fleet *fleet)
{
    uint32_t count = hf_world_backends(world);
    uint32_t used = 0;
    for (uint32_t b = 0; b < count; b++) {
        bool is_second_shared = b > world->shape.endpoints;
        uint8_t families = HF_FLEET_HAS_A;
        if (world->shape.random) {
            families = is_second_shared ? HF_FLEET_HAS_AAAA : HF_FLEET_HAS_A | HF_FLEET_HAS_AAAA;
        }
        fleet->backends[b] =
            (struct hf_fleet_backend){.capacity = 1, .weight = 1, .flags = families};
        fleet->user_runs[b] = (struct hf_fleet_run){.first = used};
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            if (b == e || b >= world->shape.endpoints) {
                fleet->users[used++] = e;
            }
        }
        fleet->user_runs[b].count = used - fleet->user_runs[b].first;
    }
}

/* Of two members one may leave at once, and the other is held by min_healthy: no window matters. */
uint32_t hf_world_removal_ms(const struct hf_world *world)
{
    return world->shape.members > 2 || world->shape.random ? HF_WORLD_REMOVAL_MS : 0;
}

void hf_world_fleet_build(const struct hf_world *world, struct hf_world_fleet *fleet)
{
    uint32_t members = 0;
    build_backends(world, fleet);
    fleet->policy = (struct hf_fleet_policy){.ttl_s = TTL_S,
                                             .min_healthy = 1,
                                             .max_removal_ms = hf_world_removal_ms(world),
                                             .max_removal_permille = HF_WORLD_REMOVAL_PERMILLE,
                                             .answers_max = HF_WORLD_MEMBERS_MAX};
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        fleet->endpoints[e] = (struct hf_fleet_endpoint){.octet_first = e,
                                                         .member_first = members,
                                                         .member_count = world->shape.members,
                                                         .seed = e};
        for (uint32_t i = 0; i < world->shape.members; i++) {
            fleet->members[members++] = hf_world_backend(world, e, i);
        }
    }
    fleet->fleet = (struct hf_fleet){.backends = fleet->backends,
                                     .policies = &fleet->policy,
                                     .endpoints = fleet->endpoints,
                                     .members = fleet->members,
                                     .user_runs = fleet->user_runs,
                                     .users = fleet->users,
                                     .octet_count = world->shape.endpoints,
                                     .backend_count = hf_world_backends(world),
                                     .policy_count = 1,
                                     .endpoint_count = world->shape.endpoints,
                                     .max_changed_ms = HF_WORLD_REMOVAL_MS,
                                     .max_changed_permille =
                                         hf_world_is_paced(world) ? CHANGED_PERMILLE : WHOLE};
}

static void sit_set(struct hf_bitset *set, uint32_t bits)
{
    hf_bitset_clear(set);
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        if (hf_bit8(bits, e)) {
            hf_bitset_add(set, e);
        }
    }
}

static void sit_rows(const struct hf_world *world, const struct hf_world_planner *facts,
                     struct hf_planner *machine)
{
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        machine->rows[e] = facts->rows[e];
        machine->next_rows[e] = facts->next_rows[e];
        machine->in[e] = facts->in[e];
        machine->pick_a[e] = facts->picks[e] & 15U;
        machine->pick_aaaa[e] = (uint8_t)(facts->picks[e] >> 4);
        machine->next_in[e] = facts->next_in[e];
        machine->next_pick_a[e] = facts->next_picks[e] & 15U;
        machine->next_pick_aaaa[e] = (uint8_t)(facts->next_picks[e] >> 4);
        machine->pinned[e] = facts->pins[e];
    }
    for (uint32_t b = 0; b < hf_world_backends(world); b++) {
        machine->verdicts[b] = facts->verdicts[b];
        machine->drained[b] = facts->drained[b];
    }
    sit_set(&machine->dirty, facts->dirty);
    sit_set(&machine->held, facts->held);
    sit_set(&machine->rotating, facts->rotating);
    sit_set(&machine->waiting, facts->waiting);
    sit_set(&machine->claiming, facts->claiming);
    sit_set(&machine->publishing, facts->publishing);
}

void hf_world_sit(const struct hf_world *world, uint32_t planner, struct hf_world_desk *desk)
{
    const struct hf_world_planner *facts = &world->planners[planner];
    struct hf_planner *machine = &desk->machine;
    hf_world_fleet_build(world, &desk->fleet);
    assert(hf_planner_layout(&desk->fleet.fleet) <= sizeof desk->memory);
    memset(desk->memory, 0, sizeof desk->memory);
    hf_planner_init(machine, &desk->fleet.fleet, desk->memory, facts->head_gen, &facts->changed);
    sit_rows(world, facts, machine);
    machine->publish_gen = facts->publish_gen;
    machine->planned_ms = facts->planned_ms;
    machine->ahead_gen = facts->ahead_gen;
    machine->ahead_at_ms = facts->ahead_at_ms;
    machine->oldest_gen = facts->oldest_gen;
    machine->start_ms = facts->start_ms;
    machine->now_ms = facts->now_ms;
    machine->rotated_ms = facts->rotated_ms;
    machine->wake_ms = facts->wake_ms;
    machine->claim_ms = facts->claim_ms;
    machine->ahead_count = facts->ahead_count;
    machine->op = facts->op;
    machine->next_op = facts->next_op;
    machine->hold_serial = facts->hold_serial;
    machine->frozen = facts->frozen;
    machine->stopped = facts->stopped;
    machine->reload = facts->reload;
    machine->stamp_all = facts->stamp_all;
    machine->stamping = facts->stamping;
}

static uint8_t rise_set(const struct hf_bitset *set)
{
    uint32_t bits = 0;
    for (uint32_t e = hf_bitset_next(set, 0); e != HF_BITSET_NONE; e = hf_bitset_next(set, e + 1)) {
        bits |= 1U << e;
    }
    return (uint8_t)bits;
}

static void rise_rows(const struct hf_world *world, struct hf_world_planner *facts,
                      const struct hf_planner *machine)
{
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        facts->rows[e] = machine->rows[e];
        facts->in[e] = machine->in[e];
        facts->picks[e] = (uint16_t)(machine->pick_a[e] | machine->pick_aaaa[e] << 4);
        facts->pins[e] = machine->pinned[e];
        facts->next_rows[e] = (struct hf_planner_row){0};
        facts->next_in[e] = 0;
        facts->next_picks[e] = 0;
        if (hf_bit8(facts->publishing, e)) {
            facts->next_rows[e] = machine->next_rows[e];
            facts->next_in[e] = machine->next_in[e];
            facts->next_picks[e] =
                (uint16_t)(machine->next_pick_a[e] | machine->next_pick_aaaa[e] << 4);
        }
    }
    for (uint32_t b = 0; b < hf_world_backends(world); b++) {
        facts->verdicts[b] = machine->verdicts[b];
        facts->drained[b] = machine->drained[b];
    }
}

void hf_world_rise(struct hf_world *world, uint32_t planner, const struct hf_world_desk *desk)
{
    struct hf_world_planner *facts = &world->planners[planner];
    const struct hf_planner *machine = &desk->machine;
    facts->dirty = rise_set(&machine->dirty);
    facts->held = rise_set(&machine->held);
    facts->rotating = rise_set(&machine->rotating);
    facts->waiting = rise_set(&machine->waiting);
    facts->claiming = rise_set(&machine->claiming);
    facts->publishing = rise_set(&machine->publishing);
    rise_rows(world, facts, machine);
    facts->changed = machine->changed;
    facts->head_gen = machine->head_gen;
    facts->publish_gen = machine->publish_gen;
    facts->planned_ms = machine->planned_ms;
    facts->ahead_gen = machine->ahead_gen;
    facts->ahead_at_ms = machine->ahead_at_ms;
    facts->oldest_gen = machine->oldest_gen;
    facts->start_ms = machine->start_ms;
    facts->now_ms = machine->now_ms;
    facts->rotated_ms = machine->rotated_ms;
    facts->wake_ms = machine->wake_ms;
    facts->claim_ms = machine->claim_ms;
    facts->ahead_count = machine->ahead_count;
    facts->op = machine->op;
    facts->next_op = machine->next_op;
    facts->hold_serial = machine->hold_serial;
    facts->frozen = machine->frozen;
    facts->stopped = machine->stopped;
    facts->reload = machine->reload;
    facts->stamp_all = machine->stamp_all;
    facts->stamping = machine->stamping;
}
