/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planners and the janitor as octets. */
#include <assert.h>
#include <string.h>

#include "lab/world_code.h"

enum { TTL_S = 30 };

/* --- planner --- */

static void code_row(struct hf_world_coder *coder, const struct hf_world *world,
                     struct hf_planner_row *row, uint8_t *in, uint16_t *picks)
{
    uint32_t gen = (uint32_t)row->gen;
    hf_code_u32(coder, &gen);
    hf_code_u8(coder, &row->flags);
    hf_code_u8(coder, in);
    hf_code_u16(coder, picks);
    row->gen = gen;
    row->ttl_s = TTL_S;
    row->cause_backend = UINT32_MAX;
    row->cause = HF_CAUSE_NONE;
    hf_code_budget(coder, world, &row->budget);
}

/* What the head says of an endpoint is what a planner that is up to date has. */
static void copy_row(const struct hf_world *world, struct hf_world_planner *planner, uint32_t e)
{
    const struct hf_world_entry *entry = &world->store.plan.entries[e];
    struct hf_planner_row *row = &planner->rows[e];
    row->budget = world->store.budgets[e];
    row->gen = entry->gen;
    row->ttl_s = entry->gen == 0 ? 0 : TTL_S;
    row->cause_backend = UINT32_MAX;
    row->flags = entry->flags;
    planner->in[e] = entry->in;
    planner->picks[e] = entry->content;
}

static void code_wants(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_planner *planner, uint32_t e)
{
    struct hf_planner_row *row = &planner->rows[e];
    (void)world;
    hf_code_u8(coder, &row->want);
    hf_code_u8(coder, &row->hold);
    if (hf_code_reads(coder)) {
        row->hold_digest = row->hold != HF_HOLD_NONE;
        planner->hold_serial += row->hold_digest;
    }
    if (hf_bit8(planner->overrides.pinned, e)) {
        hf_code_u8(coder, &planner->pins[e]);
    }
    if (hf_bit8(planner->publishing, e)) {
        code_row(coder, world, &planner->next_rows[e], &planner->next_in[e],
                 &planner->next_picks[e]);
    }
}

static void code_checks(struct hf_world_coder *coder, const struct hf_world *world,
                        struct hf_world_planner *planner)
{
    for (uint32_t b = 0; b < hf_world_backends(world); b++) {
        uint32_t facts = planner->verdicts[b] | (uint32_t)planner->seen[b] << 2 |
                         (uint32_t)planner->drained[b] << 4;
        hf_code_u32(coder, &facts);
        planner->verdicts[b] = facts & 3;
        planner->seen[b] = facts >> 2 & 3;
        planner->drained[b] = facts >> 4 & 3;
    }
}

static void code_sets(struct hf_world_coder *coder, struct hf_world_planner *planner)
{
    uint32_t sets = planner->dirty | (uint32_t)planner->held << 3 |
                    (uint32_t)planner->claiming << 6 | (uint32_t)planner->publishing << 9 |
                    (uint32_t)planner->waiting << 12;
    hf_code_u32(coder, &sets);
    planner->dirty = sets & 7;
    planner->held = sets >> 3 & 7;
    planner->claiming = sets >> 6 & 7;
    planner->publishing = sets >> 9 & 7;
    planner->waiting = sets >> 12 & 7;
    uint32_t marks = (planner->loaded ? 1U : 0) | (planner->changed_store ? 2U : 0) |
                     (planner->frozen ? 4U : 0) | (planner->stopped ? 8U : 0) |
                     (planner->reload ? 16U : 0) | (planner->stamp_all ? 32U : 0) |
                     (planner->stamping ? 64U : 0) | (planner->op != 0 ? 128U : 0) |
                     (planner->start_ms == HF_NEVER ? 256U : 0) | (planner->asks ? 512U : 0);
    hf_code_u32(coder, &marks);
    planner->loaded = (marks & 1) != 0;
    planner->changed_store = (marks & 2) != 0;
    planner->frozen = (marks & 4) != 0;
    planner->stopped = (marks & 8) != 0;
    planner->reload = (marks & 16) != 0;
    planner->stamp_all = (marks & 32) != 0;
    planner->stamping = (marks & 64) != 0;
    planner->op = (marks & 128) != 0;
    planner->asks = (marks & 512) != 0;
    planner->next_op = 2;
    if (hf_code_reads(coder)) {
        planner->start_ms = (marks & 256) != 0 ? HF_NEVER : HF_WORLD_NOW_MS;
    }
}

