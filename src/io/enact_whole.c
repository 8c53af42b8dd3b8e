/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole zone, record by record, becomes what the machine is told of each lane.
 *
 * Fence and records of an endpoint lie at different owners, so what is seen of each lane is
 * gathered in an array and told at the end. The records of one owner come together in every
 * transfer that was seen; where they do not, the lane's records stay unknown.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum { TRIM_LANES = 65536 };

struct whole_lane {
    struct hf_fence fence;
    uint64_t sum;
    uint8_t records; /* enum hf_records_kind */
    bool seen, flushed;
};

struct hf_enact_whole {
    struct hf_enact_zone *zone;
    uint32_t op;
    struct whole_lane *lanes;
    uint32_t lane_count;
    struct hf_enact_txt guard;
    struct hf_enact_txt fence; /* of the owner in fence_owner */
    uint8_t fence_owner[HF_NAME_MAX];
    bool has_fence;
    uint8_t owner[HF_NAME_MAX]; /* whose records are being gathered */
    uint32_t lane;              /* of owner, or UINT32_MAX */
    uint8_t a[HF_RECORDS_MAX * 4];
    uint8_t aaaa[HF_RECORDS_MAX * 16];
    uint16_t a_count, aaaa_count;
    uint32_t ttl_s;
    bool other;
};

static uint32_t lane_of(const struct hf_enact_whole *whole, const uint8_t *endpoint)
{
    uint32_t lane = hf_enact_lane_of(whole->zone, endpoint);
    return lane < whole->lane_count ? lane : UINT32_MAX; /* one that was added since */
}

/* --- fences --- */

static void flush_fence(struct hf_enact_whole *whole)
{
    if (!whole->has_fence) {
        return;
    }
    whole->has_fence = false;
    const uint8_t *endpoint;
    if (hf_name_endpoint_of(whole->fence_owner, &endpoint) != HF_OK) {
        return;
    }
    uint32_t lane = lane_of(whole, endpoint);
    struct hf_enact_zone *zone = whole->zone;
    if (lane != UINT32_MAX) {
        hf_enact_fence_of(zone, lane, &whole->fence, &whole->lanes[lane].fence);
        whole->lanes[lane].seen = true;
        return;
    }
    struct hf_fence fence = {.kind = HF_FENCE_DAMAGED};
    char writer[HF_WRITER_MAX + 1];
    if (whole->fence.count == 1 && !whole->fence.overflow) {
        hf_fence_parse(zone->enact->config->installation, whole->fence.bytes + 2,
                       whole->fence.size - 2, &fence, writer);
    }
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_STRAY,
                                     .op = whole->op,
                                     .gen = fence.gen,
                                     .foreign = fence.kind != HF_FENCE_OURS};
    hf_enact_feed(zone, &event);
}

static void note_fence(struct hf_enact_whole *whole, const struct hf_dns_record *record)
{
    if (!whole->has_fence || !hf_name_equal(whole->fence_owner, record->owner)) {
        flush_fence(whole);
        whole->has_fence = true;
        memcpy(whole->fence_owner, record->owner, hf_name_size(record->owner));
        whole->fence.size = 0;
        whole->fence.count = 0;
        whole->fence.overflow = false;
    }
    hf_enact_txt_add(&whole->fence, record->rdata, record->rdata_size);
}

/* --- records --- */

static void flush_records(struct hf_enact_whole *whole)
{
    if (whole->lane == UINT32_MAX) {
        return;
    }
    struct whole_lane *lane = &whole->lanes[whole->lane];
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    struct hf_records records = {.bytes = bytes, .ttl_s = whole->ttl_s};
    records.a_count = hf_records_sort(whole->a, whole->a_count, 4);
    memcpy(bytes, whole->a, records.a_count * 4U);
    records.aaaa_count = hf_records_sort(whole->aaaa, whole->aaaa_count, 16);
    memcpy(bytes + records.a_count * 4U, whole->aaaa, records.aaaa_count * 16U);
    lane->records = whole->other ? HF_RECORDS_OTHER : HF_RECORDS_SUM;
    lane->sum = whole->other ? 0 : hf_records_sum(whole->owner, &records);
    if (lane->flushed) {
        lane->records = HF_RECORDS_UNKNOWN; /* they came in pieces */
    }
    lane->seen = true;
    lane->flushed = true;
    whole->lane = UINT32_MAX;
}

