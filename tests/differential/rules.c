/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The known deviations of the servers; docs/internals/servers.md has them in words. */
#include <string.h>

#include "trial.h"

/* --- looking at a trial --- */

static const struct hf_server_rr *updates_of(const struct hf_server_message *message)
{
    return &message->rrs[message->prerequisite_count];
}

static bool server_said(const struct trial *trial, uint8_t rcode)
{
    return trial->answer == ANSWER_RCODE && trial->server_rcode == rcode;
}

static bool unchanged(const struct trial *trial)
{
    return zones_equal(&trial->before, &trial->server_after);
}

static bool refused_with(const struct trial *trial, uint8_t rcode)
{
    return server_said(trial, rcode) && unchanged(trial);
}

static bool both_applied(const struct trial *trial)
{
    return trial->model_rcode == KNOT_RCODE_NOERROR && server_said(trial, KNOT_RCODE_NOERROR);
}

static bool is_address(uint16_t type)
{
    return type == KNOT_RRTYPE_A || type == KNOT_RRTYPE_AAAA;
}

static bool owner_has_underscore(uint8_t owner)
{
    return owner >= OWNER_FENCE_APEX && owner <= OWNER_GUARD;
}

/* --- rules of several servers --- */

static bool class_not_implemented(const struct trial *trial)
{
    return trial->parcel->message.zone_class != KNOT_CLASS_IN &&
           (refused_with(trial, KNOT_RCODE_NOTIMPL) || refused_with(trial, KNOT_RCODE_FORMERR));
}

/* A message that cannot be read may lose its signature, or the connection. */
static bool broken_otherwise(const struct trial *trial)
{
    bool closed = trial->answer == ANSWER_CLOSED && unchanged(trial);
    return trial->parcel->broken &&
           (closed || refused_with(trial, KNOT_RCODE_NOTAUTH) ||
            refused_with(trial, KNOT_RCODE_REFUSED) || refused_with(trial, KNOT_RCODE_SERVFAIL));
}

static bool repeated_value(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool repeated = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        const struct hf_server_rr *a = &message->rrs[i];
        for (uint32_t j = 0; j < i; j++) {
            const struct hf_server_rr *b = &message->rrs[j];
            repeated |= a->class == KNOT_CLASS_IN && b->class == KNOT_CLASS_IN &&
                        a->owner == b->owner && a->type == b->type && a->rdata == b->rdata;
        }
    }
    return repeated && refused_with(trial, KNOT_RCODE_NXRRSET);
}

/* --- Knot DNS --- */

/* Does message->rrs[0] to the one before last, and gives the TTL of last's record, if it is there.
 */
static bool ttl_before(const struct trial *trial, const struct hf_server_message *message,
                       uint32_t last, uint32_t *ret_ttl_s)
{
    struct hf_server_zone zone = trial->before;
    const struct hf_server_rr *rr = &message->rrs[last];
    const struct hf_server_rr *rrs;
    for (uint32_t i = message->prerequisite_count; i < last; i++) {
        struct hf_server_message one = {.zone_type = KNOT_RRTYPE_SOA, .zone_class = KNOT_CLASS_IN};
        one.rrs[0] = message->rrs[i];
        one.update_count = 1;
        (void)hf_server_update(&zone, &one);
    }
    uint32_t count = hf_server_rrset(&zone, rr->owner, rr->type, &rrs);
    for (uint32_t i = 0; i < count; i++) {
        if (rrs[i].rdata == rr->rdata) {
            *ret_ttl_s = rrs[i].ttl_s;
            return true;
        }
    }
    return false;
}

static bool keep_ttl(const struct trial *trial, struct hf_server_message *message)
{
    bool changed = false;
    uint32_t count = message->prerequisite_count + message->update_count;
    for (uint32_t i = message->prerequisite_count; i < count; i++) {
        struct hf_server_rr *rr = &message->rrs[i];
        uint32_t ttl_s;
        if (rr->class == KNOT_CLASS_IN && rr->type != KNOT_RRTYPE_SOA &&
            ttl_before(trial, message, i, &ttl_s) && ttl_s != rr->ttl_s) {
            rr->ttl_s = ttl_s;
            changed = true;
        }
    }
    return changed;
}

static bool ignore_ttl_of_deletion(const struct trial *trial, struct hf_server_message *message)
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

static bool outside_is_not_allowed(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool outside = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        outside |= updates_of(message)[i].owner == HF_SERVER_OWNER_OUTSIDE;
    }
    return outside && refused_with(trial, KNOT_RCODE_NOTAUTH);
}

/* --- BIND --- */

static bool host_name_is_bad(const struct trial *trial)
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

/* The prescan of section 3.4.1, without the prerequisites. */
static bool prescan_comes_first(const struct trial *trial)
{
    struct hf_server_message message = trial->parcel->message;
    struct hf_server_zone zone = trial->before;
    memmove(message.rrs, updates_of(&message), message.update_count * sizeof(message.rrs[0]));
    message.prerequisite_count = 0;
    uint8_t rcode = hf_server_update(&zone, &message);
    return trial->model_rcode != KNOT_RCODE_NOERROR && rcode != KNOT_RCODE_NOERROR &&
           refused_with(trial, rcode);
}

static bool name_server_loses_addresses(const struct trial *trial)
{
    const struct hf_server_rr *rrs;
    const struct hf_server_zone *after = &trial->model_after;
    uint32_t count = hf_server_rrset(after, OWNER_NS, KNOT_RRTYPE_A, &rrs) +
                     hf_server_rrset(after, OWNER_NS, KNOT_RRTYPE_AAAA, &rrs);
    return trial->model_rcode == KNOT_RCODE_NOERROR && count == 0 &&
           refused_with(trial, KNOT_RCODE_REFUSED);
}

