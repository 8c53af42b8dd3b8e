/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `holdfast-lab simulate` shows of its runs: a line while they go on, then a table or JSON.
 */
#ifndef HF_HOLDFAST_LAB_SIMULATE_H
#define HF_HOLDFAST_LAB_SIMULATE_H

#include "holdfast/lab_command.h"
#include "holdfast/lab_jobs.h"
#include "holdfast/tool.h"
#include "lab/shrink.h"

struct hf_lab_simulation {
    struct hf_lab_board *board;
    double began_s, seconds;
    bool is_interrupted;
    const struct hf_lab_failure *failures[HF_LAB_FAILURES_MAX]; /* by seed */
    uint32_t failure_count;
};

void hf_lab_simulate_progress(const struct hf_lab_simulation *all,
                              struct hf_tool_progress *progress);

void hf_lab_simulate_show(const struct hf_lab_call *call, const struct hf_lab_simulation *all);

#endif
