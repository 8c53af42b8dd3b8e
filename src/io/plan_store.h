/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plans in the store: blocking calls, for a worker thread or a command. After an error
 * hf_store_why says in words which object of which plan it was about.
 */
#ifndef HF_IO_PLAN_STORE_H
#define HF_IO_PLAN_STORE_H

#include "codec/overrides.h"
#include "codec/plan.h"
#include "io/store.h"

/*
 * Brings the image to the head of the store, reading only what is new to it. HF_OK also when
 * there is no plan yet (gen 0: every row that was in the plan leaves it). ret_gen is the head's.
 * Where the chain does not lead to the image's own object (a restored or forked store), or the
 * image was edited, it is replaced by snapshot and deltas. events (or NULL) may hear more than once
 * of a row. HF_ENOENT (an object is gone, or the store), HF_ECORRUPT, HF_EMALF: the
 * image stays as it was, and hf_store_why names the object.
 */
int hf_plan_load(struct hf_store *store, struct hf_plan *plan, const struct hf_plan_events *events,
                 uint64_t *ret_gen);

/*
 * The image as it was at generation gen: of the newest object that is not above it. HF_ENOENT
 * when it is not kept. ret_plan is initialized here and is to be released.
 */
int hf_plan_load_at(struct hf_store *store, uint64_t gen, struct hf_plan *ret_plan);

/*
 * Publishes: encodes the given rows of the image (all that were set since its head) as generation
 * head->gen on top of the image's head, or all of it where a snapshot is due: when there is no
 * plan yet, when the deltas since the last snapshot have grown larger than half of it or are
 * HF_PLAN_CHAIN_MAX, or when rows are more than half of the plan. Of head, gen, created_ms,
 * instance, planner and changed are taken. Puts the objects and moves "head": one transaction,
 * where the plan needs no parts. On HF_OK the image's head is the new one.
 * HF_ESTALE: somebody else published, nothing happened. HF_EINVAL: head->gen is not above the
 * image's, or a row's is above head->gen. Any other error: it may have happened. After an error
 * the image is edited: hf_plan_load makes it the store's again.
 */
int hf_plan_publish(struct hf_store *store, struct hf_plan *plan, const struct hf_plan_head *head,
                    const uint32_t *rows, uint32_t row_count);

/*
 * Way out of a store whose head cannot be loaded (hf_plan_load: HF_ENOENT of an object,
 * HF_ECORRUPT, HF_EMALF): lets the image, whatever it holds, be published on top of that head.
 * The next hf_plan_publish writes a snapshot, so that nothing leads to what cannot be read.
 * ret_gen: the head's generation, which the next must pass; 0: there is no head.
 */
int hf_plan_take_head(struct hf_store *store, struct hf_plan *plan, uint64_t *ret_gen);

/*
 * History: calls each for up to max objects, from the head back. changes holds, as rows, only
 * what that generation changed: gen 0 is an endpoint that left the plan; records are what it
 * answers from then on, cause, cause_backend (a number in changes) and changed_ms say why and
 * when. Of a snapshot these are the entries with its own generation (removals are not known).
 * Ends with HF_OK where older objects are not kept, and with what each returns when that is not 0.
 */
typedef int hf_plan_each(void *context, const struct hf_plan_head *head,
                         const struct hf_digest *name, const struct hf_plan *changes);
int hf_plan_history(struct hf_store *store, uint32_t max, hf_plan_each *each, void *context);

/*
 * Calls each for every object that loading the head needs: from the head back to the first
 * snapshot, with their parts. What the janitor must keep.
 */
int hf_plan_needed(struct hf_store *store, hf_plan_each_part *each, void *context);

/*
 * A JSON document kept as an object under a ref: replaces it, and deletes the object before.
 * The document must differ from all that were there before (a time or a counter in it): two
 * writers could otherwise delete what the other has put. HF_ESTALE after HF_DOCUMENT_TRIES_MAX
 * races with other writers.
 */
enum { HF_DOCUMENT_TRIES_MAX = 8 };
int hf_document_put(struct hf_store *store, const char *ref, const struct hf_buf *document);
/* Once, and only where the ref's value is before ("": there is no such ref); else HF_ESTALE. */
int hf_document_swap(struct hf_store *store, const char *ref, const struct hf_buf *document,
                     const char *before);
/* Appends the document. HF_ENOENT: there is no such ref; HF_ECORRUPT: its object is gone. */
int hf_document_get(struct hf_store *store, const char *ref, struct hf_buf *ret_document);
/* The same with the value of the ref, for hf_document_swap; HF_OK and "" where there is none. */
int hf_document_read(struct hf_store *store, const char *ref, struct hf_buf *ret_ref_value,
                     struct hf_buf *ret_document);

/*
 * HF_OK with no items where nobody ever said anything. ret_overrides is initialized here and is
 * to be released; ret_ref_value is cleared and then holds what hf_overrides_save wants back.
 */
int hf_overrides_load(struct hf_store *store, struct hf_overrides *ret_overrides,
                      struct hf_buf *ret_ref_value);
/*
 * HF_ESTALE when they changed since they were loaded (ref_value). To save again, load again.
 */
int hf_overrides_save(struct hf_store *store, const struct hf_overrides *overrides,
                      const struct hf_buf *ref_value);

#endif
