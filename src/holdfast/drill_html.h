/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill HTML: the frame of the program's pages, which stand alone: no request, dark or light as the
 * reader has it. And charts of curves over one axis of time.
 */
#ifndef HF_HOLDFAST_DRILL_HTML_H
#define HF_HOLDFAST_DRILL_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

void hf_drill_html_begin(struct hf_buf *html, const char *title, const char *about);
void hf_drill_html_end(struct hf_buf *html);

enum { HF_DRILL_LINES_MAX = 12, HF_DRILL_POINTS = 480, HF_DRILL_MARKS_MAX = 64 };

/* One curve in a chart; NAN: nothing to show there. */
struct hf_drill_line {
    double values[HF_DRILL_POINTS];
    uint32_t run; /* its colour */
    bool is_there;
};

struct hf_drill_chart {
    const char *title, *unit;
    bool is_share; /* 0 to 100 % */
    uint64_t length_us;
    bool has_clock;
    uint32_t clock_s;
    uint64_t marks_us[HF_DRILL_MARKS_MAX]; /* actions, numbered from 1 */
    uint32_t mark_count;
    uint64_t repaired_us;
    struct hf_drill_line *lines;
    uint32_t line_count;
};

void hf_drill_chart_write(struct hf_buf *html, const struct hf_drill_chart *chart);

#endif
