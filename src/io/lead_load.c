/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head of the store becomes the image, the image the machine; plans become the head. */
#include <stdlib.h>
#include <string.h>

#include "io/lead_internal.h"
#include "io/pages.h"
#include "io/wallclock.h"

enum { SPARE_ENDPOINTS = 16384 };

/* One load or publication; the image is the worker's until its done callback. */
struct image_job {
    struct hf_lead *lead;
    struct hf_overrides overrides;
    struct hf_planner_action action; /* of a publication */
    struct hf_plan_head head;
    uint32_t *rows;
    uint32_t row_count;
    uint32_t instance;
    uint64_t taken_gen;  /* of a head that could not be read and is to be replaced */
    uint64_t broken_gen; /* of a head that could be read no more */
    struct hf_buf backends_status;
    bool overrides_read, want_status, need_overrides;
};

static struct image_job *job_new(struct hf_lead *lead)
{
    struct image_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->lead = lead;
    hf_overrides_init(&job->overrides);
    hf_buf_init(&job->backends_status, HF_STATUS_BYTES_MAX);
    return job;
}

static void job_free(struct image_job *job)
{
    hf_overrides_release(&job->overrides);
    hf_buf_release(&job->backends_status);
    free(job->rows);
    free(job);
}

/* --- loading --- */

static bool is_unreadable(int error)
{
    return error == HF_ECORRUPT || error == HF_EMALF || error == HF_ENOENT;
}

static int load_job(void *context, struct hf_store *store, int open_error)
{
    struct image_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    int error = hf_store_instance(store, &job->instance);
    if (error != HF_OK) {
        return error;
    }
    struct hf_buf ref;
    hf_buf_init(&ref, HF_STORE_REF_VALUE_MAX);
    error = hf_overrides_load(store, &job->overrides, &ref);
    job->overrides_read = error == HF_OK;
    hf_buf_release(&ref);
    if (error != HF_OK && job->need_overrides) {
        return error; /* none known is not none: what is retired or drained would come back */
    }
    if (job->want_status) {
        (void)hf_document_get(store, HF_STATUS_BACKENDS, &job->backends_status);
    }
    uint64_t gen = 0;
    error = hf_plan_load(store, &job->lead->plan, NULL, &gen);
    bool broken = error == HF_OK && gen != 0 && gen == job->broken_gen;
    if (broken || is_unreadable(error)) {
        /* The way out: what this process knows goes on top of the head that nobody can read. */
        int taken = hf_plan_take_head(store, &job->lead->plan, &job->taken_gen);
        error = taken == HF_OK ? HF_OK : error;
    }
    return error;
}

void hf_lead_rebuild(struct hf_lead *lead)
{
    uint64_t now = hf_wallclock_ms();
    struct hf_planning *earlier = lead->planning;
    lead->planning = hf_planning_new(lead->config, &lead->plan, &lead->overrides, earlier, now);
    hf_planning_free(earlier);
    bool frozen = hf_overrides_find(&lead->overrides, HF_OVERRIDE_FREEZE, "*") != NULL;
    if (frozen != lead->planning->planner.frozen) {
        struct hf_planner_event event = {.type = HF_PLANNER_FREEZE, .on = frozen};
        hf_lead_step(lead, &event);
    }
    hf_lead_feed_verdicts(lead);
    hf_lead_tick_soon(lead);
}

static void restore_verdicts(struct hf_lead *lead, const struct image_job *job)
{
    struct hf_arena arena;
    struct hf_backend_status *rows;
    uint32_t count;
    uint64_t at_ms;
    hf_arena_init(&arena, HF_STATUS_BYTES_MAX);
    if (job->backends_status.size > 0 &&
        hf_backends_status_decode(job->backends_status.bytes, job->backends_status.size, &arena,
                                  &at_ms, &rows, &count) == HF_OK) {
        hf_lead_restore(lead, rows, count, at_ms);
    }
    hf_arena_release(&arena);
}

