/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TICK collects the endpoints that differ into one plan; PUBLISHED makes it the published one.
 */
#include <assert.h>
#include <string.h>

#include "core/planner_internal.h"

void hf_planner_act(struct hf_planner_outbox *outbox, enum hf_planner_action_type type, uint32_t op,
                    uint64_t gen)
{
    assert(outbox->count < HF_PLANNER_OUTBOX_MAX);
    outbox->actions[outbox->count++] =
        (struct hf_planner_action){.type = (uint8_t)type, .op = op, .gen = gen};
}

void hf_planner_wake(struct hf_planner *planner, uint64_t at_ms)
{
    if (at_ms < planner->wake_ms) {
        planner->wake_ms = at_ms;
    }
}

/* Endpoints that are held back until a window passes. */
static void wake_held(struct hf_planner *planner, uint64_t now_ms)
{
    const struct hf_fleet *fleet = planner->fleet;
    uint64_t limit = hf_pace_limit(fleet->endpoint_count, fleet->max_changed_permille);
    bool may_change = hf_pace_left(&planner->changed, limit) > 0;
    for (uint32_t e = hf_bitset_next(&planner->held, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->held, e + 1)) {
        struct hf_planner_row *row = &planner->rows[e];
        if (row->hold == HF_HOLD_REMOVAL && row->budget.quiet_at_ms != 0) {
            hf_budget_follow(&row->budget,
                             fleet->policies[fleet->endpoints[e].policy].max_removal_ms, now_ms);
            if (row->budget.quiet_at_ms == 0) {
                hf_bitset_add(&planner->dirty, e);
            } else {
                hf_planner_wake(planner, row->budget.quiet_at_ms);
            }
        } else if (row->hold == HF_HOLD_CHANGED && may_change) {
            hf_bitset_add(&planner->dirty, e);
        } else if (row->hold == HF_HOLD_CHANGED && planner->changed.quiet_at_ms != 0) {
            hf_planner_wake(planner, planner->changed.quiet_at_ms);
        }
    }
}

/* Endpoints whose pick is another one since rotation was last looked at. */
static void wake_rotating(struct hf_planner *planner, uint64_t now_ms)
{
    const struct hf_fleet *fleet = planner->fleet;
    for (uint32_t e = hf_bitset_next(&planner->rotating, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->rotating, e + 1)) {
        uint32_t ttl_s = fleet->policies[fleet->endpoints[e].policy].ttl_s;
        uint64_t slot = hf_pick_slot(ttl_s, now_ms);
        if (slot != hf_pick_slot(ttl_s, planner->rotated_ms)) {
            hf_bitset_add(&planner->dirty, e);
        } else {
            hf_planner_wake(planner, (slot + 1) * ttl_s * 1000);
        }
    }
    planner->rotated_ms = now_ms;
}

static void wake_waiting(struct hf_planner *planner, uint64_t now_ms)
{
    if (planner->waiting.count == 0) {
        return;
    }
    if (now_ms - planner->start_ms < HF_FIRST_WAIT_MS) {
        hf_planner_wake(planner, planner->start_ms + HF_FIRST_WAIT_MS);
        return;
    }
    for (uint32_t e = hf_bitset_next(&planner->waiting, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->waiting, e + 1)) {
        hf_bitset_add(&planner->dirty, e);
    }
}

static void plan_one(struct hf_planner *planner, uint32_t endpoint, uint64_t now_ms)
{
    if (hf_planner_draft(planner, endpoint, now_ms)) {
        hf_bitset_add(&planner->publishing, endpoint);
    }
}

static void plan_dirty(struct hf_planner *planner, uint64_t now_ms)
{
    for (uint32_t e = hf_bitset_next(&planner->dirty, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->dirty, e + 1)) {
        hf_bitset_remove(&planner->dirty, e);
        plan_one(planner, e, now_ms);
    }
}

static void plan_stamps(struct hf_planner *planner, uint64_t now_ms)
{
    for (uint32_t e = 0; planner->stamping && e < planner->fleet->endpoint_count; e++) {
        if (planner->rows[e].gen != 0 && !hf_bitset_has(&planner->publishing, e)) {
            plan_one(planner, e, now_ms);
        }
    }
}

/* Claimed marks go with any other plan, or after a while on their own. */
static void plan_claims(struct hf_planner *planner, uint64_t now_ms)
{
    if (planner->publishing.count == 0 && now_ms < planner->claim_ms) {
        return;
    }
    for (uint32_t e = hf_bitset_next(&planner->claiming, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->claiming, e + 1)) {
        if (!hf_bitset_has(&planner->publishing, e)) {
            plan_one(planner, e, now_ms);
        }
    }
    hf_bitset_clear(&planner->claiming);
    planner->claim_ms = HF_NEVER;
}

