/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small worlds in full: every sequence of events up to a depth, on the machine that runs in
 * production, with the checks of planner_world.h after every step. A state that was met before with
 * as many steps left is not walked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "planner_world.h"

/* The driver's part of RELOAD. as_planned: the plan had been published after all. */
static void reload(struct world *world, bool as_planned)
{
    static unsigned char old_memory[STATE_SIZE];
    struct help *help = &world->help;
    assert_in_range(help->fleet.endpoint_count, 1, ENDPOINTS_MAX);
    struct hf_planner old = help->planner;
    struct hf_planner_row rows[ENDPOINTS_MAX] = {{.gen = 0}};
    uint8_t bits[ENDPOINTS_MAX][3] = {{0}};
    for (uint32_t e = 0; e < help->fleet.endpoint_count; e++) {
        uint64_t first = help->endpoints[e].octet_first;
        bool planned = as_planned && hf_bitset_has(&old.publishing, e);
        rows[e] = planned ? old.next_rows[e] : old.rows[e];
        bits[e][0] = planned ? old.next_in[first] : old.in[first];
        bits[e][1] = planned ? old.next_pick_a[first] : old.pick_a[first];
        bits[e][2] = planned ? old.next_pick_aaaa[first] : old.pick_aaaa[first];
    }
    help_published(help, as_planned ? HF_RESULT_UNKNOWN : HF_RESULT_REFUSED);
    if (!help->planner.reload || help->outbox.actions[0].type != HF_PLANNER_RELOAD) {
        wrong(world, "no RELOAD");
    }
    old = help->planner;
    memcpy(old_memory, help->memory, world->memory_size);
    memset(help->memory, 0, world->memory_size);
    uint64_t head_gen = as_planned ? old.publish_gen : old.head_gen;
    hf_planner_init(&help->planner, &help->fleet, help->memory, head_gen, &old.changed);
    hf_planner_inherit(&help->planner, &old);
    for (uint32_t e = 0; e < help->fleet.endpoint_count; e++) {
        if (rows[e].gen != 0) {
            hf_planner_adopt(&help->planner, e, &rows[e], &bits[e][0], &bits[e][1], &bits[e][2]);
        }
    }
    size_t verdicts_at = (size_t)(old.verdicts - (unsigned char *)help->memory);
    size_t drained_at = (size_t)(old.drained - (unsigned char *)help->memory);
    for (uint32_t b = 0; b < help->fleet.backend_count; b++) {
        help_verdict(help, b, (enum hf_verdict)old_memory[verdicts_at + b]);
        help_drain(help, b, (old_memory[drained_at + b] & 1) != 0);
    }
}

static void tick(struct world *world)
{
    bool was_free = world->help.planner.op == 0;
    uint64_t head_gen = world->help.planner.head_gen;
    help_tick(&world->help);
    for (uint32_t i = 0; i < world->help.outbox.count; i++) {
        const struct hf_planner_action *action = &world->help.outbox.actions[i];
        if (action->type != HF_PLANNER_PUBLISH || !was_free || action->gen <= head_gen) {
            wrong(world, "a plan in between, or not above the head");
        }
        check_plan(world);
    }
    if (was_free && world->help.planner.dirty.count > 0) {
        wrong(world, "TICK left work");
    }
}

/* What the published plan answers with; what the operator ordered counts as published. */
static uint64_t capacity_now(const struct world *world, uint32_t endpoint)
{
    if (hf_bitset_has(&world->help.planner.publishing, endpoint)) {
        struct hf_planner_entry next;
        hf_planner_next(&world->help.planner, endpoint, &next);
        if (is_ordered(&next)) {
            return capacity_of(world, endpoint, next.in[0]);
        }
    }
    return capacity_of(world, endpoint, help_in(&world->help, endpoint));
}

static void pass_half_a_window(struct world *world)
{
    world->help.now_ms += WINDOW_MS / 2;
    world->ghost.changes[1] = world->ghost.changes[0];
    world->ghost.changes[0] = 0;
    for (uint32_t e = 0; e < world->help.fleet.endpoint_count; e++) {
        uint64_t *most = world->ghost.most[e];
        most[1] = most[0];
        most[0] = capacity_now(world, e);
    }
}

