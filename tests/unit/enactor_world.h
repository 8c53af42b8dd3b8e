/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small world around three enactors, for tests: one zone of a server that does what RFC 2136
 * says, a network that loses, delays and repeats, a planner that answers reports, a store that can
 * be restored, and people who edit by hand. Everything follows from the seed.
 */
#ifndef HF_TESTS_ENACTOR_WORLD_H
#define HF_TESTS_ENACTOR_WORLD_H

#include "enactor_zone.h"

/* --- requests --- */

static inline struct flight *new_flight(struct world *world)
{
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        if (world->flights[i].state == FLIGHT_FREE) {
            memset(&world->flights[i], 0, sizeof world->flights[i]);
            world->flights[i].state = FLIGHT_SENT;
            return &world->flights[i];
        }
    }
    /* A ghost makes room: it is lost. */
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        if (world->flights[i].ghost) {
            memset(&world->flights[i], 0, sizeof world->flights[i]);
            world->flights[i].state = FLIGHT_SENT;
            return &world->flights[i];
        }
    }
    abort();
}

/* What the driver demands of the records that a lane's write replaces. */
static inline void fill_change(const struct hf_lane *lane, uint64_t count, uint32_t writer,
                               struct change *change)
{
    *change = (struct change){.with = true, .before = lane->fence};
    change->after = (struct hf_fence){.kind = HF_FENCE_OURS,
                                      .gen = lane->sent_gen,
                                      .sum = lane->sent_sum,
                                      .count = count,
                                      .writer = writer};
    if (lane->fence.kind == HF_FENCE_ABSENT && lane->records == HF_RECORDS_NONE) {
        change->expect = HF_RECORDS_NONE;
    } else if (lane->fence.kind == HF_FENCE_ABSENT && lane->records == HF_RECORDS_SUM &&
               lane->records_sum == lane->sent_sum) {
        change->expect = HF_RECORDS_SUM;
        change->expect_sum = lane->sent_sum;
        change->fence_only = true;
    }
}

static inline void send(struct world *world, uint32_t number,
                        const struct hf_enactor_action *action)
{
    static const char *const names[] = {"", "transfer", "read", "write", "write guard", "head"};
    struct member *member = &world->members[number];
    struct flight *flight = new_flight(world);
    flight->enactor = number;
    flight->op = action->op;
    flight->kind = action->kind;
    flight->guard = action->guard;
    flight->guard_after = action->guard_after;
    flight->changes_guard = action->kind == HF_ENACTOR_WRITE_GUARD;
    flight->whole = action->whole;
    for (uint32_t at = action->lane_first; at != HF_BITSET_NONE;) {
        const struct hf_lane *lane = &member->machine.lanes[at];
        flight->lanes[flight->lane_count++] = at;
        if (action->kind == HF_ENACTOR_WRITE) {
            fill_change(lane, action->count, number, &flight->changes[at]);
            tell(world,
                 "  e%" PRIu32 " op %" PRIx32 " writes endpoint %" PRIu32 ": %" PRIu64
                 " sum %" PRIx64 " over kind %d gen %" PRIu64,
                 number, action->op, at, lane->sent_gen, lane->sent_sum, lane->fence.kind,
                 lane->fence.gen);
        }
        at = lane->next;
    }
    tell(world,
         "  e%" PRIu32 " op %" PRIx32 " sends %s%s, guard kind %d floor %" PRIu64 " frozen %d",
         number, action->op, names[action->kind], action->whole ? " whole" : "", action->guard.kind,
         action->guard.floor, action->guard.frozen);
}

static inline void feed(struct world *world, uint32_t number, struct hf_enactor_event *event)
{
    struct hf_enactor_outbox outbox;
    do {
        event->now_ms = world->now_ms;
        event->random = dice(world, 1000);
        hf_enactor_step(&world->members[number].machine, event, &outbox);
        for (uint32_t i = 0; i < outbox.count; i++) {
            send(world, number, &outbox.actions[i]);
        }
        *event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_TICK};
    } while (outbox.count == HF_ENACTOR_OUTBOX_MAX);
}

