/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An enactor's facts become the production machine, and the machine its facts. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

enum { SLOT_MASK = 0xff, SHARE = HF_ROLL_WHOLE / HF_WORLD_ENACTORS_MAX };

/* The machine's bools, in bits of marks. */
enum {
    MARK_LOOK_WANTED = 1,
    MARK_LOOKING = 2,
    MARK_WANT_FROZEN = 4,
    MARK_WAS_FROZEN = 8,
    MARK_GUARD_KNOWN = 16,
    MARK_HEAD_ASKED = 32,
    MARK_FENCES_SEEN = 64,
    MARK_AUDIT_FENCES = 128,
    MARK_RECORDS_DOUBTED = 256,
    MARK_WRITE_FAILED = 512,
    MARK_PLAN_KNOWN = HF_WORLD_MARK_PLAN_KNOWN,
    MARK_ZONE_KNOWN = 2048,
};

static void take_marks(const struct hf_world_machine *facts, struct hf_enactor *machine)
{
    uint32_t marks = facts->marks;
    machine->look_wanted = (marks & MARK_LOOK_WANTED) != 0;
    machine->looking = (marks & MARK_LOOKING) != 0;
    machine->want_frozen = (marks & MARK_WANT_FROZEN) != 0;
    machine->was_frozen = (marks & MARK_WAS_FROZEN) != 0;
    machine->guard_known_once = (marks & MARK_GUARD_KNOWN) != 0;
    machine->head_asked = (marks & MARK_HEAD_ASKED) != 0;
    machine->fences_seen = (marks & MARK_FENCES_SEEN) != 0;
    machine->audit_fences = (marks & MARK_AUDIT_FENCES) != 0;
    machine->records_doubted = (marks & MARK_RECORDS_DOUBTED) != 0;
    machine->write_failed = (marks & MARK_WRITE_FAILED) != 0;
    machine->plan_known = (marks & MARK_PLAN_KNOWN) != 0;
    machine->zone_known = (marks & MARK_ZONE_KNOWN) != 0;
}

static uint16_t lay_marks(const struct hf_enactor *machine)
{
    uint32_t marks =
        (machine->look_wanted ? MARK_LOOK_WANTED : 0U) | (machine->looking ? MARK_LOOKING : 0U) |
        (machine->want_frozen ? MARK_WANT_FROZEN : 0U) |
        (machine->was_frozen ? MARK_WAS_FROZEN : 0U) |
        (machine->guard_known_once ? MARK_GUARD_KNOWN : 0U) |
        (machine->head_asked ? MARK_HEAD_ASKED : 0U) |
        (machine->fences_seen ? MARK_FENCES_SEEN : 0U) |
        (machine->audit_fences ? MARK_AUDIT_FENCES : 0U) |
        (machine->records_doubted ? MARK_RECORDS_DOUBTED : 0U) |
        (machine->write_failed ? MARK_WRITE_FAILED : 0U) |
        (machine->plan_known ? MARK_PLAN_KNOWN : 0U) | (machine->zone_known ? MARK_ZONE_KNOWN : 0U);
    return (uint16_t)marks;
}

static void take_lane(const struct hf_world_lane *facts, struct hf_enactor *machine, uint32_t at)
{
    struct hf_lane *lane = &machine->lanes[at];
    *lane = (struct hf_lane){
        .fence = hf_world_fence_of(facts->fence),
        .want_gen = facts->want_gen,
        .want_sum = facts->want_gen == 0 ? 0 : hf_world_sum(facts->want_content),
        .sent_gen = facts->sent_gen,
        .sent_sum = facts->sent_gen == 0 ? 0 : hf_world_sum(facts->sent_content),
        .records_sum = hf_world_sum(facts->records_content),
        .heal_until_s = (uint32_t)(facts->heal_until_ms / 1000),
        .next = HF_BITSET_NONE,
        .records = facts->records,
        .flags = facts->flags,
        .heals = facts->heals,
        .need = facts->need,
    };
    if (facts->need > HF_NEED_IN_STEP) {
        hf_bitset_add(&machine->sets[facts->need], at);
    }
    machine->in_step += facts->need == HF_NEED_IN_STEP || facts->need == HF_NEED_CLAIM ||
                        facts->need == HF_NEED_GONE;
    machine->claimed += (facts->flags & HF_LANE_CLAIMED) != 0;
    machine->planned += facts->want_gen != 0;
}

