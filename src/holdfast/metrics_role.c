/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples about roles, and about zones as each enactor sees them. */
#include <string.h>

#include "holdfast/metrics_internal.h"

/* --- roles: planner, janitor, each enactor --- */

static void put_role(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                     const char *name, const char *enactor, const struct hf_metrics_role *role)
{
    const struct hf_exposition_label labels[] = {{"role", name}, {"enactor", enactor}};
    hf_exposition_put(&scene->exposition, labels, 2, hf_metrics_u64(role, row->member),
                      row->decimals);
}

void hf_metrics_put_roles(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    const struct hf_look *look = scene->look;
    if (look->has_planner) {
        struct hf_metrics_role role = {hf_look_is_alive(look, look->planner.at_ms),
                                       look->planner.at_ms, look->planner.started_ms,
                                       look->planner.trouble[0] != 0};
        put_role(scene, row, "planner", "", &role);
    }
    if (look->has_janitor) {
        struct hf_metrics_role role = {hf_look_janitor_is_alive(look), look->janitor.at_ms,
                                       look->janitor.started_ms, look->janitor.trouble[0] != 0};
        put_role(scene, row, "janitor", "", &role);
    }
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        struct hf_metrics_role role = {hf_look_is_alive(look, report->at_ms), report->at_ms,
                                       report->started_ms, report->trouble[0] != 0};
        put_role(scene, row, "enactor", report->enactor, &role);
    }
}

void hf_metrics_put_planner(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->look->has_planner) {
        hf_metrics_plain(scene, hf_metrics_u64(&scene->look->planner, row->member), row->decimals);
    }
}

void hf_metrics_put_planner_frozen(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    (void)row;
    if (scene->look->has_planner) {
        hf_metrics_plain(scene, scene->look->planner.frozen, 0);
    }
}

void hf_metrics_put_planner_stopped(struct hf_metrics_scene *scene,
                                    const struct hf_metrics_row *row)
{
    (void)row;
    if (scene->look->has_planner) {
        hf_metrics_plain(scene, scene->look->planner.stopped, 0);
    }
}

void hf_metrics_put_janitor(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    if (scene->look->has_janitor) {
        hf_metrics_plain(scene, hf_metrics_u64(&scene->look->janitor, row->member), row->decimals);
    }
}

/* --- zones, as each enactor reports them --- */

typedef void put_zone_row(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                          const struct hf_report_zone *zone, struct hf_exposition_label labels[4]);

/* labels: enactor, zone, target, and one more for put to fill in. */
static void each_zone(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                      put_zone_row *put)
{
    const struct hf_reports *reports = &scene->look->reports;
    uint32_t left = HF_METRICS_ZONE_ROWS_MAX;
    for (uint32_t i = 0; i < reports->count; i++) {
        const struct hf_report *report = &reports->rows[i];
        for (uint32_t k = 0; k < report->zone_count && left > 0; k++, left--) {
            const struct hf_report_zone *zone = &report->zones[k];
            struct hf_exposition_label labels[4] = {
                {"enactor", report->enactor},
                {"zone", zone->zone},
                {"target", hf_look_target(scene->look, zone->zone)},
            };
            put(scene, row, zone, labels);
        }
    }
}

static void put_zone_state(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                           const struct hf_report_zone *zone, struct hf_exposition_label labels[4])
{
    static const char *const states[] = {"open", "frozen", "refused", "unreachable", "starting"};
    (void)row;
    labels[3].name = "state";
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        labels[3].value = states[i];
        hf_exposition_put(&scene->exposition, labels, 4, strcmp(states[i], zone->state) == 0, 0);
    }
}

static void put_zone_list(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                          const struct hf_report_zone *zone, struct hf_exposition_label labels[4])
{
    (void)row;
    labels[3].name = "list";
    for (int i = 0; i < HF_REPORT_LISTS; i++) {
        labels[3].value = hf_report_list_name((enum hf_report_list)i);
        hf_exposition_put(&scene->exposition, labels, 4, zone->lists[i].total, 0);
    }
}

static void put_zone_u64(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                         const struct hf_report_zone *zone, struct hf_exposition_label labels[4])
{
    hf_exposition_put(&scene->exposition, labels, 3, hf_metrics_u64(zone, row->member),
                      row->decimals);
}

static void put_zone_u32(struct hf_metrics_scene *scene, const struct hf_metrics_row *row,
                         const struct hf_report_zone *zone, struct hf_exposition_label labels[4])
{
    hf_exposition_put(&scene->exposition, labels, 3, hf_metrics_u32(zone, row->member), 0);
}

void hf_metrics_put_zone_states(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_zone(scene, row, put_zone_state);
}

void hf_metrics_put_zone_lists(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_zone(scene, row, put_zone_list);
}

void hf_metrics_put_zones_u64(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_zone(scene, row, put_zone_u64);
}

void hf_metrics_put_zones_u32(struct hf_metrics_scene *scene, const struct hf_metrics_row *row)
{
    each_zone(scene, row, put_zone_u32);
}
