/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zone: UPDATE messages as codec/update.c builds them, what is read, what must hold. */
#include <assert.h>

#include "lab/world_internal.h"

enum {
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    CLASS_NONE = 254,
    CLASS_ANY = 255,
    RCODE_NOERROR = 0,
    OWNER_GUARD = 1,
    TTL_S = 30,
    RDATA_A = 0x10, /* of the first member */
    RDATA_AAAA = 0x20,
    RDATA_ALIEN = 0x90,
};

static uint8_t owner_of(uint32_t endpoint)
{
    return (uint8_t)(2 + 2 * endpoint);
}

static uint8_t fence_owner_of(uint32_t endpoint)
{
    return (uint8_t)(3 + 2 * endpoint);
}

/* --- reading --- */

static hf_world_value look_txt(const struct hf_server_zone *zone, uint8_t owner)
{
    const struct hf_server_rr *first;
    uint32_t count = hf_server_rrset(zone, owner, TYPE_TXT, &first);
    assert(count <= 1);
    return count == 0 ? HF_VALUE_ABSENT : first->rdata;
}

static uint32_t look_addresses(const struct hf_server_zone *zone, uint8_t owner, uint16_t type,
                               uint64_t base, uint32_t shift)
{
    const struct hf_server_rr *first;
    uint32_t count = hf_server_rrset(zone, owner, type, &first);
    uint32_t content = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_alien = first[i].rdata >= RDATA_ALIEN;
        content |= is_alien ? HF_CONTENT_ALIEN : 1U << (first[i].rdata - base + shift);
    }
    return content;
}

void hf_world_look(const struct hf_server_zone *zone, uint32_t endpoint,
                   struct hf_world_view *ret_view)
{
    uint8_t owner = owner_of(endpoint);
    const struct hf_server_rr *first;
    ret_view->fence = look_txt(zone, fence_owner_of(endpoint));
    uint32_t content = look_addresses(zone, owner, TYPE_A, RDATA_A, 0) |
                       look_addresses(zone, owner, TYPE_AAAA, RDATA_AAAA, 4);
    ret_view->records = content == HF_CONTENT_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    ret_view->content = (uint16_t)(content & HF_CONTENT_ALIEN ? HF_CONTENT_ALIEN : content);
    if (hf_server_rrset(zone, owner, TYPE_CNAME, &first) > 0) {
        ret_view->records = HF_RECORDS_OTHER;
        ret_view->content = HF_CONTENT_EMPTY;
    }
}

hf_world_value hf_world_look_guard(const struct hf_server_zone *zone)
{
    return look_txt(zone, OWNER_GUARD);
}

/* --- messages --- */

static void add_rr(struct hf_server_message *message, uint8_t owner, uint16_t type, uint16_t class,
                   uint32_t ttl_s, uint64_t rdata)
{
    uint32_t at = message->prerequisite_count + message->update_count;
    assert(at < HF_SERVER_MESSAGE_RRS_MAX);
    message->rrs[at] = (struct hf_server_rr){.owner = owner,
                                             .type = type,
                                             .class = class,
                                             .ttl_s = ttl_s,
                                             .rdata = rdata,
                                             .has_rdata = class == CLASS_IN};
}

static void require_rr(struct hf_server_message *message, uint8_t owner, uint16_t type,
                       uint16_t class, uint64_t rdata)
{
    add_rr(message, owner, type, class, 0, rdata);
    message->prerequisite_count++;
}

static void update_rr(struct hf_server_message *message, uint8_t owner, uint16_t type,
                      uint16_t class, uint32_t ttl_s, uint64_t rdata)
{
    add_rr(message, owner, type, class, ttl_s, rdata);
    message->update_count++;
}

/* RFC 2136 section 2.5.4. */
static void delete_rr(struct hf_server_message *message, uint8_t owner, uint16_t type,
                      uint64_t rdata)
{
    update_rr(message, owner, type, CLASS_NONE, 0, rdata);
    message->rrs[message->prerequisite_count + message->update_count - 1].has_rdata = true;
}

static void require_txt(struct hf_server_message *message, uint8_t owner, hf_world_value txt)
{
    bool is_absent = txt == HF_VALUE_ABSENT;
    require_rr(message, owner, TYPE_TXT, is_absent ? CLASS_NONE : CLASS_IN, is_absent ? 0 : txt);
    if (is_absent) {
        require_rr(message, owner, TYPE_CNAME, CLASS_NONE, 0);
    }
}

static void require_addresses(struct hf_server_message *message, uint8_t owner, uint16_t type,
                              uint64_t base, uint32_t bits)
{
    if (bits == 0) {
        require_rr(message, owner, type, CLASS_NONE, 0);
    }
    for (uint32_t i = 0; i < HF_WORLD_MEMBERS_MAX; i++) {
        if (hf_bit8(bits, i)) {
            require_rr(message, owner, type, CLASS_IN, base + i);
        }
    }
}

