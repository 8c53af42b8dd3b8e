/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"
#include "holdfast/incidents.h"
#include "holdfast/remote.h"
#include "holdfast/status.h"

static void mark_incidents(struct hf_status *status)
{
    struct hf_incidents incidents;
    hf_incidents_init(&incidents);
    if (status->look->store != NULL &&
        hf_incidents_load(&incidents, status->look->store) == HF_OK) {
        hf_incidents_mark(&incidents.log, status);
    }
    hf_incidents_release(&incidents);
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_look *look;
    if (hf_look_open(invocation, &look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    struct hf_status status = {.look = look};
    int exit = HF_EXIT_DONE;
    hf_status_count(&status);
    hf_status_alerts(&status);
    mark_incidents(&status);
    if (invocation->json) {
        exit = hf_status_show_json(&status);
    } else {
        hf_status_show(&status);
    }
    if (hf_option_given(invocation, "exit-code") && hf_status_urgent(&status) > 0) {
        exit = HF_EXIT_FAILED;
    }
    hf_status_release(&status);
    hf_look_close(look);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "exit-code", .help = "Exit status 1 where something needs a person"},
    {0},
};

const struct hf_command hf_command_status = {
    .name = "status",
    .group = HF_COMMAND_LOOK,
    .arguments = "",
    .summary = "one screen: plan, roles, zones, endpoints, and what needs a person",
    .details = "Says first what needs a person, most urgent first, with the command that helps;\n"
               "then the head plan, each role and its last sign of life, each zone as each\n"
               "enactor sees it, endpoints and backends by state. Where the store is missing,\n"
               "locked or damaged it says so and shows what it can. Nothing is written.",
    .options = options,
    .run = run,
    .remote = hf_remote_status,
};
