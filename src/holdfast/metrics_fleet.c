/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples about pools and, where the operator wants them, each backend. */
#include "holdfast/metrics_internal.h"

/* What was said of a configured backend, or NULL. */
static const struct hf_backend_status *row_of(const struct hf_look *look, uint32_t backend)
{
    return hf_look_backend(look, look->config->backends[backend].name);
}

void hf_metrics_count_pools(struct hf_metrics_scene *scene)
{
    const struct hf_config *config = scene->look->config;
    for (uint32_t i = 0; i < config->backend_count; i++) {
        const struct hf_backend_status *row = row_of(scene->look, i);
        struct hf_metrics_pool *pool = &scene->pools[config->backends[i].pool];
        enum hf_verdict verdict = row != NULL ? row->verdict : HF_VERDICT_UNKNOWN;
        pool->up += verdict == HF_VERDICT_UP;
        pool->down += verdict == HF_VERDICT_DOWN;
        pool->unknown += verdict == HF_VERDICT_UNKNOWN;
        pool->drained += row != NULL && row->drained;
        if (row != NULL && row->duration_us > pool->slowest_us) {
            pool->slowest_us = row->duration_us;
        }
    }
}

static uint32_t pools_shown(const struct hf_config *config)
{
    return config->pool_count < HF_METRICS_POOLS_MAX ? config->pool_count : HF_METRICS_POOLS_MAX;
}

static void put_verdict(struct hf_metrics_scene *scene, const char *pool, enum hf_verdict verdict,
                        uint64_t count)
{
    const struct hf_exposition_label labels[] = {
        {"pool", pool},
        {"verdict", hf_verdict_name(verdict)},
    };
    hf_exposition_put(&scene->exposition, labels, 2, count, 0);
}

void hf_metrics_put_pool_verdicts(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_config *config = scene->look->config;
    (void)row;
    for (uint32_t i = 0; i < pools_shown(config); i++) {
        const char *name = config->pools[i].name;
        put_verdict(scene, name, HF_VERDICT_UP, scene->pools[i].up);
        put_verdict(scene, name, HF_VERDICT_DOWN, scene->pools[i].down);
        put_verdict(scene, name, HF_VERDICT_UNKNOWN, scene->pools[i].unknown);
    }
}

void hf_metrics_put_pools_u64(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_config *config = scene->look->config;
    for (uint32_t i = 0; i < pools_shown(config); i++) {
        const struct hf_exposition_label label = {"pool", config->pools[i].name};
        hf_exposition_put(&scene->exposition, &label, 1,
                          hf_metrics_u64(&scene->pools[i], row->member), row->decimals);
    }
}

void hf_metrics_put_backends_at(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->look->backends_at_ms > 0) {
        hf_metrics_plain(scene, scene->look->backends_at_ms, row->decimals);
    }
}

/* --- each backend --- */

typedef uint64_t backend_value(const struct hf_backend_status *backend);

static void each_backend(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                         backend_value *value)
{
    const struct hf_config *config = scene->look->config;
    uint32_t count = config->api.backend_metrics ? config->backend_count : 0;
    for (uint32_t i = 0; i < count && i < HF_METRICS_BACKENDS_MAX; i++) {
        const struct hf_config_backend *backend = &config->backends[i];
        const struct hf_backend_status *status = row_of(scene->look, i);
        const struct hf_exposition_label labels[] = {
            {"backend", backend->name},
            {"pool", config->pools[backend->pool].name},
            {"site", config->sites[backend->site]},
        };
        if (status != NULL) {
            hf_exposition_put(&scene->exposition, labels, 3, value(status), row->decimals);
        }
    }
}

static uint64_t value_up(const struct hf_backend_status *backend)
{
    return backend->verdict == HF_VERDICT_UP;
}

static uint64_t value_drained(const struct hf_backend_status *backend)
{
    return backend->drained;
}

static uint64_t value_duration(const struct hf_backend_status *backend)
{
    return backend->duration_us;
}

static uint64_t value_flaps(const struct hf_backend_status *backend)
{
    return backend->flaps;
}

void hf_metrics_put_backend_up(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_backend(scene, row, value_up);
}

void hf_metrics_put_backend_drained(struct hf_metrics_scene *scene,
                                    const struct hf_metrics_row *row)
{
    each_backend(scene, row, value_drained);
}

void hf_metrics_put_backend_duration(struct hf_metrics_scene *scene,
                                     const struct hf_metrics_row *row)
{
    each_backend(scene, row, value_duration);
}

void hf_metrics_put_backend_flaps(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_backend(scene, row, value_flaps);
}

static void put_omitted(struct hf_metrics_scene *scene, const char *kind, uint64_t count,
                        uint64_t max)
{
    hf_metrics_labelled(scene, "kind", kind, count > max ? count - max : 0);
}

void hf_metrics_put_omitted(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_look *look = scene->look;
    const struct hf_config *config = look->config;
    uint64_t zones = 0;
    (void)row;
    for (uint32_t i = 0; i < look->reports.count; i++) {
        zones += look->reports.rows[i].zone_count;
    }
    put_omitted(scene, "zone", zones, HF_METRICS_ZONE_ROWS_MAX);
    put_omitted(scene, "pool", config->pool_count, HF_METRICS_POOLS_MAX);
    put_omitted(scene, "backend", config->api.backend_metrics ? config->backend_count : 0,
                HF_METRICS_BACKENDS_MAX);
}
