/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "codec/fence.h"
#include "holdfast/role.h"
#include "io/lead.h"

static int run_planner(void *context, const struct hf_config *config, struct hf_log *log,
                       enum hf_role_end *ret_end)
{
    return hf_lead_run(config, context, log, ret_end);
}

static int planner(const struct hf_invocation *invocation)
{
    const char *given = hf_option_value(invocation, "name");
    char name[HF_WRITER_MAX + 1] = "planner";
    if (given != NULL) {
        if (hf_label_check(given) != 0) {
            return hf_command_misuse(invocation,
                                     "--name: found %s, expected up to %d of a-z, 0-9 "
                                     "and inner hyphens",
                                     given, HF_WRITER_MAX);
        }
        (void)snprintf(name, sizeof(name), "%s", given);
    }
    return hf_role_loop(invocation, name, true, run_planner, name);
}

static const struct hf_option options[] = {
    {.name = "name", .argument = "NAME", .help = "Name in plans and in the log (planner)"},
    {0},
};

const struct hf_command hf_command_planner = {
    .name = "planner",
    .group = HF_COMMAND_RUN,
    .arguments = "",
    .summary = "check backends and publish plans into the store",
    .details = "Runs until SIGINT or SIGTERM; SIGHUP, or a change of the configuration's files,\n"
               "makes it read the configuration again. It never speaks to a DNS server: what it\n"
               "publishes is written into zones by enactors. One planner is enough; two on one\n"
               "store are safe.",
    .options = options,
    .run = planner,
};
