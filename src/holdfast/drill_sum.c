/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_sum.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/quantity.h"

bool hf_drill_dependent_at(const struct hf_drill_scenario *scenario,
                           const struct hf_drill_result *result, uint32_t at,
                           struct hf_drill_dependent *ret_dependent)
{
    if (at < scenario->client_count) {
        *ret_dependent =
            (struct hf_drill_dependent){HF_DRILL_PART_CLIENT, at, scenario->clients[at].label,
                                        "operations that succeed", &result->client_sums[at].health};
        return true;
    }
    at -= scenario->client_count;
    if (at < scenario->manager_count) {
        *ret_dependent =
            (struct hf_drill_dependent){HF_DRILL_PART_MANAGER, at, scenario->managers[at].label,
                                        "leases held", &result->manager_sums[at].health};
        return true;
    }
    at -= scenario->manager_count;
    if (at < scenario->fleet_count) {
        *ret_dependent =
            (struct hf_drill_dependent){HF_DRILL_PART_FLEET, at, scenario->fleets[at].label,
                                        "capacity in service", &result->fleet_sums[at].health};
        return true;
    }
    return false;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct hf_drill_sum hf_drill_sum_of(const struct hf_drill_scenario *scenario,
                                    const struct hf_drill_result *result)
{
    struct hf_drill_sum sum = {.worst_after_share = 1};
    struct hf_drill_dependent dependent;
    double busy_us = 0, wasted_us = 0;
    for (uint32_t i = 0; i < scenario->name_count; i++) {
        sum.unanswered_us = larger(sum.unanswered_us, result->name_sums[i].unanswered_us);
    }
    for (uint32_t i = 0; hf_drill_dependent_at(scenario, result, i, &dependent); i++) {
        double after = dependent.health->worst_after_share;
        sum.degraded_us = larger(sum.degraded_us, dependent.health->degraded_us);
        sum.recover_us = larger(sum.recover_us, dependent.health->recover_us);
        sum.worst_after_share = after < sum.worst_after_share ? after : sum.worst_after_share;
    }
    for (uint32_t i = 0; i < scenario->client_count; i++) {
        sum.retries += result->client_sums[i].retries;
    }
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        sum.queue_peak = larger(sum.queue_peak, result->service_sums[i].queue_peak);
        busy_us += result->service_sums[i].busy_us;
        wasted_us += result->service_sums[i].wasted_us;
    }
    for (uint32_t i = 0; i < scenario->fleet_count; i++) {
        double removed = result->fleet_sums[i].removed_worst_share;
        sum.removed_worst_share =
            removed > sum.removed_worst_share ? removed : sum.removed_worst_share;
    }
    sum.wasted_share = busy_us > 0 ? wasted_us / busy_us : 0;
    return sum;
}

static double seconds_of(uint64_t time_us)
{
    return time_us == HF_DRILL_NEVER ? INFINITY : (double)time_us / 1e6;
}

static double of_health(const struct hf_drill_health_summary *health, enum hf_drill_judged judged)
{
    switch (judged) {
    case HF_JUDGED_RECOVER:
        return seconds_of(health->recover_us);
    case HF_JUDGED_DEGRADED:
        return seconds_of(health->degraded_us);
    case HF_JUDGED_WORST:
        return health->worst_share;
    case HF_JUDGED_WORST_AFTER:
        return health->worst_after_share;
    default:
        return health->end_share;
    }
}

/* The kind of part that is judged; NONE: any dependent. */
static enum hf_drill_part part_of(enum hf_drill_judged judged)
{
    switch (judged) {
    case HF_JUDGED_UNANSWERED:
        return HF_DRILL_PART_NAME;
    case HF_JUDGED_QUEUE_PEAK:
    case HF_JUDGED_WASTED:
        return HF_DRILL_PART_SERVICE;
    case HF_JUDGED_AMPLIFICATION:
        return HF_DRILL_PART_CLIENT;
    case HF_JUDGED_REMOVED:
        return HF_DRILL_PART_FLEET;
    default:
        return HF_DRILL_PART_NONE;
    }
}

static double of_part(const struct hf_drill_result *result, enum hf_drill_judged judged,
                      uint32_t index)
{
    const struct hf_drill_service_summary *service = &result->service_sums[index];
    switch (judged) {
    case HF_JUDGED_UNANSWERED:
        return seconds_of(result->name_sums[index].unanswered_us);
    case HF_JUDGED_QUEUE_PEAK:
        return (double)service->queue_peak;
    case HF_JUDGED_WASTED:
        return service->busy_us > 0 ? service->wasted_us / service->busy_us : 0;
    case HF_JUDGED_AMPLIFICATION:
        return result->client_sums[index].amplification;
    default:
        return result->fleet_sums[index].removed_worst_share;
    }
}

/* Of the two, the one that is worse to have. */
static double worse(enum hf_drill_judged judged, double a, double b)
{
    bool low_is_bad =
        judged == HF_JUDGED_WORST || judged == HF_JUDGED_WORST_AFTER || judged == HF_JUDGED_END;
    return (a < b) == low_is_bad ? a : b;
}

bool hf_drill_judge(const struct hf_drill_scenario *scenario, const struct hf_drill_result *result,
                    enum hf_drill_judged judged, const char *of, double *ret_value)
{
    enum hf_drill_part part = part_of(judged);
    struct hf_drill_dependent dependent;
    bool found = false;
    for (uint32_t i = 0;; i++) {
        bool is_there = part == HF_DRILL_PART_NONE
                            ? hf_drill_dependent_at(scenario, result, i, &dependent)
                            : hf_drill_label(scenario, part, i)[0] != 0;
        if (!is_there) {
            return found;
        }
        const char *label =
            part == HF_DRILL_PART_NONE ? dependent.label : hf_drill_label(scenario, part, i);
        if (of[0] != 0 && strcmp(of, label) != 0) {
            continue;
        }
        double value = part == HF_DRILL_PART_NONE ? of_health(dependent.health, judged)
                                                  : of_part(result, judged, i);
        *ret_value = found ? worse(judged, *ret_value, value) : value;
        found = true;
    }
}

