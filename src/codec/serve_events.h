/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve events: the last events of a stream of server-sent events, and how far each reader is.
 *
 * Every event is kept once, whoever reads it: HF_SERVE_EVENTS_KEPT of them and no more than
 * HF_SERVE_EVENTS_BYTES. Ids are "EPOCH-NUMBER", epoch in eight hexadecimal digits; numbers rise
 * by one from 1. A reader is a place in this sequence of octets; one that is so far behind that its
 * next octet is no longer kept is lost, and must be closed.
 */
#ifndef HF_CODEC_SERVE_EVENTS_H
#define HF_CODEC_SERVE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_SERVE_EVENTS_KEPT = 1024,     /* for Last-Event-ID */
    HF_SERVE_EVENTS_BYTES = 4 << 20, /* all that are kept */
    HF_SERVE_EVENT_MAX = 64 * 1024,  /* octets of one; a longer one becomes "reset" */
    HF_SERVE_EVENT_NAME_MAX = 32,
    HF_SERVE_GREETING_ROOM = 128,
};

struct hf_serve_event {
    char *text; /* as it is sent */
    uint32_t size;
};

struct hf_serve_events {
    uint32_t epoch;
    uint32_t count; /* kept */
    uint64_t last;  /* number of the last event; 0: none */
    uint64_t total; /* octets of all events ever */
    size_t kept_bytes;
    struct hf_serve_event ring[HF_SERVE_EVENTS_KEPT]; /* number % HF_SERVE_EVENTS_KEPT */
};

struct hf_serve_reader {
    uint64_t next;   /* number of the event that it is at */
    uint32_t offset; /* octets of it that it has */
    uint64_t read;   /* octets of the whole sequence that it has, or passed over */
    char greeting[HF_SERVE_GREETING_ROOM];
    uint32_t greeting_size, greeting_offset;
};

void hf_serve_events_init(struct hf_serve_events *events, uint32_t epoch);
void hf_serve_events_release(struct hf_serve_events *events);

/* name: [a-z-]+; json: one line, without CR and LF. */
void hf_serve_events_add(struct hf_serve_events *events, const char *name, const char *json);

/*
 * A reader that comes with last_id, the value of its Last-Event-ID or NULL. What it missed is
 * before it if all of that is kept and at most backlog_max octets; else it stands at the end, and
 * hears "reset" first if it came with an id. It is greeted with an id, so that it has one to come
 * back with before the first event.
 */
void hf_serve_reader_init(struct hf_serve_reader *reader, const struct hf_serve_events *events,
                          const char *last_id, uint64_t backlog_max);

/* Copies the next octets; 0 where there are none now. */
size_t hf_serve_reader_take(struct hf_serve_reader *reader, const struct hf_serve_events *events,
                            char *ret_bytes, size_t room);

/* Octets that it has not yet taken. */
uint64_t hf_serve_reader_behind(const struct hf_serve_reader *reader,
                                const struct hf_serve_events *events);
bool hf_serve_reader_is_lost(const struct hf_serve_reader *reader,
                             const struct hf_serve_events *events);
/* It stands between two events: a comment may be sent. */
bool hf_serve_reader_is_between(const struct hf_serve_reader *reader);

#endif
