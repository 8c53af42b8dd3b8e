/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/cloud.h"

#include <assert.h>
#include <string.h>

static void init(const struct hf_model *model, void *state, uint64_t seed)
{
    const struct hf_cloud_options *options = model->options;
    struct hf_cloud *cloud = state;
    (void)seed;
    memset(cloud, 0, sizeof(*cloud));
    cloud->published = 1;
    for (uint32_t e = 0; e < options->endpoints; e++) {
        cloud->alias[e] = 1;
        cloud->trees[e] = 1U << 1;
    }
}

/*
 * Every enactor has failed at a rollback record, and the tree that one of them needs will not come
 * back: only who has that very plan in hand could install it, and enactors take none but the
 * latest.
 */
static bool is_wedged(const struct hf_cloud_options *options, const struct hf_cloud *cloud)
{
    for (uint32_t i = 0; i < options->enactors; i++) {
        if (!cloud->enactors[i].failed) {
            return false;
        }
    }
    for (uint32_t e = 0; e < options->endpoints; e++) {
        bool lost = hf_cloud_answer(cloud, e) == 0 && cloud->published != cloud->alias[e];
        for (uint32_t i = 0; i < options->enactors; i++) {
            lost = lost && cloud->enactors[i].plan != cloud->alias[e];
        }
        if (lost) {
            return true;
        }
    }
    return false;
}

static uint32_t first_empty(const struct hf_cloud_options *options, const struct hf_cloud *cloud)
{
    uint32_t e = 0;
    while (e < options->endpoints && hf_cloud_answer(cloud, e) != 0) {
        e++;
    }
    return e;
}

/* The enactors come first: of several shortest timelines, that is the one that reads best. */
static uint32_t actor_of(const struct hf_cloud_options *options, uint32_t chosen)
{
    return chosen < options->enactors ? chosen + 1 : 0;
}

static enum hf_step step(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    const struct hf_cloud_options *options = model->options;
    struct hf_cloud *cloud = state;
    struct hf_cloud_event event;
    uint32_t actor = actor_of(options, hf_choose(choice, 1 + options->enactors));
    if (!hf_cloud_move(options, cloud, actor, &event)) {
        return HF_STEP_DISABLED;
    }
    bool broken = options->goal == HF_CLOUD_GOAL_WEDGE
                      ? is_wedged(options, cloud)
                      : options->goal == HF_CLOUD_GOAL_EMPTY &&
                            first_empty(options, cloud) < options->endpoints;
    return broken ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

/* Who failed matters to one goal only. */
static bool keeps_failed(const struct hf_model *model)
{
    const struct hf_cloud_options *options = model->options;
    return options->goal == HF_CLOUD_GOAL_WEDGE;
}

static size_t encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes)
{
    const struct hf_cloud_options *options = model->options;
    const struct hf_cloud *cloud = state;
    size_t size = 0;
    ret_bytes[size++] = cloud->published;
    for (uint32_t e = 0; e < options->endpoints; e++) {
        ret_bytes[size++] = (uint8_t)(cloud->trees[e] >> 8);
        ret_bytes[size++] = (uint8_t)cloud->trees[e];
        ret_bytes[size++] = cloud->alias[e];
    }
    for (uint32_t i = 0; i < options->enactors; i++) {
        const struct hf_cloud_enactor *enactor = &cloud->enactors[i];
        bool failed = enactor->failed && keeps_failed(model);
        ret_bytes[size++] =
            (uint8_t)(enactor->plan << 4 | enactor->at << 2 | enactor->knows_lock << 1 | failed);
        ret_bytes[size++] = enactor->endpoint;
    }
    return size;
}

static void decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state)
{
    const struct hf_cloud_options *options = model->options;
    struct hf_cloud *cloud = state;
    (void)size;
    memset(cloud, 0, sizeof(*cloud));
    cloud->published = *bytes++;
    for (uint32_t e = 0; e < options->endpoints; e++, bytes += 3) {
        cloud->trees[e] = (uint16_t)(bytes[0] << 8 | bytes[1]);
        cloud->alias[e] = bytes[2];
    }
    for (uint32_t i = 0; i < options->enactors; i++, bytes += 2) {
        cloud->enactors[i] = (struct hf_cloud_enactor){.at = bytes[0] >> 2 & 3,
                                                       .plan = bytes[0] >> 4,
                                                       .endpoint = bytes[1],
                                                       .knows_lock = (bytes[0] & 2) != 0,
                                                       .failed = (bytes[0] & 1) != 0};
    }
}

static const char *why(const struct hf_model *model, const void *state)
{
    static const char *const empty[HF_CLOUD_ENDPOINTS_MAX] = {
        "empty: api answers nothing, its alias points to a plan that was deleted",
        "empty: db answers nothing, its alias points to a plan that was deleted",
        "empty: www answers nothing, its alias points to a plan that was deleted",
        "empty: mail answers nothing, its alias points to a plan that was deleted",
    };
    const struct hf_cloud_options *options = model->options;
    if (options->goal == HF_CLOUD_GOAL_WEDGE) {
        return "wedge: no enactor can install anything any more, whatever is planned";
    }
    return empty[first_empty(options, state)];
}

void hf_cloud_look(const struct hf_model *model, const struct hf_cloud *before,
                   const struct hf_choice *choice, struct hf_cloud_event *ret_event)
{
    struct hf_cloud cloud = *before;
    (void)hf_cloud_move(model->options, &cloud, actor_of(model->options, choice->given[0]),
                        ret_event);
}

static void tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                 const void *after, struct hf_buf *ret_line)
{
    struct hf_cloud_event event;
    (void)after;
    hf_cloud_look(model, before, choice, &event);
    hf_cloud_tell(&event, ret_line);
}

void hf_cloud_model(struct hf_model *ret_model, const struct hf_cloud_options *options)
{
    assert(options->enactors >= 1 && options->enactors <= HF_CLOUD_ENACTORS_MAX);
    assert(options->endpoints >= 1 && options->endpoints <= HF_CLOUD_ENDPOINTS_MAX);
    assert(options->plans >= 1 && options->plans <= HF_CLOUD_PLANS_MAX && options->age >= 1);
    *ret_model =
        (struct hf_model){.name = "cloud",
                          .options = options,
                          .state_size = sizeof(struct hf_cloud),
                          .encoded_max = 1 + 3 * HF_CLOUD_ENDPOINTS_MAX + 2 * HF_CLOUD_ENACTORS_MAX,
                          .init = init,
                          .step = step,
                          .encode = encode,
                          .decode = decode,
                          .why = why,
                          .tell = tell};
}

static void init_from(const struct hf_model *model, void *state, uint64_t seed)
{
    const struct hf_cloud_from *from = model->options; /* its options come first */
    struct hf_cloud *cloud = state;
    (void)seed;
    *cloud = from->start;
}

void hf_cloud_model_from(struct hf_model *ret_model, const struct hf_cloud_from *from)
{
    static_assert(offsetof(struct hf_cloud_from, options) == 0, "what else reads model->options");
    hf_cloud_model(ret_model, &from->options);
    ret_model->init = init_from;
}
