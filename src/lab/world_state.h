/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of Holdfast's world, and what its files share. Plain data without pointers: a machine
 * is kept as its facts, made whole before a step of the production code, and taken apart after it.
 */
#ifndef HF_LAB_WORLD_STATE_H
#define HF_LAB_WORLD_STATE_H

#include "core/enactor.h"
#include "core/janitor.h"
#include "core/planner.h"
#include "lab/server.h"
#include "lab/world.h"

enum {
    HF_WORLD_ENACTORS_MAX = 3,
    HF_WORLD_PLANNERS_MAX = 2,
    HF_WORLD_ENDPOINTS_MAX = 3,
    HF_WORLD_MEMBERS_MAX = 3,
    HF_WORLD_BACKENDS = HF_WORLD_ENDPOINTS_MAX + HF_WORLD_MEMBERS_MAX - 1,
    HF_WORLD_FLIGHTS_MAX = 8, /* requests of an enactor */
    HF_WORLD_GHOSTS_MAX = 8,  /* messages that nobody waits for any more */
    HF_WORLD_OBJECTS_MAX = 12,
    HF_WORLD_CHAIN_MAX = 3, /* deltas on a snapshot */
    HF_WORLD_PAGE_MAX = 4,  /* objects that the janitor remembers of a page */
    HF_WORLD_PAST = 4,
    HF_WORLD_INSTANCE = 1, /* of the first store */
    HF_WORLD_STRANGE = 99, /* of another installation's */
    HF_WORLD_STRANGE_GEN = 40,
    HF_WORLD_REMOVAL_MS = 60000,
    HF_WORLD_REMOVAL_PERMILLE = 500,
    HF_WORLD_CHANGES_MAX = 2, /* endpoints that may change in a window, where that is limited */
    HF_WORLD_GEN_MAX = 65000,
};

/* Without time all clocks stand here; a timer that lies beyond is armed. Of the year 2025, since
 * planners have a wall clock. */
#define HF_WORLD_NOW_MS UINT64_C(1760400000000)

/* --- values --- */

/* A TXT RRset, or a set of addresses, as a number; equal numbers are equal values. */
typedef uint64_t hf_world_value;

#define HF_VALUE_ABSENT ((hf_world_value)HF_FENCE_ABSENT)

/* Which members' A records (low four bits) and AAAA records (high four) are answered. */
enum {
    HF_CONTENT_EMPTY = 0,
    HF_CONTENT_ALIEN = 0x100, /* addresses that no entry has */
};

uint64_t hf_world_sum(uint32_t content);
uint32_t hf_world_content(uint64_t sum);
hf_world_value hf_world_fence_value(const struct hf_fence *fence);
struct hf_fence hf_world_fence_of(hf_world_value value);
hf_world_value hf_world_guard_value(const struct hf_zone_guard *guard);
struct hf_zone_guard hf_world_guard_of(hf_world_value value, uint32_t instance);
uint32_t hf_world_value_gen(hf_world_value value);      /* of a fence */
uint32_t hf_world_value_content(hf_world_value value);  /* of a fence */
uint32_t hf_world_value_instance(hf_world_value value); /* of a guard of ours */
uint8_t hf_world_value_kind(hf_world_value value);
/* A fence of that kind whose value no other has. */
hf_world_value hf_world_odd_value(uint8_t kind, uint32_t token);

/* --- enactors --- */

enum hf_world_flight_state {
    HF_FLIGHT_FREE,
    HF_FLIGHT_SENT,
    HF_FLIGHT_ANSWERED, /* the answer is on its way */
    HF_FLIGHT_TORN,     /* a READ that has seen a part */
};

