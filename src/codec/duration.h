/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durations and rates as operators write them: 250ms, 2s, 5m, 1h, 7d; 10s..5m; 34% per 60s.
 *
 * Numbers are whole (percentages: one decimal) and the unit is required. Pure.
 */
#ifndef HF_CODEC_DURATION_H
#define HF_CODEC_DURATION_H

#include <stdint.h>

enum { HF_DURATION_TEXT_MAX = 16 };

/* HF_EMALF for what is no duration, HF_ELIMIT for one above UINT32_MAX milliseconds (49 days). */
int hf_duration_parse(const char *text, uint32_t *ret_ms);

/* "10s..5m", or one duration that is both ends; HF_EMALF also when the second is shorter. */
int hf_duration_range_parse(const char *text, uint32_t *ret_low_ms, uint32_t *ret_high_ms);

/* "34% per 60s", "2.5 % per 5m": 0 to 100 percent, a window above 0. */
int hf_rate_parse(const char *text, uint16_t *ret_permille, uint32_t *ret_window_ms);

/* In the largest unit that is exact: 90000 is "90s". */
void hf_duration_text(uint32_t ms, char ret_text[HF_DURATION_TEXT_MAX]);

#endif
