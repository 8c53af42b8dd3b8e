/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * planbench: what planning costs, without servers and without checks.
 *
 *   planbench FOLDER ENDPOINTS [POOLS [CHANGES]]
 *
 * In FOLDER, which exists and is empty, it makes a fleet of ENDPOINTS with 4 A and 4 AAAA records
 * each: pools of five backends with two addresses, one backend of each drained by its verdict.
 * POOLS (default: one for 1,000 endpoints) share the endpoints evenly; one pool more has ten
 * endpoints of its own. A process of its own does each of these and prints a line of JSON:
 *
 *   plan   reads the configuration, plans everything from nothing and publishes it; then a backend
 *          of the pool with ten endpoints fails and returns CHANGES times (default 200), and each
 *          time the delta is published
 *   load   reads that plan from the store as an enactor does
 *
 * Times are processor time of this process, all threads, in seconds or microseconds; "_wall_us" is
 * what a clock says (a commit waits for the disk). RSS is in octets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/planning.h"
#include "io/pages.h"
#include "io/plan_store.h"

enum {
    BACKENDS = 5, /* of a pool, one of them down */
    FLIP_ENDPOINTS = 10,
    ENDPOINTS_OF_POOL = 1000,
    CHANGES = 200,
    CHANGES_MAX = 10000,
    PROBLEMS_MAX = 65536,
    US_PER_S = 1000000,
    SPARE_ENDPOINTS = 16384,
};

struct bench {
    uint32_t endpoints, pools, changes;
    struct hf_config *config;
    struct hf_plan plan;
    struct hf_overrides overrides;
    struct hf_planning *planning;
    struct hf_store *store;
    uint64_t now_ms;
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "planbench: %s: %s\n", what, why);
    exit(1);
}

static void check(int error, const char *what)
{
    if (error != HF_OK) {
        fail(what, hf_strerror(error));
    }
}

static double clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * US_PER_S + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void)
{
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

static long rss(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL || strchr(line, ' ') == NULL) {
        fail("/proc/self/statm", "cannot be read");
    }
    (void)fclose(file);
    return strtol(strchr(line, ' '), NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* --- the fleet --- */

static FILE *create(const char *name)
{
    FILE *file = fopen(name, "w");
    if (file == NULL) {
        fail(name, "cannot be written");
    }
    return file;
}

static void make_pool(FILE *file, const char *name, uint32_t number)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s.jsonl", name);
    FILE *backends = create(path);
    (void)fprintf(file, "  %s:\n    check: { type: none }\n    backends_file: %s\n", name, path);
    for (uint32_t i = 0; i < BACKENDS; i++) {
        uint32_t host = number * 8 + i;
        (void)fprintf(backends,
                      "{\"name\":\"%s-%u\",\"site\":\"a\","
                      "\"address\":[\"10.%u.%u.%u\",\"2001:db8::%x:%x\"]}\n",
                      name, i + 1, host >> 16 & 255, host >> 8 & 255, host & 255, host >> 16,
                      host & 0xffff);
    }
    (void)fclose(backends);
}

static void make_fleet(struct bench *bench)
{
    FILE *file = create("holdfast.yaml");
    (void)fprintf(file, "installation: bench\nstore: sqlite:bench.db\n"
                        "targets:\n  edge: { type: rfc2136, server: 127.0.0.1@5300 }\n"
                        "zones:\n  bench.test: { target: edge }\npools:\n");
    for (uint32_t i = 0; i < bench->pools; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "pool-%u", i);
        make_pool(file, name, i);
    }
    make_pool(file, "flip", bench->pools);
    (void)fprintf(file, "endpoints_file: endpoints.jsonl\n");
    (void)fclose(file);
    FILE *endpoints = create("endpoints.jsonl");
    for (uint32_t i = 0; i < bench->endpoints; i++) {
        if (i < FLIP_ENDPOINTS) {
            (void)fprintf(endpoints, "{\"name\":\"e%u.bench.test\",\"pools\":[\"flip\"]}\n", i);
        } else {
            (void)fprintf(endpoints, "{\"name\":\"e%u.bench.test\",\"pools\":[\"pool-%u\"]}\n", i,
                          i % bench->pools);
        }
    }
    (void)fclose(endpoints);
}

/* --- planning --- */

