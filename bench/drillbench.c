/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drill's engine alone, one JSON object a line:
 *
 *   drillbench hosts N        N hosts that each call a service once a minute on average, until
 *                             10,000,000 events are done after all caches are warm
 *   drillbench leases N       an hour of leases of N hosts: an empty name, lapses, all claims
 *   drillbench outage N       14.5 hours of N hosts: 154 minutes without answers, a collapse, the
 *                             throttle and the restart that end it, and a flapping fleet
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/error.h"
#include "drill/drill.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)

enum { EVENTS = 10000000, STEP = 1000000 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void act(struct hf_drill_scenario *scenario, uint64_t at_us, enum hf_drill_verb verb,
                uint16_t target, double value)
{
    scenario->actions[scenario->action_count++] =
        (struct hf_drill_action){.at_us = at_us,
                                 .verb = (uint8_t)verb,
                                 .part = (uint8_t)hf_drill_verb_part(verb),
                                 .target = target,
                                 .value = value};
}

static void hosts(struct hf_drill_scenario *scenario, uint32_t count)
{
    scenario->length_us = 10 * MINUTE * (count < 1000000 ? 1000000 / count : 1);
    scenario->bucket_us = scenario->length_us / 100;
    scenario->service_count = scenario->client_count = 1;
    hf_drill_service_default(&scenario->services[0]);
    scenario->services[0].workers = count / 60 + 10;
    scenario->services[0].time.mean_us = 500000;
    scenario->services[0].queue_max = 1000;
    hf_drill_client_default(&scenario->clients[0], 0);
    scenario->clients[0].users = count;
    scenario->clients[0].think =
        (struct hf_drill_dist){.kind = HF_DRILL_EXPONENTIAL, .mean_us = 60e6};
    scenario->clients[0].call.timeout_us = 10 * SECOND;
    scenario->clients[0].call.retries_max = 2;
}

/* Leases of ten minutes, renewed every minute, by a manager that finds its database by name. */
static void leases(struct hf_drill_scenario *scenario, uint32_t count)
{
    scenario->length_us = 60 * MINUTE;
    scenario->bucket_us = 10 * SECOND;
    scenario->service_count = scenario->manager_count = 1;
    scenario->name_count = scenario->resolver_count = 1;
    scenario->names[0] =
        (struct hf_drill_name){.ttl_s = 5, .soa_ttl_s = 900, .soa_minimum_s = 86400};
    hf_drill_resolver_preset(HF_DRILL_BIND, &scenario->resolvers[0]);
    scenario->resolvers[0].instances = 10;
    hf_drill_service_default(&scenario->services[0]);
    scenario->services[0].workers = 100;
    scenario->services[0].queue_max = count;
    scenario->services[0].time.mean_us = 100 * 1800.0e6 / count;
    hf_drill_manager_default(&scenario->managers[0], 0);
    struct hf_drill_manager *manager = &scenario->managers[0];
    manager->holders = count;
    manager->cells = 10;
    manager->renew.name = manager->renew.resolver = 0;
    manager->claimer = HF_DRILL_BY_MANAGER;
    manager->claim.backoff_base_us = 10 * SECOND;
    manager->claim.backoff_cap_us = 5 * MINUTE;
    act(scenario, 5 * MINUTE, HF_DRILL_ANSWER, 0, HF_DRILL_EMPTY);
    act(scenario, 10 * MINUTE, HF_DRILL_ANSWER, 0, HF_DRILL_RIGHT);
}

/* The times are those of 19 and 20 October 2025 from 23:48 on; the rest is chosen. */
static void outage(struct hf_drill_scenario *scenario, uint32_t count)
{
    leases(scenario, count);
    scenario->action_count = 0;
    scenario->length_us = 870 * MINUTE;
    scenario->bucket_us = MINUTE;
    scenario->repaired_us = 154 * MINUTE;
    scenario->services[0].time.mean_us = 100 * 70 * 60.0e6 / count; /* all of them in 70 minutes */
    scenario->managers[0].claim.timeout_us = 5 * MINUTE;
    scenario->fleet_count = 1;
    hf_drill_fleet_default(&scenario->fleets[0]);
    struct hf_drill_fleet *fleet = &scenario->fleets[0];
    fleet->nodes = 2000;
    fleet->zones = 3;
    fleet->interval_us = 30 * SECOND;
    fleet->checkers = 200;
    fleet->unready_pass = 0.5;
    fleet->manager = 0;
    fleet->ready_per_s = 0.2;
    act(scenario, 0, HF_DRILL_ANSWER, 0, HF_DRILL_EMPTY);
    act(scenario, 154 * MINUTE, HF_DRILL_ANSWER, 0, HF_DRILL_RIGHT);
    act(scenario, 266 * MINUTE, HF_DRILL_RESTART, 0, 0);
    act(scenario, 266 * MINUTE, HF_DRILL_QUEUE_BOUND, 0, count / 20.0);
}

static void run(const char *what, const struct hf_drill_scenario *scenario, uint32_t count,
                uint64_t warm, uint64_t events_max)
{
    struct hf_drill_problem problem;
    if (hf_drill_check(scenario, &problem) != HF_OK) {
        fprintf(stderr, "part %d, %s: found %g, expected %s\n", problem.part, problem.field,
                problem.found, problem.expected);
        exit(1);
    }
    size_t size = hf_drill_memory(scenario);
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    (void)madvise(block, size, MADV_HUGEPAGE);
    double begun_s = now_s();
    struct hf_drill *drill = hf_drill_init(scenario, 1, block, size);
    bool more = true;
    while (more && hf_drill_events(drill) < warm) {
        more = hf_drill_run(drill, HF_DRILL_NEVER, STEP);
    }
    double warm_s = now_s();
    uint64_t first = hf_drill_events(drill);
    while (more && hf_drill_events(drill) - first < events_max) {
        more = hf_drill_run(drill, HF_DRILL_NEVER, STEP);
    }
    double took_s = now_s() - warm_s;
    uint64_t events = hf_drill_events(drill) - first;
    struct hf_drill_result *result = calloc(1, sizeof *result);
    if (result == NULL) {
        exit(1);
    }
    hf_drill_result(drill, result);
    char recover[32] = "null";
    if (result->manager_sums[0].health.recover_us != HF_DRILL_NEVER) {
        (void)snprintf(recover, sizeof(recover), "%.0f",
                       (double)result->manager_sums[0].health.recover_us / 1e6);
    }
    printf("{\"what\":\"%s\",\"hosts\":%" PRIu32 ",\"events\":%" PRIu64 ",\"took_s\":%.3f,"
           "\"all_s\":%.3f,\"ns_per_event\":%.1f,\"events_per_s\":%.0f,\"octets\":%zu,"
           "\"octets_per_host\":%.1f,\"recover_s\":%s,\"digest\":\"%016" PRIx64 "\"}\n",
           what, count, events, took_s, now_s() - begun_s, took_s * 1e9 / (double)events,
           (double)events / took_s, size, (double)size / count, recover, result->digest);
    free(result);
    munmap(block, size);
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (count < 1000 || count > 20000000) {
        fprintf(stderr, "usage: drillbench hosts|leases|outage COUNT (1000 to 20000000)\n");
        return 2;
    }
    struct hf_drill_scenario *scenario = malloc(sizeof *scenario);
    if (scenario == NULL) {
        abort();
    }
    hf_drill_scenario_default(scenario);
    scenario->memory_max_bytes = UINT64_C(1) << 40;
    uint32_t hosts_count = (uint32_t)count;
    if (strcmp(argv[1], "hosts") == 0) {
        hosts(scenario, hosts_count);
        run("hosts", scenario, hosts_count, 2 * (uint64_t)hosts_count, EVENTS);
    } else if (strcmp(argv[1], "leases") == 0) {
        leases(scenario, hosts_count);
        run("leases", scenario, hosts_count, 0, HF_DRILL_NEVER);
    } else {
        outage(scenario, hosts_count);
        run("outage", scenario, hosts_count, 0, HF_DRILL_NEVER);
    }
    free(scenario);
    return 0;
}
