/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What programs that compute need of the machine: a clock, memory that costs nothing until it is
 * touched, signals that are asked for, files, and a line of progress.
 */
#ifndef HF_HOLDFAST_TOOL_H
#define HF_HOLDFAST_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "holdfast/term.h"

/* Monotonic, in seconds. */
double hf_tool_now_s(void);

/* Zeroed, in huge pages where there are some, not accounted for until touched; NULL: no such
 * address space. hf_tool_unmap with the same size gives it back. */
void *hf_tool_map(size_t size);
void hf_tool_unmap(void *memory, size_t size);

/* Of the machine, and the most that this process had at a time. */
uint64_t hf_tool_memory_of_machine(void);
uint64_t hf_tool_memory_peak(void);
unsigned hf_tool_cores(void);

/* From now on SIGINT and SIGTERM do not end the process; hf_tool_interrupted says whether one of
 * them came, at most once for each. Waits up to wait_ms for one, or for the end of a child. */
void hf_tool_block_signals(void);
bool hf_tool_interrupted(unsigned wait_ms);

/* A whole file; HF_ELIMIT: more than buf takes; else HF_EIO with errno. */
int hf_tool_read(const char *path, struct hf_buf *ret_buf);
/* Replaces the file in one step: whoever looks sees the old file or the new one. What is no regular
 * file (a device, a pipe) is written to. HF_EIO with errno. */
int hf_tool_write(const char *path, const struct hf_buf *buf);

enum { HF_TOOL_SHORT_MAX = 32 };

/* "8,832" */
void hf_tool_count_text(uint64_t number, char ret_text[HF_TOOL_SHORT_MAX]);
/* "1.25 M", "830 k", "12" */
void hf_tool_rate_text(double rate, char ret_text[HF_TOOL_SHORT_MAX]);
/* "0.42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h", "12 years" */
void hf_tool_seconds_text(double seconds, char ret_text[HF_TOOL_SHORT_MAX]);

/* One line of a terminal that is written anew a few times a second; nothing where standard error
 * is none. */
struct hf_tool_progress {
    const struct hf_term *term;
    bool is_shown; /* it is a terminal */
    bool is_there; /* a line was written */
    double next_s;
};

void hf_tool_progress_init(struct hf_tool_progress *progress, const struct hf_term *term);
/* Whether it is time for a new line. */
bool hf_tool_progress_due(struct hf_tool_progress *progress);
void hf_tool_progress_put(struct hf_tool_progress *progress, const char *text);
void hf_tool_progress_end(struct hf_tool_progress *progress);

#endif
