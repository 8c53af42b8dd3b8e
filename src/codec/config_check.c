/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The check of a pool.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pcre2.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/duration.h"

enum {
    INTERVAL_MIN_MS = 100,
    HOUR_MS = 3600 * 1000,
    TIMEOUT_MIN_MS = 10,
    TIMEOUT_DEFAULT_MS = 1000,
    THRESHOLD_MAX = 1000,
    STATUSES_MAX = 100,
    PATH_OCTETS_MAX = 1024,
};

enum check_key {
    CHECK_TYPE,
    CHECK_PORT,
    CHECK_PATH,
    CHECK_HOST,
    CHECK_EXPECT,
    CHECK_BODY,
    CHECK_VERIFY,
    CHECK_CA_FILE,
    CHECK_RESUME,
    CHECK_REUSE,
    CHECK_INTERVAL,
    CHECK_TIMEOUT,
    CHECK_STALE,
    CHECK_RISE,
    CHECK_FALL,
    CHECK_HOLD_DOWN,
    CHECK_FLAP_WINDOW,
    CHECK_COUNT
};

static const struct hf_key check_keys[CHECK_COUNT] = {
    [CHECK_TYPE] = {"type", HF_KEY_NODE, 0, 0, 0},
    [CHECK_PORT] = {"port", HF_KEY_U16, offsetof(struct hf_config_check, port), 1, UINT16_MAX},
    [CHECK_PATH] = {"path", HF_KEY_NODE, 0, 0, 0},
    [CHECK_HOST] = {"host", HF_KEY_NODE, 0, 0, 0},
    [CHECK_EXPECT] = {"expect", HF_KEY_NODE, 0, 0, 0},
    [CHECK_BODY] = {"body", HF_KEY_TEXT, offsetof(struct hf_config_check, body), 0, 0},
    [CHECK_VERIFY] = {"verify", HF_KEY_BOOL, offsetof(struct hf_config_check, verify), 0, 0},
    [CHECK_CA_FILE] = {"ca_file", HF_KEY_PATH, offsetof(struct hf_config_check, ca_file), 0, 0},
    [CHECK_RESUME] = {"resume", HF_KEY_DURATION, offsetof(struct hf_config_check, resume_ms), 0,
                      HOUR_MS},
    [CHECK_REUSE] = {"reuse", HF_KEY_BOOL, offsetof(struct hf_config_check, reuse), 0, 0},
    [CHECK_INTERVAL] = {"interval", HF_KEY_DURATION, offsetof(struct hf_config_check, interval_ms),
                        INTERVAL_MIN_MS, HOUR_MS},
    [CHECK_TIMEOUT] = {"timeout", HF_KEY_DURATION, offsetof(struct hf_config_check, timeout_ms),
                       TIMEOUT_MIN_MS, HOUR_MS},
    [CHECK_STALE] = {"stale", HF_KEY_DURATION, offsetof(struct hf_config_check, stale_ms), 1000,
                     24U * HOUR_MS},
    [CHECK_RISE] = {"rise", HF_KEY_U16, offsetof(struct hf_config_check, health.rise), 1,
                    THRESHOLD_MAX},
    [CHECK_FALL] = {"fall", HF_KEY_U16, offsetof(struct hf_config_check, health.fall), 1,
                    THRESHOLD_MAX},
    [CHECK_HOLD_DOWN] = {"hold_down", HF_KEY_NODE, 0, 0, 0},
    [CHECK_FLAP_WINDOW] = {"flap_window", HF_KEY_DURATION,
                           offsetof(struct hf_config_check, health.flap_window_ms), 1000,
                           24U * HOUR_MS},
};

static const struct hf_key expect_keys[] = {{.name = "status", .kind = HF_KEY_NODE}};

static const char *const types[] = {"none", "tcp", "http", "https", "file", NULL};

enum {
    FOR_NONE = 1U << HF_CHECK_NONE,
    FOR_TCP = 1U << HF_CHECK_TCP,
    FOR_HTTP = 1U << HF_CHECK_HTTP,
    FOR_HTTPS = 1U << HF_CHECK_HTTPS,
    FOR_FILE = 1U << HF_CHECK_FILE,
    FOR_WEB = FOR_HTTP | FOR_HTTPS,
    FOR_NET = FOR_TCP | FOR_WEB,
    FOR_MOST = FOR_NET | FOR_FILE,
    FOR_ALL = FOR_NONE | FOR_MOST,
};

static const uint32_t meant_for[CHECK_COUNT] = {
    [CHECK_TYPE] = FOR_ALL,       [CHECK_PORT] = FOR_NET,         [CHECK_PATH] = FOR_WEB | FOR_FILE,
    [CHECK_HOST] = FOR_WEB,       [CHECK_EXPECT] = FOR_WEB,       [CHECK_BODY] = FOR_WEB,
    [CHECK_VERIFY] = FOR_HTTPS,   [CHECK_CA_FILE] = FOR_HTTPS,    [CHECK_RESUME] = FOR_HTTPS,
    [CHECK_REUSE] = FOR_WEB,      [CHECK_INTERVAL] = FOR_MOST,    [CHECK_TIMEOUT] = FOR_NET,
    [CHECK_STALE] = FOR_FILE,     [CHECK_RISE] = FOR_MOST,        [CHECK_FALL] = FOR_MOST,
    [CHECK_HOLD_DOWN] = FOR_MOST, [CHECK_FLAP_WINDOW] = FOR_MOST,
};

