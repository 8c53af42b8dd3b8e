/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenario: everything that a drill is made of, as plain data of fixed size that can be copied by
 * assignment. Nothing points anywhere; parts name each other by their index, HF_DRILL_NONE is no
 * part. A zeroed struct has no parts; every part has a *_default function that sets what a user
 * may leave out. hf_drill_check says what cannot be run before anything runs.
 *
 * Times are microseconds, rates are in a second, shares are 0 to 1.
 *
 *   name      what the authoritative servers answer, over time
 *   resolver  caches between a name and those who ask; each of its instances has a cache of its own
 *   call      how somebody calls a service: by which name, with which time-out, retries and limits
 *   client    where operations begin: open loop (a rate) or closed loop (so many users)
 *   service   workers and a queue, and calls to other services
 *   manager   leases of N holders, which have to be renewed, and claimed anew when they lapsed
 *   fleet     nodes with health checks that take part in a service's capacity
 *   action    what happens at a given time: the trouble, its repair, what an operator does
 *   rule      what a controller does when a measure passes a limit
 */
#ifndef HF_DRILL_SCENARIO_H
#define HF_DRILL_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/health.h"

enum {
    HF_DRILL_NAMES_MAX = 16,
    HF_DRILL_RESOLVERS_MAX = 16,
    HF_DRILL_CLIENTS_MAX = 16,
    HF_DRILL_SERVICES_MAX = 32,
    HF_DRILL_CALLS_MAX = 4, /* of one service to others */
    HF_DRILL_MANAGERS_MAX = 4,
    HF_DRILL_FLEETS_MAX = 8,
    HF_DRILL_ACTIONS_MAX = 128,
    HF_DRILL_RULES_MAX = 32,
    HF_DRILL_ZONES_MAX = 8, /* of a fleet */
    HF_DRILL_LABEL_SIZE = 64,
    HF_DRILL_BUCKETS_MAX = 20000,
    HF_DRILL_HOLDERS_MAX = 20000000,  /* of all managers, and users of closed loops */
    HF_DRILL_NODES_MAX = 1000000,     /* of all fleets */
    HF_DRILL_INSTANCES_MAX = 1000000, /* of all resolvers; of all calls */
    HF_DRILL_QUEUE_MAX = 50000000,
    HF_DRILL_NONE = 65535,
};

#define HF_DRILL_TIME_MAX_US (UINT64_C(366) * 86400 * 1000000)

/* How long something takes. Draws are never below 0 and are rounded to a microsecond. */
enum hf_drill_dist_kind {
    HF_DRILL_CONSTANT,    /* mean_us */
    HF_DRILL_EXPONENTIAL, /* mean_us */
    HF_DRILL_NORMAL,      /* mean_us, spread_us: standard deviation; below 0 is 0 */
    HF_DRILL_LOGNORMAL,   /* mean_us, spread_us: mean and standard deviation of the values */
    HF_DRILL_UNIFORM,     /* mean_us - spread_us to mean_us + spread_us */
};

struct hf_drill_dist {
    double mean_us, spread_us;
    uint8_t kind;
};

/* Names and resolvers */

enum hf_drill_answer {
    HF_DRILL_RIGHT,
    HF_DRILL_EMPTY,    /* NODATA: NOERROR without addresses */
    HF_DRILL_NXDOMAIN, /* the name does not exist; cached like NODATA */
    HF_DRILL_STALE,    /* old addresses; stale_works of the connections to them succeed */
    HF_DRILL_SERVFAIL, /* the servers answer that they cannot; failure caching (RFC 9520) */
    HF_DRILL_SILENT, /* the servers do not answer; like SERVFAIL after the resolver's timeout_us */
    HF_DRILL_ANSWERS
};

struct hf_drill_name {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t ttl_s;
    uint32_t soa_ttl_s, soa_minimum_s; /* negative TTL: the smaller one (RFC 2308 section 5) */
    double stale_works;                /* share of connections to old addresses that succeed */
    uint8_t first;                     /* enum hf_drill_answer at time 0 */
};

/*
 * An instance is one cache (one host, one process). A lookup that is not in the cache asks
 * upstream: the resolver of that number (its instance: ours modulo its count), or, where that is
 * HF_DRILL_NONE, the authoritative servers. Who is passed a cached answer by upstream gets what is
 * left of its TTL.
 */