/* One thing more happens at the server to a request. */
static inline void serve(struct world *world, struct flight *flight)
{
    struct member *member = &world->members[flight->enactor];
    uint32_t e;
    flight->result = HF_RESULT_OK;
    switch (flight->kind) {
    case HF_ENACTOR_HEAD:
        flight->plan = world->plan;
        break;
    case HF_ENACTOR_READ_ZONE:
        if (flight->at++ == 0) {
            flight->seen.serial = world->zone.serial;
            flight->unchanged =
                !flight->whole && member->serial_known && member->serial == world->zone.serial;
            if (!flight->unchanged) {
                return;
            }
            break;
        }
        e = flight->seen.serial;
        flight->seen = world->zone;
        flight->seen.serial = e;
        break;
    case HF_ENACTOR_READ: /* guard; then of each lane the fence, then the records */
        if (flight->at == 0) {
            flight->seen.guard = world->zone.guard;
        } else {
            e = flight->lanes[(flight->at - 1) / 2];
            struct site *site = &flight->seen.sites[e];
            if (flight->at % 2 == 1) {
                site->fence = world->zone.sites[e].fence;
            } else if (site->fence.kind == HF_FENCE_ABSENT) {
                site->records = world->zone.sites[e].records;
                site->sum = world->zone.sites[e].sum;
            }
        }
        if (flight->at++ < 2 * flight->lane_count) {
            return;
        }
        break;
    default:
        if (!world->calm && dice(world, 40) == 0) {
            flight->result = HF_RESULT_REFUSED; /* untruly */
        } else {
            flight->result = apply_update(world, flight);
        }
        tell(world, "server: op %" PRIx32 " of e%" PRIu32 "%s%s %s", flight->op, flight->enactor,
             flight->is_janitor ? " (janitor)" : "", flight->ghost ? " (late)" : "",
             flight->result == HF_RESULT_OK ? "done" : "refused");
        break;
    }
    flight->state = FLIGHT_ANSWERED;
    if (flight->ghost) {
        flight->state = FLIGHT_FREE;
    } else if (!world->calm && dice(world, 30) == 0 && flight->kind >= HF_ENACTOR_WRITE &&
               flight->kind <= HF_ENACTOR_WRITE_GUARD) {
        struct flight *again = new_flight(world); /* it arrives twice */
        *again = *flight;
        again->state = FLIGHT_SENT;
        again->ghost = true;
    }
}

/* --- answers --- */

static inline bool entry_equal(const struct entry *a, const struct entry *b)
{
    return a->gen == b->gen && a->sum == b->sum && a->claimed == b->claimed &&
           a->retired == b->retired && a->urgent == b->urgent;
}

/* Whether an enactor has been fed every entry of a plan. */
static inline bool is_fed(const struct entry *fed, const struct entry *entries)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        if (!entry_equal(&fed[e], &entries[e])) {
            return false;
        }
    }
    return true;
}

static inline void feed_entries(struct world *world, uint32_t number, const struct plan *plan)
{
    struct member *member = &world->members[number];
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct entry *entry = &plan->entries[e];
        if (entry_equal(entry, &member->fed[e])) {
            continue;
        }
        struct hf_enactor_event event = {
            .type = HF_ENACTOR_EV_ENTRY, .lane = e, .gen = entry->gen, .sum = entry->sum};
        event.flags = (uint8_t)((entry->claimed ? HF_LANE_CLAIMED : 0) |
                                (entry->retired ? HF_LANE_RETIRED : 0) |
                                (entry->urgent ? HF_LANE_URGENT : 0));
        feed(world, number, &event);
        member->fed[e] = *entry;
    }
}

static inline void feed_head(struct world *world, uint32_t number, const struct plan *plan,
                             uint32_t op)
{
    feed_entries(world, number, plan);
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_HEAD, .op = op, .gen = plan->gen};
    tell(world, "e%" PRIu32 " loads plan %" PRIu64, number, plan->gen);
    feed(world, number, &event);
}

static inline void feed_seen(struct world *world, const struct flight *flight)
{
    struct hf_enactor_event event = {
        .type = HF_ENACTOR_EV_GUARD, .op = flight->op, .guard = flight->seen.guard};
    feed(world, flight->enactor, &event);
    bool all = flight->kind == HF_ENACTOR_READ_ZONE;
    for (uint32_t i = 0; i < (all ? ENDPOINTS : flight->lane_count); i++) {
        uint32_t e = all ? i : flight->lanes[i];
        const struct site *site = &flight->seen.sites[e];
        if (all && site->fence.kind == HF_FENCE_ABSENT && site->records == HF_RECORDS_NONE) {
            continue;
        }
        bool records = all || site->fence.kind == HF_FENCE_ABSENT;
        event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_SEEN,
                                          .op = flight->op,
                                          .lane = e,
                                          .fence = site->fence,
                                          .records = records ? site->records : 0,
                                          .sum = records ? site->sum : 0};
        feed(world, flight->enactor, &event);
    }
}

