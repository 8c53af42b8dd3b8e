/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/target.h"

#include "base/error.h"
#include "io/address.h"

int hf_target_open(uv_loop_t *loop, const struct hf_config_target *target, const uint8_t *apex,
                   knot_tsig_key_t *ret_key, bool *ret_has_key, struct hf_dns **ret_dns)
{
    struct hf_dns_options options = {.zone = apex, .udp = true, .timeout_ms = target->timeout_ms};
    *ret_has_key = false;
    int error = hf_address_parse(target->host, target->port, &options.server);
    if (error == HF_OK && target->tsig_name != NULL) {
        if (target->tsig_secret == NULL) {
            return HF_ENOENT;
        }
        error =
            hf_tsig_init(target->tsig_name, target->tsig_algorithm, target->tsig_secret, ret_key);
        *ret_has_key = error == HF_OK;
        options.key = ret_key;
    }
    return error != HF_OK ? error : hf_dns_open(loop, &options, ret_dns);
}

enum hf_result hf_target_result(const struct hf_dns_outcome *outcome)
{
    if (outcome->result != HF_OK) {
        return HF_RESULT_UNKNOWN;
    }
    switch (outcome->rcode) {
    case KNOT_RCODE_NOERROR:
        return HF_RESULT_OK;
    case KNOT_RCODE_NXRRSET:
    case KNOT_RCODE_YXRRSET:
    case KNOT_RCODE_NXDOMAIN:
    case KNOT_RCODE_YXDOMAIN:
        return HF_RESULT_REFUSED;
    default:
        return HF_RESULT_UNKNOWN;
    }
}
