/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"

enum { TEXTS_MAX = 1024 * 1024 * 1024 };

/* --- comparing --- */

static void compare(const uint8_t *before, uint32_t before_count, const uint8_t *after,
                    uint32_t after_count, size_t size, hf_history_each *each, void *context)
{
    uint32_t i = 0;
    uint32_t k = 0;
    while (i < before_count || k < after_count) {
        int order = i == before_count  ? 1
                    : k == after_count ? -1
                                       : memcmp(before + i * size, after + k * size, size);
        if (order < 0) {
            each(context, '-', before + i++ * size, size);
        } else if (order > 0) {
            each(context, '+', after + k++ * size, size);
        } else {
            each(context, ' ', after + k * size, size);
            i++;
            k++;
        }
    }
}

void hf_history_compare(const struct hf_records *before, const struct hf_records *after,
                        hf_history_each *each, void *context)
{
    compare(before->bytes, before->a_count, after->bytes, after->a_count, 4, each, context);
    compare(before->bytes + before->a_count * 4U, before->aaaa_count,
            after->bytes + after->a_count * 4U, after->aaaa_count, 16, each, context);
}

/* --- loading --- */

static void *grow(void *rows, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return rows;
    }
    *room = *room == 0 ? 64 : *room * 2;
    rows = reallocarray(rows, *room, size);
    if (rows == NULL) {
        abort();
    }
    return rows;
}

static const char *keep(struct hf_history *history, const char *text)
{
    return hf_arena_copy(&history->arena, text, strlen(text));
}

static const char *backend_of(struct hf_history *history, const struct hf_plan *plan,
                              const struct hf_plan_entry *entry)
{
    return entry->cause_backend < plan->backend_count
               ? keep(history, plan->backends[entry->cause_backend].name)
               : NULL;
}

static bool is_served(const struct hf_plan_entry *entry)
{
    uint32_t number;
    struct hf_plan_walk walk = hf_plan_walk(&entry->members);
    while (hf_plan_walk_next(&walk, &number)) {
        if (number >= entry->cause_backend) {
            return number == entry->cause_backend;
        }
    }
    return false;
}

static void count_cause(struct hf_history *history, struct hf_history_plan *row,
                        const struct hf_plan *changes, const struct hf_plan_entry *entry)
{
    const char *backend = entry->cause_backend < changes->backend_count
                              ? changes->backends[entry->cause_backend].name
                              : NULL;
    for (uint32_t i = 0; i < row->cause_count; i++) {
        struct hf_history_cause *cause = &row->causes[i];
        bool same = (backend == NULL) == (cause->backend == NULL) &&
                    (backend == NULL || strcmp(backend, cause->backend) == 0);
        if (same && cause->cause == (enum hf_cause)entry->cause) {
            cause->count++;
            cause->serves += is_served(entry);
            return;
        }
    }
    if (row->cause_count == HF_HISTORY_CAUSES_MAX) {
        row->has_more_causes = true;
        return;
    }
    row->causes[row->cause_count++] =
        (struct hf_history_cause){.cause = (enum hf_cause)entry->cause,
                                  .backend = backend != NULL ? keep(history, backend) : NULL,
                                  .count = 1,
                                  .serves = is_served(entry)};
}

static int each_plan(void *context, const struct hf_plan_head *head, const struct hf_digest *name,
                     const struct hf_plan *changes)
{
    struct hf_history *history = context;
    (void)name;
    if (history->below != 0 && head->gen >= history->below) {
        return 0;
    }
    if (history->plan_count == history->max) {
        history->is_complete = false;
        return 1;
    }
    history->plans =
        grow(history->plans, history->plan_count, &history->room, sizeof(*history->plans));
    struct hf_history_plan *row = &history->plans[history->plan_count++];
    *row = (struct hf_history_plan){.gen = head->gen,
                                    .parent_gen = head->parent_gen,
                                    .created_ms = head->created_ms,
                                    .planner = keep(history, head->planner),
                                    .snapshot = head->snapshot};
    for (uint32_t i = 0; i < changes->entry_count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(changes, i, &entry);
        if (entry.gen != head->gen && entry.gen != 0) {
            row->marked++;
            continue;
        }
        if (row->changed++ == 0) {
            char text[HF_NAME_TEXT_MAX];
            hf_name_text(entry.owner, text);
            row->first_name = keep(history, text);
        }
        if (entry.gen != 0) {
            count_cause(history, row, changes, &entry);
        }
    }
    if (row->cause_count == 0) {
        row->causes[row->cause_count++] = (struct hf_history_cause){
            .cause = row->changed > 0 ? HF_CAUSE_RETIRED : HF_CAUSE_CLAIMED,
            .count = row->changed + row->marked};
    }
    return 0;
}

static void add_change(struct hf_history *history, const struct hf_plan *plan,
                       const struct hf_plan_entry *entry, const struct hf_plan_head *head)
{
    history->changes =
        grow(history->changes, history->change_count, &history->room, sizeof(*history->changes));
    struct hf_history_change *row = &history->changes[history->change_count++];
    bool is_removed = entry->gen == 0;
    *row =
        (struct hf_history_change){.gen = is_removed ? head->gen : entry->gen,
                                   .changed_ms = is_removed ? head->created_ms : entry->changed_ms,
                                   .cause = (enum hf_cause)entry->cause,
                                   .backend = backend_of(history, plan, entry),
                                   .records = entry->records,
                                   .is_removed = is_removed};
    size_t size = hf_records_size(&entry->records);
    row->records.bytes = (const uint8_t *)hf_arena_copy(
        &history->arena, size == 0 ? (const void *)"" : entry->records.bytes, size);
}

static int each_change(void *context, const struct hf_plan_head *head, const struct hf_digest *name,
                       const struct hf_plan *changes)
{
    struct hf_history *history = context;
    (void)name;
    uint32_t row = hf_plan_find(changes, history->owner);
    if (row == UINT32_MAX) {
        return 0;
    }
    struct hf_plan_entry entry;
    hf_plan_get(changes, row, &entry);
    if (entry.gen != 0 && entry.gen != head->gen) {
        return 0; /* the same answer */
    }
    add_change(history, changes, &entry, head);
    if (history->change_count > history->max) {
        history->is_complete = false;
        return 1;
    }
    return 0;
}

int hf_history_load(const struct hf_look *look, const uint8_t *owner, uint64_t below, uint32_t max,
                    struct hf_history *ret_history)
{
    struct hf_history history = {.max = max, .is_complete = true, .owner = owner, .below = below};
    hf_arena_init(&history.arena, TEXTS_MAX);
    if (owner != NULL) {
        char text[HF_NAME_TEXT_MAX];
        hf_name_text(owner, text);
        history.name = keep(&history, text);
    }
    int error =
        hf_plan_history(look->store, UINT32_MAX, owner != NULL ? each_change : each_plan, &history);
    if (error < 0) {
        hf_history_release(&history);
        return error;
    }
    /* Its last change may be older than all that is kept: the head still tells of it. */
    uint32_t row = owner != NULL && look->has_plan ? hf_plan_find(&look->plan, owner) : UINT32_MAX;
    if (row != UINT32_MAX && history.change_count == 0 && hf_plan_gen(&look->plan, row) != 0) {
        struct hf_plan_entry entry;
        hf_plan_get(&look->plan, row, &entry);
        add_change(&history, &look->plan, &entry, &look->plan.head);
    }
    *ret_history = history;
    return HF_OK;
}

void hf_history_release(struct hf_history *history)
{
    free(history->plans);
    free(history->changes);
    hf_arena_release(&history->arena);
    *history = (struct hf_history){0};
}
