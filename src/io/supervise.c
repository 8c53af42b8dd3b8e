/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/supervise.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "io/signals.h"

static uint64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int hf_supervise_init(struct hf_supervisor *supervisor)
{
    *supervisor = (struct hf_supervisor){.signal_fd = -1};
    return hf_signals_open(&supervisor->signal_fd);
}

void hf_supervise_release(struct hf_supervisor *supervisor)
{
    if (supervisor->signal_fd >= 0) {
        (void)close(supervisor->signal_fd);
    }
    supervisor->signal_fd = -1;
}

void hf_supervise_signal(const struct hf_supervisor *supervisor, uint8_t stage, int number)
{
    for (size_t i = 0; i < supervisor->service_count; i++) {
        if (supervisor->services[i].stage == stage) {
            hf_process_signal(&supervisor->services[i].process, number);
        }
    }
}

static void wait_before_start(struct hf_supervisor *supervisor, struct hf_service *service)
{
    uint64_t pause = service->pause_ms == 0 ? HF_SUPERVISE_PAUSE_MIN_MS : 2 * service->pause_ms;
    service->pause_ms = pause > HF_SUPERVISE_PAUSE_MAX_MS ? HF_SUPERVISE_PAUSE_MAX_MS : pause;
    service->start_at_ms = supervisor->now_ms + service->pause_ms;
    service->state = HF_SERVICE_WAITING;
    supervisor->is_dirty = true;
}

static void start(struct hf_supervisor *supervisor, struct hf_service *service)
{
    char why[HF_SUPERVISE_WHY_MAX] = "";
    int status = service->start(service->context, why, sizeof(why), &service->process);
    service->started_ms = supervisor->now_ms;
    if (status != HF_OK) {
        hf_log(supervisor->log, HF_LOG_ERROR, "start_failed", "name=%s error=%s why=%s",
               service->name, hf_strerror(status), why);
        wait_before_start(supervisor, service);
        return;
    }
    hf_log(supervisor->log, HF_LOG_INFO, service->process.is_child ? "started" : "taken_over",
           "name=%s pid=%ld", service->name, (long)service->process.pid);
    service->state = service->ready != NULL ? HF_SERVICE_STARTING : HF_SERVICE_READY;
    supervisor->is_dirty = true;
}

static void note_end(struct hf_supervisor *supervisor, struct hf_service *service)
{
    char how[HF_PROCESS_ENDED_MAX];
    char words[512] = "";
    long pid = (long)service->process.pid;
    if (!hf_process_ended(&service->process, how)) {
        return;
    }
    /* One that was killed had no time to say why. */
    if (service->last_words != NULL && strncmp(how, "exit", 4) == 0) {
        service->last_words(service->context, words, sizeof(words));
    }
    supervisor->is_dirty = true;
    if (supervisor->stop_count > 0) {
        hf_log(supervisor->log, HF_LOG_INFO, "stopped", "name=%s pid=%ld how=%s", service->name,
               pid, how);
        return;
    }
    if (supervisor->now_ms - service->started_ms >= HF_SUPERVISE_STEADY_MS) {
        service->pause_ms = 0;
    }
    service->restart_count++;
    wait_before_start(supervisor, service);
    if (words[0] != '\0') {
        hf_log(supervisor->log, HF_LOG_ERROR, "ended",
               "name=%s pid=%ld how=%s restart_in=%llums said=%s", service->name, pid, how,
               (unsigned long long)service->pause_ms, words);
    } else {
        hf_log(supervisor->log, HF_LOG_ERROR, "ended", "name=%s pid=%ld how=%s restart_in=%llums",
               service->name, pid, how, (unsigned long long)service->pause_ms);
    }
}

/* Starts what is due, asks those that are starting, and notices those that ended. */
static void attend(struct hf_supervisor *supervisor, struct hf_service *service)
{
    if (service->process.pid > 0) {
        note_end(supervisor, service);
    }
    bool may_start = supervisor->stop_count == 0 && service->stage <= supervisor->stage;
    if (service->state == HF_SERVICE_WAITING && may_start &&
        supervisor->now_ms >= service->start_at_ms) {
        start(supervisor, service);
    }
    if (service->state == HF_SERVICE_STARTING && service->ready(service->context)) {
        service->state = HF_SERVICE_READY;
        supervisor->is_dirty = true;
        hf_log(supervisor->log, HF_LOG_INFO, "ready", "name=%s after=%llums", service->name,
               (unsigned long long)(supervisor->now_ms - service->started_ms));
    }
}

static bool stage_is_ready(const struct hf_supervisor *supervisor, uint32_t stage)
{
    for (size_t i = 0; i < supervisor->service_count; i++) {
        const struct hf_service *service = &supervisor->services[i];
        if (service->stage == stage && service->state != HF_SERVICE_READY) {
            return false;
        }
    }
    return true;
}

static void advance(struct hf_supervisor *supervisor)
{
    if (supervisor->stage + 1 < HF_SUPERVISE_STAGES) {
        bool is_late = supervisor->now_ms - supervisor->began_ms >= HF_SUPERVISE_READY_LIMIT_MS;
        if (stage_is_ready(supervisor, supervisor->stage) || is_late) {
            supervisor->stage++;
        }
    } else if (!supervisor->told_started && stage_is_ready(supervisor, supervisor->stage)) {
        supervisor->told_started = true;
        supervisor->all_started(supervisor->context);
    }
}

