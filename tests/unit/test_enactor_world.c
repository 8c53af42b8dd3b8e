/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three enactors in a hostile world (enactor_world.h), thousands of seeds: the invariants hold
 * after every step of the server, and when the faults stop, everything converges. A seed that
 * fails is run again with its timeline. Canaries show that violations are seen.
 * ENACTOR_WORLD_SEED=N runs one seed, with its timeline, ENACTOR_WORLD_SEEDS=N the first N.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enactor_world.h"

enum { SEEDS = 8000, HOSTILE_STEPS = 1500, CALM_STEPS = 6000 };

/* --- people --- */

static void edit_site(struct world *world, uint32_t e)
{
    struct site *site = &world->zone.sites[e];
    world->edited[e] = true;
    switch (dice(world, 5)) {
    case 0:
        site->records = HF_RECORDS_NONE;
        site->sum = HF_SUM_EMPTY;
        break;
    case 1:
        site->records = HF_RECORDS_SUM;
        site->sum = 0xee;
        break;
    case 2:
        site->records = HF_RECORDS_OTHER;
        site->sum = 0;
        break;
    case 3:
        site->fence = (struct hf_fence){.kind = HF_FENCE_ABSENT};
        world->high[e] = 0;
        break;
    default:
        site->fence =
            (struct hf_fence){.kind = dice(world, 2) == 0 ? HF_FENCE_DAMAGED : HF_FENCE_ALIEN};
        world->high[e] = 0;
        break;
    }
    tell(world, "by hand: endpoint %" PRIu32 " has fence kind %d, records kind %d", e,
         site->fence.kind, site->records);
}

static void edit_guard(struct world *world)
{
    struct hf_zone_guard *guard = &world->zone.guard;
    uint32_t what = dice(world, 6);
    if (what == 0) {
        *guard = (struct hf_zone_guard){.kind = HF_FENCE_ABSENT};
        for (uint32_t e = 0; e < ENDPOINTS; e++) {
            /* The floor goes with it: what protects retired names is lost by hand. */
            world->high[e] = world->zone.sites[e].fence.kind == HF_FENCE_OURS ? world->high[e] : 0;
        }
    } else if (guard->kind == HF_FENCE_OURS) {
        guard->frozen = what < 3;
    }
    tell(world, "by hand: guard kind %d frozen %d", guard->kind, guard->frozen);
}

static void feed_adopt(struct world *world, uint32_t number, uint32_t e)
{
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_ADOPT, .lane = e, .on = true};
    feed(world, number, &event);
}

static void adopt(struct world *world, uint32_t e)
{
    world->adopted[e] = true;
    tell(world, "the operator adopts endpoint %" PRIu32, e);
    for (uint32_t number = 0; number < ENACTORS; number++) {
        feed_adopt(world, number, e);
    }
}

static void start(struct world *world, uint32_t number)
{
    struct member *member = &world->members[number];
    struct hf_enactor_options options = {.write_count = ++member->lives * 1000000,
                                         .instance = INSTANCE,
                                         .writer = number,
                                         .audit_ms = 1000,
                                         .batch = 2,
                                         .window_max = 2,
                                         .offset = number * 21845,
                                         .share = 21845};
    if (hf_enactor_layout(&options, ENDPOINTS) > sizeof member->memory) {
        abort();
    }
    memset(member->memory, 0, sizeof member->memory);
    memset(member->fed, 0, sizeof member->fed);
    hf_enactor_init(&member->machine, &options, member->memory, ENDPOINTS);
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        (void)hf_enactor_add_lane(&member->machine);
    }
    member->serial_known = false;
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        struct flight *flight = &world->flights[i];
        if (flight->state != FLIGHT_FREE && flight->enactor == number && !flight->is_janitor) {
            bool write = flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
            flight->ghost = true;
            if (!write || flight->state == FLIGHT_ANSWERED) {
                flight->state = FLIGHT_FREE;
            }
        }
    }
    tell(world, "e%" PRIu32 " starts", number);
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        if (world->adopted[e]) {
            feed_adopt(world, number, e);
        }
    }
}

