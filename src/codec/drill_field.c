/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of scenarios.
 */
#include "codec/drill_reader.h"

#define AT(type, member) #member, offsetof(struct type, member)
#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))
#define TABLE(name)                                                                                \
    const struct hf_drill_table hf_drill_##name##_table = {name##_fields, COUNT(name##_fields)};

const char *const hf_drill_answer_words[] = {
    [HF_DRILL_RIGHT] = "right", [HF_DRILL_EMPTY] = "empty",       [HF_DRILL_NXDOMAIN] = "nxdomain",
    [HF_DRILL_STALE] = "stale", [HF_DRILL_SERVFAIL] = "servfail", [HF_DRILL_SILENT] = "silent",
    [HF_DRILL_ANSWERS] = NULL};

const char *const hf_drill_queue_words[] = {[HF_DRILL_FIFO] = "fifo",
                                            [HF_DRILL_LIFO] = "lifo",
                                            [HF_DRILL_ADAPTIVE_LIFO] = "adaptive-lifo",
                                            [HF_DRILL_CODEL] = "codel",
                                            [HF_DRILL_CODEL_LIFO] = "codel-lifo",
                                            NULL};

static const char *const backoff_words[] = {[HF_DRILL_BACKOFF_NONE] = "none",
                                            [HF_DRILL_BACKOFF_FIXED] = "fixed",
                                            [HF_DRILL_BACKOFF_EXPONENTIAL] = "exponential",
                                            [HF_DRILL_BACKOFF_FULL_JITTER] = "full-jitter",
                                            [HF_DRILL_BACKOFF_EQUAL_JITTER] = "equal-jitter",
                                            [HF_DRILL_BACKOFF_DECORRELATED] = "decorrelated",
                                            NULL};

static const char *const claimer_words[] = {
    [HF_DRILL_BY_HOLDER] = "holder", [HF_DRILL_BY_MANAGER] = "manager", NULL};

static const struct hf_drill_field root_fields[] = {
    {.key = "length", AT(hf_drill_scenario, length_us), .kind = HF_FIELD_US},
    {.key = "bucket", AT(hf_drill_scenario, bucket_us), .kind = HF_FIELD_US},
    {.key = "measure_from", AT(hf_drill_scenario, measure_from_us), .kind = HF_FIELD_US},
    {.key = "repaired", AT(hf_drill_scenario, repaired_us), .kind = HF_FIELD_US},
    {.key = "good", AT(hf_drill_scenario, good_share), .kind = HF_FIELD_SHARE},
    {.key = "memory_max", AT(hf_drill_scenario, memory_max_bytes), .kind = HF_FIELD_U64},
    {.key = "events_max", AT(hf_drill_scenario, events_max), .kind = HF_FIELD_U64},
    {.key = "scenario", .field = "label", .kind = HF_FIELD_NODE},
    {.key = "about", .field = "", .kind = HF_FIELD_NODE},
    {.key = "clock", .field = "", .kind = HF_FIELD_NODE},
    {.key = "names", .field = "name_count", .kind = HF_FIELD_NODE},
    {.key = "resolvers", .field = "resolver_count", .kind = HF_FIELD_NODE},
    {.key = "services", .field = "service_count", .kind = HF_FIELD_NODE},
    {.key = "clients", .field = "client_count", .kind = HF_FIELD_NODE},
    {.key = "leases", .field = "manager_count", .kind = HF_FIELD_NODE},
    {.key = "fleets", .field = "fleet_count", .kind = HF_FIELD_NODE},
    {.key = "actions", .field = "action_count", .kind = HF_FIELD_NODE},
    {.key = "rules", .field = "rule_count", .kind = HF_FIELD_NODE},
    {.key = "remedies", .field = "", .kind = HF_FIELD_NODE},
};
TABLE(root)

static const struct hf_drill_field name_fields[] = {
    {.key = "ttl", AT(hf_drill_name, ttl_s), .kind = HF_FIELD_S},
    {.key = "soa_ttl", AT(hf_drill_name, soa_ttl_s), .kind = HF_FIELD_S},
    {.key = "soa_minimum", AT(hf_drill_name, soa_minimum_s), .kind = HF_FIELD_S},
    {.key = "stale_works", AT(hf_drill_name, stale_works), .kind = HF_FIELD_SHARE},
    {.key = "first",
     AT(hf_drill_name, first),
     .kind = HF_FIELD_WORD,
     .words = hf_drill_answer_words},
};
TABLE(name)

