/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line of JSON Lines to tree: strict RFC 8259, without a copy of what has no escapes.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_tree.h"
#include "codec/utf8.h"

struct json_reader {
    struct hf_tree *tree;
    const uint8_t *start, *at, *end;
    size_t tails; /* octets before at that are not the first of their character */
    uint32_t line;
    struct hf_tree_error *error;
    uint8_t closers[HF_TREE_DEPTH_MAX]; /* ] or } of what is open */
    uint32_t depth;
    struct hf_buf unescaped;
};

/* Columns are characters, as in YAML. */
static uint32_t column_of(const struct json_reader *reader, const uint8_t *at, size_t tails)
{
    return (uint32_t)((size_t)(at - reader->start) - tails) + 1;
}

static int fail(struct json_reader *reader, const uint8_t *at, const char *text)
{
    reader->error->line = reader->line;
    reader->error->column = column_of(reader, at, reader->tails);
    (void)snprintf(reader->error->text, sizeof(reader->error->text), "not JSON: %s", text);
    return HF_EMALF;
}

static int expected(struct json_reader *reader, const char *what)
{
    char message[160];
    if (reader->at == reader->end) {
        (void)snprintf(message, sizeof(message), "found the end of the line, expected %s", what);
    } else if (*reader->at >= 0x20 && *reader->at < 0x7f) {
        (void)snprintf(message, sizeof(message), "found '%c', expected %s", *reader->at, what);
    } else {
        (void)snprintf(message, sizeof(message), "found octet 0x%02x, expected %s", *reader->at,
                       what);
    }
    return fail(reader, reader->at, message);
}

static void skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r')) {
        reader->at++;
    }
}

static int add(struct json_reader *reader, enum hf_tree_kind kind, uint32_t column,
               const void *text, size_t size)
{
    if (hf_tree_add(reader->tree, kind, reader->line, column, text, size) == 0) {
        return fail(reader, reader->at, "found lists and objects too deep inside each other");
    }
    return HF_OK;
}

static int read_hex(struct json_reader *reader, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        uint8_t byte = reader->at < reader->end ? *reader->at : 0;
        if (byte >= '0' && byte <= '9') {
            value = value * 16 + byte - '0';
        } else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') {
            value = value * 16 + (byte | 0x20U) - 'a' + 10;
        } else {
            return expected(reader, "four hexadecimal digits");
        }
    }
    *ret_value = value;
    return HF_OK;
}

/* Behind \u; a surrogate needs its other half. */
static int read_unicode(struct json_reader *reader)
{
    const uint8_t *begin = reader->at - 2;
    uint32_t value = 0;
    int error = read_hex(reader, &value);
    if (error == HF_OK && value >= 0xd800 && value <= 0xdbff && reader->end - reader->at >= 2 &&
        reader->at[0] == '\\' && reader->at[1] == 'u') {
        uint32_t low = 0;
        reader->at += 2;
        error = read_hex(reader, &low);
        value = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((value - 0xd800) << 10) + low - 0xdc00
                                               : 0xd800;
    }
    if (error != HF_OK) {
        return error;
    }
    uint8_t bytes[4];
    size_t size = value == 0 ? 0 : hf_utf8_put(value, bytes);
    if (size == 0) {
        return fail(reader, begin, "found an escape that stands for no character of a text");
    }
    hf_buf_put(&reader->unescaped, bytes, size);
    return HF_OK;
}

static int read_escape(struct json_reader *reader)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    reader->at++;
    if (reader->at < reader->end && *reader->at == 'u') {
        reader->at++;
        return read_unicode(reader);
    }
    const char *found =
        reader->at < reader->end && *reader->at != 0 ? strchr(from, *reader->at) : NULL;
    if (found == NULL) {
        return expected(reader, "an escape such as \\n or \\u00e4");
    }
    hf_buf_put(&reader->unescaped, &to[found - from], 1);
    reader->at++;
    return HF_OK;
}

static int read_string(struct json_reader *reader)
{
    uint32_t column = column_of(reader, reader->at++, reader->tails);
    const uint8_t *plain = reader->at; /* what was not copied yet */
    hf_buf_clear(&reader->unescaped);
    while (reader->at < reader->end && *reader->at != '"') {
        uint8_t byte = *reader->at;
        if (byte == '\\') {
            hf_buf_put(&reader->unescaped, plain, (size_t)(reader->at - plain));
            int error = read_escape(reader);
            if (error != HF_OK) {
                return error;
            }
            plain = reader->at;
            continue;
        }
        size_t step =
            byte < 0x80 ? 1 : hf_utf8_size(reader->at, (size_t)(reader->end - reader->at));
        if (step == 0 || byte < 0x20) {
            return expected(reader, "text in UTF-8 without control characters");
        }
        reader->at += step;
        reader->tails += step - 1;
    }
    if (reader->at == reader->end) {
        return expected(reader, "the closing \" of a string");
    }
    size_t rest = (size_t)(reader->at - plain);
    reader->at++;
    if (reader->unescaped.size == 0) {
        return add(reader, HF_TREE_TEXT, column, plain, rest);
    }
    hf_buf_put(&reader->unescaped, plain, rest);
    return add(reader, HF_TREE_TEXT, column, reader->unescaped.bytes, reader->unescaped.size);
}

