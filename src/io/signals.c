/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/signals.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"

struct hf_signals {
    uv_poll_t poll;
    int fd;
    hf_signals_on *on_signal;
    void *context;
};

static void fill(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    (void)sigaddset(ret_set, SIGINT);
    (void)sigaddset(ret_set, SIGTERM);
    (void)sigaddset(ret_set, SIGHUP);
}

void hf_signals_hold(void)
{
    sigset_t set;
    fill(&set);
    int code = sigprocmask(SIG_BLOCK, &set, NULL);
    assert(code == 0); /* only a wrong argument makes it fail */
}

int hf_signals_open(int *ret_fd)
{
    sigset_t set;
    fill(&set);
    hf_signals_hold();
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return HF_ESYS;
    }
    *ret_fd = fd;
    return HF_OK;
}

int hf_signals_next(int fd)
{
    struct signalfd_siginfo received;
    bool is_one = read(fd, &received, sizeof(received)) == (ssize_t)sizeof(received);
    return is_one ? (int)received.ssi_signo : 0;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct hf_signals *signals = poll->data;
    (void)events;
    int number = status == 0 ? hf_signals_next(signals->fd) : 0;
    if (number != 0) {
        signals->on_signal(signals->context, number);
    }
}

int hf_signals_start(uv_loop_t *loop, hf_signals_on *on_signal, void *context,
                     struct hf_signals **ret_signals)
{
    int fd;
    int error = hf_signals_open(&fd);
    if (error != HF_OK) {
        return error;
    }
    struct hf_signals *signals = calloc(1, sizeof(*signals));
    if (signals == NULL) {
        abort();
    }
    signals->fd = fd;
    signals->on_signal = on_signal;
    signals->context = context;
    if (uv_poll_init(loop, &signals->poll, fd) != 0) {
        (void)close(fd);
        free(signals);
        return HF_ESYS;
    }
    signals->poll.data = signals;
    int code = uv_poll_start(&signals->poll, UV_READABLE, on_ready);
    assert(code == 0);
    *ret_signals = signals;
    return HF_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct hf_signals *signals = handle->data;
    (void)close(signals->fd);
    free(signals);
}

void hf_signals_stop(struct hf_signals *signals)
{
    uv_close((uv_handle_t *)&signals->poll, on_closed);
}
