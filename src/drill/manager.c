/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leases: held, lapsed, in line for a claim, claimed. Renewals are in cell.c. */
#include <assert.h>

#include "drill/internal.h"

static uint16_t manager_of(const struct hf_drill *drill, uint32_t op)
{
    return drill->links[drill->ops[op].link].owner;
}

static struct hf_cell *cell_of(struct hf_drill *drill, uint16_t number, uint32_t op,
                               uint32_t *ret_place)
{
    const struct hf_drill_manager_now *manager = &drill->managers[number];
    uint32_t holder = op - manager->op_first, cells = drill->scenario.managers[number].cells;
    assert(cells > 0);
    *ret_place = holder / cells;
    return &drill->cells[manager->cell_first + holder % cells];
}

static bool may_claim(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    uint32_t place;
    return drill->scenario.managers[number].claimer == HF_DRILL_BY_HOLDER ||
           cell_of(drill, number, op, &place)->is_up;
}

/* Claims a second that may begin now; 0: no limit. */
static double pace_of(const struct hf_drill_manager_now *manager)
{
    double pace = manager->claims_per_s, spread = manager->spread_per_s;
    return pace <= 0 || (spread > 0 && spread < pace) ? spread : pace;
}

static void schedule(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_manager_now *manager = &drill->managers[number];
    if (manager->is_claiming || manager->is_stopped || manager->line.length == 0) {
        return;
    }
    double wait_us = manager->claim_next_us - (double)drill->now_us;
    manager->is_claiming = true;
    hf_drill_at(drill, hf_drill_after(drill, wait_us), HF_EVENT_CLAIM, number);
}

void hf_manager_kick(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_manager_now *manager = &drill->managers[number];
    double spread_s = (double)drill->scenario.managers[number].spread_us / HF_DRILL_SECOND_US;
    if (spread_s > 0) {
        manager->spread_per_s = manager->line.length / spread_s;
    }
    schedule(drill, number);
}

static void line_add(struct hf_drill *drill, struct hf_line *line, uint32_t op)
{
    drill->ops[op].next = HF_DRILL_NOBODY;
    if (line->length == 0) {
        line->first = op;
    } else {
        drill->ops[line->last].next = op;
    }
    line->last = op;
    line->length++;
}

static uint32_t line_take(struct hf_drill *drill, struct hf_line *line)
{
    uint32_t op = line->first;
    line->first = drill->ops[op].next;
    line->length--;
    drill->ops[op].next = HF_DRILL_NOBODY;
    return op;
}

/* Where a holder waits: with the manager, or with its cell until that is up. */
static struct hf_line *line_of(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    uint32_t place;
    return may_claim(drill, number, op) ? &drill->managers[number].line
                                        : &cell_of(drill, number, op, &place)->waiting;
}

void hf_manager_cell_up(struct hf_drill *drill, struct hf_cell *cell)
{
    struct hf_line *line = &drill->managers[cell->manager].line;
    if (cell->waiting.length > 0) {
        if (line->length == 0) {
            line->first = cell->waiting.first;
        } else {
            drill->ops[line->last].next = cell->waiting.first;
        }
        line->last = cell->waiting.last;
        line->length += cell->waiting.length;
        cell->waiting = (struct hf_line){0};
    }
    hf_manager_kick(drill, cell->manager);
}

/* A holder without a lease wants one. */
static void want(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    drill->ops[op].state = HF_OP_WAITING;
    line_add(drill, line_of(drill, number, op), op);
    schedule(drill, number);
}

void hf_manager_lapsed(struct hf_drill *drill, uint32_t op)
{
    uint16_t number = manager_of(drill, op);
    struct hf_drill_manager_now *manager = &drill->managers[number];
    manager->held--;
    manager->buckets[drill->bucket].lapsed++;
    drill->ops[op].due_us = HF_DRILL_NEVER;
    want(drill, number, op);
}

void hf_manager_claim(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_manager_now *manager = &drill->managers[number];
    double pace = pace_of(manager);
    manager->is_claiming = false;
    uint32_t looked = manager->line.length;
    while (looked-- > 0 && !manager->is_stopped) {
        uint32_t op = line_take(drill, &manager->line);
        if (!may_claim(drill, number, op)) {
            line_add(drill, line_of(drill, number, op), op);
            continue;
        }
        hf_call_begin(drill, op);
        if (pace > 0) {
            double last_us = manager->claim_next_us, now_us = (double)drill->now_us;
            last_us = last_us > now_us - 1 ? last_us : now_us;
            manager->claim_next_us = last_us + HF_DRILL_SECOND_US / pace;
            break;
        }
        drill->done++;
    }
    schedule(drill, number);
}

