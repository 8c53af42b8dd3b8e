/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/serve_events.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_FRAME_MAX = 128 }; /* all of an event but its JSON */

static struct hf_serve_event *event_at(struct hf_serve_events *events, uint64_t number)
{
    return &events->ring[number % HF_SERVE_EVENTS_KEPT];
}

static const struct hf_serve_event *kept_at(const struct hf_serve_events *events, uint64_t number)
{
    return &events->ring[number % HF_SERVE_EVENTS_KEPT];
}

static uint64_t first_kept(const struct hf_serve_events *events)
{
    return events->last - events->count + 1;
}

void hf_serve_events_init(struct hf_serve_events *events, uint32_t epoch)
{
    *events = (struct hf_serve_events){.epoch = epoch};
}

static void drop_first(struct hf_serve_events *events)
{
    struct hf_serve_event *event = event_at(events, first_kept(events));
    free(event->text);
    events->kept_bytes -= event->size;
    *event = (struct hf_serve_event){0};
    events->count--;
}

void hf_serve_events_release(struct hf_serve_events *events)
{
    while (events->count > 0) {
        drop_first(events);
    }
}

void hf_serve_events_add(struct hf_serve_events *events, const char *name, const char *json)
{
    assert(strlen(name) <= HF_SERVE_EVENT_NAME_MAX && strpbrk(json, "\r\n") == NULL);
    if (strlen(json) > HF_SERVE_EVENT_MAX) {
        name = "reset";
        json = "{}";
    }
    if (events->count == HF_SERVE_EVENTS_KEPT) {
        drop_first(events);
    }
    size_t room = strlen(json) + EVENT_FRAME_MAX;
    char *text = malloc(room);
    if (text == NULL) {
        abort();
    }
    events->last++;
    int size = snprintf(text, room, "id: %08" PRIx32 "-%" PRIu64 "\nevent: %s\ndata: %s\n\n",
                        events->epoch, events->last, name, json);
    assert(size > 0 && (size_t)size < room);
    *event_at(events, events->last) = (struct hf_serve_event){text, (uint32_t)size};
    events->count++;
    events->total += (uint32_t)size;
    events->kept_bytes += (uint32_t)size;
    while (events->kept_bytes > HF_SERVE_EVENTS_BYTES) {
        drop_first(events);
    }
}

/* False for what is no id of this epoch. */
static bool parse_id(const struct hf_serve_events *events, const char *id, uint64_t *ret_number)
{
    char epoch[16];
    int size = snprintf(epoch, sizeof epoch, "%08" PRIx32 "-", events->epoch);
    assert(size == 9);
    size_t digits = 0;
    uint64_t number = 0;
    if (strncmp(id, epoch, (size_t)size) != 0) {
        return false;
    }
    id += size;
    for (; id[digits] >= '0' && id[digits] <= '9' && digits < 19; digits++) {
        number = number * 10 + (uint64_t)(id[digits] - '0');
    }
    *ret_number = number;
    return digits > 0 && id[digits] == 0;
}

/* Octets of the events after number, all of which are kept. */
static uint64_t bytes_after(const struct hf_serve_events *events, uint64_t number)
{
    uint64_t bytes = 0;
    while (number < events->last) {
        number++;
        bytes += kept_at(events, number)->size;
    }
    return bytes;
}

void hf_serve_reader_init(struct hf_serve_reader *reader, const struct hf_serve_events *events,
                          const char *last_id, uint64_t backlog_max)
{
    uint64_t number = 0;
    bool is_known = last_id != NULL && parse_id(events, last_id, &number) &&
                    number <= events->last && number + 1 >= first_kept(events) &&
                    bytes_after(events, number) <= backlog_max;
    if (!is_known) {
        number = events->last;
    }
    *reader = (struct hf_serve_reader){.next = number + 1,
                                       .read = events->total - bytes_after(events, number)};
    bool must_reset = last_id != NULL && !is_known;
    int size = snprintf(reader->greeting, sizeof reader->greeting,
                        "retry: 2000\nid: %08" PRIx32 "-%" PRIu64 "\n%s\n", events->epoch, number,
                        must_reset ? "event: reset\ndata: {}\n" : "");
    assert(size > 0 && (size_t)size < sizeof reader->greeting);
    reader->greeting_size = (uint32_t)size;
}

static size_t take(const char *from, uint32_t size, uint32_t *offset, char *ret_bytes, size_t room)
{
    size_t left = size - *offset;
    size_t count = left < room ? left : room;
    memcpy(ret_bytes, from + *offset, count);
    *offset += (uint32_t)count;
    return count;
}

size_t hf_serve_reader_take(struct hf_serve_reader *reader, const struct hf_serve_events *events,
                            char *ret_bytes, size_t room)
{
    assert(!hf_serve_reader_is_lost(reader, events));
    size_t size =
        take(reader->greeting, reader->greeting_size, &reader->greeting_offset, ret_bytes, room);
    while (size < room && reader->next <= events->last) {
        const struct hf_serve_event *event = kept_at(events, reader->next);
        size_t count =
            take(event->text, event->size, &reader->offset, ret_bytes + size, room - size);
        size += count;
        reader->read += count;
        if (reader->offset == event->size) {
            reader->next++;
            reader->offset = 0;
        }
    }
    return size;
}

uint64_t hf_serve_reader_behind(const struct hf_serve_reader *reader,
                                const struct hf_serve_events *events)
{
    return events->total - reader->read + (reader->greeting_size - reader->greeting_offset);
}

bool hf_serve_reader_is_lost(const struct hf_serve_reader *reader,
                             const struct hf_serve_events *events)
{
    return reader->next < first_kept(events);
}

bool hf_serve_reader_is_between(const struct hf_serve_reader *reader)
{
    return reader->offset == 0 && reader->greeting_offset == reader->greeting_size;
}
