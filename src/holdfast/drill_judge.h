/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill judge: the trials of a recovery test suite, and the verdicts on them. A trial is one test
 * at one scale, with its remedies or without them, run with many seeds and judged by the worst.
 */
#ifndef HF_HOLDFAST_DRILL_JUDGE_H
#define HF_HOLDFAST_DRILL_JUDGE_H

#include "codec/drill_suite.h"
#include "holdfast/drill_export.h"

struct hf_trial {
    const struct hf_drill_test *test;
    struct hf_drill_file *file;
    const struct hf_drill_bounds *bounds;
    bool is_without; /* remedies: here bounds say how it has to collapse */
    uint32_t seeds;
    uint32_t job_first; /* so many jobs from there on */
};

struct hf_trials {
    struct hf_drill_suite *suite;
    struct hf_trial *rows;
    uint32_t count, room;
    struct hf_drill_job *jobs;
    uint32_t job_count;
    bool complete; /* else somebody interrupted them */
    double took_s;
};

/* How a bound of a trial was kept. */
struct hf_trial_verdict {
    bool passed;
    bool is_judged; /* all its runs ended */
    double worst;   /* over the seeds */
    uint64_t seed;  /* the worst one */
    double margin;  /* share of the limit that was left, negative: missing; NAN: says nothing */
};

/* A zeroed row at the end. */
struct hf_trial *hf_trials_add(struct hf_trials *trials);
/* Whether the parts that its bounds name are there; a message and false. */
bool hf_trial_check(const struct hf_invocation *invocation, const struct hf_trials *trials,
                    const struct hf_trial *trial);
/* False: they do not fit this machine, which was said. */
bool hf_trials_run(const struct hf_invocation *invocation, struct hf_trials *trials,
                   uint32_t threads_max);
struct hf_trial_verdict hf_trial_judge(const struct hf_trials *trials, const struct hf_trial *trial,
                                       const struct hf_drill_bound *bound);
/* Prints the verdicts, as text or JSON; HF_EXIT_FAILED when one of them is a fail. */
int hf_trials_show(const struct hf_invocation *invocation, const struct hf_trials *trials);
void hf_trials_junit(const struct hf_trials *trials, struct hf_buf *xml);
void hf_trials_free(struct hf_trials *trials);

#endif
