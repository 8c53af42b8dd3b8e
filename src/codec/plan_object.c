/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/plan_object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What follows an object's head. */
struct counts {
    uint32_t backends;
    uint32_t rows;
    uint32_t parts;
};

static void read_budget(struct hf_cursor *cursor, struct hf_budget *ret_budget)
{
    ret_budget->quiet_at_ms = hf_cursor_u64(cursor);
    ret_budget->base = hf_cursor_u64(cursor);
    ret_budget->spent = hf_cursor_u64(cursor);
}

static void read_digest(struct hf_cursor *cursor, struct hf_digest *ret_digest)
{
    const uint8_t *bytes = hf_cursor_bytes(cursor, sizeof(ret_digest->bytes));
    if (bytes != NULL) {
        memcpy(ret_digest->bytes, bytes, sizeof(ret_digest->bytes));
    }
}

static void read_planner(struct hf_cursor *cursor, char ret_planner[PLAN_PLANNER_ROOM])
{
    uint8_t size = hf_cursor_u8(cursor);
    if (size >= PLAN_PLANNER_ROOM) {
        cursor->error = HF_EMALF;
        return;
    }
    const uint8_t *text = hf_cursor_bytes(cursor, size);
    if (text != NULL) {
        memcpy(ret_planner, text, size);
        ret_planner[size] = 0;
    }
    if (text != NULL && !hf_plan_planner_is_sound(ret_planner, size)) {
        cursor->error = HF_EMALF;
    }
}

