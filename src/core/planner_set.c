/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which members of an endpoint serve, within the guards min_healthy, family and removal.
 */
#include <assert.h>
#include <string.h>

#include "core/planner_internal.h"

enum hf_member_want hf_planner_member_want(const struct hf_planner *planner, uint32_t backend)
{
    if (planner->verdicts[backend] == HF_VERDICT_DOWN) {
        return HF_MEMBER_OUT_DOWN;
    }
    if ((planner->fleet->backends[backend].flags & HF_FLEET_GONE) != 0) {
        return HF_MEMBER_OUT_GONE;
    }
    if ((planner->drained[backend] & HF_DRAIN_ON) != 0) {
        return HF_MEMBER_OUT_DRAINED;
    }
    return planner->verdicts[backend] == HF_VERDICT_UP ? HF_MEMBER_IN : HF_MEMBER_STAY;
}

/* An endpoint's members by verdict. */
struct configured {
    uint32_t healthy;
    uint32_t unknown;   /* configured, not drained, without a verdict */
    uint32_t available; /* configured and not drained */
    uint32_t gone;      /* not configured, and serving */
    uint32_t configured;
};

static struct configured count_configured(const struct hf_planner *planner,
                                          const struct hf_planner_draft *draft)
{
    struct configured found = {0};
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        uint32_t backend = draft->members[i];
        if ((planner->fleet->backends[backend].flags & HF_FLEET_GONE) != 0) {
            found.gone += hf_bit(draft->in, i);
            continue;
        }
        bool is_available = (planner->drained[backend] & HF_DRAIN_ON) == 0;
        found.configured++;
        found.available += is_available;
        found.healthy += is_available && planner->verdicts[backend] == HF_VERDICT_UP;
        found.unknown += is_available && planner->verdicts[backend] == HF_VERDICT_UNKNOWN;
    }
    return found;
}

static bool is_first_wait(const struct hf_planner *planner, uint64_t now_ms)
{
    return now_ms - planner->start_ms < HF_FIRST_WAIT_MS;
}

/* As hf_planner_member_want, but GONE members stay until those that replace them have verdicts. */
static enum hf_member_want want_of(const struct hf_planner *planner,
                                   const struct hf_planner_draft *draft, uint32_t member)
{
    enum hf_member_want want = hf_planner_member_want(planner, draft->members[member]);
    return want == HF_MEMBER_OUT_GONE && draft->is_patient ? HF_MEMBER_STAY : want;
}

/* What a pass over the members finds. */
struct tally {
    uint64_t capacity; /* of the endpoint: what is configured, and what serves besides */
    uint64_t returned; /* capacity that enters */
    uint32_t healthy;  /* members wanted in */
    uint32_t leaving;  /* members that serve and are not wanted */
    uint32_t staying;  /* members that would serve if all that are leaving left */
    uint32_t serving_a, serving_aaaa;
    uint32_t configured_a, configured_aaaa;
};

/* Lets members enter that are wanted in, and counts. */
static struct tally enter_and_count(const struct hf_planner *planner,
                                    struct hf_planner_draft *draft)
{
    struct tally tally = {0};
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        const struct hf_fleet_backend *backend = &planner->fleet->backends[draft->members[i]];
        enum hf_member_want want = want_of(planner, draft, i);
        bool has_a = (backend->flags & HF_FLEET_HAS_A) != 0;
        bool has_aaaa = (backend->flags & HF_FLEET_HAS_AAAA) != 0;
        bool is_gone = (backend->flags & HF_FLEET_GONE) != 0;
        tally.configured_a += has_a && !is_gone;
        tally.configured_aaaa += has_aaaa && !is_gone;
        bool serves = hf_bit(draft->in, i);
        tally.capacity += serves || !is_gone ? backend->capacity : 0;
        if (want == HF_MEMBER_IN) {
            tally.healthy++;
            tally.returned += serves ? 0 : backend->capacity;
            hf_bit_set(draft->in, i);
        } else if (!serves) {
            continue;
        }
        tally.serving_a += has_a;
        tally.serving_aaaa += has_aaaa;
        tally.leaving += want < HF_MEMBER_STAY;
        tally.staying += want >= HF_MEMBER_STAY;
    }
    return tally;
}

