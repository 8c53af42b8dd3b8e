/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "rules.h"

/* --- messages that the model treats as PowerDNS treats others --- */

/*
 * Whether a name without records is an empty non-terminal, or may still be taken for one: PowerDNS
 * keeps those as records of their own, and they do not always come and go with the names below.
 */
static bool may_be_in_use(const struct hf_server_zone *zone, uint8_t owner)
{
    bool parent = owner == OWNER_API || owner == OWNER_WEB || owner == OWNER_DB;
    return parent && !name_is_used(zone, owner);
}

static bool use_empty_name(const struct trial *trial, struct hf_server_message *message,
                           uint8_t owner)
{
    bool changed = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        struct hf_server_rr *rr = &message->rrs[i];
        if (rr->type == KNOT_RRTYPE_ANY && rr->owner == owner &&
            may_be_in_use(&trial->before, owner)) {
            rr->owner = OWNER_APEX; /* which is always used */
            changed = true;
        }
    }
    return changed;
}

bool rule_empty_api_is_used(const struct trial *trial, struct hf_server_message *message)
{
    return use_empty_name(trial, message, OWNER_API);
}

bool rule_empty_web_is_used(const struct trial *trial, struct hf_server_message *message)
{
    return use_empty_name(trial, message, OWNER_WEB);
}

bool rule_empty_db_is_used(const struct trial *trial, struct hf_server_message *message)
{
    return use_empty_name(trial, message, OWNER_DB);
}

static bool zone_has_text(const struct trial *trial, uint8_t owner, uint64_t number)
{
    const struct hf_server_rr *rrs;
    uint32_t count = hf_server_rrset(&trial->before, owner, KNOT_RRTYPE_TXT, &rrs);
    bool has = false;
    for (uint32_t i = 0; i < count; i++) {
        has |= rrs[i].rdata == number;
    }
    return has;
}

/* The universe has one value in two ways. */
bool rule_text_in_other_case(const struct trial *trial, struct hf_server_message *message)
{
    bool changed = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        struct hf_server_rr *rr = &message->rrs[i];
        uint64_t other = rr->rdata == TXT_LOWER ? TXT_UPPER : TXT_LOWER;
        bool text = rr->class == KNOT_CLASS_IN && rr->type == KNOT_RRTYPE_TXT &&
                    (rr->rdata == TXT_LOWER || rr->rdata == TXT_UPPER);
        if (text && !zone_has_text(trial, rr->owner, rr->rdata) &&
            zone_has_text(trial, rr->owner, other)) {
            rr->rdata = other;
            changed = true;
        }
    }
    return changed;
}

bool rule_ignore_deletion_of_names(const struct trial *trial, struct hf_server_message *message)
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

/* 0: done in its place; 1: a CNAME that is added after those; 2: another record, at the end. */
static int turn_of(const struct hf_server_rr *rr)
{
    if (rr->class != KNOT_CLASS_IN || rr->ttl_s == 0) {
        return 0;
    }
    return rr->type == KNOT_RRTYPE_CNAME ? 1 : 2;
}

static bool sort_by_turn(struct hf_server_message *message,
                         int (*turn)(const struct hf_server_rr *rr))
{
    struct hf_server_message sorted = *message;
    struct hf_server_rr *updates = &sorted.rrs[sorted.prerequisite_count];
    uint32_t count = 0;
    bool changed = false;
    for (int round = 0; round <= 2; round++) {
        for (uint32_t i = 0; i < message->update_count; i++) {
            if (turn(&updates_of(message)[i]) == round) {
                changed |= i != count;
                updates[count++] = updates_of(message)[i];
            }
        }
    }
    *message = sorted;
    return changed;
}

bool rule_additions_come_last(const struct trial *trial, struct hf_server_message *message)
{
    (void)trial;
    return sort_by_turn(message, turn_of);
}

static bool deletes_name_server(const struct hf_server_rr *rr)
{
    return rr->class == KNOT_CLASS_NONE && rr->type == KNOT_RRTYPE_NS && rr->owner == OWNER_APEX;
}

static int turn_of_name_server(const struct hf_server_rr *rr)
{
    return deletes_name_server(rr) ? 2 : 0;
}

