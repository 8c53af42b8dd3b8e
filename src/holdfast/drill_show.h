/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill show: what runs came to, for a terminal: one column a run, and curves in a line of blocks.
 */
#ifndef HF_HOLDFAST_DRILL_SHOW_H
#define HF_HOLDFAST_DRILL_SHOW_H

#include "holdfast/drill_program.h"
#include "holdfast/drill_sum.h"

/* runs: of the set's variants, in their order; all that were begun. */
void hf_drill_show(const struct hf_term *term, const struct hf_drill_set *set,
                   const struct hf_drill_job *runs);

#endif