static void input(struct world *world, enum what what, uint32_t which)
{
    struct help *help = &world->help;
    if (what == DRAIN) {
        help_drain(help, which, (help->planner.drained[which] & 1) == 0);
        return;
    }
    help_verdict(help, which,
                 what == UP     ? HF_VERDICT_UP
                 : what == DOWN ? HF_VERDICT_DOWN
                                : HF_VERDICT_UNKNOWN);
}

/* RETIRE and PIN are lifted where they are set. */
static void order(struct world *world, enum what what, uint32_t which)
{
    struct hf_planner_row *row = &world->help.planner.rows[which];
    static const uint8_t first_member = 1;
    bool on = (row->want & (what == RETIRE ? 1 : 2)) != 0;
    struct hf_planner_event event = {
        .type = what == RETIRE    ? (on ? HF_PLANNER_UNRETIRE : HF_PLANNER_RETIRE)
                : what == PIN     ? (on ? HF_PLANNER_UNPIN : HF_PLANNER_PIN)
                : what == STAMP   ? HF_PLANNER_STAMP
                : what == CLAIMED ? HF_PLANNER_CLAIMED
                : what == AHEAD   ? HF_PLANNER_AHEAD
                                  : HF_PLANNER_APPROVE,
        .endpoint = which,
        .bits = &first_member,
        .gen = what == AHEAD ? world->help.planner.head_gen + 3 : row->gen,
        .serial = world->help.planner.hold_serial,
    };
    help_step(&world->help, event);
}

static bool is_possible(const struct world *world, enum what what, uint32_t which)
{
    const struct hf_planner *planner = &world->help.planner;
    switch (what) {
    case UP:
    case DOWN:
    case UNKNOWN:
    case DRAIN:
        return which < world->help.fleet.backend_count;
    case RETIRE:
    case PIN:
    case STAMP:
    case CLAIMED:
        return which < world->help.fleet.endpoint_count;
    case PUBLISHED_OK:
    case PUBLISHED_REFUSED:
    case PUBLISHED_UNKNOWN:
        return which == 0 && planner->op != 0;
    case APPROVE:
        return which == 0 && planner->held.count > 0;
    default:
        return which == 0;
    }
}

static void perform(struct world *world, enum what what, uint32_t which)
{
    static const char *const names[] = {"up",     "down", "unknown", "drain",    "tick",
                                        "later",  "ok",   "refused", "in doubt", "approve",
                                        "retire", "pin",  "stamp",   "ahead",    "claimed"};
    (void)snprintf(world->path[world->depth++], sizeof world->path[0], "%s %u", names[what], which);
    switch (what) {
    case UP:
    case DOWN:
    case UNKNOWN:
    case DRAIN:
        input(world, what, which);
        break;
    case LATER:
        pass_half_a_window(world);
        tick(world);
        break;
    case TICK:
        tick(world);
        break;
    case PUBLISHED_OK:
        help_published(&world->help, HF_RESULT_OK);
        break;
    case PUBLISHED_REFUSED:
    case PUBLISHED_UNKNOWN:
        reload(world, what == PUBLISHED_UNKNOWN);
        break;
    default:
        order(world, what, which);
    }
    check_state(world);
}

/* True when the state was met before with at least as many steps left. */
static bool was_met(struct world *world, uint32_t left)
{
    uint64_t found = digest(world) << 4;
    for (uint32_t at = (uint32_t)(found >> 8) % MET_SIZE;; at = (at + 1) % MET_SIZE) {
        if (world->met[at] == 0) {
            assert_true(world->states++ < MET_SIZE / 2);
            world->met[at] = found | left;
            return false;
        }
        if (world->met[at] >> 4 == found >> 4) {
            bool is_known = (world->met[at] & 15) >= left;
            world->met[at] = is_known ? world->met[at] : found | left;
            return is_known;
        }
    }
}

static bool is_settled(const struct world *world)
{
    const struct hf_planner *planner = &world->help.planner;
    for (uint32_t e = 0; e < world->help.fleet.endpoint_count; e++) {
        const struct hf_fleet_endpoint *shape = &world->help.endpoints[e];
        uint64_t wanted = 0;
        for (uint32_t i = 0; i < shape->member_count; i++) {
            uint32_t backend = world->help.members[shape->member_first + i];
            bool is_gone = (world->help.backends[backend].flags & HF_FLEET_GONE) != 0;
            wanted |= is_gone ? 0 : UINT64_C(1) << i;
        }
        bool is_ordered_so = (planner->rows[e].want & 3) != 0;
        if (!is_ordered_so && help_in(&world->help, e) != wanted) {
            return false;
        }
    }
    return planner->held.count == 0;
}

