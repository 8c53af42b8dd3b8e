/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "base/error.h"
#include "holdfast/run.h"

/* The program is started as /proc/self/exe: also after its file was replaced by an upgrade, all
 * roles are of the supervisor's version. */
static int start_role(void *context, char *why, size_t why_size, struct hf_process *ret_process)
{
    const struct hf_run_role *role = context;
    struct hf_process_options options = {
        .program = "/proc/self/exe",
        .argv = role->argv,
        .kept_fd = -1,
        .dies_with_us = true,
        .own_group = true, /* one SIGTERM from here, not a SIGINT from the terminal before it */
    };
    return hf_process_start(&options, why, why_size, ret_process);
}

/* argv wants char *, and execv promises not to write there. */
static char *writable(const char *text)
{
    union {
        const char *text;
        char *writable;
    } cast = {.text = text};
    return cast.writable;
}

static struct hf_run_role *add_role(struct hf_run *run, const char *subcommand, const char *name)
{
    struct hf_run_role *role = &run->roles[run->role_count++];
    (void)snprintf(role->name, sizeof(role->name), "%s", name);
    const char *const fixed[] = {
        "holdfast",    subcommand,
        "--config",    run->invocation->config_path,
        "--color",     run->log.colour ? "always" : "never",
        "--log-level", hf_log_level_name(run->invocation->log_level),
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        role->argv[i] = writable(fixed[i]);
    }
    struct hf_service *service = &run->services[run->supervisor.service_count++];
    *service = (struct hf_service){
        .stage = HF_RUN_STAGE_ROLES,
        .context = role,
        .start = start_role,
    };
    (void)snprintf(service->name, sizeof(service->name), "%s", name);
    return role;
}

static void add_argument(struct hf_run_role *role, const char *text)
{
    size_t count = 0;
    while (role->argv[count] != NULL) {
        count++;
    }
    role->argv[count] = writable(text);
}

void hf_run_add_roles(struct hf_run *run)
{
    uint32_t first = run->role_count;
    (void)add_role(run, "planner", "planner");
    (void)add_role(run, "janitor", "janitor");
    (void)add_role(run, "api", "api");
    for (uint32_t i = 0; i < run->config->enactor_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "enactor-%u", i + 1);
        struct hf_run_role *role = add_role(run, "enactor", name);
        (void)snprintf(role->offset, sizeof(role->offset), "%u/%u", i, run->config->enactor_count);
        add_argument(role, "--name");
        add_argument(role, role->name);
        add_argument(role, "--offset");
        add_argument(role, role->offset);
    }
    for (uint32_t i = first; i < run->role_count && run->invocation->log_format != NULL; i++) {
        add_argument(&run->roles[i], "--log-format");
        add_argument(&run->roles[i], run->invocation->log_format);
    }
}
