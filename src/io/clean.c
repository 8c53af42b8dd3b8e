/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/clean.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/status.h"
#include "io/clean_internal.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

enum {
    STATUS_INTERVAL_MS = 5000,
    REACHED_ROOM = 256,
};

/* One piece of the machine's work on the store's thread. */
struct clean_job {
    struct hf_clean *clean;
    struct hf_janitor_action action;
    struct hf_store_object *objects; /* LIST */
    size_t object_count;
    struct hf_digest *reached; /* REACH */
    size_t reached_count, reached_room;
    struct hf_plan plan; /* CLEAN */
    uint32_t instance;
};

static void feed(struct hf_clean *clean, struct hf_janitor_event *event);

void hf_clean_trouble(struct hf_clean *clean, const char *why)
{
    if (strcmp(clean->trouble, why) == 0) {
        return;
    }
    (void)snprintf(clean->trouble, sizeof(clean->trouble), "%s", why);
    if (why[0] != 0) {
        hf_log(clean->log, HF_LOG_WARNING, "janitor_trouble", "why=%s", why);
    } else {
        hf_log(clean->log, HF_LOG_INFO, "janitor_well", "deleted=%llu",
               (unsigned long long)clean->machine.deleted);
    }
}

/* --- on the worker --- */

static int note_reached(void *context, const struct hf_digest *name)
{
    struct clean_job *job = context;
    if (job->reached_count == job->reached_room) {
        job->reached_room = job->reached_room == 0 ? REACHED_ROOM : job->reached_room * 2;
        job->reached = realloc(job->reached, job->reached_room * sizeof(*job->reached));
        if (job->reached == NULL) {
            abort();
        }
    }
    job->reached[job->reached_count++] = *name;
    return HF_OK;
}

/* Every ref but head and instance holds the digest of an object, alone. */
static int note_ref(void *context, const char *name, const void *value, size_t size)
{
    struct hf_digest digest;
    char text[HF_DIGEST_TEXT_SIZE];
    (void)name;
    if (size == sizeof(text) - 1) {
        memcpy(text, value, size);
        text[size] = 0;
        if (hf_digest_parse(text, &digest) == HF_OK) {
            return note_reached(context, &digest);
        }
    }
    return HF_OK;
}

static int run_job(void *context, struct hf_store *store, int open_error)
{
    struct clean_job *job = context;
    if (store == NULL) {
        return open_error;
    }
    struct hf_digest name;
    memcpy(name.bytes, job->action.name, sizeof(name.bytes));
    uint64_t gen;
    int error;
    switch (job->action.kind) {
    case HF_JANITOR_LIST:
        return hf_store_list(store, job->action.page_first ? NULL : &name, job->objects,
                             HF_JANITOR_PAGE_MAX, &job->object_count);
    case HF_JANITOR_REACH:
        error = hf_store_ref_list(store, "", note_ref, job);
        return error != HF_OK ? error : hf_plan_needed(store, note_reached, job);
    case HF_JANITOR_DELETE:
        return hf_store_delete_if(store, &name, job->action.put_number);
    default:
        error = hf_store_instance(store, &job->instance);
        return error != HF_OK ? error : hf_plan_load(store, &job->plan, NULL, &gen);
    }
}

/* --- on the loop --- */

static enum hf_result result_of(int error)
{
    if (error == HF_OK) {
        return HF_RESULT_OK;
    }
    return error == HF_ESTALE ? HF_RESULT_REFUSED : HF_RESULT_UNKNOWN;
}

static void take_list(struct clean_job *job, struct hf_janitor_event *end)
{
    for (size_t i = 0; i < job->object_count; i++) {
        struct hf_janitor_event event = {.type = HF_JANITOR_OBJECT,
                                         .op = job->action.op,
                                         .put_number = job->objects[i].put_ms,
                                         .put_ms = job->objects[i].put_ms};
        memcpy(event.name, job->objects[i].name.bytes, sizeof(event.name));
        feed(job->clean, &event);
    }
    end->type = HF_JANITOR_LISTED;
    end->more = job->object_count == HF_JANITOR_PAGE_MAX;
}

static void take_reach(struct clean_job *job)
{
    for (size_t i = 0; i < job->reached_count; i++) {
        struct hf_janitor_event event = {.type = HF_JANITOR_REACHED, .op = job->action.op};
        memcpy(event.name, job->reached[i].bytes, sizeof(event.name));
        feed(job->clean, &event);
    }
}

static struct hf_clean_zone *zone_of(struct hf_clean *clean, const uint8_t *owner)
{
    uint32_t best = hf_config_zone_of(clean->config, owner);
    return best == UINT32_MAX ? NULL : &clean->zones[best];
}

