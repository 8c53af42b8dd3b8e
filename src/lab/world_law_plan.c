/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws about plans: what planners may publish, and how fast. */
#include <string.h>

#include "core/planner_internal.h"
#include "lab/world_internal.h"

enum { HEALTHY_MIN = 1 }; /* of the policy, world_plan.c */

/* I6: an endpoint changes, and no operator said so. */
static void check_pace(struct hf_world *world, uint32_t e, uint64_t now_ms)
{
    uint64_t first_ms = world->changed_ms[HF_WORLD_CHANGES_MAX - 1];
    if (!hf_world_is_paced(world)) {
        return;
    }
    if (first_ms != 0 && now_ms < first_ms + HF_WORLD_REMOVAL_MS) {
        hf_world_broken(world, "I6: endpoint %u changes, one more than may within a window", e + 1);
    }
    for (uint32_t i = HF_WORLD_CHANGES_MAX - 1; i > 0; i--) {
        world->changed_ms[i] = world->changed_ms[i - 1];
    }
    world->changed_ms[0] = now_ms;
}

/* Whether some of these members have addresses of a family. */
static bool has_family(const struct hf_world *world, const struct hf_planner *machine, uint32_t e,
                       uint8_t members, uint8_t family)
{
    for (uint32_t i = 0; i < world->shape.members; i++) {
        uint32_t backend = hf_world_backend(world, e, i);
        if (hf_bit(&members, i) && (machine->fleet->backends[backend].flags & family) != 0) {
            return true;
        }
    }
    return false;
}

static uint32_t count_healthy(const struct hf_world *world, const struct hf_planner *machine,
                              uint32_t e)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->shape.members; i++) {
        uint32_t backend = hf_world_backend(world, e, i);
        count += machine->verdicts[backend] == HF_VERDICT_UP &&
                 (machine->drained[backend] & HF_DRAIN_ON) == 0;
    }
    return count;
}

/* A generation is that of the last change: one more without any is a write for nothing. */
static void check_same(struct hf_world *world, const struct hf_planner *machine, uint32_t e)
{
    const struct hf_planner_row *was = &machine->rows[e], *is = &machine->next_rows[e];
    bool is_same = machine->pick_a[e] == machine->next_pick_a[e] &&
                   machine->pick_aaaa[e] == machine->next_pick_aaaa[e] &&
                   (machine->pick_a[e] | machine->pick_aaaa[e]) != 0;
    if (hf_bitset_has(&machine->publishing, e) && was->gen != 0 && is->gen > was->gen && is_same &&
        is->cause != HF_CAUSE_STAMP) {
        hf_world_broken(world, "plan: endpoint %u gets generation %u and answers as before", e + 1,
                        (unsigned)is->gen);
    }
}

/* The guards, at the moment at which a plan is made; max_removal is judged over time. */
void hf_world_law_planned(struct hf_world *world, const struct hf_planner *machine)
{
    const uint8_t by_operator = HF_ROW_PINNED | HF_ROW_RETIRED | HF_ROW_FORGOTTEN;
    static const uint8_t families[] = {HF_FLEET_HAS_A, HF_FLEET_HAS_AAAA};
    bool is_recent = machine->planned_ms - machine->ahead_at_ms < HF_AHEAD_WINDOW_MS;
    if (machine->stamping && is_recent && machine->ahead_count >= HF_AHEAD_MAX) {
        hf_world_broken(world,
                        "stop: everything is stamped once more, though somebody writes as us");
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_planner_row *was = &machine->rows[e], *is = &machine->next_rows[e];
        check_same(world, machine, e);
        bool is_ordered =
            ((was->flags | is->flags) & by_operator) != 0 || is->cause == HF_CAUSE_APPROVED;
        if (!hf_bitset_has(&machine->publishing, e) || is_ordered || was->gen == 0 ||
            (machine->in[e] & ~machine->next_in[e]) == 0) {
            continue;
        }
        if (count_healthy(world, machine, e) < HEALTHY_MIN) {
            hf_world_broken(world, "min_healthy: endpoint %u loses members while none is healthy",
                            e + 1);
        }
        for (uint32_t i = 0; i < sizeof families; i++) {
            if (has_family(world, machine, e, machine->in[e], families[i]) &&
                !has_family(world, machine, e, machine->next_in[e], families[i])) {
                hf_world_broken(world, "family: endpoint %u loses its last %s record", e + 1,
                                families[i] == HF_FLEET_HAS_A ? "A" : "AAAA");
            }
        }
    }
}

