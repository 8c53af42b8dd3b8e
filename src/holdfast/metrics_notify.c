/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples about receivers of alerts. */
#include "holdfast/metrics_internal.h"

static void put(struct hf_metrics_scene *scene, const struct hf_notify_counters *receiver,
                const char *result, uint64_t value, unsigned decimals)
{
    const struct hf_exposition_label labels[] = {{"receiver", receiver->receiver},
                                                 {"result", result}};
    hf_exposition_put(&scene->exposition, labels, 2, value, decimals);
}

void hf_metrics_put_messages(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    for (uint32_t i = 0; i < scene->receiver_count; i++) {
        const struct hf_notify_counters *receiver = &scene->receivers[i];
        put(scene, receiver, "acknowledged", receiver->sent, 0);
        put(scene, receiver, "refused", receiver->refused, 0);
        put(scene, receiver, "failed", receiver->failed, 0);
    }
}

void hf_metrics_put_notify_u64(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    for (uint32_t i = 0; i < scene->receiver_count; i++) {
        put(scene, &scene->receivers[i], "", hf_metrics_u64(&scene->receivers[i], row->member), 0);
    }
}

void hf_metrics_put_pending(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    for (uint32_t i = 0; i < scene->receiver_count; i++) {
        put(scene, &scene->receivers[i], "", scene->receivers[i].pending, 0);
    }
}

void hf_metrics_put_acknowledged(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    for (uint32_t i = 0; i < scene->receiver_count; i++) {
        if (scene->receivers[i].acknowledged_ms != 0) {
            put(scene, &scene->receivers[i], "", scene->receivers[i].acknowledged_ms,
                row->decimals);
        }
    }
}
