/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The octets are written here and not by libknot's packet writer: prerequisites and updates are
 * different sections but come from one change, and a change that does not fit is taken back whole.
 * Prerequisites grow in place behind the question, so the offset of every fence's owner is final
 * at once and the updates can point to it (RFC 1035 section 4.1.4). Updates wait in a second
 * array until finish puts them behind the prerequisites.
 */
#include "codec/update.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "codec/name.h"

enum {
    HEADER_SIZE = 12,
    POINTER_MAX = 0x3fff,
    POINTER_FLAGS = 0xc000,
    OPCODE_UPDATE_SHIFTED = 5 << 3,
    A_SIZE = 4,
    AAAA_SIZE = 16,
};

struct section {
    uint8_t *bytes;
    size_t size;
    uint16_t count;
};

struct hf_update {
    struct section pre; /* bytes starts at the header of the message */
    struct section upd;
    size_t room; /* of a message, without TSIG */
    uint32_t change_count;
    const knot_tsig_key_t *key;
    size_t zone_size;
    uint8_t zone[HF_NAME_MAX];
    uint8_t wire[HF_UPDATE_WIRE_MAX];
    uint8_t updates[HF_UPDATE_WIRE_MAX];
};

/*
 * How a change's names are written. at says where in the message the name stands already, 0 if it
 * does not or is out of a pointer's reach.
 */
struct owner {
    const uint8_t *name;
    size_t at;
};

/* Writers of octets stop at the end of a message: the caller sees size pass room. */

static void put(struct section *section, const void *bytes, size_t size)
{
    if (section->size + size <= HF_UPDATE_WIRE_MAX) {
        if (size > 0) {
            memcpy(section->bytes + section->size, bytes, size);
        }
    }
    section->size += size;
}

static void set_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u16(struct section *section, uint16_t value)
{
    uint8_t bytes[2];
    set_u16(bytes, value);
    put(section, bytes, sizeof(bytes));
}

static void put_u32(struct section *section, uint32_t value)
{
    put_u16(section, (uint16_t)(value >> 16));
    put_u16(section, (uint16_t)value);
}

/* The name itself, compressed against the zone's apex, which stands behind the header. */
static void put_name(const struct hf_update *update, struct section *section, const uint8_t *name)
{
    put(section, name, hf_name_size(name) - update->zone_size);
    put_u16(section, POINTER_FLAGS | HEADER_SIZE);
}

static void put_owner(const struct hf_update *update, struct section *section,
                      const struct owner *owner)
{
    if (owner->at != 0) {
        put_u16(section, (uint16_t)(POINTER_FLAGS | owner->at));
    } else {
        put_name(update, section, owner->name);
    }
}

/* One record; rdata may be NULL with size 0 (classes ANY and NONE). */
static void put_record(const struct hf_update *update, struct section *section,
                       const struct owner *owner, uint16_t type, uint16_t class, uint32_t ttl_s,
                       const uint8_t *rdata, size_t size)
{
    put_owner(update, section, owner);
    put_u16(section, type);
    put_u16(section, class);
    put_u32(section, ttl_s);
    put_u16(section, (uint16_t)size);
    put(section, rdata, size);
    section->count++;
}

/* RFC 2136 section 2.4.3: the RRset does not exist. */
static void require_none(struct hf_update *update, const struct owner *owner, uint16_t type)
{
    put_record(update, &update->pre, owner, type, KNOT_CLASS_NONE, 0, NULL, 0);
}

/* Section 2.5.2: deletes the RRset, if there is one. */
static void delete_rrset(struct hf_update *update, const struct owner *owner, uint16_t type)
{
    put_record(update, &update->upd, owner, type, KNOT_CLASS_ANY, 0, NULL, 0);
}

/* Section 2.5.1: adds count records of one RRset. */
static void add_rrset(struct hf_update *update, const struct owner *owner, uint16_t type,
                      uint32_t ttl_s, const uint8_t *bytes, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        put_record(update, &update->upd, owner, type, KNOT_CLASS_IN, ttl_s, bytes + i * size, size);
    }
}

/*
 * Section 2.4.2: the TXT RRset has this value; an empty set: section 2.4.3, and no CNAME either,
 * beside which servers would drop the TXT record that is added. The first record's owner is written
 * as given and *owner then points to it. HF_EINVAL when set is malformed.
 */
