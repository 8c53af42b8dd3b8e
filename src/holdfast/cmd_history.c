/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/actions.h"
#include "holdfast/history.h"
#include "holdfast/look.h"
#include "holdfast/remote.h"

enum { MAX_DEFAULT = 20, MAX_MAX = 1000000 };

static int show(struct hf_look *look, struct hf_history *history)
{
    if (look->invocation->json) {
        struct hf_look_json output;
        hf_look_json_begin(look, &output);
        hf_history_put_json(history, &output.json);
        return hf_look_json_end(look, &output);
    }
    if (history->name != NULL && history->change_count == 0) {
        return hf_command_fail(look->invocation, "%s is in no plan that is kept", history->name);
    }
    hf_history_show(look, &look->invocation->out, history);
    return HF_EXIT_DONE;
}

static int show_actions(struct hf_look *look, uint32_t max)
{
    const struct hf_invocation *invocation = look->invocation;
    const struct hf_actions_query query = {.max = max};
    struct hf_actions actions;
    if (hf_actions_load(look->store, &query, &actions) != HF_OK) {
        return hf_command_fail(invocation, "%s", hf_store_why(look->store));
    }
    int exit = HF_EXIT_DONE;
    if (invocation->json) {
        struct hf_look_json output;
        hf_look_json_begin(look, &output);
        hf_actions_put_json(&actions, &output.json);
        exit = hf_look_json_end(look, &output);
    } else {
        hf_actions_show(look, &invocation->out, &actions);
    }
    hf_actions_release(&actions);
    return exit;
}

static int run(const struct hf_invocation *invocation)
{
    uint64_t max = MAX_DEFAULT;
    uint8_t owner[HF_NAME_MAX];
    bool has_name = invocation->argument_count > 0;
    bool wants_actions = hf_option_given(invocation, "actions");
    if (has_name && wants_actions) {
        return hf_command_misuse(invocation, "expected either NAME or --actions");
    }
    if (hf_option_number(invocation, "max", 1, MAX_MAX, &max) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    if (has_name && hf_name_parse(invocation->arguments[0], owner) != HF_OK) {
        return hf_command_misuse(invocation, "%s is no domain name", invocation->arguments[0]);
    }
    struct hf_look *look;
    if (hf_look_open(invocation, &look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    int exit = HF_EXIT_FAILED;
    struct hf_history history;
    if (look->store == NULL) {
        hf_look_put_problems(look);
    } else if (wants_actions) {
        exit = show_actions(look, (uint32_t)max);
    } else if (hf_history_load(look, has_name ? owner : NULL, 0, (uint32_t)max, &history) !=
               HF_OK) {
        (void)hf_command_fail(invocation, "%s", hf_store_why(look->store));
    } else {
        exit = show(look, &history);
        hf_history_release(&history);
    }
    hf_look_close(look);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "max", .letter = 'n', .argument = "N", .help = "How many, newest first (20)"},
    {.name = "actions", .help = "What operators did, instead of plans"},
    {0},
};

const struct hf_command hf_command_history = {
    .name = "history",
    .group = HF_COMMAND_LOOK,
    .arguments = "[NAME]",
    .summary = "plans, or one endpoint's changes, with causes",
    .details = "Without a name: the plans that are kept, newest first. With the name of an\n"
               "endpoint: what changed in its answer, when and why; + is an address that was\n"
               "added, - one that was removed. The janitor deletes old plans (janitor.retention).\n"
               "With --actions: what operators did in the last 90 days, who and why.",
    .options = options,
    .arguments_max = 1,
    .run = run,
    .remote = hf_remote_history,
};
