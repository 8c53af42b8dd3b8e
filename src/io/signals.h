/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals: SIGINT, SIGTERM and SIGHUP, read like anything else that arrives.
 *
 * Once hf_signals_hold was called they wait until somebody reads them, in this process and in the
 * threads that it starts afterwards. So none is lost while a role stops to read its configuration
 * again, and none ends the process in the way that is the default. A program that is started
 * inherits that they are held (io/process.h lets them go).
 */
#ifndef HF_IO_SIGNALS_H
#define HF_IO_SIGNALS_H

#include <uv.h>

void hf_signals_hold(void);

/* Holds them and makes a descriptor to wait on. HF_ESYS: there is none left. */
int hf_signals_open(int *ret_fd);
/* The next one that waits, or 0. */
int hf_signals_next(int fd);

/*
 * On a loop: on_signal is called for one at a time, and for what waits no more once the loop was
 * stopped: that is for the next one who starts. HF_ESYS as above.
 */
struct hf_signals;
typedef void hf_signals_on(void *context, int number);
int hf_signals_start(uv_loop_t *loop, hf_signals_on *on_signal, void *context,
                     struct hf_signals **ret_signals);
/* Frees itself on the loop. */
void hf_signals_stop(struct hf_signals *signals);

#endif
