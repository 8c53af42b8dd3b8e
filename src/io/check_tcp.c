/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plain check takes seven system calls (socket, connect, epoll_ctl, send, recv, setsockopt,
 * close) and a share of two epoll_waits. Sockets are watched edge-triggered for all that may
 * happen to them, so that one epoll_ctl is enough for their whole life.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/address.h"
#include "io/check_probe.h"

enum {
    SEGMENT_MIN = 500,        /* octets that every path takes in one segment */
    CONTENT_ROOM_KEPT = 4096, /* of a body, by an attempt that is free */
};

/* Not in the enumeration: EPOLLET does not fit an int. */
static const uint32_t WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/* Errors that say that this machine has run out of something. */
static bool is_own_trouble(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           error == EADDRNOTAVAIL || error == EAGAIN || error == ENOSPC;
}

static const char *text_of(int error)
{
    return uv_strerror(uv_translate_sys_error(error));
}

static void connect_failed(struct hf_check_attempt *attempt, int error)
{
    if (is_own_trouble(error)) {
        hf_check_attempt_hindered(attempt, "connect: %s (on the checker's side)", text_of(error));
    } else {
        hf_check_attempt_failed(attempt, "connect: %s", text_of(error));
    }
}

static void set_option(int fd, int level, int option, const void *value, socklen_t size)
{
    int result = setsockopt(fd, level, option, value, size);
    assert(result == 0 || errno == EINVAL); /* EINVAL: the connection is gone already */
}

static void send_at_once(int fd)
{
    int yes = 1;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void hf_check_attempt_end(struct hf_check_attempt *attempt)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct hf_checker *checker = attempt->checker;
    if (attempt->fd >= 0) {
        set_option(attempt->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        (void)close(attempt->fd);
        attempt->fd = -1;
    }
    attempt->next = checker->ended_attempts;
    checker->ended_attempts = attempt;
}

void hf_check_attempt_abandon(struct hf_check_attempt *attempt)
{
    attempt->probe->attempt = NULL;
    attempt->probe = NULL;
    hf_check_attempt_end(attempt);
}

void hf_check_attempts_recycle(struct hf_checker *checker)
{
    while (checker->ended_attempts != NULL) {
        struct hf_check_attempt *attempt = checker->ended_attempts;
        checker->ended_attempts = attempt->next;
        SSL_free(attempt->ssl);
        attempt->ssl = NULL;
        hf_buf_release(&attempt->unsent);
        if (attempt->content.room > CONTENT_ROOM_KEPT) {
            hf_buf_release(&attempt->content);
        }
        attempt->next = checker->free_attempts;
        checker->free_attempts = attempt;
    }
}

static uint16_t port_of(const struct hf_check_probe *probe)
{
    return probe->backend->port != 0 ? probe->backend->port : probe->recipe->check->port;
}

static socklen_t address_of(const struct hf_check_probe *probe, struct sockaddr_storage *ret_to)
{
    const struct hf_config_backend *backend = probe->backend;
    uint16_t port = port_of(probe);
    int error = probe->at_aaaa
                    ? hf_address_from_bytes(backend->aaaa, sizeof backend->aaaa, port, ret_to)
                    : hf_address_from_bytes(backend->a, sizeof backend->a, port, ret_to);
    assert(error == 0);
    return probe->at_aaaa ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/*
 * A connection from a local port of the ephemeral range to itself: TCP allows it (RFC 9293 3.5,
 * simultaneous open), and a backend on this machine that is down would look alive.
 */
bool hf_check_attempt_is_to_itself(const struct hf_check_attempt *attempt)
{
    struct sockaddr_storage local = {0}, to = {0};
    socklen_t size = sizeof local;
    if (attempt->fd < 0 || getsockname(attempt->fd, (struct sockaddr *)&local, &size) != 0) {
        return false;
    }
    char here[HF_ADDRESS_TEXT_MAX], there[HF_ADDRESS_TEXT_MAX];
    (void)address_of(attempt->probe, &to);
    hf_address_text(&local, here);
    hf_address_text(&to, there);
    return strcmp(here, there) == 0;
}

static void connected(struct hf_check_attempt *attempt)
{
    enum hf_check_type type = attempt->probe->recipe->check->type;
    if (type == HF_CHECK_TCP && hf_check_attempt_is_to_itself(attempt)) {
        connect_failed(attempt, ECONNREFUSED);
    } else if (type == HF_CHECK_TCP) {
        hf_check_attempt_passed(attempt, 0);
    } else if (type == HF_CHECK_HTTPS) {
        send_at_once(attempt->fd);
        attempt->stage = HF_CHECK_HANDSHAKE;
        hf_check_tls_start(attempt);
    } else { /* to itself: what it reads will be its own request, no response */
        hf_check_http_start(attempt);
    }
}

static void end_connect(struct hf_check_attempt *attempt, uint32_t events)
{
    int error = 0;
    socklen_t size = sizeof error;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        (void)getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) {
        connect_failed(attempt, error);
    } else if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        connected(attempt);
    }
}

static void read_end(struct hf_check_attempt *attempt, int error)
{
    const char *stage =
        attempt->stage == HF_CHECK_HANDSHAKE ? "tls handshake" : hf_http_waits_for(&attempt->http);
    if (error != 0) {
        hf_check_attempt_failed(attempt, "%s: %s", stage, text_of(error));
    } else if (attempt->ssl != NULL) {
        hf_check_tls_read_close(attempt);
    } else {
        hf_check_http_read_close(attempt);
    }
}

