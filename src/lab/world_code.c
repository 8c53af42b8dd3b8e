/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A state as octets, in canonical form, and back. */
#include "lab/world_code.h"

#include <assert.h>
#include <string.h>

enum {
    ENACTOR_MAX = 512,
    REST_MAX = 2048,
    SEVEN = 0x7f,
    MORE = 0x80,
};

void hf_code(struct hf_world_coder *coder, uint64_t *value)
{
    if (coder->out != NULL) {
        uint64_t left = *value;
        while (left > SEVEN) {
            *coder->out++ = (uint8_t)(left | MORE);
            left >>= 7;
        }
        *coder->out++ = (uint8_t)left;
        return;
    }
    uint64_t number = 0;
    uint32_t shift = 0;
    uint8_t octet;
    do {
        octet = *coder->in++;
        number |= (uint64_t)(octet & SEVEN) << shift;
        shift += 7;
    } while ((octet & MORE) != 0);
    *value = number;
}

/* Kind and what makes it unique; generation and content where it has them. */
void hf_code_value(struct hf_world_coder *coder, hf_world_value *value)
{
    uint64_t head = hf_world_value_kind(*value) | *value >> 28 << 3;
    uint64_t gen = 0, content = 0;
    if (!hf_code_reads(coder)) {
        gen = hf_world_value_gen(*value);
        content = hf_world_value_content(*value);
    }
    hf_code(coder, &head);
    uint8_t kind = head & 7;
    if (kind == HF_FENCE_OURS || kind == HF_FENCE_UNKNOWN) {
        hf_code(coder, &gen);
        hf_code(coder, &content);
    }
    if (hf_code_reads(coder)) {
        *value = kind | content << 3 | gen << 12 | head >> 3 << 28;
    }
}

void hf_code_armed(struct hf_world_coder *coder, const struct hf_world *world, uint64_t *at_ms,
                   uint64_t ahead_ms)
{
    bool is_armed = *at_ms > world->now_ms;
    hf_code_bool(coder, &is_armed);
    *at_ms = is_armed ? world->now_ms + ahead_ms : 0;
}

static void code_entry(struct hf_world_coder *coder, struct hf_world_entry *entry)
{
    hf_code_u32(coder, &entry->gen);
    if (entry->gen != 0) {
        hf_code_u16(coder, &entry->content);
        hf_code_u8(coder, &entry->in);
        hf_code_u8(coder, &entry->flags);
    }
    entry->cause = HF_CAUSE_NONE;
}

void hf_code_plan(struct hf_world_coder *coder, const struct hf_world *world,
                  struct hf_world_plan *plan)
{
    hf_code_u32(coder, &plan->gen);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        code_entry(coder, &plan->entries[e]);
    }
}

void hf_code_overrides(struct hf_world_coder *coder, struct hf_world_overrides *overrides)
{
    const struct hf_world_overrides none = {0};
    bool any = !hf_world_same_overrides(overrides, &none);
    hf_code_bool(coder, &any);
    if (!any) {
        *overrides = none;
        return;
    }
    hf_code_u8(coder, &overrides->retired);
    hf_code_u8(coder, &overrides->pinned);
    hf_code_u8(coder, &overrides->adopted);
    hf_code_u8(coder, &overrides->drained);
    for (uint32_t e = 0; e < HF_WORLD_ENDPOINTS_MAX; e++) {
        hf_code_u8(coder, &overrides->pins[e]);
    }
    hf_code_bool(coder, &overrides->frozen);
    hf_code_bool(coder, &overrides->approved);
}

/* Windows begin anew with every state: none ends early. */
void hf_code_budget(struct hf_world_coder *coder, const struct hf_world *world,
                    struct hf_budget *budget)
{
    hf_code_armed(coder, world, &budget->quiet_at_ms, HF_WORLD_REMOVAL_MS);
    if (budget->quiet_at_ms == 0) {
        *budget = (struct hf_budget){0};
        return;
    }
    hf_code(coder, &budget->base);
    hf_code(coder, &budget->spent);
}

/* --- store --- */

static void code_objects(struct hf_world_coder *coder, struct hf_world_store *store)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        bits |= store->objects[i].name != 0 ? 1U << i : 0;
    }
    hf_code_u32(coder, &bits);
    hf_code_u32(coder, &store->put_number);
    for (uint32_t i = 0; i < HF_WORLD_OBJECTS_MAX; i++) {
        struct hf_world_object *object = &store->objects[i];
        if ((bits >> i & 1) != 0) {
            hf_code_u32(coder, &object->name);
            hf_code_u32(coder, &object->parent);
            hf_code_u32(coder, &object->put_number);
            uint32_t marks =
                (object->snapshot ? 1U : 0) | (object->corrupt ? 2U : 0) | object->gen << 2;
            hf_code_u32(coder, &marks);
            object->snapshot = (marks & 1) != 0;
            object->corrupt = (marks & 2) != 0;
            object->gen = marks >> 2;
        }
    }
    hf_code_u32(coder, &store->head);
}

