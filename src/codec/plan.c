/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/plan_internal.h"

enum {
    FIRST_ROOM = 16,
};

void hf_plan_init(struct hf_plan *plan)
{
    *plan = (struct hf_plan){0};
    hf_slab_init(&plan->slab);
    hf_index_init(&plan->entry_index);
    hf_index_init(&plan->backend_index);
    hf_arena_init(&plan->names, SIZE_MAX);
}

void hf_plan_init_answers(struct hf_plan *plan)
{
    hf_plan_init(plan);
    plan->answers_only = true;
}

void hf_plan_release(struct hf_plan *plan)
{
    hf_plan_rows_release(plan);
    free(plan->backends);
    hf_index_release(&plan->entry_index);
    hf_index_release(&plan->backend_index);
    hf_arena_release(&plan->names);
    hf_digester_free(plan->digester);
    hf_plan_init(plan);
}

/* Makes room for one more item of an array. */
static void *grow(void *items, uint32_t count, uint32_t *room, size_t item_size)
{
    if (count < *room) {
        return items;
    }
    uint32_t more = *room == 0 ? FIRST_ROOM : *room + *room / 2;
    void *grown = realloc(items, more * item_size);
    if (grown == NULL) {
        abort();
    }
    *room = more;
    return grown;
}

static bool owner_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const uint8_t *owner = hf_plan_owner(context, row);
    return hf_name_size(owner) == key_size && memcmp(owner, key, key_size) == 0;
}

uint32_t hf_plan_find(const struct hf_plan *plan, const uint8_t *owner)
{
    return hf_index_find(&plan->entry_index, owner, hf_name_size(owner), owner_equal, plan);
}

uint32_t hf_plan_row(struct hf_plan *plan, const uint8_t *owner)
{
    uint32_t row = hf_plan_find(plan, owner);
    if (row != HF_INDEX_NONE) {
        return row;
    }
    assert(plan->entry_count < HF_PLAN_ROWS_MAX);
    hf_plan_row_add(plan, owner, hf_name_size(owner));
    return plan->entry_count - 1;
}

size_t hf_plan_backend_key(const struct hf_plan_backend *backend,
                           uint8_t ret_key[PLAN_BACKEND_KEY_MAX])
{
    size_t name_size = strlen(backend->name);
    assert(name_size > 0 && name_size <= HF_PLAN_NAME_MAX);
    assert(backend->has_a || backend->has_aaaa);
    uint8_t *at = ret_key;
    *at++ = (uint8_t)((backend->has_a ? PLAN_FAMILY_A : 0) |
                      (backend->has_aaaa ? PLAN_FAMILY_AAAA : 0));
    *at++ = (uint8_t)name_size;
    memcpy(at, backend->name, name_size);
    at += name_size;
    if (backend->has_a) {
        memcpy(at, backend->a, PLAN_A_SIZE);
        at += PLAN_A_SIZE;
    }
    if (backend->has_aaaa) {
        memcpy(at, backend->aaaa, PLAN_AAAA_SIZE);
        at += PLAN_AAAA_SIZE;
    }
    return (size_t)(at - ret_key);
}

static bool backend_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_plan *plan = context;
    uint8_t own[PLAN_BACKEND_KEY_MAX];
    size_t own_size = hf_plan_backend_key(&plan->backends[row], own);
    return own_size == key_size && memcmp(own, key, key_size) == 0;
}

uint32_t hf_plan_backend_number(struct hf_plan *plan, const struct hf_plan_backend *backend)
{
    uint8_t key[PLAN_BACKEND_KEY_MAX];
    size_t key_size = hf_plan_backend_key(backend, key);
    uint32_t number = hf_index_find(&plan->backend_index, key, key_size, backend_equal, plan);
    if (number != HF_INDEX_NONE) {
        if (backend->capacity != 0) {
            plan->backends[number].capacity = backend->capacity;
        }
        return number;
    }
    assert(plan->backend_count < HF_PLAN_ROWS_MAX);
    plan->backends =
        grow(plan->backends, plan->backend_count, &plan->backend_room, sizeof(*plan->backends));
    number = plan->backend_count++;
    struct hf_plan_backend copy = {
        .name = hf_arena_copy(&plan->names, backend->name, strlen(backend->name)),
        .capacity = backend->capacity != 0 ? backend->capacity : 1,
        .has_a = backend->has_a,
        .has_aaaa = backend->has_aaaa,
    };
    if (copy.has_a) {
        memcpy(copy.a, backend->a, sizeof(copy.a));
    }
    if (copy.has_aaaa) {
        memcpy(copy.aaaa, backend->aaaa, sizeof(copy.aaaa));
    }
    plan->backends[number] = copy;
    hf_index_add(&plan->backend_index, key, key_size, number);
    return number;
}