static void take_load(struct hf_lead *lead, struct image_job *job)
{
    if (lead->instance_known && lead->instance != job->instance) {
        hf_log(lead->log, HF_LOG_WARNING, "store_replaced", "why=%s",
               "the store is another one now; starting anew");
        hf_lead_end(lead, HF_ROLE_RELOAD);
        return;
    }
    lead->instance = job->instance;
    lead->instance_known = true;
    lead->load_wanted = false;
    uv_timer_stop(&lead->retry_timer);
    if (job->overrides_read) {
        hf_overrides_release(&lead->overrides);
        lead->overrides = job->overrides;
        lead->overrides_known = true;
        hf_overrides_init(&job->overrides);
    }
    if (!lead->verdicts_restored) {
        lead->verdicts_restored = true;
        restore_verdicts(lead, job);
    }
    hf_lead_trouble(lead, "");
    hf_lead_rebuild(lead);
    if (job->taken_gen != 0) {
        hf_log(lead->log, HF_LOG_ERROR, "head_unreadable", "gen=%llu why=%s",
               (unsigned long long)job->taken_gen,
               "replaced by a snapshot of what this planner knows");
        /* What is known may be newer than that head, and must be published all the same. */
        uint64_t known_gen = lead->planning->planner.head_gen;
        uint64_t gen = job->taken_gen > known_gen ? job->taken_gen : known_gen;
        struct hf_planner_event event = {.type = HF_PLANNER_AHEAD, .gen = gen};
        hf_lead_step(lead, &event);
    }
    hf_log(lead->log, HF_LOG_INFO, "head_read", "gen=%llu endpoints=%u",
           (unsigned long long)lead->plan.head.gen, lead->planning->fleet.endpoint_count);
    hf_lead_follow(lead);
}

static void load_done(void *context, int result, const char *why)
{
    struct image_job *job = context;
    struct hf_lead *lead = job->lead;
    lead->busy = false;
    if (!lead->stopping) {
        if (result == HF_OK) {
            take_load(lead, job);
        } else {
            hf_lead_trouble(lead, why != NULL && why[0] != 0 ? why : hf_strerror(result));
            lead->load_wanted = true;
        }
    }
    job_free(job);
}

void hf_lead_load(struct hf_lead *lead)
{
    if (lead->busy || lead->stopping) {
        return;
    }
    struct image_job *job = job_new(lead);
    job->want_status = !lead->verdicts_restored;
    job->need_overrides = !lead->overrides_known;
    job->broken_gen = lead->broken_gen;
    lead->broken_gen = 0;
    lead->busy = true;
    lead->load_wanted = true;
    hf_lead_retry_later(lead);
    if (hf_store_async_submit(lead->store, load_job, load_done, job) != HF_OK) {
        load_done(job, HF_EBUSY, "too much work waits for the store");
    }
}

/* --- publishing --- */

static int publish_job(void *context, struct hf_store *store, int open_error)
{
    struct image_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    return hf_plan_publish(store, &job->lead->plan, &job->head, job->rows, job->row_count);
}

/* An entry of an older generation is only marked: its answer is what it was. */
static enum hf_cause cause_of(const struct image_job *job, const struct hf_plan_entry *entry)
{
    return entry->gen == job->head.gen ? (enum hf_cause)entry->cause : HF_CAUSE_CLAIMED;
}

/* The first row whose change follows from what was seen or said, or UINT32_MAX: only marks, and
 * picks that follow the time. */
static uint32_t first_told(struct hf_lead *lead, const struct image_job *job)
{
    for (uint32_t i = 0; i < job->row_count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(&lead->plan, job->rows[i], &entry);
        enum hf_cause cause = cause_of(job, &entry);
        if (cause != HF_CAUSE_ROTATION && cause != HF_CAUSE_CLAIMED) {
            return job->rows[i];
        }
    }
    return UINT32_MAX;
}

