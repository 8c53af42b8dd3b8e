/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "codec/json.h"
#include "codec/utf8.h"

static void write_sample(struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_text(json, "name", "api.example.test.");
    hf_json_put_u64(json, "gen", UINT64_MAX);
    hf_json_put_i64(json, "low", INT64_MIN);
    hf_json_put_bool(json, "up", true);
    hf_json_put_bool(json, "down", false);
    hf_json_put_null(json, "none");
    hf_json_put_text(json, "absent", NULL);
    hf_json_key(json, "list");
    hf_json_array(json);
    hf_json_u64(json, 1);
    hf_json_object(json);
    hf_json_object_end(json);
    hf_json_array(json);
    hf_json_array_end(json);
    hf_json_array_end(json);
    hf_json_object_end(json);
}

static void test_compact(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 4096);
    struct hf_json json;
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    write_sample(&json);
    assert_int_equal(hf_json_error(&json), HF_OK);
    assert_string_equal(hf_buf_text(&buf),
                        "{\"name\":\"api.example.test.\",\"gen\":18446744073709551615,"
                        "\"low\":-9223372036854775808,\"up\":true,\"down\":false,\"none\":null,"
                        "\"absent\":null,\"list\":[1,{},[]]}");
    hf_buf_release(&buf);
}

static void test_pretty(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 4096);
    struct hf_json json;
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "a", 1);
    hf_json_key(&json, "b");
    hf_json_array(&json);
    hf_json_text(&json, "x");
    hf_json_array(&json);
    hf_json_array_end(&json);
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    assert_string_equal(hf_buf_text(&buf),
                        "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    []\n  ]\n}");
    hf_buf_release(&buf);
}

static void check_string(const char *bytes, size_t size, const char *expected)
{
    struct hf_buf buf;
    hf_buf_init(&buf, 4096);
    struct hf_json json;
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    hf_json_bytes(&json, bytes, size);
    assert_string_equal(hf_buf_text(&buf), expected);
    hf_buf_release(&buf);
}

static void test_strings_are_escaped(void **state)
{
    (void)state;
    check_string("", 0, "\"\"");
    check_string("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    check_string("\n\r\t\x01\x7f", 5, "\"\\n\\r\\t\\u0001\\u007f\"");
    check_string("a\0b", 3, "\"a\\u0000b\"");
    check_string("gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\"");
    check_string("/<>&", 4, "\"/<>&\"");
}

static void test_invalid_utf8_is_replaced(void **state)
{
    (void)state;
    check_string("\xff", 1, "\"\xef\xbf\xbd\"");
    check_string("a\xc3", 2, "\"a\xef\xbf\xbd\"");
    check_string("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    check_string("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    check_string("\xe2\x82\"", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"");
    check_string("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Another reader agrees with every string of two octets. */
static void test_jansson_reads_it(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 4096);
    for (unsigned pair = 0; pair < 65536; pair += 7) {
        hf_buf_clear(&buf);
        struct hf_json json;
        hf_json_init(&json, &buf, HF_JSON_COMPACT);
        uint8_t bytes[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        hf_json_array(&json);
        hf_json_bytes(&json, bytes, 2);
        hf_json_array_end(&json);
        json_t *read = json_loadb((char *)buf.bytes, buf.size, JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        json_t *text = json_array_get(read, 0);
        if (hf_utf8_size(bytes, 2) == 2 || (bytes[0] < 0x80 && bytes[1] < 0x80)) {
            assert_int_equal(json_string_length(text), 2);
            assert_memory_equal(json_string_value(text), bytes, 2);
        }
        json_decref(read);
    }
    hf_buf_release(&buf);
}

static void test_a_full_buf_is_an_error(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 20);
    struct hf_json json;
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    write_sample(&json);
    assert_int_equal(hf_json_error(&json), HF_ELIMIT);
    hf_buf_release(&buf);
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 4096);
    struct hf_json json;
    hf_json_init(&json, &buf, HF_JSON_COMPACT);
    for (int i = 0; i < HF_JSON_DEPTH_MAX; i++) {
        hf_json_array(&json);
    }
    assert_int_equal(hf_json_error(&json), HF_OK);
    hf_json_array(&json);
    assert_int_equal(hf_json_error(&json), HF_ELIMIT);
    hf_json_u64(&json, 1);
    hf_json_array_end(&json);
    assert_int_equal(buf.size, HF_JSON_DEPTH_MAX);
    hf_buf_release(&buf);
}

static void test_utf8_round_trip(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x110000; code_point += 13) {
        uint8_t bytes[4];
        size_t size = hf_utf8_put(code_point, bytes);
        if (code_point >= 0xd800 && code_point <= 0xdfff) {
            assert_int_equal(size, 0);
        } else {
            assert_int_equal(hf_utf8_size(bytes, size), size);
            assert_int_equal(hf_utf8_size(bytes, size - 1), 0);
        }
    }
    uint8_t bytes[4];
    assert_int_equal(hf_utf8_put(0x110000, bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_invalid_utf8_is_replaced),
        cmocka_unit_test(test_jansson_reads_it),
        cmocka_unit_test(test_a_full_buf_is_an_error),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_utf8_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
