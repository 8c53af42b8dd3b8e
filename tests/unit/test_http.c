/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every response of the tables is read whole, and again one octet at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/http.h"

enum { CONTENT_MAX = 32 };

#define OK "HTTP/1.1 200 OK\r\n"

struct outcome {
    int error;
    uint16_t status;
    bool done, truncated;
    char content[CONTENT_MAX + 1];
    const char *why;
};

static struct outcome read_in_pieces(const char *bytes, size_t size, size_t piece, bool closed)
{
    struct hf_buf content;
    hf_buf_init(&content, CONTENT_MAX);
    struct hf_http http;
    hf_http_init(&http, &content, CONTENT_MAX);
    int error = HF_OK;
    for (size_t at = 0; at < size && error == HF_OK; at += piece) {
        error = hf_http_read(&http, bytes + at, piece < size - at ? piece : size - at);
    }
    if (error == HF_OK && closed) {
        error = hf_http_read_close(&http);
    }
    struct outcome outcome = {.error = error,
                              .status = http.status,
                              .done = hf_http_is_done(&http),
                              .truncated = http.truncated,
                              .why = http.why};
    assert_int_equal(hf_buf_error(&content), HF_OK);
    memcpy(outcome.content, hf_buf_text(&content), content.size);
    hf_buf_release(&content);
    if (error != HF_OK) { /* broken stays broken and keeps its reason */
        const char *why = http.why;
        assert_non_null(why);
        assert_int_equal(hf_http_read(&http, "x", 1), HF_EMALF);
        assert_int_equal(hf_http_read_close(&http), HF_EMALF);
        assert_ptr_equal(http.why, why);
        assert_false(hf_http_is_done(&http));
    }
    return outcome;
}

static struct outcome read_text(const char *text, bool closed)
{
    struct outcome whole = read_in_pieces(text, strlen(text), strlen(text) + 1, closed);
    struct outcome single = read_in_pieces(text, strlen(text), 1, closed);
    assert_int_equal(single.error, whole.error);
    assert_int_equal(single.status, whole.status);
    assert_int_equal(single.done, whole.done);
    assert_int_equal(single.truncated, whole.truncated);
    assert_string_equal(single.content, whole.content);
    assert_ptr_equal(single.why, whole.why);
    return whole;
}

static void test_whole_responses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t status;
        const char *content;
    } table[] = {
        {OK "Content-Length: 2\r\n\r\nok", 200, "ok"},
        {OK "content-length:2\r\n\r\nok and what is not ours", 200, "ok"},
        {OK "CONTENT-LENGTH: \t 2 \t\r\n\r\nok", 200, "ok"},
        {OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
        {OK "Content-Length: 0\r\n\r\n", 200, ""},
        {"HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, "x"},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, ""},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" OK
         "Content-Length: 1\r\n\r\nx",
         200, "x"},
        {"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"},
        {OK "Transfer-Encoding: Chunked \r\n\r\n1\r\no\r\n0A;x=\"y\"\r\nk123456789\r\n00\r\n"
            "Expires: never\r\nContent-Length: 7\r\n\r\n",
         200, "ok123456789"},
        {OK "X-Empty:\r\nX-Obs: \xe9\xff\r\nContent-Length: 0\r\n\r\n", 200, ""},
        {OK "An-Odd-Field-Name-That-Is-Longer-Than-The-Room-For-Names: 1\r\n"
            "Content-Length: 0\r\n\r\n",
         200, ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct outcome outcome = read_text(table[i].text, false);
        if (outcome.error != HF_OK || !outcome.done) {
            fail_msg("row %zu: %s", i, outcome.why == NULL ? "not done" : outcome.why);
        }
        assert_int_equal(outcome.status, table[i].status);
        assert_string_equal(outcome.content, table[i].content);
        assert_false(outcome.truncated);
    }
}

static void test_content_until_close(void **state)
{
    (void)state;
    struct outcome outcome = read_text(OK "\r\nall of it", false);
    assert_int_equal(outcome.error, HF_OK);
    assert_false(outcome.done);
    outcome = read_text(OK "\r\nall of it", true);
    assert_true(outcome.done);
    assert_string_equal(outcome.content, "all of it");
    outcome = read_text(OK "\r\n", true);
    assert_true(outcome.done);
}

static void test_truncated_content(void **state)
{
    (void)state;
    /* 32 octets fit; the 33rd does not. */
    static const char *const heads[] = {OK "\r\n", OK "Content-Length: 1000000000000\r\n\r\n",
                                        OK "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"};
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s%s", heads[i], "0123456789abcdef0123456789abcdef");
        struct outcome outcome = read_text(text, false);
        assert_int_equal(outcome.error, HF_OK);
        assert_false(outcome.done);
        snprintf(text, sizeof text, "%s%s", heads[i], "0123456789abcdef0123456789abcdefg");
        outcome = read_text(text, false);
        assert_int_equal(outcome.error, HF_OK);
        assert_true(outcome.done);
        assert_true(outcome.truncated);
        assert_string_equal(outcome.content, "0123456789abcdef0123456789abcdef");
    }
}

