/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fields of a response say of its framing and its connection. */
#include <string.h>

#include "base/error.h"
#include "codec/http_internal.h"

static bool is_text_equal(const char *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static int take_length(struct hf_http *http, size_t value_size)
{
    uint64_t length = 0;
    if (value_size == 0 || value_size > 18) { /* 18 digits fit into 64 bits */
        return hf_http_broken(http, HF_EMALF, "a Content-Length that is no number");
    }
    for (size_t i = 0; i < value_size; i++) {
        uint8_t octet = (uint8_t)http->value[i];
        if (octet < '0' || octet > '9') {
            return hf_http_broken(http, HF_EMALF, "a Content-Length that is no number");
        }
        length = length * 10 + (uint64_t)(octet - '0');
    }
    if (http->has_length && length != http->length) {
        return hf_http_broken(http, HF_EMALF, "two Content-Length fields that differ");
    }
    http->has_length = true;
    http->length = length;
    return HF_OK;
}

static int take_coding(struct hf_http *http, size_t value_size)
{
    if (http->has_coding || !is_text_equal(http->value, value_size, "chunked")) {
        return hf_http_broken(http, HF_EMALF, "a Transfer-Encoding other than chunked");
    }
    if (http->minor == 0) {
        return hf_http_broken(http, HF_EMALF, "a Transfer-Encoding in HTTP/1.0");
    }
    http->has_coding = true;
    return HF_OK;
}

/* A list of options (RFC 9110 7.6.1); one that is too long to be looked at may say anything. */
static int take_connection(struct hf_http *http, size_t value_size)
{
    size_t begin = 0;
    for (size_t i = 0; i <= value_size; i++) {
        if (i < value_size && http->value[i] != ',' && http->value[i] != ' ' &&
            http->value[i] != '\t') {
            continue;
        }
        http->has_close = http->has_close || is_text_equal(http->value + begin, i - begin, "close");
        begin = i + 1;
    }
    return HF_OK;
}

/* A field is whole. Only those that frame the content matter; trailers never do (RFC 9110 6.5). */
int hf_http_take_field(struct hf_http *http)
{
    if (http->in_trailer) {
        return HF_OK;
    }
    size_t size = http->value_size;
    bool whole = size <= HF_HTTP_VALUE_ROOM;
    while (whole && size > 0 && (http->value[size - 1] == ' ' || http->value[size - 1] == '\t')) {
        size--;
    }
    if (is_text_equal(http->name, http->name_size, "content-length")) {
        return take_length(http, size);
    }
    if (is_text_equal(http->name, http->name_size, "transfer-encoding")) {
        return take_coding(http, size < HF_HTTP_VALUE_ROOM ? size : HF_HTTP_VALUE_ROOM);
    }
    if (is_text_equal(http->name, http->name_size, "connection")) {
        http->has_close = http->has_close || !whole;
        return take_connection(http, whole ? size : 0);
    }
    return HF_OK;
}