static bool take_digits(struct json_reader *reader)
{
    const uint8_t *begin = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at > begin;
}

static bool take_one_of(struct json_reader *reader, uint8_t a, uint8_t b)
{
    if (reader->at < reader->end && (*reader->at == a || *reader->at == b)) {
        reader->at++;
        return true;
    }
    return false;
}

static int read_number(struct json_reader *reader)
{
    const uint8_t *begin = reader->at;
    (void)take_one_of(reader, '-', '-');
    const uint8_t *digits = reader->at;
    if (!take_digits(reader)) {
        return expected(reader, "a digit");
    }
    if (*digits == '0' && reader->at - digits > 1) {
        return fail(reader, digits, "found a number with a leading zero");
    }
    if (take_one_of(reader, '.', '.') && !take_digits(reader)) {
        return expected(reader, "a digit");
    }
    if (take_one_of(reader, 'e', 'E')) {
        (void)take_one_of(reader, '+', '-');
        if (!take_digits(reader)) {
            return expected(reader, "a digit");
        }
    }
    return add(reader, HF_TREE_PLAIN, column_of(reader, begin, reader->tails), begin,
               (size_t)(reader->at - begin));
}

static bool take_word(struct json_reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
        return false;
    }
    reader->at += size;
    return true;
}

static int read_scalar(struct json_reader *reader)
{
    const uint8_t *begin = reader->at;
    uint8_t byte = begin < reader->end ? *begin : 0;
    if (byte == '"') {
        return read_string(reader);
    }
    if (byte == '-' || (byte >= '0' && byte <= '9')) {
        return read_number(reader);
    }
    if (take_word(reader, "true") || take_word(reader, "false")) {
        return add(reader, HF_TREE_PLAIN, column_of(reader, begin, reader->tails), begin,
                   (size_t)(reader->at - begin));
    }
    if (take_word(reader, "null")) {
        return add(reader, HF_TREE_NOTHING, column_of(reader, begin, reader->tails), NULL, 0);
    }
    return expected(reader, "a value (strings and keys need double quotes)");
}

static int read_key(struct json_reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != '"') {
        return expected(reader, "a key in double quotes");
    }
    int error = read_string(reader);
    if (error != HF_OK) {
        return error;
    }
    skip_space(reader);
    if (!take_one_of(reader, ':', ':')) {
        return expected(reader, "':'");
    }
    return HF_OK;
}

/* A list or an object begins. ret_open is false when it also ends here. */
static int open_node(struct json_reader *reader, bool *ret_open)
{
    uint8_t closer = *reader->at == '{' ? '}' : ']';
    uint32_t column = column_of(reader, reader->at, reader->tails);
    int error = add(reader, closer == '}' ? HF_TREE_MAP : HF_TREE_LIST, column, NULL, 0);
    if (error != HF_OK) {
        return error;
    }
    reader->at++;
    skip_space(reader);
    if (take_one_of(reader, closer, closer)) {
        hf_tree_close(reader->tree);
        *ret_open = false;
        return HF_OK;
    }
    reader->closers[reader->depth++] = closer;
    *ret_open = true;
    return closer == '}' ? read_key(reader) : HF_OK;
}

/* Behind a value: closes what ends here. ret_more says that another value follows. */
static int after_value(struct json_reader *reader, bool *ret_more)
{
    while (reader->depth > 0) {
        uint8_t closer = reader->closers[reader->depth - 1];
        skip_space(reader);
        if (take_one_of(reader, ',', ',')) {
            *ret_more = true;
            return closer == '}' ? read_key(reader) : HF_OK;
        }
        if (!take_one_of(reader, closer, closer)) {
            return expected(reader, closer == '}' ? "',' or '}'" : "',' or ']'");
        }
        hf_tree_close(reader->tree);
        reader->depth--;
    }
    *ret_more = false;
    skip_space(reader);
    return reader->at == reader->end ? HF_OK : expected(reader, "the end of the line");
}

static int read_line(struct json_reader *reader)
{
    bool more = true;
    while (more) {
        skip_space(reader);
        bool open = false;
        int error;
        if (reader->at < reader->end && (*reader->at == '{' || *reader->at == '[')) {
            error = open_node(reader, &open);
        } else {
            error = read_scalar(reader);
        }
        if (error == HF_OK && !open) {
            error = after_value(reader, &more);
        }
        if (error != HF_OK) {
            return error;
        }
    }
    return HF_OK;
}

int hf_tree_read_json(struct hf_tree *tree, const char *text, size_t size, uint32_t line,
                      struct hf_tree_error *ret_error)
{
    struct json_reader reader = {.tree = tree,
                                 .start = (const uint8_t *)text,
                                 .at = (const uint8_t *)text,
                                 .end = (const uint8_t *)text + size,
                                 .line = line,
                                 .error = ret_error};
    hf_buf_init(&reader.unescaped, size);
    int error = read_line(&reader);
    hf_buf_release(&reader.unescaped);
    return error;
}
