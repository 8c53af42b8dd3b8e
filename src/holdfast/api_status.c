/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes of what the view holds as a whole: status, targets, enactors, backends, writes. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/json_in.h"
#include "holdfast/api.h"

#define TEXT_QUERY "format width colour fresh"
enum { COMMAND_MAX = 16 * 1024 };

/* As one word of a shell. */
static void put_word(struct hf_buf *line, const char *word)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-./:_+@%,";
    if (word[strspn(word, plain)] == 0) {
        hf_buf_put_text(line, word);
        return;
    }
    hf_buf_put_u8(line, '\'');
    for (const char *at = word; *at != 0; at++) {
        if (*at == '\'') {
            hf_buf_put_text(line, "'\\''");
        } else {
            hf_buf_put_u8(line, (uint8_t)*at);
        }
    }
    hf_buf_put_u8(line, '\'');
}

/* What commands of this installation begin with on this machine, in whatever folder. */
static void put_command(const struct hf_api *api, struct hf_json *json)
{
    char program[PATH_MAX];
    char config[PATH_MAX];
    struct hf_buf line;
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[size > 0 ? size : 0] = 0;
    char *gone = strstr(program, " (deleted)"); /* a newer one lies there */
    if (gone != NULL) {
        *gone = 0;
    }
    bool is_installed = size <= 0 || strncmp(program, "/usr/", 5) == 0;
    hf_buf_init(&line, COMMAND_MAX);
    put_word(&line, is_installed ? "holdfast" : program);
    hf_buf_put_text(&line, " -c ");
    put_word(&line, realpath(api->config->path, config) != NULL ? config : api->config->path);
    hf_json_put_text(json, "command",
                     hf_buf_error(&line) == HF_OK ? hf_buf_text(&line) : "holdfast");
    hf_buf_release(&line);
}

static void me(struct hf_api_call *call)
{
    struct hf_json *json = &call->json;
    hf_json_object(json);
    hf_json_put_text(json, "who", call->request->who);
    hf_json_put_text(json, "role", call->request->role == HF_SERVE_OPERATOR ? "operator" : "read");
    put_command(call->api, json);
    hf_json_object_end(json);
}

static void status(struct hf_api_call *call)
{
    struct hf_api *api = call->api;
    struct hf_api_text text;
    if (!hf_api_one_of(call, "detail", "short full")) {
        return;
    }
    if (hf_api_text_begin(call, &text)) {
        api->look->invocation = &text.invocation;
        hf_status_show(&api->status);
        api->look->invocation = api->invocation;
        hf_api_text_end(call, &text);
        return;
    }
    bool is_full = hf_api_is(call, "detail", "full");
    hf_look_json_head(api->look, &call->json);
    hf_status_put_json(&api->status, is_full ? HF_REPORT_NAMES_MAX : HF_API_NAMES_SHOWN, is_full,
                       &call->json);
    hf_json_object_end(&call->json);
}

/* --- targets --- */

/* Worse ones are greater. */
static int badness(const char *state)
{
    static const char *const states[] = {"open", "starting", "frozen", "unreachable", "refused"};
    int at = 0;
    for (int i = 0; i < 5; i++) {
        at = strcmp(states[i], state) == 0 ? i : at;
    }
    return at;
}

static bool is_frozen(const struct hf_look *look, const char *zone)
{
    return hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*") != NULL ||
           hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, zone) != NULL;
}