static void test_exactly_full_content(void **state)
{
    (void)state;
    struct outcome outcome =
        read_text(OK "Content-Length: 32\r\n\r\n0123456789abcdef0123456789abcdef", false);
    assert_true(outcome.done);
    assert_false(outcome.truncated);
}

static void test_broken_responses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"\x16\x03\x01\x02", "not an HTTP/1 response"},
        {"http/1.1 200 OK\r\n", "not an HTTP/1 response"},
        {"HTTP/2 200\r\n", "not an HTTP/1 response"},
        {"HTTP/1.2 200 OK\r\n", "not an HTTP/1.0 or HTTP/1.1 response"},
        {"HTTP/1.1200 OK\r\n", "no space behind the HTTP version"},
        {"HTTP/1.1  200 OK\r\n", "a status code that is no number"},
        {"HTTP/1.1 20 OK\r\n", "a status code that is no number"},
        {"HTTP/1.1 2000 OK\r\n", "a status code that is no number of three digits"},
        {"HTTP/1.1 099 OK\r\n", "a status code outside 100 to 599"},
        {"HTTP/1.1 600 OK\r\n", "a status code outside 100 to 599"},
        {"HTTP/1.1 200 O\x01K\r\n", "a control character in the status line"},
        {"HTTP/1.1 200 OK\n", "a control character in the status line"},
        {"HTTP/1.1 200 OK\rx", "a carriage return without line feed"},
        {OK " X: y\r\n", "a folded header field"},
        {OK "X: y\r\n folded\r\n", "a folded header field"},
        {OK ": y\r\n", "a header field whose name is no token"},
        {OK "X : y\r\n", "a header field whose name is no token"},
        {OK "no colon\r\n", "a header field whose name is no token"},
        {OK "X\n", "a header field whose name is no token"},
        {OK "X: y\n", "a control character in a header field"},
        {OK "X: \x7f\r\n", "a control character in a header field"},
        {OK "Content-Length: -1\r\n", "a Content-Length that is no number"},
        {OK "Content-Length: 1, 1\r\n", "a Content-Length that is no number"},
        {OK "Content-Length:\r\n", "a Content-Length that is no number"},
        {OK "Content-Length: 1000000000000000000\r\n", "a Content-Length that is no number"},
        {OK "Content-Length: 10000000000000000000000000\r\n", "a Content-Length that is no number"},
        {OK "Content-Length: 1\r\nContent-Length: 2\r\n", "two Content-Length fields that differ"},
        {OK "Transfer-Encoding: gzip\r\n", "a Transfer-Encoding other than chunked"},
        {OK "Transfer-Encoding: gzip, chunked\r\n", "a Transfer-Encoding other than chunked"},
        {OK "Transfer-Encoding: chunked                         x\r\n",
         "a Transfer-Encoding other than chunked"},
        {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
         "a Transfer-Encoding other than chunked"},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "a Transfer-Encoding in HTTP/1.0"},
        {OK "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
         "both Content-Length and Transfer-Encoding"},
        {"HTTP/1.1 101 Switching\r\n\r\n", "an upgrade that nobody asked for"},
        {OK "Transfer-Encoding: chunked\r\n\r\n\r\n", "a chunk without a size"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2x\r\n", "a chunk size that is no number"},
        {OK "Transfer-Encoding: chunked\r\n\r\n0000000000000001\r\n",
         "a chunk size with more than 15 digits"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2;\x01\r\n",
         "a control character in a chunk extension"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nokk", "a chunk that is longer than its size"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\rk", "a carriage return without line feed"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct outcome outcome = read_text(table[i].text, false);
        assert_int_equal(outcome.error, HF_EMALF);
        assert_string_equal(outcome.why, table[i].why);
    }
}