/* The answer arrives, or the enactor gives up waiting. */
static inline void deliver(struct world *world, struct flight *flight, bool arrives)
{
    struct flight copy = *flight;
    uint32_t number = copy.enactor;
    struct member *member = &world->members[number];
    bool late = !arrives && copy.state == FLIGHT_SENT && copy.kind >= HF_ENACTOR_WRITE &&
                copy.kind <= HF_ENACTOR_WRITE_GUARD;
    flight->ghost = true;
    flight->state = late ? FLIGHT_SENT : FLIGHT_FREE;
    if (copy.is_janitor) {
        return;
    }
    uint8_t result = arrives ? copy.result : (uint8_t)HF_RESULT_UNKNOWN;
    tell(world, "e%" PRIu32 " op %" PRIx32 " ends: %s%s", number, copy.op,
         result == HF_RESULT_OK        ? "ok"
         : result == HF_RESULT_REFUSED ? "refused"
                                       : "unknown",
         copy.unchanged ? ", unchanged" : "");
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_DONE,
                                     .op = copy.op,
                                     .result = result,
                                     .latency_ms = 10,
                                     .unchanged = copy.unchanged};
    if (copy.kind == HF_ENACTOR_HEAD) {
        if (arrives) {
            feed_head(world, number, &copy.plan, copy.op);
            return;
        }
        event.type = HF_ENACTOR_EV_HEAD;
    } else if (arrives && !copy.unchanged &&
               (copy.kind == HF_ENACTOR_READ || copy.kind == HF_ENACTOR_READ_ZONE)) {
        feed_seen(world, &copy);
        if (copy.kind == HF_ENACTOR_READ_ZONE) {
            member->serial = copy.seen.serial;
            member->serial_known = true;
        }
    }
    feed(world, number, &event);
    if (!world->calm && dice(world, 30) == 0) { /* a driver that says it twice */
        event = (struct hf_enactor_event){
            .type = HF_ENACTOR_EV_DONE, .op = copy.op, .result = (uint8_t)dice(world, 3)};
        feed(world, number, &event);
    }
}

/* --- planner and janitor --- */

static inline void publish(struct world *world, struct plan *next)
{
    if (world->all_count + ENDPOINTS > PLANS * ENDPOINTS) {
        return;
    }
    world->kept[world->kept_count++ % 8] = world->plan;
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct entry *entry = &next->entries[e];
        if (entry->gen != 0 && find_published(world, e, entry->gen, entry->sum) == NULL) {
            world->all[world->all_count++] = (struct published){
                .gen = entry->gen, .sum = entry->sum, .endpoint = e, .retired = entry->retired};
        }
        tell(world, "  plan %" PRIu64 ": endpoint %" PRIu32 " %" PRIu64 " sum %" PRIx64 "%s%s",
             next->gen, e, entry->gen, entry->sum, entry->claimed ? " claimed" : "",
             entry->retired ? " retired" : "");
    }
    world->plan = *next;
}

/* A new content for one endpoint, its retirement, or its return. */
static inline void change_plan(struct world *world)
{
    struct plan next = world->plan;
    struct entry *entry = &next.entries[dice(world, ENDPOINTS)];
    next.gen++;
    entry->gen = next.gen;
    entry->retired = dice(world, 6) == 0;
    entry->urgent = dice(world, 3) == 0;
    entry->sum = entry->retired ? HF_SUM_EMPTY : 0xa0 + dice(world, 3);
    publish(world, &next);
}

static inline void stamp(struct plan *next, uint32_t e)
{
    if (next->entries[e].gen != 0) {
        next->entries[e].gen = next->gen;
    }
}

/* The planner hears of what one enactor sees. */
static inline void report(struct world *world, uint32_t number)
{
    const struct hf_enactor *machine = &world->members[number].machine;
    struct plan next = world->plan;
    bool ahead = machine->ahead_gen > world->plan.gen;
    bool news = ahead;
    next.gen = (ahead ? machine->ahead_gen : next.gen) + 1;
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        struct entry *entry = &next.entries[e];
        uint8_t need = machine->lanes[e].need;
        bool known = machine->lanes[e].want_gen == entry->gen && entry->gen != 0;
        if (ahead || (known && (need == HF_NEED_STAMP || need == HF_NEED_HISTORY))) {
            stamp(&next, e);
            news = true;
        } else if (known && need == HF_NEED_CLAIM && !entry->claimed) {
            entry->claimed = true;
            news = true;
        } else if (known && entry->retired && need == HF_NEED_GONE &&
                   entry->gen <= machine->guard.floor) {
            *entry = (struct entry){0}; /* its tombstone was removed: forgotten */
            /* A store that was restored may remember it differently. */
            world->was_ours[e] =
                world->restored || world->zone.sites[e].fence.kind != HF_FENCE_ABSENT;
            news = true;
        }
    }
    if (news) {
        tell(world, "the planner hears e%" PRIu32, number);
        publish(world, &next);
    }
}

static inline void clean(struct world *world)
{
    struct flight *flight = NULL;
    if (world->zone.guard.kind != HF_FENCE_OURS || world->zone.guard.frozen) {
        return;
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct entry *entry = &world->plan.entries[e];
        const struct hf_fence *fence = &world->zone.sites[e].fence;
        if (!entry->retired || fence->kind != HF_FENCE_OURS || fence->gen != entry->gen ||
            fence->sum != HF_SUM_EMPTY) {
            continue;
        }
        if (flight == NULL) {
            flight = new_flight(world);
            flight->kind = HF_ENACTOR_WRITE_GUARD;
            flight->is_janitor = true;
            flight->changes_guard = true;
            flight->guard = world->zone.guard;
            flight->guard_after = world->zone.guard;
        }
        flight->changes[e] = (struct change){.with = true, .before = *fence};
        if (entry->gen > flight->guard_after.floor) {
            flight->guard_after.floor = entry->gen;
        }
        tell(world, "janitor: tombstone %" PRIu32 " %" PRIu64, e, entry->gen);
    }
}

#endif
