/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cursor: reads a byte string that somebody else owns, with a sticky error.
 *
 * Readers take without checking and look at the error once at the end: after the first read past
 * the end every further read returns 0 or NULL. Integers are in network byte order.
 */
#ifndef HF_BASE_CURSOR_H
#define HF_BASE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct hf_cursor {
    const uint8_t *at;
    const uint8_t *end;
    int error; /* HF_OK or HF_EMALF */
};

void hf_cursor_init(struct hf_cursor *cursor, const void *bytes, size_t size);
size_t hf_cursor_left(const struct hf_cursor *cursor);

uint8_t hf_cursor_u8(struct hf_cursor *cursor);
uint16_t hf_cursor_u16(struct hf_cursor *cursor);
uint32_t hf_cursor_u32(struct hf_cursor *cursor);
uint64_t hf_cursor_u64(struct hf_cursor *cursor);

/* A view of the next size bytes, which are passed over; NULL when there are fewer. */
const uint8_t *hf_cursor_bytes(struct hf_cursor *cursor, size_t size);

#endif
