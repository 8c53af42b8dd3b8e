/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events: what is other than it was told last. A turn brings at most one event of each name, and
 * one for each enactor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/index.h"
#include "codec/json_in.h"
#include "holdfast/api.h"

enum { EVENT_BYTES_MAX = 48 * 1024, WRITES_SHOWN = 20, NS_IN_MS = 1000000 };

/* One being written. */
struct event {
    struct hf_buf buf;
    struct hf_json json;
};

static void begin(struct event *event)
{
    hf_buf_init(&event->buf, EVENT_BYTES_MAX);
    hf_json_init(&event->json, &event->buf, HF_JSON_COMPACT);
    hf_json_object(&event->json);
}

static void drop_all(struct hf_api_events *events)
{
    for (uint32_t i = 0; i < events->count; i++) {
        free(events->rows[i].json);
    }
    events->count = 0;
}

static void put(struct hf_api_events *events, const char *name, const char *json)
{
    char *copy = strdup(json);
    if (copy == NULL) {
        abort();
    }
    events->rows[events->count++] = (struct hf_api_event){.name = name, .json = copy};
}

static void end(struct hf_api_events *events, const char *name, struct event *event)
{
    hf_json_object_end(&event->json);
    if (hf_json_error(&event->json) != HF_OK || events->count == HF_API_EVENTS_MAX) {
        drop_all(events); /* nobody takes them: who listens then must read everything anew */
        put(events, "reset", "{}");
    } else {
        put(events, name, hf_buf_text(&event->buf));
    }
    hf_buf_release(&event->buf);
}

/* --- what there is to tell --- */

static void tell_head(struct hf_api *api)
{
    struct hf_api_events *events = &api->events;
    const struct hf_plan_head *head = &api->look->plan.head;
    bool is_news = events->head_gen != head->gen;
    events->head_gen = head->gen;
    if (!is_news || !events->is_begun) {
        return;
    }
    struct event event;
    begin(&event);
    hf_json_put_number(&event.json, "generation", head->gen);
    hf_json_put_u64(&event.json, "created_ms", head->created_ms);
    hf_json_put_text(&event.json, "planner", head->planner);
    end(events, "head", &event);
}

static uint8_t verdict_of(const struct hf_look *look, uint32_t backend)
{
    const struct hf_backend_status *row =
        hf_look_backend(look, look->config->backends[backend].name);
    return (uint8_t)(row == NULL ? HF_VERDICT_UNKNOWN : row->verdict | (row->drained ? 16 : 0));
}

static void tell_verdicts(struct hf_api *api)
{
    struct hf_api_events *events = &api->events;
    const struct hf_look *look = api->look;
    uint32_t count = 0;
    struct event event;
    if (events->verdicts == NULL) {
        events->verdicts = calloc(look->config->backend_count + 1U, sizeof(*events->verdicts));
        if (events->verdicts == NULL) {
            abort();
        }
    }
    begin(&event);
    hf_json_put_u64(&event.json, "at_ms", look->backends_at_ms);
    hf_json_put_u64(&event.json, "up", api->status.counts.up);
    hf_json_put_u64(&event.json, "down", api->status.counts.down);
    hf_json_put_u64(&event.json, "unknown", api->status.counts.unknown);
    hf_json_key(&event.json, "changed");
    hf_json_array(&event.json);
    for (uint32_t i = 0; i < look->config->backend_count; i++) {
        uint8_t verdict = verdict_of(look, i);
        if (verdict == events->verdicts[i]) {
            continue;
        }
        events->verdicts[i] = verdict;
        if (count++ < HF_API_EVENT_ROWS_MAX) {
            hf_status_put_backend(look, i, &event.json);
        }
    }
    hf_json_array_end(&event.json);
    hf_json_put_u64(&event.json, "count", count);
    if (count > 0 && events->is_begun) {
        end(events, "verdicts", &event);
    } else {
        hf_buf_release(&event.buf);
    }
}

static struct hf_api_told_enactor *told_of(struct hf_api_events *events, const char *name)
{
    for (uint32_t i = 0; i < events->enactor_count; i++) {
        if (strcmp(events->enactors[i].name, name) == 0) {
            return &events->enactors[i];
        }
    }
    uint32_t at = events->enactor_count < HF_REPORTS_MAX ? events->enactor_count++ : 0;
    struct hf_api_told_enactor *told = &events->enactors[at];
    *told = (struct hf_api_told_enactor){0};
    (void)snprintf(told->name, sizeof(told->name), "%s", name);
    return told;
}

static void tell_enactor(struct hf_api *api, const struct hf_report *report)
{
    struct hf_api_events *events = &api->events;
    struct hf_api_told_enactor *told = told_of(events, report->enactor);
    struct hf_api_lag lag;
    hf_api_lag(api->look, &api->heads, report, &lag);
    bool is_alive = hf_look_is_alive(api->look, report->at_ms);
    uint64_t facts[] = {lag.plan_gen, lag.behind, lag.generations, is_alive,
                        hf_hash64(report->trouble, strlen(report->trouble))};
    uint64_t hash = hf_hash64(facts, sizeof(facts));
    bool is_news = hash != told->hash;
    told->hash = hash;
    if (!is_news || !events->is_begun) {
        return;
    }
    struct event event;
    begin(&event);
    hf_json_put_text(&event.json, "name", report->enactor);
    hf_json_put_bool(&event.json, "alive", is_alive);
    hf_api_lag_put_json(&lag, &event.json);
    hf_json_put_text(&event.json, "trouble", report->trouble);
    end(events, "enactor", &event);
}

