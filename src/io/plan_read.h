/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan read: plan objects from the store, one by one. Private to plan_*.c.
 *
 * On failure hf_store_why says which object of which generation cannot be read, and why.
 */
#ifndef HF_IO_PLAN_READ_H
#define HF_IO_PLAN_READ_H

#include "codec/plan.h"
#include "io/store.h"

/*
 * The store's words for what it refused last, without the path: to be said again by
 * hf_store_db_refuse, which puts the path before them, after further calls.
 */
void hf_plan_keep_words(const struct hf_store *store, char ret_words[HF_STORE_WHY_MAX]);

/* The head; gen 0 when the store is there and has none. */
int hf_plan_read_head(struct hf_store *store, uint64_t *ret_gen, struct hf_digest *ret_name);

/* The object with its parts. HF_EMALF also when its generation is not gen. */
int hf_plan_read_object(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                        struct hf_plan_object **ret_object);

/* Only its bytes, without parts, and what its head says. ret_bytes is cleared first. */
int hf_plan_read_bytes(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                       struct hf_buf *ret_bytes, struct hf_plan_head *ret_head);

/* Objects, newest first, of which the last is a snapshot or the child of a given object. */
struct hf_plan_chain {
    struct hf_plan_object **objects;
    uint32_t count, room;
};

/*
 * Reads back from the object name of generation gen until the child of have (have_gen 0: none)
 * or a snapshot. ret_chain is to be released.
 */
int hf_plan_read_chain(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                       uint64_t have_gen, const struct hf_digest *have,
                       struct hf_plan_chain *ret_chain);
void hf_plan_chain_release(struct hf_plan_chain *chain);

/* Applies the objects, oldest first; their memory is given back. */
int hf_plan_chain_apply(struct hf_plan_chain *chain, struct hf_plan *plan,
                        const struct hf_plan_events *events);

#endif
