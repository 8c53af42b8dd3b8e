/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples about the API itself. */
#include "holdfast/metrics_internal.h"

void hf_metrics_put_requests(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    static const char *const codes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    (void)row;
    for (size_t i = 1; scene->counters != NULL && i < sizeof(codes) / sizeof(codes[0]); i++) {
        hf_metrics_labelled(scene, "code", codes[i], scene->counters->requests[i]);
    }
}

void hf_metrics_put_serve_refused(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_serve_counters *counters = scene->counters;
    (void)row;
    if (counters != NULL) {
        hf_metrics_labelled(scene, "why", "busy", counters->refused_busy);
        hf_metrics_labelled(scene, "why", "token", counters->refused_token);
        hf_metrics_labelled(scene, "why", "origin", counters->refused_origin);
    }
}

void hf_metrics_put_serve_u64(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->counters != NULL) {
        hf_metrics_plain(scene, hf_metrics_u64(scene->counters, row->member), 0);
    }
}

void hf_metrics_put_serve_u32(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->counters != NULL) {
        hf_metrics_plain(scene, hf_metrics_u32(scene->counters, row->member), 0);
    }
}
