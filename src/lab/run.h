/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run: one history of a world, from a seed: steps that are drawn or given, then the healing. The
 * simulator draws, replay and minimiser give; both lead through the same functions, so that the
 * same seed and steps are the same history, bit for bit.
 *
 * A seed stands for the first state and for two generators: one of the steps, one of the healing.
 * The second does not depend on how many steps there were, so that it is the same after a history
 * was shortened. Seed 0 stands for no chance at all: what is not given is 0.
 */
#ifndef HF_LAB_RUN_H
#define HF_LAB_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/model.h"

enum hf_run_end {
    HF_RUN_GOING,
    HF_RUN_STILL,    /* no step is left, and none has to be */
    HF_RUN_HEALED,   /* faults stopped and the world came to rest */
    HF_RUN_BROKEN,   /* an invariant does not hold */
    HF_RUN_WEDGE,    /* no step is left, but the state is not final */
    HF_RUN_RESTLESS, /* faults stopped and the world did not come to rest */
};

enum {
    HF_RUN_DRAWS_MAX = 1000,    /* in a row that lead nowhere; then all schedules are tried */
    HF_RUN_TRIES_MAX = 1000000, /* schedules of one state that are tried; more count as none */
};

struct hf_run {
    const struct hf_model *model;
    uint64_t *state, *before; /* before: what the last step that was given was taken from */
    uint8_t *encoded;
    struct hf_choice choice; /* of the last step */
    uint64_t seed;
    uint64_t hash; /* of all states and choices, where it is kept */
    uint32_t steps;
    bool keeps_hash;
    uint8_t end; /* enum hf_run_end */
    char why[HF_MODEL_WHY_SIZE];
};

/* Octets that a run needs; aligned to 8. */
size_t hf_run_layout(const struct hf_model *model);

/* memory stays the caller's. A run is begun as often as wanted. */
void hf_run_init(struct hf_run *run, const struct hf_model *model, void *memory);

/* keeps_hash: costs the encoding of every state. */
void hf_run_begin(struct hf_run *run, uint64_t seed, bool keeps_hash);

/* Draws one step that leads somewhere. HF_RUN_GOING, STILL, BROKEN or WEDGE. */
enum hf_run_end hf_run_draw(struct hf_run *run);

/* Takes a given step; false when it leads nowhere: then nothing has happened. */
bool hf_run_take(struct hf_run *run, const struct hf_schedule *schedule);

/* Whether no step is left in a state that is not final; the run ends then. */
bool hf_run_is_wedged(struct hf_run *run);

/* HEALED or RESTLESS; a model that has no healing is healed. Not after an end but STILL. */
enum hf_run_end hf_run_heal(struct hf_run *run);

/* Whether that end is one that people want to know of. */
bool hf_run_failed(enum hf_run_end end);

/* The first word of a reason, which names the invariant: its size, without ':' or ','. */
size_t hf_run_word(const char *why);

#endif
