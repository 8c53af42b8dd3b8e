/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laws about processes: what they may believe, begin and plan. Laws about the zone are in
 * world_zone.c, those about capacity in world_planner.c.
 */
#include "core/planner_internal.h"
#include "lab/world_state.h"

enum { HEALTHY_MIN = 1 };

/* --- enactors --- */

/* What an enactor asks for: in a zone of its own store alone; no floor is lost with a guard. */
void hf_world_law_begin(struct hf_world *world, uint32_t number, const struct hf_enactor *machine,
                        const struct hf_enactor_action *action)
{
    const struct hf_world_enactor *enactor = &world->enactors[number];
    bool is_write = action->kind == HF_ENACTOR_WRITE || action->kind == HF_ENACTOR_WRITE_GUARD;
    bool is_ours = action->guard.kind == HF_FENCE_OURS;
    if (is_write && is_ours && action->guard.instance != enactor->instance) {
        hf_world_broken(world, "I4: a zone of another store is written");
    }
    if (action->kind != HF_ENACTOR_WRITE_GUARD || is_ours) {
        return;
    }
    if (machine->was_frozen && !action->guard_after.frozen) {
        hf_world_broken(world, "freeze: a guard that was frozen when last seen is restored open");
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        bool is_claimed = (enactor->image.entries[e].flags & HF_ROW_CLAIMED) != 0;
        if (is_claimed && action->guard_after.floor < machine->plan_gen) {
            hf_world_broken(world, "floor: a guard is restored with floor %u below plan %u",
                            (unsigned)action->guard_after.floor, (unsigned)machine->plan_gen);
        }
    }
}

/* Without a fence nothing says how new records are: others are replaced under a fresh head. */
void hf_world_law_write(struct hf_world *world, const struct hf_lane *lane, uint32_t e)
{
    bool is_claimed = lane->fence.kind == HF_FENCE_ABSENT && (lane->flags & HF_LANE_CLAIMED) != 0;
    bool is_other = lane->records == HF_RECORDS_OTHER ||
                    (lane->records == HF_RECORDS_SUM && lane->records_sum != lane->sent_sum);
    if (is_claimed && is_other && (lane->flags & HF_LANE_AHEAD) == 0) {
        hf_world_broken(world,
                        "head: endpoint %u has no fence and other records, and is written "
                        "without a look at the head",
                        e + 1);
    }
}

/* After a write that was refused, or whose reply did not come, nothing is believed unread. */
void hf_world_law_doubt(struct hf_world *world, const struct hf_enactor *machine,
                        const struct hf_world_flight *flight)
{
    bool is_write = flight->kind == HF_ENACTOR_WRITE || flight->kind == HF_ENACTOR_WRITE_GUARD;
    if (!is_write || flight->result == HF_RESULT_OK) {
        return;
    }
    if (machine->guard.kind != HF_FENCE_UNKNOWN) {
        hf_world_broken(world, "read-back: a write failed and its guard is believed unread");
    }
    for (uint32_t e = 0; flight->kind == HF_ENACTOR_WRITE && e < world->shape.endpoints; e++) {
        if (hf_bit8(flight->lanes, e) && machine->lanes[e].fence.kind != HF_FENCE_UNKNOWN) {
            hf_world_broken(world,
                            "read-back: a write of endpoint %u failed and its fence is "
                            "believed unread",
                            e + 1);
        }
    }
}

/* Whether a lane knows the fence that lies in the zone now. */
bool hf_world_is_right(const struct hf_world *world, const struct hf_lane *lane, uint32_t e)
{
    struct hf_world_view view;
    hf_world_look(&world->zone, e, &view);
    return lane->slot == 0 && lane->fence.kind == HF_FENCE_OURS &&
           hf_world_fence_value(&lane->fence) == view.fence;
}

/* What is known rightly does not become wrong by a transfer that was taken before. */
void hf_world_law_news(struct hf_world *world, const struct hf_lane *lane, uint32_t e,
                       bool was_right)
{
    bool goes_back = world->shape.stale > 0 || world->shape.restarts > 0;
    if (was_right && !goes_back && !hf_world_is_right(world, lane, e)) {
        hf_world_broken(world, "news: what was known of endpoint %u gives way to an older transfer",
                        e + 1);
    }
}

/*
 * Repairs of records that took effect and were answered. Without time a window ends where its
 * timer fires; with time one of ours may overlap two of the machine's.
 */
void hf_world_law_healed(struct hf_world *world, uint32_t number,
                         const struct hf_world_flight *flight)
{
    struct hf_world_enactor *enactor = &world->enactors[number];
    uint32_t most = world->shape.random ? 2 * HF_ENACTOR_HEALS_MAX : HF_ENACTOR_HEALS_MAX;
    if (flight->kind != HF_ENACTOR_WRITE || flight->result != HF_RESULT_OK) {
        return;
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        bool is_ours = hf_world_value_kind(flight->before[e]) == HF_FENCE_OURS;
        if (!hf_bit8(flight->lanes, e) || !is_ours ||
            hf_world_value_gen(flight->before[e]) != hf_world_value_gen(flight->after[e])) {
            continue;
        }
        if (world->shape.random && world->now_ms >= enactor->repairs_until_ms[e]) {
            enactor->repairs_until_ms[e] = world->now_ms + HF_ENACTOR_HEAL_WINDOW_MS;
            enactor->repairs[e] = 0;
        }
        enactor->repairs[e]++;
        if (enactor->repairs[e] > most) {
            hf_world_broken(world, "healing: enactor %u repairs endpoint %u %u times in a window",
                            number + 1, e + 1, enactor->repairs[e]);
        }
    }
}

/* --- planners --- */

/* I6: an endpoint changes, and no operator said so. */
void hf_world_law_paced(struct hf_world *world, uint32_t e, uint64_t now_ms)
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
                       uint64_t members, uint8_t family)
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
void hf_world_law_entry(struct hf_world *world, uint32_t e, const struct hf_world_entry *was,
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
