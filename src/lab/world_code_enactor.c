/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Enactors and messages as octets. */
#include <assert.h>
#include <string.h>

#include "lab/world_code.h"

enum {
    STREAK_MAX = 3, /* longer ones read all lanes ahead, as this does */
    MARK_GUARD_KNOWN = 16,
    MARK_FENCES_SEEN = 64,
    MARK_AUDIT_FENCES = 128,
    MARK_RECORDS_DOUBTED = 256,
    MARK_WRITE_FAILED = 512,
    SLOT_BITS = 8,
    WINDOW = 256,
    FLIGHT_MAX = 160,
};

/* Beyond the first of a life: only then it matters what is in doubt. */
static bool has_audits(const struct hf_world *world)
{
    return world->shape.audits > 0 || world->shape.edits > 0 || world->shape.restarts > 0;
}

/* --- messages --- */

static void code_seen(struct hf_world_coder *coder, const struct hf_world *world,
                      struct hf_world_flight *flight)
{
    hf_code_value(coder, &flight->guard);
    if (world->shape.restarts > 0) {
        hf_code_u32(coder, &flight->serial);
    } /* else code_serials */
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        hf_code_value(coder, &flight->before[e]);
        hf_code_u8(coder, &flight->records[e]);
        hf_code_u16(coder, &flight->content[e]);
    }
}

static void code_asked(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_flight *flight)
{
    if (flight->kind == HF_ENACTOR_WRITE_GUARD || flight->kind == HF_ENACTOR_WRITE) {
        hf_code_value(coder, &flight->guard);
    }
    if (flight->kind == HF_ENACTOR_WRITE_GUARD) {
        hf_code_value(coder, &flight->guard_after);
    }
    if (flight->kind != HF_ENACTOR_WRITE && !flight->janitor) {
        return;
    }
    if (has_audits(world)) {
        hf_code_u8(coder, &flight->audited);
    } else {
        flight->audited = 0; /* where nobody edits, differences do what whole RRsets do */
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (!hf_bit8(flight->lanes, e)) {
            continue;
        }
        hf_code_value(coder, &flight->before[e]);
        if (!flight->janitor) {
            hf_code_value(coder, &flight->after[e]);
            hf_code_u8(coder, &flight->records[e]);
            flight->count = hf_world_fence_of(flight->after[e]).count;
            bool is_pinned = flight->records[e] == HF_RECORDS_SUM;
            bool is_audited = hf_bit8(flight->audited, e);
            hf_world_value known = is_audited ? flight->before[e] : flight->after[e];
            flight->content[e] =
                is_pinned || is_audited ? (uint16_t)hf_world_value_content(known) : 0;
        }
    }
}

void hf_code_flight(struct hf_world_coder *coder, const struct hf_world *world,
                    struct hf_world_flight *flight)
{
    flight->whole = flight->whole && has_audits(world);
    uint32_t head = flight->kind | (uint32_t)flight->state << 3 | (uint32_t)flight->whole << 5 |
                    (uint32_t)flight->janitor << 6 | (uint32_t)flight->unchanged << 7 |
                    (uint32_t)flight->stranger << 8;
    hf_code_u32(coder, &head);
    flight->kind = head & 7;
    flight->state = head >> 3 & 3;
    flight->whole = (head >> 5 & 1) != 0;
    flight->janitor = (head >> 6 & 1) != 0;
    flight->unchanged = (head >> 7 & 1) != 0;
    flight->stranger = (head >> 8 & 1) != 0;
    if (flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_READ || flight->janitor) {
        hf_code_u8(coder, &flight->lanes);
    }
    code_asked(coder, world, flight);
    if (flight->state == HF_FLIGHT_SENT) {
        return;
    }
    hf_code_u8(coder, &flight->result);
    if (flight->kind == HF_ENACTOR_READ_ZONE || flight->kind == HF_ENACTOR_READ) {
        hf_code_u8(coder, &flight->torn);
        code_seen(coder, world, flight);
    }
}

/* --- lanes --- */

/* Records that are those of the fence are as good as unread ones, where nobody edits. */
static void forget_records(const struct hf_world *world, struct hf_world_lane *lane)
{
    uint32_t content = hf_world_value_content(lane->fence);
    uint8_t records = content == HF_CONTENT_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    bool is_fenced = hf_world_value_gen(lane->fence) != 0;
    if (!has_audits(world) && is_fenced && lane->records == records &&
        (records == HF_RECORDS_NONE || lane->records_content == content)) {
        lane->records = HF_RECORDS_UNKNOWN;
    }
}