void hf_manager_claimed(struct hf_drill *drill, uint32_t op, bool is_good, uint64_t tried_us)
{
    uint16_t number = manager_of(drill, op);
    const struct hf_drill_manager *facts = &drill->scenario.managers[number];
    struct hf_drill_manager_now *manager = &drill->managers[number];
    struct hf_op *holder = &drill->ops[op];
    uint64_t from_us = facts->from_claim ? tried_us : drill->now_us;
    if (!is_good || from_us + facts->lifetime_us <= drill->now_us) {
        holder->state = HF_OP_IDLE; /* given up: once more, a period later */
        hf_op_arm(drill, op, drill->now_us + facts->period_us);
        return;
    }
    manager->held++;
    manager->buckets[drill->bucket].granted++;
    holder->state = HF_OP_HELD;
    holder->begun_us = from_us + facts->period_us;
    hf_op_arm(drill, op, from_us + facts->lifetime_us);
    for (uint16_t i = 0; i < drill->scenario.fleet_count; i++) {
        uint32_t place = op - manager->op_first;
        if (drill->scenario.fleets[i].manager == number &&
            place < drill->scenario.fleets[i].nodes) {
            hf_nodes_launch(drill, i, place);
        }
    }
}

/* The lease that was granted would end now, if it was not renewed since. */
static void look_at_lease(struct hf_drill *drill, uint16_t number, uint32_t op)
{
    const struct hf_drill_manager *facts = &drill->scenario.managers[number];
    uint32_t place;
    const struct hf_cell *cell = cell_of(drill, number, op, &place);
    uint64_t renewed_us = hf_cell_renewed_us(drill, cell, place);
    uint64_t begun_us = drill->ops[op].begun_us;
    uint64_t from_us = renewed_us > begun_us ? renewed_us : begun_us;
    if (from_us + facts->lifetime_us <= drill->now_us + facts->period_us) {
        hf_manager_lapsed(drill, op);
    }
}

void hf_manager_timer(struct hf_drill *drill, uint32_t op)
{
    uint16_t number = manager_of(drill, op);
    if (drill->ops[op].state == HF_OP_HELD) {
        look_at_lease(drill, number, op);
    } else {
        want(drill, number, op);
    }
}

double hf_manager_load(const struct hf_drill *drill, uint16_t service)
{
    double load = 0;
    for (uint16_t i = 0; i < drill->scenario.manager_count; i++) {
        const struct hf_drill_manager *facts = &drill->scenario.managers[i];
        const struct hf_drill_manager_now *manager = &drill->managers[i];
        if (facts->claim.service != service || facts->renew_us == 0) {
            continue;
        }
        uint32_t up = 0;
        for (uint32_t k = 0; k < facts->cells; k++) {
            up += drill->cells[manager->cell_first + k].is_up;
        }
        load += (double)manager->held * up / facts->cells * (double)facts->renew_us /
                (double)facts->period_us;
    }
    return load;
}

void hf_manager_init(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_manager *facts = &drill->scenario.managers[number];
    struct hf_drill_manager_now *manager = &drill->managers[number];
    for (uint32_t i = 0; i < facts->cells; i++) {
        struct hf_cell *cell = &drill->cells[manager->cell_first + i];
        *cell = (struct hf_cell){.due_us = HF_DRILL_NEVER,
                                 .up_count = 1,
                                 .is_up = true,
                                 .manager = number,
                                 .number = (uint16_t)i,
                                 .holders = (facts->holders - i + facts->cells - 1) / facts->cells};
        cell->up[0] = (struct hf_stretch){.from_us = 0, .to_us = HF_DRILL_NEVER};
    }
    for (uint32_t i = 0; i < facts->holders; i++) {
        uint32_t op = manager->op_first + i;
        double before = facts->held_first * i, after = facts->held_first * (i + 1.0);
        if ((uint64_t)after > (uint64_t)before) {
            drill->ops[op].state = HF_OP_HELD;
            manager->held++;
        } else {
            want(drill, number, op);
        }
    }
    for (uint32_t i = 0; i < facts->cells; i++) {
        hf_cell_update(drill, manager->cell_first + i);
    }
    schedule(drill, number);
}
