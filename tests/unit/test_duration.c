/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "codec/duration.h"

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        uint32_t ms;
    } cases[] = {
        {"0ms", HF_OK, 0},
        {"0s", HF_OK, 0},
        {"250ms", HF_OK, 250},
        {"2s", HF_OK, 2000},
        {"5m", HF_OK, 300000},
        {"1h", HF_OK, 3600000},
        {"7d", HF_OK, 604800000},
        {"49d", HF_OK, 4233600000},
        {"4294967295ms", HF_OK, UINT32_MAX},
        {"4294967296ms", HF_ELIMIT, 0},
        {"50d", HF_ELIMIT, 0},
        {"18446744073709551617ms", HF_ELIMIT, 0},
        {"", HF_EMALF, 0},
        {"5", HF_EMALF, 0},
        {"s", HF_EMALF, 0},
        {"-5s", HF_EMALF, 0},
        {"5 s", HF_EMALF, 0},
        {" 5s", HF_EMALF, 0},
        {"5s ", HF_EMALF, 0},
        {"5S", HF_EMALF, 0},
        {"5sec", HF_EMALF, 0},
        {"1.5s", HF_EMALF, 0},
        {"1h30m", HF_EMALF, 0},
        {"5w", HF_EMALF, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t ms = 77;
        assert_int_equal(hf_duration_parse(cases[i].text, &ms), cases[i].error);
        assert_int_equal(ms, cases[i].error == HF_OK ? cases[i].ms : 77);
    }
}

static void test_ranges(void **state)
{
    (void)state;
    uint32_t low = 1;
    uint32_t high = 1;
    assert_int_equal(hf_duration_range_parse("10s..5m", &low, &high), HF_OK);
    assert_int_equal(low, 10000);
    assert_int_equal(high, 300000);
    assert_int_equal(hf_duration_range_parse("0s", &low, &high), HF_OK);
    assert_int_equal(low, 0);
    assert_int_equal(high, 0);
    static const char *const wrong[] = {"5m..10s", "10s..",  "..5m", "10s.5m",    "10s...5m",
                                        "10..5m",  "10s-5m", "",     "1s..2s..3s"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        low = high = 77;
        assert_int_equal(hf_duration_range_parse(wrong[i], &low, &high), HF_EMALF);
        assert_int_equal(low, 77);
        assert_int_equal(high, 77);
    }
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t permille;
        uint32_t window_ms;
    } right[] = {
        {"34% per 60s", 340, 60000},    {"0% per 1ms", 0, 1},
        {"100% per 1h", 1000, 3600000}, {"100.0% per 1h", 1000, 3600000},
        {"2.5 %  per  5m", 25, 300000}, {"0.1%per 1d", 1, 86400000},
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        uint16_t permille = 7777;
        uint32_t window_ms = 77;
        assert_int_equal(hf_rate_parse(right[i].text, &permille, &window_ms), HF_OK);
        assert_int_equal(permille, right[i].permille);
        assert_int_equal(window_ms, right[i].window_ms);
    }
    static const char *const wrong[] = {
        "34",          "34%",           "34% per",      "34% per 60", "34% per 0s",
        "101% per 1s", "100.1% per 1s", "2.55% per 1s", "2.% per 1s", "-1% per 1s",
        "34 per 60s",  "34% in 60s",    "34% per 60s!", "% per 60s",  ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint16_t permille = 7777;
        uint32_t window_ms = 77;
        assert_int_equal(hf_rate_parse(wrong[i], &permille, &window_ms), HF_EMALF);
        assert_int_equal(permille, 7777);
        assert_int_equal(window_ms, 77);
    }
}

static void test_texts_are_read_back(void **state)
{
    (void)state;
    static const uint32_t values[] = {0,     1,     999,     1000,     1001,      59000,
                                      60000, 90000, 3600000, 86400000, 604800000, UINT32_MAX};
    static const char *const texts[] = {"0s", "1ms", "999ms", "1s", "1001ms", "59s",
                                        "1m", "90s", "1h",    "1d", "7d",     "4294967295ms"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[HF_DURATION_TEXT_MAX];
        uint32_t ms = 77;
        hf_duration_text(values[i], text);
        assert_string_equal(text, texts[i]);
        assert_int_equal(hf_duration_parse(text, &ms), HF_OK);
        assert_int_equal(ms, values[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_texts_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
