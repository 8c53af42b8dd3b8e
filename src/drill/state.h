/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * State: what a drill is while it runs, as arrays that refer to each other by index.
 *
 * An *op* is what a caller wants once: a client's operation, a call of a service to another one, a
 * holder's lease. Holders' ops come first and stay for ever; behind them are those that come and
 * go. A user who thinks has no op and is nothing but an event. An *attempt* is one try of an op at
 * a service, and goes on living there when its op has given it up. A *link* is a call of the
 * scenario with its state; an *instance* is one process of its caller.
 */
#ifndef HF_DRILL_STATE_H
#define HF_DRILL_STATE_H

#include "core/guard.h"
#include "drill/drill.h"
#include "drill/events.h"
#include "drill/rng.h"

enum {
    HF_DRILL_LINKS_MAX =
        HF_DRILL_CLIENTS_MAX + HF_DRILL_MANAGERS_MAX + HF_DRILL_SERVICES_MAX * HF_DRILL_CALLS_MAX,
    HF_DRILL_HISTORY = 128,       /* stretches in which a cell could renew that are remembered */
    HF_DRILL_LATENCIES = 64 * 16, /* classes of latency: 16 for each power of two */
    HF_DRILL_UNDER_WAY = 100000,
    HF_DRILL_SECOND_US = 1000000,
    HF_DRILL_CELL_PAUSE_US = 100000, /* a cell without an answer looks again no sooner */
};

#define HF_DRILL_NOBODY UINT32_MAX

enum hf_drill_event_kind {
    HF_EVENT_OP,      /* subject: op; its timer */
    HF_EVENT_FINISH,  /* attempt: its work is done */
    HF_EVENT_ARRIVAL, /* client: next operation of the open loop */
    HF_EVENT_USER,    /* user: has thought, begins */
    HF_EVENT_PULL,    /* service: a worker takes the next from the queue */
    HF_EVENT_UP,      /* service: the restart is over */
    HF_EVENT_CELL,    /* cell: can it renew? */
    HF_EVENT_LAPSE,   /* cell: the next holder whose lease may have lapsed */
    HF_EVENT_CLAIM,   /* manager: the next claim of those that wait */
    HF_EVENT_ACTION,  /* place in the order of actions */
    HF_EVENT_SECOND,  /* rules look */
    HF_EVENT_CHECK,   /* node: its check is due */
    HF_EVENT_RESULT,  /* node: its check ends */
    HF_EVENT_READY,   /* node: state has arrived */
    HF_EVENT_KINDS
};

enum hf_op_state {
    HF_OP_FREE,
    HF_OP_HELD,    /* holder: has a lease; the timer tells when it must be looked at, if set */
    HF_OP_WAITING, /* holder: lapsed, in line for a claim */
    HF_OP_IDLE,    /* holder: given up, begins again */
    HF_OP_LINE,    /* in line for the window of its instance */
    HF_OP_LOOKUP,  /* asks for the name */
    HF_OP_SENT,
    HF_OP_BACKOFF,
};

struct hf_op {
    uint64_t begun_us; /* holder with a lease: when it was granted, in the manager's own time */
    uint64_t due_us;   /* of the timer; HF_DRILL_NEVER */
    uint64_t event_us; /* the earliest event for it that is under way; HF_DRILL_NEVER */
    uint64_t tried_us; /* when the present attempt began */
    uint32_t attempt, hedge; /* under way, or HF_DRILL_NOBODY */
    uint32_t parent;         /* of a call: the attempt that makes it */
    uint32_t instance;
    uint32_t next;     /* in a line, or in the list of free ones */
    uint32_t slept_us; /* last back-off, at most 2^32 - 1 */
    uint32_t host;     /* that asks for names: a user's or holder's number, else the op's */
    uint16_t tries;    /* at most 65535 */
    uint8_t link;
    uint8_t state; /* enum hf_op_state */
};

enum {
    HF_ATTEMPT_GIVEN_UP = 1, /* the op does not want it any more */
    HF_ATTEMPT_SLOW = 2,     /* of SLOW_NEXT */
    HF_ATTEMPT_STOPPED = 4,  /* its worker has gone: free it when its event comes */
    HF_ATTEMPT_CALL_FAILED = 8,
    HF_ATTEMPT_WORKING = 16, /* holds a worker */
    HF_ATTEMPT_CALLING = 32,
};