static void code_lane(struct hf_world_coder *coder, const struct hf_world *world,
                      struct hf_world_enactor *enactor, uint32_t e)
{
    struct hf_world_lane *lane = &enactor->machine.lanes[e];
    if (!hf_code_reads(coder)) {
        forget_records(world, lane);
    }
    hf_code_value(coder, &lane->fence);
    uint32_t facts = lane->need | (uint32_t)lane->records << 4;
    hf_code_u32(coder, &facts);
    lane->need = facts & 15;
    lane->records = facts >> 4 & 3;
    uint32_t marks = lane->flags | (uint32_t)lane->heals << 6;
    hf_code_u32(coder, &marks);
    lane->flags = marks & 63;
    lane->heals = (uint8_t)(marks >> 6);
    if (lane->heals > 0) {
        hf_code_armed(coder, world, &lane->heal_until_ms, HF_ENACTOR_HEAL_WINDOW_MS);
    }
    if (lane->records == HF_RECORDS_SUM) {
        hf_code_u16(coder, &lane->records_content);
    }
    if (hf_code_reads(coder)) {
        lane->want_gen = enactor->image.entries[e].gen;
        lane->want_content = enactor->image.entries[e].content;
    }
}

/* What a write under way writes stands in its message. */
static void read_sent(struct hf_world_enactor *enactor, const struct hf_world_flight *flight)
{
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        if (flight->kind == HF_ENACTOR_WRITE && hf_bit8(flight->lanes, e)) {
            enactor->machine.lanes[e].sent_gen = hf_world_value_gen(flight->after[e]);
            enactor->machine.lanes[e].sent_content =
                (uint16_t)hf_world_value_content(flight->after[e]);
        }
    }
    if (flight->kind == HF_ENACTOR_WRITE_GUARD) {
        enactor->machine.guard_after = hf_world_guard_of(flight->guard_after, enactor->instance);
    }
}

/* --- the zone as the machine sees it --- */

static void code_guard(struct hf_world_coder *coder, struct hf_zone_guard *guard)
{
    uint32_t facts = guard->kind | (uint32_t)guard->frozen << 3 | guard->instance << 4;
    uint32_t floor = (uint32_t)guard->floor;
    hf_code_u32(coder, &facts);
    hf_code_u32(coder, &floor);
    guard->kind = facts & 7;
    guard->frozen = (facts >> 3 & 1) != 0;
    guard->instance = facts >> 4;
    guard->floor = floor;
}

/* Where one message holds all lanes, the order in which they come does not matter. */
static void code_roll(struct hf_world_coder *coder, struct hf_roll *roll, bool matters)
{
    uint8_t stage = roll->stage;
    if (!matters) {
        *roll = (struct hf_roll){.stage = HF_ROLL_NONE};
        return;
    }
    hf_code_u8(coder, &stage);
    if (stage == HF_ROLL_NONE) {
        *roll = (struct hf_roll){.stage = HF_ROLL_NONE};
        return;
    }
    roll->stage = stage;
    hf_code_u32(coder, &roll->cursor);
    hf_code_u32(coder, &roll->from);
    hf_code_u32(coder, &roll->end);
}

/* How many lanes a write takes, and which comes next, where it does not take them all. */
static void code_adaptive(struct hf_world_coder *coder, const struct hf_world *world,
                          struct hf_world_machine *machine)
{
    uint32_t batch = machine->batch, streak = machine->refusal_streak;
    bool is_whole = world->shape.batch >= world->shape.endpoints;
    if (!is_whole) {
        streak = streak < STREAK_MAX ? streak : STREAK_MAX;
        hf_code_u32(coder, &streak);
    }
    batch = batch < world->shape.endpoints ? batch : world->shape.batch;
    hf_code_u32(coder, &batch);
    machine->batch = batch;
    machine->refusal_streak = is_whole ? 0 : streak;
    machine->latency_ms = 0;
    machine->backoff_ms = 0; /* only how long the next pause is */
    uint32_t window = machine->window_256 / WINDOW;
    if (world->shape.window > 1) {
        hf_code_u32(coder, &window);
    }
    machine->window_256 = world->shape.window > 1 ? window * WINDOW : WINDOW;
    for (uint32_t pace = 0; pace < HF_PACES; pace++) {
        code_roll(coder, &machine->rolls[pace], batch < world->shape.endpoints);
    }
}

