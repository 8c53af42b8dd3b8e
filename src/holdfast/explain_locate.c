/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "codec/name.h"
#include "holdfast/explain.h"

bool hf_explain_locate(struct hf_explain *explain)
{
    struct hf_look *look = explain->look;
    bool is_missing = look->store == NULL && strcmp(look->store_state, "missing") == 0;
    uint32_t configured = hf_config_find_endpoint(look->config, explain->owner);
    hf_name_text(explain->owner, explain->name);
    explain->zone = hf_config_zone_of(look->config, explain->owner);
    explain->endpoint = UINT32_MAX;
    explain->kind = configured != UINT32_MAX ? "configured" : "unknown";
    if (!look->has_plan && !is_missing) {
        return configured != UINT32_MAX;
    }
    if (explain->planning == NULL) {
        explain->planning = hf_look_planning(look, NULL);
    }
    uint32_t row = hf_plan_find(&look->plan, explain->owner);
    if (row == UINT32_MAX || row >= explain->planning->row_count) {
        return configured != UINT32_MAX;
    }
    explain->endpoint = explain->planning->row_endpoints[row];
    if (hf_plan_gen(&look->plan, row) != 0) {
        hf_plan_get(&look->plan, row, &explain->published);
        explain->entry = &explain->published;
        bool is_retired = (explain->entry->flags & HF_ROW_RETIRED) != 0;
        explain->kind = is_retired ? "retired" : configured == UINT32_MAX ? "orphan" : "configured";
    }
    return strcmp(explain->kind, "unknown") != 0;
}

void hf_explain_release(struct hf_explain *explain)
{
    hf_planning_free(explain->planning);
    explain->planning = NULL;
}
