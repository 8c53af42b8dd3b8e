/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What world_code*.c share: numbers as octets, least significant seven bits first. A coder writes
 * or reads, so that each part of a state is described once: what is written is what is read.
 *
 * Where there is no time, states that behave alike are made equal: a timer is armed or not, a
 * streak is long or not, operations have no numbers, enactors no order.
 */
#ifndef HF_LAB_WORLD_CODE_H
#define HF_LAB_WORLD_CODE_H

#include "lab/world_internal.h"

struct hf_world_coder {
    uint8_t *out;      /* where the next octet goes, or NULL: reading */
    const uint8_t *in; /* where the next octet comes from */
};

/* A number; *value is written, or read into. */
void hf_code(struct hf_world_coder *coder, uint64_t *value);

static inline bool hf_code_reads(const struct hf_world_coder *coder)
{
    return coder->out == NULL;
}

/* Fields of other sizes. */
static inline void hf_code_u8(struct hf_world_coder *coder, uint8_t *value)
{
    uint64_t number = *value;
    hf_code(coder, &number);
    *value = (uint8_t)number;
}

static inline void hf_code_u16(struct hf_world_coder *coder, uint16_t *value)
{
    uint64_t number = *value;
    hf_code(coder, &number);
    *value = (uint16_t)number;
}

static inline void hf_code_u32(struct hf_world_coder *coder, uint32_t *value)
{
    uint64_t number = *value;
    hf_code(coder, &number);
    *value = (uint32_t)number;
}

static inline void hf_code_bool(struct hf_world_coder *coder, bool *value)
{
    uint64_t number = *value;
    hf_code(coder, &number);
    *value = number != 0;
}

void hf_code_value(struct hf_world_coder *coder, hf_world_value *value);
void hf_code_flight(struct hf_world_coder *coder, const struct hf_world *world,
                    struct hf_world_flight *flight);
void hf_code_plan(struct hf_world_coder *coder, const struct hf_world *world,
                  struct hf_world_plan *plan);
void hf_code_overrides(struct hf_world_coder *coder, struct hf_world_overrides *overrides);
/* A time that lies ahead or does not; all those ahead are alike. */
void hf_code_armed(struct hf_world_coder *coder, const struct hf_world *world, uint64_t *at_ms,
                   uint64_t ahead_ms);
void hf_code_budget(struct hf_world_coder *coder, const struct hf_world *world,
                    struct hf_budget *budget);
void hf_code_enactor(struct hf_world_coder *coder, const struct hf_world *world,
                     struct hf_world_enactor *enactor);
void hf_code_planner(struct hf_world_coder *coder, struct hf_world *world,
                     struct hf_world_planner *planner);
void hf_code_janitor(struct hf_world_coder *coder, struct hf_world *world);
#endif
