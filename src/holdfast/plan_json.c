/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "holdfast/history.h"
#include "holdfast/plan_show.h"

struct address_context {
    const struct hf_plan *plan;
    const struct hf_plan_entry *entry;
    struct hf_json *json;
    char sign;
};

static void put_address(void *context, char sign, const uint8_t *bytes, size_t size)
{
    const struct address_context *put = context;
    char text[HF_LOOK_ADDRESS_MAX];
    if (sign != put->sign) {
        return;
    }
    hf_look_address(bytes, size, text);
    hf_json_object(put->json);
    hf_json_put_text(put->json, "address", text);
    hf_json_put_text(put->json, "backend",
                     hf_plan_diff_backend(put->plan, put->entry, bytes, size));
    hf_json_object_end(put->json);
}

static void put_addresses(const struct hf_plan_images *images, struct hf_json *json,
                          const char *key, char sign, const struct hf_plan_difference *row)
{
    bool is_before = sign == '-';
    struct address_context put = {.plan = is_before ? images->before : images->after,
                                  .entry = is_before ? &row->before : &row->after,
                                  .json = json,
                                  .sign = sign};
    hf_json_key(json, key);
    hf_json_array(json);
    hf_history_compare(&row->before.records, &row->after.records, put_address, &put);
    hf_json_array_end(json);
}

static void put_ttl(struct hf_json *json, const char *key, const struct hf_plan_entry *entry)
{
    if (entry->gen == 0) {
        hf_json_put_null(json, key);
    } else {
        hf_json_put_u64(json, key, entry->records.ttl_s);
    }
}

void hf_plan_put_difference(const struct hf_plan_images *images,
                            const struct hf_plan_difference *row, struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_text(json, "endpoint", row->name);
    hf_json_put_text(json, "action", hf_plan_action_name(row->action));
    hf_json_put_text(json, "cause", hf_cause_name(row->cause));
    hf_json_put_text(json, "backend", row->backend);
    put_ttl(json, "ttl_before_s", &row->before);
    put_ttl(json, "ttl_s", &row->after);
    put_addresses(images, json, "added", '+', row);
    put_addresses(images, json, "removed", '-', row);
    put_addresses(images, json, "kept", ' ', row);
    hf_json_object_end(json);
}

static void put_changes(const struct hf_look *look, const struct hf_plan_diff *diff, uint32_t max,
                        struct hf_json *json)
{
    const struct hf_plan_images images = {.before = &look->plan, .after = &look->plan};
    hf_json_key(json, "changes");
    hf_json_array(json);
    for (uint32_t i = 0; i < diff->row_count && i < max; i++) {
        hf_plan_put_difference(&images, &diff->rows[i], json);
    }
    hf_json_array_end(json);
}

static void put_members(struct hf_json *json, const char *key, enum hf_reason wanted,
                        const struct hf_plan_diff *diff, uint32_t endpoint)
{
    struct hf_planner_entry now;
    hf_planner_now(&diff->planning->planner, endpoint, &now);
    hf_json_key(json, key);
    hf_json_array(json);
    for (uint32_t i = 0; i < now.member_count; i++) {
        if (hf_planner_reason(&diff->planning->planner, endpoint, i) == wanted) {
            hf_json_text(json, hf_planning_backend_name(diff->planning, now.members[i]));
        }
    }
    hf_json_array_end(json);
}

static void put_held(const struct hf_plan_diff *diff, struct hf_json *json)
{
    hf_json_key(json, "held");
    if (diff->hold_count == 0) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_text(json, "id", diff->held_id);
    hf_json_key(json, "endpoints");
    hf_json_array(json);
    for (uint32_t i = 0; i < diff->hold_count; i++) {
        const struct hf_plan_hold *hold = &diff->holds[i];
        hf_json_object(json);
        hf_json_put_text(json, "endpoint", hold->name);
        hf_json_put_text(json, "guard", hf_hold_name(hold->hold));
        hf_look_json_time(json, "until_ms", hold->until_ms);
        put_members(json, "leaving", HF_REASON_IN_HELD, diff, hold->endpoint);
        put_members(json, "entering", HF_REASON_OUT_PENDING, diff, hold->endpoint);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

void hf_plan_count_verdicts(const struct hf_look *look, const uint8_t *verdicts,
                            struct hf_plan_verdicts *ret_counts)
{
    bool is_fresh = hf_look_has_verdicts(look);
    *ret_counts = (struct hf_plan_verdicts){.source = verdicts != NULL ? "checks"
                                                      : is_fresh       ? "planner"
                                                                       : "none",
                                            .at_ms = verdicts != NULL ? look->now_ms
                                                     : is_fresh       ? look->backends_at_ms
                                                                      : 0};
    for (uint32_t i = 0; i < look->config->backend_count; i++) {
        enum hf_verdict verdict = hf_look_verdict(look, verdicts, i);
        ret_counts->up += verdict == HF_VERDICT_UP;
        ret_counts->down += verdict == HF_VERDICT_DOWN;
        ret_counts->unknown += verdict == HF_VERDICT_UNKNOWN;
    }
}

bool hf_plan_is_readable(const struct hf_look *look)
{
    bool is_missing = look->store == NULL && strcmp(look->store_state, "missing") == 0;
    return is_missing || (look->has_plan && look->has_overrides);
}

static void put_verdicts(const struct hf_plan_verdicts *verdicts, struct hf_json *json)
{
    hf_json_key(json, "verdicts");
    hf_json_object(json);
    hf_json_put_text(json, "source", verdicts->source);
    hf_look_json_time(json, "at_ms", verdicts->at_ms);
    hf_json_put_u64(json, "up", verdicts->up);
    hf_json_put_u64(json, "down", verdicts->down);
    hf_json_put_u64(json, "unknown", verdicts->unknown);
    hf_json_object_end(json);
}

static void put_summary(const struct hf_plan_diff *diff, struct hf_json *json)
{
    hf_json_key(json, "summary");
    hf_json_object(json);
    for (int i = 0; i < HF_PLAN_ACTIONS; i++) {
        hf_json_put_u64(json, hf_plan_action_name((enum hf_plan_action)i), diff->counts[i]);
    }
    hf_json_put_u64(json, "held", diff->hold_count);
    hf_json_put_u64(json, "orphans", diff->orphan_count);
    hf_json_object_end(json);
}

void hf_plan_put_json(const struct hf_look *look, const struct hf_plan_shown *shown,
                      struct hf_json *json)
{
    const struct hf_plan_diff *diff = shown->diff;
    hf_json_put_text(json, "store", look->store_state);
    hf_json_put_u64(json, "head_generation", diff->head_gen);
    hf_json_put_u64(json, "next_generation", diff->next_gen);
    hf_json_put_bool(json, "frozen",
                     hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*") != NULL);
    put_verdicts(&shown->verdicts, json);
    put_changes(look, diff, shown->json_max, json);
    put_held(diff, json);
    hf_json_key(json, "orphans");
    hf_json_array(json);
    for (uint32_t i = 0; i < diff->orphan_count; i++) {
        hf_json_text(json, diff->orphans[i]);
    }
    hf_json_array_end(json);
    put_summary(diff, json);
}

int hf_plan_show_json(const struct hf_look *look, const struct hf_plan_shown *shown)
{
    struct hf_look_json output;
    hf_look_json_begin(look, &output);
    hf_plan_put_json(look, shown, &output.json);
    return hf_look_json_end(look, &output);
}
