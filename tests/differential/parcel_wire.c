/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A parcel's octets. The writer is not the codec's, which could not write what is wrong. */
#include <assert.h>
#include <string.h>

#include "codec/name.h"
#include "parcel.h"

enum {
    HEADER_SIZE = 12,
    OPCODE_UPDATE_SHIFTED = 5 << 3,
    POINTER_FLAGS = 0xc000,
    POINTER_MAX = 0x3fff,
    UPPER_PERCENT = 40,
};

enum compression {
    COMPRESS_NOTHING,
    COMPRESS_ZONE,   /* against the zone section */
    COMPRESS_OWNERS, /* against the first record of the same owner */
    COMPRESSIONS,
};

struct writer {
    struct parcel *parcel;
    const struct universe *universe;
    struct random *random;
    enum compression compression;
    size_t owner_at[OWNER_COUNT];
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
    struct parcel *parcel = writer->parcel;
    assert(parcel->size + size <= sizeof(parcel->wire));
    memcpy(parcel->wire + parcel->size, bytes, size);
    parcel->size += size;
}

static void put_u16(struct writer *writer, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(writer, bytes, sizeof(bytes));
}

/* Octets of a name; letters become upper case here and there. */
static void put_labels(struct writer *writer, const uint8_t *name, size_t size)
{
    uint8_t copy[HF_NAME_MAX];
    memcpy(copy, name, size);
    for (size_t i = 0; writer->parcel->upper && i < size; i++) {
        if (copy[i] >= 'a' && copy[i] <= 'z' && random_percent(writer->random, UPPER_PERCENT)) {
            copy[i] = (uint8_t)(copy[i] - 'a' + 'A');
        }
    }
    put(writer, copy, size);
}

static void put_owner(struct writer *writer, uint8_t owner)
{
    const uint8_t *name = universe_name(writer->universe, owner);
    size_t size = hf_name_size(name);
    size_t apex_size = hf_name_size(universe_name(writer->universe, OWNER_APEX));
    size_t at = writer->parcel->size;
    bool inside = owner < OWNER_COUNT;
    if (inside && writer->compression == COMPRESS_OWNERS && writer->owner_at[owner] != 0) {
        put_u16(writer, (uint16_t)(POINTER_FLAGS | writer->owner_at[owner]));
        return;
    }
    if (inside && writer->compression != COMPRESS_NOTHING &&
        writer->parcel->message.zone_owner == OWNER_APEX) {
        put_labels(writer, name, size - apex_size);
        put_u16(writer, POINTER_FLAGS | HEADER_SIZE);
    } else {
        put_labels(writer, name, size);
    }
    if (inside && at <= POINTER_MAX) {
        writer->owner_at[owner] = at;
    }
}

static void put_rr(struct writer *writer, const struct hf_server_rr *rr)
{
    uint8_t rdata[VALUE_SIZE_MAX];
    uint16_t size = rr->has_rdata ? universe_rdata(writer->universe, rr, rdata) : 0;
    writer->parcel->last_owner_at = writer->parcel->size;
    put_owner(writer, rr->owner);
    put_u16(writer, rr->type);
    put_u16(writer, rr->class);
    put_u16(writer, (uint16_t)(rr->ttl_s >> 16));
    put_u16(writer, (uint16_t)rr->ttl_s);
    writer->parcel->last_rdlength_at = writer->parcel->size;
    put_u16(writer, size);
    put(writer, rdata, size);
}

void parcel_encode(struct parcel *parcel, const struct universe *universe, struct random *random)
{
    const struct hf_server_message *message = &parcel->message;
    struct writer writer = {.parcel = parcel, .universe = universe, .random = random};
    writer.compression = (enum compression)random_below(random, COMPRESSIONS);
    uint8_t header[HEADER_SIZE] = {[2] = OPCODE_UPDATE_SHIFTED, [5] = 1};
    knot_wire_set_ancount(header, (uint16_t)message->prerequisite_count);
    knot_wire_set_nscount(header, (uint16_t)message->update_count);
    parcel->size = 0;
    parcel->last_owner_at = parcel->last_rdlength_at = 0;
    put(&writer, header, sizeof(header));
    const uint8_t *zone = universe_name(universe, message->zone_owner);
    put_labels(&writer, zone, hf_name_size(zone));
    put_u16(&writer, message->zone_type);
    put_u16(&writer, message->zone_class);
    for (uint32_t i = 0; i < message->prerequisite_count + message->update_count; i++) {
        put_rr(&writer, &message->rrs[i]);
    }
}

static void take_section(struct parcel *parcel, const struct universe *universe, knot_pkt_t *pkt,
                         knot_section_t which)
{
    const knot_pktsection_t *section = knot_pkt_section(pkt, which);
    struct hf_server_message *message = &parcel->message;
    for (uint16_t i = 0; i < section->count; i++) {
        const knot_rrset_t *rrset = knot_pkt_rr(section, i);
        struct hf_server_rr rr = {.owner = universe_owner(universe, rrset->owner),
                                  .type = rrset->type,
                                  .class = rrset->rclass,
                                  .ttl_s = rrset->ttl};
        const knot_rdata_t *rdata = rrset->rrs.rdata;
        rr.has_rdata = rrset->rrs.count > 0 && rdata->len > 0;
        bool known =
            !rr.has_rdata || universe_number(universe, rr.type, rdata->data, rdata->len, &rr.rdata);
        assert(known && rr.owner != HF_SERVER_OWNER_OUTSIDE);
        parcel_add(parcel, &rr);
        if (which == KNOT_ANSWER) {
            message->prerequisite_count++;
            message->update_count--;
        }
    }
}

/* Of a message that somebody else has written: message is made from wire. */
void parcel_decode(struct parcel *parcel, const struct universe *universe)
{
    knot_pkt_t *pkt = knot_pkt_new(parcel->wire, (uint16_t)parcel->size, NULL);
    int error = knot_pkt_parse(pkt, 0);
    assert(error == KNOT_EOK);
    parcel->message = (struct hf_server_message){
        .zone_owner = universe_owner(universe, knot_pkt_qname(pkt)),
        .zone_type = knot_pkt_qtype(pkt),
        .zone_class = knot_pkt_qclass(pkt),
    };
    take_section(parcel, universe, pkt, KNOT_ANSWER);
    take_section(parcel, universe, pkt, KNOT_AUTHORITY);
    knot_pkt_free(pkt);
}

void parcel_sign(struct parcel *parcel, const knot_tsig_key_t *key, uint16_t message_id)
{
    uint8_t digest[64];
    size_t digest_size = sizeof(digest);
    knot_wire_set_id(parcel->wire, message_id);
    int error = knot_tsig_sign(parcel->wire, &parcel->size, sizeof(parcel->wire), NULL, 0, digest,
                               &digest_size, key, 0, 0);
    assert(error == KNOT_EOK);
}
