/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "io/serve_internal.h"

enum {
    FILES_SPARE = 128, /* descriptors that are not for connections */
    FLUSH_TURNS = 4,
    MHD_LOG_ROOM = 512,
};

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static void on_timer(uv_timer_t *timer)
{
    hf_serve_run(timer->data);
}

/*
 * A connection in a TLS handshake that waits for its client keeps libmicrohttpd asking for the next
 * turn at once. What really happens wakes the loop by itself, so it gets a turn in a while.
 */
static bool is_shaking(const struct serve_daemon *daemon)
{
    return daemon == &daemon->serve->daemons[SERVE_TLS] && daemon->serve->shaking_count > 0;
}

void hf_serve_run(struct serve_daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (!daemon->is_open || daemon->mhd == NULL) {
        return;
    }
    (void)MHD_run(daemon->mhd);
    if (MHD_get_timeout(daemon->mhd, &timeout_ms) == MHD_YES) {
        if (timeout_ms == 0 && is_shaking(daemon)) {
            timeout_ms = HF_SERVE_SHAKE_MS;
        }
        (void)uv_timer_start(&daemon->timer, on_timer, timeout_ms, 0);
    } else {
        (void)uv_timer_stop(&daemon->timer);
    }
}

void hf_serve_run_soon(struct hf_serve *serve)
{
    for (int i = 0; i < SERVE_DAEMONS; i++) {
        if (serve->daemons[i].is_open) {
            (void)uv_timer_start(&serve->daemons[i].timer, on_timer, 0, 0);
        }
    }
}

void hf_serve_run_all(struct hf_serve *serve)
{
    for (int i = 0; i < SERVE_DAEMONS; i++) {
        hf_serve_run(&serve->daemons[i]);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    hf_serve_run(poll->data);
}

static void on_tick(uv_timer_t *timer)
{
    struct hf_serve *serve = timer->data;
    uint64_t now_ms = uv_now(serve->loop);
    hf_serve_connections_expire(serve, now_ms);
    hf_serve_streams_tick(serve, now_ms);
    hf_serve_tokens_tick(serve);
    hf_serve_tls_tick(serve);
    hf_serve_listen_wake(serve);
}

__attribute__((format(printf, 2, 0))) static void on_mhd_log(void *context, const char *format,
                                                             va_list arguments)
{
    struct hf_serve *serve = context;
    char text[MHD_LOG_ROOM];
    (void)vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = 0;
    hf_log(serve->log, HF_LOG_DEBUG, "api_connection", "why=%s", text);
}

static int start_daemon(struct hf_serve *serve, int which)
{
    struct serve_daemon *daemon = &serve->daemons[which];
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    bool is_tls = which == SERVE_TLS;
    /* After MHD_OPTION_END nothing is read. */
    daemon->serve = serve;
    daemon->mhd = MHD_start_daemon(
        flags | (is_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, hf_serve_request_handle, serve,
        MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, serve, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HF_SERVE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HF_SERVE_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HF_SERVE_HEAD_MAX,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, hf_serve_request_begins, serve, MHD_OPTION_NOTIFY_COMPLETED,
        hf_serve_request_ends, serve, MHD_OPTION_NOTIFY_CONNECTION, hf_serve_connection_notice,
        serve, is_tls ? MHD_OPTION_HTTPS_CERT_CALLBACK2 : MHD_OPTION_END, hf_serve_tls_retrieve,
        MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_END);
    return daemon->mhd == NULL ? HF_ESYS : HF_OK;
}

static int watch_daemon(struct serve_daemon *daemon)
{
    struct hf_serve *serve = daemon->serve;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || uv_poll_init(serve->loop, &daemon->poll, info->epoll_fd) != 0) {
        return HF_ESYS;
    }
    (void)uv_timer_init(serve->loop, &daemon->timer);
    daemon->poll.data = daemon;
    daemon->timer.data = daemon;
    daemon->is_open = true;
    serve->open_handles += 2;
    (void)uv_poll_start(&daemon->poll, UV_READABLE, on_ready);
    hf_serve_run(daemon);
    return HF_OK;
}

static int start_daemons(struct hf_serve *serve)
{
    int error = start_daemon(serve, SERVE_PLAIN);
    if (error == HF_OK) {
        error = watch_daemon(&serve->daemons[SERVE_PLAIN]);
    }
    if (error == HF_OK && serve->tls != NULL) {
        error = start_daemon(serve, SERVE_TLS);
        if (error == HF_OK) {
            error = watch_daemon(&serve->daemons[SERVE_TLS]);
        }
    }
    return error;
}

/* The soft limit of descriptors is raised where it can be; 1,200 streams need more than 1,024. */
static uint32_t connections_max(void)
{
    struct rlimit limit;
    rlim_t wanted = HF_SERVE_CONNECTIONS_MAX + FILES_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return HF_SERVE_CONNECTIONS_MAX;
    }
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted) {
        return HF_SERVE_CONNECTIONS_MAX;
    }
    return limit.rlim_cur > FILES_SPARE ? (uint32_t)(limit.rlim_cur - FILES_SPARE) : 1;
}