/* A request: what was asked, or what comes back. */
struct hf_world_flight {
    hf_world_value guard;                          /* prerequisite, or seen */
    hf_world_value guard_after;                    /* WRITE_GUARD */
    hf_world_value before[HF_WORLD_ENDPOINTS_MAX]; /* WRITE: prerequisite; reads: seen */
    hf_world_value after[HF_WORLD_ENDPOINTS_MAX];  /* WRITE; 0: the fence is removed */
    uint64_t count;                                /* WRITE: of by= */
    uint32_t op;                                   /* of the machine; its slot in the low byte */
    uint32_t serial;                               /* READ_ZONE: seen */
    uint16_t content[HF_WORLD_ENDPOINTS_MAX];      /* reads: seen; WRITE: demanded */
    uint8_t records[HF_WORLD_ENDPOINTS_MAX];       /* reads: seen; WRITE: demanded */
    uint8_t kind;                                  /* enum hf_enactor_op_kind */
    uint8_t state;                                 /* enum hf_world_flight_state */
    uint8_t result;                                /* ANSWERED */
    uint8_t lanes;                                 /* bits */
    uint8_t torn;                                  /* bits: seen already */
    uint8_t audited;                               /* bits: WRITE sends what differs from content */
    bool whole, unchanged, janitor, stranger;
};

struct hf_world_lane {
    hf_world_value fence;
    uint64_t heal_until_ms;
    uint32_t want_gen, sent_gen;
    uint16_t want_content, sent_content, records_content;
    uint8_t records, flags, heals, need;
};

/* The facts of a struct hf_enactor; the names are the machine's. */
struct hf_world_machine {
    struct hf_world_lane lanes[HF_WORLD_ENDPOINTS_MAX];
    struct hf_zone_guard guard, guard_after;
    uint64_t not_before_ms, next_audit_ms, next_guard_ms, next_head_ms, next_look_ms, heal_wake_ms;
    uint64_t rolled_ms, patient_ms;
    uint32_t plan_gen, stray_gen, ahead_gen, restore_floor;
    struct hf_roll rolls[HF_PACES];
    uint32_t window_256, help_256, share_op, share_writes, latency_ms, backoff_ms, batch,
        refusal_streak, next_op;
    uint16_t marks; /* the machine's bools, world_machine.c */
    uint8_t state, auditing, confirming;
};

struct hf_world_entry {
    uint32_t gen; /* 0: not in the plan */
    uint16_t content;
    uint8_t in;    /* members that serve */
    uint8_t flags; /* HF_ROW_… */
    uint8_t cause; /* enum hf_cause */
};

struct hf_world_plan {
    uint32_t gen;
    struct hf_world_entry entries[HF_WORLD_ENDPOINTS_MAX];
};

/* What an operator said, as the store keeps it. */
struct hf_world_overrides {
    uint8_t retired, pinned, adopted; /* bits of endpoints */
    uint8_t drained;                  /* bits of backends */
    uint8_t pins[HF_WORLD_ENDPOINTS_MAX];
    bool frozen, approved;
};

struct hf_world_enactor {
    struct hf_world_machine machine;
    struct hf_world_flight flights[HF_WORLD_FLIGHTS_MAX];
    struct hf_world_plan image;          /* the plan that it has */
    struct hf_world_overrides overrides; /* as last read */
    struct hf_world_plan late;           /* what a HEAD has read whose answer is on its way */
    uint32_t late_object;
    uint32_t object;   /* name of the image's */
    uint32_t serial;   /* of the zone at its last transfer; 0: none */
    uint32_t instance; /* of its store; 0: not known */
    uint8_t skipped;   /* audits that the serial stood for */
    uint8_t known;     /* bits of endpoints: they have a lane */
    int32_t skew_ms;   /* of its clock */
    /* What the laws remember: repairs of records since a window began. */
    uint8_t repairs[HF_WORLD_ENDPOINTS_MAX];
    uint64_t repairs_until_ms[HF_WORLD_ENDPOINTS_MAX]; /* with time only */
};

/* --- store --- */

struct hf_world_object {
    uint32_t name; /* digest of what it holds; 0: there is none */
    uint32_t parent;
    uint32_t gen;
    uint32_t put_number;
    uint64_t put_ms;
    bool snapshot, corrupt;
};

struct hf_world_store {
    struct hf_world_plan plan; /* what the head leads to, where it can be read */
    struct hf_budget budgets[HF_WORLD_ENDPOINTS_MAX], changed;
    struct hf_world_overrides overrides;
    struct hf_world_object objects[HF_WORLD_OBJECTS_MAX];
    uint32_t head; /* name of an object; 0: no plan yet */
    uint32_t instance;
    uint32_t put_number;
};

