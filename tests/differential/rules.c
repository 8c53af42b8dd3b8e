/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The known deviations of the servers; docs/internals/servers.md has them in words. */
#include "rules.h"

#include <assert.h>

static const struct rule RULES[] = {
    {SERVER_KNOTD, "3.4.2.2", "adding a record that exists with another TTL keeps the old TTL",
     rule_keep_ttl, NULL},
    {SERVER_KNOTD, "3.4.1.3", "the TTL of a deletion of RRsets is not looked at",
     rule_ignore_ttl_of_deletion, NULL},
    {SERVER_KNOTD, "3.4.2.2", "of several SOA each is compared with that before the message",
     rule_compare_with_first_serial, NULL},
    {SERVER_KNOTD, "3.4.1.3",
     "an update outside of the zone is NOTAUTH (its ACL), also before prerequisites", NULL,
     rule_outside_is_not_allowed},
    {SERVER_KNOTD, "3.1.2", "another class than IN is NOTIMPL or FORMERR", NULL,
     rule_class_not_implemented},
    {SERVER_KNOTD, "3.1", "what cannot be read is NOTAUTH or closes the connection", NULL,
     rule_broken_otherwise},

    {SERVER_NAMED, "3.2.3", "a value-dependent prerequisite that is repeated is NXRRSET", NULL,
     rule_repeated_value},
    {SERVER_NAMED, "-", "an address at a name with an underscore is REFUSED (check-names)", NULL,
     rule_host_name_is_bad},
    {SERVER_NAMED, "-", "taking all addresses from a name server of the zone is REFUSED", NULL,
     rule_name_server_loses_addresses},
    {SERVER_NAMED, "3.4.1", "errors of updates are found before prerequisites are looked at", NULL,
     rule_prescan_comes_first},
    {SERVER_NAMED, "3.2",
     "RDATA where class ANY or NONE forbids it is found before prerequisites fail", NULL,
     rule_rdata_is_found_first},
    {SERVER_NAMED, "3.6", "an owner in other case is a change: the serial grows", NULL,
     rule_case_is_a_change},
    {SERVER_NAMED, "3.1.2", "another class than IN is NOTIMPL or FORMERR", NULL,
     rule_class_not_implemented},
    {SERVER_NAMED, "3.1", "what cannot be read may be NOTAUTH", NULL, rule_broken_otherwise},

    {SERVER_PDNS, "3.2.1", "a name that only has names below it is in use (api)",
     rule_empty_api_is_used, NULL},
    {SERVER_PDNS, "3.2.1", "a name that only has names below it is in use (web)",
     rule_empty_web_is_used, NULL},
    {SERVER_PDNS, "3.2.1", "a name that only has names below it is in use (db.api)",
     rule_empty_db_is_used, NULL},
    {SERVER_PDNS, "3.4.2.3", "deletion of all RRsets of a name is ignored (LMDB)",
     rule_ignore_deletion_of_names, NULL},
    {SERVER_PDNS, "3.4.2", "additions with a TTL come last, CNAMEs first among them",
     rule_additions_come_last, NULL},
    {SERVER_PDNS, "3.4.2.4", "NS of the apex go last, and only if others stay",
     rule_name_servers_go_last, NULL},
    {SERVER_PDNS, "3.2.3", "TXT values are equal in upper and lower case", rule_text_in_other_case,
     NULL},
    {SERVER_PDNS, "3.2.3", "a value-dependent prerequisite that is repeated is NXRRSET", NULL,
     rule_repeated_value},
    {SERVER_PDNS, "3.4.2.2", "CNAME beside other records: REFUSED or FORMERR", NULL,
     rule_cname_conflict},
    {SERVER_PDNS, "3.4.2.2", "an addition with TTL 0 is stored beside a CNAME, or is that CNAME",
     NULL, rule_cname_unchecked},
    {SERVER_PDNS, "RFC 3597", "a record of an unknown type is FORMERR", NULL, rule_unknown_type},
    {SERVER_PDNS, "3.2.5", "a name outside of the zone is found before all else", NULL,
     rule_zone_comes_first},
    {SERVER_PDNS, "3.6", "a SOA that is not at the apex keeps the serial from growing", NULL,
     rule_ignored_serial_stays},
    {SERVER_PDNS, "3.6", "changes that cancel out are changes: the serial grows", NULL,
     rule_cancelled_is_a_change},
    {SERVER_PDNS, "3.1", "what cannot be read is REFUSED or closes the connection", NULL,
     rule_broken_otherwise},
};

enum {
    RULE_COUNT = sizeof(RULES) / sizeof(RULES[0]),
    REWRITES_MAX = 8, /* of a server */
};

static_assert(RULE_COUNT <= 32, "a set of rules is a 32-bit word");

/* --- finding the rule --- */

/* The rewrites of a server's rules that are in a set, one bit a rule; the last that did something.
 */
static int rewrite(const struct trial *trial, uint32_t set, struct hf_server_message *message)
{
    int found = RULE_NONE;
    *message = trial->parcel->message;
    for (int i = 0; i < RULE_COUNT; i++) {
        bool chosen = (set >> i & 1) != 0;
        found = chosen && RULES[i].rewrite(trial, message) ? i : found;
    }
    return found;
}

/* What explains the trial once the rewrites of a set are done; RULE_NONE for nothing. */
static int explain(const struct trial *trial, uint32_t set, bool outcomes)
{
    struct parcel parcel = *trial->parcel;
    struct trial again = *trial;
    int rule = rewrite(trial, set, &parcel.message);
    again.parcel = &parcel;
    trial_model(&again, false);
    if (set != 0 && rule == RULE_NONE) {
        return RULE_NONE;
    }
    if (!outcomes) {
        return trial_agrees(&again) ? rule : RULE_NONE;
    }
    again.parcel = trial->parcel;
    for (int i = 0; i < RULE_COUNT; i++) {
        if (RULES[i].server == trial->server && RULES[i].applies != NULL &&
            RULES[i].applies(&again)) {
            return i;
        }
    }
    return RULE_NONE;
}

/* A server may do one of these things or several: few of them explain a trial better than many. */
static int explain_by_few(const struct trial *trial, uint32_t all, bool outcomes)
{
    for (uint32_t size = 0; size <= REWRITES_MAX; size++) {
        uint32_t set = all;
        do {
            if ((uint32_t)__builtin_popcount(set) == size) {
                int rule = explain(trial, set, outcomes);
                if (rule != RULE_NONE) {
                    return rule;
                }
            }
            set = (set - 1) & all;
        } while (set != all);
    }
    return RULE_NONE;
}

int rule_find(const struct trial *trial)
{
    uint32_t all = 0;
    if (trial->parcel->category == CATEGORY_HOLDFAST) {
        return RULE_NONE;
    }
    for (int i = 0; i < RULE_COUNT && !trial->parcel->broken; i++) {
        bool rewrites = RULES[i].server == trial->server && RULES[i].rewrite != NULL;
        all |= rewrites ? (uint32_t)1 << i : 0;
    }
    int rule = explain_by_few(trial, all, false);
    return rule != RULE_NONE ? rule : explain_by_few(trial, all, true);
}

uint32_t rule_count(void)
{
    return RULE_COUNT;
}

const struct rule *rule_at(uint32_t number)
{
    return &RULES[number];
}
