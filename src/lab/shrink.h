/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shrink: makes a history that fails shorter, while it fails for the same reason. Delta debugging
 * (Zeller and Hildebrandt, 2002) over the list of its steps: parts are left out, large ones first;
 * then the choices of each step are lowered towards 0; and so on until neither helps.
 *
 * A step that leads nowhere after others were left out is left out too. The seed, and with it the
 * first state and the healing, stays. No clock: the caller tries as long as it likes.
 */
#ifndef HF_LAB_SHRINK_H
#define HF_LAB_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/run.h"
#include "lab/trace.h"

struct hf_shrink {
    struct hf_run run;
    const struct hf_trace *trace;     /* seed, expectation, whether it heals */
    struct hf_schedule *best, *trial; /* step_count of the trace each */
    uint32_t best_count, trial_count;
    uint32_t chunk; /* steps that are left out at a time; 0: choices are lowered */
    uint32_t at;    /* the step that is left out first, or whose choice is lowered */
    uint32_t choice, attempt;
    bool has_helped; /* in this round */
    bool is_done;
    uint64_t tried, accepted;
};

/* Octets for a trace of so many steps; aligned to 8. */
size_t hf_shrink_layout(const struct hf_model *model, uint32_t step_count);

/* trace and memory stay the caller's; the trace's steps are copied. */
void hf_shrink_init(struct hf_shrink *shrink, const struct hf_model *model,
                    const struct hf_trace *trace, void *memory);

/* Tries one shorter history; false when there is none left to try. */
bool hf_shrink_try(struct hf_shrink *shrink);

/* The shortest one so far goes into the trace, whose steps have room for it. */
void hf_shrink_result(const struct hf_shrink *shrink, struct hf_trace *ret_trace);

#endif
