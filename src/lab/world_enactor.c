/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An enactor's process: what io/enact*.c does around the machine, but for the octets. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

static struct hf_world_flight *new_flight(struct hf_world_enactor *enactor)
{
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        if (enactor->flights[i].state == HF_FLIGHT_FREE) {
            enactor->flights[i] = (struct hf_world_flight){.state = HF_FLIGHT_SENT};
            return &enactor->flights[i];
        }
    }
    assert(!"the machine never has more operations under way than it has lanes, and a few");
    return NULL;
}

/* What a write demands of the records: as fill_records in io/enact_write.c. */
static void fill_change(struct hf_world *world, struct hf_world_flight *flight,
                        const struct hf_world_plan *image, const struct hf_lane *lane, uint32_t e)
{
    const struct hf_world_entry *entry = &image->entries[e];
    struct hf_fence after = {.kind = HF_FENCE_OURS,
                             .gen = lane->sent_gen,
                             .sum = lane->sent_sum,
                             .count = flight->count};
    if (entry->gen != lane->sent_gen || hf_world_sum(entry->content) != lane->sent_sum) {
        hf_world_broken(world, "I3: endpoint %u is to be written generation %u, not in the plan",
                        e + 1, (unsigned)lane->sent_gen);
    }
    flight->before[e] = hf_world_fence_value(&lane->fence);
    flight->after[e] = hf_world_fence_value(&after);
    flight->records[e] = HF_RECORDS_UNKNOWN;
    if (lane->fence.kind == HF_FENCE_UNKNOWN) {
        hf_world_broken(world, "fence: endpoint %u is written without its fence having been read",
                        e + 1);
    } else if (lane->fence.kind != HF_FENCE_ABSENT) {
        if (lane->sent_sum != HF_SUM_EMPTY && hf_lane_is_audited(lane)) {
            flight->audited |= (uint8_t)(1U << e);
            flight->content[e] = (uint16_t)hf_world_content(lane->fence.sum);
        }
        return;
    }
    if (lane->records == HF_RECORDS_NONE) {
        flight->records[e] = HF_RECORDS_NONE;
    } else if (lane->records == HF_RECORDS_SUM && lane->records_sum == lane->sent_sum) {
        flight->records[e] = HF_RECORDS_SUM;
        flight->content[e] = (uint16_t)hf_world_content(lane->sent_sum);
    }
}

static void perform(struct hf_world *world, uint32_t number, const struct hf_enactor *machine,
                    const struct hf_enactor_action *action)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_flight *flight = new_flight(enactor);
    hf_world_law_begin(world, number, machine, action);
    flight->kind = action->kind;
    flight->op = action->op;
    flight->whole = action->whole;
    flight->stranger = hf_world_is_strange(world, number);
    flight->guard = hf_world_guard_value(&action->guard);
    flight->guard_after = hf_world_guard_value(&action->guard_after);
    for (uint32_t e = action->lane_first; e != HF_BITSET_NONE; e = machine->lanes[e].next) {
        flight->lanes |= (uint8_t)(1U << e);
    }
    if (action->kind != HF_ENACTOR_WRITE) {
        return;
    }
    /* The machine's own count is unique for ever; here it only is as long as it matters. */
    flight->count = hf_world_token(world, &enactor->image, flight->lanes);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (hf_bit8(flight->lanes, e)) {
            hf_world_law_write(world, &machine->lanes[e], e);
            fill_change(world, flight, &enactor->image, &machine->lanes[e], e);
        }
    }
}

/* Where a pause is no state of its own, it is over at once. */
static bool ends_pause(const struct hf_world *world, struct hf_enactor *machine)
{
    bool is_paused = machine->not_before_ms > world->now_ms;
    if (world->shape.random || world->shape.pauses || !is_paused) {
        return false;
    }
    machine->not_before_ms = 0;
    return true;
}

void hf_world_feed(struct hf_world *world, uint32_t number, struct hf_world_bench *bench,
                   struct hf_enactor_event *event)
{
    struct hf_enactor_outbox outbox;
    do {
        event->now_ms = hf_world_clock(world, world->enactors[number].skew_ms);
        event->random = world->now_ms;
        hf_enactor_step(&bench->machine, event, &outbox);
        for (uint32_t i = 0; i < outbox.count; i++) {
            perform(world, number, &bench->machine, &outbox.actions[i]);
        }
        *event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_TICK};
    } while (outbox.count == HF_ENACTOR_OUTBOX_MAX || ends_pause(world, &bench->machine));
}

void hf_world_tick(struct hf_world *world, uint32_t number)
{
    struct hf_world_bench bench;
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_TICK};
    hf_world_take(world, number, &bench);
    hf_world_feed(world, number, &bench, &event);
    hf_world_lay(world, number, &bench);
}

