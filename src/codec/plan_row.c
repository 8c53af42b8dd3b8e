/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How an image keeps its rows: each in one piece of the slab, packed behind a head of fixed size.
 *
 * Behind the head lie owner and RDATA, and unless the image is of answers only: changed_ms, cause
 * backend, cause, [budget], and count, size and octets of the members.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/plan_internal.h"

enum {
    ROW_PLANNED = 1, /* more than the answer is kept */
    ROW_BUDGET = 2,
    ROW_CAUSE_SIZE = 8 + 4 + 1,
    ROWS_FIRST = 16,
};

struct row {
    uint64_t gen, sum;
    uint32_t ttl_s;
    uint8_t form, flags;
    uint8_t a_count, aaaa_count;
    uint8_t rest[];
};

/* --- members --- */

size_t hf_plan_distance_put(uint32_t distance, uint8_t ret_bytes[HF_PLAN_MEMBER_OCTETS_MAX])
{
    size_t size = 0;
    for (; distance >= 0x80; distance >>= 7) {
        ret_bytes[size++] = (uint8_t)(distance | 0x80);
    }
    ret_bytes[size++] = (uint8_t)distance;
    return size;
}

uint32_t hf_plan_distance_take(const uint8_t **at)
{
    uint32_t distance = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t octet = *(*at)++;
        distance |= (uint32_t)(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0) {
            return distance;
        }
    }
}

struct hf_plan_members hf_plan_members_pack(const uint32_t *numbers, uint32_t count,
                                            uint8_t *ret_bytes)
{
    uint32_t least = 0;
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert(numbers[i] >= least);
        size += hf_plan_distance_put(numbers[i] - least, ret_bytes + size);
        least = numbers[i] + 1;
    }
    return (struct hf_plan_members){.bytes = ret_bytes, .size = (uint32_t)size, .count = count};
}

struct hf_plan_walk hf_plan_walk(const struct hf_plan_members *members)
{
    return (struct hf_plan_walk){.at = members->bytes, .left = members->count};
}

bool hf_plan_walk_next(struct hf_plan_walk *walk, uint32_t *ret_number)
{
    if (walk->left == 0) {
        return false;
    }
    walk->left--;
    *ret_number = walk->least + hf_plan_distance_take(&walk->at);
    walk->least = *ret_number + 1;
    return true;
}

void hf_plan_members_unpack(const struct hf_plan_members *members, uint32_t *ret_numbers)
{
    struct hf_plan_walk walk = hf_plan_walk(members);
    for (uint32_t *at = ret_numbers; hf_plan_walk_next(&walk, at); at++) {
    }
}

/* --- rows --- */

static struct row *row_at(const struct hf_plan *plan, uint32_t row)
{
    assert(row < plan->entry_count);
    return hf_slab_at(&plan->slab, plan->rows[row]);
}

const uint8_t *hf_plan_owner(const struct hf_plan *plan, uint32_t row)
{
    return row_at(plan, row)->rest;
}

uint64_t hf_plan_gen(const struct hf_plan *plan, uint32_t row)
{
    return row_at(plan, row)->gen;
}

static void take(const uint8_t **at, void *ret_value, size_t size)
{
    memcpy(ret_value, *at, size);
    *at += size;
}

static void put(uint8_t **at, const void *value, size_t size)
{
    if (size > 0) {
        memcpy(*at, value, size);
        *at += size;
    }
}

void hf_plan_get(const struct hf_plan *plan, uint32_t row, struct hf_plan_entry *ret_entry)
{
    const struct row *own = row_at(plan, row);
    struct hf_plan_entry entry = {
        .owner = own->rest,
        .gen = own->gen,
        .sum = own->sum,
        .records = {.ttl_s = own->ttl_s, .a_count = own->a_count, .aaaa_count = own->aaaa_count},
        .cause_backend = UINT32_MAX,
        .flags = own->flags};
    if (own->gen == 0) {
        *ret_entry = entry;
        return;
    }
    const uint8_t *at = own->rest + hf_name_size(own->rest);
    size_t records_size = hf_records_size(&entry.records);
    entry.records.bytes = records_size > 0 ? at : NULL;
    at += records_size;
    if ((own->form & ROW_PLANNED) != 0) {
        take(&at, &entry.changed_ms, sizeof(entry.changed_ms));
        take(&at, &entry.cause_backend, sizeof(entry.cause_backend));
        take(&at, &entry.cause, sizeof(entry.cause));
        if ((own->form & ROW_BUDGET) != 0) {
            take(&at, &entry.budget, sizeof(entry.budget));
        }
        entry.members.count = hf_plan_distance_take(&at);
        entry.members.size = hf_plan_distance_take(&at);
        entry.members.bytes = entry.members.count > 0 ? at : NULL;
    }
    *ret_entry = entry;
}

