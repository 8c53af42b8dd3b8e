/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Impact: how badly an incident hurts, from the share of answers that were lost or stale and for
 * how long. Pure; whole numbers only. Shares are in permille of all answers.
 *
 * An answer is *lost* when what it names cannot be reached, and *stale* when it is not what the
 * plan says but may still serve; a stale answer counts HF_IMPACT_STALE_PERMILLE of a lost one.
 * The share is a step function of time: it holds from one hf_impact_set to the next, so nothing
 * has to be written while it does not change. Its integral is the *lost time*: ten minutes in which
 * a tenth of the answers is lost are one minute. The score is
 *
 *     lost time / (lost time + tolerated time)
 *
 * 0 where nothing was lost, one half when the tolerated time was lost in full, towards 1 without
 * ever reaching it.
 */
#ifndef HF_CORE_IMPACT_H
#define HF_CORE_IMPACT_H

#include <stdint.h>

enum {
    HF_IMPACT_WHOLE = 1000,
    HF_IMPACT_STALE_PERMILLE = 250,
};

struct hf_impact {
    uint64_t at_ms;         /* since when the share is what it is; 0: never set */
    uint64_t lost;          /* permille times milliseconds, up to at_ms */
    uint32_t share;         /* now */
    uint32_t highest_share; /* ever */
};

/* What is lost of an answer: lost, and of the rest what is stale, weighted. Each at most 1000. */
uint32_t hf_impact_harm(uint32_t lost_permille, uint32_t stale_permille);

/* From now on the share is this (at most 1000). A clock that goes back adds nothing. */
void hf_impact_set(struct hf_impact *impact, uint32_t share_permille, uint64_t now_ms);

/* The lost time up to now. */
uint64_t hf_impact_lost_ms(const struct hf_impact *impact, uint64_t now_ms);

/* The score in permille, rounded down; 0 where tolerated_ms is 0 and nothing was lost. */
uint32_t hf_impact_score(uint64_t lost_ms, uint64_t tolerated_ms);

#endif
