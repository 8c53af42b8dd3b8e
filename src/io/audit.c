/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/plan_store.h"
#include "io/wallclock.h"

#define PREFIX "audit/"

enum {
    REF_MAX = sizeof(PREFIX) + 8,
    REFS_MAX = 2 * HF_AUDIT_SEGMENTS_MAX, /* two processes may each begin one */
    DAY_MS = 24 * 60 * 60 * 1000,
};

struct ref {
    char name[REF_MAX];
    char value[HF_DIGEST_TEXT_SIZE];
};

/* The latest segments' refs, in their order. */
struct refs {
    struct ref rows[REFS_MAX];
    uint32_t count;
};

static int note_ref(void *context, const char *name, const void *value, size_t size)
{
    struct refs *refs = context;
    if (strlen(name) >= REF_MAX || size >= HF_DIGEST_TEXT_SIZE) {
        return 0;
    }
    if (refs->count == REFS_MAX) {
        memmove(&refs->rows[0], &refs->rows[1], (REFS_MAX - 1) * sizeof(refs->rows[0]));
        refs->count--;
    }
    struct ref *ref = &refs->rows[refs->count++];
    (void)snprintf(ref->name, sizeof(ref->name), "%s", name);
    memcpy(ref->value, value, size);
    ref->value[size] = 0;
    return 0;
}

static int load(struct hf_store *store, const struct ref *ref, struct hf_audit_segment *segment)
{
    struct hf_digest name;
    struct hf_buf json;
    hf_buf_init(&json, HF_AUDIT_SEGMENT_BYTES_MAX);
    int error = hf_digest_parse(ref->value, &name);
    if (error == HF_OK) {
        error = hf_store_get(store, &name, &json);
    }
    if (error == HF_OK) {
        error = hf_audit_decode(json.bytes, json.size, segment);
    }
    hf_buf_release(&json);
    return error;
}

static struct hf_audit_segment *segment_new(void)
{
    struct hf_audit_segment *segment = calloc(1, sizeof(*segment));
    if (segment == NULL) {
        abort();
    }
    return segment;
}

static int save(struct hf_store *store, const char *ref, const char *before,
                const struct hf_audit_segment *segment)
{
    struct hf_buf json;
    hf_buf_init(&json, HF_AUDIT_SEGMENT_BYTES_MAX);
    hf_audit_encode(segment, &json);
    int error = hf_buf_error(&json);
    if (error == HF_OK) {
        error = hf_document_swap(store, ref, &json, before);
    }
    hf_buf_release(&json);
    return error;
}

/* A new segment has begun: those that are too many go. What stays behind is the next one's. */
static void drop_old(struct hf_store *store, const struct refs *refs)
{
    for (uint32_t i = 0; i + HF_AUDIT_SEGMENTS_MAX <= refs->count; i++) {
        const struct ref *ref = &refs->rows[i];
        struct hf_digest object;
        if (hf_store_ref_cas(store, ref->name, ref->value, strlen(ref->value), NULL, 0) == HF_OK &&
            hf_digest_parse(ref->value, &object) == HF_OK) {
            (void)hf_store_delete(store, &object);
        }
    }
}

static int append_once(struct hf_store *store, struct hf_audit_entry *entry,
                       struct hf_audit_segment *segment)
{
    struct refs refs = {0};
    int error = hf_store_ref_list(store, PREFIX, note_ref, &refs);
    if (error != HF_OK) {
        return error;
    }
    const struct ref *last = refs.count > 0 ? &refs.rows[refs.count - 1] : NULL;
    unsigned long number = last != NULL ? strtoul(last->name + strlen(PREFIX), NULL, 10) : 0;
    bool is_new = last == NULL;
    if (last != NULL) {
        error = load(store, last, segment);
        if (error == HF_EBUSY || error == HF_EIO) {
            return error;
        }
        is_new = error != HF_OK || segment->count == HF_AUDIT_SEGMENT_MAX;
    }
    /* After one that cannot be read, numbers go on as if it had been full. */
    entry->number = last == NULL         ? 1
                    : segment->count > 0 ? segment->entries[segment->count - 1].number + 1
                                         : (uint64_t)number * HF_AUDIT_SEGMENT_MAX + 1;
    if (!is_new) {
        segment->entries[segment->count++] = *entry;
        return save(store, last->name, last->value, segment);
    }
    char name[REF_MAX];
    (void)snprintf(name, sizeof(name), PREFIX "%08lu", number + 1);
    segment->entries[0] = *entry;
    segment->count = 1;
    error = save(store, name, "", segment);
    if (error == HF_OK) {
        drop_old(store, &refs);
    }
    return error;
}

int hf_audit_append(struct hf_store *store, const struct hf_audit_entry *entry)
{
    struct hf_audit_entry copy = *entry;
    struct hf_audit_segment *segment = segment_new();
    copy.at_ms = copy.at_ms != 0 ? copy.at_ms : hf_wallclock_ms();
    int error = HF_ESTALE;
    for (int try = 0; try < HF_DOCUMENT_TRIES_MAX && error == HF_ESTALE; try++) {
        error = append_once(store, &copy, segment);
        hf_audit_release(segment);
    }
    free(segment);
    return error;
}

int hf_audit_read(struct hf_store *store, hf_audit_each *each, void *context)
{
    struct refs refs = {0};
    int error = hf_store_ref_list(store, PREFIX, note_ref, &refs);
    uint64_t now_ms = hf_wallclock_ms();
    uint64_t kept_ms = (uint64_t)HF_AUDIT_DAYS * DAY_MS;
    uint64_t oldest_ms = now_ms > kept_ms ? now_ms - kept_ms : 0;
    struct hf_audit_segment *segment = segment_new();
    bool goes_on = error == HF_OK;
    for (uint32_t i = refs.count; i > 0 && goes_on; i--) {
        if (load(store, &refs.rows[i - 1], segment) != HF_OK) {
            continue;
        }
        for (uint32_t k = segment->count; k > 0 && goes_on; k--) {
            const struct hf_audit_entry *entry = &segment->entries[k - 1];
            goes_on = entry->at_ms >= oldest_ms && each(context, entry) == 0;
        }
        hf_audit_release(segment);
    }
    free(segment);
    return error;
}
