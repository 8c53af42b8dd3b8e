/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans in two halves, for an event loop: a worker thread reads from the store what an image lacks
 * (hf_plan_fetch), the loop thread applies it (hf_plan_fetched_apply). The image is only ever
 * touched by one thread.
 */
#ifndef HF_IO_PLAN_FETCH_H
#define HF_IO_PLAN_FETCH_H

#include "codec/plan.h"
#include "io/store.h"

struct hf_plan_fetched;

/*
 * Reads, and checks in full, what leads from the object have (of an image's generation have_gen;
 * 0: an empty or edited image, or any that is to be replaced) to the head. ret_fetched is to be
 * freed; it holds nothing when the image is at the head already. Errors as hf_plan_load.
 */
int hf_plan_fetch(struct hf_store *store, uint64_t have_gen, const struct hf_digest *have,
                  struct hf_plan_fetched **ret_fetched);

/* Generation of the head that was found; 0: the store has no plan. */
uint64_t hf_plan_fetched_gen(const struct hf_plan_fetched *fetched);

/*
 * Brings the image that was named to that head, once: the memory of what was fetched is given back
 * on the way. HF_ESTALE: it is another image now than the one that was named.
 */
int hf_plan_fetched_apply(struct hf_plan_fetched *fetched, struct hf_plan *plan,
                          const struct hf_plan_events *events);

void hf_plan_fetched_free(struct hf_plan_fetched *fetched);

#endif
