/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/timeline.h"

#include <assert.h>
#include <string.h>

void hf_timeline_add(struct hf_timeline *timeline, const struct hf_timeline_line *line,
                     struct hf_buf *text)
{
    assert(timeline->count < HF_TIMELINE_LINES_MAX);
    struct hf_timeline_line *at = &timeline->lines[timeline->count++];
    *at = *line;
    const char *from = hf_buf_text(text);
    size_t size = text->size < sizeof(at->text) ? text->size : sizeof(at->text) - 1;
    memcpy(at->text, from, size);
    at->text[size] = 0;
}