/* From everywhere: when all are healthy and time passes, all serve, and nothing is held back. */
static void settle(struct world *world)
{
    enum { ROUNDS = 24 };
    struct help *help = &world->help;
    int depth = world->depth;
    for (uint32_t b = 0; b < help->fleet.backend_count; b++) {
        help_verdict(help, b, HF_VERDICT_UP);
        help_drain(help, b, false);
    }
    if (help->planner.stopped) {
        help_step(help, (struct hf_planner_event){.type = HF_PLANNER_FREEZE, .on = true});
        help_step(help, (struct hf_planner_event){.type = HF_PLANNER_FREEZE});
    }
    for (uint32_t i = 0; i < ROUNDS && !is_settled(world); i++) {
        world->depth = depth;
        perform(world, help->planner.op != 0 ? PUBLISHED_OK : LATER, 0);
    }
    if (!is_settled(world)) {
        wrong(world, "it does not settle");
    }
}

static void save(struct world *world, struct moment *moment)
{
    world->ghost.now_ms = world->help.now_ms;
    moment->planner = world->help.planner;
    moment->ghost = world->ghost;
    memcpy(moment->memory, world->help.memory, world->memory_size);
}

static void restore(struct world *world, const struct moment *moment)
{
    world->help.planner = moment->planner;
    world->ghost = moment->ghost;
    world->help.now_ms = moment->ghost.now_ms;
    memcpy(world->help.memory, moment->memory, world->memory_size);
}

static void walk(struct world *world, uint32_t left)
{
    if (left == 0 || was_met(world, left)) {
        return;
    }
    int depth = world->depth;
    struct moment *moment = &world->moments[depth];
    save(world, moment);
    if (world->states % 8 == 0) {
        settle(world);
        world->depth = depth;
        restore(world, moment);
    }
    for (int what = 0; what <= CLAIMED; what++) {
        for (uint32_t which = 0; (world->events >> what & 1) != 0 && which < 4; which++) {
            if (!is_possible(world, (enum what)what, which)) {
                break;
            }
            perform(world, (enum what)what, which);
            world->steps++;
            walk(world, left - 1);
            world->depth = depth;
            restore(world, moment);
        }
    }
}

/* One world: what there is, what can happen, how far to walk, and how it begins. */
struct plot {
    const char *name;
    uint32_t endpoints;
    uint32_t min_healthy;
    uint32_t capacities[4];
    uint8_t flags[4];
    uint16_t removal_permille, changed_permille;
    uint32_t events, depth;
    bool is_adopted; /* begins with an answer of all members */
};

#define BIT(what) (UINT32_C(1) << (what))
enum {
    V4 = HF_FLEET_HAS_A,
    V6 = HF_FLEET_HAS_AAAA,
    PLAIN = BIT(UP) | BIT(DOWN) | BIT(TICK) | BIT(LATER) | BIT(PUBLISHED_OK),
    TROUBLE = BIT(PUBLISHED_REFUSED) | BIT(PUBLISHED_UNKNOWN),
};

