/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/override.h"
#include "holdfast/remote.h"
#include "io/plan_store.h"

/* Whether the head plan has the endpoint; 0 or 1, or an error. */
static int is_planned(struct hf_change *change, const char *name)
{
    struct hf_plan plan;
    uint8_t owner[HF_NAME_MAX];
    uint64_t gen;
    hf_plan_init(&plan);
    int error = hf_name_parse(name, owner);
    if (error == HF_OK) {
        error = hf_plan_load(change->store, &plan, NULL, &gen);
    }
    uint32_t row = error == HF_OK ? hf_plan_find(&plan, owner) : UINT32_MAX;
    bool planned = row != UINT32_MAX && hf_plan_gen(&plan, row) != 0;
    hf_plan_release(&plan);
    return error != HF_OK ? error : planned;
}

static int retire_name(struct hf_change *change, const char *argument)
{
    char name[HF_NAME_TEXT_MAX];
    if (hf_change_endpoint(change, argument, name, sizeof(name)) != HF_OK) {
        return HF_EXIT_FAILED;
    }
    int planned = is_planned(change, name);
    if (planned < 0) {
        return hf_command_fail(change->invocation, "%s", hf_store_why(change->store));
    }
    if (planned == 0) {
        return hf_command_fail(change->invocation, "%s is not in the plan: nothing to retire",
                               name);
    }
    struct hf_override item = hf_change_item(change, HF_OVERRIDE_RETIRE, name);
    int error = hf_change_set(change, &item);
    if (error == HF_EEXIST) {
        return hf_change_done(change, "%s was retired already", name);
    }
    if (error != HF_OK) {
        return HF_EXIT_FAILED;
    }
    uint8_t owner[HF_NAME_MAX];
    (void)hf_name_parse(name, owner);
    bool configured = hf_config_find_endpoint(change->config, owner) != UINT32_MAX;
    return hf_change_done(change, "%s is retired: it stops answering%s", name,
                          configured ? "; take it out of the configuration, too, or `adopt` it to "
                                       "create it again"
                                     : "");
}

static int retire(const struct hf_invocation *invocation)
{
    struct hf_change change;
    if (!hf_option_given(invocation, "yes")) {
        return hf_command_misuse(invocation,
                                 "%s stops answering when it is retired; say --yes to mean it",
                                 invocation->arguments[0]);
    }
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    status = retire_name(&change, invocation->arguments[0]);
    hf_change_close(&change);
    return status;
}

static const struct hf_option options[] = {
    HF_OVERRIDE_OPTIONS,
    {.name = "yes", .help = "The name shall stop answering"},
    {0},
};

const struct hf_command hf_command_retire = {
    .name = "retire",
    .group = HF_COMMAND_CHANGE,
    .arguments = "NAME",
    .summary = "stop answering a name, for good",
    .details = "This is the only way in which a name stops answering. Enactors remove its records\n"
               "and leave a tombstone fence, so that no delayed enactor can bring it back; the\n"
               "janitor removes the tombstone later. `adopt NAME` takes the retirement back.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = retire,
    .remote = hf_remote_change,
};
