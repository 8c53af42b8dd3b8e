/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "parcel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    PREREQUISITES_MAX = 4,
    UPDATES_MAX = 8,
    OTHER_PERCENT = 10, /* that an endpoint's or fence's name holds a type that is not its own */
    SERIAL_STEP_MAX = 5,
};

static const uint32_t WEIGHTS[CATEGORY_COUNT] = {
    [CATEGORY_HOLDFAST] = 35, [CATEGORY_DRIFTED] = 5, [CATEGORY_VALID] = 15,
    [CATEGORY_FAILING] = 10,  [CATEGORY_ODD] = 20,    [CATEGORY_MALFORMED] = 10,
    [CATEGORY_BROKEN] = 5,
};

static const uint32_t TTLS_S[] = {0, 30, 60, 60, 60, 86400};

/* What a generator of records works with. */
struct maker {
    struct parcel *parcel;
    const struct universe *universe;
    const struct hf_server_zone *zone;
    struct random *random;
};

const char *category_name(enum category category)
{
    static const char *const names[CATEGORY_COUNT] = {
        [CATEGORY_HOLDFAST] = "holdfast", [CATEGORY_DRIFTED] = "drifted",
        [CATEGORY_VALID] = "valid",       [CATEGORY_FAILING] = "failing",
        [CATEGORY_ODD] = "odd",           [CATEGORY_MALFORMED] = "malformed",
        [CATEGORY_BROKEN] = "broken",
    };
    return names[category];
}

void parcel_add(struct parcel *parcel, const struct hf_server_rr *rr)
{
    struct hf_server_message *message = &parcel->message;
    uint32_t count = message->prerequisite_count + message->update_count;
    assert(count < HF_SERVER_MESSAGE_RRS_MAX);
    message->rrs[count] = *rr;
    message->update_count++;
}

static void require(struct parcel *parcel, const struct hf_server_rr *rr)
{
    assert(parcel->message.update_count == 0);
    parcel_add(parcel, rr);
    parcel->message.prerequisite_count++;
    parcel->message.update_count--;
}

/* --- random names, types and values --- */

static uint8_t draw_owner(const struct maker *maker)
{
    return (uint8_t)random_below(maker->random, OWNER_COUNT);
}

static bool owner_is_text(uint8_t owner)
{
    return owner >= OWNER_FENCE_APEX && owner <= OWNER_GUARD;
}

static uint16_t draw_type(const struct maker *maker, uint8_t owner)
{
    static const uint16_t types[] = {KNOT_RRTYPE_A,     KNOT_RRTYPE_A,  KNOT_RRTYPE_AAAA,
                                     KNOT_RRTYPE_TXT,   KNOT_RRTYPE_NS, KNOT_RRTYPE_CNAME,
                                     KNOT_RRTYPE_HINFO, TYPE_PRIVATE};
    bool other = random_percent(maker->random, OTHER_PERCENT);
    if (owner_is_text(owner) && !other) {
        return KNOT_RRTYPE_TXT;
    }
    uint32_t count = other ? (uint32_t)(sizeof(types) / sizeof(types[0])) : 4;
    uint16_t type = types[random_below(maker->random, count)];
    /* A fence beside a CNAME: docs/internals/servers.md. */
    return owner_is_text(owner) && type == KNOT_RRTYPE_CNAME ? KNOT_RRTYPE_HINFO : type;
}

/* Names of fences and guards hold nothing but fences and guards: as texts, that is. */
static uint64_t draw_rdata(const struct maker *maker, uint8_t owner, uint16_t type)
{
    if (type == KNOT_RRTYPE_TXT && owner_is_text(owner)) {
        return owner == OWNER_GUARD ? TXT_FENCES + random_below(maker->random, TXT_GUARDS)
                                    : random_below(maker->random, TXT_FENCES);
    }
    uint64_t number = random_below(maker->random, universe_value_count(maker->universe, type));
    if (type == KNOT_RRTYPE_SOA) {
        uint32_t step = random_below(maker->random, 2 * SERIAL_STEP_MAX + 1);
        number = number << 32 | (uint32_t)(hf_server_serial(maker->zone) + step - SERIAL_STEP_MAX);
    }
    return number;
}

static struct hf_server_rr draw_rr(const struct maker *maker)
{
    struct hf_server_rr rr = {.owner = draw_owner(maker), .class = KNOT_CLASS_IN};
    rr.type = draw_type(maker, rr.owner);
    rr.rdata = draw_rdata(maker, rr.owner, rr.type);
    rr.has_rdata = true;
    return rr;
}

