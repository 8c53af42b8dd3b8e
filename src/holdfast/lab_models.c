/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_models.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "lab/cloud.h"
#include "lab/race.h"
#include "lab/two_phase.h"
#include "lab/world.h"

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

enum { MANY = 1000 };

/* Name, field, default in a world and in a storm, limits, help. */
#define WORLD_OPTIONS(X)                                                                           \
    X("enactors", enactors, 2, 3, 1, 3, "Enactors")                                                \
    X("planners", planners, 1, 2, 1, 2, "Planners")                                                \
    X("endpoints", endpoints, 1, 3, 1, 3, "Endpoints")                                             \
    X("strangers", strangers, 0, 1, 0, 1, "1: the last enactor is another installation's")         \
    X("members", members, 2, 3, 2, 3, "Backends of an endpoint; all but one are shared")           \
    X("batch", batch, 3, 3, 1, 3, "Endpoints in one UPDATE")                                       \
    X("window", window, 1, 3, 1, 4, "UPDATEs of an enactor under way, beside the fast lane's")     \
    X("generations", generations, 2, 60, 0, MANY, "Changes of a backend's health")                 \
    X("objects", objects, 0, 0, 0, 1, "1: the janitor also deletes objects, one by one")           \
    X("pauses", pauses, 0, 0, 0, 1, "1: pauses end at any later moment; 0: at once")               \
    X("cold", cold, 0, 0, 0, 1, "1: from an empty zone and store; 0: from a world in step")        \
    X("random", random, 0, 1, 0, 1, "1: there is time, and a seed draws all below these bounds")   \
    X("canary", canary, 0, 0, 0, HF_WORLD_CANARIES - 1,                                            \
      "What is not checked: 1 guard, 2 fences, 3 records, 4 the store's compare")                  \
    X("retires", retires, 0, 6, 0, MANY, "Endpoints retired; each may be created anew")            \
    X("cleans", cleans, 0, 20, 0, MANY, "Rounds of the janitor")                                   \
    X("crashes", crashes, 0, 6, 0, MANY, "Crashes of enactors")                                    \
    X("warm-crashes", warm_crashes, 0, 3, 0, MANY, "The same, and the last plan is at hand again") \
    X("planner-ends", planner_ends, 0, 6, 0, MANY, "Crashes of planners and janitor")              \
    X("lost-replies", lost_replies, 0, 10, 0, MANY, "UPDATEs that are done and reported UNKNOWN")  \
    X("late-replies", late_replies, 0, 20, 0, MANY, "Answers that arrive at any later moment")     \
    X("timeouts", timeouts, 0, 10, 0, MANY, "UNKNOWN, while it may still happen")                  \
    X("duplicates", duplicates, 0, 10, 0, MANY, "Messages that arrive twice")                      \
    X("untrue", untrue, 0, 5, 0, MANY, "UPDATEs refused although every prerequisite holds")        \
    X("torn", torn, 0, 10, 0, MANY, "Reads that see a part now and the rest later")                \
    X("stale", stale, 0, 10, 0, MANY, "Reads answered by a secondary that lags")                   \
    X("audits", audits, 0, 50, 0, MANY, "Periodic transfers of the zone")                          \
    X("restarts", restarts, 0, 3, 0, MANY, "The server starts again without unsynced changes")     \
    X("edits", edits, 0, 10, 0, MANY, "Records and fences edited by hand")                         \
    X("guard-edits", guard_edits, 0, 3, 0, MANY, "Zone guards deleted, damaged, taken over")       \
    X("freezes", freezes, 0, 3, 0, MANY, "Freezes by an operator, each with a thaw")               \
    X("drains", drains, 0, 5, 0, MANY, "Backends drained and undrained")                           \
    X("rollbacks", rollbacks, 0, 3, 0, MANY, "Endpoints rolled back and released")                 \
    X("restores", restores, 0, 2, 0, MANY, "The store restored to an older state")                 \
    X("lost-stores", lost_stores, 0, 1, 0, MANY, "The store replaced by an empty one")             \
    X("corruptions", corruptions, 0, 3, 0, MANY, "Objects in the store corrupted")

#define AT(field) offsetof(struct hf_world_options, field)
#define WORLD(name, field, world, storm, min, max, help) {name, AT(field), world, min, max, help},
static const struct hf_lab_option world_options[] = {
    WORLD_OPTIONS(WORLD){NULL, 0, 0, 0, 0, NULL},
};
#undef WORLD

#define STORM(name, field, world, storm, min, max, help) {name, AT(field), storm, min, max, help},
static const struct hf_lab_option storm_options[] = {
    WORLD_OPTIONS(STORM){NULL, 0, 0, 0, 0, NULL},
};
#undef STORM
#undef AT

static void make_world(struct hf_model *ret_model, const void *options)
{
    hf_world_model(ret_model, options);
}

static const char *check_world(const void *options)
{
    return hf_world_options_check(options);
}

static const struct hf_lab_model models[] = {
    {
        .name = "world",
        .help = "Holdfast's own machines around one zone, with all that can go wrong",
        .options_size = sizeof(struct hf_world_options),
        .options = world_options,
        .make = make_world,
        .check = check_world,
    },
    {
        .name = "storm",
        .help = "that world with time, and all that can go wrong drawn from a seed",
        .options_size = sizeof(struct hf_world_options),
        .options = storm_options,
        .steps = 1500,
        .make = make_world,
        .check = check_world,
    },
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
