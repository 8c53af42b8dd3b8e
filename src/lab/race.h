/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Race: two enactors, five plans and clean-up, as in the public Promela model of
 * github.com/wyounas/aws-dns-outage-oct-2025-modeling, written anew. It checks the explorer against
 * Spin. bench/promela/race.pml is the same in Promela; Spin 6.5.2 says of it what is published for
 * the public text: 17,905 states until the first violation, 55 steps to the nearest one, 163,166
 * states in all.
 *
 * One step here is one step of Spin that is told to take no short cuts (spin -o2, pan compiled with
 * -DNOREDUCE -DNOCLAIM): a statement, together with the local ones that Spin merges with it, the
 * announcements ("enactor takes plan 2") included. So the numbers must agree and do: 999,255 states
 * and 2,691,014 transitions, by Spin and here. With its short cuts Spin needs the 163,166. The
 * nearest violation is 54 steps away, which Spin calls depth 53; 55 is with its reduction.
 *
 * Traits of that model that are kept although nothing in the outage asks for them: both enactors
 * note what they work on in one place; one that installs a plan older than the newest ever
 * installed waits for ever after; the planner waits while four plans are in the queue.
 */
#ifndef HF_LAB_RACE_H
#define HF_LAB_RACE_H

#include "lab/model.h"

struct hf_race_options {
    uint32_t go_on; /* 1: the whole space: a violation ends nothing */
};

/* options stay the caller's. Broken when the plan that is answered was deleted. */
void hf_race_model(struct hf_model *ret_model, const struct hf_race_options *options);

#endif
