/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fenced zone: fences, guard and answers of a few endpoints in the model of a server, as the
 * enactor of core/enactor.h reads and writes them. Plan k answers each endpoint with content of
 * its own; a record's RDATA is the plan's number.
 */
#ifndef HF_LAB_FENCED_ZONE_H
#define HF_LAB_FENCED_ZONE_H

#include "core/enactor.h"
#include "lab/server.h"

enum { HF_FENCED_INSTANCE = 7 };

/* The sum of what a plan answers an endpoint with. */
uint64_t hf_fenced_zone_sum(uint64_t plan, uint32_t endpoint);

/* Guard, and every endpoint at plan 1. */
void hf_fenced_zone_init(struct hf_server_zone *zone, uint32_t endpoints);

/* What a reader finds. */
struct hf_zone_guard hf_fenced_zone_guard(const struct hf_server_zone *zone);
struct hf_fence hf_fenced_zone_fence(const struct hf_server_zone *zone, uint32_t endpoint);
uint32_t hf_fenced_zone_answer(const struct hf_server_zone *zone, uint32_t endpoint);

/* The message of a WRITE as the production driver builds it: prerequisites on guard and fences. */
void hf_fenced_zone_message(const struct hf_enactor *enactor,
                            const struct hf_enactor_action *action,
                            struct hf_server_message *ret_message);

/* Drops its prerequisites. */
void hf_fenced_zone_trust(struct hf_server_message *message);

#endif
