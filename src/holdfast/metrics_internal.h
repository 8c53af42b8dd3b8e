/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of metrics share: a row of the table, and who fills its samples. */
#ifndef HF_HOLDFAST_METRICS_INTERNAL_H
#define HF_HOLDFAST_METRICS_INTERNAL_H

#include <stddef.h>

#include "holdfast/metrics.h"

/* What all of one text is written from. */
struct hf_metrics_scene {
    const struct hf_status *status;
    const struct hf_look *look;
    const struct hf_serve_counters *counters; /* or NULL */
    struct hf_metrics_pool *pools;            /* one for each of the configuration */
    const struct hf_notify_counters *receivers;
    uint32_t receiver_count;
    const struct hf_delays *delays;
    struct hf_exposition exposition;
};

struct hf_metrics_pool {
    uint64_t up, down, unknown, drained, slowest_us;
};

struct hf_metrics_row;
/* Puts all samples of the row's family. */
typedef void hf_metrics_put(struct hf_metrics_scene *scene, const struct hf_metrics_row *row);

struct hf_metrics_row {
    struct hf_exposition_family family;
    hf_metrics_put *put;
    size_t member;     /* offset of the number in the struct that put walks over */
    unsigned decimals; /* 3: the number is in thousandths of the family's unit */
};

struct hf_metrics_role {
    uint64_t is_up, at_ms, started_ms, has_trouble;
};

/* A sample without labels, and with one. */
void hf_metrics_plain(struct hf_metrics_scene *scene, uint64_t value, unsigned decimals);
void hf_metrics_labelled(struct hf_metrics_scene *scene, const char *name, const char *text,
                         uint64_t value);
/* The member at an offset. */
uint64_t hf_metrics_u64(const void *base, size_t member);
uint32_t hf_metrics_u32(const void *base, size_t member);

/* --- metrics_state.c --- */
hf_metrics_put hf_metrics_put_info, hf_metrics_put_seen, hf_metrics_put_store,
    hf_metrics_put_problems, hf_metrics_put_head_gen, hf_metrics_put_head_created,
    hf_metrics_put_overrides, hf_metrics_put_alerts, hf_metrics_put_urgent,
    hf_metrics_put_endpoints, hf_metrics_put_configured;

/* --- metrics_role.c: member is of hf_metrics_role, hf_planner_status, hf_janitor_status and
 * hf_report_zone --- */
hf_metrics_put hf_metrics_put_roles, hf_metrics_put_planner, hf_metrics_put_planner_frozen,
    hf_metrics_put_planner_stopped, hf_metrics_put_janitor, hf_metrics_put_zone_states,
    hf_metrics_put_zone_lists, hf_metrics_put_zones_u64, hf_metrics_put_zones_u32;

/* --- metrics_fleet.c: member is of hf_metrics_pool --- */
/* Fills in scene->pools. */
void hf_metrics_count_pools(struct hf_metrics_scene *scene);
hf_metrics_put hf_metrics_put_pool_verdicts, hf_metrics_put_pools_u64, hf_metrics_put_backends_at,
    hf_metrics_put_backend_up, hf_metrics_put_backend_drained, hf_metrics_put_backend_duration,
    hf_metrics_put_backend_flaps, hf_metrics_put_omitted;

/* --- metrics_serve.c: member is of hf_serve_counters --- */
hf_metrics_put hf_metrics_put_requests, hf_metrics_put_serve_refused, hf_metrics_put_serve_u64,
    hf_metrics_put_serve_u32;

/* --- metrics_notify.c: member is of hf_notify_counters --- */
hf_metrics_put hf_metrics_put_messages, hf_metrics_put_notify_u64, hf_metrics_put_pending,
    hf_metrics_put_acknowledged;

/* --- metrics_delay.c --- */
hf_metrics_put hf_metrics_put_delays;

#endif
