/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two-phase commit with N resource managers and messages that are never lost, after Gray and
 * Lamport, "Consensus on Transaction Commit" (2006), section 3. Its numbers of states are
 * published, so it checks the explorer: 288 with 3 managers, 8,832 with 5.
 *
 * With symmetry, managers that could change places are one state: a state is then the multiset of
 * its managers. That gives 80 and 314 states. Stateright's example prints 665 for 5; its canonical
 * form takes fewer states together.
 */
#ifndef HF_LAB_TWO_PHASE_H
#define HF_LAB_TWO_PHASE_H

#include "lab/model.h"

enum { HF_TWO_PHASE_MANAGERS_MAX = 8 };

struct hf_two_phase_options {
    uint32_t managers;
    uint32_t symmetry; /* 1: managers are interchangeable */
    uint32_t careless; /* 1: a canary, the coordinator commits before everybody is prepared */
};

/* options stay the caller's. Broken when one manager has committed and another aborted. */
void hf_two_phase_model(struct hf_model *ret_model, const struct hf_two_phase_options *options);

#endif
