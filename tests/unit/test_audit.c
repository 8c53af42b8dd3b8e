/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of actions: its JSON, and its segments in a store. */
#include "plan_store_help.h"

#include "io/audit.h"
#include "io/wallclock.h"

static const struct hf_audit_entry drain = {
    .command = "drain",
    .subject = "web-1",
    .who = "ann",
    .why = "a \"disk\"",
    .via = "api",
    .text = "backend web-1 drains",
};

/* What a reader is told, newest first. */
struct told {
    uint64_t numbers[16];
    uint32_t count, max;
    char why[HF_AUDIT_TEXT_MAX + 8];
};

static int take(void *context, const struct hf_audit_entry *entry)
{
    struct told *told = context;
    if (told->count < 16) {
        told->numbers[told->count] = entry->number;
    }
    if (told->count == 0) {
        (void)snprintf(told->why, sizeof(told->why), "%s", entry->why);
    }
    told->count++;
    return told->max != 0 && told->count == told->max;
}

static struct told read_all(struct hf_store *store, uint32_t max)
{
    struct told told = {.max = max};
    assert_int_equal(hf_audit_read(store, take, &told), HF_OK);
    return told;
}

static void entries_are_told_newest_first(void **state)
{
    struct hf_store *store = store_made(*state);
    assert_int_equal(read_all(store, 0).count, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hf_audit_append(store, &drain), HF_OK);
    }
    struct told told = read_all(store, 0);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.numbers[0], 3);
    assert_int_equal(told.numbers[2], 1);
    assert_string_equal(told.why, "a \"disk\"");
    assert_int_equal(read_all(store, 2).count, 2);
    hf_store_close(store);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct hf_store *store = store_made(*state);
    char why[2 * HF_AUDIT_TEXT_MAX + 2] = "x";
    for (size_t i = 1; i + 2 < sizeof(why); i += 2) {
        memcpy(why + i, "\xc3\xa4", 3);
    }
    struct hf_audit_entry entry = drain;
    entry.why = why;
    assert_int_equal(hf_audit_append(store, &entry), HF_OK);
    assert_int_equal(strlen(read_all(store, 0).why), HF_AUDIT_TEXT_MAX - 1);
    hf_store_close(store);
}

static void what_is_old_is_not_told(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_audit_entry entry = drain;
    entry.at_ms = hf_wallclock_ms() - (uint64_t)(HF_AUDIT_DAYS + 1) * 86400000;
    assert_int_equal(hf_audit_append(store, &entry), HF_OK);
    entry.at_ms = 0;
    assert_int_equal(hf_audit_append(store, &entry), HF_OK);
    struct told told = read_all(store, 0);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.numbers[0], 2);
    hf_store_close(store);
}

/* A whole segment whose entries begin with a number. */
static void put_segment(struct hf_store *store, unsigned number, uint32_t count)
{
    struct hf_audit_segment *segment = calloc(1, sizeof(*segment));
    struct hf_buf json;
    char ref[32];
    assert_non_null(segment);
    for (uint32_t i = 0; i < count; i++) {
        segment->entries[i] = drain;
        segment->entries[i].number = (number - 1) * HF_AUDIT_SEGMENT_MAX + i + 1;
        segment->entries[i].at_ms = hf_wallclock_ms();
    }
    segment->count = count;
    hf_buf_init(&json, HF_AUDIT_SEGMENT_BYTES_MAX);
    hf_audit_encode(segment, &json);
    (void)snprintf(ref, sizeof(ref), "audit/%08u", number);
    assert_int_equal(hf_document_swap(store, ref, &json, ""), HF_OK);
    hf_buf_release(&json);
    free(segment);
}

static size_t object_count(struct hf_store *store)
{
    struct hf_store_object objects[64];
    size_t count = 0;
    assert_int_equal(hf_store_list(store, NULL, objects, 64, &count), HF_OK);
    return count;
}

static void a_full_segment_begins_another_and_the_oldest_goes(void **state)
{
    struct hf_store *store = store_made(*state);
    for (unsigned i = 1; i <= HF_AUDIT_SEGMENTS_MAX; i++) {
        put_segment(store, i, HF_AUDIT_SEGMENT_MAX);
    }
    assert_int_equal(read_all(store, 0).count, HF_AUDIT_SEGMENTS_MAX * HF_AUDIT_SEGMENT_MAX);
    assert_int_equal(hf_audit_append(store, &drain), HF_OK);
    struct told told = read_all(store, 0);
    assert_int_equal(told.count, (HF_AUDIT_SEGMENTS_MAX - 1) * HF_AUDIT_SEGMENT_MAX + 1);
    assert_int_equal(told.numbers[0], HF_AUDIT_SEGMENTS_MAX * HF_AUDIT_SEGMENT_MAX + 1);
    assert_int_equal(object_count(store), HF_AUDIT_SEGMENTS_MAX);
    hf_store_close(store);
}

static void after_a_damaged_segment_it_goes_on(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_buf json;
    put_segment(store, 1, 2);
    hf_buf_init(&json, 64);
    hf_buf_put_text(&json, "{\"version\":1,\"entries\":[7]}");
    assert_int_equal(hf_document_swap(store, "audit/00000002", &json, ""), HF_OK);
    assert_int_equal(hf_audit_append(store, &drain), HF_OK);
    struct told told = read_all(store, 0);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.numbers[0], 2 * HF_AUDIT_SEGMENT_MAX + 1);
    assert_int_equal(told.numbers[1], 2);
    hf_buf_release(&json);
    hf_store_close(store);
}

static void malformed_segments_are_refused(void **state)
{
    (void)state;
    struct hf_audit_segment *segment = calloc(1, sizeof(*segment));
    struct hf_audit_segment *copy = calloc(1, sizeof(*copy));
    struct hf_buf json;
    if (segment == NULL || copy == NULL) {
        abort();
    }
    segment->entries[0] = drain;
    segment->count = 1;
    hf_buf_init(&json, HF_AUDIT_SEGMENT_BYTES_MAX);
    hf_audit_encode(segment, &json);
    for (size_t size = 0; size < json.size; size++) {
        assert_int_equal(hf_audit_decode(json.bytes, size, copy), HF_EMALF);
    }
    assert_int_equal(hf_audit_decode(json.bytes, json.size, copy), HF_OK);
    assert_int_equal(copy->count, 1);
    assert_string_equal(copy->entries[0].subject, "web-1");
    hf_audit_release(copy);
    hf_buf_release(&json);
    free(segment);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_told_newest_first, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_long_text_is_cut_between_characters, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(what_is_old_is_not_told, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_full_segment_begins_another_and_the_oldest_goes,
                                        place_make, place_remove),
        cmocka_unit_test_setup_teardown(after_a_damaged_segment_it_goes_on, place_make,
                                        place_remove),
        cmocka_unit_test(malformed_segments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
