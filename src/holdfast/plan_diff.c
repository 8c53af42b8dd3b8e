/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/plan_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"

const char *hf_plan_action_name(enum hf_plan_action action)
{
    static const char *const names[] = {
        [HF_PLAN_CREATE] = "create", [HF_PLAN_CHANGE] = "change", [HF_PLAN_ROTATE] = "rotate",
        [HF_PLAN_RETIRE] = "retire", [HF_PLAN_LEAVE] = "leave",   [HF_PLAN_MARK] = "mark",
    };
    return names[action];
}

static const char *name_of(struct hf_look *look, const uint8_t *owner)
{
    char text[HF_NAME_TEXT_MAX];
    hf_name_text(owner, text);
    return hf_arena_copy(&look->arena, text, strlen(text));
}

/* A copy that stays when the image's row is set. */
static struct hf_plan_entry keep_entry(struct hf_look *look, const struct hf_plan_entry *entry)
{
    struct hf_plan_entry copy = *entry;
    if (entry->gen == 0) {
        return (struct hf_plan_entry){.owner = entry->owner};
    }
    const void *bytes = entry->records.bytes != NULL ? (const void *)entry->records.bytes : "";
    const void *members = entry->members.count > 0 ? (const void *)entry->members.bytes : "";
    copy.records.bytes =
        (const uint8_t *)hf_arena_copy(&look->arena, bytes, hf_records_size(&entry->records));
    copy.members.bytes = (const uint8_t *)hf_arena_copy(&look->arena, members, entry->members.size);
    return copy;
}

static enum hf_plan_action action_of(const struct hf_planner_entry *next,
                                     const struct hf_plan_entry *before)
{
    if ((next->row->flags & HF_ROW_FORGOTTEN) != 0) {
        return HF_PLAN_LEAVE;
    }
    if (next->same_answer) {
        return HF_PLAN_MARK;
    }
    bool was_retired = before->gen != 0 && (before->flags & HF_ROW_RETIRED) != 0;
    if ((next->row->flags & HF_ROW_RETIRED) != 0) {
        return was_retired ? HF_PLAN_CHANGE : HF_PLAN_RETIRE;
    }
    if (before->gen == 0 || was_retired) {
        return HF_PLAN_CREATE;
    }
    return next->cause == HF_CAUSE_ROTATION ? HF_PLAN_ROTATE : HF_PLAN_CHANGE;
}

static void note_before(struct hf_look *look, struct hf_plan_diff *diff, uint32_t endpoint)
{
    const struct hf_planning *planning = diff->planning;
    struct hf_plan_difference *row = &diff->rows[diff->row_count++];
    struct hf_planner_entry next;
    hf_planner_next(&planning->planner, endpoint, &next);
    struct hf_plan_entry before;
    hf_plan_get(&look->plan, planning->endpoint_rows[endpoint], &before);
    uint32_t cause = next.row->cause_backend;
    *row = (struct hf_plan_difference){
        .name = name_of(look, before.owner),
        .action = action_of(&next, &before),
        .cause = next.cause,
        .backend = cause == UINT32_MAX ? NULL : hf_planning_backend_name(planning, cause),
        .before = keep_entry(look, &before),
    };
    diff->counts[row->action]++;
}

