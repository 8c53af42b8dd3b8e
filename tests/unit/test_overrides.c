/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/overrides.h"

static struct hf_override item(enum hf_override_kind kind, const char *subject, uint64_t at_ms)
{
    return (struct hf_override){
        .kind = kind, .subject = subject, .who = "ann", .why = "disk", .at_ms = at_ms};
}

static void set(struct hf_overrides *overrides, enum hf_override_kind kind, const char *subject,
                uint64_t at_ms)
{
    struct hf_override one = item(kind, subject, at_ms);
    assert_int_equal(hf_overrides_set(overrides, &one), HF_OK);
}

static void test_set_and_remove(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    hf_overrides_init(&overrides);
    char subject[] = "web-1";
    set(&overrides, HF_OVERRIDE_DRAIN_BACKEND, subject, 10);
    subject[0] = 'x'; /* texts are copied */
    set(&overrides, HF_OVERRIDE_DRAIN_SITE, "web-1", 20);
    set(&overrides, HF_OVERRIDE_FREEZE, "*", 15); /* a clock that was set back: still in order */
    assert_int_equal(overrides.count, 3);
    assert_string_equal(overrides.items[1].subject, "*");
    const struct hf_override *found =
        hf_overrides_find(&overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1");
    assert_non_null(found);
    assert_string_equal(found->who, "ann");
    assert_string_equal(found->text, "");
    assert_null(hf_overrides_find(&overrides, HF_OVERRIDE_PIN, "web-1"));

    set(&overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1", 30); /* replaces */
    assert_int_equal(overrides.count, 3);
    assert_int_equal(overrides.items[2].at_ms, 30);
    assert_int_equal(hf_overrides_remove(&overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1"), HF_OK);
    assert_int_equal(hf_overrides_remove(&overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1"),
                     HF_ENOENT);
    assert_int_equal(overrides.count, 2);
    hf_overrides_release(&overrides);
    assert_int_equal(overrides.count, 0);
}

static void test_set_refuses(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    hf_overrides_init(&overrides);
    struct hf_override one = item(HF_OVERRIDE_FREEZE, "", 1);
    assert_int_equal(hf_overrides_set(&overrides, &one), HF_EINVAL);
    one.subject = NULL;
    assert_int_equal(hf_overrides_set(&overrides, &one), HF_EINVAL);
    one = item(HF_OVERRIDE_FREEZE, "example.test.", 1);
    one.why = "caf\xe9";
    assert_int_equal(hf_overrides_set(&overrides, &one), HF_EINVAL);
    assert_int_equal(overrides.count, 0);
    char *large = malloc(HF_OVERRIDES_BYTES_MAX + 1);
    assert_non_null(large);
    memset(large, 'x', HF_OVERRIDES_BYTES_MAX);
    large[HF_OVERRIDES_BYTES_MAX] = 0;
    one.why = large;
    assert_int_equal(hf_overrides_set(&overrides, &one), HF_ELIMIT);
    assert_int_equal(overrides.count, 0);
    free(large);
    hf_overrides_release(&overrides);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    struct hf_overrides copy;
    struct hf_buf json;
    hf_overrides_init(&overrides);
    hf_buf_init(&json, 1 << 20);
    for (int kind = 0; kind <= HF_OVERRIDE_APPROVE; kind++) {
        set(&overrides, (enum hf_override_kind)kind, "\"caf\xc3\xa9\"\n", 5 + (uint64_t)kind);
    }
    struct hf_override pin = {.kind = HF_OVERRIDE_PIN,
                              .subject = "api.example.test.",
                              .text = "web-1 192.0.2.1\nweb-2 192.0.2.2 2001:db8::2\n",
                              .who = "bob",
                              .why = "bad release",
                              .at_ms = UINT64_MAX,
                              .gen = UINT64_MAX};
    assert_int_equal(hf_overrides_set(&overrides, &pin), HF_OK);
    overrides.revision = 7;
    hf_overrides_encode(&overrides, &json);
    assert_int_equal(hf_buf_error(&json), HF_OK);
    assert_int_equal(hf_overrides_decode(json.bytes, json.size, &copy), HF_OK);
    assert_int_equal(copy.count, overrides.count);
    assert_int_equal(copy.revision, 7);
    for (uint32_t i = 0; i < copy.count; i++) {
        const struct hf_override *a = &overrides.items[i];
        const struct hf_override *b = &copy.items[i];
        assert_int_equal(a->kind, b->kind);
        assert_string_equal(a->subject, b->subject);
        assert_string_equal(a->text, b->text);
        assert_string_equal(a->who, b->who);
        assert_string_equal(a->why, b->why);
        assert_true(a->at_ms == b->at_ms && a->gen == b->gen);
    }
    hf_buf_release(&json);
    hf_overrides_release(&overrides);
    hf_overrides_release(&copy);
}

static void test_form(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    struct hf_buf json;
    hf_overrides_init(&overrides);
    hf_buf_init(&json, 1 << 20);
    set(&overrides, HF_OVERRIDE_DRAIN_BACKEND, "web-1", 1700000000000);
    hf_overrides_encode(&overrides, &json);
    assert_string_equal(hf_buf_text(&json),
                        "{\"version\":1,\"revision\":0,\"items\":[{\"kind\":\"drain-backend\","
                        "\"subject\":\"web-1\",\"text\":\"\",\"who\":\"ann\",\"why\":\"disk\","
                        "\"at_ms\":1700000000000,\"gen\":0}]}");
    hf_buf_release(&json);
    hf_overrides_release(&overrides);
}

#define ITEM(kind, subject, at)                                                                    \
    "{\"kind\":\"" kind "\",\"subject\":\"" subject                                                \
    "\",\"text\":\"\",\"who\":\"\",\"why\":\"\",\"at_ms\":" at ",\"gen\":0}"
#define ALL(items) "{\"version\":1,\"revision\":3,\"items\":[" items "]}"

static const char *const malformed[] = {
    "",
    "null",
    "[]",
    "{}",
    ALL("") " x",
    "{\"version\":2,\"revision\":3,\"items\":[]}",
    "{\"version\":1,\"revision\":-1,\"items\":[]}",
    "{\"version\":1,\"revision\":\"5\",\"items\":[]}", /* strings above 2^53 - 1 only */
    "{\"version\":1,\"revision\":\"18446744073709551616\",\"items\":[]}",
    "{\"version\":1,\"revision\":3}",
    "{\"version\":1,\"revision\":3,\"items\":{}}",
    "{\"version\":1,\"revision\":3,\"items\":[],\"more\":1}",
    "{\"version\":1,\"version\":1,\"revision\":3,\"items\":[]}",
    ALL("1"),
    ALL(ITEM("melt", "web-1", "1")),
    ALL(ITEM("freeze", "", "1")),
    ALL(ITEM("freeze", "*", "-1")),
    ALL(ITEM("freeze", "*", "1.5")),
    ALL(ITEM("freeze", "*\\u0000", "1")),
    ALL(ITEM("freeze", "\xff", "1")),
    ALL(ITEM("freeze", "*", "1") "," ITEM("freeze", "*", "2")),
    ALL(ITEM("freeze", "a", "2") "," ITEM("freeze", "b", "1")),
    ALL("{\"kind\":\"freeze\",\"subject\":\"*\"}"),
    ALL("{\"kind\":\"freeze\",\"subject\":\"*\",\"text\":\"\",\"who\":\"\",\"why\":\"\",\"at_ms\":"
        "1,"
        "\"gen\":0,\"until_ms\":9}"), /* a key that saving would lose */
    ALL("{\"kind\":\"freeze\",\"subject\":7,\"text\":\"\",\"who\":\"\",\"why\":\"\",\"at_ms\":1,"
        "\"gen\":0}"),
};

static void test_malformed(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    const char *good = ALL(ITEM("freeze", "a", "1") "," ITEM("freeze", "b", "1"));
    assert_int_equal(hf_overrides_decode(good, strlen(good), &overrides), HF_OK);
    hf_overrides_release(&overrides);
    for (size_t size = 0; size < strlen(good); size++) {
        assert_int_equal(hf_overrides_decode(good, size, &overrides), HF_EMALF);
    }
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        if (hf_overrides_decode(malformed[i], strlen(malformed[i]), &overrides) != HF_EMALF) {
            fail_msg("not refused: %s", malformed[i]);
        }
    }
}

static void test_as_many_as_allowed(void **state)
{
    (void)state;
    struct hf_overrides overrides;
    struct hf_buf json;
    hf_overrides_init(&overrides);
    hf_buf_init(&json, HF_OVERRIDES_BYTES_MAX);
    hf_buf_put_text(&json, "{\"version\":1,\"revision\":3,\"items\":[");
    for (uint32_t i = 0; i < HF_OVERRIDES_MAX; i++) {
        hf_buf_printf(&json,
                      "%s{\"kind\":\"pin\",\"subject\":\"e%u.\",\"text\":\"\",\"who\":\"\","
                      "\"why\":\"\",\"at_ms\":%u,\"gen\":0}",
                      i > 0 ? "," : "", i, i);
    }
    hf_buf_put_text(&json, "]}");
    assert_int_equal(hf_buf_error(&json), HF_OK);
    assert_int_equal(hf_overrides_decode(json.bytes, json.size, &overrides), HF_OK);
    assert_int_equal(overrides.count, HF_OVERRIDES_MAX);
    struct hf_override more = item(HF_OVERRIDE_PIN, "more.", UINT64_MAX);
    assert_int_equal(hf_overrides_set(&overrides, &more), HF_ELIMIT);
    more.subject = "e5.";
    assert_int_equal(hf_overrides_set(&overrides, &more), HF_OK);
    assert_int_equal(overrides.count, HF_OVERRIDES_MAX);
    hf_buf_release(&json);
    hf_overrides_release(&overrides);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_remove), cmocka_unit_test(test_set_refuses),
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_form),
        cmocka_unit_test(test_malformed),      cmocka_unit_test(test_as_many_as_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
