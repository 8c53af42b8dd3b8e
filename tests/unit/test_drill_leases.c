/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An empty name, the leases that lapse behind it, and the claims when it is back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drill_runs.h"

static struct hf_drill_scenario scenario;

enum { LIFETIME_S = 600, PERIOD_S = 60, RATE = 10 };

/* A manager of holders behind a service that does so many claims a second, without a name. */
static void manager(uint32_t holders, double claims_per_s, uint64_t length_us)
{
    hf_drill_scenario_default(&scenario);
    scenario.length_us = length_us;
    scenario.service_count = scenario.manager_count = 1;
    hf_drill_service_default(&scenario.services[0]);
    scenario.services[0].workers = 10;
    scenario.services[0].time =
        (struct hf_drill_dist){.kind = HF_DRILL_EXPONENTIAL, .mean_us = SECOND * 10 / claims_per_s};
    scenario.services[0].queue_max = 4 * holders;
    hf_drill_manager_default(&scenario.managers[0], 0);
    scenario.managers[0].holders = holders;
    scenario.managers[0].period_us = PERIOD_S * (uint64_t)SECOND;
    scenario.managers[0].lifetime_us = LIFETIME_S * (uint64_t)SECOND;
    scenario.managers[0].claim.backoff = HF_DRILL_BACKOFF_FIXED;
    scenario.managers[0].claim.backoff_base_us = 20 * (uint64_t)SECOND;
}

static void name_of_database(void)
{
    scenario.name_count = scenario.resolver_count = 1;
    scenario.names[0] =
        (struct hf_drill_name){.ttl_s = 5, .soa_ttl_s = 900, .soa_minimum_s = 86400};
    hf_drill_resolver_preset(HF_DRILL_BIND, &scenario.resolvers[0]);
    scenario.resolvers[0].negative_max_s = 5;
    scenario.managers[0].renew.name = 0;
    scenario.managers[0].renew.resolver = 0;
}

static void answer(uint64_t at_us, enum hf_drill_answer answer)
{
    scenario.actions[scenario.action_count++] = (struct hf_drill_action){
        .at_us = at_us, .verb = HF_DRILL_ANSWER, .part = HF_DRILL_PART_NAME, .value = answer};
}

static double held_end_share(const struct hf_drill_result *result)
{
    return (double)result->managers[0][result->bucket_count - 1].held_end /
           scenario.managers[0].holders;
}

/* Grants a second, in the last ten minutes. */
static double last_granted_per_s(const struct hf_drill_result *result)
{
    double sum = 0;
    for (uint32_t i = result->bucket_count - 60; i < result->bucket_count; i++) {
        sum += result->managers[0][i].granted;
    }
    return sum / 600;
}

static double recover_s(const struct hf_drill_result *result)
{
    uint64_t recover_us = result->manager_sums[0].health.recover_us;
    return recover_us == HF_DRILL_NEVER ? 1e9 : (double)recover_us / SECOND;
}

/*
 * All claims wait while nothing is done for an hour, each holder anew after every time-out; then
 * it is back. What arrives is N / tau a second and what is served mu: the border is N = mu x tau.
 */
static void outage_of_the_service(uint32_t holders)
{
    manager(holders, RATE, 6 * HOUR);
    scenario.managers[0].held_first = 0;
    scenario.repaired_us = HOUR;
    scenario.good_share = 0.99;
    scenario.actions[0] =
        (struct hf_drill_action){.verb = HF_DRILL_SPEED, .part = HF_DRILL_PART_SERVICE};
    scenario.actions[1] = (struct hf_drill_action){
        .at_us = HOUR, .verb = HF_DRILL_SPEED, .part = HF_DRILL_PART_SERVICE, .value = 1};
    scenario.action_count = 2;
    /* Claims are spread over the lifetime, as they are when leases lapse one by one. */
    scenario.actions[2] = (struct hf_drill_action){.verb = HF_DRILL_MANAGER_RATE,
                                                   .part = HF_DRILL_PART_MANAGER,
                                                   .value = holders / (double)LIFETIME_S};
    scenario.action_count = 3;
}

static void test_border_of_collapse(void **state)
{
    (void)state;
    const uint32_t border = RATE * LIFETIME_S;
    outage_of_the_service(border * 9 / 10);
    expect_figure("N = 0.9 mu tau: held at the end", &scenario, 5, held_end_share, 1, 0.001);
    outage_of_the_service(border * 11 / 10);
    struct estimate held = run_many(&scenario, 5, held_end_share);
    struct estimate granted = run_many(&scenario, 5, last_granted_per_s);
    print_message("# N = 1.1 mu tau: held at the end %.4f +- %.2g, granted %.2f a second\n",
                  held.mean, held.half, granted.mean);
    assert_true(held.mean < 0.05);
    assert_true(granted.mean < 0.5);
}

/* A queue that is no longer than what is served in a lifetime: mu, and all after N / mu. */
static void test_queue_bound(void **state)
{
    (void)state;
    const uint32_t holders = 4 * RATE * LIFETIME_S;
    manager(holders, RATE, 3 * HOUR);
    scenario.managers[0].held_first = 0;
    scenario.good_share = 0.99;
    struct estimate held = run_many(&scenario, 4, held_end_share);
    print_message("# N = 4 mu tau at once: held at the end %.4f\n", held.mean);
    assert_true(held.mean < 0.3); /* what was granted before the first time-out, and no more */
    scenario.services[0].queue_max = RATE * LIFETIME_S * 95 / 100;
    expect_figure("N = 4 mu tau, bound mu tau: recovered after s", &scenario, 4, recover_s,
                  holders * 0.99 / RATE, 0.03);
    expect_figure("and held at the end", &scenario, 4, held_end_share, 1, 0.001);
}

