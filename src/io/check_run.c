/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When probes start and end. The checker measures its own delays: it notes before every sleep of
 * the loop how long that may take at most, and what passes beyond that and beyond is a stall
 * (this process was stopped, starved, or busy with something else).
 */
#include "io/check_probe.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

static void set_timer(struct hf_check_probe *probe, uint64_t at_ms)
{
    hf_wheel_add(&probe->checker->wheel, &probe->entry, at_ms);
}

/*
 * The probe's place in its interval. Steps of the golden ratio spread any number of probes evenly:
 * a run of them has no two far nearer or farther from each other than others (three-gap theorem).
 */
static uint64_t phase_ms(const struct hf_check_probe *probe)
{
    uint32_t phase = probe->checker->phase + probe->number * 0x9e3779b9U;
    return (uint64_t)phase * probe->recipe->check->interval_ms >> 32;
}

uint8_t hf_check_stall_class(uint64_t length_ms)
{
    uint8_t stall_class = 0;
    while (length_ms > 1 && stall_class < HF_CHECK_STALL_CLASSES - 1) {
        length_ms /= 2;
        stall_class++;
    }
    return stall_class;
}

/* How long ago the loop should have been back here, in ms. */
static uint64_t present_stall_ms(const struct hf_checker *checker, uint64_t now_ns)
{
    uint64_t due_ns = checker->asleep_ns + checker->sleep_max_ns;
    return !checker->is_asleep_known || now_ns <= due_ns ? 0 : (now_ns - due_ns) / NS_PER_MS;
}

static uint64_t stalled_ms(const struct hf_checker *checker, uint8_t stall_class)
{
    uint64_t present_ms = present_stall_ms(checker, uv_hrtime());
    bool counts = present_ms >= 1 && hf_check_stall_class(present_ms) >= stall_class;
    return checker->stalled_ms[stall_class] + (counts ? present_ms : 0);
}

static void note_stall(struct hf_checker *checker, uint64_t now_ns)
{
    uint64_t length_ms = present_stall_ms(checker, now_ns);
    if (length_ms == 0) {
        return;
    }
    for (int i = hf_check_stall_class(length_ms); i >= 0; i--) {
        checker->stalled_ms[i] += length_ms;
    }
}

static void queue_push(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    probe->state = HF_CHECK_WAITING;
    probe->previous = checker->last_waiting;
    probe->next = NULL;
    if (checker->last_waiting == NULL) {
        checker->first_waiting = probe;
    } else {
        checker->last_waiting->next = probe;
    }
    checker->last_waiting = probe;
}

static void queue_remove(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    if (probe->previous == NULL) {
        checker->first_waiting = probe->next;
    } else {
        probe->previous->next = probe->next;
    }
    if (probe->next == NULL) {
        checker->last_waiting = probe->previous;
    } else {
        probe->next->previous = probe->previous;
    }
    probe->state = HF_CHECK_IDLE;
}

/* The next start keeps the probe's place in the interval, so that starts stay spread. */
static void schedule_next(struct hf_check_probe *probe)
{
    uint64_t now_ms = uv_now(probe->checker->loop);
    uint32_t interval_ms = probe->recipe->check->interval_ms;
    probe->state = HF_CHECK_IDLE;
    probe->due_ms = now_ms - now_ms % interval_ms + phase_ms(probe);
    probe->due_ms += probe->due_ms > now_ms ? 0 : interval_ms;
    set_timer(probe, probe->due_ms);
}

/* Schedules the next run and then says how this one ended: the probe may be gone behind that. */
static void report(struct hf_check_probe *probe, enum hf_check_result result, uint16_t status,
                   const char *why)
{
    struct hf_checker *checker = probe->checker;
    uint64_t due_us = probe->due_ms * 1000, started_us = probe->started_ns / 1000;
    if (probe->recipe->check->type != HF_CHECK_NONE) { /* said once: nothing can change it */
        schedule_next(probe);
    }
    struct hf_check_report text = {
        .probe = probe->number,
        .result = result,
        .duration_us = (uv_hrtime() - probe->started_ns) / 1000,
        .lag_us = started_us > due_us ? started_us - due_us : 0,
        .finished_ms = uv_now(checker->loop),
        .status = status,
        .why = why,
    };
    checker->reported(checker->context, &text);
}

