/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One error in a message: in what its records say (malform), or in its octets (break). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "parcel.h"

enum { CUT_MAX = 12, GARBAGE_MAX = 16 };

static void say(struct parcel *parcel, const char *what)
{
    (void)snprintf(parcel->what, sizeof(parcel->what), "%s", what);
}

/* Makes room for a record among the prerequisites. */
static void require_at_random(struct parcel *parcel, struct random *random,
                              const struct hf_server_rr *rr)
{
    struct hf_server_message *message = &parcel->message;
    uint32_t at = random_below(random, message->prerequisite_count + 1);
    uint32_t count = message->prerequisite_count + message->update_count;
    assert(count < HF_SERVER_MESSAGE_RRS_MAX);
    memmove(&message->rrs[at + 1], &message->rrs[at], (count - at) * sizeof(message->rrs[0]));
    message->rrs[at] = *rr;
    message->prerequisite_count++;
}

static void update_at_random(struct parcel *parcel, struct random *random,
                             const struct hf_server_rr *rr)
{
    struct hf_server_message *message = &parcel->message;
    parcel_add(parcel, rr);
    struct hf_server_rr *updates = &message->rrs[message->prerequisite_count];
    uint32_t at = random_below(random, message->update_count);
    struct hf_server_rr last = updates[message->update_count - 1];
    updates[message->update_count - 1] = updates[at];
    updates[at] = last;
}

struct slip {
    const char *what;
    bool prerequisite;
    struct hf_server_rr rr;
};

static const struct slip SLIPS[] = {
    {"prerequisite of class IN with a TTL",
     true,
     {.class = 1, .type = 1, .has_rdata = true, .ttl_s = 1}},
    {"prerequisite of class ANY with a TTL", true, {.class = 255, .type = 1, .ttl_s = 60}},
    {"prerequisite of class NONE with a TTL", true, {.class = 254, .type = 28, .ttl_s = 60}},
    {"prerequisite of class CH", true, {.class = 3, .type = 16, .has_rdata = true}},
    {"prerequisite of class ANY with RDATA", true, {.class = 255, .type = 1, .has_rdata = true}},
    {"prerequisite of class NONE with RDATA", true, {.class = 254, .type = 28, .has_rdata = true}},
    {"prerequisite of class IN, type ANY", true, {.class = 1, .type = 255, .has_rdata = true}},
    {"prerequisite outside of the zone, RRset exists",
     true,
     {.owner = 255, .class = 255, .type = 1}},
    {"prerequisite outside of the zone, RRset does not exist",
     true,
     {.owner = 255, .class = 254, .type = 1}},
    {"prerequisite outside of the zone, value",
     true,
     {.owner = 255, .class = 1, .type = 1, .has_rdata = true}},
    {"update of class CH", false, {.class = 3, .type = 16, .has_rdata = true}},
    {"update outside of the zone, addition",
     false,
     {.owner = 255, .class = 1, .type = 1, .has_rdata = true, .ttl_s = 60}},
    {"update outside of the zone, deletion", false, {.owner = 255, .class = 255, .type = 1}},
    {"addition of type ANY", false, {.class = 1, .type = 255, .has_rdata = true, .ttl_s = 60}},
    {"addition of type AXFR", false, {.class = 1, .type = 252, .has_rdata = true, .ttl_s = 60}},
    {"deletion of an RRset with a TTL", false, {.class = 255, .type = 1, .ttl_s = 60}},
    {"deletion of an RRset with RDATA", false, {.class = 255, .type = 1, .has_rdata = true}},
    {"deletion of an RRset of type AXFR", false, {.class = 255, .type = 252}},
    {"deletion of a record with a TTL",
     false,
     {.class = 254, .type = 1, .has_rdata = true, .ttl_s = 60}},
    {"deletion of a record of type ANY", false, {.class = 254, .type = 255, .has_rdata = true}},
};

