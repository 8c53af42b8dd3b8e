/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run: what `holdfast run` keeps in memory while it supervises. See cmd_run.c.
 */
#ifndef HF_HOLDFAST_RUN_H
#define HF_HOLDFAST_RUN_H

#include <limits.h>

#include "holdfast/command.h"
#include "holdfast/open.h"
#include "io/knotd.h"
#include "io/supervise.h"

enum {
    HF_RUN_ROLES_BESIDE = 3, /* planner, janitor, api */
    HF_RUN_ROLES_MAX = HF_CONFIG_ENACTORS_MAX + HF_RUN_ROLES_BESIDE,
    HF_RUN_ARGUMENTS_MAX = 16,
    HF_RUN_DISK_LOW = 64 * 1024 * 1024, /* octets left below which it warns */
    HF_RUN_STAGE_SERVERS = 0,
    HF_RUN_STAGE_ROLES = 1,
};

/* A child process of this same program. */
struct hf_run_role {
    char name[HF_SUPERVISE_NAME_MAX];
    char offset[16];
    char *argv[HF_RUN_ARGUMENTS_MAX]; /* borrows from here, from the invocation and constants */
};

struct hf_run {
    const struct hf_invocation *invocation;
    struct hf_config *config;
    struct hf_log log;
    struct hf_supervisor supervisor;
    struct hf_service services[HF_SUPERVISE_SERVICES_MAX];
    struct hf_knotd knotds[HF_CONFIG_TARGETS_MAX];
    uint32_t knotd_count;
    struct hf_run_role roles[HF_RUN_ROLES_MAX];
    uint32_t role_count;
    char json_path[PATH_MAX];
    char lock_path[PATH_MAX];
    int lock_fd;
    bool disk_is_low;
};

/*
 * Makes the files of every private knotd, takes over those that run, and checks that the others can
 * start; adds them as services. Says what is wrong and fails where one cannot.
 */
int hf_run_add_knotds(struct hf_run *run);
/* Brings files and running knotds to a new configuration. */
void hf_run_reload_knotds(struct hf_run *run);
/* Logs bounded, disk looked at. */
void hf_run_tidy_knotds(struct hf_run *run);

/* Adds planner, janitor and enactors as services. */
void hf_run_add_roles(struct hf_run *run);

/* Refuses a second instance on one data folder; HF_EBUSY after a message. */
int hf_run_lock(struct hf_run *run);
/* Writes <data_dir>/run.json. */
void hf_run_write_json(struct hf_run *run);
/* Tells systemd (sd_notify(3)); nothing where there is none. */
void hf_run_notify(const char *state);

#endif
