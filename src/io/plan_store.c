/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/plan_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/plan_fetch.h"
#include "io/plan_read.h"
#include "io/store_db.h"

enum { WALK_MAX = 1000 * 1000 }; /* generations that a search goes back */

int hf_plan_load(struct hf_store *store, struct hf_plan *plan, const struct hf_plan_events *events,
                 uint64_t *ret_gen)
{
    struct hf_plan_fetched *fetched = NULL;
    uint64_t have_gen = plan->edited ? 0 : plan->head.gen;
    int error = hf_plan_fetch(store, have_gen, &plan->name, &fetched);
    if (error != HF_OK) {
        return error;
    }
    uint64_t gen = hf_plan_fetched_gen(fetched);
    error = hf_plan_fetched_apply(fetched, plan, events);
    hf_plan_fetched_free(fetched);
    if (error == HF_OK) {
        *ret_gen = gen;
    }
    return error;
}

/* Walks back to the newest object whose generation is not above gen. */
static int find_at(struct hf_store *store, uint64_t gen, uint64_t *ret_gen,
                   struct hf_digest *ret_name)
{
    uint64_t at = 0;
    struct hf_digest name;
    struct hf_buf bytes;
    hf_buf_init(&bytes, HF_STORE_OBJECT_MAX);
    int error = hf_plan_read_head(store, &at, &name);
    for (uint32_t i = 0; error == HF_OK && at > gen; i++) {
        struct hf_plan_head head;
        error = hf_plan_read_bytes(store, at, &name, &bytes, &head);
        if (error == HF_OK) {
            at = i < WALK_MAX ? head.parent_gen : 0;
            name = head.parent;
        }
    }
    hf_buf_release(&bytes);
    if (error == HF_OK && at == 0) {
        error = hf_store_db_refuse(store, HF_ENOENT, "no plan as old as %" PRIu64 " is kept", gen);
    }
    if (error == HF_OK) {
        *ret_gen = at;
        *ret_name = name;
    }
    return error;
}

int hf_plan_load_at(struct hf_store *store, uint64_t gen, struct hf_plan *ret_plan)
{
    uint64_t at = 0;
    struct hf_digest name;
    struct hf_plan_chain chain = {0};
    int error = find_at(store, gen, &at, &name);
    if (error == HF_OK) {
        error = hf_plan_read_chain(store, at, &name, 0, NULL, &chain);
    }
    if (error != HF_OK) {
        return error;
    }
    struct hf_plan plan;
    hf_plan_init(&plan);
    error = hf_plan_chain_apply(&chain, &plan, NULL);
    hf_plan_chain_release(&chain);
    if (error != HF_OK) {
        hf_plan_release(&plan);
        return error;
    }
    *ret_plan = plan;
    return HF_OK;
}

static bool snapshot_is_due(const struct hf_plan *plan, uint32_t row_count)
{
    const struct hf_plan_head *head = &plan->head;
    return head->gen == 0 || head->chain_count >= HF_PLAN_CHAIN_MAX ||
           head->chain_bytes > head->snapshot_bytes / 2 || row_count > plan->entry_count / 2;
}

static int put_part(void *context, const void *bytes, size_t size, struct hf_digest *ret_name)
{
    return hf_store_put(context, bytes, size, ret_name);
}

/* Puts the object and moves the head to it. */
static int put_object(struct hf_store *store, const struct hf_plan *plan, uint64_t gen,
                      const struct hf_buf *object, struct hf_digest *ret_name)
{
    struct hf_digest name;
    hf_digest_of(object->bytes, object->size, &name);
    char before[HF_PLAN_REF_MAX];
    char after[HF_PLAN_REF_MAX];
    hf_plan_ref_format(plan->head.gen, &plan->name, before);
    hf_plan_ref_format(gen, &name, after);
    bool first = plan->head.gen == 0;
    int error =
        hf_store_put_cas(store, object->bytes, object->size, HF_PLAN_REF, first ? NULL : before,
                         first ? 0 : strlen(before), after, strlen(after));
    if (error == HF_OK) {
        *ret_name = name;
    }
    return error;
}

