/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `holdfast-lab explore` shows of a search: a line while it goes on, then a table or JSON.
 */
#ifndef HF_HOLDFAST_LAB_EXPLORE_SHOW_H
#define HF_HOLDFAST_LAB_EXPLORE_SHOW_H

#include "holdfast/lab_command.h"
#include "holdfast/tool.h"
#include "lab/explore.h"
#include "lab/weave.h"

struct hf_lab_search {
    struct hf_explore explore;
    struct hf_weave weave; /* where the model is made of parts */
    struct hf_model woven;
    bool is_woven;
    size_t memory; /* that may be used */
    double began_s, seconds;
    bool is_interrupted;
};

void hf_lab_explore_progress(const struct hf_lab_search *search, struct hf_tool_progress *progress);

void hf_lab_explore_show(const struct hf_lab_call *call, const struct hf_lab_search *search);

#endif
