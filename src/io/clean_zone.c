/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tombstones of one zone: reads the guard and every fence, then removes those that still are
 * what the plan says and raises the floor above them, all in one UPDATE.
 */
#include <stdlib.h>
#include <string.h>

#include "io/address.h"
#include "io/clean_internal.h"
#include "io/target.h"

static void txt_add(struct hf_clean_txt *txt, const struct hf_dns_record *record)
{
    txt->count++;
    if (record->type != KNOT_RRTYPE_TXT || record->rdata_size > HF_FENCE_RDATA_MAX) {
        txt->count = 2; /* none that could be removed */
        return;
    }
    txt->bytes[0] = (uint8_t)(record->rdata_size >> 8);
    txt->bytes[1] = (uint8_t)record->rdata_size;
    memcpy(txt->bytes + 2, record->rdata, record->rdata_size);
    txt->size = record->rdata_size + 2U;
}

static void on_guard(void *context, const struct hf_dns_record *record)
{
    struct hf_clean_zone *zone = context;
    txt_add(&zone->guard, record);
}

static void on_fence(void *context, const struct hf_dns_record *record)
{
    struct hf_tombstone *tombstone = context;
    txt_add(&tombstone->fence, record);
}

static void finish(struct hf_clean_zone *zone, enum hf_result result, const char *why)
{
    if (result == HF_RESULT_UNKNOWN) {
        hf_clean_trouble(zone->clean, why != NULL ? why : "the server did not answer");
    }
    zone->count = 0;
    hf_clean_zone_done(zone->clean, result);
}

static void on_updated(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_clean_zone *zone = context;
    enum hf_result result = hf_target_result(outcome);
    if (result == HF_RESULT_OK) {
        zone->clean->cleaned += zone->count;
        hf_log(zone->clean->log, HF_LOG_INFO, "tombstones_removed", "zone=%s count=%u floor=%llu",
               zone->zone->name, zone->count, (unsigned long long)zone->floor_after);
    }
    finish(zone, result, outcome->why);
}

/* Keeps the tombstones whose fence still is theirs; the rest is for enactors or a later round. */
static uint32_t keep_tombstones(struct hf_clean_zone *zone)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < zone->count; i++) {
        struct hf_tombstone *tombstone = &zone->tombstones[i];
        struct hf_fence fence = {.kind = HF_FENCE_ABSENT};
        char writer[HF_WRITER_MAX + 1];
        if (tombstone->fence.count == 1) {
            hf_fence_parse(zone->clean->config->installation, tombstone->fence.bytes + 2,
                           tombstone->fence.size - 2, &fence, writer);
        }
        bool gone = fence.kind == HF_FENCE_ABSENT && tombstone->fence.count == 0;
        bool ours =
            fence.kind == HF_FENCE_OURS && fence.gen == tombstone->gen && fence.sum == HF_SUM_EMPTY;
        if (gone || ours) {
            zone->tombstones[count] = *tombstone;
            count++;
        }
    }
    zone->count = count;
    return count;
}

static int build(struct hf_clean_zone *zone, const struct hf_zone_guard *before,
                 struct hf_update **ret_update)
{
    struct hf_zone_guard after = *before;
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    for (uint32_t i = 0; i < zone->count; i++) {
        after.floor = zone->tombstones[i].gen > after.floor ? zone->tombstones[i].gen : after.floor;
    }
    zone->floor_after = after.floor;
    hf_zone_guard_format(zone->clean->config->installation, &after, rdata, &size);
    struct hf_txt_set guard = {.bytes = zone->guard.bytes, .size = zone->guard.size};
    struct hf_update *update =
        hf_update_begin(zone->zone->apex, &guard, rdata, size, zone->has_key ? &zone->key : NULL);
    int error = HF_OK;
    for (uint32_t i = 0; i < zone->count && error == HF_OK; i++) {
        const struct hf_tombstone *tombstone = &zone->tombstones[i];
        struct hf_update_change change = {
            .endpoint = tombstone->owner,
            .fence_before = {.bytes = tombstone->fence.bytes, .size = tombstone->fence.size},
            .fence_only = true};
        error = hf_update_add(update, &change);
    }
    *ret_update = update;
    return error;
}

