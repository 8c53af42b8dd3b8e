/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields are documented in docs/reference/output.md. */
#include <stdio.h>

#include "holdfast/history.h"

void hf_history_put_plan(const struct hf_history_plan *plan, struct hf_json *json)
{
    hf_json_put_u64(json, "generation", plan->gen);
    hf_json_put_u64(json, "created_ms", plan->created_ms);
    hf_json_put_text(json, "planner", plan->planner);
    hf_json_put_bool(json, "snapshot", plan->snapshot);
    hf_json_put_u64(json, "endpoints_changed", plan->changed);
    hf_json_put_u64(json, "endpoints_marked", plan->marked);
    hf_json_key(json, "causes");
    hf_json_array(json);
    for (uint32_t k = 0; k < plan->cause_count; k++) {
        hf_json_object(json);
        hf_json_put_text(json, "cause", hf_cause_name(plan->causes[k].cause));
        hf_json_put_text(json, "backend", plan->causes[k].backend);
        hf_json_put_u64(json, "endpoints", plan->causes[k].count);
        hf_json_put_u64(json, "serves", plan->causes[k].serves);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void json_plans(const struct hf_history *history, struct hf_json *json)
{
    hf_json_key(json, "plans");
    hf_json_array(json);
    for (uint32_t i = 0; i < history->plan_count; i++) {
        hf_json_object(json);
        hf_history_put_plan(&history->plans[i], json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void json_difference(void *context, char sign, const uint8_t *bytes, size_t size)
{
    struct hf_history_signs *wanted = context;
    char text[HF_LOOK_ADDRESS_MAX];
    if (sign == wanted->sign) {
        hf_look_address(bytes, size, text);
        hf_json_text(wanted->json, text);
    }
}

static void json_signs(struct hf_json *json, const char *key, char sign,
                       const struct hf_records *before, const struct hf_records *after)
{
    struct hf_history_signs wanted = {.json = json, .sign = sign};
    hf_json_key(json, key);
    if (before == NULL) {
        hf_json_null(json);
        return;
    }
    hf_json_array(json);
    hf_history_compare(before, after, json_difference, &wanted);
    hf_json_array_end(json);
}

static void json_changes(const struct hf_history *history, struct hf_json *json)
{
    hf_json_key(json, "changes");
    hf_json_array(json);
    for (uint32_t i = 0; i < history->change_count && i < history->max; i++) {
        const struct hf_history_change *change = &history->changes[i];
        bool has_before = i + 1 < history->change_count;
        bool is_new = change->cause == HF_CAUSE_CREATED || change->cause == HF_CAUSE_RECREATED;
        const struct hf_records none = {.ttl_s = change->records.ttl_s};
        const struct hf_records *before = is_new       ? &none
                                          : has_before ? &history->changes[i + 1].records
                                                       : NULL;
        hf_json_object(json);
        hf_json_put_u64(json, "generation", change->gen);
        hf_json_put_u64(json, "changed_ms", change->changed_ms);
        hf_json_put_text(json, "cause", change->is_removed ? "left" : hf_cause_name(change->cause));
        hf_json_put_text(json, "backend", change->backend);
        hf_json_put_u64(json, "ttl_s", change->records.ttl_s);
        hf_look_json_records(json, "addresses", &change->records);
        json_signs(json, "added", '+', before, &change->records);
        json_signs(json, "removed", '-', before, &change->records);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

/* Where the plans go on: those below the last of these. */
static void put_next(const struct hf_history *history, struct hf_json *json)
{
    if (history->is_complete || history->plan_count == 0) {
        hf_json_put_null(json, "next");
        return;
    }
    char next[24];
    uint64_t last = history->plans[history->plan_count - 1].gen;
    (void)snprintf(next, sizeof(next), "%llu", (unsigned long long)last);
    hf_json_put_text(json, "next", next);
}

void hf_history_put_json(const struct hf_history *history, struct hf_json *json)
{
    hf_json_put_text(json, "endpoint", history->name);
    hf_json_put_bool(json, "complete",
                     history->is_complete && history->change_count <= history->max);
    if (history->name != NULL) {
        json_changes(history, json);
    } else {
        json_plans(history, json);
        put_next(history, json);
    }
}
