/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Check: probes backends on the event loop and reports each result.
 *
 * One checker holds any number of probes. Each probe runs every interval, at a place in it that
 * follows from its number, so that a fleet's probes are spread evenly; at most one probe of a
 * backend is under way. A probe that has no result when its time limit passes has failed, with the
 * stage that it had reached in its text ("connect: timed out after 1000 ms").
 * HF_CHECK_LATE says nothing of the backend; why says what kept the checker:
 * - this process was not scheduled (stopped, overloaded) while the probe was under way: for a
 *   quarter of its time limit if it failed, for all of it if it passed;
 * - HF_CHECK_RUNNING_MAX probes were under way for a whole interval;
 * - no descriptor, memory or local port was left for a connection;
 * - a state file is unreadable, older than stale_ms, or does not name the backend.
 * After a stop of this process, probes that are long overdue wait for their next place.
 * Connections are fresh for each probe and closed with RST (no TIME_WAIT), unless check.reuse: then
 * one is kept between probes that pass, and one that the server closed meanwhile is no failure: the
 * probe goes on with a fresh one. TLS sessions are resumed for check.resume_ms; a handshake that
 * fails while it tries to is tried again without. TLS is verified unless
 * the configuration says otherwise: the name is check.host, or the address where there is none.
 * At most HF_CHECK_BODY_MAX octets of a body are read, and matched; at most HF_HTTP_HEAD_MAX of
 * a header. Responses that break HTTP (codec/http.h) fail.
 * A check of type none passes once and is not repeated. State files (codec/states.h) are read
 * off the loop thread, once for every change, whatever the number of probes.
 * The program must ignore SIGPIPE.
 */
#ifndef HF_IO_CHECK_H
#define HF_IO_CHECK_H

#include <stdint.h>
#include <uv.h>

#include "codec/config.h"

enum {
    HF_CHECK_BODY_MAX = 64 * 1024,
    HF_CHECK_WHY_MAX = 160,
    HF_CHECK_PROBES_MAX = 10000000, /* numbers of probes are below */
    HF_CHECK_RUNNING_MAX = 16384,   /* at once; fewer where RLIMIT_NOFILE is below twice that */
    HF_CHECK_KEPT_MAX = 65536, /* connections; fewer where RLIMIT_NOFILE is below 4 times that */
    HF_CHECK_SESSIONS_SIZE_MAX = 64 * 1024 * 1024, /* octets of TLS sessions */
};

struct hf_checker;

struct hf_check_report {
    uint32_t probe; /* number from hf_checker_add */
    enum hf_check_result result;
    uint64_t duration_us;
    uint64_t lag_us;      /* from when it was due to when it began */
    uint64_t finished_ms; /* uv_now */
    uint16_t status;      /* http: status code, 0 if none */
    const char *why;      /* "200 in 3 ms", "connect: connection refused"; valid during the call */
};

typedef void hf_check_reported(void *context, const struct hf_check_report *report);

/* reported runs on the loop thread. */
int hf_checker_new(uv_loop_t *loop, hf_check_reported *reported, void *context,
                   struct hf_checker **ret_checker);

/*
 * Adds a probe; check and backend are borrowed until the probe is removed. The port is the
 * backend's, else the check's; a backend with A and AAAA is probed at both, one after the other
 * within one time limit, and passes when both do. HF_EINVAL (why says what) for an expression that
 * PCRE2 or a CA file that OpenSSL refuses, a path or host that HTTP does not allow, no port, no
 * address, no interval or time limit; HF_EEXIST for a number in use, HF_ELIMIT for one too high.
 */
int hf_checker_add(struct hf_checker *checker, const struct hf_config_check *check,
                   const struct hf_config_backend *backend, uint32_t probe,
                   char ret_why[HF_CHECK_WHY_MAX]);
void hf_checker_remove(struct hf_checker *checker, uint32_t probe);

/* Stops all probes; closed runs when nothing is left and the checker is gone. */
void hf_checker_close(struct hf_checker *checker, void (*closed)(void *context), void *context);

#endif
