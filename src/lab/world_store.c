/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store: objects by the digest of what they hold, a head, what operators said. */
#include <assert.h>
#include <string.h>

#include "lab/world_internal.h"

static const struct hf_world_object *find(const struct hf_world_store *store, uint32_t name)
{
    for (uint32_t i = 0; name != 0 && i < HF_WORLD_OBJECTS_MAX; i++) {
        if (store->objects[i].name == name) {
            return &store->objects[i];
        }
    }
    return NULL;
}

/* From the head back to what the reader has, or to a snapshot. */
bool hf_world_readable(const struct hf_world_store *store, uint32_t have)
{
    uint32_t name = store->head;
    while (name != 0 && name != have) {
        const struct hf_world_object *object = find(store, name);
        if (object == NULL || object->corrupt) {
            return false;
        }
        name = object->snapshot ? 0 : object->parent;
    }
    return true;
}

/* What loading the head needs. */
bool hf_world_reached(const struct hf_world_store *store, uint32_t name)
{
    const struct hf_world_object *object = find(store, store->head);
    while (object != NULL) {
        if (object->name == name) {
            return true;
        }
        object = object->snapshot ? NULL : find(store, object->parent);
    }
    return false;
}

uint32_t hf_world_chain(const struct hf_world_store *store, uint32_t name)
{
    uint32_t length = 0;
    const struct hf_world_object *object = find(store, name);
    while (object != NULL && !object->corrupt && !object->snapshot) {
        length++;
        object = find(store, object->parent);
    }
    return object == NULL || object->corrupt ? HF_WORLD_CHAIN_MAX : length;
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
    hash = (hash ^ value) * UINT32_C(0x9e3779b1);
    return hash ^ hash >> 15;
}

static uint32_t digest(const struct hf_world_plan *plan, uint32_t parent)
{
    uint32_t hash = mix(mix(17, plan->gen), parent);
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        const struct hf_world_entry *entry = &plan->entries[e];
        hash = mix(mix(hash, entry->gen), entry->content);
        hash = mix(hash, (uint32_t)entry->in << 8 | entry->flags);
    }
    return hash == 0 ? 1 : hash;
}

bool hf_world_has_objects(const struct hf_world *world)
{
    const struct hf_world_options *shape = &world->shape;
    return shape->objects > 0 || shape->corruptions > 0 || shape->restores > 0 ||
           shape->lost_stores > 0 || shape->planners > 1 || shape->random > 0;
}

bool hf_world_may_be_ahead(const struct hf_world *world)
{
    const struct hf_world_options *shape = &world->shape;
    return hf_world_has_objects(world) || shape->edits > 0 || shape->guard_edits > 0 ||
           shape->restarts > 0 || shape->cold > 0;
}

/* A place for one more: a free one, or that of the oldest that nothing leads to. */
static struct hf_world_object *place(struct hf_world_store *store)
{
    struct hf_world_object *oldest = NULL;
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        struct hf_world_object *object = &store->objects[i];
        if (object->name == 0) {
            return object;
        }
        bool is_older = oldest == NULL || object->put_number < oldest->put_number;
        if (is_older && !hf_world_reached(store, object->name)) {
            oldest = object;
        }
    }
    assert(oldest != NULL);
    return oldest;
}

uint32_t hf_world_put(struct hf_world *world, const struct hf_world_plan *plan, uint32_t parent)
{
    struct hf_world_store *store = &world->store;
    uint32_t name = hf_world_has_objects(world) ? digest(plan, parent) : plan->gen;
    struct hf_world_object *object = NULL;
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        if (store->objects[i].name == name) {
            object = &store->objects[i];
        }
    }
    object = object == NULL ? place(store) : object;
    *object = (struct hf_world_object){.name = name,
                                       .parent = parent,
                                       .gen = plan->gen,
                                       .put_number = ++store->put_number,
                                       .put_ms = world->shape.random ? world->now_ms : 0,
                                       .snapshot = parent == 0};
    return name;
}

bool hf_world_same_entry(const struct hf_world_entry *a, const struct hf_world_entry *b)
{
    return a->gen == b->gen && a->content == b->content && a->in == b->in && a->flags == b->flags;
}

bool hf_world_same_overrides(const struct hf_world_overrides *a, const struct hf_world_overrides *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void hf_world_store_changed(struct hf_world *world)
{
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        world->planners[p].changed_store = true;
    }
}
