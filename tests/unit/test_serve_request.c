/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets, header fields and the judge of requests, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/serve_field.h"
#include "codec/serve_judge.h"
#include "codec/serve_target.h"

enum { TARGET_ROOM = 4096, BODY_MAX = 1000 };

#define READER "reader-token-0123456789"
#define OPERATOR "operator-token-01234567"

/* "/path|name=value|…", or "!" and why it is refused. */
static void expect_target(const char *text, const char *expected)
{
    char room[TARGET_ROOM], seen[TARGET_ROOM];
    struct hf_serve_target target = {0};
    const char *why = "";
    (void)snprintf(room, sizeof room, "%s", text);
    int error = hf_serve_target_parse(room, &target, &why);
    if (error != HF_OK) {
        (void)snprintf(seen, sizeof seen, "!%s", error == HF_ELIMIT ? "limit" : "malformed");
        assert_true(strlen(why) > 0);
        assert_null(target.path); /* untouched */
    } else {
        int size = snprintf(seen, sizeof seen, "%s", target.path);
        for (uint32_t i = 0; i < target.query_count; i++) {
            size += snprintf(seen + size, sizeof seen - (size_t)size, "|%s=%s",
                             target.query[i].name, target.query[i].value);
        }
    }
    assert_string_equal(seen, expected);
}

static void test_targets(void **state)
{
    (void)state;
    expect_target("/", "/");
    expect_target("/a", "/a");
    expect_target("/a/b.c/%41%62%c3%a4", "/a/b.c/Ab\xc3\xa4");
    expect_target("/a%2Fb", "/a/b");
    expect_target("/a+b", "/a+b");
    expect_target("/a?b=c+d&e=%2B&f", "/a|b=c d|e=+|f=");
    expect_target("/a?b=c=d&b=", "/a|b=c=d|b=");
    expect_target("/a?&&b&", "/a|b=");
    expect_target("/a?b=?", "/a|b=?");
    expect_target("/...", "/...");
    expect_target("/a?b=%26%3d", "/a|b=&=");
    static const char *const malformed[] = {
        "",          "a",         "*",       "//",       "/a/",       "/a//b",      "/.",
        "/..",       "/a/..",     "/../a",   "/%2e",     "/%2E%2e/a", "/a%2f",      "/a%2F%2F",
        "/%",        "/%4",       "/%4g",    "/a%",      "/%00",      "/%0a",       "/%7F",
        "/%80",      "/%c3",      "/%c3%28", "/%c0%80",  "/%f5",      "/%ed%a0%80", "/\x01",
        "/a?%",      "/a?b=%0d",  "/a?=b",   "/a?b=%ff", "/a?b%00=c", "/%c2%9f",    "http://a/b",
        "/a?b=\x7f", "/a?b=c&=d",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        expect_target(malformed[i], "!malformed");
    }
}