/* A record of the zone, but not its SOA. */
static struct hf_server_rr draw_existing(const struct maker *maker)
{
    struct hf_server_rr rr;
    do {
        rr = maker->zone->rrs[random_below(maker->random, maker->zone->count)];
    } while (rr.type == KNOT_RRTYPE_SOA);
    return rr;
}

static uint32_t count_of(const struct maker *maker, uint8_t owner, uint16_t type)
{
    const struct hf_server_rr *first;
    return hf_server_rrset(maker->zone, owner, type, &first);
}

static bool name_is_used(const struct maker *maker, uint8_t owner)
{
    bool used = false;
    for (uint32_t i = 0; i < maker->zone->count; i++) {
        used |= maker->zone->rrs[i].owner == owner;
    }
    return used;
}

/* --- prerequisites --- */

static bool rrset_has(const struct hf_server_rr *rrs, uint32_t count, uint64_t rdata)
{
    bool has = false;
    for (uint32_t i = 0; i < count; i++) {
        has |= rrs[i].rdata == rdata;
    }
    return has;
}

/* Repetitions are odd; see repeat_requirement. */
static bool value_is_required(const struct parcel *parcel, const struct hf_server_rr *rr)
{
    bool required = false;
    for (uint32_t i = 0; i < parcel->message.prerequisite_count; i++) {
        const struct hf_server_rr *other = &parcel->message.rrs[i];
        required |=
            other->owner == rr->owner && other->type == rr->type && other->class == KNOT_CLASS_IN;
    }
    return required;
}

static void require_value(const struct maker *maker, bool holds)
{
    struct hf_server_rr rr = draw_existing(maker);
    const struct hf_server_rr *rrs;
    uint32_t count = hf_server_rrset(maker->zone, rr.owner, rr.type, &rrs);
    uint32_t lacking = holds ? count : random_below(maker->random, count);
    uint32_t first = random_below(maker->random, count);
    if (value_is_required(maker->parcel, &rr)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i != lacking) {
            rr = rrs[(first + i) % count];
            rr.ttl_s = 0;
            require(maker->parcel, &rr);
        }
    }
    if (!holds && (count == 1 || random_percent(maker->random, 50))) {
        rr.ttl_s = 0;
        rr.rdata = draw_rdata(maker, rr.owner, rr.type);
        if (!rrset_has(rrs, count, rr.rdata)) {
            require(maker->parcel, &rr);
        }
    }
}

/* The model says whether it holds: what was drawn may say the opposite by chance. */
static void require_one(const struct maker *maker, bool holds)
{
    struct hf_server_rr rr = draw_rr(maker);
    uint32_t form = random_below(maker->random, 5);
    if (form == 4) {
        require_value(maker, holds);
        return;
    }
    bool must_exist = form % 2 == 0;
    bool name = form >= 2;
    for (uint32_t tries = 0; tries < 100; tries++) {
        bool exists = name ? name_is_used(maker, rr.owner) : count_of(maker, rr.owner, rr.type) > 0;
        if ((exists == must_exist) == holds) {
            break;
        }
        rr = exists ? draw_rr(maker) : draw_existing(maker);
    }
    rr.class = must_exist ? KNOT_CLASS_ANY : KNOT_CLASS_NONE;
    rr.type = name ? KNOT_RRTYPE_ANY : rr.type;
    rr.has_rdata = false;
    rr.rdata = 0;
    rr.ttl_s = 0;
    require(maker->parcel, &rr);
}

static void require_some(const struct maker *maker, bool holds)
{
    uint32_t count = random_below(maker->random, PREREQUISITES_MAX) + !holds;
    uint32_t failing = holds ? count : random_below(maker->random, count);
    for (uint32_t i = 0; i < count; i++) {
        require_one(maker, i != failing);
    }
}

/* --- updates --- */

static void delete_one(const struct maker *maker)
{
    bool existing = random_percent(maker->random, 75);
    struct hf_server_rr rr = existing ? draw_existing(maker) : draw_rr(maker);
    uint32_t form = random_below(maker->random, 5);
    rr.class = form < 2 ? KNOT_CLASS_NONE : KNOT_CLASS_ANY;
    rr.type = form == 4 ? KNOT_RRTYPE_ANY : rr.type;
    rr.has_rdata = form < 2;
    rr.rdata = form < 2 ? rr.rdata : 0;
    rr.ttl_s = 0;
    parcel_add(maker->parcel, &rr);
}

