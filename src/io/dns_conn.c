/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/dns_internal.h"

enum {
    CONN_READ_ROOM = 2 * (2 + HF_DNS_FRAME_MAX),
    CONN_KEEPALIVE_S = 30,
    CONN_IDLE_ROOM = 1024 * 1024, /* more than this is not kept for the next burst */
    CONN_FLUSH_SIZE = 256 * 1024,
};

/* Bytes that may wait: every request that may be in flight, at its largest, and one transfer. */
#define CONN_QUEUE_MAX ((size_t)(HF_DNS_INFLIGHT_MAX + 1) * (2 + HF_DNS_FRAME_MAX))

struct hf_dns_conn {
    uv_tcp_t tcp;
    uv_prepare_t flush; /* active while something waits for the end of the loop's turn */
    uint32_t open_handles;
    uv_connect_t connect;
    uv_write_t write;
    struct hf_dns_conn_events events;
    void *context;
    struct hf_dns *dns;
    uint64_t heard_ms;
    bool connected, writing, closing;
    struct hf_buf queued;  /* collected while sending is on its way: few writes, many messages */
    struct hf_buf sending; /* untouched until its write is done */
    size_t in_size;
    uint8_t in[CONN_READ_ROOM];
};

static void conn_lose(struct hf_dns_conn *conn, const char *why)
{
    if (!conn->closing) {
        conn->events.lost(conn->context, why);
        assert(conn->closing);
    }
}

static void conn_flush(struct hf_dns_conn *conn);

static void on_written(uv_write_t *write, int status)
{
    struct hf_dns_conn *conn = write->data;
    conn->writing = false;
    if (conn->closing) {
        return;
    }
    if (status < 0) {
        conn_lose(conn, uv_strerror(status));
        return;
    }
    if (conn->sending.room > CONN_IDLE_ROOM) {
        hf_buf_release(&conn->sending);
    }
    hf_buf_clear(&conn->sending);
    conn_flush(conn);
}

static void conn_flush(struct hf_dns_conn *conn)
{
    if (!conn->connected || conn->writing || conn->queued.size == 0) {
        return;
    }
    struct hf_buf full = conn->queued;
    conn->queued = conn->sending;
    conn->sending = full;
    conn->writing = true;
    uv_buf_t bytes = uv_buf_init((char *)full.bytes, (unsigned)full.size);
    conn->write.data = conn;
    if (uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &bytes, 1, on_written) != 0) {
        /* Reading reports the end of the connection; the requests have their deadlines. */
        conn->writing = false;
        hf_buf_clear(&conn->sending);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct hf_dns_conn *conn = handle->data;
    *ret_buf =
        uv_buf_init((char *)conn->in + conn->in_size, (unsigned)(sizeof(conn->in) - conn->in_size));
}

/* Hands out whole messages and keeps the rest at the start of the buffer. */
static void conn_take_frames(struct hf_dns_conn *conn)
{
    size_t at = 0;
    while (!conn->closing && conn->in_size - at >= 2) {
        size_t size = (size_t)conn->in[at] << 8 | conn->in[at + 1];
        if (conn->in_size - at < 2 + size) {
            break;
        }
        if (size < HF_DNS_HEADER_SIZE) {
            conn_lose(conn, "what it sends is no DNS");
            return;
        }
        conn->events.frame(conn->context, conn->in + at + 2, size);
        at += 2 + size;
    }
    if (at > 0 && !conn->closing) {
        memmove(conn->in, conn->in + at, conn->in_size - at);
        conn->in_size -= at;
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    (void)buf;
    struct hf_dns_conn *conn = stream->data;
    if (conn->closing || size == 0) {
        return;
    }
    if (size < 0) {
        const char *why = uv_strerror((int)size);
        if (size == UV_EOF) {
            why = conn->in_size > 0 ? "the server closed the connection in mid message"
                                    : "the server closed the connection";
        }
        conn_lose(conn, why);
        return;
    }
    conn->heard_ms = uv_now(stream->loop);
    conn->in_size += (size_t)size;
    conn_take_frames(conn);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct hf_dns_conn *conn = connect->data;
    if (conn->closing) {
        return;
    }
    if (status == 0) {
        status = uv_read_start((uv_stream_t *)&conn->tcp, on_room, on_read);
    }
    if (status != 0) {
        conn_lose(conn, uv_strerror(status));
        return;
    }
    /* Without these two the connection works as well, only slower or longer. */
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    (void)uv_tcp_keepalive(&conn->tcp, 1, CONN_KEEPALIVE_S);
    conn->connected = true;
    conn_flush(conn);
}

static void on_turn_end(uv_prepare_t *flush)
{
    (void)uv_prepare_stop(flush);
    conn_flush(flush->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct hf_dns_conn *conn = handle->data;
    struct hf_dns *dns = conn->dns;
    if (--conn->open_handles > 0) {
        return;
    }
    hf_buf_release(&conn->queued);
    hf_buf_release(&conn->sending);
    free(conn);
    hf_dns_gone(dns);
}

int hf_dns_conn_open(struct hf_dns *dns, const struct hf_dns_conn_events *events, void *context,
                     struct hf_dns_conn **ret_conn)
{
    struct hf_dns_conn *conn = malloc(sizeof(*conn));
    if (conn == NULL) {
        abort();
    }
    conn->events = *events;
    conn->context = context;
    conn->dns = dns;
    conn->heard_ms = 0;
    conn->connected = conn->writing = conn->closing = false;
    conn->in_size = 0;
    hf_buf_init(&conn->queued, CONN_QUEUE_MAX);
    hf_buf_init(&conn->sending, CONN_QUEUE_MAX);
    int status = uv_tcp_init(dns->loop, &conn->tcp);
    assert(status == 0); /* it makes no socket yet */
    conn->tcp.data = conn;
    status = uv_prepare_init(dns->loop, &conn->flush);
    assert(status == 0); /* it cannot fail */
    conn->flush.data = conn;
    conn->open_handles = 2;
    conn->connect.data = conn;
    dns->handle_count++;
    status = uv_tcp_connect(&conn->connect, &conn->tcp,
                            (const struct sockaddr *)&dns->options.server, on_connected);
    if (status != 0) {
        hf_dns_conn_close(conn);
        return HF_ECONN;
    }
    *ret_conn = conn;
    return HF_OK;
}

void hf_dns_conn_send(struct hf_dns_conn *conn, const uint8_t *wire, size_t size)
{
    assert(size <= HF_DNS_FRAME_MAX && !conn->closing);
    if (conn->queued.size + 2 + size > CONN_QUEUE_MAX) {
        return; /* the server does not read: the request runs out of time */
    }
    hf_buf_put_u16(&conn->queued, (uint16_t)size);
    hf_buf_put(&conn->queued, wire, size);
    if (conn->queued.size >= CONN_FLUSH_SIZE) {
        conn_flush(conn);
    } else {
        (void)uv_prepare_start(&conn->flush, on_turn_end);
    }
}

void hf_dns_conn_close(struct hf_dns_conn *conn)
{
    assert(!conn->closing);
    conn->closing = true;
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    uv_close((uv_handle_t *)&conn->flush, on_closed);
}

bool hf_dns_conn_is_connected(const struct hf_dns_conn *conn)
{
    return conn->connected;
}

uint64_t hf_dns_conn_heard_ms(const struct hf_dns_conn *conn)
{
    return conn->heard_ms;
}