static void take_plan(struct clean_job *job)
{
    struct hf_clean *clean = job->clean;
    assert(clean->zones != NULL);
    clean->instance = job->instance;
    clean->clean_op = job->action.op;
    clean->clean_result = HF_RESULT_OK;
    for (uint32_t i = 0; i < job->plan.entry_count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(&job->plan, i, &entry);
        struct hf_clean_zone *zone = entry.gen != 0 ? zone_of(clean, entry.owner) : NULL;
        if (zone == NULL || (entry.flags & HF_ROW_RETIRED) == 0 ||
            entry.changed_ms >= job->action.before_ms || zone->count == HF_CLEAN_TOMBSTONES_MAX) {
            continue;
        }
        struct hf_tombstone *tombstone = &zone->tombstones[zone->count++];
        memcpy(tombstone->owner, entry.owner, hf_name_size(entry.owner));
        tombstone->gen = entry.gen;
    }
    clean->zones_open = 1; /* until all are begun */
    for (uint32_t i = 0; i < clean->config->zone_count; i++) {
        if (clean->zones[i].count > 0) {
            clean->zones_open++;
            hf_clean_zone_start(&clean->zones[i]);
        }
    }
    hf_clean_zone_done(clean, HF_RESULT_OK);
}

void hf_clean_zone_done(struct hf_clean *clean, enum hf_result result)
{
    if (result == HF_RESULT_UNKNOWN) {
        clean->clean_result = result;
    }
    clean->zones_open--;
    if (clean->zones_open > 0 || clean->stopping) {
        return;
    }
    struct hf_janitor_event event = {
        .type = HF_JANITOR_DONE, .op = clean->clean_op, .result = (uint8_t)clean->clean_result};
    feed(clean, &event);
}

static void job_free(struct clean_job *job)
{
    free(job->objects);
    free(job->reached);
    hf_plan_release(&job->plan);
    free(job);
}

static void job_done(void *context, int result, const char *why)
{
    struct clean_job *job = context;
    struct hf_clean *clean = job->clean;
    if (clean->stopping) {
        job_free(job);
        return;
    }
    struct hf_janitor_event end = {
        .type = HF_JANITOR_DONE, .op = job->action.op, .result = (uint8_t)result_of(result)};
    if (end.result == HF_RESULT_UNKNOWN) {
        hf_clean_trouble(clean, why != NULL && why[0] != 0 ? why : hf_strerror(result));
    } else if (job->action.kind == HF_JANITOR_LIST) {
        hf_clean_trouble(clean, "");
    }
    bool tombstones = job->action.kind == HF_JANITOR_CLEAN && result == HF_OK;
    if (job->action.kind == HF_JANITOR_LIST) {
        job->object_count = result == HF_OK ? job->object_count : 0;
        take_list(job, &end);
    } else if (job->action.kind == HF_JANITOR_REACH && result == HF_OK) {
        take_reach(job);
    } else if (tombstones) {
        take_plan(job);
    }
    job_free(job);
    if (!tombstones) {
        feed(clean, &end);
    }
}

