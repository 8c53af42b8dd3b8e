/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/explore.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL /* most states are short: calling would cost as much as hashing */
#include <xxhash.h>

#include "base/error.h"
#include "lab/explore_table.h"

enum {
    SIZE_SIZE = 2,
    STATE_SIZE = sizeof(uint32_t) + sizeof(uint16_t), /* beside its fingerprint */
    SCHEDULES_MAX = UINT16_MAX,
    ENCODED_SIZE = 32 * 1024, /* of a batch, so that it stays in the cache */
    RING_FIRST = 64 * 1024,
};

static size_t up_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Room for a batch, as far as it is short, and for two states at least. */
static size_t encoded_room(const struct hf_model *model)
{
    size_t batch = HF_EXPLORE_BATCH * model->encoded_max;
    size_t least = 2 * model->encoded_max;
    batch = batch < ENCODED_SIZE ? batch : ENCODED_SIZE;
    return batch > least ? batch : least;
}

/* What does not grow. */
static size_t fixed_size(const struct hf_model *model)
{
    return 3 * up_to_8(model->state_size) + up_to_8(encoded_room(model));
}

size_t hf_explore_layout(const struct hf_model *model, const struct hf_explore_options *options)
{
    size_t states = (size_t)options->states_max;
    return fixed_size(model) + hf_explore_table_places(options->states_max) * sizeof(uint64_t) +
           up_to_8(states * sizeof(uint32_t)) + up_to_8(states * sizeof(uint16_t)) +
           up_to_8(options->ring_size);
}

static void lay_out(struct hf_explore *explore, void *memory)
{
    const struct hf_model *model = explore->model;
    size_t states = (size_t)explore->options.states_max;
    size_t state_size = up_to_8(model->state_size);
    unsigned char *at = memory;
    explore->base = (uint64_t *)at;
    explore->work = (uint64_t *)(at + state_size);
    explore->real = (uint64_t *)(at + 2 * state_size);
    at += 3 * state_size;
    explore->encoded = at;
    at += up_to_8(encoded_room(model));
    explore->seen = (uint64_t *)at;
    at += hf_explore_table_places(explore->options.states_max) * sizeof(uint64_t);
    explore->parents = (uint32_t *)at;
    at += up_to_8(states * sizeof(uint32_t));
    explore->schedule = (uint16_t *)at;
    at += up_to_8(states * sizeof(uint16_t));
    explore->ring = at;
}

size_t hf_explore_stored(const struct hf_explore *explore)
{
    return hf_explore_table_size(explore) + (size_t)explore->states * STATE_SIZE;
}

size_t hf_explore_memory(const struct hf_explore *explore)
{
    return fixed_size(explore->model) + hf_explore_stored(explore) + explore->ring_room;
}

/* Octets that may still be touched. */
static size_t memory_left(const struct hf_explore *explore)
{
    size_t most = explore->options.memory_max, now = hf_explore_memory(explore);
    return most == 0 ? SIZE_MAX / 2 : most > now ? most - now : 0;
}

static bool is_wrapped(const struct hf_explore *explore)
{
    return explore->ring_used > 0 && explore->ring_head >= explore->ring_tail;
}

/* Twice the room, or what there is; what lies at the end goes to the new end. */
static bool grow_ring(struct hf_explore *explore)
{
    size_t old = explore->ring_room, left = memory_left(explore);
    size_t kept = HF_EXPLORE_BATCH * STATE_SIZE; /* for the states of a batch */
    left = left > kept ? left - kept : 0;
    size_t room = old < left ? 2 * old : old + left;
    room = room < explore->options.ring_size ? room : explore->options.ring_size;
    if (room - old <= explore->model->encoded_max + 2 * SIZE_SIZE) {
        return false;
    }
    if (is_wrapped(explore)) {
        size_t moved = old - explore->ring_head;
        memmove(explore->ring + room - moved, explore->ring + explore->ring_head, moved);
        explore->ring_head = room - moved;
    }
    explore->ring_room = room;
    return true;
}

