/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill: runs a scenario as a discrete-event simulation. Pure: the same scenario and seed give the
 * same result on every machine; no clock, no I/O, no allocation.
 *
 * The caller asks how much memory the run takes, gives one zeroed block of it, and calls
 * hf_drill_run as often as it likes: between calls it may draw a progress bar, look at the result
 * so far, or stop. Several drills in several threads do not know of each other.
 *
 *     size_t size = hf_drill_memory(&scenario);         (after hf_drill_check said HF_OK)
 *     struct hf_drill *drill = hf_drill_init(&scenario, seed, block, size);
 *     while (hf_drill_run(drill, HF_DRILL_NEVER, 1000000)) {
 *         show(hf_drill_now_us(drill), scenario.length_us);
 *     }
 *     hf_drill_result(drill, &result);
 */
#ifndef HF_DRILL_DRILL_H
#define HF_DRILL_DRILL_H

#include <stddef.h>

#include "drill/result.h"

struct hf_drill;

/* Octets for a scenario that hf_drill_check accepts; all of them are announced here. */
size_t hf_drill_memory(const struct hf_drill_scenario *scenario);

/*
 * block has size octets, all zero, aligned to 16 (to 64 it is twice as fast), and stays the
 * caller's; the drill is in it, with a copy of the scenario. size must be hf_drill_memory of the
 * scenario, at least.
 */
struct hf_drill *hf_drill_init(const struct hf_drill_scenario *scenario, uint64_t seed, void *block,
                               size_t size);

/*
 * Goes on until until_us (HF_DRILL_NEVER: to the end of the scenario), but does at most about
 * events_max events. True while there is more to do before the end of the scenario.
 */
bool hf_drill_run(struct hf_drill *drill, uint64_t until_us, uint64_t events_max);

uint64_t hf_drill_now_us(const struct hf_drill *drill);
uint64_t hf_drill_events(const struct hf_drill *drill);

/* What is known so far. Its pointers lead into the drill's memory. */
void hf_drill_result(const struct hf_drill *drill, struct hf_drill_result *ret_result);

#endif
