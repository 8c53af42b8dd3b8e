/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * publish: puts plans into a store as a planner would, as fast and as odd as a schedule wants them.
 *
 *   publish STORE ZONE
 *
 * The endpoints are e0, e1, … of ZONE. Generation G answers with 2 + G % 3 IPv4 addresses
 * 10.G.1, 10.G.2, … and 1 + G % 2 IPv6 addresses fd00::G:1, …, so that an answer says by itself
 * which generation it is of and whether it is whole (reader.c). G is below 65536.
 *
 * Reads commands, one a line, and answers each with "head GEN" or "error NUMBER WHY":
 *
 *   publish COUNT FIRST LAST   COUNT further generations, each changes e FIRST to LAST - 1
 *   jump GEN                   the next generation is above GEN
 *   claim                      marks every endpoint as claimed, as after the first rollout
 *   retire FIRST LAST          a generation of tombstones
 *
 * Each publishes on top of what the store has then; where another one was faster it tries again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "codec/name.h"
#include "core/planner.h"
#include "io/plan_store.h"

enum { ENDPOINTS_MAX = 20000, TRIES_MAX = 100, GEN_MAX = 65535 };

struct publisher {
    struct hf_store *store;
    struct hf_plan plan;
    const char *zone;
    uint64_t above;
    uint32_t *rows;
};

static uint64_t wallclock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint32_t row_of(struct publisher *publisher, uint32_t endpoint)
{
    char text[HF_NAME_TEXT_MAX];
    uint8_t owner[HF_NAME_MAX];
    (void)snprintf(text, sizeof(text), "e%u.%s", endpoint, publisher->zone);
    if (hf_name_parse(text, owner) != HF_OK) {
        (void)fprintf(stderr, "publish: %s is no name\n", text);
        exit(2);
    }
    return hf_plan_row(&publisher->plan, owner);
}

static void set_answer(struct publisher *publisher, uint32_t row, uint64_t gen, bool retired)
{
    uint8_t bytes[4 * 4 + 2 * 16] = {0};
    const struct hf_plan_entry *old = &publisher->plan.entries[row];
    struct hf_plan_entry entry = {
        .gen = gen,
        .records = {.bytes = bytes, .ttl_s = 1},
        .changed_ms = wallclock_ms(),
        .cause_backend = UINT32_MAX,
        .cause = (uint8_t)(retired ? HF_CAUSE_RETIRED : HF_CAUSE_HEALTH),
        .flags = (uint8_t)((old->flags & HF_ROW_CLAIMED) | HF_ROW_EXISTS),
    };
    if (retired) {
        entry.flags |= HF_ROW_RETIRED;
    } else {
        entry.records.a_count = (uint16_t)(2 + gen % 3);
        entry.records.aaaa_count = (uint16_t)(1 + gen % 2);
    }
    uint8_t *at = bytes;
    for (uint16_t i = 0; i < entry.records.a_count; i++, at += 4) {
        const uint8_t a[4] = {10, (uint8_t)(gen >> 8), (uint8_t)gen, (uint8_t)(i + 1)};
        memcpy(at, a, 4);
    }
    for (uint16_t i = 0; i < entry.records.aaaa_count; i++, at += 16) {
        at[0] = 0xfd;
        at[12] = (uint8_t)(gen >> 8);
        at[13] = (uint8_t)gen;
        at[15] = (uint8_t)(i + 1);
    }
    hf_plan_set(&publisher->plan, row, &entry);
}

static uint64_t next_gen(const struct publisher *publisher)
{
    uint64_t gen = publisher->plan.head.gen;
    return (gen > publisher->above ? gen : publisher->above) + 1;
}

static int put(struct publisher *publisher, uint64_t gen, uint32_t count)
{
    struct hf_plan_head head = {.gen = gen, .created_ms = wallclock_ms()};
    (void)snprintf(head.planner, sizeof(head.planner), "publish");
    (void)hf_store_instance(publisher->store, &head.instance);
    return hf_plan_publish(publisher->store, &publisher->plan, &head, publisher->rows, count);
}

