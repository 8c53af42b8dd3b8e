/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Renewals without an event each. The k-th of a cell's n holders renews at k/n of the period, over
 * and over. Whether the cell can renew changes seldom; the stretches in which it could are
 * remembered, and when a stretch ends, the last renewal of each holder in it is known: one after
 * the other, in the order in which they renewed, is looked at again a lifetime later.
 *
 * Times are the manager's own: a period ahead, so that renewals before the run have a time as well.
 */
#include <assert.h>

#include "drill/internal.h"

static const struct hf_drill_manager *facts_of(const struct hf_drill *drill,
                                               const struct hf_cell *cell)
{
    return &drill->scenario.managers[cell->manager];
}

static uint64_t phase_us(uint64_t period_us, uint32_t place, uint32_t holders)
{
    return (uint64_t)((double)period_us * place / holders);
}

/* The last time at or before at_us that holder place renews, or would; 0: none. */
static uint64_t turn_before(uint64_t period_us, uint64_t phase, uint64_t at_us)
{
    return at_us < phase ? 0 : phase + (at_us - phase) / period_us * period_us;
}

static struct hf_stretch *stretch_at(struct hf_cell *cell, uint32_t number)
{
    return &cell->up[number % HF_DRILL_HISTORY];
}

uint64_t hf_cell_renewed_us(const struct hf_drill *drill, const struct hf_cell *cell,
                            uint32_t place)
{
    uint64_t period_us = facts_of(drill, cell)->period_us;
    uint64_t phase = phase_us(period_us, place, cell->holders);
    uint64_t now_us = drill->now_us + period_us;
    uint32_t known = cell->up_count < HF_DRILL_HISTORY ? cell->up_count : HF_DRILL_HISTORY;
    for (uint32_t i = 1; i <= known; i++) {
        const struct hf_stretch *stretch = &cell->up[(cell->up_count - i) % HF_DRILL_HISTORY];
        if (stretch->to_us == stretch->from_us) {
            continue;
        }
        uint64_t until_us = stretch->to_us == HF_DRILL_NEVER ? now_us : stretch->to_us - 1;
        uint64_t turn_us = turn_before(period_us, phase, until_us);
        if (turn_us >= stretch->from_us) {
            return turn_us;
        }
    }
    return 0;
}

static uint64_t turn_us(const struct hf_drill *drill, const struct hf_cell *cell)
{
    uint64_t period_us = facts_of(drill, cell)->period_us;
    return cell->lapse_round * period_us + phase_us(period_us, cell->lapse_place, cell->holders);
}

static void next_turn(struct hf_cell *cell)
{
    cell->lapse_place++;
    if (cell->lapse_place == cell->holders) {
        cell->lapse_place = 0;
        cell->lapse_round++;
    }
}

/* The first turn of the last period of a stretch. */
static void begin_stretch(const struct hf_drill *drill, struct hf_cell *cell)
{
    const struct hf_stretch *stretch = stretch_at(cell, cell->lapse_stretch);
    uint64_t period_us = facts_of(drill, cell)->period_us;
    uint64_t from_us = stretch->to_us > period_us ? stretch->to_us - period_us : 0;
    from_us = from_us > stretch->from_us ? from_us : stretch->from_us;
    cell->lapse_round = from_us / period_us;
    double place = (double)(from_us % period_us) * cell->holders / (double)period_us;
    cell->lapse_place = place < cell->holders ? (uint32_t)place : cell->holders - 1;
    while (turn_us(drill, cell) < from_us) {
        next_turn(cell);
    }
}

/* Since every holder of it has renewed again, nothing of an old stretch matters. */
static bool is_past(const struct hf_drill *drill, const struct hf_cell *cell)
{
    const struct hf_stretch *last = &cell->up[(cell->up_count - 1) % HF_DRILL_HISTORY];
    return last->to_us == HF_DRILL_NEVER && drill->now_us >= last->from_us;
}

static void schedule(struct hf_drill *drill, uint32_t number)
{
    struct hf_cell *cell = &drill->cells[number];
    const struct hf_drill_manager *facts = facts_of(drill, cell);
    while (cell->lapse_stretch < cell->up_count) {
        const struct hf_stretch *stretch = stretch_at(cell, cell->lapse_stretch);
        if (stretch->to_us == HF_DRILL_NEVER) {
            return;
        }
        uint64_t at_us = turn_us(drill, cell);
        if (at_us < stretch->to_us && !is_past(drill, cell)) {
            cell->is_lapsing = true;
            hf_drill_at(drill, at_us + facts->lifetime_us - facts->period_us, HF_EVENT_LAPSE,
                        number);
            return;
        }
        cell->lapse_stretch++;
        const struct hf_stretch *next = stretch_at(cell, cell->lapse_stretch);
        if (cell->lapse_stretch < cell->up_count && next->to_us != HF_DRILL_NEVER) {
            begin_stretch(drill, cell);
        }
    }
}

