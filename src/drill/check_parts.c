/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a part is refused for. */
#include "base/error.h"
#include "drill/check.h"

#define TTL_MAX 2147483647.0 /* RFC 2181, section 8 */
#define RATE_MAX 1e9

static int check_call_retries(const struct hf_check_at *at, const struct hf_drill_call *call)
{
    bool is_endless = call->retries_max > 1000;
    if (hf_check_share(at, "call.retry_share", call->retry_share) != HF_OK ||
        hf_check_range(at, "call.backoff", call->backoff, 0, HF_DRILL_BACKOFF_DECORRELATED,
                       "a kind of back-off") != HF_OK ||
        hf_check_range(at, "call.backoff_factor", call->backoff_factor, 1, 1000, "1 to 1000") !=
            HF_OK ||
        hf_check_time(at, "call.backoff_cap_us", call->backoff_cap_us, 0) != HF_OK ||
        hf_check_range(at, "call.backoff_base_us", (double)call->backoff_base_us, 0,
                       (double)HF_DRILL_TIME_MAX_US, "at most 366 days") != HF_OK) {
        return HF_EINVAL;
    }
    bool is_at_once = call->backoff == HF_DRILL_BACKOFF_NONE || call->backoff_base_us == 0;
    if (is_endless && is_at_once && call->retry_share >= 1) {
        return hf_check_found(at, "call.backoff", call->backoff,
                              "a back-off with a base above 0, for more than 1000 retries");
    }
    return HF_OK;
}

static int check_call_limits(const struct hf_check_at *at, const struct hf_drill_call *call)
{
    if (hf_check_range(at, "call.budget_share", call->budget_share, 0, 1000, "0 to 1000") !=
            HF_OK ||
        hf_check_range(at, "call.bucket_deposit", call->bucket_deposit, 0, RATE_MAX, "0 to 10^9") !=
            HF_OK ||
        hf_check_range(at, "call.bucket_size", call->bucket_size, 0, RATE_MAX, "0 to 10^9") !=
            HF_OK ||
        hf_check_range(at, "call.throttle_k", call->throttle_k, 0, 1000, "0 to 1000") != HF_OK ||
        hf_check_share(at, "call.hedge_share", call->hedge_share) != HF_OK ||
        hf_check_range(at, "call.window_max", call->window_max, 0, 1 << 20, "at most 1048576") !=
            HF_OK) {
        return HF_EINVAL;
    }
    if ((call->budget_share > 0 &&
         hf_check_time(at, "call.budget_window_us", call->budget_window_us, 1) != HF_OK) ||
        (call->throttle_k > 0 &&
         hf_check_time(at, "call.throttle_window_us", call->throttle_window_us, 1) != HF_OK) ||
        (call->breaker_failures > 0 &&
         hf_check_time(at, "call.breaker_open_us", call->breaker_open_us, 1) != HF_OK)) {
        return HF_EINVAL;
    }
    if (call->cache_keys > UINT64_C(1) << 50) {
        return hf_check_found(at, "call.cache_keys", (double)call->cache_keys, "at most 2^50");
    }
    return hf_check_share(at, "call.cache_share", call->cache_share) != HF_OK
               ? HF_EINVAL
               : hf_check_share(at, "call.cache_filled", call->cache_filled);
}

static int check_call(const struct hf_check_at *at, const struct hf_drill_call *call)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    bool is_named = call->name != HF_DRILL_NONE;
    if (hf_check_index(at, "call.service", call->service, scenario->service_count, false,
                       "a service") != HF_OK ||
        hf_check_index(at, "call.name", call->name, scenario->name_count, true, "a name") !=
            HF_OK ||
        (is_named && hf_check_index(at, "call.resolver", call->resolver, scenario->resolver_count,
                                    false, "a resolver, since there is a name") != HF_OK) ||
        hf_check_range(at, "call.instances", call->instances, 1, HF_DRILL_INSTANCES_MAX,
                       "1 to 1000000") != HF_OK ||
        hf_check_time(at, "call.timeout_us", call->timeout_us, 0) != HF_OK ||
        hf_check_time(at, "call.connection_us", call->connection_us, 0) != HF_OK ||
        hf_check_time(at, "call.hedge_after_us", call->hedge_after_us, 0) != HF_OK) {
        return HF_EINVAL;
    }
    return check_call_retries(at, call) != HF_OK ? HF_EINVAL : check_call_limits(at, call);
}

