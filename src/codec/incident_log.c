/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a log, and what is noted in them. */
#include "codec/incident_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/incident_log_internal.h"
#include "codec/utf8.h"

enum { FIRST_ROOM = 16 };

void hf_incident_log_init(struct hf_incident_log *log)
{
    *log = (struct hf_incident_log){.next_number = 1};
    hf_arena_init(&log->arena, HF_INCIDENT_LOG_MEMORY_MAX);
}

void hf_incident_log_release(struct hf_incident_log *log)
{
    free(log->incidents);
    hf_arena_release(&log->arena);
    hf_incident_log_init(log);
}

struct hf_incident *hf_incident_log_find(const struct hf_incident_log *log, uint64_t number)
{
    for (uint32_t i = log->count; i-- > 0;) {
        if (log->incidents[i].number == number) {
            return &log->incidents[i];
        }
    }
    return NULL;
}

struct hf_incident *hf_incident_log_add(struct hf_incident_log *log, uint64_t number)
{
    if (log->count == log->room) {
        log->room = log->room == 0 ? FIRST_ROOM : log->room * 2;
        log->incidents = realloc(log->incidents, log->room * sizeof(*log->incidents));
        if (log->incidents == NULL) {
            abort();
        }
    }
    struct hf_incident *incident = &log->incidents[log->count++];
    *incident = (struct hf_incident){.number = number, .title = "", .severity = HF_SEVERITY_NOTICE};
    return incident;
}

/* Room is the next power of two of the number, here and in what decode makes: no field tells it. */
void *hf_incident_log_grow(struct hf_incident_log *log, void **rows, uint32_t *count,
                           size_t row_size)
{
    if ((*count & (*count - 1)) == 0) {
        size_t room = *count == 0 ? 1 : (size_t)*count * 2;
        void *fresh = hf_arena_array(&log->arena, room, row_size);
        if (fresh == NULL) {
            abort(); /* the limits of rows and texts are far below the arena's */
        }
        if (*count > 0) {
            memcpy(fresh, *rows, *count * row_size);
        }
        *rows = fresh;
    }
    return (char *)*rows + (size_t)(*count)++ * row_size;
}