static void build(struct world *world, const struct plot *plot)
{
    struct help *help = &world->help;
    help_init(help);
    help->fleet.max_changed_permille = plot->changed_permille;
    struct hf_fleet_policy policy = {.ttl_s = 86400,
                                     .min_healthy = plot->min_healthy,
                                     .max_removal_ms = WINDOW_MS,
                                     .max_removal_permille = plot->removal_permille,
                                     .answers_max = 8};
    (void)help_policy(help, policy);
    uint32_t members[4];
    uint32_t count = 0;
    for (; count < 4 && plot->capacities[count] > 0; count++) {
        members[count] = help_backend(help, plot->capacities[count], 10, plot->flags[count]);
    }
    for (uint32_t e = 0; e < plot->endpoints; e++) {
        (void)help_endpoint(help, 0, members + (e == 0 ? 0 : 1), count - (e == 0 ? 0 : 1));
    }
    help_start(help, plot->is_adopted ? 40 : 0);
    for (uint32_t e = 0; plot->is_adopted && e < plot->endpoints; e++) {
        struct hf_planner_row row = {.gen = 40 - e, .ttl_s = 86400, .cause_backend = UINT32_MAX};
        uint8_t in = (uint8_t)((1U << help->endpoints[e].member_count) - 1), a = 0, aaaa = 0;
        for (uint32_t i = 0; i < help->endpoints[e].member_count; i++) {
            uint8_t flags = plot->flags[i + (e == 0 ? 0 : 1)];
            a |= (uint8_t)((flags & V4) != 0 ? 1U << i : 0);
            aaaa |= (uint8_t)((flags & V6) != 0 ? 1U << i : 0);
        }
        hf_planner_adopt(&help->planner, e, &row, &in, &a, &aaaa);
        world->ghost.most[e][0] = capacity_of(world, e, in);
    }
    world->memory_size = hf_planner_layout(&help->fleet);
    assert_in_range(world->memory_size, 1, STATE_SIZE);
    world->events = plot->events;
    world->is_bounded = (plot->events & (BIT(APPROVE) | BIT(PIN))) == 0;
}

static void explore(void **state)
{
    const struct plot *plot = *state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->met = calloc(MET_SIZE, sizeof *world->met);
    assert_non_null(world->met);
    build(world, plot);
    walk(world, plot->depth);
    print_message("# %s: %ju steps, %ju states, depth %u\n", plot->name, (uintmax_t)world->steps,
                  (uintmax_t)world->states, plot->depth);
    assert_in_range(world->steps, 1000, UINT64_MAX);
    free(world->met);
    help_release(&world->help);
    free(world);
}

static struct plot plots[] = {
    {"health of one endpoint, from nothing",
     1,
     1,
     {100, 100, 100},
     {V4, V4, V4},
     340,
     1000,
     PLAIN | BIT(UNKNOWN),
     11,
     false},
    {"health of one endpoint, answering",
     1,
     2,
     {100, 100, 100},
     {V4, V4, V4},
     340,
     1000,
     PLAIN | BIT(UNKNOWN) | BIT(DRAIN),
     9,
     true},
    {"families", 1, 1, {100, 50, 200}, {V4, V4 | V6, V6}, 700, 1000, PLAIN | BIT(DRAIN), 10, true},
    {"an address that changes",
     1,
     1,
     {100, 100, 100, 100},
     {V4, V4 | HF_FLEET_GONE, V4, V6},
     500,
     1000,
     PLAIN,
     9,
     true},
    {"trouble with the store",
     2,
     1,
     {100, 100, 100},
     {V4, V4, V6},
     340,
     1000,
     PLAIN | TROUBLE | BIT(DRAIN),
     8,
     true},
    {"approval",
     1,
     2,
     {100, 100, 100},
     {V4, V4 | V6, V6},
     340,
     1000,
     PLAIN | TROUBLE | BIT(APPROVE) | BIT(DRAIN),
     8,
     true},
    {"few changes",
     3,
     1,
     {100, 100},
     {V4, V4},
     500,
     300,
     PLAIN | BIT(APPROVE) | BIT(UNKNOWN),
     10,
     true},
    {"the operator's words",
     2,
     1,
     {100, 100},
     {V4, V6},
     500,
     500,
     PLAIN | TROUBLE | BIT(RETIRE) | BIT(PIN) | BIT(CLAIMED),
     7,
     true},
    {"lost history",
     2,
     1,
     {100, 100},
     {V4, V4},
     500,
     500,
     PLAIN | TROUBLE | BIT(RETIRE) | BIT(STAMP) | BIT(AHEAD) | BIT(CLAIMED),
     7,
     true},
};

int main(void)
{
    enum { PLOTS = sizeof plots / sizeof plots[0] };
    struct CMUnitTest tests[PLOTS];
    for (size_t i = 0; i < PLOTS; i++) {
        tests[i] = (struct CMUnitTest){
            .name = plots[i].name, .test_func = explore, .initial_state = &plots[i]};
    }
    return cmocka_run_group_tests_name("planner worlds", tests, NULL, NULL);
}
