/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Result: what a drill has measured, as arrays by bucket of time and as summaries. All of it lies
 * in the drill's own memory; hf_drill_result (drill.h) may be called while a run is under way and
 * then tells what is known so far.
 *
 * A bucket i covers [i, i + 1) x bucket_us. Counts are of what happened in it; levels (…_end) are
 * as they were at its end, …_peak the highest in it.
 * An operation is what a caller wants once; an attempt is one try of it. The answers that count
 * are those that came within their time-out.
 */
#ifndef HF_DRILL_RESULT_H
#define HF_DRILL_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "drill/scenario.h"

#define HF_DRILL_NEVER UINT64_MAX

/* What callers were told, of one name: answers from caches and fresh ones. */
struct hf_drill_name_bucket {
    uint32_t right, stale, empty, failed; /* stale: also right ones past their TTL (RFC 8767) */
    uint32_t asked;                       /* of these, questions to the authoritative servers */
};

struct hf_drill_client_bucket {
    uint32_t offered;        /* operations begun */
    uint32_t succeeded;      /* operations */
    uint32_t failed;         /* operations given up */
    uint32_t attempts;       /* sent: first attempts, retries and hedges */
    uint32_t retries;        /* of attempts */
    uint32_t hedges;         /* of attempts */
    uint32_t timeouts;       /* attempts */
    uint32_t refused;        /* attempts: full queue, shed, throttled, stopped, no address */
    uint32_t suppressed;     /* attempts not made: budget, bucket, throttling, open breaker */
    uint32_t latency_max_us; /* of operations that succeeded, at most 2^32 - 1 */
    uint64_t latency_sum_us;
};

struct hf_drill_service_bucket {
    uint32_t queue_end, queue_peak;
    uint32_t arrived;  /* attempts, of all callers */
    uint32_t good;     /* finished, and the caller still wanted it */
    uint32_t wasted;   /* finished, and the caller did not want it any more */
    uint32_t refused;  /* queue full, shed, throttled, down */
    uint32_t dropped;  /* taken out of the queue unserved: deadline, CoDel, restart */
    uint32_t in_reach; /* workers at the end */
};

struct hf_drill_manager_bucket {
    uint32_t held_end;
    uint32_t lapsed;
    uint32_t granted;   /* claims */
    uint32_t claims;    /* attempts of claims */
    uint32_t overtaken; /* claims whose work was done when the time-out had passed */
};

struct hf_drill_fleet_bucket {
    uint32_t serving_end; /* nodes in service */
    uint32_t wrongly_out; /* nodes that work and are not in service, at the end of the bucket */
    uint32_t wrongly_in;  /* nodes that do not work and are in service */
    uint32_t left, returned;
    uint32_t held;    /* removals that velocity control or min_healthy did not let through */
    uint32_t late;    /* checks that said nothing */
    uint32_t pending; /* nodes whose state has not arrived, at the end */
};

struct hf_drill_name_summary {
    uint64_t wrong_us;      /* the authoritative answer was neither right nor stale */
    uint64_t unanswered_us; /* buckets in which more lookups got nothing than got addresses */
    uint64_t right, stale, empty, failed, asked;
};

/*
 * What was degraded and for how long, for one dependent: a client by operations that succeed, a
 * manager by leases held, a fleet by capacity in service.
 * recover_us: from repaired_us to the begin of the last stretch without degradation, rounded up to
 * a bucket; 0: it was never degraded after that; HF_DRILL_NEVER: it was at the end of the run.
 */
struct hf_drill_health_summary {
    uint64_t degraded_us;
    uint64_t recover_us;
    double worst_share;       /* lowest share of a bucket */
    double worst_after_share; /* lowest after repaired_us */
    double end_share;         /* of the last whole bucket with something to judge */
};

struct hf_drill_client_summary {
    struct hf_drill_health_summary health;
    uint64_t offered, succeeded, failed, attempts, retries, hedges, timeouts, refused, suppressed;
    uint64_t tail;          /* operations that ended and took longer than tail_us */
    double amplification;   /* attempts for each operation */
    double latency_mean_us; /* of operations that succeeded; quantiles within 1/16 */
    uint64_t latency_p50_us, latency_p99_us, latency_p999_us, latency_max_us;
};

struct hf_drill_service_summary {
    uint64_t arrived, good, wasted, refused, dropped;
    uint64_t queue_peak;
    uint64_t queue_peak_at_us;
    double busy_us;      /* of workers, all together */
    double wasted_us;    /* of busy_us, for nobody */
    double system_mean;  /* how many were in queue and work, mean over time */
    double wait_mean_us; /* in the queue, of those that were begun */
    uint64_t wait_max_us;
};

struct hf_drill_manager_summary {
    struct hf_drill_health_summary health;
    uint64_t lapsed, granted, claims, overtaken;
    uint64_t held_min;
    uint64_t all_held_us; /* when, after repaired_us, held reached the good share for good;
                             HF_DRILL_NEVER: not yet */
};

struct hf_drill_fleet_summary {
    struct hf_drill_health_summary health;
    uint64_t left, returned, held, late, checks, failovers;
    double removed_worst_share; /* most of the capacity that worked and was out of service */
    double removed_mean_share;  /* the same, mean over time */
};

/* When an action was done; rules' firings are listed, too. */
struct hf_drill_note {
    uint64_t at_us;
    uint16_t index; /* of scenario.actions, or of scenario.rules */
    bool by_rule;
};

enum { HF_DRILL_NOTES_MAX = 512 };

struct hf_drill_result {
    uint64_t now_us; /* how far it is told */
    uint64_t events; /* done so far */
    uint64_t digest; /* over series and summaries: same scenario, seed and version, same digest */
    uint32_t bucket_count; /* of now_us, the last one may be begun only */
    uint32_t note_count;   /* the first NOTES_MAX */
    const struct hf_drill_note *notes;
    /* [part][bucket] */
    const struct hf_drill_name_bucket *names[HF_DRILL_NAMES_MAX];
    const struct hf_drill_client_bucket *clients[HF_DRILL_CLIENTS_MAX];
    const struct hf_drill_service_bucket *services[HF_DRILL_SERVICES_MAX];
    const struct hf_drill_manager_bucket *managers[HF_DRILL_MANAGERS_MAX];
    const struct hf_drill_fleet_bucket *fleets[HF_DRILL_FLEETS_MAX];
    struct hf_drill_name_summary name_sums[HF_DRILL_NAMES_MAX];
    struct hf_drill_client_summary client_sums[HF_DRILL_CLIENTS_MAX];
    struct hf_drill_service_summary service_sums[HF_DRILL_SERVICES_MAX];
    struct hf_drill_manager_summary manager_sums[HF_DRILL_MANAGERS_MAX];
    struct hf_drill_fleet_summary fleet_sums[HF_DRILL_FLEETS_MAX];
};

#endif