static int require_txt(struct hf_update *update, struct owner *owner, const struct hf_txt_set *set)
{
    size_t at = update->pre.size;
    struct hf_cursor cursor;
    hf_cursor_init(&cursor, set->bytes, set->size);
    do {
        if (set->size == 0) {
            require_none(update, owner, KNOT_RRTYPE_TXT);
        } else {
            uint16_t size = hf_cursor_u16(&cursor);
            const uint8_t *rdata = hf_cursor_bytes(&cursor, size);
            if (rdata == NULL || size == 0) {
                return HF_EINVAL;
            }
            put_record(update, &update->pre, owner, KNOT_RRTYPE_TXT, KNOT_CLASS_IN, 0, rdata, size);
        }
        if (owner->at == 0 && at <= POINTER_MAX) {
            owner->at = at;
        }
    } while (hf_cursor_left(&cursor) > 0);
    if (set->size == 0) {
        require_none(update, owner, KNOT_RRTYPE_CNAME);
    }
    return cursor.error == HF_OK ? HF_OK : HF_EINVAL;
}

static void require_rrset(struct hf_update *update, const struct owner *owner, uint16_t type,
                          const uint8_t *bytes, size_t count, size_t size)
{
    if (count == 0) {
        require_none(update, owner, type);
    }
    for (size_t i = 0; i < count; i++) {
        put_record(update, &update->pre, owner, type, KNOT_CLASS_IN, 0, bytes + i * size, size);
    }
}

static const uint8_t *aaaa_of(const struct hf_records *records)
{
    return records->a_count == 0 ? records->bytes
                                 : records->bytes + (size_t)records->a_count * A_SIZE;
}

static void require_records(struct hf_update *update, const struct hf_update_change *change,
                            const struct owner *endpoint)
{
    const struct hf_records *before = &change->before;
    if (change->expect == HF_EXPECT_NONE) {
        require_none(update, endpoint, KNOT_RRTYPE_A);
        require_none(update, endpoint, KNOT_RRTYPE_AAAA);
        require_none(update, endpoint, KNOT_RRTYPE_CNAME);
    } else if (change->expect == HF_EXPECT_EXACT) {
        require_rrset(update, endpoint, KNOT_RRTYPE_A, before->bytes, before->a_count, A_SIZE);
        require_rrset(update, endpoint, KNOT_RRTYPE_AAAA, aaaa_of(before), before->aaaa_count,
                      AAAA_SIZE);
    }
}

/* Whether two sorted runs of records of this size have one in common. */
static bool runs_overlap(const uint8_t *a, size_t a_count, const uint8_t *b, size_t b_count,
                         size_t size)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a_count && j < b_count) {
        int order = memcmp(a + i * size, b + j * size, size);
        if (order == 0) {
            return true;
        }
        i += order < 0;
        j += order > 0;
    }
    return false;
}

/* Writes the records of keep that without lacks, with class and TTL. Both runs are sorted. */
static void put_difference(struct hf_update *update, const struct owner *owner, uint16_t type,
                           uint16_t class, uint32_t ttl_s, const uint8_t *keep, size_t keep_count,
                           const uint8_t *without, size_t without_count, size_t size)
{
    size_t j = 0;
    for (size_t i = 0; i < keep_count; i++) {
        const uint8_t *rdata = keep + i * size;
        while (j < without_count && memcmp(without + j * size, rdata, size) < 0) {
            j++;
        }
        if (j == without_count || memcmp(without + j * size, rdata, size) != 0) {
            put_record(update, &update->upd, owner, type, class, ttl_s, rdata, size);
        }
    }
}

/*
 * Turns a known RRset into another. Deletions come first: an RRset never holds more records than
 * the server's limit for either of its two values. One record that stays is added again where
 * nothing else is: whatever hands did to the RRset meanwhile, it is not empty afterwards.
 */
