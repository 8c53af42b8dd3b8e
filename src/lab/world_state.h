/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of Holdfast's world, and what its files share. Plain data without pointers: a machine
 * is kept as its facts, made whole before a step of the production code, and taken apart after it.
 *
 *   world.c          the model: first state, one step
 *   world_value.c    TXT values as numbers
 *   world_zone.c     UPDATE messages, what is read of the zone, what must hold of it
 *   world_law.c      what must hold of the processes
 *   world_store.c    plans, objects, overrides
 *   world_machine.c  an enactor's facts become the machine, and back
 *   world_enactor.c  the process around it: events in, requests out
 *   world_serve.c    what becomes of a request
 *   world_plan.c, world_planner.c, world_report.c, world_janitor.c   the other processes
 *   world_people.c   operators and other hands
 *   world_move.c     which moves there are
 *   world_draw.c, world_time.c   what a seed decides; clocks
 *   world_heal.c     faults stop: must everything come to rest?
 *   world_code*.c    states as octets
 *   world_parts.c    the world as parts, for weave.h
 *   world_tell.c     moves as lines
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
    bool whole, unchanged, janitor;
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
    uint64_t not_before_ms, next_audit_ms, next_guard_ms, next_head_ms, heal_wake_ms;
    uint32_t plan_gen, stray_gen, ahead_gen, restore_floor;
    uint32_t cursor[2];
    uint32_t window_256, latency_ms, backoff_ms, batch, refusal_streak, next_op;
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

/* What a step has touched, in bits: the rest is as it was. */
enum {
    HF_TOUCHED_REST = 1, /* all that has no bit of its own */
    HF_TOUCHED_ZONE = 2,
    HF_TOUCHED_PLANNERS = 4,
    HF_TOUCHED_JANITOR = 8,
    HF_TOUCHED_ENACTOR = 16, /* the first; then the next bits */
};