static void write_zone(struct hf_clean_zone *zone)
{
    struct hf_zone_guard guard = {.kind = HF_FENCE_ABSENT};
    char owner[HF_OWNER_MAX + 1];
    if (zone->guard.count == 1) {
        hf_zone_guard_parse(zone->clean->config->installation, zone->clean->instance,
                            zone->guard.bytes + 2, zone->guard.size - 2, &guard, owner);
    }
    /* A zone that is frozen, refused or without a guard is left as it is. */
    if (guard.kind != HF_FENCE_OURS || guard.frozen || keep_tombstones(zone) == 0) {
        finish(zone, HF_RESULT_REFUSED, NULL);
        return;
    }
    struct hf_update *update;
    int error = build(zone, &guard, &update);
    if (error == HF_OK) {
        error = hf_dns_update(zone->dns, update, on_updated, zone);
    }
    hf_update_free(update);
    if (error != HF_OK) {
        finish(zone, HF_RESULT_UNKNOWN, hf_strerror(error));
    }
}

static void query_ended(struct hf_clean_zone *zone, const struct hf_dns_outcome *outcome)
{
    zone->failed = zone->failed || outcome->result != HF_OK ||
                   (outcome->rcode != KNOT_RCODE_NOERROR && outcome->rcode != KNOT_RCODE_NXDOMAIN);
    zone->open--;
    if (zone->open > 0) {
        return;
    }
    if (zone->failed || zone->clean->stopping) {
        finish(zone, HF_RESULT_UNKNOWN, outcome->why);
        return;
    }
    write_zone(zone);
}

static void on_guard_done(void *context, const struct hf_dns_outcome *outcome)
{
    query_ended(context, outcome);
}

static void on_fence_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_tombstone *tombstone = context;
    query_ended(tombstone->zone, outcome);
}

void hf_clean_zone_start(struct hf_clean_zone *zone)
{
    const struct hf_dns_outcome asked = {.result = HF_OK, .rcode = KNOT_RCODE_NOERROR};
    uint8_t owner[HF_NAME_MAX];
    memset(&zone->guard, 0, sizeof(zone->guard));
    zone->failed = hf_name_guard_of(zone->zone->apex, owner) != HF_OK;
    zone->open = 1; /* until all are asked */
    if (!zone->failed &&
        hf_dns_query(zone->dns, owner, KNOT_RRTYPE_TXT, on_guard, on_guard_done, zone) == HF_OK) {
        zone->open++;
    } else {
        zone->failed = true;
    }
    for (uint32_t i = 0; i < zone->count && !zone->failed; i++) {
        struct hf_tombstone *tombstone = &zone->tombstones[i];
        tombstone->zone = zone;
        memset(&tombstone->fence, 0, sizeof(tombstone->fence));
        if (hf_name_fence_of(tombstone->owner, owner) == HF_OK &&
            hf_dns_query(zone->dns, owner, KNOT_RRTYPE_TXT, on_fence, on_fence_done, tombstone) ==
                HF_OK) {
            zone->open++;
        } else {
            zone->failed = true;
        }
    }
    query_ended(zone, &asked);
}

int hf_clean_zone_init(struct hf_clean_zone *zone, struct hf_clean *clean, uint32_t number)
{
    zone->clean = clean;
    zone->zone = &clean->config->zones[number];
    const struct hf_config_target *target = &clean->config->targets[zone->zone->target];
    return hf_target_open(&clean->loop, target, zone->zone->apex, &zone->key, &zone->has_key,
                          &zone->dns);
}

void hf_clean_zone_release(struct hf_clean_zone *zone)
{
    if (zone->has_key) {
        hf_tsig_release(&zone->key);
    }
}
