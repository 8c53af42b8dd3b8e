/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill jobs: runs of scenarios on all cores, one thread each, with a bar of progress, until all
 * are done or somebody presses Ctrl-C.
 */
#ifndef HF_HOLDFAST_DRILL_JOBS_H
#define HF_HOLDFAST_DRILL_JOBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "drill/drill.h"
#include "holdfast/command.h"

enum hf_drill_job_state {
    HF_DRILL_JOB_WAITS,   /* was not begun */
    HF_DRILL_JOB_DONE,    /* to its end */
    HF_DRILL_JOB_STOPPED, /* result is what was known when it was stopped */
    HF_DRILL_JOB_NO_MEMORY,
};

struct hf_drill_job {
    const struct hf_drill_scenario *scenario; /* borrowed */
    uint64_t seed;
    bool keeps_series; /* else only the summaries of the result stay */
    enum hf_drill_job_state state;
    struct hf_drill_result result;
    void *block; /* of size octets; NULL: given back */
    size_t size;
    _Atomic uint64_t now_us;
    _Atomic uint64_t events;
};

struct hf_drill_jobs {
    struct hf_drill_job *jobs;
    uint32_t count;
    uint32_t threads_max; /* 0: as many as there are cores */
};

/*
 * Runs them. False: it was interrupted; what was under way is STOPPED. Fewer run at a time than
 * there are cores where memory would not be enough for more.
 */
bool hf_drill_jobs_run(const struct hf_invocation *invocation, struct hf_drill_jobs *jobs);

/* A line about the first that cannot run on this machine, and false. To be asked before. */
bool hf_drill_jobs_fit(const struct hf_invocation *invocation, const struct hf_drill_jobs *jobs);

void hf_drill_job_release(struct hf_drill_job *job);

#endif
