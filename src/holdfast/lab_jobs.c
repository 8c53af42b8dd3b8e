/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct hf_lab_board *hf_lab_board_new(const struct hf_lab_plan *plan)
{
    struct hf_lab_board *board =
        mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        return NULL;
    }
    board->plan = *plan;
    return board;
}

void hf_lab_board_free(struct hf_lab_board *board)
{
    (void)munmap(board, sizeof(*board));
}

/* To the end of one run, or until it is to stop. */
static void run_once(struct hf_run *run, const struct hf_lab_plan *plan, uint64_t seed,
                     bool keeps_hash, atomic_bool *stop, uint64_t *ret_simulated_ms)
{
    enum { LOOK_EACH = 256 };
    hf_run_begin(run, seed, keeps_hash);
    while (run->end == HF_RUN_GOING && run->steps < plan->steps) {
        if (stop != NULL && run->steps % LOOK_EACH == 0 && atomic_load(stop)) {
            return;
        }
        (void)hf_run_draw(run);
    }
    *ret_simulated_ms =
        run->model->time_ms != NULL ? run->model->time_ms(run->model, run->state) : 0;
    if (!hf_run_failed((enum hf_run_end)run->end)) {
        (void)hf_run_heal(run);
    }
}

bool hf_lab_run_seed(struct hf_run *run, const struct hf_lab_plan *plan, uint64_t seed,
                     atomic_bool *stop, uint64_t *ret_simulated_ms)
{
    bool twice = plan->twice_each != 0 && (seed - plan->first) % plan->twice_each == 0;
    run_once(run, plan, seed, twice, stop, ret_simulated_ms);
    if (!twice || run->end == HF_RUN_GOING) {
        return true;
    }
    uint64_t hash = run->hash;
    uint32_t steps = run->steps;
    uint8_t end = run->end;
    run_once(run, plan, seed, twice, stop, ret_simulated_ms);
    return run->end == HF_RUN_GOING ||
           (run->hash == hash && run->steps == steps && run->end == end);
}

static void note_failure(struct hf_lab_board *board, uint64_t seed, enum hf_lab_failure_kind kind,
                         enum hf_run_end end, const char *why)
{
    uint32_t at = atomic_fetch_add(&board->failure_count, 1);
    if (at >= HF_LAB_FAILURES_MAX) {
        return;
    }
    struct hf_lab_failure *failure = &board->failures[at];
    failure->seed = seed;
    failure->kind = (uint8_t)kind;
    failure->end = (uint8_t)end;
    (void)snprintf(failure->why, sizeof(failure->why), "%s", why);
    atomic_store(&failure->is_there, true);
    if (at + 1 == HF_LAB_FAILURES_MAX) {
        atomic_store(&board->stop, true);
    }
}

static void run_seed(struct hf_lab_board *board, struct hf_run *run, uint64_t seed)
{
    uint64_t simulated_ms = 0;
    bool is_same = hf_lab_run_seed(run, &board->plan, seed, &board->stop, &simulated_ms);
    enum hf_run_end end = (enum hf_run_end)run->end;
    if (end == HF_RUN_GOING) {
        return; /* stopped */
    }
    if (!is_same) {
        note_failure(board, seed, HF_LAB_RUN_DIFFERED, end,
                     "not deterministic: run twice, it went differently");
    } else if (hf_run_failed(end)) {
        note_failure(board, seed, HF_LAB_RUN_FAILED, end, run->why);
    }
    (void)atomic_fetch_add(&board->runs, 1);
    (void)atomic_fetch_add(&board->steps, run->steps);
    (void)atomic_fetch_add(&board->simulated_ms, simulated_ms);
}

_Noreturn static void work(struct hf_lab_board *board, const struct hf_model *model, uint32_t job)
{
    struct hf_run run;
    void *memory = calloc(1, hf_run_layout(model));
    if (memory == NULL) {
        abort();
    }
    hf_run_init(&run, model, memory);
    while (!atomic_load(&board->stop)) {
        uint64_t taken = atomic_fetch_add(&board->next, 1);
        if (taken >= board->plan.seeds) {
            break;
        }
        atomic_store(&board->seeds[job], board->plan.first + taken);
        run_seed(board, &run, board->plan.first + taken);
    }
    atomic_store(&board->seeds[job], 0);
    free(memory);
    _exit(0);
}

/* Output that waits in buffers is the parent's to write, not the child's. */
static bool start(struct hf_lab_jobs *jobs, const struct hf_model *model, uint32_t job)
{
    pid_t parent = getpid();
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            work(jobs->board, model, job);
        }
        _exit(1);
    }
    jobs->pids[job] = pid > 0 ? pid : 0;
    jobs->running += pid > 0;
    return pid > 0;
}

bool hf_lab_jobs_start(struct hf_lab_jobs *jobs, struct hf_lab_board *board,
                       const struct hf_model *model, uint32_t count)
{
    *jobs = (struct hf_lab_jobs){.board = board, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        (void)start(jobs, model, i);
    }
    return jobs->running > 0;
}

static void ended(struct hf_lab_jobs *jobs, const struct hf_model *model, uint32_t job, int status)
{
    struct hf_lab_board *board = jobs->board;
    jobs->pids[job] = 0;
    jobs->running--;
    uint64_t seed = atomic_load(&board->seeds[job]);
    if (seed == 0) {
        return;
    }
    char why[HF_MODEL_WHY_SIZE];
    if (WIFSIGNALED(status)) {
        (void)snprintf(why, sizeof(why), "crashed: %s", strsignal(WTERMSIG(status)));
    } else {
        (void)snprintf(why, sizeof(why), "crashed: exit status %d", WEXITSTATUS(status));
    }
    atomic_store(&board->seeds[job], 0);
    note_failure(board, seed, HF_LAB_RUN_CRASHED, HF_RUN_GOING, why);
    (void)atomic_fetch_add(&board->runs, 1);
    if (!atomic_load(&board->stop)) {
        (void)start(jobs, model, job);
    }
}

void hf_lab_jobs_reap(struct hf_lab_jobs *jobs, const struct hf_model *model)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        int status = 0;
        if (jobs->pids[i] != 0 && waitpid(jobs->pids[i], &status, WNOHANG) == jobs->pids[i]) {
            ended(jobs, model, i, status);
        }
    }
}

void hf_lab_jobs_kill(struct hf_lab_jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        if (jobs->pids[i] != 0) {
            (void)kill(jobs->pids[i], SIGKILL);
            (void)waitpid(jobs->pids[i], NULL, 0);
            jobs->pids[i] = 0;
            uint64_t seed = atomic_load(&jobs->board->seeds[i]);
            if (seed != 0) {
                note_failure(jobs->board, seed, HF_LAB_RUN_CRASHED, HF_RUN_GOING,
                             "did not end: a step goes on and on");
            }
        }
    }
    jobs->running = 0;
}
