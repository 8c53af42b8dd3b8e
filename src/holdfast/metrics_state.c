/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples about the whole installation. */
#include <string.h>

#include "holdfast/metrics_internal.h"

void hf_metrics_put_info(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_exposition_label labels[] = {
        {"version", HF_VERSION},
        {"installation", scene->look->config->installation},
    };
    (void)row;
    hf_exposition_put(&scene->exposition, labels, 2, 1, 0);
}

void hf_metrics_put_seen(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    hf_metrics_plain(scene, scene->look->now_ms, row->decimals);
}

void hf_metrics_put_store(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    static const char *const states[] = {"open",    "missing", "locked",
                                         "damaged", "foreign", "failed"};
    (void)row;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        hf_metrics_labelled(scene, "state", states[i],
                            strcmp(states[i], scene->look->store_state) == 0);
    }
}

void hf_metrics_put_problems(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    hf_metrics_plain(scene, scene->look->problem_count, 0);
}

void hf_metrics_put_head_gen(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    if (scene->look->has_plan) {
        hf_metrics_plain(scene, scene->look->plan.head.gen, 0);
    }
}

void hf_metrics_put_head_created(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->look->has_plan && scene->look->plan.head.gen > 0) {
        hf_metrics_plain(scene, scene->look->plan.head.created_ms, row->decimals);
    }
}

void hf_metrics_put_overrides(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_overrides *overrides = &scene->look->overrides;
    (void)row;
    if (!scene->look->has_overrides) {
        return;
    }
    for (int kind = 0; kind <= HF_OVERRIDE_APPROVE; kind++) {
        uint64_t count = 0;
        for (uint32_t i = 0; i < overrides->count; i++) {
            count += overrides->items[i].kind == (enum hf_override_kind)kind;
        }
        hf_metrics_labelled(scene, "kind", hf_override_kind_name((enum hf_override_kind)kind),
                            count);
    }
}

/* One sample for each code and severity that is there. */
void hf_metrics_put_alerts(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_status *status = scene->status;
    (void)row;
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        uint64_t count = 0;
        bool is_first = true;
        for (uint32_t k = 0; k < status->alert_count; k++) {
            bool is_same = strcmp(status->alerts[k].code, alert->code) == 0 &&
                           status->alerts[k].severity == alert->severity;
            is_first = is_first && !(is_same && k < i);
            count += is_same;
        }
        const struct hf_exposition_label labels[] = {
            {"code", alert->code},
            {"severity", hf_severity_name(alert->severity)},
        };
        if (is_first) {
            hf_exposition_put(&scene->exposition, labels, 2, count, 0);
        }
    }
}

void hf_metrics_put_urgent(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    hf_metrics_plain(scene, hf_status_urgent(scene->status), 0);
}

void hf_metrics_put_endpoints(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    static const struct {
        const char *state;
        size_t member;
    } rows[] = {
        {"planned", offsetof(struct hf_status_counts, planned)},
        {"in_step", offsetof(struct hf_status_counts, in_step)},
        {"behind", offsetof(struct hf_status_counts, behind)},
        {"held", offsetof(struct hf_status_counts, held)},
        {"contested", offsetof(struct hf_status_counts, contested)},
        {"foreign", offsetof(struct hf_status_counts, foreign)},
        {"frozen", offsetof(struct hf_status_counts, frozen)},
        {"pinned", offsetof(struct hf_status_counts, pinned)},
        {"retired", offsetof(struct hf_status_counts, retired)},
        {"orphan", offsetof(struct hf_status_counts, orphans)},
    };
    (void)row;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hf_metrics_labelled(scene, "state", rows[i].state,
                            hf_metrics_u32(&scene->status->counts, rows[i].member));
    }
}

void hf_metrics_put_configured(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    hf_metrics_plain(scene, scene->look->config->endpoint_count, 0);
}