void hf_cell_lapse(struct hf_drill *drill, uint32_t number)
{
    struct hf_cell *cell = &drill->cells[number];
    const struct hf_drill_manager *facts = facts_of(drill, cell);
    uint32_t op =
        drill->managers[cell->manager].op_first + cell->number + cell->lapse_place * facts->cells;
    uint64_t now_us = drill->now_us + facts->period_us;
    cell->is_lapsing = false;
    if (drill->ops[op].state == HF_OP_HELD) {
        uint64_t renewed_us = hf_cell_renewed_us(drill, cell, cell->lapse_place);
        uint64_t begun_us = drill->ops[op].begun_us;
        uint64_t from_us = renewed_us > begun_us ? renewed_us : begun_us;
        if (from_us + facts->lifetime_us <= now_us) {
            hf_manager_lapsed(drill, op);
        }
    }
    next_turn(cell);
    schedule(drill, number);
}

static void turn_up(struct hf_drill *drill, uint32_t number)
{
    struct hf_cell *cell = &drill->cells[number];
    uint64_t now_us = drill->now_us + facts_of(drill, cell)->period_us;
    cell->is_up = true;
    bool is_full = cell->up_count - cell->lapse_stretch >= HF_DRILL_HISTORY - 1;
    struct hf_stretch *last = stretch_at(cell, cell->up_count - 1);
    if (cell->up_count > 0 && (is_full || last->to_us == now_us)) {
        last->to_us = HF_DRILL_NEVER; /* a gap too many, or none: it counts as up */
    } else {
        *stretch_at(cell, cell->up_count++) =
            (struct hf_stretch){.from_us = now_us, .to_us = HF_DRILL_NEVER};
    }
    hf_manager_cell_up(drill, cell);
}

static void turn_down(struct hf_drill *drill, uint32_t number)
{
    struct hf_cell *cell = &drill->cells[number];
    cell->is_up = false;
    stretch_at(cell, cell->up_count - 1)->to_us = drill->now_us + facts_of(drill, cell)->period_us;
    if (!cell->is_lapsing) {
        if (cell->lapse_stretch + 1 == cell->up_count) {
            begin_stretch(drill, cell);
        }
        schedule(drill, number);
    }
}

/* Asks for the name, or goes on over the connection that it has; tells when to look again. */
static bool can_reach(struct hf_drill *drill, struct hf_cell *cell, uint64_t *ret_again_us)
{
    const struct hf_drill_call *renew = &facts_of(drill, cell)->renew;
    const struct hf_drill_service_now *service =
        &drill->services[facts_of(drill, cell)->claim.service];
    *ret_again_us = HF_DRILL_NEVER;
    if (drill->now_us < service->down_until_us) {
        cell->pool_until_us = 0;
        return false; /* UP looks again */
    }
    if (renew->name == HF_DRILL_NONE) {
        return true;
    }
    if (drill->now_us < cell->pool_until_us) {
        *ret_again_us = cell->pool_until_us;
        return true;
    }
    struct hf_lookup lookup = hf_resolver_ask(drill, renew->resolver, cell->number, renew->name);
    uint64_t turn_us = facts_of(drill, cell)->period_us / cell->holders;
    uint64_t pause_us = turn_us > HF_DRILL_CELL_PAUSE_US ? turn_us : HF_DRILL_CELL_PAUSE_US;
    *ret_again_us = drill->now_us + (lookup.left_us > pause_us ? lookup.left_us : pause_us);
    struct hf_rng *rng = &drill->managers[cell->manager].rng;
    bool reaches = lookup.seen == HF_SEEN_RIGHT || lookup.seen == HF_SEEN_LATE ||
                   (lookup.seen == HF_SEEN_OLD &&
                    hf_rng_chance(rng, drill->scenario.names[renew->name].stale_works));
    if (reaches && renew->pool_max > 0) {
        double life_us = (double)renew->connection_us;
        cell->pool_until_us = life_us > 0
                                  ? hf_drill_after(drill, hf_rng_exponential(rng, life_us) + 1)
                                  : HF_DRILL_NEVER;
        *ret_again_us = cell->pool_until_us;
    }
    return reaches;
}

void hf_cell_update(struct hf_drill *drill, uint32_t number)
{
    struct hf_cell *cell = &drill->cells[number];
    bool reaches = can_reach(drill, cell, &cell->due_us);
    if (reaches && !cell->is_up) {
        turn_up(drill, number);
    } else if (!reaches && cell->is_up) {
        turn_down(drill, number);
    }
    if (cell->due_us < drill->scenario.length_us) {
        hf_drill_at(drill, cell->due_us, HF_EVENT_CELL, number);
    }
}