static void release(struct hf_serve *serve)
{
    hf_serve_tls_close(serve);
    hf_serve_events_release(&serve->events);
    free(serve->tokens);
    uv_cond_destroy(&serve->work.some);
    uv_mutex_destroy(&serve->work.lock);
    free(serve);
}

static void on_closed(uv_handle_t *handle)
{
    struct hf_serve *serve = handle->data;
    if (--serve->open_handles == 0) {
        void (*closed)(void *context) = serve->closed;
        void *context = serve->closed_context;
        release(serve);
        if (closed != NULL) {
            closed(context);
        }
    }
}

void hf_serve_close_handle(struct hf_serve *serve, uv_handle_t *handle)
{
    handle->data = serve;
    uv_close(handle, on_closed);
}

/* Everything but the worker's thread, which has ended. */
static void dismantle(struct hf_serve *serve)
{
    serve->is_closing = true;
    hf_serve_listen_stop(serve);
    hf_serve_streams_resume(serve);
    for (int i = 0; i < FLUSH_TURNS; i++) {
        hf_serve_run_all(serve);
    }
    for (int i = 0; i < SERVE_DAEMONS; i++) {
        struct serve_daemon *daemon = &serve->daemons[i];
        if (daemon->is_open) {
            daemon->is_open = false;
            hf_serve_close_handle(serve, (uv_handle_t *)&daemon->poll);
            hf_serve_close_handle(serve, (uv_handle_t *)&daemon->timer);
        }
        if (daemon->mhd != NULL) {
            MHD_stop_daemon(daemon->mhd);
            daemon->mhd = NULL;
        }
    }
    hf_serve_close_handle(serve, (uv_handle_t *)&serve->tick);
    hf_serve_close_handle(serve, (uv_handle_t *)&serve->wake);
}

static void on_wake(uv_async_t *wake)
{
    struct hf_serve *serve = wake->data;
    hf_serve_work_done(serve);
    if (serve->is_closing && hf_serve_work_has_ended(serve)) {
        dismantle(serve);
        return;
    }
    hf_serve_run_all(serve);
}

static int open_all(struct hf_serve *serve)
{
    int error = hf_serve_tokens_open(serve);
    if (error == HF_OK) {
        error = hf_serve_tls_open(serve);
    }
    if (error == HF_OK) {
        error = hf_serve_listen(serve);
    }
    if (error == HF_OK) {
        error = start_daemons(serve);
    }
    if (error == HF_OK) {
        hf_serve_listen_start(serve);
        error = hf_serve_work_start(serve);
    }
    return error;
}

int hf_serve_open(uv_loop_t *loop, const struct hf_serve_options *options, struct hf_log *log,
                  struct hf_serve **ret_serve)
{
    uint32_t epoch = 0;
    struct hf_serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL || uv_mutex_init(&serve->work.lock) != 0 ||
        uv_cond_init(&serve->work.some) != 0 ||
        getrandom(&epoch, sizeof epoch, 0) != (ssize_t)sizeof epoch) {
        abort();
    }
    serve->loop = loop;
    serve->options = *options;
    serve->log = log;
    serve->connection_max = connections_max();
    serve->beat_ms = uv_now(loop);
    hf_serve_events_init(&serve->events, epoch);
    for (int i = 0; i < SERVE_LISTENERS; i++) {
        serve->listeners[i].fd = -1;
    }
    if (uv_async_init(loop, &serve->wake, on_wake) != 0) {
        release(serve);
        return HF_ESYS;
    }
    (void)uv_timer_init(loop, &serve->tick);
    serve->wake.data = serve;
    serve->tick.data = serve;
    serve->open_handles = 2;
    int error = open_all(serve);
    if (error != HF_OK) {
        dismantle(serve);
        return error;
    }
    (void)uv_timer_start(&serve->tick, on_tick, HF_SERVE_TICK_MS, HF_SERVE_TICK_MS);
    *ret_serve = serve;
    return HF_OK;
}

void hf_serve_close(struct hf_serve *serve, void (*closed)(void *context), void *context)
{
    serve->closed = closed;
    serve->closed_context = context;
    serve->is_closing = true;
    (void)uv_timer_stop(&serve->tick);
    hf_serve_listen_stop(serve);
    hf_serve_streams_resume(serve);
    hf_serve_work_stop(serve);
    hf_serve_run_all(serve);
}

void hf_serve_count(const struct hf_serve *serve, struct hf_serve_counters *ret_counters)
{
    *ret_counters = serve->counters;
    ret_counters->connections = serve->connection_count;
    ret_counters->streams = serve->stream_count;
    ret_counters->waiting = serve->waiting;
}