static void test_closed_early(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"", "closed without a response"},
        {"HTT", "closed before the end of the header"},
        {"HTTP/1.1 200 OK\r", "closed before the end of the header"},
        {OK "Content-Le", "closed before the end of the header"},
        {OK "Content-Length: 3\r\n\r\nok", "closed before the end of the body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n", "closed before the end of the body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "closed before the end of the body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
         "closed before the end of the body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y",
         "closed before the end of the body"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct outcome outcome = read_text(table[i].text, true);
        assert_int_equal(outcome.error, HF_EMALF);
        assert_string_equal(outcome.why, table[i].why);
    }
}

/* head octets of header in all: whole at the limit, refused one above. */
static int read_head_of(size_t size)
{
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, OK "X:", sizeof OK "X:" - 1);
    memcpy(text + size - 4, "\r\n\r\n", 4);
    int error = read_in_pieces(text, size, 7, false).error;
    free(text);
    return error;
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(read_head_of(HF_HTTP_HEAD_MAX), HF_OK);
    assert_int_equal(read_head_of(HF_HTTP_HEAD_MAX + 1), HF_ELIMIT);

    char text[4096] = OK;
    size_t size = sizeof OK - 1;
    for (unsigned i = 0; i < HF_HTTP_FIELDS_MAX; i++, size += 5) {
        memcpy(text + size, "a:b\r\n", 6);
    }
    assert_int_equal(read_text(text, false).error, HF_OK);
    memcpy(text + size, "a:b\r\n", 6);
    assert_int_equal(read_text(text, false).error, HF_ELIMIT);

    text[0] = 0;
    size = 0;
    for (unsigned i = 0; i < HF_HTTP_INTERIM_MAX; i++, size += 16) {
        memcpy(text + size, "HTTP/1.1 102\r\n\r\n", 17);
    }
    assert_int_equal(read_text(text, false).error, HF_OK);
    memcpy(text + size, "HTTP/1.1 102\r\n\r\n", 17);
    assert_int_equal(read_text(text, false).error, HF_ELIMIT);

    int head = snprintf(text, sizeof text, OK "Transfer-Encoding: chunked\r\n\r\n1;");
    memset(text + head, 'x', HF_HTTP_CHUNK_LINE_MAX);
    text[head + HF_HTTP_CHUNK_LINE_MAX] = 0;
    assert_int_equal(read_text(text, false).error, HF_OK);
    text[head + HF_HTTP_CHUNK_LINE_MAX] = 'x';
    text[head + HF_HTTP_CHUNK_LINE_MAX + 1] = 0;
    assert_int_equal(read_text(text, false).error, HF_ELIMIT);
}

static void test_waits_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *waits_for;
    } table[] = {
        {"", "status line"},
        {"HTTP/1.1 200 OK\r", "status line"},
        {OK, "header"},
        {OK "X: y\r\n\r", "header"},
        {OK "\r\n", "body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n", "body"},
        {OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", "body"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct hf_http http;
        hf_http_init(&http, NULL, CONTENT_MAX);
        assert_int_equal(hf_http_read(&http, table[i].text, strlen(table[i].text)), HF_OK);
        assert_string_equal(hf_http_waits_for(&http), table[i].waits_for);
    }
}

static void test_no_buf_counts_only(void **state)
{
    (void)state;
    struct hf_http http;
    hf_http_init(&http, NULL, CONTENT_MAX);
    static const char text[] = OK "Content-Length: 5\r\n\r\nhello";
    assert_int_equal(hf_http_read(&http, text, sizeof text - 1), HF_OK);
    assert_true(hf_http_is_done(&http));
    assert_int_equal(http.content_size, 5);
}