static int check_name(const struct hf_check_at *at, const struct hf_drill_name *name)
{
    if (hf_check_range(at, "ttl_s", name->ttl_s, 0, TTL_MAX, "0 to 2147483647") != HF_OK ||
        hf_check_range(at, "soa_ttl_s", name->soa_ttl_s, 0, TTL_MAX, "0 to 2147483647") != HF_OK ||
        hf_check_range(at, "soa_minimum_s", name->soa_minimum_s, 0, TTL_MAX, "0 to 2147483647") !=
            HF_OK ||
        hf_check_range(at, "first", name->first, 0, HF_DRILL_ANSWERS - 1, "an answer") != HF_OK) {
        return HF_EINVAL;
    }
    return hf_check_share(at, "stale_works", name->stale_works);
}

static int check_resolver(const struct hf_check_at *at, const struct hf_drill_resolver *resolver)
{
    if (hf_check_range(at, "instances", resolver->instances, 1, HF_DRILL_INSTANCES_MAX,
                       "1 to 1000000") != HF_OK ||
        hf_check_range(at, "failure_s", resolver->failure_s, 0, 300, "at most 300 (RFC 9520)") !=
            HF_OK ||
        hf_check_index(at, "upstream", resolver->upstream, at->scenario->resolver_count, true,
                       "a resolver") != HF_OK ||
        hf_check_time(at, "timeout_us", resolver->timeout_us, 0) != HF_OK ||
        hf_check_time(at, "latency_us", resolver->latency_us, 0) != HF_OK) {
        return HF_EINVAL;
    }
    if (resolver->ttl_min_s > resolver->ttl_max_s) {
        return hf_check_found(at, "ttl_min_s", resolver->ttl_min_s, "at most ttl_max_s");
    }
    return resolver->negative_min_s > resolver->negative_max_s
               ? hf_check_found(at, "negative_min_s", resolver->negative_min_s,
                                "at most negative_max_s")
               : HF_OK;
}

static int check_client(const struct hf_check_at *at, const struct hf_drill_client *client)
{
    if (hf_check_range(at, "users", client->users, 0, HF_DRILL_HOLDERS_MAX, "at most 20000000") !=
            HF_OK ||
        hf_check_range(at, "rate_per_s", client->rate_per_s, 0, RATE_MAX, "0 to 10^9") != HF_OK ||
        hf_check_range(at, "under_way_max", client->under_way_max, 0, HF_DRILL_HOLDERS_MAX,
                       "at most 20000000") != HF_OK ||
        hf_check_dist(at, "think", &client->think) != HF_OK) {
        return HF_EINVAL;
    }
    return check_call(at, &client->call);
}

static int check_service(struct hf_check_at *at, const struct hf_drill_service *service)
{
    if (hf_check_range(at, "workers", service->workers, 1, HF_DRILL_HOLDERS_MAX, "1 to 20000000") !=
            HF_OK ||
        hf_check_dist(at, "time", &service->time) != HF_OK ||
        hf_check_range(at, "queue", service->queue, 0, HF_DRILL_CODEL_LIFO, "a queue discipline") !=
            HF_OK ||
        hf_check_range(at, "queue_max", service->queue_max, 0, HF_DRILL_QUEUE_MAX,
                       "0 to 50000000") != HF_OK ||
        hf_check_range(at, "shed_from", service->shed_from, 0, service->queue_max,
                       "at most queue_max") != HF_OK ||
        hf_check_range(at, "rate_max_per_s", service->rate_max_per_s, 0, RATE_MAX, "0 to 10^9") !=
            HF_OK ||
        hf_check_time(at, "codel_target_us", service->codel_target_us, 1) != HF_OK ||
        hf_check_time(at, "codel_interval_us", service->codel_interval_us, 1) != HF_OK ||
        hf_check_time(at, "restart_us", service->restart_us, 0) != HF_OK ||
        hf_check_time(at, "handover_us", service->handover_us, 0) != HF_OK ||
        hf_check_index(at, "fleet", service->fleet, at->scenario->fleet_count, true, "a fleet") !=
            HF_OK ||
        hf_check_range(at, "call_count", service->call_count, 0, HF_DRILL_CALLS_MAX,
                       "at most 4 calls") != HF_OK) {
        return HF_EINVAL;
    }
    for (at->call = 0; at->call < service->call_count; at->call++) {
        if (check_call(at, &service->calls[at->call]) != HF_OK) {
            return HF_EINVAL;
        }
    }
    at->call = 0;
    return HF_OK;
}