void hf_plan_strip(struct hf_plan_entry *entry)
{
    entry->members = (struct hf_plan_members){0};
    entry->budget = (struct hf_budget){0};
    entry->changed_ms = 0;
    entry->cause_backend = UINT32_MAX;
    entry->cause = 0;
}

static bool has_budget(const struct hf_plan_entry *entry)
{
    const struct hf_budget *budget = &entry->budget;
    return budget->quiet_at_ms != 0 || budget->base != 0 || budget->spent != 0;
}

/* The members' count and size, packed; returns how many octets. */
static size_t pack_counts(const struct hf_plan_entry *entry,
                          uint8_t ret_counts[2 * HF_PLAN_MEMBER_OCTETS_MAX])
{
    size_t size = hf_plan_distance_put(entry->members.count, ret_counts);
    return size + hf_plan_distance_put(entry->members.size, ret_counts + size);
}

/* A piece that holds the entry, with the row's owner. */
static uint32_t pack(struct hf_plan *plan, const uint8_t *owner, const struct hf_plan_entry *entry)
{
    bool planned = !plan->answers_only && entry->gen != 0;
    bool budget = planned && has_budget(entry);
    uint8_t counts[2 * HF_PLAN_MEMBER_OCTETS_MAX];
    size_t counts_size = planned ? pack_counts(entry, counts) : 0;
    size_t owner_size = hf_name_size(owner);
    size_t records_size = entry->gen != 0 ? hf_records_size(&entry->records) : 0;
    size_t planned_size = planned ? ROW_CAUSE_SIZE + counts_size + entry->members.size : 0;
    size_t budget_size = budget ? sizeof(entry->budget) : 0;
    uint32_t piece = hf_slab_alloc(&plan->slab, sizeof(struct row) + owner_size + records_size +
                                                    planned_size + budget_size);
    struct row *row = hf_slab_at(&plan->slab, piece);
    *row = (struct row){.gen = entry->gen};
    uint8_t *at = row->rest;
    put(&at, owner, owner_size);
    if (entry->gen == 0) {
        return piece;
    }
    row->sum = entry->sum;
    row->ttl_s = entry->records.ttl_s;
    row->form = (uint8_t)((planned ? ROW_PLANNED : 0) | (budget ? ROW_BUDGET : 0));
    row->flags = entry->flags;
    row->a_count = (uint8_t)entry->records.a_count;
    row->aaaa_count = (uint8_t)entry->records.aaaa_count;
    put(&at, entry->records.bytes, records_size);
    if (planned) {
        put(&at, &entry->changed_ms, sizeof(entry->changed_ms));
        put(&at, &entry->cause_backend, sizeof(entry->cause_backend));
        put(&at, &entry->cause, sizeof(entry->cause));
        put(&at, &entry->budget, budget_size);
        put(&at, counts, counts_size);
        put(&at, entry->members.bytes, entry->members.size);
    }
    return piece;
}

void hf_plan_put(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry)
{
    bool retired = (entry->flags & HF_ROW_RETIRED) != 0;
    assert(entry->gen == 0 ||
           retired == (entry->records.a_count == 0 && entry->records.aaaa_count == 0));
    uint32_t old = plan->rows[row];
    /* The entry may lie in the old piece: that is freed last. */
    plan->rows[row] = pack(plan, hf_plan_owner(plan, row), entry);
    hf_slab_free(&plan->slab, old);
}

static void rows_resize(struct hf_plan *plan, uint32_t room)
{
    plan->rows = realloc(plan->rows, room * sizeof(*plan->rows));
    if (plan->rows == NULL) {
        abort();
    }
    plan->entry_room = room;
}

void hf_plan_reserve(struct hf_plan *plan, uint32_t row_count)
{
    if (row_count > plan->entry_room) {
        rows_resize(plan, row_count);
    }
    hf_index_reserve(&plan->entry_index, row_count);
}

void hf_plan_row_add(struct hf_plan *plan, const uint8_t *owner, size_t owner_size)
{
    static const struct hf_plan_entry none = {.gen = 0};
    if (plan->entry_count == plan->entry_room) {
        uint32_t room = plan->entry_room;
        rows_resize(plan, room < ROWS_FIRST ? ROWS_FIRST : room + room / 2);
    }
    plan->rows[plan->entry_count] = pack(plan, owner, &none);
    hf_index_add(&plan->entry_index, owner, owner_size, plan->entry_count);
    plan->entry_count++;
}

void hf_plan_rows_release(struct hf_plan *plan)
{
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        hf_slab_free(&plan->slab, plan->rows[row]);
    }
    hf_slab_release(&plan->slab);
    free(plan->rows);
}
