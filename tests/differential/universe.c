/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "universe.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <libknot/libknot.h>

#include "base/error.h"
#include "codec/fence.h"

enum {
    SOA_SERIAL_FROM_END = 20,
    SOA_REFRESH_S = 3600,
    SOA_VARIANTS = 4, /* the high half of the number */
};

static const char *const LABELS[OWNER_COUNT] = {
    [OWNER_APEX] = "",
    [OWNER_API] = "api.",
    [OWNER_WEB] = "web.",
    [OWNER_DB] = "db.api.",
    [OWNER_FENCE_APEX] = "_holdfast.",
    [OWNER_FENCE_API] = "_holdfast.api.",
    [OWNER_FENCE_WEB] = "_holdfast.web.",
    [OWNER_FENCE_DB] = "_holdfast.db.api.",
    [OWNER_GUARD] = "_holdfast-zone.",
    [OWNER_NS] = "ns.",
};

/* --- values --- */

static void add_value(struct universe *universe, uint16_t type, const void *bytes, size_t size)
{
    assert(universe->value_count < VALUES_MAX && size <= VALUE_SIZE_MAX);
    struct value *value = &universe->values[universe->value_count];
    value->type = type;
    value->number = universe_value_count(universe, type);
    value->size = (uint16_t)size;
    memcpy(value->bytes, bytes, size);
    universe->value_count++;
}

static void add_addresses(struct universe *universe)
{
    for (uint8_t i = 1; i <= 5; i++) {
        const uint8_t a[4] = {192, 0, 2, i};
        add_value(universe, KNOT_RRTYPE_A, a, sizeof(a));
    }
    for (uint8_t i = 1; i <= 4; i++) {
        const uint8_t aaaa[16] = {0x20, 1, 0xd, 0xb8, [15] = i};
        add_value(universe, KNOT_RRTYPE_AAAA, aaaa, sizeof(aaaa));
    }
}

static void add_texts(struct universe *universe)
{
    uint8_t rdata[HF_FENCE_RDATA_MAX];
    size_t size;
    for (uint64_t i = 1; i <= TXT_FENCES; i++) {
        struct hf_fence fence = {
            .kind = HF_FENCE_OURS, .gen = i, .sum = 0x9f86d081884c7d65 * i, .count = i};
        hf_fence_format("prod", "edge-1", &fence, rdata, &size);
        add_value(universe, KNOT_RRTYPE_TXT, rdata, size);
    }
    for (uint64_t i = 1; i <= TXT_GUARDS; i++) {
        struct hf_zone_guard guard = {.kind = HF_FENCE_OURS, .instance = 77, .floor = i};
        hf_zone_guard_format("prod", &guard, rdata, &size);
        add_value(universe, KNOT_RRTYPE_TXT, rdata, size);
    }
    add_value(universe, KNOT_RRTYPE_TXT, "\x05hello", 6);
    add_value(universe, KNOT_RRTYPE_TXT, "\x06hello ", 7);
    add_value(universe, KNOT_RRTYPE_TXT, "\x02he\x03llo", 7);
    add_value(universe, KNOT_RRTYPE_TXT, "\x05Hello", 6);
    add_value(universe, KNOT_RRTYPE_TXT, "\x00", 1);
    add_value(universe, KNOT_RRTYPE_TXT, "\x05\xff\\\"\x01;", 6);
}

static void add_names(struct universe *universe, const char *apex)
{
    static const char *const targets[] = {"api.%s", "web.%s", "other.example."};
    static const char *const servers[] = {"ns.%s", "ns1.example.", "ns2.example."};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char text[HF_NAME_TEXT_MAX];
        uint8_t name[HF_NAME_MAX];
        (void)snprintf(text, sizeof(text), servers[i], apex);
        int error = hf_name_parse(text, name);
        assert(error == HF_OK);
        add_value(universe, KNOT_RRTYPE_NS, name, hf_name_size(name));
        (void)snprintf(text, sizeof(text), targets[i], apex);
        error = hf_name_parse(text, name);
        assert(error == HF_OK);
        add_value(universe, KNOT_RRTYPE_CNAME, name, hf_name_size(name));
    }
}

