/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/check_probe.h"

enum {
    CALLOUTS_PER_LOOK = 64, /* at the clock */
    HOST_MAX = INET6_ADDRSTRLEN + sizeof "[]:65535",
};

/* One match under way. */
struct match {
    uint64_t until_ns;
    uint32_t callout_count;
};

static const struct hf_config_status_range any_success = {200, 299};

int hf_check_body_compile(const char *expression, pcre2_code **ret_body,
                          char ret_why[HF_CHECK_WHY_MAX])
{
    int error;
    PCRE2_SIZE offset;
    /* Callouts between all items are what lets a match be stopped by the clock. */
    pcre2_code *body = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
                                     PCRE2_AUTO_CALLOUT, &error, &offset, NULL);
    if (body == NULL) {
        PCRE2_UCHAR text[HF_CHECK_WHY_MAX / 2];
        (void)pcre2_get_error_message(error, text, sizeof text);
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "body expression, character %zu: %s", offset + 1,
                       (const char *)text);
        return HF_EINVAL;
    }
    *ret_body = body;
    return HF_OK;
}

pcre2_match_context *hf_check_match_context(void)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (context == NULL) {
        abort();
    }
    pcre2_set_match_limit(context, HF_CHECK_MATCH_LIMIT);
    pcre2_set_heap_limit(context, HF_CHECK_MATCH_HEAP_KIB);
    return context;
}

pcre2_match_data *hf_check_match_data(void)
{
    pcre2_match_data *match_data = pcre2_match_data_create(1, NULL);
    if (match_data == NULL) {
        abort();
    }
    return match_data;
}

