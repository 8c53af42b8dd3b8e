/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Jobs: processes that take seed after seed from a board that they share with their parent, run
 * each, and note failures there. Processes, so that a broken assertion in one run is a failure of
 * that seed and not the end of the simulation.
 */
#ifndef HF_HOLDFAST_LAB_JOBS_H
#define HF_HOLDFAST_LAB_JOBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/run.h"

enum {
    HF_LAB_JOBS_MAX = 256,
    HF_LAB_FAILURES_MAX = 20, /* after so many, a simulation ends */
};

enum hf_lab_failure_kind {
    HF_LAB_RUN_FAILED,   /* end says how */
    HF_LAB_RUN_DIFFERED, /* the same seed gave another history */
    HF_LAB_RUN_CRASHED,  /* the process that ran it ended */
};

struct hf_lab_failure {
    uint64_t seed;
    atomic_bool is_there; /* the rest is written */
    uint8_t kind;         /* enum hf_lab_failure_kind */
    uint8_t end;          /* enum hf_run_end */
    char why[HF_MODEL_WHY_SIZE];
};

/* What is to be done; constant while jobs run. */
struct hf_lab_plan {
    uint64_t first, seeds; /* seeds first to first + seeds - 1 */
    uint32_t steps;
    uint32_t twice_each; /* every so manieth seed is run twice; 0: none */
};

/* In memory that parent and jobs share. */
struct hf_lab_board {
    struct hf_lab_plan plan;
    atomic_bool stop;
    _Atomic uint64_t next; /* seeds taken so far */
    _Atomic uint64_t runs, steps, simulated_ms;
    _Atomic uint32_t failure_count; /* may be above HF_LAB_FAILURES_MAX: those are not noted */
    struct hf_lab_failure failures[HF_LAB_FAILURES_MAX];
    _Atomic uint64_t seeds[HF_LAB_JOBS_MAX]; /* that each job is at; 0: none */
};

struct hf_lab_jobs {
    struct hf_lab_board *board;
    pid_t pids[HF_LAB_JOBS_MAX]; /* 0: ended */
    uint32_t count, running;
};

/* The board; NULL: no memory. */
struct hf_lab_board *hf_lab_board_new(const struct hf_lab_plan *plan);
void hf_lab_board_free(struct hf_lab_board *board);

/* Begins so many jobs. False: not even one could be begun. */
bool hf_lab_jobs_start(struct hf_lab_jobs *jobs, struct hf_lab_board *board,
                       const struct hf_model *model, uint32_t count);

/* Takes note of jobs that have ended; one that crashed is a failure and another takes its place. */
void hf_lab_jobs_reap(struct hf_lab_jobs *jobs, const struct hf_model *model);

/* Ends them at once, when they do not stop; what each was at is a failure. */
void hf_lab_jobs_kill(struct hf_lab_jobs *jobs);

/* One run of a seed, once or twice, to its end. False: the two were not the same. stop NULL:
 * nobody stops it; else it ends early, in HF_RUN_GOING, once that is true. */
bool hf_lab_run_seed(struct hf_run *run, const struct hf_lab_plan *plan, uint64_t seed,
                     atomic_bool *stop, uint64_t *ret_simulated_ms);

#endif
