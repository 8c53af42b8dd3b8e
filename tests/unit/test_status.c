/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Status documents: what is written is read again, and what nobody wrote is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/status.h"

enum { TEXT_MAX = 4096 };

static const struct hf_planner_status planner = {.planner = "planner-1",
                                                 .at_ms = 1700000000123,
                                                 .started_ms = 1690000000000,
                                                 .pid = 4242,
                                                 .head_gen = UINT64_MAX - 3,
                                                 .published = 17,
                                                 .frozen = true,
                                                 .stopped = false,
                                                 .trouble = "line\n\"quoted\" \\ \x01 é",
                                                 .held_id = "abc",
                                                 .held_lines = "a.test. max_removal -b\n",
                                                 .held_count = UINT32_MAX,
                                                 .endpoints = 5,
                                                 .backends = 6,
                                                 .up = 3,
                                                 .down = 2,
                                                 .unknown = 1,
                                                 .drained = 4};

static void expect_planner(const struct hf_planner_status *a, const struct hf_planner_status *b)
{
    assert_string_equal(a->planner, b->planner);
    assert_string_equal(a->trouble, b->trouble);
    assert_string_equal(a->held_id, b->held_id);
    assert_string_equal(a->held_lines, b->held_lines);
    assert_true(a->at_ms == b->at_ms && a->started_ms == b->started_ms && a->pid == b->pid);
    assert_true(a->head_gen == b->head_gen && a->published == b->published);
    assert_true(a->frozen == b->frozen && a->stopped == b->stopped);
    assert_int_equal(a->held_count, b->held_count);
    assert_int_equal(a->endpoints, b->endpoints);
    assert_int_equal(a->backends, b->backends);
    assert_int_equal(a->up, b->up);
    assert_int_equal(a->down, b->down);
    assert_int_equal(a->unknown, b->unknown);
    assert_int_equal(a->drained, b->drained);
}

static void a_planner_is_read_as_it_was_written(void **state)
{
    struct hf_arena arena;
    struct hf_buf json;
    struct hf_planner_status read;
    (void)state;
    hf_arena_init(&arena, TEXT_MAX);
    hf_buf_init(&json, TEXT_MAX);
    hf_planner_status_encode(&planner, &json);
    assert_int_equal(hf_buf_error(&json), HF_OK);
    assert_int_equal(hf_planner_status_decode(json.bytes, json.size, &arena, &read), HF_OK);
    /* Texts are the arena's, not the document's. */
    memset(json.bytes, 'x', json.size);
    expect_planner(&read, &planner);
    hf_buf_release(&json);
    hf_arena_release(&arena);
}

static int decode_planner(const char *bytes, size_t size)
{
    struct hf_arena arena;
    struct hf_planner_status read;
    struct hf_planner_status before;
    hf_arena_init(&arena, TEXT_MAX);
    memset(&read, 0x5a, sizeof(read));
    memcpy(&before, &read, sizeof(read));
    int error = hf_planner_status_decode(bytes, size, &arena, &read);
    if (error != HF_OK) {
        assert_memory_equal(&read, &before, sizeof(read));
    }
    hf_arena_release(&arena);
    return error;
}