static void test_parameters_have_a_limit(void **state)
{
    (void)state;
    char text[TARGET_ROOM] = "/a?";
    struct hf_serve_target target;
    const char *why = "";
    for (int i = 0; i < HF_SERVE_QUERY_MAX; i++) {
        size_t size = strlen(text);
        (void)snprintf(text + size, sizeof text - size, "p%d=%d&", i, i);
    }
    char room[TARGET_ROOM];
    memcpy(room, text, sizeof room);
    assert_int_equal(hf_serve_target_parse(room, &target, &why), HF_OK);
    assert_int_equal(target.query_count, HF_SERVE_QUERY_MAX);
    assert_string_equal(target.query[HF_SERVE_QUERY_MAX - 1].value, "15");
    (void)snprintf(room, sizeof room, "%sx", text);
    expect_target(room, "!limit");
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host, *name; /* NULL: none */
    } table[] = {
        {"localhost", "localhost"},
        {"LocalHost.:8053", "localhost"},
        {"192.0.2.1:80", "192.0.2.1"},
        {"[::1]", "::1"},
        {"[2001:DB8::1]:8053", "2001:db8::1"},
        {"a-b_c.example:", "a-b_c.example"},
        {".", "."},
        {"", NULL},
        {":80", NULL},
        {"[]", NULL},
        {"[::1", NULL},
        {"::1", NULL},
        {"[::1]x", NULL},
        {"a:80:90", NULL},
        {"a:8o", NULL},
        {"a b", NULL},
        {"a@b", NULL},
        {"a/b", NULL},
        {"a\t", NULL},
        {"\xc3\xa4", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char name[HF_SERVE_HOST_ROOM] = "";
        int error = hf_serve_field_host(table[i].host, name);
        assert_int_equal(error, table[i].name == NULL ? HF_EMALF : HF_OK);
        assert_string_equal(name, table[i].name == NULL ? "" : table[i].name);
    }
    char longest[HF_SERVE_HOST_ROOM + 1], name[HF_SERVE_HOST_ROOM];
    memset(longest, 'a', sizeof longest);
    longest[HF_SERVE_HOST_ROOM] = 0;
    assert_int_equal(hf_serve_field_host(longest, name), HF_EMALF);
    longest[HF_SERVE_HOST_ROOM - 1] = 0;
    assert_int_equal(hf_serve_field_host(longest, name), HF_OK);
    static const char *const near[] = {"localhost", "127.0.0.1", "127.255.0.9", "::1"};
    static const char *const far[] = {"127.0.0.1.x", "127.0.0", "127.0.0.1.1", "127.a.b.c",
                                      "128.0.0.1",   "::2",     "localhosts",  "127.0.0.0001"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        assert_true(hf_serve_field_is_loopback(near[i]));
    }
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        assert_false(hf_serve_field_is_loopback(far[i]));
    }
}

static void test_origins(void **state)
{
    (void)state;
    assert_true(hf_serve_field_is_same_origin("http://localhost:8053", "localhost:8053"));
    assert_true(hf_serve_field_is_same_origin("https://A.example", "a.EXAMPLE"));
    assert_false(hf_serve_field_is_same_origin("http://localhost:1", "localhost:8053"));
    assert_false(hf_serve_field_is_same_origin("ftp://localhost", "localhost"));
    assert_false(hf_serve_field_is_same_origin("null", "null"));
    assert_false(hf_serve_field_is_same_origin("", ""));
}

static void test_content_types_and_codings(void **state)
{
    (void)state;
    assert_true(hf_serve_field_is_json("application/json"));
    assert_true(hf_serve_field_is_json("Application/JSON ; charset=utf-8"));
    assert_false(hf_serve_field_is_json("application/jsonx"));
    assert_false(hf_serve_field_is_json("text/plain; a=application/json"));
    static const char *const take[] = {"gzip",       "br, GZIP",        "*",
                                       "gzip;q=0.5", "a;q=0,gzip ;q=1", "gzip; q=0.001"};
    static const char *const refuse[] = {
        "", "br", "gzip;q=0", "gzip; q=0.000", "xgzip, br", "gzipx", "identity;q=1, *;q=0"};
    for (size_t i = 0; i < sizeof take / sizeof take[0]; i++) {
        assert_true(hf_serve_field_takes_gzip(take[i]));
    }
    for (size_t i = 0; i < sizeof refuse / sizeof refuse[0]; i++) {
        assert_false(hf_serve_field_takes_gzip(refuse[i]));
    }
    assert_false(hf_serve_field_takes_gzip(NULL));
}

static void test_entity_tags(void **state)
{
    (void)state;
    static const char *const have[] = {"\"a\"", "W/\"a\"",       "\"b\", \"a\"", "*",
                                       " * ",   "\"b\",W/\"a\"", "\"a-gzip\"",   "\"\" \"a\""};
    static const char *const lack[] = {"",        "a",       "\"b\"",     "\"a",
                                       "\"ab\"",  "\"A\"",   "\"-gzip\"", "\"a-gzip",
                                       "w/\"a\"", "\"b\" a", "* , \"b\""};
    for (size_t i = 0; i < sizeof have / sizeof have[0]; i++) {
        assert_true(hf_serve_field_has_etag(have[i], "\"a\""));
    }
    for (size_t i = 0; i < sizeof lack / sizeof lack[0]; i++) {
        assert_false(hf_serve_field_has_etag(lack[i], "\"a\""));
    }
    char list[] = "\"a-gzip\", W/\"b-gzip\", \"c-gzipx\", \"d\"";
    hf_serve_field_strip_gzip(list);
    assert_string_equal(list, "\"a\", W/\"b\", \"c-gzipx\", \"d\"");
}

