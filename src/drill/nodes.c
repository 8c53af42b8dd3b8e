/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which nodes of a checked fleet serve: verdicts, failover of zones, velocity control, fail-open.
 * What is decided here is what the planner decides for an endpoint, by the same guards.
 */
#include <assert.h>

#include "drill/internal.h"

enum { PERMILLE = 1000 };

static struct hf_node *node_at(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    return &drill->nodes[drill->fleets[number].node_first + place];
}

static uint32_t zone_of(const struct hf_drill_fleet *facts, uint32_t place)
{
    assert(facts->zones > 0);
    return place % facts->zones;
}

static uint32_t zone_size(const struct hf_drill_fleet *facts, uint32_t zone)
{
    return (facts->nodes - zone + facts->zones - 1) / facts->zones;
}

static bool is_good(const struct hf_node *node)
{
    return (node->flags & (HF_NODE_READY | HF_NODE_FAILED)) == HF_NODE_READY;
}

void hf_nodes_account(struct hf_drill *drill, uint16_t number)
{
    struct hf_fleet_now *fleet = &drill->fleets[number];
    double removed =
        (double)(fleet->good - fleet->serving_good) / drill->scenario.fleets[number].nodes;
    if (drill->is_measuring) {
        fleet->removed_area_us += removed * (double)(drill->now_us - fleet->changed_us);
        fleet->removed_worst = removed > fleet->removed_worst ? removed : fleet->removed_worst;
    }
    fleet->changed_us = drill->now_us;
}

static void services_follow(struct hf_drill *drill, uint16_t number)
{
    for (uint16_t i = 0; i < drill->scenario.service_count; i++) {
        if (drill->scenario.services[i].fleet == number) {
            hf_service_follow(drill, i);
        }
    }
}

/* Sets flags of a node and keeps the counts of the fleet in step. */
static void set_flags(struct hf_drill *drill, uint16_t number, uint32_t place, uint8_t on,
                      uint8_t off)
{
    struct hf_fleet_now *fleet = &drill->fleets[number];
    struct hf_node *node = node_at(drill, number, place);
    hf_nodes_account(drill, number);
    bool was_in = (node->flags & HF_NODE_IN) != 0, was_good = is_good(node);
    bool was_ready = (node->flags & HF_NODE_READY) != 0;
    node->flags = (uint8_t)((node->flags & ~off) | on);
    bool in = (node->flags & HF_NODE_IN) != 0, good = is_good(node);
    fleet->serving += (uint32_t)in - (uint32_t)was_in;
    fleet->good += (uint32_t)good - (uint32_t)was_good;
    fleet->serving_good += (uint32_t)(in && good) - (uint32_t)(was_in && was_good);
    fleet->pending -= (uint32_t)((node->flags & HF_NODE_READY) != 0) - (uint32_t)was_ready;
    hf_nodes_account(drill, number);
    if ((was_in && was_good) != (in && good) || was_in != in) {
        services_follow(drill, number);
    }
}

static bool may_leave(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    if (facts->min_healthy > 0 && fleet->up < facts->min_healthy) {
        return false;
    }
    if (facts->removal_share >= 1) {
        return true;
    }
    uint64_t now_ms = drill->now_us / 1000;
    uint32_t window_ms = (uint32_t)(facts->removal_window_us / 1000);
    hf_budget_follow(&fleet->budget, window_ms, now_ms);
    uint32_t permille = (uint32_t)(facts->removal_share * PERMILLE + 0.5);
    if (hf_budget_left(&fleet->budget, facts->nodes, permille, now_ms) == 0) {
        return false;
    }
    hf_budget_book(&fleet->budget, facts->nodes, 1, 0, window_ms, now_ms);
    return true;
}

static void leave(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    struct hf_fleet_now *fleet = &drill->fleets[number];
    struct hf_node *node = node_at(drill, number, place);
    struct hf_drill_fleet_bucket *counts = &fleet->buckets[drill->bucket];
    if (!may_leave(drill, number)) {
        counts->held += (node->flags & HF_NODE_HELD) == 0;
        node->flags |= HF_NODE_HELD;
        return;
    }
    counts->left++;
    set_flags(drill, number, place, 0, HF_NODE_IN | HF_NODE_HELD);
}

static void join(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    fleet->buckets[drill->bucket].returned++;
    if (facts->removal_share < 1) {
        hf_budget_book(&fleet->budget, facts->nodes, 0, 1,
                       (uint32_t)(facts->removal_window_us / 1000), drill->now_us / 1000);
    }
    set_flags(drill, number, place, HF_NODE_IN, HF_NODE_HELD);
}

static void place_one(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    struct hf_node *node = node_at(drill, number, place);
    bool out = fleet->zone_out[zone_of(facts, place)];
    bool is_in = (node->flags & HF_NODE_IN) != 0;
    if (fleet->is_open) {
        if (!is_in) {
            join(drill, number, place);
        }
    } else if (is_in && (out || node->health.verdict == HF_VERDICT_DOWN)) {
        leave(drill, number, place);
    } else if (!is_in && !out && node->health.verdict == HF_VERDICT_UP) {
        join(drill, number, place);
    } else if (is_in) {
        node->flags &= (uint8_t)~HF_NODE_HELD;
    }
}

static void place_zone(struct hf_drill *drill, uint16_t number, uint32_t zone)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    for (uint32_t i = zone; i < facts->nodes; i += facts->zones) {
        place_one(drill, number, i);
    }
}

