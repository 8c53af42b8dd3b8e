/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Target: from a target of the configuration to a DNS client, and from its outcomes to results. */
#ifndef HF_IO_TARGET_H
#define HF_IO_TARGET_H

#include "codec/config.h"
#include "core/step.h"
#include "io/dns.h"

/*
 * Opens a client for one zone of a target. HF_ENOENT: the target's key is not there yet;
 * HF_EMALF: address or key is none. ret_key is set, and to be released, where ret_has_key is.
 */
int hf_target_open(uv_loop_t *loop, const struct hf_config_target *target, const uint8_t *apex,
                   knot_tsig_key_t *ret_key, bool *ret_has_key, struct hf_dns **ret_dns);

/*
 * What the outcome of an UPDATE proves: NOERROR is OK; the four prerequisite errors of RFC 2136
 * section 2.2 are REFUSED; everything else is UNKNOWN.
 */
enum hf_result hf_target_result(const struct hf_dns_outcome *outcome);

#endif
