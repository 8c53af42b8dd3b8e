/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checkers: so many checks at a time, first come, first served. */
#include "drill/internal.h"

/* The heap's first is the checker that is free the soonest; it is busy until then. */
static void busy_until(struct hf_fleet_now *fleet, uint64_t until_us)
{
    uint64_t *free_us = fleet->checker_free_us;
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= fleet->checkers) {
            break;
        }
        if (child + 1 < fleet->checkers && free_us[child + 1] < free_us[child]) {
            child++;
        }
        if (free_us[child] >= until_us) {
            break;
        }
        free_us[at] = free_us[child];
        at = child;
    }
    free_us[at] = until_us;
}

/* Checks that are under way go on; checkers that are taken away are the last of the heap. */
void hf_nodes_checkers(struct hf_drill *drill, uint16_t number, uint32_t count)
{
    struct hf_fleet_now *fleet = &drill->fleets[number];
    while (fleet->checkers < count) {
        /* Free now, which is sooner than any that is busy: to the top, others one down. */
        uint32_t at = fleet->checkers++;
        while (at > 0 && fleet->checker_free_us[(at - 1) / 2] > drill->now_us) {
            fleet->checker_free_us[at] = fleet->checker_free_us[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        fleet->checker_free_us[at] = drill->now_us;
    }
    fleet->checkers = count;
}

void hf_nodes_check(struct hf_drill *drill, uint32_t number)
{
    struct hf_node *node = &drill->nodes[number];
    const struct hf_drill_fleet *facts = &drill->scenario.fleets[node->fleet];
    struct hf_fleet_now *fleet = &drill->fleets[node->fleet];
    uint64_t free_us = fleet->checker_free_us[0];
    uint64_t begun_us = free_us > drill->now_us ? free_us : drill->now_us;
    bool is_failed = (node->flags & HF_NODE_FAILED) != 0;
    bool is_ready = (node->flags & HF_NODE_READY) != 0;
    double chance = is_failed ? 0 : is_ready ? 1 - facts->false_fail : facts->unready_pass;
    bool passes = hf_rng_chance(&fleet->rng, chance);
    double took_us = (double)facts->timeout_us;
    if (passes) {
        double drawn_us = hf_rng_dist(&fleet->rng, &facts->check);
        passes = drawn_us <= took_us;
        took_us = passes ? drawn_us : took_us;
    }
    node->due_us = drill->now_us;
    node->flags &= (uint8_t) ~(HF_NODE_PASSES | HF_NODE_LATE);
    node->flags |= passes ? HF_NODE_PASSES : 0;
    node->flags |= begun_us - drill->now_us > facts->interval_us ? HF_NODE_LATE : 0;
    uint64_t ends_us = begun_us + (uint64_t)(took_us + 0.5);
    busy_until(fleet, ends_us);
    hf_drill_at(drill, ends_us, HF_EVENT_RESULT, number);
}