struct judged {
    struct hf_serve_tokens tokens;
    struct hf_serve_door door;
    struct hf_serve_head head;
    struct hf_serve_verdict verdict;
};

static const char tokens_text[] = "read page " READER "\noperator deploy " OPERATOR "\n";

/* On loopback, with tokens, asking for localhost. */
static struct judged *judged_new(void)
{
    static const char *const names[] = {"Status.example"};
    struct judged *judged = calloc(1, sizeof *judged);
    uint32_t line = 0;
    const char *why = "";
    assert_non_null(judged);
    assert_int_equal(
        hf_serve_tokens_parse(&judged->tokens, tokens_text, sizeof tokens_text - 1, &line, &why),
        HF_OK);
    judged->door = (struct hf_serve_door){.is_loopback = true,
                                          .address = "192.0.2.1",
                                          .names = names,
                                          .name_count = 1,
                                          .tokens = &judged->tokens,
                                          .body_max = BODY_MAX};
    hf_serve_head_add(&judged->head, "host", "localhost");
    return judged;
}

/* Judges with the fields "Name: value" of list, which ends with NULL, and forgets them. */
static void expect(struct judged *judged, const char *method, const char *const *list,
                   uint16_t status, const char *code)
{
    struct hf_serve_head head = judged->head;
    char names[8][64];
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        size_t size = strcspn(list[i], ":");
        assert_true(i < 8 && size < sizeof names[0]);
        memcpy(names[i], list[i], size);
        names[i][size] = 0;
        hf_serve_head_add(&head, names[i], list[i] + size + 2);
    }
    hf_serve_judge(&judged->door, method, &head, &judged->verdict);
    assert_int_equal(judged->verdict.status, status);
    if (status != 0) {
        assert_string_equal(judged->verdict.code, code);
        assert_true(strlen(judged->verdict.text) > 0);
        assert_int_equal(judged->verdict.role, HF_SERVE_NOBODY);
    }
}

#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define JSON "Content-Type: application/json"
#define BY_READER "Authorization: Bearer reader-token-0123456789"
#define BY_OPERATOR "Authorization: Bearer operator-token-01234567"

static void test_framing(void **state)
{
    (void)state;
    struct judged *judged = judged_new();
    static const char *const bad[][3] = {
        {"Content-Length: 1", "Transfer-Encoding: chunked", NULL},
        {"Content-Length: 1", "Content-Length: 1", NULL},
        {"Transfer-Encoding: gzip", NULL, NULL},
        {"Transfer-Encoding: chunked", "transfer-encoding: chunked", NULL},
        {"Content-Length: x", NULL, NULL},
        {"Content-Length: ", NULL, NULL},
        {"Content-Length: 1 ", NULL, NULL},
        {"Host: other", NULL, NULL},
        {"Authorization: a", "Authorization: b", NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(judged, "POST", bad[i], 400, "bad-request");
    }
    expect(judged, "GET", FIELDS("Content-Length: 1"), 400, "bad-request");
    expect(judged, "GET", FIELDS("Transfer-Encoding: chunked"), 400, "bad-request");
    expect(judged, "GET", FIELDS("Content-Length: 0"), 0, NULL);
    expect(judged, "GET", FIELDS("Accept-Encoding: a", "Accept-Encoding: b"), 0, NULL);
    expect(judged, "POST", FIELDS("Content-Length: 1000", JSON, BY_OPERATOR), 0, NULL);
    expect(judged, "POST", FIELDS("Transfer-Encoding: Chunked", JSON, BY_OPERATOR), 0, NULL);
    expect(judged, "POST", FIELDS("Content-Length: 1001", JSON, BY_OPERATOR), 413, "too-large");
    expect(judged, "POST", FIELDS("Content-Length: 99999999999999999999", JSON), 413, "too-large");
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "get", "", "TRACE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        expect(judged, methods[i], NULL, 405, "method");
    }
    expect(judged, "HEAD", NULL, 0, NULL);
    free(judged);
}

static void expect_host(struct judged *judged, const char *host, uint16_t status, const char *code)
{
    judged->head.values[HF_SERVE_HOST] = host;
    expect(judged, "GET", NULL, status, code);
}

