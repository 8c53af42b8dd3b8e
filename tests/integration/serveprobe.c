/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP server with a handler for tests, driven by lines on standard input.
 *
 *   serveprobe [--listen ADDRESS@PORT] [--socket PATH] [--tokens PATH] [--certificate PATH]
 *              [--key PATH] [--name NAME]... [--hold PATH] [--descriptors N]
 *
 * Paths: /echo says what the handler was given; /bytes?size=N answers N octets, with an entity tag
 * where etag= says one, already compressed where gzip= is given; /hold waits until the file of
 * --hold is there; /status?code=N answers so; anything else is 404. /events is the event stream.
 *
 * Lines: "event NAME JSON"; "flood COUNT SIZE", that many events at once; "beat MS", an event every
 * MS milliseconds that says by how much it is late; "count" writes the counters and the resident
 * memory as a JSON line; "stop" closes the server, and the program ends when that is done, saying
 * what is still open.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

#include "base/error.h"
#include "codec/json.h"
#include "io/serve.h"

enum { LINE_ROOM = 128 * 1024, NAMES_MAX = 8, HOLD_STEP_US = 5000, JSON_MAX = 1 << 20 };

struct probe {
    uv_loop_t loop;
    uv_pipe_t input;
    uv_timer_t beat;
    uint64_t beat_ms, beat_due_ns;
    struct hf_log log;
    struct hf_serve *serve;
    const char *hold_path;
    char line[LINE_ROOM];
    size_t line_size;
    bool is_stopping;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "serveprobe: %s: %s\n", what, why);
    exit(2);
}

static const char *parameter(const struct hf_serve_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].name, name) == 0) {
            return request->query[i].value;
        }
    }
    return NULL;
}

