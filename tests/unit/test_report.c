/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "codec/report.h"

static const char *names[] = {"a.example.test.", "\"b\".example.test."};

static struct hf_report_write writes[] = {
    {.number = 7,
     .at_ms = 1700000000001,
     .zone = "example.test.",
     .endpoint = "a.example.test.",
     .kind = HF_WRITE_DONE,
     .gen = 42,
     .met_writer = ""},
    {.number = 9,
     .at_ms = 1700000000002,
     .zone = "example.test.",
     .endpoint = "\"b\".example.test.",
     .kind = HF_WRITE_STALE,
     .gen = 41,
     .met_gen = 42,
     .met_writer = "edge-2"},
};

static struct hf_report sample(struct hf_report_zone zones[2])
{
    zones[0] = (struct hf_report_zone){
        .zone = "example.test.",
        .state = "open",
        .why = "",
        .floor = 17,
        .ahead_gen = UINT64_MAX, /* anybody can write that into a zone */
        .plan_gen = 42,
        .endpoints = 10,
        .in_step = 8,
        .behind = 2,
        .written = 1,
        .refused = 2,
        .unknown = 3,
        .healed = 4,
        .messages = 5,
        .read = 8,
        .latency_ms = 6,
        .window = 7,
    };
    for (int list = 0; list < HF_REPORT_LISTS; list++) {
        zones[0].lists[list] =
            (struct hf_report_names){.names = names, .count = (uint32_t)list % 3, .total = 9};
    }
    zones[1] = (struct hf_report_zone){.zone = "example.", .state = "refused", .why = "no key"};
    return (struct hf_report){.enactor = "edge-1",
                              .at_ms = 1700000000000,
                              .started_ms = 1600000000000,
                              .pid = 4711,
                              .trouble = "store is gone",
                              .zones = zones,
                              .zone_count = 2,
                              .writes = writes,
                              .write_count = 2};
}

static void expect_names_equal(const struct hf_report_names *a, const struct hf_report_names *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->total, b->total);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_string_equal(a->names[i], b->names[i]);
    }
}

