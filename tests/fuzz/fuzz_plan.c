/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan objects, overrides and reports from arbitrary octets. The first octet says which:
 *   0  the rest is a plan object, applied to an image that has an entry; its parts are what
 *      follows the octets "PART"
 *   1  the rest edits a plan, which must come through an object as it is
 *   2  the same, and the object's octets are then changed as the rest says
 *   3  overrides   4  a report
 * An image must be as it was after a refusal, and what was accepted must come through an object.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "codec/name.h"
#include "codec/overrides.h"
#include "codec/plan.h"
#include "codec/report.h"
#include "core/planner.h"

enum { OBJECT_MAX = 4 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct input {
    const uint8_t *part;
    size_t part_size;
};

static int get_part(void *context, const struct hf_digest *name, struct hf_buf *ret_bytes)
{
    const struct input *input = context;
    (void)name;
    if (input->part == NULL) {
        return HF_ENOENT;
    }
    hf_buf_put(ret_bytes, input->part, input->part_size);
    return hf_buf_error(ret_bytes);
}

static int ignore_part(void *context, const struct hf_digest *name)
{
    (void)context;
    return name->bytes[0] == 0xff ? HF_ENOENT : HF_OK;
}

static uint32_t in_plan(const struct hf_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->entry_count; i++) {
        const struct hf_plan_entry *entry = &plan->entries[i];
        bool empty = entry->records.a_count == 0 && entry->records.aaaa_count == 0;
        if (entry->gen != 0) {
            assert(empty == ((entry->flags & HF_ROW_RETIRED) != 0));
            assert(entry->sum == hf_records_sum(entry->owner, &entry->records));
            assert(entry->gen <= plan->head.gen || plan->edited);
            count++;
        }
        for (uint32_t k = 0; k < entry->member_count; k++) {
            assert(entry->members[k] < plan->backend_count);
            assert(k == 0 || entry->members[k - 1] < entry->members[k]);
        }
    }
    return count;
}

/* A snapshot of the image, as generation gen. */
static int snapshot(const struct hf_plan *plan, uint64_t gen, struct hf_buf *ret_object)
{
    struct hf_plan_head head = {.gen = gen, .snapshot = true};
    return hf_plan_encode(plan, &head, NULL, 0, NULL, NULL, ret_object);
}

static void expect_same(const struct hf_plan *a, const struct hf_plan *b)
{
    assert(in_plan(a) == in_plan(b));
    for (uint32_t i = 0; i < a->entry_count; i++) {
        const struct hf_plan_entry *x = &a->entries[i];
        if (x->gen != 0) {
            uint32_t row = hf_plan_find(b, x->owner);
            assert(row != UINT32_MAX);
            const struct hf_plan_entry *y = &b->entries[row];
            assert(x->gen == y->gen && x->sum == y->sum && x->flags == y->flags);
            assert(x->member_count == y->member_count && x->cause == y->cause);
            assert(hf_records_equal(&x->records, &y->records));
        }
    }
}

/* What an image holds comes through a snapshot. */
static void expect_round_trip(const struct hf_plan *plan)
{
    struct hf_buf object;
    struct hf_plan copy;
    struct input none = {0};
    const struct hf_digest name = {.bytes = {1}};
    hf_buf_init(&object, OBJECT_MAX);
    hf_plan_init(&copy);
    if (snapshot(plan, UINT64_MAX, &object) == HF_OK) {
        int error =
            hf_plan_apply(&copy, &name, object.bytes, object.size, get_part, &none, NULL);
        assert(error == HF_OK);
        expect_same(plan, &copy);
    }
    hf_plan_release(&copy);
    hf_buf_release(&object);
}

/* Sets one endpoint as the input says. */
static void edit(struct hf_plan *plan, struct hf_cursor *cursor)
{
    char text[32];
    uint8_t owner[HF_NAME_MAX];
    uint8_t rdata[20 * 8];
    uint32_t members[8];
    (void)snprintf(text, sizeof(text), "e%u.test.", hf_cursor_u8(cursor) % 16U);
    int error = hf_name_parse(text, owner);
    assert(error == HF_OK);
    struct hf_plan_entry entry = {.gen = hf_cursor_u8(cursor),
                                  .records = {.bytes = rdata, .ttl_s = hf_cursor_u16(cursor)},
                                  .members = members,
                                  .cause = hf_cursor_u8(cursor) % (HF_CAUSE_CLAIMED + 1),
                                  .flags = hf_cursor_u8(cursor) & 0x3f,
                                  .cause_backend = UINT32_MAX};
    uint8_t mask = hf_cursor_u8(cursor);
    uint16_t aaaa_count = 0;
    for (uint8_t i = 0; i < 8; i++) {
        struct hf_plan_backend backend = {.name = (const char *)&"a\0b\0c\0d\0e\0f\0g\0h"[2 * i],
                                          .capacity = mask,
                                          .has_a = true,
                                          .has_aaaa = i % 2 == 1,
                                          .a = {i},
                                          .aaaa = {i}};
        uint32_t number = hf_plan_backend_number(plan, &backend);
        if ((mask >> i & 1) != 0) {
            members[entry.member_count++] = number;
            memcpy(rdata + (size_t)4 * entry.records.a_count++, backend.a, 4);
        }
    }
    for (uint8_t i = 1; i < 8; i += 2) {
        if ((mask >> i & 1) != 0) {
            uint8_t *at = rdata + (size_t)4 * entry.records.a_count + (size_t)16 * aaaa_count++;
            memset(at, 0, 16);
            at[0] = i;
        }
    }
    entry.records.aaaa_count = aaaa_count;
    entry.flags =
        (uint8_t)(mask == 0 ? entry.flags | HF_ROW_RETIRED : entry.flags & ~HF_ROW_RETIRED);
    hf_plan_set(plan, hf_plan_row(plan, owner), &entry);
}