static void note_address(struct hf_enact_whole *whole, const struct hf_dns_record *record)
{
    bool first = whole->a_count + whole->aaaa_count == 0;
    whole->other = whole->other || (!first && record->ttl_s != whole->ttl_s);
    whole->ttl_s = record->ttl_s;
    if (record->type == KNOT_RRTYPE_A && record->rdata_size == 4 &&
        whole->a_count < HF_RECORDS_MAX) {
        memcpy(whole->a + whole->a_count++ * 4U, record->rdata, 4);
    } else if (record->type == KNOT_RRTYPE_AAAA && record->rdata_size == 16 &&
               whole->aaaa_count < HF_RECORDS_MAX) {
        memcpy(whole->aaaa + whole->aaaa_count++ * 16U, record->rdata, 16);
    } else {
        whole->other = true;
    }
}

static void note_record(struct hf_enact_whole *whole, const struct hf_dns_record *record)
{
    if (whole->owner[0] == 0 || !hf_name_equal(whole->owner, record->owner)) {
        flush_records(whole);
        memcpy(whole->owner, record->owner, hf_name_size(record->owner));
        whole->lane = lane_of(whole, record->owner);
        whole->a_count = 0;
        whole->aaaa_count = 0;
        whole->other = false;
    }
    if (whole->lane != UINT32_MAX) {
        note_address(whole, record);
    }
}

void hf_enact_whole_add(struct hf_enact_whole *whole, const struct hf_dns_record *record)
{
    const uint8_t *endpoint;
    switch (record->type) {
    case KNOT_RRTYPE_TXT:
        if (hf_name_equal(record->owner, whole->zone->guard_owner)) {
            hf_enact_txt_add(&whole->guard, record->rdata, record->rdata_size);
        } else if (hf_name_endpoint_of(record->owner, &endpoint) == HF_OK) {
            note_fence(whole, record);
        }
        break;
    case KNOT_RRTYPE_A:
    case KNOT_RRTYPE_AAAA:
    case KNOT_RRTYPE_CNAME:
        note_record(whole, record);
        break;
    default:
        break;
    }
}

/* --- life --- */

struct hf_enact_whole *hf_enact_whole_new(struct hf_enact_zone *zone, uint32_t op)
{
    struct hf_enact_whole *whole = calloc(1, sizeof(*whole));
    if (whole == NULL) {
        abort();
    }
    whole->zone = zone;
    whole->op = op;
    whole->lane = UINT32_MAX;
    whole->lane_count = zone->machine.lane_count;
    whole->lanes = calloc(whole->lane_count + 1, sizeof(*whole->lanes));
    if (whole->lanes == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < whole->lane_count; i++) {
        whole->lanes[i].fence.kind = HF_FENCE_ABSENT;
        whole->lanes[i].records = HF_RECORDS_NONE;
        whole->lanes[i].sum = HF_SUM_EMPTY;
    }
    return whole;
}

void hf_enact_whole_free(struct hf_enact_whole *whole)
{
    if (whole != NULL) {
        bool is_large = whole->lane_count >= TRIM_LANES;
        free(whole->lanes);
        free(whole);
        if (is_large) {
            (void)malloc_trim(0); /* what the transfer needed is not needed for a long time */
        }
    }
}

void hf_enact_whole_tell(struct hf_enact_whole *whole)
{
    flush_fence(whole);
    flush_records(whole);
    struct hf_enact_zone *zone = whole->zone;
    struct hf_enactor_event guard = {.type = HF_ENACTOR_EV_GUARD, .op = whole->op};
    hf_enact_guard_of(zone, &whole->guard, &guard.guard);
    hf_enact_guard_note(zone, &guard.guard);
    hf_enact_feed(zone, &guard);
    for (uint32_t i = 0; i < whole->lane_count; i++) {
        const struct whole_lane *lane = &whole->lanes[i];
        if (!lane->seen) {
            continue;
        }
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_SEEN,
                                         .op = whole->op,
                                         .lane = i,
                                         .fence = lane->fence,
                                         .records = lane->records,
                                         .sum = lane->sum};
        hf_enact_feed(zone, &event);
        hf_enact_settle_past(zone, i);
    }
}
