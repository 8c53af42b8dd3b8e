/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "io/serve_internal.h"

#define CACHE_NEVER "no-store"
#define CACHE_ASK "private, no-cache"
#define CACHE_YEAR "private, max-age=31536000, immutable"

/*
 * The page has no inline script or style, loads nothing from elsewhere, and is nobody's frame.
 * "data:" is for pictures in its style sheet.
 */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "                  \
    "form-action 'none'; frame-ancestors 'none'"

bool hf_serve_answer_add_fields(struct MHD_Response *response)
{
    static const char *const fields[][2] = {
        {"Content-Security-Policy", POLICY},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (MHD_add_response_header(response, fields[i][0], fields[i][1]) != MHD_YES) {
            return false;
        }
    }
    return true;
}

void hf_serve_answer_error(struct hf_serve_answer *answer, uint16_t status, const char *code,
                           const char *text)
{
    struct hf_json json;
    answer->status = status;
    answer->content_type = "application/json";
    answer->location = NULL;
    answer->etag[0] = 0;
    answer->is_immutable = answer->is_gzip = false;
    hf_buf_clear(&answer->body);
    hf_json_init(&json, &answer->body, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_key(&json, "error");
    hf_json_object(&json);
    hf_json_put_text(&json, "code", code);
    hf_json_put_text(&json, "text", text);
    hf_json_object_end(&json);
    hf_json_object_end(&json);
    assert(hf_json_error(&json) == HF_OK);
}

static bool is_compressible(const char *content_type)
{
    return strncmp(content_type, "text/", 5) == 0 || strstr(content_type, "json") != NULL ||
           strstr(content_type, "javascript") != NULL || strstr(content_type, "xml") != NULL;
}

/* Replaces the answer's body by what convert makes of it. */
static int convert_body(struct hf_serve_answer *answer,
                        int (*convert)(const struct hf_buf *from, struct hf_buf *to))
{
    struct hf_buf body;
    hf_buf_init(&body, HF_SERVE_ANSWER_MAX);
    int error = convert(&answer->body, &body);
    if (error != HF_OK) {
        hf_buf_release(&body);
        return error;
    }
    hf_buf_release(&answer->body);
    answer->body = body;
    return HF_OK;
}

/* The form that is sent has a tag of its own; the handler's names what is not compressed. */
static void mark_compressed(struct serve_request *request)
{
    struct hf_serve_answer *answer = &request->answer;
    size_t size = strlen(answer->etag);
    request->is_compressed = true;
    if (size > 0 && size + sizeof HF_SERVE_ETAG_GZIP <= sizeof answer->etag) {
        memcpy(answer->etag + size - 1, HF_SERVE_ETAG_GZIP "\"", sizeof HF_SERVE_ETAG_GZIP "\"");
    }
}

static bool is_not_modified(const struct serve_request *request)
{
    const struct hf_serve_answer *answer = &request->answer;
    return !request->is_post && answer->status == 200 && answer->etag[0] != 0 &&
           request->if_none_match != NULL &&
           hf_serve_field_has_etag(request->if_none_match, answer->etag);
}

/* What the handler left out. */
static void complete(struct hf_serve_answer *answer)
{
    if (hf_buf_error(&answer->body) != HF_OK) {
        hf_serve_answer_error(answer, 500, "too-large", "the answer is too large; ask for less");
    }
    if (answer->status == 0) {
        answer->status = 200;
    }
    if (answer->content_type == NULL) {
        answer->content_type = "application/json";
    }
}

void hf_serve_answer_finish(struct serve_request *request)
{
    struct hf_serve_answer *answer = &request->answer;
    complete(answer);
    bool can_compress =
        answer->is_gzip || (answer->status == 200 && answer->body.size >= HF_SERVE_GZIP_MIN &&
                            is_compressible(answer->content_type));
    bool compress = can_compress && request->takes_gzip;
    if (is_not_modified(request)) {
        answer->status = 304;
        hf_buf_clear(&answer->body);
        if (compress) {
            mark_compressed(request);
        }
        return;
    }
    int error = HF_OK;
    if (answer->is_gzip && !compress) {
        error = convert_body(answer, hf_serve_gunzip);
    } else if (compress && !answer->is_gzip) {
        error = convert_body(answer, hf_serve_gzip);
    }
    if (error != HF_OK) {
        hf_serve_answer_error(answer, 500, "failed", "the answer could not be (de)compressed");
    } else if (compress) {
        mark_compressed(request);
    }
}

static const char *cache_control(const struct hf_serve_answer *answer)
{
    if (answer->is_immutable) {
        return CACHE_YEAR;
    }
    return answer->etag[0] != 0 ? CACHE_ASK : CACHE_NEVER;
}

static bool add_fields(const struct serve_request *request, struct MHD_Response *response)
{
    const struct hf_serve_answer *answer = &request->answer;
    const char *fields[][2] = {
        {"Content-Type", answer->status == 304 ? NULL : answer->content_type},
        {"Cache-Control", cache_control(answer)},
        {"Vary", "Accept-Encoding"},
        {"ETag", answer->etag[0] != 0 ? answer->etag : NULL},
        {"Content-Encoding", request->is_compressed && answer->status != 304 ? "gzip" : NULL},
        {"Location", answer->location},
        {"Allow", answer->status == 405 ? "GET, HEAD, POST" : NULL},
        {"Retry-After", answer->status == 503 ? "1" : NULL},
        {"WWW-Authenticate", request->asks_for_token ? "Bearer realm=\"holdfast\"" : NULL},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i][1] != NULL &&
            MHD_add_response_header(response, fields[i][0], fields[i][1]) != MHD_YES) {
            return false;
        }
    }
    return hf_serve_answer_add_fields(response);
}

/* The body is the request's, which outlives the response. */
enum MHD_Result hf_serve_answer_send(struct serve_request *request)
{
    struct hf_serve *serve = request->serve;
    const struct hf_serve_answer *answer = &request->answer;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.size, answer->body.bytes, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result result = MHD_NO;
    if (add_fields(request, response)) {
        request->held_bytes = answer->body.room;
        serve->held_bytes += request->held_bytes;
        serve->counters.requests[answer->status / 100]++;
        request->connection->deadline_ms = uv_now(serve->loop) + (uint64_t)HF_SERVE_SEND_S * 1000;
        result = MHD_queue_response(request->mhd, answer->status, response);
    }
    MHD_destroy_response(response);
    return result;
}