/* Ends the run, unless the second address is still to be asked. */
static void finish(struct hf_check_probe *probe, enum hf_check_result result, uint16_t status,
                   const char *why)
{
    struct hf_checker *checker = probe->checker;
    const struct hf_config_check *check = probe->recipe->check;
    uint64_t stall_ms = stalled_ms(checker, probe->recipe->stall_class) - probe->stalled_ms;
    /* A failure is doubted sooner than a success: it may be all ours. */
    uint64_t doubt_ms = result == HF_CHECK_FAILED ? check->timeout_ms / 4 : check->timeout_ms;
    char text[HF_CHECK_WHY_MAX];
    if (probe->attempt != NULL &&
        (result != HF_CHECK_PASSED || !hf_check_keep_connection(probe->attempt))) {
        hf_check_attempt_abandon(probe->attempt);
    }
    if (result != HF_CHECK_PASSED) {
        hf_check_keep_forget_session(probe);
    }
    if (result != HF_CHECK_LATE && stall_ms > 0 && stall_ms >= doubt_ms) {
        (void)snprintf(text, sizeof text, "the checker itself stood still for %u ms: %s",
                       (unsigned)stall_ms, why);
        result = HF_CHECK_LATE;
        why = text;
    } else if (result == HF_CHECK_PASSED && !probe->at_aaaa && probe->backend->has_a &&
               probe->backend->has_aaaa) {
        probe->at_aaaa = true;
        hf_check_attempt_start(probe);
        return;
    } else if (result == HF_CHECK_FAILED && probe->at_aaaa && probe->backend->has_a) {
        (void)snprintf(text, sizeof text, "IPv6: %s", why);
        why = text;
    }
    checker->running_count--;
    report(probe, result, status, why);
}

static void start(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    const struct hf_config_check *check = probe->recipe->check;
    if (checker->running_count++ == 0) {
        checker->is_asleep_known = true;
        checker->asleep_ns = uv_hrtime();
        checker->sleep_max_ns = 0;
    }
    probe->state = HF_CHECK_RUNNING;
    probe->started_ns = uv_hrtime();
    probe->stalled_ms = stalled_ms(checker, probe->recipe->stall_class);
    probe->at_aaaa = !probe->backend->has_a;
    probe->is_overtime = false;
    /* The loop's clock stands since its last sleep: other probes' starts are not this one's. */
    uint64_t now_ms = uv_now(checker->loop), true_ms = probe->started_ns / NS_PER_MS;
    uint64_t behind_ms = true_ms > now_ms ? true_ms - now_ms : 0;
    set_timer(probe, now_ms + behind_ms + check->timeout_ms);
    hf_check_attempt_start(probe);
}

static void without_connection(struct hf_check_probe *probe)
{
    const struct hf_config_check *check = probe->recipe->check;
    probe->started_ns = uv_hrtime();
    if (check->type == HF_CHECK_NONE) {
        report(probe, HF_CHECK_PASSED, 0, "not checked");
        return;
    }
    char why[HF_CHECK_WHY_MAX];
    enum hf_check_result result =
        hf_check_source_ask(probe->recipe->source, probe->backend->name, check->stale_ms, why);
    report(probe, result, 0, why);
}

static void due(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    const struct hf_config_check *check = probe->recipe->check;
    uint64_t now_ms = uv_now(checker->loop);
    if (check->type == HF_CHECK_NONE || check->type == HF_CHECK_FILE) {
        without_connection(probe);
    } else if (now_ms - probe->due_ms > check->interval_ms / 2) {
        /* After a stop of this process every probe is due at once: each waits for its place. */
        schedule_next(probe);
    } else if (checker->running_count < checker->running_max && checker->first_waiting == NULL) {
        start(probe);
    } else {
        queue_push(probe);
        set_timer(probe, now_ms + check->interval_ms);
    }
}