static bool case_is_a_change(const struct trial *trial)
{
    return trial->parcel->upper && both_applied(trial) &&
           zones_equal_but_serial(&trial->model_after, &trial->server_after);
}

/* --- PowerDNS --- */

static bool ignore_deletion_of_names(const struct trial *trial, struct hf_server_message *message)
{
    uint32_t kept = 0;
    struct hf_server_rr *updates = &message->rrs[message->prerequisite_count];
    (void)trial;
    for (uint32_t i = 0; i < message->update_count; i++) {
        if (updates[i].class != KNOT_CLASS_ANY || updates[i].type != KNOT_RRTYPE_ANY) {
            updates[kept++] = updates[i];
        }
    }
    bool changed = kept < message->update_count;
    message->update_count = kept;
    return changed;
}

static bool cancelled_is_a_change(const struct trial *trial)
{
    return both_applied(trial) && zones_equal_but_serial(&trial->model_after, &trial->server_after);
}

static const struct rule RULES[] = {
    {SERVER_KNOTD, "3.4.2.2", "adding a record that exists with another TTL keeps the old TTL",
     keep_ttl, NULL},
    {SERVER_KNOTD, "3.4.1.3", "the TTL of a deletion of RRsets is not looked at",
     ignore_ttl_of_deletion, NULL},
    {SERVER_KNOTD, "3.4.1.3",
     "an update outside of the zone is NOTAUTH (its ACL), also before prerequisites", NULL,
     outside_is_not_allowed},
    {SERVER_KNOTD, "3.1.2", "another class than IN is NOTIMPL or FORMERR", NULL,
     class_not_implemented},
    {SERVER_KNOTD, "3.1", "what cannot be read is NOTAUTH or closes the connection", NULL,
     broken_otherwise},

    {SERVER_NAMED, "3.2.3", "a value-dependent prerequisite that is repeated is NXRRSET", NULL,
     repeated_value},
    {SERVER_NAMED, "-", "an address at a name with an underscore is REFUSED (check-names)", NULL,
     host_name_is_bad},
    {SERVER_NAMED, "-", "taking all addresses from a name server of the zone is REFUSED", NULL,
     name_server_loses_addresses},
    {SERVER_NAMED, "3.4.1", "errors of updates are found before prerequisites are looked at", NULL,
     prescan_comes_first},
    {SERVER_NAMED, "3.6", "an owner in other case is a change: the serial grows", NULL,
     case_is_a_change},
    {SERVER_NAMED, "3.1.2", "another class than IN is NOTIMPL or FORMERR", NULL,
     class_not_implemented},
    {SERVER_NAMED, "3.1", "what cannot be read may be NOTAUTH", NULL, broken_otherwise},

    {SERVER_PDNS, "3.4.2.3", "deletion of all RRsets of a name is ignored (LMDB)",
     ignore_deletion_of_names, NULL},
    {SERVER_PDNS, "3.2.3", "a value-dependent prerequisite that is repeated is NXRRSET", NULL,
     repeated_value},
    {SERVER_PDNS, "3.6", "changes that cancel out are changes: the serial grows", NULL,
     cancelled_is_a_change},
    {SERVER_PDNS, "3.1.2", "another class than IN is NOTIMPL or FORMERR", NULL,
     class_not_implemented},
    {SERVER_PDNS, "3.1", "what cannot be read is REFUSED or closes the connection", NULL,
     broken_otherwise},
};

enum { RULE_COUNT = sizeof(RULES) / sizeof(RULES[0]) };

/* --- finding the rule --- */

/* Does the rewrite of one rule or, for RULE_NONE, of all; the rule that changed something. */
static int rewrite(const struct trial *trial, int only, struct hf_server_message *message)
{
    int found = RULE_NONE;
    *message = trial->parcel->message;
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = &RULES[i];
        if (rule->server == trial->server && rule->rewrite != NULL &&
            (only == RULE_NONE || only == i) && rule->rewrite(trial, message)) {
            found = i;
        }
    }
    return found;
}

static int find_rewrite(const struct trial *trial, struct trial *again)
{
    struct parcel parcel = *trial->parcel;
    int found = RULE_NONE;
    *again = *trial;
    for (int i = 0; i <= RULE_COUNT && !trial->parcel->broken; i++) {
        int rule = rewrite(trial, i < RULE_COUNT ? i : RULE_NONE, &parcel.message);
        again->parcel = &parcel;
        trial_model(again, false);
        if (rule != RULE_NONE && trial_agrees(again)) {
            found = rule;
            break;
        }
    }
    again->parcel = trial->parcel;
    return found;
}

int rule_find(const struct trial *trial)
{
    if (trial->parcel->category == CATEGORY_HOLDFAST) {
        return RULE_NONE;
    }
    struct trial again; /* the model's outcome is that of the rewritten message */
    int found = find_rewrite(trial, &again);
    for (int i = 0; i < RULE_COUNT && found == RULE_NONE; i++) {
        const struct rule *rule = &RULES[i];
        if (rule->server == trial->server && rule->applies != NULL &&
            (rule->applies(trial) || rule->applies(&again))) {
            found = i;
        }
    }
    return found;
}

uint32_t rule_count(void)
{
    return RULE_COUNT;
}

const struct rule *rule_at(uint32_t number)
{
    return &RULES[number];
}
