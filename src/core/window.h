/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Window: how many requests one who asks may have in flight, by how fast it is answered. Pure.
 *
 * Opens by one with every answer that comes within HF_WINDOW_LATENCY_MS, stands still up to twice
 * that, closes by a thirty-second with every slower one, and halves with a failure. Counted in
 * 256ths, so that a small step is not lost; never below one whole request.
 */
#ifndef HF_CORE_WINDOW_H
#define HF_CORE_WINDOW_H

#include <stdint.h>

enum {
    HF_WINDOW_ONE = 256,
    HF_WINDOW_LATENCY_MS = 400, /* what it aims at; up to twice that is borne */
};

/* After one answer; max_256 is the most that it may be. */
uint32_t hf_window_follow(uint32_t window_256, uint32_t max_256, uint32_t latency_ms);

/* After no answer, or one that is a failure. */
uint32_t hf_window_fail(uint32_t window_256);

#endif