static void out_of_patience(struct hf_check_probe *probe)
{
    char why[HF_CHECK_WHY_MAX];
    (void)snprintf(why, sizeof why, "not started: %u checks are under way, which is the limit",
                   (unsigned)probe->checker->running_max);
    queue_remove(probe);
    probe->started_ns = uv_hrtime();
    report(probe, HF_CHECK_LATE, 0, why);
}

static void out_of_time(struct hf_check_probe *probe)
{
    const struct hf_check_attempt *attempt = probe->attempt;
    if (!probe->is_overtime) {
        /* Timers run before input is read: what has arrived in time still counts. */
        probe->is_overtime = true;
        set_timer(probe, uv_now(probe->checker->loop) + 1);
        return;
    }
    const char *stage = attempt->stage == HF_CHECK_CONNECT     ? "connect"
                        : attempt->stage == HF_CHECK_HANDSHAKE ? "tls handshake"
                                                               : hf_http_waits_for(&attempt->http);
    char why[HF_CHECK_WHY_MAX];
    (void)snprintf(why, sizeof why, "%s: timed out after %u ms", stage,
                   (unsigned)probe->recipe->check->timeout_ms);
    finish(probe, HF_CHECK_FAILED, attempt->http.status, why);
}

static void probe_timer(struct hf_check_probe *probe)
{
    switch ((enum hf_check_state)probe->state) {
    case HF_CHECK_IDLE:
        due(probe);
        return;
    case HF_CHECK_WAITING:
        out_of_patience(probe);
        return;
    case HF_CHECK_RUNNING:
        out_of_time(probe);
        return;
    }
}

static void tick(uv_timer_t *timer)
{
    struct hf_checker *checker = timer->data;
    checker->wake_ms = HF_WHEEL_NEVER;
    for (int i = 0; i < HF_CHECK_TURN_MAX; i++) {
        struct hf_wheel_entry *entry = hf_wheel_pop(&checker->wheel, uv_now(checker->loop));
        if (entry == NULL) {
            return;
        }
        probe_timer((struct hf_check_probe *)entry);
    }
}

/* The pulse bounds how long the loop sleeps while checks are under way. */
static void set_alarm(struct hf_checker *checker)
{
    uint64_t now_ms = uv_now(checker->loop);
    uint64_t wake_ms = hf_wheel_next(&checker->wheel);
    bool is_early = checker->wake_ms <= wake_ms && checker->wake_ms <= now_ms + HF_CHECK_PULSE_MS;
    if (checker->is_closing || (is_early && checker->wake_ms != HF_WHEEL_NEVER)) {
        return;
    }
    if (checker->running_count > 0 && wake_ms > now_ms + HF_CHECK_PULSE_MS) {
        wake_ms = now_ms + HF_CHECK_PULSE_MS;
    }
    checker->wake_ms = wake_ms;
    if (wake_ms == HF_WHEEL_NEVER) {
        uv_timer_stop(&checker->timer);
    } else {
        uv_timer_start(&checker->timer, tick, wake_ms > now_ms ? wake_ms - now_ms : 0, 0);
    }
}

void hf_check_run_clean(struct hf_checker *checker)
{
    hf_check_attempts_recycle(checker);
    while (checker->removed_probes != NULL) {
        struct hf_check_probe *probe = checker->removed_probes;
        checker->removed_probes = probe->next;
        free(probe);
    }
}

/* Runs before every sleep of the loop. */
static void before_sleep(uv_prepare_t *prepare)
{
    struct hf_checker *checker = prepare->data;
    uint64_t now_ns = uv_hrtime();
    note_stall(checker, now_ns);
    checker->asleep_ns = now_ns;
    checker->sleep_max_ns = 0;
    while (!checker->is_closing && checker->first_waiting != NULL &&
           checker->running_count < checker->running_max) {
        struct hf_check_probe *probe = checker->first_waiting;
        queue_remove(probe);
        start(probe);
    }
    hf_check_run_clean(checker);
    set_alarm(checker);
    int sleep_max_ms = uv_backend_timeout(checker->loop);
    checker->is_asleep_known = checker->running_count > 0 && sleep_max_ms >= 0;
    checker->sleep_max_ns = sleep_max_ms > 0 ? (uint64_t)sleep_max_ms * NS_PER_MS : 0;
}

