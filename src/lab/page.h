/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Page: what compare.h found as one page of HTML that stands alone: no script, no request, dark or
 * light as the reader has it, readable without colour and on paper.
 */
#ifndef HF_LAB_PAGE_H
#define HF_LAB_PAGE_H

#include "base/buf.h"
#include "lab/compare.h"

/* Of the usual options; a buf of that cap takes every page. */
enum { HF_PAGE_SIZE_MAX = 60000 };

/* Look at hf_buf_error afterwards. */
void hf_page_write(const struct hf_compare_result *result, struct hf_buf *ret_html);

#endif