bool hf_plan_records_are_sound(const struct hf_records *records)
{
    if (records->a_count > HF_RECORDS_MAX || records->aaaa_count > HF_RECORDS_MAX ||
        records->ttl_s > PLAN_TTL_MAX) {
        return false;
    }
    if (records->a_count == 0 && records->aaaa_count == 0) {
        return true;
    }
    const uint8_t *at = records->bytes;
    for (uint16_t i = 1; i < records->a_count; i++, at += PLAN_A_SIZE) {
        if (memcmp(at, at + PLAN_A_SIZE, PLAN_A_SIZE) >= 0) {
            return false;
        }
    }
    at = records->bytes + (size_t)records->a_count * PLAN_A_SIZE;
    for (uint16_t i = 1; i < records->aaaa_count; i++, at += PLAN_AAAA_SIZE) {
        if (memcmp(at, at + PLAN_AAAA_SIZE, PLAN_AAAA_SIZE) >= 0) {
            return false;
        }
    }
    return true;
}

/* Ascending they are by being packed: numbers within the plan, in as many octets as are said. */
static bool members_are_sound(const struct hf_plan *plan, const struct hf_plan_members *members)
{
    const uint8_t *at = members->bytes;
    uint64_t least = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        least += 1ULL + hf_plan_distance_take(&at);
    }
    return least <= plan->backend_count && (members->count == 0) == (members->size == 0) &&
           (members->count == 0 || at == members->bytes + members->size);
}

bool hf_plan_entry_equal(const struct hf_plan_entry *a, const struct hf_plan_entry *b)
{
    return a->gen == b->gen && a->sum == b->sum && a->records.ttl_s == b->records.ttl_s &&
           hf_records_equal(&a->records, &b->records) && a->members.count == b->members.count &&
           a->members.size == b->members.size &&
           (a->members.size == 0 ||
            memcmp(a->members.bytes, b->members.bytes, a->members.size) == 0) &&
           a->budget.quiet_at_ms == b->budget.quiet_at_ms && a->budget.base == b->budget.base &&
           a->budget.spent == b->budget.spent && a->changed_ms == b->changed_ms &&
           a->cause_backend == b->cause_backend && a->cause == b->cause && a->flags == b->flags;
}

void hf_plan_set(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry)
{
    assert(row < plan->entry_count && !plan->answers_only);
    struct hf_plan_entry copy = *entry;
    if (entry->gen != 0) {
        assert(hf_plan_records_are_sound(&entry->records));
        assert(entry->members.count <= HF_PLAN_MEMBERS_MAX);
        assert((entry->flags & ~PLAN_FLAGS) == 0 && entry->cause <= PLAN_CAUSE_LAST);
        assert(members_are_sound(plan, &entry->members));
        assert(entry->cause_backend == UINT32_MAX || entry->cause_backend < plan->backend_count);
        if (plan->digester == NULL) {
            plan->digester = hf_digester_new();
        }
        copy.sum = hf_records_sum_by(plan->digester, hf_plan_owner(plan, row), &entry->records);
    }
    hf_plan_put(plan, row, &copy);
    plan->edited = true;
}

void hf_plan_tell_changing(const struct hf_plan_events *events, uint32_t row)
{
    if (events != NULL && events->changing != NULL) {
        events->changing(events->context, row);
    }
}

void hf_plan_tell_changed(const struct hf_plan_events *events, uint32_t row)
{
    if (events != NULL && events->changed != NULL) {
        events->changed(events->context, row);
    }
}

void hf_plan_clear(struct hf_plan *plan, const struct hf_plan_events *events)
{
    static const struct hf_plan_entry none = {.gen = 0};
    plan->head = (struct hf_plan_head){0};
    plan->name = (struct hf_digest){0};
    plan->edited = false;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (hf_plan_gen(plan, row) != 0) {
            hf_plan_tell_changing(events, row);
            hf_plan_put(plan, row, &none);
            hf_plan_tell_changed(events, row);
        }
    }
}

void hf_plan_ref_format(uint64_t gen, const struct hf_digest *name, char ret_text[HF_PLAN_REF_MAX])
{
    char digest[HF_DIGEST_TEXT_SIZE];
    hf_digest_text(name, digest);
    (void)snprintf(ret_text, HF_PLAN_REF_MAX, "%llu %s", (unsigned long long)gen, digest);
}

int hf_plan_ref_parse(const char *text, uint64_t *ret_gen, struct hf_digest *ret_name)
{
    uint64_t gen = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (gen > (UINT64_MAX - digit) / 10) {
            return HF_EMALF;
        }
        gen = gen * 10 + digit;
    }
    struct hf_digest name;
    if (at == text || text[0] == '0' || *at != ' ' || hf_digest_parse(at + 1, &name) != HF_OK) {
        return HF_EMALF;
    }
    *ret_gen = gen;
    *ret_name = name;
    return HF_OK;
}

uint64_t hf_plan_cid(const struct hf_plan *plan, uint64_t gen)
{
    uint32_t kept = plan->cid_count < HF_PLAN_CIDS_MAX ? plan->cid_count : HF_PLAN_CIDS_MAX;
    for (uint32_t i = 1; i <= kept; i++) {
        const struct hf_plan_cid *row = &plan->cids[(plan->cid_count - i) % HF_PLAN_CIDS_MAX];
        if (row->gen == gen) {
            return row->cid;
        }
    }
    return 0;
}
