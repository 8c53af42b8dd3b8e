/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve: an HTTP/1.1 server (libmicrohttpd) inside a libuv loop, for the API and its page.
 *
 * It decides who may ask (address, Host, Origin, token, peer credentials), bounds everything that
 * a client can make it hold, and hands each request that is left to one handler. The loop's thread
 * does transport only: the handler runs on worker threads (options.workers), with one request
 * each, so it may block; what they share the handler locks. Requests wait in a queue of
 * HF_SERVE_QUEUE_MAX; over that they are answered 503 with Retry-After.
 *
 * Who may do what:
 * - A Unix socket: the role operator for root and for the process's own user, whose name (from the
 *   peer credentials) is `who`; reading for everybody whom the socket's mode lets in.
 * - TCP on loopback: reading without a token. Beyond loopback a token is needed (401 else) for
 *   everything but /healthz, /readyz and what options.is_open says: the page's files, which hold no
 *   secret. The token's role decides; its name is `who`. A wrong token is 401 everywhere.
 * - A request that changes something (POST) must be application/json (415 else) and an operator's
 *   (403 else): the handler sees no other.
 * - Host must be a loopback address or name, the address that the connection came to, or one of
 *   names (421 else). What a browser sends on behalf of another site's page (Sec-Fetch-Site,
 *   Origin) is refused (403), but for following a link to a page.
 * codec/serve_judge.h has these rules.
 *
 * The tokens file has one line a token, "ROLE NAME TOKEN", ROLE "read" or "operator", at least 16
 * octets of token, # for comments; it must not be readable by others. It is read again when it
 * changes; one that cannot be read keeps the tokens of before. Tokens are compared in constant
 * time.
 */
#ifndef HF_IO_SERVE_H
#define HF_IO_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "codec/serve_events.h"
#include "codec/serve_target.h"
#include "codec/serve_tokens.h"
#include "io/log.h"

enum {
    HF_SERVE_WORKERS_MAX = 16,
    HF_SERVE_QUEUE_MAX = 256,           /* requests that wait for the handler */
    HF_SERVE_CONNECTIONS_MAX = 2048,    /* beyond, new ones are closed */
    HF_SERVE_STREAMS_MAX = 1200,        /* event streams among them; beyond, 503 */
    HF_SERVE_BODY_MAX = 64 * 1024,      /* octets of a request's body; beyond, 413 */
    HF_SERVE_ANSWER_MAX = 64 << 20,     /* octets of an answer */
    HF_SERVE_ANSWERS_MAX = 256 << 20,   /* octets of all answers under way; beyond, 503 */
    HF_SERVE_STREAM_BEHIND = 256 << 10, /* octets a slow stream may be behind; then it is closed */
    HF_SERVE_IDLE_S = 30,               /* for a whole request, and for each step of an answer */
    HF_SERVE_SEND_S = 300,              /* for a whole answer */
    HF_SERVE_BEAT_MS = 15000,           /* a comment keeps a silent event stream alive */
};

struct hf_serve_counters { /* since start, for /metrics */
    uint64_t requests[6];  /* by the status's first digit */
    uint64_t refused_busy, refused_token, refused_origin, streams_dropped;
    uint32_t connections, streams, waiting;
};

/* One request, valid during the call. */
struct hf_serve_request {
    const char *method; /* "GET" (also for HEAD) or "POST"; others were answered 405 */
    const char *path;   /* percent-decoded, begins with "/"; no empty, "." or ".." segments */
    struct hf_serve_parameter query[HF_SERVE_QUERY_MAX];
    uint32_t query_count;
    const char *body;
    size_t body_size;
    const char *if_match;      /* header's value or NULL; "-gzip" is taken out of entity tags */
    const char *if_none_match; /* header's value or NULL */
    enum hf_serve_role role;
    const char *who;                   /* user or token's name; "anonymous" */
    struct hf_serve_counters counters; /* as they stood when the request was handed over */
};

struct hf_serve_answer {
    uint16_t status;          /* 200 when the handler leaves it */
    const char *content_type; /* static text; "application/json" when the handler leaves it */
    const char *location;     /* of the body's buf or static, or NULL */
    char etag[80];            /* "" or with quotes; a matching If-None-Match becomes 304 */
    bool is_immutable;        /* may be cached for a year, else it must be asked again */
    bool is_gzip;             /* the body is already compressed; expanded for who cannot take it */
    struct hf_buf body;
};

/* On a worker thread. Fills in ret_answer, whose body is initialized. */
typedef void hf_serve_handler(void *context, const struct hf_serve_request *request,
                              struct hf_serve_answer *ret_answer);

struct hf_serve_options {
    const char *listen;           /* "127.0.0.1@8053", or NULL: no TCP */
    const char *socket_path;      /* or NULL: no Unix socket */
    const char *tokens_path;      /* or NULL: no tokens */
    const char *certificate_path; /* PEM, or NULL: no TLS; both are read again when they change */
    const char *key_path;
    const char *const *names; /* Host names beside the addresses */
    uint32_t name_count;
    uint32_t workers;                  /* threads that the handler is called on; 0: one */
    const char *events_path;           /* "/api/v1/events": answered by this module */
    bool (*is_open)(const char *path); /* needs no token; or NULL. On the loop's thread. */
    hf_serve_handler *handler;
    void *context;
};

struct hf_serve;

/*
 * options are borrowed until closed. HF_EIO with why on the log where it cannot listen (address in
 * use, no right); HF_EMALF for a wrong address, tokens file or certificate.
 */
int hf_serve_open(uv_loop_t *loop, const struct hf_serve_options *options, struct hf_log *log,
                  struct hf_serve **ret_serve);
/* Ends streams and connections, waits for the request that the handler has; then calls closed. */
void hf_serve_close(struct hf_serve *serve, void (*closed)(void *context), void *context);

/*
 * Sends an event to every stream and keeps it for those that come back with Last-Event-ID. On the
 * loop's thread. name: [a-z-]+; json: one line. Ids rise by one within epoch, which begins each id
 * ("5e1f09c2-17"): a stream that comes with another epoch, or an id no longer kept, hears an event
 * "reset" first and must read everything anew.
 */
void hf_serve_event(struct hf_serve *serve, const char *name, const char *json);

/* On the loop's thread. */
void hf_serve_count(const struct hf_serve *serve, struct hf_serve_counters *ret_counters);

#endif