struct hf_world {
    uint64_t now_ms;
    uint64_t taken; /* values that enactors hold which are not in this state: see hf_model_parts */
    uint32_t touched;
    uint32_t token;                            /* with time: of the last unique value */
    uint8_t turn;                              /* enum hf_world_turn: whose moves there are */
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

/* --- world.c --- */
void hf_world_broken(struct hf_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The wall clock of a process; monotonic clocks are read from it, too. */
uint64_t hf_world_clock(const struct hf_world *world, int32_t skew_ms);
/* A number that makes the values of a write of these lanes unlike any that is left anywhere. */
uint64_t hf_world_token(struct hf_world *world, const struct hf_world_plan *plan, uint32_t lanes);
/* Where there is no time: those in use, and those that writes of a plan look at, in bits. */
uint64_t hf_world_tokens_of_rest(const struct hf_world *world);
uint64_t hf_world_tokens_of(const struct hf_world *world, uint32_t enactor);
uint64_t hf_world_tokens_for(const struct hf_world *world, const struct hf_world_plan *plan);
/* One move of those whose turn it is. */
enum hf_step hf_world_step(struct hf_world *world, struct hf_choice *choice);
/* world_parts.c: the world as parts, for weave.h. */
const struct hf_model_parts *hf_world_parts(uint32_t enactors);

/* --- world_zone.c --- */
struct hf_world_view { /* an endpoint, as it lies in a zone */
    hf_world_value fence;
    uint16_t content;
    uint8_t records; /* enum hf_records_kind */
};
void hf_world_look(const struct hf_server_zone *zone, uint32_t endpoint,
                   struct hf_world_view *ret_view);
hf_world_value hf_world_look_guard(const struct hf_server_zone *zone);
/* What an UPDATE does, and whether an invariant breaks by it. */
uint8_t hf_world_update(struct hf_world *world, const struct hf_world_flight *flight);
/* By hand: puts fence, guard, or records there. */
void hf_world_put_fence(struct hf_world *world, uint32_t endpoint, hf_world_value fence);
void hf_world_put_guard(struct hf_world *world, hf_world_value guard);
void hf_world_put_records(struct hf_world *world, uint32_t endpoint, uint32_t content, bool cname);
void hf_world_serial_up(struct hf_world *world); /* after the changes of one hand */
/* Hands are at the zone: keeps the copies that a secondary and the disk have. */
void hf_world_before_change(struct hf_world *world);

/* --- world_store.c --- */
/* Whether a reader that has this object (0: none) can read what the head leads to. */
bool hf_world_readable(const struct hf_world_store *store, uint32_t have);
bool hf_world_reached(const struct hf_world_store *store, uint32_t name);
/* Whether it matters which object is which: else a plan's object is named by its generation. */
bool hf_world_has_objects(const struct hf_world *world);
/* Whether a fence can be ahead of the head, or a floor. */
bool hf_world_may_be_ahead(const struct hf_world *world);
/* Puts the object of a plan; returns its name. parent 0: a snapshot. */
uint32_t hf_world_put(struct hf_world *world, const struct hf_world_plan *plan, uint32_t parent);
/* How many deltas lie on the snapshot below an object; more than can be where it is broken. */
uint32_t hf_world_chain(const struct hf_world_store *store, uint32_t name);
/* But for why it is so. */
bool hf_world_same_entry(const struct hf_world_entry *a, const struct hf_world_entry *b);
bool hf_world_same_overrides(const struct hf_world_overrides *a,
                             const struct hf_world_overrides *b);
/* The store changed: who watches it hears of it. */
void hf_world_store_changed(struct hf_world *world);

/* --- world_machine.c --- */
enum { HF_WORLD_BENCH_WORDS = 160 };
struct hf_world_bench {
    struct hf_enactor machine;
    uint64_t memory[HF_WORLD_BENCH_WORDS];
};
enum { HF_WORLD_MARK_PLAN_KNOWN = 1024 }; /* of struct hf_world_machine.marks */
/* The machine of an enactor, whole; then, its facts again. */
void hf_world_take(const struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench);
void hf_world_lay(struct hf_world *world, uint32_t enactor, const struct hf_world_bench *bench);

/* --- world_enactor.c --- */
void hf_world_start(struct hf_world *world, uint32_t enactor, bool with_plan);
void hf_world_feed(struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench,
                   struct hf_enactor_event *event);
void hf_world_feed_entry(struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench,
                         uint32_t endpoint);
void hf_world_tick(struct hf_world *world, uint32_t enactor);
/* The watched store has news. */
void hf_world_load(struct hf_world *world, uint32_t enactor);
/* The answer to a HEAD, as the flight says; ends the flight. */
void hf_world_answer_head(struct hf_world *world, uint32_t enactor, uint32_t flight);
bool hf_world_is_loaded(const struct hf_world *world, uint32_t enactor);
uint32_t hf_world_timers(const struct hf_world *world, uint32_t enactor); /* armed, bits */
void hf_world_fire(struct hf_world *world, uint32_t enactor, uint32_t timer);

/* --- world_serve.c --- */
void hf_world_serve(struct hf_world *world, uint32_t enactor, uint32_t flight, uint8_t how);
void hf_world_deliver(struct hf_world *world, uint32_t enactor, uint32_t flight);
bool hf_world_add_ghost(struct hf_world *world, const struct hf_world_flight *flight);
void hf_world_drop_hopeless(struct hf_world *world);

/* --- world_plan.c: planners as machines --- */
struct hf_world_fleet {
    struct hf_fleet fleet;
    struct hf_fleet_backend backends[HF_WORLD_BACKENDS];
    struct hf_fleet_policy policy;
    struct hf_fleet_endpoint endpoints[HF_WORLD_ENDPOINTS_MAX];
    uint32_t members[HF_WORLD_ENDPOINTS_MAX * HF_WORLD_MEMBERS_MAX];
    uint32_t user_first[HF_WORLD_BACKENDS + 1];
    uint32_t users[HF_WORLD_ENDPOINTS_MAX * HF_WORLD_MEMBERS_MAX];
};
enum { HF_WORLD_DESK_WORDS = 192 };
struct hf_world_desk {
    struct hf_world_fleet fleet;
    struct hf_planner machine;
    uint64_t memory[HF_WORLD_DESK_WORDS];
};
uint32_t hf_world_removal_ms(const struct hf_world *world); /* the guards' window */
uint32_t hf_world_backends(const struct hf_world *world);
uint32_t hf_world_backend(const struct hf_world *world, uint32_t endpoint, uint32_t member);
void hf_world_fleet_build(const struct hf_world *world, struct hf_world_fleet *fleet);
void hf_world_sit(const struct hf_world *world, uint32_t planner, struct hf_world_desk *desk);
void hf_world_rise(struct hf_world *world, uint32_t planner, const struct hf_world_desk *desk);

/* --- world_planner.c: the process around it --- */
void hf_world_planner_start(struct hf_world *world, uint32_t planner);
bool hf_world_planner_due(const struct hf_world *world, uint32_t planner);
void hf_world_planner_act(struct hf_world *world, uint32_t planner);
/* Time passes for it until its deadline; false: it has none. */
bool hf_world_planner_waits(const struct hf_world *world, uint32_t planner);
void hf_world_planner_wake(struct hf_world *world, uint32_t planner);
void hf_world_check(struct hf_world *world, uint32_t planner, uint32_t backend);
void hf_world_planner_feed(struct hf_world *world, uint32_t planner,
                           const struct hf_planner_event *event);
/* --- world_report.c --- */
/* What an enactor sees is told to the planners; false: nothing of it is news to any. */
bool hf_world_has_news(const struct hf_world *world, uint32_t enactor);
void hf_world_report(struct hf_world *world, uint32_t enactor);

/* --- world_janitor.c --- */
bool hf_world_janitor_due(const struct hf_world *world);
void hf_world_janitor_act(struct hf_world *world);
void hf_world_janitor_start(struct hf_world *world);

/* Whether only so many endpoints may change in a window. */
static inline bool hf_world_is_paced(const struct hf_world *world)
{
    return world->shape.random && world->shape.endpoints > HF_WORLD_CHANGES_MAX &&
           world->shape.planners == 1;
}

/* --- world_law.c: breaks the world where a law does not hold --- */
void hf_world_law_begin(struct hf_world *world, uint32_t enactor, const struct hf_enactor *machine,
                        const struct hf_enactor_action *action);
void hf_world_law_write(struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint);
void hf_world_law_doubt(struct hf_world *world, const struct hf_enactor *machine,
                        const struct hf_world_flight *flight); /* after its DONE */
bool hf_world_is_right(const struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint);
void hf_world_law_news(struct hf_world *world, const struct hf_lane *lane, uint32_t endpoint,
                       bool was_right); /* after its SEEN */
void hf_world_law_healed(struct hf_world *world, uint32_t enactor,
                         const struct hf_world_flight *flight);
void hf_world_law_paced(struct hf_world *world, uint32_t endpoint, uint64_t now_ms);
void hf_world_law_planned(struct hf_world *world, const struct hf_planner *machine);
void hf_world_law_entry(struct hf_world *world, uint32_t endpoint, const struct hf_world_entry *was,
                        const struct hf_world_entry *is);

/* --- world_people.c --- */
uint32_t hf_world_people_may(const struct hf_world *world, enum hf_world_move_kind kind);
void hf_world_people(struct hf_world *world, const struct hf_world_move *move);
uint32_t hf_world_edits(const struct hf_world *world, enum hf_world_move_kind kind);

/* --- world_move.c --- */
/* The targets of a kind of move that are possible now, in bits. */
uint64_t hf_world_targets(const struct hf_world *world, enum hf_world_move_kind kind);
void hf_world_perform(struct hf_world *world, const struct hf_world_move *move);

/* How likely it is to be this target's turn: 1 where all are equal. */
uint32_t hf_world_haste(const struct hf_world *world, enum hf_world_move_kind kind, uint32_t who);
void hf_world_draw(struct hf_world *world, uint64_t seed); /* world_draw.c: the shape of it */

/* --- world_time.c --- */
enum hf_world_time { /* details of a move of time; the others, too, wait for what comes next */
                     HF_TIME_FORWARD, /* clocks jump */
                     HF_TIME_BACK,
                     HF_TIME_A_LITTLE,
                     HF_TIME_A_LITTLE_MORE,
                     HF_TIME_UNTIL_DUE,
                     HF_TIMES = 16
};
void hf_world_pass_time(struct hf_world *world, uint32_t what);
void hf_world_tick_all(struct hf_world *world);

/* --- world_heal.c --- */
/* Fair turns of these enactors (bits) and everything else until nothing is left to do. */
bool hf_world_come_to_rest(struct hf_world *world, uint32_t alive);
enum hf_step hf_world_heal(const struct hf_model *model, void *state, struct hf_choice *choice);

/* --- world_code.c, world_tell.c --- */
size_t hf_world_encoded_max(const struct hf_world_options *options);
size_t hf_world_encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes);
size_t hf_world_encode_rest(const struct hf_world *world, uint8_t *ret_bytes);
size_t hf_world_encode_enactor(const struct hf_world *world, uint32_t enactor, uint8_t *ret_bytes);
/* An empty world, then each part of it, from what was written; returns where the octets end. */
void hf_world_decode_init(const struct hf_world_options *options, struct hf_world *world);
const uint8_t *hf_world_decode_rest(const uint8_t *bytes, struct hf_world *world);
const uint8_t *hf_world_decode_enactor(const uint8_t *bytes, struct hf_world *world,
                                       uint32_t enactor);
void hf_world_decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state);
void hf_world_tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                   const void *after, struct hf_buf *ret_line);

#endif