static const struct hf_drill_field resolver_fields[] = {
    {.key = "preset", .field = "", .kind = HF_FIELD_NODE},
    {.key = "instances", AT(hf_drill_resolver, instances), .kind = HF_FIELD_U32},
    {.key = "ttl_min", AT(hf_drill_resolver, ttl_min_s), .kind = HF_FIELD_S},
    {.key = "ttl_max", AT(hf_drill_resolver, ttl_max_s), .kind = HF_FIELD_S},
    {.key = "negative_min", AT(hf_drill_resolver, negative_min_s), .kind = HF_FIELD_S},
    {.key = "negative_max", AT(hf_drill_resolver, negative_max_s), .kind = HF_FIELD_S},
    {.key = "failure", AT(hf_drill_resolver, failure_s), .kind = HF_FIELD_S},
    {.key = "stale_max", AT(hf_drill_resolver, stale_max_s), .kind = HF_FIELD_S},
    {.key = "stale_ttl", AT(hf_drill_resolver, stale_ttl_s), .kind = HF_FIELD_S},
    {.key = "timeout", AT(hf_drill_resolver, timeout_us), .kind = HF_FIELD_US},
    {.key = "latency", AT(hf_drill_resolver, latency_us), .kind = HF_FIELD_US},
    {.key = "upstream",
     AT(hf_drill_resolver, upstream),
     .kind = HF_FIELD_REF,
     .ref = HF_DRILL_PART_RESOLVER},
    {.key = "warm", AT(hf_drill_resolver, warm), .kind = HF_FIELD_BOOL},
};
TABLE(resolver)

/* Of a call of a service, and of a claim. */
#define CALL_FIELDS                                                                                \
    {.key = "service",                                                                             \
     AT(hf_drill_call, service),                                                                   \
     .kind = HF_FIELD_REF,                                                                         \
     .ref = HF_DRILL_PART_SERVICE},                                                                \
        {.key = "timeout", AT(hf_drill_call, timeout_us), .kind = HF_FIELD_US},                    \
        {.key = "late_notice", AT(hf_drill_call, late_notice), .kind = HF_FIELD_BOOL},             \
        {.key = "propagate", AT(hf_drill_call, propagate), .kind = HF_FIELD_BOOL},                 \
        {.key = "caller_deadline", AT(hf_drill_call, caller_deadline), .kind = HF_FIELD_BOOL},     \
        {.key = "retries", AT(hf_drill_call, retries_max), .kind = HF_FIELD_FOREVER},              \
        {.key = "retry_share", AT(hf_drill_call, retry_share), .kind = HF_FIELD_SHARE},            \
        {.key = "backoff",                                                                         \
         AT(hf_drill_call, backoff),                                                               \
         .kind = HF_FIELD_WORD,                                                                    \
         .words = backoff_words},                                                                  \
        {.key = "backoff_factor", AT(hf_drill_call, backoff_factor), .kind = HF_FIELD_RATIO},      \
        {.key = "backoff_base", AT(hf_drill_call, backoff_base_us), .kind = HF_FIELD_US},          \
        {.key = "backoff_cap", AT(hf_drill_call, backoff_cap_us), .kind = HF_FIELD_US},            \
        {.key = "retry_rejected", AT(hf_drill_call, retry_rejected), .kind = HF_FIELD_BOOL},       \
        {.key = "budget", AT(hf_drill_call, budget_share), .kind = HF_FIELD_SHARE},                \
        {.key = "budget_window", AT(hf_drill_call, budget_window_us), .kind = HF_FIELD_US},        \
        {.key = "token_deposit", AT(hf_drill_call, bucket_deposit), .kind = HF_FIELD_RATIO},       \
        {.key = "token_bucket",                                                                    \
         AT(hf_drill_call, bucket_size),                                                           \
         .kind = HF_FIELD_RATIO,                                                                   \
         .is_scaled = true},                                                                       \
        {.key = "throttle", AT(hf_drill_call, throttle_k), .kind = HF_FIELD_RATIO},                \
        {.key = "throttle_window", AT(hf_drill_call, throttle_window_us), .kind = HF_FIELD_US},    \
        {.key = "breaker", AT(hf_drill_call, breaker_failures), .kind = HF_FIELD_U32},             \
        {.key = "breaker_open", AT(hf_drill_call, breaker_open_us), .kind = HF_FIELD_US},          \
        {.key = "hedge_after", AT(hf_drill_call, hedge_after_us), .kind = HF_FIELD_US},            \
        {.key = "hedge_share", AT(hf_drill_call, hedge_share), .kind = HF_FIELD_SHARE},            \
        {.key = "window_max",                                                                      \
         AT(hf_drill_call, window_max),                                                            \
         .kind = HF_FIELD_U32,                                                                     \
         .is_scaled = true},                                                                       \
        {.key = "wait_max", AT(hf_drill_call, wait_max), .kind = HF_FIELD_U32, .is_scaled = true}, \
        {.key = "cache_keys", AT(hf_drill_call, cache_keys), .kind = HF_FIELD_U64},                \
        {.key = "cache_share", AT(hf_drill_call, cache_share), .kind = HF_FIELD_SHARE},            \
    {                                                                                              \
        .key = "cache_filled", AT(hf_drill_call, cache_filled), .kind = HF_FIELD_SHARE             \
    }

