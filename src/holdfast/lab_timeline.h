/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timeline: one history, replayed, for people: a numbered line for each step that has something to
 * tell, then how it ended. The same pass writes the trace file.
 */
#ifndef HF_HOLDFAST_LAB_TIMELINE_H
#define HF_HOLDFAST_LAB_TIMELINE_H

#include "holdfast/lab_command.h"

/* How a replay ended. */
struct hf_lab_ending {
    enum hf_run_end end;
    uint32_t steps; /* taken */
    uint32_t stuck; /* the step of the trace that led nowhere, from 1; 0: none did */
    char why[HF_MODEL_WHY_SIZE];
};

/* Replays the trace's steps in world. term NULL: tells nothing. file NULL: writes none. */
void hf_lab_timeline(const struct hf_lab_world *world, const struct hf_trace *trace,
                     const struct hf_term *term, struct hf_buf *file,
                     struct hf_lab_ending *ret_ending);

/* "broken: I2 never backwards ...", or what else the end is, in colour. */
void hf_lab_ending_put(const struct hf_term *term, const struct hf_lab_ending *ending);

/* "broken", "restless", ... as JSON says it. */
const char *hf_lab_end_name(enum hf_run_end end);

/*
 * What was found, for people, where call wants text: timeline, end, the trace file and the command
 * that replays it. The file is what --trace says, else call->standard_path; call->trace_path is
 * set once it is written. The trace's expectation is set already.
 */
void hf_lab_found(struct hf_lab_call *call, struct hf_trace *trace);

#endif
