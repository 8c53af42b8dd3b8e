/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill page: the report of runs as one page of HTML: what they came to, what was done when, and
 * every curve with all runs in it.
 */
#ifndef HF_HOLDFAST_DRILL_PAGE_H
#define HF_HOLDFAST_DRILL_PAGE_H

#include "base/buf.h"
#include "holdfast/drill_program.h"

/* runs: of the set's variants, in their order. Look at hf_buf_error afterwards. */
void hf_drill_page_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                         struct hf_buf *ret_html);

#endif
