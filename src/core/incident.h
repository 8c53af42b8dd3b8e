/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incident: which of the things that are wrong belong together, and when that began and ended.
 *
 * A *condition* is one thing that is wrong now: a zone that cannot be reached, a plan that is held.
 * An *incident* is a group of conditions that have one cause. The machine is fed with all
 * conditions that hold, again and again, and says what changed; it allocates nothing, has no clock
 * and knows no texts: a condition is told from others by its key.
 *
 * A kind explains others (hf_condition_explains): a target that cannot be reached explains why its
 * zones cannot, and that its endpoints are behind. A new condition joins the open incident that
 * holds one that explains it. If it explains the cause of open incidents itself, they become one,
 * the one with the lowest number, and it becomes the cause. Otherwise it opens an incident anew.
 * Where it shows only later that one open incident explains the cause of another, they become one.
 *
 * So that what flaps does not open ten incidents: a condition of a kind with a delay counts once it
 * has held that long; an incident closes when none of its conditions has held for hold_ms (at the
 * time when the last one ended); within reopen_ms after that, its cause opens it again, and takes
 * in what came before it and opened an incident anew.
 *
 * What cannot happen: a condition in two open incidents; an open incident without a cause that is
 * one of its conditions; a number used twice.
 */
#ifndef HF_CORE_INCIDENT_H
#define HF_CORE_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

/* Kinds, those that can be the cause of others first. X(kind, delay in milliseconds) */
#define HF_CONDITION_KINDS(X)                                                                      \
    X(STORE, 5000)              /* cannot be read or written */                                    \
    X(SITE_DOWN, 0)             /* all backends of a site */                                       \
    X(POOL_DOWN, 0)             /* most backends of a pool */                                      \
    X(TARGET_UNREACHABLE, 5000) /* all zones of a target, by all enactors */                       \
    X(ZONE_UNREACHABLE, 5000)                                                                      \
    X(NO_ENACTOR, 10000)                                                                           \
    X(PLANNER_DEAD, 10000)                                                                         \
    X(FREEZE_ALL, 0)                                                                               \
    X(FREEZE_ZONE, 0)                                                                              \
    X(ZONE_REFUSED, 2000)                                                                          \
    X(AHEAD, 5000) /* fences above the plan */                                                     \
    X(PLANNER_STOPPED, 0)                                                                          \
    X(ENACTOR_DEAD, 0)                                                                             \
    X(JANITOR_DEAD, 0)                                                                             \
    X(CONTESTED, 0)                                                                                \
    X(FOREIGN, 10000)                                                                              \
    X(TOO_FEW, 0) /* healthy backends: min_healthy */                                              \
    X(HELD, 5000) /* a plan that waits for a person */                                             \
    X(BEHIND, 60000)                                                                               \
    X(TROUBLE, 10000) /* what a role says of itself */

enum hf_condition_kind {
#define HF_CONDITION_KIND(name, delay_ms) HF_CONDITION_##name,
    HF_CONDITION_KINDS(HF_CONDITION_KIND)
#undef HF_CONDITION_KIND
        HF_CONDITION_KIND_COUNT
};

/* What a condition is about, beside itself; two conditions are related when they share one. */
enum hf_incident_scope {
    HF_SCOPE_TARGET,
    HF_SCOPE_ZONE,
    HF_SCOPE_SITE,
    HF_SCOPE_POOL,
    HF_SCOPE_COUNT,
};

enum {
    HF_CONDITIONS_MAX = 128,       /* in one step; what is beyond is left out */
    HF_INCIDENT_CASES_MAX = 64,    /* open, or closed not long ago */
    HF_INCIDENT_MEMBERS_MAX = 512, /* conditions in all of them */
    HF_INCIDENT_CHANGES_MAX = 2048,
    HF_INCIDENT_HOLD_MS = 30000,
    HF_INCIDENT_REOPEN_MS = 600000,
};

struct hf_condition {
    uint64_t key;                    /* of kind and subject, not 0; no two in a step are equal */
    uint64_t scopes[HF_SCOPE_COUNT]; /* numbers that stand for names; 0: none */
    enum hf_condition_kind kind;
};

/* A condition that belongs to a case. */
struct hf_incident_member {
    struct hf_condition condition;
    uint64_t since_ms;
    uint64_t cleared_ms; /* 0: it holds */
    uint64_t number;     /* of the case */
};

/* An incident as far as the machine needs it. */
struct hf_incident_case {
    uint64_t number;
    uint64_t closed_ms; /* 0: open */
    uint64_t cause;     /* key of a member */
};

/* A condition that has not held long enough yet. */
struct hf_incident_pending {
    uint64_t key, since_ms, due_ms;
};

/* Plain data; all zero but for next_number 1 is the beginning. */
struct hf_incident_table {
    struct hf_incident_case cases[HF_INCIDENT_CASES_MAX]; /* in order of number */
    struct hf_incident_member members[HF_INCIDENT_MEMBERS_MAX];
    struct hf_incident_pending pending[HF_CONDITIONS_MAX];
    uint32_t case_count, member_count, pending_count;
    uint32_t hold_ms, reopen_ms;
    uint64_t next_number;
    uint64_t unplaced; /* so far: conditions that found no room in a step */
};

enum hf_incident_event {
    HF_INCIDENT_OPENED,   /* with key as its cause */
    HF_INCIDENT_REOPENED, /* because of key */
    HF_INCIDENT_JOINED,   /* key belongs to it now */
    HF_INCIDENT_CAUSE,    /* key is its cause now */
    HF_INCIDENT_CLEARED,  /* key does not hold any more */
    HF_INCIDENT_RETURNED, /* key holds again */
    HF_INCIDENT_MERGED,   /* it ended: its conditions are those of the incident into */
    HF_INCIDENT_CLOSED,   /* at at_ms */
};

struct hf_incident_change {
    enum hf_incident_event event;
    uint64_t number, key, into, at_ms;
};

struct hf_incident_changes {
    struct hf_incident_change rows[HF_INCIDENT_CHANGES_MAX];
    uint32_t count;
};

void hf_incident_table_init(struct hf_incident_table *table, uint32_t hold_ms, uint32_t reopen_ms);

/*
 * These conditions hold now; those that are not among them do not, unless is_complete is false:
 * then nothing is known of them, and nothing ends. ret_changes is filled anew, in the order in
 * which things happened.
 */
void hf_incident_step(struct hf_incident_table *table, const struct hf_condition *conditions,
                      uint32_t count, bool is_complete, uint64_t now_ms,
                      struct hf_incident_changes *ret_changes);

/* When a step with the same conditions would change something, UINT64_MAX: never. */
uint64_t hf_incident_deadline_ms(const struct hf_incident_table *table);

/* Whether cause explains effect. */
bool hf_condition_explains(const struct hf_condition *cause, const struct hf_condition *effect);
uint32_t hf_condition_delay_ms(enum hf_condition_kind kind);

/* The case with this number, or NULL; the member of an open case with this key, or NULL. */
const struct hf_incident_case *hf_incident_case(const struct hf_incident_table *table,
                                                uint64_t number);
const struct hf_incident_member *hf_incident_member(const struct hf_incident_table *table,
                                                    uint64_t key);

#endif
