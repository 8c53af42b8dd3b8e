/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/look.h"

bool hf_look_has_verdicts(const struct hf_look *look)
{
    return look->backends_at_ms != 0 && (look->backends_at_ms >= look->now_ms ||
                                         look->now_ms - look->backends_at_ms <= HF_LOOK_FRESH_MS);
}

enum hf_verdict hf_look_verdict(const struct hf_look *look, const uint8_t *verdicts,
                                uint32_t backend)
{
    const struct hf_config_backend *config = &look->config->backends[backend];
    if (look->config->pools[config->pool].check.type == HF_CHECK_NONE) {
        return HF_VERDICT_UP;
    }
    if (verdicts != NULL) {
        return (enum hf_verdict)verdicts[backend];
    }
    const struct hf_backend_status *row =
        hf_look_has_verdicts(look) ? hf_look_backend(look, config->name) : NULL;
    return row != NULL ? row->verdict : HF_VERDICT_UNKNOWN;
}

static void step(const struct hf_look *look, struct hf_planning *planning,
                 struct hf_planner_event event)
{
    struct hf_planner_outbox outbox;
    hf_planning_step(planning, &event, look->now_ms, &outbox);
}

static void feed_verdicts(const struct hf_look *look, struct hf_planning *planning,
                          const uint8_t *verdicts)
{
    for (uint32_t i = 0; i < look->config->backend_count; i++) {
        step(look, planning,
             (struct hf_planner_event){.type = HF_PLANNER_VERDICT,
                                       .backend = i,
                                       .verdict = (uint8_t)hf_look_verdict(look, verdicts, i)});
    }
}

static uint32_t endpoint_of(const struct hf_planning *planning, const char *name)
{
    uint8_t owner[HF_NAME_MAX];
    if (hf_name_parse(name, owner) != HF_OK) {
        return UINT32_MAX;
    }
    uint32_t row = hf_plan_find(planning->plan, owner);
    return row < planning->row_count ? planning->row_endpoints[row] : UINT32_MAX;
}

/* What enactors ask the planner for, as it would take it. */
static void feed_zone(const struct hf_look *look, struct hf_planning *planning,
                      const struct hf_report_zone *zone)
{
    if (zone->ahead_gen > look->plan.head.gen) {
        step(look, planning,
             (struct hf_planner_event){.type = HF_PLANNER_AHEAD, .gen = zone->ahead_gen});
        return;
    }
    const enum hf_report_list lists[] = {HF_REPORT_STAMP, HF_REPORT_AHEAD};
    const uint64_t gens[] = {zone->floor, zone->plan_gen};
    for (size_t k = 0; k < 2; k++) {
        const struct hf_report_names *names = &zone->lists[lists[k]];
        for (uint32_t i = 0; i < names->count; i++) {
            uint32_t endpoint = endpoint_of(planning, names->names[i]);
            if (endpoint != UINT32_MAX && planning->planner.rows[endpoint].gen <= zone->plan_gen) {
                step(look, planning,
                     (struct hf_planner_event){
                         .type = HF_PLANNER_STAMP, .endpoint = endpoint, .gen = gens[k]});
            }
        }
    }
}

static void feed_reports(const struct hf_look *look, struct hf_planning *planning)
{
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        for (uint32_t k = 0; hf_look_is_alive(look, report->at_ms) && k < report->zone_count; k++) {
            feed_zone(look, planning, &report->zones[k]);
        }
    }
}

/* What is held and was approved passes with the next tick, as in the planner. */
static bool feed_approval(const struct hf_look *look, struct hf_planning *planning)
{
    if (planning->planner.held.count == 0 || look->overrides.count == 0) {
        return false;
    }
    struct hf_buf lines;
    struct hf_digest digest;
    char text[HF_DIGEST_TEXT_SIZE];
    hf_buf_init(&lines, HF_STATUS_BYTES_MAX);
    hf_planning_held(planning, &lines, &digest);
    hf_digest_text(&digest, text);
    hf_buf_release(&lines);
    if (hf_overrides_find(&look->overrides, HF_OVERRIDE_APPROVE, text) == NULL) {
        return false;
    }
    step(look, planning,
         (struct hf_planner_event){.type = HF_PLANNER_APPROVE,
                                   .serial = planning->planner.hold_serial});
    return true;
}

static struct hf_planning *plan_once(struct hf_look *look, const uint8_t *verdicts)
{
    struct hf_planning *planning =
        hf_planning_new(look->config, &look->plan, &look->overrides, NULL, look->now_ms);
    feed_verdicts(look, planning, verdicts);
    feed_reports(look, planning);
    /* As a planner that has run for a while: it waits for no first verdicts any more. */
    planning->planner.start_ms = look->now_ms - HF_FIRST_WAIT_MS;
    planning->planner.rotated_ms = look->now_ms;
    step(look, planning, (struct hf_planner_event){.type = HF_PLANNER_TICK});
    return planning;
}

struct hf_planning *hf_look_planning(struct hf_look *look, const uint8_t *verdicts)
{
    struct hf_planning *planning = plan_once(look, verdicts);
    if (planning->planner.op == 0 && feed_approval(look, planning)) {
        step(look, planning, (struct hf_planner_event){.type = HF_PLANNER_TICK});
    }
    return planning;
}