/* All that is there; a peer that sends without an end has to let others have their turn. */
static void read_octets(struct hf_check_attempt *attempt, bool is_ended)
{
    struct hf_checker *checker = attempt->checker;
    /* One room for all connections: what is read is used up before the next read. */
    uint8_t *room = checker->read_room;
    for (int i = 0; i < HF_CHECK_READS_MAX && attempt->probe != NULL; i++) {
        ssize_t size = recv(attempt->fd, room, HF_CHECK_READ_ROOM, 0);
        if (size < 0 && errno == EAGAIN) {
            return;
        }
        if (size <= 0) {
            read_end(attempt, size == 0 ? 0 : errno);
            return;
        }
        if (attempt->ssl != NULL) {
            hf_check_tls_read(attempt, room, (size_t)size);
        } else {
            hf_check_http_read(attempt, room, (size_t)size);
        }
        if (size < HF_CHECK_READ_ROOM && !is_ended) {
            return; /* the kernel says when there is more */
        }
    }
    if (attempt->fd >= 0) {
        struct epoll_event again = {.events = WATCHED, .data.ptr = attempt};
        (void)epoll_ctl(checker->epoll_fd, EPOLL_CTL_MOD, attempt->fd, &again);
    }
}

static void send_rest(struct hf_check_attempt *attempt)
{
    struct hf_buf *unsent = &attempt->unsent;
    ssize_t sent = send(attempt->fd, unsent->bytes, unsent->size, MSG_NOSIGNAL);
    if (sent > 0) {
        memmove(unsent->bytes, unsent->bytes + sent, unsent->size - (size_t)sent);
        unsent->size -= (size_t)sent;
    } else if (errno != EAGAIN) {
        hf_buf_clear(unsent); /* the reader will hear of it */
    }
}

static void take_events(struct hf_check_attempt *attempt, uint32_t events)
{
    uint32_t ends = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    attempt->is_end_seen = attempt->is_end_seen || ends != 0;
    if (attempt->keeper != NULL) {
        hf_check_keep_idle_events(attempt);
        return;
    }
    if (attempt->probe != NULL && attempt->stage == HF_CHECK_CONNECT) {
        end_connect(attempt, events);
    } else if (attempt->probe != NULL && attempt->unsent.size > 0 && (events & EPOLLOUT) != 0) {
        send_rest(attempt);
    }
    if (attempt->probe != NULL && ((events & EPOLLIN) != 0 || ends != 0)) {
        read_octets(attempt, ends != 0);
    }
}

void hf_check_events_read(struct hf_checker *checker)
{
    struct epoll_event events[HF_CHECK_EVENTS_MAX];
    int count = HF_CHECK_EVENTS_MAX;
    for (int round = 0; round < HF_CHECK_ROUNDS_MAX && count == HF_CHECK_EVENTS_MAX; round++) {
        count = epoll_wait(checker->epoll_fd, events, HF_CHECK_EVENTS_MAX, 0);
        for (int i = 0; i < count; i++) {
            take_events(events[i].data.ptr, events[i].events);
        }
    }
}

static struct hf_check_attempt *take_free(struct hf_checker *checker)
{
    struct hf_check_attempt *attempt = checker->free_attempts;
    if (attempt != NULL) {
        checker->free_attempts = attempt->next;
        return attempt;
    }
    attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) {
        abort();
    }
    attempt->checker = checker;
    hf_buf_init(&attempt->content, HF_CHECK_BODY_MAX);
    hf_buf_init(&attempt->unsent, HF_CHECK_UNSENT_MAX);
    return attempt;
}

/* 0, or what went wrong at once. */
static int open_connection(struct hf_check_attempt *attempt)
{
    struct sockaddr_storage to;
    socklen_t size = address_of(attempt->probe, &to);
    struct epoll_event watched = {.events = WATCHED, .data.ptr = attempt};
    attempt->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0) {
        return errno;
    }
    if (connect(attempt->fd, (const struct sockaddr *)&to, size) != 0 && errno != EINPROGRESS &&
        errno != EINTR) {
        return errno;
    }
    return epoll_ctl(attempt->checker->epoll_fd, EPOLL_CTL_ADD, attempt->fd, &watched) == 0 ? 0
                                                                                            : errno;
}

void hf_check_attempt_start(struct hf_check_probe *probe)
{
    struct hf_check_attempt *attempt = hf_check_keep_take_connection(probe);
    bool is_reused = attempt != NULL;
    if (!is_reused) {
        attempt = take_free(probe->checker);
        attempt->stage = HF_CHECK_CONNECT;
        attempt->is_session_given = false;
        attempt->is_end_seen = false;
    }
    attempt->probe = probe;
    attempt->is_reused = is_reused;
    hf_buf_clear(&attempt->content);
    hf_http_init(&attempt->http, probe->recipe->body == NULL ? NULL : &attempt->content,
                 HF_CHECK_BODY_MAX);
    probe->attempt = attempt;
    int error = is_reused ? 0 : open_connection(attempt);
    if (is_reused) {
        hf_check_http_start(attempt);
    } else if (error != 0) {
        connect_failed(attempt, error);
    }
}

void hf_check_send(struct hf_check_attempt *attempt, const void *bytes, size_t size)
{
    size_t sent = 0;
    if (size > SEGMENT_MIN) {
        send_at_once(attempt->fd);
    }
    if (attempt->unsent.size == 0) {
        ssize_t result = send(attempt->fd, bytes, size, MSG_NOSIGNAL);
        if (result < 0 && errno != EAGAIN) {
            return; /* a connection that broke says so to the reader, behind what came before */
        }
        sent = result < 0 ? 0 : (size_t)result;
    }
    if (sent < size) {
        hf_buf_put(&attempt->unsent, (const uint8_t *)bytes + sent, size - sent);
    }
    if (hf_buf_error(&attempt->unsent) != 0) {
        hf_check_attempt_failed(attempt, "send: the server does not take what was sent");
    }
}
