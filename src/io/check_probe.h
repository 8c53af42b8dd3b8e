/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Check, inside: what the files of check share. Nobody else includes this.
 *
 * A probe belongs to one backend and lives as long as it is checked; an attempt is one connection
 * to one of its addresses. What probes with one configuration have in common (expression, TLS
 * context, state file) is a recipe, counted by its probes.
 *
 * check.c         the checker: adding, removing, closing
 * check_run.c     when probes start and end, which results are late
 * check_tcp.c     connections: octets up to check_http.c or check_tls.c
 * check_tls.c     TLS through memory BIOs, between the two
 * check_http.c    request and judgement of the response
 * check_file.c    state files
 */
#ifndef HF_IO_CHECK_PROBE_H
#define HF_IO_CHECK_PROBE_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include <openssl/ssl.h>
#include <pcre2.h>
#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "codec/http.h"
#include "io/check.h"

enum {
    HF_CHECK_RECIPE_BUCKETS = 1024,
    HF_CHECK_STALL_CLASSES = 16,
    HF_CHECK_PULSE_MS = 20,      /* how long a stop of this process can stay unseen */
    HF_CHECK_FILE_LOOK_MS = 250, /* how often a state file is looked at */
    HF_CHECK_READ_ROOM = 64 * 1024,
    HF_CHECK_REQUEST_MAX = 16 * 1024,
    HF_CHECK_MATCH_LIMIT = 200000,  /* PCRE2: steps from one starting point */
    HF_CHECK_MATCH_HEAP_KIB = 1024, /* PCRE2: memory of one match */
    HF_CHECK_MATCH_US = 20000,      /* PCRE2: time of one match */
};

enum hf_check_state {
    HF_CHECK_IDLE,    /* the timer runs to the next start */
    HF_CHECK_WAITING, /* due, but too many are under way; the timer runs to the end of patience */
    HF_CHECK_RUNNING, /* the timer runs to the deadline */
};

enum hf_check_stage {
    HF_CHECK_CONNECT,
    HF_CHECK_HANDSHAKE,
    HF_CHECK_RESPONSE,
};

struct hf_check_tls;
struct hf_check_source;

struct hf_check_recipe {
    struct hf_check_recipe *next; /* in its bucket */
    const struct hf_config_check *check;
    uint32_t probe_count;
    pcre2_code *body;
    struct hf_check_tls *tls;
    struct hf_check_source *source;
};

struct hf_check_probe {
    struct hf_checker *checker;
    struct hf_check_recipe *recipe;
    const struct hf_config_backend *backend;
    struct hf_check_attempt *attempt;       /* while one is under way */
    struct hf_check_probe *next, *previous; /* in the queue of those that wait */
    uint64_t due_ms;                        /* uv_now time of the present or next start */
    uint64_t started_ns;
    uint64_t stalled_ms; /* the checker's counter when this run started */
    uint32_t number;
    uint8_t state;       /* enum hf_check_state */
    uint8_t stall_class; /* shorter stalls do not matter to its time limit */
    bool at_aaaa;        /* the second address is under way */
    bool is_overtime;    /* the deadline has passed; what already arrived is still read */
    uv_timer_t timer;
};

struct hf_check_attempt {
    struct hf_checker *checker;
    struct hf_check_probe *probe; /* NULL once it ended */
    enum hf_check_stage stage;
    struct sockaddr_storage address;
    struct hf_http http;
    struct hf_buf content;
    SSL *ssl; /* NULL without TLS */
    uv_connect_t connect;
    uv_tcp_t tcp;
};

struct hf_checker {
    uv_loop_t *loop;
    hf_check_reported *reported;
    void *context;
    void (*closed)(void *context);
    void *closed_context;
    struct hf_check_probe **probes; /* by number; NULL where there is none */
    uint32_t probe_room;
    uint32_t running_count, running_max;
    uint32_t open_count; /* handles and work under way that still point here */
    bool is_closing;
    struct hf_check_probe *first_waiting, *last_waiting;
    struct hf_check_recipe *recipes[HF_CHECK_RECIPE_BUCKETS];
    struct hf_check_tls *tls_contexts;
    struct hf_check_source *sources;
    pcre2_match_context *match_context;
    uint64_t random;
    uv_prepare_t prepare;
    uv_timer_t pulse;
    /* The last look at the clock before the loop slept, and how long it was to sleep at most. */
    bool is_asleep_known;
    uint64_t asleep_ns, sleep_max_ns;
    /* stalled_ms[n]: sum of all stalls of at least 2^n ms while probes were under way. */
    uint64_t stalled_ms[HF_CHECK_STALL_CLASSES];
    uint8_t read_room[HF_CHECK_READ_ROOM];
    uint8_t plain_room[HF_CHECK_READ_ROOM];
};

/* check_run.c */
void hf_check_run_init(struct hf_checker *checker);
void hf_check_run_add(struct hf_check_probe *probe);
void hf_check_run_remove(struct hf_check_probe *probe); /* not its timer */
void hf_check_attempt_passed(struct hf_check_attempt *attempt, uint16_t status);
void hf_check_attempt_failed(struct hf_check_attempt *attempt, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Our own trouble: says nothing of the backend. */
void hf_check_attempt_hindered(struct hf_check_attempt *attempt, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One open handle less; the last one takes the checker with it. */
void hf_check_let_go(struct hf_checker *checker);

/* check_tcp.c */
void hf_check_attempt_start(struct hf_check_probe *probe);
void hf_check_attempt_abandon(struct hf_check_attempt *attempt);
void hf_check_send(struct hf_check_attempt *attempt, const void *bytes, size_t size);

/* check_http.c */
int hf_check_body_compile(const char *expression, pcre2_code **ret_body,
                          char ret_why[HF_CHECK_WHY_MAX]);
pcre2_match_context *hf_check_match_context(void);
int hf_check_request(const struct hf_config_check *check, const struct hf_config_backend *backend,
                     bool at_aaaa, struct hf_buf *request);
void hf_check_http_start(struct hf_check_attempt *attempt);
void hf_check_http_read(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size);
void hf_check_http_read_close(struct hf_check_attempt *attempt);

/* check_tls.c */
int hf_check_tls_get(struct hf_checker *checker, const struct hf_config_check *check,
                     struct hf_check_tls **ret_tls, char ret_why[HF_CHECK_WHY_MAX]);
void hf_check_tls_put(struct hf_checker *checker, struct hf_check_tls *tls);
void hf_check_tls_start(struct hf_check_attempt *attempt);
void hf_check_tls_read(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size);
void hf_check_tls_read_close(struct hf_check_attempt *attempt);
void hf_check_tls_send(struct hf_check_attempt *attempt, const void *bytes, size_t size);

/* check_file.c */
struct hf_check_source *hf_check_source_get(struct hf_checker *checker, const char *path);
void hf_check_source_put(struct hf_checker *checker, struct hf_check_source *source);
enum hf_check_result hf_check_source_ask(struct hf_check_source *source, const char *name,
                                         uint32_t stale_ms, char ret_why[HF_CHECK_WHY_MAX]);

#endif