static void read_signals(struct hf_supervisor *supervisor)
{
    int number;
    while ((number = hf_signals_next(supervisor->signal_fd)) != 0) {
        if (number == SIGHUP) {
            hf_log(supervisor->log, HF_LOG_INFO, "reload", "");
            supervisor->reload(supervisor->context);
        } else {
            supervisor->stop_count++;
        }
    }
}

/* How long nothing is due. */
static int pause_ms(const struct hf_supervisor *supervisor)
{
    uint64_t due = supervisor->tidy_at_ms;
    for (size_t i = 0; i < supervisor->service_count; i++) {
        const struct hf_service *service = &supervisor->services[i];
        uint64_t at = UINT64_MAX;
        if (service->state == HF_SERVICE_STARTING) {
            at = supervisor->now_ms + HF_SUPERVISE_ASK_MS;
        } else if (service->state == HF_SERVICE_WAITING && service->stage <= supervisor->stage) {
            at = service->start_at_ms;
        }
        due = at < due ? at : due;
    }
    if (supervisor->stage + 1 < HF_SUPERVISE_STAGES || !supervisor->told_started) {
        uint64_t at = supervisor->now_ms + HF_SUPERVISE_ASK_MS;
        due = at < due ? at : due;
    }
    return due > supervisor->now_ms ? (int)(due - supervisor->now_ms) : 0;
}

/* Waits for a signal, the end of a process, or the limit. */
static void sleep_until_event(struct hf_supervisor *supervisor, int limit_ms)
{
    struct pollfd events[HF_SUPERVISE_SERVICES_MAX + 1];
    nfds_t count = 0;
    events[count++] = (struct pollfd){.fd = supervisor->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < supervisor->service_count; i++) {
        const struct hf_process *process = &supervisor->services[i].process;
        if (process->pid > 0) {
            events[count++] = (struct pollfd){.fd = process->pidfd, .events = POLLIN};
        }
    }
    (void)poll(events, count, limit_ms);
    supervisor->now_ms = clock_ms();
    read_signals(supervisor);
}

static void tell_changes(struct hf_supervisor *supervisor)
{
    if (supervisor->is_dirty) {
        supervisor->is_dirty = false;
        supervisor->changed(supervisor->context);
    }
}

static bool stage_has_processes(const struct hf_supervisor *supervisor, uint8_t stage)
{
    for (size_t i = 0; i < supervisor->service_count; i++) {
        const struct hf_service *service = &supervisor->services[i];
        if (service->stage == stage && service->process.pid > 0) {
            return true;
        }
    }
    return false;
}

/* SIGCONT: a stopped process takes its SIGTERM only when it goes on. */
static void stop_stage(struct hf_supervisor *supervisor, uint8_t stage)
{
    uint64_t limit_ms = supervisor->now_ms + HF_SUPERVISE_STOP_MS;
    uint32_t signals = supervisor->stop_count;
    bool was_killed = false;
    hf_supervise_signal(supervisor, stage, SIGTERM);
    hf_supervise_signal(supervisor, stage, SIGCONT);
    while (stage_has_processes(supervisor, stage)) {
        bool is_over = supervisor->now_ms >= limit_ms || supervisor->stop_count > signals;
        if (is_over && !was_killed) {
            was_killed = true;
            hf_log(supervisor->log, HF_LOG_WARNING, "stop_late", "stage=%u", stage);
            hf_supervise_signal(supervisor, stage, SIGKILL);
        }
        sleep_until_event(supervisor, HF_SUPERVISE_ASK_MS);
        for (size_t i = 0; i < supervisor->service_count; i++) {
            note_end(supervisor, &supervisor->services[i]);
        }
        tell_changes(supervisor);
    }
}

void hf_supervise_run(struct hf_supervisor *supervisor)
{
    assert(supervisor->service_count <= HF_SUPERVISE_SERVICES_MAX);
    supervisor->now_ms = supervisor->began_ms = clock_ms();
    for (size_t i = 0; i < supervisor->service_count; i++) {
        supervisor->services[i].started_ms = supervisor->now_ms; /* those that were taken over */
    }
    while (supervisor->stop_count == 0) {
        for (size_t i = 0; i < supervisor->service_count; i++) {
            attend(supervisor, &supervisor->services[i]);
        }
        advance(supervisor);
        if (supervisor->now_ms >= supervisor->tidy_at_ms) {
            supervisor->tidy_at_ms = supervisor->now_ms + HF_SUPERVISE_TIDY_MS;
            supervisor->tidy(supervisor->context);
        }
        tell_changes(supervisor);
        sleep_until_event(supervisor, pause_ms(supervisor));
    }
}

void hf_supervise_stop(struct hf_supervisor *supervisor)
{
    hf_log(supervisor->log, HF_LOG_INFO, "stopping", "");
    for (int stage = HF_SUPERVISE_STAGES - 1; stage >= 0; stage--) {
        stop_stage(supervisor, (uint8_t)stage);
    }
}
