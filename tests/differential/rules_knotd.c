/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules.h"

/* The TTL of the record of update number, if the zone has it by then. */
static bool ttl_before(const struct trial *trial, const struct hf_server_message *message,
                       uint32_t number, uint32_t *ret_ttl_s)
{
    struct hf_server_zone zone = zone_after(trial, message, number);
    const struct hf_server_rr *rr = &updates_of(message)[number];
    const struct hf_server_rr *rrs;
    uint32_t count = hf_server_rrset(&zone, rr->owner, rr->type, &rrs);
    for (uint32_t i = 0; i < count; i++) {
        if (rrs[i].rdata == rr->rdata) {
            *ret_ttl_s = rrs[i].ttl_s;
            return true;
        }
    }
    return false;
}

bool rule_keep_ttl(const struct trial *trial, struct hf_server_message *message)
{
    bool changed = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        struct hf_server_rr *rr = &message->rrs[message->prerequisite_count + i];
        uint32_t ttl_s;
        if (rr->class == KNOT_CLASS_IN && rr->type != KNOT_RRTYPE_SOA &&
            rr->type != KNOT_RRTYPE_CNAME && ttl_before(trial, message, i, &ttl_s) &&
            ttl_s != rr->ttl_s) {
            rr->ttl_s = ttl_s;
            changed = true;
        }
    }
    return changed;
}

bool rule_ignore_ttl_of_deletion(const struct trial *trial, struct hf_server_message *message)
{
    bool changed = false;
    (void)trial;
    for (uint32_t i = 0; i < message->update_count; i++) {
        struct hf_server_rr *rr = &message->rrs[message->prerequisite_count + i];
        changed |= rr->class == KNOT_CLASS_ANY && rr->ttl_s != 0;
        rr->ttl_s = rr->class == KNOT_CLASS_ANY ? 0 : rr->ttl_s;
    }
    return changed;
}

bool rule_outside_is_not_allowed(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool outside = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        outside |= updates_of(message)[i].owner == HF_SERVER_OWNER_OUTSIDE;
    }
    return outside && refused_with(trial, KNOT_RCODE_NOTAUTH);
}

/* Each SOA is compared with that before the message; the last one that is newer stays. */
bool rule_compare_with_first_serial(const struct trial *trial, struct hf_server_message *message)
{
    struct hf_server_rr *updates = &message->rrs[message->prerequisite_count];
    uint32_t kept = 0;
    uint32_t soa_count = 0;
    uint32_t last = message->update_count;
    for (uint32_t i = 0; i < message->update_count; i++) {
        bool soa = updates[i].type == KNOT_RRTYPE_SOA && updates[i].class == KNOT_CLASS_IN &&
                   updates[i].owner == OWNER_APEX;
        uint32_t forward = (uint32_t)updates[i].rdata - hf_server_serial(&trial->before);
        soa_count += soa;
        last = soa && forward > 0 && forward < (uint32_t)1 << 31 ? i : last;
    }
    for (uint32_t i = 0; i < message->update_count; i++) {
        bool soa = updates[i].type == KNOT_RRTYPE_SOA && updates[i].class == KNOT_CLASS_IN &&
                   updates[i].owner == OWNER_APEX;
        if (!soa || i == last) {
            updates[kept++] = updates[i];
        }
    }
    message->update_count = kept;
    return soa_count > 1;
}
