/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/role.h"
#include "io/clean.h"

static int run_janitor(void *context, const struct hf_config *config, struct hf_log *log,
                       enum hf_role_end *ret_end)
{
    (void)context;
    return hf_clean_run(config, log, ret_end);
}

static int janitor(const struct hf_invocation *invocation)
{
    return hf_role_loop(invocation, "janitor", false, run_janitor, NULL);
}

const struct hf_command hf_command_janitor = {
    .name = "janitor",
    .group = HF_COMMAND_RUN,
    .arguments = "",
    .summary = "delete old plans, and tombstones of retired endpoints",
    .details = "Runs until SIGINT or SIGTERM; SIGHUP, or a change of the configuration's\n"
               "file, makes it read the configuration again.\n"
               "Whatever it deletes, no answer changes: answers never refer to plans.",
    .run = janitor,
};
