/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/lead.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/lead_internal.h"
#include "io/wallclock.h"

enum {
    STATUS_INTERVAL_MS = 500,
    FOLLOW_LATER_MS = 5,
};

void hf_lead_trouble(struct hf_lead *lead, const char *why)
{
    if (strcmp(lead->trouble, why) == 0) {
        return;
    }
    (void)snprintf(lead->trouble, sizeof(lead->trouble), "%s", why);
    if (why[0] != 0) {
        hf_log(lead->log, HF_LOG_WARNING, "store_trouble", "why=%s", why);
    } else {
        hf_log(lead->log, HF_LOG_INFO, "store_well", "path=%s", lead->config->store_path);
    }
}

void hf_lead_end(struct hf_lead *lead, enum hf_role_end end)
{
    lead->end = end;
    lead->stopping = true;
    uv_stop(&lead->loop);
}

static void on_retry(uv_timer_t *timer)
{
    struct hf_lead *lead = timer->data;
    hf_lead_load(lead);
}

void hf_lead_retry_later(struct hf_lead *lead)
{
    uv_timer_start(&lead->retry_timer, on_retry, HF_LEAD_RETRY_MS, HF_LEAD_RETRY_MS);
}

static void perform(struct hf_lead *lead, const struct hf_planner_action *action)
{
    switch (action->type) {
    case HF_PLANNER_PUBLISH:
        hf_lead_publish(lead, action);
        break;
    case HF_PLANNER_RELOAD:
        lead->load_wanted = true;
        break;
    default:
        hf_log(lead->log, HF_LOG_ERROR, "planner_stopped", "gen=%llu why=%s",
               (unsigned long long)action->gen,
               "fences are ahead of the head again and again: somebody else writes as us");
        hf_lead_freeze_all(lead);
        break;
    }
}

void hf_lead_step(struct hf_lead *lead, struct hf_planner_event *event)
{
    struct hf_planner_outbox outbox;
    hf_planning_step(lead->planning, event, hf_wallclock_ms(), &outbox);
    for (uint32_t i = 0; i < outbox.count; i++) {
        perform(lead, &outbox.actions[i]);
    }
}

static void arm(struct hf_lead *lead);

static void on_tick(uv_timer_t *timer)
{
    struct hf_lead *lead = timer->data;
    if (lead->stopping) {
        return;
    }
    if (lead->load_wanted && !lead->busy) {
        hf_lead_load(lead);
        return;
    }
    if (lead->planning != NULL && !lead->busy) {
        struct hf_planner_event event = {.type = HF_PLANNER_TICK};
        hf_lead_step(lead, &event);
    }
    arm(lead);
}

/* Sleeps until the machine wants to be ticked; completions and news tick it earlier. */
static void arm(struct hf_lead *lead)
{
    if (lead->planning == NULL || lead->busy) {
        return;
    }
    if (lead->load_wanted) {
        uv_timer_start(&lead->tick_timer, on_tick, 0, 0);
        return;
    }
    uint64_t due = hf_planner_deadline_ms(&lead->planning->planner);
    if (due == HF_NEVER) {
        return;
    }
    uint64_t now = hf_wallclock_ms();
    /* At least a millisecond: a machine that waits for something else must not spin. */
    uv_timer_start(&lead->tick_timer, on_tick, due > now ? due - now : 1, 0);
}

void hf_lead_tick_soon(struct hf_lead *lead)
{
    if (!lead->stopping) {
        uv_timer_start(&lead->tick_timer, on_tick, 0, 0);
    }
}

static void on_status(uv_timer_t *timer)
{
    hf_lead_status(timer->data);
}

static void on_signal(void *context, int number)
{
    hf_lead_end(context, number == SIGHUP ? HF_ROLE_RELOAD : HF_ROLE_STOPPED);
}

static void on_config_changed(void *context)
{
    struct hf_lead *lead = context;
    hf_log(lead->log, HF_LOG_INFO, "config_changed", "path=%s", lead->config->path);
    hf_lead_end(lead, HF_ROLE_RELOAD);
}

static void on_follow(uv_timer_t *timer)
{
    hf_lead_follow(timer->data);
}

