/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plan check: one round of real checks for `holdfast plan --check`. */
#ifndef HF_HOLDFAST_PLAN_CHECK_H
#define HF_HOLDFAST_PLAN_CHECK_H

#include "codec/config.h"

enum { HF_PLAN_CHECK_MAX_MS = 120000 }; /* the round ends then, whatever is missing */

/*
 * Probes every backend as the planner would, until each has a verdict by its own thresholds, or
 * the time that takes has passed twice: then the verdict stays unknown. ret_verdicts: room for
 * config->backend_count. On failure ret_why says which backend cannot be checked.
 */
int hf_plan_check(const struct hf_config *config, uint8_t *ret_verdicts, char *ret_why,
                  size_t why_size);

#endif
