/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/shrink.h"

#include <assert.h>
#include <string.h>

size_t hf_shrink_layout(const struct hf_model *model, uint32_t step_count)
{
    size_t steps = step_count * sizeof(struct hf_schedule);
    return hf_run_layout(model) + 2 * ((steps + 7) & ~(size_t)7);
}

static void begin_leaving_out(struct hf_shrink *shrink, uint32_t chunk)
{
    shrink->chunk = chunk > 0 ? chunk : 1;
    shrink->at = 0;
    shrink->has_helped = false;
}

static void begin_lowering(struct hf_shrink *shrink)
{
    shrink->chunk = 0;
    shrink->at = shrink->choice = shrink->attempt = 0;
    shrink->has_helped = false;
}

void hf_shrink_init(struct hf_shrink *shrink, const struct hf_model *model,
                    const struct hf_trace *trace, void *memory)
{
    unsigned char *at = memory;
    size_t steps = trace->step_count * sizeof(struct hf_schedule);
    *shrink = (struct hf_shrink){.trace = trace};
    hf_run_init(&shrink->run, model, at);
    at += hf_run_layout(model);
    shrink->best = (struct hf_schedule *)(void *)at;
    at += (steps + 7) & ~(size_t)7;
    shrink->trial = (struct hf_schedule *)(void *)at;
    shrink->best_count = trace->step_count;
    if (steps > 0) {
        memcpy(shrink->best, trace->steps, steps);
    }
    begin_leaving_out(shrink, trace->step_count);
}

static uint64_t sum_of(const struct hf_schedule *steps, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < steps[i].count; j++) {
            sum += steps[i].given[j];
        }
    }
    return sum;
}

static void take(struct hf_shrink *shrink, const struct hf_schedule *step)
{
    if (shrink->run.end == HF_RUN_GOING && hf_run_take(&shrink->run, step)) {
        hf_choice_keep(&shrink->run.choice, &shrink->trial[shrink->trial_count++]);
    }
}

static bool is_met(struct hf_shrink *shrink)
{
    struct hf_run *run = &shrink->run;
    if (run->end == HF_RUN_GOING && shrink->trace->heals) {
        (void)hf_run_heal(run);
    } else if (run->end == HF_RUN_GOING && shrink->trace->expect == HF_TRACE_WEDGE) {
        (void)hf_run_is_wedged(run);
    }
    return hf_trace_is_met(shrink->trace, (enum hf_run_end)run->end, run->why);
}

/* Keeps what was tried if it fails as it should and is smaller. */
static bool accept(struct hf_shrink *shrink)
{
    shrink->tried++;
    if (!is_met(shrink)) {
        return false;
    }
    bool is_smaller =
        shrink->trial_count < shrink->best_count ||
        (shrink->trial_count == shrink->best_count &&
         sum_of(shrink->trial, shrink->trial_count) < sum_of(shrink->best, shrink->best_count));
    if (!is_smaller) {
        return false;
    }
    struct hf_schedule *best = shrink->best;
    shrink->best = shrink->trial;
    shrink->best_count = shrink->trial_count;
    shrink->trial = best;
    shrink->has_helped = true;
    shrink->accepted++;
    return true;
}

static void begin(struct hf_shrink *shrink)
{
    hf_run_begin(&shrink->run, shrink->trace->seed, false);
    shrink->trial_count = 0;
}

static void leave_out(struct hf_shrink *shrink)
{
    uint32_t count = shrink->best_count, from = shrink->at;
    uint32_t to = shrink->chunk < count - from ? from + shrink->chunk : count;
    begin(shrink);
    for (uint32_t i = 0; i < count; i++) {
        if (i < from || i >= to) {
            take(shrink, &shrink->best[i]);
        }
    }
    if (!accept(shrink)) {
        shrink->at = to;
    }
}

enum { ATTEMPTS = 3 };

/* A smaller value, or the value itself when this attempt has none of its own. */
static uint16_t lower(uint16_t value, uint32_t attempt)
{
    switch (attempt) {
    case 0:
        return 0;
    case 1:
        return value >= 2 ? value / 2 : value;
    default:
        return value >= 4 ? value - 1 : value;
    }
}

/* Moves to the next choice that can be lowered; false after the last. */
static bool find_choice(struct hf_shrink *shrink)
{
    for (; shrink->at < shrink->best_count; shrink->at++, shrink->choice = 0) {
        const struct hf_schedule *step = &shrink->best[shrink->at];
        for (; shrink->choice < step->count; shrink->choice++, shrink->attempt = 0) {
            uint16_t value = step->given[shrink->choice];
            while (shrink->attempt < ATTEMPTS && lower(value, shrink->attempt) == value) {
                shrink->attempt++;
            }
            if (shrink->attempt < ATTEMPTS) {
                return true;
            }
        }
    }
    return false;
}

static void lower_choice(struct hf_shrink *shrink)
{
    begin(shrink);
    for (uint32_t i = 0; i < shrink->best_count; i++) {
        struct hf_schedule step = shrink->best[i];
        if (i == shrink->at) {
            step.given[shrink->choice] = lower(step.given[shrink->choice], shrink->attempt);
        }
        take(shrink, &step);
    }
    shrink->attempt = accept(shrink) ? 0 : shrink->attempt + 1;
}

bool hf_shrink_try(struct hf_shrink *shrink)
{
    while (!shrink->is_done) {
        if (shrink->chunk > 0 && shrink->at < shrink->best_count) {
            leave_out(shrink);
            return true;
        }
        if (shrink->chunk == 0 && find_choice(shrink)) {
            lower_choice(shrink);
            return true;
        }
        if (shrink->chunk > 1) {
            begin_leaving_out(shrink, shrink->chunk / 2);
        } else if (shrink->has_helped) {
            begin_leaving_out(shrink, 1);
        } else if (shrink->chunk == 1) {
            begin_lowering(shrink);
        } else {
            shrink->is_done = true;
        }
    }
    return false;
}

void hf_shrink_result(const struct hf_shrink *shrink, struct hf_trace *ret_trace)
{
    assert(shrink->best_count <= shrink->trace->step_count);
    if (shrink->best_count > 0) {
        memcpy(ret_trace->steps, shrink->best, shrink->best_count * sizeof(shrink->best[0]));
    }
    ret_trace->step_count = shrink->best_count;
}
