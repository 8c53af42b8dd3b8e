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

bool rule_empty_names_are_used(const struct trial *trial, struct hf_server_message *message)
{
    bool changed = false;
    for (uint32_t i = 0; i < message->prerequisite_count; i++) {
        struct hf_server_rr *rr = &message->rrs[i];
        if (rr->type == KNOT_RRTYPE_ANY && may_be_in_use(&trial->before, rr->owner)) {
            rr->owner = OWNER_APEX; /* which is always used */
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

/* Of the apex nothing: the model cannot do without its SOA. */
static void remove_name(struct hf_server_zone *zone, uint8_t owner)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < zone->count; i++) {
        if (owner == OWNER_APEX || zone->rrs[i].owner != owner) {
            zone->rrs[kept++] = zone->rrs[i];
        }
    }
    zone->count = kept;
}

/*
 * The first addition from number on that meets a CNAME, or is one that meets other records; the
 * number of updates for none.
 */
static uint32_t next_conflict(const struct trial *trial, const struct hf_server_message *message,
                              uint32_t number)
{
    for (uint32_t i = number; i < message->update_count; i++) {
        const struct hf_server_rr *rr = &updates_of(message)[i];
        struct hf_server_zone zone = zone_after(trial, message, i);
        if (rr->class != KNOT_CLASS_IN || rr->owner >= OWNER_COUNT) {
            continue;
        }
        const struct hf_server_rr *cname;
        bool is_cname = rr->type == KNOT_RRTYPE_CNAME;
        bool has_cname = hf_server_rrset(&zone, rr->owner, KNOT_RRTYPE_CNAME, &cname) > 0;
        bool used = name_is_used(&zone, rr->owner) || (is_cname && may_be_in_use(&zone, rr->owner));
        if (used && has_cname != is_cname) {
            return i;
        }
    }
    return message->update_count;
}

static struct hf_server_message in_their_order(const struct trial *trial)
{
    struct hf_server_message message = trial->parcel->message;
    (void)rule_ignore_deletion_of_names(trial, &message);
    (void)rule_additions_come_last(trial, &message);
    return message;
}

/* One with a TTL refuses the message. */
bool rule_cname_conflict(const struct trial *trial)
{
    struct hf_server_message message = in_their_order(trial);
    bool conflict = false;
    for (uint32_t i = 0; i < message.update_count; i++) {
        i = next_conflict(trial, &message, i);
        conflict |= i < message.update_count && updates_of(&message)[i].ttl_s != 0;
    }
    return conflict &&
           (refused_with(trial, KNOT_RCODE_REFUSED) || refused_with(trial, KNOT_RCODE_FORMERR));
}

/* One without is not looked at closely: the name then holds what it must not hold. */
bool rule_cname_unchecked(const struct trial *trial)
{
    struct hf_server_message message = in_their_order(trial);
    struct hf_server_zone model = trial->model_after;
    struct hf_server_zone server = trial->server_after;
    bool conflict = false;
    for (uint32_t i = 0; i < message.update_count; i++) {
        i = next_conflict(trial, &message, i);
        if (i < message.update_count && updates_of(&message)[i].ttl_s == 0) {
            remove_name(&model, updates_of(&message)[i].owner);
            remove_name(&server, updates_of(&message)[i].owner);
            conflict = true;
        }
    }
    return conflict && both_applied(trial) && zones_equal_but_serial(&model, &server);
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
    return both_applied(trial) && zones_equal_but_serial(&trial->model_after, &trial->server_after);
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
