/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two-phase commit with N resource managers and messages that are never lost, after Gray and
 * Lamport, "Consensus on Transaction Commit" (2006), section 3. Its numbers of states are
 * published, so it checks the explorer: 288 with 3 managers, 8,832 with 5.
 *
 * With symmetry, managers may change places. Two canonical forms: PERFECT is the multiset of the
 * managers, so that two states with one form are the same but for names: 80 states with 3 managers,
 * 314 with 5. BY_STATE is that of stateright's example: managers are put in order of their state
 * alone, those with the same state stay in the order that they had; 120 and 1,092 states. Whoever
 * goes on from the state that was found, not from its form, and leaves out a state whose form was
 * seen, sees some of these forms only, and how many depends on the order: last found first, as
 * stateright does, gives the 665 that it prints for 5.
 */
#ifndef HF_LAB_TWO_PHASE_H
#define HF_LAB_TWO_PHASE_H

#include "lab/model.h"

enum { HF_TWO_PHASE_MANAGERS_MAX = 8 };

enum hf_two_phase_symmetry {
    HF_TWO_PHASE_NO_SYMMETRY,
    HF_TWO_PHASE_PERFECT,
    HF_TWO_PHASE_BY_STATE,
};

struct hf_two_phase_options {
    uint32_t managers;
    uint32_t symmetry; /* enum hf_two_phase_symmetry */
    uint32_t careless; /* 1: a canary, the coordinator commits before everybody is prepared */
};

/* options stay the caller's. Broken when one manager has committed and another aborted. */
void hf_two_phase_model(struct hf_model *ret_model, const struct hf_two_phase_options *options);

#endif
