/* SPDX-License-Identifier: GPL-3.0-or-later */
/* People: what operators say to Holdfast, and what hands do to zone and store. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

/* What a hand may do to an endpoint. */
enum edit {
    EDIT_RECORDS_GONE,
    EDIT_RECORDS_OTHER,
    EDIT_RECORDS_CNAME,
    EDIT_FENCE_GONE,
    EDIT_FENCE_DAMAGED,
    EDIT_FENCE_ALIEN,
    EDIT_RECORDS_FEWER,
    EDITS
};

enum guard_edit { GUARD_GONE, GUARD_ALIEN, GUARD_DAMAGED, GUARD_EDITS };

uint32_t hf_world_edits(const struct hf_world *world, enum hf_world_move_kind kind)
{
    (void)world;
    return kind == HF_MOVE_EDIT ? EDITS : kind == HF_MOVE_EDIT_GUARD ? GUARD_EDITS : 1;
}

static uint32_t endpoints_where(const struct hf_world *world, bool in_plan, bool retired)
{
    uint32_t bits = 0;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_world_entry *entry = &world->store.plan.entries[e];
        bool is_retired = hf_bit8(world->store.overrides.retired, e);
        bool fits = is_retired == retired && (!in_plan || entry->gen != 0);
        bits |= fits ? 1U << e : 0;
    }
    return bits;
}

static uint32_t all(uint32_t count)
{
    return (1U << count) - 1;
}

/* The guard as it lies in the zone, seen by the store's owner. */
static struct hf_zone_guard guard_now(const struct hf_world *world)
{
    return hf_world_guard_of(hf_world_look_guard(&world->zone), world->store.instance);
}

/* Which endpoints, or backends, a move of people may be about; bit 0 alone where it is neither. */
uint32_t hf_world_people_may(const struct hf_world *world, enum hf_world_move_kind kind)
{
    const struct hf_world_overrides *overrides = &world->store.overrides;
    struct hf_zone_guard guard = guard_now(world);
    bool is_frozen = overrides->frozen || (guard.kind == HF_FENCE_OURS && guard.frozen);
    switch (kind) {
    case HF_MOVE_RETIRE:
        return world->left[HF_BOUND_RETIRES] > 0 ? endpoints_where(world, true, false) : 0;
    case HF_MOVE_RECREATE:
        return endpoints_where(world, false, true);
    case HF_MOVE_ROLLBACK:
        return world->left[HF_BOUND_ROLLBACKS] > 0
                   ? endpoints_where(world, true, false) & ~(uint32_t)overrides->pinned
                   : 0;
    case HF_MOVE_RELEASE:
        return overrides->pinned;
    case HF_MOVE_DRAIN:
        return world->left[HF_BOUND_DRAINS] > 0
                   ? all(hf_world_backends(world)) & ~(uint32_t)overrides->drained
                   : 0;
    case HF_MOVE_UNDRAIN:
        return overrides->drained;
    case HF_MOVE_FREEZE:
        return world->left[HF_BOUND_FREEZES] > 0 && !is_frozen && guard.kind == HF_FENCE_OURS;
    case HF_MOVE_THAW:
        return world->shape.freezes > 0 && is_frozen && guard.kind == HF_FENCE_OURS;
    case HF_MOVE_EDIT:
        return world->left[HF_BOUND_EDITS] > 0 ? all(world->shape.endpoints) : 0;
    case HF_MOVE_EDIT_GUARD:
        return world->left[HF_BOUND_GUARD_EDITS] > 0;
    case HF_MOVE_ADOPT:
        return world->shape.edits > 0 ? all(world->shape.endpoints) & ~(uint32_t)overrides->adopted
                                      : 0;
    case HF_MOVE_ADOPT_ZONE:
        return guard.kind == HF_FENCE_ALIEN || guard.kind == HF_FENCE_DAMAGED;
    case HF_MOVE_APPROVE:
        return world->shape.random && !overrides->approved;
    case HF_MOVE_RESTORE:
        return world->left[HF_BOUND_RESTORES] > 0 && world->saved.head != 0 &&
               world->saved.head != world->store.head;
    case HF_MOVE_LOSE_STORE:
        return world->left[HF_BOUND_LOST_STORES] > 0;
    case HF_MOVE_CORRUPT:
        return world->left[HF_BOUND_CORRUPTIONS] > 0 && world->store.head != 0;
    case HF_MOVE_RESTART:
        return world->left[HF_BOUND_RESTARTS] > 0;
    default:
        return 0;
    }
}

