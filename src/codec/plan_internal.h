/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan, inside: what image, encoder and decoder share. Private to plan*.c.
 *
 * Object:  head (PLAN_HEAD_…), then either the body (part_count 0) or the names of its parts.
 * Body:    backend items, then row items. A part holds whole items.
 * Backend: capacity u32, key. Key: families u8, name size u8, name, [A 4], [AAAA 16].
 * Row:     owner, gen u64, and unless gen is 0:
 *          form u8, flags u8, cause u8, cause backend u32, changed u64, sum u64, TTL u32,
 *          A count u8, AAAA count u8, RDATA, [budget 3 x u64], member count u32, members
 * Members: each as the distance from the one before (the first from 0, the others less one), in
 *          groups of 7 bits, least first, the high bit set on all but the last (LEB128).
 */
#ifndef HF_CODEC_PLAN_INTERNAL_H
#define HF_CODEC_PLAN_INTERNAL_H

#include "codec/name.h"
#include "codec/plan.h"
#include "core/planner.h"

enum {
    PLAN_MAGIC_SIZE = 4,
    PLAN_VERSION = 1,
    PLAN_VERSION_CID = 2, /* the same with a correlation, which is not 0 */
    PLAN_KIND_DELTA = 0,
    PLAN_KIND_SNAPSHOT = 1,

    PLAN_FAMILY_A = 1,
    PLAN_FAMILY_AAAA = 2,
    PLAN_A_SIZE = 4,
    PLAN_AAAA_SIZE = 16,

    PLAN_FLAGS = HF_ROW_EXISTS | HF_ROW_RETIRED | HF_ROW_CLAIMED | HF_ROW_PINNED | HF_ROW_URGENT |
                 HF_ROW_FORGOTTEN,
    PLAN_CAUSE_LAST = HF_CAUSE_CLAIMED,
    PLAN_PLANNER_ROOM = sizeof(((struct hf_plan_head *)0)->planner),

    PLAN_FORM_BUDGET = 1,     /* a budget follows the RDATA */
    PLAN_TTL_MAX = INT32_MAX, /* RFC 2181 section 8 */

    PLAN_BACKEND_KEY_MAX = 2 + HF_PLAN_NAME_MAX + PLAN_A_SIZE + PLAN_AAAA_SIZE,
    PLAN_BACKEND_MIN = 4 + 2 + 1 + PLAN_A_SIZE, /* octets of the smallest item */
    PLAN_ROW_FIXED = 3 + 4 + 8 + 8 + 4 + 2,     /* from form to AAAA count */
    PLAN_ROW_MIN = 1 + 8,                       /* a removal of the root */
    PLAN_ROW_MAX = HF_NAME_MAX + 8 + 3 + 4 + 8 + 8 + 4 + 2 + HF_RECORDS_BYTES_MAX + 3 * 8 + 4 +
                   HF_PLAN_MEMBER_OCTETS_MAX * HF_PLAN_MEMBERS_MAX,
    PLAN_PART_MAX = PLAN_ROW_MAX > HF_PLAN_PART_BYTES ? PLAN_ROW_MAX : HF_PLAN_PART_BYTES,
};

#define PLAN_MAGIC "HFPL"

/* What is left of an entry in an image of answers only. */
void hf_plan_strip(struct hf_plan_entry *entry);

/* Memory of rows: a new one at the end of the plan, and all of them. plan_row.c */
void hf_plan_row_add(struct hf_plan *plan, const uint8_t *owner, size_t owner_size);
void hf_plan_rows_release(struct hf_plan *plan);

/* One distance between members, packed; returns how many octets. */
size_t hf_plan_distance_put(uint32_t distance, uint8_t ret_bytes[HF_PLAN_MEMBER_OCTETS_MAX]);
/* One distance of packed members that are known to be sound; moves at behind it. */
uint32_t hf_plan_distance_take(const uint8_t **at);

/* Writes the key of a backend, by which images find it and objects tell it apart. */
size_t hf_plan_backend_key(const struct hf_plan_backend *backend,
                           uint8_t ret_key[PLAN_BACKEND_KEY_MAX]);

/* hf_plan_set with a sum that is known to be right, and without marking the image as edited. */
void hf_plan_put(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry);

/* Addresses in canonical order without duplicates, counts and TTL within bounds. */
bool hf_plan_records_are_sound(const struct hf_records *records);

/* A planner's name is printable ASCII without spaces. */
bool hf_plan_planner_is_sound(const char *planner, size_t size);

/* Tell events (or NULL) of a row. */
void hf_plan_tell_changing(const struct hf_plan_events *events, uint32_t row);
void hf_plan_tell_changed(const struct hf_plan_events *events, uint32_t row);

/* True when nothing of them differs; their members are numbers of one image. */
bool hf_plan_entry_equal(const struct hf_plan_entry *a, const struct hf_plan_entry *b);

#endif