static void put_zone(const struct hf_look *look, const char *name, struct hf_json *json)
{
    const struct hf_report_zone *best = hf_status_zone(look, name);
    const struct hf_report_zone none = {.state = "starting", .why = ""};
    const struct hf_report_zone *zone = best != NULL ? best : &none;
    hf_json_object(json);
    hf_json_put_text(json, "zone", name);
    hf_json_put_text(json, "state", zone->state);
    hf_json_put_text(json, "why", zone->why);
    hf_json_put_bool(json, "frozen", is_frozen(look, name) || strcmp(zone->state, "frozen") == 0);
    hf_json_put_u64(json, "endpoints", zone->endpoints);
    hf_json_put_u64(json, "in_step", zone->in_step);
    hf_json_put_u64(json, "behind", zone->behind);
    hf_json_put_number(json, "plan_generation", zone->plan_gen);
    hf_json_put_u64(json, "latency_ms", zone->latency_ms);
    hf_json_key(json, "enactors");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *row = hf_look_zone(report, name);
        if (row == NULL) {
            continue;
        }
        hf_json_object(json);
        hf_json_put_text(json, "name", report->enactor);
        hf_json_put_bool(json, "alive", hf_look_is_alive(look, report->at_ms));
        hf_json_put_text(json, "state", row->state);
        hf_json_put_number(json, "plan_generation", row->plan_gen);
        hf_json_put_u64(json, "behind", row->behind);
        hf_json_put_u64(json, "latency_ms", row->latency_ms);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

static void put_target(const struct hf_look *look, uint32_t number, struct hf_json *json)
{
    const struct hf_config *config = look->config;
    const struct hf_config_target *target = &config->targets[number];
    const char *worst = "open";
    hf_json_object(json);
    hf_json_put_text(json, "name", target->name);
    hf_json_put_text(json, "type", target->type == HF_TARGET_KNOT ? "knot" : "rfc2136");
    hf_json_put_text(json, "host", target->host);
    hf_json_put_u64(json, "port", target->port);
    hf_json_key(json, "zones");
    hf_json_array(json);
    for (uint32_t i = 0; i < config->zone_count; i++) {
        if (config->zones[i].target != number) {
            continue;
        }
        const struct hf_report_zone *zone = hf_status_zone(look, config->zones[i].name);
        const char *state = zone != NULL ? zone->state : "starting";
        worst = badness(state) > badness(worst) ? state : worst;
        put_zone(look, config->zones[i].name, json);
    }
    hf_json_array_end(json);
    hf_json_put_text(json, "state", worst);
    hf_json_object_end(json);
}

static void targets(struct hf_api_call *call)
{
    const struct hf_look *look = call->api->look;
    struct hf_json *json = &call->json;
    hf_look_json_head(look, json);
    hf_json_key(json, "targets");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->config->target_count; i++) {
        put_target(look, i, json);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

/* --- enactors and their writes --- */

static void enactors(struct hf_api_call *call)
{
    const struct hf_api *api = call->api;
    const struct hf_look *look = api->look;
    struct hf_json *json = &call->json;
    hf_look_json_head(look, json);
    hf_json_put_number(json, "head_generation", look->plan.head.gen);
    hf_json_key(json, "enactors");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->reports.count; i++) {
        struct hf_api_lag lag;
        hf_api_lag(look, &api->heads, &look->reports.rows[i], &lag);
        hf_json_object(json);
        hf_api_lag_put_json(&lag, json);
        hf_status_put_enactor(look, &look->reports.rows[i], HF_API_NAMES_SHOWN, json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

static int compare_writes(const void *a, const void *b)
{
    const struct hf_api_write *const *one = a;
    const struct hf_api_write *const *other = b;
    return (*one)->at_ms > (*other)->at_ms ? -1 : (*one)->at_ms < (*other)->at_ms;
}

/* Those that are wanted, latest first: enactors tell theirs each in its own time. To be freed. */
static const struct hf_api_write **find_writes(struct hf_api_call *call, const char *endpoint,
                                               uint64_t *ret_count)
{
    const struct hf_api_writes *writes = call->api->writes;
    const char *kind = hf_api_value(call, "kind");
    const char *enactor = hf_api_value(call, "enactor");
    uint64_t kept = writes->count < HF_API_WRITES_MAX ? writes->count : HF_API_WRITES_MAX;
    uint64_t count = 0;
    const struct hf_api_write **found = calloc(kept + 1, sizeof(const struct hf_api_write *));
    if (found == NULL) {
        abort();
    }
    for (uint64_t i = 0; i < kept; i++) {
        const struct hf_api_write *row = &writes->rows[i];
        bool is_wanted = (endpoint == NULL || strcmp(endpoint, row->endpoint) == 0) &&
                         (kind == NULL || strcmp(kind, hf_write_kind_name(row->kind)) == 0) &&
                         (enactor == NULL || strcmp(enactor, row->enactor) == 0);
        if (is_wanted) {
            found[count++] = row;
        }
    }
    qsort(found, count, sizeof(const struct hf_api_write *), compare_writes);
    *ret_count = count;
    return found;
}

/* Of all, or of one endpoint. */
static void put_writes(struct hf_api_call *call, const char *endpoint, uint64_t limit)
{
    struct hf_json *json = &call->json;
    uint64_t count;
    const struct hf_api_write **found = find_writes(call, endpoint, &count);
    hf_look_json_head(call->api->look, json);
    hf_json_key(json, "writes");
    hf_json_array(json);
    for (uint64_t i = 0; i < count && i < limit; i++) {
        hf_api_write_put_json(found[i], json);
    }
    hf_json_array_end(json);
    hf_json_put_u64(json, "since_ms", call->api->writes->since_ms);
    hf_json_object_end(json);
    free(found);
}

static void writes(struct hf_api_call *call)
{
    uint64_t limit;
    if (hf_api_one_of(call, "kind", "written healed unknown lost-race stale refused") &&
        hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        put_writes(call, NULL, limit);
    }
}

static void endpoint_writes(struct hf_api_call *call)
{
    uint64_t limit;
    uint8_t owner[HF_NAME_MAX];
    char name[HF_NAME_TEXT_MAX];
    if (hf_api_owner(call, owner) &&
        hf_api_number(call, "limit", 1, HF_API_LIMIT_MAX, HF_API_LIMIT, &limit)) {
        hf_name_text(owner, name);
        put_writes(call, name, limit);
    }
}

const struct hf_api_route hf_api_routes_status[] = {
    {"GET", "/api/v1/me", "", me, true},
    {"GET", "/api/v1/status", "detail " TEXT_QUERY, status, false},
    {"GET", "/api/v1/targets", "", targets, false},
    {"GET", "/api/v1/enactors", "", enactors, false},
    {"GET", "/api/v1/writes", "kind enactor limit", writes, false},
    {"GET", "/api/v1/endpoints/{}/writes", "limit", endpoint_writes, false},
    {0},
};