/*
 * What is only looked at where the guard is missing matters where it can be; how long a pause is
 * does not matter at all.
 */
static void code_marks(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_machine *machine)
{
    uint32_t dead = MARK_WRITE_FAILED;
    bool may_miss = world->shape.cold || world->shape.guard_edits > 0 || world->shape.restarts > 0;
    if (!may_miss) {
        dead |= MARK_GUARD_KNOWN | MARK_FENCES_SEEN | MARK_AUDIT_FENCES;
    }
    if (!has_audits(world)) {
        dead |= MARK_RECORDS_DOUBTED;
    }
    machine->marks &= (uint16_t)~dead;
    hf_code_u16(coder, &machine->marks);
    if (may_miss) {
        hf_code_u32(coder, &machine->restore_floor);
    } else {
        machine->restore_floor = 0;
    }
}

static void code_timers(struct hf_world_coder *coder, const struct hf_world *world,
                        struct hf_world_machine *machine)
{
    uint64_t now_ms = world->now_ms;
    uint32_t armed = (machine->not_before_ms > now_ms ? 1U : 0) |
                     (machine->next_audit_ms > now_ms ? 2U : 0) |
                     (machine->next_guard_ms > now_ms && machine->state != HF_ZONE_OPEN ? 4U : 0) |
                     (machine->next_head_ms > now_ms ? 8U : 0) |
                     (machine->heal_wake_ms != HF_NEVER ? 16U : 0) | (uint32_t)machine->state << 5;
    hf_code_u32(coder, &armed);
    if (hf_code_reads(coder)) {
        machine->not_before_ms = (armed & 1) != 0 ? now_ms + HF_ENACTOR_BACKOFF_MS : 0;
        machine->next_audit_ms = (armed & 2) != 0 ? now_ms + HF_ENACTOR_HEAD_RETRY_MS : 0;
        machine->next_guard_ms = (armed & 4) != 0 ? now_ms + HF_ENACTOR_GUARD_POLL_MS : 0;
        machine->next_head_ms = (armed & 8) != 0 ? now_ms + HF_ENACTOR_HEAD_RETRY_MS : 0;
        machine->heal_wake_ms = (armed & 16) != 0 ? now_ms + HF_ENACTOR_HEAL_WINDOW_MS : HF_NEVER;
        machine->state = (uint8_t)(armed >> 5);
    }
}

static void code_zone(struct hf_world_coder *coder, const struct hf_world *world,
                      struct hf_world_machine *machine)
{
    code_guard(coder, &machine->guard);
    code_timers(coder, world, machine);
    code_marks(coder, world, machine);
    code_adaptive(coder, world, machine);
    uint32_t sets = machine->auditing | (uint32_t)machine->confirming << 3;
    hf_code_u32(coder, &sets);
    machine->auditing = sets & 7;
    machine->confirming = (uint8_t)(sets >> 3);
    hf_code_u32(coder, &machine->stray_gen);
    hf_code_u32(coder, &machine->ahead_gen);
}

/* --- the process --- */

/* In order of their octets: which slot an operation has does not matter. */
static void write_flights(struct hf_world_coder *coder, const struct hf_world *world,
                          const struct hf_world_enactor *enactor)
{
    uint8_t octets[HF_WORLD_FLIGHTS_MAX][FLIGHT_MAX];
    size_t sizes[HF_WORLD_FLIGHTS_MAX];
    uint64_t count = 0;
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        if (enactor->flights[i].state == HF_FLIGHT_FREE) {
            continue;
        }
        struct hf_world_flight flight = enactor->flights[i];
        uint64_t at = count++;
        struct hf_world_coder part = {.out = octets[at]};
        hf_code_flight(&part, world, &flight);
        sizes[at] = (size_t)(part.out - octets[at]);
        assert(sizes[at] <= FLIGHT_MAX);
        memset(octets[at] + sizes[at], 0, FLIGHT_MAX - sizes[at]);
        while (at > 0 && memcmp(octets[at - 1], octets[at], FLIGHT_MAX) > 0) {
            uint8_t swap[FLIGHT_MAX];
            size_t size = sizes[at];
            memcpy(swap, octets[at], FLIGHT_MAX);
            memcpy(octets[at], octets[at - 1], FLIGHT_MAX);
            memcpy(octets[at - 1], swap, FLIGHT_MAX);
            sizes[at] = sizes[at - 1];
            sizes[--at] = size;
        }
    }
    hf_code(coder, &count);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(coder->out, octets[i], sizes[i]);
        coder->out += sizes[i];
    }
}

