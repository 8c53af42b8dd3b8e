/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields are documented in docs/reference/output.md. */
#include <string.h>

#include "codec/json_in.h"
#include "holdfast/status.h"

static void put_alerts(const struct hf_status *status, struct hf_json *json)
{
    hf_json_key(json, "alerts");
    hf_json_array(json);
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        hf_json_object(json);
        hf_json_put_text(json, "severity", hf_severity_name(alert->severity));
        hf_json_put_text(json, "code", alert->code);
        hf_json_put_text(json, "subject", alert->subject);
        hf_json_put_text(json, "text", alert->text);
        hf_json_put_text(json, "command", alert->command);
        hf_json_key(json, "incident");
        if (alert->incident != 0) {
            hf_json_u64(json, alert->incident);
        } else {
            hf_json_null(json);
        }
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_put_u64(json, "alerts_dropped", status->alerts_dropped);
}

static void put_head(const struct hf_look *look, struct hf_json *json)
{
    hf_json_key(json, "head");
    if (!look->has_plan || look->plan.head.gen == 0) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_u64(json, "generation", look->plan.head.gen);
    hf_json_put_u64(json, "created_ms", look->plan.head.created_ms);
    hf_json_put_text(json, "planner", look->plan.head.planner);
    hf_json_object_end(json);
}

