/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-lab simulate MODEL: random worlds, each from a seed. */
#include "holdfast/lab_simulate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "holdfast/lab_timeline.h"

enum {
    SEEDS = 1000,
    STEPS = 1000,
    TWICE_EACH = 100,
    SHRINK_S = 20,
    TURN_MS = 100,
    KILL_AFTER_S = 2, /* what does not stop by then is killed */
};

static void wait_for_jobs(const struct hf_lab_call *call, struct hf_lab_simulation *all,
                          struct hf_lab_jobs *jobs)
{
    struct hf_tool_progress progress;
    double stopped_s = 0;
    hf_tool_progress_init(&progress, &call->err);
    while (jobs->running > 0) {
        if (hf_tool_interrupted(TURN_MS)) {
            all->is_interrupted = true;
            atomic_store(&all->board->stop, true);
        }
        hf_lab_jobs_reap(jobs, &call->world.model);
        all->seconds = hf_tool_now_s() - all->began_s;
        if (atomic_load(&all->board->stop)) {
            stopped_s = stopped_s == 0 ? all->seconds : stopped_s;
            if (all->seconds - stopped_s > KILL_AFTER_S) {
                hf_lab_jobs_kill(jobs);
            }
        }
        if (hf_tool_progress_due(&progress)) {
            hf_lab_simulate_progress(all, &progress);
        }
    }
    hf_tool_progress_end(&progress);
}

/* Those that were noted, by seed. */
static void sort_failures(struct hf_lab_simulation *all)
{
    for (uint32_t i = 0; i < HF_LAB_FAILURES_MAX; i++) {
        const struct hf_lab_failure *failure = &all->board->failures[i];
        if (!atomic_load(&failure->is_there)) {
            continue;
        }
        uint32_t at = all->failure_count++;
        for (; at > 0 && all->failures[at - 1]->seed > failure->seed; at--) {
            all->failures[at] = all->failures[at - 1];
        }
        all->failures[at] = failure;
    }
}

/* The same run again, with its steps kept. False: it did not fail the same way. */
static bool record(const struct hf_lab_call *call, const struct hf_lab_simulation *all,
                   const struct hf_lab_failure *failure, struct hf_trace *trace)
{
    struct hf_run run;
    void *memory = calloc(1, hf_run_layout(&call->world.model));
    if (memory == NULL) {
        abort();
    }
    hf_run_init(&run, &call->world.model, memory);
    hf_run_begin(&run, failure->seed, false);
    while (run.end == HF_RUN_GOING && trace->step_count < all->board->plan.steps) {
        if (hf_run_draw(&run) != HF_RUN_STILL && run.end != HF_RUN_WEDGE) {
            hf_choice_keep(&run.choice, &trace->steps[trace->step_count++]);
        }
    }
    trace->heals = !hf_run_failed((enum hf_run_end)run.end);
    if (trace->heals) {
        (void)hf_run_heal(&run);
    }
    bool is_same = run.end == failure->end && strcmp(run.why, failure->why) == 0;
    free(memory);
    return is_same;
}

static void shrink(const struct hf_lab_call *call, struct hf_trace *trace)
{
    struct hf_shrink all;
    struct hf_tool_progress progress;
    double limit_s = (double)hf_lab_number(call, "shrink-time", SHRINK_S);
    double began_s = hf_tool_now_s();
    uint32_t before = trace->step_count;
    void *memory = calloc(1, hf_shrink_layout(&call->world.model, trace->step_count));
    if (memory == NULL) {
        abort();
    }
    hf_shrink_init(&all, &call->world.model, trace, memory);
    hf_tool_progress_init(&progress, &call->err);
    while (hf_tool_now_s() - began_s < limit_s && !hf_tool_interrupted(0) && hf_shrink_try(&all)) {
        if (hf_tool_progress_due(&progress)) {
            char text[128];
            (void)snprintf(text, sizeof(text),
                           "minimising: %" PRIu32 " of %" PRIu32 " steps, %" PRIu64 " tries",
                           all.best_count, before, all.tried);
            hf_tool_progress_put(&progress, text);
        }
    }
    hf_tool_progress_end(&progress);
    hf_shrink_result(&all, trace);
    free(memory);
    if (!call->json) {
        hf_term_put(&call->out, HF_STYLE_DIM,
                    "seed %" PRIu64 ": %" PRIu32 " steps of %" PRIu32 " are enough\n\n",
                    trace->seed, trace->step_count, before);
    }
}

