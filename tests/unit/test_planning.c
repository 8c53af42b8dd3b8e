/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration, plan and overrides become a fleet and a machine, and decisions become entries. */
#include "planning_world.h"

#define POLICY "ttl: 30s, guard: { max_removal: 100% per 60s }"
#define API "  api.example.test: { pools: [web], " POLICY " }\n"

static const char two_pools[] = WORLD_HEAD
    "pools:\n"
    "  web:\n"
    "    check: { type: none }\n"
    "    backends:\n"
    "      - { name: web-1, address: 192.0.2.1, capacity: 10, site: a }\n"
    "      - { name: web-2, address: [192.0.2.2, '2001:db8::2'], capacity: 10, site: b }\n"
    "      - { name: web-3, address: 192.0.2.3, capacity: 10, site: b }\n"
    "  db:\n"
    "    check: { type: none }\n"
    "    backends:\n"
    "      - { name: db-1, address: 192.0.2.11, capacity: 20, site: a }\n"
    "      - { name: db-2, address: 192.0.2.12, capacity: 20, site: b }\n"
    "endpoints:\n" API "  www.example.test: { pools: [web], " POLICY " }\n"
    "  all.example.test: { pools: [db, web], " POLICY " }\n";

#define WEB "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::2"

static void expect_entry(struct world *world, const char *name, const char *answer, uint64_t gen,
                         enum hf_cause cause)
{
    assert_string_equal(world_answer(world, name), answer);
    assert_int_equal(world_entry(world, name)->gen, gen);
    assert_string_equal(hf_cause_name((enum hf_cause)world_entry(world, name)->cause),
                        hf_cause_name(cause));
}

/* After this every rebuild of the same things is a fixed point, in this process and the next. */
static void expect_rest(struct world *world)
{
    world_expect_users(world);
    world_rebuild(world);
    assert_int_equal(world_settle(world), 0);
    world_restart(world);
    world_expect_users(world);
    assert_int_equal(world_settle(world), 0);
}

static void pools_of_one_endpoint_each_share_their_run(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    const struct hf_fleet *fleet = &world.planning->fleet;
    assert_int_equal(fleet->backend_count, 5);
    assert_int_equal(fleet->endpoint_count, 3);
    const struct hf_fleet_endpoint *api = &fleet->endpoints[0];
    const struct hf_fleet_endpoint *www = &fleet->endpoints[1];
    const struct hf_fleet_endpoint *all = &fleet->endpoints[2];
    assert_int_equal(api->member_first, www->member_first);
    assert_int_equal(api->member_count, 3);
    assert_int_equal(all->member_count, 5);
    assert_int_not_equal(api->seed, www->seed);
    assert_int_equal(fleet->members[all->member_first], 3); /* db first, as it is written */
    assert_string_equal(hf_planning_backend_name(world.planning, 3), "db-1");
    assert_int_equal(fleet->backends[3].capacity, 20);
    assert_int_equal(fleet->backends[1].flags, HF_FLEET_HAS_A | HF_FLEET_HAS_AAAA);
    world_expect_users(&world);

    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", WEB, 1, HF_CAUSE_CREATED);
    expect_entry(&world, "www.example.test", WEB, 1, HF_CAUSE_CREATED);
    expect_entry(&world, "all.example.test",
                 "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.11 192.0.2.12 2001:db8::2", 1,
                 HF_CAUSE_CREATED);
    assert_int_equal(world_entry(&world, "api.example.test")->records.ttl_s, 30);
    expect_rest(&world);
    world_end(&world);
}

static void health_moves_one_answer_and_its_generation(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world.down = " db-1 ";
    world_feed_verdicts(&world);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "all.example.test", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.12 2001:db8::2",
                 2, HF_CAUSE_HEALTH);
    const struct hf_plan_entry *entry = world_entry(&world, "all.example.test");
    assert_string_equal(world.plan.backends[entry->cause_backend].name, "db-1");
    expect_entry(&world, "api.example.test", WEB, 1, HF_CAUSE_CREATED);
    expect_rest(&world);
    world_end(&world);
}

