/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "codec/utf8.h"

enum json_level {
    JSON_OBJECT = 1,
    JSON_ARRAY = 2,
    JSON_KIND = 3,
    JSON_FILLED = 4, /* has a member already */
    JSON_KEYED = 8,  /* a key was written and waits for its value */
};

void hf_json_init(struct hf_json *json, struct hf_buf *buf, enum hf_json_style style)
{
    *json = (struct hf_json){.buf = buf, .style = style};
}

int hf_json_error(const struct hf_json *json)
{
    return json->error != HF_OK ? json->error : hf_buf_error(json->buf);
}

static void new_line(struct hf_json *json)
{
    if (json->style == HF_JSON_PRETTY) {
        hf_buf_put_text(json->buf, "\n");
        for (uint32_t i = 0; i < json->depth; i++) {
            hf_buf_put_text(json->buf, "  ");
        }
    }
}

/* What separates this member of the open object or array from the one before. */
static void separate(struct hf_json *json, uint8_t *level)
{
    if ((*level & JSON_FILLED) != 0) {
        hf_buf_put_text(json->buf, ",");
    }
    *level |= JSON_FILLED;
    new_line(json);
}

static void value_begin(struct hf_json *json)
{
    if (json->depth == 0) {
        return;
    }
    uint8_t *level = &json->levels[json->depth - 1];
    if ((*level & JSON_KIND) == JSON_ARRAY) {
        separate(json, level);
        return;
    }
    assert((*level & JSON_KEYED) != 0);
    *level &= (uint8_t)~JSON_KEYED;
}

static void open_level(struct hf_json *json, enum json_level kind, const char *bracket)
{
    if (json->error != HF_OK) {
        return;
    }
    if (json->depth == HF_JSON_DEPTH_MAX) {
        json->error = HF_ELIMIT;
        return;
    }
    value_begin(json);
    hf_buf_put_text(json->buf, bracket);
    json->levels[json->depth++] = (uint8_t)kind;
}

static void close_level(struct hf_json *json, enum json_level kind, const char *bracket)
{
    if (json->error != HF_OK) {
        return;
    }
    assert(json->depth > 0);
    uint8_t level = json->levels[json->depth - 1];
    assert((level & JSON_KIND) == kind && (level & JSON_KEYED) == 0);
    json->depth--;
    if ((level & JSON_FILLED) != 0) {
        new_line(json);
    }
    hf_buf_put_text(json->buf, bracket);
}

void hf_json_object(struct hf_json *json)
{
    open_level(json, JSON_OBJECT, "{");
}

void hf_json_object_end(struct hf_json *json)
{
    close_level(json, JSON_OBJECT, "}");
}

void hf_json_array(struct hf_json *json)
{
    open_level(json, JSON_ARRAY, "[");
}

void hf_json_array_end(struct hf_json *json)
{
    close_level(json, JSON_ARRAY, "]");
}

static void put_escaped(struct hf_buf *buf, uint8_t byte)
{
    switch (byte) {
    case '"':
        hf_buf_put_text(buf, "\\\"");
        break;
    case '\\':
        hf_buf_put_text(buf, "\\\\");
        break;
    case '\n':
        hf_buf_put_text(buf, "\\n");
        break;
    case '\r':
        hf_buf_put_text(buf, "\\r");
        break;
    case '\t':
        hf_buf_put_text(buf, "\\t");
        break;
    default:
        hf_buf_printf(buf, "\\u%04x", byte);
        break;
    }
}

static void put_string(struct hf_buf *buf, const uint8_t *bytes, size_t size)
{
    hf_buf_put_text(buf, "\"");
    size_t plain = 0; /* start of the run that needs no change */
    size_t at = 0;
    while (at < size) {
        uint8_t byte = bytes[at];
        size_t step = hf_utf8_size(bytes + at, size - at);
        if (step > 0 && byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
            at += step;
            continue;
        }
        hf_buf_put(buf, bytes + plain, at - plain);
        if (step == 0) {
            hf_buf_put_text(buf, "\xef\xbf\xbd");
        } else {
            put_escaped(buf, byte);
        }
        at++;
        plain = at;
    }
    hf_buf_put(buf, bytes + plain, at - plain);
    hf_buf_put_text(buf, "\"");
}

void hf_json_key(struct hf_json *json, const char *key)
{
    if (json->error != HF_OK) {
        return;
    }
    assert(json->depth > 0);
    uint8_t *level = &json->levels[json->depth - 1];
    assert((*level & JSON_KIND) == JSON_OBJECT && (*level & JSON_KEYED) == 0);
    separate(json, level);
    *level |= JSON_KEYED;
    put_string(json->buf, (const uint8_t *)key, strlen(key));
    hf_buf_put_text(json->buf, json->style == HF_JSON_PRETTY ? ": " : ":");
}

void hf_json_bytes(struct hf_json *json, const void *bytes, size_t size)
{
    if (json->error == HF_OK) {
        value_begin(json);
        put_string(json->buf, bytes, size);
    }
}

static void put_word(struct hf_json *json, const char *word)
{
    if (json->error == HF_OK) {
        value_begin(json);
        hf_buf_put_text(json->buf, word);
    }
}

void hf_json_text(struct hf_json *json, const char *text)
{
    if (text == NULL) {
        put_word(json, "null");
    } else {
        hf_json_bytes(json, text, strlen(text));
    }
}

void hf_json_u64(struct hf_json *json, uint64_t value)
{
    if (json->error == HF_OK) {
        value_begin(json);
        hf_buf_printf(json->buf, "%" PRIu64, value);
    }
}

void hf_json_i64(struct hf_json *json, int64_t value)
{
    if (json->error == HF_OK) {
        value_begin(json);
        hf_buf_printf(json->buf, "%" PRId64, value);
    }
}

void hf_json_double(struct hf_json *json, double value)
{
    if (!isfinite(value)) {
        put_word(json, "null");
    } else if (json->error == HF_OK) {
        value_begin(json);
        hf_buf_printf(json->buf, "%.6g", value);
    }
}

void hf_json_bool(struct hf_json *json, bool value)
{
    put_word(json, value ? "true" : "false");
}

void hf_json_null(struct hf_json *json)
{
    put_word(json, "null");
}

void hf_json_put_text(struct hf_json *json, const char *key, const char *text)
{
    hf_json_key(json, key);
    hf_json_text(json, text);
}

void hf_json_put_u64(struct hf_json *json, const char *key, uint64_t value)
{
    hf_json_key(json, key);
    hf_json_u64(json, value);
}

void hf_json_put_i64(struct hf_json *json, const char *key, int64_t value)
{
    hf_json_key(json, key);
    hf_json_i64(json, value);
}

void hf_json_put_double(struct hf_json *json, const char *key, double value)
{
    hf_json_key(json, key);
    hf_json_double(json, value);
}

void hf_json_put_bool(struct hf_json *json, const char *key, bool value)
{
    hf_json_key(json, key);
    hf_json_bool(json, value);
}

void hf_json_put_null(struct hf_json *json, const char *key)
{
    hf_json_key(json, key);
    hf_json_null(json);
}