struct hf_drill_resolver {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t instances;                      /* at least 1 */
    uint32_t ttl_min_s, ttl_max_s;           /* clamp of positive TTLs; max 0: nothing is cached */
    uint32_t negative_min_s, negative_max_s; /* clamp of negative TTLs; max 0: not cached */
    uint32_t failure_s;   /* how long SERVFAIL and silence are cached (RFC 9520: 1 to 300) */
    uint32_t stale_max_s; /* serve-stale (RFC 8767): how long past its TTL; 0: off */
    uint32_t stale_ttl_s; /* and for how long such an answer is given before asking again */
    uint64_t timeout_us;  /* until silence is a failure, all tries together */
    uint64_t latency_us;  /* of a lookup that is not in the cache */
    uint16_t upstream;    /* resolver, or HF_DRILL_NONE */
    bool warm;            /* caches are full at time 0, with ages spread over the TTL */
};

enum hf_drill_preset {
    HF_DRILL_BIND,
    HF_DRILL_UNBOUND,
    HF_DRILL_RESOLVED, /* systemd-resolved */
    HF_DRILL_GLIBC,    /* caches nothing; 5 s x 2 tries x 3 servers */
    HF_DRILL_JVM,      /* caches positive answers for 30 s, all failures for 10 s */
    HF_DRILL_PRESETS
};

/* "bind", "unbound", "systemd-resolved", "glibc", "jvm". */
const char *hf_drill_preset_name(enum hf_drill_preset preset);

/* Sets everything but the label and upstream; one instance, not warm. */
void hf_drill_resolver_preset(enum hf_drill_preset preset, struct hf_drill_resolver *resolver);

/* Calls */

enum hf_drill_backoff {
    HF_DRILL_BACKOFF_NONE,         /* at once */
    HF_DRILL_BACKOFF_FIXED,        /* base */
    HF_DRILL_BACKOFF_EXPONENTIAL,  /* base x factor^n, at most cap */
    HF_DRILL_BACKOFF_FULL_JITTER,  /* uniform from 0 to that */
    HF_DRILL_BACKOFF_EQUAL_JITTER, /* half of that, and uniform from 0 to the other half */
    HF_DRILL_BACKOFF_DECORRELATED, /* uniform from base to 3 x the last one, at most cap */
};

/*
 * The limits below are state of an instance (a process of the caller); operations are spread over
 * instances evenly. All of them at 0 are off.
 */
struct hf_drill_call {
    uint16_t service;  /* who is called */
    uint16_t name;     /* by which name, or HF_DRILL_NONE: the address is known */
    uint16_t resolver; /* asked for it; with a name only */
    uint32_t instances;
    uint64_t timeout_us;  /* of an attempt; 0: none */
    bool late_notice;     /* the caller learns of a time-out only when the reply comes: a thread
                             that waits, and judges afterwards */
    bool propagate;       /* the deadline goes along: callee and its callees know when to give up */
    bool caller_deadline; /* a time-out never ends later than the caller's own deadline */

    uint32_t retries_max;  /* besides the first attempt; UINT32_MAX: for ever */
    double retry_share;    /* probability that a failed attempt is tried again at all; 1 */
    uint8_t backoff;       /* enum hf_drill_backoff */
    double backoff_factor; /* 2 */
    uint64_t backoff_base_us, backoff_cap_us;
    bool retry_rejected; /* also what was refused at once (full queue, shed, no address); true */

    double budget_share; /* retry budget: retries at most this share of first attempts, in a
                            sliding window of budget_window_us */
    uint64_t budget_window_us;
    double bucket_deposit; /* token bucket: what a success puts in; a retry takes 1 out */
    double bucket_size;    /* and what it holds; full at first; 0: no bucket */
    double throttle_k;     /* adaptive throttling: K; local rejection with probability
                              max(0, (requests - K x accepts) / (requests + 1)) */
    uint64_t throttle_window_us;
    uint32_t breaker_failures; /* circuit breaker: opens after so many failures in a row; */
    uint64_t breaker_open_us;  /* after that time one attempt tries, and closes or reopens it */
    uint64_t hedge_after_us;   /* a second attempt beside the first that takes longer */
    double hedge_share;        /* hedges at most this share of first attempts (0: no limit) */
    uint32_t window_max; /* attempts in flight follow latency: core/window.h; what is beyond waits
                            in line at the caller */
    uint32_t wait_max;   /* in that line, at most; beyond it an operation fails at once */
    uint32_t pool_max;   /* connections kept by an instance: a call over one needs no name */
    uint64_t connection_us; /* mean life of a connection (exponential); 0: for ever */

