/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One endpoint's next entry: its set, its picks, the guard max_changed, marks and generation.
 */
#include <assert.h>
#include <string.h>

#include "core/planner_internal.h"

enum { PERMILLE = 1000 };

bool hf_bits_empty(const uint8_t *bits, uint32_t octets)
{
    uint8_t any = 0;
    for (uint32_t i = 0; i < octets; i++) {
        any |= bits[i];
    }
    return any == 0;
}

static bool bits_equal(const uint8_t *one, const uint8_t *other, uint32_t octets)
{
    return memcmp(one, other, octets) == 0;
}

static uint32_t bits_count(const uint8_t *bits, uint32_t octets)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < octets; i++) {
        count += (uint32_t)__builtin_popcount(bits[i]);
    }
    return count;
}

static struct hf_planner_draft begin(struct hf_planner *planner, uint32_t endpoint)
{
    const struct hf_fleet *fleet = planner->fleet;
    const struct hf_fleet_endpoint *shape = &fleet->endpoints[endpoint];
    struct hf_planner_draft draft = {
        .endpoint = endpoint,
        .shape = shape,
        .policy = &fleet->policies[shape->policy],
        .members = fleet->members + shape->member_first,
        .octets = hf_fleet_octets(shape->member_count),
        .now = &planner->rows[endpoint],
        .next = &planner->next_rows[endpoint],
        .now_in = planner->in + shape->octet_first,
        .now_a = planner->pick_a + shape->octet_first,
        .now_aaaa = planner->pick_aaaa + shape->octet_first,
        .in = planner->next_in + shape->octet_first,
        .pick_a = planner->next_pick_a + shape->octet_first,
        .pick_aaaa = planner->next_pick_aaaa + shape->octet_first,
    };
    bool exists = (draft.now->flags & HF_ROW_EXISTS) != 0;
    bool is_retired = (draft.now->flags & HF_ROW_RETIRED) != 0;
    bool wants_retired = (draft.now->want & HF_WANT_RETIRED) != 0;
    draft.is_new = !exists || is_retired || hf_bits_empty(draft.now_in, draft.octets);
    draft.is_kept = shape->orphan != 0 || wants_retired;
    return draft;
}

/* As published, with the marks that have come in since. */
static void keep(const struct hf_planner_draft *draft)
{
    *draft->next = *draft->now;
    if ((draft->now->want & HF_WANT_CLAIMED) != 0) {
        draft->next->flags |= HF_ROW_CLAIMED;
    }
    size_t octets = draft->octets;
    memcpy(draft->in, draft->now_in, octets);
    memcpy(draft->pick_a, draft->now_a, octets);
    memcpy(draft->pick_aaaa, draft->now_aaaa, octets);
}

static void clear_answer(const struct hf_planner_draft *draft)
{
    size_t octets = draft->octets;
    memset(draft->in, 0, octets);
    memset(draft->pick_a, 0, octets);
    memset(draft->pick_aaaa, 0, octets);
    draft->next->budget = (struct hf_budget){0};
    draft->next->cause = HF_CAUSE_RETIRED;
    draft->next->cause_backend = UINT32_MAX;
}

static bool is_limited(const struct hf_planner *planner)
{
    return planner->fleet->max_changed_permille < PERMILLE;
}

static void count_change(struct hf_planner *planner, uint64_t now_ms)
{
    if (is_limited(planner)) {
        hf_pace_book(&planner->changed, 1, planner->fleet->max_changed_ms, now_ms);
    }
}

/* A tombstone is written, or leaves the plan. */
static void plan_retired(struct hf_planner *planner, const struct hf_planner_draft *draft,
                         uint64_t now_ms)
{
    keep(draft);
    if ((draft->now->flags & HF_ROW_RETIRED) == 0) {
        clear_answer(draft);
        draft->next->flags = (draft->next->flags & HF_ROW_CLAIMED) | HF_ROW_EXISTS | HF_ROW_RETIRED;
        draft->next->gen = planner->publish_gen;
        count_change(planner, now_ms);
    } else if ((draft->now->want & HF_WANT_FORGOTTEN) != 0) {
        clear_answer(draft);
        draft->next->flags = HF_ROW_FORGOTTEN;
        draft->next->gen = 0;
    }
}

