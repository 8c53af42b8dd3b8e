/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What retries make of an overload, and what bounds them: closed forms and published figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drill_runs.h"

static struct hf_drill_scenario scenario;

static void begin(double rate, uint64_t length_us)
{
    hf_drill_scenario_default(&scenario);
    scenario.length_us = length_us;
    scenario.bucket_us = SECOND;
    scenario.service_count = scenario.client_count = 1;
    hf_drill_service_default(&scenario.services[0]);
    hf_drill_client_default(&scenario.clients[0], 0);
    scenario.clients[0].rate_per_s = rate;
}

static void act(uint64_t at_us, enum hf_drill_verb verb, double value)
{
    scenario.actions[scenario.action_count++] =
        (struct hf_drill_action){.at_us = at_us,
                                 .verb = (uint8_t)verb,
                                 .value = value,
                                 .part = (uint8_t)hf_drill_verb_part(verb)};
}

static double amplification(const struct hf_drill_result *result)
{
    return result->client_sums[0].amplification;
}

static double failed_share(const struct hf_drill_result *result)
{
    const struct hf_drill_client_summary *client = &result->client_sums[0];
    return (double)client->failed / (double)(client->failed + client->succeeded);
}

static double arrived_per_s(const struct hf_drill_result *result)
{
    double measured_us = (double)(result->now_us - scenario.measure_from_us);
    return (double)result->service_sums[0].arrived * SECOND / measured_us;
}

/* Of the last minute. */
static double last_arrived_per_s(const struct hf_drill_result *result)
{
    double sum = 0;
    for (uint32_t i = result->bucket_count - 60; i < result->bucket_count; i++) {
        sum += result->services[0][i].arrived;
    }
    return sum / 60;
}

static double last_succeeded_per_s(const struct hf_drill_result *result)
{
    double sum = 0;
    for (uint32_t i = result->bucket_count - 60; i < result->bucket_count; i++) {
        sum += result->clients[0][i].succeeded;
    }
    return sum / 60;
}

/* A service that refuses with probability p: a bound of 0 and Erlang's B would do; a fleet's dead
 * nodes do it exactly. E = (1 - p^(n+1)) / (1 - p). */
static void test_attempts_by_probability(void **state)
{
    (void)state;
    begin(500, 600 * (uint64_t)SECOND);
    scenario.services[0].workers = 1000;
    scenario.services[0].fleet = 0;
    scenario.fleet_count = 1;
    hf_drill_fleet_default(&scenario.fleets[0]);
    scenario.fleets[0].interval_us = 0; /* nobody looks */
    act(0, HF_DRILL_FAIL, 0.4);
    scenario.clients[0].call.retries_max = 3;
    expect_figure("3 retries, 40 % lost", &scenario, 6, amplification,
                  (1 - 0.4 * 0.4 * 0.4 * 0.4) / 0.6, 0.01);
    expect_figure("and of operations fail", &scenario, 6, failed_share, 0.4 * 0.4 * 0.4 * 0.4,
                  0.05);
    scenario.actions[0].value = 1;
    expect_figure("3 retries, all lost", &scenario, 4, amplification, 4, 0.0001);
}

static double last_layer_per_operation(const struct hf_drill_result *result)
{
    return (double)result->service_sums[scenario.service_count - 1].arrived /
           (double)result->client_sums[0].offered;
}

static void layers(uint16_t depth, uint32_t tries)
{
    begin(1, 600 * (uint64_t)SECOND);
    scenario.service_count = depth;
    for (uint16_t i = 0; i < depth; i++) {
        hf_drill_service_default(&scenario.services[i]);
        scenario.services[i].workers = 10000;
        scenario.services[i].time.mean_us = 10;
        scenario.services[i].call_count = i + 1 < depth;
        hf_drill_call_default(&scenario.services[i].calls[0], (uint16_t)(i + 1));
        scenario.services[i].calls[0].retries_max = tries - 1;
    }
    scenario.clients[0].call.retries_max = tries - 1;
    act(0, HF_DRILL_RESTART, 0); /* the last one is down all the time */
    scenario.actions[0].target = (uint16_t)(depth - 1);
    scenario.services[depth - 1].restart_us = HOUR;
}

/* k tries in each of n layers: k^n attempts at the last. */
static void test_layers(void **state)
{
    (void)state;
    layers(5, 3);
    expect_figure("3 tries in 5 layers", &scenario, 4, last_layer_per_operation, 243, 0.001);
    layers(3, 4);
    expect_figure("4 tries in 3 layers", &scenario, 4, last_layer_per_operation, 64, 0.001);
}