/* Of these and of renewals. */
#define REACH_FIELDS                                                                               \
    {.key = "name", AT(hf_drill_call, name), .kind = HF_FIELD_REF, .ref = HF_DRILL_PART_NAME},     \
        {.key = "resolver",                                                                        \
         AT(hf_drill_call, resolver),                                                              \
         .kind = HF_FIELD_REF,                                                                     \
         .ref = HF_DRILL_PART_RESOLVER},                                                           \
        {.key = "instances", AT(hf_drill_call, instances), .kind = HF_FIELD_U32},                  \
        {.key = "connections",                                                                     \
         AT(hf_drill_call, pool_max),                                                              \
         .kind = HF_FIELD_U32,                                                                     \
         .is_scaled = true},                                                                       \
    {                                                                                              \
        .key = "connection_life", AT(hf_drill_call, connection_us), .kind = HF_FIELD_US            \
    }

static const struct hf_drill_field call_fields[] = {REACH_FIELDS, CALL_FIELDS};
TABLE(call)
static const struct hf_drill_field renew_fields[] = {REACH_FIELDS};
TABLE(renew)

static const struct hf_drill_field client_fields[] = {
    {.key = "users", AT(hf_drill_client, users), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "rate", AT(hf_drill_client, rate_per_s), .kind = HF_FIELD_RATE, .is_scaled = true},
    {.key = "regular", AT(hf_drill_client, regular), .kind = HF_FIELD_BOOL},
    {.key = "think", AT(hf_drill_client, think), .kind = HF_FIELD_DIST},
    {.key = "tail", AT(hf_drill_client, tail_us), .kind = HF_FIELD_US},
    {.key = "call",
     AT(hf_drill_client, call),
     .kind = HF_FIELD_NODE,
     .inner = &hf_drill_call_table},
};
TABLE(client)

static const struct hf_drill_field service_fields[] = {
    {.key = "workers", AT(hf_drill_service, workers), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "time", AT(hf_drill_service, time), .kind = HF_FIELD_DIST},
    {.key = "queue",
     AT(hf_drill_service, queue),
     .kind = HF_FIELD_WORD,
     .words = hf_drill_queue_words},
    {.key = "queue_max", AT(hf_drill_service, queue_max), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "lifo_above",
     AT(hf_drill_service, lifo_above),
     .kind = HF_FIELD_U32,
     .is_scaled = true},
    {.key = "codel_target", AT(hf_drill_service, codel_target_us), .kind = HF_FIELD_US},
    {.key = "codel_interval", AT(hf_drill_service, codel_interval_us), .kind = HF_FIELD_US},
    {.key = "shed_from", AT(hf_drill_service, shed_from), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "rate_max",
     AT(hf_drill_service, rate_max_per_s),
     .kind = HF_FIELD_RATE,
     .is_scaled = true},
    {.key = "drop_expired", AT(hf_drill_service, drop_expired), .kind = HF_FIELD_BOOL},
    {.key = "stop_expired", AT(hf_drill_service, stop_expired), .kind = HF_FIELD_BOOL},
    {.key = "handover", AT(hf_drill_service, handover_us), .kind = HF_FIELD_US},
    {.key = "restart", AT(hf_drill_service, restart_us), .kind = HF_FIELD_US},
    {.key = "fleet", AT(hf_drill_service, fleet), .kind = HF_FIELD_REF, .ref = HF_DRILL_PART_FLEET},
    {.key = "free_worker", AT(hf_drill_service, free_worker), .kind = HF_FIELD_BOOL},
    {.key = "parallel", AT(hf_drill_service, parallel), .kind = HF_FIELD_BOOL},
    {.key = "calls", .field = "calls", .kind = HF_FIELD_NODE},
};
TABLE(service)

