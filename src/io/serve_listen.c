/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening and accepting. libmicrohttpd is given connections, not the listening socket: its own
 * accept has no room for the address of a Unix client that is bound to a name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/serve_internal.h"

enum { BACKLOG = 512, UNACKED_MS = 60000, WHY_ROOM = 256 };

/* "ADDRESS@PORT". */
static int parse_listen(const char *listen, struct sockaddr_storage *ret_address)
{
    const char *at = strchr(listen, '@');
    size_t size = at == NULL ? 0 : (size_t)(at - listen);
    char host[INET6_ADDRSTRLEN];
    char *end = NULL;
    unsigned long port = at == NULL ? 0 : strtoul(at + 1, &end, 10);
    if (at == NULL || size >= sizeof host || at[1] < '0' || at[1] > '9' || *end != 0 ||
        port > UINT16_MAX) {
        return HF_EMALF;
    }
    memcpy(host, listen, size);
    host[size] = 0;
    return hf_address_parse(host, (uint16_t)port, ret_address);
}

static socklen_t size_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int listen_tcp(struct hf_serve *serve)
{
    struct sockaddr_storage address;
    int one = 1;
    if (parse_listen(serve->options.listen, &address) != HF_OK) {
        hf_log(serve->log, HF_LOG_ERROR, "api_listen_failed", "listen=%s why=%s",
               serve->options.listen, "expected ADDRESS@PORT, such as 127.0.0.1@8053");
        return HF_EMALF;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_v6 = address.ss_family == AF_INET6;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
        bind(fd, (const struct sockaddr *)&address, size_of(&address)) != 0 ||
        listen(fd, BACKLOG) != 0) {
        hf_log(serve->log, HF_LOG_ERROR, "api_listen_failed", "listen=%s why=%s",
               serve->options.listen, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return HF_EIO;
    }
    serve->listeners[SERVE_LISTEN_TCP].fd = fd;
    return HF_OK;
}

static int listen_unix(struct hf_serve *serve)
{
    struct serve_listener *listener = &serve->listeners[SERVE_LISTEN_UNIX];
    char why[WHY_ROOM];
    struct stat file = {0};
    int error =
        hf_serve_unix_listen(serve->options.socket_path, why, sizeof why, &listener->fd, &file);
    if (error != HF_OK) {
        hf_log(serve->log, HF_LOG_ERROR, "api_listen_failed", "why=%s", why);
        return error;
    }
    listener->is_unix = true;
    listener->dev = file.st_dev;
    listener->ino = file.st_ino;
    return HF_OK;
}

int hf_serve_listen(struct hf_serve *serve)
{
    int error = serve->options.listen != NULL ? listen_tcp(serve) : HF_OK;
    if (error == HF_OK && serve->options.socket_path != NULL) {
        error = listen_unix(serve);
    }
    return error;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
        return ntohl(ipv4->sin_addr.s_addr) >> 24 == 127;
    }
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* What is known of a connection when it comes; false: the peer is gone already. */
static bool describe(struct serve_connection *connection, bool is_unix)
{
    connection->is_unix = is_unix;
    if (is_unix) {
        struct ucred peer = {0};
        socklen_t size = sizeof peer;
        int failed = getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        connection->uid = peer.uid;
        return failed == 0;
    }
    struct sockaddr_storage here = {0}, there = {0};
    socklen_t here_size = sizeof here, there_size = sizeof there;
    if (getsockname(connection->fd, (struct sockaddr *)&here, &here_size) != 0 ||
        getpeername(connection->fd, (struct sockaddr *)&there, &there_size) != 0) {
        return false;
    }
    connection->is_loopback = is_loopback(&here) && is_loopback(&there);
    hf_address_text(&here, connection->address);
    connection->address[strcspn(connection->address, "@")] = 0;
    unsigned unacked_ms = UNACKED_MS;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof unacked_ms);
    return true;
}

