/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the enactor sends: the guard's value or absence, for each endpoint the fence's, demands on
 * records as src/io/enact_write.c makes them, and the differences that the codec can make. The
 * octets are the codec's own.
 */
#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "codec/records.h"
#include "codec/update.h"
#include "parcel.h"

enum {
    SET_MAX = 2048,
    TRUTH_PERCENT = 92, /* that what is demanded of a fence or guard is so */
    DRIFT_PERCENT = 60, /* that a drifted message is about an endpoint with other records */
    TTL_A_S = 30,
    TTL_B_S = 60,
};

struct maker {
    const struct universe *universe;
    const struct hf_server_zone *zone;
    struct random *random;
    bool drifted;
};

/* The demands on one TXT RRset: what is there, or something else. */
static struct hf_txt_set demand(const struct maker *maker, uint8_t owner, uint32_t first,
                                uint32_t count, uint8_t *bytes)
{
    const struct hf_server_rr *rrs;
    struct hf_server_rr other = {.owner = owner, .type = KNOT_RRTYPE_TXT};
    uint32_t rr_count = hf_server_rrset(maker->zone, owner, KNOT_RRTYPE_TXT, &rrs);
    struct hf_txt_set set = {.bytes = bytes};
    if (!random_percent(maker->random, TRUTH_PERCENT)) {
        other.rdata = first + random_below(maker->random, count);
        rrs = &other;
        rr_count = random_percent(maker->random, 50) ? 1 : 0;
    }
    for (uint32_t i = 0; i < rr_count; i++) {
        uint16_t size = universe_rdata(maker->universe, &rrs[i], bytes + set.size + 2);
        bytes[set.size] = (uint8_t)(size >> 8);
        bytes[set.size + 1] = (uint8_t)size;
        set.size += 2U + size;
        assert(set.size + VALUE_SIZE_MAX <= SET_MAX);
    }
    return set;
}

/* A value that the RRset does not hold: no fence or guard is ever written twice. 0: there is none.
 */
static size_t new_text(const struct maker *maker, uint8_t owner, uint32_t first, uint32_t count,
                       uint8_t *bytes)
{
    const struct hf_server_rr *rrs;
    uint32_t rr_count = hf_server_rrset(maker->zone, owner, KNOT_RRTYPE_TXT, &rrs);
    uint32_t start = random_below(maker->random, count);
    for (uint32_t i = 0; i < count; i++) {
        struct hf_server_rr rr = {.type = KNOT_RRTYPE_TXT, .rdata = first + (start + i) % count};
        bool held = false;
        for (uint32_t j = 0; j < rr_count; j++) {
            held |= rrs[j].rdata == rr.rdata;
        }
        if (!held) {
            return universe_rdata(maker->universe, &rr, bytes);
        }
    }
    return 0;
}

/* Appends the values of one type, each with a probability. */
static uint16_t draw(const struct maker *maker, uint16_t type, uint32_t percent, uint8_t *bytes,
                     size_t *size)
{
    uint16_t count = 0;
    for (uint32_t i = 0; i < universe_value_count(maker->universe, type); i++) {
        struct hf_server_rr rr = {.type = type, .rdata = i};
        if (random_percent(maker->random, percent)) {
            *size += universe_rdata(maker->universe, &rr, bytes + *size);
            count++;
        }
    }
    return count;
}

static struct hf_records draw_records(const struct maker *maker, uint8_t *bytes)
{
    size_t size = 0;
    uint32_t percent = random_percent(maker->random, 15) ? 0 : 50;
    struct hf_records records = {.bytes = bytes};
    records.ttl_s = random_percent(maker->random, 80) ? TTL_B_S : TTL_A_S;
    records.a_count = draw(maker, KNOT_RRTYPE_A, percent, bytes, &size);
    records.aaaa_count = draw(maker, KNOT_RRTYPE_AAAA, percent, bytes, &size);
    return records;
}

static uint16_t read(const struct maker *maker, uint8_t owner, uint16_t type, uint8_t *bytes,
                     size_t *size, uint32_t *ret_ttl_s)
{
    const struct hf_server_rr *rrs;
    uint32_t count = hf_server_rrset(maker->zone, owner, type, &rrs);
    for (uint32_t i = 0; i < count; i++) {
        *size += universe_rdata(maker->universe, &rrs[i], bytes + *size);
        *ret_ttl_s = rrs[i].ttl_s;
    }
    return (uint16_t)count;
}