/* RFC 9112 9.3 and 9.6. */
static void test_is_reusable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_reusable;
    } table[] = {
        {OK "Content-Length: 2\r\n\r\nok", true},
        {OK "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok", true},
        {OK "Content-Length: 2\r\nConnection: closed, x-close\r\n\r\nok", true},
        {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", true},
        {OK "Transfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", true},
        {OK "Content-Length: 2\r\n\r\no", false},
        {OK "Content-Length: 2\r\n\r\nokHTTP", false},
        {OK "Content-Length: 2\r\nConnection: close\r\n\r\nok", false},
        {OK "Content-Length: 2\r\nconnection:Close \r\n\r\nok", false},
        {OK "Content-Length: 2\r\nConnection: x,close\r\n\r\nok", false},
        {OK "Connection: close , x\r\nContent-Length: 0\r\n\r\n", false},
        {OK "Connection: a-very-long-option, another, close\r\nContent-Length: 0\r\n\r\n", false},
        {OK "\r\nuntil the end", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct hf_http http;
        hf_http_init(&http, NULL, CONTENT_MAX);
        assert_int_equal(hf_http_read(&http, table[i].text, strlen(table[i].text)), HF_OK);
        assert_int_equal(hf_http_is_reusable(&http), table[i].is_reusable);
    }
    struct hf_http http;
    static const char whole[] = OK "Content-Length: 2\r\n\r\nok";
    hf_http_init(&http, NULL, CONTENT_MAX);
    assert_int_equal(hf_http_read(&http, whole, sizeof whole - 1), HF_OK);
    assert_true(hf_http_is_reusable(&http));
    assert_int_equal(hf_http_read(&http, "x", 1), HF_OK);
    assert_false(hf_http_is_reusable(&http)); /* what came later is surplus too */
    hf_http_init(&http, NULL, 1);
    assert_int_equal(hf_http_read(&http, whole, sizeof whole - 1), HF_OK);
    assert_true(hf_http_is_done(&http));
    assert_false(hf_http_is_reusable(&http)); /* there is more than was read */
}

static void test_request(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, 1000);
    assert_int_equal(hf_http_put_get(&buf, "/healthz?full=1", "a.test:8080", false), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "GET /healthz?full=1 HTTP/1.1\r\n"
                                           "Host: a.test:8080\r\n"
                                           "User-Agent: holdfast/" HF_VERSION "\r\n"
                                           "Accept: */*\r\n"
                                           "Connection: close\r\n\r\n");
    hf_buf_clear(&buf);
    assert_int_equal(hf_http_put_get(&buf, "/", "a.test", true), HF_OK);
    assert_null(strstr(hf_buf_text(&buf), "Connection"));
    assert_non_null(strstr(hf_buf_text(&buf), "Accept: */*\r\n\r\n"));
    hf_buf_clear(&buf);
    static const char *const wrong[][2] = {
        {"", "a"},          {"x", "a"},     {"/a b", "a"},      {"/\r\nX: y", "a"}, {"/", ""},
        {"/", "a\r\nX: y"}, {"/\x7f", "a"}, {"/\xc3\xa9", "a"}, {"/", "a b"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(hf_http_put_get(&buf, wrong[i][0], wrong[i][1], false), HF_EINVAL);
        assert_int_equal(buf.size, 0);
    }
    hf_buf_release(&buf);
    hf_buf_init(&buf, 10);
    assert_int_equal(hf_http_put_get(&buf, "/", "a", false), HF_ELIMIT);
    hf_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_responses),
        cmocka_unit_test(test_content_until_close),
        cmocka_unit_test(test_truncated_content),
        cmocka_unit_test(test_exactly_full_content),
        cmocka_unit_test(test_broken_responses),
        cmocka_unit_test(test_closed_early),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_waits_for),
        cmocka_unit_test(test_no_buf_counts_only),
        cmocka_unit_test(test_is_reusable),
        cmocka_unit_test(test_request),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
