/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve, inside: who owns what, and on which thread.
 *
 * The loop's thread owns everything but a request in the queue: from hf_serve_work_submit to
 * hf_serve_work_done it is the worker's, and its connection is suspended, so that libmicrohttpd
 * does not touch it either. A request lives from the first octets of its line to libmicrohttpd's
 * notice of completion, which never comes while the connection is suspended.
 */
#ifndef HF_IO_SERVE_INTERNAL_H
#define HF_IO_SERVE_INTERNAL_H

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "codec/serve_field.h"
#include "codec/serve_judge.h"
#include "io/address.h"
#include "io/serve.h"

enum {
    HF_SERVE_TICK_MS = 1000,       /* deadlines, slow streams, files that changed */
    HF_SERVE_HEAD_MAX = 16 * 1024, /* octets of a connection's pool: request line and header */
    HF_SERVE_SNDBUF = 64 * 1024,   /* octets that the kernel keeps for a stream */
    HF_SERVE_GZIP_MIN = 1024,      /* shorter answers are not worth it */
    HF_SERVE_ACCEPTS_MAX = 64,     /* connections taken in one turn */
    HF_SERVE_SHAKE_MS = 1,         /* between two turns while somebody is in a TLS handshake */
};

enum serve_phase {
    SERVE_ARRIVES,  /* its header is not judged yet */
    SERVE_READS,    /* its body comes */
    SERVE_WAITS,    /* in the queue, or with the handler: suspended */
    SERVE_ANSWERED, /* answer is filled in */
    SERVE_STREAMS,
};

struct serve_connection {
    struct serve_connection *next, *previous;
    struct hf_serve *serve;
    int fd;
    bool is_unix, is_loopback;
    bool is_shaking;                   /* TLS, and no request has come yet */
    uid_t uid;                         /* for is_unix */
    char address[HF_ADDRESS_TEXT_MAX]; /* that it came to, without port */
    uint64_t deadline_ms;              /* it is closed then; 0: not at all */
};

struct serve_request {
    struct serve_request *next; /* in the queue, or done */
    struct hf_serve *serve;
    struct serve_connection *connection;
    struct MHD_Connection *mhd;
    enum serve_phase phase;
    char *target_text; /* decoded in place */
    struct hf_serve_target target;
    bool is_head, is_post, takes_gzip, asks_for_token;
    char *if_match, *if_none_match; /* or NULL */
    enum hf_serve_role role;
    char who[HF_SERVE_WHO_ROOM]; /* "": the peer's user */
    struct hf_buf body;
    uint64_t body_seen;                /* octets, also those that were too many */
    struct hf_serve_counters counters; /* when it was handed over */
    struct hf_serve_answer answer;
    bool is_compressed; /* answer.body is, and is sent so */
    size_t held_bytes;  /* of serve->held_bytes */
};

struct serve_stream {
    struct serve_stream *next, *previous;
    struct hf_serve *serve;
    struct MHD_Connection *mhd;
    int fd;
    struct hf_serve_reader reader;
    bool is_idle;    /* suspended until there is something to send */
    bool is_dropped; /* too slow: it ends */
    bool was_behind; /* at the last tick */
    bool owes_beat;
};

/* A daemon of libmicrohttpd, which only knows its connections; serve_listen.c accepts them. */
struct serve_daemon {
    struct hf_serve *serve;
    struct MHD_Daemon *mhd; /* NULL: not needed */
    uv_poll_t poll;
    uv_timer_t timer;
    bool is_open; /* poll and timer are */
};

struct serve_listener {
    struct hf_serve *serve;
    struct serve_daemon *daemon;
    uv_poll_t poll;
    int fd; /* -1: none */
    bool is_unix, is_open, is_resting;
    dev_t dev; /* of the socket's file, for is_unix */
    ino_t ino;
};

/* What stat says of a file that is read again when it changes. */
struct serve_file {
    const char *path; /* NULL: none */
    struct stat seen;
};

/* Threads, one request each at a time; see serve_work.c. */
struct serve_work {
    uv_thread_t threads[HF_SERVE_WORKERS_MAX];
    uv_mutex_t lock;
    uv_cond_t some;
    struct serve_request *first, *last; /* that wait */
    struct serve_request *done;         /* answered, newest first */
    uint32_t thread_count, busy_count;
    bool is_stopping;
};

struct serve_tls; /* serve_tls.c */

enum { SERVE_LISTEN_TCP, SERVE_LISTEN_UNIX, SERVE_LISTENERS };
enum { SERVE_PLAIN, SERVE_TLS, SERVE_DAEMONS };

struct hf_serve {
    uv_loop_t *loop;
    struct hf_serve_options options;
    struct hf_log *log;
    struct serve_listener listeners[SERVE_LISTENERS];
    struct serve_daemon daemons[SERVE_DAEMONS];
    uv_async_t wake; /* the worker has answered */
    uv_timer_t tick;
    unsigned open_handles;
    bool is_closing;
    void (*closed)(void *context);
    void *closed_context;

