/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_jobs.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "codec/quantity.h"
#include "holdfast/tool.h"

enum {
    THREADS_MAX = 256,
    SLICE_EVENTS = 200000, /* between two looks at whether to stop */
    LOOK_MS = 20,
};

/* What the threads share. */
struct work {
    struct hf_drill_jobs *jobs;
    _Atomic uint32_t next, done;
    atomic_bool stop;
};

static void forget_series(struct hf_drill_job *job)
{
    struct hf_drill_result *result = &job->result;
    result->notes = NULL;
    result->note_count = 0;
    result->bucket_count = 0;
    memset(result->names, 0, sizeof(result->names));
    memset(result->clients, 0, sizeof(result->clients));
    memset(result->services, 0, sizeof(result->services));
    memset(result->managers, 0, sizeof(result->managers));
    memset(result->fleets, 0, sizeof(result->fleets));
    hf_drill_job_release(job);
}

void hf_drill_job_release(struct hf_drill_job *job)
{
    if (job->block != NULL) {
        hf_tool_unmap(job->block, job->size);
        job->block = NULL;
    }
}

static void run_one(struct hf_drill_job *job, atomic_bool *stop)
{
    job->size = hf_drill_memory(job->scenario);
    job->block = hf_tool_map(job->size);
    if (job->block == NULL) {
        job->state = HF_DRILL_JOB_NO_MEMORY;
        return;
    }
    struct hf_drill *drill = hf_drill_init(job->scenario, job->seed, job->block, job->size);
    bool goes_on = true;
    while (goes_on && !atomic_load(stop)) {
        goes_on = hf_drill_run(drill, HF_DRILL_NEVER, SLICE_EVENTS);
        atomic_store(&job->now_us, hf_drill_now_us(drill));
        atomic_store(&job->events, hf_drill_events(drill));
    }
    hf_drill_result(drill, &job->result);
    job->state = goes_on ? HF_DRILL_JOB_STOPPED : HF_DRILL_JOB_DONE;
    if (!job->keeps_series) {
        forget_series(job);
    }
}

static void *work_on(void *context)
{
    struct work *work = context;
    while (!atomic_load(&work->stop)) {
        uint32_t taken = atomic_fetch_add(&work->next, 1);
        if (taken >= work->jobs->count) {
            break;
        }
        run_one(&work->jobs->jobs[taken], &work->stop);
        atomic_fetch_add(&work->done, 1);
    }
    return NULL;
}

static size_t largest(const struct hf_drill_jobs *jobs)
{
    size_t most = 0;
    for (uint32_t i = 0; i < jobs->count; i++) {
        size_t size = hf_drill_memory(jobs->jobs[i].scenario);
        most = size > most ? size : most;
    }
    return most;
}

/* So many that they have room side by side; runs that keep their series need it all the time. */
static uint32_t thread_count(const struct hf_drill_jobs *jobs)
{
    size_t most = largest(jobs);
    uint64_t room = most == 0 ? THREADS_MAX : hf_tool_memory_of_machine() / 2 / most;
    uint64_t count = jobs->threads_max != 0 ? jobs->threads_max : hf_tool_cores();
    count = count > jobs->count ? jobs->count : count;
    count = count > THREADS_MAX ? THREADS_MAX : count;
    count = count > room ? room : count;
    return count == 0 ? 1 : (uint32_t)count;
}

bool hf_drill_jobs_fit(const struct hf_invocation *invocation, const struct hf_drill_jobs *jobs)
{
    uint64_t needed = 0, there = hf_tool_memory_of_machine();
    for (uint32_t i = 0; i < jobs->count; i++) {
        size_t size = hf_drill_memory(jobs->jobs[i].scenario);
        needed = jobs->jobs[i].keeps_series ? needed + size : needed > size ? needed : size;
    }
    if (needed > there) {
        char need[HF_TERM_SHORT_MAX], have[HF_TERM_SHORT_MAX];
        hf_term_size(needed, need);
        hf_term_size(there, have);
        (void)hf_command_fail(invocation, "this takes %s of memory, and the machine has %s", need,
                              have);
        return false;
    }
    return true;
}

/* Sums over all runs: of the time that they are about, and of their events. */
static void sum_up(const struct hf_drill_jobs *jobs, double *ret_share, uint64_t *ret_events)
{
    double now = 0, all = 0;
    *ret_events = 0;
    for (uint32_t i = 0; i < jobs->count; i++) {
        all += (double)jobs->jobs[i].scenario->length_us;
        now += (double)atomic_load(&jobs->jobs[i].now_us);
        *ret_events += atomic_load(&jobs->jobs[i].events);
    }
    *ret_share = all > 0 ? now / all : 1;
}

static void show_progress(struct hf_tool_progress *progress, const struct work *work,
                          double began_s)
{
    enum { BAR = 30 };
    if (!hf_tool_progress_due(progress)) {
        return;
    }
    double share = 0;
    uint64_t events = 0;
    sum_up(work->jobs, &share, &events);
    double passed = hf_tool_now_s() - began_s;
    char bar[3 * BAR + 1] = "", rate[HF_TOOL_SHORT_MAX], left[HF_TOOL_SHORT_MAX], text[256];
    size_t size = 0;
    for (int i = 0; i < BAR; i++) {
        size += (size_t)snprintf(bar + size, sizeof(bar) - size, "%s",
                                 i < (int)(share * BAR) ? "█" : "░");
    }
    hf_tool_rate_text(passed > 0 ? (double)events / passed : 0, rate);
    hf_tool_seconds_text(share > 0 ? passed / share - passed : 0, left);
    (void)snprintf(text, sizeof(text), "%s %3.0f %%  %u of %u runs  %s events/s  %s left", bar,
                   share * 100, atomic_load(&work->done), work->jobs->count, rate, left);
    hf_tool_progress_put(progress, text);
}

bool hf_drill_jobs_run(const struct hf_invocation *invocation, struct hf_drill_jobs *jobs)
{
    struct work work = {.jobs = jobs};
    struct hf_tool_progress progress;
    pthread_t threads[THREADS_MAX];
    uint32_t wanted = thread_count(jobs), started = 0;
    double began_s = hf_tool_now_s();
    hf_tool_block_signals();
    hf_tool_progress_init(&progress, &invocation->err);
    while (started < wanted && pthread_create(&threads[started], NULL, work_on, &work) == 0) {
        started++;
    }
    bool interrupted = false;
    while (started > 0 && !interrupted && atomic_load(&work.done) < jobs->count) {
        interrupted = hf_tool_interrupted(LOOK_MS);
        show_progress(&progress, &work, began_s);
    }
    atomic_store(&work.stop, interrupted);
    if (started == 0) {
        (void)work_on(&work); /* no thread could be made: one after the other, here */
    }
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    hf_tool_progress_end(&progress);
    return !interrupted;
}
