/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message is looked at in three passes, as the RFC has it: prerequisites (3.2), prescan (3.4.1),
 * updates (3.4.2). A zone has fewer records than a word has bits, so a set of its records is a
 * word, and the value-dependent prerequisites need no room of their own. Updates are done in place;
 * the zone as it was is kept beside it, to go back to and to tell whether anything has changed.
 */
#include "lab/server.h"

#include <assert.h>
#include <string.h>

#include <libknot/consts.h>
#include <libknot/descriptor.h>

enum {
    INIT_TTL_S = 0,
    META_MIN = 251, /* IXFR, AXFR, MAILB, MAILA, ANY: nothing that a zone could hold */
};

static_assert(HF_SERVER_RRS_MAX < 64, "a set of a zone's records is a 64-bit word");

/* Where an RRset lies, or would lie. */
struct run {
    uint32_t begin, end;
};

static uint32_t key_of(const struct hf_server_rr *rr)
{
    return (uint32_t)rr->owner << 16 | rr->type;
}

static bool type_is_meta(uint16_t type)
{
    return type >= META_MIN && type <= KNOT_RRTYPE_ANY;
}

static struct run find_keys(const struct hf_server_zone *zone, uint32_t first, uint32_t last)
{
    struct run run;
    uint32_t at = 0;
    while (at < zone->count && key_of(&zone->rrs[at]) < first) {
        at++;
    }
    run.begin = at;
    while (at < zone->count && key_of(&zone->rrs[at]) <= last) {
        at++;
    }
    run.end = at;
    return run;
}

static struct run find_rrset(const struct hf_server_zone *zone, uint8_t owner, uint16_t type)
{
    uint32_t key = (uint32_t)owner << 16 | type;
    return find_keys(zone, key, key);
}

static struct run find_name(const struct hf_server_zone *zone, uint8_t owner)
{
    return find_keys(zone, (uint32_t)owner << 16, (uint32_t)owner << 16 | UINT16_MAX);
}

static struct hf_server_rr *soa_of(struct hf_server_zone *zone)
{
    struct run run = find_rrset(zone, HF_SERVER_OWNER_APEX, KNOT_RRTYPE_SOA);
    assert(run.begin < run.end);
    return &zone->rrs[run.begin];
}

/* --- changing a zone --- */

static bool zone_remove(struct hf_server_zone *zone, struct run run)
{
    if (run.begin == run.end) {
        return false;
    }
    memmove(&zone->rrs[run.begin], &zone->rrs[run.end],
            (zone->count - run.end) * sizeof(zone->rrs[0]));
    zone->count -= run.end - run.begin;
    return true;
}

/* A second SOA or CNAME takes the place of the first (RFC 2136 section 1.1.5, 3.4.2.2). */
static bool type_is_single(uint16_t type)
{
    return type == KNOT_RRTYPE_SOA || type == KNOT_RRTYPE_CNAME;
}

/*
 * Adds to the RRset or replaces in it. All of the RRset takes the TTL (RFC 2181 section 5.2).
 * False when there is no room.
 */
static bool zone_put(struct hf_server_zone *zone, const struct hf_server_rr *rr, bool *ret_changed)
{
    struct run run = find_rrset(zone, rr->owner, rr->type);
    for (uint32_t i = run.begin; i < run.end; i++) {
        *ret_changed |= zone->rrs[i].ttl_s != rr->ttl_s;
        zone->rrs[i].ttl_s = rr->ttl_s;
    }
    uint32_t at = run.begin;
    if (type_is_single(rr->type) && run.begin < run.end) {
        *ret_changed |= zone->rrs[at].rdata != rr->rdata;
        zone->rrs[at].rdata = rr->rdata;
        return true;
    }
    while (at < run.end && zone->rrs[at].rdata < rr->rdata) {
        at++;
    }
    if (at < run.end && zone->rrs[at].rdata == rr->rdata) {
        return true;
    }
    if (zone->count == HF_SERVER_RRS_MAX) {
        return false;
    }
    memmove(&zone->rrs[at + 1], &zone->rrs[at], (zone->count - at) * sizeof(zone->rrs[0]));
    zone->rrs[at] = *rr;
    zone->rrs[at].class = KNOT_CLASS_IN;
    zone->rrs[at].has_rdata = true;
    zone->count++;
    *ret_changed = true;
    return true;
}

/* --- section 3.2: prerequisites --- */

static uint64_t bits_of(struct run run)
{
    return ((uint64_t)1 << run.end) - ((uint64_t)1 << run.begin);
}

/* Section 3.2.1, 3.2.2: what does not look at values. must_exist: class ANY, else NONE. */
static uint8_t check_existence(const struct hf_server_zone *zone, const struct hf_server_rr *rr,
                               bool must_exist)
{
    if (rr->has_rdata) {
        return KNOT_RCODE_FORMERR;
    }
    bool name = rr->type == KNOT_RRTYPE_ANY;
    struct run run = name ? find_name(zone, rr->owner) : find_rrset(zone, rr->owner, rr->type);
    if ((run.begin < run.end) == must_exist) {
        return KNOT_RCODE_NOERROR;
    }
    if (must_exist) {
        return name ? KNOT_RCODE_NXDOMAIN : KNOT_RCODE_NXRRSET;
    }
    return name ? KNOT_RCODE_YXDOMAIN : KNOT_RCODE_YXRRSET;
}

