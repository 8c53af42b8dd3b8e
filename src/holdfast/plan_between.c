/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/plan_between.h"

#include <stdlib.h>
#include <string.h>

#include "codec/name.h"

enum { NAMES_MAX = 1024 * 1024 * 1024 };

static bool is_live(const struct hf_plan_entry *entry)
{
    return entry->gen != 0 && (entry->flags & HF_ROW_RETIRED) == 0;
}

static enum hf_plan_action action_of(const struct hf_plan_entry *before,
                                     const struct hf_plan_entry *after)
{
    if (after->gen == 0) {
        return HF_PLAN_LEAVE;
    }
    if (before->gen == after->gen) {
        return HF_PLAN_MARK;
    }
    if (!is_live(after)) {
        return is_live(before) ? HF_PLAN_RETIRE : HF_PLAN_CHANGE;
    }
    if (!is_live(before)) {
        return HF_PLAN_CREATE;
    }
    return after->cause == HF_CAUSE_ROTATION ? HF_PLAN_ROTATE : HF_PLAN_CHANGE;
}

/* Numbers of backends are the image's own: members are told apart by name. */
static bool same_members(const struct hf_plan_between *between, const struct hf_plan_entry *before,
                         const struct hf_plan_entry *after)
{
    if (before->members.count != after->members.count) {
        return false;
    }
    struct hf_plan_walk one = hf_plan_walk(&before->members);
    struct hf_plan_walk other = hf_plan_walk(&after->members);
    uint32_t a;
    uint32_t b;
    while (hf_plan_walk_next(&one, &a) && hf_plan_walk_next(&other, &b)) {
        if (strcmp(between->before->backends[a].name, between->after->backends[b].name) != 0) {
            return false;
        }
    }
    return true;
}

static void add(struct hf_plan_between *between, const struct hf_plan_entry *before,
                const struct hf_plan_entry *after)
{
    bool is_same = before->gen == after->gen && before->flags == after->flags &&
                   same_members(between, before, after);
    if (is_same) {
        return;
    }
    char name[HF_NAME_TEXT_MAX];
    const struct hf_plan_entry *told = after->gen != 0 ? after : before;
    const struct hf_plan *plan = after->gen != 0 ? between->after : between->before;
    hf_name_text(told->owner, name);
    struct hf_plan_difference *row = &between->rows[between->row_count++];
    *row = (struct hf_plan_difference){
        .name = hf_arena_copy(&between->arena, name, strlen(name)),
        .action = action_of(before, after),
        .cause = (enum hf_cause)told->cause,
        .backend = told->cause_backend < plan->backend_count
                       ? plan->backends[told->cause_backend].name
                       : NULL,
        .before = *before,
        .after = *after,
    };
    between->counts[row->action]++;
}

static void get(const struct hf_plan *plan, const uint8_t *owner, struct hf_plan_entry *ret_entry)
{
    uint32_t row = hf_plan_find(plan, owner);
    *ret_entry = (struct hf_plan_entry){.owner = owner};
    if (row != UINT32_MAX && hf_plan_gen(plan, row) != 0) {
        hf_plan_get(plan, row, ret_entry);
    }
}

static int compare(const void *a, const void *b)
{
    const struct hf_plan_difference *one = a;
    const struct hf_plan_difference *other = b;
    return strcmp(one->name, other->name);
}

void hf_plan_between_make(const struct hf_plan *before, const struct hf_plan *after,
                          struct hf_plan_between *ret_between)
{
    struct hf_plan_between between = {.before = before, .after = after};
    size_t room = (size_t)before->entry_count + after->entry_count + 1;
    between.rows = calloc(room, sizeof(*between.rows));
    if (between.rows == NULL) {
        abort();
    }
    hf_arena_init(&between.arena, NAMES_MAX);
    struct hf_plan_entry one;
    struct hf_plan_entry other;
    for (uint32_t row = 0; row < after->entry_count; row++) {
        if (hf_plan_gen(after, row) != 0) {
            hf_plan_get(after, row, &other);
            get(before, other.owner, &one);
            add(&between, &one, &other);
        }
    }
    for (uint32_t row = 0; row < before->entry_count; row++) {
        if (hf_plan_gen(before, row) != 0) {
            hf_plan_get(before, row, &one);
            get(after, one.owner, &other);
            if (other.gen == 0) {
                add(&between, &one, &other);
            }
        }
    }
    qsort(between.rows, between.row_count, sizeof(*between.rows), compare);
    *ret_between = between;
}

void hf_plan_between_release(struct hf_plan_between *between)
{
    free(between->rows);
    hf_arena_release(&between->arena);
    *between = (struct hf_plan_between){0};
}
