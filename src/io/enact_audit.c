/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ_ZONE: the whole zone by AXFR. The serial is asked for first: a zone that has not changed
 * since the last transfer is not transferred again, but for every tenth time, because not every
 * server changes the serial for every edit.
 *
 * Fence and records of an endpoint lie at different owners, so what is seen of each lane is
 * gathered in an array and told to the machine at the end. The records of one owner come together
 * in every transfer that was seen; where they do not, the lane's records stay unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

struct audit_lane {
    struct hf_fence fence;
    uint64_t sum;
    uint8_t records; /* enum hf_records_kind */
    bool seen, flushed;
};

struct hf_enact_audit {
    struct hf_enact_zone *zone;
    uint32_t op;
    struct audit_lane *lanes;
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
    bool whole; /* whatever the serial says */
    uint32_t serial;
    bool serial_known;
};

static uint32_t lane_of(const struct hf_enact_audit *audit, const uint8_t *endpoint)
{
    const struct hf_enact *enact = audit->zone->enact;
    uint32_t row = hf_plan_find(&enact->plan, endpoint);
    if (row == UINT32_MAX || row >= enact->place_count) {
        return UINT32_MAX;
    }
    const struct hf_enact_place *place = &enact->places[row];
    bool here = place->zone != UINT32_MAX && &enact->zones[place->zone] == audit->zone;
    return here && place->lane < audit->lane_count ? place->lane : UINT32_MAX;
}

/* --- fences --- */

static void flush_fence(struct hf_enact_audit *audit)
{
    if (!audit->has_fence) {
        return;
    }
    audit->has_fence = false;
    const uint8_t *endpoint;
    if (hf_name_endpoint_of(audit->fence_owner, &endpoint) != HF_OK) {
        return;
    }
    uint32_t lane = lane_of(audit, endpoint);
    struct hf_enact_zone *zone = audit->zone;
    if (lane != UINT32_MAX) {
        hf_enact_fence_of(zone, lane, &audit->fence, &audit->lanes[lane].fence);
        audit->lanes[lane].seen = true;
        return;
    }
    struct hf_fence fence = {.kind = HF_FENCE_DAMAGED};
    char writer[HF_WRITER_MAX + 1];
    if (audit->fence.count == 1 && !audit->fence.overflow) {
        hf_fence_parse(zone->enact->config->installation, audit->fence.bytes + 2,
                       audit->fence.size - 2, &fence, writer);
    }
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_STRAY,
                                     .op = audit->op,
                                     .gen = fence.gen,
                                     .foreign = fence.kind != HF_FENCE_OURS};
    hf_enact_feed(zone, &event);
}

static void note_fence(struct hf_enact_audit *audit, const struct hf_dns_record *record)
{
    if (!audit->has_fence || !hf_name_equal(audit->fence_owner, record->owner)) {
        flush_fence(audit);
        audit->has_fence = true;
        memcpy(audit->fence_owner, record->owner, hf_name_size(record->owner));
        audit->fence.size = 0;
        audit->fence.count = 0;
        audit->fence.overflow = false;
    }
    hf_enact_txt_add(&audit->fence, record->rdata, record->rdata_size);
}

/* --- records --- */

static void flush_records(struct hf_enact_audit *audit)
{
    if (audit->lane == UINT32_MAX) {
        return;
    }
    struct audit_lane *lane = &audit->lanes[audit->lane];
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    struct hf_records records = {.bytes = bytes, .ttl_s = audit->ttl_s};
    records.a_count = hf_records_sort(audit->a, audit->a_count, 4);
    memcpy(bytes, audit->a, records.a_count * 4U);
    records.aaaa_count = hf_records_sort(audit->aaaa, audit->aaaa_count, 16);
    memcpy(bytes + records.a_count * 4U, audit->aaaa, records.aaaa_count * 16U);
    lane->records = audit->other ? HF_RECORDS_OTHER : HF_RECORDS_SUM;
    lane->sum = audit->other ? 0 : hf_records_sum(audit->owner, &records);
    if (lane->flushed) {
        lane->records = HF_RECORDS_UNKNOWN; /* they came in pieces */
    }
    lane->seen = true;
    lane->flushed = true;
    audit->lane = UINT32_MAX;
}

static void note_address(struct hf_enact_audit *audit, const struct hf_dns_record *record)
{
    bool first = audit->a_count + audit->aaaa_count == 0;
    audit->other = audit->other || (!first && record->ttl_s != audit->ttl_s);
    audit->ttl_s = record->ttl_s;
    if (record->type == KNOT_RRTYPE_A && record->rdata_size == 4 &&
        audit->a_count < HF_RECORDS_MAX) {
        memcpy(audit->a + audit->a_count++ * 4U, record->rdata, 4);
    } else if (record->type == KNOT_RRTYPE_AAAA && record->rdata_size == 16 &&
               audit->aaaa_count < HF_RECORDS_MAX) {
        memcpy(audit->aaaa + audit->aaaa_count++ * 16U, record->rdata, 16);
    } else {
        audit->other = true;
    }
}