static void tell_words(struct hf_api *api)
{
    struct hf_api_events *events = &api->events;
    const struct hf_overrides *overrides = &api->look->overrides;
    bool is_news = events->words_revision != overrides->revision;
    events->words_revision = overrides->revision;
    if (!is_news || !events->is_begun) {
        return;
    }
    char basis[HF_LOOK_BASIS_MAX];
    struct event event;
    hf_look_basis(api->look, 0, 0, basis);
    begin(&event);
    hf_json_put_text(&event.json, "basis", basis);
    hf_json_put_u64(&event.json, "count", overrides->count);
    end(events, "words", &event);
}

static void tell_alerts(struct hf_api *api)
{
    struct hf_api_events *events = &api->events;
    const struct hf_status *status = &api->status;
    bool is_news = events->alerts_hash != api->facts;
    events->alerts_hash = api->facts;
    if (!is_news || !events->is_begun) {
        return;
    }
    uint32_t counts[HF_SEVERITY_NOTICE + 1] = {0};
    for (uint32_t i = 0; i < status->alert_count; i++) {
        counts[status->alerts[i].severity]++;
    }
    struct event event;
    begin(&event);
    hf_json_put_bool(&event.json, "well", hf_status_urgent(status) == 0);
    hf_json_put_u64(&event.json, "count", status->alert_count + status->alerts_dropped);
    hf_json_put_u64(&event.json, "critical", counts[HF_SEVERITY_CRITICAL]);
    hf_json_put_u64(&event.json, "warning", counts[HF_SEVERITY_WARNING]);
    end(events, "alerts", &event);
}

static void tell_writes(struct hf_api *api)
{
    struct hf_api_writes *writes = api->writes;
    uint64_t count = writes->count - writes->told;
    writes->told = writes->count;
    if (count == 0 || !api->events.is_begun) {
        return;
    }
    struct event event;
    begin(&event);
    hf_json_put_u64(&event.json, "count", count);
    hf_json_key(&event.json, "writes");
    hf_json_array(&event.json);
    for (uint64_t i = 0; i < count && i < WRITES_SHOWN; i++) {
        hf_api_write_put_json(&writes->rows[(writes->count - 1 - i) % HF_API_WRITES_MAX],
                              &event.json);
    }
    hf_json_array_end(&event.json);
    end(&api->events, "writes", &event);
}

void hf_api_events_incident(struct hf_api *api, const struct hf_incident *incident)
{
    struct event event;
    begin(&event);
    hf_json_put_u64(&event.json, "number", incident->number);
    hf_json_put_text(&event.json, "state", incident->closed_ms == 0 ? "open" : "closed");
    hf_json_put_text(&event.json, "title", incident->title);
    hf_json_put_text(&event.json, "severity", hf_severity_name(incident->severity));
    end(&api->events, "incident", &event);
}

static void tell_beat(struct hf_api *api)
{
    struct hf_api_events *events = &api->events;
    uint64_t now_ms = uv_hrtime() / NS_IN_MS;
    if (events->beat_ms != 0 && now_ms - events->beat_ms < HF_API_BEAT_MS) {
        return;
    }
    events->beat_ms = now_ms;
    struct event event;
    begin(&event);
    hf_look_json_time(&event.json, "now_ms", api->read_ms);
    hf_json_put_bool(&event.json, "ok", api->read_why[0] == 0);
    hf_json_put_u64(&event.json, "version", api->version);
    end(events, "beat", &event);
}

void hf_api_events_note(struct hf_api *api, uint32_t news)
{
    bool is_first = !api->events.is_begun;
    if (is_first || (news & HF_LOOK_PLAN) != 0) {
        tell_head(api);
    }
    if (is_first || (news & HF_LOOK_BACKENDS) != 0) {
        tell_verdicts(api);
    }
    for (uint32_t i = 0; i < api->look->reports.count; i++) {
        tell_enactor(api, &api->look->reports.rows[i]);
    }
    tell_words(api);
    tell_alerts(api);
    tell_writes(api);
    tell_beat(api);
    api->events.is_begun = true;
}

uint32_t hf_api_take_events(struct hf_api *api, struct hf_api_event *ret_events)
{
    struct hf_api_events *events = &api->events;
    uv_mutex_lock(&api->lock);
    uint32_t count = events->count;
    memcpy(ret_events, events->rows, count * sizeof(*ret_events));
    events->count = 0;
    uv_mutex_unlock(&api->lock);
    return count;
}

void hf_api_events_release(struct hf_api_events *events)
{
    drop_all(events);
    free(events->verdicts);
}