static void expect_zones_equal(const struct hf_report_zone *a, const struct hf_report_zone *b)
{
    assert_string_equal(a->zone, b->zone);
    assert_string_equal(a->state, b->state);
    assert_string_equal(a->why, b->why);
    assert_int_equal(a->floor, b->floor);
    assert_true(a->ahead_gen == b->ahead_gen);
    assert_int_equal(a->plan_gen, b->plan_gen);
    assert_int_equal(a->endpoints, b->endpoints);
    assert_int_equal(a->in_step, b->in_step);
    assert_int_equal(a->behind, b->behind);
    assert_int_equal(a->written, b->written);
    assert_int_equal(a->refused, b->refused);
    assert_int_equal(a->unknown, b->unknown);
    assert_int_equal(a->healed, b->healed);
    assert_int_equal(a->messages, b->messages);
    assert_int_equal(a->read, b->read);
    assert_int_equal(a->latency_ms, b->latency_ms);
    assert_int_equal(a->window, b->window);
    for (int list = 0; list < HF_REPORT_LISTS; list++) {
        expect_names_equal(&a->lists[list], &b->lists[list]);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    struct hf_report_zone zones[2];
    struct hf_report report = sample(zones);
    struct hf_report copy;
    struct hf_buf json;
    hf_buf_init(&json, 1 << 20);
    hf_report_encode(&report, &json);
    assert_int_equal(hf_buf_error(&json), HF_OK);
    assert_non_null(strstr(hf_buf_text(&json), "\"ahead_gen\":\"18446744073709551615\""));
    assert_int_equal(hf_report_decode(json.bytes, json.size, &copy), HF_OK);
    assert_string_equal(copy.enactor, "edge-1");
    assert_string_equal(copy.trouble, "store is gone");
    assert_int_equal(copy.at_ms, report.at_ms);
    assert_int_equal(copy.started_ms, report.started_ms);
    assert_int_equal(copy.pid, 4711);
    assert_int_equal(copy.zone_count, 2);
    expect_zones_equal(&zones[0], &copy.zones[0]);
    expect_zones_equal(&zones[1], &copy.zones[1]);
    assert_int_equal(copy.write_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(copy.writes[i].number, writes[i].number);
        assert_int_equal(copy.writes[i].at_ms, writes[i].at_ms);
        assert_int_equal(copy.writes[i].kind, writes[i].kind);
        assert_int_equal(copy.writes[i].gen, writes[i].gen);
        assert_int_equal(copy.writes[i].met_gen, writes[i].met_gen);
        assert_string_equal(copy.writes[i].zone, writes[i].zone);
        assert_string_equal(copy.writes[i].endpoint, writes[i].endpoint);
        assert_string_equal(copy.writes[i].met_writer, writes[i].met_writer);
    }
    hf_report_release(&copy);
    hf_buf_release(&json);
}

static void test_texts_that_are_not_set(void **state)
{
    (void)state;
    struct hf_report_zone zone = {.zone = "example.", .state = "starting"};
    struct hf_report report = {.enactor = "edge-1", .zones = &zone, .zone_count = 1};
    struct hf_report copy;
    struct hf_buf json;
    hf_buf_init(&json, 1 << 20);
    hf_report_encode(&report, &json);
    assert_int_equal(hf_report_decode(json.bytes, json.size, &copy), HF_OK);
    assert_string_equal(copy.trouble, "");
    assert_string_equal(copy.zones[0].why, "");
    hf_report_release(&copy);
    hf_buf_release(&json);
}

/* A newer enactor may say more. */
static void test_unknown_keys(void **state)
{
    (void)state;
    struct hf_report report;
    const char *json = "{\"version\":1,\"enactor\":\"e\",\"at_ms\":1,\"started_ms\":1,\"pid\":1,"
                       "\"trouble\":\"\",\"zones\":[],\"more\":{\"a\":[1]}}";
    assert_int_equal(hf_report_decode(json, strlen(json), &report), HF_OK);
    assert_int_equal(report.zone_count, 0);
    assert_int_equal(report.write_count, 0);
    hf_report_release(&report);
    json = "{\"version\":1,\"enactor\":\"e\",\"at_ms\":1,\"started_ms\":1,\"pid\":1,"
           "\"trouble\":\"\",\"zones\":[],\"writes\":[{\"number\":1,\"at_ms\":1,\"zone\":\"z\","
           "\"endpoint\":\"e\",\"kind\":\"new\",\"gen\":1,\"met_gen\":0,\"met_writer\":\"\"}]}";
    assert_int_equal(hf_report_decode(json, strlen(json), &report), HF_OK);
    assert_int_equal(report.write_count, 0);
    hf_report_release(&report);
}

static void test_malformed(void **state)
{
    (void)state;
    struct hf_report_zone zones[2];
    struct hf_report report = sample(zones);
    struct hf_report copy;
    struct hf_buf json;
    hf_buf_init(&json, 1 << 20);
    hf_report_encode(&report, &json);
    for (size_t size = 0; size < json.size; size++) {
        assert_int_equal(hf_report_decode(json.bytes, size, &copy), HF_EMALF);
    }
    /* A key that is not there, one after the other. */
    for (size_t i = 0; i + 1 < json.size; i++) {
        bool key = json.bytes[i] == '"' && (i == 0 || strchr("{,", json.bytes[i - 1]) != NULL) &&
                   json.bytes[i + 1] >= 'a' && json.bytes[i + 1] <= 'z' &&
                   memchr(json.bytes + i + 1, '"', json.size - i - 1) != NULL &&
                   ((const char *)memchr(json.bytes + i + 1, '"', json.size - i - 1))[1] == ':';
        bool is_optional = key && (strncmp((const char *)&json.bytes[i], "\"waiting\"", 9) == 0 ||
                                   strncmp((const char *)&json.bytes[i], "\"writes\"", 8) == 0);
        if (key) {
            json.bytes[i + 1] ^= 0x20;
        }
        if (is_optional) { /* enactors did not tell it once */
            assert_int_equal(hf_report_decode(json.bytes, json.size, &copy), HF_OK);
            hf_report_release(&copy);
            json.bytes[i + 1] ^= 0x20;
        } else if (key) {
            assert_int_equal(hf_report_decode(json.bytes, json.size, &copy), HF_EMALF);
            json.bytes[i + 1] ^= 0x20;
        }
    }
    assert_int_equal(hf_report_decode(json.bytes, json.size, &copy), HF_OK);
    hf_report_release(&copy);
    hf_buf_release(&json);
}

static void test_bounds(void **state)
{
    (void)state;
    struct hf_report report;
    struct hf_buf json;
    hf_buf_init(&json, 1 << 24);
    hf_buf_put_text(&json,
                    "{\"version\":1,\"enactor\":\"e\",\"at_ms\":1,\"started_ms\":1,\"pid\":1,"
                    "\"trouble\":\"\",\"zones\":[1");
    for (uint32_t i = 0; i < HF_REPORT_ZONES_MAX; i++) {
        hf_buf_put_text(&json, ",1");
    }
    hf_buf_put_text(&json, "]}");
    assert_int_equal(hf_report_decode(json.bytes, json.size, &report), HF_EMALF);
    hf_buf_release(&json);
}

static void test_list_names(void **state)
{
    (void)state;
    assert_string_equal(hf_report_list_name(HF_REPORT_CLAIMED), "claimed");
    assert_string_equal(hf_report_list_name(HF_REPORT_CONTESTED), "contested");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_texts_that_are_not_set),
        cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_list_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
