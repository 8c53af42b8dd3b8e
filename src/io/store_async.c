/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/store_async.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"

struct async_job {
    hf_store_job *run;
    hf_store_done *done;
    void *context;
    int result;
    char *why; /* NULL after HF_OK */
};

/*
 * One ring of jobs and three counters that only rise: delivered <= ran <= submitted. A poll is no
 * job: it is wanted or not, and its answer is changed or not, so that many become one.
 */
struct hf_store_async {
    /* Set before the worker starts and never changed. */
    char *path;
    bool create;
    struct hf_log *log;

    /* The loop thread's. */
    uv_async_t wake;
    uv_timer_t timer;
    uv_poll_t hints; /* on inotify_fd, which is -1 where the system has none left */
    int inotify_fd;
    int inotify_watch;
    uv_thread_t worker;
    unsigned open_handles;
    bool stopped;
    uint64_t delivered;
    hf_store_on_change *on_change;
    void *context;
    void (*closed)(void *context);
    void *closed_context;

    /* The worker's. */
    struct hf_store *store;
    int open_error;
    char open_why[HF_STORE_WHY_MAX];
    int poll_error;
    uint64_t poll_changes;

    /* Both threads', under lock. */
    uv_mutex_t lock;
    uv_cond_t work;
    uint64_t submitted;
    uint64_t ran;
    bool poll_wanted;
    bool changed;
    pid_t broken;
    bool stopping;
    bool ended;
    struct async_job jobs[HF_STORE_JOBS_MAX];
};

/* Opens, and with create makes, the store; once open it follows its file and makes none anew. */
static void open_store(struct hf_store_async *async)
{
    if (async->store == NULL) {
        async->open_error =
            hf_store_open_breaking(async->path, async->create, async->open_why, &async->store);
    }
}

static void run_job(struct hf_store_async *async, struct async_job *job)
{
    open_store(async);
    job->result = job->run(job->context, async->store, async->open_error);
    if (job->result != HF_OK) {
        job->why = strdup(async->store != NULL ? hf_store_why(async->store) : async->open_why);
        if (job->why == NULL) {
            abort();
        }
    }
}

/* True when something is different from what the last poll found. */
static bool poll_store(struct hf_store_async *async)
{
    uint64_t changes = async->poll_changes;
    open_store(async);
    int error = async->open_error;
    if (async->store != NULL) {
        error = hf_store_changes(async->store, &changes);
    }
    bool changed = error != async->poll_error || changes != async->poll_changes;
    async->poll_error = error;
    async->poll_changes = changes;
    return changed;
}

/* Under lock: the loop is to look, if there is something new. */
static void tell(struct hf_store_async *async, bool news)
{
    pid_t broken = async->store != NULL ? hf_store_broken(async->store) : 0;
    async->broken = broken != 0 ? broken : async->broken;
    if (news || broken != 0) {
        (void)uv_async_send(&async->wake);
    }
}

static void work(void *context)
{
    struct hf_store_async *async = context;
    uv_mutex_lock(&async->lock);
    for (;;) {
        while (!async->stopping && !async->poll_wanted && async->ran == async->submitted) {
            uv_cond_wait(&async->work, &async->lock);
        }
        if (async->ran < async->submitted) {
            struct async_job *job = &async->jobs[async->ran % HF_STORE_JOBS_MAX];
            uv_mutex_unlock(&async->lock);
            run_job(async, job);
            uv_mutex_lock(&async->lock);
            async->ran++;
            tell(async, true);
        } else if (async->stopping) {
            break;
        } else {
            async->poll_wanted = false;
            uv_mutex_unlock(&async->lock);
            bool changed = poll_store(async);
            uv_mutex_lock(&async->lock);
            async->changed = async->changed || changed;
            tell(async, async->changed);
        }
    }
    hf_store_close(async->store);
    async->ended = true;
    (void)uv_async_send(&async->wake);
    uv_mutex_unlock(&async->lock);
}

static void release(struct hf_store_async *async)
{
    uv_cond_destroy(&async->work);
    uv_mutex_destroy(&async->lock);
    if (async->inotify_fd >= 0) {
        (void)close(async->inotify_fd);
    }
    free(async->path);
    free(async);
}

static void handle_closed(uv_handle_t *handle)
{
    struct hf_store_async *async = handle->data;
    if (--async->open_handles > 0) {
        return;
    }
    void (*closed)(void *context) = async->closed;
    void *context = async->closed_context;
    release(async);
    if (closed != NULL) {
        closed(context);
    }
}

static void close_handles(struct hf_store_async *async)
{
    uv_close((uv_handle_t *)&async->wake, handle_closed);
    uv_close((uv_handle_t *)&async->timer, handle_closed);
    if (async->inotify_fd >= 0) {
        uv_close((uv_handle_t *)&async->hints, handle_closed);
    }
}