/* libmicrohttpd closes the descriptor, also where it refuses; the address is not looked at. */
static void take(struct serve_listener *listener, int fd)
{
    struct hf_serve *serve = listener->serve;
    struct sockaddr_in nobody = {.sin_family = AF_INET};
    bool is_tls = listener->daemon == &serve->daemons[SERVE_TLS];
    serve->arriving = (struct serve_connection){.serve = serve, .fd = fd, .is_shaking = is_tls};
    if (serve->connection_count >= serve->connection_max ||
        !describe(&serve->arriving, listener->is_unix)) {
        (void)close(fd);
        return;
    }
    (void)MHD_add_connection(listener->daemon->mhd, fd, (const struct sockaddr *)&nobody,
                             sizeof nobody);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct serve_listener *listener = poll->data;
    (void)events;
    for (int i = 0; status == 0 && i < HF_SERVE_ACCEPTS_MAX; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(listener, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            hf_log(listener->serve->log, HF_LOG_WARNING, "api_accept_failed", "why=%s",
                   strerror(errno));
            (void)uv_poll_stop(poll); /* it would call again at once */
            listener->is_resting = true;
            break;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            break;
        }
    }
    hf_serve_run(listener->daemon);
}

void hf_serve_listen_start(struct hf_serve *serve)
{
    for (int i = 0; i < SERVE_LISTENERS; i++) {
        struct serve_listener *listener = &serve->listeners[i];
        listener->serve = serve;
        bool is_tls = serve->tls != NULL && !listener->is_unix;
        listener->daemon = &serve->daemons[is_tls ? SERVE_TLS : SERVE_PLAIN];
        if (listener->fd >= 0 && uv_poll_init(serve->loop, &listener->poll, listener->fd) == 0) {
            listener->poll.data = listener;
            listener->is_open = true;
            serve->open_handles++;
            (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
        }
    }
}

void hf_serve_listen_wake(struct hf_serve *serve)
{
    for (int i = 0; i < SERVE_LISTENERS; i++) {
        struct serve_listener *listener = &serve->listeners[i];
        if (listener->is_resting) {
            listener->is_resting = false;
            (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
        }
    }
}

/* Another process may have put its own socket there meanwhile. */
static void remove_file(const struct serve_listener *listener)
{
    struct stat file;
    const char *path = listener->serve->options.socket_path;
    if (lstat(path, &file) == 0 && file.st_dev == listener->dev && file.st_ino == listener->ino) {
        (void)unlink(path);
    }
}

void hf_serve_listen_stop(struct hf_serve *serve)
{
    for (int i = 0; i < SERVE_LISTENERS; i++) {
        struct serve_listener *listener = &serve->listeners[i];
        listener->serve = serve;
        listener->is_resting = false;
        if (listener->is_open) {
            listener->is_open = false;
            hf_serve_close_handle(serve, (uv_handle_t *)&listener->poll);
        }
        if (listener->fd >= 0 && listener->is_unix) {
            remove_file(listener);
        }
        if (listener->fd >= 0) {
            (void)close(listener->fd);
            listener->fd = -1;
        }
    }
}

void hf_serve_connection_notice(void *context, struct MHD_Connection *mhd, void **socket_context,
                                enum MHD_ConnectionNotificationCode code)
{
    struct hf_serve *serve = context;
    (void)mhd;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct serve_connection *connection = malloc(sizeof *connection);
        if (connection == NULL) {
            abort();
        }
        *connection = serve->arriving;
        connection->deadline_ms = uv_now(serve->loop) + (uint64_t)HF_SERVE_IDLE_S * 1000;
        connection->next = serve->connections;
        if (connection->next != NULL) {
            connection->next->previous = connection;
        }
        serve->connections = connection;
        serve->connection_count++;
        serve->shaking_count += connection->is_shaking;
        *socket_context = connection;
        return;
    }
    struct serve_connection *connection = *socket_context;
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        serve->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    serve->connection_count--;
    serve->shaking_count -= connection->is_shaking;
    free(connection);
}

void hf_serve_connections_expire(struct hf_serve *serve, uint64_t now_ms)
{
    for (struct serve_connection *at = serve->connections; at != NULL; at = at->next) {
        if (at->deadline_ms != 0 && at->deadline_ms <= now_ms) {
            at->deadline_ms = 0;
            (void)shutdown(at->fd, SHUT_RDWR);
        }
    }
}