/* A state goes into the ring in one piece. */
static bool push(struct hf_explore *explore, const uint8_t *bytes, size_t size)
{
    size_t need = SIZE_SIZE + size, skipped = 0;
    for (;;) {
        size_t to_end = explore->ring_room - explore->ring_tail;
        skipped = need + SIZE_SIZE > to_end ? to_end : 0;
        if (explore->ring_used + skipped + need <= explore->ring_room) {
            break;
        }
        if (!grow_ring(explore)) {
            return false;
        }
    }
    if (skipped != 0) {
        memset(explore->ring + explore->ring_tail, 0, SIZE_SIZE);
        explore->ring_tail = 0;
    }
    uint8_t *at = explore->ring + explore->ring_tail;
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
    memcpy(at + SIZE_SIZE, bytes, size);
    explore->ring_tail += need;
    explore->ring_used += skipped + need;
    if (explore->ring_used > explore->ring_high) {
        explore->ring_high = explore->ring_used;
    }
    return true;
}

static void pop(struct hf_explore *explore, void *ret_state)
{
    const uint8_t *at = explore->ring + explore->ring_head;
    size_t size = (size_t)at[0] << 8 | at[1];
    if (size == 0) {
        explore->ring_used -= explore->ring_room - explore->ring_head;
        explore->ring_head = 0;
        at = explore->ring;
        size = (size_t)at[0] << 8 | at[1];
    }
    explore->model->decode(explore->model, at + SIZE_SIZE, size, ret_state);
    explore->ring_head += SIZE_SIZE + size;
    explore->ring_used -= SIZE_SIZE + size;
}

static enum hf_explore_end ended(struct hf_explore *explore, enum hf_explore_end end,
                                 uint32_t parent, uint32_t schedule, const char *why)
{
    explore->end = (uint8_t)end;
    explore->last_parent = parent;
    explore->last_schedule = (uint16_t)schedule;
    size_t size = strlen(why) < sizeof(explore->why) ? strlen(why) : sizeof(explore->why) - 1;
    memcpy(explore->why, why, size);
    explore->why[size] = 0;
    return end;
}

static bool full(struct hf_explore *explore, const struct hf_explore_pending *pending,
                 const char *why)
{
    (void)ended(explore, HF_EXPLORE_FULL, pending->parent, pending->schedule, why);
    return false;
}

/* Keeps a state that is new. */
static bool keep(struct hf_explore *explore, const struct hf_explore_pending *pending,
                 const uint8_t *bytes)
{
    if (explore->states == explore->options.states_max) {
        return full(explore, pending, "as many states as allowed");
    }
    if (!push(explore, bytes, pending->size)) {
        bool by_ring = explore->ring_room == explore->options.ring_size;
        return full(explore, pending, by_ring ? "no room for states that wait" : "no memory left");
    }
    explore->parents[explore->states] = pending->parent;
    explore->schedule[explore->states] = pending->schedule;
    explore->states++;
    return true;
}

/* Finds out which of the pending states are new, in the order in which they were reached. */
static bool settle(struct hf_explore *explore)
{
    const uint8_t *bytes = explore->encoded;
    uint32_t count = explore->pending_count;
    explore->pending_count = 0;
    explore->encoded_size = 0;
    bool is_short = hf_explore_table_is_short(explore, count);
    size_t more = count * STATE_SIZE;
    more += is_short ? hf_explore_table_next_size(explore) - hf_explore_table_size(explore) : 0;
    if (count > 0 && more > memory_left(explore)) {
        return full(explore, &explore->pending[0], "no memory left");
    }
    if (is_short) {
        hf_explore_table_grow(explore);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct hf_explore_pending *pending = &explore->pending[i];
        if (hf_explore_table_insert(explore, pending->fingerprint) &&
            !keep(explore, pending, bytes)) {
            return false;
        }
        bytes += pending->size;
    }
    return true;
}