static unsigned long number(const char *text)
{
    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

static void echo(const struct hf_serve_request *request, struct hf_serve_answer *answer)
{
    static const char *const roles[] = {"nobody", "read", "operator"};
    struct hf_json json;
    hf_json_init(&json, &answer->body, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_text(&json, "method", request->method);
    hf_json_put_text(&json, "path", request->path);
    hf_json_key(&json, "query");
    hf_json_array(&json);
    for (uint32_t i = 0; i < request->query_count; i++) {
        hf_json_array(&json);
        hf_json_text(&json, request->query[i].name);
        hf_json_text(&json, request->query[i].value);
        hf_json_array_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_key(&json, "body");
    hf_json_bytes(&json, request->body, request->body_size);
    hf_json_put_text(&json, "role", roles[request->role]);
    hf_json_put_text(&json, "who", request->who);
    hf_json_put_text(&json, "if_match", request->if_match);
    hf_json_put_text(&json, "if_none_match", request->if_none_match);
    hf_json_object_end(&json);
}

/* Octets that repeat, so that they can be checked and compress well. */
static void put_bytes(struct hf_buf *body, unsigned long size)
{
    static const char line[] = "0123456789abcdef0123456789ABCDE\n";
    for (unsigned long at = 0; at < size; at += sizeof line - 1) {
        unsigned long left = size - at;
        hf_buf_put(body, line, left < sizeof line - 1 ? left : sizeof line - 1);
    }
}

static void compress_body(struct hf_buf *body)
{
    z_stream stream = {0};
    struct hf_buf to;
    (void)deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    uLong bound = deflateBound(&stream, body->size);
    uint8_t *room = malloc(bound);
    if (room == NULL) {
        abort();
    }
    stream.next_in = body->bytes;
    stream.avail_in = (uInt)body->size;
    stream.next_out = room;
    stream.avail_out = (uInt)bound;
    (void)deflate(&stream, Z_FINISH);
    hf_buf_init(&to, HF_SERVE_ANSWER_MAX);
    hf_buf_put(&to, room, stream.total_out);
    (void)deflateEnd(&stream);
    free(room);
    hf_buf_release(body);
    *body = to;
}

static void bytes(const struct hf_serve_request *request, struct hf_serve_answer *answer)
{
    const char *etag = parameter(request, "etag");
    put_bytes(&answer->body, number(parameter(request, "size")));
    answer->content_type = "text/plain; charset=utf-8";
    answer->is_immutable = parameter(request, "immutable") != NULL;
    if (etag != NULL) {
        (void)snprintf(answer->etag, sizeof answer->etag, "\"%.60s\"", etag);
    }
    if (parameter(request, "gzip") != NULL) {
        compress_body(&answer->body);
        answer->is_gzip = true;
    }
}

static void handle(void *context, const struct hf_serve_request *request,
                   struct hf_serve_answer *ret_answer)
{
    const struct probe *probe = context;
    if (strcmp(request->path, "/bytes") == 0) {
        bytes(request, ret_answer);
    } else if (strcmp(request->path, "/status") == 0) {
        ret_answer->status = (uint16_t)number(parameter(request, "code"));
        ret_answer->location = parameter(request, "location") == NULL ? NULL : "/elsewhere";
        hf_buf_put_text(&ret_answer->body, "{}");
    } else if (strcmp(request->path, "/echo") == 0 || strcmp(request->path, "/hold") == 0 ||
               strcmp(request->path, "/healthz") == 0 || strncmp(request->path, "/echo/", 6) == 0) {
        while (strcmp(request->path, "/hold") == 0 && access(probe->hold_path, F_OK) != 0) {
            (void)usleep(HOLD_STEP_US);
        }
        echo(request, ret_answer);
    } else {
        ret_answer->status = 404;
        hf_buf_put_text(&ret_answer->body, "{\"error\":{\"code\":\"not_found\"}}");
    }
}

static unsigned long resident_kib(void)
{
    char text[256] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL) {
        die("/proc/self/statm", "unreadable");
    }
    (void)fclose(file);
    char *end;
    (void)strtoul(text, &end, 10);
    return strtoul(end, NULL, 10) * 4;
}

static void count(struct probe *probe)
{
    struct hf_serve_counters counters;
    struct hf_buf text;
    struct hf_json json;
    hf_serve_count(probe->serve, &counters);
    hf_buf_init(&text, JSON_MAX);
    hf_json_init(&json, &text, HF_JSON_COMPACT);
    hf_json_object(&json);
    for (unsigned i = 0; i < 6; i++) {
        char key[] = "requests_0";
        key[sizeof key - 2] = (char)('0' + i);
        hf_json_put_u64(&json, key, counters.requests[i]);
    }
    hf_json_put_u64(&json, "refused_busy", counters.refused_busy);
    hf_json_put_u64(&json, "refused_token", counters.refused_token);
    hf_json_put_u64(&json, "refused_origin", counters.refused_origin);
    hf_json_put_u64(&json, "streams_dropped", counters.streams_dropped);
    hf_json_put_u64(&json, "connections", counters.connections);
    hf_json_put_u64(&json, "streams", counters.streams);
    hf_json_put_u64(&json, "waiting", counters.waiting);
    hf_json_put_u64(&json, "resident_kib", resident_kib());
    hf_json_object_end(&json);
    (void)puts(hf_buf_text(&text));
    hf_buf_release(&text);
}

static void flood(struct probe *probe, unsigned long events, unsigned long size)
{
    char *json = malloc(size + 3);
    if (json == NULL) {
        abort();
    }
    json[0] = json[size + 1] = '"';
    memset(json + 1, 'x', size);
    json[size + 2] = 0;
    for (unsigned long i = 0; i < events; i++) {
        hf_serve_event(probe->serve, "flood", json);
    }
    free(json);
}

static void on_beat(uv_timer_t *timer)
{
    struct probe *probe = timer->data;
    uint64_t now_ns = uv_hrtime();
    char json[64];
    uint64_t late_ns = now_ns > probe->beat_due_ns ? now_ns - probe->beat_due_ns : 0;
    (void)snprintf(json, sizeof json, "{\"late_us\":%llu}", (unsigned long long)(late_ns / 1000));
    hf_serve_event(probe->serve, "beat", json);
    probe->beat_due_ns = now_ns + probe->beat_ms * 1000000;
}

static void on_closed(void *context)
{
    struct probe *probe = context;
    unsigned open_count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        open_count++;
    }
    (void)printf("{\"closed\":true,\"descriptors\":%u}\n", open_count);
    if (folder != NULL) {
        (void)closedir(folder);
    }
    uv_close((uv_handle_t *)&probe->input, NULL);
    uv_close((uv_handle_t *)&probe->beat, NULL);
}

static void obey(struct probe *probe, char *line)
{
    char *end;
    if (strncmp(line, "event ", 6) == 0) {
        char *name = line + 6;
        char *json = strchr(name, ' ');
        if (json == NULL) {
            die(line, "no JSON");
        }
        *json++ = 0;
        hf_serve_event(probe->serve, name, json);
    } else if (strncmp(line, "flood ", 6) == 0) {
        unsigned long events = strtoul(line + 6, &end, 10);
        flood(probe, events, strtoul(end, NULL, 10));
    } else if (strncmp(line, "beat ", 5) == 0) {
        probe->beat_ms = number(line + 5);
        probe->beat_due_ns = uv_hrtime() + probe->beat_ms * 1000000;
        (void)uv_timer_start(&probe->beat, on_beat, probe->beat_ms, probe->beat_ms);
    } else if (strcmp(line, "count") == 0) {
        count(probe);
    } else if (strcmp(line, "stop") == 0 && !probe->is_stopping) {
        probe->is_stopping = true;
        (void)uv_timer_stop(&probe->beat);
        hf_serve_close(probe->serve, on_closed, probe);
    }
    (void)fflush(stdout);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_room)
{
    struct probe *probe = handle->data;
    (void)wanted;
    *ret_room = uv_buf_init(probe->line + probe->line_size,
                            (unsigned)(sizeof probe->line - probe->line_size - 1));
}

static void on_input(uv_stream_t *input, ssize_t size, const uv_buf_t *room)
{
    struct probe *probe = input->data;
    (void)room;
    if (size < 0) {
        char stop[] = "stop";
        (void)uv_read_stop(input);
        obey(probe, stop);
        return;
    }
    probe->line_size += (size_t)size;
    probe->line[probe->line_size] = 0;
    char *at = probe->line, *end;
    while ((end = strchr(at, '\n')) != NULL) {
        *end = 0;
        obey(probe, at);
        at = end + 1;
    }
    probe->line_size = strlen(at);
    memmove(probe->line, at, probe->line_size + 1);
}

static void lower_descriptors(const char *text)
{
    struct rlimit limit = {.rlim_cur = number(text), .rlim_max = number(text)};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("--descriptors", text);
    }
}

