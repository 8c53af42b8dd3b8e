/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-lab explore MODEL: every state that can be reached. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/lab_command.h"
#include "holdfast/lab_explore_show.h"
#include "holdfast/lab_timeline.h"
#include "holdfast/tool.h"

enum {
    HEAL_EACH = 1000,
    STATE_COST = 15, /* octets of a stored state */
    PATH_MAX_STEPS = 1000 * 1000,
    TURN_MS = 50, /* how often signals and progress are looked at */
    TURN_STATES_MAX = 1 << 20,
};

static void make_options(const struct hf_lab_call *call, struct hf_explore_options *ret_options)
{
    uint64_t memory = hf_lab_number(call, "memory", hf_tool_memory_of_machine() / 2);
    uint64_t most = memory / STATE_COST;
    most = most < HF_EXPLORE_STATES_MAX ? most : HF_EXPLORE_STATES_MAX;
    uint64_t ring = hf_lab_number(call, "ring", memory);
    size_t ring_least = 2 * (call->world.model.encoded_max + 4);
    *ret_options = (struct hf_explore_options){
        .states_max = (uint32_t)hf_lab_number(call, "states-max", most > 0 ? most : 1),
        .ring_size = ring > ring_least ? (size_t)ring : ring_least,
        .memory_max = (size_t)memory,
        .heal_each = (uint32_t)hf_lab_number(call, "heal-each", HEAL_EACH),
    };
}

/* What the weave has taken is not the explorer's. */
static void share_memory(struct hf_lab_search *search)
{
    size_t taken = search->is_woven ? hf_weave_memory(&search->weave) : 0;
    bool is_full = search->is_woven && hf_weave_is_full(&search->weave);
    search->explore.options.memory_max =
        is_full || taken >= search->memory ? 1 : search->memory - taken;
}

/* Runs to the end or until a signal; so many states at a time that a turn is short. */
static void search(struct hf_lab_search *search, struct hf_tool_progress *progress)
{
    uint32_t turn = 64;
    double before_s = search->began_s;
    while (hf_explore_run(&search->explore, turn) == HF_EXPLORE_GOING) {
        double now_s = hf_tool_now_s();
        if (now_s - before_s > 2 * TURN_MS / 1000.0) {
            turn = turn > 1 ? turn / 2 : 1;
        } else if (now_s - before_s < TURN_MS / 2000.0 && turn < TURN_STATES_MAX) {
            turn *= 2;
        }
        before_s = now_s;
        search->seconds = now_s - search->began_s;
        share_memory(search);
        if (hf_tool_interrupted(0)) {
            search->is_interrupted = true;
            break;
        }
        if (hf_tool_progress_due(progress)) {
            hf_lab_explore_progress(search, progress);
        }
    }
    search->seconds = hf_tool_now_s() - search->began_s;
    hf_tool_progress_end(progress);
}

/* The way to what was found: timeline and trace file. */
static void show_path(struct hf_lab_call *call, struct hf_lab_search *search)
{
    static const enum hf_run_end ends[] = {
        [HF_EXPLORE_BROKEN] = HF_RUN_BROKEN,
        [HF_EXPLORE_WEDGE] = HF_RUN_WEDGE,
        [HF_EXPLORE_RESTLESS] = HF_RUN_RESTLESS,
    };
    const struct hf_explore *explore = &search->explore;
    struct hf_trace trace = {.heals = explore->end == HF_EXPLORE_RESTLESS};
    trace.steps = calloc(PATH_MAX_STEPS, sizeof(trace.steps[0]));
    if (trace.steps == NULL) {
        abort();
    }
    hf_trace_expect_end(&trace, ends[explore->end], explore->why);
    (void)snprintf(call->standard_path, sizeof(call->standard_path), "%s-counterexample.trace",
                   call->world.kind->name);
    int error = hf_explore_path(explore, trace.steps, PATH_MAX_STEPS, &trace.step_count);
    if (error == HF_OK && search->is_woven) {
        error = hf_weave_unravel(&search->weave, &search->woven, trace.steps, trace.step_count);
    }
    if (error == HF_OK) {
        hf_lab_found(call, &trace);
    } else if (error == HF_ECORRUPT) {
        (void)hf_lab_fail(call,
                          "the canonical form of model %s takes states together that do not "
                          "behave alike; what was found: %s",
                          call->world.kind->name, explore->why);
    } else {
        (void)hf_lab_fail(call, "the counterexample is too long to be shown: %s", explore->why);
    }
    free(trace.steps);
}