    struct serve_connection *connections;
    struct serve_connection arriving; /* what accept knew, for libmicrohttpd's notice of it */
    uint32_t connection_count, connection_max;
    uint32_t shaking_count; /* connections that are */
    struct serve_stream *streams;
    uint32_t stream_count;
    struct hf_serve_events events;
    uint64_t beat_ms;
    size_t held_bytes; /* bodies of answers under way */
    uint32_t waiting;  /* requests with the handler, or in its queue */
    struct hf_serve_counters counters;

    struct serve_file tokens_file;
    struct hf_serve_tokens *tokens; /* NULL: none */
    bool tokens_are_wrong;          /* said on the log */
    struct serve_tls *tls;          /* NULL: none */

    struct serve_work work;
};

/* serve.c */
void hf_serve_run(struct serve_daemon *daemon);
void hf_serve_run_all(struct hf_serve *serve);
/* In the loop's next turn. Needed after each MHD_resume_connection, which wakes nobody. */
void hf_serve_run_soon(struct hf_serve *serve);
/* A handle that is in open_handles. */
void hf_serve_close_handle(struct hf_serve *serve, uv_handle_t *handle);

/* serve_listen.c */
int hf_serve_listen(struct hf_serve *serve);
void hf_serve_listen_start(struct hf_serve *serve);
void hf_serve_listen_stop(struct hf_serve *serve);
/* Listens again where it rested because there was no descriptor left. */
void hf_serve_listen_wake(struct hf_serve *serve);
void hf_serve_connection_notice(void *context, struct MHD_Connection *mhd, void **socket_context,
                                enum MHD_ConnectionNotificationCode code);
/* The socket is shut down, and libmicrohttpd closes the connection in its next turn. */
void hf_serve_connections_expire(struct hf_serve *serve, uint64_t now_ms);

/* serve_unix.c: a listening socket at path, mode 0660, instead of what a dead process left. */
int hf_serve_unix_listen(const char *path, char *why, size_t why_size, int *ret_fd,
                         struct stat *ret_file);

/* serve_request.c: callbacks of libmicrohttpd. */
void *hf_serve_request_begins(void *context, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result hf_serve_request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                                        const char *method, const char *version, const char *upload,
                                        size_t *upload_size, void **request);
void hf_serve_request_ends(void *context, struct MHD_Connection *mhd, void **request,
                           enum MHD_RequestTerminationCode code);

/* serve_answer.c */
void hf_serve_answer_error(struct hf_serve_answer *answer, uint16_t status, const char *code,
                           const char *text);
/* On the worker: entity tags and compression. */
void hf_serve_answer_finish(struct serve_request *request);
enum MHD_Result hf_serve_answer_send(struct serve_request *request);
/* The fields that every answer has; false where there is no memory. */
bool hf_serve_answer_add_fields(struct MHD_Response *response);

/* serve_gzip.c: HF_ELIMIT where the result is longer than to's cap, HF_EMALF for what is no gzip.
 */
int hf_serve_gzip(const struct hf_buf *from, struct hf_buf *to);
int hf_serve_gunzip(const struct hf_buf *from, struct hf_buf *to);

/* serve_work.c */
int hf_serve_work_start(struct hf_serve *serve);
/* HF_ELIMIT where the queue is full. The connection must be suspended. */
int hf_serve_work_submit(struct hf_serve *serve, struct serve_request *request);
/* Resumes the connections of what was answered. */
void hf_serve_work_done(struct hf_serve *serve);
/* The thread ends after the request that it has; those that wait are answered 503. */
void hf_serve_work_stop(struct hf_serve *serve);
/* True once, when the thread has ended after a stop. */
bool hf_serve_work_has_ended(struct hf_serve *serve);

/* serve_stream.c */
enum MHD_Result hf_serve_stream_start(struct serve_request *request, const char *last_id);
void hf_serve_streams_tick(struct hf_serve *serve, uint64_t now_ms);
void hf_serve_streams_resume(struct hf_serve *serve);

/* serve_files.c: tokens, and the notice of files that changed. */
bool hf_serve_file_changed(struct serve_file *file);
int hf_serve_tokens_open(struct hf_serve *serve);
void hf_serve_tokens_tick(struct hf_serve *serve);

/* serve_tls.c */
int hf_serve_tls_open(struct hf_serve *serve);
void hf_serve_tls_close(struct hf_serve *serve);
void hf_serve_tls_tick(struct hf_serve *serve);
/* GnuTLS's question in a handshake, whose session's pointer is the connection. */
int hf_serve_tls_retrieve(struct gnutls_session_int *session,
                          const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain,
                          unsigned *ret_count, gnutls_ocsp_data_st **ret_ocsp,
                          unsigned *ret_ocsp_count, gnutls_privkey_t *ret_key, unsigned *ret_flags);

#endif
