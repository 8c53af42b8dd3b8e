/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world of test_enactor_world.c: what it consists of, and its server, which does to one zone
 * what RFC 2136 says and checks the invariants at every change.
 */
#ifndef HF_TESTS_ENACTOR_ZONE_H
#define HF_TESTS_ENACTOR_ZONE_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enactor.h"

enum {
    ENDPOINTS = 3,
    ENACTORS = 3,
    FLIGHTS = 64,
    PLANS = 512,
    INSTANCE = 7,
    WHY_SIZE = 200,
};

struct entry {
    uint64_t gen, sum;
    bool claimed, retired, urgent;
};

struct plan {
    uint64_t gen;
    struct entry entries[ENDPOINTS];
};

struct site { /* what lies at an endpoint's owner and at its fence's */
    struct hf_fence fence;
    uint64_t sum;
    uint8_t records; /* enum hf_records_kind */
};

struct zone {
    struct hf_zone_guard guard;
    struct site sites[ENDPOINTS];
    uint32_t serial;
};

struct change { /* of one endpoint in an UPDATE */
    struct hf_fence before, after;
    uint64_t expect_sum;
    uint8_t expect; /* records: UNKNOWN for any */
    bool fence_only, with;
};

/* For canaries. */
enum prerequisite { CHECKS_ALL, NO_GUARD, NO_FENCE, NO_RECORDS };

enum flight_state { FLIGHT_FREE, FLIGHT_SENT, FLIGHT_ANSWERED };

/* A request on its way, or its answer. */
struct flight {
    struct change changes[ENDPOINTS];
    struct hf_zone_guard guard, guard_after;
    struct zone seen; /* READ, READ_ZONE: as far as at */
    struct plan plan; /* HEAD */
    uint32_t lanes[ENDPOINTS];
    uint32_t lane_count, at;
    uint32_t op, enactor;
    uint8_t state, kind, result;
    bool ghost; /* nobody waits for it any more */
    bool whole, unchanged, changes_guard, is_janitor;
};

struct member {
    struct hf_enactor machine;
    uint64_t memory[200];
    struct entry fed[ENDPOINTS];
    uint64_t lives;
    uint32_t serial;
    bool serial_known;
};

struct published {
    uint64_t gen, sum;
    uint32_t endpoint;
    bool retired;
};

struct world {
    struct zone zone;
    struct plan plan;    /* head of the store */
    struct plan kept[8]; /* what the store may be restored to */
    struct published all[PLANS * ENDPOINTS];
    struct flight flights[FLIGHTS];
    struct member members[ENACTORS];
    uint64_t random, now_ms;
    uint64_t high[ENDPOINTS]; /* generation below which a fence must not fall */
    uint32_t all_count, kept_count, steps;
    bool edited[ENDPOINTS]; /* by hand, since it was last written */
    bool was_ours[ENDPOINTS], adopted[ENDPOINTS];
    uint32_t roughness; /* 0: nobody edits; 1: records and fences, 2: guards, 3: the store */
    bool restored;
    bool dead[ENACTORS];
    uint32_t alive;    /* one that is not dead */
    uint8_t unchecked; /* enum prerequisite that this server does not check */
    bool calm;         /* no faults any more */
    bool verbose;
    char why[WHY_SIZE]; /* invariant that was broken, "" */
};

__attribute__((format(printf, 2, 3))) static inline void tell(const struct world *world,
                                                              const char *format, ...)
{
    if (world->verbose) {
        va_list arguments;
        va_start(arguments, format);
        (void)fprintf(stderr, "%7" PRIu64 " ", world->now_ms);
        (void)vfprintf(stderr, format, arguments);
        (void)fputc('\n', stderr);
        va_end(arguments);
    }
}

__attribute__((format(printf, 2, 3))) static inline void broken(struct world *world,
                                                                const char *format, ...)
{
    if (world->why[0] == 0) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(world->why, sizeof world->why, format, arguments);
        va_end(arguments);
        tell(world, "BROKEN: %s", world->why);
    }
}

static inline uint32_t dice(struct world *world, uint32_t sides)
{
    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((world->random >> 33) % sides);
}

static inline bool same_fence(const struct hf_fence *a, const struct hf_fence *b)
{
    return a->kind == b->kind &&
           (a->kind != HF_FENCE_OURS || (a->gen == b->gen && a->sum == b->sum &&
                                         a->count == b->count && a->writer == b->writer));
}

static inline bool same_guard(const struct hf_zone_guard *a, const struct hf_zone_guard *b)
{
    return a->kind == b->kind &&
           (a->kind != HF_FENCE_OURS || (a->floor == b->floor && a->frozen == b->frozen));
}

