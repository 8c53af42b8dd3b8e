/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/error.h"
#include "codec/status.h"
#include "holdfast/override.h"
#include "holdfast/remote.h"
#include "io/plan_store.h"

enum { PREFIX_MIN = 8 };

static int approve_held(struct hf_change *change, const char *given)
{
    struct hf_buf json;
    struct hf_arena arena;
    struct hf_planner_status planner;
    hf_buf_init(&json, HF_STATUS_BYTES_MAX);
    hf_arena_init(&arena, HF_STATUS_BYTES_MAX);
    int exit = HF_EXIT_FAILED;
    int error = hf_document_get(change->store, HF_STATUS_PLANNER, &json);
    if (error == HF_OK) {
        error = hf_planner_status_decode(json.bytes, json.size, &arena, &planner);
    }
    if (error != HF_OK) {
        exit = hf_command_fail(change->invocation, "the planner has not said what it holds: %s",
                               hf_strerror(error));
    } else if (planner.held_id[0] == 0) {
        exit = hf_command_fail(change->invocation, "nothing is held: there is nothing to approve");
    } else if (strlen(given) < PREFIX_MIN || strncmp(planner.held_id, given, strlen(given)) != 0) {
        exit = hf_command_fail(change->invocation,
                               "found %s, expected %.16s (or more of it), the plan that is held "
                               "now; look at it with `holdfast status`",
                               given, planner.held_id);
    } else {
        struct hf_override item = hf_change_item(change, HF_OVERRIDE_APPROVE, planner.held_id);
        error = hf_change_set(change, &item);
        exit = error == HF_OK || error == HF_EEXIST
                   ? hf_change_done(change,
                                    "plan %.16s is approved: %u endpoints change now, if it is "
                                    "still the plan that is held",
                                    planner.held_id, planner.held_count)
                   : HF_EXIT_FAILED;
    }
    hf_arena_release(&arena);
    hf_buf_release(&json);
    return exit;
}

static int approve(const struct hf_invocation *invocation)
{
    struct hf_change change;
    int status = hf_change_open(&change, invocation, false);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    status = approve_held(&change, invocation->arguments[0]);
    hf_change_close(&change);
    return status;
}

static const struct hf_option options[] = {HF_OVERRIDE_OPTIONS, {0}};

const struct hf_command hf_command_approve = {
    .name = "approve",
    .group = HF_COMMAND_CHANGE,
    .arguments = "PLAN",
    .summary = "let a held plan pass the guards",
    .details = "PLAN is the held plan's name that `holdfast status` shows, or its first eight or\n"
               "more characters. The approval is for exactly that plan: if what is held has\n"
               "changed meanwhile, it counts for nothing. No approval makes an answer empty.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = approve,
    .remote = hf_remote_change,
};
