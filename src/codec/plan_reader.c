/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/index.h"
#include "codec/plan_object.h"

void hf_plan_reader_init(struct hf_plan_reader *reader, struct hf_plan_object *object, bool consume)
{
    assert(object->part_count > 0);
    *reader = (struct hf_plan_reader){.object = object, .consume = consume};
    hf_cursor_init(&reader->cursor, object->parts[0].bytes, object->parts[0].size);
}

void hf_plan_reader_release(struct hf_plan_reader *reader)
{
    free(reader->members);
    reader->members = NULL;
    reader->member_room = 0;
}

/* An item starts: where the part is read to its end, in the next one. */
static void start_item(struct hf_plan_reader *reader)
{
    struct hf_plan_object *object = reader->object;
    if (reader->cursor.error != HF_OK || hf_cursor_left(&reader->cursor) > 0 ||
        reader->part + 1 >= object->part_count) {
        return;
    }
    if (reader->consume) {
        hf_buf_release(&object->parts[reader->part]);
    }
    reader->part++;
    const struct hf_buf *part = &object->parts[reader->part];
    hf_cursor_init(&reader->cursor, part->bytes, part->size);
}

static int refuse(struct hf_plan_reader *reader)
{
    reader->cursor.error = HF_EMALF;
    return HF_EMALF;
}

static void read_address(struct hf_cursor *cursor, uint8_t *ret_address, size_t size)
{
    const uint8_t *address = hf_cursor_bytes(cursor, size);
    if (address != NULL) {
        memcpy(ret_address, address, size);
    }
}

int hf_plan_reader_backend(struct hf_plan_reader *reader, struct hf_plan_backend *ret_backend,
                           const uint8_t **ret_key)
{
    start_item(reader);
    struct hf_cursor *cursor = &reader->cursor;
    struct hf_plan_backend backend = {.capacity = hf_cursor_u32(cursor)};
    const uint8_t *key = cursor->at;
    uint8_t families = hf_cursor_u8(cursor);
    uint8_t name_size = hf_cursor_u8(cursor);
    if (families == 0 || families > (PLAN_FAMILY_A | PLAN_FAMILY_AAAA) || name_size == 0 ||
        name_size > HF_PLAN_NAME_MAX) {
        return refuse(reader);
    }
    const uint8_t *name = hf_cursor_bytes(cursor, name_size);
    if (name == NULL || memchr(name, 0, name_size) != NULL) {
        return refuse(reader);
    }
    memcpy(reader->name, name, name_size);
    reader->name[name_size] = 0;
    backend.name = reader->name;
    backend.has_a = (families & PLAN_FAMILY_A) != 0;
    backend.has_aaaa = (families & PLAN_FAMILY_AAAA) != 0;
    if (backend.has_a) {
        read_address(cursor, backend.a, sizeof(backend.a));
    }
    if (backend.has_aaaa) {
        read_address(cursor, backend.aaaa, sizeof(backend.aaaa));
    }
    if (cursor->error != HF_OK) {
        return cursor->error;
    }
    *ret_backend = backend;
    *ret_key = key;
    return HF_OK;
}

/* A lower case name in wire format (RFC 1035 section 3.1), passed over; NULL if there is none. */
static const uint8_t *read_owner(struct hf_cursor *cursor)
{
    const uint8_t *owner = cursor->at;
    size_t left = hf_cursor_left(cursor);
    size_t most = left < HF_NAME_MAX ? left : HF_NAME_MAX;
    for (size_t at = 0; at < most;) {
        size_t end = at + 1U + owner[at];
        if (owner[at] > 63 || end > most) {
            return NULL;
        }
        if (owner[at] == 0) {
            cursor->at += end;
            return owner;
        }
        for (at++; at < end; at++) {
            if (owner[at] >= 'A' && owner[at] <= 'Z') {
                return NULL;
            }
        }
    }
    return NULL;
}

/*
 * One distance between members: groups of 7 bits, least first, none of them needless. Returns where
 * it ends, or NULL.
 */