static uint32_t digest_of(uint64_t hash)
{
    uint32_t digest = (uint32_t)(hash ^ hash >> 32);
    return digest == 0 ? 1 : digest;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Of the set that would serve if nothing held anything back: what an approval is bound to. */
static uint32_t digest_wanted(const struct hf_planner *planner,
                              const struct hf_planner_draft *draft)
{
    uint64_t hash = mix(mix(0, draft->endpoint), draft->policy->ttl_s);
    hash = mix(hash, draft->policy->answers_max);
    uint64_t word = 0;
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        if (hf_bit(draft->in, i) && want_of(planner, draft, i) >= HF_MEMBER_STAY) {
            word |= UINT64_C(1) << (i % 64);
        }
        if (i % 64 == 63 || i + 1 == draft->shape->member_count) {
            hash = mix(hash, word);
            word = 0;
        }
    }
    return digest_of(hash);
}

static void leave_all(const struct hf_planner *planner, struct hf_planner_draft *draft)
{
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        if (want_of(planner, draft, i) < HF_MEMBER_STAY) {
            hf_bit_clear(draft->in, i);
        }
    }
}

static void hold_for(struct hf_planner_draft *draft, enum hf_hold hold)
{
    if (draft->hold < hold) {
        draft->hold = (uint8_t)hold;
    }
}

/* True when one of the member's families would have no address left without it. */
static bool is_last_of_family(const struct hf_fleet_backend *backend, const struct tally *tally)
{
    bool last_a =
        (backend->flags & HF_FLEET_HAS_A) != 0 && tally->serving_a == 1 && tally->configured_a > 0;
    bool last_aaaa = (backend->flags & HF_FLEET_HAS_AAAA) != 0 && tally->serving_aaaa == 1 &&
                     tally->configured_aaaa > 0;
    return last_a || last_aaaa;
}

/* Lets members of one kind leave as far as left goes; returns what left. */
static uint64_t leave(const struct hf_planner *planner, struct hf_planner_draft *draft,
                      enum hf_member_want kind, struct tally *tally, uint64_t left)
{
    uint64_t removed = 0;
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        if (!hf_bit(draft->in, i) || want_of(planner, draft, i) != kind) {
            continue;
        }
        const struct hf_fleet_backend *backend = &planner->fleet->backends[draft->members[i]];
        if (is_last_of_family(backend, tally)) {
            hold_for(draft, HF_HOLD_FAMILY);
        } else if (backend->capacity > left - removed) {
            hold_for(draft, HF_HOLD_REMOVAL);
        } else {
            hf_bit_clear(draft->in, i);
            removed += backend->capacity;
            tally->serving_a -= (backend->flags & HF_FLEET_HAS_A) != 0;
            tally->serving_aaaa -= (backend->flags & HF_FLEET_HAS_AAAA) != 0;
        }
    }
    return removed;
}

static void set_guarded(const struct hf_planner *planner, struct hf_planner_draft *draft,
                        uint64_t now_ms)
{
    const struct hf_fleet_policy *policy = draft->policy;
    if (is_first_wait(planner, now_ms)) {
        struct configured found = count_configured(planner, draft);
        draft->is_patient = found.gone > 0 && found.unknown > 0;
    }
    struct tally tally = enter_and_count(planner, draft);
    draft->hold_digest = digest_wanted(planner, draft);
    bool was_approved = (draft->now->want & HF_WANT_APPROVED) != 0;
    draft->is_approved = was_approved && draft->now->hold_digest == draft->hold_digest;
    if (tally.leaving == 0) {
        return;
    }
    uint32_t healthy_min = policy->min_healthy > 0 ? policy->min_healthy : 1;
    if (draft->is_approved && tally.staying > 0) {
        leave_all(planner, draft);
    } else if (tally.healthy < healthy_min) {
        hold_for(draft, HF_HOLD_MIN_HEALTHY);
    } else {
        struct hf_budget budget = draft->now->budget;
        hf_budget_book(&budget, tally.capacity, 0, tally.returned, policy->max_removal_ms, now_ms);
        uint64_t left =
            hf_budget_left(&budget, tally.capacity, policy->max_removal_permille, now_ms);
        for (int kind = HF_MEMBER_OUT_DOWN; kind < HF_MEMBER_STAY; kind++) {
            left -= leave(planner, draft, (enum hf_member_want)kind, &tally, left);
        }
    }
}

/* Books what left and what returned, from whatever cause. */
static void book(const struct hf_planner *planner, struct hf_planner_draft *draft, uint64_t now_ms)
{
    uint64_t have = 0, removed = 0, returned = 0; /* have: as tally.capacity */
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        bool was_in = hf_bit(draft->now_in, i);
        bool is_in = hf_bit(draft->in, i);
        const struct hf_fleet_backend *backend = &planner->fleet->backends[draft->members[i]];
        uint64_t capacity = backend->capacity;
        have += was_in || is_in || (backend->flags & HF_FLEET_GONE) == 0 ? capacity : 0;
        removed += was_in && !is_in ? capacity : 0;
        returned += is_in && !was_in ? capacity : 0;
    }
    hf_budget_book(&draft->next->budget, have, removed, returned, draft->policy->max_removal_ms,
                   now_ms);
}