/* The state in work, reached from a parent. False when a bound was reached. */
static bool add(struct hf_explore *explore, uint32_t parent, uint32_t schedule)
{
    const struct hf_model *model = explore->model;
    uint8_t *bytes = explore->encoded + explore->encoded_size;
    size_t size = model->encode(model, explore->work, bytes);
    assert(size >= 1 && size <= model->encoded_max && size <= UINT16_MAX);
    uint64_t fingerprint = XXH3_64bits(bytes, size);
    fingerprint += fingerprint == 0;
    __builtin_prefetch(hf_explore_table_home(explore, fingerprint), 1);
    explore->pending[explore->pending_count++] =
        (struct hf_explore_pending){.fingerprint = fingerprint,
                                    .parent = parent,
                                    .schedule = (uint16_t)schedule,
                                    .size = (uint16_t)size};
    explore->encoded_size += size;
    bool is_full = explore->pending_count == HF_EXPLORE_BATCH ||
                   explore->encoded_size + model->encoded_max > encoded_room(model);
    return !is_full || settle(explore);
}

void hf_explore_init(struct hf_explore *explore, const struct hf_model *model,
                     const struct hf_explore_options *options, void *memory)
{
    assert(options->states_max >= 1 && options->states_max <= HF_EXPLORE_STATES_MAX);
    assert(options->ring_size >= 2 * (model->encoded_max + 2 * SIZE_SIZE));
    memset(explore, 0, sizeof(*explore));
    explore->model = model;
    explore->options = *options;
    size_t least = 2 * (model->encoded_max + 2 * SIZE_SIZE);
    explore->ring_room = least > RING_FIRST ? least : RING_FIRST;
    if (explore->ring_room > options->ring_size) {
        explore->ring_room = options->ring_size;
    }
    lay_out(explore, memory);
    hf_explore_table_init(explore);
    model->init(model, explore->work, 0);
    if (add(explore, 0, 0)) {
        (void)settle(explore);
    }
    explore->layer_end = 1;
}

/* Faults stop here: the world must come to rest. */
static enum hf_explore_end heal(struct hf_explore *explore, uint32_t parent)
{
    const struct hf_model *model = explore->model;
    struct hf_choice choice = {0};
    memcpy(explore->work, explore->base, model->state_size);
    if (model->heal(model, explore->work, &choice) == HF_STEP_TAKEN) {
        explore->healed++;
        return HF_EXPLORE_GOING;
    }
    return ended(explore, HF_EXPLORE_RESTLESS, parent, SCHEDULES_MAX,
                 model->why(model, explore->work));
}

static void put_back(const struct hf_explore *explore)
{
    const struct hf_model *model = explore->model;
    if (model->restore != NULL) {
        model->restore(model, explore->base, explore->work);
    } else {
        memcpy(explore->work, explore->base, model->state_size);
    }
}

/* All steps of the state in base. */
static enum hf_explore_end expand(struct hf_explore *explore, uint32_t parent)
{
    const struct hf_model *model = explore->model;
    struct hf_choice choice;
    choice.random = 0;
    uint32_t taken = 0, schedule = 0;
    hf_choice_begin(&choice, 0);
    memcpy(explore->work, explore->base, model->state_size);
    for (bool more = true; more; schedule++) {
        enum hf_step step = model->step(model, explore->work, &choice);
        assert(schedule < SCHEDULES_MAX);
        if (step == HF_STEP_BROKEN) {
            return ended(explore, HF_EXPLORE_BROKEN, parent, schedule,
                         model->why(model, explore->work));
        }
        if (step == HF_STEP_TAKEN) {
            taken++;
            explore->transitions++;
            if (!add(explore, parent, schedule)) {
                return HF_EXPLORE_FULL;
            }
        }
        more = hf_choice_next(&choice);
        if (more) {
            put_back(explore);
        }
    }
    explore->finals += taken == 0;
    if (taken == 0 && model->is_final != NULL && !model->is_final(model, explore->base)) {
        return ended(explore, HF_EXPLORE_WEDGE, parent, SCHEDULES_MAX, "nothing can happen");
    }
    return HF_EXPLORE_GOING;
}