static const uint8_t *read_distance(const uint8_t *at, const uint8_t *end, uint32_t *ret_distance)
{
    uint64_t distance = 0;
    for (unsigned shift = 0; shift < 7 * HF_PLAN_MEMBER_OCTETS_MAX && at < end; shift += 7) {
        uint8_t octet = *at++;
        distance |= (uint64_t)(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0) {
            if ((octet == 0 && shift > 0) || distance > UINT32_MAX) {
                return NULL;
            }
            *ret_distance = (uint32_t)distance;
            return at;
        }
    }
    return NULL;
}

static void need_members(struct hf_plan_reader *reader, uint32_t count)
{
    if (count <= reader->member_room) {
        return;
    }
    reader->members = realloc(reader->members, count * sizeof(*reader->members));
    if (reader->members == NULL) {
        abort();
    }
    reader->member_room = count;
}

static int read_members(struct hf_plan_reader *reader, struct hf_plan_entry *entry)
{
    struct hf_cursor *cursor = &reader->cursor;
    uint32_t count = hf_cursor_u32(cursor);
    if (count > HF_PLAN_MEMBERS_MAX || count > hf_cursor_left(cursor)) {
        return refuse(reader);
    }
    need_members(reader, count);
    const uint8_t *bytes = cursor->at;
    const uint8_t *at = bytes;
    uint64_t least = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t distance = 0;
        at = read_distance(at, cursor->end, &distance);
        if (at == NULL || least + distance >= reader->object->backend_count) {
            return refuse(reader);
        }
        reader->members[i] = (uint32_t)(least + distance);
        least += distance + UINT64_C(1);
    }
    cursor->at = at;
    entry->members = (struct hf_plan_members){
        .bytes = bytes, .size = (uint32_t)(cursor->at - bytes), .count = count};
    return cursor->error;
}

static uint64_t take_number(const uint8_t **at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

/* From form to RDATA; returns the form. */
static uint8_t read_fixed(struct hf_cursor *cursor, struct hf_plan_entry *entry)
{
    struct hf_records *records = &entry->records;
    const uint8_t *at = hf_cursor_bytes(cursor, PLAN_ROW_FIXED);
    if (at == NULL) {
        return 0;
    }
    uint8_t form = *at++;
    entry->flags = *at++;
    entry->cause = *at++;
    entry->cause_backend = (uint32_t)take_number(&at, 4);
    entry->changed_ms = take_number(&at, 8);
    entry->sum = take_number(&at, 8);
    records->ttl_s = (uint32_t)take_number(&at, 4);
    records->a_count = *at++;
    records->aaaa_count = *at++;
    records->bytes = hf_cursor_bytes(cursor, hf_records_size(records));
    if (cursor->error == HF_OK && !hf_plan_records_are_sound(records)) {
        cursor->error = HF_EMALF;
    }
    return form;
}

static void read_budget(struct hf_cursor *cursor, struct hf_budget *budget)
{
    budget->quiet_at_ms = hf_cursor_u64(cursor);
    budget->base = hf_cursor_u64(cursor);
    budget->spent = hf_cursor_u64(cursor);
    if (budget->quiet_at_ms == 0 && budget->base == 0 && budget->spent == 0) {
        cursor->error = HF_EMALF; /* would not have been written */
    }
}

static bool entry_is_sound(const struct hf_plan_object *object, const struct hf_plan_entry *entry,
                           uint8_t form)
{
    bool retired = (entry->flags & HF_ROW_RETIRED) != 0;
    bool empty = entry->records.a_count == 0 && entry->records.aaaa_count == 0;
    return form <= PLAN_FORM_BUDGET && (entry->flags & ~PLAN_FLAGS) == 0 &&
           entry->cause <= PLAN_CAUSE_LAST && retired == empty && entry->gen <= object->head.gen &&
           (entry->cause_backend == UINT32_MAX || entry->cause_backend < object->backend_count);
}

int hf_plan_reader_row(struct hf_plan_reader *reader, struct hf_plan_entry *ret_entry)
{
    start_item(reader);
    struct hf_cursor *cursor = &reader->cursor;
    struct hf_plan_entry entry = {.owner = read_owner(cursor)};
    if (entry.owner == NULL) {
        return refuse(reader);
    }
    entry.gen = hf_cursor_u64(cursor);
    if (entry.gen == 0) {
        if (cursor->error != HF_OK || reader->object->head.snapshot) {
            return refuse(reader);
        }
        entry.cause_backend = UINT32_MAX;
        *ret_entry = entry;
        return HF_OK;
    }
    uint8_t form = read_fixed(cursor, &entry);
    if (form == PLAN_FORM_BUDGET) {
        read_budget(cursor, &entry.budget);
    }
    if (cursor->error != HF_OK || !entry_is_sound(reader->object, &entry, form)) {
        return refuse(reader);
    }
    int error = read_members(reader, &entry);
    if (error == HF_OK) {
        *ret_entry = entry;
    }
    return error;
}

int hf_plan_reader_end(const struct hf_plan_reader *reader)
{
    bool end = reader->cursor.error == HF_OK && hf_cursor_left(&reader->cursor) == 0 &&
               reader->part + 1 == reader->object->part_count;
    return end ? HF_OK : HF_EMALF;
}

static bool owner_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const uint8_t *const *owners = context;
    return hf_name_size(owners[row]) == key_size && memcmp(owners[row], key, key_size) == 0;
}