static void require_site(struct hf_server_message *message, const struct hf_world *world,
                         const struct hf_world_flight *flight, uint32_t e)
{
    if (world->shape.canary != HF_WORLD_NO_FENCE) {
        require_txt(message, fence_owner_of(e), flight->before[e]);
    }
    if (world->shape.canary == HF_WORLD_NO_RECORDS) {
        return;
    }
    uint8_t owner = owner_of(e);
    if (flight->records[e] == HF_RECORDS_NONE) {
        require_rr(message, owner, TYPE_A, CLASS_NONE, 0);
        require_rr(message, owner, TYPE_AAAA, CLASS_NONE, 0);
        require_rr(message, owner, TYPE_CNAME, CLASS_NONE, 0);
    } else if (flight->records[e] == HF_RECORDS_SUM) {
        require_addresses(message, owner, TYPE_A, RDATA_A, flight->content[e] & 15U);
        require_addresses(message, owner, TYPE_AAAA, RDATA_AAAA, flight->content[e] >> 4);
    }
}

static void add_addresses(struct hf_server_message *message, uint8_t owner, uint16_t type,
                          uint64_t base, uint32_t bits)
{
    for (uint32_t i = 0; i < HF_WORLD_MEMBERS_MAX; i++) {
        if (hf_bit8(bits, i)) {
            update_rr(message, owner, type, CLASS_IN, TTL_S, base + i);
        }
    }
}

static void replace_txt(struct hf_server_message *message, uint8_t owner, hf_world_value before,
                        hf_world_value after)
{
    if (before != HF_VALUE_ABSENT) {
        update_rr(message, owner, TYPE_TXT, CLASS_ANY, 0, 0);
    }
    if (after != 0) {
        update_rr(message, owner, TYPE_TXT, CLASS_IN, 0, after);
    }
}

/* The records that differ; as change_rrset in codec/update.c. */
static void change_addresses(struct hf_server_message *message, uint8_t owner, uint16_t type,
                             uint64_t base, uint32_t before, uint32_t after)
{
    if ((before & after) == 0) {
        if (before != 0) {
            update_rr(message, owner, type, CLASS_ANY, 0, 0);
        }
        add_addresses(message, owner, type, base, after);
        return;
    }
    for (uint32_t i = 0; i < HF_WORLD_MEMBERS_MAX; i++) {
        if (hf_bit8(before & ~after, i)) {
            delete_rr(message, owner, type, base + i);
        }
    }
    bool only_deletes = (before & ~after) != 0 && (after & ~before) == 0;
    uint32_t kept = after & -after; /* one that stays: never empty, whatever hands did */
    add_addresses(message, owner, type, base, only_deletes ? kept : after & ~before);
}

/* Deletions before additions, the fence last. */
static void change_site(struct hf_server_message *message, const struct hf_world_flight *flight,
                        uint32_t e)
{
    uint8_t owner = owner_of(e);
    bool fence_only = flight->janitor || flight->records[e] == HF_RECORDS_SUM;
    uint32_t content = hf_world_value_content(flight->after[e]);
    if (hf_bit8(flight->audited, e)) {
        uint32_t before = flight->content[e];
        change_addresses(message, owner, TYPE_A, RDATA_A, before & 15U, content & 15U);
        change_addresses(message, owner, TYPE_AAAA, RDATA_AAAA, before >> 4, content >> 4);
    } else if (!fence_only) {
        if (flight->records[e] != HF_RECORDS_NONE) {
            update_rr(message, owner, TYPE_A, CLASS_ANY, 0, 0);
            update_rr(message, owner, TYPE_AAAA, CLASS_ANY, 0, 0);
            update_rr(message, owner, TYPE_CNAME, CLASS_ANY, 0, 0);
        }
        add_addresses(message, owner, TYPE_A, RDATA_A, content & 15U);
        add_addresses(message, owner, TYPE_AAAA, RDATA_AAAA, content >> 4);
    }
    replace_txt(message, fence_owner_of(e), flight->before[e], flight->after[e]);
}

