/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `holdfast-lab compare` shows: both timelines one after the other, row by row, or JSON.
 */
#ifndef HF_HOLDFAST_LAB_COMPARE_SHOW_H
#define HF_HOLDFAST_LAB_COMPARE_SHOW_H

#include "holdfast/lab_command.h"
#include "lab/compare.h"

/* call->page_path says whether the page was written. */
void hf_lab_compare_show(const struct hf_lab_call *call, const struct hf_compare_result *result);

#endif