static void put_held(const struct hf_planner_status *planner, struct hf_json *json)
{
    struct hf_held_line line;
    const char *at = planner->held_lines;
    hf_json_key(json, "held");
    if (planner->held_count == 0) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_text(json, "id", planner->held_id);
    hf_json_put_u64(json, "count", planner->held_count);
    hf_json_key(json, "endpoints");
    hf_json_array(json);
    while (hf_held_next(&at, &line)) {
        hf_json_object(json);
        hf_json_key(json, "endpoint");
        hf_json_bytes(json, line.name, (size_t)line.name_size);
        hf_json_key(json, "guard");
        hf_json_bytes(json, line.guard, (size_t)line.guard_size);
        hf_json_key(json, "members");
        hf_json_bytes(json, line.members, (size_t)line.members_size);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
    hf_json_object_end(json);
}

static void put_planner(const struct hf_look *look, struct hf_json *json)
{
    const struct hf_planner_status *planner = &look->planner;
    hf_json_key(json, "planner");
    if (!look->has_planner) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_text(json, "name", planner->planner);
    hf_json_put_bool(json, "alive", hf_look_is_alive(look, planner->at_ms));
    hf_json_put_i64(json, "pid", planner->pid);
    hf_json_put_u64(json, "seen_ms", planner->at_ms);
    hf_json_put_u64(json, "started_ms", planner->started_ms);
    hf_json_put_u64(json, "head_generation", planner->head_gen);
    hf_json_put_u64(json, "published", planner->published);
    hf_json_put_bool(json, "frozen", planner->frozen);
    hf_json_put_bool(json, "stopped", planner->stopped);
    hf_json_put_text(json, "trouble", planner->trouble);
    put_held(planner, json);
    hf_json_object_end(json);
}

static void put_janitor(const struct hf_look *look, struct hf_json *json)
{
    const struct hf_janitor_status *janitor = &look->janitor;
    hf_json_key(json, "janitor");
    if (!look->has_janitor) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_bool(json, "alive", hf_look_janitor_is_alive(look));
    hf_json_put_i64(json, "pid", janitor->pid);
    hf_json_put_u64(json, "seen_ms", janitor->at_ms);
    hf_json_put_u64(json, "started_ms", janitor->started_ms);
    hf_json_put_u64(json, "rounds", janitor->rounds);
    hf_json_put_u64(json, "deleted", janitor->deleted);
    hf_json_put_u64(json, "cleaned", janitor->cleaned);
    hf_json_put_text(json, "trouble", janitor->trouble);
    hf_json_object_end(json);
}

static void put_zone(const struct hf_look *look, const struct hf_report_zone *zone,
                     uint32_t names_max, struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_text(json, "zone", zone->zone);
    hf_json_put_text(json, "target", hf_look_target(look, zone->zone));
    hf_json_put_text(json, "state", zone->state);
    hf_json_put_text(json, "why", zone->why);
    hf_json_put_number(json, "floor", zone->floor);
    hf_json_put_number(json, "ahead_generation", zone->ahead_gen);
    hf_json_put_number(json, "plan_generation", zone->plan_gen);
    hf_json_put_u64(json, "endpoints", zone->endpoints);
    hf_json_put_u64(json, "in_step", zone->in_step);
    hf_json_put_u64(json, "behind", zone->behind);
    hf_json_put_u64(json, "written", zone->written);
    hf_json_put_u64(json, "messages", zone->messages);
    hf_json_put_u64(json, "refused", zone->refused);
    hf_json_put_u64(json, "unknown", zone->unknown);
    hf_json_put_u64(json, "healed", zone->healed);
    hf_json_put_u64(json, "latency_ms", zone->latency_ms);
    hf_json_put_u64(json, "window", zone->window);
    for (int i = 0; i < HF_REPORT_LISTS; i++) {
        const struct hf_report_names *names = &zone->lists[i];
        hf_json_key(json, hf_report_list_name((enum hf_report_list)i));
        hf_json_object(json);
        hf_json_put_u64(json, "count", names->total);
        hf_json_key(json, "names");
        hf_json_array(json);
        for (uint32_t k = 0; k < names->count && k < names_max; k++) {
            hf_json_text(json, names->names[k]);
        }
        hf_json_array_end(json);
        hf_json_object_end(json);
    }
    hf_json_object_end(json);
}

void hf_status_put_enactor(const struct hf_look *look, const struct hf_report *report,
                           uint32_t names_max, struct hf_json *json)
{
    hf_json_put_text(json, "name", report->enactor);
    hf_json_put_bool(json, "alive", hf_look_is_alive(look, report->at_ms));
    hf_json_put_i64(json, "pid", report->pid);
    hf_json_put_u64(json, "seen_ms", report->at_ms);
    hf_json_put_u64(json, "started_ms", report->started_ms);
    hf_json_put_text(json, "trouble", report->trouble);
    hf_json_key(json, "zones");
    hf_json_array(json);
    for (uint32_t k = 0; k < report->zone_count; k++) {
        put_zone(look, &report->zones[k], names_max, json);
    }
    hf_json_array_end(json);
}

static void put_enactors(const struct hf_look *look, uint32_t names_max, struct hf_json *json)
{
    hf_json_key(json, "enactors");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->reports.count; i++) {
        hf_json_object(json);
        hf_status_put_enactor(look, &look->reports.rows[i], names_max, json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void put_endpoints(const struct hf_status *status, struct hf_json *json)
{
    const struct hf_status_counts *counts = &status->counts;
    hf_json_key(json, "endpoints");
    hf_json_object(json);
    hf_json_put_u64(json, "configured", status->look->config->endpoint_count);
    hf_json_put_u64(json, "planned", counts->planned);
    hf_json_put_u64(json, "in_step", counts->in_step);
    hf_json_put_u64(json, "behind", counts->behind);
    hf_json_put_u64(json, "held", counts->held);
    hf_json_put_u64(json, "contested", counts->contested);
    hf_json_put_u64(json, "foreign", counts->foreign);
    hf_json_put_u64(json, "frozen", counts->frozen);
    hf_json_put_u64(json, "pinned", counts->pinned);
    hf_json_put_u64(json, "retired", counts->retired);
    hf_json_put_u64(json, "orphans", counts->orphans);
    hf_json_object_end(json);
}

void hf_status_put_backend(const struct hf_look *look, uint32_t number, struct hf_json *json)
{
    const struct hf_config *config = look->config;
    const struct hf_config_backend *backend = &config->backends[number];
    const struct hf_backend_status *row = hf_look_backend(look, backend->name);
    hf_json_object(json);
    hf_json_put_text(json, "name", backend->name);
    hf_json_put_text(json, "pool", config->pools[backend->pool].name);
    hf_json_put_text(json, "site", config->sites[backend->site]);
    hf_json_put_text(json, "verdict",
                     hf_verdict_name(row != NULL ? row->verdict : HF_VERDICT_UNKNOWN));
    hf_json_put_bool(json, "drained", row != NULL && row->drained);
    hf_json_put_text(json, "why", row != NULL ? row->why : "");
    hf_look_json_time(json, "since_ms", row != NULL ? row->since_ms : 0);
    hf_look_json_time(json, "checked_ms", row != NULL ? row->checked_ms : 0);
    hf_look_json_time(json, "held_until_ms", row != NULL ? row->held_until_ms : 0);
    hf_json_put_u64(json, "duration_us", row != NULL ? row->duration_us : 0);
    hf_json_put_u64(json, "flaps", row != NULL ? row->flaps : 0);
    hf_json_object_end(json);
}

static void put_backends(const struct hf_status *status, bool rows, struct hf_json *json)
{
    const struct hf_look *look = status->look;
    const struct hf_status_counts *counts = &status->counts;
    hf_json_key(json, "backends");
    hf_json_object(json);
    hf_look_json_time(json, "at_ms", look->backends_at_ms);
    hf_json_put_u64(json, "configured", counts->backends);
    hf_json_put_u64(json, "up", counts->up);
    hf_json_put_u64(json, "down", counts->down);
    hf_json_put_u64(json, "unknown", counts->unknown);
    hf_json_put_u64(json, "drained", counts->drained);
    if (rows) {
        hf_json_key(json, "rows");
        hf_json_array(json);
        for (uint32_t i = 0; i < look->config->backend_count; i++) {
            hf_status_put_backend(look, i, json);
        }
        hf_json_array_end(json);
    }
    hf_json_object_end(json);
}

static void put_overrides(const struct hf_look *look, struct hf_json *json)
{
    hf_json_key(json, "overrides");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->overrides.count; i++) {
        hf_look_json_override(json, &look->overrides.items[i]);
    }
    hf_json_array_end(json);
}

static void put_basis(const struct hf_look *look, struct hf_json *json)
{
    char basis[HF_LOOK_BASIS_MAX];
    hf_json_key(json, "basis");
    hf_json_object(json);
    hf_look_basis(look, 0, 0, basis);
    hf_json_put_text(json, "words", basis);
    hf_look_basis(look, 'g', look->plan.head.gen, basis);
    hf_json_put_text(json, "head", basis);
    hf_look_basis_held(look, basis);
    hf_json_put_text(json, "held", basis[0] != 0 ? basis : NULL);
    hf_json_object_end(json);
}

void hf_status_put_json(const struct hf_status *status, uint32_t names_max, bool rows,
                        struct hf_json *json)
{
    const struct hf_look *look = status->look;
    hf_json_put_bool(json, "well", hf_status_urgent(status) == 0);
    put_alerts(status, json);
    hf_json_key(json, "store");
    hf_json_object(json);
    hf_json_put_text(json, "path", look->config->store_path);
    hf_json_put_text(json, "state", look->store_state);
    hf_json_object_end(json);
    put_head(look, json);
    put_planner(look, json);
    put_janitor(look, json);
    put_enactors(look, names_max, json);
    put_endpoints(status, json);
    put_backends(status, rows, json);
    put_overrides(look, json);
    put_basis(look, json);
}

int hf_status_show_json(const struct hf_status *status)
{
    struct hf_look_json output;
    hf_look_json_begin(status->look, &output);
    hf_status_put_json(status, HF_REPORT_NAMES_MAX, true, &output.json);
    return hf_look_json_end(status->look, &output);
}