/* What the text says with from replaced by to: HF_OK where a reader must be patient. */
static int decode_edited(const char *text, const char *from, const char *to)
{
    char edited[TEXT_MAX];
    const char *at = strstr(text, from);
    assert_non_null(at);
    size_t head = (size_t)(at - text);
    assert_true(strlen(text) + strlen(to) < sizeof(edited));
    memcpy(edited, text, head);
    memcpy(edited + head, to, strlen(to));
    memcpy(edited + head + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    return decode_planner(edited, strlen(edited));
}

static void a_malformed_planner_is_refused(void **state)
{
    struct hf_buf json;
    (void)state;
    hf_buf_init(&json, TEXT_MAX);
    hf_planner_status_encode(&planner, &json);
    const char *text = hf_buf_text(&json);
    for (size_t size = 0; size < json.size; size++) {
        assert_int_equal(decode_planner(text, size), HF_EMALF);
    }
    static const struct {
        const char *from, *to;
    } wrong[] = {
        {"\"pid\":4242", "\"pid\":\"4242\""},
        {"\"pid\":4242,", ""},
        {"\"planner\":\"planner-1\"", "\"planner\":7"},
        {"\"planner\":\"planner-1\"", "\"planner\":null"},
        {"\"at_ms\":1700000000123", "\"at_ms\":-1"},
        {"\"at_ms\":1700000000123", "\"at_ms\":1.5"},
        {"\"at_ms\":1700000000123", "\"at_ms\":1e3"},
        {"\"published\":17", "\"published\":\"17\""},
        {"\"head_gen\":\"18446744073709551612\"", "\"head_gen\":\"18446744073709551616\""},
        {"\"held_count\":4294967295", "\"held_count\":4294967296"},
        {"\"up\":3", "\"up\":3,\"up\":3"},
        {"\"held_lines\":", "\"held_line\":"},
        {"{\"planner\"", "[{\"planner\""},
        {"\"drained\":4}", "\"drained\":4}}"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(decode_edited(text, wrong[i].from, wrong[i].to), HF_EMALF);
    }
    /* A later release may say more; what was said still is understood. */
    assert_int_equal(decode_edited(text, "\"pid\":4242", "\"new\":[1],\"pid\":4242"), HF_OK);
    hf_buf_release(&json);
}

static void texts_beyond_the_arena_are_a_limit(void **state)
{
    struct hf_arena arena;
    struct hf_buf json;
    struct hf_planner_status read;
    (void)state;
    hf_arena_init(&arena, 16);
    hf_buf_init(&json, TEXT_MAX);
    hf_planner_status_encode(&planner, &json);
    assert_int_equal(hf_planner_status_decode(json.bytes, json.size, &arena, &read), HF_ELIMIT);
    hf_arena_release(&arena);
    hf_buf_release(&json);
    hf_buf_init(&json, 20);
    hf_planner_status_encode(&planner, &json);
    assert_int_equal(hf_buf_error(&json), HF_ELIMIT);
    hf_buf_release(&json);
}

static const struct hf_backend_status backends[] = {
    {.name = "web-1",
     .pool = "web",
     .site = "a",
     .why = "200 in 3 ms",
     .addresses = "192.0.2.1 2001:db8::1",
     .verdict = HF_VERDICT_UP,
     .drained = true,
     .since_ms = 1,
     .checked_ms = 2,
     .held_until_ms = UINT64_MAX,
     .duration_us = 4,
     .flaps = 5},
    {.name = "web-2",
     .pool = "web",
     .site = "",
     .why = "",
     .addresses = "",
     .verdict = HF_VERDICT_DOWN},
    {.name = "web-3",
     .pool = "db",
     .site = "b",
     .why = "x",
     .addresses = "x",
     .verdict = HF_VERDICT_UNKNOWN},
};

static int decode_backends(const char *text, struct hf_arena *arena, uint32_t *ret_count)
{
    uint64_t at_ms;
    struct hf_backend_status *rows;
    return hf_backends_status_decode(text, strlen(text), arena, &at_ms, &rows, ret_count);
}

static void backends_are_read_as_they_were_written(void **state)
{
    struct hf_arena arena;
    struct hf_buf json;
    struct hf_backend_status *rows = NULL;
    uint64_t at_ms = 0;
    (void)state;
    hf_arena_init(&arena, TEXT_MAX);
    hf_buf_init(&json, TEXT_MAX);
    for (uint32_t count = 0; count <= 3; count++) {
        uint32_t read = UINT32_MAX;
        hf_buf_clear(&json);
        hf_backends_status_encode(99, backends, count, &json);
        assert_int_equal(
            hf_backends_status_decode(json.bytes, json.size, &arena, &at_ms, &rows, &read), HF_OK);
        assert_int_equal(read, count);
        assert_true(at_ms == 99);
        for (uint32_t i = 0; i < count; i++) {
            assert_string_equal(rows[i].name, backends[i].name);
            assert_string_equal(rows[i].pool, backends[i].pool);
            assert_string_equal(rows[i].site, backends[i].site);
            assert_string_equal(rows[i].why, backends[i].why);
            assert_string_equal(rows[i].addresses, backends[i].addresses);
            assert_int_equal(rows[i].verdict, backends[i].verdict);
            assert_int_equal(rows[i].drained, backends[i].drained);
            assert_true(rows[i].since_ms == backends[i].since_ms);
            assert_true(rows[i].checked_ms == backends[i].checked_ms);
            assert_true(rows[i].held_until_ms == backends[i].held_until_ms);
            assert_true(rows[i].duration_us == backends[i].duration_us);
            assert_int_equal(rows[i].flaps, backends[i].flaps);
        }
    }
    hf_buf_release(&json);
    hf_arena_release(&arena);
}

static void malformed_backends_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"at_ms\":1}",
        "{\"backends\":[]}",
        "{\"at_ms\":1,\"backends\":{}}",
        "{\"at_ms\":\"1\",\"backends\":[]}",
        "{\"at_ms\":1,\"backends\":[7]}",
        "{\"at_ms\":1,\"backends\":[null]}",
        "{\"at_ms\":1,\"backends\":[{}]}",
        "{\"at_ms\":1,\"backends\":[]} x",
    };
    struct hf_arena arena;
    struct hf_buf json;
    uint32_t count = 77;
    (void)state;
    hf_arena_init(&arena, TEXT_MAX);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(decode_backends(wrong[i], &arena, &count), HF_EMALF);
    }
    assert_int_equal(count, 77);
    assert_int_equal(decode_backends("{\"at_ms\":1,\"backends\":[],\"x\":1}", &arena, &count),
                     HF_OK);
    assert_int_equal(count, 0);
    hf_arena_release(&arena);
    hf_arena_init(&arena, 100);
    hf_buf_init(&json, TEXT_MAX);
    hf_backends_status_encode(1, backends, 3, &json);
    assert_int_equal(decode_backends(hf_buf_text(&json), &arena, &count), HF_ELIMIT);
    hf_buf_release(&json);
    hf_arena_release(&arena);
}