    uint64_t
        cache_keys;     /* look-aside cache of the caller: so many keys, equally popular; 0: none */
    double cache_share; /* of calls that are cacheable; a hit calls nobody */
    double cache_filled; /* share of the keys that are in at first; each success puts one in */
};

/* A call to service without name, time-out, retries or limits; one instance. */
void hf_drill_call_default(struct hf_drill_call *call, uint16_t service);

/* Clients */

struct hf_drill_client {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t users;    /* closed loop: so many, each with one operation at a time; 0: open loop */
    double rate_per_s; /* open loop; changed by actions */
    bool regular;      /* open loop: evenly spaced; otherwise Poisson */
    struct hf_drill_dist think; /* closed loop: from the end of an operation to the next */
    uint64_t tail_us;           /* operations slower than that are counted apart; 0: none */
    uint32_t under_way_max; /* open loop: one that begins beyond them fails at once; 0: 100,000 */
    struct hf_drill_call call;
};

void hf_drill_client_default(struct hf_drill_client *client, uint16_t service);

/* Services */

enum hf_drill_queue {
    HF_DRILL_FIFO,
    HF_DRILL_LIFO,
    HF_DRILL_ADAPTIVE_LIFO, /* FIFO while at most lifo_above wait, newest first beyond */
    HF_DRILL_CODEL,         /* FIFO that drops what waited too long (RFC 8289) */
    HF_DRILL_CODEL_LIFO,    /* CoDel's bound on waiting, newest first while it is exceeded */
};

struct hf_drill_service {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t workers;
    struct hf_drill_dist time; /* of the work of one request, without what it calls */
    uint8_t queue;             /* enum hf_drill_queue */
    uint32_t queue_max;        /* may be 0: nobody waits. Memory is taken for all of them */
    uint32_t lifo_above;
    uint64_t codel_target_us, codel_interval_us; /* 5 ms, 100 ms */
    uint32_t shed_from;    /* shedding: from so many in the queue on, requests are refused with a
                              probability that rises to 1 at queue_max; 0: none */
    double rate_max_per_s; /* throttle: token bucket of so much, one second deep; 0: none */
    bool drop_expired;     /* what is past its deadline is not begun (needs propagate, or it is what
                              the caller's time-out says) */
    bool stop_expired;     /* and work under way is abandoned at the deadline */
    uint64_t handover_us;  /* a worker that is done takes the next from the queue so much later;
                              who arrives meanwhile is taken at once */
    uint64_t restart_us;   /* how long a restart takes */
    uint16_t fleet;   /* workers are shared by its nodes: only those in service count; or NONE */
    bool free_worker; /* while it calls others it holds no worker (asynchronous server) */
    bool parallel;    /* calls are made at once; otherwise one after the other */
    uint8_t call_count;
    struct hf_drill_call calls[HF_DRILL_CALLS_MAX]; /* after the work; all must succeed */
};

void hf_drill_service_default(struct hf_drill_service *service);

/* Lease managers */

enum hf_drill_claimer {
    HF_DRILL_BY_HOLDER,  /* a holder whose lease lapsed claims by itself, at once */
    HF_DRILL_BY_MANAGER, /* the manager claims for all that lapsed when it can resolve the name */
};

/*
 * Each of holders has a lease of lifetime_us and renews it every period_us. A renewal succeeds
 * where the manager's cell can reach the name at that moment (or holds a connection to what is
 * behind it: renew.pool_max, renew.connection_us), takes renew_us of a worker of the claim's
 * service, and passes its queue: renewals are a lane of their own that takes its share of the
 * workers off. A lease that was not renewed for lifetime_us lapses, and its holder needs a claim:
 * an operation with all that a call has. A claim that is answered within its time-out holds the
 * lease; the work of one that is not was in vain.
 * Renewals cost no event each: a cell that can renew is a fact about all of its holders.
 */
struct hf_drill_manager {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t holders;
    uint32_t cells; /* processes, each with its resolver instance and its share of holders */
    uint64_t period_us;
    uint64_t lifetime_us;       /* at least period_us */
    uint64_t renew_us;          /* of a worker, for one renewal; 0: free */
    struct hf_drill_call renew; /* name, resolver, pool_max, connection_us; the rest is not used */
    struct hf_drill_call claim; /* time-out: at most lifetime_us, 0: lifetime_us */
    uint64_t spread_us;         /* BY_MANAGER: claims of one recovery are spread over this time */
    uint8_t claimer;            /* enum hf_drill_claimer */
    bool from_claim;   /* the lease counts from when the attempt was sent, not when granted */
    double held_first; /* share held at time 0, renewals spread over the period; 1 */
};