/* True when the zone as a whole went out or came back. */
static bool zone_changed(struct hf_drill *drill, uint16_t number, uint32_t zone)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    bool out = fleet->zone_up[zone] < fleet->zone_fail * zone_size(facts, zone);
    if (fleet->zone_fail <= 0) {
        out = false;
    }
    if (out == fleet->zone_out[zone]) {
        return false;
    }
    fleet->zone_out[zone] = out;
    fleet->failovers += out && drill->is_measuring;
    return true;
}

void hf_nodes_place(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    bool open = facts->fail_open && fleet->up == 0;
    if (open != fleet->is_open) {
        fleet->is_open = open;
        for (uint32_t i = 0; i < facts->zones; i++) {
            place_zone(drill, number, i);
        }
    }
    uint32_t zone = zone_of(facts, place);
    if (zone_changed(drill, number, zone)) {
        place_zone(drill, number, zone);
    } else {
        place_one(drill, number, place);
    }
}

void hf_nodes_failover(struct hf_drill *drill, uint16_t number, double zone_fail)
{
    drill->fleets[number].zone_fail = zone_fail;
    for (uint32_t zone = 0; zone < drill->scenario.fleets[number].zones; zone++) {
        if (zone_changed(drill, number, zone)) {
            place_zone(drill, number, zone);
        }
    }
}

static void set_up(struct hf_drill *drill, uint16_t number, uint32_t place, bool is_up, bool was_up)
{
    struct hf_fleet_now *fleet = &drill->fleets[number];
    uint32_t zone = zone_of(&drill->scenario.fleets[number], place);
    fleet->up += (uint32_t)is_up - (uint32_t)was_up;
    fleet->zone_up[zone] += (uint32_t)is_up - (uint32_t)was_up;
}

void hf_nodes_result(struct hf_drill *drill, uint32_t number)
{
    struct hf_node *node = &drill->nodes[number];
    uint16_t fleet_number = node->fleet;
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[fleet_number];
    struct hf_fleet_now *fleet = &drill->fleets[fleet_number];
    uint32_t place = number - fleet->node_first;
    enum hf_check_result result = (node->flags & HF_NODE_LATE) != 0     ? HF_CHECK_LATE
                                  : (node->flags & HF_NODE_PASSES) != 0 ? HF_CHECK_PASSED
                                                                        : HF_CHECK_FAILED;
    bool was_up = node->health.verdict == HF_VERDICT_UP;
    fleet->buckets[drill->bucket].late += result == HF_CHECK_LATE;
    fleet->checks += drill->is_measuring;
    hf_health_step(&node->health, &facts->health, result, drill->now_us / 1000);
    set_up(drill, fleet_number, place, node->health.verdict == HF_VERDICT_UP, was_up);
    hf_nodes_place(drill, fleet_number, place);
    uint64_t next_us = node->due_us + facts->interval_us;
    hf_drill_at(drill, next_us > drill->now_us ? next_us : drill->now_us, HF_EVENT_CHECK, number);
}

void hf_nodes_ready(struct hf_drill *drill, uint32_t number)
{
    struct hf_node *node = &drill->nodes[number];
    if (node->ready_us == drill->now_us) { /* not launched once more meanwhile */
        node->ready_us = HF_DRILL_NEVER;
        set_flags(drill, node->fleet, number - drill->fleets[node->fleet].node_first, HF_NODE_READY,
                  0);
    }
}

void hf_nodes_launch(struct hf_drill *drill, uint16_t number, uint32_t place)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    struct hf_node *node = node_at(drill, number, place);
    bool was_up = node->health.verdict == HF_VERDICT_UP;
    hf_health_init(&node->health);
    set_up(drill, number, place, false, was_up);
    set_flags(drill, number, place, 0, HF_NODE_READY | HF_NODE_IN | HF_NODE_HELD | HF_NODE_FAILED);
    double at_us = (double)drill->now_us;
    if (fleet->ready_per_s > 0) {
        at_us = fleet->ready_next_us > at_us ? fleet->ready_next_us : at_us;
        fleet->ready_next_us = at_us + HF_DRILL_SECOND_US / fleet->ready_per_s;
    }
    at_us += hf_rng_dist(&fleet->rng, &facts->ready);
    node->ready_us = hf_drill_after(drill, at_us - (double)drill->now_us);
    hf_drill_at(drill, node->ready_us, HF_EVENT_READY, fleet->node_first + place);
    hf_nodes_place(drill, number, place);
}

void hf_nodes_fail(struct hf_drill *drill, uint16_t number, double share)
{
    uint32_t nodes = drill->scenario.fleets[number].nodes;
    for (uint32_t i = 0; i < nodes; i++) {
        bool fails = (uint64_t)(share * (i + 1.0)) > (uint64_t)(share * i);
        set_flags(drill, number, i, fails ? HF_NODE_FAILED : 0, fails ? 0 : HF_NODE_FAILED);
    }
}

void hf_nodes_init(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[number];
    struct hf_fleet_now *fleet = &drill->fleets[number];
    fleet->zone_fail = facts->zone_fail;
    fleet->ready_per_s = facts->ready_per_s;
    fleet->serving = fleet->serving_good = fleet->good = fleet->up = facts->nodes;
    hf_nodes_checkers(drill, number, facts->checkers);
    for (uint32_t i = 0; i < facts->nodes; i++) {
        struct hf_node *node = node_at(drill, number, i);
        *node = (struct hf_node){
            .ready_us = HF_DRILL_NEVER, .fleet = number, .flags = HF_NODE_IN | HF_NODE_READY};
        hf_health_set(&node->health, HF_VERDICT_UP, 0);
        fleet->zone_up[zone_of(facts, i)]++;
        if (facts->interval_us > 0) {
            double part = (double)facts->interval_us * i / facts->nodes;
            hf_drill_at(drill, (uint64_t)part, HF_EVENT_CHECK, fleet->node_first + i);
        }
    }
}
