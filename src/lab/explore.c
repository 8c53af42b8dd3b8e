/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/explore.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

enum { SIZE_SIZE = 2, SCHEDULES_MAX = UINT16_MAX };

static size_t up_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Nine tenths full at most: probes stay short enough. */
static size_t seen_room_of(const struct hf_explore_options *options)
{
    return (size_t)options->states_max + options->states_max / 9 + 2;
}

size_t hf_explore_layout(const struct hf_model *model, const struct hf_explore_options *options)
{
    size_t states = (size_t)options->states_max;
    return 2 * up_to_8(model->state_size) + seen_room_of(options) * sizeof(uint64_t) +
           up_to_8(states * sizeof(uint32_t)) + up_to_8(states * sizeof(uint16_t)) +
           up_to_8(model->encoded_max) + up_to_8(options->ring_size);
}

static void lay_out(struct hf_explore *explore, void *memory)
{
    const struct hf_model *model = explore->model;
    size_t states = (size_t)explore->options.states_max;
    unsigned char *at = memory;
    explore->base = (uint64_t *)at;
    at += up_to_8(model->state_size);
    explore->work = (uint64_t *)at;
    at += up_to_8(model->state_size);
    explore->seen_room = seen_room_of(&explore->options);
    explore->seen = (uint64_t *)at;
    at += explore->seen_room * sizeof(uint64_t);
    explore->parents = (uint32_t *)at;
    at += up_to_8(states * sizeof(uint32_t));
    explore->schedule = (uint16_t *)at;
    at += up_to_8(states * sizeof(uint16_t));
    explore->encoded = at;
    at += up_to_8(model->encoded_max);
    explore->ring = at;
    memset(explore->seen, 0, explore->seen_room * sizeof(uint64_t));
}

/* True when it was not there before. */
static bool insert(struct hf_explore *explore, uint64_t fingerprint)
{
    fingerprint += fingerprint == 0;
    /* In proportion to its upper half: places have 32 bits, as states_max has. */
    size_t at = (size_t)((fingerprint >> 32) * explore->seen_room >> 32);
    while (explore->seen[at] != 0) {
        if (explore->seen[at] == fingerprint) {
            return false;
        }
        at = at + 1 == explore->seen_room ? 0 : at + 1;
    }
    explore->seen[at] = fingerprint;
    return true;
}

/* A state goes into the ring in one piece. */
static bool push(struct hf_explore *explore, size_t size)
{
    size_t need = SIZE_SIZE + size;
    size_t room = explore->options.ring_size;
    size_t to_end = room - explore->ring_tail;
    size_t skipped = need + SIZE_SIZE > to_end ? to_end : 0;
    if (explore->ring_used + skipped + need > room) {
        return false;
    }
    if (skipped != 0) {
        memset(explore->ring + explore->ring_tail, 0, SIZE_SIZE);
        explore->ring_tail = 0;
    }
    uint8_t *at = explore->ring + explore->ring_tail;
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
    memcpy(at + SIZE_SIZE, explore->encoded, size);
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
        explore->ring_used -= explore->options.ring_size - explore->ring_head;
        explore->ring_head = 0;
        at = explore->ring;
        size = (size_t)at[0] << 8 | at[1];
    }
    explore->model->decode(explore->model, at + SIZE_SIZE, size, ret_state);
    explore->ring_head += SIZE_SIZE + size;
    explore->ring_used -= SIZE_SIZE + size;
}

/* The state in work, reached from a parent: kept when it is new. */
static bool add(struct hf_explore *explore, uint32_t parent, uint16_t schedule)
{
    const struct hf_model *model = explore->model;
    size_t size = model->encode(model, explore->work, explore->encoded);
    assert(size >= 1 && size <= model->encoded_max && size <= UINT16_MAX);
    if (!insert(explore, XXH3_64bits(explore->encoded, size))) {
        return true;
    }
    if (explore->states == explore->options.states_max || !push(explore, size)) {
        return false;
    }
    explore->parents[explore->states] = parent;
    explore->schedule[explore->states] = schedule;
    explore->states++;
    return true;
}

