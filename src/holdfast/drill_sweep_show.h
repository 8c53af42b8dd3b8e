/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill sweep: a map of scores over one or two axes, for a terminal, a page and other tools.
 */
#ifndef HF_HOLDFAST_DRILL_SWEEP_SHOW_H
#define HF_HOLDFAST_DRILL_SWEEP_SHOW_H

#include "base/buf.h"
#include "holdfast/drill_grid.h"

struct hf_sweep {
    const struct hf_grid *grid;
    uint32_t columns, rows;             /* first axis, second axis */
    const struct hf_grid_score *scores; /* rows x columns */
};

void hf_sweep_show(const struct hf_term *term, const struct hf_sweep *sweep);
void hf_sweep_json(const struct hf_sweep *sweep, struct hf_buf *buf);
void hf_sweep_csv(const struct hf_sweep *sweep, struct hf_buf *buf);
void hf_sweep_page(const struct hf_sweep *sweep, struct hf_buf *html);

#endif