static int check_manager(const struct hf_check_at *at, const struct hf_drill_manager *manager)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    if (hf_check_range(at, "holders", manager->holders, 1, HF_DRILL_HOLDERS_MAX, "1 to 20000000") !=
            HF_OK ||
        hf_check_range(at, "cells", manager->cells, 1,
                       manager->holders < 60000 ? manager->holders : 60000,
                       "1 to the number of holders, at most 60000") != HF_OK ||
        hf_check_time(at, "period_us", manager->period_us, 1) != HF_OK ||
        hf_check_range(at, "lifetime_us", (double)manager->lifetime_us, (double)manager->period_us,
                       (double)HF_DRILL_TIME_MAX_US, "the period to 366 days") != HF_OK ||
        hf_check_share(at, "held_first", manager->held_first) != HF_OK ||
        check_call(at, &manager->claim) != HF_OK) {
        return HF_EINVAL;
    }
    const struct hf_drill_call *renew = &manager->renew;
    if (hf_check_index(at, "renew.name", renew->name, scenario->name_count, true, "a name") !=
            HF_OK ||
        (renew->name != HF_DRILL_NONE &&
         hf_check_index(at, "renew.resolver", renew->resolver, scenario->resolver_count, false,
                        "a resolver, since there is a name") != HF_OK) ||
        hf_check_range(at, "claim.timeout_us", (double)manager->claim.timeout_us, 0,
                       (double)manager->lifetime_us, "at most the lifetime") != HF_OK) {
        return HF_EINVAL;
    }
    double workers = (double)manager->holders * (double)manager->renew_us;
    workers /= (double)manager->period_us;
    return workers < scenario->services[manager->claim.service].workers
               ? HF_OK
               : hf_check_found(
                     at, "renew_us", (double)manager->renew_us,
                     "renewals that leave workers for claims: holders x renew_work below "
                     "workers x period");
}

static int check_fleet(const struct hf_check_at *at, const struct hf_drill_fleet *fleet)
{
    if (hf_check_range(at, "nodes", fleet->nodes, 1, HF_DRILL_NODES_MAX, "1 to 1000000") != HF_OK ||
        hf_check_range(at, "zones", fleet->zones, 1,
                       fleet->nodes < HF_DRILL_ZONES_MAX ? fleet->nodes : HF_DRILL_ZONES_MAX,
                       "1 to 8, and no more than nodes") != HF_OK ||
        hf_check_range(at, "checkers", fleet->checkers, 1, 1000000, "1 to 1000000") != HF_OK ||
        hf_check_time(at, "interval_us", fleet->interval_us, 0) != HF_OK ||
        hf_check_time(at, "timeout_us", fleet->timeout_us, 1) != HF_OK ||
        hf_check_dist(at, "check", &fleet->check) != HF_OK ||
        hf_check_range(at, "health.rise", fleet->health.rise, 1, 65535, "1 to 65535") != HF_OK ||
        hf_check_range(at, "health.fall", fleet->health.fall, 1, 65535, "1 to 65535") != HF_OK ||
        hf_check_share(at, "false_fail", fleet->false_fail) != HF_OK ||
        hf_check_share(at, "unready_pass", fleet->unready_pass) != HF_OK ||
        hf_check_dist(at, "ready", &fleet->ready) != HF_OK ||
        hf_check_range(at, "ready_per_s", fleet->ready_per_s, 0, RATE_MAX, "0 to 10^9") != HF_OK ||
        hf_check_share(at, "zone_fail", fleet->zone_fail) != HF_OK ||
        hf_check_share(at, "removal_share", fleet->removal_share) != HF_OK) {
        return HF_EINVAL;
    }
    if (hf_check_range(at, "removal_window_us", (double)fleet->removal_window_us, 0, 4e12,
                       "at most 4 x 10^12 us") != HF_OK) {
        return HF_EINVAL;
    }
    return hf_check_index(at, "manager", fleet->manager, at->scenario->manager_count, true,
                          "a manager");
}

static uint16_t count_of(const struct hf_drill_scenario *scenario, enum hf_drill_part part)
{
    switch (part) {
    case HF_DRILL_PART_NAME:
        return scenario->name_count;
    case HF_DRILL_PART_RESOLVER:
        return scenario->resolver_count;
    case HF_DRILL_PART_CLIENT:
        return scenario->client_count;
    case HF_DRILL_PART_SERVICE:
        return scenario->service_count;
    case HF_DRILL_PART_MANAGER:
        return scenario->manager_count;
    case HF_DRILL_PART_FLEET:
        return scenario->fleet_count;
    default:
        return 0;
    }
}