/* Also forgets them. */
static void refuse_keys(struct hf_reader *reader, uint32_t *values, enum hf_check_type type)
{
    for (uint32_t i = 0; i < CHECK_COUNT; i++) {
        if (values[i] == 0 || (meant_for[i] >> type & 1) != 0) {
            continue;
        }
        char where[64] = "";
        size_t size = 0;
        for (uint32_t other = 0; types[other] != NULL; other++) {
            if ((meant_for[i] >> other & 1) != 0) {
                int more = snprintf(where + size, sizeof(where) - size, "%s%s",
                                    size == 0 ? "" : ", ", types[other]);
                size += more > 0 ? (size_t)more : 0;
            }
        }
        hf_enter(reader, check_keys[i].name);
        hf_problem(reader, values[i],
                   "found a key that has no meaning with type %s (it has with %s)", types[type],
                   where);
        hf_leave(reader);
        values[i] = 0;
    }
}

/* 200, or 301-303 */
static bool parse_status(const char *text, struct hf_config_status_range *ret_range)
{
    size_t size = strlen(text);
    if ((size != 3 && size != 7) || strspn(text, "0123456789") != 3 ||
        (size == 7 && (text[3] != '-' || strspn(text + 4, "0123456789") != 3))) {
        return false;
    }
    const char *last = size == 7 ? text + 4 : text;
    uint16_t low = (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0');
    uint16_t high = (uint16_t)((last[0] - '0') * 100 + (last[1] - '0') * 10 + last[2] - '0');
    if (low < 100 || high > 599 || low > high) {
        return false;
    }
    *ret_range = (struct hf_config_status_range){low, high};
    return true;
}

static void read_status(struct hf_reader *reader, uint32_t node, struct hf_config_check *check)
{
    const struct hf_tree_node *at = hf_tree_at(reader->tree, node);
    bool is_list = at->kind == HF_TREE_LIST;
    uint32_t count = is_list ? at->count : 1;
    if (count == 0 || count > STATUSES_MAX) {
        hf_expected(reader, node, "1 to 100 status codes, such as 200 or [200, 301-303]");
        return;
    }
    struct hf_config_status_range *ranges =
        hf_arena_array(&reader->own->config.arena, count, sizeof(*ranges));
    uint32_t item = is_list ? at->child : node;
    for (uint32_t i = 0; i < count && ranges != NULL; i++) {
        if (!hf_tree_is_scalar(reader->tree, item) ||
            !parse_status(hf_tree_text(reader->tree, item), &ranges[i])) {
            hf_expected(reader, item,
                        "status codes from 100 to 599, such as 200, 301-303 or "
                        "[200, 301-303]");
            return;
        }
        item = hf_next(reader, item);
    }
    check->statuses = ranges;
    check->status_count = count;
}

static void read_expect(struct hf_reader *reader, uint32_t node, struct hf_config_check *check)
{
    uint32_t values[1];
    if (hf_read_map(reader, node, expect_keys, 1, check, values) && values[0] != 0) {
        hf_enter(reader, "status");
        read_status(reader, values[0], check);
        hf_leave(reader);
    }
}

static void check_body(struct hf_reader *reader, uint32_t node, const char *body)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)body, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
    if (code == NULL) {
        PCRE2_UCHAR why[128];
        (void)pcre2_get_error_message(error, why, sizeof(why));
        char shown[HF_SHOWN_MAX];
        hf_problem(reader, node,
                   "found %s, expected a Perl-compatible regular expression: at character %zu: %s",
                   hf_shown(reader, node, shown), (size_t)offset + 1, (const char *)why);
    }
    pcre2_code_free(code);
}

static void check_ca_file(struct hf_reader *reader, uint32_t node, const char *path)
{
    FILE *file = hf_file_open(reader, node, path);
    if (file == NULL) {
        return;
    }
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    if (certificate == NULL) {
        hf_problem(reader, node, "found no certificate in %s, expected certificates in PEM", path);
    }
    X509_free(certificate);
    (void)fclose(file);
}

static void read_path(struct hf_reader *reader, uint32_t node, struct hf_config_check *check)
{
    bool is_file = check->type == HF_CHECK_FILE;
    const char *expected = is_file
                               ? "the path of a state file"
                               : "a path that begins with / and has no spaces, such as /healthz";
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return;
    }
    if (is_file) {
        check->path = hf_resolve(reader, text);
        return;
    }
    bool right = text[0] == '/' && strlen(text) <= PATH_OCTETS_MAX;
    for (const char *at = text; right && *at != 0; at++) {
        right = *at > ' ' && *at < 0x7f;
    }
    if (!right) {
        hf_expected(reader, node, expected);
        return;
    }
    check->path = hf_pack_text(reader, text);
}

