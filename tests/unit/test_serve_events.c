/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events that are kept and their readers; the tokens file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/serve_events.h"
#include "codec/serve_tokens.h"

enum { EPOCH = 0x5e1f09c2, TEXT_ROOM = 1 << 16, BACKLOG_MAX = 256 << 10 };

static struct hf_serve_events *events_new(void)
{
    struct hf_serve_events *events = malloc(sizeof *events);
    assert_non_null(events);
    hf_serve_events_init(events, EPOCH);
    return events;
}

static void events_free(struct hf_serve_events *events)
{
    hf_serve_events_release(events);
    assert_int_equal(events->kept_bytes, 0);
    free(events);
}

/* All that a reader is given, in pieces of this size. */
static const char *take_all(struct hf_serve_reader *reader, const struct hf_serve_events *events,
                            size_t piece, char *text)
{
    size_t size = 0, count;
    while ((count = hf_serve_reader_take(reader, events, text + size, piece)) > 0) {
        size += count;
        assert_true(size + piece < TEXT_ROOM);
    }
    text[size] = 0;
    assert_int_equal(hf_serve_reader_behind(reader, events), 0);
    assert_true(hf_serve_reader_is_between(reader));
    return text;
}

static void test_events_come_as_they_are_sent(void **state)
{
    (void)state;
    char *text = malloc(TEXT_ROOM);
    for (size_t piece = 1; piece < 100; piece += 7) {
        struct hf_serve_events *events = events_new();
        struct hf_serve_reader reader;
        hf_serve_events_add(events, "before", "{}");
        hf_serve_reader_init(&reader, events, NULL, BACKLOG_MAX);
        assert_string_equal(take_all(&reader, events, piece, text),
                            "retry: 2000\nid: 5e1f09c2-1\n\n");
        hf_serve_events_add(events, "head", "{\"gen\":2}");
        hf_serve_events_add(events, "beat", "{}");
        static const char expected[] = "id: 5e1f09c2-2\nevent: head\ndata: {\"gen\":2}\n\n"
                                       "id: 5e1f09c2-3\nevent: beat\ndata: {}\n\n";
        assert_int_equal(hf_serve_reader_behind(&reader, events), strlen(expected));
        assert_string_equal(take_all(&reader, events, piece, text), expected);
        events_free(events);
    }
    free(text);
}

static void expect_greeting(const struct hf_serve_events *events, const char *last_id,
                            uint64_t number, bool reset)
{
    char text[256], expected[256];
    struct hf_serve_reader reader;
    hf_serve_reader_init(&reader, events, last_id, BACKLOG_MAX);
    size_t size = hf_serve_reader_take(&reader, events, text, reader.greeting_size);
    text[size] = 0;
    (void)snprintf(expected, sizeof expected, "retry: 2000\nid: 5e1f09c2-%llu\n%s\n",
                   (unsigned long long)number, reset ? "event: reset\ndata: {}\n" : "");
    assert_string_equal(text, expected);
    assert_int_equal(reader.next, number + 1);
}

static void test_readers_come_back(void **state)
{
    (void)state;
    struct hf_serve_events *events = events_new();
    expect_greeting(events, NULL, 0, false);
    expect_greeting(events, "5e1f09c2-0", 0, false);
    for (int i = 0; i < 3; i++) {
        hf_serve_events_add(events, "tick", "{}");
    }
    expect_greeting(events, NULL, 3, false);
    expect_greeting(events, "5e1f09c2-0", 0, false);
    expect_greeting(events, "5e1f09c2-2", 2, false);
    expect_greeting(events, "5e1f09c2-3", 3, false);
    static const char *const unknown[] = {
        "",           "5e1f09c2-4", "5e1f09c3-2",  "5E1F09C2-2",
        "5e1f09c2-",  "5e1f09c2",   "5e1f09c2-2x", "5e1f09c2-99999999999999999999",
        "5e1f09c2--1"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        expect_greeting(events, unknown[i], 3, true);
    }
    for (int i = 0; i < HF_SERVE_EVENTS_KEPT; i++) {
        hf_serve_events_add(events, "tick", "{}");
    }
    expect_greeting(events, "5e1f09c2-3", 3, false);
    expect_greeting(events, "5e1f09c2-2", 3 + HF_SERVE_EVENTS_KEPT, true);
    events_free(events);
}

