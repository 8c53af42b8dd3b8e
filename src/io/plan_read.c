/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/plan_read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/store_db.h"

void hf_plan_keep_words(const struct hf_store *store, char ret_words[HF_STORE_WHY_MAX])
{
    const char *words = hf_store_why(store);
    size_t path_size = strlen(store->path);
    if (strncmp(words, store->path, path_size) == 0 && strncmp(words + path_size, ": ", 2) == 0) {
        words += path_size + 2;
    }
    (void)snprintf(ret_words, HF_STORE_WHY_MAX, "%s", words);
}

/*
 * Says which object failed. A store that is not there at all answers "no such thing" too: then
 * its own words are the better ones.
 */
static int refuse_object(struct hf_store *store, int error, uint64_t gen,
                         const struct hf_digest *name)
{
    char words[HF_STORE_WHY_MAX];
    char text[HF_DIGEST_TEXT_SIZE];
    hf_digest_text(name, text);
    if (error == HF_EMALF) {
        return hf_store_db_refuse(store, error, "plan %" PRIu64 ": object %s is no plan object",
                                  gen, text);
    }
    hf_plan_keep_words(store, words);
    uint32_t instance = 0;
    int store_error = error == HF_ENOENT ? hf_store_instance(store, &instance) : HF_OK;
    if (store_error != HF_OK) {
        return store_error;
    }
    return hf_store_db_refuse(store, error, "plan %" PRIu64 " (object %s): %s", gen, text, words);
}

int hf_plan_read_head(struct hf_store *store, uint64_t *ret_gen, struct hf_digest *ret_name)
{
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, HF_PLAN_REF, &value);
    if (error == HF_ENOENT) {
        uint32_t instance = 0;
        error = hf_store_instance(store, &instance);
        if (error == HF_OK) {
            *ret_gen = 0;
            *ret_name = (struct hf_digest){0};
        }
    } else if (error == HF_OK) {
        error = hf_plan_ref_parse(hf_buf_text(&value), ret_gen, ret_name);
        if (error != HF_OK) {
            error = hf_store_db_refuse(store, error, "ref " HF_PLAN_REF " holds no generation");
        }
    }
    hf_buf_release(&value);
    return error;
}

int hf_plan_read_bytes(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                       struct hf_buf *ret_bytes, struct hf_plan_head *ret_head)
{
    struct hf_plan_head head = {0};
    hf_buf_clear(ret_bytes);
    int error = hf_store_get(store, name, ret_bytes);
    if (error == HF_OK) {
        error = hf_plan_decode_head(ret_bytes->bytes, ret_bytes->size, &head);
    }
    if (error == HF_OK && head.gen != gen) {
        error = HF_EMALF;
    }
    if (error != HF_OK) {
        return refuse_object(store, error, gen, name);
    }
    *ret_head = head;
    return HF_OK;
}

static int get_part(void *context, const struct hf_digest *name, struct hf_buf *ret_bytes)
{
    return hf_store_get(context, name, ret_bytes);
}

int hf_plan_read_object(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                        struct hf_plan_object **ret_object)
{
    struct hf_buf bytes;
    struct hf_plan_head head;
    hf_buf_init(&bytes, HF_STORE_OBJECT_MAX);
    int error = hf_plan_read_bytes(store, gen, name, &bytes, &head);
    if (error == HF_OK) {
        error = hf_plan_object_read(name, bytes.bytes, bytes.size, get_part, store, ret_object);
        if (error != HF_OK) {
            error = refuse_object(store, error, gen, name);
        }
    }
    hf_buf_release(&bytes);
    return error;
}

static void chain_add(struct hf_plan_chain *chain, struct hf_plan_object *object)
{
    if (chain->count == chain->room) {
        chain->room = chain->room == 0 ? 8 : chain->room * 2;
        chain->objects = (struct hf_plan_object **)realloc(
            (void *)chain->objects, chain->room * sizeof(struct hf_plan_object *));
        if (chain->objects == NULL) {
            abort();
        }
    }
    chain->objects[chain->count++] = object;
}

static bool is_child_of(const struct hf_plan_head *head, uint64_t gen, const struct hf_digest *name)
{
    return gen != 0 && head->parent_gen == gen && memcmp(&head->parent, name, sizeof(*name)) == 0;
}

int hf_plan_read_chain(struct hf_store *store, uint64_t gen, const struct hf_digest *name,
                       uint64_t have_gen, const struct hf_digest *have,
                       struct hf_plan_chain *ret_chain)
{
    struct hf_plan_chain chain = {0};
    struct hf_digest next = *name;
    for (;;) {
        struct hf_plan_object *object = NULL;
        int error = hf_plan_read_object(store, gen, &next, &object);
        if (error != HF_OK) {
            hf_plan_chain_release(&chain);
            return error;
        }
        chain_add(&chain, object);
        const struct hf_plan_head *head = hf_plan_object_head(object);
        if (head->snapshot || is_child_of(head, have_gen, have)) {
            *ret_chain = chain;
            return HF_OK;
        }
        if (chain.count > HF_PLAN_CHAIN_MAX) {
            hf_plan_chain_release(&chain);
            return hf_store_db_refuse(store, HF_EMALF, "plan %" PRIu64 ": no snapshot below it",
                                      gen);
        }
        gen = head->parent_gen;
        next = head->parent;
    }
}

void hf_plan_chain_release(struct hf_plan_chain *chain)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        hf_plan_object_free(chain->objects[i]);
    }
    free((void *)chain->objects);
    *chain = (struct hf_plan_chain){0};
}

int hf_plan_chain_apply(struct hf_plan_chain *chain, struct hf_plan *plan,
                        const struct hf_plan_events *events)
{
    int error = HF_OK;
    while (chain->count > 0 && error == HF_OK) {
        struct hf_plan_object *object = chain->objects[chain->count - 1];
        error = hf_plan_object_apply(plan, object, events);
        if (error == HF_OK) {
            hf_plan_object_free(object);
            chain->count--;
        }
    }
    return error;
}