/* --- hands on the zone --- */

static void edit(struct hf_world *world, uint32_t e, uint32_t what)
{
    struct hf_world_site *site = &world->sites[e];
    struct hf_world_view view;
    hf_world_before_change(world);
    site->edited = true;
    switch (what) {
    case EDIT_RECORDS_GONE:
        hf_world_put_records(world, e, HF_CONTENT_EMPTY, false);
        break;
    case EDIT_RECORDS_OTHER:
        hf_world_put_records(world, e, HF_CONTENT_ALIEN, false);
        break;
    case EDIT_RECORDS_FEWER:
        hf_world_look(&world->zone, e, &view);
        hf_world_put_records(world, e, view.content & -(uint32_t)view.content, false);
        break;
    case EDIT_RECORDS_CNAME:
        hf_world_put_records(world, e, HF_CONTENT_EMPTY, true);
        break;
    default:
        /* With the fence goes the memory of its generation. */
        site->high = 0;
        hf_world_put_fence(
            world, e,
            what == EDIT_FENCE_GONE
                ? HF_VALUE_ABSENT
                : hf_world_odd_value(what == EDIT_FENCE_ALIEN ? HF_FENCE_ALIEN : HF_FENCE_DAMAGED,
                                     world->left[HF_BOUND_EDITS]));
        break;
    }
    hf_world_serial_up(world);
}

/* The floor goes with the guard: what protects names without a fence is lost by hand. */
static void forget_floor(struct hf_world *world)
{
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_view view;
        hf_world_look(&world->zone, e, &view);
        if (hf_world_value_kind(view.fence) != HF_FENCE_OURS) {
            world->sites[e].high = 0;
        }
    }
}

static void edit_guard(struct hf_world *world, uint32_t what)
{
    hf_world_before_change(world);
    forget_floor(world);
    hf_world_put_guard(
        world, what == GUARD_GONE
                   ? HF_VALUE_ABSENT
                   : hf_world_odd_value(what == GUARD_ALIEN ? HF_FENCE_ALIEN : HF_FENCE_DAMAGED,
                                        world->left[HF_BOUND_GUARD_EDITS]));
    hf_world_serial_up(world);
}

/* The disk's copy comes back: of each endpoint what was there then, with its generation. */
static void restart(struct hf_world *world)
{
    world->zone = world->synced;
    world->zone_changed = true;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_view view;
        struct hf_world_site *site = &world->sites[e];
        hf_world_look(&world->zone, e, &view);
        bool is_ours = hf_world_value_kind(view.fence) == HF_FENCE_OURS;
        site->high = is_ours ? hf_world_value_gen(view.fence) : 0;
        site->edited = true;
    }
}

/* --- operators --- */

static void set_guard_state(struct hf_world *world, bool frozen)
{
    struct hf_zone_guard guard = guard_now(world);
    if (guard.kind == HF_FENCE_OURS && guard.frozen != frozen) {
        guard.frozen = frozen;
        hf_world_before_change(world);
        hf_world_put_guard(world, hf_world_guard_value(&guard));
        hf_world_serial_up(world);
    }
    world->store.overrides.frozen = frozen;
}

/* adopt --zone: the zone is this store's from now on, with the floor that its guard had. */
static void adopt_zone(struct hf_world *world)
{
    hf_world_value value = hf_world_look_guard(&world->zone);
    struct hf_zone_guard guard = {.kind = HF_FENCE_OURS,
                                  .instance = world->store.instance,
                                  .floor = hf_world_value_gen(value)};
    hf_world_before_change(world);
    hf_world_put_guard(world, hf_world_guard_value(&guard));
    hf_world_serial_up(world);
}

static void lose_store(struct hf_world *world)
{
    struct hf_world_store fresh = {.instance = world->store.instance + 1,
                                   .put_number = world->store.put_number};
    world->store = fresh;
    memset(world->changed_ms, 0, sizeof world->changed_ms);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        memset(world->sites[e].past, 0, sizeof world->sites[e].past);
    }
}

