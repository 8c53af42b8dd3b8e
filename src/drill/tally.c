/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buckets while the drill runs; what they come to in the end is in result.c. */
#include "drill/internal.h"

enum { FINE = 16, FINE_BITS = 4 };

/* 16 classes for each power of two; below 16 us one for each. */
unsigned hf_tally_class(uint64_t latency_us)
{
    if (latency_us < FINE) {
        return (unsigned)latency_us;
    }
    unsigned power = 63U - (unsigned)__builtin_clzll(latency_us);
    unsigned class_number = (power - FINE_BITS + 1) * FINE +
                            (unsigned)((latency_us >> (power - FINE_BITS)) & (FINE - 1));
    return class_number < HF_DRILL_LATENCIES ? class_number : HF_DRILL_LATENCIES - 1;
}

/* The middle of a class. */
uint64_t hf_tally_class_us(unsigned class_number)
{
    if (class_number < FINE) {
        return class_number;
    }
    unsigned shift = class_number / FINE - 1;
    uint64_t low_us = (uint64_t)(FINE + class_number % FINE) << shift;
    return low_us + ((UINT64_C(1) << shift) >> 1);
}

static void write_levels(struct hf_drill *drill)
{
    const struct hf_drill_scenario *scenario = &drill->scenario;
    uint32_t bucket = drill->bucket;
    for (uint16_t i = 0; i < scenario->service_count; i++) {
        const struct hf_drill_service_now *service = &drill->services[i];
        service->buckets[bucket].queue_end = service->length;
        service->buckets[bucket].in_reach =
            drill->now_us < service->down_until_us ? 0 : service->workers;
    }
    for (uint16_t i = 0; i < scenario->manager_count; i++) {
        drill->managers[i].buckets[bucket].held_end = drill->managers[i].held;
    }
    for (uint16_t i = 0; i < scenario->fleet_count; i++) {
        const struct hf_fleet_now *fleet = &drill->fleets[i];
        fleet->buckets[bucket].serving_end = fleet->serving;
        fleet->buckets[bucket].wrongly_out = fleet->good - fleet->serving_good;
        fleet->buckets[bucket].wrongly_in = fleet->serving - fleet->serving_good;
        fleet->buckets[bucket].pending = fleet->pending;
    }
}

/* From now on summaries count. */
static void begin_measuring(struct hf_drill *drill)
{
    drill->is_measuring = true;
    for (uint16_t i = 0; i < drill->scenario.service_count; i++) {
        struct hf_drill_service_now *service = &drill->services[i];
        hf_service_account(drill, i);
        service->system_area_us = service->busy_us = service->wasted_us = 0;
        service->queue_peak = service->length;
        service->queue_peak_at_us = drill->now_us;
    }
    for (uint16_t i = 0; i < drill->scenario.fleet_count; i++) {
        drill->fleets[i].changed_us = drill->now_us;
    }
}

void hf_tally_roll(struct hf_drill *drill)
{
    write_levels(drill);
    while (drill->now_us >= drill->bucket_end_us && drill->bucket + 1 < drill->bucket_count) {
        uint64_t begun_us = drill->bucket_end_us;
        drill->bucket++;
        drill->bucket_end_us += drill->scenario.bucket_us;
        write_levels(drill);
        for (uint16_t i = 0; i < drill->scenario.service_count; i++) {
            drill->services[i].buckets[drill->bucket].queue_peak = drill->services[i].length;
        }
        if (!drill->is_measuring && begun_us >= drill->scenario.measure_from_us) {
            begin_measuring(drill);
        }
    }
}
