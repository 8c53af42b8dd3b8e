/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/html.h"

void hf_html_put_text(struct hf_buf *html, const char *text)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '&':
            hf_buf_put_text(html, "&amp;");
            break;
        case '<':
            hf_buf_put_text(html, "&lt;");
            break;
        case '>':
            hf_buf_put_text(html, "&gt;");
            break;
        case '"':
            hf_buf_put_text(html, "&quot;");
            break;
        default:
            hf_buf_put(html, text, 1);
            break;
        }
    }
}