static uint8_t check_prerequisites(const struct hf_server_zone *zone,
                                   const struct hf_server_message *message)
{
    uint64_t demanded = 0; /* every record of the RRsets of which a value is demanded */
    uint64_t named = 0;    /* those that the message names */
    bool unknown = false;  /* the message names one that the zone does not have */
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        const struct hf_server_rr *rr = &message->rrs[i];
        if (rr->ttl_s != 0) {
            return KNOT_RCODE_FORMERR;
        }
        if (rr->owner == HF_SERVER_OWNER_OUTSIDE) {
            return KNOT_RCODE_NOTZONE;
        }
        if (rr->class == KNOT_CLASS_ANY || rr->class == KNOT_CLASS_NONE) {
            uint8_t rcode = check_existence(zone, rr, rr->class == KNOT_CLASS_ANY);
            if (rcode != KNOT_RCODE_NOERROR) {
                return rcode;
            }
            continue;
        }
        if (rr->class != KNOT_CLASS_IN || !rr->has_rdata) {
            return KNOT_RCODE_FORMERR;
        }
        struct run run = find_rrset(zone, rr->owner, rr->type);
        uint32_t at = run.begin;
        while (at < run.end && zone->rrs[at].rdata != rr->rdata) {
            at++;
        }
        unknown |= at == run.end;
        named |= (uint64_t)(at < run.end) << at;
        demanded |= bits_of(run);
    }
    /* Section 3.2.3, after all others: the RRset is what the message says, no more and no less. */
    return unknown || named != demanded ? KNOT_RCODE_NXRRSET : KNOT_RCODE_NOERROR;
}

/* --- section 3.4.1: prescan --- */

static uint8_t prescan(const struct hf_server_rr *rrs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_server_rr *rr = &rrs[i];
        if (rr->owner == HF_SERVER_OWNER_OUTSIDE) {
            return KNOT_RCODE_NOTZONE;
        }
        bool meta = type_is_meta(rr->type);
        bool sound = false;
        if (rr->class == KNOT_CLASS_IN) {
            sound = !meta && rr->has_rdata;
        } else if (rr->class == KNOT_CLASS_ANY) {
            sound = rr->ttl_s == 0 && !rr->has_rdata && (!meta || rr->type == KNOT_RRTYPE_ANY);
        } else if (rr->class == KNOT_CLASS_NONE) {
            sound = rr->ttl_s == 0 && !meta && rr->has_rdata;
        }
        if (!sound) {
            return KNOT_RCODE_FORMERR;
        }
    }
    return KNOT_RCODE_NOERROR;
}

/* --- section 3.4.2: updates --- */

/* Section 3.4.2.2: additions that are ignored. */
static bool addition_is_ignored(const struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    struct run cnames = find_rrset(zone, rr->owner, KNOT_RRTYPE_CNAME);
    uint32_t cname_count = cnames.end - cnames.begin;
    if (rr->type == KNOT_RRTYPE_CNAME) {
        struct run name = find_name(zone, rr->owner);
        return name.end - name.begin > cname_count;
    }
    if (cname_count > 0) {
        return true;
    }
    if (rr->type != KNOT_RRTYPE_SOA) {
        return false;
    }
    /* Serial number arithmetic (RFC 1982): forward by less than half of the circle. */
    uint32_t forward = (uint32_t)rr->rdata - hf_server_serial(zone);
    return rr->owner != HF_SERVER_OWNER_APEX || forward == 0 || forward >= (uint32_t)1 << 31;
}

/* Section 3.4.2.3: RRsets, and all RRsets of a name; the apex keeps its SOA and NS. */
static bool delete_rrsets(struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    bool apex = rr->owner == HF_SERVER_OWNER_APEX;
    if (rr->type != KNOT_RRTYPE_ANY) {
        bool kept = apex && (rr->type == KNOT_RRTYPE_SOA || rr->type == KNOT_RRTYPE_NS);
        return !kept && zone_remove(zone, find_rrset(zone, rr->owner, rr->type));
    }
    if (!apex) {
        return zone_remove(zone, find_name(zone, rr->owner));
    }
    uint32_t kept = 0;
    uint32_t end = find_name(zone, rr->owner).end;
    for (uint32_t i = 0; i < end; i++) {
        uint16_t type = zone->rrs[i].type;
        if (type == KNOT_RRTYPE_SOA || type == KNOT_RRTYPE_NS) {
            zone->rrs[kept++] = zone->rrs[i];
        }
    }
    return zone_remove(zone, (struct run){.begin = kept, .end = end});
}