static void test_what_is_kept_has_a_limit(void **state)
{
    (void)state;
    struct hf_serve_events *events = events_new();
    struct hf_serve_reader reader;
    char *json = malloc(HF_SERVE_EVENT_MAX + 2);
    char piece[16];
    assert_non_null(json);
    memset(json, 'x', HF_SERVE_EVENT_MAX + 1);
    json[HF_SERVE_EVENT_MAX] = 0;
    hf_serve_reader_init(&reader, events, NULL, BACKLOG_MAX);
    hf_serve_events_add(events, "big", json);
    assert_true(events->kept_bytes > HF_SERVE_EVENT_MAX);
    (void)hf_serve_reader_take(&reader, events, piece, sizeof piece);
    assert_false(hf_serve_reader_is_between(&reader));
    for (int i = 1; i < HF_SERVE_EVENTS_BYTES / HF_SERVE_EVENT_MAX; i++) {
        assert_false(hf_serve_reader_is_lost(&reader, events));
        hf_serve_events_add(events, "big", json);
        assert_true(events->kept_bytes <= HF_SERVE_EVENTS_BYTES);
    }
    assert_true(hf_serve_reader_is_lost(&reader, events));
    char last_id[32]; /* kept, but too much to begin with */
    (void)snprintf(last_id, sizeof last_id, "5e1f09c2-%d", 5);
    expect_greeting(events, last_id, events->last, true);

    json[HF_SERVE_EVENT_MAX] = 'x';
    json[HF_SERVE_EVENT_MAX + 1] = 0;
    hf_serve_reader_init(&reader, events, NULL, BACKLOG_MAX);
    hf_serve_events_add(events, "too-big", json);
    free(json);
    char text[256];
    size_t size = hf_serve_reader_take(&reader, events, text, sizeof text - 1);
    text[size] = 0;
    assert_non_null(strstr(text, "event: reset\ndata: {}\n\n"));
    events_free(events);
}

static void expect_tokens(const char *text, uint32_t count, uint32_t wrong_line)
{
    struct hf_serve_tokens *tokens = malloc(sizeof *tokens);
    uint32_t line = 0;
    const char *why = "";
    assert_non_null(tokens);
    int error = hf_serve_tokens_parse(tokens, text, strlen(text), &line, &why);
    assert_int_equal(error, wrong_line == 0 ? HF_OK : HF_EMALF);
    assert_int_equal(line, wrong_line);
    assert_int_equal(tokens->count, count);
    assert_true(wrong_line == 0 || strlen(why) > 0);
    free(tokens);
}

#define T16 "abcdefgh12345678"

static void test_tokens_files(void **state)
{
    (void)state;
    expect_tokens("", 0, 0);
    expect_tokens("# only words\n\n   \n#read a " T16, 0, 0);
    expect_tokens("read a " T16, 1, 0);
    expect_tokens("  operator\tb  " T16 "+/-._~==  \r\nread c " T16 "x\r\n", 2, 0);
    expect_tokens("read a " T16 "\nread b " T16 "\n", 1, 2);
    expect_tokens("\nread\n", 0, 2);
    expect_tokens("read a\n", 0, 1);
    expect_tokens("read a abcdefgh1234567\n", 0, 1);
    expect_tokens("admin a " T16, 0, 1);
    expect_tokens("READ a " T16, 0, 1);
    expect_tokens("read a " T16 " x", 0, 1);
    expect_tokens("read a " T16 "!", 0, 1);
    expect_tokens("read a =" T16, 0, 1);
    expect_tokens("read \xc3\xa4 " T16, 0, 1);
    char text[512];
    (void)snprintf(text, sizeof text, "read %063d " T16, 0);
    expect_tokens(text, 1, 0);
    (void)snprintf(text, sizeof text, "read %064d " T16, 0);
    expect_tokens(text, 0, 1);
    (void)snprintf(text, sizeof text, "read a %0255d", 0);
    expect_tokens(text, 1, 0);
    (void)snprintf(text, sizeof text, "read a %0256d", 0);
    expect_tokens(text, 0, 1);
}

static void test_tokens_are_found(void **state)
{
    (void)state;
    enum { ROOM = (HF_SERVE_TOKENS_MAX + 1) * 48 };
    struct hf_serve_tokens *tokens = malloc(sizeof *tokens);
    char *text = calloc(1, ROOM);
    size_t size = 0;
    uint32_t line = 0;
    const char *why = "";
    assert_true(tokens != NULL && text != NULL);
    for (int i = 0; i < HF_SERVE_TOKENS_MAX; i++) {
        size += (size_t)snprintf(text + size, ROOM - size, "read n%d token-%016d\n", i, i);
    }
    assert_int_equal(hf_serve_tokens_parse(tokens, text, size, &line, &why), HF_OK);
    const struct hf_serve_token *token =
        hf_serve_tokens_find(tokens, "token-0000000000000255", strlen("token-0000000000000255"));
    assert_non_null(token);
    assert_string_equal(token->name, "n255");
    assert_int_equal(token->role, HF_SERVE_READ);
    assert_null(hf_serve_tokens_find(tokens, "token-0000000000000256", 22));
    assert_null(hf_serve_tokens_find(tokens, "token-000000000000025", 21));
    assert_null(hf_serve_tokens_find(tokens, "", 0));
    size += (size_t)snprintf(text + size, ROOM - size, "read more token-more-0123456789\n");
    assert_int_equal(hf_serve_tokens_parse(tokens, text, size, &line, &why), HF_ELIMIT);
    assert_int_equal(line, HF_SERVE_TOKENS_MAX + 1);
    free(text);
    free(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_as_they_are_sent),
        cmocka_unit_test(test_readers_come_back),
        cmocka_unit_test(test_what_is_kept_has_a_limit),
        cmocka_unit_test(test_tokens_files),
        cmocka_unit_test(test_tokens_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