/* --- life --- */

bool hf_world_is_strange(const struct hf_world *world, uint32_t number)
{
    return world->enactors[number].instance == HF_WORLD_STRANGE;
}

/* What another installation would have these names answer: its own backends alone. */
static void strange_plan(const struct hf_world *world, struct hf_world_plan *ret_plan)
{
    *ret_plan = (struct hf_world_plan){.gen = HF_WORLD_STRANGE_GEN};
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        ret_plan->entries[e] = (struct hf_world_entry){
            .gen = HF_WORLD_STRANGE_GEN, .content = 1, .in = 1, .flags = HF_ROW_EXISTS};
    }
}

/* What it had asked for may still happen. */
static void abandon(struct hf_world *world, struct hf_world_enactor *enactor)
{
    for (uint32_t i = 0; i < HF_WORLD_FLIGHTS_MAX; i++) {
        struct hf_world_flight *flight = &enactor->flights[i];
        bool is_write = flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
        if (flight->state == HF_FLIGHT_SENT && is_write) {
            (void)hf_world_add_ghost(world, flight);
        }
        *flight = (struct hf_world_flight){0};
    }
}

void hf_world_start(struct hf_world *world, uint32_t number, bool with_plan)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_bench bench;
    struct hf_world_plan last = enactor->image;
    uint32_t object = enactor->object;
    if (hf_world_is_strange(world, number)) {
        strange_plan(world, &last);
        with_plan = true;
    }
    abandon(world, enactor);
    memset(&enactor->machine, 0, sizeof enactor->machine);
    enactor->serial = 0;
    enactor->skipped = 0;
    enactor->known = 0;
    enactor->object = 0;
    enactor->image = (struct hf_world_plan){0};
    enactor->overrides = (struct hf_world_overrides){0};
    memset(enactor->repairs, 0, sizeof enactor->repairs);
    struct hf_enactor_options options = {.batch = (uint16_t)world->shape.batch,
                                         .window_max = (uint16_t)world->shape.window};
    memset(bench.memory, 0, sizeof bench.memory);
    hf_enactor_init(&bench.machine, &options, bench.memory, world->shape.endpoints);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        (void)hf_enactor_add_lane(&bench.machine);
    }
    hf_world_lay(world, number, &bench);
    if (with_plan) {
        enactor->image = last;
        enactor->object = object;
        hf_world_take(world, number, &bench);
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            enactor->known |= (uint8_t)(last.entries[e].gen != 0 ? 1U << e : 0);
            hf_world_feed_entry(world, number, &bench, e);
        }
        struct hf_enactor_event head = {.type = HF_ENACTOR_EV_HEAD, .gen = last.gen};
        hf_world_feed(world, number, &bench, &head);
        hf_world_lay(world, number, &bench);
    } else {
        enactor->instance = 0;
    }
}

/* --- the store --- */

void hf_world_feed_entry(struct hf_world *world, uint32_t number, struct hf_world_bench *bench,
                         uint32_t e)
{
    const struct hf_world_entry *entry = &world->enactors[number].image.entries[e];
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_ENTRY,
                                     .lane = e,
                                     .gen = entry->gen,
                                     .sum = entry->gen == 0 ? 0 : hf_world_sum(entry->content)};
    event.flags = (uint8_t)((entry->flags & HF_ROW_CLAIMED ? HF_LANE_CLAIMED : 0) |
                            (entry->flags & HF_ROW_RETIRED ? HF_LANE_RETIRED : 0) |
                            (entry->flags & HF_ROW_URGENT ? HF_LANE_URGENT : 0));
    hf_world_feed(world, number, bench, &event);
}

static void feed_overrides(struct hf_world *world, uint32_t number, struct hf_world_bench *bench)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    const struct hf_world_overrides *fresh = &world->store.overrides;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        bool is_on = hf_bit8(fresh->adopted, e);
        if (is_on || hf_bit8(enactor->overrides.adopted, e)) {
            struct hf_enactor_event event = {.type = HF_ENACTOR_EV_ADOPT, .lane = e, .on = is_on};
            hf_world_feed(world, number, bench, &event);
            enactor->repairs[e] = 0; /* a hand that the operator knows of */
        }
    }
    if (fresh->frozen != enactor->overrides.frozen) {
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_FREEZE, .on = fresh->frozen};
        hf_world_feed(world, number, bench, &event);
    }
    enactor->overrides =
        (struct hf_world_overrides){.adopted = fresh->adopted, .frozen = fresh->frozen};
}

