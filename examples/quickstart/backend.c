/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A backend to play with. It answers over HTTP, and falls ill when told to:
 *
 *   holdfast-demo-backend --listen 127.0.0.11@8080 --name web-1
 *
 *   GET /           200 and its name
 *   GET /healthz    200 "ok", or 503 "failing" between the next two
 *   POST /fail      from now on /healthz fails
 *   POST /recover   from now on /healthz is well again
 *
 * Ends at SIGINT and SIGTERM, and when the program that started it ends. Exit status 0 then,
 * 1 when it cannot listen, 2 for wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

enum {
    BACKLOG = 128,
    REQUEST_MAX = 4096, /* octets of a request's head; a longer one is refused */
    RESPONSE_MAX = 512,
    NAME_MAX_SIZE = 63,
    PATIENCE_MS = 10000, /* for a request to arrive */
};

struct backend {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_signal_t interrupt, terminate;
    const char *name;
    bool is_failing;
};

struct visit {
    struct backend *backend;
    uv_tcp_t tcp;
    uv_timer_t patience;
    uv_write_t write;
    unsigned open_handles;
    size_t size;
    char request[REQUEST_MAX];
    char response[RESPONSE_MAX];
};

static void visit_handle_closed(uv_handle_t *handle)
{
    struct visit *visit = handle->data;
    if (--visit->open_handles == 0) {
        free(visit);
    }
}

static void visit_close(struct visit *visit)
{
    if (!uv_is_closing((uv_handle_t *)&visit->tcp)) {
        uv_close((uv_handle_t *)&visit->tcp, visit_handle_closed);
        uv_close((uv_handle_t *)&visit->patience, visit_handle_closed);
    }
}

static void lost_patience(uv_timer_t *timer)
{
    visit_close(timer->data);
}

static void response_written(uv_write_t *write, int status)
{
    (void)status;
    visit_close(write->data);
}

static void respond(struct visit *visit, const char *status, const char *text)
{
    int size = snprintf(visit->response, sizeof visit->response,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n%s\n",
                        status, strlen(text) + 1, text);
    uv_buf_t buf = uv_buf_init(visit->response, (unsigned)size);
    visit->write.data = visit;
    uv_read_stop((uv_stream_t *)&visit->tcp);
    if (uv_write(&visit->write, (uv_stream_t *)&visit->tcp, &buf, 1, response_written) != 0) {
        visit_close(visit);
    }
}

static bool asks_for(const struct visit *visit, const char *method_and_target)
{
    size_t size = strlen(method_and_target);
    return visit->size > size && memcmp(visit->request, method_and_target, size) == 0 &&
           (visit->request[size] == ' ' || visit->request[size] == '?');
}

static void answer(struct visit *visit)
{
    struct backend *backend = visit->backend;
    if (asks_for(visit, "GET /healthz")) {
        if (backend->is_failing) {
            respond(visit, "503 Service Unavailable", "failing");
        } else {
            respond(visit, "200 OK", "ok");
        }
    } else if (asks_for(visit, "GET /")) {
        respond(visit, "200 OK", backend->name);
    } else if (asks_for(visit, "POST /fail")) {
        backend->is_failing = true;
        respond(visit, "200 OK", "failing from now on");
    } else if (asks_for(visit, "POST /recover")) {
        backend->is_failing = false;
        respond(visit, "200 OK", "well from now on");
    } else {
        respond(visit, "404 Not Found", "GET / or /healthz, POST /fail or /recover");
    }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct visit *visit = handle->data;
    *ret_buf =
        uv_buf_init(visit->request + visit->size, (unsigned)(sizeof visit->request - visit->size));
}

static void request_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    (void)buf;
    struct visit *visit = stream->data;
    if (size == UV_ENOBUFS) {
        respond(visit, "431 Request Header Fields Too Large", "too long");
    } else if (size < 0) {
        visit_close(visit);
    } else {
        visit->size += (size_t)size;
        if (memmem(visit->request, visit->size, "\r\n\r\n", 4) != NULL) {
            answer(visit);
        }
    }
}

