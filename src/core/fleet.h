/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fleet: what the planner plans for, as flat arrays that somebody else owns and that do not
 * change while a planner uses them. A new configuration is a new fleet and a new planner, which
 * adopts the head plan's entries (hf_planner_adopt).
 *
 * The fleet holds the configuration and, besides, what the head plan still answers with and the
 * configuration does not name any more: backends that are GONE and endpoints that are ORPHANS.
 * Nothing leaves an answer for having vanished from a file without passing the guards. A backend
 * that still is configured, but not for an endpoint that answers with it, or with other addresses
 * than it answers with, is for that endpoint a GONE backend of its own, beside the configured one.
 */
#ifndef HF_CORE_FLEET_H
#define HF_CORE_FLEET_H

#include <stdint.h>

enum {
    HF_FLEET_HAS_A = 1,
    HF_FLEET_HAS_AAAA = 2,
    HF_FLEET_GONE = 4, /* in the head plan only: to be removed as the guards allow */
};

struct hf_fleet_backend {
    uint32_t capacity; /* at least 1: what the removal guard counts */
    uint16_t weight;   /* 0: never picked while others can be */
    uint8_t flags;     /* HF_FLEET_… */
};

struct hf_fleet_policy {
    uint32_t ttl_s; /* at least 1 */
    uint32_t min_healthy;
    uint32_t max_removal_ms; /* window */
    /*
     * Of the endpoint's capacity in a window: of what is configured, and of what serves besides
     * (GONE). Where the smallest member is more than that, nothing ever leaves unapproved.
     */
    uint16_t max_removal_permille;
    uint16_t answers_max; /* 1..HF_ANSWERS_MAX addresses of a family in an answer */
};

enum { HF_ANSWERS_MAX = 100 };

struct hf_fleet_endpoint {
    uint32_t octet_first;  /* where its membership bits begin */
    uint32_t member_first; /* its members are a run of hf_fleet.members; runs may be shared */
    uint32_t member_count;
    uint32_t policy; /* a valid number for orphans, too, but they are not held to it */
    uint32_t seed;   /* hash of its name: rotates its picks differently from its neighbours' */
    uint8_t orphan;  /* not in the configuration: keeps its answer until it is retired */
};

struct hf_fleet_run {
    uint32_t first, count;
};

struct hf_fleet {
    const struct hf_fleet_backend *backends;
    const struct hf_fleet_policy *policies;
    const struct hf_fleet_endpoint *endpoints;
    const uint32_t *members;              /* backend numbers */
    const struct hf_fleet_run *user_runs; /* of users, for each backend; runs may be shared */
    const uint32_t *users;                /* endpoint numbers */
    uint64_t octet_count;                 /* that all endpoints' membership bits take: below 2^32 */
    uint32_t backend_count, policy_count, endpoint_count;
    uint32_t max_changed_ms;       /* window of the next */
    uint16_t max_changed_permille; /* of all endpoints, rounded up; 1000: no limit */
};

/* Octets for one endpoint's membership bits: bit i % 8 of octet i / 8 stands for its i-th member.
 */
static inline uint32_t hf_fleet_octets(uint32_t member_count)
{
    return member_count / 8 + (member_count % 8 != 0);
}

#endif