static void restore(struct hf_world *world)
{
    uint32_t put_number = world->store.put_number; /* a time, in truth: it never comes again */
    world->store = world->saved;
    world->store.put_number = put_number;
    world->janitor.misled = world->janitor.phase != HF_JANITOR_IDLE;
    memset(world->changed_ms, 0, sizeof world->changed_ms);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        memset(world->sites[e].past, 0, sizeof world->sites[e].past);
    }
}

static void corrupt(struct hf_world *world)
{
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        if (world->store.objects[i].name == world->store.head) {
            world->store.objects[i].corrupt = true;
        }
    }
}

static void say(struct hf_world *world, const struct hf_world_move *move)
{
    struct hf_world_overrides *overrides = &world->store.overrides;
    uint8_t bit = (uint8_t)(1U << move->who);
    switch (move->kind) {
    case HF_MOVE_RETIRE:
        overrides->retired |= bit;
        overrides->pinned &= (uint8_t)~bit;
        break;
    case HF_MOVE_RECREATE:
        overrides->retired &= (uint8_t)~bit;
        break;
    case HF_MOVE_ROLLBACK:
        /* To its own member alone: what it may have answered before. */
        overrides->pinned |= bit;
        overrides->pins[move->who] = 1;
        break;
    case HF_MOVE_RELEASE:
        overrides->pinned &= (uint8_t)~bit;
        overrides->pins[move->who] = 0;
        break;
    case HF_MOVE_DRAIN:
        overrides->drained |= bit;
        break;
    case HF_MOVE_UNDRAIN:
        overrides->drained &= (uint8_t)~bit;
        break;
    case HF_MOVE_ADOPT:
        overrides->adopted |= bit;
        world->sites[move->who].adopted = true;
        break;
    default:
        assert(move->kind == HF_MOVE_APPROVE);
        overrides->approved = true;
        break;
    }
}

static void spend(struct hf_world *world, enum hf_world_move_kind kind)
{
    static const int8_t bounds[HF_MOVES] = {
        [HF_MOVE_RETIRE] = HF_BOUND_RETIRES + 1,
        [HF_MOVE_ROLLBACK] = HF_BOUND_ROLLBACKS + 1,
        [HF_MOVE_DRAIN] = HF_BOUND_DRAINS + 1,
        [HF_MOVE_FREEZE] = HF_BOUND_FREEZES + 1,
        [HF_MOVE_EDIT] = HF_BOUND_EDITS + 1,
        [HF_MOVE_EDIT_GUARD] = HF_BOUND_GUARD_EDITS + 1,
        [HF_MOVE_RESTORE] = HF_BOUND_RESTORES + 1,
        [HF_MOVE_LOSE_STORE] = HF_BOUND_LOST_STORES + 1,
        [HF_MOVE_CORRUPT] = HF_BOUND_CORRUPTIONS + 1,
        [HF_MOVE_RESTART] = HF_BOUND_RESTARTS + 1,
    };
    if (bounds[kind] > 0) {
        world->left[bounds[kind] - 1]--;
    }
}

void hf_world_people(struct hf_world *world, const struct hf_world_move *move)
{
    switch (move->kind) {
    case HF_MOVE_EDIT:
        edit(world, move->who, move->what);
        break;
    case HF_MOVE_EDIT_GUARD:
        edit_guard(world, move->what);
        break;
    case HF_MOVE_RESTART:
        restart(world);
        break;
    case HF_MOVE_FREEZE:
    case HF_MOVE_THAW:
        set_guard_state(world, move->kind == HF_MOVE_FREEZE);
        hf_world_store_changed(world);
        break;
    case HF_MOVE_ADOPT_ZONE:
        adopt_zone(world);
        break;
    case HF_MOVE_LOSE_STORE:
        lose_store(world);
        hf_world_store_changed(world);
        break;
    case HF_MOVE_RESTORE:
        restore(world);
        hf_world_store_changed(world);
        break;
    case HF_MOVE_CORRUPT:
        corrupt(world);
        hf_world_store_changed(world);
        break;
    default:
        say(world, move);
        hf_world_store_changed(world);
        break;
    }
    spend(world, (enum hf_world_move_kind)move->kind);
}