const struct hf_drill_curve_info *hf_drill_curve_info(enum hf_drill_curve_kind kind)
{
    static const struct hf_drill_curve_info infos[HF_DRILL_CURVES] = {
        [HF_DRILL_CURVE_ANSWERS] = {"Lookups of %s that got addresses", "answers", "%",
                                    HF_DRILL_PART_NAME, true},
        [HF_DRILL_CURVE_GOODPUT] = {"Operations of %s that succeed", "successes", "%",
                                    HF_DRILL_PART_CLIENT, true},
        [HF_DRILL_CURVE_ATTEMPTS] = {"Attempts of %s", NULL, "/s", HF_DRILL_PART_CLIENT, false},
        [HF_DRILL_CURVE_RETRIES] = {"Retries of %s", NULL, "/s", HF_DRILL_PART_CLIENT, false},
        [HF_DRILL_CURVE_QUEUE] = {"Queue of %s", "queue", "", HF_DRILL_PART_SERVICE, false},
        [HF_DRILL_CURVE_DONE] = {"Done by %s and wanted", NULL, "/s", HF_DRILL_PART_SERVICE, false},
        [HF_DRILL_CURVE_WASTED] = {"Done by %s for nobody", NULL, "/s", HF_DRILL_PART_SERVICE,
                                   false},
        [HF_DRILL_CURVE_HELD] = {"Leases held, %s", "leases", "%", HF_DRILL_PART_MANAGER, true},
        [HF_DRILL_CURVE_CLAIMS] = {"Attempts to claim, %s", NULL, "/s", HF_DRILL_PART_MANAGER,
                                   false},
        [HF_DRILL_CURVE_SERVING] = {"Nodes of %s in service", "capacity", "%", HF_DRILL_PART_FLEET,
                                    true},
        [HF_DRILL_CURVE_REMOVED] = {"Nodes of %s that work and are out", NULL, "%",
                                    HF_DRILL_PART_FLEET, true},
    };
    return &infos[kind];
}

static double share_of(double part, double whole)
{
    return whole > 0 ? part / whole : -1;
}

static double of_client(const struct hf_drill_client_bucket *bucket, enum hf_drill_curve_kind kind,
                        double seconds)
{
    if (kind == HF_DRILL_CURVE_GOODPUT) {
        return share_of(bucket->succeeded, (double)bucket->succeeded + bucket->failed);
    }
    return (kind == HF_DRILL_CURVE_ATTEMPTS ? bucket->attempts : bucket->retries) / seconds;
}

static double of_service(const struct hf_drill_service_bucket *bucket,
                         enum hf_drill_curve_kind kind, double seconds)
{
    if (kind == HF_DRILL_CURVE_QUEUE) {
        return bucket->queue_peak;
    }
    return (kind == HF_DRILL_CURVE_DONE ? bucket->good : bucket->wasted) / seconds;
}

double hf_drill_curve_at(const struct hf_drill_scenario *scenario,
                         const struct hf_drill_result *result, enum hf_drill_curve_kind kind,
                         uint32_t part, uint32_t bucket)
{
    double seconds = (double)scenario->bucket_us / 1e6;
    switch (hf_drill_curve_info(kind)->part) {
    case HF_DRILL_PART_NAME: {
        const struct hf_drill_name_bucket *name = &result->names[part][bucket];
        double got = (double)name->right + name->stale;
        return share_of(got, got + name->empty + name->failed);
    }
    case HF_DRILL_PART_CLIENT:
        return of_client(&result->clients[part][bucket], kind, seconds);
    case HF_DRILL_PART_SERVICE:
        return of_service(&result->services[part][bucket], kind, seconds);
    case HF_DRILL_PART_MANAGER: {
        const struct hf_drill_manager_bucket *manager = &result->managers[part][bucket];
        return kind == HF_DRILL_CURVE_HELD
                   ? share_of(manager->held_end, scenario->managers[part].holders)
                   : manager->claims / seconds;
    }
    case HF_DRILL_PART_FLEET: {
        const struct hf_drill_fleet_bucket *fleet = &result->fleets[part][bucket];
        return share_of(kind == HF_DRILL_CURVE_SERVING ? fleet->serving_end : fleet->wrongly_out,
                        scenario->fleets[part].nodes);
    }
    default:
        return -1;
    }
}

void hf_drill_time_text(uint64_t time_us, char ret_text[HF_DRILL_TIME_TEXT_MAX])
{
    if (time_us == HF_DRILL_NEVER) {
        (void)snprintf(ret_text, HF_DRILL_TIME_TEXT_MAX, "never");
        return;
    }
    char text[HF_QUANTITY_TEXT_MAX];
    hf_quantity_text((double)time_us / 1e6, HF_QUANTITY_DURATION, text);
    (void)snprintf(ret_text, HF_DRILL_TIME_TEXT_MAX, "%s", text);
}

void hf_drill_moment_text(uint64_t at_us, bool has_clock, uint32_t clock_s,
                          char ret_text[HF_DRILL_TIME_TEXT_MAX])
{
    if (!has_clock) {
        hf_drill_time_text(at_us, ret_text);
        return;
    }
    uint64_t seconds = (clock_s + at_us / 1000000) % 86400;
    (void)snprintf(ret_text, HF_DRILL_TIME_TEXT_MAX, "%02" PRIu64 ":%02" PRIu64, seconds / 3600,
                   seconds / 60 % 60);
}
