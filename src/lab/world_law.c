/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws about enactors: what they may believe and begin. world_zone.c has those about the zone. */
#include "lab/world_internal.h"

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