/* Adopting tells members that serve from members that are picked. */
static void a_rebuilt_machine_has_the_same_bits(void **state)
{
    struct world world;
    (void)state;
    world_start(&world,
                WORLD_HEAD "pools:\n"
                           "  web:\n"
                           "    check: { type: none }\n"
                           "    backends:\n"
                           "      - { name: web-1, address: 192.0.2.1 }\n"
                           "      - { name: web-2, address: [192.0.2.2, '2001:db8::2'] }\n"
                           "      - { name: web-3, address: [192.0.2.3, '2001:db8::3'] }\n"
                           "      - { name: web-4, address: '2001:db8::4' }\n"
                           "endpoints:\n"
                           "  api.example.test: { pools: [web], ttl: 30s, answers: { max: 1 } }\n");
    world.down = " web-3 ";
    world_feed_verdicts(&world);
    (void)world_settle(&world);
    struct hf_planner_entry before;
    hf_planner_now(&world.planning->planner, 0, &before);
    uint64_t in = before.in[0];
    uint64_t pick_a = before.pick_a[0];
    uint64_t pick_aaaa = before.pick_aaaa[0];
    struct hf_planner_row row = *before.row;
    assert_int_equal(in, 1 | 2 | 8);
    assert_true(pick_a == 1 || pick_a == 2);
    assert_true(pick_aaaa == 2 || pick_aaaa == 8);
    world_restart(&world);
    struct hf_planner_entry after;
    hf_planner_now(&world.planning->planner, 0, &after);
    assert_int_equal(after.in[0], in);
    assert_int_equal(after.pick_a[0], pick_a);
    assert_int_equal(after.pick_aaaa[0], pick_aaaa);
    assert_int_equal(after.row->gen, row.gen);
    assert_int_equal(after.row->ttl_s, row.ttl_s);
    assert_int_equal(after.row->cause, row.cause);
    assert_memory_equal(&after.row->budget, &row.budget, sizeof(row.budget));
    assert_int_equal(world_settle(&world), 0);
    world_end(&world);
}

static const char moved[] = WORLD_HEAD
    "pools:\n"
    "  web:\n"
    "    check: { type: none }\n"
    "    backends:\n"
    "      - { name: web-1, address: 192.0.2.101, capacity: 10, site: a }\n" /* other address */
    "      - { name: web-2, address: [192.0.2.2, '2001:db8::2'], capacity: 10, site: b }\n"
    "      - { name: db-1, address: 192.0.2.11, capacity: 20, site: a }\n" /* from db */
    "  db:\n"                                                              /* and web-3 is gone */
    "    check: { type: none }\n"
    "    backends:\n"
    "      - { name: db-2, address: 192.0.2.12, capacity: 20, site: b }\n"
    "endpoints:\n" API "  all.example.test: { pools: [db, web], " POLICY " }\n"
    "  db.example.test: { pools: [db], " POLICY " }\n";

static void what_is_not_configured_any_more_is_gone_or_an_orphan(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world.unknown = " web-1 "; /* its address is new */
    world_configure(&world, moved);
    const struct hf_fleet *fleet = &world.planning->fleet;
    assert_int_equal(fleet->endpoint_count, 4);
    assert_true(fleet->endpoints[3].orphan);
    assert_int_equal(fleet->endpoints[3].member_count, 3); /* all it serves, as ghosts or not */
    /* The old web-1 and web-3, and for the orphan web-2 as well, which it has no pool for. */
    assert_int_equal(fleet->backend_count, 5 + 3 - 1);
    for (uint32_t i = 0; i < fleet->backend_count; i++) {
        assert_int_equal((fleet->backends[i].flags & HF_FLEET_GONE) != 0, i >= 4);
        assert_int_equal(fleet->backends[i].capacity, i == 2 || i == 3 ? 20 : 10);
    }
    world_expect_users(&world);

    (void)world_settle(&world); /* patient: the old address stays until the new one is checked */
    assert_string_equal(world_answer(&world, "api.example.test"),
                        "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.11 2001:db8::2");
    world.unknown = "";
    world_feed_verdicts(&world);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "api.example.test"),
                        "192.0.2.2 192.0.2.11 192.0.2.101 2001:db8::2");
    assert_string_equal(world_answer(&world, "all.example.test"),
                        "192.0.2.2 192.0.2.11 192.0.2.12 192.0.2.101 2001:db8::2");
    expect_entry(&world, "www.example.test", WEB, 1, HF_CAUSE_CREATED); /* the orphan stays */
    assert_string_equal(world_answer(&world, "db.example.test"), "192.0.2.12");
    expect_rest(&world);
    /* What no entry serves any more is not in the fleet either, but for the orphan's. */
    assert_int_equal(world.planning->fleet.backend_count, 4 + 3);
    world_end(&world);
}

