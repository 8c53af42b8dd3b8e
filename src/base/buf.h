/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buf: a byte string that grows up to a cap, with a sticky error.
 *
 * Writers put without checking and look at hf_buf_error once at the end: after the first failure
 * every further put does nothing. Integers are written in network byte order. The bytes belong to
 * the buf until hf_buf_release; hf_buf_text keeps a NUL behind them that is not counted in size.
 */
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct hf_buf {
    uint8_t *bytes;
    size_t size;
    size_t room; /* allocated */
    size_t cap;
    int error;
};

void hf_buf_init(struct hf_buf *buf, size_t cap);
void hf_buf_clear(struct hf_buf *buf); /* size and error to 0; keeps the memory */
void hf_buf_release(struct hf_buf *buf);

void hf_buf_put(struct hf_buf *buf, const void *bytes, size_t size);
void hf_buf_put_text(struct hf_buf *buf, const char *text);
void hf_buf_put_u8(struct hf_buf *buf, uint8_t value);
void hf_buf_put_u16(struct hf_buf *buf, uint16_t value);
void hf_buf_put_u32(struct hf_buf *buf, uint32_t value);
void hf_buf_put_u64(struct hf_buf *buf, uint64_t value);
void hf_buf_printf(struct hf_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The content as a C string; "" after an error. Valid until the next put. */
const char *hf_buf_text(struct hf_buf *buf);

/* HF_OK, or HF_ELIMIT when the cap was reached. */
int hf_buf_error(const struct hf_buf *buf);

#endif
