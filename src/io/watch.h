/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watch: notices that a file of the configuration changed (size, time or inode, looked at every
 * HF_WATCH_POLL_MS), reads the whole configuration on trial, and calls back only when it is
 * right. A configuration that is wrong is logged with its problems, once for each change, and the
 * running one goes on.
 */
#ifndef HF_IO_WATCH_H
#define HF_IO_WATCH_H

#include <uv.h>

#include "codec/config.h"
#include "io/log.h"

enum { HF_WATCH_POLL_MS = 2000 };

struct hf_watch;

typedef void hf_watch_changed(void *context);

/* fleet: also the files of backends and endpoints, which only the planner needs. */
void hf_watch_start(uv_loop_t *loop, const struct hf_config *config, bool fleet, struct hf_log *log,
                    hf_watch_changed *changed, void *context, struct hf_watch **ret_watch);

/* Frees it; its timer's close completes in the loop's next turn. */
void hf_watch_stop(struct hf_watch *watch);

#endif
