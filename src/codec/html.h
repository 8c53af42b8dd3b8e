/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTML: text in pages that programs write.
 */
#ifndef HF_CODEC_HTML_H
#define HF_CODEC_HTML_H

#include "base/buf.h"

/* Text in an element or an attribute. */
void hf_html_put_text(struct hf_buf *html, const char *text);

#endif
