/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log line: one event of the log as logfmt, as JSON, and as a datagram of journald's native
 * protocol. Pure.
 *
 *   ts=2026-01-31T12:00:00.123Z level=info role=enactor-1 event=zone_read zone=example.test. rrs=9
 *   {"ts":"2026-01-31T12:00:00.123Z","level":"info","role":"enactor-1","event":"zone_read",…}
 *
 * Lines end in a line feed and have at most HF_LOG_LINE_MAX octets; a longer logfmt line ends in
 * "...", and a longer JSON object ends after the value that "..." cuts, so that it stays one.
 * In JSON every value is a string: a name of digits and a generation above 2^53 stay what they are.
 */
#ifndef HF_CODEC_LOG_LINE_H
#define HF_CODEC_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_LOG_LINE_MAX = 4000, /* below PIPE_BUF: lines of several processes do not mix */
    HF_LOG_PAIRS_MAX = 24,
    HF_LOG_DATAGRAM_MAX = 16384, /* text twice, in fields and in MESSAGE */
};

struct hf_log_pair {
    const char *key, *value; /* key: [a-z0-9_]+ */
    size_t key_size, value_size;
};

struct hf_log_event {
    uint64_t at_ms;
    const char *level, *role, *event; /* role "" : none */
    int priority;                     /* as syslog counts: 3 error, 4 warning, 6 info, 7 debug */
    const char *colour;               /* escape sequence of the level, or NULL: no colour */
    struct hf_log_pair pairs[HF_LOG_PAIRS_MAX];
    uint32_t pair_count;
};

struct hf_log_line {
    char text[HF_LOG_LINE_MAX + 1];
    size_t size;
    bool is_cut;
};

void hf_log_line_logfmt(const struct hf_log_event *event, struct hf_log_line *ret_line);
void hf_log_line_json(const struct hf_log_event *event, struct hf_log_line *ret_line);

/*
 * Fields MESSAGE (event and pairs as logfmt), PRIORITY, SYSLOG_IDENTIFIER, HOLDFAST_EVENT,
 * HOLDFAST_ROLE, and HOLDFAST_KEY for each pair. Returns how many octets.
 */
size_t hf_log_line_journal(const struct hf_log_event *event,
                           char ret_datagram[HF_LOG_DATAGRAM_MAX]);

#endif