/* --- planner, janitor --- */

/* The facts of a struct hf_planner and its driver; the names are the machine's. */
struct hf_world_planner {
    struct hf_planner_row rows[HF_WORLD_ENDPOINTS_MAX], next_rows[HF_WORLD_ENDPOINTS_MAX];
    struct hf_budget changed;
    struct hf_world_overrides overrides;
    uint64_t head_gen, publish_gen, planned_ms, ahead_gen, ahead_at_ms, oldest_gen, start_ms;
    uint64_t now_ms, rotated_ms, wake_ms, claim_ms;
    uint32_t ahead_count, op, next_op, hold_serial;
    uint32_t object; /* name of the head that it knows */
    uint32_t instance;
    int32_t skew_ms;
    uint8_t in[HF_WORLD_ENDPOINTS_MAX], next_in[HF_WORLD_ENDPOINTS_MAX];
    uint16_t picks[HF_WORLD_ENDPOINTS_MAX], next_picks[HF_WORLD_ENDPOINTS_MAX];
    uint8_t pins[HF_WORLD_ENDPOINTS_MAX];
    uint8_t verdicts[HF_WORLD_BACKENDS], drained[HF_WORLD_BACKENDS];
    uint8_t seen[HF_WORLD_BACKENDS]; /* what its checks say: fed when it starts anew */
    uint8_t dirty, held, rotating, waiting, claiming, publishing; /* bits of endpoints */
    bool asks;          /* its PUBLISH is on its way to the store */
    bool loaded;        /* it has read the head since it started */
    bool changed_store; /* something in the store is new to it */
    bool frozen, stopped, reload, stamp_all, stamping;
};

struct hf_world_janitor {
    struct hf_janitor_object page[HF_WORLD_PAGE_MAX];
    uint8_t last[HF_JANITOR_NAME_SIZE];
    struct hf_janitor_action action; /* to be performed; its op 0: none */
    uint64_t due_ms;
    uint32_t count, at, op, next_op;
    int32_t skew_ms;
    uint8_t phase;
    bool more, first;
    bool misled;                   /* the store was restored since it read what is reachable */
    struct hf_world_flight flight; /* removal of tombstones; state FREE: none */
};

/* --- the world --- */

/* Capacity that an endpoint was planned with until then. */
struct hf_world_past {
    uint64_t until_ms;
    uint32_t capacity;
};

/* What the invariants remember of an endpoint. */
struct hf_world_site {
    uint32_t high;  /* generation that its fence must not fall below */
    uint8_t edited; /* by hand, since it was last written */
    uint8_t was_ours;
    uint8_t adopted;                          /* an operator gave it to us once */
    struct hf_world_past past[HF_WORLD_PAST]; /* newest first; until 0: none */
};

/* Bounds, in the order of struct hf_world_options from retires on. */
enum hf_world_bound {
    HF_BOUND_RETIRES,
    HF_BOUND_CLEANS,
    HF_BOUND_CRASHES,
    HF_BOUND_WARM_CRASHES,
    HF_BOUND_PLANNER_ENDS,
    HF_BOUND_LOST_REPLIES,
    HF_BOUND_LATE_REPLIES,
    HF_BOUND_TIMEOUTS,
    HF_BOUND_DUPLICATES,
    HF_BOUND_UNTRUE,
    HF_BOUND_TORN,
    HF_BOUND_STALE,
    HF_BOUND_AUDITS,
    HF_BOUND_RESTARTS,
    HF_BOUND_EDITS,
    HF_BOUND_GUARD_EDITS,
    HF_BOUND_FREEZES,
    HF_BOUND_DRAINS,
    HF_BOUND_ROLLBACKS,
    HF_BOUND_RESTORES,
    HF_BOUND_LOST_STORES,
    HF_BOUND_CORRUPTIONS,
    HF_BOUND_GENERATIONS,
    HF_BOUNDS
};

