/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A planner's process without the process, for tests of planning: a configuration text, overrides,
 * verdicts by name and a plan that is published by being encoded and read again, as a restarted
 * process would read it.
 */
#ifndef HF_TESTS_PLANNING_WORLD_H
#define HF_TESTS_PLANNING_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "codec/planning.h"

enum {
    WORLD_OBJECT_MAX = 4 * 1024 * 1024,
    WORLD_TEXT_MAX = 4096,
    WORLD_PUBLISHED_MAX = 16, /* plans in a row without a change of anything else */
};

struct world {
    struct hf_config *config;
    struct hf_plan plan;
    struct hf_overrides overrides;
    struct hf_planning *planning;
    uint64_t now_ms;
    uint32_t published;
    const char *down; /* names of backends between spaces: " web-1 web-2 " */
    const char *unknown;
    char text[WORLD_TEXT_MAX]; /* what the last look wrote */
};

#define WORLD_HEAD                                                                                 \
    "installation: prod\n"                                                                         \
    "store: sqlite:holdfast.db\n"                                                                  \
    "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"                                  \
    "zones: { example.test: { target: edge } }\n"

/* NULL: takes the text and a size instead of a literal. */
static inline struct hf_config *world_config(const char *text)
{
    struct hf_config *config = NULL;
    struct hf_buf problems;
    hf_buf_init(&problems, 1 << 16);
    if (hf_config_read_text(text, strlen(text), "test.yaml", &config, &problems) != HF_OK) {
        fail_msg("%s\n%s", hf_buf_text(&problems), text);
    }
    hf_buf_release(&problems);
    return config;
}

static inline bool world_names(const char *names, const char *name)
{
    char word[80];
    (void)snprintf(word, sizeof(word), " %s ", name);
    return strstr(names, word) != NULL;
}

static inline void world_feed_verdicts(struct world *world)
{
    for (uint32_t i = 0; i < world->config->backend_count; i++) {
        const char *name = world->config->backends[i].name;
        struct hf_planner_outbox outbox;
        struct hf_planner_event event = {.type = HF_PLANNER_VERDICT,
                                         .backend = i,
                                         .verdict =
                                             world_names(world->unknown, name) ? HF_VERDICT_UNKNOWN
                                             : world_names(world->down, name)  ? HF_VERDICT_DOWN
                                                                               : HF_VERDICT_UP};
        hf_planning_step(world->planning, &event, world->now_ms, &outbox);
    }
}

static inline void world_rebuild(struct world *world)
{
    struct hf_planning *earlier = world->planning;
    world->planning =
        hf_planning_new(world->config, &world->plan, &world->overrides, earlier, world->now_ms);
    hf_planning_free(earlier);
    world_feed_verdicts(world);
}

static inline void world_start(struct world *world, const char *text)
{
    *world = (struct world){.now_ms = 1700000000000, .down = "", .unknown = ""};
    world->config = world_config(text);
    hf_plan_init(&world->plan);
    hf_overrides_init(&world->overrides);
    world_rebuild(world);
}

static inline void world_end(struct world *world)
{
    hf_planning_free(world->planning);
    hf_plan_release(&world->plan);
    hf_overrides_release(&world->overrides);
    hf_config_free(world->config);
}

/* Another configuration, as after a reload: a new process reads the plan. */
static inline void world_configure(struct world *world, const char *text)
{
    hf_planning_free(world->planning);
    world->planning = NULL;
    hf_config_free(world->config);
    world->config = world_config(text);
    world_rebuild(world);
}

static inline int world_no_part(void *context, const void *bytes, size_t size,
                                struct hf_digest *ret_name)
{
    (void)context;
    hf_digest_of(bytes, size, ret_name);
    fail_msg("a plan of this size needs no parts");
    return HF_ELIMIT;
}

static inline int world_get_part(void *context, const struct hf_digest *name,
                                 struct hf_buf *ret_bytes)
{
    (void)context;
    (void)name;
    (void)ret_bytes;
    return HF_ENOENT;
}

/* The plan as an object: whatever hf_plan would not accept fails here. */
static inline void world_encode(const struct world *world, const struct hf_plan_head *head,
                                const uint32_t *rows, uint32_t count, struct hf_plan *ret_plan)
{
    struct hf_buf object;
    struct hf_digest name;
    hf_buf_init(&object, WORLD_OBJECT_MAX);
    assert_int_equal(hf_plan_encode(&world->plan, head, rows, count, world_no_part, NULL, &object),
                     HF_OK);
    hf_digest_of(object.bytes, object.size, &name);
    assert_int_equal(
        hf_plan_apply(ret_plan, &name, object.bytes, object.size, world_get_part, NULL, NULL),
        HF_OK);
    hf_buf_release(&object);
}

