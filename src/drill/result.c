/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drill/result.h"

#include <string.h>

#include "drill/internal.h"

/* The first bucket that summaries count. */
static uint32_t first_bucket(const struct hf_drill *drill)
{
    uint64_t bucket_us = drill->scenario.bucket_us;
    return (uint32_t)((drill->scenario.measure_from_us + bucket_us - 1) / bucket_us);
}

static uint32_t bucket_end(const struct hf_drill *drill)
{
    return drill->now_us == 0 ? 0 : drill->bucket + 1;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* What share of what it should be a dependent had in a bucket; false: nothing to judge. */
static bool share_in(const struct hf_drill *drill, enum hf_drill_part part, uint16_t number,
                     uint32_t bucket, double *ret_share)
{
    if (part == HF_DRILL_PART_MANAGER) {
        *ret_share = ratio(drill->managers[number].buckets[bucket].held_end,
                           drill->scenario.managers[number].holders);
        return true;
    }
    if (part == HF_DRILL_PART_FLEET) {
        const struct hf_drill_fleet_bucket *fleet = &drill->fleets[number].buckets[bucket];
        *ret_share =
            ratio(fleet->serving_end - fleet->wrongly_in, drill->scenario.fleets[number].nodes);
        return true;
    }
    const struct hf_drill_client_bucket *client = &drill->clients[number].buckets[bucket];
    double ended = (double)client->succeeded + client->failed;
    *ret_share = ratio(client->succeeded, ended);
    return ended > 0 || client->offered > 0;
}

static struct hf_drill_health_summary judge(const struct hf_drill *drill, enum hf_drill_part part,
                                            uint16_t number)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    struct hf_drill_health_summary health = {
        .worst_share = 1, .worst_after_share = 1, .end_share = 1};
    uint32_t end = bucket_end(drill), last_bad = 0;
    bool is_bad_at_end = false;
    for (uint32_t i = first_bucket(drill); i < end; i++) {
        double share;
        uint64_t begun_us = i * scenario->bucket_us;
        bool is_whole = begun_us + scenario->bucket_us <= drill->now_us;
        if (!share_in(drill, part, number, i, &share) || !is_whole) {
            continue;
        }
        bool is_bad = share < scenario->good_share, is_after = begun_us >= scenario->repaired_us;
        health.degraded_us += is_bad ? scenario->bucket_us : 0;
        health.worst_share = share < health.worst_share ? share : health.worst_share;
        if (is_after && share < health.worst_after_share) {
            health.worst_after_share = share;
        }
        health.end_share = share;
        is_bad_at_end = is_bad;
        last_bad = is_bad ? i + 1 : last_bad;
    }
    uint64_t good_us = last_bad * scenario->bucket_us;
    if (is_bad_at_end) {
        health.recover_us = HF_DRILL_NEVER;
    } else {
        health.recover_us = good_us > scenario->repaired_us ? good_us - scenario->repaired_us : 0;
    }
    return health;
}

static void sum_name(const struct hf_drill *drill, uint16_t number,
                     struct hf_drill_name_summary *sum)
{
    const struct hf_drill_name_now *name = &drill->names[number];
    sum->wrong_us = name->wrong_us;
    if (name->wrong_since_us != HF_DRILL_NEVER) {
        sum->wrong_us += drill->now_us - name->wrong_since_us;
    }
    for (uint32_t i = first_bucket(drill); i < bucket_end(drill); i++) {
        const struct hf_drill_name_bucket *bucket = &name->buckets[i];
        uint64_t nothing = (uint64_t)bucket->empty + bucket->failed;
        bool is_unanswered = nothing > (uint64_t)bucket->right + bucket->stale;
        sum->unanswered_us += is_unanswered ? drill->scenario.bucket_us : 0;
        sum->right += bucket->right;
        sum->stale += bucket->stale;
        sum->empty += bucket->empty;
        sum->failed += bucket->failed;
        sum->asked += bucket->asked;
    }
}

static uint64_t quantile_us(const struct hf_drill_client_now *client, uint64_t count, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)count), seen = 0;
    for (unsigned i = 0; count > 0 && i < HF_DRILL_LATENCIES; i++) {
        seen += client->latencies[i];
        if (seen > wanted) {
            return hf_tally_class_us(i);
        }
    }
    return 0;
}

static void sum_client(const struct hf_drill *drill, uint16_t number,
                       struct hf_drill_client_summary *sum)
{
    const struct hf_drill_client_now *client = &drill->clients[number];
    double latency_us = 0;
    sum->health = judge(drill, HF_DRILL_PART_CLIENT, number);
    for (uint32_t i = first_bucket(drill); i < bucket_end(drill); i++) {
        const struct hf_drill_client_bucket *bucket = &client->buckets[i];
        sum->offered += bucket->offered;
        sum->succeeded += bucket->succeeded;
        sum->failed += bucket->failed;
        sum->attempts += bucket->attempts;
        sum->retries += bucket->retries;
        sum->hedges += bucket->hedges;
        sum->timeouts += bucket->timeouts;
        sum->refused += bucket->refused;
        sum->suppressed += bucket->suppressed;
        latency_us += (double)bucket->latency_sum_us;
        if (bucket->latency_max_us > sum->latency_max_us) {
            sum->latency_max_us = bucket->latency_max_us;
        }
    }
    sum->tail = client->tail;
    sum->amplification = ratio((double)sum->attempts, (double)sum->offered);
    sum->latency_mean_us = ratio(latency_us, (double)sum->succeeded);
    sum->latency_p50_us = quantile_us(client, sum->succeeded, 0.5);
    sum->latency_p99_us = quantile_us(client, sum->succeeded, 0.99);
    sum->latency_p999_us = quantile_us(client, sum->succeeded, 0.999);
}