/* True when all that differs is which of the members that serve are picked now. */
static bool is_rotation(const struct hf_planner_draft *draft, bool rotates)
{
    return rotates && bits_equal(draft->in, draft->now_in, draft->octets) &&
           draft->next->ttl_s == draft->now->ttl_s &&
           bits_count(draft->pick_a, draft->octets) == bits_count(draft->now_a, draft->octets) &&
           bits_count(draft->pick_aaaa, draft->octets) ==
               bits_count(draft->now_aaaa, draft->octets);
}

static void explain_change(const struct hf_planner *planner, struct hf_planner_draft *draft,
                           bool set_changed, bool is_rotating_only)
{
    struct hf_planner_row *next = draft->next;
    bool pin_changed = ((next->flags ^ draft->now->flags) & HF_ROW_PINNED) != 0;
    next->flags &= (uint8_t)~HF_ROW_URGENT;
    next->cause = is_rotating_only ? HF_CAUSE_ROTATION : HF_CAUSE_CONFIG;
    next->cause_backend = UINT32_MAX;
    if (draft->is_new) {
        bool is_retired = (draft->now->flags & HF_ROW_RETIRED) != 0;
        next->cause = is_retired ? HF_CAUSE_RECREATED : HF_CAUSE_CREATED;
        return;
    }
    if (set_changed) {
        hf_planner_set_cause(planner, draft);
    }
    if (pin_changed || (set_changed && (next->flags & HF_ROW_PINNED) != 0)) {
        next->cause = HF_CAUSE_PIN;
        next->cause_backend = UINT32_MAX;
    } else if (draft->is_approved) {
        next->cause = HF_CAUSE_APPROVED;
    }
}

/* Set, picks and TTL as they should be; the guard max_changed may keep them as they are. */
static void plan_answer(struct hf_planner *planner, struct hf_planner_draft *draft, bool rotates,
                        uint64_t now_ms)
{
    struct hf_planner_row *next = draft->next;
    bool is_pinned = (draft->now->want & HF_WANT_PINNED) != 0;
    next->ttl_s = draft->policy->ttl_s;
    next->flags = (uint8_t)(HF_ROW_EXISTS | (next->flags & (HF_ROW_CLAIMED | HF_ROW_URGENT)) |
                            (is_pinned ? HF_ROW_PINNED : 0));
    bool set_changed = !bits_equal(draft->in, draft->now_in, draft->octets);
    bool answer_changed = draft->is_new || next->ttl_s != draft->now->ttl_s ||
                          !bits_equal(draft->pick_a, draft->now_a, draft->octets) ||
                          !bits_equal(draft->pick_aaaa, draft->now_aaaa, draft->octets);
    if (!set_changed && !answer_changed) {
        return;
    }
    bool is_rotating_only = is_rotation(draft, rotates);
    if (!draft->is_new && !is_rotating_only) {
        uint64_t limit =
            hf_pace_limit(planner->fleet->endpoint_count, planner->fleet->max_changed_permille);
        bool is_over = is_limited(planner) && hf_pace_left(&planner->changed, limit) == 0;
        if (is_over && !is_pinned && !draft->is_approved) {
            keep(draft);
            draft->hold = HF_HOLD_CHANGED;
            return;
        }
        count_change(planner, now_ms);
    }
    explain_change(planner, draft, set_changed, is_rotating_only);
    if (answer_changed) {
        next->gen = planner->publish_gen;
    }
}

static void stamp(struct hf_planner *planner, const struct hf_planner_draft *draft)
{
    bool is_due = planner->stamping || (draft->now->want & HF_WANT_STAMP) != 0;
    bool exists = (draft->now->flags & draft->next->flags & HF_ROW_EXISTS) != 0;
    bool has_content =
        (draft->next->flags & HF_ROW_RETIRED) != 0 || !hf_bits_empty(draft->in, draft->octets);
    if (is_due && exists && has_content && draft->next->gen != planner->publish_gen) {
        draft->next->gen = planner->publish_gen;
        draft->next->cause = HF_CAUSE_STAMP;
        draft->next->cause_backend = UINT32_MAX;
    }
    if (draft->next->gen == planner->publish_gen) {
        draft->now->want &= (uint8_t)~HF_WANT_STAMP;
    }
}

