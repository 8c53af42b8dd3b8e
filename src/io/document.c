/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/error.h"
#include "io/plan_store.h"
#include "io/store_db.h"

#define OVERRIDES_REF "overrides"

/* A document's ref holds the digest of its object as text. */
int hf_document_swap(struct hf_store *store, const char *ref, const struct hf_buf *document,
                     const char *before)
{
    struct hf_digest name;
    char after[HF_DIGEST_TEXT_SIZE];
    hf_digest_of(document->bytes, document->size, &name);
    hf_digest_text(&name, after);
    bool first = before[0] == 0;
    int error = hf_store_put_cas(store, document->bytes, document->size, ref, first ? NULL : before,
                                 first ? 0 : strlen(before), after, strlen(after));
    struct hf_digest old;
    if (error == HF_OK && hf_digest_parse(before, &old) == HF_OK && strcmp(before, after) != 0) {
        /* What stays behind on failure is the janitor's. */
        (void)hf_store_delete(store, &old);
    }
    return error;
}

/* The ref's value, or nothing where it was never set in a store that is there. */
static int get_ref(struct hf_store *store, const char *ref, struct hf_buf *value)
{
    hf_buf_clear(value);
    int error = hf_store_ref_get(store, ref, value);
    uint32_t instance = 0;
    return error == HF_ENOENT ? hf_store_instance(store, &instance) : error;
}

int hf_document_put(struct hf_store *store, const char *ref, const struct hf_buf *document)
{
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = HF_ESTALE;
    for (int try = 0; try < HF_DOCUMENT_TRIES_MAX && error == HF_ESTALE; try++) {
        error = get_ref(store, ref, &value);
        if (error == HF_OK) {
            error = hf_document_swap(store, ref, document, hf_buf_text(&value));
        }
    }
    hf_buf_release(&value);
    return error;
}

/* The object that value names. */
static int get_object(struct hf_store *store, const char *ref, struct hf_buf *value,
                      struct hf_buf *ret_document)
{
    struct hf_digest name;
    if (hf_digest_parse(hf_buf_text(value), &name) != HF_OK) {
        return hf_store_db_refuse(store, HF_EMALF, "ref %s holds no digest", ref);
    }
    return hf_store_get(store, &name, ret_document);
}

/*
 * An object is gone: true where somebody has replaced the document meanwhile; if nobody has,
 * ret_error says that it is lost.
 */
static bool was_replaced(struct hf_store *store, const char *ref, struct hf_buf *value,
                         int *ret_error)
{
    struct hf_buf now;
    hf_buf_init(&now, HF_STORE_REF_VALUE_MAX);
    int error = get_ref(store, ref, &now);
    bool replaced = error == HF_OK && strcmp(hf_buf_text(&now), hf_buf_text(value)) != 0;
    if (error == HF_OK && !replaced) {
        error = hf_store_db_refuse(store, HF_ECORRUPT, "the object of ref %s is gone", ref);
    }
    hf_buf_release(&now);
    *ret_error = error;
    return replaced;
}

int hf_document_read(struct hf_store *store, const char *ref, struct hf_buf *value,
                     struct hf_buf *ret_document)
{
    for (int try = 0; try < HF_DOCUMENT_TRIES_MAX; try++) {
        int error = get_ref(store, ref, value);
        if (error != HF_OK || value->size == 0) {
            return error;
        }
        error = get_object(store, ref, value, ret_document);
        if (error != HF_ENOENT || !was_replaced(store, ref, value, &error)) {
            return error;
        }
    }
    return hf_store_db_refuse(store, HF_EBUSY, "ref %s moves again and again", ref);
}

int hf_document_get(struct hf_store *store, const char *ref, struct hf_buf *ret_document)
{
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = hf_document_read(store, ref, &value, ret_document);
    if (error == HF_OK && value.size == 0) {
        error = hf_store_db_refuse(store, HF_ENOENT, "ref %s was never set", ref);
    }
    hf_buf_release(&value);
    return error;
}

int hf_overrides_load(struct hf_store *store, struct hf_overrides *ret_overrides,
                      struct hf_buf *ret_ref_value)
{
    struct hf_buf document;
    hf_buf_init(&document, HF_OVERRIDES_BYTES_MAX);
    int error = hf_document_read(store, OVERRIDES_REF, ret_ref_value, &document);
    if (error == HF_OK && ret_ref_value->size == 0) {
        hf_overrides_init(ret_overrides);
    } else if (error == HF_OK) {
        error = hf_overrides_decode(document.bytes, document.size, ret_overrides);
        if (error != HF_OK) {
            error = hf_store_db_refuse(store, error, "the object of ref %s cannot be understood",
                                       OVERRIDES_REF);
        }
    }
    hf_buf_release(&document);
    return error;
}

int hf_overrides_save(struct hf_store *store, const struct hf_overrides *overrides,
                      const struct hf_buf *ref_value)
{
    struct hf_overrides next = *overrides;
    next.revision++;
    struct hf_buf document;
    struct hf_buf before;
    hf_buf_init(&document, HF_OVERRIDES_BYTES_MAX);
    hf_buf_init(&before, HF_STORE_REF_VALUE_MAX);
    hf_buf_put(&before, ref_value->bytes, ref_value->size);
    hf_overrides_encode(&next, &document);
    int error = hf_buf_error(&document);
    if (error == HF_OK) {
        error = hf_document_swap(store, OVERRIDES_REF, &document, hf_buf_text(&before));
    } else {
        error = hf_store_db_refuse(store, error, "overrides of more than %d bytes",
                                   HF_OVERRIDES_BYTES_MAX);
    }
    hf_buf_release(&before);
    hf_buf_release(&document);
    return error;
}
