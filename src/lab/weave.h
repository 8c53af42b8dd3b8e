/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Weave: a model made of parts (hf_model_parts), as one whose states are the numbers of its parts.
 *
 * Parts have few forms, states are many combinations of them. Each form gets a number when it is
 * met first. What the rest does by itself, and what each part does with the rest, is found out by
 * taking the base model's steps (Holdfast: the production machines), once for each combination of
 * a rest, a part and what values are taken, and remembered: steps are functions. A step of a woven
 * state then looks up and puts together, and states that differ in the order of their parts only
 * are one.
 *
 * The caller gives memory that costs nothing until it is touched; hf_weave_memory says how much
 * that is by now. It must last as long as the woven model is used.
 */
#ifndef HF_LAB_WEAVE_H
#define HF_LAB_WEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/model.h"

/* A form of the rest or of a part. */
struct hf_weave_form {
    uint64_t at;              /* of its octets */
    uint64_t held, looked_at; /* values */
    uint32_t size;
    uint32_t forgetful; /* the form that it becomes when it forgets, plus 1; 0: not known yet */
};

/* What can happen to a rest (part UINT32_MAX: by itself) and a part. */
struct hf_weave_ways {
    uint64_t taken; /* values that other parts hold and these look at */
    uint64_t first; /* of its steps */
    uint32_t rest, part;
    uint32_t count;
};

struct hf_weave_step {
    uint32_t rest, part; /* as they are afterwards */
    bool forgets;
    bool broken;
};

/* Open addressing, of indices; 0 is an empty place. */
struct hf_weave_index {
    uint32_t *places;
    uint32_t room; /* a power of two */
};

struct hf_weave {
    const struct hf_model *base;
    uint8_t *octets;
    struct hf_weave_form *forms;
    struct hf_weave_ways *ways;
    struct hf_weave_step *steps;
    struct hf_weave_index form_index, ways_index;
    uint64_t *state, *work; /* of the base */
    uint8_t *encoded;
    uint64_t octet_count, step_count;
    uint32_t form_count, ways_count;
    uint64_t base_steps; /* taken */
    size_t size;         /* octets given */
    char why[HF_MODEL_WHY_SIZE];
    /* The state whose steps are asked for one after the other. */
    uint32_t at_rest, at_parts[HF_MODEL_PARTS_MAX];
    const struct hf_weave_ways *at_ways[HF_MODEL_PARTS_MAX];
    uint32_t at_count;
    bool at_known;
};

/* Address space that a weave wants; aligned to 8. Few of it is touched. */
size_t hf_weave_layout(const struct hf_model *base);

/* base has parts; ret_model borrows weave. */
void hf_weave_init(struct hf_weave *weave, const struct hf_model *base, void *memory,
                   struct hf_model *ret_model);

/* Octets that were touched. */
size_t hf_weave_memory(const struct hf_weave *weave);

/* No room is left for new forms: the search must end. */
bool hf_weave_is_full(const struct hf_weave *weave);

/*
 * Turns steps of the woven model, from its first state, into steps of the base that lead to the
 * same states; the last may lead to an invariant that breaks. HF_ECORRUPT: there are none, so the
 * model's parts are not what hf_model_parts asks for. Uses the woven model's states.
 */
int hf_weave_unravel(struct hf_weave *weave, const struct hf_model *woven,
                     struct hf_schedule *steps, uint32_t count);

#endif
