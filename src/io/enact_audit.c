/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ_ZONE. The serial is asked for first: a zone that has not changed since it was last read is
 * not read again. One that has is read from that serial on (IXFR, enact_changes.c), or whole (AXFR,
 * enact_whole.c): where the machine says so, where the server cannot or will not tell the changes,
 * and now and then, because not every server changes the serial for every edit.
 */
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum {
    WHOLE_AUDITS = 10,  /* a whole transfer at least every so many intervals of audits */
    WHOLE_SHARE = 200,  /* but never more often than so many times what one takes */
    SOA_TAIL_SIZE = 20, /* RFC 1035 section 3.3.13: five numbers, the serial first */
};

struct hf_enact_audit {
    struct hf_enact_zone *zone;
    uint32_t op;
    bool wants_whole, at_rest;
    struct hf_enact_whole *whole;
    struct hf_enact_changes *changes;
    uint32_t serial; /* of what was read */
    bool serial_known;
};

static void finish(struct hf_enact_audit *audit, enum hf_result result, enum hf_enact_extent extent,
                   const struct hf_dns_outcome *outcome)
{
    struct hf_enact_zone *zone = audit->zone;
    uint32_t op = audit->op;
    hf_enact_whole_free(audit->whole);
    hf_enact_changes_free(audit->changes);
    free(audit);
    if (!zone->enact->stopping) {
        hf_enact_done_reading(zone, op, result, extent, outcome);
    }
}

static void note_serial(struct hf_enact_audit *audit, const struct hf_dns_record *record)
{
    if (record->type == KNOT_RRTYPE_SOA && record->rdata_size >= SOA_TAIL_SIZE) {
        const uint8_t *at = record->rdata + record->rdata_size - SOA_TAIL_SIZE;
        audit->serial = knot_wire_read_u32(at);
        audit->serial_known = true;
    }
}

static void log_read(const struct hf_enact_audit *audit, const char *how,
                     const struct hf_dns_outcome *outcome)
{
    hf_log(audit->zone->enact->log, HF_LOG_DEBUG, "zone_read", "zone=%s how=%s serial=%u ms=%llu",
           audit->zone->zone->name, how, audit->serial, (unsigned long long)outcome->latency_ms);
}

static bool is_read(const struct hf_enact_audit *audit, const struct hf_dns_outcome *outcome)
{
    return outcome->result == HF_OK && outcome->rcode == KNOT_RCODE_NOERROR &&
           !audit->zone->enact->stopping;
}

/* --- the whole zone --- */

static void on_whole_record(void *context, const struct hf_dns_record *record)
{
    struct hf_enact_audit *audit = context;
    note_serial(audit, record);
    hf_enact_whole_add(audit->whole, record);
}

static void take_whole(struct hf_enact_audit *audit, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_zone *zone = audit->zone;
    log_read(audit, "whole", outcome);
    hf_enact_whole_tell(audit->whole);
    zone->serial = audit->serial;
    zone->serial_known = audit->serial_known;
    zone->whole_again_ms = uv_now(&zone->enact->loop) + outcome->latency_ms * WHOLE_SHARE;
    uint64_t audits_ms = (uint64_t)zone->target->audit_ms * WHOLE_AUDITS;
    if (zone->whole_again_ms < uv_now(&zone->enact->loop) + audits_ms) {
        zone->whole_again_ms = uv_now(&zone->enact->loop) + audits_ms;
    }
    finish(audit, HF_RESULT_OK, HF_ENACT_WHOLE, outcome);
}

static void on_whole_read(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_audit *audit = context;
    if (is_read(audit, outcome)) {
        take_whole(audit, outcome);
    } else {
        finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, outcome);
    }
}

static void read_whole(struct hf_enact_audit *audit)
{
    struct hf_enact_zone *zone = audit->zone;
    audit->whole = hf_enact_whole_new(zone, audit->op);
    int error = hf_dns_axfr(zone->dns, on_whole_record, on_whole_read, audit);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, &failed);
    }
}

/* --- what changed --- */

static void on_change(void *context, const struct hf_dns_record *record, enum hf_dns_sense sense)
{
    struct hf_enact_audit *audit = context;
    if (sense == HF_DNS_NEWEST) {
        note_serial(audit, record);
    } else if (sense != HF_DNS_WHOLE) {
        hf_enact_changes_add(audit->changes, record, sense == HF_DNS_ADDED);
    } else {
        if (audit->whole == NULL) {
            audit->whole = hf_enact_whole_new(audit->zone, audit->op);
        }
        hf_enact_whole_add(audit->whole, record);
    }
}

/* Serials are compared as RFC 1982 section 3.2 says. */
static bool is_newer(uint32_t serial, uint32_t than)
{
    return serial != than && serial - than < UINT32_C(1) << 31;
}

static void on_changes_read(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_audit *audit = context;
    struct hf_enact_zone *zone = audit->zone;
    bool is_no_line = outcome->result == HF_ECONN || outcome->result == HF_ETIMEOUT;
    if (!is_read(audit, outcome)) {
        if (is_no_line || zone->enact->stopping) {
            finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, outcome);
        } else {
            hf_enact_whole_free(audit->whole);
            read_whole(audit); /* a server that does not know the question */
        }
        return;
    }
    if (audit->whole != NULL) {
        take_whole(audit, outcome);
    } else if (!audit->serial_known || !is_newer(audit->serial, zone->serial) ||
               !hf_enact_changes_tell(audit->changes)) {
        read_whole(audit); /* another zone than it was, or more changes than can be held */
    } else {
        log_read(audit, "changes", outcome);
        zone->serial = audit->serial;
        finish(audit, HF_RESULT_OK, HF_ENACT_CHANGES, outcome);
    }
}

static void read_changes(struct hf_enact_audit *audit)
{
    struct hf_enact_zone *zone = audit->zone;
    audit->serial_known = false;
    audit->changes = hf_enact_changes_new(zone, audit->op);
    int error = hf_dns_ixfr(zone->dns, zone->serial, on_change, on_changes_read, audit);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, &failed);
    }
}

/* --- life --- */

static void on_soa(void *context, const struct hf_dns_record *record)
{
    note_serial(context, record);
}

static void on_soa_read(void *context, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_audit *audit = context;
    struct hf_enact_zone *zone = audit->zone;
    bool is_moving = audit->at_rest && audit->serial != zone->serial_at_rest;
    zone->serial_at_rest = audit->serial;
    if (!is_read(audit, outcome)) {
        finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, outcome);
    } else if (is_moving) {
        finish(audit, HF_RESULT_OK, HF_ENACT_MOVING, outcome);
    } else if (audit->wants_whole || !zone->serial_known ||
               uv_now(&zone->enact->loop) >= zone->whole_again_ms) {
        read_whole(audit);
    } else if (audit->serial_known && audit->serial == zone->serial) {
        finish(audit, HF_RESULT_OK, HF_ENACT_CHANGES, outcome);
    } else {
        read_changes(audit);
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
    audit->wants_whole = action->whole;
    audit->at_rest = action->at_rest;
    int error =
        hf_dns_query(zone->dns, zone->zone->apex, KNOT_RRTYPE_SOA, on_soa, on_soa_read, audit);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        finish(audit, HF_RESULT_UNKNOWN, HF_ENACT_WHOLE, &failed);
    }
}
