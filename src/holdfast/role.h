/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Role: the frame of planner, enactor and janitor: reads the configuration, runs the role until
 * a signal, and reads it again on SIGHUP. A configuration that is wrong by then is logged, and
 * the role goes on with the one before.
 */
#ifndef HF_HOLDFAST_ROLE_H
#define HF_HOLDFAST_ROLE_H

#include "holdfast/command.h"
#include "io/enact.h"

typedef int hf_role_run(void *context, const struct hf_config *config, struct hf_log *log,
                        enum hf_role_end *ret_end);

/*
 * role: the name in log lines; with_fleet: it needs pools and endpoints of the configuration.
 * Returns an enum hf_exit.
 */
int hf_role_loop(const struct hf_invocation *invocation, const char *role, bool with_fleet,
                 hf_role_run *run, void *context);

/* Frees the configuration and returns it as it is in its file now; where that is wrong, logs why
 * and returns the one given. */
struct hf_config *hf_role_read_again(struct hf_config *config, struct hf_log *log);

#endif