struct hf_attempt {
    uint64_t at_us;       /* when it was queued, or begun */
    uint64_t deadline_us; /* as far as the service knows */
    uint32_t op;          /* or the next free one */
    uint32_t work_us;
    uint16_t service;
    uint8_t flags;
    uint8_t call;    /* next one to make */
    uint8_t pending; /* calls under way */
};

/* Counts of the present and the last window, as if the last one were spread evenly. */
struct hf_sliding {
    uint64_t begun_us;
    double now[2], before[2];
};

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_TRIAL };

struct hf_instance {
    struct hf_sliding budget;   /* first attempts, retries */
    struct hf_sliding throttle; /* requests, accepts */
    uint64_t breaker_until_us;
    uint64_t pool_until_us; /* the next connection ends */
    double tokens;
    double firsts, hedges;
    uint32_t window_256;
    uint32_t flight; /* attempts that the caller waits for */
    uint32_t line_first, line_last, line_length;
    uint32_t pool;     /* connections */
    uint32_t failures; /* in a row */
    uint8_t breaker;
};

struct hf_link {
    struct hf_drill_call call;
    struct hf_rng rng;
    double cache_filled; /* keys */
    uint32_t instance_first, instance_next;
    bool is_hosts;               /* who begins its ops are hosts of their own: users, holders */
    uint32_t free_first;         /* list of free ops */
    uint32_t op_first, op_count; /* that come and go */
    uint32_t op_fresh;
    uint16_t owner; /* client, service or manager */
    uint8_t part;   /* enum hf_drill_part of the owner */
};

struct hf_cache {
    uint64_t until_us;
    uint64_t good_until_us; /* when addresses that it has had reached their TTL; 0: none */
    uint8_t answer;         /* enum hf_seen */
    uint8_t good;           /* enum hf_seen of these addresses */
};

enum hf_seen { HF_SEEN_RIGHT, HF_SEEN_LATE, HF_SEEN_OLD, HF_SEEN_EMPTY, HF_SEEN_FAILED };

struct hf_lookup {
    uint64_t left_us; /* of the TTL */
    uint64_t latency_us;
    enum hf_seen seen;
};

struct hf_drill_name_now {
    uint64_t wrong_since_us; /* HF_DRILL_NEVER: it is right, or stale */
    uint64_t wrong_us;
    uint32_t ttl_s;
    uint8_t answer;
    uint32_t second_answered, second_asked; /* since the last look of the rules */
    struct hf_drill_name_bucket *buckets;
};

struct hf_resolver_now {
    uint64_t cache_first; /* [name][instance] */
    bool is_overridden;
};

struct hf_drill_client_now {
    double next_us; /* arrival, with its fraction */
    double rate_per_s;
    struct hf_rng rng;
    uint64_t tail;
    uint32_t *latencies; /* by class */
    struct hf_drill_client_bucket *buckets;
    uint64_t due_us;                         /* of the ARRIVAL that counts */
    uint32_t user_first;                     /* users are numbered behind all holders */
    uint32_t second_succeeded, second_ended; /* since the last look of the rules */
};

struct hf_codel {
    uint64_t above_since_us; /* 0: not above */
    uint64_t drop_next_us;
    uint64_t empty_us; /* when the queue was empty last */
    uint32_t count;
    bool is_dropping;
};

struct hf_drill_service_now {
    struct hf_rng rng;
    struct hf_codel codel;
    uint32_t *queue; /* ring of attempts */
    uint32_t room;   /* of it, a power of 2 */
    uint32_t first, length, bound;
    uint32_t busy, workers, workers_set;
    uint32_t pulls; /* PULLs under way */
    uint32_t slow_left;
    double slow, speed;
    double rate_max, tokens;
    uint64_t tokens_us;
    uint64_t down_until_us; /* 0: it runs */
    uint8_t discipline;
    uint32_t attempt_first, attempt_count, attempt_fresh, attempt_free;
    /* Measures since measure_from_us */
    uint64_t changed_us;
    double system_area_us, busy_us, wasted_us, wait_us;
    uint64_t waits, wait_max_us;
    uint32_t queue_peak;
    uint64_t queue_peak_at_us;
    struct hf_drill_service_bucket *buckets;
    double second_good_us, second_wasted_us; /* since the last look of the rules */
};

/* In a manager's own time, which is a period ahead, so that renewals before 0 have a time, too. */
struct hf_stretch {
    uint64_t from_us, to_us; /* to, but not at; HF_DRILL_NEVER: still */
};