/* The backends of the next pool in the configuration are not this pool's. */
static void a_pool_that_an_endpoint_loses_leaves_as_the_guards_allow(void **state)
{
    struct world world;
    char text[sizeof(two_pools) + 64];
    (void)state;
    (void)snprintf(text, sizeof(text), "%s", two_pools);
    world_start(&world, text);
    (void)world_settle(&world);
    char *pools = strstr(text, "[db, web]");
    assert_non_null(pools);
    memcpy(pools, "[web]    ", strlen("[web]    "));
    world_configure(&world, text);
    assert_int_equal(world.planning->fleet.endpoints[2].member_count, 5);
    assert_int_equal(world.planning->fleet.backend_count, 5 + 2);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "all.example.test"), WEB);
    expect_rest(&world);
    assert_int_equal(world.planning->fleet.backend_count, 5);
    world_end(&world);
}

static void a_backend_that_moves_between_pools_keeps_its_number_in_the_plan(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    uint32_t number = world.planning->backend_numbers[3];
    assert_string_equal(world.plan.backends[number].name, "db-1");
    world_configure(&world, moved);
    assert_int_equal(world.planning->backend_numbers[2], number);
    assert_int_equal(world.planning->number_backends[number], 2);
    world_end(&world);
}

static void an_orphan_that_is_retired_becomes_a_tombstone_and_leaves(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_set(&world, HF_OVERRIDE_RETIRE, "www.example.test.", "");
    world_configure(&world, moved);
    (void)world_settle(&world);
    const struct hf_plan_entry *entry = world_entry(&world, "www.example.test");
    assert_true(entry->flags & HF_ROW_RETIRED);
    assert_int_equal(entry->members.count, 0);
    assert_int_equal(entry->records.a_count + entry->records.aaaa_count, 0);
    expect_rest(&world);

    struct hf_planner_outbox outbox;
    struct hf_planner_event forget = {.type = HF_PLANNER_FORGET, .endpoint = 3, .gen = 100};
    hf_planning_step(world.planning, &forget, world.now_ms, &outbox);
    assert_int_equal(world_settle(&world), 1);
    assert_string_equal(world_answer(&world, "www.example.test"), "none");
    expect_rest(&world);
    assert_int_equal(world.planning->fleet.endpoint_count, 3);
    world_end(&world);
}

static void retirement_is_taken_back(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_set(&world, HF_OVERRIDE_RETIRE, "api.example.test.", "");
    world_set(&world, HF_OVERRIDE_RETIRE, "nobody.example.test.", "");
    world_rebuild(&world);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", "", 2, HF_CAUSE_RETIRED);
    expect_rest(&world);
    assert_int_equal(hf_overrides_remove(&world.overrides, HF_OVERRIDE_RETIRE, "api.example.test."),
                     HF_OK);
    world_restart(&world);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", WEB, 3, HF_CAUSE_RECREATED);
    expect_rest(&world);
    world_end(&world);
}

static void drains_of_backends_and_sites(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_set(&world, HF_OVERRIDE_DRAIN_BACKEND, "web-1", "");
    world_set(&world, HF_OVERRIDE_DRAIN_BACKEND, "nobody", "");
    hf_planning_drains(world.planning, &world.overrides, world.now_ms);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", "192.0.2.2 192.0.2.3 2001:db8::2", 2, HF_CAUSE_DRAIN);
    expect_rest(&world);
    /* All of the site but what is the last of its family: its guard holds that. */
    world_set(&world, HF_OVERRIDE_DRAIN_SITE, "b", "");
    assert_int_equal(hf_overrides_remove(&world.overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1"),
                     HF_OK);
    hf_planning_drains(world.planning, &world.overrides, world.now_ms);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "api.example.test"),
                        "192.0.2.1 192.0.2.2 2001:db8::2");
    expect_rest(&world);
    hf_overrides_release(&world.overrides);
    hf_overrides_init(&world.overrides);
    hf_planning_drains(world.planning, &world.overrides, world.now_ms);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "api.example.test"), WEB);
    world_set(&world, HF_OVERRIDE_DRAIN_BACKEND, "web-3", ""); /* and once more */
    hf_planning_drains(world.planning, &world.overrides, world.now_ms);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "api.example.test"),
                        "192.0.2.1 192.0.2.2 2001:db8::2");
    expect_rest(&world);
    world_end(&world);
}

