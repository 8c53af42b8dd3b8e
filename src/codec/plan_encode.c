/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitset.h"
#include "base/error.h"
#include "codec/plan_internal.h"

/* What is being encoded. */
struct encoder {
    const struct hf_plan *plan;
    const struct hf_plan_head *head;
    const uint32_t *rows; /* of a delta */
    uint32_t row_count;
    uint64_t *named_words;
    struct hf_bitset named; /* backends that the rows name */
    uint32_t *local;        /* of each backend that is named: its number in the object */
    hf_plan_put_part *put;
    void *context;
    struct hf_buf body; /* what is not in a part yet; items_end: whole items of it */
    size_t items_end;
    uint64_t body_bytes;
    struct hf_buf part_names;
    uint32_t part_count;
    uint32_t *members; /* of the entry at hand, and packed */
    uint8_t *packed;
    uint32_t member_room;
};

static void *zeroed(size_t count, size_t size)
{
    void *bytes = calloc(count > 0 ? count : 1, size);
    if (bytes == NULL) {
        abort();
    }
    return bytes;
}

static void unpack(struct encoder *encoder, const struct hf_plan_members *members)
{
    if (members->count > encoder->member_room) {
        encoder->members =
            realloc(encoder->members, (size_t)members->count * sizeof(*encoder->members));
        encoder->packed =
            realloc(encoder->packed, (size_t)members->count * HF_PLAN_MEMBER_OCTETS_MAX);
        if (encoder->members == NULL || encoder->packed == NULL) {
            abort();
        }
        encoder->member_room = members->count;
    }
    hf_plan_members_unpack(members, encoder->members);
}

static void name_backends(struct encoder *encoder, const struct hf_plan_entry *entry)
{
    unpack(encoder, &entry->members);
    for (uint32_t i = 0; i < entry->members.count; i++) {
        hf_bitset_add(&encoder->named, encoder->members[i]);
    }
    if (entry->cause_backend != UINT32_MAX) {
        hf_bitset_add(&encoder->named, entry->cause_backend);
    }
}

