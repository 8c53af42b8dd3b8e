/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents: this process is who observes. Each turn steps the log with what the view shows, tells
 * what came of it, and keeps the status page up to date where the configuration names a folder.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/api.h"
#include "holdfast/statuspage.h"
#include "io/audit.h"
#include "io/wallclock.h"

#define TEXT_QUERY "format width colour fresh"
enum { NUMBER_DIGITS_MAX = 18 };

struct hf_api_incidents *hf_api_incidents_new(void)
{
    struct hf_api_incidents *incidents = calloc(1, sizeof(*incidents));
    if (incidents == NULL) {
        abort();
    }
    hf_incidents_init(&incidents->kept);
    return incidents;
}

void hf_api_incidents_free(struct hf_api_incidents *incidents)
{
    hf_incidents_release(&incidents->kept);
    free(incidents);
}

/* --- turns --- */

static bool was_told(const struct hf_incident_changes *changes, uint32_t row)
{
    uint32_t i = 0;
    while (i < row && changes->rows[i].number != changes->rows[row].number) {
        i++;
    }
    return i < row;
}

void hf_api_incidents_observe(struct hf_api *api)
{
    struct hf_api_incidents *incidents = api->incidents;
    const struct hf_incident_log *log = &incidents->kept.log;
    uint64_t revision = log->revision;
    int error = hf_incidents_observe(&incidents->kept, &api->status, &incidents->changes);
    (void)snprintf(incidents->trouble, sizeof(incidents->trouble), "%s",
                   error == HF_OK ? "" : incidents->kept.why);
    for (uint32_t i = 0; i < incidents->changes.count; i++) {
        const struct hf_incident *incident =
            hf_incident_log_find(log, incidents->changes.rows[i].number);
        if (incident != NULL && !was_told(&incidents->changes, i)) {
            hf_api_events_incident(api, incident);
        }
    }
    if (log->revision != revision) {
        api->version++;
        hf_incidents_mark(log, &api->status);
    }
}

/* A copy of the log, where there is news for the page: writing files takes longer than the view's
 * lock may be held. */
static bool take_news(struct hf_api *api, uint64_t now_ms, struct hf_incident_log *ret_log)
{
    struct hf_api_incidents *incidents = api->incidents;
    const struct hf_incident_log *log = &incidents->kept.log;
    struct hf_buf document;
    bool is_old =
        now_ms < incidents->page_ms || now_ms - incidents->page_ms >= HF_STATUSPAGE_EVERY_MS;
    /* What is not known is not told: the page that is there says how old it is. */
    if (incidents->trouble[0] != 0 || (!is_old && incidents->page_revision == log->revision)) {
        return false;
    }
    hf_buf_init(&document, HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_log_encode(log, &document);
    bool is_copied = hf_buf_error(&document) == HF_OK &&
                     hf_incident_log_decode(document.bytes, document.size, ret_log) == HF_OK;
    hf_buf_release(&document);
    incidents->page_ms = now_ms;
    incidents->page_revision = log->revision;
    return is_copied;
}

void hf_api_incidents_page(struct hf_api *api)
{
    const char *folder = api->config->statuspage.out;
    uint64_t now_ms = hf_wallclock_ms();
    struct hf_incident_log log;
    uv_mutex_lock(&api->lock);
    bool is_news = folder != NULL && take_news(api, now_ms, &log);
    uv_mutex_unlock(&api->lock);
    if (is_news) {
        const struct hf_statuspage page = {.config = api->config, .log = &log, .now_ms = now_ms};
        char *trouble = api->incidents->page_trouble;
        if (hf_statuspage_write(&page, folder, trouble, HF_STORE_WHY_MAX) == HF_OK) {
            trouble[0] = 0;
        }
        hf_incident_log_release(&log);
    }
}

/* --- reading --- */

/* As it is in the store now: others add messages. */
static const struct hf_incident_log *fresh_log(struct hf_api_call *call)
{
    struct hf_api *api = call->api;
    if (api->look->store != NULL) {
        (void)hf_incidents_load(&api->incidents->kept, api->look->store);
    }
    return &api->incidents->kept.log;
}

static bool is_wanted(const struct hf_api_call *call, const struct hf_incident *incident)
{
    return hf_api_value(call, "state") == NULL ||
           hf_api_is(call, "state", incident->closed_ms == 0 ? "open" : "closed");
}

static void incidents(struct hf_api_call *call)
{
    uint64_t limit;
    uint64_t after;
    const struct hf_incident *incident;
    const struct hf_incident_log *log = fresh_log(call);
    struct hf_api_text text;
    char next[24] = "";
    uint64_t last = 0;
    uint32_t told = 0;
    if (!hf_api_one_of(call, "state", "open closed") ||
        !hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit) ||
        !hf_api_number(call, "after", 1, UINT64_MAX, 0, &after)) {
        return;
    }
    bool is_filtered = hf_api_value(call, "state") != NULL || hf_api_value(call, "limit") != NULL ||
                       hf_api_value(call, "after") != NULL;
    if (is_filtered && hf_api_is(call, "format", "text")) {
        hf_api_fail(call, 400, "bad-request", "format=text: all of them, without other parameters");
        return;
    }
    if (hf_api_text_begin(call, &text)) {
        hf_incidents_show(&text.invocation.out, log, call->api->look->now_ms);
        hf_api_text_end(call, &text);
        return;
    }
    hf_look_json_head(call->api->look, &call->json);
    hf_json_key(&call->json, "incidents");
    hf_json_array(&call->json);
    bool is_behind = after == 0;
    for (uint32_t i = 0; (incident = hf_incident_at(log, i)) != NULL; i++) {
        if (is_behind && is_wanted(call, incident)) {
            if (told == limit) {
                (void)snprintf(next, sizeof(next), "%" PRIu64, last);
                break;
            }
            hf_incident_json(&call->json, incident, call->api->look->now_ms, false);
            last = incident->number;
            told++;
        }
        is_behind = is_behind || incident->number == after;
    }
    hf_json_array_end(&call->json);
    hf_api_put_next(call, next[0] != 0 ? next : NULL);
    hf_json_object_end(&call->json);
}

