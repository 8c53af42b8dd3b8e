/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/tool.h"

struct hf_trial *hf_trials_add(struct hf_trials *trials)
{
    if (trials->count == trials->room) {
        trials->room = trials->room == 0 ? 32 : trials->room * 2;
        trials->rows = realloc(trials->rows, trials->room * sizeof(*trials->rows));
        if (trials->rows == NULL) {
            abort();
        }
    }
    struct hf_trial *trial = &trials->rows[trials->count++];
    *trial = (struct hf_trial){0};
    return trial;
}

bool hf_trial_check(const struct hf_invocation *invocation, const struct hf_trials *trials,
                    const struct hf_trial *trial)
{
    struct hf_drill_result *nothing = calloc(1, sizeof(*nothing));
    if (nothing == NULL) {
        abort();
    }
    bool is_whole = true;
    for (uint32_t i = 0; is_whole && i < trial->bounds->count; i++) {
        const struct hf_drill_bound *bound = &trial->bounds->rows[i];
        double value = 0;
        if (!hf_drill_judge(&trial->file->scenario, nothing, bound->judged, bound->of, &value)) {
            hf_term_put(&invocation->err, HF_STYLE_PLAIN,
                        "%s:%" PRIu32 ":%" PRIu32 ": tests.%s: found %s of \"%s\", expected a part "
                        "of %s that has it\n",
                        trials->suite->path, bound->line, bound->column, trial->test->name,
                        hf_drill_judged_name(bound->judged), bound->of, trial->file->path);
            is_whole = false;
        }
    }
    free(nothing);
    return is_whole;
}

bool hf_trials_run(const struct hf_invocation *invocation, struct hf_trials *trials,
                   uint32_t threads_max)
{
    for (uint32_t i = 0; i < trials->count; i++) {
        trials->rows[i].job_first = trials->job_count;
        trials->job_count += trials->rows[i].seeds;
    }
    trials->jobs = calloc(trials->job_count, sizeof(*trials->jobs));
    if (trials->jobs == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < trials->count; i++) {
        for (uint32_t seed = 0; seed < trials->rows[i].seeds; seed++) {
            struct hf_drill_job *job = &trials->jobs[trials->rows[i].job_first + seed];
            job->scenario = &trials->rows[i].file->scenario;
            job->seed = seed + 1;
        }
    }
    struct hf_drill_jobs jobs = {trials->jobs, trials->job_count, threads_max};
    if (!hf_drill_jobs_fit(invocation, &jobs)) {
        return false;
    }
    double began_s = hf_tool_now_s();
    trials->complete = hf_drill_jobs_run(invocation, &jobs);
    trials->took_s = hf_tool_now_s() - began_s;
    return true;
}

struct hf_trial_verdict hf_trial_judge(const struct hf_trials *trials, const struct hf_trial *trial,
                                       const struct hf_drill_bound *bound)
{
    struct hf_trial_verdict row = {.passed = true, .is_judged = true, .margin = NAN};
    for (uint32_t i = 0; i < trial->seeds; i++) {
        const struct hf_drill_job *job = &trials->jobs[trial->job_first + i];
        double value = 0;
        if (job->state != HF_DRILL_JOB_DONE ||
            !hf_drill_judge(job->scenario, &job->result, bound->judged, bound->of, &value)) {
            row.is_judged = false;
            row.passed = false;
            return row;
        }
        if (i == 0 || (bound->at_least ? value < row.worst : value > row.worst)) {
            row.worst = value;
            row.seed = job->seed;
        }
    }
    row.passed = bound->at_least ? row.worst >= bound->limit : row.worst <= bound->limit;
    if (isfinite(row.worst) && isfinite(bound->limit) && bound->limit > 0) {
        double left = bound->at_least ? row.worst - bound->limit : bound->limit - row.worst;
        row.margin = left / bound->limit;
    }
    return row;
}

void hf_trials_free(struct hf_trials *trials)
{
    for (uint32_t i = 0; i < trials->job_count && trials->jobs != NULL; i++) {
        hf_drill_job_release(&trials->jobs[i]);
    }
    for (uint32_t i = 0; i < trials->count; i++) {
        hf_drill_file_free(trials->rows[i].file);
    }
    free(trials->jobs);
    free(trials->rows);
}
