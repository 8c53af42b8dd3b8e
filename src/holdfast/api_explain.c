/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One endpoint: what explain and history say. A DNS server is asked before anything is locked, and
 * the planner's code runs on a plan image of its own: nobody else waits for either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/api.h"
#include "holdfast/history.h"

#define TEXT_QUERY "format width colour fresh"
enum { NEAREST_SHOWN = 3 };

static void fail_unknown(struct hf_api_call *call, const struct hf_explain *explain)
{
    const struct hf_config *config = explain->look->config;
    uint32_t nearest[NEAREST_SHOWN];
    uint32_t count = hf_explain_nearest(config, explain->name, nearest, NEAREST_SHOWN);
    struct hf_json *json = &call->json;
    char text[HF_EXPLAIN_TEXT_MAX + HF_NAME_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s is neither in the configuration nor in the plan",
                   explain->name);
    hf_api_fail_begin(call, 404, "not-found", text);
    hf_json_key(json, "nearest");
    hf_json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        hf_name_text(config->endpoints[nearest[i]].owner, text);
        hf_json_text(json, text);
    }
    hf_json_array_end(json);
    hf_api_fail_end(call);
}

/* Fills explain->server; of the look only the configuration is used. */
static void ask(struct hf_api_call *call, struct hf_explain *explain)
{
    struct hf_look asking = {.config = call->api->config};
    explain->look = &asking;
    explain->zone = hf_config_zone_of(call->api->config, explain->owner);
    if (hf_api_is(call, "ask", "no")) {
        (void)snprintf(explain->server.why, sizeof(explain->server.why), "nobody wanted it asked");
    } else {
        hf_explain_ask(explain, HF_API_ASK_MS);
    }
    explain->look = NULL;
}

static void put(struct hf_api_call *call, struct hf_explain *explain)
{
    struct hf_look *look = explain->look;
    struct hf_api_text text;
    hf_explain_step(explain);
    if (hf_api_text_begin(call, &text)) {
        look->invocation = &text.invocation;
        hf_explain_show(explain);
        look->invocation = call->api->invocation;
        hf_api_text_end(call, &text);
        return;
    }
    hf_look_json_head(look, &call->json);
    hf_explain_put_json(explain, &call->json);
    hf_json_object_end(&call->json);
}

/* For those who ask next. */
static void keep_planning(struct hf_api_slow *slow, struct hf_explain *explain)
{
    if (slow->planning != explain->planning) {
        slow->planning = explain->planning;
        slow->planned_ms = slow->used_ms;
    }
    explain->planning = NULL;
}

static void endpoint(struct hf_api_call *call)
{
    struct hf_api *api = call->api;
    struct hf_explain *explain = calloc(1, sizeof(*explain));
    if (explain == NULL) {
        abort();
    }
    if (!hf_api_one_of(call, "ask", "yes no") || !hf_api_owner(call, explain->owner)) {
        free(explain);
        return;
    }
    ask(call, explain);
    explain->look = hf_api_slow_take(api);
    explain->planning = api->slow.planning;
    if (hf_explain_locate(explain)) {
        put(call, explain);
    } else {
        fail_unknown(call, explain);
    }
    keep_planning(&api->slow, explain);
    hf_api_slow_give(api);
    free(explain);
}

static void put_history(struct hf_api_call *call, const struct hf_look *look, const uint8_t *owner,
                        uint32_t limit)
{
    struct hf_history history;
    struct hf_api_text text;
    int error = look->store != NULL ? hf_history_load(look, owner, 0, limit, &history) : HF_ENOENT;
    if (error != HF_OK) {
        hf_api_fail(call, 503, "store", "%s",
                    look->store != NULL ? hf_store_why(look->store) : look->problems[0].why);
        return;
    }
    if (history.change_count == 0 && hf_api_is(call, "format", "text")) {
        hf_api_fail(call, 404, "not-found", "%s is in no plan that is kept", history.name);
    } else if (hf_api_text_begin(call, &text)) {
        hf_history_show(look, &text.invocation.out, &history);
        hf_api_text_end(call, &text);
    } else {
        hf_look_json_head(look, &call->json);
        hf_history_put_json(&history, &call->json);
        hf_json_object_end(&call->json);
    }
    hf_history_release(&history);
}

static void endpoint_history(struct hf_api_call *call)
{
    struct hf_api *api = call->api;
    uint64_t limit;
    uint8_t owner[HF_NAME_MAX];
    if (!hf_api_owner(call, owner) ||
        !hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        return;
    }
    put_history(call, hf_api_slow_take(api), owner, (uint32_t)limit);
    hf_api_slow_give(api);
}

const struct hf_api_route hf_api_routes_explain[] = {
    {"GET", "/api/v1/endpoints/{}/history", "limit " TEXT_QUERY, endpoint_history, true},
    {"GET", "/api/v1/endpoints/{}", "ask " TEXT_QUERY, endpoint, true},
    {0},
};
