/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pump.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 2000000000, HEADER_SIZE = 12, RCODE_MASK = 15 };

void pump_fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

uint64_t pump_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void pump_lane_init(struct pump_lane *lane)
{
    *lane = (struct pump_lane){.fd = -1};
    hf_buf_init(&lane->bytes, BYTES_MAX);
}

void pump_lane_clear(struct pump_lane *lane)
{
    hf_buf_clear(&lane->bytes);
    lane->message_count = 0;
    lane->sent = 0;
    lane->done = 0;
    lane->sent_bytes = 0;
}

void pump_lane_put(struct pump_lane *lane, const uint8_t *wire, size_t size, uint32_t first,
                   uint32_t count)
{
    if (lane->message_count == lane->message_room) {
        lane->message_room = lane->message_room == 0 ? 1024 : 2 * lane->message_room;
        lane->messages = realloc(lane->messages, lane->message_room * sizeof(*lane->messages));
        if (lane->messages == NULL) {
            abort();
        }
    }
    hf_buf_put_u16(&lane->bytes, (uint16_t)size);
    hf_buf_put(&lane->bytes, wire, size);
    if (hf_buf_error(&lane->bytes) != 0) {
        pump_fail("messages", "too many");
    }
    lane->messages[lane->message_count++] =
        (struct pump_message){.end = lane->bytes.size, .first = first, .count = count};
}

static void lane_connect(struct pump_lane *lane, const struct sockaddr_storage *server)
{
    int on = 1;
    char octet;
    if (lane->fd >= 0 && recv(lane->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
        errno == EAGAIN) {
        return; /* it is open still, and quiet */
    }
    socklen_t size =
        server->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (lane->fd >= 0) {
        (void)close(lane->fd);
    }
    lane->fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lane->fd < 0 || connect(lane->fd, (const struct sockaddr *)server, size) != 0) {
        pump_fail("connect", strerror(errno));
    }
    (void)setsockopt(lane->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    lane->got = 0;
}

static void lane_send(struct pump_lane *lane, uint32_t window)
{
    uint32_t until =
        lane->message_count - lane->done > window ? lane->done + window : lane->message_count;
    if (until == 0) {
        return;
    }
    while (lane->sent_bytes < lane->messages[until - 1].end) {
        ssize_t put =
            send(lane->fd, lane->bytes.bytes + lane->sent_bytes,
                 lane->messages[until - 1].end - lane->sent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EAGAIN) {
            return;
        }
        if (put < 0) {
            pump_fail("send", strerror(errno));
        }
        lane->sent_bytes += (size_t)put;
        while (lane->sent < until && lane->messages[lane->sent].end <= lane->sent_bytes) {
            lane->sent++;
        }
    }
}

/* How many octets of the reply are a whole message, 0: not yet. */
static size_t reply_size(const struct pump_lane *lane, size_t at)
{
    if (lane->got - at < 2) {
        return 0;
    }
    size_t size = 2 + ((size_t)lane->reply[at] << 8 | lane->reply[at + 1]);
    return lane->got - at < size ? 0 : size;
}

static void lane_read(struct pump_lane *lane)
{
    ssize_t got = recv(lane->fd, lane->reply + lane->got, sizeof(lane->reply) - lane->got, 0);
    if (got <= 0) {
        pump_fail("reply", got == 0 ? "the server closed the connection" : strerror(errno));
    }
    lane->got += (size_t)got;
    size_t at = 0;
    for (size_t size; (size = reply_size(lane, at)) > 0; at += size) {
        if (size < 2 + HEADER_SIZE) {
            pump_fail("reply", "no message");
        }
        unsigned rcode = lane->reply[at + 2 + 3] & RCODE_MASK;
        if (rcode != 0) {
            (void)fprintf(stderr, "rcode %u, ", rcode);
            pump_fail("update", "refused");
        }
        lane->done++;
    }
    lane->got -= at;
    memmove(lane->reply, lane->reply + at, lane->got);
}

static bool all_done(struct pump_lane *const *lanes, uint32_t lane_count)
{
    for (uint32_t i = 0; i < lane_count; i++) {
        if (lanes[i]->done < lanes[i]->message_count) {
            return false;
        }
    }
    return true;
}

/* What was begun goes out whole: the server waits for the rest of a message. */
static void stop_sending(struct pump_lane *lane)
{
    if (lane->sent < lane->message_count) {
        size_t begun = lane->sent == 0 ? 0 : lane->messages[lane->sent - 1].end;
        lane->message_count = lane->sent + (lane->sent_bytes > begun);
    }
}

static void wait_for_lanes(struct pump_lane *const *lanes, uint32_t lane_count, uint32_t window)
{
    struct pollfd fds[PUMP_ZONES_MAX];
    for (uint32_t i = 0; i < lane_count; i++) {
        bool is_blocked =
            lanes[i]->sent < lanes[i]->message_count && lanes[i]->sent - lanes[i]->done < window;
        fds[i] = (struct pollfd){.fd = lanes[i]->fd,
                                 .events = (short)(is_blocked ? POLLIN | POLLOUT : POLLIN)};
    }
    if (poll(fds, lane_count, PUMP_STALL_MS) <= 0) {
        pump_fail("reply", "none in time");
    }
    for (uint32_t i = 0; i < lane_count; i++) {
        if ((fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
            lane_read(lanes[i]);
        }
        lane_send(lanes[i], window);
    }
}

uint64_t pump_run(struct pump_lane *const *lanes, uint32_t lane_count,
                  const struct sockaddr_storage *server, uint32_t window, uint32_t limit_ms)
{
    for (uint32_t i = 0; i < lane_count; i++) {
        lane_connect(lanes[i], server);
    }
    uint64_t begun = pump_now_ns();
    bool is_late = false;
    for (uint32_t i = 0; i < lane_count; i++) {
        lane_send(lanes[i], window);
    }
    while (!all_done(lanes, lane_count)) {
        if (limit_ms != 0 && !is_late && pump_now_ns() - begun > limit_ms * UINT64_C(1000000)) {
            is_late = true;
            for (uint32_t i = 0; i < lane_count; i++) {
                stop_sending(lanes[i]);
            }
        } else {
            wait_for_lanes(lanes, lane_count, window);
        }
    }
    return pump_now_ns() - begun;
}