static void build(const struct hf_world *world, const struct hf_world_flight *flight,
                  struct hf_server_message *message)
{
    message->prerequisite_count = message->update_count = 0;
    message->zone_type = TYPE_SOA;
    message->zone_class = CLASS_IN;
    message->zone_owner = HF_SERVER_OWNER_APEX;
    if (world->shape.canary != HF_WORLD_NO_GUARD) {
        require_txt(message, OWNER_GUARD, flight->guard);
    }
    bool has_lanes = flight->kind == HF_ENACTOR_WRITE || flight->janitor;
    for (uint32_t e = 0; has_lanes && e < world->shape.endpoints; e++) {
        if (hf_bit8(flight->lanes, e)) {
            require_site(message, world, flight, e);
        }
    }
    if (flight->kind == HF_ENACTOR_WRITE_GUARD) {
        replace_txt(message, OWNER_GUARD, flight->guard, flight->guard_after);
    }
    for (uint32_t e = 0; has_lanes && e < world->shape.endpoints; e++) {
        if (hf_bit8(flight->lanes, e)) {
            change_site(message, flight, e);
        }
    }
}

/* --- what must hold --- */

static bool is_ours(hf_world_value value)
{
    return hf_world_value_kind(value) == HF_FENCE_OURS;
}

/* I1, I2, I4 of an endpoint whose fence an enactor has just written. */
static void check_written(struct hf_world *world, const struct hf_world_flight *flight, uint32_t e,
                          const struct hf_world_view *before, const struct hf_world_view *after)
{
    struct hf_world_site *site = &world->sites[e];
    uint32_t gen = hf_world_value_gen(after->fence);
    uint32_t content = hf_world_value_content(after->fence);
    bool had_fence = is_ours(before->fence);
    if (gen < site->high || (gen == site->high && !had_fence)) {
        hf_world_broken(world, "I2: endpoint %u goes back from generation %u to %u", e + 1,
                        site->high, gen);
    }
    if (had_fence && gen == hf_world_value_gen(before->fence) &&
        content != hf_world_value_content(before->fence)) {
        hf_world_broken(world, "I2: endpoint %u gets another answer of generation %u", e + 1, gen);
    }
    bool was_emptied = hf_bit8(flight->audited, e) && before->records == HF_RECORDS_NONE;
    if (after->records == HF_RECORDS_NONE && content != HF_CONTENT_EMPTY && !was_emptied) {
        hf_world_broken(world, "I1: endpoint %u is emptied", e + 1);
    }
    bool is_clear = before->fence == HF_VALUE_ABSENT && before->records == HF_RECORDS_NONE;
    bool is_equal = flight->records[e] == HF_RECORDS_SUM; /* only a fence was added */
    bool was_ours = site->was_ours && hf_world_value_kind(before->fence) != HF_FENCE_ALIEN;
    bool is_adopted = site->adopted;
    if (!had_fence && !is_clear && !is_equal && !was_ours && !is_adopted) {
        hf_world_broken(world, "I4: endpoint %u is not ours and is written", e + 1);
    }
    site->high = gen;
    /* What hands did to the records outlives differences, until it is seen and repaired. */
    site->edited = site->edited && hf_bit8(flight->audited, e);
    site->was_ours = true;
}

static void check_removed(struct hf_world *world, uint32_t e, const struct hf_world_view *before)
{
    bool is_tombstone =
        is_ours(before->fence) && hf_world_value_content(before->fence) == HF_CONTENT_EMPTY;
    if (before->fence != HF_VALUE_ABSENT && !is_tombstone) {
        hf_world_broken(world, "I1: the fence of endpoint %u is removed, which is no tombstone",
                        e + 1);
    }
}

/* I3: at every moment that a reader can observe. */
static void check_site(struct hf_world *world, uint32_t e, const struct hf_world_view *view)
{
    if (!is_ours(view->fence) || world->sites[e].edited) {
        return;
    }
    uint32_t content = hf_world_value_content(view->fence);
    uint8_t records = content == HF_CONTENT_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    if (view->records != records || view->content != content) {
        hf_world_broken(world, "I3: endpoint %u does not answer what its fence says", e + 1);
    }
}

/* As the one sees it whose store it names. */
static struct hf_zone_guard own_guard(hf_world_value value)
{
    return hf_world_guard_of(value, hf_world_value_instance(value));
}

static void check_guard(struct hf_world *world, hf_world_value before, hf_world_value after)
{
    struct hf_zone_guard was = own_guard(before), is = own_guard(after);
    bool was_foreign = was.kind == HF_FENCE_ALIEN || was.kind == HF_FENCE_DAMAGED;
    if (before != after &&
        (was_foreign || (was.kind == HF_FENCE_OURS && was.instance != is.instance))) {
        hf_world_broken(world, "I4: the guard of another installation or store is overwritten");
    }
    if (was.kind == HF_FENCE_OURS && is.floor < was.floor) {
        hf_world_broken(world, "I2: the floor falls from %u to %u", (unsigned)was.floor,
                        (unsigned)is.floor);
    }
}

