/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a plan says of an endpoint, and why: for drivers and for explain.
 */
#include <assert.h>

#include "core/planner_internal.h"

static void entry_shape(const struct hf_planner *planner, uint32_t endpoint,
                        struct hf_planner_entry *ret_entry)
{
    const struct hf_fleet_endpoint *shape = &planner->fleet->endpoints[endpoint];
    ret_entry->members = planner->fleet->members + shape->member_first;
    ret_entry->member_count = shape->member_count;
}

void hf_planner_next(const struct hf_planner *planner, uint32_t endpoint,
                     struct hf_planner_entry *ret_entry)
{
    assert(hf_bitset_has(&planner->publishing, endpoint));
    const struct hf_planner_row *now = &planner->rows[endpoint];
    const struct hf_planner_row *next = &planner->next_rows[endpoint];
    uint64_t first = planner->fleet->endpoints[endpoint].octet_first;
    uint32_t octets = hf_fleet_octets(planner->fleet->endpoints[endpoint].member_count);
    bool same_answer = next->gen == now->gen;
    bool same_set = true;
    for (uint32_t i = 0; i < octets; i++) {
        same_set = same_set && planner->next_in[first + i] == planner->in[first + i];
    }
    *ret_entry = (struct hf_planner_entry){
        .row = next,
        .in = planner->next_in + first,
        .pick_a = planner->next_pick_a + first,
        .pick_aaaa = planner->next_pick_aaaa + first,
        .cause = same_answer && same_set ? HF_CAUSE_CLAIMED : (enum hf_cause)next->cause,
        .same_answer = same_answer,
    };
    entry_shape(planner, endpoint, ret_entry);
}

void hf_planner_now(const struct hf_planner *planner, uint32_t endpoint,
                    struct hf_planner_entry *ret_entry)
{
    assert(endpoint < planner->fleet->endpoint_count);
    uint64_t first = planner->fleet->endpoints[endpoint].octet_first;
    *ret_entry = (struct hf_planner_entry){
        .row = &planner->rows[endpoint],
        .in = planner->in + first,
        .pick_a = planner->pick_a + first,
        .pick_aaaa = planner->pick_aaaa + first,
        .cause = (enum hf_cause)planner->rows[endpoint].cause,
        .same_answer = true,
    };
    entry_shape(planner, endpoint, ret_entry);
}

static enum hf_reason reason_out(const struct hf_planner *planner, uint32_t backend)
{
    switch (hf_planner_member_want(planner, backend)) {
    case HF_MEMBER_OUT_DOWN:
        return HF_REASON_OUT_DOWN;
    case HF_MEMBER_OUT_GONE:
        return HF_REASON_OUT_GONE;
    case HF_MEMBER_OUT_DRAINED:
        return HF_REASON_OUT_DRAINED;
    case HF_MEMBER_STAY:
        return HF_REASON_OUT_UNKNOWN;
    case HF_MEMBER_IN:
        return HF_REASON_OUT_PENDING;
    }
    return HF_REASON_OUT_UNKNOWN;
}

enum hf_reason hf_planner_reason(const struct hf_planner *planner, uint32_t endpoint,
                                 uint32_t member)
{
    assert(endpoint < planner->fleet->endpoint_count);
    const struct hf_fleet_endpoint *shape = &planner->fleet->endpoints[endpoint];
    assert(member < shape->member_count);
    const struct hf_planner_row *row = &planner->rows[endpoint];
    bool is_in = hf_bit(planner->in + shape->octet_first, member);
    bool is_picked = hf_bit(planner->pick_a + shape->octet_first, member) ||
                     hf_bit(planner->pick_aaaa + shape->octet_first, member);
    bool is_pinned = (row->flags & HF_ROW_PINNED) != 0;
    bool is_retired = (row->flags & HF_ROW_RETIRED) != 0 || (row->want & HF_WANT_RETIRED) != 0;
    uint32_t backend = planner->fleet->members[shape->member_first + member];
    enum hf_member_want want = hf_planner_member_want(planner, backend);
    if (!is_in) {
        return is_retired  ? HF_REASON_OUT_RETIRED
               : is_pinned ? HF_REASON_OUT_PINNED
                           : reason_out(planner, backend);
    }
    if (shape->orphan != 0) {
        return HF_REASON_IN_ORPHAN;
    }
    if (is_pinned) {
        return is_picked ? HF_REASON_IN_PINNED : HF_REASON_RESTING;
    }
    if (want < HF_MEMBER_STAY) {
        return HF_REASON_IN_HELD;
    }
    if (!is_picked) {
        return HF_REASON_RESTING;
    }
    return want == HF_MEMBER_STAY ? HF_REASON_IN_UNKNOWN : HF_REASON_IN;
}

const char *hf_cause_name(enum hf_cause cause)
{
    static const char *const names[] = {
        [HF_CAUSE_NONE] = "none",
        [HF_CAUSE_CREATED] = "created",
        [HF_CAUSE_HEALTH] = "health",
        [HF_CAUSE_DRAIN] = "drain",
        [HF_CAUSE_CONFIG] = "config",
        [HF_CAUSE_ROTATION] = "rotation",
        [HF_CAUSE_PIN] = "pin",
        [HF_CAUSE_RETIRED] = "retired",
        [HF_CAUSE_RECREATED] = "recreated",
        [HF_CAUSE_STAMP] = "stamp",
        [HF_CAUSE_APPROVED] = "approved",
        [HF_CAUSE_CLAIMED] = "claimed",
    };
    assert((size_t)cause < sizeof names / sizeof names[0]);
    return names[cause];
}

const char *hf_hold_name(enum hf_hold hold)
{
    static const char *const names[] = {
        [HF_HOLD_NONE] = "none",           [HF_HOLD_MIN_HEALTHY] = "min_healthy",
        [HF_HOLD_FAMILY] = "family",       [HF_HOLD_REMOVAL] = "max_removal",
        [HF_HOLD_CHANGED] = "max_changed",
    };
    assert((size_t)hold < sizeof names / sizeof names[0]);
    return names[hold];
}

const char *hf_reason_name(enum hf_reason reason)
{
    static const char *const names[] = {
        [HF_REASON_IN] = "in",
        [HF_REASON_IN_UNKNOWN] = "in-unknown",
        [HF_REASON_IN_HELD] = "in-held",
        [HF_REASON_IN_PINNED] = "in-pinned",
        [HF_REASON_RESTING] = "resting",
        [HF_REASON_OUT_DOWN] = "out-down",
        [HF_REASON_OUT_DRAINED] = "out-drained",
        [HF_REASON_OUT_GONE] = "out-gone",
        [HF_REASON_OUT_UNKNOWN] = "out-unknown",
        [HF_REASON_OUT_PINNED] = "out-pinned",
        [HF_REASON_OUT_PENDING] = "out-pending",
        [HF_REASON_OUT_RETIRED] = "out-retired",
        [HF_REASON_IN_ORPHAN] = "in-orphan",
    };
    assert((size_t)reason < sizeof names / sizeof names[0]);
    return names[reason];
}