void hf_drill_manager_default(struct hf_drill_manager *manager, uint16_t service);

/* Checked fleets */

/*
 * Nodes are checked every interval by checkers which each do one check at a time; a check of a
 * node that does not answer takes timeout_us, so that many of them overload the checkers: a check
 * that begins more than an interval late says nothing (HF_CHECK_LATE). Verdicts are core/health.h,
 * removal is bounded by core/guard.h.
 * A node that was launched passes no check, and serves nobody, until the state of the network
 * reached it: after ready, and in turn at ready_per_s. Until then a check passes by chance.
 * Where fewer than zone_fail of a zone's nodes are up, failover takes the whole zone out.
 */
struct hf_drill_fleet {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t nodes;
    uint32_t zones; /* nodes are spread over them evenly; at least 1 */
    uint32_t checkers;
    uint64_t interval_us, timeout_us; /* 0 interval: never checked */
    struct hf_drill_dist check;       /* how long a check that passes takes */
    struct hf_health_policy health;
    double false_fail;          /* share of checks of a good node that fail */
    double unready_pass;        /* share of checks of a node that is not ready that pass */
    struct hf_drill_dist ready; /* how long state takes to reach a new node */
    double ready_per_s;         /* and how many nodes it reaches in a second; 0: no limit */
    double zone_fail;           /* 0: no failover of zones */
    double removal_share; /* velocity: at most this share of capacity leaves in a window; 1: all */
    uint64_t removal_window_us;
    uint32_t min_healthy; /* when fewer than these are up, nothing leaves; 0: no such guard */
    bool fail_open;       /* when none is up, all are used */
    uint16_t manager;     /* holders of it that got a lease back are launched as nodes; or NONE */
};

void hf_drill_fleet_default(struct hf_drill_fleet *fleet);

/* Actions */

enum hf_drill_verb {
    HF_DRILL_ANSWER,       /* name; value: enum hf_drill_answer */
    HF_DRILL_TTL,          /* name; value: s */
    HF_DRILL_FLUSH,        /* resolver: caches are emptied; count: of so many instances, 0: all */
    HF_DRILL_OVERRIDE,     /* resolver: value 1: answers RIGHT whatever the name says; 0: ends */
    HF_DRILL_RATE,         /* client: operations a second */
    HF_DRILL_WORKERS,      /* service: so many from now on */
    HF_DRILL_SPEED,        /* service: work takes 1/value as long; 0: nothing is begun */
    HF_DRILL_SLOW_NEXT,    /* service: the next count requests take value times as long */
    HF_DRILL_THROTTLE,     /* service: rate_max_per_s; 0: no limit */
    HF_DRILL_QUEUE_BOUND,  /* service: at most value wait, at most queue_max */
    HF_DRILL_DISCIPLINE,   /* service; value: enum hf_drill_queue */
    HF_DRILL_RESTART,      /* service: queue and work under way are lost, and restart_us pass */
    HF_DRILL_RETRIES,      /* client, or manager: retries_max of its (claim's) call */
    HF_DRILL_CACHE_LOSE,   /* client (its call) or service (all its calls): value: share lost */
    HF_DRILL_MANAGER_STOP, /* manager: no new claims; value 0 ends that */
    HF_DRILL_MANAGER_RATE, /* manager: at most so many first attempts of claims a second; 0: all */
    HF_DRILL_LAUNCH,       /* fleet: count nodes are replaced by new ones */
    HF_DRILL_FAIL,         /* fleet: value: share of nodes that fail; 0: all work again */
    HF_DRILL_FAILOVER,     /* fleet: zone_fail becomes value; 0: off */
    HF_DRILL_READY_RATE,   /* fleet: ready_per_s */
    HF_DRILL_CHECKERS,     /* fleet: so many */
    HF_DRILL_VERBS
};

/* "answer", "ttl", … in the order above, with hyphens. */
const char *hf_drill_verb_name(enum hf_drill_verb verb);

/* What kind of part a verb is about. */
enum hf_drill_part {
    HF_DRILL_PART_NONE,
    HF_DRILL_PART_NAME,
    HF_DRILL_PART_RESOLVER,
    HF_DRILL_PART_CLIENT,
    HF_DRILL_PART_SERVICE,
    HF_DRILL_PART_MANAGER,
    HF_DRILL_PART_FLEET,
    HF_DRILL_PART_ACTION,
    HF_DRILL_PART_RULE,
};

/*
 * For verbs that are about two kinds (CACHE_LOSE: service or client; RETRIES: client or manager)
 * the first one; action.part says which it is.
 */
