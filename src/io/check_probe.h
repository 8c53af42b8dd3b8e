/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Check, inside: what the files of check share. Nobody else includes this.
 *
 * A probe belongs to one backend and lives as long as it is checked; an attempt is one connection
 * to one of its addresses. What probes with one configuration have in common (expression, TLS
 * context, state file) is a recipe, counted by its probes.
 *
 * What is done for every check is done without libuv and without malloc: one timing wheel for all
 * probes, non-blocking sockets in one epoll set that the loop watches as a single descriptor,
 * attempts that are used again. An attempt or probe that has ended stays in memory until the loop
 * comes to its next sleep: whoever is still at work on it sees that it has ended.
 *
 * check.c         the checker: adding, removing, closing
 * check_run.c     when probes start and end, which results are late
 * check_tcp.c     connections: octets up to check_http.c or check_tls.c
 * check_keep.c    what is kept between runs: connections and TLS sessions
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
#include "base/wheel.h"
#include "codec/http.h"
#include "io/check.h"

enum {
    HF_CHECK_RECIPE_BUCKETS = 1024,
    HF_CHECK_STALL_CLASSES = 16,
    HF_CHECK_PULSE_MS = 20,      /* how long a stop of this process can stay unseen */
    HF_CHECK_FILE_LOOK_MS = 250, /* how often a state file is looked at */
    HF_CHECK_READ_ROOM = 64 * 1024,
    HF_CHECK_READS_MAX = 16,    /* of one connection before others have their turn */
    HF_CHECK_EVENTS_MAX = 256,  /* taken from the kernel at once */
    HF_CHECK_ROUNDS_MAX = 64,   /* of that, before time is looked at again */
    HF_CHECK_TURN_MAX = 64,     /* probes that are due, before answers are read again */
    HF_CHECK_STATUS_IDLE = 408, /* Request Timeout */
    HF_CHECK_REQUEST_MAX = 16 * 1024,
    HF_CHECK_UNSENT_MAX = 64 * 1024, /* octets that a socket did not take yet */
    HF_CHECK_MATCH_LIMIT = 200000,   /* PCRE2: steps from one starting point */
    HF_CHECK_MATCH_HEAP_KIB = 1024,  /* PCRE2: memory of one match */
    HF_CHECK_MATCH_US = 20000,       /* PCRE2: time of one match */
};

enum hf_check_state {
    HF_CHECK_IDLE,    /* the wheel has the next start */
    HF_CHECK_WAITING, /* due, but too many are under way; the wheel has the end of patience */
    HF_CHECK_RUNNING, /* the wheel has the deadline */
};

enum hf_check_stage {
    HF_CHECK_CONNECT,
    HF_CHECK_HANDSHAKE,
    HF_CHECK_RESPONSE,
};

struct hf_check_tls;
struct hf_check_kept;
struct hf_check_source;

struct hf_check_recipe {
    struct hf_check_recipe *next; /* in its bucket */
    const struct hf_config_check *check;
    uint32_t probe_count;
    uint8_t stall_class; /* shorter stalls do not matter to its time limit */
    pcre2_code *body;
    struct hf_check_tls *tls;
    struct hf_check_source *source;
};

struct hf_check_probe {
    struct hf_wheel_entry entry; /* first: the probe is found by it */
    struct hf_checker *checker;
    struct hf_check_recipe *recipe;
    const struct hf_config_backend *backend;
    struct hf_check_attempt *attempt;       /* while one is under way */
    struct hf_check_kept *kept;             /* between runs, or NULL */
    struct hf_check_probe *next, *previous; /* in the queue of those that wait; of removed ones */
    uint64_t due_ms;                        /* uv_now time of the present or next start */
    uint64_t started_ns;
    uint64_t stalled_ms; /* the checker's counter when this run started */
    uint32_t number;
    uint8_t state;    /* enum hf_check_state */
    bool at_aaaa;     /* the second address is under way */
    bool is_overtime; /* the deadline has passed; what already arrived is still read */
};

