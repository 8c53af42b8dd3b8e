/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/address.h"
#include "io/check_probe.h"

struct message {
    uv_write_t write;
    uint8_t bytes[];
};

/* Errors that say that this machine has run out of something. */
static bool is_own_trouble(int error)
{
    return error == UV_EMFILE || error == UV_ENFILE || error == UV_ENOMEM || error == UV_ENOBUFS ||
           error == UV_EADDRNOTAVAIL;
}

static void connect_failed(struct hf_check_attempt *attempt, int error)
{
    if (is_own_trouble(error)) {
        hf_check_attempt_hindered(attempt, "connect: %s (on the checker's side)",
                                  uv_strerror(error));
    } else {
        hf_check_attempt_failed(attempt, "connect: %s", uv_strerror(error));
    }
}

static void attempt_closed(uv_handle_t *handle)
{
    struct hf_check_attempt *attempt = handle->data;
    struct hf_checker *checker = attempt->checker;
    SSL_free(attempt->ssl);
    hf_buf_release(&attempt->content);
    free(attempt);
    hf_check_let_go(checker);
}

void hf_check_attempt_abandon(struct hf_check_attempt *attempt)
{
    attempt->probe->attempt = NULL;
    attempt->probe = NULL;
    if (uv_tcp_close_reset(&attempt->tcp, attempt_closed) != 0) {
        uv_close((uv_handle_t *)&attempt->tcp, attempt_closed);
    }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    /* One room for all connections: what is read is used up before the next read. */
    const struct hf_check_attempt *attempt = handle->data;
    *ret_buf = uv_buf_init((char *)attempt->checker->read_room, HF_CHECK_READ_ROOM);
}

static void octets_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct hf_check_attempt *attempt = stream->data;
    if (attempt->probe == NULL) {
        return;
    }
    if (size > 0 && attempt->ssl != NULL) {
        hf_check_tls_read(attempt, (const uint8_t *)buf->base, (size_t)size);
    } else if (size > 0) {
        hf_check_http_read(attempt, (const uint8_t *)buf->base, (size_t)size);
    } else if (size == UV_EOF && attempt->ssl != NULL) {
        hf_check_tls_read_close(attempt);
    } else if (size == UV_EOF) {
        hf_check_http_read_close(attempt);
    } else if (size < 0) {
        const char *stage = attempt->stage == HF_CHECK_HANDSHAKE
                                ? "tls handshake"
                                : hf_http_waits_for(&attempt->http);
        hf_check_attempt_failed(attempt, "%s: %s", stage, uv_strerror((int)size));
    }
}

/*
 * A connection from a local port of the ephemeral range to itself: TCP allows it (RFC 9293 3.5,
 * simultaneous open), and a backend on this machine that is down would look alive.
 */
static bool is_connected_to_itself(const struct hf_check_attempt *attempt)
{
    struct sockaddr_storage local = {0};
    int size = sizeof local;
    if (uv_tcp_getsockname(&attempt->tcp, (struct sockaddr *)&local, &size) != 0) {
        return false;
    }
    char here[HF_ADDRESS_TEXT_MAX], there[HF_ADDRESS_TEXT_MAX];
    hf_address_text(&local, here);
    hf_address_text(&attempt->address, there);
    return strcmp(here, there) == 0;
}

static void connected(uv_connect_t *connect, int status)
{
    struct hf_check_attempt *attempt = connect->data;
    if (attempt->probe == NULL) {
        return;
    }
    if (status != 0) {
        connect_failed(attempt, status);
        return;
    }
    if (is_connected_to_itself(attempt)) {
        connect_failed(attempt, UV_ECONNREFUSED);
        return;
    }
    const struct hf_check_recipe *recipe = attempt->probe->recipe;
    if (recipe->check->type == HF_CHECK_TCP) {
        hf_check_attempt_passed(attempt, 0);
        return;
    }
    uv_tcp_nodelay(&attempt->tcp, 1);
    int error = uv_read_start((uv_stream_t *)&attempt->tcp, give_room, octets_read);
    if (error != 0) {
        connect_failed(attempt, error);
    } else if (recipe->check->type == HF_CHECK_HTTPS) {
        attempt->stage = HF_CHECK_HANDSHAKE;
        hf_check_tls_start(attempt);
    } else {
        hf_check_http_start(attempt);
    }
}

void hf_check_attempt_start(struct hf_check_probe *probe)
{
    struct hf_checker *checker = probe->checker;
    const struct hf_config_backend *backend = probe->backend;
    struct hf_check_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) {
        abort();
    }
    attempt->checker = checker;
    attempt->probe = probe;
    attempt->stage = HF_CHECK_CONNECT;
    attempt->connect.data = attempt;
    attempt->tcp.data = attempt;
    hf_buf_init(&attempt->content, HF_CHECK_BODY_MAX);
    hf_http_init(&attempt->http, probe->recipe->body == NULL ? NULL : &attempt->content,
                 HF_CHECK_BODY_MAX);
    probe->attempt = attempt;
    checker->open_count++;
    uv_tcp_init(checker->loop, &attempt->tcp);

    uint16_t port = backend->port != 0 ? backend->port : probe->recipe->check->port;
    int error =
        probe->at_aaaa
            ? hf_address_from_bytes(backend->aaaa, sizeof backend->aaaa, port, &attempt->address)
            : hf_address_from_bytes(backend->a, sizeof backend->a, port, &attempt->address);
    assert(error == 0);
    error = uv_tcp_connect(&attempt->connect, &attempt->tcp,
                           (const struct sockaddr *)&attempt->address, connected);
    if (error != 0) {
        connect_failed(attempt, error);
    }
}

static void message_written(uv_write_t *write, int status)
{
    /* A connection that broke says so to the reader, behind what the server sent before. */
    (void)status;
    free(write->data);
}

void hf_check_send(struct hf_check_attempt *attempt, const void *bytes, size_t size)
{
    struct message *message = malloc(sizeof *message + size);
    if (message == NULL) {
        abort();
    }
    memcpy(message->bytes, bytes, size);
    message->write.data = message;
    uv_buf_t buf = uv_buf_init((char *)message->bytes, (unsigned)size);
    int error = uv_write(&message->write, (uv_stream_t *)&attempt->tcp, &buf, 1, message_written);
    if (error != 0) {
        free(message);
        hf_check_attempt_failed(attempt, "send: %s", uv_strerror(error));
    }
}
