/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trace: one history of a world as a text file, to be kept, sent and replayed.
 *
 *   # holdfast-lab trace 1
 *   model two-phase careless=1
 *   seed 0
 *   expect broken agreement
 *   step 2 0 7
 *   # manager 1 aborts on its own
 *   heal
 *
 * The first line says what the file is and of which version. `model` names the model and those of
 * its options that are not as by default. `seed` is where the first state comes from (run.h).
 * `expect` is one of
 *
 *   holds            no invariant is broken; after `heal`, the world came to rest
 *   broken WORD      after the last step, the invariant of that name does not hold
 *   restless WORD    the world did not come to rest after `heal`, because of WORD
 *   wedge            after the last step, no step is left in a state that is not final
 *
 * Each `step` has the choices that are given to it, and `heal`, the last line where there is one,
 * means that faults stop. Empty lines and lines that begin with # are for the reader. The four
 * parts stand in this order; words are separated by blanks; numbers are decimal.
 */
#ifndef HF_LAB_TRACE_H
#define HF_LAB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "lab/run.h"

enum {
    HF_TRACE_NAME_SIZE = 32, /* with its NUL, of models, options and invariants */
    HF_TRACE_OPTIONS_MAX = 48,
    HF_TRACE_STEPS_MAX = 4 * 1000 * 1000,
};

struct hf_trace_option {
    char name[HF_TRACE_NAME_SIZE];
    uint32_t value;
};

enum hf_trace_expect {
    HF_TRACE_HOLDS,
    HF_TRACE_BROKEN,
    HF_TRACE_RESTLESS,
    HF_TRACE_WEDGE,
};

struct hf_trace {
    char model[HF_TRACE_NAME_SIZE];
    struct hf_trace_option options[HF_TRACE_OPTIONS_MAX];
    uint32_t option_count;
    uint64_t seed;
    enum hf_trace_expect expect;
    char word[HF_TRACE_NAME_SIZE]; /* of broken and restless; shortened where it is longer */
    bool heals;
    uint32_t step_count;
    struct hf_schedule *steps; /* the caller's */
};

/*
 * Reads a file of size octets. ret_trace->steps and room come from the caller: hf_trace_room says
 * how many there are at most. HF_EMALF: ret_line is the line that is wrong, ret_problem has what
 * was found and what was expected; *ret_trace is not to be used then.
 */
int hf_trace_parse(const void *bytes, size_t size, struct hf_schedule *steps, uint32_t room,
                   struct hf_trace *ret_trace, uint32_t *ret_line, struct hf_buf *ret_problem);

/* How many steps a file of that content can have at most: its lines. */
uint32_t hf_trace_room(const void *bytes, size_t size);

/* What a run that ended so is expected to do again. */
void hf_trace_expect_end(struct hf_trace *trace, enum hf_run_end end, const char *why);

/* Whether a run that ended so did what was expected. */
bool hf_trace_is_met(const struct hf_trace *trace, enum hf_run_end end, const char *why);

/* "holds", "broken I2", ... */
void hf_trace_put_expect(struct hf_buf *buf, const struct hf_trace *trace);

/* The file, in pieces: all before the first step, a step, a line for the reader, `heal`. */
void hf_trace_put_head(struct hf_buf *buf, const struct hf_trace *trace);
void hf_trace_put_step(struct hf_buf *buf, const struct hf_schedule *schedule);
void hf_trace_put_note(struct hf_buf *buf, const char *text);
void hf_trace_put_heal(struct hf_buf *buf);

#endif
