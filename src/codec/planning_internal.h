/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What planning.c (the fleet) and planning_feed.c (what goes in and comes out) share. */
#ifndef HF_CODEC_PLANNING_INTERNAL_H
#define HF_CODEC_PLANNING_INTERNAL_H

#include "codec/name.h"
#include "codec/planning.h"

void hf_planning_member_add(struct hf_planning *planning, uint32_t backend);
void hf_planning_members(struct hf_planning *planning, uint32_t number,
                         const struct hf_config_endpoint *endpoint, const uint32_t *extra,
                         uint32_t extra_count);

/* The entry of a fleet endpoint; the numbers of its members lie in planning->served. */
void hf_planning_entry(struct hf_planning *planning, uint32_t endpoint,
                       struct hf_plan_entry *ret_entry);
/* Whether the entry at hand serves a plan backend. */
bool hf_planning_serves(const struct hf_planning *planning, uint32_t number);

/*
 * The plan backends that a pin on owner names (made where they are new); NULL without a pin. To be
 * freed.
 */
uint32_t *hf_planning_pin_members(struct hf_planning *planning, const uint8_t *owner,
                                  const struct hf_overrides *overrides, uint32_t *ret_count);

/* Makes plan numbers for all that pins name, before anything is sized by them. */
void hf_planning_pin_numbers(struct hf_planning *planning, const struct hf_overrides *overrides);

void hf_planning_adopt_all(struct hf_planning *planning);
void hf_planning_feed_overrides(struct hf_planning *planning, const struct hf_overrides *overrides,
                                uint64_t now_ms);

#endif
