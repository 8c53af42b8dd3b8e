/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Models for tests of the lab. A tree: numbers from 1, of which each leads to its double, its
 * double and one, and its half; below a limit all are reached, each at a known depth. A walk: up,
 * down, or noise; it breaks, gets stuck or does not come to rest where the options say.
 */
#ifndef HF_TESTS_LAB_TOY_H
#define HF_TESTS_LAB_TOY_H

#include <stdio.h>
#include <string.h>

#include "lab/model.h"

struct tree_options {
    uint32_t limit;     /* numbers are below it */
    uint32_t broken_at; /* this one breaks an invariant; 0: none */
};

struct tree {
    uint32_t number;
    uint32_t restored; /* by the hook; not in the canonical form */
};

static inline void tree_init(const struct hf_model *model, void *state, uint64_t seed)
{
    (void)model;
    (void)seed;
    *(struct tree *)state = (struct tree){.number = 1};
}

static inline enum hf_step tree_step(const struct hf_model *model, void *state,
                                     struct hf_choice *choice)
{
    const struct tree_options *options = model->options;
    struct tree *now = state;
    uint32_t what = hf_choose(choice, 3);
    now->number = what == 2 ? now->number / 2 : 2 * now->number + what;
    if (now->number == 0 || now->number >= options->limit) {
        return HF_STEP_DISABLED;
    }
    return now->number == options->broken_at ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

/* Of different sizes, so that the ring wraps at odd places. */
static inline size_t tree_encode(const struct hf_model *model, const void *state,
                                 uint8_t *ret_bytes)
{
    (void)model;
    const struct tree *now = state;
    size_t size = sizeof(now->number) + now->number % 5;
    memset(ret_bytes, 0, size);
    memcpy(ret_bytes, &now->number, sizeof(now->number));
    return size;
}

static inline void tree_decode(const struct hf_model *model, const uint8_t *bytes, size_t size,
                               void *state)
{
    (void)size;
    tree_init(model, state, 0);
    memcpy(&((struct tree *)state)->number, bytes, sizeof(uint32_t));
}

static inline void tree_restore(const struct hf_model *model, const void *base, void *work)
{
    (void)model;
    ((struct tree *)work)->number = ((const struct tree *)base)->number;
}

static inline const char *tree_why(const struct hf_model *model, const void *state)
{
    (void)model;
    (void)state;
    return "leaf: the number that must not be was reached";
}

static inline void tree_model(struct hf_model *ret_model, const struct tree_options *options)
{
    *ret_model = (struct hf_model){.name = "tree",
                                   .options = options,
                                   .state_size = sizeof(struct tree),
                                   .encoded_max = sizeof(uint32_t) + 4,
                                   .init = tree_init,
                                   .step = tree_step,
                                   .encode = tree_encode,
                                   .decode = tree_decode,
                                   .restore = tree_restore,
                                   .why = tree_why};
}

struct walk_options {
    uint32_t broken_at, stuck_at, restless_from; /* places; 0: none */
};

struct walk {
    uint32_t place, noise;
    uint64_t time_ms;
};

static inline void walk_init(const struct hf_model *model, void *state, uint64_t seed)
{
    (void)model;
    *(struct walk *)state = (struct walk){.noise = (uint32_t)(seed % 7)};
}

enum { WALK_UP, WALK_DOWN, WALK_NOISE };

static inline enum hf_step walk_step(const struct hf_model *model, void *state,
                                     struct hf_choice *choice)
{
    const struct walk_options *options = model->options;
    struct walk *now = state;
    if (options->stuck_at != 0 && now->place == options->stuck_at) {
        return HF_STEP_DISABLED;
    }
    const uint32_t weights[] = {3, now->place > 0 ? 2 : 0, 5};
    switch (hf_choose_weighted(choice, weights, 3)) {
    case WALK_UP:
        now->place++;
        break;
    case WALK_DOWN:
        now->place--;
        break;
    default:
        now->noise = hf_choose(choice, 16);
        break;
    }
    now->time_ms += 1 + hf_choose(choice, 100);
    return now->place == options->broken_at && options->broken_at != 0 ? HF_STEP_BROKEN
                                                                       : HF_STEP_TAKEN;
}

static inline size_t walk_encode(const struct hf_model *model, const void *state,
                                 uint8_t *ret_bytes)
{
    (void)model;
    memcpy(ret_bytes, state, sizeof(struct walk));
    return sizeof(struct walk);
}

static inline void walk_decode(const struct hf_model *model, const uint8_t *bytes, size_t size,
                               void *state)
{
    (void)model;
    memcpy(state, bytes, size);
}

static inline bool walk_is_final(const struct hf_model *model, const void *state)
{
    (void)model;
    (void)state;
    return false;
}

static inline enum hf_step walk_heal(const struct hf_model *model, void *state,
                                     struct hf_choice *choice)
{
    const struct walk_options *options = model->options;
    struct walk *now = state;
    hf_choice_begin(choice, 0);
    now->time_ms = hf_choose(choice, 1000);
    bool is_restless = options->restless_from != 0 && now->place >= options->restless_from;
    return is_restless ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

/* Two reasons, so that one can be mistaken for the other. */
static inline const char *walk_why(const struct hf_model *model, const void *state)
{
    (void)model;
    return ((const struct walk *)state)->noise % 2 == 0 ? "even: too far" : "odd: too far";
}

static inline uint64_t walk_time_ms(const struct hf_model *model, const void *state)
{
    (void)model;
    return ((const struct walk *)state)->time_ms;
}

static inline void walk_model(struct hf_model *ret_model, const struct walk_options *options)
{
    *ret_model = (struct hf_model){.name = "walk",
                                   .options = options,
                                   .state_size = sizeof(struct walk),
                                   .encoded_max = sizeof(struct walk),
                                   .init = walk_init,
                                   .step = walk_step,
                                   .encode = walk_encode,
                                   .decode = walk_decode,
                                   .is_final = walk_is_final,
                                   .heal = walk_heal,
                                   .time_ms = walk_time_ms,
                                   .why = walk_why};
}

#endif
