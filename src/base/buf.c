/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { BUF_FIRST_ROOM = 256 };

void hf_buf_init(struct hf_buf *buf, size_t cap)
{
    *buf = (struct hf_buf){.cap = cap};
}

void hf_buf_clear(struct hf_buf *buf)
{
    buf->size = 0;
    buf->error = HF_OK;
}

void hf_buf_release(struct hf_buf *buf)
{
    free(buf->bytes);
    hf_buf_init(buf, buf->cap);
}

/* Makes room for size more bytes and a NUL; 0 or the sticky error. */
static int buf_reserve(struct hf_buf *buf, size_t size)
{
    if (buf->error != HF_OK) {
        return buf->error;
    }
    if (size > buf->cap - buf->size) {
        buf->error = HF_ELIMIT;
        return buf->error;
    }
    size_t need = buf->size + size + 1;
    if (need > buf->room) {
        size_t room = buf->room == 0 ? BUF_FIRST_ROOM : buf->room;
        while (room < need) {
            room *= 2;
        }
        uint8_t *bytes = realloc(buf->bytes, room);
        if (bytes == NULL) {
            abort();
        }
        buf->bytes = bytes;
        buf->room = room;
    }
    return HF_OK;
}

void hf_buf_put(struct hf_buf *buf, const void *bytes, size_t size)
{
    if (buf_reserve(buf, size) == HF_OK && size > 0) {
        memcpy(buf->bytes + buf->size, bytes, size);
        buf->size += size;
    }
}

void hf_buf_put_text(struct hf_buf *buf, const char *text)
{
    hf_buf_put(buf, text, strlen(text));
}

static void put_big_endian(struct hf_buf *buf, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    hf_buf_put(buf, bytes, size);
}

void hf_buf_put_u8(struct hf_buf *buf, uint8_t value)
{
    put_big_endian(buf, value, 1);
}

void hf_buf_put_u16(struct hf_buf *buf, uint16_t value)
{
    put_big_endian(buf, value, 2);
}

void hf_buf_put_u32(struct hf_buf *buf, uint32_t value)
{
    put_big_endian(buf, value, 4);
}

void hf_buf_put_u64(struct hf_buf *buf, uint64_t value)
{
    put_big_endian(buf, value, 8);
}

void hf_buf_printf(struct hf_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size >= 0 && buf_reserve(buf, (size_t)size) == HF_OK) {
        (void)vsnprintf((char *)buf->bytes + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

const char *hf_buf_text(struct hf_buf *buf)
{
    if (buf_reserve(buf, 0) != HF_OK) {
        return "";
    }
    buf->bytes[buf->size] = 0;
    return (const char *)buf->bytes;
}

int hf_buf_error(const struct hf_buf *buf)
{
    return buf->error;
}
