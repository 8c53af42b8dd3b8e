/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clean: the janitor as a process. It deletes from the store what no ref leads to any more, and
 * from the zones the tombstones of endpoints that were retired long enough ago, raising the
 * zone's floor in the same UPDATE. Nothing that it does changes an answer.
 */
#ifndef HF_IO_CLEAN_H
#define HF_IO_CLEAN_H

#include "codec/config.h"
#include "io/enact.h"
#include "io/log.h"

/* Runs until a signal (see hf_enact_run). config and log are borrowed. */
int hf_clean_run(const struct hf_config *config, struct hf_log *log, enum hf_role_end *ret_end);

#endif
