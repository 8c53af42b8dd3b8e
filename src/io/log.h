/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log: one line per event, on standard error, as logfmt or JSON (codec/log_line.h); where journald
 * reads standard error, a message with fields in its native protocol instead. Where that cannot be
 * told, the line goes to standard error as ever.
 *
 * event is a stable name in snake_case that scripts may search for; everything else is for people.
 * A line is written at once and whole, at most HF_LOG_LINE_MAX octets (longer ones end in "...").
 * Logging never blocks and never fails: where the reader of a pipe is gone or does not keep up,
 * lines are dropped and counted, and the next line that goes out says how many. The process must
 * ignore SIGPIPE. Libraries below io do not log. One struct hf_log belongs to one thread.
 */
#ifndef HF_IO_LOG_H
#define HF_IO_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/log_line.h"

enum { HF_LOG_ROLE_MAX = 64 };

enum hf_log_level {
    HF_LOG_DEBUG,
    HF_LOG_INFO,
    HF_LOG_WARNING, /* somebody should look, nothing is lost */
    HF_LOG_ERROR,   /* somebody must look */
};

struct hf_log {
    int fd;
    enum hf_log_level level_min; /* below it nothing is written */
    bool colour;
    bool is_socket;
    bool is_own_fd;
    bool is_shared; /* the descriptors are another log's */
    bool is_json;
    int journal_fd; /* -1: journald is not told */
    const char *journal_path;
    uint64_t dropped_count;
    char role[HF_LOG_ROLE_MAX]; /* "" or the value of role= */
};

/*
 * A log to standard error at level HF_LOG_INFO. role (planner, enactor-1, …) may be NULL. colour
 * is the caller's decision (hf_term_wants_colour).
 */
void hf_log_init(struct hf_log *log, const char *role, bool colour);
/*
 * The form: "logfmt", "json", or "auto": journald's fields where it reads standard error
 * (JOURNAL_STREAM), else logfmt; so is a log until this is called, without journald. HF_EINVAL for
 * another. HOLDFAST_JOURNAL_SOCKET in the environment is another place of journald's, for tests.
 */
int hf_log_use(struct hf_log *log, const char *format);
void hf_log_release(struct hf_log *log);
/* The same log for another thread; not to be used once log is released. */
void hf_log_share(const struct hf_log *log, struct hf_log *ret_log);

/* debug, info, warning or error; HF_EINVAL for any other text. */
int hf_log_level_parse(const char *text, enum hf_log_level *ret_level);

const char *hf_log_level_name(enum hf_log_level level);

/*
 * Writes an event with pairs, a printf format in which every value follows its key:
 *   hf_log(log, HF_LOG_INFO, "write_done", "zone=%s endpoints=%u why=%s", zone, count, why);
 * Keys are [a-z0-9_]; a blank before a key and its '=' separates pairs, any other blank belongs to
 * the value. Values are quoted where they need it, control characters are escaped. pairs may be "".
 */
void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 4, 5)));

#endif