const char *hf_incident_log_text(struct hf_incident_log *log, const char *text, size_t max)
{
    size_t size = strlen(text);
    if (size > max) {
        size = max;
        while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    const char *copy = hf_arena_copy(&log->arena, text, size);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

void hf_incident_log_enter(struct hf_incident_log *log, struct hf_incident *incident,
                           uint64_t at_ms, enum hf_incident_event event, const char *text)
{
    incident->updated_ms = at_ms > incident->updated_ms ? at_ms : incident->updated_ms;
    if (incident->timeline_count == HF_INCIDENT_TIMELINE_MAX) {
        incident->timeline_dropped++;
        return;
    }
    struct hf_incident_entry *entry = hf_incident_log_grow(
        log, (void **)&incident->timeline, &incident->timeline_count, sizeof(*entry));
    entry->at_ms = at_ms;
    entry->event = event;
    entry->text = hf_incident_log_text(log, text, HF_INCIDENT_TEXT_BYTES_MAX);
}

int hf_incident_log_say(struct hf_incident_log *log, uint64_t number,
                        const struct hf_incident_message *message)
{
    struct hf_incident *incident = hf_incident_log_find(log, number);
    if (incident == NULL) {
        return HF_ENOENT;
    }
    if (message->text[strspn(message->text, " \t\r\n")] == 0 || !hf_utf8_is_text(message->text) ||
        !hf_utf8_is_text(message->who)) {
        return HF_EINVAL;
    }
    if (strlen(message->text) > HF_INCIDENT_MESSAGE_BYTES_MAX ||
        incident->message_count == HF_INCIDENT_MESSAGES_MAX) {
        return HF_ELIMIT;
    }
    struct hf_incident_message *row = hf_incident_log_grow(log, (void **)&incident->messages,
                                                           &incident->message_count, sizeof(*row));
    *row = (struct hf_incident_message){
        .at_ms = message->at_ms,
        .who = hf_incident_log_text(log, message->who, HF_INCIDENT_WHO_BYTES_MAX),
        .text = hf_incident_log_text(log, message->text, HF_INCIDENT_MESSAGE_BYTES_MAX),
        .is_public = message->is_public};
    incident->updated_ms =
        message->at_ms > incident->updated_ms ? message->at_ms : incident->updated_ms;
    return HF_OK;
}

bool hf_incident_log_hit(struct hf_incident_log *log, struct hf_incident *incident,
                         bool is_dependent, const struct hf_incident_affected *affected,
                         uint32_t share_permille, uint64_t now_ms)
{
    struct hf_incident_affected **rows = is_dependent ? &incident->dependents : &incident->services;
    uint32_t *count = is_dependent ? &incident->dependent_count : &incident->service_count;
    uint32_t at = 0;
    while (at < *count && strcmp((*rows)[at].name, affected->name) != 0) {
        at++;
    }
    if (at < *count && (*rows)[at].impact.share == share_permille) {
        return false;
    }
    if (at == *count) {
        if (at == HF_INCIDENT_AFFECTED_MAX) {
            return false;
        }
        struct hf_incident_affected *fresh =
            hf_incident_log_grow(log, (void **)rows, count, sizeof(*fresh));
        fresh->name = hf_incident_log_text(log, affected->name, HF_INCIDENT_TEXT_BYTES_MAX);
        fresh->title = hf_incident_log_text(log, affected->title, HF_INCIDENT_TEXT_BYTES_MAX);
        fresh->criticality =
            hf_incident_log_text(log, affected->criticality, HF_INCIDENT_TEXT_BYTES_MAX);
        fresh->tolerated_ms = affected->tolerated_ms;
    }
    hf_impact_set(&(*rows)[at].impact, share_permille, now_ms);
    return true;
}

bool hf_incident_log_endpoint(struct hf_incident_log *log, struct hf_incident *incident,
                              const char *name)
{
    for (uint32_t i = 0; i < incident->endpoint_count; i++) {
        if (strcmp(incident->endpoints[i], name) == 0) {
            return false;
        }
    }
    if (incident->endpoint_count == HF_INCIDENT_ENDPOINTS_MAX) {
        return false;
    }
    const char **row = hf_incident_log_grow(log, (void **)&incident->endpoints,
                                            &incident->endpoint_count, sizeof(*row));
    *row = hf_incident_log_text(log, name, HF_INCIDENT_TEXT_BYTES_MAX);
    return true;
}

/* The closed incident that ended first, or log->count. */
static uint32_t oldest_closed(const struct hf_incident_log *log)
{
    uint32_t oldest = log->count;
    for (uint32_t i = 0; i < log->count; i++) {
        uint64_t closed = log->incidents[i].closed_ms;
        if (closed != 0 && (oldest == log->count || closed < log->incidents[oldest].closed_ms)) {
            oldest = i;
        }
    }
    return oldest;
}

static bool is_too_big(const struct hf_incident_log *log)
{
    struct hf_buf json;
    hf_buf_init(&json, HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_log_encode(log, &json);
    bool is_too_big = hf_buf_error(&json) != HF_OK;
    hf_buf_release(&json);
    return is_too_big;
}

uint32_t hf_incident_log_forget(struct hf_incident_log *log, uint64_t now_ms)
{
    uint32_t forgotten = 0;
    uint32_t oldest;
    while ((oldest = oldest_closed(log)) < log->count) {
        uint64_t closed = log->incidents[oldest].closed_ms;
        bool is_old = now_ms > closed && now_ms - closed > HF_INCIDENT_KEPT_MS;
        if (!is_old && log->count <= HF_INCIDENTS_MAX && !is_too_big(log)) {
            break;
        }
        log->count--;
        memmove(&log->incidents[oldest], &log->incidents[oldest + 1],
                (log->count - oldest) * sizeof(*log->incidents));
        forgotten++;
    }
    return forgotten;
}
