/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/compare.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "lab/explore.h"

enum { ROWS_MAX = 60, TEXT_MAX = 1000, STATES_EACH = 10000, RING_OCTETS_EACH = 32 };

const struct hf_compare_options hf_compare_usual = {
    .enactors = 3, .endpoints = 2, .plans = 5, .age = 2, .states_max = 1000000};

/* What is under way; lies in the memory that the caller gives, before that of the searches. */
struct compare {
    struct hf_compare_result *result;
    struct hf_cloud cloud; /* as far as the timeline goes */
    struct hf_cloud_options cloud_options;
    struct hf_fenced fenced;
    struct hf_explore explore;
    struct hf_schedule steps[ROWS_MAX];
    struct hf_buf text;
    uint32_t rows;
    void *memory;
};

static struct hf_explore_options bounds_of(const struct hf_compare_options *options)
{
    return (struct hf_explore_options){.states_max = options->states_max,
                                       .ring_size = (size_t)options->states_max * RING_OCTETS_EACH +
                                                    TEXT_MAX};
}

static struct hf_cloud_options cloud_options_of(const struct hf_compare_options *options)
{
    return (struct hf_cloud_options){.enactors = options->enactors,
                                     .endpoints = options->endpoints,
                                     .plans = options->plans,
                                     .age = options->age};
}

static size_t compare_size(void)
{
    return (sizeof(struct compare) + 7) & ~(size_t)7;
}

size_t hf_compare_layout(const struct hf_compare_options *options)
{
    struct hf_cloud_options cloud_options = cloud_options_of(options);
    struct hf_explore_options bounds = bounds_of(options);
    struct hf_model model;
    hf_cloud_model(&model, &cloud_options);
    return compare_size() + hf_explore_layout(&model, &bounds);
}

/* A row: what happened in the cloud, and its counterpart. */
static void add_row(struct compare *compare, const struct hf_cloud_event *event)
{
    bool bad = event->what == HF_CLOUD_FAILED || event->emptied != 0 ||
               (event->what == HF_CLOUD_INSTALLED && event->plan < event->other);
    struct hf_timeline_line line = {.row = (uint8_t)compare->rows,
                                    .lane = event->actor,
                                    .kind = bad ? HF_TIMELINE_DANGER : HF_TIMELINE_NORMAL};
    for (uint32_t e = 0; e < compare->cloud_options.endpoints; e++) {
        line.answers[e] = (uint8_t)hf_cloud_answer(&compare->cloud, e);
    }
    hf_cloud_tell(event, &compare->text);
    hf_timeline_add(&compare->result->cloud, &line, &compare->text);
    hf_buf_clear(&compare->text);
    hf_fenced_happen(&compare->fenced, event, compare->rows);
    compare->rows++;
}

/* Goes on from where the cloud is now to the nearest state of that goal. */
static int search(struct compare *compare, enum hf_cloud_goal goal, uint32_t *ret_states)
{
    struct hf_cloud_from from = {.options = compare->cloud_options, .start = compare->cloud};
    struct hf_explore_options bounds = bounds_of(&compare->result->options);
    struct hf_explore *explore = &compare->explore;
    struct hf_model model;
    uint32_t count;
    from.options.goal = goal;
    hf_cloud_model_from(&model, &from);
    hf_explore_init(explore, &model, &bounds, compare->memory);
    while (hf_explore_run(explore, STATES_EACH) == HF_EXPLORE_GOING) {
    }
    if (explore->end != HF_EXPLORE_BROKEN) {
        return explore->end == HF_EXPLORE_FULL ? HF_ELIMIT : HF_ENOENT;
    }
    int error = hf_explore_path(explore, compare->steps, ROWS_MAX - compare->rows, &count);
    if (error != HF_OK) {
        return error;
    }
    *ret_states = explore->states;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_choice choice = {0};
        struct hf_cloud before = compare->cloud;
        struct hf_cloud_event event;
        hf_choice_begin_with(&choice, &compare->steps[i]);
        (void)model.step(&model, &compare->cloud, &choice);
        hf_cloud_look(&model, &before, &choice, &event);
        add_row(compare, &event);
    }
    return HF_OK;
}

/* Nothing that Holdfast answered was ever empty or older than what it answered before. */
static bool only_rises(const struct hf_timeline *timeline, uint32_t endpoints)
{
    uint8_t highest[HF_TIMELINE_ENDPOINTS_MAX] = {1, 1, 1, 1};
    for (uint32_t i = 0; i < timeline->count; i++) {
        for (uint32_t e = 0; e < endpoints; e++) {
            uint8_t answer = timeline->lines[i].answers[e];
            if (answer < highest[e]) {
                return false;
            }
            highest[e] = answer;
        }
    }
    return true;
}

static int run(struct compare *compare)
{
    struct hf_compare_result *result = compare->result;
    struct hf_cloud_event event;
    int error = search(compare, HF_CLOUD_GOAL_EMPTY, &result->outage_states);
    if (error != HF_OK) {
        return error;
    }
    result->outage_rows = compare->rows;
    compare->cloud_options.plans = compare->cloud.published + 1U;
    if (compare->cloud_options.plans > HF_CLOUD_PLANS_MAX || compare->rows + 1 >= ROWS_MAX) {
        return HF_ELIMIT;
    }
    (void)hf_cloud_move(&compare->cloud_options, &compare->cloud, 0, &event);
    add_row(compare, &event);
    error = search(compare, HF_CLOUD_GOAL_WEDGE, &result->wedge_states);
    if (error != HF_OK) {
        return error;
    }
    result->wedge_rows = compare->rows - result->outage_rows;
    hf_fenced_finish(&compare->fenced, compare->rows);
    result->refused = compare->fenced.refused;
    result->in_step = hf_fenced_is_in_step(&compare->fenced) &&
                      only_rises(&result->fenced, result->options.endpoints);
    return HF_OK;
}

int hf_compare_run(const struct hf_compare_options *options, void *memory,
                   struct hf_compare_result *ret_result)
{
    struct compare *compare = memory;
    struct hf_model model;
    memset(compare, 0, sizeof(*compare));
    memset(ret_result, 0, sizeof(*ret_result));
    ret_result->options = *options;
    compare->result = ret_result;
    compare->memory = (unsigned char *)memory + compare_size();
    compare->cloud_options = cloud_options_of(options);
    hf_cloud_model(&model, &compare->cloud_options);
    model.init(&model, &compare->cloud, 0);
    hf_buf_init(&compare->text, TEXT_MAX);
    hf_fenced_init(&compare->fenced, options->enactors, options->endpoints, &ret_result->fenced,
                   &compare->text);
    compare->fenced.careless = options->careless != 0;
    int error = run(compare);
    hf_buf_release(&compare->text);
    return error;
}
