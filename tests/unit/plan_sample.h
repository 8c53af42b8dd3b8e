/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans for tests: entries made from small numbers, a store for parts in memory, and equality of
 * images that number their rows and backends differently.
 */
#ifndef HF_TESTS_PLAN_SAMPLE_H
#define HF_TESTS_PLAN_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "codec/plan.h"
#include "core/planner.h"

/* A generator of its own: the same sequence everywhere (xorshift64*). */
static inline uint32_t sample_random(uint64_t *state, uint32_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static inline uint32_t sample_row(struct hf_plan *plan, uint32_t endpoint)
{
    char text[64];
    uint8_t owner[HF_NAME_MAX];
    (void)snprintf(text, sizeof(text), "e%u.example.test.", endpoint);
    assert_int_equal(hf_name_parse(text, owner), HF_OK);
    return hf_plan_row(plan, owner);
}

/* Backend number n: 10.0.x.y, and every third an IPv6 address too. */
static inline uint32_t sample_backend(struct hf_plan *plan, uint32_t n)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "web-%u", n);
    struct hf_plan_backend backend = {
        .name = name,
        .capacity = 100 + n,
        .has_a = true,
        .has_aaaa = n % 3 == 0,
        .a = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
        .aaaa = {0x20, 0x01, 0x0d, 0xb8, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n},
    };
    return hf_plan_backend_number(plan, &backend);
}

static inline int sample_order(const void *a, const void *b)
{
    return (*(const uint32_t *)a > *(const uint32_t *)b) -
           (*(const uint32_t *)a < *(const uint32_t *)b);
}

/* Sets an endpoint to answer with backends first to first + count - 1 (at most 50). */
static inline uint32_t sample_set(struct hf_plan *plan, uint32_t endpoint, uint64_t gen,
                                  uint32_t first, uint32_t count)
{
    uint32_t row = sample_row(plan, endpoint);
    uint32_t members[50];
    uint8_t rdata[50 * 20];
    struct hf_records records = {.bytes = rdata, .ttl_s = 30, .a_count = (uint16_t)count};
    assert_true(count <= 50);
    for (uint32_t i = 0; i < count; i++) {
        members[i] = sample_backend(plan, first + i);
        memcpy(rdata + (size_t)4 * i, plan->backends[members[i]].a, 4);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (plan->backends[members[i]].has_aaaa) {
            memcpy(rdata + (size_t)4 * count + (size_t)16 * records.aaaa_count++,
                   plan->backends[members[i]].aaaa, 16);
        }
    }
    uint32_t cause_backend = count > 0 ? members[0] : UINT32_MAX;
    qsort(members, count, sizeof(*members), sample_order);
    uint8_t packed[50 * HF_PLAN_MEMBER_OCTETS_MAX];
    struct hf_plan_entry entry = {
        .gen = gen,
        .records = records,
        .members = hf_plan_members_pack(members, count, packed),
        .changed_ms = 1700000000000 + gen,
        .cause_backend = cause_backend,
        .cause = count > 0 ? HF_CAUSE_HEALTH : HF_CAUSE_RETIRED,
        .flags = (uint8_t)(count > 0 ? HF_ROW_EXISTS : HF_ROW_EXISTS | HF_ROW_RETIRED),
    };
    if (first % 2 == 1) {
        entry.budget = (struct hf_budget){.quiet_at_ms = gen, .base = 100, .spent = first};
    }
    hf_plan_set(plan, row, &entry);
    return row;
}

static inline uint32_t sample_remove(struct hf_plan *plan, uint32_t endpoint)
{
    struct hf_plan_entry removed = {.gen = 0};
    uint32_t row = sample_row(plan, endpoint);
    hf_plan_set(plan, row, &removed);
    return row;
}

static inline struct hf_plan_entry sample_entry(const struct hf_plan *plan, uint32_t row)
{
    struct hf_plan_entry entry;
    hf_plan_get(plan, row, &entry);
    return entry;
}

static inline uint32_t sample_in_plan(const struct hf_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        count += hf_plan_gen(plan, i) != 0;
    }
    return count;
}

static inline void sample_backends_equal(const struct hf_plan_backend *a,
                                         const struct hf_plan_backend *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->capacity, b->capacity);
    assert_int_equal(a->has_a, b->has_a);
    assert_int_equal(a->has_aaaa, b->has_aaaa);
    assert_memory_equal(a->a, b->a, sizeof(a->a));
    assert_memory_equal(a->aaaa, b->aaaa, sizeof(a->aaaa));
}