/* Operations one after the other, by their number. */
struct hf_line {
    uint32_t first, last, length;
};

/* Whether its holders' renewals succeed, and whose leases may lapse. */
struct hf_cell {
    struct hf_stretch up[HF_DRILL_HISTORY]; /* ring; the last one may be open */
    uint32_t up_count;                      /* ever */
    uint32_t lapse_stretch;                 /* the one whose last renewals are looked at */
    uint64_t lapse_round; /* the renewal that is looked at next: of which period, */
    uint32_t lapse_place; /* and of which holder of the cell */
    bool is_lapsing;      /* a LAPSE event is under way */
    uint64_t pool_until_us;
    uint64_t due_us; /* of the CELL event that counts */
    uint32_t holders;
    struct hf_line waiting; /* lapsed ones that wait until the cell is up */
    uint16_t manager;
    uint16_t number;
    bool is_up;
};

struct hf_drill_manager_now {
    struct hf_rng rng;
    uint32_t op_first;
    uint32_t cell_first;
    uint32_t held;
    struct hf_line line; /* lapsed ones that wait for their claim */
    double claims_per_s; /* 0: no limit */
    double claim_next_us;
    bool is_stopped;
    bool is_claiming;    /* a CLAIM event is under way */
    double spread_per_s; /* BY_MANAGER: of the present recovery */
    uint8_t link;
    struct hf_drill_manager_bucket *buckets;
};

struct hf_node {
    struct hf_health health;
    uint64_t ready_us; /* when its state arrives; the last launch wins */
    uint64_t due_us;   /* of its last check */
    uint16_t fleet;
    uint8_t flags; /* HF_NODE_… */
};

enum {
    HF_NODE_IN = 1, /* in service */
    HF_NODE_READY = 2,
    HF_NODE_FAILED = 4,
    HF_NODE_PASSES = 8, /* the check under way will say so */
    HF_NODE_LATE = 16,
    HF_NODE_HELD = 32, /* should leave, and may not */
};

struct hf_fleet_now {
    struct hf_rng rng;
    struct hf_budget budget;
    uint32_t node_first;
    uint64_t *checker_free_us; /* heap: when each is free */
    uint32_t checkers;
    double zone_fail, ready_per_s;
    double ready_next_us;
    uint32_t serving, serving_good, good, up, pending;
    uint32_t zone_up[HF_DRILL_ZONES_MAX];
    bool zone_out[HF_DRILL_ZONES_MAX];
    bool is_open; /* none is up, and all are used */
    uint64_t changed_us, checks, failovers;
    double removed_area_us, removed_worst;
    struct hf_drill_fleet_bucket *buckets;
};

struct hf_rule_now {
    uint64_t since_us; /* passed the limit since; HF_DRILL_NEVER: does not */
    uint64_t pause_until_us;
    uint32_t firings;
};

struct hf_drill {
    struct hf_drill_scenario scenario;
    struct hf_events events;
    uint64_t now_us, done;
    uint32_t bucket, bucket_count;
    uint64_t bucket_end_us;
    bool is_measuring, is_over;
    uint32_t link_count;
    struct hf_link links[HF_DRILL_LINKS_MAX];
    uint8_t client_links[HF_DRILL_CLIENTS_MAX];
    uint8_t service_links[HF_DRILL_SERVICES_MAX][HF_DRILL_CALLS_MAX];
    struct hf_drill_name_now names[HF_DRILL_NAMES_MAX];
    struct hf_resolver_now resolvers[HF_DRILL_RESOLVERS_MAX];
    struct hf_drill_client_now clients[HF_DRILL_CLIENTS_MAX];
    struct hf_drill_service_now services[HF_DRILL_SERVICES_MAX];
    struct hf_drill_manager_now managers[HF_DRILL_MANAGERS_MAX];
    struct hf_fleet_now fleets[HF_DRILL_FLEETS_MAX];
    struct hf_rule_now rules[HF_DRILL_RULES_MAX];
    uint8_t action_order[HF_DRILL_ACTIONS_MAX];
    struct hf_drill_note notes[HF_DRILL_NOTES_MAX];
    uint32_t note_count;
    struct hf_op *ops;
    struct hf_attempt *attempts;
    struct hf_drill_client_bucket nobody; /* counts of calls that no client makes */
    uint32_t holder_count, cell_count;
    struct hf_instance *instances;
    struct hf_cache *caches;
    struct hf_cell *cells;
    struct hf_node *nodes;
};

#endif