/* What an entry that is published may do to the one before it. */
static void check_published(struct hf_world *world, uint32_t e, const struct hf_world_entry *was,
                            const struct hf_world_entry *is)
{
    bool was_retired = (was->flags & HF_ROW_RETIRED) != 0;
    struct hf_zone_guard guard =
        hf_world_guard_of(hf_world_look_guard(&world->zone), world->store.instance);
    /* Hands and an older zone take floors away that planners have heard of. */
    bool is_floor_kept = world->shape.guard_edits == 0 && world->shape.restarts == 0 &&
                         world->shape.lost_stores == 0;
    if (was->gen == 0) {
        return;
    }
    if (is->gen == 0 && !was_retired) {
        hf_world_broken(world, "plan: endpoint %u leaves the plan and was not retired", e + 1);
    }
    if (is->gen == 0 && is_floor_kept && guard.floor < was->gen) {
        hf_world_broken(world, "plan: the tombstone of endpoint %u leaves the plan too early",
                        e + 1);
    }
}

static uint32_t bits_of(uint32_t bits)
{
    return (uint32_t)__builtin_popcount(bits);
}

static void remember(struct hf_world_site *site, uint64_t until_ms, uint32_t capacity)
{
    memmove(&site->past[1], &site->past[0], (HF_WORLD_PAST - 1) * sizeof site->past[0]);
    site->past[0] = (struct hf_world_past){.until_ms = until_ms, .capacity = capacity};
}

/*
 * I6: what leaves in a window, and what never is empty (I1), of an entry that replaces another.
 * Windows are between the times at which plans were made: a planner that starts anew does not know
 * how long the publication of the last one took.
 */
static void check_entry(struct hf_world *world, uint32_t e, const struct hf_world_entry *was,
                        const struct hf_world_entry *is, uint64_t now_ms)
{
    struct hf_world_site *site = &world->sites[e];
    bool is_retired = (is->flags & HF_ROW_RETIRED) != 0;
    if (is->gen != 0 && (is->content == HF_CONTENT_EMPTY) != is_retired) {
        hf_world_broken(world, "I1: a plan has an empty entry for endpoint %u", e + 1);
    }
    bool is_ordered = is->cause == HF_CAUSE_APPROVED || (is->flags & HF_ROW_PINNED) != 0 ||
                      (was->flags & HF_ROW_PINNED) != 0 || is_retired || is->gen == 0;
    if (is_ordered || was->gen == 0 || (was->flags & HF_ROW_RETIRED) != 0) {
        memset(site->past, 0, sizeof site->past);
        return;
    }
    if (is->in != was->in || is->content != was->content) {
        check_pace(world, e, now_ms);
    }
    uint32_t have = bits_of(is->in);
    uint32_t limit = world->shape.members * HF_WORLD_REMOVAL_PERMILLE / 1000;
    remember(site, now_ms, bits_of(was->in));
    for (uint32_t i = 0; i < HF_WORLD_PAST; i++) {
        const struct hf_world_past *past = &site->past[i];
        bool is_recent =
            past->until_ms != 0 && now_ms < past->until_ms + hf_world_removal_ms(world);
        if (is_recent && past->capacity > have + limit) {
            hf_world_broken(world, "I6: endpoint %u goes from %u members to %u within a window",
                            e + 1, past->capacity, have);
        }
    }
}

void hf_world_law_plan(struct hf_world *world, const struct hf_world_plan *plan, uint64_t now_ms)
{
    const struct hf_world_plan *head = &world->store.plan;
    if (!hf_world_readable(&world->store, 0)) {
        /* What was planned before is lost, and with it what may leave. */
        memset(world->changed_ms, 0, sizeof world->changed_ms);
        for (uint32_t e = 0; e < world->shape.endpoints; e++) {
            memset(world->sites[e].past, 0, sizeof world->sites[e].past);
        }
        return;
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_world_entry *was = &head->entries[e], *is = &plan->entries[e];
        if (!hf_world_same_entry(was, is)) {
            check_entry(world, e, was, is, now_ms);
            check_published(world, e, was, is);
        }
    }
}
