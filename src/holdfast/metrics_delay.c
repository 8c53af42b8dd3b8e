/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long changes take to be written. */
#include "holdfast/metrics_internal.h"

static const uint64_t bounds_ms[HF_DELAY_BOUNDS] = {25,   50,   100,   250,   500,   1000,
                                                    2500, 5000, 10000, 30000, 60000, 300000};

void hf_delays_add(struct hf_delays *delays, uint64_t delay_ms)
{
    uint32_t i = 0;
    while (i < HF_DELAY_BOUNDS && delay_ms > bounds_ms[i]) {
        i++;
    }
    delays->counts[i]++;
    delays->sum_ms += delay_ms;
}

void hf_metrics_put_delays(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    hf_exposition_put_histogram(&scene->exposition, bounds_ms, scene->delays->counts,
                                HF_DELAY_BOUNDS, scene->delays->sum_ms, row->decimals);
}