enum { SLIP_COUNT = sizeof(SLIPS) / sizeof(SLIPS[0]), ZONE_SLIP_COUNT = 4 };

static void malform_zone(struct parcel *parcel, uint32_t which)
{
    struct hf_server_message *message = &parcel->message;
    switch (which) {
    case 0:
        say(parcel, "zone section of type A");
        message->zone_type = KNOT_RRTYPE_A;
        break;
    case 1:
        say(parcel, "zone section of class CH");
        message->zone_class = KNOT_CLASS_CH;
        break;
    case 2:
        say(parcel, "zone section of a name in the zone");
        message->zone_owner = OWNER_API;
        break;
    default:
        say(parcel, "zone section of a zone that the server does not have");
        message->zone_owner = HF_SERVER_OWNER_OUTSIDE;
        break;
    }
}

void parcel_malform(struct parcel *parcel, struct random *random)
{
    uint32_t which = random_below(random, SLIP_COUNT + ZONE_SLIP_COUNT);
    if (which >= SLIP_COUNT) {
        malform_zone(parcel, which - SLIP_COUNT);
        return;
    }
    const struct slip *slip = &SLIPS[which];
    struct hf_server_rr rr = slip->rr;
    if (rr.owner == 0) {
        rr.owner = (uint8_t)random_below(random, OWNER_COUNT);
    }
    say(parcel, slip->what);
    if (slip->prerequisite) {
        require_at_random(parcel, random, &rr);
    } else {
        update_at_random(parcel, random, &rr);
    }
}

static void append(struct parcel *parcel, struct random *random, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        parcel->wire[parcel->size++] = (uint8_t)random_below(random, 256);
    }
}

static void add_to_u16(uint8_t *at, int value)
{
    uint32_t sum = (uint32_t)(at[0] << 8 | at[1]) + (uint32_t)value;
    at[0] = (uint8_t)(sum >> 8);
    at[1] = (uint8_t)sum;
}

/* Of the last record: its owner or its RDLENGTH. Without a record the zone section is broken. */
static void break_record(struct parcel *parcel, uint32_t which)
{
    uint8_t *owner = parcel->wire + parcel->last_owner_at;
    switch (which) {
    case 0:
        say(parcel, "RDLENGTH one too high");
        add_to_u16(parcel->wire + parcel->last_rdlength_at, 1);
        break;
    case 1:
        say(parcel, "RDLENGTH 4000 too high");
        add_to_u16(parcel->wire + parcel->last_rdlength_at, 4000);
        break;
    case 2:
        say(parcel, "owner points to itself");
        owner[0] = (uint8_t)(0xc0 | parcel->last_owner_at >> 8);
        owner[1] = (uint8_t)parcel->last_owner_at;
        break;
    default:
        say(parcel, "owner with a label of an unknown form");
        owner[0] = 0x40 | 5;
        break;
    }
}

void parcel_break(struct parcel *parcel, struct random *random)
{
    uint32_t which = random_below(random, parcel->last_owner_at > 0 ? 10 : 6);
    parcel->broken = true;
    switch (which) {
    case 0:
        say(parcel, "octets are missing");
        parcel->size -= 1 + random_below(random, parcel->last_owner_at > 0 ? CUT_MAX : 4);
        break;
    case 1:
        say(parcel, "octets behind the records");
        append(parcel, random, 1 + random_below(random, GARBAGE_MAX));
        break;
    case 2:
        say(parcel, "no zone section");
        knot_wire_set_qdcount(parcel->wire, 0);
        break;
    case 3:
        say(parcel, "two zones are announced");
        knot_wire_set_qdcount(parcel->wire, 2);
        break;
    case 4:
        say(parcel, "one more prerequisite is announced");
        knot_wire_add_ancount(parcel->wire, 1);
        break;
    case 5:
        say(parcel, "one more update is announced");
        knot_wire_add_nscount(parcel->wire, 1);
        break;
    default:
        break_record(parcel, which - 6);
        break;
    }
}