static void add_one(const struct maker *maker)
{
    struct hf_server_rr rr = draw_rr(maker);
    rr.ttl_s = TTLS_S[random_below(maker->random, sizeof(TTLS_S) / sizeof(TTLS_S[0]))];
    if (rr.owner == OWNER_APEX && rr.type == KNOT_RRTYPE_NS) {
        rr.ttl_s = START_TTL_S; /* Knot would never change it back */
    }
    parcel_add(maker->parcel, &rr);
}

/* Nothing that any section of the RFC has a special word for. */
static bool addition_is_plain(const struct maker *maker, const struct hf_server_rr *rr)
{
    const struct hf_server_message *message = &maker->parcel->message;
    const struct hf_server_rr *rrs;
    bool used = name_is_used(maker, rr->owner);
    bool plain =
        rr->type != KNOT_RRTYPE_CNAME ? count_of(maker, rr->owner, KNOT_RRTYPE_CNAME) == 0 : !used;
    if (hf_server_rrset(maker->zone, rr->owner, rr->type, &rrs) > 0) {
        plain &= rrs[0].ttl_s == rr->ttl_s;
    }
    for (uint32_t i = 0; i < message->update_count; i++) {
        const struct hf_server_rr *other = &message->rrs[message->prerequisite_count + i];
        bool same = other->owner == rr->owner;
        bool cname = rr->type == KNOT_RRTYPE_CNAME || other->type == KNOT_RRTYPE_CNAME;
        plain &= !same || (!cname && (other->type != rr->type || other->class != KNOT_CLASS_IN ||
                                      other->ttl_s == rr->ttl_s));
    }
    return plain && rr->type != KNOT_RRTYPE_NS;
}

static void update_plainly(const struct maker *maker)
{
    struct hf_server_message *message = &maker->parcel->message;
    uint32_t deletions = random_below(maker->random, UPDATES_MAX / 2);
    uint32_t additions = random_below(maker->random, UPDATES_MAX / 2);
    for (uint32_t i = 0; i < deletions; i++) {
        delete_one(maker);
        struct hf_server_rr *last =
            &message->rrs[message->prerequisite_count + message->update_count - 1];
        if (last->owner == OWNER_APEX || last->owner == OWNER_NS) {
            message->update_count--;
        }
    }
    for (uint32_t i = 0; i < additions; i++) {
        add_one(maker);
        struct hf_server_rr last =
            message->rrs[message->prerequisite_count + message->update_count - 1];
        message->update_count--;
        if (addition_is_plain(maker, &last)) {
            parcel_add(maker->parcel, &last);
        }
    }
}

/* --- what is legal, and odd --- */

static void repeat_one(const struct maker *maker)
{
    struct hf_server_message *message = &maker->parcel->message;
    uint32_t count = message->update_count;
    if (count > 0) {
        struct hf_server_rr rr =
            message->rrs[message->prerequisite_count + random_below(maker->random, count)];
        parcel_add(maker->parcel, &rr);
    }
}

static void touch_apex(const struct maker *maker)
{
    static const uint16_t types[] = {KNOT_RRTYPE_SOA, KNOT_RRTYPE_NS, KNOT_RRTYPE_ANY,
                                     KNOT_RRTYPE_CNAME};
    static const uint16_t classes[] = {KNOT_CLASS_IN, KNOT_CLASS_NONE, KNOT_CLASS_ANY};
    uint16_t class = classes[random_below(maker->random, 3)];
    uint16_t type = types[random_below(maker->random, class == KNOT_CLASS_ANY ? 3 : 2)];
    struct hf_server_rr rr = {.owner = OWNER_APEX, .type = type, .class = class};
    if (type == KNOT_RRTYPE_SOA && random_percent(maker->random, 20)) {
        rr.owner = OWNER_API;
    }
    rr.has_rdata = class != KNOT_CLASS_ANY;
    rr.rdata = rr.has_rdata ? draw_rdata(maker, rr.owner, type) : 0;
    rr.ttl_s = class == KNOT_CLASS_IN ? START_TTL_S : 0;
    parcel_add(maker->parcel, &rr);
}

static void touch_cname(const struct maker *maker)
{
    struct hf_server_rr rr = {.owner = (uint8_t)random_below(maker->random, ENDPOINT_COUNT),
                              .type = KNOT_RRTYPE_CNAME,
                              .class = KNOT_CLASS_IN,
                              .has_rdata = true,
                              .ttl_s = 60};
    rr.rdata = draw_rdata(maker, rr.owner, rr.type);
    parcel_add(maker->parcel, &rr);
}

