/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/planning.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/planning_internal.h"

static void *make(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* --- members --- */

void hf_planning_member_add(struct hf_planning *planning, uint32_t backend)
{
    if (planning->member_count == planning->member_room) {
        planning->member_room *= 2;
        planning->members =
            realloc(planning->members, planning->member_room * sizeof(*planning->members));
        if (planning->members == NULL) {
            abort();
        }
    }
    planning->members[planning->member_count++] = backend;
}

/* The fleet number of a plan backend that an endpoint's pools do not name. */
static uint32_t ghost_of(struct hf_planning *planning, uint32_t number)
{
    if (planning->ghosts[number] != UINT32_MAX) {
        return planning->ghosts[number];
    }
    if (planning->fleet.backend_count == planning->backend_room) {
        planning->backend_room *= 2;
        planning->backends =
            realloc(planning->backends, planning->backend_room * sizeof(*planning->backends));
        planning->backend_numbers = realloc(
            planning->backend_numbers, planning->backend_room * sizeof(*planning->backend_numbers));
        if (planning->backends == NULL || planning->backend_numbers == NULL) {
            abort();
        }
    }
    uint32_t ghost = planning->fleet.backend_count++;
    const struct hf_plan_backend *backend = &planning->plan->backends[number];
    planning->backends[ghost] = (struct hf_fleet_backend){
        .capacity = backend->capacity,
        .weight = 1,
        .flags = (uint8_t)(HF_FLEET_GONE | (backend->has_a ? HF_FLEET_HAS_A : 0) |
                           (backend->has_aaaa ? HF_FLEET_HAS_AAAA : 0))};
    planning->backend_numbers[ghost] = number;
    planning->ghosts[number] = ghost;
    return ghost;
}

/* Whether a pool of the endpoint has the configured backend that a plan number stands for. */
static bool pools_have(const struct hf_planning *planning,
                       const struct hf_config_endpoint *endpoint, uint32_t number)
{
    const struct hf_config *config = planning->config;
    for (uint32_t i = 0; endpoint != NULL && i < endpoint->pool_count; i++) {
        const struct hf_config_pool *pool =
            &config->pools[config->endpoint_pools[endpoint->pool_first + i]];
        uint32_t backend = planning->number_backends[number];
        if (backend >= pool->backend_first && backend < pool->backend_first + pool->backend_count) {
            return true;
        }
    }
    return false;
}

/*
 * The members of an endpoint: its pools' backends, then what its entry or its pin still serves
 * and they do not name. An endpoint of one pool and nothing else shares the pool's run.
 */
void hf_planning_members(struct hf_planning *planning, uint32_t number,
                         const struct hf_config_endpoint *endpoint, const uint32_t *extra,
                         uint32_t extra_count)
{
    const struct hf_config *config = planning->config;
    struct hf_fleet_endpoint *fleet = &planning->endpoints[number];
    struct hf_plan_entry entry;
    hf_planning_entry(planning, number, &entry);
    uint32_t served_count = planning->served_count;
    uint32_t first = planning->member_count;
    for (uint32_t i = 0; i < served_count + extra_count; i++) {
        uint32_t at = i < served_count ? planning->served[i] : extra[i - served_count];
        bool again = i >= served_count && hf_planning_serves(planning, at);
        if (!again && !pools_have(planning, endpoint, at)) {
            hf_planning_member_add(planning, ghost_of(planning, at));
        }
    }
    bool shared = endpoint != NULL && endpoint->pool_count == 1 && planning->member_count == first;
    if (shared) {
        const struct hf_config_pool *pool =
            &config->pools[config->endpoint_pools[endpoint->pool_first]];
        /* The first run of all is the identity: a pool's backends are their own numbers. */
        fleet->member_first = pool->backend_first;
        fleet->member_count = pool->backend_count;
        return;
    }
    for (uint32_t i = 0; endpoint != NULL && i < endpoint->pool_count; i++) {
        const struct hf_config_pool *pool =
            &config->pools[config->endpoint_pools[endpoint->pool_first + i]];
        for (uint32_t k = 0; k < pool->backend_count; k++) {
            hf_planning_member_add(planning, pool->backend_first + k);
        }
    }
    fleet->member_first = first;
    fleet->member_count = planning->member_count - first;
}

/* --- fleet --- */

static void build_backends(struct hf_planning *planning)
{
    const struct hf_config *config = planning->config;
    planning->backend_room = config->backend_count + 64;
    planning->backends = make(planning->backend_room, sizeof(*planning->backends));
    planning->backend_numbers = make(planning->backend_room, sizeof(*planning->backend_numbers));
    planning->member_room = config->backend_count + 64;
    planning->members = make(planning->member_room, sizeof(*planning->members));
    for (uint32_t i = 0; i < config->backend_count; i++) {
        const struct hf_config_backend *backend = &config->backends[i];
        struct hf_plan_backend plan = {.name = backend->name,
                                       .capacity = backend->capacity,
                                       .has_a = backend->has_a,
                                       .has_aaaa = backend->has_aaaa};
        memcpy(plan.a, backend->a, sizeof(plan.a));
        memcpy(plan.aaaa, backend->aaaa, sizeof(plan.aaaa));
        planning->backend_numbers[i] = hf_plan_backend_number(planning->plan, &plan);
        planning->backends[i] = (struct hf_fleet_backend){
            .capacity = backend->capacity,
            .weight = (uint16_t)backend->weight,
            .flags = (uint8_t)((backend->has_a ? HF_FLEET_HAS_A : 0) |
                               (backend->has_aaaa ? HF_FLEET_HAS_AAAA : 0))};
        hf_planning_member_add(planning, i);
    }
    planning->fleet.backend_count = config->backend_count;
    uint32_t numbers = planning->plan->backend_count;
    planning->ghosts = make(numbers, sizeof(*planning->ghosts));
    planning->number_backends = make(numbers, sizeof(*planning->number_backends));
    memset(planning->ghosts, 0xff, numbers * sizeof(*planning->ghosts));
    memset(planning->number_backends, 0xff, numbers * sizeof(*planning->number_backends));
    for (uint32_t i = 0; i < config->backend_count; i++) {
        planning->number_backends[planning->backend_numbers[i]] = i;
    }
}

static void build_policies(struct hf_planning *planning)
{
    const struct hf_config *config = planning->config;
    planning->policies = make(config->policy_count + 1U, sizeof(*planning->policies));
    for (uint32_t i = 0; i < config->policy_count; i++) {
        const struct hf_config_policy *policy = &config->policies[i];
        planning->policies[i] =
            (struct hf_fleet_policy){.ttl_s = policy->ttl_s,
                                     .min_healthy = policy->min_healthy,
                                     .max_removal_ms = policy->max_removal_ms,
                                     .max_removal_permille = policy->max_removal_permille,
                                     .answers_max = policy->answers_max};
    }
    /* Orphans keep what they have: the last policy is theirs. */
    planning->policies[config->policy_count] = (struct hf_fleet_policy){
        .ttl_s = 30, .min_healthy = 1, .max_removal_ms = 60000, .answers_max = HF_ANSWERS_MAX};
}

static void build_endpoint(struct hf_planning *planning, uint32_t number, uint32_t row,
                           const struct hf_config_endpoint *endpoint,
                           const struct hf_overrides *overrides)
{
    struct hf_fleet_endpoint *fleet = &planning->endpoints[number];
    const uint8_t *owner = hf_plan_owner(planning->plan, row);
    planning->endpoint_rows[number] = row;
    planning->row_endpoints[row] = number;
    fleet->policy = endpoint != NULL ? endpoint->policy : planning->config->policy_count;
    fleet->orphan = endpoint == NULL;
    fleet->seed = (uint32_t)hf_hash64(owner, hf_name_size(owner));
    uint32_t extra_count = 0;
    uint32_t *extra = hf_planning_pin_members(planning, owner, overrides, &extra_count);
    hf_planning_members(planning, number, endpoint, extra, extra_count);
    free(extra);
    planning->members_max =
        fleet->member_count > planning->members_max ? fleet->member_count : planning->members_max;
    fleet->octet_first = (uint32_t)planning->fleet.octet_count;
    planning->fleet.octet_count += hf_fleet_octets(fleet->member_count);
    assert(planning->fleet.octet_count <= UINT32_MAX);
}

static void build_endpoints(struct hf_planning *planning, const struct hf_overrides *overrides)
{
    const struct hf_config *config = planning->config;
    struct hf_plan *plan = planning->plan;
    uint32_t *rows = make(config->endpoint_count, sizeof(*rows));
    if (plan->entry_count == 0) {
        hf_plan_reserve(plan, config->endpoint_count);
    }
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        rows[i] = hf_plan_row(plan, config->endpoints[i].owner);
    }
    planning->row_count = plan->entry_count;
    planning->endpoints = make(plan->entry_count, sizeof(*planning->endpoints));
    planning->endpoint_rows = make(plan->entry_count, sizeof(*planning->endpoint_rows));
    planning->row_endpoints = make(plan->entry_count, sizeof(*planning->row_endpoints));
    memset(planning->row_endpoints, 0xff, plan->entry_count * sizeof(*planning->row_endpoints));
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        build_endpoint(planning, i, rows[i], &config->endpoints[i], overrides);
    }
    uint32_t count = config->endpoint_count;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (planning->row_endpoints[row] == UINT32_MAX && hf_plan_gen(plan, row) != 0) {
            build_endpoint(planning, count++, row, NULL, overrides);
        }
    }
    planning->fleet.endpoint_count = count;
    free(rows);
}

