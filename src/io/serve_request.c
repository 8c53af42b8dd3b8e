/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request, from its first line to the notice that its answer is out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/serve_internal.h"

enum { BODY_SWALLOWED_MAX = 1 << 20 }; /* of a body without a length: then it is cut */

static char *copy_text(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL) {
        abort();
    }
    return copy;
}

static void set_deadline(struct serve_request *request, unsigned seconds)
{
    uint64_t now_ms = uv_now(request->serve->loop);
    request->connection->deadline_ms = seconds == 0 ? 0 : now_ms + (uint64_t)seconds * 1000;
}

void *hf_serve_request_begins(void *context, const char *uri, struct MHD_Connection *mhd)
{
    struct serve_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        abort();
    }
    request->serve = context;
    request->mhd = mhd;
    request->connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request->serve->shaking_count -= request->connection->is_shaking;
    request->connection->is_shaking = false;
    request->target_text = copy_text(uri == NULL ? "" : uri);
    hf_buf_init(&request->body, HF_SERVE_BODY_MAX);
    hf_buf_init(&request->answer.body, HF_SERVE_ANSWER_MAX);
    return request;
}

void hf_serve_request_ends(void *context, struct MHD_Connection *mhd, void **slot,
                           enum MHD_RequestTerminationCode code)
{
    struct serve_request *request = *slot;
    (void)context;
    (void)mhd;
    (void)code;
    if (request == NULL) {
        return;
    }
    set_deadline(request, HF_SERVE_IDLE_S); /* for the connection's next request */
    request->serve->held_bytes -= request->held_bytes;
    free(request->target_text);
    free(request->if_match);
    free(request->if_none_match);
    hf_buf_release(&request->body);
    hf_buf_release(&request->answer.body);
    free(request);
    *slot = NULL;
}

static enum MHD_Result refuse(struct serve_request *request, uint16_t status, const char *code,
                              const char *text)
{
    request->phase = SERVE_ANSWERED;
    hf_serve_answer_error(&request->answer, status, code, text);
    return hf_serve_answer_send(request);
}

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    hf_serve_head_add(context, name, value == NULL ? "" : value);
    return MHD_YES;
}

/* Whom the judge lets in. */
static void admit(struct serve_request *request, const struct hf_serve_head *head,
                  const struct hf_serve_verdict *verdict)
{
    request->role = verdict->role;
    if (verdict->who != NULL) {
        (void)snprintf(request->who, sizeof request->who, "%s", verdict->who);
    } else if (!request->connection->is_unix) {
        (void)snprintf(request->who, sizeof request->who, "anonymous");
    }
    request->takes_gzip = hf_serve_field_takes_gzip(head->values[HF_SERVE_ACCEPT_ENCODING]);
    request->if_match = copy_text(head->values[HF_SERVE_IF_MATCH]);
    request->if_none_match = copy_text(head->values[HF_SERVE_IF_NONE_MATCH]);
    if (request->if_match != NULL) {
        hf_serve_field_strip_gzip(request->if_match);
    }
    if (request->if_none_match != NULL) {
        hf_serve_field_strip_gzip(request->if_none_match);
    }
    request->phase = SERVE_READS;
}

static bool is_open(const struct hf_serve *serve, const char *path)
{
    return strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0 ||
           (serve->options.is_open != NULL && serve->options.is_open(path));
}

static void judge(const struct serve_request *request, const char *method,
                  const struct hf_serve_head *head, struct hf_serve_verdict *ret_verdict)
{
    const struct serve_connection *connection = request->connection;
    const struct hf_serve *serve = request->serve;
    bool is_ours = connection->uid == 0 || connection->uid == geteuid();
    struct hf_serve_door door = {
        .is_unix = connection->is_unix,
        .is_loopback = connection->is_loopback,
        .role = is_ours ? HF_SERVE_OPERATOR : HF_SERVE_READ,
        .address = connection->address,
        .names = serve->options.names,
        .name_count = serve->options.name_count,
        .tokens = serve->tokens,
        .is_open = is_open(serve, request->target.path),
        .body_max = HF_SERVE_BODY_MAX,
    };
    hf_serve_judge(&door, method, head, ret_verdict);
}

/* The header is whole. What is refused now is answered before its body is read. */
static enum MHD_Result arrive(struct serve_request *request, const char *method)
{
    struct hf_serve *serve = request->serve;
    struct hf_serve_head head = {0};
    struct hf_serve_verdict verdict = {0};
    const char *why = "";
    request->is_head = strcmp(method, "HEAD") == 0;
    request->is_post = strcmp(method, "POST") == 0;
    if (hf_serve_target_parse(request->target_text, &request->target, &why) != HF_OK) {
        return refuse(request, 400, "bad-request", why);
    }
    (void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, on_field, &head);
    judge(request, method, &head, &verdict);
    serve->counters.refused_token += verdict.status == 401;
    serve->counters.refused_origin += verdict.status == 403 || verdict.status == 421;
    if (verdict.status != 0) {
        request->asks_for_token = verdict.asks_for_token;
        return refuse(request, verdict.status, verdict.code, verdict.text);
    }
    admit(request, &head, &verdict);
    return MHD_YES;
}

/* Too much is read to its end, so that the client can read the answer. */
static enum MHD_Result take_body(struct serve_request *request, const char *bytes, size_t *size)
{
    request->body_seen += *size;
    if (request->body_seen <= HF_SERVE_BODY_MAX) {
        hf_buf_put(&request->body, bytes, *size);
    }
    *size = 0;
    return request->body_seen <= BODY_SWALLOWED_MAX ? MHD_YES : MHD_NO;
}

static bool is_stream(const struct serve_request *request)
{
    const char *path = request->serve->options.events_path;
    return path != NULL && !request->is_post && !request->is_head &&
           strcmp(request->target.path, path) == 0;
}

/* The whole request is here. */
static enum MHD_Result begin(struct serve_request *request)
{
    struct hf_serve *serve = request->serve;
    if (request->body_seen > HF_SERVE_BODY_MAX) {
        return refuse(request, 413, "too-large", "the body is longer than this server takes");
    }
    if (serve->is_closing) {
        return refuse(request, 503, "busy", "this server is being stopped");
    }
    if (is_stream(request)) {
        return hf_serve_stream_start(
            request, MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Last-Event-ID"));
    }
    if (serve->held_bytes >= HF_SERVE_ANSWERS_MAX ||
        hf_serve_work_submit(serve, request) != HF_OK) {
        serve->counters.refused_busy++;
        return refuse(request, 503, "busy", "too many requests are waiting; try again");
    }
    set_deadline(request, 0);
    MHD_suspend_connection(request->mhd);
    return MHD_YES;
}

enum MHD_Result hf_serve_request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                                        const char *method, const char *version, const char *upload,
                                        size_t *upload_size, void **slot)
{
    struct serve_request *request = *slot;
    (void)context;
    (void)mhd;
    (void)url;
    (void)version;
    if (request->phase == SERVE_ARRIVES) {
        return arrive(request, method);
    }
    if (*upload_size > 0) {
        return take_body(request, upload, upload_size);
    }
    if (request->phase == SERVE_READS) {
        return begin(request);
    }
    return request->phase == SERVE_ANSWERED ? hf_serve_answer_send(request) : MHD_YES;
}
