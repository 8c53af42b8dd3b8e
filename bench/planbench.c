/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * planbench: processor time of a full plan from nothing, stage by stage, as the planner's process
 * makes it, without the process.
 *
 *   planbench CONFIG STORE [DOWN_BACKEND]...
 *
 * config: the files are read and checked; plan: fleet and machine are built, every backend gets a
 * verdict (those named: down, all others: up), and one tick plans all; publish: the decisions
 * become entries, objects, and the head of STORE, which is created. One line of JSON, seconds of
 * CPU.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "codec/planning.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

enum { PROBLEMS_MAX = 65536, DOWN_MAX = 64 };

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(int error, const char *what, const char *why)
{
    if (error != HF_OK) {
        (void)fprintf(stderr, "planbench: %s: %s\n", what, why != NULL ? why : hf_strerror(error));
        exit(1);
    }
}

static struct hf_planning *plan_all(const struct hf_config *config, struct hf_plan *plan,
                                    char *const *down, uint32_t down_count, uint64_t now_ms,
                                    struct hf_planner_action *ret_action)
{
    struct hf_overrides overrides;
    struct hf_planner_outbox outbox;
    hf_overrides_init(&overrides);
    struct hf_planning *planning = hf_planning_new(config, plan, &overrides, NULL, now_ms);
    uint32_t numbers[DOWN_MAX];
    for (uint32_t i = 0; i < down_count; i++) {
        numbers[i] = hf_config_find_backend(config, down[i]);
    }
    for (uint32_t i = 0; i < config->backend_count; i++) {
        struct hf_planner_event event = {
            .type = HF_PLANNER_VERDICT, .backend = i, .verdict = HF_VERDICT_UP};
        for (uint32_t k = 0; k < down_count; k++) {
            event.verdict = numbers[k] == i ? HF_VERDICT_DOWN : event.verdict;
        }
        hf_planning_step(planning, &event, now_ms, &outbox);
    }
    struct hf_planner_event tick = {.type = HF_PLANNER_TICK};
    hf_planning_step(planning, &tick, now_ms, &outbox);
    hf_overrides_release(&overrides);
    if (outbox.count != 1 || outbox.actions[0].type != HF_PLANNER_PUBLISH) {
        check(HF_EINVAL, "planner", "nothing is to be published");
    }
    *ret_action = outbox.actions[0];
    return planning;
}

static void publish(struct hf_store *store, struct hf_planning *planning, uint64_t now_ms,
                    const struct hf_planner_action *action)
{
    uint32_t count = 0;
    uint32_t *rows = calloc(planning->planner.publishing.count + 1U, sizeof(*rows));
    struct hf_plan_head head = {
        .gen = action->gen, .created_ms = now_ms, .planner = "planbench", .instance = 1};
    if (rows == NULL) {
        abort();
    }
    head.changed = planning->planner.changed;
    check(hf_planning_fill(planning, action->gen, now_ms, rows, &count), "plan", NULL);
    check(hf_plan_publish(store, planning->plan, &head, rows, count), "publish", NULL);
    free(rows);
}

int main(int argc, char **argv)
{
    struct hf_config *config;
    struct hf_store *store;
    struct hf_buf problems;
    struct hf_plan plan;
    struct hf_planner_action action;
    if (argc < 3 || argc > 3 + DOWN_MAX) {
        (void)fprintf(stderr, "usage: planbench CONFIG STORE [DOWN_BACKEND]...\n");
        return 2;
    }
    hf_buf_init(&problems, PROBLEMS_MAX);
    double begun = cpu_s();
    check(hf_config_read(argv[1], &config, &problems), argv[1], hf_buf_text(&problems));
    double read = cpu_s();
    uint64_t now_ms = hf_wallclock_ms();
    hf_plan_init(&plan);
    struct hf_planning *planning =
        plan_all(config, &plan, argv + 3, (uint32_t)argc - 3, now_ms, &action);
    double planned = cpu_s();
    check(hf_store_open(argv[2], true, &store), argv[2], NULL);
    publish(store, planning, now_ms, &action);
    double published = cpu_s();
    (void)printf("{\"config_s\": %.4f, \"plan_s\": %.4f, \"publish_s\": %.4f, \"endpoints\": %u}\n",
                 read - begun, planned - read, published - planned, plan.entry_count);
    hf_planning_free(planning);
    hf_plan_release(&plan);
    hf_store_close(store);
    hf_config_free(config);
    hf_buf_release(&problems);
    return 0;
}