static uint16_t soa_rdata(const struct universe *universe, uint64_t number, uint8_t *ret_bytes)
{
    uint32_t fields[] = {(uint32_t)number, SOA_REFRESH_S + (uint32_t)(number >> 32), 600, 86400, 5};
    const uint8_t *apex = universe->names[OWNER_APEX];
    const uint8_t *primary = universe->names[OWNER_NS];
    static const uint8_t mailbox[] = "\x0ahostmaster";
    uint8_t *at = ret_bytes;
    memcpy(at, primary, hf_name_size(primary));
    at += hf_name_size(primary);
    memcpy(at, mailbox, sizeof(mailbox) - 1);
    at += sizeof(mailbox) - 1;
    memcpy(at, apex, hf_name_size(apex));
    at += hf_name_size(apex);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            *at++ = (uint8_t)(fields[i] >> shift);
        }
    }
    return (uint16_t)(at - ret_bytes);
}

void universe_init(struct universe *universe, const char *apex)
{
    memset(universe, 0, sizeof(*universe));
    for (int i = 0; i < OWNER_COUNT; i++) {
        char text[HF_NAME_TEXT_MAX];
        (void)snprintf(text, sizeof(text), "%s%s", LABELS[i], apex);
        int error = hf_name_parse(text, universe->names[i]);
        assert(error == HF_OK);
    }
    int error = hf_name_parse("elsewhere.example.", universe->outside);
    assert(error == HF_OK);
    add_addresses(universe);
    add_texts(universe);
    add_names(universe, apex);
    add_value(universe, KNOT_RRTYPE_HINFO, "\x03pdp\x04unix", 9);
    add_value(universe, KNOT_RRTYPE_HINFO, "\x03vax\x03vms", 8);
    add_value(universe, TYPE_PRIVATE, "\x01", 1);
    add_value(universe, TYPE_PRIVATE, "\x01\x02\x03", 3);
}

const uint8_t *universe_name(const struct universe *universe, uint8_t owner)
{
    return owner < OWNER_COUNT ? universe->names[owner] : universe->outside;
}

uint8_t universe_owner(const struct universe *universe, const uint8_t *name)
{
    for (int i = 0; i < OWNER_COUNT; i++) {
        if (knot_dname_is_case_equal(universe->names[i], name)) {
            return (uint8_t)i;
        }
    }
    return HF_SERVER_OWNER_OUTSIDE;
}

uint32_t universe_value_count(const struct universe *universe, uint16_t type)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < universe->value_count; i++) {
        count += universe->values[i].type == type;
    }
    return type == KNOT_RRTYPE_SOA ? SOA_VARIANTS : count;
}

uint16_t universe_rdata(const struct universe *universe, const struct hf_server_rr *rr,
                        uint8_t *ret_bytes)
{
    if (rr->type == KNOT_RRTYPE_SOA) {
        return soa_rdata(universe, rr->rdata, ret_bytes);
    }
    for (uint32_t i = 0; i < universe->value_count; i++) {
        const struct value *value = &universe->values[i];
        if (value->type == rr->type && value->number == rr->rdata) {
            memcpy(ret_bytes, value->bytes, value->size);
            return value->size;
        }
    }
    memset(ret_bytes, 1, 4); /* of a type that has no values: something */
    return 4;
}

static bool rdata_equal(uint16_t type, const uint8_t *a, const uint8_t *b, size_t size)
{
    bool names = type == KNOT_RRTYPE_NS || type == KNOT_RRTYPE_CNAME;
    return names ? knot_dname_is_case_equal(a, b) : memcmp(a, b, size) == 0;
}