enum hf_explore_end hf_explore_run(struct hf_explore *explore, uint32_t states)
{
    for (; states > 0 && explore->end == HF_EXPLORE_GOING; states--) {
        bool is_layer_done = explore->expanded == explore->layer_end;
        if ((is_layer_done || explore->expanded == explore->states) && !settle(explore)) {
            break;
        }
        if (explore->expanded == explore->states) {
            explore->end = HF_EXPLORE_COMPLETE;
            break;
        }
        uint32_t number = explore->expanded++;
        if (is_layer_done) {
            explore->depth++;
            explore->layer_end = explore->states;
        }
        pop(explore, explore->base);
        uint32_t each = explore->options.heal_each;
        bool sampled = explore->model->heal != NULL && each != 0 && number % each == 0;
        if (sampled && heal(explore, number) != HF_EXPLORE_GOING) {
            break;
        }
        (void)expand(explore, number);
    }
    return (enum hf_explore_end)explore->end;
}

/* Takes the step with that number of the schedules of the state in base. */
static enum hf_step take_numbered(const struct hf_explore *explore, uint32_t schedule)
{
    const struct hf_model *model = explore->model;
    struct hf_choice choice = {0};
    hf_choice_begin(&choice, 0);
    memcpy(explore->work, explore->base, model->state_size);
    for (uint32_t i = 0;; i++) {
        enum hf_step step = model->step(model, explore->work, &choice);
        if (i == schedule) {
            return step;
        }
        bool more = hf_choice_next(&choice);
        assert(more);
        memcpy(explore->work, explore->base, model->state_size);
    }
}

/* The step of the state in real that does what one did in canonical form: it leads to the octets
 * that are the first in encoded, or breaks an invariant as well. */
static int take_alike(const struct hf_explore *explore, enum hf_step wanted, size_t size,
                      struct hf_schedule *ret_schedule)
{
    const struct hf_model *model = explore->model;
    uint8_t *found = explore->encoded + model->encoded_max;
    struct hf_choice choice = {0};
    hf_choice_begin(&choice, 0);
    do {
        memcpy(explore->work, explore->real, model->state_size);
        enum hf_step step = model->step(model, explore->work, &choice);
        if (step == wanted &&
            (step == HF_STEP_BROKEN || (model->encode(model, explore->work, found) == size &&
                                        memcmp(explore->encoded, found, size) == 0))) {
            memcpy(explore->real, explore->work, model->state_size);
            hf_choice_keep(&choice, ret_schedule);
            return HF_OK;
        }
    } while (hf_choice_next(&choice));
    return HF_ECORRUPT;
}

static uint32_t path_length(const struct hf_explore *explore)
{
    uint32_t count = explore->end == HF_EXPLORE_BROKEN;
    for (uint32_t at = explore->last_parent; at != 0; at = explore->parents[at]) {
        count++;
    }
    return count;
}

bool hf_explore_found(const struct hf_explore *explore)
{
    return explore->end == HF_EXPLORE_BROKEN || explore->end == HF_EXPLORE_WEDGE ||
           explore->end == HF_EXPLORE_RESTLESS;
}

int hf_explore_path(const struct hf_explore *explore, struct hf_schedule *ret_steps, uint32_t room,
                    uint32_t *ret_count)
{
    const struct hf_model *model = explore->model;
    bool last_step = explore->end == HF_EXPLORE_BROKEN;
    if (!hf_explore_found(explore)) {
        return HF_ENOENT;
    }
    uint32_t count = path_length(explore), place = count;
    if (count > room) {
        return HF_ELIMIT;
    }
    /* The numbers of the schedules stand where the steps will; then the steps are taken. */
    if (last_step) {
        ret_steps[--place].count = explore->last_schedule;
    }
    for (uint32_t at = explore->last_parent; at != 0; at = explore->parents[at]) {
        ret_steps[--place].count = explore->schedule[at];
    }
    model->init(model, explore->real, 0);
    size_t size = model->encode(model, explore->real, explore->encoded);
    for (uint32_t i = 0; i < count; i++) {
        model->decode(model, explore->encoded, size, explore->base);
        enum hf_step step = take_numbered(explore, ret_steps[i].count);
        if (step == HF_STEP_TAKEN) {
            size = model->encode(model, explore->work, explore->encoded);
        }
        int error = take_alike(explore, step, size, &ret_steps[i]);
        if (error != HF_OK) {
            return error;
        }
    }
    *ret_count = count;
    return HF_OK;
}

double hf_explore_missed(const struct hf_explore *explore)
{
    double states = explore->states;
    return states * states / 36893488147419103232.0; /* 2 to the 65th */
}