bool hf_world_is_loaded(const struct hf_world *world, uint32_t number)
{
    const struct hf_world_enactor *enactor = &world->enactors[number];
    if (hf_world_is_strange(world, number)) {
        return true;
    }
    return enactor->instance == world->store.instance && enactor->object == world->store.head &&
           (enactor->machine.marks & HF_WORLD_MARK_PLAN_KNOWN) != 0 &&
           enactor->overrides.adopted == world->store.overrides.adopted &&
           enactor->overrides.frozen == world->store.overrides.frozen;
}

static void apply_plan(struct hf_world *world, uint32_t number, struct hf_world_bench *bench,
                       const struct hf_world_plan *plan, uint32_t object)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_plan before = enactor->image;
    enactor->image = *plan;
    enactor->object = object;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (!hf_world_same_entry(&before.entries[e], &plan->entries[e])) {
            enactor->known |= (uint8_t)(1U << e);
            hf_world_feed_entry(world, number, bench, e);
        }
    }
    feed_overrides(world, number, bench);
}

void hf_world_load(struct hf_world *world, uint32_t number)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    const struct hf_world_store *store = &world->store;
    struct hf_world_bench bench;
    if (enactor->instance != 0 && enactor->instance != store->instance) {
        hf_world_start(world, number, false); /* the store is another one: it begins anew */
    }
    enactor->instance = store->instance;
    hf_world_take(world, number, &bench);
    struct hf_enactor_event head = {.type = HF_ENACTOR_EV_HEAD, .result = HF_RESULT_UNKNOWN};
    if (hf_world_readable(store, enactor->object)) {
        apply_plan(world, number, &bench, &store->plan, store->head);
        head.result = HF_RESULT_OK;
    }
    head.gen = enactor->image.gen;
    hf_world_feed(world, number, &bench, &head);
    hf_world_lay(world, number, &bench);
}

void hf_world_answer_head(struct hf_world *world, uint32_t number, uint32_t at)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    struct hf_world_flight flight = enactor->flights[at];
    struct hf_world_bench bench;
    bool is_strange = hf_world_is_strange(world, number);
    if (flight.result == HF_RESULT_OK && !is_strange &&
        enactor->instance != world->store.instance) {
        hf_world_load(world, number);
        return;
    }
    hf_world_take(world, number, &bench);
    enactor->flights[at] = (struct hf_world_flight){0};
    if (flight.result == HF_RESULT_OK && !is_strange) {
        apply_plan(world, number, &bench, &enactor->late, enactor->late_object);
    }
    struct hf_enactor_event head = {.type = HF_ENACTOR_EV_HEAD,
                                    .op = flight.op,
                                    .result = flight.result,
                                    .gen = enactor->image.gen};
    hf_world_feed(world, number, &bench, &head);
    hf_world_lay(world, number, &bench);
}

/* --- timers, where there is no time --- */

uint32_t hf_world_timers(const struct hf_world *world, uint32_t number)
{
    const struct hf_world_machine *machine = &world->enactors[number].machine;
    uint64_t now_ms = hf_world_clock(world, world->enactors[number].skew_ms);
    uint32_t armed = 0;
    if ((machine->marks & HF_WORLD_MARK_PLAN_KNOWN) == 0) {
        return 0;
    }
    armed |= machine->not_before_ms > now_ms ? 1U << HF_TIMER_BACKOFF : 0;
    armed |= machine->next_audit_ms > now_ms ? 1U << HF_TIMER_AUDIT : 0;
    armed |= machine->next_guard_ms > now_ms && machine->state != HF_ZONE_OPEN
                 ? 1U << HF_TIMER_GUARD
                 : 0;
    armed |= machine->next_head_ms > now_ms ? 1U << HF_TIMER_HEAD : 0;
    armed |= machine->heal_wake_ms != HF_NEVER ? 1U << HF_TIMER_HEAL : 0;
    return armed;
}

void hf_world_fire(struct hf_world *world, uint32_t number, uint32_t timer)
{
    struct hf_world_machine *machine = &world->enactors[number].machine;
    switch (timer) {
    case HF_TIMER_BACKOFF:
        machine->not_before_ms = 0;
        break;
    case HF_TIMER_AUDIT:
        machine->next_audit_ms = 0;
        break;
    case HF_TIMER_GUARD:
        machine->next_guard_ms = 0;
        break;
    case HF_TIMER_HEAD:
        machine->next_head_ms = 0;
        break;
    default:
        assert(timer == HF_TIMER_HEAL);
        machine->heal_wake_ms = 0;
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            machine->lanes[e].heal_until_ms = 0;
            world->enactors[number].repairs[e] = 0;
        }
        break;
    }
    hf_world_tick(world, number);
}