int hf_plan_publish(struct hf_store *store, struct hf_plan *plan, const struct hf_plan_head *head,
                    const uint32_t *rows, uint32_t row_count)
{
    struct hf_plan_head next = *head;
    next.parent_gen = plan->head.gen;
    next.parent = plan->name;
    next.snapshot = snapshot_is_due(plan, row_count);
    next.chain_bytes = plan->head.chain_bytes;
    next.chain_count = plan->head.chain_count;
    next.snapshot_bytes = plan->head.snapshot_bytes;
    struct hf_buf object;
    struct hf_digest name;
    hf_buf_init(&object, HF_STORE_OBJECT_MAX);
    plan->edited = true; /* until it is known to be what the store has */
    int error = hf_plan_encode(plan, &next, rows, row_count, put_part, store, &object);
    if (error == HF_EINVAL) {
        error = hf_store_db_refuse(store, error, "plan %" PRIu64 " cannot follow plan %" PRIu64,
                                   next.gen, next.parent_gen);
    }
    if (error == HF_OK) {
        error = put_object(store, plan, next.gen, &object, &name);
    }
    if (error == HF_OK) {
        error = hf_plan_decode_head(object.bytes, object.size, &plan->head);
        assert(error == HF_OK);
        plan->name = name;
        plan->edited = false;
    } else {
        /* Rows of this call would be missing in a delta after it: the next is a snapshot. */
        plan->head.chain_count = HF_PLAN_CHAIN_MAX;
    }
    hf_buf_release(&object);
    return error;
}

int hf_plan_take_head(struct hf_store *store, struct hf_plan *plan, uint64_t *ret_gen)
{
    uint64_t gen = 0;
    struct hf_digest name;
    int error = hf_plan_read_head(store, &gen, &name);
    if (error != HF_OK) {
        return error;
    }
    plan->head = (struct hf_plan_head){.gen = gen, .chain_count = HF_PLAN_CHAIN_MAX};
    plan->name = name;
    plan->edited = true;
    *ret_gen = gen;
    return HF_OK;
}

static int show(struct hf_plan_object *object, hf_plan_each *each, void *context)
{
    struct hf_plan changes;
    hf_plan_init(&changes);
    hf_plan_object_changes(object, &changes);
    int stop = each(context, hf_plan_object_head(object), hf_plan_object_name(object), &changes);
    hf_plan_release(&changes);
    return stop;
}

int hf_plan_history(struct hf_store *store, uint32_t max, hf_plan_each *each, void *context)
{
    uint64_t gen = 0;
    struct hf_digest name;
    int error = hf_plan_read_head(store, &gen, &name);
    for (uint32_t i = 0; i < max && error == HF_OK && gen != 0; i++) {
        struct hf_plan_object *object = NULL;
        error = hf_plan_read_object(store, gen, &name, &object);
        if (error == HF_ENOENT && i > 0) {
            return HF_OK; /* what the janitor did not keep */
        }
        if (error == HF_OK) {
            gen = hf_plan_object_head(object)->parent_gen;
            name = hf_plan_object_head(object)->parent;
            error = show(object, each, context);
        }
        hf_plan_object_free(object);
    }
    return error;
}

int hf_plan_needed(struct hf_store *store, hf_plan_each_part *each, void *context)
{
    uint64_t gen = 0;
    struct hf_digest name;
    struct hf_plan_head head = {0};
    struct hf_buf bytes;
    hf_buf_init(&bytes, HF_STORE_OBJECT_MAX);
    int error = hf_plan_read_head(store, &gen, &name);
    for (uint32_t i = 0; error == HF_OK && gen != 0 && !head.snapshot; i++) {
        error = i > HF_PLAN_CHAIN_MAX ? HF_EMALF : each(context, &name);
        if (error == HF_OK) {
            error = hf_plan_read_bytes(store, gen, &name, &bytes, &head);
        }
        if (error == HF_OK) {
            error = hf_plan_parts(bytes.bytes, bytes.size, each, context);
        }
        gen = head.parent_gen;
        name = head.parent;
    }
    hf_buf_release(&bytes);
    return error;
}
