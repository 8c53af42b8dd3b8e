/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/history.h"
#include "holdfast/plan_check.h"
#include "holdfast/plan_show.h"

enum { SHOWN_DEFAULT = 100, SHOWN_MAX = 10000000 };

/* Verdicts of this run's own checks; NULL without --check. */
static int check_backends(struct hf_look *look, uint8_t **ret_verdicts)
{
    const struct hf_invocation *invocation = look->invocation;
    char why[HF_LOOK_SENTENCE_MAX] = "";
    *ret_verdicts = NULL;
    if (!hf_option_given(invocation, "check")) {
        return HF_EXIT_DONE;
    }
    uint8_t *verdicts = calloc(look->config->backend_count + 1U, sizeof(*verdicts));
    if (verdicts == NULL) {
        abort();
    }
    if (invocation->err.colour) {
        hf_term_put(&invocation->err, HF_STYLE_DIM, "checking %u backends ...\n",
                    look->config->backend_count);
    }
    if (hf_plan_check(look->config, verdicts, why, sizeof(why)) != HF_OK) {
        free(verdicts);
        return hf_command_fail(invocation, "%s", why);
    }
    *ret_verdicts = verdicts;
    return HF_EXIT_DONE;
}

static int show(struct hf_look *look, const struct hf_plan_shown *shown)
{
    const struct hf_invocation *invocation = look->invocation;
    int exit = HF_EXIT_DONE;
    if (invocation->json) {
        exit = hf_plan_show_json(look, shown);
    } else {
        hf_plan_show_text(look, shown);
    }
    bool waits = hf_plan_diff_changes(shown->diff) > 0 || shown->diff->hold_count > 0;
    if (exit == HF_EXIT_DONE && waits && hf_option_given(invocation, "exit-code")) {
        return HF_EXIT_CHANGES;
    }
    return exit;
}

static int plan(struct hf_look *look, uint64_t max)
{
    uint8_t *verdicts = NULL;
    if (!hf_plan_is_readable(look)) {
        hf_look_put_problems(look);
        return HF_EXIT_FAILED;
    }
    if (check_backends(look, &verdicts) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    struct hf_plan_diff diff;
    struct hf_plan_shown shown = {.diff = &diff, .max = max, .json_max = UINT32_MAX};
    hf_plan_count_verdicts(look, verdicts, &shown.verdicts);
    int error = hf_plan_diff_make(look, verdicts, &diff);
    free(verdicts);
    if (error != HF_OK) {
        return hf_command_fail(look->invocation, "an answer would not fit: %s", hf_strerror(error));
    }
    int exit = show(look, &shown);
    hf_plan_diff_release(&diff);
    return exit;
}

static int run(const struct hf_invocation *invocation)
{
    uint64_t max = SHOWN_DEFAULT;
    struct hf_look *look;
    if (hf_option_number(invocation, "max", 1, SHOWN_MAX, &max) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    if (hf_look_open(invocation, &look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    int exit = plan(look, max);
    hf_look_close(look);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "check", .help = "Check every backend now, and plan with what that says"},
    {.name = "exit-code", .help = "Exit status 3 where changes wait"},
    {.name = "max", .letter = 'n', .argument = "N", .help = "How many endpoints to show (100)"},
    {0},
};

const struct hf_command hf_command_plan = {
    .name = "plan",
    .group = HF_COMMAND_LOOK,
    .arguments = "",
    .summary = "what would change and why; writes nothing",
    .details = "Shows what the planner would publish if it ran now with this configuration:\n"
               "+ an address or endpoint that is added, - one that leaves, ~ one that changes,\n"
               "and what the guards would hold back. It runs the planner's own code on the head\n"
               "plan, the overrides and the verdicts that the planner told last; where there is\n"
               "no store yet, everything is a creation. Nothing is written, no DNS server is\n"
               "asked.\n\n"
               "Rotations of weighted answers are shown, and do not count as changes.",
    .options = options,
    .run = run,
};
