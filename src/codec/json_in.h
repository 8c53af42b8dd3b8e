/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON in: members of objects that were parsed by jansson, for objects in the store that Holdfast
 * has written itself. Strict: HF_EMALF for a member that is missing or of another type.
 *
 * Numbers are 64 bits without a sign: integers, or, above 2^53 - 1, strings of decimal digits.
 */
#ifndef HF_CODEC_JSON_IN_H
#define HF_CODEC_JSON_IN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "codec/json.h"

/* Above this, hf_json_put_number writes a string. */
#define HF_JSON_NUMBER_MAX ((UINT64_C(1) << 53) - 1)

/* Parses a whole text: an object, no key twice. ret_root: json_decref. */
int hf_json_in_parse(const void *bytes, size_t size, json_t **ret_root);

/* The string is owned by object. */
int hf_json_in_text(const json_t *object, const char *key, const char **ret_text);
/* A copy of the string, in the arena; HF_ELIMIT when that is full. */
int hf_json_in_copy(const json_t *object, const char *key, struct hf_arena *arena,
                    const char **ret_text);
int hf_json_in_u64(const json_t *object, const char *key, uint64_t *ret_number);
int hf_json_in_u32(const json_t *object, const char *key, uint32_t *ret_number);
int hf_json_in_i64(const json_t *object, const char *key, int64_t *ret_number);
/* HF_EMALF also for one of more than most elements. */
int hf_json_in_array(const json_t *object, const char *key, size_t most, json_t **ret_array);

/* Writes what hf_json_in_u64 reads. */
void hf_json_put_number(struct hf_json *json, const char *key, uint64_t number);

#endif