static inline void world_publish(struct world *world, const struct hf_planner_action *action)
{
    uint32_t *rows = calloc(world->planning->planner.publishing.count + 1U, sizeof(*rows));
    uint32_t count = 0;
    struct hf_plan_head head = {.gen = action->gen,
                                .created_ms = world->now_ms,
                                .instance = 7,
                                .snapshot = true,
                                .planner = "planner",
                                .changed = world->planning->planner.changed};
    assert_int_equal(hf_planning_fill(world->planning, action->gen, world->now_ms, rows, &count),
                     HF_OK);
    assert_int_equal(count, world->planning->planner.publishing.count);
    struct hf_plan copy;
    hf_plan_init(&copy);
    world_encode(world, &head, rows, count, &copy);
    hf_plan_release(&copy);
    free(rows);
    world->plan.head = head;
    world->published++;
    struct hf_planner_outbox outbox;
    struct hf_planner_event event = {
        .type = HF_PLANNER_PUBLISHED, .op = action->op, .result = HF_RESULT_OK};
    hf_planning_step(world->planning, &event, world->now_ms, &outbox);
}

/* Ticks until nothing more is published; how many plans that were. */
static inline uint32_t world_settle(struct world *world)
{
    uint32_t before = world->published;
    for (;;) {
        struct hf_planner_outbox outbox;
        struct hf_planner_event tick = {.type = HF_PLANNER_TICK};
        hf_planning_step(world->planning, &tick, world->now_ms, &outbox);
        if (outbox.count == 0) {
            return world->published - before;
        }
        assert_int_equal(outbox.count, 1);
        assert_int_equal(outbox.actions[0].type, HF_PLANNER_PUBLISH);
        world_publish(world, &outbox.actions[0]);
        assert_true(world->published - before <= WORLD_PUBLISHED_MAX);
    }
}

/* The same plan in another process: the image is read from an object. */
static inline void world_restart(struct world *world)
{
    struct hf_plan fresh;
    struct hf_plan_head head = world->plan.head;
    hf_plan_init(&fresh);
    head.snapshot = true;
    if (head.gen != 0) {
        world_encode(world, &head, NULL, 0, &fresh);
    }
    hf_planning_free(world->planning);
    world->planning = NULL;
    hf_plan_release(&world->plan);
    world->plan = fresh;
    world_rebuild(world);
}

static inline void world_set(struct world *world, enum hf_override_kind kind, const char *subject,
                             const char *text)
{
    struct hf_override item = {.kind = kind, .subject = subject, .text = text, .gen = 1};
    assert_int_equal(hf_overrides_set(&world->overrides, &item), HF_OK);
}

/* --- looking --- */

static inline const struct hf_plan_entry *world_entry(const struct world *world, const char *name)
{
    uint8_t owner[HF_NAME_MAX];
    assert_int_equal(hf_name_parse(name, owner), HF_OK);
    uint32_t row = hf_plan_find(&world->plan, owner);
    return row == UINT32_MAX ? NULL : &world->plan.entries[row];
}

/* The addresses that a name answers with, between spaces; "none": not in the plan. */
static inline const char *world_answer(struct world *world, const char *name)
{
    const struct hf_plan_entry *entry = world_entry(world, name);
    size_t used = 0;
    world->text[0] = 0;
    if (entry == NULL || entry->gen == 0) {
        return "none";
    }
    const struct hf_records *records = &entry->records;
    for (uint32_t i = 0; i < (uint32_t)records->a_count + records->aaaa_count; i++) {
        bool v4 = i < records->a_count;
        const uint8_t *at =
            v4 ? records->bytes + i * 4U
               : records->bytes + records->a_count * 4U + (i - (uint32_t)records->a_count) * 16U;
        char address[INET6_ADDRSTRLEN];
        assert_non_null(inet_ntop(v4 ? AF_INET : AF_INET6, at, address, sizeof(address)));
        used += (size_t)snprintf(world->text + used, sizeof(world->text) - used, "%s%s",
                                 i == 0 ? "" : " ", address);
        assert_true(used < sizeof(world->text));
    }
    return world->text;
}

/* What is held back. */
static inline const char *world_held(struct world *world, struct hf_digest *ret_digest)
{
    struct hf_buf lines;
    hf_buf_init(&lines, sizeof(world->text) - 1);
    hf_planning_held(world->planning, &lines, ret_digest);
    (void)snprintf(world->text, sizeof(world->text), "%s", hf_buf_text(&lines));
    hf_buf_release(&lines);
    return world->text;
}

/* Every membership appears once among the users of its backend, and nothing else does. */
static inline void world_expect_users(const struct world *world)
{
    const struct hf_fleet *fleet = &world->planning->fleet;
    uint64_t total = 0;
    for (uint32_t e = 0; e < fleet->endpoint_count; e++) {
        const struct hf_fleet_endpoint *endpoint = &fleet->endpoints[e];
        total += endpoint->member_count;
        for (uint32_t k = 0; k < endpoint->member_count; k++) {
            uint32_t backend = fleet->members[endpoint->member_first + k];
            assert_true(backend < fleet->backend_count);
            uint32_t found = 0;
            for (uint32_t u = fleet->user_first[backend]; u < fleet->user_first[backend + 1]; u++) {
                found += fleet->users[u] == e;
            }
            assert_int_equal(found, 1);
        }
    }
    assert_int_equal(fleet->user_first[0], 0);
    assert_int_equal(fleet->user_first[fleet->backend_count], total);
}

#endif