static void log_published(struct hf_lead *lead, const struct image_job *job)
{
    if (job->row_count == 0) {
        return;
    }
    struct hf_plan_entry first;
    uint32_t told = first_told(lead, job);
    hf_plan_get(&lead->plan, told != UINT32_MAX ? told : job->rows[0], &first);
    const char *cause = hf_cause_name(cause_of(job, &first));
    unsigned long long gen = job->head.gen;
    unsigned long long cid = job->head.cid;
    if (cid == 0) {
        hf_log(lead->log, HF_LOG_DEBUG, "plan_published", "gen=%llu endpoints=%u cause=%s", gen,
               job->row_count, cause);
    } else if (first.cause_backend == UINT32_MAX) {
        hf_log(lead->log, HF_LOG_INFO, "plan_published",
               "gen=%llu endpoints=%u cause=%s cid=%016llx", gen, job->row_count, cause, cid);
    } else {
        hf_log(lead->log, HF_LOG_INFO, "plan_published",
               "gen=%llu endpoints=%u cause=%s backend=%s cid=%016llx", gen, job->row_count, cause,
               lead->plan.backends[first.cause_backend].name, cid);
    }
}

/* What planning them took is given back once it is worth a call. */
static void give_back(struct hf_lead *lead, uint32_t published)
{
    lead->spare_used += published;
    if (lead->spare_used >= SPARE_ENDPOINTS) {
        size_t size = 0;
        void *spare = hf_planner_spare(&lead->planning->planner, &size);
        hf_pages_forget(spare, size);
        lead->spare_used = 0;
    }
}

static void publish_done(void *context, int result, const char *why)
{
    struct image_job *job = context;
    struct hf_lead *lead = job->lead;
    lead->busy = false;
    if (!lead->stopping) {
        enum hf_result outcome = result == HF_OK       ? HF_RESULT_OK
                                 : result == HF_ESTALE ? HF_RESULT_REFUSED
                                                       : HF_RESULT_UNKNOWN;
        if (outcome == HF_RESULT_OK) {
            lead->published_count++;
            hf_lead_trouble(lead, "");
            log_published(lead, job);
        } else if (outcome == HF_RESULT_UNKNOWN) {
            hf_lead_trouble(lead, why != NULL && why[0] != 0 ? why : hf_strerror(result));
        }
        if (outcome != HF_RESULT_OK) {
            hf_lead_cid_give_back(lead, job->head.cid);
        }
        struct hf_planner_event event = {
            .type = HF_PLANNER_PUBLISHED, .op = job->action.op, .result = (uint8_t)outcome};
        hf_lead_step(lead, &event);
        give_back(lead, job->row_count);
        if (outcome == HF_RESULT_UNKNOWN) {
            /* Not at once: the retry timer asks the store again. */
            hf_lead_retry_later(lead);
        } else {
            hf_lead_tick_soon(lead);
        }
        if (lead->follow_again) {
            hf_lead_follow(lead);
        }
    }
    job_free(job);
}

void hf_lead_publish(struct hf_lead *lead, const struct hf_planner_action *action)
{
    struct image_job *job = job_new(lead);
    const struct hf_planner *planner = &lead->planning->planner;
    job->action = *action;
    job->rows = calloc(planner->publishing.count + 1U, sizeof(*job->rows));
    if (job->rows == NULL) {
        abort();
    }
    uint64_t now = hf_wallclock_ms();
    int error = hf_planning_fill(lead->planning, action->gen, now, job->rows, &job->row_count);
    job->head.gen = action->gen;
    job->head.created_ms = now;
    job->head.instance = lead->instance;
    job->head.changed = planner->changed;
    bool is_told = error == HF_OK && first_told(lead, job) != UINT32_MAX;
    job->head.cid = is_told ? hf_lead_cid_take(lead) : 0;
    (void)snprintf(job->head.planner, sizeof(job->head.planner), "%s", lead->name);
    lead->busy = true;
    if (error == HF_OK) {
        error = hf_store_async_submit(lead->store, publish_job, publish_done, job);
    }
    if (error != HF_OK) {
        publish_done(job, error, hf_strerror(error));
    }
}