static void fuzz_object(const uint8_t *bytes, size_t size)
{
    const struct hf_digest name = {.bytes = {2}};
    struct input input = {0};
    const uint8_t *mark = memmem(bytes, size, "PART", 4);
    if (mark != NULL) {
        input.part = mark + 4;
        input.part_size = size - (size_t)(mark + 4 - bytes);
        size = (size_t)(mark - bytes);
    }
    const uint8_t seed[] = {1, 8, 0, 30, 1, 1, 7};
    struct hf_cursor cursor;
    struct hf_plan plan;
    hf_cursor_init(&cursor, seed, sizeof(seed));
    hf_plan_init(&plan);
    edit(&plan, &cursor);
    plan.edited = false;
    plan.head.gen = 8;
    uint32_t backends = plan.backend_count;
    int error = hf_plan_apply(&plan, &name, bytes, size, get_part, &input, NULL);
    if (error == HF_OK) {
        expect_round_trip(&plan);
    } else {
        assert(plan.entry_count == 1 && plan.backend_count == backends && in_plan(&plan) == 1);
    }
    (void)hf_plan_parts(bytes, size, ignore_part, NULL);
    hf_plan_release(&plan);
}

static void fuzz_edits(const uint8_t *bytes, size_t size, bool wound)
{
    struct hf_cursor cursor;
    struct hf_plan plan;
    struct hf_buf object;
    hf_cursor_init(&cursor, bytes, size);
    hf_plan_init(&plan);
    hf_buf_init(&object, OBJECT_MAX);
    for (uint8_t edits = hf_cursor_u8(&cursor) % 32; edits > 0; edits--) {
        edit(&plan, &cursor);
    }
    expect_round_trip(&plan);
    if (wound && snapshot(&plan, 255, &object) == HF_OK) {
        for (uint8_t wounds = hf_cursor_u8(&cursor) % 8; wounds > 0; wounds--) {
            size_t at = hf_cursor_u16(&cursor) % object.size;
            object.bytes[at] = hf_cursor_u8(&cursor);
        }
        fuzz_object(object.bytes, object.size - hf_cursor_u8(&cursor) % 4U);
    }
    hf_buf_release(&object);
    hf_plan_release(&plan);
}

static void fuzz_overrides(const uint8_t *bytes, size_t size)
{
    struct hf_overrides overrides;
    struct hf_overrides again;
    struct hf_buf json;
    if (hf_overrides_decode(bytes, size, &overrides) != HF_OK) {
        return;
    }
    hf_buf_init(&json, OBJECT_MAX);
    hf_overrides_encode(&overrides, &json);
    int error = hf_overrides_decode(json.bytes, json.size, &again);
    assert(error == HF_OK && again.count == overrides.count);
    hf_overrides_release(&again);
    hf_overrides_release(&overrides);
    hf_buf_release(&json);
}

static void fuzz_report(const uint8_t *bytes, size_t size)
{
    struct hf_report report;
    struct hf_report again;
    struct hf_buf json;
    if (hf_report_decode(bytes, size, &report) != HF_OK) {
        return;
    }
    hf_buf_init(&json, OBJECT_MAX);
    hf_report_encode(&report, &json);
    int error = hf_report_decode(json.bytes, json.size, &again);
    assert(error == HF_OK && again.zone_count == report.zone_count);
    hf_report_release(&again);
    hf_report_release(&report);
    hf_buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (bytes[0] % 5) {
    case 0:
        fuzz_object(bytes + 1, size - 1);
        break;
    case 1:
    case 2:
        fuzz_edits(bytes + 1, size - 1, bytes[0] % 5 == 2);
        break;
    case 3:
        fuzz_overrides(bytes + 1, size - 1);
        break;
    default:
        fuzz_report(bytes + 1, size - 1);
    }
    return 0;
}