/* Runs the done callbacks of what the worker has run. */
static void deliver(struct hf_store_async *async, uint64_t ran)
{
    while (async->delivered < ran) {
        struct async_job job = async->jobs[async->delivered % HF_STORE_JOBS_MAX];
        async->delivered++; /* before the call, which may submit into this place */
        if (job.done != NULL) {
            job.done(job.context, job.result, job.why != NULL ? job.why : "");
        }
        free(job.why);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct hf_store_async *async = wake->data;
    uv_mutex_lock(&async->lock);
    uint64_t ran = async->ran;
    bool changed = async->changed;
    bool ended = async->ended;
    pid_t broken = async->broken;
    async->changed = false;
    async->broken = 0;
    uv_mutex_unlock(&async->lock);
    if (broken != 0 && async->log != NULL) {
        hf_log(async->log, HF_LOG_WARNING, "store_lock_broken", "pid=%d why=%s", (int)broken,
               "it was stopped while it held the store's lock, and was killed");
    }
    deliver(async, ran);
    if (ended) {
        (void)uv_thread_join(&async->worker);
        close_handles(async);
    } else if (changed && !async->stopped && async->on_change != NULL) {
        async->on_change(async->context);
    }
}

static void want_poll(struct hf_store_async *async)
{
    uv_mutex_lock(&async->lock);
    async->poll_wanted = true;
    uv_cond_signal(&async->work);
    uv_mutex_unlock(&async->lock);
}

/*
 * SQLite opens the journal for each commit, and closes it when the commit is complete and its locks
 * are given back: one event at the right moment. Changes of the file itself would wake everybody in
 * the middle of each commit, to wait for its lock.
 */
static void on_hint(uv_poll_t *hints, int status, int events)
{
    struct hf_store_async *async = hints->data;
    char bytes[4096];
    (void)status;
    (void)events;
    while (read(async->inotify_fd, bytes, sizeof(bytes)) > 0) {
    }
    if (!async->stopped && async->on_change != NULL) {
        async->on_change(async->context);
    }
}

/* Another journal may lie there than before, or a first one. Without one the timer is left. */
static void watch_journal(struct hf_store_async *async)
{
    if (async->inotify_fd < 0) {
        return;
    }
    char *file = realpath(async->path, NULL); /* the journal lies beside what a link leads to */
    int watch = -1;
    if (file != NULL) {
        char *journal = NULL;
        if (asprintf(&journal, "%s-journal", file) < 0) {
            abort();
        }
        watch = inotify_add_watch(async->inotify_fd, journal, IN_CLOSE_WRITE);
        free(journal);
    }
    free(file);
    if (watch != async->inotify_watch && async->inotify_watch >= 0) {
        (void)inotify_rm_watch(async->inotify_fd, async->inotify_watch);
    }
    async->inotify_watch = watch;
}

static void on_timer(uv_timer_t *timer)
{
    watch_journal(timer->data);
    want_poll(timer->data);
}

/* Hints are a luxury: without them changes are seen by the poll. */
static void start_hints(struct hf_store_async *async, uv_loop_t *loop)
{
    async->inotify_watch = -1;
    async->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (async->inotify_fd >= 0 && uv_poll_init(loop, &async->hints, async->inotify_fd) != 0) {
        (void)close(async->inotify_fd);
        async->inotify_fd = -1;
    }
    if (async->inotify_fd >= 0) {
        async->hints.data = async;
        async->open_handles++;
        (void)uv_poll_start(&async->hints, UV_READABLE, on_hint);
        watch_journal(async);
    }
}

int hf_store_async_start(uv_loop_t *loop, const char *path, bool create, struct hf_log *log,
                         hf_store_on_change *on_change, void *context,
                         struct hf_store_async **ret_async)
{
    struct hf_store_async *async = calloc(1, sizeof(*async));
    if (async == NULL || (async->path = strdup(path)) == NULL || uv_mutex_init(&async->lock) != 0 ||
        uv_cond_init(&async->work) != 0) {
        abort();
    }
    async->create = create;
    async->log = log;
    async->on_change = on_change;
    async->context = context;
    async->poll_wanted = true;
    async->changed = true; /* on_change is called once after start */
    async->inotify_fd = -1;
    if (uv_async_init(loop, &async->wake, on_wake) != 0) {
        release(async);
        return HF_ESYS;
    }
    int code = uv_timer_init(loop, &async->timer);
    assert(code == 0);
    async->open_handles = 2;
    async->wake.data = async;
    async->timer.data = async;
    start_hints(async, loop);
    if (uv_thread_create(&async->worker, work, async) != 0) {
        close_handles(async);
        return HF_ESYS;
    }
    code = uv_timer_start(&async->timer, on_timer, HF_STORE_POLL_MS, HF_STORE_POLL_MS);
    assert(code == 0);
    *ret_async = async;
    return HF_OK;
}

int hf_store_async_submit(struct hf_store_async *async, hf_store_job *job, hf_store_done *done,
                          void *context)
{
    if (async->stopped) {
        return HF_EINVAL;
    }
    /* Only this thread writes submitted and delivered. */
    if (async->submitted - async->delivered == HF_STORE_JOBS_MAX) {
        return HF_ELIMIT;
    }
    uv_mutex_lock(&async->lock);
    async->jobs[async->submitted % HF_STORE_JOBS_MAX] =
        (struct async_job){.run = job, .done = done, .context = context};
    async->submitted++;
    uv_cond_signal(&async->work);
    uv_mutex_unlock(&async->lock);
    return HF_OK;
}

void hf_store_async_stop(struct hf_store_async *async, void (*closed)(void *context), void *context)
{
    assert(!async->stopped);
    async->stopped = true;
    async->closed = closed;
    async->closed_context = context;
    (void)uv_timer_stop(&async->timer);
    if (async->inotify_fd >= 0) {
        (void)uv_poll_stop(&async->hints);
    }
    uv_mutex_lock(&async->lock);
    async->stopping = true;
    uv_cond_signal(&async->work);
    uv_mutex_unlock(&async->lock);
}
