/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios that are refused, and what is said about them; and the largest that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drill_runs.h"

static struct hf_drill_scenario scenario;

/* One of each part, all of it right. */
static void begin(void)
{
    hf_drill_scenario_default(&scenario);
    scenario.service_count = 2;
    scenario.name_count = scenario.resolver_count = scenario.client_count = 1;
    scenario.manager_count = scenario.fleet_count = scenario.action_count = 1;
    scenario.rule_count = 1;
    hf_drill_resolver_preset(HF_DRILL_BIND, &scenario.resolvers[0]);
    hf_drill_service_default(&scenario.services[0]);
    hf_drill_service_default(&scenario.services[1]);
    hf_drill_client_default(&scenario.clients[0], 0);
    hf_drill_manager_default(&scenario.managers[0], 1);
    hf_drill_fleet_default(&scenario.fleets[0]);
    scenario.actions[0] =
        (struct hf_drill_action){.verb = HF_DRILL_RESTART, .part = HF_DRILL_PART_SERVICE};
    scenario.rules[0] = (struct hf_drill_rule){.action = scenario.actions[0]};
}

static void expect_ok(void)
{
    struct hf_drill_problem problem = {.field = ""};
    int result = hf_drill_check(&scenario, &problem);
    if (result != HF_OK) {
        fail_msg("%s: found %g, expected %s", problem.field, problem.found, problem.expected);
    }
}

static void expect_problem(int code, enum hf_drill_part part, const char *field, double found)
{
    struct hf_drill_problem problem = {.field = "", .expected = ""};
    assert_int_equal(hf_drill_check(&scenario, &problem), code);
    assert_string_equal(problem.field, field);
    assert_int_equal(problem.part, part);
    assert_true(problem.found <= found && problem.found >= found);
    assert_true(strlen(problem.expected) > 3);
    begin();
    expect_ok();
}

static void test_quantities(void **state)
{
    (void)state;
    begin();
    scenario.length_us = 0;
    expect_problem(HF_EINVAL, HF_DRILL_PART_NONE, "length_us", 0);
    scenario.bucket_us = 1000;
    expect_problem(HF_EINVAL, HF_DRILL_PART_NONE, "bucket_us", 1000);
    scenario.good_share = 1.5;
    expect_problem(HF_EINVAL, HF_DRILL_PART_NONE, "good_share", 1.5);
    scenario.services[1].workers = 0;
    expect_problem(HF_EINVAL, HF_DRILL_PART_SERVICE, "workers", 0);
    scenario.services[1].time.mean_us = -1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_SERVICE, "time", -1);
    scenario.clients[0].rate_per_s = 1e300;
    expect_problem(HF_EINVAL, HF_DRILL_PART_CLIENT, "rate_per_s", 1e300);
    scenario.clients[0].call.retries_max = UINT32_MAX; /* at once, for ever */
    expect_problem(HF_EINVAL, HF_DRILL_PART_CLIENT, "call.backoff", 0);
    scenario.resolvers[0].failure_s = 301;
    expect_problem(HF_EINVAL, HF_DRILL_PART_RESOLVER, "failure_s", 301);
    scenario.managers[0].lifetime_us = 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_MANAGER, "lifetime_us", 1);
    scenario.managers[0].renew_us = 60000; /* 1000 holders x 60 ms a minute: a whole worker */
    expect_problem(HF_EINVAL, HF_DRILL_PART_MANAGER, "renew_us", 60000);
    scenario.fleets[0].zones = 9;
    expect_problem(HF_EINVAL, HF_DRILL_PART_FLEET, "zones", 9);
    scenario.actions[0].verb = HF_DRILL_CACHE_LOSE;
    scenario.actions[0].value = 1.1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_ACTION, "value", 1.1);
}

static void test_no_number(void **state)
{
    (void)state;
    begin();
    double zero = 0;
    scenario.services[0].time.mean_us = zero / zero;
    struct hf_drill_problem problem;
    assert_int_equal(hf_drill_check(&scenario, &problem), HF_EINVAL);
    assert_string_equal(problem.field, "time");
}