static void test_host_is_ours(void **state)
{
    (void)state;
    struct judged *judged = judged_new();
    expect_host(judged, "status.EXAMPLE:443", 0, NULL);
    expect_host(judged, "192.0.2.1", 0, NULL);
    expect_host(judged, "[::1]:1", 0, NULL);
    expect_host(judged, "192.0.2.2", 421, "wrong-host");
    expect_host(judged, "evil.example", 421, "wrong-host");
    expect_host(judged, "a b", 400, "bad-request");
    expect_host(judged, NULL, 400, "bad-request");
    judged->door.is_unix = true;
    judged->door.role = HF_SERVE_READ;
    expect_host(judged, "evil.example", 0, NULL);
    expect_host(judged, NULL, 400, "bad-request");
    free(judged);
}

static void test_roles(void **state)
{
    (void)state;
    struct judged *judged = judged_new();
    expect(judged, "GET", NULL, 0, NULL);
    assert_int_equal(judged->verdict.role, HF_SERVE_READ);
    assert_null(judged->verdict.who);
    expect(judged, "GET", FIELDS(BY_OPERATOR), 0, NULL);
    assert_int_equal(judged->verdict.role, HF_SERVE_OPERATOR);
    assert_string_equal(judged->verdict.who, "deploy");
    expect(judged, "GET", FIELDS(BY_READER "x"), 401, "wrong-token");
    assert_true(judged->verdict.asks_for_token);
    expect(judged, "POST", FIELDS(JSON), 403, "forbidden");
    expect(judged, "POST", FIELDS(JSON, BY_READER), 403, "forbidden");
    expect(judged, "POST", FIELDS(BY_OPERATOR), 415, "wrong-type");
    expect(judged, "POST", FIELDS("Content-Type: text/plain", BY_OPERATOR), 415, "wrong-type");
    expect(judged, "POST", FIELDS(JSON, BY_OPERATOR), 0, NULL);

    judged->door.is_loopback = false;
    expect(judged, "GET", NULL, 401, "wrong-token");
    expect(judged, "GET", FIELDS(BY_READER), 0, NULL);
    judged->door.is_open = true;
    expect(judged, "GET", NULL, 0, NULL);
    assert_int_equal(judged->verdict.role, HF_SERVE_NOBODY);
    expect(judged, "POST", FIELDS(JSON), 403, "forbidden");
    judged->door.tokens = NULL;
    expect(judged, "GET", FIELDS(BY_READER), 401, "wrong-token");

    judged->door.is_unix = true;
    judged->door.role = HF_SERVE_READ;
    expect(judged, "POST", FIELDS(JSON), 403, "forbidden");
    judged->door.role = HF_SERVE_OPERATOR;
    expect(judged, "POST", FIELDS(JSON), 0, NULL);
    free(judged);
}

static void test_other_sites(void **state)
{
    (void)state;
    struct judged *judged = judged_new();
    expect(judged, "GET", FIELDS("Sec-Fetch-Site: none"), 0, NULL);
    expect(judged, "GET", FIELDS("Sec-Fetch-Site: same-origin"), 0, NULL);
    expect(judged, "GET", FIELDS("Sec-Fetch-Site: same-site"), 403, "forbidden");
    expect(judged, "GET", FIELDS("Sec-Fetch-Site: cross-site"), 403, "forbidden");
    expect(judged, "GET", FIELDS("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"), 0,
           NULL);
    expect(judged, "GET", FIELDS("Origin: http://evil.example"), 0, NULL); /* cannot be read */
    expect(judged, "POST", FIELDS(JSON, BY_OPERATOR, "Origin: http://evil.example"), 403,
           "forbidden");
    expect(judged, "POST", FIELDS(JSON, BY_OPERATOR, "Origin: null"), 403, "forbidden");
    expect(judged, "POST", FIELDS(JSON, BY_OPERATOR, "Origin: http://localhost"), 0, NULL);
    expect(judged, "POST",
           FIELDS(JSON, BY_OPERATOR, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"), 403,
           "forbidden");
    free(judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_parameters_have_a_limit),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_content_types_and_codings),
        cmocka_unit_test(test_entity_tags),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_host_is_ours),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_other_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
