/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a scenario is refused for, as a whole: its bounds, cycles, memory and events. */
#include "drill/check.h"

#include "base/error.h"
#include "drill/internal.h"

#define MEMORY_BYTES (UINT64_C(4) << 30)
#define EVENTS 2e10

enum { TRIES_COUNTED = 20 };

int hf_check_found(const struct hf_check_at *at, const char *field, double found,
                   const char *expected)
{
    *at->problem = (struct hf_drill_problem){.field = field,
                                             .expected = expected,
                                             .found = found,
                                             .index = at->index,
                                             .part = (uint8_t)at->part,
                                             .call = at->call};
    return HF_EINVAL;
}

int hf_check_range(const struct hf_check_at *at, const char *field, double found, double low,
                   double high, const char *expected)
{
    return found >= low && found <= high ? HF_OK : hf_check_found(at, field, found, expected);
}

int hf_check_index(const struct hf_check_at *at, const char *field, uint16_t found, uint16_t count,
                   bool may_be_none, const char *expected)
{
    bool is_known = found < count || (may_be_none && found == HF_DRILL_NONE);
    return is_known ? HF_OK : hf_check_found(at, field, found, expected);
}

int hf_check_time(const struct hf_check_at *at, const char *field, uint64_t found, uint64_t low)
{
    return hf_check_range(at, field, (double)found, (double)low, (double)HF_DRILL_TIME_MAX_US,
                          low > 0 ? "more than 0 and at most 366 days" : "at most 366 days");
}

int hf_check_share(const struct hf_check_at *at, const char *field, double found)
{
    return hf_check_range(at, field, found, 0, 1, "0 to 1");
}

int hf_check_dist(const struct hf_check_at *at, const char *field, const struct hf_drill_dist *dist)
{
    double most = (double)HF_DRILL_TIME_MAX_US;
    if (dist->kind > HF_DRILL_UNIFORM) {
        return hf_check_found(at, field, dist->kind, "a distribution");
    }
    if (hf_check_range(at, field, dist->mean_us, 0, most, "a mean of 0 to 366 days") != HF_OK) {
        return HF_EINVAL;
    }
    return hf_check_range(at, field, dist->spread_us, 0, most, "a spread of 0 to 366 days");
}

static int check_counts(const struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    const struct count {
        const char *field, *expected;
        uint16_t found;
        uint16_t most;
    } counts[] = {
        {"name_count", "at most 16 names", scenario->name_count, HF_DRILL_NAMES_MAX},
        {"resolver_count", "at most 16 resolvers", scenario->resolver_count,
         HF_DRILL_RESOLVERS_MAX},
        {"client_count", "at most 16 clients", scenario->client_count, HF_DRILL_CLIENTS_MAX},
        {"service_count", "at most 32 services", scenario->service_count, HF_DRILL_SERVICES_MAX},
        {"manager_count", "at most 4 managers", scenario->manager_count, HF_DRILL_MANAGERS_MAX},
        {"fleet_count", "at most 8 fleets", scenario->fleet_count, HF_DRILL_FLEETS_MAX},
        {"action_count", "at most 128 actions", scenario->action_count, HF_DRILL_ACTIONS_MAX},
        {"rule_count", "at most 32 rules", scenario->rule_count, HF_DRILL_RULES_MAX},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].found > counts[i].most) {
            return hf_check_found(at, counts[i].field, counts[i].found, counts[i].expected);
        }
    }
    return HF_OK;
}

static int check_times(const struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    if (hf_check_time(at, "length_us", scenario->length_us, 1) != HF_OK ||
        hf_check_time(at, "bucket_us", scenario->bucket_us, 1) != HF_OK ||
        hf_check_share(at, "good_share", scenario->good_share) != HF_OK) {
        return HF_EINVAL;
    }
    double length_us = (double)scenario->length_us;
    if (hf_check_range(at, "measure_from_us", (double)scenario->measure_from_us, 0, length_us - 1,
                       "before the end of the run") != HF_OK ||
        hf_check_range(at, "repaired_us", (double)scenario->repaired_us, 0, length_us,
                       "not after the end of the run") != HF_OK) {
        return HF_EINVAL;
    }
    double buckets = length_us / (double)scenario->bucket_us;
    return hf_check_range(at, "bucket_us", (double)scenario->bucket_us,
                          buckets > HF_DRILL_BUCKETS_MAX ? length_us : 0, length_us,
                          "at most the length, and at least a 20,000th of it");
}

/* Takes away what calls nothing that is left, until nothing or a cycle is left. */
static int check_calls(struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    bool is_done[HF_DRILL_SERVICES_MAX] = {false};
    for (uint16_t round = 0; round < scenario->service_count; round++) {
        for (uint16_t i = 0; i < scenario->service_count; i++) {
            bool is_free = true;
            for (uint8_t k = 0; k < scenario->services[i].call_count; k++) {
                is_free = is_free && is_done[scenario->services[i].calls[k].service];
            }
            is_done[i] = is_free;
        }
    }
    at->part = HF_DRILL_PART_SERVICE;
    for (at->index = 0; at->index < scenario->service_count; at->index++) {
        const struct hf_drill_service *service = &scenario->services[at->index];
        for (at->call = 0; at->call < service->call_count; at->call++) {
            uint16_t callee = service->calls[at->call].service;
            if (!is_done[callee]) {
                return hf_check_found(at, "call.service", callee,
                                      "a service that does not call this one in turn, or others "
                                      "in a circle");
            }
        }
    }
    at->call = 0;
    return HF_OK;
}