static bool ascends(const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (rows[i - 1] >= rows[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a row comes twice. In order, as a planner gives them, it costs nothing of the plan. */
static bool comes_twice(const struct hf_plan *plan, const uint32_t *rows, uint32_t count)
{
    if (ascends(rows, count)) {
        return false;
    }
    uint64_t *words = zeroed(hf_bitset_words(plan->entry_count), sizeof(*words));
    struct hf_bitset seen;
    hf_bitset_init(&seen, words, plan->entry_count);
    for (uint32_t i = 0; i < count; i++) {
        hf_bitset_add(&seen, rows[i]);
    }
    free(words);
    return seen.count < count;
}

/* A delta's rows: each once, in the image, none newer than the object. */
static int survey_rows(struct encoder *encoder)
{
    const struct hf_plan *plan = encoder->plan;
    for (uint32_t i = 0; i < encoder->row_count; i++) {
        struct hf_plan_entry entry;
        uint32_t row = encoder->rows[i];
        if (row >= plan->entry_count || hf_plan_gen(plan, row) > encoder->head->gen) {
            return HF_EINVAL;
        }
        hf_plan_get(plan, row, &entry);
        name_backends(encoder, &entry);
    }
    return comes_twice(plan, encoder->rows, encoder->row_count) ? HF_EINVAL : HF_OK;
}

static int survey_plan(struct encoder *encoder)
{
    const struct hf_plan *plan = encoder->plan;
    encoder->row_count = 0;
    for (uint32_t row = 0; row < plan->entry_count; row++) {
        struct hf_plan_entry entry;
        hf_plan_get(plan, row, &entry);
        if (entry.gen > encoder->head->gen) {
            return HF_EINVAL;
        }
        if (entry.gen != 0) {
            encoder->row_count++;
            name_backends(encoder, &entry);
        }
    }
    return HF_OK;
}

/* Gives the first size octets of the body to the store, and keeps the rest. */
static int flush_part(struct encoder *encoder, size_t size)
{
    if (encoder->part_count == HF_PLAN_PARTS_MAX || encoder->put == NULL) {
        return HF_ELIMIT;
    }
    struct hf_digest name;
    int error = encoder->put(encoder->context, encoder->body.bytes, size, &name);
    if (error != HF_OK) {
        return error;
    }
    hf_buf_put(&encoder->part_names, name.bytes, sizeof(name.bytes));
    encoder->part_count++;
    memmove(encoder->body.bytes, encoder->body.bytes + size, encoder->body.size - size);
    encoder->body.size -= size;
    return hf_buf_error(&encoder->part_names);
}

/* An item is complete: where it did not fit into the part, the items before it become one. */
static int end_item(struct encoder *encoder)
{
    int error = hf_buf_error(&encoder->body);
    if (error == HF_OK && encoder->body.size > HF_PLAN_PART_BYTES && encoder->items_end > 0) {
        encoder->body_bytes += encoder->items_end;
        error = flush_part(encoder, encoder->items_end);
    }
    encoder->items_end = encoder->body.size;
    return error;
}

static int put_backends(struct encoder *encoder)
{
    const struct hf_plan *plan = encoder->plan;
    uint32_t local = 0;
    int error = HF_OK;
    for (uint32_t number = hf_bitset_next(&encoder->named, 0);
         number != HF_BITSET_NONE && error == HF_OK;
         number = hf_bitset_next(&encoder->named, number + 1)) {
        encoder->local[number] = local++;
        uint8_t key[PLAN_BACKEND_KEY_MAX];
        size_t key_size = hf_plan_backend_key(&plan->backends[number], key);
        hf_buf_put_u32(&encoder->body, plan->backends[number].capacity);
        hf_buf_put(&encoder->body, key, key_size);
        error = end_item(encoder);
    }
    return error;
}

static void put_members(struct encoder *encoder, const struct hf_plan_members *members)
{
    unpack(encoder, members);
    for (uint32_t i = 0; i < members->count; i++) {
        /* Numbers in the object are in the order of those in the image: ascending as well. */
        encoder->members[i] = encoder->local[encoder->members[i]];
    }
    struct hf_plan_members local =
        hf_plan_members_pack(encoder->members, members->count, encoder->packed);
    hf_buf_put_u32(&encoder->body, local.count);
    hf_buf_put(&encoder->body, local.bytes, local.size);
}

static void put_budget(struct hf_buf *buf, const struct hf_budget *budget)
{
    hf_buf_put_u64(buf, budget->quiet_at_ms);
    hf_buf_put_u64(buf, budget->base);
    hf_buf_put_u64(buf, budget->spent);
}

static uint8_t *put_number(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
    return at + size;
}

/* From form to AAAA count, in one piece: there are a million of them. */
static void put_fixed(struct encoder *encoder, const struct hf_plan_entry *entry, uint8_t form)
{
    uint8_t fixed[PLAN_ROW_FIXED] = {form, entry->flags, entry->cause};
    uint32_t cause_backend = entry->cause_backend;
    uint8_t *at = put_number(
        fixed + 3, cause_backend == UINT32_MAX ? UINT32_MAX : encoder->local[cause_backend], 4);
    at = put_number(at, entry->changed_ms, 8);
    at = put_number(at, entry->sum, 8);
    at = put_number(at, entry->records.ttl_s, 4);
    at = put_number(at, entry->records.a_count, 1);
    at = put_number(at, entry->records.aaaa_count, 1);
    assert(at == fixed + sizeof(fixed));
    hf_buf_put(&encoder->body, fixed, sizeof(fixed));
}

static int put_row(struct encoder *encoder, uint32_t row)
{
    struct hf_plan_entry got;
    const struct hf_plan_entry *entry = &got;
    struct hf_buf *buf = &encoder->body;
    hf_plan_get(encoder->plan, row, &got);
    hf_buf_put(buf, entry->owner, hf_name_size(entry->owner));
    hf_buf_put_u64(buf, entry->gen);
    if (entry->gen == 0) {
        return end_item(encoder);
    }
    const struct hf_budget *budget = &entry->budget;
    bool has_budget = budget->quiet_at_ms != 0 || budget->base != 0 || budget->spent != 0;
    put_fixed(encoder, entry, has_budget ? PLAN_FORM_BUDGET : 0);
    hf_buf_put(buf, entry->records.bytes, hf_records_size(&entry->records));
    if (has_budget) {
        put_budget(buf, budget);
    }
    put_members(encoder, &entry->members);
    return end_item(encoder);
}

static int put_rows(struct encoder *encoder)
{
    const struct hf_plan *plan = encoder->plan;
    bool snapshot = encoder->head->snapshot;
    uint32_t count = snapshot ? plan->entry_count : encoder->row_count;
    int error = HF_OK;
    for (uint32_t i = 0; i < count && error == HF_OK; i++) {
        uint32_t row = snapshot ? i : encoder->rows[i];
        if (!snapshot || hf_plan_gen(plan, row) != 0) {
            error = put_row(encoder, row);
        }
    }
    return error;
}

static int put_body(struct encoder *encoder)
{
    int error = put_backends(encoder);
    if (error == HF_OK) {
        error = put_rows(encoder);
    }
    encoder->body_bytes += encoder->body.size;
    bool in_parts = encoder->part_count > 0 || encoder->body.size > HF_PLAN_PART_BYTES;
    if (error == HF_OK && in_parts && encoder->body.size > 0) {
        error = flush_part(encoder, encoder->body.size);
    }
    return error;
}

static void put_object(const struct encoder *encoder, struct hf_buf *ret_object)
{
    const struct hf_plan_head *head = encoder->head;
    uint64_t body_bytes = encoder->body_bytes;
    hf_buf_put(ret_object, PLAN_MAGIC, PLAN_MAGIC_SIZE);
    hf_buf_put_u8(ret_object, head->cid != 0 ? PLAN_VERSION_CID : PLAN_VERSION);
    hf_buf_put_u8(ret_object, head->snapshot ? PLAN_KIND_SNAPSHOT : PLAN_KIND_DELTA);
    if (head->cid != 0) {
        hf_buf_put_u64(ret_object, head->cid);
    }
    hf_buf_put_u64(ret_object, head->gen);
    hf_buf_put_u64(ret_object, head->parent_gen);
    hf_buf_put(ret_object, head->parent.bytes, sizeof(head->parent.bytes));
    hf_buf_put_u64(ret_object, head->created_ms);
    hf_buf_put_u32(ret_object, head->instance);
    hf_buf_put_u8(ret_object, (uint8_t)strlen(head->planner));
    hf_buf_put_text(ret_object, head->planner);
    put_budget(ret_object, &head->changed);
    hf_buf_put_u64(ret_object, head->snapshot ? 0 : head->chain_bytes + body_bytes);
    hf_buf_put_u64(ret_object, head->snapshot ? body_bytes : head->snapshot_bytes);
    hf_buf_put_u32(ret_object, head->snapshot ? 0 : head->chain_count + 1);
    hf_buf_put_u32(ret_object, encoder->named.count);
    hf_buf_put_u32(ret_object, encoder->row_count);
    hf_buf_put_u32(ret_object, encoder->part_count);
    const struct hf_buf *rest = encoder->part_count > 0 ? &encoder->part_names : &encoder->body;
    hf_buf_put(ret_object, rest->bytes, rest->size);
}

static bool head_is_sound(const struct hf_plan_head *head)
{
    const char *end = memchr(head->planner, 0, sizeof(head->planner));
    return head->gen > head->parent_gen && (head->parent_gen != 0 || head->snapshot) &&
           (head->snapshot || head->chain_count < HF_PLAN_CHAIN_MAX) && end != NULL &&
           hf_plan_planner_is_sound(head->planner, (size_t)(end - head->planner));
}

int hf_plan_encode(const struct hf_plan *plan, const struct hf_plan_head *head,
                   const uint32_t *rows, uint32_t row_count, hf_plan_put_part *put, void *context,
                   struct hf_buf *ret_object)
{
    assert(!plan->answers_only);
    if (!head_is_sound(head)) {
        return HF_EINVAL;
    }
    struct encoder encoder = {
        .plan = plan,
        .head = head,
        .rows = rows,
        .row_count = row_count,
        .put = put,
        .context = context,
        .named_words = zeroed(hf_bitset_words(plan->backend_count), sizeof(uint64_t)),
        .local = zeroed(plan->backend_count, sizeof(uint32_t)),
    };
    hf_bitset_init(&encoder.named, encoder.named_words, plan->backend_count);
    hf_buf_init(&encoder.body, HF_PLAN_PART_BYTES + PLAN_ROW_MAX);
    hf_buf_init(&encoder.part_names, (size_t)HF_PLAN_PARTS_MAX * HF_DIGEST_SIZE);
    int error = head->snapshot ? survey_plan(&encoder) : survey_rows(&encoder);
    if (error == HF_OK) {
        error = put_body(&encoder);
    }
    if (error == HF_OK) {
        put_object(&encoder, ret_object);
        error = hf_buf_error(ret_object);
    }
    hf_buf_release(&encoder.part_names);
    hf_buf_release(&encoder.body);
    free(encoder.members);
    free(encoder.packed);
    free(encoder.local);
    free(encoder.named_words);
    return error;
}
