/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/plan_internal.h"

enum {
    NAME_CHUNK_BYTES = 16 * 1024,
    FIRST_ROOM = 16,
};

void hf_plan_init(struct hf_plan *plan)
{
    *plan = (struct hf_plan){0};
    hf_index_init(&plan->entry_index);
    hf_index_init(&plan->backend_index);
    hf_arena_init(&plan->names, SIZE_MAX);
}

/* An entry's members and RDATA lie in one block, members first. */
static void *entry_block(const struct hf_plan_entry *entry)
{
    return entry->member_count > 0 ? (void *)(uintptr_t)entry->members
                                   : (void *)(uintptr_t)entry->records.bytes;
}

void hf_plan_release(struct hf_plan *plan)
{
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        free(entry_block(&plan->entries[i]));
    }
    free(plan->entries);
    free(plan->backends);
    hf_index_release(&plan->entry_index);
    hf_index_release(&plan->backend_index);
    hf_arena_release(&plan->names);
    hf_plan_init(plan);
}

/* Room for a name, packed: a million names would lose a quarter of their memory to alignment. */
static uint8_t *name_copy(struct hf_plan *plan, const void *bytes, size_t size)
{
    assert(size <= NAME_CHUNK_BYTES);
    if (size > plan->name_left) {
        plan->name_at = hf_arena_alloc(&plan->names, NAME_CHUNK_BYTES);
        assert(plan->name_at != NULL);
        plan->name_left = NAME_CHUNK_BYTES;
    }
    uint8_t *copy = plan->name_at;
    memcpy(copy, bytes, size);
    plan->name_at += size;
    plan->name_left -= size;
    return copy;
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
    const struct hf_plan *plan = context;
    const uint8_t *owner = plan->entries[row].owner;
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
    size_t owner_size = hf_name_size(owner);
    plan->entries =
        grow(plan->entries, plan->entry_count, &plan->entry_room, sizeof(*plan->entries));
    row = plan->entry_count++;
    plan->entries[row] = (struct hf_plan_entry){
        .owner = name_copy(plan, owner, owner_size),
        .cause_backend = UINT32_MAX,
    };
    hf_index_add(&plan->entry_index, owner, owner_size, row);
    return row;
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
        .name = (const char *)name_copy(plan, backend->name, strlen(backend->name) + 1),
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

static bool members_are_ascending(const struct hf_plan *plan, const struct hf_plan_entry *entry)
{
    for (uint32_t i = 0; i < entry->member_count; i++) {
        if (entry->members[i] >= plan->backend_count ||
            (i > 0 && entry->members[i - 1] >= entry->members[i])) {
            return false;
        }
    }
    return true;
}

bool hf_plan_entry_equal(const struct hf_plan_entry *a, const struct hf_plan_entry *b)
{
    return a->gen == b->gen && a->sum == b->sum && a->records.ttl_s == b->records.ttl_s &&
           hf_records_equal(&a->records, &b->records) && a->member_count == b->member_count &&
           (a->member_count == 0 ||
            memcmp(a->members, b->members, a->member_count * sizeof(*a->members)) == 0) &&
           a->budget.quiet_at_ms == b->budget.quiet_at_ms && a->budget.base == b->budget.base &&
           a->budget.spent == b->budget.spent && a->changed_ms == b->changed_ms &&
           a->cause_backend == b->cause_backend && a->cause == b->cause && a->flags == b->flags;
}

static void row_remove(struct hf_plan_entry *entry)
{
    const uint8_t *owner = entry->owner;
    free(entry_block(entry));
    *entry = (struct hf_plan_entry){.owner = owner, .cause_backend = UINT32_MAX};
}

void hf_plan_put(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry)
{
    assert(row < plan->entry_count);
    struct hf_plan_entry *own = &plan->entries[row];
    if (entry->gen == 0) {
        row_remove(own);
        return;
    }
    bool retired = (entry->flags & HF_ROW_RETIRED) != 0;
    assert(retired == (entry->records.a_count == 0 && entry->records.aaaa_count == 0));
    size_t members_size = entry->member_count * sizeof(*entry->members);
    size_t records_size = hf_records_size(&entry->records);
    uint8_t *block = NULL;
    if (members_size > 0 || records_size > 0) {
        block = malloc(members_size + records_size);
        if (block == NULL) {
            abort();
        }
    }
    struct hf_plan_entry copy = *entry;
    copy.owner = own->owner;
    copy.members = NULL;
    copy.records.bytes = NULL;
    if (members_size > 0) {
        memcpy(block, entry->members, members_size);
        copy.members = (const uint32_t *)(const void *)block;
    }
    if (records_size > 0) {
        memcpy(block + members_size, entry->records.bytes, records_size);
        copy.records.bytes = block + members_size;
    }
    free(entry_block(own));
    *own = copy;
}

void hf_plan_set(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry)
{
    assert(row < plan->entry_count);
    struct hf_plan_entry copy = *entry;
    if (entry->gen != 0) {
        assert(hf_plan_records_are_sound(&entry->records));
        assert(entry->member_count <= HF_PLAN_MEMBERS_MAX);
        assert((entry->flags & ~PLAN_FLAGS) == 0 && entry->cause <= PLAN_CAUSE_LAST);
        assert(members_are_ascending(plan, entry));
        assert(entry->cause_backend == UINT32_MAX || entry->cause_backend < plan->backend_count);
        copy.sum = hf_records_sum(plan->entries[row].owner, &entry->records);
    }
    hf_plan_put(plan, row, &copy);
    plan->edited = true;
}

void hf_plan_get(const struct hf_plan *plan, uint32_t row, struct hf_plan_entry *ret_entry)
{
    assert(row < plan->entry_count);
    *ret_entry = plan->entries[row];
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
    plan->head = (struct hf_plan_head){0};
    plan->name = (struct hf_digest){0};
    plan->edited = false;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        if (plan->entries[row].gen != 0) {
            hf_plan_tell_changing(events, row);
            row_remove(&plan->entries[row]);
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