/* One generation; HF_ESTALE when another planner was faster. */
static int change(struct publisher *publisher, uint32_t first, uint32_t last, bool retired)
{
    uint64_t loaded;
    int error = hf_plan_load(publisher->store, &publisher->plan, NULL, &loaded);
    if (error != HF_OK) {
        return error;
    }
    uint64_t gen = next_gen(publisher);
    if (gen > GEN_MAX) {
        return HF_ELIMIT;
    }
    for (uint32_t i = first; i < last; i++) {
        publisher->rows[i - first] = row_of(publisher, i);
        set_answer(publisher, publisher->rows[i - first], gen, retired);
    }
    return put(publisher, gen, last - first);
}

static int claim(struct publisher *publisher)
{
    uint64_t loaded;
    uint32_t count = 0;
    int error = hf_plan_load(publisher->store, &publisher->plan, NULL, &loaded);
    for (uint32_t row = 0; error == HF_OK && row < publisher->plan.entry_count; row++) {
        struct hf_plan_entry entry = publisher->plan.entries[row];
        if (entry.gen != 0 && (entry.flags & HF_ROW_CLAIMED) == 0) {
            entry.flags |= HF_ROW_CLAIMED;
            hf_plan_set(&publisher->plan, row, &entry);
            publisher->rows[count++] = row;
        }
    }
    return error != HF_OK || count == 0 ? error : put(publisher, next_gen(publisher), count);
}

static int again(struct publisher *publisher, uint32_t first, uint32_t last, const char *verb)
{
    int error = HF_ESTALE;
    for (int i = 0; i < TRIES_MAX && error == HF_ESTALE; i++) {
        error = strcmp(verb, "claim") == 0
                    ? claim(publisher)
                    : change(publisher, first, last, strcmp(verb, "retire") == 0);
    }
    return error;
}

static int obey(struct publisher *publisher, const char *line)
{
    unsigned long long gen = 0;
    uint32_t count = 1;
    uint32_t first = 0;
    uint32_t last = 0;
    if (sscanf(line, "jump %llu", &gen) == 1) {
        publisher->above = gen;
        return HF_OK;
    }
    if (strncmp(line, "claim", 5) == 0) {
        return again(publisher, 0, 0, "claim");
    }
    bool retire = sscanf(line, "retire %u %u", &first, &last) == 2;
    if (!retire && sscanf(line, "publish %u %u %u", &count, &first, &last) != 3) {
        return HF_EINVAL;
    }
    if (first > last || last > ENDPOINTS_MAX) {
        return HF_EINVAL;
    }
    int error = HF_OK;
    for (uint32_t i = 0; i < count && error == HF_OK; i++) {
        error = again(publisher, first, last, retire ? "retire" : "publish");
    }
    return error;
}

int main(int argc, char **argv)
{
    struct publisher publisher = {0};
    char line[128];
    if (argc != 3) {
        (void)fprintf(stderr, "usage: publish STORE ZONE\n");
        return 2;
    }
    publisher.zone = argv[2];
    publisher.rows = calloc(ENDPOINTS_MAX, sizeof(*publisher.rows));
    if (publisher.rows == NULL) {
        abort();
    }
    if (hf_store_open(argv[1], true, &publisher.store) != HF_OK) {
        (void)fprintf(stderr, "publish: %s cannot be opened\n", argv[1]);
        return 1;
    }
    hf_plan_init(&publisher.plan);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        int error = obey(&publisher, line);
        if (error == HF_OK) {
            (void)printf("head %llu\n", (unsigned long long)publisher.plan.head.gen);
        } else {
            (void)printf("error %d %s\n", error, hf_store_why(publisher.store));
        }
        (void)fflush(stdout);
    }
    hf_plan_release(&publisher.plan);
    hf_store_close(publisher.store);
    free(publisher.rows);
    return 0;
}
