/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lead: the planner as a process. It checks backends, follows the operator's overrides and the
 * enactors' reports, runs the planner machine, publishes plans, and says how things stand under
 * "status/planner" and "status/backends" in the store.
 *
 * Two planners on one store are safe (the head moves by compare-and-swap) and pointless.
 * Without the store it goes on checking and publishes as soon as it can. A head that cannot be
 * read any more is replaced by a snapshot of what this process knows, with every entry stamped
 * anew.
 */
#ifndef HF_IO_LEAD_H
#define HF_IO_LEAD_H

#include "codec/config.h"
#include "io/enact.h"
#include "io/log.h"

/* Runs until a signal (see hf_enact_run). config and log are borrowed. */
int hf_lead_run(const struct hf_config *config, const char *name, struct hf_log *log,
                enum hf_role_end *ret_end);

#endif