/* A verdict of a later release is none that this one could act on. */
static void an_unknown_verdict_is_unknown(void **state)
{
    struct hf_arena arena;
    uint64_t at_ms;
    uint32_t count;
    struct hf_backend_status *rows;
    const char text[] = "{\"at_ms\":1,\"backends\":[{\"name\":\"a\",\"pool\":\"p\",\"site\":\"s\","
                        "\"why\":\"\",\"verdict\":\"degraded\",\"drained\":false,\"since_ms\":0,"
                        "\"checked_ms\":0,\"held_until_ms\":0,\"duration_us\":0,\"flaps\":0}]}";
    (void)state;
    hf_arena_init(&arena, TEXT_MAX);
    assert_int_equal(
        hf_backends_status_decode(text, sizeof(text) - 1, &arena, &at_ms, &rows, &count), HF_OK);
    assert_int_equal(rows[0].verdict, HF_VERDICT_UNKNOWN);
    assert_string_equal(rows[0].addresses, ""); /* nor did earlier releases write addresses */
    assert_string_equal(hf_verdict_name(HF_VERDICT_UP), "up");
    assert_string_equal(hf_verdict_name(HF_VERDICT_DOWN), "down");
    assert_string_equal(hf_verdict_name(HF_VERDICT_UNKNOWN), "unknown");
    hf_arena_release(&arena);
}

static void a_janitor_is_read_as_it_was_written(void **state)
{
    const struct hf_janitor_status janitor = {.at_ms = 1,
                                              .started_ms = 2,
                                              .pid = 3,
                                              .rounds = UINT64_MAX,
                                              .deleted = 5,
                                              .cleaned = 6,
                                              .trouble = "t"};
    struct hf_arena arena;
    struct hf_buf json;
    struct hf_janitor_status read = {0};
    (void)state;
    hf_arena_init(&arena, TEXT_MAX);
    hf_buf_init(&json, TEXT_MAX);
    hf_janitor_status_encode(&janitor, &json);
    for (size_t size = 0; size < json.size; size++) {
        assert_int_equal(hf_janitor_status_decode(json.bytes, size, &arena, &read), HF_EMALF);
    }
    assert_null(read.trouble);
    assert_int_equal(hf_janitor_status_decode(json.bytes, json.size, &arena, &read), HF_OK);
    assert_string_equal(read.trouble, "t");
    assert_true(read.at_ms == 1 && read.started_ms == 2 && read.pid == 3 && read.deleted == 5);
    assert_true(read.rounds == UINT64_MAX && read.cleaned == 6);
    assert_int_equal(hf_janitor_status_decode("{}", 2, &arena, &read), HF_EMALF);
    hf_buf_release(&json);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planner_is_read_as_it_was_written),
        cmocka_unit_test(a_malformed_planner_is_refused),
        cmocka_unit_test(texts_beyond_the_arena_are_a_limit),
        cmocka_unit_test(backends_are_read_as_they_were_written),
        cmocka_unit_test(malformed_backends_are_refused),
        cmocka_unit_test(an_unknown_verdict_is_unknown),
        cmocka_unit_test(a_janitor_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
