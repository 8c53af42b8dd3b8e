/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities: what is read, what is refused, and that what is written is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/quantity.h"

static const struct {
    const char *text;
    enum hf_quantity kind;
    double value; /* below 0: refused */
} rows[] = {
    {"250us", HF_QUANTITY_DURATION, 0.00025},
    {"1h30m", HF_QUANTITY_DURATION, 5400},
    {"1.5s", HF_QUANTITY_DURATION, 1.5},
    {"0s", HF_QUANTITY_DURATION, 0},
    {"2d1ms", HF_QUANTITY_DURATION, 172800.001},
    {"30m1h", HF_QUANTITY_DURATION, -1}, /* from the largest down */
    {"1h1h", HF_QUANTITY_DURATION, -1},
    {"90", HF_QUANTITY_DURATION, -1},
    {"-1s", HF_QUANTITY_DURATION, -1},
    {"", HF_QUANTITY_DURATION, -1},
    {"1.s", HF_QUANTITY_DURATION, -1},
    {"5s ", HF_QUANTITY_DURATION, -1},
    {"1.5M", HF_QUANTITY_COUNT, 1.5e6},
    {"20k", HF_QUANTITY_COUNT, 20000},
    {"7", HF_QUANTITY_COUNT, 7},
    {"20 k", HF_QUANTITY_COUNT, -1},
    {"20kk", HF_QUANTITY_COUNT, -1},
    {"0x10", HF_QUANTITY_COUNT, -1},
    {"1e6", HF_QUANTITY_COUNT, -1},
    {"500/s", HF_QUANTITY_RATE, 500},
    {"90/m", HF_QUANTITY_RATE, 1.5},
    {"20k/s", HF_QUANTITY_RATE, 20000},
    {"500", HF_QUANTITY_RATE, -1},
    {"500/x", HF_QUANTITY_RATE, -1},
    {"30%", HF_QUANTITY_SHARE, 0.3},
    {"0.3", HF_QUANTITY_SHARE, -1},
    {"1.1", HF_QUANTITY_RATIO, 1.1},
    {"1.1%", HF_QUANTITY_RATIO, -1},
};

/* Counts are asked whether they are whole: what a sweep writes has to be. */
static void test_counts_are_exact(void **state)
{
    (void)state;
    for (uint32_t count = 1000; count < 1000000; count += 10) {
        char text[HF_QUANTITY_TEXT_MAX];
        double value = 0;
        (void)snprintf(text, sizeof(text), "%u.%03uk", count / 1000, count % 1000);
        assert_int_equal(hf_quantity_parse(text, HF_QUANTITY_COUNT, &value), HF_OK);
        assert_true(value == count);
    }
}

static void test_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double value = -7;
        int error = hf_quantity_parse(rows[i].text, rows[i].kind, &value);
        bool agrees = rows[i].value < 0
                          ? error == HF_EMALF && value == -7
                          : error == HF_OK && fabs(value - rows[i].value) <= 1e-9 * rows[i].value;
        if (!agrees) {
            print_error("%s: error %d, value %g\n", rows[i].text, error, value);
        }
        assert_true(agrees);
    }
}

static void test_limit(void **state)
{
    (void)state;
    double value = 0;
    assert_int_equal(hf_quantity_parse("1000000G", HF_QUANTITY_COUNT, &value), HF_OK);
    assert_true(value == HF_QUANTITY_MAX);
    assert_int_equal(hf_quantity_parse("1000001G", HF_QUANTITY_COUNT, &value), HF_ELIMIT);
    assert_true(value == HF_QUANTITY_MAX);
}

static void test_writing(void **state)
{
    (void)state;
    static const struct {
        double value;
        enum hf_quantity kind;
        const char *text;
    } written[] = {
        {5400, HF_QUANTITY_DURATION, "1h30m"}, {9420, HF_QUANTITY_DURATION, "2h37m"},
        {3599.7, HF_QUANTITY_DURATION, "1h"},  {0.25, HF_QUANTITY_DURATION, "250ms"},
        {0, HF_QUANTITY_DURATION, "0s"},       {61, HF_QUANTITY_DURATION, "1m1s"},
        {172800, HF_QUANTITY_DURATION, "2d"},  {1000000, HF_QUANTITY_COUNT, "1M"},
        {12345, HF_QUANTITY_COUNT, "12.35k"},  {9999, HF_QUANTITY_COUNT, "9999"},
        {9999.6, HF_QUANTITY_COUNT, "10k"},    {500, HF_QUANTITY_RATE, "500/s"},
        {0.3, HF_QUANTITY_SHARE, "30%"},       {1.1, HF_QUANTITY_RATIO, "1.1"},
    };
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        char text[HF_QUANTITY_TEXT_MAX];
        double value = 0;
        hf_quantity_text(written[i].value, written[i].kind, text);
        assert_string_equal(text, written[i].text);
        assert_int_equal(hf_quantity_parse(text, written[i].kind, &value), HF_OK);
        assert_true(fabs(value - written[i].value) <= 0.01 * written[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_counts_are_exact),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