/* A prerequisite twice: the RRset is the same (section 3.2.3). */
static void repeat_requirement(struct parcel *parcel, struct random *random)
{
    struct hf_server_message *message = &parcel->message;
    if (message->prerequisite_count > 0) {
        struct hf_server_rr rr = message->rrs[random_below(random, message->prerequisite_count)];
        require(parcel, &rr);
    }
}

static void update_oddly(const struct maker *maker)
{
    uint32_t count = random_below(maker->random, UPDATES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        switch (random_below(maker->random, 8)) {
        case 0:
            repeat_one(maker);
            break;
        case 1:
            touch_apex(maker);
            break;
        case 2:
            touch_cname(maker);
            break;
        case 3:
        case 4:
            delete_one(maker);
            break;
        default:
            add_one(maker);
            break;
        }
    }
}

/* --- whole messages --- */

static void generate_message(const struct maker *maker)
{
    struct parcel *parcel = maker->parcel;
    require_some(maker, parcel->category != CATEGORY_FAILING);
    if (parcel->category == CATEGORY_ODD && random_percent(maker->random, 20)) {
        repeat_requirement(parcel, maker->random);
    }
    if (parcel->category == CATEGORY_ODD) {
        update_oddly(maker);
        parcel->upper = random_percent(maker->random, 25);
    } else {
        update_plainly(maker);
    }
    if (parcel->category == CATEGORY_MALFORMED) {
        parcel_malform(parcel, maker->random);
    }
    parcel_encode(parcel, maker->universe, maker->random);
    if (parcel->category == CATEGORY_BROKEN) {
        parcel_break(parcel, maker->random);
    }
}

static void begin(struct parcel *parcel)
{
    memset(&parcel->message, 0, sizeof(parcel->message));
    parcel->message.zone_owner = OWNER_APEX;
    parcel->message.zone_type = KNOT_RRTYPE_SOA;
    parcel->message.zone_class = KNOT_CLASS_IN;
    parcel->what[0] = 0;
    parcel->broken = parcel->upper = false;
    parcel->size = 0;
}

void parcel_generate(struct parcel *parcel, const struct universe *universe,
                     const struct hf_server_zone *zone, struct random *random)
{
    struct maker maker = {.parcel = parcel, .universe = universe, .zone = zone, .random = random};
    uint32_t at = random_below(random, 100);
    parcel->category = 0;
    while (at >= WEIGHTS[parcel->category]) {
        at -= WEIGHTS[parcel->category];
        parcel->category++;
        assert(parcel->category < CATEGORY_COUNT);
    }
    begin(parcel);
    if (parcel->category == CATEGORY_HOLDFAST || parcel->category == CATEGORY_DRIFTED) {
        parcel_holdfast(parcel, universe, zone, random);
    } else {
        generate_message(&maker);
    }
}

void parcel_reset(struct parcel *parcel, const struct universe *universe,
                  const struct hf_server_zone *zone, struct random *random)
{
    struct hf_server_zone start;
    begin(parcel);
    universe_start(&start, hf_server_serial(zone) + 1);
    for (uint32_t i = 0; i < zone->count; i++) {
        struct hf_server_rr rr = zone->rrs[i];
        const struct hf_server_rr *rrs;
        bool apex =
            rr.owner == OWNER_APEX && (rr.type == KNOT_RRTYPE_SOA || rr.type == KNOT_RRTYPE_NS);
        if (!apex && hf_server_rrset(zone, rr.owner, rr.type, &rrs) > 0 && rrs == &zone->rrs[i]) {
            rr = (struct hf_server_rr){.owner = rr.owner, .type = rr.type, .class = KNOT_CLASS_ANY};
            parcel_add(parcel, &rr);
        }
    }
    for (uint32_t i = 0; i < start.count; i++) {
        parcel_add(parcel, &start.rrs[i]);
    }
    /* The apex's own NS is there by now, so that the others can go. */
    for (uint32_t i = 0; i < zone->count; i++) {
        struct hf_server_rr rr = zone->rrs[i];
        if (rr.owner == OWNER_APEX && rr.type == KNOT_RRTYPE_NS && rr.rdata > 0) {
            rr.class = KNOT_CLASS_NONE;
            rr.ttl_s = 0;
            parcel_add(parcel, &rr);
        }
    }
    parcel_encode(parcel, universe, random);
}