static void pins_name_backends_that_nobody_configures_any_more(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_set(&world, HF_OVERRIDE_PIN, "api.example.test.",
              "web-1 192.0.2.1\nold 198.51.100.9 2001:db8::9\nnot-a-line\nbad 192.0.2.999\n");
    world_rebuild(&world);
    assert_int_equal(world.planning->fleet.endpoints[0].member_count, 4);
    assert_int_equal(world.planning->fleet.endpoints[1].member_count, 3);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", "192.0.2.1 198.51.100.9 2001:db8::9", 2, HF_CAUSE_PIN);
    assert_true(world_entry(&world, "api.example.test")->flags & HF_ROW_PINNED);
    expect_entry(&world, "www.example.test", WEB, 1, HF_CAUSE_CREATED);
    world.down = " web-1 web-2 "; /* health does not change it */
    world_feed_verdicts(&world);
    (void)world_settle(&world);
    expect_entry(&world, "api.example.test", "192.0.2.1 198.51.100.9 2001:db8::9", 2, HF_CAUSE_PIN);
    expect_rest(&world);

    world_set(&world, HF_OVERRIDE_PIN, "api.example.test.", "web-3 192.0.2.3");
    world_rebuild(&world);
    assert_int_equal(world_settle(&world), 1);
    expect_entry(&world, "api.example.test", "192.0.2.3", 4, HF_CAUSE_PIN);
    expect_rest(&world);

    world.down = "";
    hf_overrides_release(&world.overrides);
    hf_overrides_init(&world.overrides);
    world_restart(&world);
    (void)world_settle(&world);
    assert_string_equal(world_answer(&world, "api.example.test"), WEB);
    assert_int_equal(world_entry(&world, "api.example.test")->flags & HF_ROW_PINNED, 0);
    expect_rest(&world);
    world_end(&world);
}

/* A pin does not know capacities: it must not change those that the guards count. */
static void a_pin_leaves_capacities_alone(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    world_set(&world, HF_OVERRIDE_PIN, "api.example.test.", "web-1 192.0.2.1\nold 198.51.100.9");
    world_restart(&world);
    (void)world_settle(&world);
    world_rebuild(&world);
    uint32_t number = world.planning->backend_numbers[0];
    assert_string_equal(world.plan.backends[number].name, "web-1");
    assert_int_equal(world.plan.backends[number].capacity, 10);
    world_end(&world);
}

static const char halved[] = WORLD_HEAD
    "pools:\n"
    "  web:\n"
    "    check: { type: none }\n"
    "    backends:\n"
    "      - { name: web-1, address: 192.0.2.1 }\n"
    "      - { name: web-2, address: 192.0.2.2 }\n"
    "      - { name: web-3, address: 192.0.2.3 }\n"
    "      - { name: web-4, address: 192.0.2.4 }\n"
    "endpoints:\n"
    "  api.example.test: { pools: [web], guard: { max_removal: 25% per 60s, min_healthy: 1 } }\n"
    "  www.example.test: { pools: [web], guard: { max_removal: 25% per 60s, min_healthy: 4 } }\n";

