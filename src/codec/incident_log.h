/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incident log: the incidents of the last 90 days with their texts, one JSON document in the store
 * under the ref "incidents" (HF_INCIDENT_LOG_REF).
 *
 * The log holds everything that decides what happens next (core/incident.h), so that whoever
 * writes it, loads it, steps it with what it sees and saves it by compare-and-swap: two that
 * observe at once open nothing twice, and a message that comes between is not lost.
 * Texts and rows hang in the log's arena; what a change replaces stays there until the log is
 * decoded anew, which hf_incidents_save (holdfast/incidents.h) does.
 */
#ifndef HF_CODEC_INCIDENT_LOG_H
#define HF_CODEC_INCIDENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/severity.h"
#include "core/impact.h"
#include "core/incident.h"

#define HF_INCIDENT_LOG_REF "incidents"
#define HF_INCIDENT_KEPT_MS (UINT64_C(90) * 24 * 3600 * 1000)

enum {
    HF_INCIDENTS_MAX = 1000,               /* the oldest closed ones are forgotten first */
    HF_INCIDENT_LOG_BYTES_MAX = 8 << 20,   /* of the document: likewise */
    HF_INCIDENT_LOG_MEMORY_MAX = 64 << 20, /* of the arena */
    HF_INCIDENT_TIMELINE_MAX = 200,        /* of one incident; later ones are only counted */
    HF_INCIDENT_MESSAGES_MAX = 200,        /* HF_ELIMIT */
    HF_INCIDENT_MESSAGE_BYTES_MAX = 4000,  /* HF_ELIMIT */
    HF_INCIDENT_WHO_BYTES_MAX = 64,        /* cut */
    HF_INCIDENT_TEXT_BYTES_MAX = 1024,     /* of what is seen: cut */
    HF_INCIDENT_ENDPOINTS_MAX = 100,       /* names; there is a count beside them */
    HF_INCIDENT_AFFECTED_MAX = 1000,       /* services, dependents */
};

/* One condition, as the observer sees it. Texts are not NULL; "" for none. */
struct hf_incident_sight {
    enum hf_condition_kind kind;
    enum hf_severity severity;
    const char *code;    /* of the alert: "zone-refused" */
    const char *subject; /* zone, target, role */
    const char *text;
    const char *scopes[HF_SCOPE_COUNT];
};

/* A condition of an incident. */
struct hf_incident_condition {
    struct hf_incident_sight sight; /* as it was when it was first seen */
    uint64_t since_ms;
    uint64_t cleared_ms; /* 0: it holds */
};

struct hf_incident_entry {
    uint64_t at_ms;
    enum hf_incident_event event;
    const char *text;
};

struct hf_incident_message {
    uint64_t at_ms;
    const char *who;
    const char *text;
    bool is_public; /* for the status page */
};

/* A service, or a dependent, and how it is hit. */
struct hf_incident_affected {
    const char *name;
    const char *title;
    const char *criticality; /* of a dependent, "" of a service */
    uint64_t tolerated_ms;   /* of a dependent */
    struct hf_impact impact;
};

struct hf_incident {
    uint64_t number, opened_ms, updated_ms;
    uint64_t closed_ms;        /* 0: open */
    uint64_t merged_into;      /* number of the incident that it became a part of, or 0 */
    uint64_t reopened;         /* how often */
    uint32_t cause;            /* row of conditions */
    enum hf_severity severity; /* the worst so far */
    const char *title;
    uint64_t refused_before,
        refused; /* writes refused by servers: count at its begin, since then */
    struct hf_incident_condition *conditions;
    struct hf_incident_entry *timeline;
    struct hf_incident_message *messages;
    const char **endpoints;
    struct hf_incident_affected *services, *dependents;
    uint32_t condition_count, timeline_count, timeline_dropped, message_count;
    uint32_t endpoint_count; /* in endpoints */
    uint32_t endpoint_total; /* affected at the worst moment */
    uint32_t service_count, dependent_count;
};

/* What does not hold long enough yet. */
struct hf_incident_waiting {
    struct hf_incident_pending rows[HF_CONDITIONS_MAX];
    uint32_t count;
    uint64_t due_ms; /* when the next step is due by itself, UINT64_MAX: never */
};

