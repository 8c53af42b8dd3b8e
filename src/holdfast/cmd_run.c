/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "holdfast/role.h"
#include "holdfast/run.h"
#include "io/folder.h"

static void changed(void *context)
{
    hf_run_write_json(context);
}

static void all_started(void *context)
{
    struct hf_run *run = context;
    hf_log(&run->log, HF_LOG_INFO, "all_started", "processes=%zu", run->supervisor.service_count);
    hf_run_notify("READY=1");
}

static void tidy(void *context)
{
    hf_run_tidy_knotds(context);
}

/* Servers first: roles shall not ask them for zones that they do not know yet. */
static void reload(void *context)
{
    struct hf_run *run = context;
    struct hf_config *config = hf_role_read_again(run->config, &run->log);
    if (config == run->config) {
        return;
    }
    if (config->enactor_count + HF_RUN_ROLES_BESIDE != run->role_count) {
        hf_log(&run->log, HF_LOG_WARNING, "reload_incomplete", "why=%s",
               "the number of enactors changes when holdfast run is started anew");
    }
    run->config = config;
    hf_run_reload_knotds(run);
    hf_supervise_signal(&run->supervisor, HF_RUN_STAGE_ROLES, SIGHUP);
}

static int prepare(struct hf_run *run)
{
    char why[HF_KNOTD_WHY_MAX];
    const char *folder = run->config->data_dir;
    int status = hf_folder_make(folder, why, sizeof(why));
    if (status != HF_OK) {
        (void)hf_command_fail(run->invocation, "%s", why);
        return status;
    }
    (void)snprintf(run->lock_path, sizeof(run->lock_path), "%s/run.lock", folder);
    (void)snprintf(run->json_path, sizeof(run->json_path), "%s/run.json", folder);
    status = hf_run_lock(run);
    if (status == HF_OK) {
        status = hf_supervise_init(&run->supervisor);
    }
    if (status != HF_OK) {
        return status;
    }
    run->supervisor.log = &run->log;
    run->supervisor.services = run->services;
    run->supervisor.context = run;
    run->supervisor.changed = changed;
    run->supervisor.all_started = all_started;
    run->supervisor.reload = reload;
    run->supervisor.tidy = tidy;
    status = hf_run_add_knotds(run);
    if (status == HF_OK) {
        hf_run_add_roles(run);
    }
    return status;
}

/* A failure before anything was started leaves a knotd that was found running as it is. */
static int run_all(const struct hf_invocation *invocation)
{
    struct hf_run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        abort();
    }
    run->invocation = invocation;
    run->lock_fd = -1;
    run->supervisor.signal_fd = -1;
    int status = hf_open_config(invocation, &run->config);
    if (status != HF_OK) {
        free(run);
        return HF_EXIT_FAILED;
    }
    hf_open_log(invocation, run->config, "run", &run->log);
    status = prepare(run);
    if (status == HF_OK) {
        hf_supervise_run(&run->supervisor);
        hf_run_notify("STOPPING=1");
        hf_supervise_stop(&run->supervisor);
        (void)unlink(run->json_path);
    }
    for (uint32_t i = 0; i < run->knotd_count; i++) {
        hf_knotd_release(&run->knotds[i]);
    }
    for (size_t i = 0; i < run->supervisor.service_count; i++) {
        hf_process_forget(&run->services[i].process);
    }
    hf_supervise_release(&run->supervisor);
    if (run->lock_fd >= 0) {
        (void)close(run->lock_fd);
    }
    hf_log_release(&run->log);
    hf_config_free(run->config);
    free(run);
    return status == HF_OK ? HF_EXIT_DONE : HF_EXIT_FAILED;
}

const struct hf_command hf_command_run = {
    .name = "run",
    .group = HF_COMMAND_RUN,
    .arguments = "",
    .summary = "everything in one place: planner, janitor, enactors, API, private knotd",
    .details =
        "Starts planner, janitor, API and as many enactors as the configuration says as processes "
        "of\n"
        "their own, and a private knotd for every target with `type: knot`; starts again what\n"
        "ends. SIGINT or SIGTERM stops all of them, a second one without waiting; SIGHUP reads\n"
        "the configuration again. DATA_DIR/run.json lists the process ids.\n"
        "\n"
        "When it is killed, a private knotd goes on answering, and the next run takes it over.",
    .run = run_all,
};
