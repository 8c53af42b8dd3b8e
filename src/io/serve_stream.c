/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Event streams. Each is a response without end, whose octets libmicrohttpd asks for; where there
 * are none, its connection is suspended until the next event. Events are kept once for all of them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/serve_internal.h"

#define BEAT ":\n\n"

enum { STREAM_BLOCK = 4096 };

/* Its slot is free at once; libmicrohttpd closes the connection when it sees the shutdown. */
static void drop(struct serve_stream *stream)
{
    if (!stream->is_dropped) {
        stream->is_dropped = true;
        stream->serve->counters.streams_dropped++;
        (void)shutdown(stream->fd, SHUT_RDWR);
    }
}

static ssize_t on_room(void *context, uint64_t position, char *bytes, size_t room)
{
    struct serve_stream *stream = context;
    struct hf_serve *serve = stream->serve;
    (void)position;
    if (serve->is_closing) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (hf_serve_reader_is_lost(&stream->reader, &serve->events)) {
        drop(stream);
    }
    if (stream->is_dropped) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t size = hf_serve_reader_take(&stream->reader, &serve->events, bytes, room);
    if (size == 0 && stream->owes_beat && room >= sizeof BEAT - 1) {
        size = sizeof BEAT - 1;
        memcpy(bytes, BEAT, size);
    }
    stream->owes_beat = false; /* an event does as well */
    if (size == 0) {
        stream->is_idle = true;
        MHD_suspend_connection(stream->mhd);
    }
    return (ssize_t)size;
}

static void on_end(void *context)
{
    struct serve_stream *stream = context;
    struct hf_serve *serve = stream->serve;
    if (stream->previous != NULL) {
        stream->previous->next = stream->next;
    } else {
        serve->streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    serve->stream_count--;
    free(stream);
}

static struct serve_stream *add_stream(struct serve_request *request, const char *last_id)
{
    struct hf_serve *serve = request->serve;
    struct serve_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        abort();
    }
    stream->serve = serve;
    stream->mhd = request->mhd;
    stream->fd = request->connection->fd;
    hf_serve_reader_init(&stream->reader, &serve->events, last_id, HF_SERVE_STREAM_BEHIND);
    stream->next = serve->streams;
    if (stream->next != NULL) {
        stream->next->previous = stream;
    }
    serve->streams = stream;
    serve->stream_count++;
    return stream;
}

enum MHD_Result hf_serve_stream_start(struct serve_request *request, const char *last_id)
{
    struct hf_serve *serve = request->serve;
    if (serve->stream_count >= HF_SERVE_STREAMS_MAX) {
        serve->counters.refused_busy++;
        hf_serve_answer_error(&request->answer, 503, "busy", "there are too many event streams");
        return hf_serve_answer_send(request);
    }
    int kept = HF_SERVE_SNDBUF;
    (void)setsockopt(request->connection->fd, SOL_SOCKET, SO_SNDBUF, &kept, sizeof kept);
    struct serve_stream *stream = add_stream(request, last_id);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_room, stream, on_end);
    if (response == NULL) {
        on_end(stream);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_NO;
    if (hf_serve_answer_add_fields(response) &&
        MHD_add_response_header(response, "Content-Type", "text/event-stream") == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES) {
        request->phase = SERVE_STREAMS;
        request->connection->deadline_ms = 0;
        serve->counters.requests[2]++;
        result = MHD_queue_response(request->mhd, MHD_HTTP_OK, response);
    }
    MHD_destroy_response(response);
    return result;
}

static void resume(struct serve_stream *stream)
{
    if (stream->is_idle) {
        stream->is_idle = false;
        MHD_resume_connection(stream->mhd);
    }
}

void hf_serve_streams_resume(struct hf_serve *serve)
{
    for (struct serve_stream *at = serve->streams; at != NULL; at = at->next) {
        resume(at);
    }
    hf_serve_run_soon(serve);
}

/* One tick behind may be a burst that is on its way; two are a reader that does not keep up. */
static void judge(struct serve_stream *stream)
{
    uint64_t behind = hf_serve_reader_behind(&stream->reader, &stream->serve->events);
    bool is_behind = behind > HF_SERVE_STREAM_BEHIND;
    if (is_behind && stream->was_behind) {
        drop(stream);
    }
    stream->was_behind = is_behind;
}

void hf_serve_streams_tick(struct hf_serve *serve, uint64_t now_ms)
{
    bool beats = now_ms - serve->beat_ms >= HF_SERVE_BEAT_MS;
    for (struct serve_stream *at = serve->streams; at != NULL; at = at->next) {
        judge(at);
        if (beats && at->is_idle) {
            at->owes_beat = true;
            resume(at);
        }
    }
    if (beats) {
        serve->beat_ms = now_ms;
        hf_serve_run_soon(serve);
    }
}

void hf_serve_event(struct hf_serve *serve, const char *name, const char *json)
{
    hf_serve_events_add(&serve->events, name, json);
    hf_serve_streams_resume(serve);
}
