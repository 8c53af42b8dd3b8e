/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UTF-8 (RFC 3629): finds where a byte string stops being text. Pure.
 */
#ifndef HF_CODEC_UTF8_H
#define HF_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Octets of the character that starts at bytes: 1 to 4, or 0 when there is none (size is 0, an
 * overlong or cut sequence, a surrogate, a value above U+10FFFF).
 */
size_t hf_utf8_size(const uint8_t *bytes, size_t size);

/* Writes a code point as 1 to 4 octets; 0 for a surrogate or a value above U+10FFFF. */
size_t hf_utf8_put(uint32_t code_point, uint8_t ret_bytes[4]);

/* Whether all of a text is UTF-8. */
bool hf_utf8_is_text(const char *text);

#endif
