/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/json_in.h"
#include "holdfast/api.h"

void hf_api_heads_refresh(struct hf_api_heads *heads, const struct hf_plan_head *head)
{
    uint32_t last = (heads->count + HF_API_HEADS_MAX - 1) % HF_API_HEADS_MAX;
    if (head->gen == 0 || (heads->count > 0 && heads->gens[last] == head->gen)) {
        return;
    }
    uint32_t at = heads->count++ % HF_API_HEADS_MAX;
    heads->gens[at] = head->gen;
    heads->created_ms[at] = head->created_ms;
}

void hf_api_lag(const struct hf_look *look, const struct hf_api_heads *heads,
                const struct hf_report *report, struct hf_api_lag *ret_lag)
{
    struct hf_api_lag lag = {.plan_gen = look->plan.head.gen};
    for (uint32_t i = 0; i < report->zone_count; i++) {
        const struct hf_report_zone *zone = &report->zones[i];
        lag.plan_gen = zone->plan_gen < lag.plan_gen ? zone->plan_gen : lag.plan_gen;
        lag.behind += zone->behind;
    }
    lag.generations = look->plan.head.gen - lag.plan_gen;
    /* The oldest that is known of those that it lacks. */
    uint64_t since_ms = UINT64_MAX;
    for (uint32_t i = 0; i < heads->count && i < HF_API_HEADS_MAX; i++) {
        if (heads->gens[i] > lag.plan_gen && heads->created_ms[i] < since_ms) {
            since_ms = heads->created_ms[i];
        }
    }
    lag.lag_ms = lag.generations > 0 && since_ms < look->now_ms ? look->now_ms - since_ms : 0;
    *ret_lag = lag;
}

void hf_api_lag_put_json(const struct hf_api_lag *lag, struct hf_json *json)
{
    hf_json_put_number(json, "plan_generation", lag->plan_gen);
    hf_json_put_u64(json, "behind", lag->behind);
    hf_json_put_u64(json, "lag_generations", lag->generations);
    hf_json_put_u64(json, "lag_ms", lag->lag_ms);
}