/* The zone's records; false when they are nothing that Holdfast could have written. */
static bool read_records(const struct maker *maker, uint8_t owner, uint8_t *bytes,
                         struct hf_records *ret_records)
{
    size_t size = 0;
    uint32_t a_ttl_s = UINT32_MAX;
    uint32_t aaaa_ttl_s = UINT32_MAX;
    const struct hf_server_rr *cname;
    struct hf_records records = {.bytes = bytes, .ttl_s = TTL_B_S};
    records.a_count = read(maker, owner, KNOT_RRTYPE_A, bytes, &size, &a_ttl_s);
    records.aaaa_count = read(maker, owner, KNOT_RRTYPE_AAAA, bytes, &size, &aaaa_ttl_s);
    if (size > 0) {
        records.ttl_s = records.a_count > 0 ? a_ttl_s : aaaa_ttl_s;
    }
    *ret_records = records;
    return hf_server_rrset(maker->zone, owner, KNOT_RRTYPE_CNAME, &cname) == 0 &&
           (records.a_count == 0 || records.aaaa_count == 0 || a_ttl_s == aaaa_ttl_s);
}

static void expect(const struct maker *maker, uint8_t owner, struct hf_update_change *change,
                   uint8_t *bytes)
{
    bool fenced = change->fence_before.size > 0;
    bool ours = read_records(maker, owner, bytes, &change->before);
    uint32_t form = random_below(maker->random, 4);
    if (maker->drifted && random_percent(maker->random, DRIFT_PERCENT)) {
        change->before = draw_records(maker, bytes);
        change->expect = HF_EXPECT_AUDITED;
    } else if (!fenced && form == 0) {
        change->expect = HF_EXPECT_NONE;
    } else if (!fenced && form == 1) {
        change->expect = HF_EXPECT_EXACT;
        change->fence_only = true;
        if (random_percent(maker->random, 100 - TRUTH_PERCENT)) {
            change->before = draw_records(maker, bytes);
        }
    } else if (ours && form == 2) {
        change->expect = HF_EXPECT_AUDITED;
    } else if (ours && form == 3) {
        change->expect = HF_EXPECT_EXACT;
        if (random_percent(maker->random, 100 - TRUTH_PERCENT)) {
            change->before = draw_records(maker, bytes);
        }
    }
}

static void add_endpoint(const struct maker *maker, struct hf_update *update, uint8_t owner)
{
    uint8_t set[SET_MAX];
    uint8_t fence[VALUE_SIZE_MAX];
    uint8_t before[HF_RECORDS_BYTES_MAX];
    uint8_t after[HF_RECORDS_BYTES_MAX];
    struct hf_update_change change = {.endpoint = universe_name(maker->universe, owner),
                                      .expect = HF_EXPECT_ANY};
    uint8_t fence_owner = (uint8_t)(owner + OWNER_FENCE_APEX);
    change.fence_before = demand(maker, fence_owner, 0, TXT_FENCES, set);
    change.fence_after_size = new_text(maker, fence_owner, 0, TXT_FENCES, fence);
    bool forget = change.fence_before.size > 0 && random_percent(maker->random, 15);
    if (change.fence_after_size > 0 && !forget) {
        change.fence_after = fence;
    }
    expect(maker, owner, &change, before);
    change.after = draw_records(maker, after);
    int error = hf_update_add(update, &change);
    assert(error == HF_OK);
}

/* How many records the message can have at most must not pass what the model takes. */
void parcel_holdfast(struct parcel *parcel, const struct universe *universe,
                     const struct hf_server_zone *zone, struct random *random)
{
    struct maker maker = {.universe = universe,
                          .zone = zone,
                          .random = random,
                          .drifted = parcel->category == CATEGORY_DRIFTED};
    uint8_t set[SET_MAX];
    uint8_t after[VALUE_SIZE_MAX];
    struct hf_txt_set guard = demand(&maker, OWNER_GUARD, TXT_FENCES, TXT_GUARDS, set);
    size_t after_size = new_text(&maker, OWNER_GUARD, TXT_FENCES, TXT_GUARDS, after);
    bool keep = after_size == 0 || (guard.size > 0 && random_percent(random, 90));
    struct hf_update *update = hf_update_begin(universe_name(universe, OWNER_APEX), &guard,
                                               keep ? NULL : after, after_size, NULL);
    uint8_t first = (uint8_t)random_below(random, ENDPOINT_COUNT);
    uint8_t count = (uint8_t)random_below(random, 3); /* of 0: the guard alone */
    count = (uint8_t)(keep || count > 0 ? count + keep : 0);
    for (uint8_t i = 0; i < count && i < 2; i++) {
        add_endpoint(&maker, update, (uint8_t)((first + i) % ENDPOINT_COUNT));
    }
    const uint8_t *wire;
    struct hf_tsig_state tsig;
    int error = hf_update_finish(update, 1, &wire, &parcel->size, &tsig);
    assert(error == HF_OK && parcel->size <= sizeof(parcel->wire));
    memcpy(parcel->wire, wire, parcel->size);
    hf_update_free(update);
    parcel_decode(parcel, universe);
}