static void sum_service(const struct hf_drill *drill, uint16_t number,
                        struct hf_drill_service_summary *sum)
{
    const struct hf_drill_service_now *service = &drill->services[number];
    for (uint32_t i = first_bucket(drill); i < bucket_end(drill); i++) {
        const struct hf_drill_service_bucket *bucket = &service->buckets[i];
        sum->arrived += bucket->arrived;
        sum->good += bucket->good;
        sum->wasted += bucket->wasted;
        sum->refused += bucket->refused;
        sum->dropped += bucket->dropped;
    }
    double passed_us = (double)(drill->now_us - service->changed_us);
    double measured_us = (double)drill->now_us - (double)drill->scenario.measure_from_us;
    double in_system = (double)service->busy + service->length;
    sum->queue_peak = service->queue_peak;
    sum->queue_peak_at_us = service->queue_peak_at_us;
    sum->busy_us = service->busy_us + passed_us * service->busy;
    sum->wasted_us = service->wasted_us;
    sum->system_mean = ratio(service->system_area_us + passed_us * in_system, measured_us);
    sum->wait_mean_us = ratio(service->wait_us, (double)service->waits);
    sum->wait_max_us = service->wait_max_us;
}

static void sum_manager(const struct hf_drill *drill, uint16_t number,
                        struct hf_drill_manager_summary *sum)
{
    sum->health = judge(drill, HF_DRILL_PART_MANAGER, number);
    sum->held_min = drill->scenario.managers[number].holders;
    for (uint32_t i = first_bucket(drill); i < bucket_end(drill); i++) {
        const struct hf_drill_manager_bucket *bucket = &drill->managers[number].buckets[i];
        sum->lapsed += bucket->lapsed;
        sum->granted += bucket->granted;
        sum->claims += bucket->claims;
        sum->overtaken += bucket->overtaken;
        sum->held_min = bucket->held_end < sum->held_min ? bucket->held_end : sum->held_min;
    }
    bool is_held = sum->health.recover_us != HF_DRILL_NEVER;
    sum->all_held_us =
        is_held ? drill->scenario.repaired_us + sum->health.recover_us : HF_DRILL_NEVER;
}

static void sum_fleet(const struct hf_drill *drill, uint16_t number,
                      struct hf_drill_fleet_summary *sum)
{
    const struct hf_fleet_now *fleet = &drill->fleets[number];
    sum->health = judge(drill, HF_DRILL_PART_FLEET, number);
    for (uint32_t i = first_bucket(drill); i < bucket_end(drill); i++) {
        const struct hf_drill_fleet_bucket *bucket = &fleet->buckets[i];
        sum->left += bucket->left;
        sum->returned += bucket->returned;
        sum->held += bucket->held;
        sum->late += bucket->late;
    }
    sum->checks = fleet->checks;
    sum->failovers = fleet->failovers;
    double out = ratio(fleet->good - fleet->serving_good, drill->scenario.fleets[number].nodes);
    double area_us = fleet->removed_area_us + out * (double)(drill->now_us - fleet->changed_us);
    sum->removed_worst_share = out > fleet->removed_worst ? out : fleet->removed_worst;
    sum->removed_mean_share =
        ratio(area_us, (double)drill->now_us - (double)drill->scenario.measure_from_us);
}

/* Not for secrets: it only has to tell two runs apart. */
static uint64_t mix(uint64_t digest, const void *octets, size_t size)
{
    const unsigned char *at = octets;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;
        memcpy(&word, at + i, sizeof word);
        digest = (digest ^ word) * UINT64_C(0x100000001b3);
        digest ^= digest >> 29;
    }
    return digest;
}

static uint64_t digest_of(const struct hf_drill *drill, const struct hf_drill_result *result)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    size_t buckets = result->bucket_count;
    uint64_t digest = mix(UINT64_C(0xcbf29ce484222325), &result->now_us, sizeof result->now_us);
    digest = mix(digest, &result->events, sizeof result->events);
    for (uint16_t i = 0; i < scenario->name_count; i++) {
        digest = mix(digest, result->names[i], buckets * sizeof *result->names[i]);
    }
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        digest = mix(digest, result->clients[i], buckets * sizeof *result->clients[i]);
    }
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        digest = mix(digest, result->services[i], buckets * sizeof *result->services[i]);
        digest = mix(digest, &result->service_sums[i].system_mean, sizeof(double));
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        digest = mix(digest, result->managers[i], buckets * sizeof *result->managers[i]);
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        digest = mix(digest, result->fleets[i], buckets * sizeof *result->fleets[i]);
    }
    return digest;
}

void hf_drill_result(const struct hf_drill *drill, struct hf_drill_result *ret_result)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    struct hf_drill_result *result = ret_result;
    *result = (struct hf_drill_result){.now_us = drill->now_us,
                                       .events = drill->done,
                                       .bucket_count = bucket_end(drill),
                                       .note_count = drill->note_count,
                                       .notes = drill->notes};
    for (uint16_t i = 0; i < scenario->name_count; i++) {
        result->names[i] = drill->names[i].buckets;
        sum_name(drill, i, &result->name_sums[i]);
    }
    for (uint16_t i = 0; i < scenario->client_count; i++) {
        result->clients[i] = drill->clients[i].buckets;
        sum_client(drill, i, &result->client_sums[i]);
    }
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        result->services[i] = drill->services[i].buckets;
        sum_service(drill, i, &result->service_sums[i]);
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        result->managers[i] = drill->managers[i].buckets;
        sum_manager(drill, i, &result->manager_sums[i]);
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        result->fleets[i] = drill->fleets[i].buckets;
        sum_fleet(drill, i, &result->fleet_sums[i]);
    }
    result->digest = digest_of(drill, result);
}