/* Everything fails: a budget of a tenth lets 1.1 times the load through, without it it is 3. */
static void test_budget(void **state)
{
    (void)state;
    begin(500, 600 * (uint64_t)SECOND);
    act(0, HF_DRILL_RESTART, 0);
    scenario.services[0].restart_us = HOUR;
    scenario.clients[0].call.retries_max = 2;
    expect_figure("2 retries without a budget", &scenario, 4, amplification, 3, 0.001);
    scenario.clients[0].call.budget_share = 0.1;
    expect_figure("2 retries within a budget of 10 %", &scenario, 8, amplification, 1.1, 0.005);
}

static double retries_over_bound(const struct hf_drill_result *result)
{
    const struct hf_drill_client_summary *client = &result->client_sums[0];
    return (double)client->retries /
           (0.1 * (double)client->succeeded + scenario.clients[0].call.bucket_size);
}

/* Retries are at most 0.1 x successes + what the bucket held, and just so many under overload. */
static void test_token_bucket(void **state)
{
    (void)state;
    begin(400, 600 * (uint64_t)SECOND);
    scenario.services[0].workers = 2;
    scenario.services[0].queue_max = 5;
    scenario.clients[0].call.retries_max = 3;
    scenario.clients[0].call.backoff = HF_DRILL_BACKOFF_FULL_JITTER;
    scenario.clients[0].call.bucket_deposit = 0.1;
    scenario.clients[0].call.bucket_size = 500;
    expect_figure("retries / (0.1 x successes + bucket)", &scenario, 8, retries_over_bound, 1,
                  0.01);
}

/* Requests that get to a backend which serves C and refuses the rest: min(offered, K x C). */
static void test_adaptive_throttling(void **state)
{
    (void)state;
    begin(1000, 1800 * (uint64_t)SECOND);
    scenario.measure_from_us = 600 * (uint64_t)SECOND;
    scenario.services[0].workers = 1;
    scenario.services[0].queue_max = 20;
    scenario.services[0].time = (struct hf_drill_dist){.mean_us = 10000};
    scenario.clients[0].call.throttle_k = 2;
    expect_figure("K = 2 at 10 x capacity: requests a second", &scenario, 6, arrived_per_s, 200,
                  0.02);
    scenario.clients[0].call.throttle_k = 1.1;
    expect_figure("K = 1.1 at 10 x capacity", &scenario, 6, arrived_per_s, 110, 0.02);
    scenario.clients[0].rate_per_s = 90;
    expect_figure("K = 1.1 below capacity", &scenario, 6, arrived_per_s, 90, 0.02);
}

/*
 * Bronson et al., HotOS 2021: a database of 300 requests a second, one retry after a second. Ten
 * seconds without it and the load that it bore stays doubled for ever.
 */
static void bronson(double rate)
{
    begin(rate, 1800 * (uint64_t)SECOND);
    scenario.services[0].workers = 3;
    scenario.services[0].time = (struct hf_drill_dist){.mean_us = 10000};
    scenario.services[0].queue_max = 3000;
    scenario.clients[0].call.timeout_us = SECOND;
    scenario.clients[0].call.retries_max = 1;
    act(300 * (uint64_t)SECOND, HF_DRILL_SPEED, 0);
    act(310 * (uint64_t)SECOND, HF_DRILL_SPEED, 1);
}

static void test_database_of_two_states(void **state)
{
    (void)state;
    bronson(280);
    expect_figure("280 offered, after the outage arrive", &scenario, 4, last_arrived_per_s, 560,
                  0.02);
    assert_true(run_many(&scenario, 4, last_succeeded_per_s).mean < 3);
    scenario.action_count = 0;
    expect_figure("280 offered, without an outage", &scenario, 4, last_arrived_per_s, 280, 0.03);
    bronson(280);
    act(600 * (uint64_t)SECOND, HF_DRILL_RATE, 140); /* below 150 it recovers */
    expect_figure("load lowered to 140", &scenario, 4, last_succeeded_per_s, 140, 0.02);
    scenario.actions[2].value = 160; /* and above it does not */
    assert_true(run_many(&scenario, 4, last_succeeded_per_s).mean < 3);
    bronson(280);
    scenario.clients[0].call.budget_share = 15.0 / 280; /* 15 retries a second: below 20 */
    expect_figure("15 retries a second at most", &scenario, 4, last_succeeded_per_s, 280, 0.02);
    scenario.clients[0].call.budget_share = 25.0 / 280;
    assert_true(run_many(&scenario, 4, last_succeeded_per_s).mean < 30);
}

