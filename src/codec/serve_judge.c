/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/serve_judge.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "codec/serve_field.h"

struct field {
    const char *name;
    bool may_repeat; /* the first counts */
};

static const struct field fields[HF_SERVE_FIELD_COUNT] = {
    {"Accept-Encoding", true}, {"Authorization", false},  {"Content-Length", false},
    {"Content-Type", false},   {"Host", false},           {"If-Match", false},
    {"If-None-Match", true},   {"Last-Event-ID", false},  {"Origin", false},
    {"Sec-Fetch-Mode", false}, {"Sec-Fetch-Site", false}, {"Transfer-Encoding", false},
};

/* One request in judgement. */
struct trial {
    const struct hf_serve_door *door;
    const struct hf_serve_head *head;
    bool is_post, is_get;
    struct hf_serve_verdict verdict;
};

void hf_serve_head_add(struct hf_serve_head *head, const char *name, const char *value)
{
    for (unsigned i = 0; i < HF_SERVE_FIELD_COUNT; i++) {
        if (strcasecmp(name, fields[i].name) == 0) {
            if (head->values[i] == NULL) {
                head->values[i] = value;
            } else if (!fields[i].may_repeat) {
                head->is_repeated = true;
            }
            return;
        }
    }
}

/* Always false, so that a refusing check can return it. */
static bool refuse(struct trial *trial, uint16_t status, const char *code, const char *text)
{
    trial->verdict = (struct hf_serve_verdict){.status = status, .code = code, .text = text};
    return false;
}

/* False for what is no number; a number above 2^63 stays there. */
static bool read_length(const char *text, uint64_t *ret_length)
{
    uint64_t length = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits; i++) {
        length = length > INT64_MAX / 10 ? INT64_MAX : length * 10 + (uint64_t)(text[i] - '0');
    }
    *ret_length = length;
    return digits > 0 && text[digits] == 0;
}

static bool judge_framing(struct trial *trial)
{
    const char *length_text = trial->head->values[HF_SERVE_CONTENT_LENGTH];
    const char *coding = trial->head->values[HF_SERVE_TRANSFER_CODING];
    uint64_t length = 0;
    if (trial->head->is_repeated) {
        return refuse(trial, 400, "bad-request", "a header field that may stand once stands twice");
    }
    if (length_text != NULL && coding != NULL) {
        return refuse(trial, 400, "bad-request",
                      "a length and a transfer coding exclude each other");
    }
    if (coding != NULL && strcasecmp(coding, "chunked") != 0) {
        return refuse(trial, 400, "bad-request", "the only transfer coding taken is chunked");
    }
    if (length_text != NULL && !read_length(length_text, &length)) {
        return refuse(trial, 400, "bad-request", "the Content-Length is no number");
    }
    if (!trial->is_post && (coding != NULL || length > 0)) {
        return refuse(trial, 400, "bad-request", "this method takes no body");
    }
    if (length > trial->door->body_max) {
        return refuse(trial, 413, "too-large", "the body is longer than this server takes");
    }
    return true;
}

static bool is_our_name(const struct hf_serve_door *door, const char *name)
{
    if (hf_serve_field_is_loopback(name) ||
        (door->address != NULL && strcmp(name, door->address) == 0)) {
        return true;
    }
    for (uint32_t i = 0; i < door->name_count; i++) {
        if (strcasecmp(name, door->names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool judge_host(struct trial *trial)
{
    const char *host = trial->head->values[HF_SERVE_HOST];
    char name[HF_SERVE_HOST_ROOM];
    if (host == NULL || hf_serve_field_host(host, name) != HF_OK) {
        return refuse(trial, 400, "bad-request", "the request needs one Host field with a host");
    }
    if (!trial->door->is_unix && !is_our_name(trial->door, name)) {
        return refuse(trial, 421, "wrong-host",
                      "this server does not answer to that Host; if it should, say so under "
                      "api.names in the configuration");
    }
    return true;
}

static bool ask_for_token(struct trial *trial, const char *text)
{
    (void)refuse(trial, 401, "wrong-token", text);
    trial->verdict.asks_for_token = true;
    return false;
}

/* Decides the role; whether that is enough is judged later. */
static bool judge_token(struct trial *trial)
{
    const struct hf_serve_door *door = trial->door;
    const char *authorization = trial->head->values[HF_SERVE_AUTHORIZATION];
    if (authorization != NULL) {
        const char *token = NULL;
        size_t size = 0;
        const struct hf_serve_token *line = NULL;
        if (door->tokens != NULL && hf_serve_field_token(authorization, &token, &size) == HF_OK) {
            line = hf_serve_tokens_find(door->tokens, token, size);
        }
        if (line == NULL) {
            return ask_for_token(trial, "this server does not know that token");
        }
        trial->verdict.role = line->role;
        trial->verdict.who = line->name;
    } else if (door->is_unix) {
        trial->verdict.role = door->role;
    } else if (door->is_loopback) {
        trial->verdict.role = HF_SERVE_READ;
    } else if (!door->is_open) {
        return ask_for_token(trial, "beyond loopback a token is needed");
    }
    return true;
}

static bool judge_site(struct trial *trial)
{
    const char *origin = trial->head->values[HF_SERVE_ORIGIN];
    const char *site = trial->head->values[HF_SERVE_FETCH_SITE];
    const char *mode = trial->head->values[HF_SERVE_FETCH_MODE];
    bool is_own = site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    bool is_visit = trial->is_get && mode != NULL && strcmp(mode, "navigate") == 0;
    bool has_foreign_origin = origin != NULL && !hf_serve_field_is_same_origin(
                                                    origin, trial->head->values[HF_SERVE_HOST]);
    if ((!is_own && !is_visit) || (trial->is_post && has_foreign_origin)) {
        return refuse(trial, 403, "forbidden", "pages of other sites may not use this server");
    }
    return true;
}

static bool judge_change(struct trial *trial)
{
    const char *type = trial->head->values[HF_SERVE_CONTENT_TYPE];
    if (!trial->is_post) {
        return true;
    }
    if (type == NULL || !hf_serve_field_is_json(type)) {
        return refuse(trial, 415, "wrong-type", "the body must be application/json");
    }
    if (trial->verdict.role == HF_SERVE_OPERATOR) {
        return true;
    }
    return refuse(trial, 403, "forbidden",
                  "changes are for operators: by the Unix socket, or with an operator's token");
}

static bool judge_method(struct trial *trial, const char *method)
{
    trial->is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    trial->is_post = strcmp(method, "POST") == 0;
    return trial->is_get || trial->is_post ||
           refuse(trial, 405, "method", "this server knows GET, HEAD and POST");
}

void hf_serve_judge(const struct hf_serve_door *door, const char *method,
                    const struct hf_serve_head *head, struct hf_serve_verdict *ret_verdict)
{
    struct trial trial = {.door = door, .head = head};
    if (judge_method(&trial, method) && judge_framing(&trial) && judge_host(&trial) &&
        judge_token(&trial) && judge_site(&trial)) {
        (void)judge_change(&trial);
    }
    *ret_verdict = trial.verdict;
}
