/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts one by one: chance, caches, pools, breakers, hedges, queues, fleets, rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "drill/rng.h"
#include "drill_runs.h"

static struct hf_drill_scenario scenario;
static struct hf_drill_result result;

static void begin(double rate, uint64_t length_us)
{
    hf_drill_scenario_default(&scenario);
    scenario.length_us = length_us;
    scenario.bucket_us = SECOND;
    scenario.service_count = scenario.client_count = 1;
    hf_drill_service_default(&scenario.services[0]);
    scenario.services[0].workers = 100;
    hf_drill_client_default(&scenario.clients[0], 0);
    scenario.clients[0].rate_per_s = rate;
}

static struct hf_drill_action *act(uint64_t at_us, enum hf_drill_verb verb, double value)
{
    struct hf_drill_action *action = &scenario.actions[scenario.action_count++];
    *action = (struct hf_drill_action){.at_us = at_us,
                                       .verb = (uint8_t)verb,
                                       .value = value,
                                       .part = (uint8_t)hf_drill_verb_part(verb)};
    return action;
}

static struct hf_drill *drill_now; /* its memory holds the result's series */

static void run(void)
{
    free(drill_now);
    drill_now = run_new(&scenario, 7, &result);
}

static void test_chance(void **state)
{
    (void)state;
    struct hf_rng rng;
    hf_rng_init(&rng, 42, 3);
    double sum = 0, squares = 0;
    for (int i = 0; i < 200000; i++) {
        double x = hf_rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    print_message("# normal: mean %.4f, variance %.4f\n", sum / 200000, squares / 200000);
    assert_true(sum / 200000 < 0.01 && sum / 200000 > -0.01);
    assert_true(squares / 200000 < 1.02 && squares / 200000 > 0.98);
    assert_true(hf_rng_ln(2.718281828459045) - 1 < 1e-14);
    assert_true(hf_rng_exp(1) - 2.718281828459045 < 1e-14);
    assert_true(hf_rng_exp(hf_rng_ln(1e-9)) * 1e9 - 1 < 1e-12);
    const struct hf_drill_dist lognormal = {
        .kind = HF_DRILL_LOGNORMAL, .mean_us = 50, .spread_us = 30};
    double mean = 0, square = 0;
    for (int i = 0; i < 200000; i++) {
        double x = hf_rng_dist(&rng, &lognormal);
        mean += x / 200000;
        square += x * x / 200000;
    }
    print_message("# lognormal: mean %.2f (50), deviation %.2f (30)\n", mean,
                  root(square - mean * mean));
    assert_true(mean > 49.5 && mean < 50.5);
    assert_true(square - mean * mean > 29 * 29 && square - mean * mean < 31 * 31);
}

/* Same seed, same digest; in steps of any size; another seed, another digest. */
static void test_same_seed_same_digest(void **state)
{
    (void)state;
    begin(200, 300 * (uint64_t)SECOND);
    scenario.services[0].workers = 2;
    scenario.clients[0].call.timeout_us = SECOND / 5;
    scenario.clients[0].call.retries_max = 3;
    scenario.clients[0].call.backoff = HF_DRILL_BACKOFF_DECORRELATED;
    act(100 * (uint64_t)SECOND, HF_DRILL_RESTART, 0);
    run();
    uint64_t digest = result.digest, events = result.events;
    run();
    assert_true(digest == result.digest);
    size_t size = hf_drill_memory(&scenario);
    void *block = calloc(1, size);
    struct hf_drill *drill = hf_drill_init(&scenario, 7, block, size);
    for (uint64_t until_us = 77777; hf_drill_run(drill, until_us, 1000);) {
        until_us += hf_drill_now_us(drill) == until_us ? 77777 : 0;
    }
    hf_drill_result(drill, &result);
    assert_true(digest == result.digest);
    assert_int_equal(events, hf_drill_events(drill));
    memset(block, 0, size);
    drill = hf_drill_init(&scenario, 8, block, size);
    while (hf_drill_run(drill, HF_DRILL_NEVER, 1000000)) {
    }
    hf_drill_result(drill, &result);
    assert_true(digest != result.digest);
    free(block);
}

static void name_and_resolver(enum hf_drill_preset preset)
{
    scenario.name_count = scenario.resolver_count = 1;
    scenario.names[0] =
        (struct hf_drill_name){.ttl_s = 60, .soa_ttl_s = 900, .soa_minimum_s = 86400};
    hf_drill_resolver_preset(preset, &scenario.resolvers[0]);
    scenario.clients[0].call.name = scenario.clients[0].call.resolver = 0;
}

/* Seconds from the repair at 1000 s until a client that asks ten times a second hears of it. */
static uint32_t heard_after_s(void)
{
    run();
    uint32_t second = 1000;
    while (second < result.bucket_count && result.names[0][second].right == 0) {
        second++;
    }
    return second - 1000;
}

/* Emptied at 990 s and asked for since: how long each resolver goes on with that. */
static void test_presets(void **state)
{
    (void)state;
    static const uint32_t empty_s[] = {[HF_DRILL_BIND] = 900,
                                       [HF_DRILL_UNBOUND] = 900,
                                       [HF_DRILL_RESOLVED] = 900,
                                       [HF_DRILL_GLIBC] = 0,
                                       [HF_DRILL_JVM] = 10};
    static const uint32_t failure_s[] = {[HF_DRILL_BIND] = 1,
                                         [HF_DRILL_UNBOUND] = 5,
                                         [HF_DRILL_RESOLVED] = 10,
                                         [HF_DRILL_GLIBC] = 0,
                                         [HF_DRILL_JVM] = 10};
    for (int preset = 0; preset < HF_DRILL_PRESETS; preset++) {
        begin(10, 3000 * (uint64_t)SECOND);
        name_and_resolver((enum hf_drill_preset)preset);
        scenario.clients[0].regular = true;
        act(800 * (uint64_t)SECOND, HF_DRILL_ANSWER, HF_DRILL_EMPTY);
        act(1000 * (uint64_t)SECOND, HF_DRILL_ANSWER, HF_DRILL_RIGHT);
        uint32_t found = heard_after_s();
        uint32_t most = empty_s[preset], least = most > 200 ? most - 200 : 0;
        print_message("# %s: heard %u s after the repair\n",
                      hf_drill_preset_name((enum hf_drill_preset)preset), found);
        assert_true(found <= most && found >= least);
        scenario.actions[0].value = HF_DRILL_SERVFAIL;
        found = heard_after_s();
        assert_true(found <= failure_s[preset]);
    }
}

/* Serve-stale helps against servers that fail, and not against an answer without addresses. */
static void test_serve_stale(void **state)
{
    (void)state;
    begin(10, 600 * (uint64_t)SECOND);
    name_and_resolver(HF_DRILL_UNBOUND);
    scenario.resolvers[0].stale_max_s = 86400;
    act(100 * (uint64_t)SECOND, HF_DRILL_ANSWER, HF_DRILL_SERVFAIL);
    run();
    assert_int_equal(result.client_sums[0].failed, 0);
    assert_true(result.name_sums[0].stale > 4000);
    assert_int_equal(result.name_sums[0].wrong_us, 500 * SECOND);
    assert_int_equal(result.name_sums[0].unanswered_us, 0);
    scenario.actions[0].value = HF_DRILL_EMPTY;
    run();
    assert_true(result.client_sums[0].failed > 4000);
    assert_int_equal(result.name_sums[0].stale, 0);
    assert_true(result.name_sums[0].unanswered_us > 400 * (uint64_t)SECOND);
}

/* Connections outlive an empty name, as long as they live. */
static void test_pool(void **state)
{
    (void)state;
    begin(10, 600 * (uint64_t)SECOND);
    name_and_resolver(HF_DRILL_UNBOUND);
    scenario.clients[0].call.pool_max = 10;
    act(100 * (uint64_t)SECOND, HF_DRILL_ANSWER, HF_DRILL_EMPTY);
    run();
    /* But for the one or other that finds all of them in use. */
    assert_true(result.client_sums[0].failed < 20);
    act(200 * (uint64_t)SECOND, HF_DRILL_RESTART, 0); /* which cuts them */
    run();
    print_message("# %g failed\n", (double)result.client_sums[0].failed);
    assert_true(result.client_sums[0].failed > 3700);
    scenario.action_count = 1;
    scenario.clients[0].call.connection_us = 20 * (uint64_t)SECOND;
    run();
    /* The few that there are die within minutes, and nobody can open others. */
    print_message("# lives of 20 s: %g failed\n", (double)result.client_sums[0].failed);
    assert_true(result.client_sums[0].failed > 4000);
    assert_true(result.client_sums[0].failed < 4990);
}

static void test_breaker_and_hedge(void **state)
{
    (void)state;
    begin(100, 100 * (uint64_t)SECOND);
    act(10 * (uint64_t)SECOND, HF_DRILL_RESTART, 0);
    scenario.services[0].restart_us = 50 * (uint64_t)SECOND;
    scenario.clients[0].call.breaker_failures = 5;
    scenario.clients[0].call.breaker_open_us = 2 * (uint64_t)SECOND;
    run();
    /* 5 and one trial each 2 s in 50 s, of 5,000. */
    print_message("# breaker: %g of 5000 got through\n", (double)result.service_sums[0].refused);
    assert_true(result.service_sums[0].refused <= 5 + 26 + 5);
    assert_true(result.clients[0][70].succeeded > 50);
    begin(100, 100 * (uint64_t)SECOND);
    scenario.clients[0].call.hedge_after_us = 30000;
    run();
    /* Exponential 10 ms: e^-3 are hedged, and the slower of the two counts no more. */
    double hedged = (double)result.client_sums[0].hedges / (double)result.client_sums[0].offered;
    print_message("# hedged: %.4f (e^-3 = 0.0498)\n", hedged);
    assert_true(hedged > 0.045 && hedged < 0.055);
    assert_int_equal(result.client_sums[0].failed, 0);
    assert_true(result.service_sums[0].wasted > 0);
}

/* An overload that nobody dropped would wait 10 s: each discipline keeps what it promises. */
static void test_disciplines(void **state)
{
    (void)state;
    static const uint64_t p50_most_us[] = {[HF_DRILL_FIFO] = 11000000,
                                           [HF_DRILL_LIFO] = 100000,
                                           [HF_DRILL_ADAPTIVE_LIFO] = 200000,
                                           [HF_DRILL_CODEL] = 2000000,
                                           [HF_DRILL_CODEL_LIFO] = 50000};
    for (int queue = 0; queue <= HF_DRILL_CODEL_LIFO; queue++) {
        begin(150, 200 * (uint64_t)SECOND);
        scenario.services[0].workers = 1;
        scenario.services[0].queue = (uint8_t)queue;
        scenario.services[0].lifo_above = 5;
        run();
        const struct hf_drill_client_summary *client = &result.client_sums[0];
        print_message("# discipline %d: median %.3f s, %.1f a second\n", queue,
                      (double)client->latency_p50_us / SECOND, (double)client->succeeded / 200);
        assert_true(client->latency_p50_us <= p50_most_us[queue]);
        assert_true(client->succeeded > 90 * 200);
    }
    assert_true(result.service_sums[0].dropped > 5000);
}

/* A deadline that goes along spares work that nobody waits for. */
static void test_deadlines(void **state)
{
    (void)state;
    begin(150, 200 * (uint64_t)SECOND);
    scenario.services[0].workers = 1;
    scenario.clients[0].call.timeout_us = SECOND / 2;
    run();
    assert_true(result.client_sums[0].succeeded < 2000);
    assert_true(result.service_sums[0].wasted_us > 0.8 * result.service_sums[0].busy_us);
    scenario.clients[0].call.propagate = true;
    scenario.services[0].drop_expired = true;
    run();
    print_message("# dropped when expired: %.1f a second of 100\n",
                  (double)result.client_sums[0].succeeded / 200);
    assert_true(result.client_sums[0].succeeded > 60 * 200); /* some end a moment too late */
    assert_true(result.service_sums[0].dropped > 5000);
    scenario.services[0].stop_expired = true;
    run();
    assert_true(result.client_sums[0].succeeded > 60 * 200);
    assert_true(result.service_sums[0].wasted_us < 0.45 * result.service_sums[0].busy_us);
}

/* The window of the enactor keeps the latency near what it aims at; nothing does without it. */
static void test_window(void **state)
{
    (void)state;
    begin(0, 600 * (uint64_t)SECOND);
    scenario.services[0].workers = 10;
    scenario.services[0].time.mean_us = 100000;
    scenario.clients[0].users = 400;
    scenario.measure_from_us = 100 * (uint64_t)SECOND;
    scenario.clients[0].call.window_max = 1000;
    scenario.clients[0].call.wait_max = 1000;
    run();
    double wait = result.service_sums[0].wait_mean_us / SECOND;
    print_message("# window: %.2f s in the queue, %.1f a second of 100\n", wait,
                  (double)result.client_sums[0].succeeded / 500);
    assert_true(wait > 0.3 && wait < 1);
    assert_true(result.client_sums[0].succeeded > 99 * 500);
    scenario.clients[0].call.window_max = 0;
    run();
    assert_true(result.service_sums[0].wait_mean_us > 3.5 * SECOND);
}

/* State that arrives late makes checks fail in turn: nodes that will work leave, zones with them;
 * velocity control and min_healthy keep most of them. */
static void test_fleet(void **state)
{
    (void)state;
    begin(10, 1800 * (uint64_t)SECOND);
    scenario.fleet_count = 1;
    hf_drill_fleet_default(&scenario.fleets[0]);
    struct hf_drill_fleet *fleet = &scenario.fleets[0];
    fleet->nodes = 300;
    fleet->zones = 3;
    fleet->false_fail = 0.5; /* what a check sees is not what clients see */
    fleet->timeout_us = SECOND;
    fleet->checkers = 100;
    scenario.services[0].fleet = 0;
    run();
    double without = result.fleet_sums[0].removed_worst_share;
    assert_true(result.fleet_sums[0].checks > 30000);
    fleet->zone_fail = 0.5;
    run();
    double failover = result.fleet_sums[0].removed_worst_share;
    assert_true(result.fleet_sums[0].failovers > 0);
    fleet->removal_share = 0.1;
    fleet->removal_window_us = 3600 * (uint64_t)SECOND;
    run();
    double guarded = result.fleet_sums[0].removed_worst_share;
    assert_true(result.fleet_sums[0].held > 0);
    print_message("# good nodes out, worst: %.2f, with failover %.2f, with velocity control %.2f\n",
                  without, failover, guarded);
    assert_true(without > 0.3 && failover >= without && guarded <= 0.1001);
    fleet->removal_share = 1;
    fleet->min_healthy = 200;
    run();
    assert_true(result.fleet_sums[0].removed_worst_share <= 100.0 / 300 + 0.0001 ||
                fleet->zone_fail > 0);
    fleet->min_healthy = 0;
    fleet->zone_fail = 0;
    fleet->false_fail = 1;
    fleet->fail_open = true;
    run();
    assert_int_equal(result.fleets[0][1799].serving_end, 300);
}

/* Too few checkers: what is late says nothing, and nobody leaves for it. */
static void test_late_checks(void **state)
{
    (void)state;
    begin(10, 1200 * (uint64_t)SECOND);
    scenario.fleet_count = 1;
    hf_drill_fleet_default(&scenario.fleets[0]);
    scenario.fleets[0].nodes = 300;
    scenario.fleets[0].checkers = 2;
    act(60 * (uint64_t)SECOND, HF_DRILL_FAIL, 0.5);
    run();
    print_message("# %g checks were late\n", (double)result.fleet_sums[0].late);
    assert_true(result.fleet_sums[0].late > 10);
    assert_int_equal(result.fleet_sums[0].removed_worst_share * 1000, 0);
    act(300 * (uint64_t)SECOND, HF_DRILL_CHECKERS, 300);
    run();
    assert_int_equal(result.fleets[0][1199].serving_end, 150);
    assert_int_equal(result.fleets[0][1199].wrongly_in, 0);
}

/* A rule does by itself what an operator did at a given time. */
static void test_rule(void **state)
{
    (void)state;
    begin(150, 300 * (uint64_t)SECOND);
    scenario.services[0].workers = 1;
    scenario.services[0].queue_max = 100000;
    scenario.rule_count = 1;
    scenario.rules[0] = (struct hf_drill_rule){
        .measure = HF_DRILL_QUEUE_LENGTH,
        .above = true,
        .limit = 1000,
        .for_us = 5 * (uint64_t)SECOND,
        .firings_max = 1,
        .action = {.verb = HF_DRILL_QUEUE_BOUND, .part = HF_DRILL_PART_SERVICE, .value = 50}};
    run();
    assert_int_equal(result.note_count, 1);
    assert_true(result.notes[0].by_rule);
    /* 50 a second too many: 1000 after 20 s, 5 s more. */
    assert_true(result.notes[0].at_us >= 20 * (uint64_t)SECOND);
    assert_true(result.notes[0].at_us <= 30 * (uint64_t)SECOND);
    assert_true(result.services[0][299].queue_end <= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chance),      cmocka_unit_test(test_same_seed_same_digest),
        cmocka_unit_test(test_presets),     cmocka_unit_test(test_serve_stale),
        cmocka_unit_test(test_pool),        cmocka_unit_test(test_breaker_and_hedge),
        cmocka_unit_test(test_disciplines), cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_window),      cmocka_unit_test(test_fleet),
        cmocka_unit_test(test_late_checks), cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
