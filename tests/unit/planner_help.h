/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small fleet with its planner, for tests: built piece by piece, then started.
 */
#ifndef HF_TESTS_PLANNER_HELP_H
#define HF_TESTS_PLANNER_HELP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/planner.h"

enum {
    HELP_BACKENDS = 80,
    HELP_POLICIES = 4,
    HELP_ENDPOINTS = 200,
    HELP_MEMBERS = 2000,
};

struct help {
    struct hf_fleet_backend backends[HELP_BACKENDS];
    struct hf_fleet_policy policies[HELP_POLICIES];
    struct hf_fleet_endpoint endpoints[HELP_ENDPOINTS];
    uint32_t members[HELP_MEMBERS];
    struct hf_fleet_run user_runs[HELP_BACKENDS];
    uint32_t users[HELP_MEMBERS];
    uint32_t member_count;
    struct hf_fleet fleet;
    struct hf_planner planner;
    struct hf_planner_outbox outbox;
    void *memory;
    uint64_t now_ms;
};

/* 2025-10-14 00:00:00 UTC: an hour begins. */
#define HELP_BEGIN_MS UINT64_C(1760400000000)

static inline void help_init(struct help *help)
{
    memset(help, 0, sizeof *help);
    help->fleet = (struct hf_fleet){
        .backends = help->backends,
        .policies = help->policies,
        .endpoints = help->endpoints,
        .members = help->members,
        .user_runs = help->user_runs,
        .users = help->users,
        .max_changed_ms = 60000,
        .max_changed_permille = 1000,
    };
    help->now_ms = HELP_BEGIN_MS;
}

static inline void help_release(struct help *help)
{
    free(help->memory);
    help->memory = NULL;
}

static inline uint32_t help_backend(struct help *help, uint32_t capacity, uint16_t weight,
                                    uint8_t flags)
{
    help->backends[help->fleet.backend_count] =
        (struct hf_fleet_backend){.capacity = capacity, .weight = weight, .flags = flags};
    return help->fleet.backend_count++;
}

static inline uint32_t help_policy(struct help *help, struct hf_fleet_policy policy)
{
    help->policies[help->fleet.policy_count] = policy;
    return help->fleet.policy_count++;
}

/* An endpoint of these backends. */
static inline uint32_t help_endpoint(struct help *help, uint32_t policy, const uint32_t *members,
                                     uint32_t count)
{
    uint32_t endpoint = help->fleet.endpoint_count++;
    help->endpoints[endpoint] = (struct hf_fleet_endpoint){
        .octet_first = (uint32_t)help->fleet.octet_count,
        .member_first = help->member_count,
        .member_count = count,
        .policy = policy,
        .seed = endpoint * UINT32_C(2654435761),
    };
    help->fleet.octet_count += hf_fleet_octets(count);
    if (count > 0) {
        memcpy(help->members + help->member_count, members, count * sizeof *members);
    }
    help->member_count += count;
    return endpoint;
}

/* Users of each backend, memory, machine. */
static inline void help_start(struct help *help, uint64_t head_gen)
{
    uint32_t used = 0;
    for (uint32_t backend = 0; backend < help->fleet.backend_count; backend++) {
        help->user_runs[backend].first = used;
        for (uint32_t e = 0; e < help->fleet.endpoint_count; e++) {
            const struct hf_fleet_endpoint *shape = &help->endpoints[e];
            for (uint32_t i = 0; i < shape->member_count; i++) {
                if (help->members[shape->member_first + i] == backend) {
                    help->users[used++] = e;
                }
            }
        }
        help->user_runs[backend].count = used - help->user_runs[backend].first;
    }
    free(help->memory);
    help->memory = calloc(1, hf_planner_layout(&help->fleet) + 8);
    struct hf_budget none = {0};
    hf_planner_init(&help->planner, &help->fleet, help->memory, head_gen, &none);
}

static inline void help_step(struct help *help, struct hf_planner_event event)
{
    event.now_ms = help->now_ms;
    hf_planner_step(&help->planner, &event, &help->outbox);
}

static inline void help_tick(struct help *help)
{
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_TICK});
}

static inline void help_verdict(struct help *help, uint32_t backend, enum hf_verdict verdict)
{
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_VERDICT,
                                              .backend = backend,
                                              .verdict = (uint8_t)verdict});
}

static inline void help_drain(struct help *help, uint32_t backend, bool on)
{
    help_step(help,
              (struct hf_planner_event){.type = HF_PLANNER_DRAIN, .backend = backend, .on = on});
}

static inline void help_published(struct help *help, enum hf_result result)
{
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_PUBLISHED,
                                              .op = help->planner.op,
                                              .result = (uint8_t)result});
}

/* TICK and, where it asks for a PUBLISH, its success; true when there was one. */
static inline bool help_publish(struct help *help)
{
    help_tick(help);
    bool has_one = help->planner.op != 0;
    if (has_one) {
        help_published(help, HF_RESULT_OK);
    }
    return has_one;
}

static inline void help_endpoint_event(struct help *help, enum hf_planner_event_type type,
                                       uint32_t endpoint, uint64_t gen)
{
    help_step(help,
              (struct hf_planner_event){.type = (uint8_t)type, .endpoint = endpoint, .gen = gen});
}

/* The first octet of what serves: enough for endpoints of up to 8 members. */
static inline uint8_t help_in(const struct help *help, uint32_t endpoint)
{
    return help->planner.in[help->endpoints[endpoint].octet_first];
}

#endif