static void read_host(struct hf_reader *reader, uint32_t node, struct hf_config_check *check)
{
    static const char usual[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:[]";
    static const char expected[] = "a host name, such as www.example.test";
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return;
    }
    if (strspn(text, usual) != strlen(text) || strlen(text) > 255) {
        hf_expected(reader, node, expected);
        return;
    }
    check->host = hf_pack_text(reader, text);
}

static void read_hold_down(struct hf_reader *reader, uint32_t node, struct hf_config_check *check)
{
    uint32_t low = 0;
    uint32_t high = 0;
    if (!hf_tree_is_scalar(reader->tree, node) ||
        hf_duration_range_parse(hf_tree_text(reader->tree, node), &low, &high) != HF_OK ||
        high > 24U * HOUR_MS || (low == 0 && high > 0)) {
        hf_expected(reader, node,
                    "a first and a longest hold-down, such as 10s..5m (at most 1d), "
                    "or 0s for none");
        return;
    }
    check->health.hold_down_ms = low;
    check->health.hold_down_max_ms = high;
}

static void check_times(struct hf_reader *reader, const uint32_t *values,
                        struct hf_config_check *check)
{
    if (check->timeout_ms == 0) {
        bool fits = check->interval_ms > TIMEOUT_DEFAULT_MS;
        check->timeout_ms = fits ? TIMEOUT_DEFAULT_MS : check->interval_ms / 2;
    } else if (check->timeout_ms >= check->interval_ms && values[CHECK_TIMEOUT] != 0) {
        char interval[HF_DURATION_TEXT_MAX];
        char expected[80];
        hf_duration_text(check->interval_ms, interval);
        (void)snprintf(expected, sizeof(expected), "less than the interval, which is %s", interval);
        hf_enter(reader, "timeout");
        hf_expected(reader, values[CHECK_TIMEOUT], expected);
        hf_leave(reader);
    }
}

typedef void node_read(struct hf_reader *reader, uint32_t node, struct hf_config_check *check);

static void read_nodes(struct hf_reader *reader, const uint32_t *values,
                       struct hf_config_check *check)
{
    static const struct {
        enum check_key key;
        node_read *read;
    } nodes[] = {
        {CHECK_PATH, read_path},
        {CHECK_HOST, read_host},
        {CHECK_EXPECT, read_expect},
        {CHECK_HOLD_DOWN, read_hold_down},
    };
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        enum check_key key = nodes[i].key;
        if (values[key] != 0) {
            hf_enter(reader, check_keys[key].name);
            nodes[i].read(reader, values[key], check);
            hf_leave(reader);
        }
    }
    if (check->body != NULL && values[CHECK_BODY] != 0) {
        hf_enter(reader, "body");
        check_body(reader, values[CHECK_BODY], check->body);
        hf_leave(reader);
    }
    if (check->ca_file != NULL && values[CHECK_CA_FILE] != 0) {
        hf_enter(reader, "ca_file");
        check_ca_file(reader, values[CHECK_CA_FILE], check->ca_file);
        hf_leave(reader);
    }
}

static void check_defaults(struct hf_config_check *check)
{
    static const struct hf_config_status_range success = {200, 299};
    *check = (struct hf_config_check){
        .statuses = &success,
        .status_count = 1,
        .verify = true,
        .resume_ms = 60 * 1000,
        .interval_ms = 2000,
        .stale_ms = 60 * 1000,
        .health = {.rise = 3,
                   .fall = 2,
                   .hold_down_ms = 10 * 1000,
                   .hold_down_max_ms = 300 * 1000,
                   .flap_window_ms = 300 * 1000},
    };
}

void hf_read_check(struct hf_reader *reader, uint32_t node, struct hf_config_check *ret_check)
{
    uint32_t values[CHECK_COUNT];
    check_defaults(ret_check);
    if (!hf_read_map(reader, node, check_keys, CHECK_COUNT, ret_check, values)) {
        return;
    }
    if (values[CHECK_TYPE] == 0) {
        hf_missing(reader, node, "type", "none, tcp, http, https or file");
        return;
    }
    hf_enter(reader, "type");
    uint32_t word = hf_read_word(reader, values[CHECK_TYPE], types);
    hf_leave(reader);
    if (word == UINT32_MAX) {
        return;
    }
    ret_check->type = (enum hf_check_type)word;
    refuse_keys(reader, values, ret_check->type);
    read_nodes(reader, values, ret_check);
    check_times(reader, values, ret_check);
    if (ret_check->type == HF_CHECK_FILE && values[CHECK_PATH] == 0) {
        hf_missing(reader, node, "path", "the state file that another tool writes");
    }
    bool is_web = ret_check->type == HF_CHECK_HTTP || ret_check->type == HF_CHECK_HTTPS;
    if (is_web && ret_check->path == NULL) {
        ret_check->path = "/";
    }
    if (is_web && ret_check->port == 0) {
        ret_check->port = ret_check->type == HF_CHECK_HTTPS ? 443 : 80;
    }
}
