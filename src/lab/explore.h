/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Explore: every state that a model can reach, breadth first, so that the first violation found is
 * one of the shortest.
 *
 * States are known by a 64-bit fingerprint of their canonical form (model.h); two states with one
 * fingerprint would be taken for one, which hf_explore_missed estimates. A state waits in a ring
 * as its canonical octets until its steps are taken. For each state, its parent and the number of
 * the schedule that led to it are kept, so that a counterexample is found by replaying schedules.
 *
 * The caller gives all memory at once and may free it after the last call. It may be much more
 * than is needed, of a kind that costs nothing until it is touched: fingerprints and ring begin
 * small and grow, and only what hf_explore_memory says was touched.
 */
#ifndef HF_LAB_EXPLORE_H
#define HF_LAB_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/model.h"

/* Places of fingerprints are computed in 64 bits. */
#define HF_EXPLORE_STATES_MAX UINT32_C(3800000000)

enum { HF_EXPLORE_BATCH = 32 }; /* states whose fingerprints are fetched from memory at a time */

enum hf_explore_end {
    HF_EXPLORE_GOING,
    HF_EXPLORE_COMPLETE, /* every reachable state was seen */
    HF_EXPLORE_BROKEN,   /* an invariant does not hold after the last step of the path */
    HF_EXPLORE_WEDGE,    /* the last state of the path has no step and is not final */
    HF_EXPLORE_RESTLESS, /* faults stopped after the path and the world did not come to rest */
    HF_EXPLORE_FULL,     /* a bound was reached: why says which */
};

struct hf_explore_options {
    uint32_t states_max; /* at most HF_EXPLORE_STATES_MAX */
    size_t ring_size;    /* octets for the states that wait; at least two of the largest */
    size_t memory_max;   /* octets that hf_explore_memory may reach; 0: all that was given */
    uint32_t heal_each;  /* every so manieth state is healed; 0: none */
};

/* A state that was reached, before it is known whether it is new. Its octets are in encoded. */
struct hf_explore_pending {
    uint64_t fingerprint;
    uint32_t parent;
    uint16_t schedule;
    uint16_t size;
};

struct hf_explore {
    const struct hf_model *model;
    struct hf_explore_options options;
    uint64_t *seen;     /* open addressing in the order of fingerprints; 0 is an empty place */
    uint32_t *parents;  /* of states by number; the first state is 0 */
    uint16_t *schedule; /* which of its parent's schedules led to it */
    uint8_t *ring;      /* size in two octets, then the state; 0: go on at the start */
    uint8_t *encoded;
    uint64_t *base, *work, *real; /* states */
    size_t seen_room;             /* places in use; some more follow them for what overflows */
    size_t ring_room;             /* octets in use */
    size_t ring_head, ring_tail, ring_used, ring_high;
    size_t encoded_size; /* of what is pending */
    uint64_t transitions;
    uint32_t states;   /* found */
    uint32_t grow_at;  /* states at which fingerprints need more room */
    uint32_t expanded; /* of these, those whose steps were taken */
    uint32_t finals;   /* states without steps */
    uint32_t healed;   /* states from which the world was brought to rest */
    uint32_t depth;    /* steps from the first state to the one expanded now */
    uint32_t layer_end;
    uint32_t pending_count;
    uint32_t last_parent; /* the step that ended the search */
    uint16_t last_schedule;
    uint8_t end; /* enum hf_explore_end */
    char why[HF_MODEL_WHY_SIZE];
    struct hf_explore_pending pending[HF_EXPLORE_BATCH];
};

/* Octets for a search; aligned to 8. */
size_t hf_explore_layout(const struct hf_model *model, const struct hf_explore_options *options);

/* Begins with the model's first state. memory needs no content and stays the caller's. */
void hf_explore_init(struct hf_explore *explore, const struct hf_model *model,
                     const struct hf_explore_options *options, void *memory);

/* Takes the steps of at most so many states; HF_EXPLORE_GOING when there are more. */
enum hf_explore_end hf_explore_run(struct hf_explore *explore, uint32_t states);

/* Whether the search ended because it found something: there is a path to it. */
bool hf_explore_found(const struct hf_explore *explore);

/*
 * The steps that lead to where the search ended (BROKEN, WEDGE, RESTLESS), first one first, as
 * they are from the model's first state without going through canonical forms. HF_ENOENT: it did
 * not end so. HF_ELIMIT: they are more than room. HF_ECORRUPT: the model's canonical form takes
 * states together that do not behave alike.
 */
int hf_explore_path(const struct hf_explore *explore, struct hf_schedule *ret_steps, uint32_t room,
                    uint32_t *ret_count);

/* Octets of the memory given that were touched, and of these, those for stored states: all but
 * the ring and what does not grow. */
size_t hf_explore_memory(const struct hf_explore *explore);
size_t hf_explore_stored(const struct hf_explore *explore);

/* How many states were probably missed because another one had the same fingerprint. */
double hf_explore_missed(const struct hf_explore *explore);

#endif
