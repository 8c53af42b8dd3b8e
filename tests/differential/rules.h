/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules: what the known deviations are made of. A function named rule_… with a message changes it
 * into one that the model treats as the server treats the original; without one it says whether the
 * message and the outcome are those of the deviation.
 */
#ifndef HF_DIFFERENTIAL_RULES_H
#define HF_DIFFERENTIAL_RULES_H

#include "trial.h"

/* --- rules_any.c: for rules to look at a trial --- */

const struct hf_server_rr *updates_of(const struct hf_server_message *message);
bool server_said(const struct trial *trial, uint8_t rcode);
bool unchanged(const struct trial *trial);
bool refused_with(const struct trial *trial, uint8_t rcode);
bool both_applied(const struct trial *trial);
/* Nothing has changed, but the server gave the zone the next serial. */
bool only_serial_grew(const struct trial *trial);
bool is_address(uint16_t type);
bool owner_has_underscore(uint8_t owner);
bool name_is_used(const struct hf_server_zone *zone, uint8_t owner);

/* Does one update, as a part of a message: the serial does not grow by itself. */
void zone_step(struct hf_server_zone *zone, const struct hf_server_rr *rr);

/* The zone after the first count updates of message. */
struct hf_server_zone zone_after(const struct trial *trial, const struct hf_server_message *message,
                                 uint32_t count);

/* --- rules of several servers --- */

bool rule_class_not_implemented(const struct trial *trial);
bool rule_broken_otherwise(const struct trial *trial);
bool rule_repeated_value(const struct trial *trial);
bool rule_prescan_comes_first(const struct trial *trial);

/* --- rules_knotd.c --- */

bool rule_keep_ttl(const struct trial *trial, struct hf_server_message *message);
bool rule_ignore_ttl_of_deletion(const struct trial *trial, struct hf_server_message *message);
bool rule_compare_with_first_serial(const struct trial *trial, struct hf_server_message *message);
bool rule_outside_is_not_allowed(const struct trial *trial);

/* --- rules_named.c --- */

bool rule_host_name_is_bad(const struct trial *trial);
bool rule_name_server_loses_addresses(const struct trial *trial);
bool rule_rdata_is_found_first(const struct trial *trial);
bool rule_case_is_a_change(const struct trial *trial);

/* --- rules_pdns.c --- */

bool rule_text_in_other_case(const struct trial *trial, struct hf_server_message *message);
bool rule_empty_api_is_used(const struct trial *trial, struct hf_server_message *message);
bool rule_empty_web_is_used(const struct trial *trial, struct hf_server_message *message);
bool rule_empty_db_is_used(const struct trial *trial, struct hf_server_message *message);
bool rule_ignore_deletion_of_names(const struct trial *trial, struct hf_server_message *message);
bool rule_additions_come_last(const struct trial *trial, struct hf_server_message *message);
bool rule_name_servers_go_last(const struct trial *trial, struct hf_server_message *message);
bool rule_zone_comes_first(const struct trial *trial);
bool rule_cname_conflict(const struct trial *trial);
bool rule_cname_unchecked(const struct trial *trial);
bool rule_ignored_serial_stays(const struct trial *trial);
bool rule_unknown_type(const struct trial *trial);
bool rule_cancelled_is_a_change(const struct trial *trial);

#endif