/*
 * Runs of users: the backends of a pool share one, of the endpoints that have the pool; one that is
 * GONE has its own. runs[pools + ghost] while they are counted.
 */
struct users {
    struct hf_fleet_run *runs;
    uint32_t pool_count;
};

static void count_use(struct hf_planning *planning, const struct users *users, uint32_t run,
                      uint32_t endpoint)
{
    struct hf_fleet_run *at = &users->runs[run];
    if (planning->users != NULL) {
        planning->users[at->first + at->count] = endpoint;
    }
    at->count++;
}

/* Calls count_use for every endpoint and each of its runs. */
static void each_use(struct hf_planning *planning, const struct users *users)
{
    const struct hf_config *config = planning->config;
    for (uint32_t i = 0; i < planning->fleet.endpoint_count; i++) {
        const struct hf_fleet_endpoint *endpoint = &planning->endpoints[i];
        uint32_t pooled = 0;
        for (uint32_t k = 0; i < config->endpoint_count && k < config->endpoints[i].pool_count;
             k++) {
            uint32_t pool = config->endpoint_pools[config->endpoints[i].pool_first + k];
            count_use(planning, users, pool, i);
            pooled += config->pools[pool].backend_count;
        }
        /* In front of its pools' backends: those that are GONE. */
        for (uint32_t k = 0; k + pooled < endpoint->member_count; k++) {
            uint32_t ghost = planning->members[endpoint->member_first + k] - config->backend_count;
            count_use(planning, users, users->pool_count + ghost, i);
        }
    }
}

