/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Step: what the machines have in common.
 *
 * Every request that a machine makes has an operation number (never 0) and gets exactly one
 * completion. Completions of operations that the machine has forgotten are ignored.
 */
#ifndef HF_CORE_STEP_H
#define HF_CORE_STEP_H

#include <stdint.h>

enum hf_result {
    HF_RESULT_OK,
    HF_RESULT_REFUSED, /* a prerequisite did not hold: nothing changed, as far as the server says */
    HF_RESULT_UNKNOWN, /* no reply, SERVFAIL, cut off: it may have happened and may still happen */
};

#define HF_NEVER UINT64_MAX

#endif