static int check_upstreams(struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    at->part = HF_DRILL_PART_RESOLVER;
    for (at->index = 0; at->index < scenario->resolver_count; at->index++) {
        uint16_t upstream = scenario->resolvers[at->index].upstream, steps = 0;
        while (upstream != HF_DRILL_NONE && steps++ <= scenario->resolver_count) {
            upstream = scenario->resolvers[upstream].upstream;
        }
        if (upstream != HF_DRILL_NONE) {
            return hf_check_found(at, "upstream", scenario->resolvers[at->index].upstream,
                                  "a resolver that does not ask this one in turn");
        }
    }
    return HF_OK;
}

static int check_bounds(struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    uint64_t memory = scenario->memory_max_bytes > 0 ? scenario->memory_max_bytes : MEMORY_BYTES;
    double events = scenario->events_max > 0 ? (double)scenario->events_max : EVENTS;
    struct hf_layout layout;
    hf_layout_of(scenario, &layout);
    at->part = HF_DRILL_PART_NONE;
    at->index = 0;
    if (layout.octets > memory || layout.op_count + layout.attempt_count >= UINT32_MAX / 4) {
        (void)hf_check_found(at, "memory_max_bytes", (double)layout.octets,
                             "a run that takes no more octets than memory_max_bytes");
        return HF_ELIMIT;
    }
    double about = hf_drill_events_about(scenario);
    if (about > events) {
        (void)hf_check_found(at, "events_max", about, "a run of no more events than events_max");
        return HF_ELIMIT;
    }
    return HF_OK;
}

int hf_drill_check(const struct hf_drill_scenario *scenario, struct hf_drill_problem *ret_problem)
{
    struct hf_drill_problem problem;
    struct hf_check_at at = {.scenario = scenario, .problem = &problem};
    int result = check_counts(&at);
    result = result == HF_OK ? check_times(&at) : result;
    result = result == HF_OK ? hf_check_parts(&at) : result;
    result = result == HF_OK ? check_calls(&at) : result;
    result = result == HF_OK ? check_upstreams(&at) : result;
    result = result == HF_OK ? check_bounds(&at) : result;
    if (result != HF_OK) {
        *ret_problem = problem;
    }
    return result;
}

static double tries_of(const struct hf_drill_call *call)
{
    double most = call->retries_max < TRIES_COUNTED ? call->retries_max + 1.0 : TRIES_COUNTED;
    double tries = 0, share = 1;
    for (int i = 0; i < most; i++) {
        tries += share;
        share *= call->retry_share;
    }
    return tries;
}

/* Events of one attempt at a service: its time-out, its work, and what it calls. */
static double events_of(const struct hf_drill_scenario *scenario, uint16_t service, int depth)
{
    double events = 3;
    const struct hf_drill_service *facts = &scenario->services[service];
    for (uint8_t i = 0; depth < HF_DRILL_SERVICES_MAX && i < facts->call_count; i++) {
        const struct hf_drill_call *call = &facts->calls[i];
        events += tries_of(call) * events_of(scenario, call->service, depth + 1);
    }
    return events;
}

static double rate_of(const struct hf_drill_scenario *scenario, uint16_t client)
{
    double rate = scenario->clients[client].rate_per_s;
    for (uint16_t i = 0; i < scenario->action_count; i++) {
        const struct hf_drill_action *action = &scenario->actions[i];
        if (action->verb == HF_DRILL_RATE && action->target == client && action->value > rate) {
            rate = action->value;
        }
    }
    return rate;
}

double hf_drill_events_about(const struct hf_drill_scenario *scenario)
{
    double length_s = (double)scenario->length_us / HF_DRILL_SECOND_US, events = 0;
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        const struct hf_drill_client *client = &scenario->clients[i];
        const struct hf_drill_service *service = &scenario->services[client->call.service];
        double turn_us = client->think.mean_us + service->time.mean_us + 1;
        double rate = client->users > 0 ? client->users * (HF_DRILL_SECOND_US / turn_us)
                                        : rate_of(scenario, i);
        double each = tries_of(&client->call) * events_of(scenario, client->call.service, 0);
        events += rate * length_s * (1 + each);
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        const struct hf_drill_manager *manager = &scenario->managers[i];
        uint64_t turn_us =
            manager->claim.timeout_us > 0 ? manager->claim.timeout_us : manager->lifetime_us;
        double turns = length_s * HF_DRILL_SECOND_US / (double)turn_us;
        events += manager->holders * turns * events_of(scenario, manager->claim.service, 0);
        events += manager->cells * length_s;
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        const struct hf_drill_fleet *fleet = &scenario->fleets[i];
        double interval_s = (double)fleet->interval_us / HF_DRILL_SECOND_US;
        events += interval_s > 0 ? 2 * fleet->nodes * length_s / interval_s : 0;
    }
    return events;
}