/* Work that was overtaken is not begun: the same without a bound. */
static void test_overtaken_work_is_dropped(void **state)
{
    (void)state;
    outage_of_the_service(RATE * LIFETIME_S * 2);
    scenario.services[0].drop_expired = true;
    scenario.managers[0].claim.propagate = true;
    expect_figure("N = 2 mu tau, overtaken work dropped: held", &scenario, 4, held_end_share, 1,
                  0.001);
}

static double lapsed_at(const struct hf_drill_result *result, uint32_t bucket)
{
    double sum = 0;
    for (uint32_t i = 0; i <= bucket; i++) {
        sum += result->managers[0][i].lapsed;
    }
    return sum;
}

/*
 * Renewals cost no event, and still every lapse comes when it must: a lifetime after the last
 * renewal, which is spread over the period before the name was missed.
 */
static void test_lapses_are_exact(void **state)
{
    (void)state;
    manager(6000, 1000, 2 * HOUR);
    name_of_database();
    scenario.bucket_us = SECOND;
    scenario.managers[0].claimer = HF_DRILL_BY_MANAGER;
    answer(1000 * (uint64_t)SECOND, HF_DRILL_EMPTY);
    struct hf_drill_result *result = calloc(1, sizeof *result);
    struct hf_drill *drill = run_new(&scenario, 1, result);
    /* Missed at 1000 s, when the TTL ends: the first lapses at 940 + 600, the last at 1600. */
    assert_int_equal((int)lapsed_at(result, 1539), 0);
    assert_int_equal((int)lapsed_at(result, 1569), 3000);
    assert_int_equal((int)lapsed_at(result, 1599), 6000);
    assert_int_equal(result->managers[0][1600].held_end, 0);
    assert_true(result->events < 30000);
    free(drill);
    /* Back within the lifetime: who renews again in time loses nothing. */
    answer(1570 * (uint64_t)SECOND, HF_DRILL_RIGHT);
    drill = run_new(&scenario, 1, result);
    /* Seen at 1570. Who lapsed before renews no more; of the rest everybody does in time but those
     * whose turn comes after their end: none, since a turn comes every minute. */
    double lapsed = lapsed_at(result, 7199);
    print_message("# back 30 s before the last lapse: %g of 6000 lapsed (3000 expected)\n", lapsed);
    assert_true(lapsed >= 2990 && lapsed <= 3010);
    assert_int_equal(result->managers[0][7199].held_end, 6000);
    free(drill);
    free(result);
}

/* The lookups of one that asks all the time, spread over hosts with a cache each. */
static double failing_at(const struct hf_drill_result *result, uint32_t second)
{
    const struct hf_drill_name_bucket *bucket = &result->names[0][second];
    return (double)bucket->empty / (double)(bucket->empty + bucket->right);
}

static double extra_s(const struct hf_drill_result *result)
{
    double sum = 0;
    for (uint32_t i = 2000; i < 2000 + 900; i++) {
        sum += failing_at(result, i);
    }
    return sum;
}

static double a_third_later(const struct hf_drill_result *result)
{
    return failing_at(result, 2300);
}

/* One lookup by each in the first so many seconds; from then on everybody asks all the time. */
static void spread_first_lookups(uint32_t seconds)
{
    scenario.clients[1].rate_per_s = 500.0 / seconds;
    scenario.actions[0].at_us = scenario.actions[1].at_us = seconds * (uint64_t)SECOND;
}

/* Caches of T = min(SOA TTL, MINIMUM, clamp) = 900 s: 1 - t / T still fail, T / 2 more on average.
 */
static void test_negative_cache_ramp(void **state)
{
    (void)state;
    manager(1, 1000, 3000 * (uint64_t)SECOND);
    scenario.manager_count = 0;
    scenario.bucket_us = SECOND;
    scenario.name_count = scenario.resolver_count = scenario.client_count = 1;
    scenario.names[0] = (struct hf_drill_name){
        .ttl_s = 1, .soa_ttl_s = 900, .soa_minimum_s = 86400, .first = HF_DRILL_EMPTY};
    hf_drill_resolver_preset(HF_DRILL_UNBOUND, &scenario.resolvers[0]);
    scenario.resolvers[0].instances = 500;
    scenario.services[0].workers = 1000;
    hf_drill_client_default(&scenario.clients[0], 0);
    scenario.clients[0].rate_per_s = 0;
    scenario.clients[0].call.name = scenario.clients[0].call.resolver = 0;
    scenario.clients[0].call.instances = 500;
    scenario.actions[scenario.action_count++] =
        (struct hf_drill_action){.verb = HF_DRILL_RATE, .part = HF_DRILL_PART_CLIENT, .value = 500};
    scenario.client_count = 2;
    scenario.clients[1] = scenario.clients[0];
    scenario.clients[1].regular = true;
    scenario.actions[scenario.action_count++] = (struct hf_drill_action){
        .verb = HF_DRILL_RATE, .part = HF_DRILL_PART_CLIENT, .target = 1, .value = 0};
    answer(2000 * (uint64_t)SECOND, HF_DRILL_RIGHT);
    spread_first_lookups(900);
    expect_figure("extra time without answers, T/2 in s", &scenario, 4, extra_s, 450, 0.02);
    expect_figure("still failing after T/3", &scenario, 4, a_third_later, 2.0 / 3, 0.04);
    scenario.resolvers[0].negative_max_s = 60; /* clamped */
    spread_first_lookups(60);
    expect_figure("clamped to 60 s: extra", &scenario, 4, extra_s, 30, 0.06);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lapses_are_exact),
        cmocka_unit_test(test_border_of_collapse),
        cmocka_unit_test(test_queue_bound),
        cmocka_unit_test(test_overtaken_work_is_dropped),
        cmocka_unit_test(test_negative_cache_ramp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