enum hf_drill_part hf_drill_verb_part(enum hf_drill_verb verb);

struct hf_drill_action {
    uint64_t at_us;
    double value;
    uint32_t count;
    uint16_t target; /* index of the part */
    uint8_t verb;    /* enum hf_drill_verb */
    uint8_t part;    /* enum hf_drill_part of target */
};

/* Rules: looked at every second. */

enum hf_drill_measure {
    HF_DRILL_QUEUE_LENGTH,   /* service */
    HF_DRILL_GOODPUT_SHARE,  /* client: of operations that ended in the last second, succeeded */
    HF_DRILL_WASTE_SHARE,    /* service: of work that ended in the last second, in vain */
    HF_DRILL_HELD_SHARE,     /* manager: leases held */
    HF_DRILL_SERVING_SHARE,  /* fleet: capacity in service */
    HF_DRILL_ANSWERED_SHARE, /* name: of lookups in the last second, right or stale */
    HF_DRILL_MEASURES
};

const char *hf_drill_measure_name(enum hf_drill_measure measure);
enum hf_drill_part hf_drill_measure_part(enum hf_drill_measure measure);

struct hf_drill_rule {
    char label[HF_DRILL_LABEL_SIZE];
    uint64_t from_us, until_us; /* not before, not after; until 0: to the end */
    uint64_t for_us;            /* the measure must pass the limit for so long */
    uint64_t pause_us;          /* at least so long between two firings */
    double limit;
    struct hf_drill_action action; /* at_us is not used */
    uint16_t subject;              /* index of the part that is measured */
    uint8_t measure;               /* enum hf_drill_measure */
    bool above;                    /* fires when the measure is above the limit, or below */
    uint32_t firings_max;          /* 0: as often as it comes */
};

struct hf_drill_scenario {
    char label[HF_DRILL_LABEL_SIZE];
    uint64_t length_us;        /* of the run */
    uint64_t bucket_us;        /* of the time series; length / bucket at most BUCKETS_MAX */
    uint64_t measure_from_us;  /* summaries leave out what was before; series do not */
    uint64_t repaired_us;      /* when the trigger is gone: recovery is measured from then on */
    double good_share;         /* what is not degraded: of operations that succeed, of leases that
                                  are held, of capacity in service; 0.95 */
    uint64_t memory_max_bytes; /* 0: 4 GiB */
    uint64_t events_max;       /* a run that would need more is refused; 0: 2 x 10^10 */
    uint16_t name_count, resolver_count, client_count, service_count, manager_count, fleet_count,
        action_count, rule_count;
    struct hf_drill_name names[HF_DRILL_NAMES_MAX];
    struct hf_drill_resolver resolvers[HF_DRILL_RESOLVERS_MAX];
    struct hf_drill_client clients[HF_DRILL_CLIENTS_MAX];
    struct hf_drill_service services[HF_DRILL_SERVICES_MAX];
    struct hf_drill_manager managers[HF_DRILL_MANAGERS_MAX];
    struct hf_drill_fleet fleets[HF_DRILL_FLEETS_MAX];
    struct hf_drill_action actions[HF_DRILL_ACTIONS_MAX]; /* in any order of time */
    struct hf_drill_rule rules[HF_DRILL_RULES_MAX];
};

/* An hour in buckets of 10 s, nothing in it. */
void hf_drill_scenario_default(struct hf_drill_scenario *scenario);

/* What is wrong, for a message: "services[2].queue_max: found -1, expected 0 to 50000000". */
struct hf_drill_problem {
    const char *field; /* as it is called in the structs above, such as "call.timeout_us" */
    const char
        *expected;  /* "at least 1", "a service that does not call this one, even indirectly" */
    double found;   /* number, or index of the part that was named */
    uint16_t index; /* of the part */
    uint8_t part;   /* enum hf_drill_part; NONE: the scenario itself */
    uint8_t call;   /* of a service: which call; otherwise 0 */
};

/*
 * Looks at everything that can be wrong between and in the parts: ranges, unknown indices, cycles
 * of calls and of upstreams, memory and events beyond their bounds. HF_OK, or HF_EINVAL with the
 * first problem, or HF_ELIMIT where the memory or the events would be more than the scenario says.
 */
int hf_drill_check(const struct hf_drill_scenario *scenario, struct hf_drill_problem *ret_problem);

/* About how many events a run takes, from rates and counts, with every retry that is allowed. */
double hf_drill_events_about(const struct hf_drill_scenario *scenario);

#endif
