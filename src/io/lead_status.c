/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status documents: written when they say something new, and every few seconds as a sign of life.
 *
 * That of the backends is as large as the fleet of them: 18 MB for 100,000, and half a second of
 * disk. It is encoded on the worker, from a copy, and written so seldom that it takes a hundredth
 * of the worker's time: a verdict's plan hardly ever waits behind it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/lead_internal.h"
#include "io/wallclock.h"

enum {
    STATUS_ALIVE_MS = 5000,
    STATUS_PACE = 100, /* times what the backends' document took: until the next */
    STATUS_REST_MAX_MS = 60000,
    HELD_LINES_MAX = 64 * 1024,
};

struct status_job {
    struct hf_lead *lead;
    struct hf_buf planner;
    bool with_backends;
    struct hf_backend_status *rows; /* of the backends */
    uint32_t row_count;
    struct hf_arena texts;
    uint64_t took_ms; /* the backends' document */
};

static int put_backends(struct status_job *job, struct hf_store *store)
{
    struct hf_buf json;
    uint64_t begun_ms = hf_wallclock_ms();
    hf_buf_init(&json, HF_STATUS_BYTES_MAX);
    hf_backends_status_encode(begun_ms, job->rows, job->row_count, &json);
    int error = hf_document_put(store, HF_STATUS_BACKENDS, &json);
    hf_buf_release(&json);
    uint64_t now_ms = hf_wallclock_ms();
    job->took_ms = now_ms > begun_ms ? now_ms - begun_ms : 0;
    return error;
}

static int status_job_run(void *context, struct hf_store *store, int open_error)
{
    struct status_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    int error = hf_document_put(store, HF_STATUS_PLANNER, &job->planner);
    if (error == HF_OK && job->with_backends) {
        error = put_backends(job, store);
    }
    return error;
}

static void status_job_done(void *context, int result, const char *why)
{
    struct status_job *job = context;
    struct hf_lead *lead = job->lead;
    (void)why;
    if (result != HF_OK) {
        lead->status_hash = 0;
        lead->backends_hash = 0;
    }
    if (job->with_backends) {
        uint64_t rest_ms = job->took_ms * STATUS_PACE;
        lead->backends_next_ms =
            uv_now(&lead->loop) + (rest_ms < STATUS_REST_MAX_MS ? rest_ms : STATUS_REST_MAX_MS);
    }
    lead->status_pending = false;
    hf_buf_release(&job->planner);
    hf_arena_release(&job->texts);
    free(job->rows);
    free(job);
}

static void count_backends(const struct hf_lead *lead, struct hf_planner_status *status)
{
    status->backends = lead->config->backend_count;
    for (uint32_t i = 0; i < lead->config->backend_count; i++) {
        switch (lead->backends[i].health.verdict) {
        case HF_VERDICT_UP:
            status->up++;
            break;
        case HF_VERDICT_DOWN:
            status->down++;
            break;
        default:
            status->unknown++;
            break;
        }
        status->drained += lead->planning->planner.drained[i] == 1;
    }
}

/* Encodes with at_ms 0 for the hash, then with the time. */
static uint64_t encode_planner(struct hf_lead *lead, struct hf_buf *json)
{
    struct hf_buf lines;
    struct hf_digest digest;
    const struct hf_planner *planner = &lead->planning->planner;
    hf_buf_init(&lines, HF_STATUS_BYTES_MAX);
    lead->held_id[0] = 0;
    if (planner->held.count > 0) {
        hf_planning_held(lead->planning, &lines, &digest);
        hf_digest_text(&digest, lead->held_id);
        if (lines.size > HELD_LINES_MAX) {
            lines.size = HELD_LINES_MAX;
        }
    }
    struct hf_planner_status status = {.planner = lead->name,
                                       .started_ms = lead->started_ms,
                                       .pid = getpid(),
                                       .head_gen = planner->head_gen,
                                       .published = lead->published_count,
                                       .frozen = planner->frozen,
                                       .stopped = planner->stopped,
                                       .trouble = lead->trouble,
                                       .held_id = lead->held_id,
                                       .held_lines = hf_buf_text(&lines),
                                       .held_count = planner->held.count,
                                       .endpoints = lead->planning->fleet.endpoint_count};
    count_backends(lead, &status);
    hf_planner_status_encode(&status, json);
    uint64_t hash = hf_hash64(json->bytes, json->size);
    hf_buf_clear(json);
    status.at_ms = hf_wallclock_ms();
    hf_planner_status_encode(&status, json);
    hf_buf_release(&lines);
    return hash;
}

/* News is a verdict, a drain or a hold-down, not yet another check with the same result. */
static uint64_t hash_backends(const struct hf_lead *lead)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < lead->config->backend_count; i++) {
        const struct hf_health *health = &lead->backends[i].health;
        uint64_t facts[4] = {health->verdict, health->verdict_at_ms, health->held_until_ms,
                             lead->planning->planner.drained[i]};
        hash = hash * 31 + hf_hash64(facts, sizeof(facts));
    }
    return hash;
}

/* What checks change meanwhile is copied; the rest lives as long as the planner. */
static void copy_backends(const struct hf_lead *lead, struct status_job *job)
{
    const struct hf_config *config = lead->config;
    job->rows = calloc(config->backend_count + 1U, sizeof(*job->rows));
    if (job->rows == NULL) {
        abort();
    }
    job->with_backends = true;
    job->row_count = config->backend_count;
    for (uint32_t i = 0; i < config->backend_count; i++) {
        const struct hf_lead_backend *backend = &lead->backends[i];
        job->rows[i] = (struct hf_backend_status){
            .name = config->backends[i].name,
            .pool = config->pools[config->backends[i].pool].name,
            .site = config->sites[config->backends[i].site],
            .why = hf_arena_copy(&job->texts, backend->why, strlen(backend->why)),
            .addresses = backend->addresses,
            .verdict = (enum hf_verdict)backend->health.verdict,
            .drained = lead->planning->planner.drained[i] == 1,
            .since_ms = backend->health.verdict_at_ms,
            .checked_ms = backend->checked_ms,
            .held_until_ms = backend->health.held_until_ms,
            .duration_us = backend->duration_us,
            .flaps = backend->health.flap_count};
    }
}

void hf_lead_status(struct hf_lead *lead)
{
    if (lead->planning == NULL || lead->busy || lead->status_pending || lead->stopping) {
        return;
    }
    struct status_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->lead = lead;
    hf_buf_init(&job->planner, HF_STATUS_BYTES_MAX);
    hf_arena_init(&job->texts, SIZE_MAX);
    uint64_t hash = encode_planner(lead, &job->planner);
    uint64_t backends_hash = hash_backends(lead);
    uint64_t now = uv_now(&lead->loop);
    bool backends_news =
        backends_hash != lead->backends_hash || now - lead->backends_ms >= STATUS_ALIVE_MS;
    if (backends_news && now >= lead->backends_next_ms) {
        copy_backends(lead, job);
        lead->backends_hash = backends_hash;
        lead->backends_ms = now;
    }
    bool due = now - lead->status_ms >= STATUS_ALIVE_MS;
    lead->status_pending = true;
    if (hash == lead->status_hash && !due && !job->with_backends) {
        status_job_done(job, HF_OK, NULL);
        return;
    }
    lead->status_hash = hash;
    lead->status_ms = now;
    if (hf_store_async_submit(lead->store, status_job_run, status_job_done, job) != HF_OK) {
        status_job_done(job, HF_EBUSY, NULL);
    }
}
