/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a user may leave out, and what things are called. */
#include "drill/scenario.h"

#include <stddef.h>

enum { DAY_S = 86400, SECOND_US = 1000000 };

static const char *const preset_names[HF_DRILL_PRESETS] = {
    [HF_DRILL_BIND] = "bind",
    [HF_DRILL_UNBOUND] = "unbound",
    [HF_DRILL_RESOLVED] = "systemd-resolved",
    [HF_DRILL_GLIBC] = "glibc",
    [HF_DRILL_JVM] = "jvm",
};

static const struct verb {
    const char *name;
    enum hf_drill_part part;
} verbs[HF_DRILL_VERBS] = {
    [HF_DRILL_ANSWER] = {"answer", HF_DRILL_PART_NAME},
    [HF_DRILL_TTL] = {"ttl", HF_DRILL_PART_NAME},
    [HF_DRILL_FLUSH] = {"flush", HF_DRILL_PART_RESOLVER},
    [HF_DRILL_OVERRIDE] = {"override", HF_DRILL_PART_RESOLVER},
    [HF_DRILL_RATE] = {"rate", HF_DRILL_PART_CLIENT},
    [HF_DRILL_WORKERS] = {"workers", HF_DRILL_PART_SERVICE},
    [HF_DRILL_SPEED] = {"speed", HF_DRILL_PART_SERVICE},
    [HF_DRILL_SLOW_NEXT] = {"slow-next", HF_DRILL_PART_SERVICE},
    [HF_DRILL_THROTTLE] = {"throttle", HF_DRILL_PART_SERVICE},
    [HF_DRILL_QUEUE_BOUND] = {"queue-bound", HF_DRILL_PART_SERVICE},
    [HF_DRILL_DISCIPLINE] = {"discipline", HF_DRILL_PART_SERVICE},
    [HF_DRILL_RESTART] = {"restart", HF_DRILL_PART_SERVICE},
    [HF_DRILL_RETRIES] = {"retries", HF_DRILL_PART_CLIENT},
    [HF_DRILL_CACHE_LOSE] = {"cache-lose", HF_DRILL_PART_SERVICE},
    [HF_DRILL_MANAGER_STOP] = {"manager-stop", HF_DRILL_PART_MANAGER},
    [HF_DRILL_MANAGER_RATE] = {"manager-rate", HF_DRILL_PART_MANAGER},
    [HF_DRILL_LAUNCH] = {"launch", HF_DRILL_PART_FLEET},
    [HF_DRILL_FAIL] = {"fail", HF_DRILL_PART_FLEET},
    [HF_DRILL_FAILOVER] = {"failover", HF_DRILL_PART_FLEET},
    [HF_DRILL_READY_RATE] = {"ready-rate", HF_DRILL_PART_FLEET},
    [HF_DRILL_CHECKERS] = {"checkers", HF_DRILL_PART_FLEET},
};

static const struct verb measures[HF_DRILL_MEASURES] = {
    [HF_DRILL_QUEUE_LENGTH] = {"queue-length", HF_DRILL_PART_SERVICE},
    [HF_DRILL_GOODPUT_SHARE] = {"goodput-share", HF_DRILL_PART_CLIENT},
    [HF_DRILL_WASTE_SHARE] = {"waste-share", HF_DRILL_PART_SERVICE},
    [HF_DRILL_HELD_SHARE] = {"held-share", HF_DRILL_PART_MANAGER},
    [HF_DRILL_SERVING_SHARE] = {"serving-share", HF_DRILL_PART_FLEET},
    [HF_DRILL_ANSWERED_SHARE] = {"answered-share", HF_DRILL_PART_NAME},
};

const char *hf_drill_preset_name(enum hf_drill_preset preset)
{
    return preset_names[preset];
}

const char *hf_drill_verb_name(enum hf_drill_verb verb)
{
    return verbs[verb].name;
}

enum hf_drill_part hf_drill_verb_part(enum hf_drill_verb verb)
{
    return verbs[verb].part;
}

const char *hf_drill_measure_name(enum hf_drill_measure measure)
{
    return measures[measure].name;
}

enum hf_drill_part hf_drill_measure_part(enum hf_drill_measure measure)
{
    return measures[measure].part;
}