static void perform(struct hf_clean *clean, const struct hf_janitor_action *action)
{
    struct clean_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->clean = clean;
    job->action = *action;
    job->objects = calloc(HF_JANITOR_PAGE_MAX, sizeof(*job->objects));
    if (job->objects == NULL) {
        abort();
    }
    hf_plan_init(&job->plan);
    if (hf_store_async_submit(clean->store, run_job, job_done, job) != HF_OK) {
        job_done(job, HF_EBUSY, "too much work waits for the store");
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct hf_janitor_event event = {.type = HF_JANITOR_TICK};
    feed(timer->data, &event);
}

static void feed(struct hf_clean *clean, struct hf_janitor_event *event)
{
    struct hf_janitor_action action;
    event->now_ms = hf_wallclock_ms();
    if (hf_janitor_step(&clean->machine, event, &action)) {
        perform(clean, &action);
    }
    uint64_t due = hf_janitor_deadline_ms(&clean->machine);
    if (due != HF_NEVER && !clean->stopping) {
        uv_timer_start(&clean->timer, on_timer, due > event->now_ms ? due - event->now_ms : 1, 0);
    }
}

/* --- status --- */

struct status_job {
    struct hf_clean *clean;
    struct hf_buf json;
};

static int status_run(void *context, struct hf_store *store, int open_error)
{
    struct status_job *job = context;
    return store == NULL ? open_error : hf_document_put(store, HF_STATUS_JANITOR, &job->json);
}

static void status_done(void *context, int result, const char *why)
{
    struct status_job *job = context;
    (void)result;
    (void)why;
    job->clean->status_pending = false;
    hf_buf_release(&job->json);
    free(job);
}

static void on_status(uv_timer_t *timer)
{
    struct hf_clean *clean = timer->data;
    if (clean->status_pending || clean->stopping) {
        return;
    }
    struct hf_janitor_status status = {.at_ms = hf_wallclock_ms(),
                                       .started_ms = clean->started_ms,
                                       .pid = getpid(),
                                       .rounds = clean->machine.rounds,
                                       .deleted = clean->machine.deleted,
                                       .cleaned = clean->cleaned,
                                       .trouble = clean->trouble};
    struct status_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    job->clean = clean;
    hf_buf_init(&job->json, HF_STATUS_BYTES_MAX);
    hf_janitor_status_encode(&status, &job->json);
    clean->status_pending = true;
    if (hf_store_async_submit(clean->store, status_run, status_done, job) != HF_OK) {
        status_done(job, HF_EBUSY, NULL);
    }
}

/* --- life --- */

static void on_signal(void *context, int number)
{
    struct hf_clean *clean = context;
    clean->end = number == SIGHUP ? HF_ROLE_RELOAD : HF_ROLE_STOPPED;
    clean->stopping = true;
    uv_stop(&clean->loop);
}

static void on_config_changed(void *context)
{
    struct hf_clean *clean = context;
    clean->end = HF_ROLE_RELOAD;
    clean->stopping = true;
    uv_stop(&clean->loop);
}

static void on_change(void *context)
{
    (void)context; /* rounds come by the clock */
}

static void on_closed(void *context)
{
    (void)context;
}

static int start(struct hf_clean *clean)
{
    int error = HF_OK;
    for (uint32_t i = 0; i < clean->config->zone_count && error == HF_OK; i++) {
        error = hf_clean_zone_init(&clean->zones[i], clean, i);
    }
    if (error == HF_OK) {
        error = hf_signals_start(&clean->loop, on_signal, clean, &clean->signals);
    }
    if (error == HF_OK) {
        error = hf_store_async_start(&clean->loop, clean->config->store_path, false, clean->log,
                                     on_change, clean, &clean->store);
    }
    if (error != HF_OK) {
        hf_log(clean->log, HF_LOG_ERROR, "janitor_failed", "why=%s", hf_strerror(error));
        return error;
    }
    uv_timer_init(&clean->loop, &clean->timer);
    uv_timer_init(&clean->loop, &clean->status_timer);
    clean->timer.data = clean;
    clean->status_timer.data = clean;
    uv_timer_start(&clean->timer, on_timer, clean->config->janitor_ms, 0);
    uv_timer_start(&clean->status_timer, on_status, 0, STATUS_INTERVAL_MS);
    hf_watch_start(&clean->loop, clean->config, false, clean->log, on_config_changed, clean,
                   &clean->watch);
    return HF_OK;
}

static void stop(struct hf_clean *clean)
{
    hf_signals_stop(clean->signals);
    uv_close((uv_handle_t *)&clean->timer, NULL);
    uv_close((uv_handle_t *)&clean->status_timer, NULL);
    hf_watch_stop(clean->watch);
    for (uint32_t i = 0; i < clean->config->zone_count; i++) {
        hf_dns_close(clean->zones[i].dns, on_closed, NULL);
    }
    hf_store_async_stop(clean->store, on_closed, NULL);
    uv_run(&clean->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&clean->loop);
}

int hf_clean_run(const struct hf_config *config, struct hf_log *log, enum hf_role_end *ret_end)
{
    struct hf_clean *clean = calloc(1, sizeof(*clean));
    struct hf_clean_zone *zones = calloc(config->zone_count + 1U, sizeof(*zones));
    if (clean == NULL || zones == NULL) {
        abort();
    }
    clean->config = config;
    clean->log = log;
    clean->zones = zones;
    clean->started_ms = hf_wallclock_ms();
    hf_janitor_init(&clean->machine, config->janitor_ms, config->retention_ms,
                    config->tombstone_ms);
    uv_loop_init(&clean->loop);
    int error = start(clean);
    if (error == HF_OK) {
        hf_log(log, HF_LOG_INFO, "janitor_started", "interval_ms=%u", config->janitor_ms);
        uv_run(&clean->loop, UV_RUN_DEFAULT);
        *ret_end = clean->end;
        stop(clean);
        hf_log(log, HF_LOG_INFO, "janitor_stopped", "deleted=%llu",
               (unsigned long long)clean->machine.deleted);
    }
    for (uint32_t i = 0; i < config->zone_count; i++) {
        hf_clean_zone_release(&zones[i]);
    }
    free(zones);
    free(clean);
    return error;
}