/* Section 3.4.2.4: one record, but not the SOA nor the last NS of the apex. */
static bool delete_record(struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    struct run run = find_rrset(zone, rr->owner, rr->type);
    if (rr->owner == HF_SERVER_OWNER_APEX &&
        (rr->type == KNOT_RRTYPE_SOA || (rr->type == KNOT_RRTYPE_NS && run.end - run.begin == 1))) {
        return false;
    }
    for (uint32_t i = run.begin; i < run.end; i++) {
        if (zone->rrs[i].rdata == rr->rdata) {
            return zone_remove(zone, (struct run){.begin = i, .end = i + 1});
        }
    }
    return false;
}

/* False when there is no room. */
static bool apply(struct hf_server_zone *zone, const struct hf_server_rr *rr, bool *ret_changed)
{
    if (rr->class == KNOT_CLASS_ANY) {
        *ret_changed |= delete_rrsets(zone, rr);
    } else if (rr->class == KNOT_CLASS_NONE) {
        *ret_changed |= delete_record(zone, rr);
    } else if (!addition_is_ignored(zone, rr)) {
        return zone_put(zone, rr, ret_changed);
    }
    return true;
}

static bool differs(const struct hf_server_zone *zone, const struct hf_server_rr *rrs,
                    uint32_t count)
{
    bool same = zone->count == count;
    for (uint32_t i = 0; same && i < count; i++) {
        const struct hf_server_rr *rr = &zone->rrs[i];
        same =
            key_of(rr) == key_of(&rrs[i]) && rr->rdata == rrs[i].rdata && rr->ttl_s == rrs[i].ttl_s;
    }
    return !same;
}

uint8_t hf_server_update(struct hf_server_zone *zone, const struct hf_server_message *message)
{
    assert(message->prerequisite_count <= HF_SERVER_MESSAGE_RRS_MAX &&
           message->update_count <= HF_SERVER_MESSAGE_RRS_MAX - message->prerequisite_count);
    if (message->zone_type != KNOT_RRTYPE_SOA) {
        return KNOT_RCODE_FORMERR;
    }
    if (message->zone_class != KNOT_CLASS_IN || message->zone_owner != HF_SERVER_OWNER_APEX) {
        return KNOT_RCODE_NOTAUTH;
    }
    const struct hf_server_rr *updates = &message->rrs[message->prerequisite_count];
    uint8_t rcode = check_prerequisites(zone, message);
    if (rcode == KNOT_RCODE_NOERROR) {
        rcode = prescan(updates, message->update_count);
    }
    if (rcode != KNOT_RCODE_NOERROR) {
        return rcode;
    }
    struct hf_server_rr before[HF_SERVER_RRS_MAX];
    uint32_t before_count = zone->count;
    uint32_t before_serial = hf_server_serial(zone);
    memcpy(before, zone->rrs, before_count * sizeof(before[0]));
    bool changed = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        if (!apply(zone, &updates[i], &changed)) {
            memcpy(zone->rrs, before, before_count * sizeof(before[0]));
            zone->count = before_count;
            return KNOT_RCODE_SERVFAIL;
        }
    }
    if (changed && differs(zone, before, before_count)) {
        struct hf_server_rr *soa = soa_of(zone);
        if ((uint32_t)soa->rdata == before_serial) {
            soa->rdata = (soa->rdata & ~(uint64_t)UINT32_MAX) | (uint32_t)(before_serial + 1);
        }
    }
    return KNOT_RCODE_NOERROR;
}

/* --- by hand --- */

void hf_server_zone_init(struct hf_server_zone *zone, uint32_t serial)
{
    zone->count = 0;
    const struct hf_server_rr soa = {.owner = HF_SERVER_OWNER_APEX,
                                     .type = KNOT_RRTYPE_SOA,
                                     .ttl_s = INIT_TTL_S,
                                     .rdata = serial};
    const struct hf_server_rr ns = {
        .owner = HF_SERVER_OWNER_APEX, .type = KNOT_RRTYPE_NS, .ttl_s = INIT_TTL_S};
    bool put = hf_server_put(zone, &soa) && hf_server_put(zone, &ns);
    assert(put);
}

uint32_t hf_server_serial(const struct hf_server_zone *zone)
{
    struct run run = find_rrset(zone, HF_SERVER_OWNER_APEX, KNOT_RRTYPE_SOA);
    assert(run.begin < run.end);
    return (uint32_t)zone->rrs[run.begin].rdata;
}

bool hf_server_put(struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    bool changed = false;
    assert(rr->owner != HF_SERVER_OWNER_OUTSIDE && !type_is_meta(rr->type));
    return zone_put(zone, rr, &changed);
}

void hf_server_remove(struct hf_server_zone *zone, uint8_t owner, uint16_t type)
{
    assert(owner != HF_SERVER_OWNER_APEX || type != KNOT_RRTYPE_SOA);
    (void)zone_remove(zone, find_rrset(zone, owner, type));
}

uint32_t hf_server_rrset(const struct hf_server_zone *zone, uint8_t owner, uint16_t type,
                         const struct hf_server_rr **ret_first)
{
    struct run run = find_rrset(zone, owner, type);
    *ret_first = &zone->rrs[run.begin];
    return run.end - run.begin;
}
