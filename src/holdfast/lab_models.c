/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_models.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "lab/cloud.h"
#include "lab/race.h"
#include "lab/two_phase.h"

#define AT(field) offsetof(struct hf_cloud_options, field)
static const struct hf_lab_option cloud_options[] = {
    {"enactors", AT(enactors), 3, 1, HF_CLOUD_ENACTORS_MAX, "Enactors"},
    {"endpoints", AT(endpoints), 2, 1, HF_CLOUD_ENDPOINTS_MAX, "Endpoints"},
    {"plans", AT(plans), 5, 1, HF_CLOUD_PLANS_MAX, "Plans that are ever published"},
    {"age", AT(age), 2, 1, HF_CLOUD_PLANS_MAX, "Clean-up deletes plans so much older than its own"},
    {"goal", AT(goal), 0, 0, HF_CLOUD_GOAL_NONE, "0: an empty endpoint, 1: the wedge, 2: neither"},
    {"fence", AT(fence), 0, 0, 1, "1: freshness is checked inside the transaction, too"},
    {NULL, 0, 0, 0, 0, NULL},
};
#undef AT

static void make_cloud(struct hf_model *ret_model, const void *options)
{
    hf_cloud_model(ret_model, options);
}

#define AT(field) offsetof(struct hf_race_options, field)
static const struct hf_lab_option race_options[] = {
    {"go-on", AT(go_on), 0, 0, 1, "1: the whole space, a violation ends nothing"},
    {NULL, 0, 0, 0, 0, NULL},
};
#undef AT

static void make_race(struct hf_model *ret_model, const void *options)
{
    hf_race_model(ret_model, options);
}

#define AT(field) offsetof(struct hf_two_phase_options, field)
static const struct hf_lab_option two_phase_options[] = {
    {"managers", AT(managers), 3, 1, HF_TWO_PHASE_MANAGERS_MAX, "Resource managers"},
    {"symmetry", AT(symmetry), 0, 0, HF_TWO_PHASE_BY_STATE,
     "1: managers are interchangeable, 2: in order of their state alone"},
    {"careless", AT(careless), 0, 0, 1, "1: a canary, the coordinator commits unasked"},
    {NULL, 0, 0, 0, 0, NULL},
};
#undef AT

static void make_two_phase(struct hf_model *ret_model, const void *options)
{
    hf_two_phase_model(ret_model, options);
}

static const struct hf_lab_model models[] = {
    {
        .name = "cloud",
        .help = "the cloud's protocol, in which the outage of October 2025 happens",
        .options_size = sizeof(struct hf_cloud_options),
        .options = cloud_options,
        .make = make_cloud,
    },
    {
        .name = "race",
        .help = "the public Promela model of that race, to be compared with Spin",
        .options_size = sizeof(struct hf_race_options),
        .options = race_options,
        .make = make_race,
    },
    {
        .name = "two-phase",
        .help = "two-phase commit, whose numbers of states are published",
        .options_size = sizeof(struct hf_two_phase_options),
        .options = two_phase_options,
        .make = make_two_phase,
    },
};

const struct hf_lab_model *hf_lab_models(size_t *ret_count)
{
    *ret_count = sizeof(models) / sizeof(models[0]);
    return models;
}

const struct hf_lab_model *hf_lab_model_find(const char *name)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (strcmp(models[i].name, name) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

const struct hf_lab_option *hf_lab_option_find(const struct hf_lab_model *kind, const char *name)
{
    for (const struct hf_lab_option *option = kind->options; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

uint32_t *hf_lab_option_at(struct hf_lab_world *world, const struct hf_lab_option *option)
{
    assert(option->offset % sizeof(uint32_t) == 0 && option->offset < world->kind->options_size);
    return &world->values[option->offset / sizeof(uint32_t)];
}

uint32_t hf_lab_option_value(const struct hf_lab_world *world, const struct hf_lab_option *option)
{
    return world->values[option->offset / sizeof(uint32_t)];
}

void hf_lab_world_init(struct hf_lab_world *world, const struct hf_lab_model *kind)
{
    assert(kind->options_size <= sizeof(world->values));
    *world = (struct hf_lab_world){.kind = kind};
    for (const struct hf_lab_option *option = kind->options; option->name != NULL; option++) {
        *hf_lab_option_at(world, option) = option->standard;
    }
}

const char *hf_lab_world_make(struct hf_lab_world *world)
{
    const struct hf_lab_model *kind = world->kind;
    const char *problem = kind->check != NULL ? kind->check(world->values) : NULL;
    if (problem == NULL) {
        kind->make(&world->model, world->values);
    }
    return problem;
}

static void copy_name(char ret_name[HF_TRACE_NAME_SIZE], const char *name)
{
    size_t size = strlen(name);
    assert(size < HF_TRACE_NAME_SIZE);
    memcpy(ret_name, name, size + 1);
}

void hf_lab_world_to_trace(const struct hf_lab_world *world, struct hf_trace *trace)
{
    copy_name(trace->model, world->kind->name);
    trace->option_count = 0;
    for (const struct hf_lab_option *option = world->kind->options; option->name != NULL;
         option++) {
        uint32_t value = hf_lab_option_value(world, option);
        if (value != option->standard) {
            struct hf_trace_option *written = &trace->options[trace->option_count++];
            copy_name(written->name, option->name);
            written->value = value;
        }
    }
}

static int take_option(struct hf_lab_world *world, const struct hf_trace_option *given,
                       struct hf_buf *ret_problem)
{
    const struct hf_lab_option *option = hf_lab_option_find(world->kind, given->name);
    if (option == NULL) {
        hf_buf_printf(ret_problem, "found option '%s', which model %s does not have", given->name,
                      world->kind->name);
        return HF_EINVAL;
    }
    if (given->value < option->min || given->value > option->max) {
        hf_buf_printf(ret_problem,
                      "found %s=%" PRIu32 ", expected a number %" PRIu32 " to %" PRIu32,
                      given->name, given->value, option->min, option->max);
        return HF_EINVAL;
    }
    *hf_lab_option_at(world, option) = given->value;
    return HF_OK;
}

int hf_lab_world_of_trace(struct hf_lab_world *world, const struct hf_trace *trace,
                          struct hf_buf *ret_problem)
{
    const struct hf_lab_model *kind = hf_lab_model_find(trace->model);
    if (kind == NULL) {
        hf_buf_printf(ret_problem, "found model '%s', which holdfast-lab does not have",
                      trace->model);
        return HF_EINVAL;
    }
    hf_lab_world_init(world, kind);
    for (uint32_t i = 0; i < trace->option_count; i++) {
        if (take_option(world, &trace->options[i], ret_problem) != HF_OK) {
            return HF_EINVAL;
        }
    }
    const char *problem = hf_lab_world_make(world);
    if (problem != NULL) {
        hf_buf_put_text(ret_problem, problem);
        return HF_EINVAL;
    }
    return HF_OK;
}
