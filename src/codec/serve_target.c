/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/serve_target.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "codec/utf8.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* False for half an escape; else text holds the decoded octets, which may include NUL. */
static bool unescape(char *text, bool plus_is_space, size_t *ret_size)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        if (*from == '%') {
            int high = hex_value(from[1]);
            int low = high < 0 ? -1 : hex_value(from[2]);
            if (low < 0) {
                return false;
            }
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else if (*from == '+' && plus_is_space) {
            *to++ = ' ';
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
    *ret_size = (size_t)(to - text);
    return true;
}

/* UTF-8 without control characters (C0, DEL, C1): fit for logs and answers. */
static bool is_text(const char *text, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + size;
    while (at < end) {
        size_t octets = hf_utf8_size(at, (size_t)(end - at));
        bool is_control =
            *at < 0x20 || *at == 0x7f || (octets == 2 && at[0] == 0xc2 && at[1] < 0xa0);
        if (octets == 0 || is_control) {
            return false;
        }
        at += octets;
    }
    return true;
}

static int decode(char *text, bool is_query, const char **ret_why)
{
    size_t size = 0;
    if (!unescape(text, is_query, &size)) {
        *ret_why = "a % is not followed by two hexadecimal digits";
        return HF_EMALF;
    }
    if (!is_text(text, size)) {
        *ret_why = "the target is not UTF-8, or has control characters";
        return HF_EMALF;
    }
    return HF_OK;
}

static bool has_bad_segment(const char *path)
{
    const char *at = path + 1;
    if (*at == 0) {
        return false; /* the root */
    }
    for (;;) {
        size_t size = strcspn(at, "/");
        bool is_dots = (size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.');
        if (size == 0 || is_dots) {
            return true;
        }
        if (at[size] == 0) {
            return false;
        }
        at += size + 1;
    }
}

static int add_parameter(struct hf_serve_target *target, char *text, const char **ret_why)
{
    if (target->query_count == HF_SERVE_QUERY_MAX) {
        *ret_why = "the query has too many parameters";
        return HF_ELIMIT;
    }
    char *value = strchr(text, '=');
    if (value != NULL) {
        *value++ = 0;
    } else {
        value = text + strlen(text);
    }
    int error = decode(text, true, ret_why);
    if (error == HF_OK && *value != 0) {
        error = decode(value, true, ret_why);
    }
    if (error == HF_OK && *text == 0) {
        *ret_why = "a parameter of the query has no name";
        error = HF_EMALF;
    }
    if (error == HF_OK) {
        target->query[target->query_count++] = (struct hf_serve_parameter){text, value};
    }
    return error;
}

int hf_serve_target_parse(char *text, struct hf_serve_target *ret_target, const char **ret_why)
{
    struct hf_serve_target target = {.path = text};
    char *query = strchr(text, '?');
    if (query != NULL) {
        *query++ = 0;
    }
    int error = decode(text, false, ret_why);
    if (error == HF_OK && (text[0] != '/' || has_bad_segment(text))) {
        *ret_why = "the path must begin with a slash and have no empty, . or .. segment";
        error = HF_EMALF;
    }
    while (error == HF_OK && query != NULL) {
        char *next = strchr(query, '&');
        if (next != NULL) {
            *next++ = 0;
        }
        if (*query != 0) {
            error = add_parameter(&target, query, ret_why);
        }
        query = next;
    }
    if (error == HF_OK) {
        *ret_target = target;
    }
    return error;
}
