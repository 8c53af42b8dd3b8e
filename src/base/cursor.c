/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cursor.h"

#include "base/error.h"

void hf_cursor_init(struct hf_cursor *cursor, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    *cursor = (struct hf_cursor){.at = at, .end = size > 0 ? at + size : at, .error = HF_OK};
}

size_t hf_cursor_left(const struct hf_cursor *cursor)
{
    return cursor->error == HF_OK ? (size_t)(cursor->end - cursor->at) : 0;
}

const uint8_t *hf_cursor_bytes(struct hf_cursor *cursor, size_t size)
{
    if (cursor->error != HF_OK || size > hf_cursor_left(cursor)) {
        cursor->error = HF_EMALF;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += size;
    return bytes;
}

static uint64_t take_big_endian(struct hf_cursor *cursor, size_t size)
{
    const uint8_t *bytes = hf_cursor_bytes(cursor, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

uint8_t hf_cursor_u8(struct hf_cursor *cursor)
{
    return (uint8_t)take_big_endian(cursor, 1);
}

uint16_t hf_cursor_u16(struct hf_cursor *cursor)
{
    return (uint16_t)take_big_endian(cursor, 2);
}

uint32_t hf_cursor_u32(struct hf_cursor *cursor)
{
    return (uint32_t)take_big_endian(cursor, 4);
}

uint64_t hf_cursor_u64(struct hf_cursor *cursor)
{
    return take_big_endian(cursor, 8);
}
