/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests: which route, which parameters, which error. */
#include "holdfast/api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"

enum { SAID_MAX = 4096 };

/* --- answers --- */

void hf_api_fail_begin(struct hf_api_call *call, uint16_t status, const char *code,
                       const char *text)
{
    struct hf_serve_answer *answer = call->answer;
    struct hf_json *json = &call->json;
    hf_buf_clear(&answer->body);
    answer->status = status;
    answer->content_type = NULL;
    answer->etag[0] = 0;
    hf_json_init(json, &answer->body, HF_JSON_COMPACT);
    hf_json_object(json);
    hf_json_key(json, "error");
    hf_json_object(json);
    hf_json_put_text(json, "code", code);
    hf_json_put_text(json, "text", text);
}

void hf_api_fail_end(struct hf_api_call *call)
{
    hf_json_object_end(&call->json);
    hf_json_object_end(&call->json);
}

void hf_api_fail(struct hf_api_call *call, uint16_t status, const char *code, const char *format,
                 ...)
{
    char text[SAID_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    hf_api_fail_begin(call, status, code, text);
    hf_api_fail_end(call);
}

void hf_api_put_next(struct hf_api_call *call, const char *next)
{
    hf_json_put_text(&call->json, "next", next);
}

/* --- parameters --- */

const char *hf_api_value(const struct hf_api_call *call, const char *name)
{
    const struct hf_serve_request *request = call->request;
    for (uint32_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].name, name) == 0) {
            return request->query[i].value;
        }
    }
    return NULL;
}

bool hf_api_is(const struct hf_api_call *call, const char *name, const char *value)
{
    const char *given = hf_api_value(call, name);
    return given != NULL && strcmp(given, value) == 0;
}

bool hf_api_is_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; size > 0 && at != NULL && *at != 0;) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, word, size) == 0) {
            return true;
        }
        at += length + (at[length] == ' ');
    }
    return false;
}

bool hf_api_one_of(struct hf_api_call *call, const char *name, const char *words)
{
    const char *given = hf_api_value(call, name);
    if (given == NULL || hf_api_is_word(words, given)) {
        return true;
    }
    hf_api_fail(call, 400, "bad-request", "%s: found %s, expected one of %s", name, given, words);
    return false;
}

bool hf_api_number(struct hf_api_call *call, const char *name, uint64_t low, uint64_t high,
                   uint64_t other, uint64_t *ret_number)
{
    const char *given = hf_api_value(call, name);
    *ret_number = other;
    if (given == NULL) {
        return true;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(given, &end, 10);
    bool is_digits = given[0] != 0 && strspn(given, "0123456789") == strlen(given);
    if (!is_digits || errno != 0 || number < low || number > high) {
        hf_api_fail(call, 400, "bad-request", "%s: found %s, expected a number %llu to %llu", name,
                    given, (unsigned long long)low, (unsigned long long)high);
        return false;
    }
    *ret_number = number;
    return true;
}

bool hf_api_owner(struct hf_api_call *call, uint8_t ret_owner[HF_NAME_MAX])
{
    if (hf_name_parse(call->parts[0], ret_owner) == HF_OK) {
        return true;
    }
    hf_api_fail(call, 400, "bad-request", "found %s, expected a domain name", call->parts[0]);
    return false;
}

/* --- texts for people --- */

bool hf_api_text_begin(struct hf_api_call *call, struct hf_api_text *text)
{
    uint64_t width;
    if (!hf_api_is(call, "format", "text") || !hf_api_number(call, "width", 20, 1000, 80, &width)) {
        return false;
    }
    *text = (struct hf_api_text){.invocation = *call->api->invocation};
    FILE *stream = open_memstream(&text->bytes, &text->size);
    if (stream == NULL) {
        abort();
    }
    text->invocation.out = (struct hf_term){
        .stream = stream, .colour = hf_api_is(call, "colour", "yes"), .width = (unsigned)width};
    text->invocation.err = text->invocation.out;
    return true;
}

void hf_api_text_end(struct hf_api_call *call, struct hf_api_text *text)
{
    (void)fclose(text->invocation.out.stream);
    hf_buf_clear(&call->answer->body);
    hf_buf_put(&call->answer->body, text->bytes, text->size);
    call->answer->content_type = "text/plain; charset=utf-8";
    free(text->bytes);
}

/* --- routes --- */

/* A path against a pattern; each {} takes all up to what follows it in the pattern. */
static bool matches(const char *pattern, const char *path, struct hf_api_call *call)
{
    for (int part = 0;; part++) {
        const char *hole = strstr(pattern, "{}");
        if (hole == NULL) {
            return strcmp(pattern, path) == 0;
        }
        size_t before = (size_t)(hole - pattern);
        if (part == HF_API_PARTS_MAX || strncmp(pattern, path, before) != 0) {
            return false;
        }
        path += before;
        pattern = hole + 2;
        /* A name may hold slashes: what follows must be the end of the path. */
        size_t left = strlen(path);
        size_t after = strlen(pattern);
        if (left <= after || left - after >= HF_API_PART_MAX ||
            strcmp(path + left - after, pattern) != 0) {
            return false;
        }
        memcpy(call->parts[part], path, left - after);
        call->parts[part][left - after] = 0;
        path += left - after;
    }
}

static const struct hf_api_route *find(struct hf_api_call *call, bool *ret_other_method)
{
    const struct hf_api_route *const tables[] = {hf_api_routes_status,    hf_api_routes_backends,
                                                 hf_api_routes_endpoints, hf_api_routes_explain,
                                                 hf_api_routes_plans,     hf_api_routes_acts,
                                                 hf_api_routes_machines,  hf_api_routes_incidents};
    const struct hf_serve_request *request = call->request;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct hf_api_route *route = tables[i]; route->path != NULL; route++) {
            if (!matches(route->path, request->path, call)) {
                continue;
            }
            if (strcmp(route->method, request->method) == 0) {
                return route;
            }
            *ret_other_method = true;
        }
    }
    return NULL;
}