struct hf_incident_log {
    struct hf_incident *incidents; /* in order of number */
    uint32_t count, room;
    uint64_t next_number;
    uint64_t since_ms; /* when it was begun: before, nobody kept incidents; 0: not yet */
    struct hf_incident_waiting waiting; /* of observers that end after each look */
    uint64_t revision;                  /* rises with every save: no two documents are alike */
    struct hf_arena arena;
};

void hf_incident_log_init(struct hf_incident_log *log);
void hf_incident_log_release(struct hf_incident_log *log);

/* incident_log_encode.c: the document; HF_ELIMIT of the buf is sticky in it. */
void hf_incident_log_encode(const struct hf_incident_log *log, struct hf_buf *ret_json);
/* The members "timeline" and "timeline_dropped" of an incident, which the API has, too. */
void hf_incident_log_put_timeline(struct hf_json *json, const struct hf_incident *incident);
/* incident_log_decode.c: HF_EMALF for what encode does not write. ret_log: release it. */
int hf_incident_log_decode(const void *bytes, size_t size, struct hf_incident_log *ret_log);

/* The incident, or NULL. Valid until the log changes. */
struct hf_incident *hf_incident_log_find(const struct hf_incident_log *log, uint64_t number);

/*
 * incident_log_step.c: all that is wrong now (see hf_incident_step); of two sights of one kind and
 * subject the first counts. waiting: kept by the caller from step to step, zeroed at first; due_ms
 * is set.
 * ret_changes: what the machine said. False where the log stayed as it was.
 */
bool hf_incident_log_step(struct hf_incident_log *log, const struct hf_incident_sight *sights,
                          uint32_t count, bool is_complete, uint32_t hold_ms, uint64_t now_ms,
                          struct hf_incident_waiting *waiting,
                          struct hf_incident_changes *ret_changes);
/* The open incident that this condition belongs to while it holds, or NULL. */
struct hf_incident *hf_incident_log_of(const struct hf_incident_log *log,
                                       enum hf_condition_kind kind, const char *subject);

/*
 * incident_log_note.c. Adds a message: HF_ENOENT no such incident, HF_EINVAL an empty text or one
 * that is not UTF-8, HF_ELIMIT too long or too many.
 */
int hf_incident_log_say(struct hf_incident_log *log, uint64_t number,
                        const struct hf_incident_message *message);
/* From now on this share of a service's (a dependent's) answers is lost to it; false: no change. */
bool hf_incident_log_hit(struct hf_incident_log *log, struct hf_incident *incident,
                         bool is_dependent, const struct hf_incident_affected *affected,
                         uint32_t share_permille, uint64_t now_ms);
/* An endpoint that it affects; false when it was known, or there is no room for its name. */
bool hf_incident_log_endpoint(struct hf_incident_log *log, struct hf_incident *incident,
                              const char *name);
/* Forgets what is older than HF_INCIDENT_KEPT_MS or beyond the limits; how many. */
uint32_t hf_incident_log_forget(struct hf_incident_log *log, uint64_t now_ms);

/* Appends an entry to the timeline; a text that is too long is cut. */
void hf_incident_log_enter(struct hf_incident_log *log, struct hf_incident *incident,
                           uint64_t at_ms, enum hf_incident_event event, const char *text);
/* A new row at the end of one of an incident's arrays, zeroed. */
void *hf_incident_log_grow(struct hf_incident_log *log, void **rows, uint32_t *count,
                           size_t row_size);
/* A copy in the arena, cut to at most max octets at the end of a character. */
const char *hf_incident_log_text(struct hf_incident_log *log, const char *text, size_t max);

/* incident_words.c: what a condition is called, inside the house: "Target edge cannot be reached"
 */
void hf_incident_title(enum hf_condition_kind kind, const char *subject, struct hf_buf *ret_text);
/* The same for everybody, without names of anything. */
const char *hf_incident_public_title(enum hf_condition_kind kind);
const char *hf_condition_kind_name(enum hf_condition_kind kind);  /* "target-unreachable" */
const char *hf_incident_event_name(enum hf_incident_event event); /* "opened" */
/* HF_EMALF for what is no name of one. */
int hf_condition_kind_parse(const char *name, enum hf_condition_kind *ret_kind);
int hf_incident_event_parse(const char *name, enum hf_incident_event *ret_event);

/* In permille; a service's without tolerated time is its share now. */
uint32_t hf_incident_score(const struct hf_incident_affected *affected, uint64_t now_ms);

#endif
