/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Queues whose answers are known: M/M/1, M/M/1/K, M/D/1, M/M/c, a closed loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drill_runs.h"

static struct hf_drill_scenario scenario;

/* Poisson arrivals at rate a second at one service of so many workers. */
static void open_loop(double rate, uint32_t workers, double mean_us, uint64_t length_us)
{
    hf_drill_scenario_default(&scenario);
    scenario.length_us = length_us;
    scenario.bucket_us = length_us / 1000;
    scenario.measure_from_us = length_us / 20;
    scenario.service_count = scenario.client_count = 1;
    hf_drill_service_default(&scenario.services[0]);
    scenario.services[0].workers = workers;
    scenario.services[0].time.mean_us = mean_us;
    scenario.services[0].queue_max = 100000;
    hf_drill_client_default(&scenario.clients[0], 0);
    scenario.clients[0].rate_per_s = rate;
}

static double tail_share(const struct hf_drill_result *result)
{
    const struct hf_drill_client_summary *client = &result->client_sums[0];
    return (double)client->tail / (double)(client->succeeded + client->failed);
}

static double system_mean(const struct hf_drill_result *result)
{
    return result->service_sums[0].system_mean;
}

static double wait_mean_s(const struct hf_drill_result *result)
{
    return result->service_sums[0].wait_mean_us / SECOND;
}

static double refused_share(const struct hf_drill_result *result)
{
    const struct hf_drill_service_summary *service = &result->service_sums[0];
    return (double)service->refused / (double)service->arrived;
}

static double goodput_per_s(const struct hf_drill_result *result)
{
    return (double)result->client_sums[0].succeeded * SECOND / ((double)result->now_us * 0.95);
}

/* P(T > t) = e^-(mu - lambda)t; lambda 9.5, mu 10, 3 s. */
static void test_mm1_tail(void **state)
{
    (void)state;
    open_loop(9.5, 1, 100000, 12 * HOUR);
    scenario.clients[0].tail_us = 3 * SECOND;
    expect_figure("M/M/1, P(T > 3 s)", &scenario, 8, tail_share, 0.2231, 0.05);
    expect_figure("M/M/1, number in the system", &scenario, 8, system_mean, 19, 0.08);
}

/* K counts the one at work: 98 wait. */
static void test_mm1k(void **state)
{
    (void)state;
    open_loop(9.5, 1, 100000, 12 * HOUR);
    scenario.services[0].queue_max = 98;
    expect_figure("M/M/1/99, number in the system", &scenario, 8, system_mean, 18.404, 0.04);
    open_loop(20, 1, 100000, 2 * HOUR);
    scenario.services[0].queue_max = 9;
    /* P(K) = (1 - r) r^K / (1 - r^(K+1)), r = 2, K = 10 */
    expect_figure("M/M/1/10 at twice its rate, refused", &scenario, 8, refused_share,
                  1024.0 / 2047.0, 0.01);
}

/* Pollaczek and Khinchine: half of what an exponential time of work waits. */
static void test_md1(void **state)
{
    (void)state;
    open_loop(8, 1, 100000, 12 * HOUR);
    scenario.services[0].time.kind = HF_DRILL_CONSTANT;
    expect_figure("M/D/1, wait in s", &scenario, 8, wait_mean_s, 0.2, 0.03);
    scenario.services[0].time.kind = HF_DRILL_LOGNORMAL;
    scenario.services[0].time.spread_us = 200000;
    expect_figure("M/G/1 lognormal, wait in s", &scenario, 8, wait_mean_s, 1.0, 0.06);
    scenario.services[0].time.kind = HF_DRILL_UNIFORM;
    scenario.services[0].time.spread_us = 100000;
    expect_figure("M/G/1 uniform, wait in s", &scenario, 8, wait_mean_s, 0.2 * 4 / 3, 0.03);
}

/* Erlang's C for 4 workers at 3/4: 0.5094; wait = C / (c mu - lambda). */
static void test_mmc(void **state)
{
    (void)state;
    open_loop(30, 4, 100000, 6 * HOUR);
    expect_figure("M/M/4, wait in s", &scenario, 8, wait_mean_s, 0.05094, 0.03);
}

/* 20 users who think 1 s at a service of 0.1 s: the machine repair model, 9.9 a second. */
static void test_closed_loop(void **state)
{
    (void)state;
    open_loop(0, 1, 100000, 3 * HOUR);
    scenario.clients[0].users = 20;
    scenario.clients[0].think =
        (struct hf_drill_dist){.kind = HF_DRILL_EXPONENTIAL, .mean_us = SECOND};
    double term = 1, sum = 1;
    for (int n = 1; n <= 20; n++) {
        term *= (20 - n + 1) * 0.1;
        sum += term;
    }
    expect_figure("20 users, operations a second", &scenario, 8, goodput_per_s, 10 * (1 - 1 / sum),
                  0.005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mm1_tail),    cmocka_unit_test(test_mm1k),
        cmocka_unit_test(test_md1),         cmocka_unit_test(test_mmc),
        cmocka_unit_test(test_closed_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