static void code_store(struct hf_world_coder *coder, const struct hf_world *world,
                       struct hf_world_store *store)
{
    hf_code_u32(coder, &store->instance);
    hf_code_plan(coder, world, &store->plan);
    hf_code_overrides(coder, &store->overrides);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        hf_code_budget(coder, world, &store->budgets[e]);
    }
    if (hf_world_has_objects(world)) {
        code_objects(coder, store);
    } else {
        bool has_head = store->head != 0;
        hf_code_bool(coder, &has_head);
        if (hf_code_reads(coder) && has_head) {
            store->head = store->plan.gen; /* as hf_world_put names it */
            store->objects[0] = (struct hf_world_object){
                .name = store->head, .gen = store->plan.gen, .put_number = 1, .snapshot = true};
            store->put_number = 1;
        }
    }
}

/* --- zone --- */

static void code_zone(struct hf_world_coder *coder, struct hf_world *world,
                      struct hf_server_zone *zone)
{
    struct hf_world_view view = {0};
    hf_world_value guard = hf_code_reads(coder) ? 0 : hf_world_look_guard(zone);
    uint32_t serial =
        hf_code_reads(coder) || world->shape.restarts == 0 ? 1 : hf_server_serial(zone);
    hf_code_value(coder, &guard);
    if (world->shape.restarts > 0) {
        hf_code_u32(coder, &serial);
    }
    struct hf_server_zone kept = world->zone;
    if (hf_code_reads(coder)) {
        hf_server_zone_init(&world->zone, serial);
        hf_world_put_guard(world, guard);
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        if (!hf_code_reads(coder)) {
            hf_world_look(zone, e, &view);
        }
        hf_code_value(coder, &view.fence);
        hf_code_u8(coder, &view.records);
        hf_code_u16(coder, &view.content);
        if (hf_code_reads(coder)) {
            hf_world_put_fence(world, e, view.fence);
            hf_world_put_records(world, e, view.content, view.records == HF_RECORDS_OTHER);
        }
    }
    if (hf_code_reads(coder) && zone != &world->zone) {
        *zone = world->zone;
        world->zone = kept;
    }
}

static void code_sites(struct hf_world_coder *coder, struct hf_world *world)
{
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_site *site = &world->sites[e];
        uint32_t most = 0;
        for (uint32_t i = 0; i < HF_WORLD_PAST; i++) {
            const struct hf_world_past *past = &site->past[i];
            bool is_recent =
                past->until_ms != 0 && world->now_ms < past->until_ms + hf_world_removal_ms(world);
            most = is_recent && past->capacity > most ? past->capacity : most;
        }
        uint32_t marks = (site->edited ? 1U : 0) | (site->was_ours ? 2U : 0) |
                         (site->adopted ? 4U : 0) | most << 3;
        hf_code_u32(coder, &site->high);
        hf_code_u32(coder, &marks);
        if (hf_code_reads(coder)) {
            site->edited = (marks & 1) != 0;
            site->was_ours = (marks & 2) != 0;
            site->adopted = (marks & 4) != 0;
            if (marks >> 3 != 0) {
                site->past[0] =
                    (struct hf_world_past){.until_ms = world->now_ms, .capacity = marks >> 3};
            }
        }
    }
}

static void code_bounds(struct hf_world_coder *coder, struct hf_world *world)
{
    const uint32_t *bounds = &world->shape.retires;
    for (uint32_t i = 0; i < HF_BOUNDS; i++) {
        uint32_t bound = i == HF_BOUND_GENERATIONS ? world->shape.generations : bounds[i];
        if (bound > 0) {
            hf_code_u16(coder, &world->left[i]);
        }
    }
}

/* --- all of it --- */

static void code_rest(struct hf_world_coder *coder, struct hf_world *world)
{
    code_bounds(coder, world);
    code_store(coder, world, &world->store);
    code_zone(coder, world, &world->zone);
    code_sites(coder, world);
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        hf_code_planner(coder, world, &world->planners[p]);
    }
    if (world->shape.cleans > 0) {
        hf_code_janitor(coder, world);
    }
    if (world->shape.stale > 0 && world->left[HF_BOUND_STALE] > 0) {
        bool any = world->older.count > 0;
        hf_code_bool(coder, &any);
        if (any) {
            code_zone(coder, world, &world->older);
        }
    }
    if (world->shape.restarts > 0 && world->left[HF_BOUND_RESTARTS] > 0) {
        code_zone(coder, world, &world->synced);
    }
    if (world->shape.restores > 0 && world->left[HF_BOUND_RESTORES] > 0) {
        code_store(coder, world, &world->saved);
    }
}

/* Parts in the order of their octets, where their own order does not matter. */
struct parts {
    uint8_t octets[HF_WORLD_GHOSTS_MAX][ENACTOR_MAX];
    size_t sizes[HF_WORLD_GHOSTS_MAX];
    uint8_t order[HF_WORLD_GHOSTS_MAX];
    uint32_t count;
};