static void build_users(struct hf_planning *planning)
{
    const struct hf_config *config = planning->config;
    uint32_t backend_count = planning->fleet.backend_count;
    struct users users = {.pool_count = config->pool_count};
    uint32_t run_count = config->pool_count + backend_count - config->backend_count;
    users.runs = make(run_count, sizeof(*users.runs));
    each_use(planning, &users);
    uint64_t total = 0;
    for (uint32_t i = 0; i < run_count; i++) {
        users.runs[i].first = (uint32_t)total;
        total += users.runs[i].count;
        users.runs[i].count = 0;
    }
    assert(total < UINT32_MAX);
    planning->users = make(total, sizeof(*planning->users));
    each_use(planning, &users);
    planning->user_runs = make(backend_count, sizeof(*planning->user_runs));
    for (uint32_t i = 0; i < backend_count; i++) {
        planning->user_runs[i] =
            users.runs[i < config->backend_count ? config->backends[i].pool
                                                 : config->pool_count + i - config->backend_count];
    }
    free(users.runs);
}

/*
 * An image that was put on top of a head which nobody can read (hf_plan_take_head) may know newer
 * entries than that head had.
 */
static uint64_t highest_gen(const struct hf_plan *plan)
{
    uint64_t gen = plan->head.gen;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        gen = hf_plan_gen(plan, i) > gen ? hf_plan_gen(plan, i) : gen;
    }
    return gen;
}

struct hf_planning *hf_planning_new(const struct hf_config *config, struct hf_plan *plan,
                                    const struct hf_overrides *overrides,
                                    const struct hf_planning *earlier, uint64_t now_ms)
{
    struct hf_planning *planning = make(1, sizeof(*planning));
    planning->config = config;
    planning->plan = plan;
    hf_planning_pin_numbers(planning, overrides);
    build_backends(planning);
    build_policies(planning);
    build_endpoints(planning, overrides);
    build_users(planning);
    struct hf_fleet *fleet = &planning->fleet;
    fleet->backends = planning->backends;
    fleet->policies = planning->policies;
    fleet->policy_count = config->policy_count + 1;
    fleet->endpoints = planning->endpoints;
    fleet->members = planning->members;
    fleet->user_runs = planning->user_runs;
    fleet->users = planning->users;
    fleet->max_changed_ms = config->max_changed_ms;
    fleet->max_changed_permille = config->max_changed_permille;
    planning->memory = make(1, hf_planner_layout(fleet));
    hf_planner_init(&planning->planner, fleet, planning->memory, highest_gen(plan),
                    &plan->head.changed);
    if (earlier != NULL) {
        hf_planner_inherit(&planning->planner, &earlier->planner);
    }
    hf_planning_adopt_all(planning);
    hf_planning_feed_overrides(planning, overrides, now_ms);
    return planning;
}

void hf_planning_free(struct hf_planning *planning)
{
    if (planning == NULL) {
        return;
    }
    free(planning->endpoint_rows);
    free(planning->backend_numbers);
    free(planning->row_endpoints);
    free(planning->backends);
    free(planning->endpoints);
    free(planning->policies);
    free(planning->members);
    free(planning->user_runs);
    free(planning->users);
    free(planning->ghosts);
    free(planning->served);
    free(planning->number_backends);
    free(planning->memory);
    free(planning);
}
