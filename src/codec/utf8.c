/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/utf8.h"

#include <string.h>

#include <stdbool.h>

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The second octet decides overlong forms, surrogates and the upper end (RFC 3629 section 4). */
static bool second_is_right(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

size_t hf_utf8_size(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint8_t first = bytes[0];
    if (first < 0x80) {
        return 1;
    }
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size < need) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (!is_tail(bytes[i])) {
            return 0;
        }
    }
    return second_is_right(first, bytes[1]) ? need : 0;
}

size_t hf_utf8_put(uint32_t code_point, uint8_t ret_bytes[4])
{
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        return 0;
    }
    if (code_point < 0x80) {
        ret_bytes[0] = (uint8_t)code_point;
        return 1;
    }
    size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        ret_bytes[i] = (uint8_t)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    static const uint8_t head[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    ret_bytes[0] = (uint8_t)(head[size] | code_point);
    return size;
}

bool hf_utf8_is_text(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t size = hf_utf8_size((const uint8_t *)text, left);
        if (size == 0) {
            return false;
        }
        text += size;
        left -= size;
    }
    return true;
}
