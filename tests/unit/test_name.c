/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static const uint8_t *name(const char *text, uint8_t wire[HF_NAME_MAX])
{
    assert_int_equal(hf_name_parse(text, wire), HF_OK);
    return wire;
}

static void text_and_wire(void **state)
{
    (void)state;
    uint8_t wire[HF_NAME_MAX];
    char text[HF_NAME_TEXT_MAX];
    const char *const cases[][2] = {
        {"example.test.", "example.test."},
        {"EXAMPLE.Test", "example.test."},
        {".", "."},
        {"_holdfast.a.test", "_holdfast.a.test."},
        {"*.example.test.", "*.example.test."},
        {"a\\.b.test.", "a\\.b.test."},
        {"a\\000b.test.", "a\\000b.test."},
        {"\\255.test.", "\\255.test."},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hf_name_text(name(cases[i][0], wire), text);
        assert_string_equal(text, cases[i][1]);
    }
    name("ab.c", wire);
    assert_memory_equal(wire, "\2ab\1c\0", 6);
    assert_int_equal(hf_name_size(wire), 6);
    assert_int_equal(hf_name_size(name(".", wire)), 1);
}

static void what_is_no_name(void **state)
{
    (void)state;
    char label64[80];
    memset(label64, 'a', 64);
    memcpy(label64 + 64, ".test", 6);
    char name256[260];
    for (size_t i = 0; i < 254; i++) {
        name256[i] = i % 2 == 0 ? 'a' : '.';
    }
    memcpy(name256 + 254, "aa", 3); /* 127 labels of one octet and one of two */
    const char *const cases[] = {"",         "..",  "a..b",          ".a",  label64,      name256,
                                 "a b.test", "a\\", "\xc3\xa4.test", "a\n", "a\\300.test"};
    uint8_t wire[HF_NAME_MAX] = {42};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hf_name_parse(cases[i], wire), HF_EMALF);
        assert_int_equal(wire[0], 42);
    }
    name256[253] = 0; /* 127 labels of one octet: as long as a name can be */
    assert_int_equal(hf_name_parse(name256, wire), HF_OK);
    assert_int_equal(hf_name_size(wire), HF_NAME_MAX);
    uint8_t longer[HF_NAME_MAX];
    assert_int_equal(hf_name_prefix("a", wire, longer), HF_ELIMIT);
    assert_int_equal(hf_name_fence_of(wire, longer), HF_ELIMIT);
}

static void relations(void **state)
{
    (void)state;
    uint8_t a[HF_NAME_MAX];
    uint8_t b[HF_NAME_MAX];
    assert_true(hf_name_equal(name("a.test", a), name("A.TEST.", b)));
    assert_false(hf_name_equal(name("a.test", a), name("b.test", b)));
    assert_false(hf_name_equal(name("a.test", a), name("a.a.test", b)));
    assert_true(hf_name_is_within(name("a.test", a), name("test", b)));
    assert_true(hf_name_is_within(name("test", a), name("test", b)));
    assert_true(hf_name_is_within(name("a.b.test", a), name(".", b)));
    assert_false(hf_name_is_within(name("test", a), name("a.test", b)));
    assert_false(hf_name_is_within(name("atest", a), name("test", b)));
    assert_false(hf_name_is_within(name("a.tesu", a), name("test", b)));
    /* The octets of the zone's name stand inside a label: not within. */
    assert_false(hf_name_is_within(name("x\\004test", a), name("test", b)));
}

/* The order of RFC 4034 section 6.1's example. */
static void canonical_order(void **state)
{
    (void)state;
    const char *const ordered[] = {
        "example",   "a.example",       "yljkjljk.a.example", "z.a.example",     "zabc.a.example",
        "z.example", "\\001.z.example", "*.z.example",        "\\200.z.example",
    };
    uint8_t a[HF_NAME_MAX];
    uint8_t b[HF_NAME_MAX];
    const size_t count = sizeof(ordered) / sizeof(ordered[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = hf_name_compare(name(ordered[i], a), name(ordered[j], b));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void fence_and_guard_owners(void **state)
{
    (void)state;
    uint8_t endpoint[HF_NAME_MAX];
    uint8_t fence[HF_NAME_MAX];
    char text[HF_NAME_TEXT_MAX];
    const uint8_t *back = NULL;
    assert_int_equal(hf_name_fence_of(name("api.example.test", endpoint), fence), HF_OK);
    hf_name_text(fence, text);
    assert_string_equal(text, "_holdfast.api.example.test.");
    assert_int_equal(hf_name_endpoint_of(fence, &back), HF_OK);
    assert_true(hf_name_equal(back, endpoint));
    assert_int_equal(hf_name_guard_of(name("example.test", endpoint), fence), HF_OK);
    hf_name_text(fence, text);
    assert_string_equal(text, "_holdfast-zone.example.test.");
    back = NULL;
    assert_int_equal(hf_name_endpoint_of(fence, &back), HF_ENOENT);
    assert_int_equal(hf_name_endpoint_of(endpoint, &back), HF_ENOENT);
    assert_null(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_wire),
        cmocka_unit_test(what_is_no_name),
        cmocka_unit_test(relations),
        cmocka_unit_test(canonical_order),
        cmocka_unit_test(fence_and_guard_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
