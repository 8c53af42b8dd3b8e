/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON out (RFC 8259): a streaming writer over a buf, with a sticky error.
 *
 * Callers write values in order and look at hf_json_error once at the end. Commas, indentation
 * and escapes are the writer's; so is UTF-8: every octet that is not part of a character becomes
 * U+FFFD, so that the output is valid whatever the strings hold. Writing a value where a key
 * belongs (or the reverse) and ending what was not begun are broken invariants and abort.
 * Integers are written in full: readers that keep numbers as doubles lose digits above 2^53.
 */
#ifndef HF_CODEC_JSON_H
#define HF_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    HF_JSON_DEPTH_MAX = 32, /* objects and arrays inside each other */
};

enum hf_json_style {
    HF_JSON_COMPACT, /* one line, no spaces */
    HF_JSON_PRETTY,  /* one value a line, indented by two spaces */
};

struct hf_json {
    struct hf_buf *buf;
    enum hf_json_style style;
    int error;
    uint32_t depth;
    uint8_t levels[HF_JSON_DEPTH_MAX]; /* enum json_level and whether it has a member */
};

/* Appends to buf, which stays the caller's. */
void hf_json_init(struct hf_json *json, struct hf_buf *buf, enum hf_json_style style);

/* HF_OK; HF_ELIMIT when the buf was full or the depth passed. */
int hf_json_error(const struct hf_json *json);

void hf_json_object(struct hf_json *json);
void hf_json_object_end(struct hf_json *json);
void hf_json_array(struct hf_json *json);
void hf_json_array_end(struct hf_json *json);

/* In an object, before each value. */
void hf_json_key(struct hf_json *json, const char *key);

void hf_json_text(struct hf_json *json, const char *text); /* NULL is written as null */
void hf_json_bytes(struct hf_json *json, const void *bytes, size_t size);
void hf_json_u64(struct hf_json *json, uint64_t value);
void hf_json_i64(struct hf_json *json, int64_t value);
/* With six digits; null where it is not a number. */
void hf_json_double(struct hf_json *json, double value);
void hf_json_bool(struct hf_json *json, bool value);
void hf_json_null(struct hf_json *json);

/* Key and value in one. */
void hf_json_put_text(struct hf_json *json, const char *key, const char *text);
void hf_json_put_u64(struct hf_json *json, const char *key, uint64_t value);
void hf_json_put_i64(struct hf_json *json, const char *key, int64_t value);
void hf_json_put_double(struct hf_json *json, const char *key, double value);
void hf_json_put_bool(struct hf_json *json, const char *key, bool value);
void hf_json_put_null(struct hf_json *json, const char *key);

#endif
