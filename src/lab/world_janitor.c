/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The janitor's process: what io/clean*.c does around the machine. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

enum { INTERVAL_MS = 30000, RETENTION_MS = 120000 };

static void take(const struct hf_world *world, struct hf_janitor *machine)
{
    const struct hf_world_janitor *facts = &world->janitor;
    bool has_time = world->shape.random;
    /* Only as much of the page as is in use: it is large. */
    machine->count = facts->count;
    memcpy(machine->page, facts->page, facts->count * sizeof facts->page[0]);
    memcpy(machine->last, facts->last, sizeof facts->last);
    machine->due_ms = facts->due_ms;
    machine->deleted = machine->rounds = machine->cleaned_rounds = 0;
    machine->interval_ms = has_time ? INTERVAL_MS : 0;
    machine->retention_ms = has_time ? RETENTION_MS : 0;
    machine->tombstone_ms = 0;
    machine->at = facts->at;
    machine->op = facts->op;
    machine->next_op = facts->next_op;
    machine->phase = facts->phase;
    machine->more = facts->more;
    machine->first = facts->first;
}

static void lay(struct hf_world *world, const struct hf_janitor *machine)
{
    struct hf_world_janitor *facts = &world->janitor;
    assert(machine->count <= HF_WORLD_PAGE_MAX);
    memset(facts->page, 0, sizeof facts->page);
    facts->count = machine->count;
    memcpy(facts->page, machine->page, facts->count * sizeof facts->page[0]);
    memcpy(facts->last, machine->last, sizeof facts->last);
    facts->due_ms = machine->due_ms;
    facts->at = machine->at;
    facts->op = machine->op;
    facts->next_op = machine->next_op;
    facts->phase = machine->phase;
    facts->more = machine->more;
    facts->first = machine->first;
    if (machine->phase == HF_JANITOR_IDLE) {
        facts->count = facts->at = 0;
        facts->more = facts->first = facts->misled = false;
        memset(facts->page, 0, sizeof facts->page);
        memset(facts->last, 0, sizeof facts->last);
    }
}

/* One event; what the machine asks for is kept until its turn. */
static void feed(struct hf_world *world, struct hf_janitor *machine, struct hf_janitor_event event)
{
    struct hf_janitor_action action;
    event.now_ms = hf_world_clock(world, world->janitor.skew_ms);
    if (hf_janitor_step(machine, &event, &action)) {
        world->janitor.action = action;
    }
}

static void feed_one(struct hf_world *world, struct hf_janitor_event event)
{
    struct hf_janitor machine;
    take(world, &machine);
    feed(world, &machine, event);
    lay(world, &machine);
}

static void done(struct hf_world *world, uint32_t op, enum hf_result result)
{
    struct hf_world_janitor *facts = &world->janitor;
    feed_one(world, (struct hf_janitor_event){
                        .type = HF_JANITOR_DONE, .op = op, .result = (uint8_t)result});
    bool has_objects = world->shape.objects > 0 || world->shape.random > 0;
    if (facts->action.kind == HF_JANITOR_LIST && facts->action.op != 0 && !has_objects) {
        /* No object is old enough: the round ends. */
        op = facts->action.op;
        facts->action = (struct hf_janitor_action){0};
        feed_one(world, (struct hf_janitor_event){.type = HF_JANITOR_LISTED, .op = op});
    }
}

/* --- objects --- */

static void name_of(uint32_t name, uint8_t ret_name[HF_JANITOR_NAME_SIZE])
{
    memset(ret_name, 0, HF_JANITOR_NAME_SIZE);
    for (uint32_t i = 0; i < 4; i++) {
        ret_name[i] = (uint8_t)(name >> (24 - 8 * i));
    }
}

static uint32_t name_in(const uint8_t name[HF_JANITOR_NAME_SIZE])
{
    return (uint32_t)name[0] << 24 | (uint32_t)name[1] << 16 | (uint32_t)name[2] << 8 | name[3];
}

/* The next object after a name, in order of names; NULL: none. */
static const struct hf_world_object *next_object(const struct hf_world *world, uint32_t after)
{
    const struct hf_world_object *next = NULL;
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        const struct hf_world_object *object = &world->store.objects[i];
        if (object->name > after && (next == NULL || object->name < next->name)) {
            next = object;
        }
    }
    return next;
}

static void list(struct hf_world *world, const struct hf_janitor_action *action)
{
    struct hf_janitor machine;
    uint32_t after = action->page_first ? 0 : name_in(action->name);
    uint32_t count = 0;
    const struct hf_world_object *object = next_object(world, after);
    take(world, &machine);
    for (; object != NULL && count < HF_WORLD_PAGE_MAX; count++) {
        struct hf_janitor_event event = {.type = HF_JANITOR_OBJECT,
                                         .op = action->op,
                                         .put_number = object->put_number,
                                         .put_ms = object->put_ms};
        name_of(object->name, event.name);
        feed(world, &machine, event);
        object = next_object(world, object->name);
    }
    feed(world, &machine,
         (struct hf_janitor_event){
             .type = HF_JANITOR_LISTED, .op = action->op, .more = object != NULL});
    lay(world, &machine);
}