static inline void sample_members_equal(const struct hf_plan *a, const struct hf_plan_entry *x,
                                        const struct hf_plan *b, const struct hf_plan_entry *y)
{
    assert_int_equal(x->members.count, y->members.count);
    struct hf_plan_walk walk = hf_plan_walk(&x->members);
    uint32_t least = 0;
    for (uint32_t number; hf_plan_walk_next(&walk, &number);) {
        const struct hf_plan_backend *backend = &a->backends[number];
        struct hf_plan_walk others = hf_plan_walk(&y->members);
        uint32_t other = UINT32_MAX;
        bool more;
        do {
            more = hf_plan_walk_next(&others, &other);
        } while (more && strcmp(b->backends[other].name, backend->name) != 0);
        assert_true(more);
        sample_backends_equal(backend, &b->backends[other]);
        assert_true(number >= least);
        least = number + 1;
    }
}

static inline void sample_entries_equal(const struct hf_plan *a, const struct hf_plan_entry *x,
                                        const struct hf_plan *b, const struct hf_plan_entry *y)
{
    assert_true(hf_name_equal(x->owner, y->owner));
    assert_int_equal(x->gen, y->gen);
    assert_int_equal(x->sum, y->sum);
    assert_int_equal(x->sum, hf_records_sum(x->owner, &x->records));
    assert_int_equal(x->records.ttl_s, y->records.ttl_s);
    assert_true(hf_records_equal(&x->records, &y->records));
    assert_memory_equal(&x->budget, &y->budget, sizeof(x->budget));
    assert_int_equal(x->changed_ms, y->changed_ms);
    assert_int_equal(x->cause, y->cause);
    assert_int_equal(x->flags, y->flags);
    assert_int_equal(x->cause_backend == UINT32_MAX, y->cause_backend == UINT32_MAX);
    if (x->cause_backend != UINT32_MAX) {
        sample_backends_equal(&a->backends[x->cause_backend], &b->backends[y->cause_backend]);
    }
    sample_members_equal(a, x, b, y);
}

/* Both hold the same entries, whatever their rows. */
static inline void sample_plans_equal(const struct hf_plan *a, const struct hf_plan *b)
{
    assert_int_equal(sample_in_plan(a), sample_in_plan(b));
    for (uint32_t i = 0; i < a->entry_count; i++) {
        if (hf_plan_gen(a, i) != 0) {
            uint32_t row = hf_plan_find(b, hf_plan_owner(a, i));
            assert_int_not_equal(row, UINT32_MAX);
            struct hf_plan_entry x, y;
            hf_plan_get(a, i, &x);
            hf_plan_get(b, row, &y);
            sample_entries_equal(a, &x, b, &y);
        }
    }
}

/* Parts in memory; the name of part n begins with octet n. */
enum { SAMPLE_PARTS_MAX = 64 };
struct sample_parts {
    struct hf_buf parts[SAMPLE_PARTS_MAX];
    uint32_t count;
    uint32_t large_count; /* above HF_PLAN_PART_BYTES */
    uint32_t missing;     /* this one cannot be got; UINT32_MAX: all can */
};

static inline void sample_parts_release(struct sample_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        hf_buf_release(&parts->parts[i]);
    }
}

static inline int sample_put(void *context, const void *bytes, size_t size,
                             struct hf_digest *ret_name)
{
    struct sample_parts *parts = context;
    assert_true(parts->count < SAMPLE_PARTS_MAX);
    assert_true(size > 0);
    parts->large_count += size > HF_PLAN_PART_BYTES;
    *ret_name = (struct hf_digest){.bytes = {(uint8_t)parts->count}};
    hf_buf_init(&parts->parts[parts->count], SIZE_MAX);
    hf_buf_put(&parts->parts[parts->count++], bytes, size);
    return HF_OK;
}

static inline int sample_get(void *context, const struct hf_digest *name, struct hf_buf *ret_bytes)
{
    struct sample_parts *parts = context;
    uint32_t part = name->bytes[0];
    if (part >= parts->count || part == parts->missing) {
        return HF_ENOENT;
    }
    hf_buf_put(ret_bytes, parts->parts[part].bytes, parts->parts[part].size);
    return hf_buf_error(ret_bytes);
}

#endif