static bool is_before(const struct parts *parts, uint32_t a, uint32_t b)
{
    size_t size = parts->sizes[a] < parts->sizes[b] ? parts->sizes[a] : parts->sizes[b];
    int order = memcmp(parts->octets[a], parts->octets[b], size);
    return order != 0 ? order < 0 : parts->sizes[a] < parts->sizes[b];
}

static void add_part(struct parts *parts, const struct hf_world_coder *end)
{
    uint32_t part = parts->count++, at = part;
    parts->sizes[part] = (size_t)(end->out - parts->octets[part]);
    assert(parts->sizes[part] <= ENACTOR_MAX);
    for (; at > 0 && is_before(parts, part, parts->order[at - 1]); at--) {
        parts->order[at] = parts->order[at - 1];
    }
    parts->order[at] = (uint8_t)part;
}

static void put_parts(struct hf_world_coder *coder, const struct parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        uint32_t part = parts->order[i];
        memcpy(coder->out, parts->octets[part], parts->sizes[part]);
        coder->out += parts->sizes[part];
    }
}

size_t hf_world_encoded_max(const struct hf_world_options *options)
{
    return REST_MAX + (size_t)options->enactors * ENACTOR_MAX + HF_WORLD_GHOSTS_MAX * 64U;
}

static void put_ghosts(struct hf_world_coder *coder, const struct hf_world *world)
{
    struct parts parts;
    parts.count = 0;
    for (uint32_t i = 0; i < HF_WORLD_GHOSTS_MAX; i++) {
        if (world->ghosts[i].state != HF_FLIGHT_FREE) {
            struct hf_world_flight ghost = world->ghosts[i];
            struct hf_world_coder part = {.out = parts.octets[parts.count]};
            hf_code_flight(&part, world, &ghost);
            add_part(&parts, &part);
        }
    }
    uint64_t count = parts.count;
    hf_code(coder, &count);
    put_parts(coder, &parts);
}

/* Writing leaves a state as it is, but for what canonical form forgets: hence the copies. */
size_t hf_world_encode_rest(const struct hf_world *world, uint8_t *ret_bytes)
{
    struct hf_world copy = *world;
    struct hf_world_coder coder = {.out = ret_bytes};
    code_rest(&coder, &copy);
    put_ghosts(&coder, world);
    return (size_t)(coder.out - ret_bytes);
}

size_t hf_world_encode_enactor(const struct hf_world *world, uint32_t number, uint8_t *ret_bytes)
{
    struct hf_world_enactor enactor = world->enactors[number];
    struct hf_world_coder coder = {.out = ret_bytes};
    hf_code_enactor(&coder, world, &enactor);
    return (size_t)(coder.out - ret_bytes);
}

size_t hf_world_encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes)
{
    const struct hf_world *world = state;
    struct parts parts;
    (void)model;
    size_t rest = hf_world_encode_rest(world, ret_bytes);
    struct hf_world_coder coder = {.out = ret_bytes + rest};
    parts.count = 0;
    for (uint32_t i = 0; i < world->shape.enactors; i++) {
        uint8_t *at = parts.octets[parts.count];
        struct hf_world_coder end = {.out = at + hf_world_encode_enactor(world, i, at)};
        add_part(&parts, &end);
    }
    put_parts(&coder, &parts);
    size_t size = (size_t)(coder.out - ret_bytes);
    assert(size <= hf_world_encoded_max(&world->shape));
    return size;
}

void hf_world_decode_init(const struct hf_world_options *options, struct hf_world *world)
{
    memset(world, 0, sizeof *world);
    world->shape = *options;
    world->now_ms = HF_WORLD_NOW_MS;
}

const uint8_t *hf_world_decode_rest(const uint8_t *bytes, struct hf_world *world)
{
    struct hf_world_coder coder = {.in = bytes};
    code_rest(&coder, world);
    uint64_t count = 0;
    hf_code(&coder, &count);
    for (uint32_t i = 0; i < count; i++) {
        hf_code_flight(&coder, world, &world->ghosts[i]);
    }
    return coder.in;
}

const uint8_t *hf_world_decode_enactor(const uint8_t *bytes, struct hf_world *world,
                                       uint32_t number)
{
    struct hf_world_coder coder = {.in = bytes};
    hf_code_enactor(&coder, world, &world->enactors[number]);
    return coder.in;
}

void hf_world_decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state)
{
    const struct hf_world_options *options = model->options;
    struct hf_world *world = state;
    hf_world_decode_init(options, world);
    const uint8_t *at = hf_world_decode_rest(bytes, world);
    for (uint32_t i = 0; i < options->enactors; i++) {
        at = hf_world_decode_enactor(at, world, i);
    }
    assert((size_t)(at - bytes) == size);
}