void hf_explore_init(struct hf_explore *explore, const struct hf_model *model,
                     const struct hf_explore_options *options, void *memory)
{
    assert(options->states_max >= 1);
    assert(options->ring_size >= 2 * (model->encoded_max + 2 * SIZE_SIZE));
    memset(explore, 0, sizeof(*explore));
    explore->model = model;
    explore->options = *options;
    lay_out(explore, memory);
    model->init(model, explore->work, 0);
    (void)add(explore, 0, 0);
    explore->layer_end = 1;
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

/* Faults stop here: the world must come to rest. */
static enum hf_explore_end heal(struct hf_explore *explore, uint32_t parent)
{
    const struct hf_model *model = explore->model;
    struct hf_choice choice = {0};
    memcpy(explore->work, explore->base, model->state_size);
    if (model->heal(model, explore->work, &choice) == HF_STEP_TAKEN) {
        return HF_EXPLORE_GOING;
    }
    return ended(explore, HF_EXPLORE_RESTLESS, parent, SCHEDULES_MAX,
                 model->why(model, explore->work));
}

/* All steps of the state in base. */
static enum hf_explore_end expand(struct hf_explore *explore, uint32_t parent)
{
    const struct hf_model *model = explore->model;
    struct hf_choice choice = {0};
    uint32_t taken = 0, schedule = 0;
    hf_choice_begin(&choice, 0);
    do {
        memcpy(explore->work, explore->base, model->state_size);
        enum hf_step step = model->step(model, explore->work, &choice);
        assert(schedule < SCHEDULES_MAX);
        if (step == HF_STEP_BROKEN) {
            return ended(explore, HF_EXPLORE_BROKEN, parent, schedule,
                         model->why(model, explore->work));
        }
        if (step == HF_STEP_TAKEN) {
            taken++;
            explore->transitions++;
            if (!add(explore, parent, (uint16_t)schedule)) {
                return ended(explore, HF_EXPLORE_FULL, parent, schedule, "no room for more");
            }
        }
        schedule++;
    } while (hf_choice_next(&choice));
    explore->finals += taken == 0;
    if (taken == 0 && model->is_final != NULL && !model->is_final(model, explore->base)) {
        return ended(explore, HF_EXPLORE_WEDGE, parent, SCHEDULES_MAX, "nothing can happen");
    }
    return HF_EXPLORE_GOING;
}

enum hf_explore_end hf_explore_run(struct hf_explore *explore, uint32_t states)
{
    for (; states > 0 && explore->end == HF_EXPLORE_GOING; states--) {
        if (explore->expanded == explore->states) {
            explore->end = HF_EXPLORE_COMPLETE;
            break;
        }
        uint32_t number = explore->expanded++;
        if (number == explore->layer_end) {
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
    return explore->end;
}

/* Takes the step with that number of a state's schedules; false when there is no such step. */
static bool take_step(const struct hf_explore *explore, void *state, uint32_t schedule,
                      struct hf_choice *ret_choice)
{
    const struct hf_model *model = explore->model;
    *ret_choice = (struct hf_choice){0};
    hf_choice_begin(ret_choice, 0);
    memcpy(explore->work, state, model->state_size);
    for (uint32_t i = 0;; i++) {
        memcpy(state, explore->work, model->state_size);
        (void)model->step(model, state, ret_choice);
        if (i == schedule) {
            ret_choice->given_count = ret_choice->count;
            return true;
        }
        if (!hf_choice_next(ret_choice)) {
            return false;
        }
    }
}

uint32_t hf_explore_path(const struct hf_explore *explore, struct hf_choice *ret_steps,
                         uint32_t room)
{
    const struct hf_model *model = explore->model;
    bool last_step = explore->end == HF_EXPLORE_BROKEN;
    if (!last_step && explore->end != HF_EXPLORE_WEDGE && explore->end != HF_EXPLORE_RESTLESS) {
        return 0;
    }
    uint32_t count = last_step;
    for (uint32_t at = explore->last_parent; at != 0; at = explore->parents[at]) {
        count++;
    }
    if (count > room) {
        return 0;
    }
    /* The numbers of the schedules stand where the steps will; then the steps are taken. */
    uint32_t place = count;
    if (last_step) {
        ret_steps[--place].count = explore->last_schedule;
    }
    for (uint32_t at = explore->last_parent; at != 0; at = explore->parents[at]) {
        ret_steps[--place].count = explore->schedule[at];
    }
    /* Schedules are of canonical states: each is gone through before its step. */
    model->init(model, explore->base, 0);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = model->encode(model, explore->base, explore->encoded);
        model->decode(model, explore->encoded, size, explore->base);
        uint32_t schedule = ret_steps[i].count;
        bool there = take_step(explore, explore->base, schedule, &ret_steps[i]);
        assert(there);
    }
    return count;
}

double hf_explore_missed(const struct hf_explore *explore)
{
    double states = explore->states;
    return states * states / 36893488147419103232.0; /* 2 to the 65th */
}