/* The members that an endpoint begins with: the healthy ones, or as many as there are. */
static void set_new(const struct hf_planner *planner, struct hf_planner_draft *draft,
                    uint64_t now_ms)
{
    struct configured found = count_configured(planner, draft);
    uint32_t healthy_min = draft->policy->min_healthy > 0 ? draft->policy->min_healthy : 1;
    bool is_enough = found.healthy >= healthy_min;
    /* With its history lost it may well answer now, and with more than has a verdict yet. */
    bool may_answer = planner->ahead_gen > 0;
    if ((!is_enough || may_answer) && found.unknown > 0 && is_first_wait(planner, now_ms)) {
        draft->is_waiting = true;
        return;
    }
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        uint32_t backend = draft->members[i];
        bool is_gone = (planner->fleet->backends[backend].flags & HF_FLEET_GONE) != 0;
        bool is_drained = (planner->drained[backend] & HF_DRAIN_ON) != 0;
        bool is_in = is_enough ? hf_planner_member_want(planner, backend) == HF_MEMBER_IN
                     : found.available > 0  ? !is_gone && !is_drained
                     : found.configured > 0 ? !is_gone
                                            : true;
        if (is_in) {
            hf_bit_set(draft->in, i);
        }
    }
    draft->hold_digest = digest_wanted(planner, draft);
    if (!is_enough && enter_and_count(planner, draft).leaving > 0) {
        hold_for(draft, HF_HOLD_MIN_HEALTHY);
    }
}

void hf_planner_set(struct hf_planner *planner, struct hf_planner_draft *draft, uint64_t now_ms)
{
    size_t octets = draft->octets;
    const uint8_t *pinned = planner->pinned + draft->shape->octet_first;
    if ((draft->now->want & HF_WANT_PINNED) != 0) {
        memcpy(draft->in, pinned, octets);
    } else if (draft->is_new) {
        memset(draft->in, 0, octets);
        set_new(planner, draft, now_ms);
        return;
    } else {
        memcpy(draft->in, draft->now_in, octets);
        set_guarded(planner, draft, now_ms);
    }
    assert(!hf_bits_empty(draft->in, draft->octets));
    book(planner, draft, now_ms);
}

static void cause_leaving(struct hf_planner_row *next, enum hf_member_want want)
{
    static const uint8_t causes[] = {
        [HF_MEMBER_OUT_DOWN] = HF_CAUSE_HEALTH,   [HF_MEMBER_OUT_GONE] = HF_CAUSE_CONFIG,
        [HF_MEMBER_OUT_DRAINED] = HF_CAUSE_DRAIN, [HF_MEMBER_STAY] = HF_CAUSE_CONFIG,
        [HF_MEMBER_IN] = HF_CAUSE_CONFIG,
    };
    next->cause = causes[want];
    if (want == HF_MEMBER_OUT_DOWN || want == HF_MEMBER_OUT_DRAINED) {
        next->flags |= HF_ROW_URGENT;
    }
}

void hf_planner_set_cause(const struct hf_planner *planner, struct hf_planner_draft *draft)
{
    struct hf_planner_row *next = draft->next;
    uint32_t leaver = UINT32_MAX, enterer = UINT32_MAX;
    for (uint32_t i = 0; i < draft->shape->member_count; i++) {
        bool was_in = hf_bit(draft->now_in, i);
        bool is_in = hf_bit(draft->in, i);
        if (was_in == is_in) {
            continue;
        }
        uint32_t backend = draft->members[i];
        if (is_in) {
            enterer = enterer == UINT32_MAX ? backend : enterer;
        } else if (leaver == UINT32_MAX || (next->flags & HF_ROW_URGENT) == 0) {
            /* The first one that is urgent explains more than one that merely is first. */
            leaver = backend;
            cause_leaving(next, hf_planner_member_want(planner, backend));
        }
    }
    if (leaver == UINT32_MAX && enterer != UINT32_MAX) {
        bool undrained = (planner->drained[enterer] & HF_DRAIN_LIFTED) != 0;
        next->cause = undrained ? HF_CAUSE_DRAIN : HF_CAUSE_HEALTH;
    }
    next->cause_backend = leaver != UINT32_MAX ? leaver : enterer;
}
