/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the planner share: drafts of one endpoint's next entry.
 */
#ifndef HF_CORE_PLANNER_INTERNAL_H
#define HF_CORE_PLANNER_INTERNAL_H

#include "core/planner.h"

/* hf_planner_row.want */
enum {
    HF_WANT_RETIRED = 1,
    HF_WANT_PINNED = 2,
    HF_WANT_CLAIMED = 4,    /* its fence was seen */
    HF_WANT_STAMP = 8,      /* a generation above the one it has */
    HF_WANT_FORGOTTEN = 16, /* its tombstone is gone from the zone */
    HF_WANT_APPROVED = 32,  /* what is held back, as hold_digest says, is approved */
};

/* hf_planner.drained */
enum {
    HF_DRAIN_ON = 1,
    HF_DRAIN_LIFTED = 2,
};

/* What is wanted of a member. Leaving members leave in this order. */
enum hf_member_want {
    HF_MEMBER_OUT_DOWN,
    HF_MEMBER_OUT_GONE,
    HF_MEMBER_OUT_DRAINED,
    HF_MEMBER_STAY,
    HF_MEMBER_IN,
};

/* One endpoint while it is planned: as it is, and as it will be. */
struct hf_planner_draft {
    const struct hf_fleet_endpoint *shape;
    const struct hf_fleet_policy *policy;
    const uint32_t *members; /* backend numbers */
    struct hf_planner_row *now;
    struct hf_planner_row *next;
    const uint8_t *now_in, *now_a, *now_aaaa;
    uint8_t *in, *pick_a, *pick_aaaa;
    uint32_t endpoint;
    uint32_t octets;
    uint32_t hold_digest; /* of the set that the guards hold back, or that is published */
    uint8_t hold;
    bool is_new;      /* has no answer yet, or a tombstone's */
    bool is_kept;     /* stays as it is, whatever health says: orphan, tombstone */
    bool is_exempt;   /* max_changed does not hold it back */
    bool is_approved; /* nothing holds it back */
    bool is_waiting;  /* new, and its verdicts are not there yet */
    bool is_patient;  /* its verdicts are not there yet: GONE members stay */
};

static inline bool hf_bit(const uint8_t *bits, uint32_t bit)
{
    return (bits[bit / 8] >> (bit % 8) & 1) != 0;
}

static inline void hf_bit_set(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] |= (uint8_t)(1U << (bit % 8));
}

static inline void hf_bit_clear(uint8_t *bits, uint32_t bit)
{
    bits[bit / 8] &= (uint8_t) ~(1U << (bit % 8));
}

bool hf_bits_empty(const uint8_t *bits, uint32_t octets);

/* planner_publish.c: TICK and PUBLISHED. */
void hf_planner_tick(struct hf_planner *planner, uint64_t now_ms, struct hf_planner_outbox *outbox);
void hf_planner_published(struct hf_planner *planner, const struct hf_planner_event *event,
                          struct hf_planner_outbox *outbox);
void hf_planner_act(struct hf_planner_outbox *outbox, enum hf_planner_action_type type, uint32_t op,
                    uint64_t gen);
/* TICK at this time at the latest. */
void hf_planner_wake(struct hf_planner *planner, uint64_t at_ms);

/* planner_draft.c: one endpoint's next entry. True when it differs from the published one. */
bool hf_planner_draft(struct hf_planner *planner, uint32_t endpoint, uint64_t now_ms);
/* Writes down why the endpoint is held back; digest 0 and HF_HOLD_NONE: it is not. */
void hf_planner_hold(struct hf_planner *planner, uint32_t endpoint, enum hf_hold hold,
                     uint32_t digest);

/* planner_set.c: which members serve, within the guards. Sets in, hold, next->budget. */
void hf_planner_set(struct hf_planner *planner, struct hf_planner_draft *draft, uint64_t now_ms);
enum hf_member_want hf_planner_member_want(const struct hf_planner *planner, uint32_t backend);
/* Why the set changed: sets next->cause, cause_backend and the urgent flag. */
void hf_planner_set_cause(const struct hf_planner *planner, struct hf_planner_draft *draft);

/* planner_pick.c: picks from draft->in. Returns whether they change with time. */
bool hf_planner_picks(struct hf_planner *planner, struct hf_planner_draft *draft, uint64_t now_ms);

#endif