void hf_planner_tick(struct hf_planner *planner, uint64_t now_ms, struct hf_planner_outbox *outbox)
{
    if (planner->op != 0 || planner->frozen || planner->stopped || planner->reload) {
        return;
    }
    if (planner->start_ms == HF_NEVER) {
        planner->start_ms = now_ms;
        planner->rotated_ms = now_ms;
    }
    uint64_t below =
        planner->head_gen > planner->ahead_gen ? planner->head_gen : planner->ahead_gen;
    planner->publish_gen = below + 1;
    planner->planned_ms = now_ms;
    planner->stamping = planner->stamp_all;
    planner->stamp_all = false;
    hf_pace_follow(&planner->changed, planner->fleet->max_changed_ms, now_ms);
    if (now_ms >= planner->wake_ms) {
        planner->wake_ms = HF_NEVER;
        wake_held(planner, now_ms);
        wake_rotating(planner, now_ms);
        wake_waiting(planner, now_ms);
    }
    plan_dirty(planner, now_ms);
    plan_stamps(planner, now_ms);
    plan_claims(planner, now_ms);
    if (planner->publishing.count == 0) {
        planner->stamping = false;
        return;
    }
    planner->op = planner->next_op;
    planner->next_op = planner->next_op == UINT32_MAX ? 1 : planner->next_op + 1;
    hf_planner_act(outbox, HF_PLANNER_PUBLISH, planner->op, planner->publish_gen);
}

static void commit_row(struct hf_planner_row *row, const struct hf_planner_row *next)
{
    struct hf_planner_row before = *row;
    *row = *next;
    row->hold = before.hold;
    row->hold_digest = before.hold_digest;
    row->want = before.want;
    if ((next->flags & HF_ROW_FORGOTTEN) != 0) {
        *row = (struct hf_planner_row){.want = before.want & HF_WANT_RETIRED,
                                       .cause_backend = UINT32_MAX};
    } else if (next->gen != before.gen) {
        /* What was said of the tombstone is not said of this entry. */
        row->want &= (uint8_t)~HF_WANT_FORGOTTEN;
    }
}

/* Windows begin when what they count was published, not when it was planned. */
static void prolong(struct hf_budget *budget, uint64_t delay_ms)
{
    if (budget->quiet_at_ms != 0 && delay_ms < UINT64_MAX - budget->quiet_at_ms) {
        budget->quiet_at_ms += delay_ms;
    }
}

static void commit(struct hf_planner *planner, uint32_t endpoint, uint64_t delay_ms)
{
    const struct hf_fleet_endpoint *shape = &planner->fleet->endpoints[endpoint];
    struct hf_planner_row *row = &planner->rows[endpoint];
    uint64_t first = shape->octet_first;
    size_t octets = hf_fleet_octets(shape->member_count) * sizeof *planner->in;
    commit_row(row, &planner->next_rows[endpoint]);
    prolong(&row->budget, delay_ms);
    memcpy(planner->in + first, planner->next_in + first, octets);
    memcpy(planner->pick_a + first, planner->next_pick_a + first, octets);
    memcpy(planner->pick_aaaa + first, planner->next_pick_aaaa + first, octets);
    bool is_claimed = (row->flags & HF_ROW_CLAIMED) != 0;
    if ((row->want & HF_WANT_CLAIMED) != 0 && row->gen != 0 && !is_claimed) {
        hf_bitset_add(&planner->claiming, endpoint);
        planner->claim_ms = planner->now_ms;
    }
}

void hf_planner_published(struct hf_planner *planner, const struct hf_planner_event *event,
                          struct hf_planner_outbox *outbox)
{
    if (planner->op == 0 || event->op != planner->op) {
        return;
    }
    planner->op = 0;
    if (event->result != HF_RESULT_OK) {
        hf_bitset_clear(&planner->publishing);
        planner->reload = true;
        hf_planner_act(outbox, HF_PLANNER_RELOAD, 0, 0);
        return;
    }
    uint64_t planned_ms = planner->planned_ms;
    uint64_t delay_ms = event->now_ms > planned_ms ? event->now_ms - planned_ms : 0;
    prolong(&planner->changed, delay_ms);
    for (uint32_t e = hf_bitset_next(&planner->publishing, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->publishing, e + 1)) {
        commit(planner, e, delay_ms);
    }
    hf_bitset_clear(&planner->publishing);
    planner->head_gen = planner->publish_gen;
    if (planner->stamping) {
        planner->oldest_gen = planner->publish_gen;
        planner->ahead_at_ms = planner->ahead_count == 0 ? event->now_ms : planner->ahead_at_ms;
        planner->ahead_count++;
        planner->stamping = false;
    } else if (planner->publish_gen < planner->oldest_gen) {
        planner->oldest_gen = planner->publish_gen;
    }
}