static void check_change(struct hf_world *world, const struct hf_world_flight *flight,
                         const struct hf_world_view *before, hf_world_value guard)
{
    struct hf_zone_guard was = own_guard(guard);
    bool has_lanes = flight->kind == HF_ENACTOR_WRITE || flight->janitor;
    if (has_lanes && was.kind == HF_FENCE_OURS && was.frozen) {
        hf_world_broken(world, "freeze: a frozen zone is written");
    } else if (flight->stranger && was.kind == HF_FENCE_OURS && was.instance != HF_WORLD_STRANGE) {
        hf_world_broken(world, "I4: another installation writes our zone");
    } else if (has_lanes && (was.kind != HF_FENCE_OURS || flight->guard != guard)) {
        hf_world_broken(world, "I4: a zone is written under a guard that was not read");
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_view after;
        hf_world_look(&world->zone, e, &after);
        if (has_lanes && hf_bit8(flight->lanes, e)) {
            if (flight->after[e] == 0) {
                check_removed(world, e, &before[e]);
            } else {
                check_written(world, flight, e, &before[e], &after);
            }
        }
        check_site(world, e, &after);
    }
    check_guard(world, guard, hf_world_look_guard(&world->zone));
}

uint8_t hf_world_update(struct hf_world *world, const struct hf_world_flight *flight)
{
    struct hf_server_message message;
    struct hf_world_view before[HF_WORLD_ENDPOINTS_MAX];
    hf_world_value guard = hf_world_look_guard(&world->zone);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        hf_world_look(&world->zone, e, &before[e]);
    }
    build(world, flight, &message);
    hf_world_before_change(world);
    if (hf_server_update(&world->zone, &message) != RCODE_NOERROR) {
        return HF_RESULT_REFUSED;
    }
    world->zone_changed = true;
    check_change(world, flight, before, guard);
    hf_world_drop_hopeless(world);
    return HF_RESULT_OK;
}

/* --- by hand --- */

void hf_world_before_change(struct hf_world *world)
{
    if (world->shape.stale > 0 && (!world->shape.random || world->now_ms % 3 == 0)) {
        world->older = world->zone;
    }
    if (world->shape.restarts > 0 && (!world->shape.random || world->now_ms % 2 == 0)) {
        world->synced = world->zone;
    }
}

static void put_txt(struct hf_world *world, uint8_t owner, hf_world_value value)
{
    world->zone_changed = true;
    hf_server_remove(&world->zone, owner, TYPE_TXT);
    struct hf_server_rr rr = {
        .owner = owner, .type = TYPE_TXT, .class = CLASS_IN, .rdata = value, .has_rdata = true};
    bool fits = value == HF_VALUE_ABSENT || hf_server_put(&world->zone, &rr);
    assert(fits);
}

void hf_world_put_fence(struct hf_world *world, uint32_t endpoint, hf_world_value fence)
{
    put_txt(world, fence_owner_of(endpoint), fence);
}

void hf_world_put_guard(struct hf_world *world, hf_world_value guard)
{
    put_txt(world, OWNER_GUARD, guard);
}

static void put_address(struct hf_world *world, uint8_t owner, uint16_t type, uint64_t rdata)
{
    struct hf_server_rr rr = {.owner = owner,
                              .type = type,
                              .class = CLASS_IN,
                              .ttl_s = TTL_S,
                              .rdata = rdata,
                              .has_rdata = true};
    bool fits = hf_server_put(&world->zone, &rr);
    assert(fits);
}

void hf_world_put_records(struct hf_world *world, uint32_t endpoint, uint32_t content, bool cname)
{
    uint8_t owner = owner_of(endpoint);
    world->zone_changed = true;
    hf_server_remove(&world->zone, owner, TYPE_A);
    hf_server_remove(&world->zone, owner, TYPE_AAAA);
    hf_server_remove(&world->zone, owner, TYPE_CNAME);
    if (cname) {
        put_address(world, owner, TYPE_CNAME, RDATA_ALIEN);
    } else if (content == HF_CONTENT_ALIEN) {
        put_address(world, owner, TYPE_A, RDATA_ALIEN);
    }
    for (uint32_t i = 0; !cname && i < HF_WORLD_MEMBERS_MAX; i++) {
        if (hf_bit8(content, i)) {
            put_address(world, owner, TYPE_A, RDATA_A + i);
        }
        if (hf_bit8(content, i + 4)) {
            put_address(world, owner, TYPE_AAAA, RDATA_AAAA + i);
        }
    }
}

void hf_world_serial_up(struct hf_world *world)
{
    const struct hf_server_rr *first;
    (void)hf_server_rrset(&world->zone, HF_SERVER_OWNER_APEX, TYPE_SOA, &first);
    struct hf_server_rr soa = *first;
    soa.rdata = (uint32_t)soa.rdata + 1;
    bool fits = hf_server_put(&world->zone, &soa);
    assert(fits);
    hf_world_drop_hopeless(world);
}