static void step(struct bench *bench, struct hf_planner_event *event,
                 struct hf_planner_outbox *outbox)
{
    hf_planning_step(bench->planning, event, bench->now_ms, outbox);
}

static void feed_verdict(struct bench *bench, uint32_t backend, enum hf_verdict verdict)
{
    struct hf_planner_outbox outbox;
    struct hf_planner_event event = {
        .type = HF_PLANNER_VERDICT, .backend = backend, .verdict = (uint8_t)verdict};
    step(bench, &event, &outbox);
}

/* Where the time of one publication went. */
struct spent {
    double tick_us, fill_us, publish_us, committed_us;
};

static struct spent publish(struct bench *bench)
{
    struct spent spent = {0};
    struct hf_planner_outbox outbox;
    struct hf_planner_event tick = {.type = HF_PLANNER_TICK};
    double begun = cpu_us();
    step(bench, &tick, &outbox);
    if (outbox.count != 1 || outbox.actions[0].type != HF_PLANNER_PUBLISH) {
        fail("tick", "nothing was planned");
    }
    struct hf_planner_event done = {
        .type = HF_PLANNER_PUBLISHED, .op = outbox.actions[0].op, .result = HF_RESULT_OK};
    const struct hf_planner *planner = &bench->planning->planner;
    struct hf_plan_head head = {.gen = outbox.actions[0].gen,
                                .created_ms = bench->now_ms,
                                .planner = "bench",
                                .changed = planner->changed};
    uint32_t *rows = calloc(planner->publishing.count, sizeof(*rows));
    uint32_t count = 0;
    if (rows == NULL) {
        abort();
    }
    spent.tick_us = cpu_us() - begun;
    begun = cpu_us();
    check(hf_planning_fill(bench->planning, head.gen, bench->now_ms, rows, &count), "fill");
    spent.fill_us = cpu_us() - begun;
    begun = cpu_us();
    check(hf_plan_publish(bench->store, &bench->plan, &head, rows, count), "publish");
    spent.publish_us = cpu_us() - begun;
    begun = cpu_us();
    free(rows);
    step(bench, &done, &outbox);
    if (count >= SPARE_ENDPOINTS) {
        /* As the planner's process does. */
        size_t size = 0;
        void *spare = hf_planner_spare(planner, &size);
        hf_pages_forget(spare, size);
    }
    spent.committed_us = cpu_us() - begun;
    bench->now_ms += 100;
    return spent;
}

static void read_config(struct bench *bench)
{
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_MAX);
    if (hf_config_read("holdfast.yaml", &bench->config, &problems) != HF_OK) {
        fail("configuration", hf_buf_text(&problems));
    }
    hf_buf_release(&problems);
}

static void open_store(struct bench *bench, bool create_it)
{
    char why[HF_STORE_WHY_MAX];
    if (hf_store_open_why("bench.db", create_it, why, &bench->store) != HF_OK) {
        fail("store", why);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), by_size);
    return values[count / 2];
}

/* A backend of the pool with ten endpoints fails and returns. */
static void change(struct bench *bench)
{
    double *cpu = calloc(bench->changes, sizeof(*cpu));
    double *wall = calloc(bench->changes, sizeof(*wall));
    double *store = calloc(bench->changes, sizeof(*store));
    if (cpu == NULL || wall == NULL || store == NULL) {
        abort();
    }
    uint32_t backend = hf_config_find_backend(bench->config, "flip-1");
    uint64_t before = bench->plan.head.chain_bytes;
    for (uint32_t i = 0; i < bench->changes; i++) {
        double begun_cpu = cpu_us();
        double begun = clock_us(CLOCK_MONOTONIC);
        feed_verdict(bench, backend, i % 2 == 0 ? HF_VERDICT_DOWN : HF_VERDICT_UP);
        store[i] = publish(bench).publish_us;
        cpu[i] = cpu_us() - begun_cpu;
        wall[i] = clock_us(CLOCK_MONOTONIC) - begun;
    }
    uint64_t octets = bench->plan.head.chain_bytes - before;
    (void)printf(", \"change_us\": %.1f, \"change_publish_us\": %.1f, \"change_wall_us\": %.1f, "
                 "\"change_octets\": %.1f",
                 median(cpu, bench->changes), median(store, bench->changes),
                 median(wall, bench->changes), (double)octets / bench->changes);
    free(cpu);
    free(wall);
    free(store);
}