/* An operation under way is what a flight waits for. */
static void take_op(const struct hf_world_flight *flight, struct hf_enactor *machine)
{
    uint32_t slot = flight->op & SLOT_MASK;
    struct hf_enactor_op *op = &machine->ops[slot];
    assert(slot < machine->op_room && op->number == 0);
    *op = (struct hf_enactor_op){.number = flight->op,
                                 .kind = flight->kind,
                                 .count = flight->count,
                                 .lane_first = HF_BITSET_NONE};
    for (uint32_t e = machine->lane_count; e-- > 0;) {
        if (hf_bit8(flight->lanes, e)) {
            machine->lanes[e].slot = (uint16_t)(slot + 1);
            machine->lanes[e].next = op->lane_first;
            op->lane_first = e;
            op->lane_count++;
        }
    }
    machine->writes += flight->kind == HF_ENACTOR_WRITE;
    machine->reads += flight->kind == HF_ENACTOR_READ;
    machine->audit_op = flight->kind == HF_ENACTOR_READ_ZONE ? flight->op : machine->audit_op;
    machine->guard_op = flight->kind == HF_ENACTOR_WRITE_GUARD ? flight->op : machine->guard_op;
    machine->head_op = flight->kind == HF_ENACTOR_HEAD ? flight->op : machine->head_op;
}

static void take_set(struct hf_bitset *set, uint32_t bits)
{
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        if (hf_bit8(bits, e)) {
            hf_bitset_add(set, e);
        }
    }
}

static void take_zone(const struct hf_world_machine *facts, struct hf_enactor *machine)
{
    machine->guard = facts->guard;
    machine->guard_after = facts->guard_after;
    machine->not_before_ms = facts->not_before_ms;
    machine->next_audit_ms = facts->next_audit_ms;
    machine->next_guard_ms = facts->next_guard_ms;
    machine->next_head_ms = facts->next_head_ms;
    machine->heal_wake_ms = facts->heal_wake_ms;
    machine->plan_gen = facts->plan_gen;
    machine->stray_gen = facts->stray_gen;
    machine->ahead_gen = facts->ahead_gen;
    machine->restore_floor = facts->restore_floor;
    machine->next_look_ms = facts->next_look_ms;
    memcpy(machine->rolls, facts->rolls, sizeof machine->rolls);
    machine->window_256 = facts->window_256;
    machine->help_256 = facts->help_256;
    machine->share_op = facts->share_op;
    machine->share_writes = facts->share_writes;
    machine->rolled_ms = facts->rolled_ms;
    machine->patient_ms = facts->patient_ms;
    machine->latency_ms = facts->latency_ms;
    machine->backoff_ms = facts->backoff_ms;
    machine->batch = facts->batch;
    machine->refusal_streak = facts->refusal_streak;
    machine->next_op = facts->next_op;
    machine->state = facts->state;
    take_set(&machine->auditing, facts->auditing);
    take_set(&machine->confirming, facts->confirming);
    take_marks(facts, machine);
}

void hf_world_take(const struct hf_world *world, uint32_t enactor, struct hf_world_bench *bench)
{
    const struct hf_world_enactor *facts = &world->enactors[enactor];
    struct hf_enactor *machine = &bench->machine;
    struct hf_enactor_options options = {
        .instance = facts->instance,
        .audit_ms = 5000,
        .batch = (uint16_t)world->shape.batch,
        .window_max = (uint16_t)world->shape.window,
        .offset = world->shape.random ? enactor * SHARE : 0,
        .share = world->shape.random ? SHARE : 0,
    };
    assert(hf_enactor_layout(&options, world->shape.endpoints) <= sizeof bench->memory);
    memset(bench->memory, 0, sizeof bench->memory);
    hf_enactor_init(machine, &options, bench->memory, world->shape.endpoints);
    machine->lane_count = world->shape.endpoints;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        take_lane(&facts->machine.lanes[e], machine, e);
    }
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        if (facts->flights[i].state != HF_FLIGHT_FREE) {
            take_op(&facts->flights[i], machine);
        }
    }
    take_zone(&facts->machine, machine);
}

