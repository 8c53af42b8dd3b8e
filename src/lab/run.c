/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/run.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

static size_t up_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

size_t hf_run_layout(const struct hf_model *model)
{
    return 2 * up_to_8(model->state_size) + up_to_8(model->encoded_max);
}

void hf_run_init(struct hf_run *run, const struct hf_model *model, void *memory)
{
    unsigned char *at = memory;
    memset(run, 0, sizeof(*run));
    run->model = model;
    run->state = (uint64_t *)at;
    run->before = (uint64_t *)(at + up_to_8(model->state_size));
    run->encoded = at + 2 * up_to_8(model->state_size);
}

/* Spreads neighbouring seeds far apart (the finaliser of MurmurHash3, by Stafford). */
static uint64_t mix(uint64_t seed)
{
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

/* 0 stays 0: no chance. */
static uint64_t generator(uint64_t seed, uint64_t which)
{
    return seed == 0 ? 0 : mix(seed + which * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

enum { OF_STEPS = 1, OF_HEALING = 2 };

void hf_run_begin(struct hf_run *run, uint64_t seed, bool keeps_hash)
{
    run->choice = (struct hf_choice){.random = generator(seed, OF_STEPS)};
    run->seed = seed;
    run->hash = 0;
    run->steps = 0;
    run->keeps_hash = keeps_hash;
    run->end = HF_RUN_GOING;
    run->why[0] = 0;
    run->model->init(run->model, run->state, seed);
    memcpy(run->before, run->state, run->model->state_size);
}

static enum hf_run_end ended(struct hf_run *run, enum hf_run_end end, const char *why)
{
    size_t size = strlen(why);
    size = size < sizeof(run->why) ? size : sizeof(run->why) - 1;
    memcpy(run->why, why, size);
    run->why[size] = 0;
    run->end = (uint8_t)end;
    return end;
}

static void keep_hash(struct hf_run *run)
{
    const struct hf_choice *choice = &run->choice;
    size_t size = run->model->encode(run->model, run->state, run->encoded);
    run->hash = XXH3_64bits_withSeed(run->encoded, size, run->hash);
    run->hash =
        XXH3_64bits_withSeed(choice->given, choice->count * sizeof(choice->given[0]), run->hash);
}

/* The state as it was before the step that led nowhere. */
static void undo(struct hf_run *run)
{
    const struct hf_model *model = run->model;
    if (model->restore != NULL) {
        model->restore(model, run->before, run->state);
    } else {
        memcpy(run->state, run->before, model->state_size);
    }
}

/* The choices that stand in choice are taken or drawn. */
static enum hf_step take(struct hf_run *run)
{
    const struct hf_model *model = run->model;
    enum hf_step step = model->step(model, run->state, &run->choice);
    if (step == HF_STEP_DISABLED) {
        undo(run);
        return step;
    }
    run->steps++;
    if (run->keeps_hash) {
        keep_hash(run);
    }
    if (step == HF_STEP_BROKEN) {
        (void)ended(run, HF_RUN_BROKEN, model->why(model, run->state));
    }
    return step;
}

/* The first of all schedules that leads somewhere is taken; false: none does. */
static bool take_any(struct hf_run *run)
{
    uint64_t random = run->choice.random;
    run->choice.random = 0;
    hf_choice_begin(&run->choice, 0);
    bool there = false, more = true;
    for (uint32_t i = 0; i < HF_RUN_TRIES_MAX && more && !there; i++) {
        there = take(run) != HF_STEP_DISABLED;
        more = there || hf_choice_next(&run->choice);
    }
    run->choice.random = random;
    return there;
}

static bool is_final(const struct hf_run *run)
{
    return run->model->is_final == NULL || run->model->is_final(run->model, run->state);
}

enum hf_run_end hf_run_draw(struct hf_run *run)
{
    assert(run->end == HF_RUN_GOING);
    if (!run->model->is_always_enabled) {
        memcpy(run->before, run->state, run->model->state_size);
    }
    for (uint32_t i = 0; i < HF_RUN_DRAWS_MAX; i++) {
        hf_choice_begin(&run->choice, 0);
        if (take(run) != HF_STEP_DISABLED) {
            return (enum hf_run_end)run->end;
        }
        assert(!run->model->is_always_enabled);
        if (run->choice.random == 0) {
            break; /* the same again */
        }
    }
    if (take_any(run)) {
        return (enum hf_run_end)run->end;
    }
    return is_final(run) ? ended(run, HF_RUN_STILL, "")
                         : ended(run, HF_RUN_WEDGE, "nothing can happen");
}

bool hf_run_take(struct hf_run *run, const struct hf_schedule *schedule)
{
    assert(run->end == HF_RUN_GOING);
    memcpy(run->before, run->state, run->model->state_size);
    run->choice.random = 0;
    hf_choice_begin_with(&run->choice, schedule);
    return take(run) != HF_STEP_DISABLED;
}

bool hf_run_is_wedged(struct hf_run *run)
{
    assert(run->end == HF_RUN_GOING);
    if (is_final(run)) {
        return false;
    }
    uint32_t steps = run->steps;
    uint64_t hash = run->hash;
    memcpy(run->before, run->state, run->model->state_size);
    if (take_any(run)) {
        undo(run);
        run->steps = steps;
        run->hash = hash;
        run->end = HF_RUN_GOING;
        return false;
    }
    (void)ended(run, HF_RUN_WEDGE, "nothing can happen");
    return true;
}

enum hf_run_end hf_run_heal(struct hf_run *run)
{
    const struct hf_model *model = run->model;
    assert(run->end == HF_RUN_GOING || run->end == HF_RUN_STILL);
    if (model->heal == NULL) {
        return ended(run, HF_RUN_HEALED, "");
    }
    run->choice = (struct hf_choice){.random = generator(run->seed, OF_HEALING)};
    enum hf_step step = model->heal(model, run->state, &run->choice);
    if (run->keeps_hash) {
        keep_hash(run);
    }
    return step == HF_STEP_TAKEN ? ended(run, HF_RUN_HEALED, "")
                                 : ended(run, HF_RUN_RESTLESS, model->why(model, run->state));
}

bool hf_run_failed(enum hf_run_end end)
{
    return end == HF_RUN_BROKEN || end == HF_RUN_WEDGE || end == HF_RUN_RESTLESS;
}

size_t hf_run_word(const char *why)
{
    size_t size = strcspn(why, " ");
    while (size > 0 && (why[size - 1] == ':' || why[size - 1] == ',')) {
        size--;
    }
    return size;
}