bool hf_plan_planner_is_sound(const char *planner, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (planner[i] <= ' ' || planner[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool head_is_sound(const struct hf_plan_head *head)
{
    static const struct hf_digest none;
    if (head->gen <= head->parent_gen) {
        return false;
    }
    if (head->parent_gen == 0 && memcmp(&head->parent, &none, sizeof(none)) != 0) {
        return false;
    }
    return head->snapshot ? head->chain_bytes == 0 && head->chain_count == 0
                          : head->parent_gen != 0 && head->chain_count > 0 &&
                                head->chain_count <= HF_PLAN_CHAIN_MAX;
}

static int read_head(struct hf_cursor *cursor, struct hf_plan_head *ret_head,
                     struct counts *ret_counts)
{
    struct hf_plan_head head = {0};
    const uint8_t *magic = hf_cursor_bytes(cursor, PLAN_MAGIC_SIZE);
    if (magic == NULL || memcmp(magic, PLAN_MAGIC, PLAN_MAGIC_SIZE) != 0) {
        return HF_EMALF;
    }
    uint8_t version = hf_cursor_u8(cursor);
    uint8_t kind = hf_cursor_u8(cursor);
    head.cid = version == PLAN_VERSION_CID ? hf_cursor_u64(cursor) : 0;
    if (version != PLAN_VERSION && head.cid == 0) {
        return HF_EMALF;
    }
    head.snapshot = kind == PLAN_KIND_SNAPSHOT;
    head.gen = hf_cursor_u64(cursor);
    head.parent_gen = hf_cursor_u64(cursor);
    read_digest(cursor, &head.parent);
    head.created_ms = hf_cursor_u64(cursor);
    head.instance = hf_cursor_u32(cursor);
    read_planner(cursor, head.planner);
    read_budget(cursor, &head.changed);
    head.chain_bytes = hf_cursor_u64(cursor);
    head.snapshot_bytes = hf_cursor_u64(cursor);
    head.chain_count = hf_cursor_u32(cursor);
    struct counts counts = {.backends = hf_cursor_u32(cursor)};
    counts.rows = hf_cursor_u32(cursor);
    counts.parts = hf_cursor_u32(cursor);
    if (cursor->error != HF_OK || kind > PLAN_KIND_SNAPSHOT || !head_is_sound(&head) ||
        counts.parts > HF_PLAN_PARTS_MAX || counts.rows > HF_PLAN_ROWS_MAX ||
        counts.backends > HF_PLAN_ROWS_MAX ||
        (counts.parts > 0 && hf_cursor_left(cursor) != (size_t)counts.parts * HF_DIGEST_SIZE)) {
        return HF_EMALF;
    }
    *ret_head = head;
    *ret_counts = counts;
    return HF_OK;
}

int hf_plan_decode_head(const void *bytes, size_t size, struct hf_plan_head *ret_head)
{
    struct hf_cursor cursor;
    struct counts counts;
    hf_cursor_init(&cursor, bytes, size);
    return read_head(&cursor, ret_head, &counts);
}

int hf_plan_parts(const void *bytes, size_t size, hf_plan_each_part *each, void *context)
{
    struct hf_cursor cursor;
    struct hf_plan_head head;
    struct counts counts;
    hf_cursor_init(&cursor, bytes, size);
    int error = read_head(&cursor, &head, &counts);
    for (uint32_t i = 0; error == HF_OK && i < counts.parts; i++) {
        struct hf_digest name = {0};
        read_digest(&cursor, &name);
        error = each(context, &name);
    }
    return error;
}

/* The body as one part, or the parts that the object names. */
static int load_parts(struct hf_plan_object *object, struct hf_cursor *cursor, uint32_t part_count,
                      hf_plan_get_part *get, void *context)
{
    uint32_t count = part_count > 0 ? part_count : 1;
    object->parts = calloc(count, sizeof(*object->parts));
    if (object->parts == NULL) {
        abort();
    }
    object->part_count = count;
    if (part_count == 0) {
        size_t size = hf_cursor_left(cursor);
        if (size > HF_PLAN_PART_BYTES) {
            return HF_EMALF;
        }
        hf_buf_init(&object->parts[0], HF_PLAN_PART_BYTES);
        hf_buf_put(&object->parts[0], cursor->at, size);
        return hf_buf_error(&object->parts[0]);
    }
    int error = HF_OK;
    for (uint32_t i = 0; i < count && error == HF_OK; i++) {
        struct hf_digest name = {0};
        read_digest(cursor, &name);
        hf_buf_init(&object->parts[i], PLAN_PART_MAX);
        error = get(context, &name, &object->parts[i]);
        if (error == HF_OK && object->parts[i].size == 0) {
            error = HF_EMALF;
        }
    }
    return error;
}

/* Counts that the body cannot hold would make us allocate for nothing. */
static bool counts_fit(const struct hf_plan_object *object)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < object->part_count; i++) {
        size += object->parts[i].size;
    }
    return (uint64_t)object->backend_count * PLAN_BACKEND_MIN +
               (uint64_t)object->row_count * PLAN_ROW_MIN <=
           size;
}

int hf_plan_object_read(const struct hf_digest *name, const void *bytes, size_t size,
                        hf_plan_get_part *get, void *context, struct hf_plan_object **ret_object)
{
    struct hf_cursor cursor;
    struct hf_plan_head head;
    struct counts counts;
    hf_cursor_init(&cursor, bytes, size);
    int error = read_head(&cursor, &head, &counts);
    if (error != HF_OK) {
        return error;
    }
    struct hf_plan_object *object = calloc(1, sizeof(*object));
    if (object == NULL) {
        abort();
    }
    object->head = head;
    object->name = *name;
    object->backend_count = counts.backends;
    object->row_count = counts.rows;
    error = load_parts(object, &cursor, counts.parts, get, context);
    if (error == HF_OK && !counts_fit(object)) {
        error = HF_EMALF;
    }
    if (error == HF_OK) {
        error = hf_plan_object_check(object);
    }
    if (error != HF_OK) {
        hf_plan_object_free(object);
        return error;
    }
    *ret_object = object;
    return HF_OK;
}

void hf_plan_object_free(struct hf_plan_object *object)
{
    if (object == NULL) {
        return;
    }
    for (uint32_t i = 0; i < object->part_count; i++) {
        hf_buf_release(&object->parts[i]);
    }
    free(object->parts);
    free(object);
}

const struct hf_plan_head *hf_plan_object_head(const struct hf_plan_object *object)
{
    return &object->head;
}

const struct hf_digest *hf_plan_object_name(const struct hf_plan_object *object)
{
    return &object->name;
}