/* Mostly our own plan: the enactor that writes it should not share the processors now. */
static void on_store_change(void *context)
{
    struct hf_lead *lead = context;
    if (!uv_is_active((uv_handle_t *)&lead->follow_timer)) {
        uv_timer_start(&lead->follow_timer, on_follow, FOLLOW_LATER_MS, 0);
    }
}

static void on_closed(void *context)
{
    (void)context;
}

static void start_handles(struct hf_lead *lead)
{
    uv_timer_init(&lead->loop, &lead->tick_timer);
    uv_timer_init(&lead->loop, &lead->status_timer);
    uv_timer_init(&lead->loop, &lead->retry_timer);
    uv_timer_init(&lead->loop, &lead->follow_timer);
    lead->tick_timer.data = lead;
    lead->status_timer.data = lead;
    lead->retry_timer.data = lead;
    lead->follow_timer.data = lead;
    uv_timer_start(&lead->status_timer, on_status, STATUS_INTERVAL_MS, STATUS_INTERVAL_MS);
    uv_timer_start(&lead->retry_timer, on_retry, 0, HF_LEAD_RETRY_MS);
    hf_watch_start(&lead->loop, lead->config, true, lead->log, on_config_changed, lead,
                   &lead->watch);
}

static void stop_handles(struct hf_lead *lead)
{
    hf_signals_stop(lead->signals);
    uv_close((uv_handle_t *)&lead->tick_timer, NULL);
    uv_close((uv_handle_t *)&lead->status_timer, NULL);
    uv_close((uv_handle_t *)&lead->retry_timer, NULL);
    uv_close((uv_handle_t *)&lead->follow_timer, NULL);
    hf_watch_stop(lead->watch);
    if (lead->checker != NULL) {
        hf_checker_close(lead->checker, on_closed, NULL);
    }
    hf_store_async_stop(lead->store, on_closed, NULL);
    uv_run(&lead->loop, UV_RUN_DEFAULT);
}

static struct hf_lead *lead_new(const struct hf_config *config, const char *name,
                                struct hf_log *log)
{
    struct hf_lead *lead = calloc(1, sizeof(*lead));
    struct hf_lead_backend *backends = calloc(config->backend_count + 1U, sizeof(*backends));
    if (lead == NULL || backends == NULL) {
        abort();
    }
    lead->config = config;
    lead->name = name;
    lead->log = log;
    lead->backends = backends;
    lead->started_ms = hf_wallclock_ms();
    for (uint32_t i = 0; i < config->backend_count; i++) {
        hf_health_init(&backends[i].health);
        hf_lead_address_text(&config->backends[i], backends[i].addresses);
    }
    hf_plan_init(&lead->plan);
    hf_overrides_init(&lead->overrides);
    return lead;
}

int hf_lead_run(const struct hf_config *config, const char *name, struct hf_log *log,
                enum hf_role_end *ret_end)
{
    struct hf_lead *lead = lead_new(config, name, log);
    uv_loop_init(&lead->loop);
    int error = hf_signals_start(&lead->loop, on_signal, lead, &lead->signals);
    if (error == HF_OK) {
        error = hf_store_async_start(&lead->loop, config->store_path, true, log, on_store_change,
                                     lead, &lead->store);
    }
    if (error == HF_OK) {
        hf_log(log, HF_LOG_INFO, "planner_started", "endpoints=%u backends=%u",
               config->endpoint_count, config->backend_count);
        start_handles(lead);
        error = hf_lead_checks_start(lead);
        if (error == HF_OK) {
            uv_run(&lead->loop, UV_RUN_DEFAULT);
        }
        *ret_end = lead->end;
        lead->stopping = true;
        stop_handles(lead);
        (void)uv_loop_close(&lead->loop);
        hf_log(log, HF_LOG_INFO, "planner_stopped_clean", "published=%llu",
               (unsigned long long)lead->published_count);
    }
    hf_planning_free(lead->planning);
    hf_plan_release(&lead->plan);
    hf_overrides_release(&lead->overrides);
    free(lead->backends);
    free(lead);
    return error;
}