static bool may_be_about(enum hf_drill_verb verb, enum hf_drill_part part)
{
    return part == hf_drill_verb_part(verb) ||
           (verb == HF_DRILL_CACHE_LOSE && part == HF_DRILL_PART_CLIENT) ||
           (verb == HF_DRILL_RETRIES && part == HF_DRILL_PART_MANAGER);
}

/* What a verb's value may be, at most; at least it is 0, or 1 where that is said. */
static double value_max(enum hf_drill_verb verb)
{
    switch (verb) {
    case HF_DRILL_ANSWER:
        return HF_DRILL_ANSWERS - 1;
    case HF_DRILL_TTL:
        return TTL_MAX;
    case HF_DRILL_WORKERS:
        return HF_DRILL_HOLDERS_MAX;
    case HF_DRILL_DISCIPLINE:
        return HF_DRILL_CODEL_LIFO;
    case HF_DRILL_CACHE_LOSE:
    case HF_DRILL_FAIL:
    case HF_DRILL_FAILOVER:
        return 1;
    case HF_DRILL_CHECKERS:
        return 1000000;
    default:
        return 1e12;
    }
}

static int check_action(const struct hf_check_at *at, const struct hf_drill_action *action)
{
    if (hf_check_range(at, "verb", action->verb, 0, HF_DRILL_VERBS - 1, "a verb") != HF_OK) {
        return HF_EINVAL;
    }
    enum hf_drill_verb verb = (enum hf_drill_verb)action->verb;
    enum hf_drill_part part = (enum hf_drill_part)action->part;
    if (!may_be_about(verb, part)) {
        return hf_check_found(at, "part", action->part, "the kind of part that the verb is about");
    }
    if (hf_check_index(at, "target", action->target, count_of(at->scenario, part), false,
                       "a part that there is") != HF_OK) {
        return HF_EINVAL;
    }
    double least = verb == HF_DRILL_CHECKERS ? 1 : 0;
    if (hf_check_range(at, "value", action->value, least, value_max(verb),
                       "a value that the verb can take") != HF_OK) {
        return HF_EINVAL;
    }
    return hf_check_range(at, "count", action->count, 0, HF_DRILL_HOLDERS_MAX, "at most 20000000");
}

static int check_rule(const struct hf_check_at *at, const struct hf_drill_rule *rule)
{
    if (hf_check_range(at, "measure", rule->measure, 0, HF_DRILL_MEASURES - 1, "a measure") !=
        HF_OK) {
        return HF_EINVAL;
    }
    enum hf_drill_part part = hf_drill_measure_part((enum hf_drill_measure)rule->measure);
    if (hf_check_index(at, "subject", rule->subject, count_of(at->scenario, part), false,
                       "a part that there is") != HF_OK ||
        hf_check_range(at, "limit", rule->limit, 0, 1e12, "0 to 10^12") != HF_OK) {
        return HF_EINVAL;
    }
    return check_action(at, &rule->action);
}

static int check_one(struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    switch (at->part) {
    case HF_DRILL_PART_NAME:
        return check_name(at, &scenario->names[at->index]);
    case HF_DRILL_PART_RESOLVER:
        return check_resolver(at, &scenario->resolvers[at->index]);
    case HF_DRILL_PART_CLIENT:
        return check_client(at, &scenario->clients[at->index]);
    case HF_DRILL_PART_SERVICE:
        return check_service(at, &scenario->services[at->index]);
    case HF_DRILL_PART_MANAGER:
        return check_manager(at, &scenario->managers[at->index]);
    case HF_DRILL_PART_FLEET:
        return check_fleet(at, &scenario->fleets[at->index]);
    case HF_DRILL_PART_ACTION:
        return check_action(at, &scenario->actions[at->index]);
    default:
        return check_rule(at, &scenario->rules[at->index]);
    }
}

int hf_check_parts(struct hf_check_at *at)
{
    const struct hf_drill_scenario *scenario = at->scenario;
    for (int part = HF_DRILL_PART_NAME; part <= HF_DRILL_PART_RULE; part++) {
        at->part = (enum hf_drill_part)part;
        uint16_t count = at->part == HF_DRILL_PART_ACTION ? scenario->action_count
                         : at->part == HF_DRILL_PART_RULE ? scenario->rule_count
                                                          : count_of(scenario, at->part);
        for (at->index = 0; at->index < count; at->index++) {
            int result = check_one(at);
            if (result != HF_OK) {
                return result;
            }
        }
    }
    at->part = HF_DRILL_PART_NONE;
    at->index = 0;
    return HF_OK;
}
