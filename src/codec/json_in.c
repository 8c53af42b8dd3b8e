/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/json_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

int hf_json_in_parse(const void *bytes, size_t size, json_t **ret_root)
{
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return HF_EMALF;
    }
    *ret_root = root;
    return HF_OK;
}

int hf_json_in_text(const json_t *object, const char *key, const char **ret_text)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        return HF_EMALF;
    }
    *ret_text = text;
    return HF_OK;
}

int hf_json_in_copy(const json_t *object, const char *key, struct hf_arena *arena,
                    const char **ret_text)
{
    const char *text = NULL;
    int error = hf_json_in_text(object, key, &text);
    if (error != HF_OK) {
        return error;
    }
    const char *copy = hf_arena_copy(arena, text, strlen(text));
    if (copy == NULL) {
        return HF_ELIMIT;
    }
    *ret_text = copy;
    return HF_OK;
}

/* Decimal digits of a number that an integer is not used for. */
static int parse_digits(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (const char *at = text; *at != 0; at++) {
        if (*at < '0' || *at > '9') {
            return HF_EMALF;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            return HF_EMALF;
        }
        number = number * 10 + digit;
    }
    if (number <= HF_JSON_NUMBER_MAX || text[0] == '0') {
        return HF_EMALF;
    }
    *ret_number = number;
    return HF_OK;
}

int hf_json_in_u64(const json_t *object, const char *key, uint64_t *ret_number)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value)) {
        return parse_digits(json_string_value(value), ret_number);
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return HF_EMALF;
    }
    *ret_number = (uint64_t)json_integer_value(value);
    return HF_OK;
}

int hf_json_in_u32(const json_t *object, const char *key, uint32_t *ret_number)
{
    uint64_t number = 0;
    int error = hf_json_in_u64(object, key, &number);
    if (error != HF_OK || number > UINT32_MAX) {
        return HF_EMALF;
    }
    *ret_number = (uint32_t)number;
    return HF_OK;
}

int hf_json_in_i64(const json_t *object, const char *key, int64_t *ret_number)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) {
        return HF_EMALF;
    }
    *ret_number = json_integer_value(value);
    return HF_OK;
}

int hf_json_in_array(const json_t *object, const char *key, size_t most, json_t **ret_array)
{
    json_t *array = json_object_get(object, key);
    if (!json_is_array(array) || json_array_size(array) > most) {
        return HF_EMALF;
    }
    *ret_array = array;
    return HF_OK;
}

void hf_json_put_number(struct hf_json *json, const char *key, uint64_t number)
{
    if (number <= HF_JSON_NUMBER_MAX) {
        hf_json_put_u64(json, key, number);
        return;
    }
    char digits[21];
    (void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
    hf_json_put_text(json, key, digits);
}