static void visitor_came(uv_stream_t *listener, int status)
{
    struct backend *backend = listener->data;
    if (status != 0) {
        return;
    }
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL) {
        abort();
    }
    visit->backend = backend;
    visit->open_handles = 2;
    uv_tcp_init(&backend->loop, &visit->tcp);
    uv_timer_init(&backend->loop, &visit->patience);
    visit->tcp.data = visit;
    visit->patience.data = visit;
    if (uv_accept(listener, (uv_stream_t *)&visit->tcp) != 0 ||
        uv_timer_start(&visit->patience, lost_patience, PATIENCE_MS, 0) != 0 ||
        uv_read_start((uv_stream_t *)&visit->tcp, give_room, request_read) != 0) {
        visit_close(visit);
    }
}

static void signal_came(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static void handle_close(uv_handle_t *handle, void *context)
{
    struct backend *backend = context;
    bool is_own = handle == (uv_handle_t *)&backend->listener ||
                  handle == (uv_handle_t *)&backend->interrupt ||
                  handle == (uv_handle_t *)&backend->terminate;
    if (is_own) {
        uv_close(handle, NULL);
    } else {
        visit_close(handle->data);
    }
}

/* ADDRESS@PORT, as everywhere in Holdfast. */
static bool read_address(const char *text, struct sockaddr_storage *ret_address)
{
    char host[INET6_ADDRSTRLEN];
    const char *at = strrchr(text, '@');
    if (at == NULL || (size_t)(at - text) >= sizeof host) {
        return false;
    }
    memcpy(host, text, (size_t)(at - text));
    host[at - text] = 0;
    char *end;
    errno = 0;
    long port = strtol(at + 1, &end, 10);
    if (errno != 0 || end == at + 1 || *end != 0 || port < 1 || port > UINT16_MAX) {
        return false;
    }
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret_address) == 0 ||
           uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)ret_address) == 0;
}

static int serve(struct backend *backend, const struct sockaddr_storage *address)
{
    int error = uv_loop_init(&backend->loop);
    if (error != 0) {
        return error;
    }
    uv_tcp_init(&backend->loop, &backend->listener);
    uv_signal_init(&backend->loop, &backend->interrupt);
    uv_signal_init(&backend->loop, &backend->terminate);
    backend->listener.data = backend;
    error = uv_tcp_bind(&backend->listener, (const struct sockaddr *)address, 0);
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&backend->listener, BACKLOG, visitor_came);
    }
    if (error == 0) {
        error = uv_signal_start(&backend->interrupt, signal_came, SIGINT);
    }
    if (error == 0) {
        error = uv_signal_start(&backend->terminate, signal_came, SIGTERM);
    }
    if (error == 0) {
        uv_run(&backend->loop, UV_RUN_DEFAULT);
    }
    uv_walk(&backend->loop, handle_close, backend);
    uv_run(&backend->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&backend->loop);
    return error;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: holdfast-demo-backend --listen ADDRESS@PORT --name NAME\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"name", required_argument, NULL, 'n'},
        {0},
    };
    pid_t parent = getppid();
    const char *listen = NULL;
    struct backend backend = {0};
    int option;
    while ((option = getopt_long(argc, argv, "l:n:", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            listen = optarg;
            break;
        case 'n':
            backend.name = optarg;
            break;
        default:
            return usage();
        }
    }
    struct sockaddr_storage address = {0};
    if (listen == NULL || backend.name == NULL || optind != argc ||
        strlen(backend.name) > NAME_MAX_SIZE || !read_address(listen, &address)) {
        return usage();
    }
    /* The parent may have ended before it could be watched. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    int error = serve(&backend, &address);
    if (error != 0) {
        (void)fprintf(stderr, "holdfast-demo-backend: %s: %s\n", listen, uv_strerror(error));
        return 1;
    }
    return 0;
}
