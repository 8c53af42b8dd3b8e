/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The workers: threads that call the handler, each with one request after another. */
#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/serve_internal.h"

enum { PASSWD_ROOM = 16 * 1024 };

/* The name of the peer's user; here, because it may ask a directory on the network. */
static void name_user(struct serve_request *request)
{
    struct passwd entry, *found = NULL;
    char *room = malloc(PASSWD_ROOM);
    if (room == NULL) {
        abort();
    }
    uid_t uid = request->connection->uid;
    if (getpwuid_r(uid, &entry, room, PASSWD_ROOM, &found) == 0 && found != NULL) {
        (void)snprintf(request->who, sizeof request->who, "%s", found->pw_name);
    } else {
        (void)snprintf(request->who, sizeof request->who, "uid-%u", (unsigned)uid);
    }
    free(room);
}

static void answer(struct serve_request *request)
{
    struct hf_serve *serve = request->serve;
    if (request->who[0] == 0) {
        name_user(request);
    }
    struct hf_serve_request view = {
        .method = request->is_post ? "POST" : "GET",
        .path = request->target.path,
        .query_count = request->target.query_count,
        .body = hf_buf_text(&request->body),
        .body_size = request->body.size,
        .if_match = request->if_match,
        .if_none_match = request->if_none_match,
        .role = request->role,
        .who = request->who,
        .counters = request->counters,
    };
    memcpy(view.query, request->target.query, sizeof view.query);
    serve->options.handler(serve->options.context, &view, &request->answer);
    hf_serve_answer_finish(request);
}

/* The next request, or NULL: the thread ends. */
static struct serve_request *take(struct serve_work *work, bool was_busy)
{
    uv_mutex_lock(&work->lock);
    work->busy_count -= was_busy;
    while (work->first == NULL && !work->is_stopping) {
        uv_cond_wait(&work->some, &work->lock);
    }
    struct serve_request *request = work->is_stopping ? NULL : work->first;
    if (request != NULL) {
        work->first = request->next;
        work->last = work->first == NULL ? NULL : work->last;
        work->busy_count++;
    }
    uv_mutex_unlock(&work->lock);
    return request;
}

static void run(void *context)
{
    struct hf_serve *serve = context;
    struct serve_work *work = &serve->work;
    for (struct serve_request *request = take(work, false); request != NULL;
         request = take(work, true)) {
        answer(request);
        uv_mutex_lock(&work->lock);
        request->next = work->done;
        work->done = request;
        uv_mutex_unlock(&work->lock);
        (void)uv_async_send(&serve->wake);
    }
    (void)uv_async_send(&serve->wake);
}

int hf_serve_work_start(struct hf_serve *serve)
{
    struct serve_work *work = &serve->work;
    uint32_t wanted = serve->options.workers > 0 ? serve->options.workers : 1;
    assert(wanted <= HF_SERVE_WORKERS_MAX);
    while (work->thread_count < wanted) {
        if (uv_thread_create(&work->threads[work->thread_count], run, serve) != 0) {
            break;
        }
        work->thread_count++;
    }
    return work->thread_count > 0 ? HF_OK : HF_ESYS;
}

int hf_serve_work_submit(struct hf_serve *serve, struct serve_request *request)
{
    struct serve_work *work = &serve->work;
    int error = HF_ELIMIT;
    uv_mutex_lock(&work->lock);
    if (serve->waiting < HF_SERVE_QUEUE_MAX + work->thread_count && !work->is_stopping) {
        request->next = NULL;
        request->phase = SERVE_WAITS;
        hf_serve_count(serve, &request->counters);
        if (work->last != NULL) {
            work->last->next = request;
        } else {
            work->first = request;
        }
        work->last = request;
        serve->waiting++;
        uv_cond_signal(&work->some);
        error = HF_OK;
    }
    uv_mutex_unlock(&work->lock);
    return error;
}

static void give_back(struct hf_serve *serve, struct serve_request *list)
{
    while (list != NULL) {
        struct serve_request *next = list->next;
        serve->waiting--;
        list->phase = SERVE_ANSWERED;
        MHD_resume_connection(list->mhd);
        list = next;
    }
}

void hf_serve_work_done(struct hf_serve *serve)
{
    struct serve_work *work = &serve->work;
    uv_mutex_lock(&work->lock);
    struct serve_request *done = work->done;
    work->done = NULL;
    uv_mutex_unlock(&work->lock);
    give_back(serve, done);
}

void hf_serve_work_stop(struct hf_serve *serve)
{
    struct serve_work *work = &serve->work;
    uv_mutex_lock(&work->lock);
    work->is_stopping = true;
    struct serve_request *left = work->first;
    work->first = work->last = NULL;
    uv_cond_broadcast(&work->some);
    uv_mutex_unlock(&work->lock);
    for (struct serve_request *at = left; at != NULL; at = at->next) {
        hf_serve_answer_error(&at->answer, 503, "busy", "this server is being stopped");
    }
    give_back(serve, left);
}

bool hf_serve_work_has_ended(struct hf_serve *serve)
{
    struct serve_work *work = &serve->work;
    uv_mutex_lock(&work->lock);
    bool has_ended = work->thread_count > 0 && work->is_stopping && work->busy_count == 0;
    uv_mutex_unlock(&work->lock);
    while (has_ended && work->thread_count > 0) {
        (void)uv_thread_join(&work->threads[--work->thread_count]);
    }
    return has_ended;
}