bool universe_number(const struct universe *universe, uint16_t type, const uint8_t *bytes,
                     uint16_t size, uint64_t *ret_number)
{
    if (type == KNOT_RRTYPE_SOA && size > SOA_SERIAL_FROM_END) {
        const uint8_t *at = bytes + size - SOA_SERIAL_FROM_END;
        uint64_t fields[2] = {0};
        for (int i = 0; i < 8; i++) {
            fields[i / 4] = fields[i / 4] << 8 | at[i];
        }
        uint8_t again[VALUE_SIZE_MAX];
        uint64_t number = (fields[1] - SOA_REFRESH_S) << 32 | fields[0];
        *ret_number = number;
        return soa_rdata(universe, number, again) == size && memcmp(again, bytes, size) == 0;
    }
    for (uint32_t i = 0; i < universe->value_count; i++) {
        const struct value *value = &universe->values[i];
        if (value->type == type && value->size == size &&
            rdata_equal(type, value->bytes, bytes, size)) {
            *ret_number = value->number;
            return true;
        }
    }
    return false;
}

void universe_start(struct hf_server_zone *zone, uint32_t serial)
{
    static const struct hf_server_rr rrs[] = {
        {.owner = OWNER_APEX, .type = KNOT_RRTYPE_NS, .rdata = 0, .ttl_s = START_TTL_S},
        {.owner = OWNER_NS, .type = KNOT_RRTYPE_A, .rdata = 0, .ttl_s = START_TTL_S},
        {.owner = OWNER_GUARD, .type = KNOT_RRTYPE_TXT, .rdata = TXT_FENCES},
        {.owner = OWNER_API, .type = KNOT_RRTYPE_A, .rdata = 0, .ttl_s = START_TTL_S},
        {.owner = OWNER_API, .type = KNOT_RRTYPE_A, .rdata = 1, .ttl_s = START_TTL_S},
        {.owner = OWNER_API, .type = KNOT_RRTYPE_AAAA, .rdata = 0, .ttl_s = START_TTL_S},
        {.owner = OWNER_FENCE_API, .type = KNOT_RRTYPE_TXT, .rdata = 0},
        {.owner = OWNER_WEB, .type = KNOT_RRTYPE_A, .rdata = 2, .ttl_s = START_TTL_S},
        {.owner = OWNER_FENCE_WEB, .type = KNOT_RRTYPE_TXT, .rdata = 1},
    };
    hf_server_zone_init(zone, serial);
    bool put = true;
    for (size_t i = 0; i < sizeof(rrs) / sizeof(rrs[0]); i++) {
        put &= hf_server_put(zone, &rrs[i]);
    }
    struct hf_server_rr soa = {
        .owner = OWNER_APEX, .type = KNOT_RRTYPE_SOA, .rdata = serial, .ttl_s = START_TTL_S};
    put &= hf_server_put(zone, &soa);
    assert(put);
}

void universe_show(const struct universe *universe, const struct hf_server_rr *rr, char *ret_text)
{
    char type[32] = "?";
    char class[32] = "?";
    uint8_t bytes[VALUE_SIZE_MAX];
    const char *label = rr->owner < OWNER_COUNT ? LABELS[rr->owner] : "OUTSIDE.";
    (void)knot_rrtype_to_string(rr->type, type, sizeof(type));
    (void)knot_rrclass_to_string(rr->class, class, sizeof(class));
    int at = snprintf(ret_text, RR_TEXT_MAX, "%s %u %s %s", label[0] == 0 ? "@" : label, rr->ttl_s,
                      class, type);
    if (!rr->has_rdata) {
        return;
    }
    uint16_t size = universe_rdata(universe, rr, bytes);
    at += snprintf(ret_text + at, (size_t)(RR_TEXT_MAX - at), " #%llu",
                   (unsigned long long)(rr->rdata & UINT32_MAX));
    if (rr->type == KNOT_RRTYPE_SOA) {
        (void)snprintf(ret_text + at, (size_t)(RR_TEXT_MAX - at), " refresh %u",
                       SOA_REFRESH_S + (unsigned)(rr->rdata >> 32));
        return;
    }
    for (uint16_t i = 0; i < size && i < 48; i++) {
        bool plain = bytes[i] > ' ' && bytes[i] < 127;
        at += snprintf(ret_text + at, (size_t)(RR_TEXT_MAX - at), plain ? "%s%c" : "%s\\%03u",
                       i == 0 ? " " : "", bytes[i]);
    }
}
