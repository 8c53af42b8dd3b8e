/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/index.h"
#include "holdfast/api.h"
#include "io/wallclock.h"

enum { NS_IN_MS = 1000000 };

static uint64_t loop_ms(void)
{
    return uv_hrtime() / NS_IN_MS;
}

/* What is told differently as time goes by although nothing was written. */
static uint64_t facts_of(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    uint64_t hash = hf_look_janitor_is_alive(look);
    hash = hash * 2 + hf_look_is_alive(look, look->planner.at_ms);
    for (uint32_t i = 0; i < look->reports.count; i++) {
        hash = hash * 2 + hf_look_is_alive(look, look->reports.rows[i].at_ms);
    }
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        const char *subject = alert->subject != NULL ? alert->subject : "";
        uint64_t parts[] = {hash, (uint64_t)alert->severity,
                            hf_hash64(alert->code, strlen(alert->code)),
                            hf_hash64(subject, strlen(subject))};
        hash = hf_hash64(parts, sizeof(parts));
    }
    return hash;
}

static void note_read(struct hf_api *api)
{
    const struct hf_look *look = api->look;
    if (look->store != NULL && strcmp(look->store_state, "open") == 0) {
        api->read_ms = look->now_ms;
        api->read_why[0] = 0;
        return;
    }
    (void)snprintf(api->read_why, sizeof(api->read_why), "%s",
                   look->problem_count > 0 ? look->problems[0].why : look->store_state);
}

void hf_api_refresh(struct hf_api *api, uint64_t age_ms)
{
    if (age_ms > 0 && api->loop_ms != 0 && loop_ms() - api->loop_ms < age_ms) {
        return;
    }
    uint32_t news = hf_look_refresh(api->look);
    note_read(api);
    struct hf_status_counts counts = api->status.counts;
    hf_status_release(&api->status);
    api->status = (struct hf_status){.look = api->look, .counts = counts};
    hf_status_alerts(&api->status);
    hf_incidents_mark(&api->incidents->kept.log, &api->status);
    uint64_t facts = facts_of(&api->status);
    bool is_first = api->version == 0;
    if (is_first || news != 0 || facts != api->facts) {
        api->version++;
        api->facts = facts;
        api->status.counts = (struct hf_status_counts){0};
        hf_status_count(&api->status);
    }
    if (is_first || (news & HF_LOOK_PLAN) != 0) {
        hf_api_names_refresh(&api->names, api->look);
        hf_api_heads_refresh(&api->heads, &api->look->plan.head);
    }
    if ((news & HF_LOOK_REPORTS) != 0) {
        hf_api_writes_refresh(api->writes, api->look);
    }
    hf_api_events_note(api, news);
    api->loop_ms = loop_ms();
}

void hf_api_stale(struct hf_api *api)
{
    uv_mutex_lock(&api->lock);
    api->loop_ms = 0;
    uv_mutex_unlock(&api->lock);
}

void hf_api_turn(struct hf_api *api)
{
    uv_mutex_lock(&api->lock);
    hf_api_refresh(api, HF_API_FRESH_MS);
    hf_api_incidents_observe(api);
    hf_api_notify(api);
    uv_mutex_unlock(&api->lock);
    hf_api_incidents_page(api);
    hf_api_slow_forget(api);
}

void hf_api_init(struct hf_api *api, const struct hf_invocation *invocation,
                 const struct hf_config *config)
{
    *api = (struct hf_api){.invocation = invocation, .config = config};
    api->started_ms = hf_wallclock_ms();
    api->look = hf_look_new(invocation, config);
    hf_api_slow_init(&api->slow, invocation, config);
    api->writes = calloc(1, sizeof(*api->writes));
    if (api->writes == NULL || uv_mutex_init(&api->lock) != 0 ||
        uv_mutex_init(&api->act_lock) != 0) {
        abort();
    }
    api->status.look = api->look;
    api->incidents = hf_api_incidents_new();
    api->writes->since_ms = api->started_ms;
}

void hf_api_release(struct hf_api *api)
{
    hf_api_events_release(&api->events);
    hf_api_names_release(&api->names);
    hf_api_writes_release(api->writes);
    free(api->writes);
    hf_status_release(&api->status);
    hf_api_incidents_free(api->incidents);
    hf_look_close(api->look);
    hf_api_slow_release(&api->slow);
    uv_mutex_destroy(&api->lock);
    uv_mutex_destroy(&api->act_lock);
}