/* The path's number; false after an error. */
static bool read_number(struct hf_api_call *call, uint64_t *ret_number)
{
    const char *text = call->parts[0];
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size > NUMBER_DIGITS_MAX || text[size] != 0) {
        hf_api_fail(call, 404, "not-found", "found %s, expected the number of an incident", text);
        return false;
    }
    *ret_number = strtoull(text, NULL, 10);
    return true;
}

static void put_one(struct hf_api_call *call, const struct hf_look *look,
                    const struct hf_incident *incident)
{
    hf_look_json_head(look, &call->json);
    hf_json_key(&call->json, "incident");
    hf_incident_json(&call->json, incident, look->now_ms, true);
    hf_json_object_end(&call->json);
}

static void one_incident(struct hf_api_call *call)
{
    uint64_t number;
    if (!read_number(call, &number)) {
        return;
    }
    const struct hf_incident *incident = hf_incident_log_find(fresh_log(call), number);
    if (incident == NULL) {
        hf_api_fail(call, 404, "not-found", "there is no incident %" PRIu64, number);
        return;
    }
    struct hf_api_text text;
    if (hf_api_text_begin(call, &text)) {
        hf_incident_show(&text.invocation.out, incident, call->api->look->now_ms);
        hf_api_text_end(call, &text);
        return;
    }
    put_one(call, call->api->look, incident);
}

/* --- messages --- */

/* The store is asked with a log of its own: the view's changes in turns only. */
static void say(struct hf_api_call *call, const struct hf_look *look, uint64_t number,
                const struct hf_incident_message *message)
{
    struct hf_incidents own;
    hf_incidents_init(&own);
    int error =
        look->store == NULL ? HF_ENOENT : hf_incidents_say(&own, look->store, number, message);
    if (error == HF_OK) {
        char subject[24];
        (void)snprintf(subject, sizeof(subject), "%" PRIu64, number);
        (void)hf_audit_append(look->store, &(struct hf_audit_entry){.command = "incident message",
                                                                    .subject = subject,
                                                                    .who = message->who,
                                                                    .why = "",
                                                                    .via = "api",
                                                                    .text = message->text});
        put_one(call, look, hf_incident_log_find(&own.log, number));
    } else if (error == HF_EINVAL || error == HF_ELIMIT) {
        hf_api_fail(call, 400, "bad-request", "text: expected 1 to %d octets, and %d messages",
                    HF_INCIDENT_MESSAGE_BYTES_MAX, HF_INCIDENT_MESSAGES_MAX);
    } else if (error == HF_ENOENT && own.is_loaded) {
        hf_api_fail(call, 404, "not-found", "there is no incident %" PRIu64, number);
    } else {
        hf_api_fail(call, 503, "store", "%s",
                    own.why[0] != 0 ? own.why : "the store cannot be read");
    }
    hf_incidents_release(&own);
}

/* The message in the body; NULL after an error, else to be released with json_decref. */
static json_t *read_message(struct hf_api_call *call, struct hf_incident_message *ret_message)
{
    const struct hf_serve_request *request = call->request;
    json_error_t why;
    json_t *body = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &why);
    const json_t *text = json_object_get(body, "text");
    const json_t *is_public = json_object_get(body, "public");
    size_t members = (text != NULL ? 1U : 0U) + (is_public != NULL ? 1U : 0U);
    if (!json_is_string(text) || json_object_size(body) != members ||
        strlen(json_string_value(text)) != json_string_length(text) ||
        (is_public != NULL && !json_is_boolean(is_public))) {
        hf_api_fail(call, 400, "bad-request", "expected an object with text, and public or not");
        json_decref(body);
        return NULL;
    }
    *ret_message = (struct hf_incident_message){.at_ms = hf_wallclock_ms(),
                                                .who = request->who,
                                                .text = json_string_value(text),
                                                .is_public = json_is_true(is_public)};
    return body;
}

static void add_message(struct hf_api_call *call)
{
    uint64_t number;
    struct hf_incident_message message;
    if (!read_number(call, &number)) {
        return;
    }
    json_t *body = read_message(call, &message);
    if (body == NULL) {
        return;
    }
    say(call, hf_api_slow_take(call->api), number, &message);
    hf_api_slow_give(call->api);
    json_decref(body);
    hf_api_stale(call->api);
}

const struct hf_api_route hf_api_routes_incidents[] = {
    {"GET", "/api/v1/incidents", "state limit after " TEXT_QUERY, incidents, false},
    {"GET", "/api/v1/incidents/{}", TEXT_QUERY, one_incident, false},
    {"POST", "/api/v1/incidents/{}/messages", "", add_message, true},
    {0},
};