static void run_plan(struct bench *bench)
{
    long bare = rss();
    double begun = cpu_us();
    read_config(bench);
    double config_us = cpu_us() - begun;
    long config_rss = rss() - bare;
    open_store(bench, true);
    begun = cpu_us();
    bench->planning =
        hf_planning_new(bench->config, &bench->plan, &bench->overrides, NULL, bench->now_ms);
    double new_us = cpu_us() - begun;
    begun = cpu_us();
    for (uint32_t i = 0; i < bench->config->backend_count; i++) {
        bool up = i % BACKENDS != BACKENDS - 1;
        feed_verdict(bench, i, up ? HF_VERDICT_UP : HF_VERDICT_DOWN);
    }
    double feed_us = cpu_us() - begun;
    struct spent spent = publish(bench);
    double plan_us =
        new_us + feed_us + spent.tick_us + spent.fill_us + spent.publish_us + spent.committed_us;
    (void)printf("{\"step\": \"plan\", \"endpoints\": %u, \"pools\": %u, \"config_s\": %.3f, "
                 "\"plan_s\": %.3f, \"fleet_s\": %.3f, \"verdicts_s\": %.3f, \"tick_s\": %.3f, "
                 "\"fill_s\": %.3f, \"publish_s\": %.3f, \"committed_s\": %.3f",
                 bench->endpoints, bench->pools, config_us / US_PER_S, plan_us / US_PER_S,
                 new_us / US_PER_S, feed_us / US_PER_S, spent.tick_us / US_PER_S,
                 spent.fill_us / US_PER_S, spent.publish_us / US_PER_S,
                 spent.committed_us / US_PER_S);
    (void)printf(", \"snapshot_octets\": %llu, \"config_rss\": %ld, \"planned_rss\": %ld",
                 (unsigned long long)bench->plan.head.snapshot_bytes, config_rss, rss() - bare);
    change(bench);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf(", \"rss\": %ld, \"peak_rss\": %ld}\n", rss() - bare,
                 usage.ru_maxrss * 1024 - bare);
    hf_planning_free(bench->planning);
    hf_plan_release(&bench->plan);
    hf_config_free(bench->config);
    hf_store_close(bench->store);
}

static void run_load(struct bench *bench)
{
    uint64_t gen = 0;
    long bare = rss();
    open_store(bench, false);
    double begun = cpu_us();
    check(hf_plan_load(bench->store, &bench->plan, NULL, &gen), "load");
    double load_us = cpu_us() - begun;
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("{\"step\": \"load\", \"endpoints\": %u, \"load_s\": %.3f, \"rss\": %ld, "
                 "\"peak_rss\": %ld}\n",
                 bench->plan.entry_count, load_us / US_PER_S, rss() - bare,
                 usage.ru_maxrss * 1024 - bare);
    hf_plan_release(&bench->plan);
    hf_store_close(bench->store);
}

/* In a process of its own, so that nothing of an earlier one is in its memory. */
static void in_child(struct bench *bench, void (*run)(struct bench *bench))
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        run(bench);
        exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fail("step", "failed");
    }
}

int main(int count, char **words)
{
    struct bench bench = {.changes = CHANGES, .now_ms = 1000000};
    if (count < 3 || count > 5 || chdir(words[1]) != 0) {
        (void)fprintf(stderr, "usage: planbench FOLDER ENDPOINTS [POOLS [CHANGES]]\n");
        return 2;
    }
    bench.endpoints = (uint32_t)strtoul(words[2], NULL, 10);
    bench.pools = count > 3 ? (uint32_t)strtoul(words[3], NULL, 10)
                            : (bench.endpoints + ENDPOINTS_OF_POOL - 1) / ENDPOINTS_OF_POOL;
    bench.changes = count > 4 ? (uint32_t)strtoul(words[4], NULL, 10) : CHANGES;
    if (bench.endpoints <= FLIP_ENDPOINTS || bench.pools == 0 || bench.changes == 0 ||
        bench.changes > CHANGES_MAX) {
        fail("ENDPOINTS, POOLS, CHANGES", "out of range");
    }
    hf_plan_init(&bench.plan);
    hf_overrides_init(&bench.overrides);
    in_child(&bench, make_fleet);
    in_child(&bench, run_plan);
    in_child(&bench, run_load);
    return 0;
}
