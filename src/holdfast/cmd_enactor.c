/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/fence.h"
#include "core/roll.h"
#include "holdfast/role.h"

static int run_enactor(void *context, const struct hf_config *config, struct hf_log *log,
                       enum hf_role_end *ret_end)
{
    return hf_enact_run(config, context, log, ret_end);
}

/* "I/N"; HF_EMALF for anything else. */
static int parse_offset(const char *text, struct hf_enact_options *ret_options)
{
    char *end = NULL;
    unsigned long part = strtoul(text, &end, 10);
    if (end == text || *end != '/') {
        return HF_EMALF;
    }
    const char *rest = end + 1;
    unsigned long whole = strtoul(rest, &end, 10);
    if (end == rest || *end != 0 || whole == 0 || whole > HF_CONFIG_ENACTORS_MAX || part >= whole) {
        return HF_EMALF;
    }
    ret_options->offset = (uint32_t)(part * HF_ROLL_WHOLE / whole);
    ret_options->share = (uint32_t)((part + 1) * HF_ROLL_WHOLE / whole) - ret_options->offset;
    return HF_OK;
}

static int enactor(const struct hf_invocation *invocation)
{
    struct hf_enact_options options = {.name = hf_option_value(invocation, "name")};
    const char *offset = hf_option_value(invocation, "offset");
    if (options.name == NULL) {
        return hf_command_misuse(invocation, "--name is missing: every enactor of an installation "
                                             "has a name of its own");
    }
    if (hf_label_check(options.name) != HF_OK) {
        return hf_command_misuse(
            invocation, "--name: found %s, expected up to %d of a-z, 0-9 and inner hyphens",
            options.name, HF_WRITER_MAX);
    }
    if (offset != NULL && parse_offset(offset, &options) != HF_OK) {
        return hf_command_misuse(invocation,
                                 "--offset: found %s, expected I/N with I below N <= %d", offset,
                                 HF_CONFIG_ENACTORS_MAX);
    }
    return hf_role_loop(invocation, options.name, false, run_enactor, &options);
}

static const struct hf_option options[] = {
    {.name = "name", .argument = "NAME", .help = "Its name, unique in the installation"},
    {.name = "offset",
     .argument = "I/N",
     .help = "Which share of a rollout it writes first: I of N among its enactors (0/1)"},
    {0},
};

const struct hf_command hf_command_enactor = {
    .name = "enactor",
    .group = HF_COMMAND_RUN,
    .arguments = "",
    .summary = "write plans from the store into DNS servers",
    .details = "Runs until SIGINT or SIGTERM; SIGHUP, or a change of the configuration's\n"
               "file, makes it read the configuration again.\n"
               "Run several, on several machines: they need no lock and no leader. Every write\n"
               "is conditional on the fence beside the endpoint, and the DNS server itself\n"
               "refuses one that is not fresh.",
    .options = options,
    .run = enactor,
};
