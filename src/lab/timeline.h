/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timeline: what happened in a world, line by line, for people: who, what, how bad it is, and what
 * each endpoint answers after it. Lines that belong together have the same row; two timelines of
 * one schedule count rows alike, so that they can stand side by side.
 */
#ifndef HF_LAB_TIMELINE_H
#define HF_LAB_TIMELINE_H

#include <stdint.h>

#include "base/buf.h"

enum {
    HF_TIMELINE_LINES_MAX = 256, /* four for each row that compare.h may have, and more */
    HF_TIMELINE_TEXT_SIZE = 160, /* with its NUL; longer text is cut */
    HF_TIMELINE_ENDPOINTS_MAX = 4,
    HF_TIMELINE_LANES_MAX = 5, /* the planner, then the enactors */
};

enum hf_timeline_kind { HF_TIMELINE_NORMAL, HF_TIMELINE_REFUSED, HF_TIMELINE_DANGER };

struct hf_timeline_line {
    char text[HF_TIMELINE_TEXT_SIZE];
    uint8_t answers[HF_TIMELINE_ENDPOINTS_MAX]; /* the plan; 0: nothing is answered */
    uint8_t row;
    uint8_t lane;
    uint8_t kind; /* enum hf_timeline_kind */
};

struct hf_timeline {
    struct hf_timeline_line lines[HF_TIMELINE_LINES_MAX];
    uint32_t count;
};

/* A line with that text; line has the rest. There must be room. */
void hf_timeline_add(struct hf_timeline *timeline, const struct hf_timeline_line *line,
                     struct hf_buf *text);

#endif