static void note_record(struct hf_enact_audit *audit, const struct hf_dns_record *record)
{
    if (audit->owner[0] == 0 || !hf_name_equal(audit->owner, record->owner)) {
        flush_records(audit);
        memcpy(audit->owner, record->owner, hf_name_size(record->owner));
        audit->lane = lane_of(audit, record->owner);
        audit->a_count = 0;
        audit->aaaa_count = 0;
        audit->other = false;
    }
    if (audit->lane != UINT32_MAX) {
        note_address(audit, record);
    }
}

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct hf_enact_audit *audit = context;
    const uint8_t *endpoint;
    switch (record->type) {
    case KNOT_RRTYPE_TXT:
        if (hf_name_equal(record->owner, audit->zone->guard_owner)) {
            hf_enact_txt_add(&audit->guard, record->rdata, record->rdata_size);
        } else if (hf_name_endpoint_of(record->owner, &endpoint) == HF_OK) {
            note_fence(audit, record);
        }
        break;
    case KNOT_RRTYPE_A:
    case KNOT_RRTYPE_AAAA:
    case KNOT_RRTYPE_CNAME:
        note_record(audit, record);
        break;
    default:
        break;
    }
}

/* --- life --- */

static void finish(struct hf_enact_audit *audit, enum hf_result result, bool unchanged,
                   const struct hf_dns_outcome *outcome)
{
    struct hf_enact_zone *zone = audit->zone;
    zone->audit = NULL;
    if (zone->enact->stopping) {
        free(audit->lanes);
        free(audit);
        return;
    }
    if (unchanged) {
        struct hf_enactor_event event = {
            .type = HF_ENACTOR_EV_DONE, .op = audit->op, .unchanged = true};
        hf_enact_feed(zone, &event);
        hf_enact_tick(zone);
    } else {
        hf_enact_done(zone, audit->op, result, outcome);
    }
    free(audit->lanes);
    free(audit);
}

static void tell(struct hf_enact_audit *audit)
{
    struct hf_enact_zone *zone = audit->zone;
    struct hf_enactor_event guard = {.type = HF_ENACTOR_EV_GUARD, .op = audit->op};
    hf_enact_guard_of(zone, &audit->guard, &guard.guard);
    hf_enact_guard_note(zone, &guard.guard);
    hf_enact_feed(zone, &guard);
    for (uint32_t i = 0; i < audit->lane_count; i++) {
        const struct audit_lane *lane = &audit->lanes[i];
        if (!lane->seen) {
            continue;
        }
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_SEEN,
                                         .op = audit->op,
                                         .lane = i,
                                         .fence = lane->fence,
                                         .records = lane->records,
                                         .sum = lane->sum};
        hf_enact_feed(zone, &event);
        hf_enact_settle_past(zone, i);
    }
}

static void on_transferred(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_audit *audit = context;
    struct hf_enact_zone *zone = audit->zone;
    enum hf_result result = outcome->result == HF_OK && outcome->rcode == KNOT_RCODE_NOERROR
                                ? HF_RESULT_OK
                                : HF_RESULT_UNKNOWN;
    if (result == HF_RESULT_OK && !zone->enact->stopping) {
        flush_fence(audit);
        flush_records(audit);
        tell(audit);
        /* The serial was read before the transfer: what came between is seen next time. */
        zone->serial = audit->serial;
        zone->serial_known = audit->serial_known;
        zone->audits_skipped = 0;
    }
    finish(audit, result, false, outcome);
}

static void on_soa(void *context, const struct hf_dns_record *record)
{
    struct hf_enact_audit *audit = context;
    if (record->type == KNOT_RRTYPE_SOA && record->rdata_size >= 20) {
        const uint8_t *at = record->rdata + record->rdata_size - 20;
        audit->serial =
            (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        audit->serial_known = true;
    }
}

static void make_lanes(struct hf_enact_audit *audit)
{
    audit->lane_count = audit->zone->machine.lane_count;
    audit->lanes = calloc(audit->lane_count + 1, sizeof(*audit->lanes));
    if (audit->lanes == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < audit->lane_count; i++) {
        audit->lanes[i].fence.kind = HF_FENCE_ABSENT;
        audit->lanes[i].records = HF_RECORDS_NONE;
        audit->lanes[i].sum = HF_SUM_EMPTY;
    }
}

static void on_soa_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_audit *audit = context;
    struct hf_enact_zone *zone = audit->zone;
    if (outcome->result != HF_OK || outcome->rcode != KNOT_RCODE_NOERROR) {
        finish(audit, HF_RESULT_UNKNOWN, false, outcome);
        return;
    }
    if (!audit->whole && audit->serial_known && zone->serial_known &&
        audit->serial == zone->serial && zone->audits_skipped < HF_ENACT_AUDITS_SKIPPED_MAX) {
        zone->audits_skipped++;
        finish(audit, HF_RESULT_OK, true, outcome);
        return;
    }
    make_lanes(audit);
    int error =
        zone->enact->stopping ? HF_ECONN : hf_dns_axfr(zone->dns, on_record, on_transferred, audit);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        finish(audit, HF_RESULT_UNKNOWN, false, &failed);
    }
}

void hf_enact_audit(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    struct hf_enact_audit *audit = calloc(1, sizeof(*audit));
    if (audit == NULL) {
        abort();
    }
    audit->zone = zone;
    audit->op = action->op;
    audit->whole = action->whole;
    audit->lane = UINT32_MAX;
    zone->audit = audit;
    int error =
        hf_dns_query(zone->dns, zone->zone->apex, KNOT_RRTYPE_SOA, on_soa, on_soa_done, audit);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        finish(audit, HF_RESULT_UNKNOWN, false, &failed);
    }
}