static void change_rrset(struct hf_update *update, const struct owner *owner, uint16_t type,
                         const struct hf_update_change *change, const uint8_t *before,
                         size_t before_count, const uint8_t *after, size_t after_count, size_t size)
{
    uint32_t ttl_s = change->after.ttl_s;
    if (change->before.ttl_s == ttl_s &&
        runs_overlap(before, before_count, after, after_count, size)) {
        /* Section 2.5.4 deletes one record. */
        uint16_t count = update->upd.count;
        put_difference(update, owner, type, KNOT_CLASS_NONE, 0, before, before_count, after,
                       after_count, size);
        bool deletes = update->upd.count != count;
        count = update->upd.count;
        put_difference(update, owner, type, KNOT_CLASS_IN, ttl_s, after, after_count, before,
                       before_count, size);
        if (deletes && update->upd.count == count) {
            put_record(update, &update->upd, owner, type, KNOT_CLASS_IN, ttl_s, after, size);
        }
        return;
    }
    if (before_count > 0) {
        delete_rrset(update, owner, type);
    }
    add_rrset(update, owner, type, ttl_s, after, after_count, size);
}

static void change_records(struct hf_update *update, const struct hf_update_change *change,
                           const struct owner *endpoint)
{
    const struct hf_records *before = &change->before;
    const struct hf_records *after = &change->after;
    if (change->expect == HF_EXPECT_AUDITED || change->expect == HF_EXPECT_EXACT) {
        change_rrset(update, endpoint, KNOT_RRTYPE_A, change, before->bytes, before->a_count,
                     after->bytes, after->a_count, A_SIZE);
        change_rrset(update, endpoint, KNOT_RRTYPE_AAAA, change, aaaa_of(before),
                     before->aaaa_count, aaaa_of(after), after->aaaa_count, AAAA_SIZE);
        return;
    }
    if (change->expect != HF_EXPECT_NONE) {
        delete_rrset(update, endpoint, KNOT_RRTYPE_A);
        delete_rrset(update, endpoint, KNOT_RRTYPE_AAAA);
    }
    if (change->expect == HF_EXPECT_ANY) {
        /* Servers ignore what is added beside a CNAME, and a tombstone says that nothing is there:
         * the fence would name what is not so. */
        delete_rrset(update, endpoint, KNOT_RRTYPE_CNAME);
    }
    add_rrset(update, endpoint, KNOT_RRTYPE_A, after->ttl_s, after->bytes, after->a_count, A_SIZE);
    add_rrset(update, endpoint, KNOT_RRTYPE_AAAA, after->ttl_s, aaaa_of(after), after->aaaa_count,
              AAAA_SIZE);
}

/* Replaces a TXT RRset that the prerequisites pinned. */
static void change_txt(struct hf_update *update, const struct owner *owner, bool existed,
                       const uint8_t *rdata, size_t size)
{
    if (existed) {
        delete_rrset(update, owner, KNOT_RRTYPE_TXT);
    }
    if (rdata != NULL) {
        put_record(update, &update->upd, owner, KNOT_RRTYPE_TXT, KNOT_CLASS_IN, 0, rdata, size);
    }
}

static bool update_fits(const struct hf_update *update)
{
    return update->pre.size + update->upd.size <= update->room;
}

struct hf_update *hf_update_begin(const uint8_t *zone, const struct hf_txt_set *guard_before,
                                  const uint8_t *guard_after, size_t guard_after_size,
                                  const knot_tsig_key_t *key)
{
    struct hf_update *update = malloc(sizeof(*update));
    if (update == NULL) {
        abort();
    }
    update->pre = (struct section){.bytes = update->wire};
    update->upd = (struct section){.bytes = update->updates};
    update->room = HF_UPDATE_WIRE_MAX - (key != NULL ? knot_tsig_wire_size(key) : 0);
    update->change_count = 0;
    update->key = key;
    update->zone_size = hf_name_size(zone);
    memcpy(update->zone, zone, update->zone_size);

    const uint8_t header[HEADER_SIZE] = {[2] = OPCODE_UPDATE_SHIFTED, [5] = 1};
    put(&update->pre, header, sizeof(header));
    put(&update->pre, zone, update->zone_size);
    put_u16(&update->pre, KNOT_RRTYPE_SOA);
    put_u16(&update->pre, KNOT_CLASS_IN);

    uint8_t guard_name[HF_NAME_MAX];
    int error = hf_name_guard_of(zone, guard_name);
    struct owner guard = {.name = guard_name};
    if (error == HF_OK) {
        error = require_txt(update, &guard, guard_before);
    }
    assert(error == HF_OK);
    if (guard_after != NULL) {
        change_txt(update, &guard, guard_before->size > 0, guard_after, guard_after_size);
    }
    assert(update_fits(update));
    return update;
}

