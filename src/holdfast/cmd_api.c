/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The API as a process. The loop carries HTTP and sends events; everything else happens on worker
 * threads (api.h). Where it cannot listen, it says so and tries again: an address that is in use
 * is free one day, and nobody else needs this process.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "holdfast/api.h"
#include "holdfast/page_files.h"
#include "holdfast/role.h"
#include "io/signals.h"
#include "io/watch.h"

enum { LISTEN_AGAIN_MS = 5000, NICENESS = 10, SLICE_NS = 20000000 };

struct process {
    struct hf_api api;
    const struct hf_config *config;
    struct hf_log *log;
    uv_loop_t loop;
    struct hf_signals *signals;
    uv_timer_t turn_timer, listen_timer;
    uv_work_t turn;
    struct hf_watch *watch;
    struct hf_serve_options options;
    struct hf_serve *serve; /* NULL: it cannot listen */
    struct hf_api_event events[HF_API_EVENTS_MAX];
    enum hf_role_end end;
    char trouble[HF_STORE_WHY_MAX]; /* with incidents, told last */
    bool is_turning, is_stopping, said_trouble;
};

/* What sched_setattr(2) takes, in its first edition; the C library has it only since 2.41. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/*
 * Whoever writes goes before whoever reads: on a machine that is busy the control loop takes what
 * it needs, and the API has a tenth at least. Not less: it holds a lock of the store at times. Its
 * slice is long, because Linux (6.12 and later) lets a thread that wakes up go first at once where
 * its own slice is the shorter one; others finish theirs. Threads begin as their process is.
 */
static void yield_to_others(void)
{
    const struct sched_param none = {0};
    const struct scheduling wanted = {
        .size = sizeof(wanted), .policy = SCHED_BATCH, .nice = NICENESS, .runtime_ns = SLICE_NS};
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    (void)syscall(SYS_sched_setattr, 0, &wanted, 0);
}

/* --- turns: the view is refreshed, and what is new is sent --- */

static void turn_work(uv_work_t *work)
{
    struct process *process = work->data;
    hf_api_turn(&process->api);
}

/* What is wrong with incidents or the status page, when it begins and when it ends. */
static void tell_trouble(struct process *process)
{
    const struct hf_api_incidents *incidents = process->api.incidents;
    const char *trouble = incidents->trouble[0] != 0 ? incidents->trouble : incidents->page_trouble;
    if (strcmp(trouble, process->trouble) == 0) {
        return;
    }
    (void)snprintf(process->trouble, sizeof(process->trouble), "%s", trouble);
    if (trouble[0] != 0) {
        hf_log(process->log, HF_LOG_WARNING, "incidents_trouble", "why=%s", trouble);
    } else {
        hf_log(process->log, HF_LOG_INFO, "incidents_well", "page=%s",
               process->config->statuspage.out != NULL ? process->config->statuspage.out : "off");
    }
}

static void turn_done(uv_work_t *work, int status)
{
    struct process *process = work->data;
    (void)status;
    process->is_turning = false;
    tell_trouble(process);
    uint32_t count = hf_api_take_events(&process->api, process->events);
    for (uint32_t i = 0; i < count; i++) {
        if (process->serve != NULL && !process->is_stopping) {
            hf_serve_event(process->serve, process->events[i].name, process->events[i].json);
        }
        free(process->events[i].json);
    }
}

static void on_turn(uv_timer_t *timer)
{
    struct process *process = timer->data;
    if (!process->is_turning) {
        process->is_turning = true;
        process->turn.data = process;
        (void)uv_queue_work(&process->loop, &process->turn, turn_work, turn_done);
    }
}

/* --- listening --- */

static void listen_now(struct process *process)
{
    const struct hf_config_api *api = &process->config->api;
    int error = hf_serve_open(&process->loop, &process->options, process->log, &process->serve);
    if (error == HF_OK) {
        char url[HF_API_URL_MAX];
        hf_api_url(api, url);
        hf_log(process->log, HF_LOG_INFO, "api_listens", "page=%s socket=%s tokens=%s",
               url[0] != 0 ? url : "off", api->socket_path != NULL ? api->socket_path : "off",
               process->options.tokens_path != NULL ? process->options.tokens_path : "off");
        uv_timer_stop(&process->listen_timer);
        return;
    }
    process->serve = NULL;
    if (!process->said_trouble) {
        process->said_trouble = true;
        hf_log(process->log, HF_LOG_WARNING, "api_waits", "listen=%s why=%s",
               api->listen != NULL ? api->listen : "off",
               "it cannot listen, and tries again; nothing else waits for it");
    }
}

static void on_listen(uv_timer_t *timer)
{
    listen_now(timer->data);
}

/* --- life --- */

static void end(struct process *process, enum hf_role_end how)
{
    process->end = how;
    process->is_stopping = true;
    uv_stop(&process->loop);
}

