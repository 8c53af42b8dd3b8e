/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prometheus' text format, sample by sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "codec/exposition.h"

enum { TEXT_MAX = 4096 };

static const struct hf_exposition_family family = {"a_seconds", "gauge", "zone", "How long."};

static void expect(const struct hf_exposition_label *labels, uint32_t count, uint64_t value,
                   unsigned decimals, const char *text)
{
    struct hf_buf buf;
    struct hf_exposition exposition = {.text = &buf};
    hf_buf_init(&buf, TEXT_MAX);
    hf_exposition_begin(&exposition, &family);
    exposition.is_headed = true;
    hf_exposition_put(&exposition, labels, count, value, decimals);
    assert_string_equal(hf_buf_text(&buf), text);
    hf_buf_release(&buf);
}

static void a_head_comes_once_and_with_the_first_sample(void **state)
{
    struct hf_buf buf;
    struct hf_exposition exposition = {.text = &buf};
    struct hf_exposition_label label = {"zone", "a."};
    (void)state;
    hf_buf_init(&buf, TEXT_MAX);
    hf_exposition_begin(&exposition, &family);
    assert_int_equal(buf.size, 0);
    hf_exposition_put(&exposition, &label, 1, 1, 0);
    label.value = "b.";
    hf_exposition_put(&exposition, &label, 1, 2, 0);
    assert_string_equal(hf_buf_text(&buf), "# HELP a_seconds How long.\n"
                                           "# TYPE a_seconds gauge\n"
                                           "a_seconds{zone=\"a.\"} 1\n"
                                           "a_seconds{zone=\"b.\"} 2\n");
    hf_buf_release(&buf);
}

static void labels_may_hold_anything(void **state)
{
    static const struct {
        const char *value, *text;
    } cases[] = {
        {"a\\.b\\032.test.", "a_seconds{zone=\"a\\\\.b\\\\032.test.\"} 1\n"},
        {"say \"x\"\n", "a_seconds{zone=\"say \\\"x\\\"\\n\"} 1\n"},
        {"m\xc3\xbcller {a=\"b\"} 7", "a_seconds{zone=\"m\xc3\xbcller {a=\\\"b\\\"} 7\"} 1\n"},
        {"cut \xc3", "a_seconds{zone=\"cut \xef\xbf\xbd\"} 1\n"},
        {"\x80\xff", "a_seconds{zone=\"\xef\xbf\xbd\xef\xbf\xbd\"} 1\n"},
        {"tab\t\x01", "a_seconds{zone=\"tab\t\x01\"} 1\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_exposition_label label = {"zone", cases[i].value};
        expect(&label, 1, 1, 0, cases[i].text);
    }
}

static void an_empty_label_is_left_out(void **state)
{
    const struct hf_exposition_label labels[] = {{"a", ""}, {"b", "x"}, {"c", NULL}, {"d", "y"}};
    (void)state;
    expect(labels, 4, 1, 0, "a_seconds{b=\"x\",d=\"y\"} 1\n");
    expect(labels, 1, 1, 0, "a_seconds 1\n");
    expect(NULL, 0, 1, 0, "a_seconds 1\n");
}

static void numbers_are_in_base_units(void **state)
{
    (void)state;
    expect(NULL, 0, 0, 3, "a_seconds 0\n");
    expect(NULL, 0, 5, 3, "a_seconds 0.005\n");
    expect(NULL, 0, 1700000000123, 3, "a_seconds 1700000000.123\n");
    expect(NULL, 0, 2000, 3, "a_seconds 2\n");
    expect(NULL, 0, 1500001, 6, "a_seconds 1.500001\n");
    expect(NULL, 0, UINT64_MAX, 0, "a_seconds 18446744073709551615\n");
}

static void a_full_buf_is_an_error(void **state)
{
    struct hf_buf buf;
    struct hf_exposition exposition = {.text = &buf};
    (void)state;
    hf_buf_init(&buf, 20);
    hf_exposition_begin(&exposition, &family);
    hf_exposition_put(&exposition, NULL, 0, 1, 0);
    assert_int_equal(hf_buf_error(&buf), HF_ELIMIT);
    hf_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_comes_once_and_with_the_first_sample),
        cmocka_unit_test(labels_may_hold_anything),
        cmocka_unit_test(an_empty_label_is_left_out),
        cmocka_unit_test(numbers_are_in_base_units),
        cmocka_unit_test(a_full_buf_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