static void reach(struct hf_world *world, const struct hf_janitor_action *action)
{
    const struct hf_world_store *store = &world->store;
    if (!hf_world_readable(store, 0)) {
        done(world, action->op, HF_RESULT_UNKNOWN);
        if (world->janitor.action.op != 0) {
            hf_world_broken(world, "store: the janitor goes on without knowing what is reachable");
        }
        return;
    }
    struct hf_janitor machine;
    take(world, &machine);
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        uint32_t name = store->objects[i].name;
        if (name != 0 && hf_world_reached(store, name)) {
            struct hf_janitor_event event = {.type = HF_JANITOR_REACHED, .op = action->op};
            name_of(name, event.name);
            feed(world, &machine, event);
        }
    }
    feed(world, &machine, (struct hf_janitor_event){.type = HF_JANITOR_DONE, .op = action->op});
    lay(world, &machine);
}

static void delete (struct hf_world *world, const struct hf_janitor_action *action)
{
    enum hf_result result = HF_RESULT_REFUSED;
    bool was_readable = hf_world_readable(&world->store, 0);
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        struct hf_world_object *object = &world->store.objects[i];
        if (object->name == name_in(action->name) && object->put_number == action->put_number) {
            *object = (struct hf_world_object){0};
            result = HF_RESULT_OK;
        }
    }
    if (was_readable && !hf_world_readable(&world->store, 0) && !world->janitor.misled) {
        hf_world_broken(world, "store: the janitor deletes what the head leads to");
    }
    done(world, action->op, result);
}

/* --- tombstones --- */

/* Of the endpoints that the plan retires, those whose fence still is theirs, or is gone. */
static void fill_lanes(const struct hf_world *world, struct hf_world_flight *flight,
                       struct hf_zone_guard *after)
{
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_world_entry *entry = &world->store.plan.entries[e];
        struct hf_world_view view;
        if (entry->gen == 0 || (entry->flags & HF_ROW_RETIRED) == 0) {
            continue;
        }
        hf_world_look(&world->zone, e, &view);
        bool is_tombstone = hf_world_value_kind(view.fence) == HF_FENCE_OURS &&
                            hf_world_value_gen(view.fence) == entry->gen &&
                            hf_world_value_content(view.fence) == HF_CONTENT_EMPTY;
        if (is_tombstone || view.fence == HF_VALUE_ABSENT) {
            flight->lanes |= (uint8_t)(1U << e);
            flight->before[e] = view.fence;
            after->floor = entry->gen > after->floor ? entry->gen : after->floor;
        }
    }
}

static void clean(struct hf_world *world, const struct hf_janitor_action *action)
{
    struct hf_zone_guard guard =
        hf_world_guard_of(hf_world_look_guard(&world->zone), world->store.instance);
    struct hf_world_flight flight = {.state = HF_FLIGHT_SENT,
                                     .kind = HF_ENACTOR_WRITE_GUARD,
                                     .janitor = true,
                                     .op = action->op,
                                     .guard = hf_world_guard_value(&guard)};
    if (!hf_world_readable(&world->store, 0)) {
        done(world, action->op, HF_RESULT_UNKNOWN);
        return;
    }
    if (guard.kind == HF_FENCE_OURS && !guard.frozen) {
        fill_lanes(world, &flight, &guard);
    }
    if (flight.lanes == 0) {
        done(world, action->op, HF_RESULT_OK);
        return;
    }
    flight.guard_after = hf_world_guard_value(&guard);
    world->janitor.flight = flight;
}

static void serve(struct hf_world *world)
{
    struct hf_world_flight flight = world->janitor.flight;
    world->janitor.flight = (struct hf_world_flight){0};
    world->last_result = hf_world_update(world, &flight);
    done(world, flight.op, (enum hf_result)world->last_result);
}

/* --- turns --- */

void hf_world_janitor_start(struct hf_world *world)
{
    struct hf_world_janitor *facts = &world->janitor;
    if (facts->flight.state != HF_FLIGHT_FREE) {
        (void)hf_world_add_ghost(world, &facts->flight);
    }
    *facts = (struct hf_world_janitor){.skew_ms = facts->skew_ms};
}

bool hf_world_janitor_due(const struct hf_world *world)
{
    const struct hf_world_janitor *facts = &world->janitor;
    if (facts->flight.state != HF_FLIGHT_FREE || facts->action.op != 0) {
        return true;
    }
    uint64_t now_ms = hf_world_clock(world, facts->skew_ms);
    bool is_late = facts->due_ms > now_ms && facts->due_ms - now_ms <= INTERVAL_MS;
    return facts->phase == HF_JANITOR_IDLE && world->left[HF_BOUND_CLEANS] > 0 &&
           !(world->shape.random && is_late);
}

void hf_world_janitor_act(struct hf_world *world)
{
    struct hf_world_janitor *facts = &world->janitor;
    struct hf_janitor_action action = facts->action;
    if (facts->flight.state != HF_FLIGHT_FREE) {
        serve(world);
        return;
    }
    facts->action = (struct hf_janitor_action){0};
    if (action.op == 0) {
        world->left[HF_BOUND_CLEANS]--;
        facts->due_ms = world->shape.random ? facts->due_ms : 0;
        feed_one(world, (struct hf_janitor_event){.type = HF_JANITOR_TICK});
        return;
    }
    switch (action.kind) {
    case HF_JANITOR_CLEAN:
        clean(world, &action);
        break;
    case HF_JANITOR_LIST:
        list(world, &action);
        break;
    case HF_JANITOR_REACH:
        reach(world, &action);
        break;
    default:
        assert(action.kind == HF_JANITOR_DELETE);
        delete (world, &action);
        break;
    }
}