static void read_words(char **words, struct probe *probe, struct hf_serve_options *options,
                       const char **names)
{
    options->names = names;
    for (; words[0] != NULL && words[1] != NULL; words += 2) {
        if (strcmp(words[0], "--listen") == 0) {
            options->listen = words[1];
        } else if (strcmp(words[0], "--socket") == 0) {
            options->socket_path = words[1];
        } else if (strcmp(words[0], "--tokens") == 0) {
            options->tokens_path = words[1];
        } else if (strcmp(words[0], "--certificate") == 0) {
            options->certificate_path = words[1];
        } else if (strcmp(words[0], "--key") == 0) {
            options->key_path = words[1];
        } else if (strcmp(words[0], "--hold") == 0) {
            probe->hold_path = words[1];
        } else if (strcmp(words[0], "--descriptors") == 0) {
            lower_descriptors(words[1]);
        } else if (strcmp(words[0], "--name") == 0 && options->name_count < NAMES_MAX) {
            names[options->name_count++] = words[1];
        } else {
            die(words[0], "unknown");
        }
    }
}

int main(int argc, char **argv)
{
    struct probe *probe = calloc(1, sizeof *probe);
    const char *names[NAMES_MAX];
    struct hf_serve_options options = {
        .events_path = "/events", .handler = handle, .context = probe};
    if (probe == NULL || argc < 1 || uv_loop_init(&probe->loop) != 0) {
        abort();
    }
    read_words(argv + 1, probe, &options, names);
    hf_log_init(&probe->log, NULL, false);
    int error = hf_serve_open(&probe->loop, &options, &probe->log, &probe->serve);
    if (error != HF_OK) {
        (void)fprintf(stderr, "serveprobe: %s\n", hf_strerror(error));
        (void)uv_run(&probe->loop, UV_RUN_DEFAULT);
        return 1;
    }
    (void)uv_pipe_init(&probe->loop, &probe->input, 0);
    (void)uv_pipe_open(&probe->input, STDIN_FILENO);
    (void)uv_timer_init(&probe->loop, &probe->beat);
    probe->input.data = probe->beat.data = probe;
    (void)uv_read_start((uv_stream_t *)&probe->input, on_room, on_input);
    (void)puts("{\"ready\":true}");
    (void)fflush(stdout);
    (void)uv_run(&probe->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&probe->loop);
    hf_log_release(&probe->log);
    free(probe);
    return busy == 0 ? 0 : 3;
}