static const struct hf_drill_field manager_fields[] = {
    {.key = "holders", AT(hf_drill_manager, holders), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "cells", AT(hf_drill_manager, cells), .kind = HF_FIELD_U32},
    {.key = "period", AT(hf_drill_manager, period_us), .kind = HF_FIELD_US},
    {.key = "lifetime", AT(hf_drill_manager, lifetime_us), .kind = HF_FIELD_US},
    {.key = "renew_work", AT(hf_drill_manager, renew_us), .kind = HF_FIELD_US},
    {.key = "renew",
     AT(hf_drill_manager, renew),
     .kind = HF_FIELD_NODE,
     .inner = &hf_drill_renew_table},
    {.key = "claim",
     AT(hf_drill_manager, claim),
     .kind = HF_FIELD_NODE,
     .inner = &hf_drill_call_table},
    {.key = "spread", AT(hf_drill_manager, spread_us), .kind = HF_FIELD_US},
    {.key = "claimed_by",
     AT(hf_drill_manager, claimer),
     .kind = HF_FIELD_WORD,
     .words = claimer_words},
    {.key = "from_claim", AT(hf_drill_manager, from_claim), .kind = HF_FIELD_BOOL},
    {.key = "held_first", AT(hf_drill_manager, held_first), .kind = HF_FIELD_SHARE},
};
TABLE(manager)

static const struct hf_drill_field fleet_fields[] = {
    {.key = "nodes", AT(hf_drill_fleet, nodes), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "zones", AT(hf_drill_fleet, zones), .kind = HF_FIELD_U32},
    {.key = "checkers", AT(hf_drill_fleet, checkers), .kind = HF_FIELD_U32, .is_scaled = true},
    {.key = "interval", AT(hf_drill_fleet, interval_us), .kind = HF_FIELD_US},
    {.key = "timeout", AT(hf_drill_fleet, timeout_us), .kind = HF_FIELD_US},
    {.key = "check", AT(hf_drill_fleet, check), .kind = HF_FIELD_DIST},
    {.key = "rise", AT(hf_drill_fleet, health.rise), .kind = HF_FIELD_U16},
    {.key = "fall", AT(hf_drill_fleet, health.fall), .kind = HF_FIELD_U16},
    {.key = "hold_down", .field = "health.hold_down_ms", .kind = HF_FIELD_NODE},
    {.key = "flap_window", .field = "health.flap_window_ms", .kind = HF_FIELD_NODE},
    {.key = "false_fail", AT(hf_drill_fleet, false_fail), .kind = HF_FIELD_SHARE},
    {.key = "unready_pass", AT(hf_drill_fleet, unready_pass), .kind = HF_FIELD_SHARE},
    {.key = "ready", AT(hf_drill_fleet, ready), .kind = HF_FIELD_DIST},
    {.key = "ready_rate",
     AT(hf_drill_fleet, ready_per_s),
     .kind = HF_FIELD_RATE,
     .is_scaled = true},
    {.key = "zone_fail", AT(hf_drill_fleet, zone_fail), .kind = HF_FIELD_SHARE},
    {.key = "max_removal", .field = "removal_share", .kind = HF_FIELD_NODE},
    {.key = "min_healthy",
     AT(hf_drill_fleet, min_healthy),
     .kind = HF_FIELD_U32,
     .is_scaled = true},
    {.key = "fail_open", AT(hf_drill_fleet, fail_open), .kind = HF_FIELD_BOOL},
    {.key = "launched_by",
     AT(hf_drill_fleet, manager),
     .kind = HF_FIELD_REF,
     .ref = HF_DRILL_PART_MANAGER},
};
TABLE(fleet)

/* Parts of names stand without parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define SECTION(name_, word_, part_, array_, table_, max_)                                         \
    {                                                                                              \
        .key = name_, .word = word_, .part = part_, .table = &hf_drill_##table_##_table,           \
        .offset = offsetof(struct hf_drill_scenario, array_##s),                                   \
        .size = sizeof(struct hf_drill_##array_),                                                  \
        .count_offset = offsetof(struct hf_drill_scenario, array_##_count), .max = max_            \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

const struct hf_drill_section hf_drill_sections[HF_DRILL_SECTIONS] = {
    SECTION("names", "name", HF_DRILL_PART_NAME, name, name, HF_DRILL_NAMES_MAX),
    SECTION("resolvers", "resolver", HF_DRILL_PART_RESOLVER, resolver, resolver,
            HF_DRILL_RESOLVERS_MAX),
    SECTION("services", "service", HF_DRILL_PART_SERVICE, service, service, HF_DRILL_SERVICES_MAX),
    SECTION("clients", "client", HF_DRILL_PART_CLIENT, client, client, HF_DRILL_CLIENTS_MAX),
    SECTION("leases", "lease manager", HF_DRILL_PART_MANAGER, manager, manager,
            HF_DRILL_MANAGERS_MAX),
    SECTION("fleets", "fleet", HF_DRILL_PART_FLEET, fleet, fleet, HF_DRILL_FLEETS_MAX),
};

const struct hf_drill_section *hf_drill_section_of(enum hf_drill_part part)
{
    for (size_t i = 0; i < HF_DRILL_SECTIONS; i++) {
        if (hf_drill_sections[i].part == part) {
            return &hf_drill_sections[i];
        }
    }
    return NULL;
}
