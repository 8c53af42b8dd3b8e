/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When probes start and end. The checker measures its own delays: it notes before every sleep of
 * the loop how long that may take at most, and what passes beyond that and beyond is a stall
 * (this process was stopped, starved, or busy with something else).
 */
#include "io/check_probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

static void probe_timer(uv_timer_t *timer);

/* SplitMix64: spreads starts, nothing more. */
static uint64_t random_below(struct hf_checker *checker, uint64_t bound)
{
    checker->random += 0x9e3779b97f4a7c15U;
    uint64_t mixed = checker->random;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    return bound == 0 ? 0 : mixed % bound;
}

static uint8_t stall_class_of(uint64_t length_ms)
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
    bool counts = present_ms >= 1 && stall_class_of(present_ms) >= stall_class;
    return checker->stalled_ms[stall_class] + (counts ? present_ms : 0);
}

static void note_stall(struct hf_checker *checker, uint64_t now_ns)
{
    uint64_t length_ms = present_stall_ms(checker, now_ns);
    if (length_ms == 0) {
        return;
    }
    for (int i = stall_class_of(length_ms); i >= 0; i--) {
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
    probe->due_ms += interval_ms;
    if (probe->due_ms <= now_ms) {
        probe->due_ms += (now_ms - probe->due_ms) / interval_ms * interval_ms + interval_ms;
    }
    uv_timer_start(&probe->timer, probe_timer, probe->due_ms - now_ms, 0);
}

static void report(struct hf_check_probe *probe, enum hf_check_result result, uint16_t status,
                   const char *why)
{
    struct hf_checker *checker = probe->checker;
    struct hf_check_report text = {
        .probe = probe->number,
        .result = result,
        .duration_us = (uv_hrtime() - probe->started_ns) / 1000,
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
    uint64_t stall_ms = stalled_ms(checker, probe->stall_class) - probe->stalled_ms;
    /* A failure is doubted sooner than a success: it may be all ours. */
    uint64_t doubt_ms = result == HF_CHECK_FAILED ? check->timeout_ms / 4 : check->timeout_ms;
    char text[HF_CHECK_WHY_MAX];
    if (probe->attempt != NULL) {
        hf_check_attempt_abandon(probe->attempt);
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
    if (checker->running_count == 0) {
        uv_timer_stop(&checker->pulse);
    }
    schedule_next(probe);
    report(probe, result, status, why);
}

static void pulse(uv_timer_t *timer)
{
    (void)timer; /* it only bounds how long the loop sleeps */
}

static void start(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    const struct hf_config_check *check = probe->recipe->check;
    if (checker->running_count++ == 0) {
        checker->is_asleep_known = true;
        checker->asleep_ns = uv_hrtime();
        checker->sleep_max_ns = 0;
        uv_timer_start(&checker->pulse, pulse, HF_CHECK_PULSE_MS, HF_CHECK_PULSE_MS);
    }
    probe->state = HF_CHECK_RUNNING;
    probe->started_ns = uv_hrtime();
    probe->stalled_ms = stalled_ms(checker, probe->stall_class);
    probe->at_aaaa = !probe->backend->has_a;
    probe->is_overtime = false;
    /* The loop's clock stands since its last sleep: other probes' starts are not this one's. */
    uint64_t now_ms = uv_now(checker->loop), true_ms = probe->started_ns / NS_PER_MS;
    uint64_t behind_ms = true_ms > now_ms ? true_ms - now_ms : 0;
    uv_timer_start(&probe->timer, probe_timer, behind_ms + check->timeout_ms, 0);
    hf_check_attempt_start(probe);
}

static void without_connection(struct hf_check_probe *probe)
{
    const struct hf_config_check *check = probe->recipe->check;
    probe->started_ns = uv_hrtime();
    if (check->type == HF_CHECK_NONE) { /* said once: nothing can change it */
        report(probe, HF_CHECK_PASSED, 0, "not checked");
        return;
    }
    char why[HF_CHECK_WHY_MAX];
    enum hf_check_result result =
        hf_check_source_ask(probe->recipe->source, probe->backend->name, check->stale_ms, why);
    schedule_next(probe);
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
        /* After a stop of this process every probe is due at once: spread them anew. */
        probe->due_ms = now_ms + 1 + random_below(checker, check->interval_ms);
        uv_timer_start(&probe->timer, probe_timer, probe->due_ms - now_ms, 0);
    } else if (checker->running_count < checker->running_max && checker->first_waiting == NULL) {
        start(probe);
    } else {
        queue_push(probe);
        uv_timer_start(&probe->timer, probe_timer, check->interval_ms, 0);
    }
}

static void out_of_patience(struct hf_check_probe *probe)
{
    char why[HF_CHECK_WHY_MAX];
    (void)snprintf(why, sizeof why, "not started: %u checks are under way, which is the limit",
                   (unsigned)probe->checker->running_max);
    queue_remove(probe);
    probe->started_ns = uv_hrtime();
    schedule_next(probe);
    report(probe, HF_CHECK_LATE, 0, why);
}

static void out_of_time(struct hf_check_probe *probe)
{
    const struct hf_check_attempt *attempt = probe->attempt;
    if (!probe->is_overtime) {
        /* Timers run before input is read: what has arrived in time still counts. */
        probe->is_overtime = true;
        uv_timer_start(&probe->timer, probe_timer, 1, 0);
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

static void probe_timer(uv_timer_t *timer)
{
    struct hf_check_probe *probe = timer->data;
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
    int sleep_max_ms = uv_backend_timeout(checker->loop);
    checker->is_asleep_known = checker->running_count > 0 && sleep_max_ms >= 0;
    checker->sleep_max_ns = sleep_max_ms > 0 ? (uint64_t)sleep_max_ms * NS_PER_MS : 0;
}

void hf_check_run_init(struct hf_checker *checker)
{
    uv_prepare_start(&checker->prepare, before_sleep);
}

void hf_check_run_add(struct hf_check_probe *probe)
{
    const struct hf_config_check *check = probe->recipe->check;
    uint64_t now_ms = uv_now(probe->checker->loop);
    bool at_once = check->type == HF_CHECK_NONE;
    probe->stall_class = stall_class_of(check->timeout_ms / 8);
    probe->state = HF_CHECK_IDLE;
    probe->due_ms = now_ms + (at_once ? 0 : random_below(probe->checker, check->interval_ms));
    uv_timer_start(&probe->timer, probe_timer, probe->due_ms - now_ms, 0);
}

void hf_check_run_remove(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    if (probe->state == HF_CHECK_WAITING) {
        queue_remove(probe);
    } else if (probe->state == HF_CHECK_RUNNING) {
        hf_check_attempt_abandon(probe->attempt);
        checker->running_count--;
        if (checker->running_count == 0) {
            uv_timer_stop(&checker->pulse);
        }
    }
    probe->state = HF_CHECK_IDLE;
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

void hf_check_attempt_failed(struct hf_check_attempt *attempt, const char *format, ...)
{
    char why[HF_CHECK_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    finish(attempt->probe, HF_CHECK_FAILED, attempt->http.status, why);
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