static bool check_query(struct hf_api_call *call, const struct hf_api_route *route)
{
    const struct hf_serve_request *request = call->request;
    for (uint32_t i = 0; i < request->query_count; i++) {
        const char *name = request->query[i].name;
        if (!hf_api_is_word(route->query, name)) {
            hf_api_fail(call, 400, "bad-request", "there is no parameter %s here, but %s", name,
                        route->query[0] != 0 ? route->query : "none");
            return false;
        }
    }
    return hf_api_one_of(call, "format", "json pretty text") &&
           hf_api_one_of(call, "fresh", "yes no") && hf_api_one_of(call, "colour", "yes no");
}

static void run(struct hf_api_call *call, const struct hf_api_route *route)
{
    struct hf_api *api = call->api;
    if (route->is_alone) {
        route->run(call);
        return;
    }
    uv_mutex_lock(&api->lock);
    hf_api_refresh(api, hf_api_is(call, "fresh", "yes") ? 0 : HF_API_FRESH_MS);
    (void)snprintf(call->answer->etag, sizeof(call->answer->etag), "\"%llu-%llx-%llu\"",
                   (unsigned long long)api->look->plan.head.gen,
                   (unsigned long long)api->started_ms, (unsigned long long)api->version);
    route->run(call);
    uv_mutex_unlock(&api->lock);
}

void hf_api_handle(void *context, const struct hf_serve_request *request,
                   struct hf_serve_answer *ret_answer)
{
    struct hf_api_call call = {.api = context, .request = request, .answer = ret_answer};
    bool other_method = false;
    const struct hf_api_route *route = find(&call, &other_method);
    if (route == NULL) {
        hf_api_fail(&call, other_method ? 405 : 404, other_method ? "method" : "not-found",
                    "there is no %s %s", request->method, request->path);
        return;
    }
    hf_json_init(&call.json, &ret_answer->body,
                 hf_api_is(&call, "format", "pretty") ? HF_JSON_PRETTY : HF_JSON_COMPACT);
    if (!check_query(&call, route)) {
        return;
    }
    if (strcmp(route->method, "POST") == 0 && request->role != HF_SERVE_OPERATOR) {
        hf_api_fail(&call, 403, "forbidden", "%s may read, and not change anything", request->who);
        return;
    }
    run(&call, route);
    if (hf_json_error(&call.json) != HF_OK) {
        hf_api_fail(&call, 500, "failed", "the answer would be too large; ask for less of it");
    }
}
