/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Supervise: keeps a set of services running until it is told to stop.
 *
 * Services start in stages: those of stage 1 wait until all of stage 0 are ready, or for
 * HF_SUPERVISE_READY_LIMIT_MS. A service that ends is started again after a pause that doubles from
 * HF_SUPERVISE_PAUSE_MIN_MS to HF_SUPERVISE_PAUSE_MAX_MS and starts anew once it ran for
 * HF_SUPERVISE_STEADY_MS; a start that fails counts as an end. SIGINT or SIGTERM stops the stages
 * in reverse, each with SIGTERM and, after HF_SUPERVISE_STOP_MS, SIGKILL; a second one does not
 * wait. SIGHUP calls reload. Everything that happens to a service is logged.
 */
#ifndef HF_IO_SUPERVISE_H
#define HF_IO_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/log.h"
#include "io/process.h"

enum {
    HF_SUPERVISE_SERVICES_MAX = 96,
    HF_SUPERVISE_NAME_MAX = 80,
    HF_SUPERVISE_STAGES = 2,
    HF_SUPERVISE_PAUSE_MIN_MS = 50,
    HF_SUPERVISE_PAUSE_MAX_MS = 10000,
    HF_SUPERVISE_STEADY_MS = 10000,
    HF_SUPERVISE_READY_LIMIT_MS = 15000,
    HF_SUPERVISE_STOP_MS = 5000,
    HF_SUPERVISE_ASK_MS = 50,    /* between two calls of ready */
    HF_SUPERVISE_TIDY_MS = 5000, /* between two calls of tidy */
    HF_SUPERVISE_WHY_MAX = 4608,
};

enum hf_service_state {
    HF_SERVICE_WAITING, /* not started yet, or in the pause before the next start */
    HF_SERVICE_STARTING,
    HF_SERVICE_READY,
};

struct hf_service {
    char name[HF_SUPERVISE_NAME_MAX];
    uint8_t stage;
    void *context;
    /* Starts it, or finds it running. On failure why says why. */
    int (*start)(void *context, char *why, size_t why_size, struct hf_process *ret_process);
    /* Whether it does its work; NULL: as soon as it was started. Must not block. */
    bool (*ready)(void *context);
    /* What it said last, for the log, when it ended; NULL or "": nothing. */
    void (*last_words)(void *context, char *ret_text, size_t room);
    /* The supervisor's own */
    struct hf_process process;
    enum hf_service_state state;
    uint32_t restart_count;
    uint64_t pause_ms;
    uint64_t start_at_ms; /* while waiting */
    uint64_t started_ms;
};

struct hf_supervisor {
    struct hf_log *log;
    struct hf_service *services;
    size_t service_count;
    void *context;
    void (*changed)(void *context);     /* a process id or state changed */
    void (*all_started)(void *context); /* once: every stage was started */
    void (*reload)(void *context);
    void (*tidy)(void *context);
    /* The supervisor's own */
    uint64_t now_ms;
    uint64_t began_ms;
    uint64_t tidy_at_ms;
    uint32_t stage; /* the highest that may run */
    bool told_started;
    bool is_dirty;
    uint32_t stop_count; /* signals that asked for the end */
    int signal_fd;
};

/*
 * Blocks the signals named above in this thread, so that none is lost before hf_supervise_run.
 * The rest of the struct is filled in by the caller. HF_ESYS.
 */
int hf_supervise_init(struct hf_supervisor *supervisor);

/* Runs until it is told to stop. */
void hf_supervise_run(struct hf_supervisor *supervisor);
/* Stops everything and waits for the ends. */
void hf_supervise_stop(struct hf_supervisor *supervisor);

/* Sends a signal to every running service of a stage. */
void hf_supervise_signal(const struct hf_supervisor *supervisor, uint8_t stage, int number);

void hf_supervise_release(struct hf_supervisor *supervisor);

#endif
