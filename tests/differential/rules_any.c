/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What rules look at, and rules of several servers. */
#include <string.h>

#include "rules.h"

const struct hf_server_rr *updates_of(const struct hf_server_message *message)
{
    return &message->rrs[message->prerequisite_count];
}

bool server_said(const struct trial *trial, uint8_t rcode)
{
    return trial->answer == ANSWER_RCODE && trial->server_rcode == rcode;
}

bool unchanged(const struct trial *trial)
{
    return zones_equal(&trial->before, &trial->server_after);
}

bool refused_with(const struct trial *trial, uint8_t rcode)
{
    return server_said(trial, rcode) && unchanged(trial);
}

bool both_applied(const struct trial *trial)
{
    return trial->model_rcode == KNOT_RCODE_NOERROR && server_said(trial, KNOT_RCODE_NOERROR);
}

bool only_serial_grew(const struct trial *trial)
{
    return both_applied(trial) && zones_equal(&trial->model_after, &trial->before) &&
           zones_equal_but_serial(&trial->before, &trial->server_after) &&
           hf_server_serial(&trial->server_after) == hf_server_serial(&trial->before) + 1;
}

bool is_address(uint16_t type)
{
    return type == KNOT_RRTYPE_A || type == KNOT_RRTYPE_AAAA;
}

bool owner_has_underscore(uint8_t owner)
{
    return owner >= OWNER_FENCE_APEX && owner <= OWNER_GUARD;
}

/* --- rules of several servers --- */

bool rule_class_not_implemented(const struct trial *trial)
{
    return trial->parcel->message.zone_class != KNOT_CLASS_IN &&
           (refused_with(trial, KNOT_RCODE_NOTIMPL) || refused_with(trial, KNOT_RCODE_FORMERR));
}

/* A message that cannot be read may lose its signature, or the connection. */
bool rule_broken_otherwise(const struct trial *trial)
{
    bool closed = trial->answer == ANSWER_CLOSED && unchanged(trial);
    return trial->parcel->broken &&
           (closed || refused_with(trial, KNOT_RCODE_NOTAUTH) ||
            refused_with(trial, KNOT_RCODE_REFUSED) || refused_with(trial, KNOT_RCODE_SERVFAIL));
}

/* PowerDNS does not tell upper from lower case in TXT, either. */
static bool same_value(const struct trial *trial, const struct hf_server_rr *a,
                       const struct hf_server_rr *b)
{
    bool same_rrset = a->class == KNOT_CLASS_IN && b->class == KNOT_CLASS_IN &&
                      a->owner == b->owner && a->type == b->type;
    bool other_case = trial->server == SERVER_PDNS && a->type == KNOT_RRTYPE_TXT &&
                      a->rdata + b->rdata == TXT_LOWER + TXT_UPPER &&
                      (a->rdata == TXT_LOWER || a->rdata == TXT_UPPER);
    return same_rrset && (a->rdata == b->rdata || other_case);
}

bool rule_repeated_value(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool repeated = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        const struct hf_server_rr *a = &message->rrs[i];
        for (uint32_t j = 0; j < i; j++) {
            const struct hf_server_rr *b = &message->rrs[j];
            repeated |= same_value(trial, a, b);
        }
    }
    return repeated && refused_with(trial, KNOT_RCODE_NXRRSET);
}

/* The prescan of section 3.4.1, without the prerequisites. */
bool rule_prescan_comes_first(const struct trial *trial)
{
    struct hf_server_message message = trial->parcel->message;
    struct hf_server_zone zone = trial->before;
    memmove(message.rrs, updates_of(&message), message.update_count * sizeof(message.rrs[0]));
    message.prerequisite_count = 0;
    uint8_t rcode = hf_server_update(&zone, &message);
    return trial->model_rcode != KNOT_RCODE_NOERROR && rcode != KNOT_RCODE_NOERROR &&
           refused_with(trial, rcode);
}

void zone_step(struct hf_server_zone *zone, const struct hf_server_rr *rr)
{
    struct hf_server_message one = {.zone_type = KNOT_RRTYPE_SOA, .zone_class = KNOT_CLASS_IN};
    const struct hf_server_rr *soa;
    (void)hf_server_rrset(zone, OWNER_APEX, KNOT_RRTYPE_SOA, &soa);
    struct hf_server_rr old = *soa;
    one.rrs[0] = *rr;
    one.update_count = 1;
    (void)hf_server_update(zone, &one);
    if (rr->type != KNOT_RRTYPE_SOA) {
        (void)hf_server_put(zone, &old);
    }
}

struct hf_server_zone zone_after(const struct trial *trial, const struct hf_server_message *message,
                                 uint32_t count)
{
    struct hf_server_zone zone = trial->before;
    for (uint32_t i = 0; i < count; i++) {
        zone_step(&zone, &updates_of(message)[i]);
    }
    return zone;
}

bool name_is_used(const struct hf_server_zone *zone, uint8_t owner)
{
    bool used = false;
    for (uint32_t i = 0; i < zone->count; i++) {
        used |= zone->rrs[i].owner == owner;
    }
    return used;
}