/* Worlds without people, with people, and with a store that is restored. */
static void be_hostile(struct world *world)
{
    struct hf_enactor_event event;
    uint32_t number = dice(world, ENACTORS);
    uint32_t what = dice(world, 26);
    if (what < 3 && what + 1 > world->roughness) {
        clean(world);
        return;
    }
    switch (what) {
    case 0:
        edit_site(world, dice(world, ENDPOINTS));
        break;
    case 1:
        edit_guard(world);
        break;
    case 2:
        if (world->kept_count > 0 && dice(world, 3) == 0) {
            uint32_t kept = world->kept_count < 8 ? world->kept_count : 8;
            world->plan = world->kept[dice(world, kept)];
            world->restored = true;
            for (uint32_t e = 0; e < ENDPOINTS; e++) {
                world->was_ours[e] = world->was_ours[e] || world->plan.entries[e].claimed;
            }
            tell(world, "the store is restored to plan %" PRIu64, world->plan.gen);
        }
        return;
    case 3:
        start(world, number);
        return;
    case 4:
        clean(world);
        return;
    case 5:
        if (dice(world, 8) == 0) {
            adopt(world, dice(world, ENDPOINTS));
        }
        return;
    case 6:
        event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_FREEZE, .on = dice(world, 4) == 0};
        feed(world, number, &event);
        return;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        change_plan(world);
        return;
    case 12:
    case 13:
    case 14:
        report(world, number);
        return;
    default:
        feed_head(world, number, &world->plan, 0);
        return;
    }
    world->zone.serial++;
}

/* --- time --- */

static void tick(struct world *world, uint32_t number)
{
    struct hf_enactor_event event = {.type = HF_ENACTOR_EV_TICK};
    feed(world, number, &event);
}

static void pass_time(struct world *world)
{
    uint32_t number = dice(world, ENACTORS);
    while (world->dead[number]) {
        number = (number + 1) % ENACTORS;
    }
    uint64_t due_ms = hf_enactor_deadline_ms(&world->members[number].machine);
    if (due_ms == HF_NEVER) {
        return;
    }
    if (due_ms > world->now_ms) {
        world->now_ms = dice(world, 3) == 0 ? due_ms : world->now_ms + 1 + dice(world, 50);
    }
    for (number = 0; number < ENACTORS; number++) {
        if (!world->dead[number] &&
            hf_enactor_deadline_ms(&world->members[number].machine) <= world->now_ms) {
            tick(world, number);
        }
    }
}

static void move_flight(struct world *world)
{
    struct flight *flight = &world->flights[dice(world, FLIGHTS)];
    for (uint32_t i = 0; i < FLIGHTS && flight->state == FLIGHT_FREE; i++) {
        flight = flight + 1 == world->flights + FLIGHTS ? world->flights : flight + 1;
    }
    if (flight->state == FLIGHT_FREE || (flight->ghost && dice(world, 6) != 0)) {
        return;
    }
    if (!flight->ghost && dice(world, 12) == 0) {
        deliver(world, flight, false);
    } else if (flight->state == FLIGHT_SENT) {
        if (dice(world, 25) == 0 && flight->ghost) {
            flight->state = FLIGHT_FREE;
        } else {
            serve(world, flight);
        }
    } else {
        deliver(world, flight, true);
    }
}

/* --- the calm after: everything that is under way ends, in order --- */

static bool has_converged(const struct world *world)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        const struct entry *entry = &world->plan.entries[e];
        const struct site *site = &world->zone.sites[e];
        bool there = site->fence.kind == HF_FENCE_OURS && site->fence.gen == entry->gen &&
                     site->fence.sum == entry->sum && site->sum == entry->sum &&
                     site->records != HF_RECORDS_OTHER;
        bool away = (entry->gen == 0 || entry->retired) && site->fence.kind != HF_FENCE_OURS;
        bool foreign = site->fence.kind != HF_FENCE_OURS && !world->adopted[e] &&
                       world->members[world->alive].machine.lanes[e].need == HF_NEED_ADOPT;
        if (!there && !away && !foreign && entry->gen != 0) {
            return false;
        }
    }
    for (uint32_t number = 0; number < ENACTORS; number++) {
        if (!world->dead[number] && world->members[number].machine.plan_gen != world->plan.gen) {
            return false;
        }
    }
    return true;
}