enum hf_world_move_kind {
    HF_MOVE_SERVE, /* of a request, by flight number */
    HF_MOVE_DELIVER,
    HF_MOVE_LATE,
    HF_MOVE_LOSE,
    HF_MOVE_TIMEOUT,
    HF_MOVE_DUPLICATE,
    HF_MOVE_UNTRUE,
    HF_MOVE_TEAR,
    HF_MOVE_STALE,
    HF_MOVE_GHOST, /* by ghost number */
    HF_MOVE_DROP,
    HF_MOVE_TIMER, /* by enactor and enum hf_world_timer */
    HF_MOVE_LOAD,  /* by enactor */
    HF_MOVE_REPORT,
    HF_MOVE_CRASH,
    HF_MOVE_CRASH_CACHED,
    HF_MOVE_CHECK,   /* by planner and backend */
    HF_MOVE_PLANNER, /* by planner: what it has to do */
    HF_MOVE_WINDOW,  /* its next deadline passes */
    HF_MOVE_PLANNER_CRASH,
    HF_MOVE_JANITOR,
    HF_MOVE_JANITOR_CRASH,
    HF_MOVE_RETIRE, /* by endpoint */
    HF_MOVE_RECREATE,
    HF_MOVE_ROLLBACK,
    HF_MOVE_RELEASE,
    HF_MOVE_ADOPT,
    HF_MOVE_EDIT,
    HF_MOVE_DRAIN, /* by backend */
    HF_MOVE_UNDRAIN,
    HF_MOVE_FREEZE,
    HF_MOVE_THAW,
    HF_MOVE_APPROVE,
    HF_MOVE_EDIT_GUARD,
    HF_MOVE_ADOPT_ZONE,
    HF_MOVE_RESTORE,
    HF_MOVE_LOSE_STORE,
    HF_MOVE_CORRUPT,
    HF_MOVE_RESTART,
    HF_MOVE_TIME,
    HF_MOVES
};

enum hf_world_timer {
    HF_TIMER_BACKOFF,
    HF_TIMER_AUDIT,
    HF_TIMER_GUARD,
    HF_TIMER_HEAD,
    HF_TIMER_HEAL,
    HF_TIMERS
};

struct hf_world_move {
    uint8_t kind; /* enum hf_world_move_kind */
    uint8_t who;  /* target, as world_move.c numbers them */
    uint8_t what; /* detail: of edits */
};

struct hf_world {
    uint64_t now_ms;
    uint64_t taken; /* values that enactors hold which are not in this state: see hf_model_parts */
    uint32_t token; /* with time: of the last unique value */
    uint8_t turn;   /* enum hf_world_turn: whose moves there are */
    bool zone_changed;                         /* by this move */
    uint64_t changed_ms[HF_WORLD_CHANGES_MAX]; /* when endpoints changed, newest first; with time */
    uint16_t left[HF_BOUNDS];
    struct hf_world_options shape; /* as drawn, or as given; its bounds are in left */
    struct hf_world_site sites[HF_WORLD_ENDPOINTS_MAX];
    struct hf_world_move last;
    uint8_t last_result; /* of the last request: for timelines */
    bool calm;           /* faults have stopped */
    bool broken;
    struct hf_world_store store;
    struct hf_world_flight ghosts[HF_WORLD_GHOSTS_MAX];
    struct hf_server_zone zone;
    struct hf_world_janitor janitor;
    struct hf_world_planner planners[HF_WORLD_PLANNERS_MAX];
    struct hf_world_enactor enactors[HF_WORLD_ENACTORS_MAX];
    /* From here on only where an option needs it. */
    struct hf_server_zone older, synced; /* at a secondary; on the disk */
    struct hf_world_store saved;
    uint32_t weights[HF_MOVES];
    uint32_t haste[HF_WORLD_ENACTORS_MAX]; /* how often an enactor's turn comes */
    char why[HF_MODEL_WHY_SIZE];
};

enum hf_world_turn { HF_TURN_ALL, HF_TURN_ENACTORS, HF_TURN_REST };

static inline bool hf_bit8(uint32_t bits, uint32_t bit)
{
    return (bits >> bit & 1) != 0;
}

#endif