static void what_is_held_has_a_name_that_stays(void **state)
{
    struct world world;
    struct hf_digest first;
    struct hf_digest again;
    (void)state;
    world_start(&world, halved);
    (void)world_settle(&world);
    assert_string_equal(world_held(&world, &first), "");
    hf_digest_of("", 0, &again);
    assert_memory_equal(&first, &again, sizeof(first));

    world.down = " web-1 web-2 web-3 ";
    world_feed_verdicts(&world);
    (void)world_settle(&world);
    const char *lines = "api.example.test. max_removal -web-2 -web-3\n"
                        "www.example.test. min_healthy -web-1 -web-2 -web-3\n";
    assert_string_equal(world_held(&world, &first), lines);
    assert_string_equal(world_answer(&world, "api.example.test"), "192.0.2.2 192.0.2.3 192.0.2.4");
    world_restart(&world);
    assert_int_equal(world_settle(&world), 0);
    assert_string_equal(world_held(&world, &again), lines);
    assert_memory_equal(&first, &again, sizeof(first));

    struct hf_planner_outbox outbox;
    struct hf_planner_event approve = {.type = HF_PLANNER_APPROVE,
                                       .serial = world.planning->planner.hold_serial};
    hf_planning_step(world.planning, &approve, world.now_ms, &outbox);
    (void)world_settle(&world);
    expect_entry(&world, "api.example.test", "192.0.2.4", 3, HF_CAUSE_APPROVED);
    expect_entry(&world, "www.example.test", "192.0.2.4", 3, HF_CAUSE_APPROVED);
    assert_string_equal(world_held(&world, &again), "");
    expect_rest(&world);
    world_end(&world);
}

static void an_image_without_a_configured_endpoint_or_pool_is_fine(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_configure(&world, WORLD_HEAD "pools:\n"
                                       "  new:\n"
                                       "    check: { type: none }\n"
                                       "    backends: [ { name: new-1, address: 198.51.100.1 } ]\n"
                                       "endpoints:\n"
                                       "  new.example.test: { pools: [new] }\n");
    assert_int_equal(world.planning->fleet.endpoint_count, 4);
    assert_int_equal(world_settle(&world), 1);
    assert_string_equal(world_answer(&world, "new.example.test"), "198.51.100.1");
    assert_string_equal(world_answer(&world, "api.example.test"), WEB);
    expect_rest(&world);
    world_configure(&world, two_pools);
    (void)world_settle(&world);
    expect_entry(&world, "api.example.test", WEB, 1, HF_CAUSE_CREATED);
    assert_string_equal(world_answer(&world, "new.example.test"), "198.51.100.1");
    expect_rest(&world);
    world_end(&world);
}

/* Marks alone keep generation, cause and the backend that was the cause. */
static void a_claim_keeps_the_cause(void **state)
{
    struct world world;
    (void)state;
    world_start(&world, two_pools);
    (void)world_settle(&world);
    world_configure(&world, moved);
    (void)world_settle(&world);
    const struct hf_plan_entry *entry = world_entry(&world, "api.example.test");
    assert_string_equal(world.plan.backends[entry->cause_backend].name, "web-3");
    uint64_t gen = entry->gen;
    world_restart(&world);
    uint8_t cause = world_entry(&world, "api.example.test")->cause;
    struct hf_planner_outbox outbox;
    struct hf_planner_event claimed = {.type = HF_PLANNER_CLAIMED, .endpoint = 0};
    hf_planning_step(world.planning, &claimed, world.now_ms, &outbox);
    world.now_ms += HF_CLAIM_WAIT_MS;
    assert_int_equal(world_settle(&world), 1);
    entry = world_entry(&world, "api.example.test");
    assert_true(entry->flags & HF_ROW_CLAIMED);
    assert_int_equal(entry->gen, gen);
    assert_int_equal(entry->cause, cause);
    assert_int_not_equal(entry->cause_backend, UINT32_MAX);
    assert_string_equal(world.plan.backends[entry->cause_backend].name, "web-3");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_of_one_endpoint_each_share_their_run),
        cmocka_unit_test(health_moves_one_answer_and_its_generation),
        cmocka_unit_test(a_rebuilt_machine_has_the_same_bits),
        cmocka_unit_test(what_is_not_configured_any_more_is_gone_or_an_orphan),
        cmocka_unit_test(a_pool_that_an_endpoint_loses_leaves_as_the_guards_allow),
        cmocka_unit_test(a_backend_that_moves_between_pools_keeps_its_number_in_the_plan),
        cmocka_unit_test(an_orphan_that_is_retired_becomes_a_tombstone_and_leaves),
        cmocka_unit_test(retirement_is_taken_back),
        cmocka_unit_test(drains_of_backends_and_sites),
        cmocka_unit_test(pins_name_backends_that_nobody_configures_any_more),
        cmocka_unit_test(a_pin_leaves_capacities_alone),
        cmocka_unit_test(what_is_held_has_a_name_that_stays),
        cmocka_unit_test(an_image_without_a_configured_endpoint_or_pool_is_fine),
        cmocka_unit_test(a_claim_keeps_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