static void code_times(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_planner *planner)
{
    bool wakes = planner->wake_ms != HF_NEVER, claims = planner->claim_ms != HF_NEVER;
    hf_code_bool(coder, &wakes);
    hf_code_bool(coder, &claims);
    if (hf_code_reads(coder)) {
        planner->wake_ms = wakes ? world->now_ms + HF_WORLD_REMOVAL_MS : HF_NEVER;
        planner->claim_ms = claims ? world->now_ms + HF_CLAIM_WAIT_MS : HF_NEVER;
        planner->now_ms = planner->planned_ms = planner->rotated_ms = world->now_ms;
        planner->ahead_at_ms = world->now_ms;
    }
    uint32_t ahead_gen = (uint32_t)planner->ahead_gen;
    bool may_be_ahead = hf_world_may_be_ahead(world);
    uint64_t oldest_gen =
        planner->oldest_gen == HF_NEVER || !may_be_ahead ? 0 : planner->oldest_gen;
    uint64_t publish_gen = planner->op != 0 ? planner->publish_gen : 0;
    hf_code_u32(coder, &ahead_gen);
    hf_code_u32(coder, &planner->ahead_count);
    hf_code(coder, &oldest_gen);
    hf_code(coder, &publish_gen);
    planner->ahead_gen = ahead_gen;
    planner->oldest_gen = oldest_gen == 0 ? HF_NEVER : oldest_gen;
    planner->publish_gen = publish_gen;
}

void hf_code_planner(struct hf_world_coder *coder, struct hf_world *world,
                     struct hf_world_planner *planner)
{
    const struct hf_world_store *store = &world->store;
    code_sets(coder, planner);
    code_checks(coder, world, planner);
    code_times(coder, world, planner);
    bool is_same = planner->object == store->head && planner->instance == store->instance &&
                   planner->loaded &&
                   hf_world_same_overrides(&planner->overrides, &store->overrides);
    hf_code_bool(coder, &is_same);
    if (is_same) {
        planner->object = store->head;
        planner->instance = store->instance;
        planner->overrides = store->overrides;
        planner->head_gen = store->plan.gen;
    } else {
        hf_code_u32(coder, &planner->object);
        hf_code_u32(coder, &planner->instance);
        hf_code_overrides(coder, &planner->overrides);
        hf_code(coder, &planner->head_gen);
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (is_same) {
            copy_row(world, planner, e);
        } else {
            code_row(coder, world, &planner->rows[e], &planner->in[e], &planner->picks[e]);
        }
        code_wants(coder, world, planner, e);
    }
}

/* --- janitor --- */

static void code_name(struct hf_world_coder *coder, uint8_t name[HF_JANITOR_NAME_SIZE])
{
    uint32_t number =
        (uint32_t)name[0] << 24 | (uint32_t)name[1] << 16 | (uint32_t)name[2] << 8 | name[3];
    hf_code_u32(coder, &number);
    memset(name, 0, HF_JANITOR_NAME_SIZE);
    for (uint32_t i = 0; i < 4; i++) {
        name[i] = (uint8_t)(number >> (24 - 8 * i));
    }
}

static void code_page(struct hf_world_coder *coder, struct hf_world_janitor *janitor)
{
    hf_code_u32(coder, &janitor->count);
    hf_code_u32(coder, &janitor->at);
    for (uint32_t i = 0; i < janitor->count; i++) {
        code_name(coder, janitor->page[i].name);
        hf_code(coder, &janitor->page[i].put_number);
        hf_code_bool(coder, &janitor->page[i].reached);
    }
    code_name(coder, janitor->last);
}

static void code_action(struct hf_world_coder *coder, struct hf_world_janitor *janitor)
{
    struct hf_janitor_action *action = &janitor->action;
    uint32_t facts =
        (action->op != 0 ? 1U : 0) | (action->page_first ? 2U : 0) | (uint32_t)action->kind << 2;
    hf_code_u32(coder, &facts);
    action->op = facts & 1;
    action->page_first = (facts & 2) != 0;
    action->kind = (uint8_t)(facts >> 2);
    action->before_ms = 0;
    if (action->op != 0) {
        code_name(coder, action->name);
        hf_code(coder, &action->put_number);
    }
}

void hf_code_janitor(struct hf_world_coder *coder, struct hf_world *world)
{
    struct hf_world_janitor *janitor = &world->janitor;
    uint32_t facts = janitor->phase | (janitor->more ? 8U : 0) | (janitor->first ? 16U : 0) |
                     (janitor->flight.state != HF_FLIGHT_FREE ? 32U : 0) |
                     (janitor->misled ? 64U : 0);
    hf_code_u32(coder, &facts);
    janitor->phase = facts & 7;
    janitor->more = (facts & 8) != 0;
    janitor->first = (facts & 16) != 0;
    janitor->misled = (facts & 64) != 0;
    if (janitor->phase == HF_JANITOR_IDLE) {
        *janitor = (struct hf_world_janitor){0};
        return;
    }
    code_page(coder, janitor);
    code_action(coder, janitor);
    janitor->op = 1;
    janitor->next_op = 1;
    if ((facts & 32) != 0) {
        hf_code_flight(coder, world, &janitor->flight);
        janitor->flight.op = 1;
    }
}