/* The first failure in full. */
static void show_first(struct hf_lab_call *call, const struct hf_lab_simulation *all)
{
    const struct hf_lab_failure *failure = all->failures[0];
    if (failure->kind != HF_LAB_RUN_FAILED) {
        return; /* has no history that could be told */
    }
    struct hf_trace trace = {.seed = failure->seed};
    trace.steps = calloc((size_t)all->board->plan.steps + 1, sizeof(trace.steps[0]));
    if (trace.steps == NULL) {
        abort();
    }
    hf_trace_expect_end(&trace, (enum hf_run_end)failure->end, failure->why);
    if (record(call, all, failure, &trace)) {
        (void)snprintf(call->standard_path, sizeof(call->standard_path),
                       "%s-seed-%" PRIu64 ".trace", call->world.kind->name, failure->seed);
        shrink(call, &trace);
        hf_lab_found(call, &trace);
    } else {
        (void)hf_lab_fail(call, "seed %" PRIu64 " is not deterministic: run again, it did not fail",
                          failure->seed);
    }
    free(trace.steps);
}

static int run(struct hf_lab_call *call)
{
    uint32_t steps = call->world.kind->steps;
    struct hf_lab_plan plan = {
        .first = hf_lab_number(call, "first", 1),
        .seeds = hf_lab_number(call, "seeds", SEEDS),
        .steps = (uint32_t)hf_lab_number(call, "steps", steps > 0 ? steps : STEPS),
        .twice_each = (uint32_t)hf_lab_number(call, "twice-each", TWICE_EACH),
    };
    uint64_t count = hf_lab_number(call, "jobs", hf_tool_cores());
    count = count < plan.seeds ? count : plan.seeds;
    struct hf_lab_simulation all = {.board = hf_lab_board_new(&plan)};
    if (all.board == NULL) {
        return hf_lab_fail(call, "no memory");
    }
    if (plan.first > UINT64_MAX - plan.seeds) {
        hf_lab_board_free(all.board);
        return hf_lab_misuse(call, "--first and --seeds: found seeds beyond 64 bits");
    }
    struct hf_lab_jobs jobs;
    hf_tool_block_signals();
    all.began_s = hf_tool_now_s();
    bool is_started =
        hf_lab_jobs_start(&jobs, all.board, &call->world.model,
                          (uint32_t)(count < HF_LAB_JOBS_MAX ? count : HF_LAB_JOBS_MAX));
    int status = HF_LAB_DONE;
    if (is_started) {
        wait_for_jobs(call, &all, &jobs);
        sort_failures(&all);
        if (all.failure_count > 0) {
            show_first(call, &all);
        }
        hf_lab_simulate_show(call, &all);
        status = all.failure_count > 0 || all.is_interrupted ? HF_LAB_FAILED : HF_LAB_DONE;
    } else {
        status = hf_lab_fail(call, "cannot start a process");
    }
    hf_lab_board_free(all.board);
    return status;
}

static const struct hf_lab_flag flags[] = {
    {"seeds", HF_LAB_NUMBER, 1, UINT64_MAX - 1, "Worlds to run (1000)"},
    {"first", HF_LAB_NUMBER, 1, UINT64_MAX - 1, "The first seed; the others follow it (1)"},
    {"steps", HF_LAB_NUMBER, 0, HF_TRACE_STEPS_MAX,
     "Steps of a world before faults stop (1000; of storm 1500)"},
    {"jobs", HF_LAB_NUMBER, 1, HF_LAB_JOBS_MAX, "Processes (one for each core)"},
    {"twice-each", HF_LAB_NUMBER, 0, UINT32_MAX,
     "Run every so manieth seed twice and compare all states; 0: none (100)"},
    {"shrink-time", HF_LAB_NUMBER, 0, 86400, "Seconds to minimise a failure at most (20)"},
    {"trace", HF_LAB_TEXT, 0, 0, "Where to write the first failure (MODEL-seed-SEED.trace)"},
    {NULL, HF_LAB_SWITCH, 0, 0, NULL},
};

const struct hf_lab_command hf_lab_simulate = {
    .name = "simulate",
    .subject = HF_LAB_OF_MODEL,
    .summary = "run random worlds, each from a seed",
    .details = "A world takes steps that its seed draws; then faults stop, and it must come to\n"
               "rest. The first failure is minimised, printed as a timeline and written as a\n"
               "trace file. The same seed and version give the same history, bit for bit.",
    .flags = flags,
    .run = run,
};
