/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/explain.h"

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

/* Finds the name in configuration and plan. */
static void locate(struct hf_explain *explain)
{
    struct hf_look *look = explain->look;
    bool is_missing = look->store == NULL && strcmp(look->store_state, "missing") == 0;
    uint32_t configured = hf_config_find_endpoint(look->config, explain->owner);
    explain->zone = hf_config_zone_of(look->config, explain->owner);
    explain->endpoint = UINT32_MAX;
    explain->kind = configured != UINT32_MAX ? "configured" : "unknown";
    if (!look->has_plan && !is_missing) {
        return;
    }
    explain->planning = hf_look_planning(look, NULL);
    uint32_t row = hf_plan_find(&look->plan, explain->owner);
    if (row == UINT32_MAX || row >= explain->planning->row_count) {
        return;
    }
    explain->endpoint = explain->planning->row_endpoints[row];
    if (hf_plan_gen(&look->plan, row) != 0) {
        hf_plan_get(&look->plan, row, &explain->published);
        explain->entry = &explain->published;
        bool is_retired = (explain->entry->flags & HF_ROW_RETIRED) != 0;
        explain->kind = is_retired ? "retired" : configured == UINT32_MAX ? "orphan" : "configured";
    }
}

static int explain_name(struct hf_explain *explain)
{
    locate(explain);
    if (strcmp(explain->kind, "unknown") == 0) {
        return refuse_unknown(explain);
    }
    hf_explain_ask(explain);
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
        hf_name_text(explain->owner, explain->name);
        exit = explain_name(explain);
        hf_planning_free(explain->planning);
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
};
