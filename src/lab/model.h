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

enum { HF_MODEL_WHY_SIZE = 200, HF_MODEL_PARTS_MAX = 4 };

struct hf_model;

/*
 * What a model gives whose states are made of alike parts around a rest that they share, if no
 * step touches more than one part and the rest. Then what a step of a part does is found out once
 * for each part and rest, however many states they are in (weave.h).
 *
 * Part 0 is the rest. Parts may not know of each other, with two exceptions. The first octet of a
 * part is not 0 while it knows the rest as it is, and becomes 0 when a step of another makes it
 * forget. And parts draw values that no other part holds: which are taken is a set of 64 bits, and
 * a step depends on those only that the rest and its part look at.
 */
struct hf_model_parts {
    uint32_t count; /* beside the rest */

    /* The octets of one part in canonical form; returns their number. */
    size_t (*split)(const struct hf_model *model, const void *state, uint32_t part,
                    uint8_t *ret_bytes);

    /* A state of these parts, the rest first, of which there may be fewer than count; taken: what
     * those that are missing hold. */
    void (*join)(const struct hf_model *model, const uint8_t *const *bytes, uint32_t count,
                 uint64_t taken, void *ret_state);

    /* The values that a part holds, and those that its steps may look at. */
    void (*values)(const struct hf_model *model, const void *state, uint32_t part,
                   uint64_t *ret_held, uint64_t *ret_looked_at);

    /* As hf_model.step, of a joined state: steps of the rest alone, or of its only part. */
    enum hf_step (*step)(const struct hf_model *model, void *state, bool of_rest,
                         struct hf_choice *choice);

    /* After a step: whether the other parts forget. */
    bool (*forgets)(const struct hf_model *model, const void *state);
};

struct hf_model {
    const char *name;
    const void *options; /* of the model; bounds, weights, what is allowed to happen */
    const struct hf_model_parts *parts; /* NULL: it is not made of parts */
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

    /* A state of that canonical form; encoding it gives the same octets. NULL: the octets do not
     * say what the seed drew, so that the model can be simulated and not explored. */
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