struct hf_check_attempt {
    struct hf_checker *checker;
    struct hf_check_probe *probe;  /* NULL once it ended */
    struct hf_check_attempt *next; /* of those that have ended, or are free */
    int fd;                        /* -1 once it ended */
    enum hf_check_stage stage;
    bool is_reused;                /* the connection has served an earlier run */
    bool is_session_given;         /* the handshake tries to resume */
    bool is_end_seen;              /* the server has closed */
    bool is_aaaa;                  /* kept: which of the probe's connections it is */
    struct hf_check_probe *keeper; /* kept: whose connection it is */
    uint64_t trusted_until_ms;     /* TLS: how long the certificate counts as verified */
    struct hf_http http;
    struct hf_buf content;
    struct hf_buf unsent; /* what the socket did not take yet */
    SSL *ssl;             /* NULL without TLS */
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
    uint32_t kept_count, kept_max; /* connections between runs */
    size_t sessions_size;          /* octets of all TLS sessions that are kept */
    uint32_t open_count;           /* handles and work under way that still point here */
    bool is_closing;
    struct hf_check_probe *first_waiting, *last_waiting;
    struct hf_check_probe *removed_probes;
    struct hf_check_attempt *ended_attempts, *free_attempts;
    struct hf_check_recipe *recipes[HF_CHECK_RECIPE_BUCKETS];
    struct hf_check_tls *tls_contexts;
    struct hf_check_source *sources;
    pcre2_match_context *match_context;
    pcre2_match_data *match_data;
    struct hf_buf request; /* the one that is being sent */
    uint32_t phase;        /* of probe 0, in 1/2^32 of an interval: checkers differ */
    struct hf_wheel wheel; /* in ms of uv_now */
    uint64_t wake_ms;      /* when the timer runs out; HF_WHEEL_NEVER: it does not run */
    int epoll_fd;
    uv_prepare_t prepare;
    uv_timer_t timer;
    uv_poll_t poll;
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
/* Frees what has ended; nobody may be at work on it. */
void hf_check_run_clean(struct hf_checker *checker);
uint8_t hf_check_stall_class(uint64_t length_ms);
void hf_check_run_add(struct hf_check_probe *probe);
void hf_check_run_remove(struct hf_check_probe *probe);
void hf_check_attempt_passed(struct hf_check_attempt *attempt, uint16_t status);
void hf_check_attempt_failed(struct hf_check_attempt *attempt, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Our own trouble: says nothing of the backend. */
void hf_check_attempt_hindered(struct hf_check_attempt *attempt, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One open handle less; the last one takes the checker with it. */
void hf_check_let_go(struct hf_checker *checker);

/* check_tcp.c */
void hf_check_events_read(struct hf_checker *checker);
void hf_check_attempt_start(struct hf_check_probe *probe);
void hf_check_attempt_abandon(struct hf_check_attempt *attempt);
/* Resets the connection; nobody points to the attempt any more. */
void hf_check_attempt_end(struct hf_check_attempt *attempt);
/* A backend of this machine that is down, and a connection that is its own other end. */
bool hf_check_attempt_is_to_itself(const struct hf_check_attempt *attempt);
/* Frees what the attempts that ended had, and makes them free to be used. */
void hf_check_attempts_recycle(struct hf_checker *checker);
void hf_check_send(struct hf_check_attempt *attempt, const void *bytes, size_t size);

/* check_keep.c */
void hf_check_keep_release(struct hf_check_probe *probe);
/* Takes the connection of a run that passed, where it can and may serve another. */
bool hf_check_keep_connection(struct hf_check_attempt *attempt);
/* The connection that is kept for the probe's present address, or NULL. */
struct hf_check_attempt *hf_check_keep_take_connection(struct hf_check_probe *probe);
/* Something came on a connection that is kept: unless TLS has a use for it, it is closed. */
void hf_check_keep_idle_events(struct hf_check_attempt *attempt);
/* The handshake is done: for how long its certificates stand. */
void hf_check_keep_trust(struct hf_check_attempt *attempt);
void hf_check_keep_session(struct hf_check_attempt *attempt, SSL_SESSION *given);
bool hf_check_keep_offer_session(struct hf_check_attempt *attempt);
void hf_check_keep_forget_session(struct hf_check_probe *probe);

/* check_http.c */
int hf_check_body_compile(const char *expression, pcre2_code **ret_body,
                          char ret_why[HF_CHECK_WHY_MAX]);
pcre2_match_context *hf_check_match_context(void);
pcre2_match_data *hf_check_match_data(void);
/* Into request, which is cleared first. */
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
/* Octets behind the response have been received. */
bool hf_check_tls_has_more(const struct hf_check_attempt *attempt);
/* Octets on a connection that is kept: true if they were TLS's own and it can go on. */
bool hf_check_tls_idle(struct hf_check_attempt *attempt, const uint8_t *bytes, size_t size);

/* check_file.c */
struct hf_check_source *hf_check_source_get(struct hf_checker *checker, const char *path);
void hf_check_source_put(struct hf_checker *checker, struct hf_check_source *source);
enum hf_check_result hf_check_source_ask(struct hf_check_source *source, const char *name,
                                         uint32_t stale_ms, char ret_why[HF_CHECK_WHY_MAX]);

#endif