static void lay_lane(const struct hf_lane *lane, struct hf_world_lane *facts)
{
    *facts = (struct hf_world_lane){
        .fence = hf_world_fence_value(&lane->fence),
        .want_gen = (uint32_t)lane->want_gen,
        .want_content = (uint16_t)hf_world_content(lane->want_sum),
        .sent_gen = (uint32_t)lane->sent_gen,
        .sent_content = (uint16_t)hf_world_content(lane->sent_sum),
        .records_content = (uint16_t)hf_world_content(lane->records_sum),
        .heal_until_ms = (uint64_t)lane->heal_until_s * 1000,
        .records = lane->records,
        .flags = lane->flags,
        .heals = lane->heals,
        .need = lane->need,
    };
}

static uint8_t lay_set(const struct hf_bitset *set)
{
    uint32_t bits = 0;
    for (uint32_t e = hf_bitset_next(set, 0); e != HF_BITSET_NONE; e = hf_bitset_next(set, e + 1)) {
        bits |= 1U << e;
    }
    return (uint8_t)bits;
}

void hf_world_lay(struct hf_world *world, uint32_t enactor, const struct hf_world_bench *bench)
{
    const struct hf_enactor *machine = &bench->machine;
    struct hf_world_machine *facts = &world->enactors[enactor].machine;
    uint8_t known = world->enactors[enactor].known;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        facts->lanes[e] = (struct hf_world_lane){0};
        if (hf_bit8(known, e)) {
            lay_lane(&machine->lanes[e], &facts->lanes[e]);
        }
    }
    facts->guard = machine->guard;
    facts->guard_after = machine->guard_after;
    facts->not_before_ms = machine->not_before_ms;
    facts->next_audit_ms = machine->next_audit_ms;
    facts->next_guard_ms = machine->next_guard_ms;
    if (!world->shape.random && machine->state == HF_ZONE_OPEN) {
        facts->next_guard_ms = 0; /* no timer then; in a life of hours it has long passed */
    }
    facts->next_head_ms = machine->next_head_ms;
    facts->heal_wake_ms = machine->heal_wake_ms;
    facts->plan_gen = (uint32_t)machine->plan_gen;
    facts->stray_gen = (uint32_t)machine->stray_gen;
    facts->ahead_gen = (uint32_t)machine->ahead_gen;
    facts->restore_floor = (uint32_t)machine->restore_floor;
    facts->next_look_ms = world->shape.random ? machine->next_look_ms : 0; /* a moment is over */
    memcpy(facts->rolls, machine->rolls, sizeof facts->rolls);
    facts->window_256 = machine->window_256;
    facts->help_256 = world->shape.random ? machine->help_256 : 0; /* nothing is shared */
    facts->share_op = world->shape.random ? machine->share_op : 0;
    facts->share_writes = world->shape.random ? machine->share_writes : 0;
    facts->rolled_ms = world->shape.random ? machine->rolled_ms : 0;
    facts->patient_ms = world->shape.random ? machine->patient_ms : 0;
    facts->latency_ms = machine->latency_ms;
    facts->backoff_ms = machine->backoff_ms;
    facts->batch = machine->batch;
    facts->refusal_streak = machine->refusal_streak;
    facts->next_op = machine->next_op;
    facts->state = machine->state;
    facts->auditing = lay_set(&machine->auditing) & known;
    facts->confirming = lay_set(&machine->confirming);
    facts->marks = lay_marks(machine);
}
