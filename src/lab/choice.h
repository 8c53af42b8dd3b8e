/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Choice: the one place where a world's nondeterminism comes from. A step of a model asks
 * hf_choose whenever more than one thing may happen; what it was given is a schedule, which
 * replays that step exactly. The explorer walks through all schedules of a step, the simulator
 * draws one from a seed, replay reads one from a file.
 */
#ifndef HF_LAB_CHOICE_H
#define HF_LAB_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

enum { HF_CHOICES_MAX = 24 }; /* of one step; more is an assertion */

struct hf_choice {
    uint64_t random;                /* state of the generator; 0: what was not given is 0 */
    uint16_t given[HF_CHOICES_MAX]; /* the schedule */
    uint16_t bound[HF_CHOICES_MAX]; /* how many there were to choose from */
    uint32_t given_count;           /* of given: fixed before the step */
    uint32_t count;                 /* asked for in this step so far */
};

/* The choices of one step, to be kept; what is not there is 0. */
struct hf_schedule {
    uint16_t given[HF_CHOICES_MAX];
    uint16_t count;
};

/* Before each step: drops what the last one asked; given_count choices of given stand. */
void hf_choice_begin(struct hf_choice *choice, uint32_t given_count);

/* The same with the choices of a schedule. */
void hf_choice_begin_with(struct hf_choice *choice, const struct hf_schedule *schedule);

/* What the last step asked for; zeros at the end are left out. */
void hf_choice_keep(const struct hf_choice *choice, struct hf_schedule *ret_schedule);

/*
 * 0 to bound - 1, bound at least 1; a bound of 1 costs no place. A given choice at or above bound
 * (a schedule that was shortened) is taken modulo bound.
 */
uint32_t hf_choose(struct hf_choice *choice, uint32_t bound);

/*
 * As hf_choose over count alternatives, by weight when it is drawn; alternatives of weight 0 do
 * not exist. At least one weight is above 0.
 *
 * What is noted is the alternative itself, and not its rank among those that exist, so that a
 * schedule keeps its meaning where others come and go: a given one that does not exist stands for
 * the next one that does, after the last the first. A count of 1 costs no place.
 */
uint32_t hf_choose_weighted(struct hf_choice *choice, const uint32_t *weights, uint32_t count);

/*
 * After a step: turns to the next schedule in order, as an odometer does; false when that was the
 * last. The step must be done again from the same state.
 */
bool hf_choice_next(struct hf_choice *choice);

#endif
