/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One event of the log in each of its forms; logfmt is in test_log.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"
#include "codec/log_line.h"

#define PAIR(key, value) ((struct hf_log_pair){key, value, sizeof(key) - 1, sizeof(value) - 1})

static struct hf_log_event an_event(void)
{
    return (struct hf_log_event){.at_ms = 1700000000123,
                                 .level = "warning",
                                 .priority = 4,
                                 .role = "planner",
                                 .event = "verdict",
                                 .pairs = {PAIR("backend", "web-1"), PAIR("why", "no \"x\"")},
                                 .pair_count = 2};
}

static void json_is_one_object_of_strings(void **state)
{
    struct hf_log_event event = an_event();
    struct hf_log_line line;
    (void)state;
    hf_log_line_json(&event, &line);
    line.text[line.size] = 0;
    assert_string_equal(line.text, "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\","
                                   "\"role\":\"planner\",\"event\":\"verdict\",\"backend\":"
                                   "\"web-1\",\"why\":\"no \\\"x\\\"\"}\n");
    event.role = "";
    event.pair_count = 0;
    hf_log_line_json(&event, &line);
    line.text[line.size] = 0;
    assert_string_equal(line.text, "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\","
                                   "\"event\":\"verdict\"}\n");
}

static void expect_why(const char *value, size_t size, const char *expected)
{
    struct hf_log_event event = an_event();
    struct hf_log_line line;
    json_t *root = NULL;
    const char *why = NULL;
    event.pairs[1].value = value;
    event.pairs[1].value_size = size;
    hf_log_line_json(&event, &line);
    assert_int_equal(hf_json_in_parse(line.text, line.size, &root), HF_OK);
    assert_int_equal(hf_json_in_text(root, "why", &why), HF_OK);
    assert_string_equal(why, expected);
    json_decref(root);
}

static void json_takes_any_octets(void **state)
{
    (void)state;
    expect_why("a\\b\n\t\x7f", 6, "a\\b\n\t\x7f");
    expect_why("gr\xc3\xbcn \xf0\x9f\x98\x80", 10, "gr\xc3\xbcn \xf0\x9f\x98\x80");
    expect_why("\xc2\x9b"
               "31m",
               5,
               "\xc2\x9b"
               "31m");
    expect_why("cut \xc3", 5, "cut \xef\xbf\xbd");
    expect_why("\xff\xfe", 2, "\xef\xbf\xbd\xef\xbf\xbd");
}

/* Whatever lies where the line is cut, it stays an object, and a line. */
static void a_long_object_is_cut_and_whole(void **state)
{
    static const char *const pieces[] = {"x", "\"", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff"};
    static char value[8000];
    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t step = strlen(pieces[i]);
        for (size_t lead = 0; lead < 12; lead++) {
            struct hf_log_event event = an_event();
            struct hf_log_line line;
            json_t *root = NULL;
            size_t size = lead;
            memset(value, 'y', lead);
            for (; size + step <= sizeof(value); size += step) {
                memcpy(value + size, pieces[i], step);
            }
            event.pairs[1].value = value;
            event.pairs[1].value_size = size;
            event.pairs[2] = PAIR("behind", "it");
            event.pair_count = 3;
            hf_log_line_json(&event, &line);
            assert_true(line.size <= HF_LOG_LINE_MAX && line.size > HF_LOG_LINE_MAX - 32);
            assert_memory_equal(line.text + line.size - 6, "...\"}\n", 6);
            assert_int_equal(hf_json_in_parse(line.text, line.size, &root), HF_OK);
            json_decref(root);
        }
    }
}

static void journald_gets_fields(void **state)
{
    static const char expected[] = "MESSAGE=verdict backend=web-1 why=\"no \\\"x\\\"\"\n"
                                   "PRIORITY=4\n"
                                   "SYSLOG_IDENTIFIER=holdfast\n"
                                   "HOLDFAST_EVENT=verdict\n"
                                   "HOLDFAST_ROLE=planner\n"
                                   "HOLDFAST_BACKEND=web-1\n"
                                   "HOLDFAST_WHY=no \"x\"\n";
    struct hf_log_event event = an_event();
    char datagram[HF_LOG_DATAGRAM_MAX];
    (void)state;
    assert_int_equal(hf_log_line_journal(&event, datagram), sizeof(expected) - 1);
    assert_memory_equal(datagram, expected, sizeof(expected) - 1);
}

static void a_line_feed_forges_no_field(void **state)
{
    static const char expected[] = "HOLDFAST_WHY\n\x0a\0\0\0\0\0\0\0x\nFORGED=1\n";
    struct hf_log_event event = an_event();
    char datagram[HF_LOG_DATAGRAM_MAX];
    (void)state;
    event.pairs[1] = PAIR("why", "x\nFORGED=1");
    size_t size = hf_log_line_journal(&event, datagram);
    size_t tail = sizeof(expected) - 1;
    assert_memory_equal(datagram + size - tail, expected, tail);
    assert_null(memmem(datagram, size - tail, "\nFORGED", 7)); /* nor in MESSAGE */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_one_object_of_strings),  cmocka_unit_test(json_takes_any_octets),
        cmocka_unit_test(a_long_object_is_cut_and_whole), cmocka_unit_test(journald_gets_fields),
        cmocka_unit_test(a_line_feed_forges_no_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