static void mark(struct hf_bitset *set, uint32_t member, bool is_in)
{
    if (is_in) {
        hf_bitset_add(set, member);
    } else {
        hf_bitset_remove(set, member);
    }
}

static void watch(struct hf_planner *planner, const struct hf_planner_draft *draft, bool rotates,
                  uint64_t now_ms)
{
    bool stays = draft->hold == HF_HOLD_CHANGED;
    mark(&planner->rotating, draft->endpoint, rotates && !stays);
    if (rotates && !stays) {
        uint64_t slot = hf_pick_slot(draft->policy->ttl_s, now_ms);
        hf_planner_wake(planner, (slot + 1) * draft->policy->ttl_s * 1000);
    }
    bool waits = draft->is_waiting || draft->is_patient;
    mark(&planner->waiting, draft->endpoint, waits);
    if (waits) {
        hf_planner_wake(planner, planner->start_ms + HF_FIRST_WAIT_MS);
    }
    if (draft->hold == HF_HOLD_REMOVAL && draft->next->budget.quiet_at_ms != 0) {
        hf_planner_wake(planner, draft->next->budget.quiet_at_ms);
    }
    if (draft->hold == HF_HOLD_CHANGED && planner->changed.quiet_at_ms != 0) {
        hf_planner_wake(planner, planner->changed.quiet_at_ms);
    }
    hf_planner_hold(planner, draft->endpoint, (enum hf_hold)draft->hold,
                    draft->hold == HF_HOLD_NONE ? 0 : draft->hold_digest);
}

void hf_planner_hold(struct hf_planner *planner, uint32_t endpoint, enum hf_hold hold,
                     uint32_t digest)
{
    struct hf_planner_row *row = &planner->rows[endpoint];
    assert((hold == HF_HOLD_NONE) == (digest == 0));
    planner->hold_serial += digest - row->hold_digest;
    row->hold_digest = digest;
    row->hold = (uint8_t)hold;
    mark(&planner->held, endpoint, hold != HF_HOLD_NONE);
}

bool hf_planner_draft(struct hf_planner *planner, uint32_t endpoint, uint64_t now_ms)
{
    struct hf_planner_draft draft = begin(planner, endpoint);
    bool exists = (draft.now->flags & HF_ROW_EXISTS) != 0;
    bool rotates = false;
    if (draft.is_kept && !exists) {
        watch(planner, &draft, false, now_ms);
        return false;
    }
    if ((draft.now->want & HF_WANT_RETIRED) != 0) {
        plan_retired(planner, &draft, now_ms);
    } else {
        keep(&draft);
    }
    if (!draft.is_kept && draft.shape->member_count > 0) {
        hf_budget_follow(&draft.now->budget, draft.policy->max_removal_ms, now_ms);
        draft.next->budget = draft.now->budget;
        hf_planner_set(planner, &draft, now_ms);
        if (!draft.is_waiting) {
            rotates = hf_planner_picks(planner, &draft, now_ms);
            plan_answer(planner, &draft, rotates, now_ms);
        }
    }
    watch(planner, &draft, rotates, now_ms);
    /* An approval that cannot help stays noted, so that it is not tried again and again. */
    if (!draft.is_approved || draft.hold == HF_HOLD_NONE) {
        draft.now->want &= (uint8_t)~HF_WANT_APPROVED;
    }
    if (draft.is_waiting || (draft.next->flags & (HF_ROW_EXISTS | HF_ROW_FORGOTTEN)) == 0) {
        return false;
    }
    stamp(planner, &draft);
    return draft.next->gen != draft.now->gen || draft.next->flags != draft.now->flags ||
           !bits_equal(draft.in, draft.now_in, draft.octets);
}