/* Writes a change to both sections without regard to room. */
static int add_change(struct hf_update *update, const struct hf_update_change *change,
                      const uint8_t *fence_name)
{
    struct owner fence = {.name = fence_name};
    int error = require_txt(update, &fence, &change->fence_before);
    if (error != HF_OK) {
        return error;
    }
    struct owner endpoint = {.name = change->endpoint};
    if (hf_name_size(change->endpoint) == update->zone_size) {
        endpoint.at = HEADER_SIZE;
    } else if (fence.at != 0 && fence.at + sizeof(HF_FENCE_LABEL) <= POINTER_MAX) {
        endpoint.at = fence.at + sizeof(HF_FENCE_LABEL); /* the length octet and the label */
    }
    require_records(update, change, &endpoint);
    if (!change->fence_only) {
        change_records(update, change, &endpoint);
    }
    change_txt(update, &fence, change->fence_before.size > 0, change->fence_after,
               change->fence_after_size);
    return HF_OK;
}

/* Differences and prerequisites rely on canonical order without duplicates. */
static bool run_is_sorted(const uint8_t *bytes, size_t count, size_t size)
{
    for (size_t i = 1; i < count; i++) {
        if (memcmp(bytes + (i - 1) * size, bytes + i * size, size) >= 0) {
            return false;
        }
    }
    return true;
}

static bool records_are_canonical(const struct hf_records *records)
{
    return records->a_count <= HF_RECORDS_MAX && records->aaaa_count <= HF_RECORDS_MAX &&
           run_is_sorted(records->bytes, records->a_count, A_SIZE) &&
           run_is_sorted(aaaa_of(records), records->aaaa_count, AAAA_SIZE);
}

int hf_update_add(struct hf_update *update, const struct hf_update_change *change)
{
    uint8_t fence_name[HF_NAME_MAX];
    if (!hf_name_is_within(change->endpoint, update->zone) ||
        hf_name_fence_of(change->endpoint, fence_name) != HF_OK ||
        !records_are_canonical(&change->before) || !records_are_canonical(&change->after)) {
        return HF_EINVAL;
    }
    const struct section pre = update->pre;
    const struct section upd = update->upd;
    int error = add_change(update, change, fence_name);
    if (error == HF_OK && !update_fits(update)) {
        error = HF_ELIMIT;
    }
    if (error != HF_OK) {
        update->pre = pre;
        update->upd = upd;
        return error;
    }
    update->change_count++;
    return HF_OK;
}

uint32_t hf_update_count(const struct hf_update *update)
{
    return update->change_count;
}

int hf_update_finish(struct hf_update *update, uint16_t message_id, const uint8_t **ret_wire,
                     size_t *ret_size, struct hf_tsig_state *ret_tsig)
{
    uint8_t *wire = update->wire;
    size_t size = update->pre.size + update->upd.size;
    assert(update_fits(update));
    memcpy(wire + update->pre.size, update->updates, update->upd.size);
    set_u16(wire + KNOT_WIRE_OFFSET_ID, message_id);
    set_u16(wire + KNOT_WIRE_OFFSET_ANCOUNT, update->pre.count);
    set_u16(wire + KNOT_WIRE_OFFSET_NSCOUNT, update->upd.count);
    set_u16(wire + KNOT_WIRE_OFFSET_ARCOUNT, 0); /* an earlier finish counted its TSIG record */

    struct hf_tsig_state tsig = {.digest_size = sizeof(tsig.digest)};
    if (update->key == NULL) {
        tsig.digest_size = 0;
    } else if (knot_tsig_sign(wire, &size, HF_UPDATE_WIRE_MAX, NULL, 0, tsig.digest,
                              &tsig.digest_size, update->key, 0, 0) != KNOT_EOK) {
        return HF_EINVAL;
    }
    *ret_wire = wire;
    *ret_size = size;
    *ret_tsig = tsig;
    return HF_OK;
}

void hf_update_free(struct hf_update *update)
{
    free(update);
}