void hf_drill_resolver_preset(enum hf_drill_preset preset, struct hf_drill_resolver *resolver)
{
    static const struct hf_drill_resolver presets[HF_DRILL_PRESETS] = {
        [HF_DRILL_BIND] = {.ttl_max_s = 7 * DAY_S,
                           .negative_max_s = 3 * 3600,
                           .failure_s = 1,
                           .timeout_us = 10 * SECOND_US},
        [HF_DRILL_UNBOUND] = {.ttl_max_s = DAY_S,
                              .negative_max_s = 3600,
                              .failure_s = 5,
                              .timeout_us = 10 * SECOND_US},
        [HF_DRILL_RESOLVED] = {.ttl_max_s = 7200,
                               .negative_max_s = 7200,
                               .failure_s = 10,
                               .timeout_us = 10 * SECOND_US},
        [HF_DRILL_GLIBC] = {.timeout_us = 30 * SECOND_US},
        [HF_DRILL_JVM] = {.ttl_min_s = 30,
                          .ttl_max_s = 30,
                          .negative_min_s = 10,
                          .negative_max_s = 10,
                          .failure_s = 10,
                          .timeout_us = 30 * SECOND_US},
    };
    const struct hf_drill_resolver *from = &presets[preset];
    resolver->ttl_min_s = from->ttl_min_s;
    resolver->ttl_max_s = from->ttl_max_s;
    resolver->negative_min_s = from->negative_min_s;
    resolver->negative_max_s = from->negative_max_s;
    resolver->failure_s = from->failure_s;
    resolver->stale_max_s = 0;
    resolver->stale_ttl_s = 30;
    resolver->timeout_us = from->timeout_us;
    resolver->latency_us = 0;
    resolver->instances = 1;
    resolver->upstream = HF_DRILL_NONE;
    resolver->warm = false;
}

void hf_drill_call_default(struct hf_drill_call *call, uint16_t service)
{
    *call = (struct hf_drill_call){
        .service = service,
        .name = HF_DRILL_NONE,
        .resolver = HF_DRILL_NONE,
        .instances = 1,
        .retry_share = 1,
        .backoff = HF_DRILL_BACKOFF_NONE,
        .backoff_factor = 2,
        .backoff_base_us = 100000,
        .backoff_cap_us = 20 * SECOND_US,
        .retry_rejected = true,
        .budget_window_us = 10 * SECOND_US,
        .throttle_window_us = 120 * SECOND_US,
        .breaker_open_us = 5 * SECOND_US,
        .cache_share = 1,
        .cache_filled = 1,
    };
}

void hf_drill_client_default(struct hf_drill_client *client, uint16_t service)
{
    *client = (struct hf_drill_client){.rate_per_s = 1};
    hf_drill_call_default(&client->call, service);
}

void hf_drill_service_default(struct hf_drill_service *service)
{
    *service = (struct hf_drill_service){
        .workers = 1,
        .time = {.kind = HF_DRILL_EXPONENTIAL, .mean_us = 10000},
        .queue_max = 1000,
        .codel_target_us = 5000,
        .codel_interval_us = 100000,
        .fleet = HF_DRILL_NONE,
    };
}

void hf_drill_manager_default(struct hf_drill_manager *manager, uint16_t service)
{
    *manager = (struct hf_drill_manager){.holders = 1000,
                                         .cells = 1,
                                         .period_us = UINT64_C(60) * SECOND_US,
                                         .lifetime_us = UINT64_C(600) * SECOND_US,
                                         .held_first = 1};
    hf_drill_call_default(&manager->renew, service);
    hf_drill_call_default(&manager->claim, service);
    manager->claim.retries_max = UINT32_MAX;
    manager->claim.backoff = HF_DRILL_BACKOFF_FULL_JITTER;
    manager->claim.backoff_base_us = SECOND_US;
}

void hf_drill_fleet_default(struct hf_drill_fleet *fleet)
{
    *fleet = (struct hf_drill_fleet){
        .nodes = 10,
        .zones = 1,
        .checkers = 10,
        .interval_us = 10 * SECOND_US,
        .timeout_us = 5 * SECOND_US,
        .check = {.kind = HF_DRILL_CONSTANT, .mean_us = 5000},
        .health = {.rise = 3, .fall = 2},
        .ready = {.kind = HF_DRILL_CONSTANT, .mean_us = SECOND_US},
        .removal_share = 1,
        .removal_window_us = 60 * SECOND_US,
        .manager = HF_DRILL_NONE,
    };
}

void hf_drill_scenario_default(struct hf_drill_scenario *scenario)
{
    *scenario = (struct hf_drill_scenario){
        .length_us = UINT64_C(3600) * SECOND_US, .bucket_us = 10 * SECOND_US, .good_share = 0.95};
}
