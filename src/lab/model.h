/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Model: what explorer, simulator, minimiser and replay know of a world. Holdfast's own world
 * (world.h) is one; the cloud's published protocol and the small textbook protocols that check the
 * checker are others.
 *
 * A state is plain data of state_size octets: copying them copies the state. Steps allocate
 * nothing and read no clock. Everything that may happen is asked of a struct hf_choice, so that
 * state and schedule determine the next state.
 */
#ifndef HF_LAB_MODEL_H
#define HF_LAB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "lab/choice.h"

enum hf_step {
    HF_STEP_TAKEN,
    HF_STEP_DISABLED, /* this schedule leads nowhere: the state is not to be used */
    HF_STEP_BROKEN,   /* an invariant does not hold any more: hf_model_why says which */
};

enum { HF_MODEL_WHY_SIZE = 200 };

struct hf_model {
    const char *name;
    const void *options; /* of the model; bounds, weights, what is allowed to happen */
    size_t state_size;
    size_t encoded_max; /* octets that encode writes at most; below 64 KiB */

    /* A step that is drawn always leads somewhere: no copy of the state has to be kept for it. */
    bool is_always_enabled;

    /* The first state. seed: of worlds that draw their own shape from it; explorers give 0. */
    void (*init)(const struct hf_model *model, void *state, uint64_t seed);

    /* One atomic thing happens. */
    enum hf_step (*step)(const struct hf_model *model, void *state, struct hf_choice *choice);

    /*
     * The state in canonical form: states that behave alike (symmetry, dead values) have the same
     * octets, others different ones. Returns their number.
     */
    size_t (*encode)(const struct hf_model *model, const void *state, uint8_t *ret_bytes);

    /* A state of that canonical form; encoding it gives the same octets. */
    void (*decode)(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state);

    /* A state in which nothing has to happen any more; one without steps that is not is a wedge.
     * NULL: every state is. */
    bool (*is_final)(const struct hf_model *model, const void *state);

    /*
     * work was base until one step was taken on it: makes it base again. NULL: all of it is copied.
     * Of models whose states are large and whose steps touch little.
     */
    void (*restore)(const struct hf_model *model, const void *base, void *work);

    /* The time in the world. NULL: it has none. */
    uint64_t (*time_ms)(const struct hf_model *model, const void *state);

    /*
     * Liveness: faults stop, all that is alive goes on in fair turns. HF_STEP_TAKEN when the world
     * came to rest where it should be, within the model's bound; uses the state up. NULL: none.
     */
    enum hf_step (*heal)(const struct hf_model *model, void *state, struct hf_choice *choice);

    /* Which invariant is broken, and how, in one line. */
    const char *(*why)(const struct hf_model *model, const void *state);

    /*
     * One line for people about a step that led from before to after: who did what. Called only
     * when a timeline is printed. Writes nothing for a step that is not worth a line.
     */
    void (*tell)(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                 const void *after, struct hf_buf *ret_line);
};

#endif