/* Address space for the search, of which only what is touched costs anything. */
struct room {
    void *search, *weave;
    size_t search_size, weave_size;
};

static bool take_room(const struct hf_lab_call *call, const struct hf_explore_options *options,
                      bool is_woven, struct room *room)
{
    const struct hf_model *model = &call->world.model;
    room->search_size = hf_explore_layout(model, options);
    room->search = hf_tool_map(room->search_size);
    room->weave_size = is_woven ? hf_weave_layout(model) : 0;
    room->weave = is_woven ? hf_tool_map(room->weave_size) : NULL;
    return room->search != NULL && (room->weave != NULL || !is_woven);
}

static void give_room(const struct room *room)
{
    if (room->search != NULL) {
        hf_tool_unmap(room->search, room->search_size);
    }
    if (room->weave != NULL) {
        hf_tool_unmap(room->weave, room->weave_size);
    }
}

static int run(struct hf_lab_call *call)
{
    struct hf_explore_options options;
    struct hf_lab_search *all = calloc(1, sizeof(*all));
    struct room room = {0};
    if (all == NULL) {
        abort();
    }
    if (call->world.model.decode == NULL) {
        free(all);
        return hf_lab_misuse(call, "this world is drawn from a seed: simulate it");
    }
    make_options(call, &options);
    all->memory = options.memory_max;
    all->is_woven = call->world.model.parts != NULL && hf_lab_text(call, "plain") == NULL;
    if (!take_room(call, &options, all->is_woven, &room)) {
        give_room(&room);
        free(all);
        return hf_lab_fail(call, "no address space for %zu octets; see --memory and --states-max",
                           room.search_size + room.weave_size);
    }
    struct hf_tool_progress progress;
    hf_tool_progress_init(&progress, &call->err);
    hf_tool_block_signals();
    all->began_s = hf_tool_now_s();
    if (all->is_woven) {
        hf_weave_init(&all->weave, &call->world.model, room.weave, &all->woven);
    }
    hf_explore_init(&all->explore, all->is_woven ? &all->woven : &call->world.model, &options,
                    room.search);
    search(all, &progress);
    int status = all->explore.end == HF_EXPLORE_COMPLETE ? HF_LAB_DONE : HF_LAB_FAILED;
    if (hf_explore_found(&all->explore)) {
        show_path(call, all);
    }
    hf_lab_explore_show(call, all);
    give_room(&room);
    free(all);
    return status;
}

static const struct hf_lab_flag flags[] = {
    {"states-max", HF_LAB_NUMBER, 1, HF_EXPLORE_STATES_MAX, "States to keep at most (what fits)"},
    {"memory", HF_LAB_SIZE, 1 << 20, UINT64_C(1) << 46,
     "Memory to use at most (half of the machine's)"},
    {"ring", HF_LAB_SIZE, 1, UINT64_C(1) << 46, "Of that, for states that wait (all)"},
    {"heal-each", HF_LAB_NUMBER, 0, UINT32_MAX,
     "Heal every so manieth state: faults stop, it must come to rest; 0: none (1000)"},
    {"plain", HF_LAB_SWITCH, 0, 0, "Take every step of every state, and remember none"},
    {"trace", HF_LAB_TEXT, 0, 0, "Where to write a counterexample (MODEL-counterexample.trace)"},
    {NULL, HF_LAB_SWITCH, 0, 0, NULL},
};

const struct hf_lab_command hf_lab_explore = {
    .name = "explore",
    .subject = HF_LAB_OF_MODEL,
    .summary = "search every state that a model can reach",
    .details = "Breadth first, so that what is found first is one of the shortest ways to\n"
               "break an invariant; it is printed as a timeline and written as a trace file.\n"
               "Exit status 1 also when a bound ends the search before all states were seen.",
    .flags = flags,
    .run = run,
};