static size_t backend_key_size(const uint8_t *key)
{
    return 2U + key[1] + ((key[0] & PLAN_FAMILY_A) != 0 ? PLAN_A_SIZE : 0) +
           ((key[0] & PLAN_FAMILY_AAAA) != 0 ? PLAN_AAAA_SIZE : 0);
}

static bool backend_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const uint8_t *const *keys = context;
    return backend_key_size(keys[row]) == key_size && memcmp(keys[row], key, key_size) == 0;
}

/* Keys that were read, to find one that comes twice. */
struct keys {
    const uint8_t **at;
    struct hf_index index;
    struct hf_digester *digester;
    uint32_t count;
};

static void keys_init(struct keys *keys, uint32_t room)
{
    keys->at = malloc((room > 0 ? room : 1) * sizeof(*keys->at));
    if (keys->at == NULL) {
        abort();
    }
    hf_index_init(&keys->index);
    hf_index_reserve(&keys->index, room);
    keys->digester = hf_digester_new();
    keys->count = 0;
}

static void keys_release(struct keys *keys)
{
    free(keys->at);
    hf_index_release(&keys->index);
    hf_digester_free(keys->digester);
}

static int keys_add(struct keys *keys, const uint8_t *key, size_t size, hf_index_equal *equal)
{
    if (hf_index_find(&keys->index, key, size, equal, keys->at) != HF_INDEX_NONE) {
        return HF_EMALF;
    }
    keys->at[keys->count] = key;
    hf_index_add(&keys->index, key, size, keys->count);
    keys->count++;
    return HF_OK;
}

static int check_backends(struct hf_plan_reader *reader, struct keys *keys)
{
    int error = HF_OK;
    for (uint32_t i = 0; i < reader->object->backend_count && error == HF_OK; i++) {
        struct hf_plan_backend backend;
        const uint8_t *key = NULL;
        error = hf_plan_reader_backend(reader, &backend, &key);
        if (error == HF_OK) {
            error = keys_add(keys, key, backend_key_size(key), backend_equal);
        }
    }
    return error;
}

static int check_rows(struct hf_plan_reader *reader, struct keys *keys)
{
    int error = HF_OK;
    for (uint32_t i = 0; i < reader->object->row_count && error == HF_OK; i++) {
        struct hf_plan_entry entry;
        error = hf_plan_reader_row(reader, &entry);
        if (error == HF_OK) {
            error = keys_add(keys, entry.owner, hf_name_size(entry.owner), owner_equal);
        }
        if (error == HF_OK && entry.gen != 0 &&
            hf_records_sum_by(keys->digester, entry.owner, &entry.records) != entry.sum) {
            error = HF_EMALF;
        }
    }
    return error;
}

int hf_plan_object_check(struct hf_plan_object *object)
{
    struct hf_plan_reader reader;
    struct keys keys;
    hf_plan_reader_init(&reader, object, false);
    keys_init(&keys, object->backend_count);
    int error = check_backends(&reader, &keys);
    keys_release(&keys);
    if (error == HF_OK) {
        keys_init(&keys, object->row_count);
        error = check_rows(&reader, &keys);
        keys_release(&keys);
    }
    if (error == HF_OK) {
        error = hf_plan_reader_end(&reader);
    }
    hf_plan_reader_release(&reader);
    return error;
}