static int fill(struct hf_look *look, struct hf_plan_diff *diff)
{
    struct hf_planning *planning = diff->planning;
    const struct hf_bitset *publishing = &planning->planner.publishing;
    uint32_t *rows = calloc(publishing->count + 1U, sizeof(*rows));
    diff->rows = calloc(publishing->count + 1U, sizeof(*diff->rows));
    if (rows == NULL || diff->rows == NULL) {
        abort();
    }
    for (uint32_t at = hf_bitset_next(publishing, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(publishing, at + 1)) {
        note_before(look, diff, at);
    }
    uint32_t count = 0;
    int error = hf_planning_fill(planning, diff->next_gen, look->now_ms, rows, &count);
    for (uint32_t i = 0; i < count; i++) {
        hf_plan_get(&look->plan, rows[i], &diff->rows[i].after);
    }
    free(rows);
    return error;
}

static void note_holds(struct hf_look *look, struct hf_plan_diff *diff)
{
    const struct hf_planning *planning = diff->planning;
    const struct hf_planner *planner = &planning->planner;
    diff->holds = calloc(planner->held.count + 1U, sizeof(*diff->holds));
    if (diff->holds == NULL) {
        abort();
    }
    for (uint32_t at = hf_bitset_next(&planner->held, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(&planner->held, at + 1)) {
        const struct hf_planner_row *row =
            hf_bitset_has(&planner->publishing, at) ? &planner->next_rows[at] : &planner->rows[at];
        enum hf_hold hold = (enum hf_hold)planner->rows[at].hold;
        diff->holds[diff->hold_count++] = (struct hf_plan_hold){
            .name = name_of(look, hf_plan_owner(&look->plan, planning->endpoint_rows[at])),
            .endpoint = at,
            .hold = hold,
            .until_ms = hold == HF_HOLD_REMOVAL   ? row->budget.quiet_at_ms
                        : hold == HF_HOLD_CHANGED ? planner->changed.quiet_at_ms
                                                  : 0};
    }
    if (diff->hold_count > 0) {
        struct hf_buf lines;
        struct hf_digest digest;
        hf_buf_init(&lines, HF_STATUS_BYTES_MAX);
        hf_planning_held(planning, &lines, &digest);
        hf_digest_text(&digest, diff->held_id);
        hf_buf_release(&lines);
    }
}

static void note_orphans(struct hf_look *look, struct hf_plan_diff *diff)
{
    const struct hf_planning *planning = diff->planning;
    uint32_t first = look->config->endpoint_count;
    uint32_t count = planning->fleet.endpoint_count;
    diff->orphans = calloc(count - first + 1U, sizeof(*diff->orphans));
    if (diff->orphans == NULL) {
        abort();
    }
    for (uint32_t i = first; i < count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(&look->plan, planning->endpoint_rows[i], &entry);
        bool is_retired =
            (entry.flags & HF_ROW_RETIRED) != 0 || hf_bitset_has(&planning->planner.publishing, i);
        if (!is_retired) {
            diff->orphans[diff->orphan_count++] = name_of(look, entry.owner);
        }
    }
}

int hf_plan_diff_make(struct hf_look *look, const uint8_t *verdicts, struct hf_plan_diff *ret_diff)
{
    struct hf_plan_diff diff = {.planning = hf_look_planning(look, verdicts)};
    const struct hf_planner *planner = &diff.planning->planner;
    diff.head_gen = planner->head_gen;
    diff.next_gen = planner->op != 0 ? planner->publish_gen : planner->head_gen;
    note_holds(look, &diff);
    note_orphans(look, &diff);
    int error = fill(look, &diff);
    if (error != HF_OK) {
        hf_plan_diff_release(&diff);
        return error;
    }
    *ret_diff = diff;
    return HF_OK;
}

void hf_plan_diff_release(struct hf_plan_diff *diff)
{
    free(diff->rows);
    free(diff->holds);
    free(diff->orphans);
    hf_planning_free(diff->planning);
}

uint32_t hf_plan_diff_changes(const struct hf_plan_diff *diff)
{
    return diff->counts[HF_PLAN_CREATE] + diff->counts[HF_PLAN_CHANGE] +
           diff->counts[HF_PLAN_RETIRE] + diff->counts[HF_PLAN_LEAVE];
}

const char *hf_plan_diff_backend(const struct hf_plan *plan, const struct hf_plan_entry *entry,
                                 const uint8_t *address, size_t size)
{
    struct hf_plan_walk walk = hf_plan_walk(&entry->members);
    for (uint32_t number; hf_plan_walk_next(&walk, &number);) {
        const struct hf_plan_backend *backend = &plan->backends[number];
        bool is_it = size == 4 ? backend->has_a && memcmp(backend->a, address, 4) == 0
                               : backend->has_aaaa && memcmp(backend->aaaa, address, 16) == 0;
        if (is_it) {
            return backend->name;
        }
    }
    return NULL;
}