/* A cache that answers 90 % is lost: ten times the load arrives behind it. */
static void test_lost_cache(void **state)
{
    (void)state;
    begin(500, 120 * (uint64_t)SECOND);
    scenario.services[0].workers = 1000;
    scenario.clients[0].call.cache_keys = 1000000000;
    scenario.clients[0].call.cache_filled = 0.9;
    double before = run_many(&scenario, 4, last_arrived_per_s).mean;
    act(SECOND, HF_DRILL_CACHE_LOSE, 1);
    scenario.actions[0].part = HF_DRILL_PART_CLIENT;
    double after = run_many(&scenario, 4, last_arrived_per_s).mean;
    print_message("# 90 %% cache lost: load x %.2f (10 within 2 %%)\n", after / before);
    assert_true(after / before > 9.8 && after / before < 10.2);
}

/* Of the first five time-outs of 3 s after a minute. */
static double first_arrived_per_s(const struct hf_drill_result *result)
{
    double sum = 0;
    for (uint32_t i = 60; i < 75; i++) {
        sum += result->services[0][i].arrived;
    }
    return sum / 15;
}

/*
 * Huang et al., OSDI 2022: 4 retries, 3 s time-out, a service slowed down for 10 s. Small cuts
 * heal, past a threshold never. They tell of about three times the attempts.
 */
static void test_threshold(void **state)
{
    (void)state;
    static const int percents[] = {90, 70, 60, 50, 30, 10}; /* of its speed */
    for (int i = 0; i < 6; i++) {
        begin(240, 400 * (uint64_t)SECOND);
        scenario.services[0].workers = 3;
        scenario.services[0].time.mean_us = 10000;
        scenario.services[0].queue_max = 100000;
        scenario.clients[0].call.timeout_us = 3 * SECOND;
        scenario.clients[0].call.retries_max = 4;
        act(60 * (uint64_t)SECOND, HF_DRILL_SPEED, percents[i] / 100.0);
        act(70 * (uint64_t)SECOND, HF_DRILL_SPEED, 1);
        double share = run_many(&scenario, 4, last_succeeded_per_s).mean / 240;
        print_message("# speed cut to %d %% for 10 s: goodput %.0f %%\n", percents[i], share * 100);
        assert_true(percents[i] < 70 || share > 0.95);
        assert_true(percents[i] > 30 || share < 0.1);
    }
    /* A retry comes a time-out after the last try: the load, twice, ... five times, and stays
     * there. */
    expect_figure("attempts in the first five time-outs", &scenario, 4, first_arrived_per_s,
                  240 * 3, 0.06);
    expect_figure("attempts in the end", &scenario, 4, last_arrived_per_s, 240 * 5, 0.05);
}

/* Attempts that failed, of those that ended: what queueingsimulator prints. */
static double failure_rate(const struct hf_drill_result *result)
{
    const struct hf_drill_client_summary *client = &result->client_sums[0];
    return 100.0 * (double)(client->timeouts + client->refused) / (double)client->attempts;
}

/*
 * github.com/joemag1/queueingsimulator: a tick is a millisecond here. A worker takes the next one a
 * tick after it is done; who comes in between is taken at once. The client learns of a time-out
 * when the reply comes.
 */
static void simulator(double rate, enum hf_drill_queue queue)
{
    begin(rate * 1000, 1000 * (uint64_t)SECOND);
    scenario.services[0].workers = 10;
    scenario.services[0].queue = (uint8_t)queue;
    scenario.services[0].queue_max = 1000;
    scenario.services[0].handover_us = 1000;
    scenario.services[0].time =
        (struct hf_drill_dist){.kind = HF_DRILL_NORMAL, .mean_us = 49500, .spread_us = 12500};
    struct hf_drill_call *call = &scenario.clients[0].call;
    scenario.clients[0].regular = true;
    call->timeout_us = SECOND;
    call->late_notice = true;
    call->retries_max = 1000;
    call->retry_share = 0.5;
}

static void slow_first_thousand(void)
{
    act(0, HF_DRILL_SLOW_NEXT, 10);
    scenario.actions[0].count = 1000;
}

static void test_queueing_simulator(void **state)
{
    (void)state;
    simulator(0.1, HF_DRILL_LIFO);
    slow_first_thousand();
    expect_figure("LIFO after a slow start, failed %", &scenario, 4, failure_rate, 0.79, 0.05);
    simulator(0.1, HF_DRILL_FIFO);
    slow_first_thousand();
    expect_figure("FIFO after a slow start, failed %", &scenario, 4, failure_rate, 9.91, 0.05);
    simulator(0.5, HF_DRILL_FIFO);
    expect_figure("FIFO at 2.5 x capacity, failed %", &scenario, 4, failure_rate, 86.74, 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts_by_probability),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_token_bucket),
        cmocka_unit_test(test_adaptive_throttling),
        cmocka_unit_test(test_database_of_two_states),
        cmocka_unit_test(test_lost_cache),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_queueing_simulator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
