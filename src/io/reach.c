/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/http.h"

enum { REQUEST_MAX = 256 * 1024, PIECE = 64 * 1024 };

static int connect_to(const char *path, uint32_t timeout_ms, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = timeout_ms / 1000,
                              .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return HF_ECONN;
    }
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return HF_ECONN;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return HF_ECONN;
    }
    *ret_fd = fd;
    return HF_OK;
}

static void put_request(const struct hf_reach_request *request, struct hf_buf *bytes)
{
    hf_buf_printf(bytes, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                  request->body != NULL ? "POST" : "GET", request->target);
    if (request->body != NULL) {
        hf_buf_printf(bytes,
                      "If-Match: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
                      request->if_match, strlen(request->body));
    }
    hf_buf_put_text(bytes, "\r\n");
    if (request->body != NULL) {
        hf_buf_put_text(bytes, request->body);
    }
}

static int failed(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? HF_ETIMEOUT : HF_EIO;
}

static int send_all(int fd, const struct hf_buf *bytes)
{
    size_t sent = 0;
    while (sent < bytes->size) {
        ssize_t size = send(fd, bytes->bytes + sent, bytes->size - sent, MSG_NOSIGNAL);
        if (size < 0) {
            return failed();
        }
        sent += (size_t)size;
    }
    return HF_OK;
}

static int receive(int fd, struct hf_http *http)
{
    uint8_t piece[PIECE];
    int error = HF_OK;
    while (error == HF_OK && !hf_http_is_done(http)) {
        ssize_t size = recv(fd, piece, sizeof(piece), 0);
        if (size < 0) {
            error = failed();
        } else if (size == 0) {
            error = hf_http_read_close(http);
        } else {
            error = hf_http_read(http, piece, (size_t)size);
        }
    }
    return error == HF_OK && http->truncated ? HF_ELIMIT : error;
}

int hf_reach(const struct hf_reach_request *request, struct hf_reach_answer *ret_answer)
{
    int fd;
    struct hf_buf bytes;
    struct hf_http http;
    struct hf_reach_answer answer = {0};
    int error = connect_to(request->socket_path, request->timeout_ms, &fd);
    if (error != HF_OK) {
        return error;
    }
    hf_buf_init(&bytes, REQUEST_MAX);
    hf_buf_init(&answer.body, HF_REACH_BYTES_MAX);
    put_request(request, &bytes);
    error = hf_buf_error(&bytes) == HF_OK ? send_all(fd, &bytes) : HF_ELIMIT;
    if (error == HF_OK) {
        hf_http_init(&http, &answer.body, HF_REACH_BYTES_MAX);
        error = receive(fd, &http);
    }
    (void)close(fd);
    hf_buf_release(&bytes);
    if (error != HF_OK) {
        hf_buf_release(&answer.body);
        return error;
    }
    answer.status = http.status;
    *ret_answer = answer;
    return HF_OK;
}
