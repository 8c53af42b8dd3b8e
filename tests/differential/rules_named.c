/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules.h"

bool rule_host_name_is_bad(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool bad = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        const struct hf_server_rr *rr = &updates_of(message)[i];
        bad |=
            rr->class == KNOT_CLASS_IN && is_address(rr->type) && owner_has_underscore(rr->owner);
    }
    return bad && refused_with(trial, KNOT_RCODE_REFUSED);
}

bool rule_name_server_loses_addresses(const struct trial *trial)
{
    const struct hf_server_rr *rrs;
    const struct hf_server_zone *after = &trial->model_after;
    uint32_t count = hf_server_rrset(after, OWNER_NS, KNOT_RRTYPE_A, &rrs) +
                     hf_server_rrset(after, OWNER_NS, KNOT_RRTYPE_AAAA, &rrs);
    return trial->model_rcode == KNOT_RCODE_NOERROR && count == 0 &&
           refused_with(trial, KNOT_RCODE_REFUSED);
}

bool rule_case_is_a_change(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool repeats = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        repeats |= updates_of(message)[i].class == KNOT_CLASS_IN;
    }
    return trial->upper_seen && repeats && only_serial_grew(trial);
}

/* The parser of messages knows classes ANY and NONE: it runs before any prerequisite. */
bool rule_rdata_is_found_first(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool malformed = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        const struct hf_server_rr *rr = &message->rrs[i];
        malformed |= rr->class != KNOT_CLASS_IN && rr->has_rdata;
    }
    return malformed && refused_with(trial, KNOT_RCODE_FORMERR);
}
