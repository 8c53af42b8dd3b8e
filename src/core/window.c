/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/window.h"

uint32_t hf_window_follow(uint32_t window_256, uint32_t max_256, uint32_t latency_ms)
{
    if (latency_ms <= HF_WINDOW_LATENCY_MS) {
        window_256 += HF_WINDOW_ONE;
    } else if (latency_ms > 2 * HF_WINDOW_LATENCY_MS) {
        window_256 -= window_256 / 32;
    }
    if (window_256 > max_256) {
        window_256 = max_256;
    }
    return window_256 < HF_WINDOW_ONE ? HF_WINDOW_ONE : window_256;
}

uint32_t hf_window_fail(uint32_t window_256)
{
    return window_256 / 2 < HF_WINDOW_ONE ? HF_WINDOW_ONE : window_256 / 2;
}