static void test_references(void **state)
{
    (void)state;
    begin();
    scenario.clients[0].call.service = 2;
    expect_problem(HF_EINVAL, HF_DRILL_PART_CLIENT, "call.service", 2);
    scenario.clients[0].call.name = 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_CLIENT, "call.name", 1);
    scenario.clients[0].call.name = 0; /* and no resolver */
    expect_problem(HF_EINVAL, HF_DRILL_PART_CLIENT, "call.resolver", HF_DRILL_NONE);
    scenario.actions[0].target = 2;
    expect_problem(HF_EINVAL, HF_DRILL_PART_ACTION, "target", 2);
    scenario.actions[0].part = HF_DRILL_PART_CLIENT;
    expect_problem(HF_EINVAL, HF_DRILL_PART_ACTION, "part", HF_DRILL_PART_CLIENT);
    scenario.rules[0].measure = HF_DRILL_HELD_SHARE;
    scenario.rules[0].subject = 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_RULE, "subject", 1);
    scenario.services[0].fleet = 3;
    expect_problem(HF_EINVAL, HF_DRILL_PART_SERVICE, "fleet", 3);
    scenario.name_count = HF_DRILL_NAMES_MAX + 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_NONE, "name_count", HF_DRILL_NAMES_MAX + 1);
}

static void test_cycles(void **state)
{
    (void)state;
    begin();
    scenario.services[0].call_count = scenario.services[1].call_count = 1;
    hf_drill_call_default(&scenario.services[0].calls[0], 1);
    hf_drill_call_default(&scenario.services[1].calls[0], 0);
    expect_problem(HF_EINVAL, HF_DRILL_PART_SERVICE, "call.service", 1);
    scenario.services[0].call_count = 1;
    hf_drill_call_default(&scenario.services[0].calls[0], 1);
    expect_ok();
    begin();
    scenario.resolvers[0].upstream = 0;
    expect_problem(HF_EINVAL, HF_DRILL_PART_RESOLVER, "upstream", 0);
}

/* Too much is said before it starts, and what is just within the bound runs. */
static void test_bounds(void **state)
{
    (void)state;
    begin();
    size_t needs = hf_drill_memory(&scenario);
    scenario.memory_max_bytes = needs;
    expect_ok();
    scenario.memory_max_bytes = needs - 1;
    expect_problem(HF_ELIMIT, HF_DRILL_PART_NONE, "memory_max_bytes", (double)needs);
    scenario.clients[0].rate_per_s = 1e9;
    double about = hf_drill_events_about(&scenario);
    expect_problem(HF_ELIMIT, HF_DRILL_PART_NONE, "events_max", about);
    assert_true(about > 1e12);
    scenario.managers[0].holders = HF_DRILL_HOLDERS_MAX + 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_MANAGER, "holders", HF_DRILL_HOLDERS_MAX + 1);
    scenario.services[1].queue_max = HF_DRILL_QUEUE_MAX + 1;
    expect_problem(HF_EINVAL, HF_DRILL_PART_SERVICE, "queue_max", HF_DRILL_QUEUE_MAX + 1);
}

/* Operations beyond those that may be under way fail at once; a queue of none refuses. */
static double failed(const struct hf_drill_result *result)
{
    return (double)result->client_sums[0].failed;
}

static void test_at_the_limit(void **state)
{
    (void)state;
    begin();
    scenario.action_count = scenario.rule_count = scenario.manager_count = 0;
    scenario.length_us = 100 * (uint64_t)SECOND;
    scenario.clients[0].regular = true;
    scenario.clients[0].under_way_max = 3;
    scenario.services[0].workers = 5;
    scenario.services[0].time = (struct hf_drill_dist){.mean_us = HOUR};
    assert_int_equal((int)run_once(&scenario, 1, failed), 99 - 3);
    scenario.clients[0].under_way_max = 0;
    scenario.services[0].queue_max = 0;
    assert_int_equal((int)run_once(&scenario, 1, failed), 99 - 5);
    scenario.services[0].queue_max = 7;
    assert_int_equal((int)run_once(&scenario, 1, failed), 99 - 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities), cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_references), cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