static void calm_down(struct world *world)
{
    world->calm = true;
    tell(world, "--- calm");
    for (uint32_t i = 0; i < FLIGHTS; i++) { /* what was late arrives now, or never */
        struct flight *flight = &world->flights[i];
        if (flight->state == FLIGHT_SENT && (flight->ghost || flight->is_janitor)) {
            flight->ghost = true;
            serve(world, flight);
        }
    }
    struct hf_zone_guard *guard = &world->zone.guard;
    if (guard->kind == HF_FENCE_ABSENT) {
        /* The operator takes the zone over, as adopt --zone does. */
        *guard = (struct hf_zone_guard){
            .kind = HF_FENCE_OURS, .instance = INSTANCE, .floor = world->plan.gen};
    }
    guard->frozen = false;
    world->zone.serial++;
    for (uint32_t number = 0; number < ENACTORS; number++) {
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_FREEZE};
        feed(world, number, &event);
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        if (dice(world, 2) == 0) {
            adopt(world, e);
        }
    }
    /* One enactor is enough. */
    world->alive = dice(world, ENACTORS);
    for (uint32_t number = 0; number < ENACTORS; number++) {
        world->dead[number] = number != world->alive && dice(world, 2) == 0;
    }
}

static void calm_step(struct world *world)
{
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        struct flight *flight = &world->flights[i];
        if (flight->state == FLIGHT_SENT) {
            serve(world, flight);
        } else if (world->dead[flight->enactor]) {
            flight->state = FLIGHT_FREE;
        } else if (flight->state == FLIGHT_ANSWERED) {
            deliver(world, flight, true);
        }
    }
    if (world->steps % 8 == 0) {
        for (uint32_t number = 0; number < ENACTORS; number++) {
            if (world->dead[number]) {
                continue;
            }
            report(world, number);
            if (world->members[number].machine.plan_gen != world->plan.gen ||
                !is_fed(world->members[number].fed, world->plan.entries)) {
                feed_head(world, number, &world->plan, 0);
            }
        }
    }
    pass_time(world);
    if (world->zone.guard.kind == HF_FENCE_OURS && world->zone.guard.frozen) {
        world->zone.guard.frozen = false; /* a freeze that was still on its way */
        world->zone.serial++;
    }
}

/* --- runs --- */

static void run(struct world *world, uint64_t seed, enum prerequisite unchecked, bool verbose)
{
    memset(world, 0, sizeof *world);
    world->unchecked = (uint8_t)unchecked;
    world->verbose = verbose;
    world->roughness = (uint32_t)(seed % 4);
    world->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->now_ms = 1000;
    world->zone.guard.kind = HF_FENCE_ABSENT;
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        struct site *site = &world->zone.sites[e];
        site->fence.kind = HF_FENCE_ABSENT;
        bool foreign = dice(world, 6) == 0;
        site->records = foreign ? HF_RECORDS_SUM : HF_RECORDS_NONE;
        site->sum = foreign ? 0xa0 + dice(world, 4) : HF_SUM_EMPTY;
    }
    for (uint32_t number = 0; number < ENACTORS; number++) {
        start(world, number);
    }
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        change_plan(world);
    }
    for (; world->steps < HOSTILE_STEPS && world->why[0] == 0; world->steps++) {
        uint32_t what = dice(world, 16);
        if (what < 11) {
            move_flight(world);
        } else if (what < 14) {
            pass_time(world);
        } else {
            be_hostile(world);
        }
    }
    if (world->why[0] == 0) {
        calm_down(world);
    }
    uint32_t last = world->steps + CALM_STEPS;
    uint32_t settled = 0; /* it must stay so */
    for (; world->steps < last && settled < 100 && world->why[0] == 0; world->steps++) {
        calm_step(world);
        settled = has_converged(world) ? settled + 1 : 0;
    }
    if (settled < 100) {
        broken(world, "I5: not converged after %d calm steps", CALM_STEPS);
    }
}

static void test_seeds(void **state)
{
    (void)state;
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    const char *one = getenv("ENACTOR_WORLD_SEED"), *many = getenv("ENACTOR_WORLD_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t last = one != NULL ? first : many != NULL ? strtoull(many, NULL, 10) : SEEDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        run(world, seed, CHECKS_ALL, one != NULL);
        if (world->why[0] != 0) {
            run(world, seed, CHECKS_ALL, true);
            fail_msg("seed %" PRIu64 ": %s", seed, world->why);
        }
    }
    free(world);
}

/* Canaries: a server that leaves out one prerequisite must be found out. */
static void test_found_out(void **state)
{
    (void)state;
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    for (enum prerequisite unchecked = NO_GUARD; unchecked <= NO_RECORDS; unchecked++) {
        uint64_t seed = 0;
        do {
            run(world, ++seed, unchecked, false);
        } while (world->why[0] == 0 && seed < SEEDS);
        assert_string_not_equal(world->why, "");
    }
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_found_out),
    };
    return cmocka_run_group_tests_name("enactor world", tests, NULL, NULL);
}