static void events_came(uv_poll_t *poll, int status, int events)
{
    (void)status; /* a set that cannot be read has no events */
    (void)events;
    hf_check_events_read(poll->data);
}

void hf_check_run_init(struct hf_checker *checker)
{
    checker->open_count = 3;
    checker->prepare.data = checker;
    checker->timer.data = checker;
    checker->poll.data = checker;
    checker->wake_ms = HF_WHEEL_NEVER;
    hf_wheel_init(&checker->wheel, uv_now(checker->loop));
    (void)uv_prepare_init(checker->loop, &checker->prepare);
    (void)uv_timer_init(checker->loop, &checker->timer);
    int error = uv_poll_init(checker->loop, &checker->poll, checker->epoll_fd);
    assert(error == 0);
    (void)uv_prepare_start(&checker->prepare, before_sleep);
    (void)uv_poll_start(&checker->poll, UV_READABLE, events_came);
}

void hf_check_run_add(struct hf_check_probe *probe)
{
    if (probe->recipe->check->type == HF_CHECK_NONE) {
        probe->due_ms = uv_now(probe->checker->loop);
        set_timer(probe, probe->due_ms);
    } else {
        schedule_next(probe);
    }
}

void hf_check_run_remove(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    if (probe->state == HF_CHECK_WAITING) {
        queue_remove(probe);
    } else if (probe->state == HF_CHECK_RUNNING) {
        hf_check_attempt_abandon(probe->attempt);
        checker->running_count--;
    }
    hf_check_keep_release(probe);
    probe->state = HF_CHECK_IDLE;
    hf_wheel_remove(&checker->wheel, &probe->entry);
    probe->next = checker->removed_probes;
    checker->removed_probes = probe;
}

void hf_check_attempt_passed(struct hf_check_attempt *attempt, uint16_t status)
{
    struct hf_check_probe *probe = attempt->probe;
    unsigned took_ms = (unsigned)((uv_hrtime() - probe->started_ns) / NS_PER_MS);
    char why[HF_CHECK_WHY_MAX];
    if (status == 0) {
        (void)snprintf(why, sizeof why, "connected in %u ms", took_ms);
    } else {
        (void)snprintf(why, sizeof why, "%u in %u ms", status, took_ms);
    }
    finish(probe, HF_CHECK_PASSED, status, why);
}

/*
 * A server may close a connection between two requests at any moment (RFC 9112 9.5), some with a
 * 408 that answers no request (RFC 9110 15.5.9), and a session that it does not want may make it
 * break off: none of that says that it is not well.
 */
static bool is_worth_another(const struct hf_check_attempt *attempt)
{
    const struct hf_http *http = &attempt->http;
    bool is_closed = http->head_size == 0 || http->status == HF_CHECK_STATUS_IDLE;
    return (attempt->is_reused && is_closed) ||
           (attempt->is_session_given && attempt->stage == HF_CHECK_HANDSHAKE);
}

void hf_check_attempt_failed(struct hf_check_attempt *attempt, const char *format, ...)
{
    struct hf_check_probe *probe = attempt->probe;
    if (is_worth_another(attempt)) {
        hf_check_keep_forget_session(probe);
        hf_check_attempt_abandon(attempt);
        hf_check_attempt_start(probe);
        return;
    }
    char why[HF_CHECK_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    finish(probe, HF_CHECK_FAILED, attempt->http.status,
           hf_check_attempt_is_to_itself(attempt) ? "connect: connection refused" : why);
}

void hf_check_attempt_hindered(struct hf_check_attempt *attempt, const char *format, ...)
{
    char why[HF_CHECK_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    finish(attempt->probe, HF_CHECK_LATE, 0, why);
}
