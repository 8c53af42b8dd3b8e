/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "codec/name.h"
#include "holdfast/status.h"

const struct hf_report_zone *hf_status_zone(const struct hf_look *look, const char *zone)
{
    const struct hf_report_zone *best = NULL;
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *row =
            hf_look_is_alive(look, report->at_ms) ? hf_look_zone(report, zone) : NULL;
        if (row == NULL) {
            continue;
        }
        bool is_further = best == NULL || row->plan_gen > best->plan_gen ||
                          (row->plan_gen == best->plan_gen && row->in_step > best->in_step);
        best = is_further ? row : best;
    }
    return best;
}

static void count_plan(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    struct hf_status_counts *counts = &status->counts;
    for (uint32_t i = 0; i < look->plan.entry_count; i++) {
        struct hf_plan_entry entry;
        hf_plan_get(&look->plan, i, &entry);
        if (entry.gen == 0) {
            continue;
        }
        if ((entry.flags & HF_ROW_RETIRED) != 0) {
            counts->retired++;
            continue;
        }
        counts->planned++;
        counts->pinned += (entry.flags & HF_ROW_PINNED) != 0;
        counts->orphans += hf_config_find_endpoint(look->config, entry.owner) == UINT32_MAX;
    }
}

static void count_zones(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    struct hf_status_counts *counts = &status->counts;
    for (uint32_t i = 0; i < look->config->zone_count; i++) {
        const struct hf_report_zone *zone = hf_status_zone(look, look->config->zones[i].name);
        if (zone == NULL) {
            continue;
        }
        counts->in_step += zone->in_step;
        counts->behind += zone->behind;
        counts->contested += zone->lists[HF_REPORT_CONTESTED].total;
        counts->foreign += zone->lists[HF_REPORT_FOREIGN].total;
        counts->frozen += strcmp(zone->state, "frozen") == 0 ? zone->endpoints : 0;
    }
}

void hf_status_count(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    struct hf_status_counts *counts = &status->counts;
    count_plan(status);
    count_zones(status);
    counts->held = look->has_planner ? look->planner.held_count : 0;
    counts->backends = look->config->backend_count;
    for (uint32_t i = 0; i < look->config->backend_count; i++) {
        const struct hf_backend_status *row = hf_look_backend(look, look->config->backends[i].name);
        counts->up += row != NULL && row->verdict == HF_VERDICT_UP;
        counts->down += row != NULL && row->verdict == HF_VERDICT_DOWN;
        counts->unknown += row == NULL || row->verdict == HF_VERDICT_UNKNOWN;
        counts->drained += row != NULL && row->drained;
    }
}

bool hf_held_next(const char **at, struct hf_held_line *ret_line)
{
    size_t size = strcspn(*at, "\n");
    if (size == 0 || (*at)[size] == 0) {
        return false; /* the end, or a line that was cut off */
    }
    const char *line = *at;
    size_t name = strcspn(line, " \n");
    const char *guard = line + name + (line[name] == ' ');
    size_t guard_size = strcspn(guard, " \n");
    const char *members = guard + guard_size + (guard[guard_size] == ' ');
    *ret_line = (struct hf_held_line){.name = line,
                                      .guard = guard,
                                      .members = members,
                                      .name_size = (int)name,
                                      .guard_size = (int)guard_size,
                                      .members_size = (int)(line + size - members)};
    *at = line + size + 1;
    return true;
}