static inline const struct published *find_published(const struct world *world, uint32_t endpoint,
                                                     uint64_t gen, uint64_t sum)
{
    for (uint32_t i = 0; i < world->all_count; i++) {
        const struct published *at = &world->all[i];
        if (at->endpoint == endpoint && at->gen == gen && at->sum == sum) {
            return at;
        }
    }
    return NULL;
}

/* --- the server: what an UPDATE may do, and what the invariants say of it --- */

/* I1, I2 and I4, where a change is about to be made. */
static inline void check_change(struct world *world, const struct flight *flight, uint32_t e)
{
    const struct change *change = &flight->changes[e];
    const struct site *site = &world->zone.sites[e];
    uint64_t gen = change->after.gen, sum = change->after.sum;
    const struct published *entry = find_published(world, e, gen, sum);
    if (entry == NULL) {
        broken(world, "I3: endpoint %" PRIu32 " is written %" PRIu64 ", which no plan has", e, gen);
        return;
    }
    if (sum == HF_SUM_EMPTY && !entry->retired) {
        broken(world, "I1: endpoint %" PRIu32 " is emptied at %" PRIu64, e, gen);
    }
    bool ours = site->fence.kind == HF_FENCE_OURS;
    if (gen < world->high[e] || (gen == world->high[e] && !ours)) {
        broken(world, "I2: endpoint %" PRIu32 " goes from %" PRIu64 " to %" PRIu64, e,
               world->high[e], gen);
    }
    if (ours && gen == site->fence.gen && sum != site->fence.sum) {
        broken(world, "I2: endpoint %" PRIu32 " gets other content of %" PRIu64, e, gen);
    }
    bool may = world->adopted[e] || ours || change->fence_only ||
               (site->fence.kind == HF_FENCE_ABSENT && site->records == HF_RECORDS_NONE) ||
               (site->fence.kind != HF_FENCE_ALIEN && world->was_ours[e]);
    if (!may) {
        broken(world, "I4: endpoint %" PRIu32 " is not ours and is written", e);
    }
}

/* I3 and what else must hold at every moment that a reader can observe. */
static inline void check_zone(struct world *world)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct site *site = &world->zone.sites[e];
        if (site->fence.kind != HF_FENCE_OURS || world->edited[e]) {
            continue;
        }
        uint8_t records = site->fence.sum == HF_SUM_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
        if (site->records != records || site->sum != site->fence.sum) {
            broken(world, "I3: endpoint %" PRIu32 " does not answer what its fence says", e);
        }
    }
}

static inline bool holds(const struct world *world, const struct flight *flight)
{
    if (world->unchecked != NO_GUARD && !same_guard(&flight->guard, &world->zone.guard)) {
        return false;
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct change *change = &flight->changes[e];
        const struct site *site = &world->zone.sites[e];
        if (!change->with) {
            continue;
        }
        bool fence = same_fence(&change->before, &site->fence);
        bool none = change->expect != HF_RECORDS_NONE || site->records == HF_RECORDS_NONE;
        bool exact = change->expect != HF_RECORDS_SUM ||
                     (site->records == HF_RECORDS_SUM && site->sum == change->expect_sum);
        if ((!fence && world->unchecked != NO_FENCE) ||
            (!(none && exact) && world->unchecked != NO_RECORDS)) {
            return false;
        }
    }
    return true;
}

static inline void remove_tombstone(struct world *world, uint32_t e)
{
    world->zone.sites[e].fence = (struct hf_fence){.kind = HF_FENCE_ABSENT};
}

static inline void write_site(struct world *world, const struct flight *flight, uint32_t e)
{
    const struct change *change = &flight->changes[e];
    struct site *site = &world->zone.sites[e];
    check_change(world, flight, e);
    site->fence = change->after;
    if (!change->fence_only) {
        bool empty = change->after.sum == HF_SUM_EMPTY;
        site->records = empty ? HF_RECORDS_NONE : HF_RECORDS_SUM;
        site->sum = change->after.sum;
    }
    world->high[e] = change->after.gen;
    world->edited[e] = false;
    world->was_ours[e] = true;
}

static inline uint8_t apply_update(struct world *world, const struct flight *flight)
{
    if (!holds(world, flight)) {
        return HF_RESULT_REFUSED;
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        if (flight->changes[e].with) {
            if (flight->is_janitor) {
                remove_tombstone(world, e);
            } else {
                write_site(world, flight, e);
            }
        }
    }
    if (flight->changes_guard) {
        world->zone.guard = flight->guard_after;
    }
    world->zone.serial++;
    check_zone(world);
    return HF_RESULT_OK;
}

#endif
