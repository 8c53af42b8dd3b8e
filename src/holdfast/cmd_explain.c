/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/explain.h"
#include "holdfast/remote.h"

enum { NEAREST_SHOWN = 3 };

static int refuse_unknown(const struct hf_explain *explain)
{
    const struct hf_invocation *invocation = explain->look->invocation;
    const struct hf_config *config = explain->look->config;
    uint32_t nearest[NEAREST_SHOWN];
    uint32_t count = hf_explain_nearest(config, explain->name, nearest, NEAREST_SHOWN);
    (void)hf_command_fail(invocation, "%s is neither in the configuration nor in the plan%s",
                          explain->name, count > 0 ? "; did you mean" : "");
    for (uint32_t i = 0; i < count; i++) {
        char name[HF_NAME_TEXT_MAX];
        hf_name_text(config->endpoints[nearest[i]].owner, name);
        hf_term_put(&invocation->err, HF_STYLE_NAME, "  %s\n", name);
    }
    return HF_EXIT_FAILED;
}

static int explain_name(struct hf_explain *explain)
{
    if (!hf_explain_locate(explain)) {
        return refuse_unknown(explain);
    }
    hf_explain_ask(explain, 0);
    hf_explain_step(explain);
    if (explain->look->invocation->json) {
        return hf_explain_show_json(explain);
    }
    hf_explain_show(explain);
    return HF_EXIT_DONE;
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_explain *explain = calloc(1, sizeof(*explain));
    if (explain == NULL) {
        abort();
    }
    int exit = HF_EXIT_FAILED;
    if (hf_name_parse(invocation->arguments[0], explain->owner) != HF_OK) {
        exit = hf_command_misuse(invocation, "%s is no domain name", invocation->arguments[0]);
    } else if (hf_look_open(invocation, &explain->look) == HF_EXIT_DONE) {
        exit = explain_name(explain);
        hf_explain_release(explain);
        hf_look_close(explain->look);
    }
    free(explain);
    return exit;
}

const struct hf_command hf_command_explain = {
    .name = "explain",
    .group = HF_COMMAND_LOOK,
    .arguments = "NAME",
    .summary = "why a name answers what it answers",
    .details = "Asks the zone's DNS server what NAME answers now and which generation that is,\n"
               "compares it with the plan, and says which step is missing where they differ.\n"
               "For each backend it says why it is in or out, by the planner's own code: its\n"
               "verdict, who drained it, which guard holds it. Nothing is written.",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
    .remote = hf_remote_explain,
};