/* The limit of steps holds for each starting point only; the clock holds for all of them. */
static int look_at_clock(pcre2_callout_block *block, void *context)
{
    (void)block;
    struct match *match = context;
    if (++match->callout_count % CALLOUTS_PER_LOOK != 0) {
        return 0;
    }
    return uv_hrtime() > match->until_ns ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static int match_body(const struct hf_checker *checker, const pcre2_code *body,
                      const struct hf_buf *content)
{
    struct match match = {.until_ns = uv_hrtime() + (uint64_t)HF_CHECK_MATCH_US * 1000};
    pcre2_set_callout(checker->match_context, look_at_clock, &match);
    PCRE2_SPTR subject = content->size == 0 ? (PCRE2_SPTR) "" : (PCRE2_SPTR)content->bytes;
    return pcre2_match(body, subject, content->size, 0, 0, checker->match_data,
                       checker->match_context);
}

static bool is_expected(const struct hf_config_check *check, uint16_t status)
{
    for (uint32_t i = 0; i < check->status_count; i++) {
        if (status >= check->statuses[i].low && status <= check->statuses[i].high) {
            return true;
        }
    }
    return check->status_count == 0 && status >= any_success.low && status <= any_success.high;
}

static void unexpected(struct hf_check_attempt *attempt)
{
    const struct hf_config_check *check = attempt->probe->recipe->check;
    const struct hf_config_status_range *ranges = check->statuses;
    uint32_t count = check->status_count;
    if (count == 0) {
        ranges = &any_success;
        count = 1;
    }
    struct hf_buf expected;
    hf_buf_init(&expected, HF_CHECK_WHY_MAX);
    for (uint32_t i = 0; i < count; i++) {
        hf_buf_printf(&expected, "%s%u", i == 0 ? "" : ", ", ranges[i].low);
        if (ranges[i].high != ranges[i].low) {
            hf_buf_printf(&expected, "-%u", ranges[i].high);
        }
    }
    expected.error = HF_OK; /* what did not fit is left out */
    hf_check_attempt_failed(attempt, "status %u, expected %s", attempt->http.status,
                            hf_buf_text(&expected));
    hf_buf_release(&expected);
}

static void judge_body(struct hf_check_attempt *attempt)
{
    const pcre2_code *body = attempt->probe->recipe->body;
    if (body == NULL) {
        hf_check_attempt_passed(attempt, attempt->http.status);
        return;
    }
    int result = match_body(attempt->checker, body, &attempt->content);
    if (result >= 0) {
        hf_check_attempt_passed(attempt, attempt->http.status);
    } else if (result == PCRE2_ERROR_NOMATCH) {
        hf_check_attempt_failed(attempt, "status %u, but the body does not match",
                                attempt->http.status);
    } else {
        PCRE2_UCHAR text[HF_CHECK_WHY_MAX / 2];
        (void)pcre2_get_error_message(result, text, sizeof text);
        hf_check_attempt_failed(attempt, "body expression: %s", (const char *)text);
    }
}

static char *put_decimal(char *at, unsigned value)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

/* Written for every check: without printf, and so without inet_ntop for IPv4. */
static void put_host(const struct hf_config_backend *backend, bool at_aaaa, unsigned port,
                     char ret_host[HOST_MAX])
{
    char *at = ret_host;
    if (at_aaaa) {
        *at++ = '[';
        (void)inet_ntop(AF_INET6, backend->aaaa, at, INET6_ADDRSTRLEN);
        at += strlen(at);
        *at++ = ']';
    } else {
        for (size_t i = 0; i < sizeof backend->a; i++) {
            at = put_decimal(at, backend->a[i]);
            *at++ = '.';
        }
        at--; /* the last dot */
    }
    if (port != 0) {
        *at++ = ':';
        at = put_decimal(at, port);
    }
    *at = 0;
}

int hf_check_request(const struct hf_config_check *check, const struct hf_config_backend *backend,
                     bool at_aaaa, struct hf_buf *request)
{
    const char *target = check->path == NULL ? "/" : check->path;
    char host[HOST_MAX];
    struct in6_addr ignored;
    hf_buf_clear(request);
    if (check->host != NULL && strchr(check->host, ':') != NULL &&
        inet_pton(AF_INET6, check->host, &ignored) == 1) {
        (void)snprintf(host, sizeof host, "[%s]", check->host); /* RFC 9110 7.2 */
        return hf_http_put_get(request, target, host, check->reuse);
    }
    if (check->host != NULL) {
        return hf_http_put_get(request, target, check->host, check->reuse);
    }
    unsigned port = backend->port != 0 ? backend->port : check->port;
    bool is_default = port == (check->type == HF_CHECK_HTTPS ? 443 : 80);
    put_host(backend, at_aaaa, is_default ? 0 : port, host);
    return hf_http_put_get(request, target, host, check->reuse);
}

void hf_check_http_start(struct hf_check_attempt *attempt)
{
    const struct hf_check_probe *probe = attempt->probe;
    struct hf_buf *request = &attempt->checker->request;
    attempt->stage = HF_CHECK_RESPONSE;
    if (hf_check_request(probe->recipe->check, probe->backend, probe->at_aaaa, request) != HF_OK) {
        hf_check_attempt_failed(attempt, "the request could not be written");
    } else if (attempt->ssl != NULL) {
        hf_check_tls_send(attempt, request->bytes, request->size);
    } else {
        hf_check_send(attempt, request->bytes, request->size);
    }
}

/* The header decides as soon as it is there; the body only if the header was as expected. */
static void judge(struct hf_check_attempt *attempt)
{
    const struct hf_http *http = &attempt->http;
    bool is_head_read = hf_http_is_done(http) || http->stage >= HF_HTTP_CONTENT;
    if (is_head_read && !is_expected(attempt->probe->recipe->check, http->status)) {
        unexpected(attempt);
    } else if (hf_http_is_done(http)) {
        judge_body(attempt);
    }
}

void hf_check_http_read(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size)
{
    if (hf_http_read(&attempt->http, bytes, size) != HF_OK) {
        hf_check_attempt_failed(attempt, "response: %s", attempt->http.why);
    } else {
        judge(attempt);
    }
}

void hf_check_http_read_close(struct hf_check_attempt *attempt)
{
    if (hf_http_read_close(&attempt->http) != HF_OK) {
        hf_check_attempt_failed(attempt, "response: %s", attempt->http.why);
    } else {
        judge(attempt);
    }
}
