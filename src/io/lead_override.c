/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overrides that the planner itself changes: a freeze that it asks for, items that are done with.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/name.h"
#include "io/lead_internal.h"
#include "io/wallclock.h"

enum {
    ADOPT_DONE_MS = 60000,      /* an adoption this old, of an endpoint that is claimed, is done */
    APPROVE_STALE_MS = 3600000, /* an approval that was never used */
};

/* What the job does to the overrides: sets a freeze, takes these items out, or puts these there. */
struct override_job {
    struct hf_lead *lead;
    struct hf_overrides done;
    bool freeze, mend;
};

static int apply(const struct override_job *job, struct hf_overrides *overrides)
{
    if (job->mend) {
        return HF_ENOENT; /* they can be read again: nothing to do */
    }
    if (job->freeze) {
        struct hf_override freeze = {
            .kind = HF_OVERRIDE_FREEZE,
            .subject = "*",
            .text = "",
            .who = "planner",
            .why = "fences were ahead of the head again and again: somebody else writes as us",
            .at_ms = hf_wallclock_ms()};
        return hf_overrides_set(overrides, &freeze);
    }
    int error = HF_ENOENT;
    for (uint32_t i = 0; i < job->done.count; i++) {
        const struct hf_override *item = &job->done.items[i];
        const struct hf_override *now = hf_overrides_find(overrides, item->kind, item->subject);
        if (now != NULL && now->at_ms == item->at_ms) {
            error = hf_overrides_remove(overrides, item->kind, item->subject);
        }
    }
    return error;
}

static int run_job(void *context, struct hf_store *store, int open_error)
{
    const struct override_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    struct hf_overrides overrides;
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    int error = hf_overrides_load(store, &overrides, &ref);
    if (error == HF_OK) {
        error = apply(job, &overrides);
        if (error == HF_OK) {
            error = hf_overrides_save(store, &overrides, &ref);
        }
        hf_overrides_release(&overrides);
    } else if (error == HF_ECORRUPT && job->mend) {
        error = hf_overrides_save(store, &job->done, &ref);
    }
    hf_buf_release(&ref);
    return error;
}

static void job_done(void *context, int result, const char *why)
{
    struct override_job *job = context;
    struct hf_lead *lead = job->lead;
    if (!job->freeze) {
        lead->pruning = false;
        if (job->mend && result == HF_OK) {
            hf_log(lead->log, HF_LOG_ERROR, "overrides_unreadable", "items=%u why=%s",
                   job->done.count, "replaced by what this planner knows");
        }
    } else if (result == HF_ESTALE && !lead->stopping) {
        hf_lead_freeze_all(lead);
    } else if (result != HF_OK) {
        hf_log(lead->log, HF_LOG_ERROR, "freeze_failed", "why=%s", why);
    }
    hf_overrides_release(&job->done);
    free(job);
}

static struct override_job *job_new(struct hf_lead *lead)
{
    struct override_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->lead = lead;
    hf_overrides_init(&job->done);
    return job;
}

static void submit(struct override_job *job)
{
    if (hf_store_async_submit(job->lead->store, run_job, job_done, job) != HF_OK) {
        job_done(job, HF_EBUSY, "too much work waits for the store");
    }
}

void hf_lead_freeze_all(struct hf_lead *lead)
{
    struct override_job *job = job_new(lead);
    job->freeze = true;
    submit(job);
}

void hf_lead_mend_overrides(struct hf_lead *lead)
{
    if (lead->pruning || !lead->overrides_known) {
        return;
    }
    struct override_job *job = job_new(lead);
    job->mend = true;
    for (uint32_t i = 0; i < lead->overrides.count; i++) {
        (void)hf_overrides_set(&job->done, &lead->overrides.items[i]);
    }
    job->done.revision = lead->overrides.revision;
    lead->pruning = true;
    submit(job);
}

static bool is_claimed(const struct hf_lead *lead, const char *name)
{
    uint8_t owner[HF_NAME_MAX];
    uint32_t row =
        hf_name_parse(name, owner) == HF_OK ? hf_plan_find(&lead->plan, owner) : UINT32_MAX;
    if (row == UINT32_MAX) {
        return false;
    }
    struct hf_plan_entry entry;
    hf_plan_get(&lead->plan, row, &entry);
    return (entry.flags & HF_ROW_CLAIMED) != 0;
}

static bool is_done(const struct hf_lead *lead, const struct hf_override *item, uint64_t now_ms)
{
    uint64_t age_ms = now_ms > item->at_ms ? now_ms - item->at_ms : 0;
    switch (item->kind) {
    case HF_OVERRIDE_APPROVE:
        /* One that stayed would let the same plan pass another day. */
        return strcmp(item->subject, lead->approved_id) == 0 || age_ms > APPROVE_STALE_MS;
    case HF_OVERRIDE_ADOPT:
        return age_ms > ADOPT_DONE_MS && is_claimed(lead, item->subject);
    default:
        return false;
    }
}

void hf_lead_prune(struct hf_lead *lead)
{
    if (lead->pruning || lead->overrides.count == 0) {
        return;
    }
    struct override_job *job = job_new(lead);
    uint64_t now_ms = hf_wallclock_ms();
    for (uint32_t i = 0; i < lead->overrides.count; i++) {
        if (is_done(lead, &lead->overrides.items[i], now_ms)) {
            (void)hf_overrides_set(&job->done, &lead->overrides.items[i]);
        }
    }
    if (job->done.count == 0) {
        hf_overrides_release(&job->done);
        free(job);
        return;
    }
    lead->pruning = true;
    submit(job);
}
