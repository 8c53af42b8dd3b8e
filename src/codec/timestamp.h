/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timestamp: a wall clock's time as RFC 3339 text in UTC. Pure. */
#ifndef HF_CODEC_TIMESTAMP_H
#define HF_CODEC_TIMESTAMP_H

#include <stdint.h>

enum { HF_TIMESTAMP_MAX = 128 }; /* 25 octets until the year 9999 */

/* "2026-01-31T12:00:00.123Z" of milliseconds since 1970. */
void hf_timestamp(uint64_t at_ms, char ret_text[HF_TIMESTAMP_MAX]);

#endif