static void on_signal(void *context, int number)
{
    end(context, number == SIGHUP ? HF_ROLE_RELOAD : HF_ROLE_STOPPED);
}

static void on_config_changed(void *context)
{
    struct process *process = context;
    hf_log(process->log, HF_LOG_INFO, "config_changed", "path=%s", process->config->path);
    end(process, HF_ROLE_RELOAD);
}

static void handle(void *context, const struct hf_serve_request *request,
                   struct hf_serve_answer *ret_answer)
{
    const struct hf_page_file *file = hf_page_files_find(request->path);
    if (file != NULL && strcmp(request->method, "GET") == 0) {
        hf_page_files_answer(file, ret_answer);
    } else {
        hf_api_handle(context, request, ret_answer);
    }
}

/* Without a tokens file there are no tokens; everything else works. */
static const char *tokens_of(struct process *process)
{
    const struct hf_config_api *api = &process->config->api;
    char why[HF_LOOK_SENTENCE_MAX] = "";
    int error = hf_api_make_tokens(api, why, sizeof(why));
    if (error == HF_OK) {
        hf_log(process->log, HF_LOG_INFO, "api_tokens_made", "path=%s", api->tokens_path);
    } else if (error != HF_EEXIST) {
        hf_log(process->log, HF_LOG_WARNING, "api_tokens_missing", "why=%s", why);
        return NULL;
    }
    return api->tokens_path;
}

static void start(struct process *process)
{
    const struct hf_config_api *api = &process->config->api;
    uv_timer_init(&process->loop, &process->turn_timer);
    uv_timer_init(&process->loop, &process->listen_timer);
    process->turn_timer.data = process;
    process->listen_timer.data = process;
    hf_watch_start(&process->loop, process->config, true, process->log, on_config_changed, process,
                   &process->watch);
    process->options = (struct hf_serve_options){.listen = api->listen,
                                                 .socket_path = api->socket_path,
                                                 .tokens_path = tokens_of(process),
                                                 .certificate_path = api->certificate_path,
                                                 .key_path = api->key_path,
                                                 .names = api->names,
                                                 .name_count = api->name_count,
                                                 .events_path = "/api/v1/events",
                                                 .is_open = hf_page_files_has,
                                                 .workers = HF_API_WORKERS,
                                                 .handler = handle,
                                                 .context = &process->api};
    uv_timer_start(&process->turn_timer, on_turn, 0, HF_API_REFRESH_MS);
    if (api->listen != NULL || api->socket_path != NULL) {
        uv_timer_start(&process->listen_timer, on_listen, 0, LISTEN_AGAIN_MS);
    }
}

static void on_closed(void *context)
{
    (void)context;
}

static void stop(struct process *process)
{
    hf_signals_stop(process->signals);
    uv_close((uv_handle_t *)&process->turn_timer, NULL);
    uv_close((uv_handle_t *)&process->listen_timer, NULL);
    hf_watch_stop(process->watch);
    if (process->serve != NULL) {
        hf_serve_close(process->serve, on_closed, NULL);
    }
    uv_run(&process->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&process->loop);
}

static int run_api(void *context, const struct hf_config *config, struct hf_log *log,
                   enum hf_role_end *ret_end)
{
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL) {
        abort();
    }
    process->config = config;
    process->log = log;
    uv_loop_init(&process->loop);
    int error = hf_signals_start(&process->loop, on_signal, process, &process->signals);
    if (error != HF_OK) {
        free(process);
        return error;
    }
    hf_api_init(&process->api, context, config);
    process->api.notify = hf_notify_open(config, log);
    start(process);
    hf_log(log, HF_LOG_INFO, "api_started", "endpoints=%u", config->endpoint_count);
    uv_run(&process->loop, UV_RUN_DEFAULT);
    *ret_end = process->end;
    stop(process);
    hf_notify_close(process->api.notify);
    hf_api_release(&process->api);
    hf_log(log, HF_LOG_INFO, "api_stopped", "");
    free(process);
    return HF_OK;
}

static int api(const struct hf_invocation *invocation)
{
    union {
        const struct hf_invocation *given;
        void *context;
    } cast = {.given = invocation};
    yield_to_others();
    return hf_role_loop(invocation, "api", true, run_api, cast.context);
}

const struct hf_command hf_command_api = {
    .name = "api",
    .group = HF_COMMAND_RUN,
    .arguments = "",
    .summary = "answer over HTTP: the operator's page, the API, events, metrics",
    .details = "Listens where `api:` of the configuration says (127.0.0.1@8053, and a Unix socket\n"
               "in the data folder) and answers from the store. It writes only what an operator\n"
               "asks it to. Nothing else depends on it; where it cannot listen, it tries again.\n"
               "Runs until SIGINT or SIGTERM; SIGHUP, or a change of the configuration's files,\n"
               "makes it read the configuration again.",
    .run = api,
};