bool rule_name_servers_go_last(const struct trial *trial, struct hf_server_message *message)
{
    const struct hf_server_rr *rrs;
    uint32_t deletions = 0;
    for (uint32_t i = 0; i < message->update_count; i++) {
        deletions += deletes_name_server(&updates_of(message)[i]);
    }
    bool changed = sort_by_turn(message, turn_of_name_server);
    struct hf_server_zone zone = zone_after(trial, message, message->update_count - deletions);
    if (deletions > 0 && hf_server_rrset(&zone, OWNER_APEX, KNOT_RRTYPE_NS, &rrs) <= deletions) {
        message->update_count -= deletions;
        changed = true;
    }
    return changed;
}

/* --- outcomes --- */

/* Whether an addition meets a CNAME at its name, or is one that meets other records. */
static bool conflicts(const struct hf_server_zone *zone, const struct hf_server_rr *rr,
                      bool empty_is_used)
{
    const struct hf_server_rr *cname;
    bool has_cname = hf_server_rrset(zone, rr->owner, KNOT_RRTYPE_CNAME, &cname) > 0;
    bool has_others = empty_is_used && may_be_in_use(zone, rr->owner);
    for (uint32_t i = 0; i < zone->count; i++) {
        has_others |= zone->rrs[i].owner == rr->owner && zone->rrs[i].type != KNOT_RRTYPE_CNAME;
    }
    return rr->type == KNOT_RRTYPE_CNAME ? has_others : has_cname;
}

/*
 * Does a message in PowerDNS's order. An addition with TTL 0 that conflicts is stored none the
 * less. ret_refused: one with a TTL conflicts; ret_stored: one without does.
 */
static struct hf_server_zone do_in_order(const struct trial *trial, bool empty_is_used,
                                         bool *ret_refused, bool *ret_stored)
{
    struct hf_server_message message = trial->parcel->message;
    struct hf_server_zone zone = trial->before;
    *ret_refused = *ret_stored = false;
    (void)rule_ignore_deletion_of_names(trial, &message);
    (void)rule_additions_come_last(trial, &message);
    (void)rule_name_servers_go_last(trial, &message);
    for (uint32_t i = 0; i < message.update_count; i++) {
        const struct hf_server_rr *rr = &updates_of(&message)[i];
        bool conflict = rr->class == KNOT_CLASS_IN && rr->owner < OWNER_COUNT &&
                        conflicts(&zone, rr, empty_is_used);
        *ret_refused |= conflict && rr->ttl_s != 0;
        *ret_stored |= conflict && rr->ttl_s == 0;
        if (conflict && rr->ttl_s == 0 && rr->type < KNOT_RRTYPE_IXFR) {
            (void)hf_server_put(&zone, rr);
        } else {
            zone_step(&zone, rr);
        }
    }
    return zone;
}

bool rule_cname_conflict(const struct trial *trial)
{
    bool refused;
    bool stored;
    (void)do_in_order(trial, true, &refused, &stored);
    return refused &&
           (refused_with(trial, KNOT_RCODE_REFUSED) || refused_with(trial, KNOT_RCODE_FORMERR));
}

bool rule_cname_unchecked(const struct trial *trial)
{
    bool refused;
    bool stored;
    struct hf_server_zone zone = do_in_order(trial, false, &refused, &stored);
    return stored && !refused && both_applied(trial) &&
           zones_equal_but_serial(&zone, &trial->server_after);
}

bool rule_unknown_type(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool unknown = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        unknown |= updates_of(message)[i].type == TYPE_PRIVATE;
    }
    return unknown && refused_with(trial, KNOT_RCODE_FORMERR);
}

bool rule_cancelled_is_a_change(const struct trial *trial)
{
    return only_serial_grew(trial);
}

/* A SOA that is not the zone's is ignored, but counts as one that sets the serial. */
bool rule_ignored_serial_stays(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool soa = false;
    for (uint32_t i = 0; i < message->update_count; i++) {
        const struct hf_server_rr *rr = &updates_of(message)[i];
        soa |= rr->class == KNOT_CLASS_IN && rr->type == KNOT_RRTYPE_SOA && rr->owner != OWNER_APEX;
    }
    return soa && both_applied(trial) &&
           zones_equal_but_serial(&trial->model_after, &trial->server_after) &&
           hf_server_serial(&trial->server_after) == hf_server_serial(&trial->before);
}

bool rule_zone_comes_first(const struct trial *trial)
{
    const struct hf_server_message *message = &trial->parcel->message;
    bool outside = false;
    for (uint32_t i = 0; i < message->prerequisite_count + message->update_count; i++) {
        outside |= message->rrs[i].owner == HF_SERVER_OWNER_OUTSIDE;
    }
    return outside && refused_with(trial, KNOT_RCODE_NOTZONE);
}