static void read_flights(struct hf_world_coder *coder, const struct hf_world *world,
                         struct hf_world_enactor *enactor)
{
    uint64_t count = 0;
    hf_code(coder, &count);
    assert(count <= HF_WORLD_FLIGHTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct hf_world_flight *flight = &enactor->flights[i];
        hf_code_flight(coder, world, flight);
        flight->op = 1U << SLOT_BITS | i;
        read_sent(enactor, flight);
    }
    enactor->machine.next_op = 1;
}

static bool has_late(const struct hf_world_enactor *enactor)
{
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        const struct hf_world_flight *flight = &enactor->flights[i];
        if (flight->kind == HF_ENACTOR_HEAD && flight->state == HF_FLIGHT_ANSWERED) {
            return true;
        }
    }
    return false;
}

static void code_image(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_enactor *enactor)
{
    hf_code_u32(coder, &enactor->object);
    hf_code_plan(coder, world, &enactor->image);
    enactor->machine.plan_gen = enactor->image.gen;
    hf_code_overrides(coder, &enactor->overrides);
}

/* The transfer whose answer is on its way, or NULL. */
static struct hf_world_flight *late_transfer(struct hf_world_enactor *enactor)
{
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        struct hf_world_flight *flight = &enactor->flights[i];
        if (flight->kind == HF_ENACTOR_READ_ZONE && flight->state == HF_FLIGHT_ANSWERED) {
            return flight;
        }
    }
    return NULL;
}

enum { KNOWS = 1, WILL_KNOW = 2 };

/*
 * Without restarts of the server a serial that is not the zone's will never be it again; and it is
 * looked at in audits only, of which the first of a life does not.
 */
static uint32_t known_serials(const struct hf_world *world, struct hf_world_enactor *enactor)
{
    uint32_t serial = hf_server_serial(&world->zone);
    const struct hf_world_flight *late = late_transfer(enactor);
    if (!has_audits(world) || world->shape.restarts > 0) {
        return 0;
    }
    return (enactor->serial == serial ? KNOWS : 0U) |
           (late != NULL && late->serial == serial ? WILL_KNOW : 0U);
}

static void read_serials(const struct hf_world *world, struct hf_world_enactor *enactor,
                         uint32_t known)
{
    uint32_t serial = hf_server_serial(&world->zone);
    struct hf_world_flight *late = late_transfer(enactor);
    enactor->serial = (known & KNOWS) != 0 ? serial : 0;
    if (late != NULL) {
        late->serial = (known & WILL_KNOW) != 0 ? serial : 0;
    }
}

void hf_code_enactor(struct hf_world_coder *coder, const struct hf_world *world,
                     struct hf_world_enactor *enactor)
{
    uint32_t known = hf_code_reads(coder) ? 0 : known_serials(world, enactor);
    hf_code_u32(coder, &known); /* the first octet: see hf_model_parts */
    if (world->shape.restarts > 0) {
        hf_code_u32(coder, &enactor->serial);
        hf_code_u8(coder, &enactor->skipped);
    } else {
        enactor->skipped = 0;
    }
    hf_code_u32(coder, &enactor->instance);
    hf_code_u8(coder, &enactor->known);
    code_image(coder, world, enactor);
    code_zone(coder, world, &enactor->machine);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (hf_bit8(enactor->known, e)) {
            code_lane(coder, world, enactor, e);
        }
        if (world->shape.edits > 0) {
            hf_code_u8(coder, &enactor->repairs[e]);
        }
    }
    if (hf_code_reads(coder)) {
        read_flights(coder, world, enactor);
        if (world->shape.restarts == 0) {
            read_serials(world, enactor, known);
        }
    } else {
        write_flights(coder, world, enactor);
    }
    if (has_late(enactor)) {
        hf_code_u32(coder, &enactor->late_object);
        hf_code_plan(coder, world, &enactor->late);
    }
}
