/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields are documented in docs/reference/output.md. */
#include <stdio.h>

#include "codec/json_in.h"
#include "holdfast/explain.h"

static const char *fence_name(uint8_t kind)
{
    switch (kind) {
    case HF_FENCE_OURS:
        return "ours";
    case HF_FENCE_ALIEN:
        return "alien";
    case HF_FENCE_DAMAGED:
        return "damaged";
    default:
        return "absent";
    }
}

static void put_fence(const struct hf_explain_server *server, struct hf_json *json)
{
    char sum[17];
    bool is_ours = server->fence.kind == HF_FENCE_OURS;
    hf_json_key(json, "fence");
    hf_json_object(json);
    hf_json_put_text(json, "state", fence_name(server->fence.kind));
    hf_json_put_text(json, "text", server->text[0] != 0 ? server->text : NULL);
    if (is_ours) {
        (void)snprintf(sum, sizeof(sum), "%016llx", (unsigned long long)server->fence.sum);
        hf_json_put_number(json, "generation", server->fence.gen);
        hf_json_put_text(json, "writer", server->writer);
        hf_json_put_number(json, "write", server->fence.count);
        hf_json_put_text(json, "sum", sum);
        hf_json_put_bool(json, "agrees", !server->is_odd && server->sum == server->fence.sum);
    }
    hf_json_object_end(json);
}

static void put_server(const struct hf_explain *explain, struct hf_json *json)
{
    const struct hf_explain_server *server = &explain->server;
    hf_json_key(json, "server");
    hf_json_object(json);
    hf_json_put_bool(json, "asked", server->asked);
    hf_json_put_text(json, "why", server->why);
    if (explain->zone != UINT32_MAX) {
        const struct hf_config *config = explain->look->config;
        const struct hf_config_zone *zone = &config->zones[explain->zone];
        const struct hf_config_target *target = &config->targets[zone->target];
        hf_json_put_text(json, "zone", zone->name);
        hf_json_put_text(json, "target", target->name);
        hf_json_put_text(json, "host", target->host);
        hf_json_put_u64(json, "port", target->port);
    }
    if (server->asked) {
        hf_look_json_records(json, "addresses", &server->records);
        hf_json_put_u64(json, "ttl_s", server->records.ttl_s);
        hf_json_put_bool(json, "odd", server->is_odd);
        put_fence(server, json);
    }
    hf_json_object_end(json);
}

static void put_plan(const struct hf_explain *explain, struct hf_json *json)
{
    const struct hf_plan_entry *entry = explain->entry;
    const struct hf_plan *plan = &explain->look->plan;
    hf_json_key(json, "plan");
    if (entry == NULL) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_u64(json, "generation", entry->gen);
    hf_json_put_u64(json, "changed_ms", entry->changed_ms);
    hf_json_put_text(json, "cause", hf_cause_name((enum hf_cause)entry->cause));
    hf_json_put_text(json, "backend",
                     entry->cause_backend < plan->backend_count
                         ? plan->backends[entry->cause_backend].name
                         : NULL);
    hf_look_json_records(json, "addresses", &entry->records);
    hf_json_put_u64(json, "ttl_s", entry->records.ttl_s);
    hf_json_put_bool(json, "claimed", (entry->flags & HF_ROW_CLAIMED) != 0);
    hf_json_put_bool(json, "pinned", (entry->flags & HF_ROW_PINNED) != 0);
    hf_json_put_bool(json, "retired", (entry->flags & HF_ROW_RETIRED) != 0);
    hf_json_object_end(json);
}

static void put_backend(const struct hf_explain_backend *backend, bool asked, struct hf_json *json)
{
    char addresses[HF_LOOK_ADDRESS_MAX];
    const struct hf_backend_status *status = backend->status;
    hf_json_object(json);
    hf_json_put_text(json, "name", backend->name);
    hf_json_key(json, "addresses");
    hf_json_array(json);
    if (backend->plan->has_a) {
        hf_look_address(backend->plan->a, 4, addresses);
        hf_json_text(json, addresses);
    }
    if (backend->plan->has_aaaa) {
        hf_look_address(backend->plan->aaaa, 16, addresses);
        hf_json_text(json, addresses);
    }
    hf_json_array_end(json);
    hf_json_put_bool(json, "configured", backend->config != NULL);
    hf_json_put_bool(json, "in", backend->is_in);
    hf_json_put_bool(json, "picked", backend->is_picked);
    hf_json_key(json, "answered");
    if (asked) {
        hf_json_bool(json, backend->is_answered);
    } else {
        hf_json_null(json);
    }
    hf_json_put_text(json, "reason", hf_reason_name(backend->reason));
    hf_json_put_text(json, "why", backend->why);
    hf_json_put_text(json, "verdict",
                     hf_verdict_name(status != NULL ? status->verdict : HF_VERDICT_UNKNOWN));
    hf_json_put_text(json, "last_check", status != NULL ? status->why : NULL);
    hf_look_json_time(json, "since_ms", status != NULL ? status->since_ms : 0);
    hf_json_key(json, "drain");
    if (backend->drain != NULL) {
        hf_look_json_override(json, backend->drain);
    } else {
        hf_json_null(json);
    }
    hf_json_object_end(json);
}

static void put_hold(const struct hf_explain *explain, struct hf_json *json)
{
    uint64_t until_ms;
    enum hf_hold hold = hf_explain_hold(explain, &until_ms);
    hf_json_key(json, "hold");
    if (hold == HF_HOLD_NONE) {
        hf_json_null(json);
        return;
    }
    hf_json_object(json);
    hf_json_put_text(json, "guard", hf_hold_name(hold));
    hf_look_json_time(json, "until_ms", until_ms);
    hf_json_object_end(json);
}

static void put_enactors(const struct hf_explain *explain, struct hf_json *json)
{
    const struct hf_look *look = explain->look;
    hf_json_key(json, "enactors");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->reports.count && explain->zone != UINT32_MAX; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *zone =
            hf_look_zone(report, look->config->zones[explain->zone].name);
        if (zone == NULL) {
            continue;
        }
        hf_json_object(json);
        hf_json_put_text(json, "name", report->enactor);
        hf_json_put_bool(json, "alive", hf_look_is_alive(look, report->at_ms));
        hf_json_put_text(json, "state", zone->state);
        hf_json_put_text(json, "why", zone->why);
        hf_json_put_number(json, "plan_generation", zone->plan_gen);
        hf_json_key(json, "notes");
        hf_json_array(json);
        for (int k = 0; k < HF_REPORT_LISTS; k++) {
            if (hf_look_names(&zone->lists[k], explain->name)) {
                hf_json_text(json, hf_report_list_name((enum hf_report_list)k));
            }
        }
        hf_json_array_end(json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

void hf_explain_put_json(const struct hf_explain *explain, struct hf_json *json)
{
    const struct hf_look *look = explain->look;
    char basis[HF_LOOK_BASIS_MAX];
    uint32_t count = hf_explain_members(explain);
    hf_json_put_text(json, "endpoint", explain->name);
    hf_json_put_text(json, "kind", explain->kind);
    hf_json_put_text(json, "state", explain->code);
    hf_json_put_text(json, "text", explain->text);
    hf_json_put_text(json, "command", explain->command[0] != 0 ? explain->command : NULL);
    put_server(explain, json);
    put_plan(explain, json);
    put_hold(explain, json);
    hf_json_key(json, "backends");
    hf_json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        struct hf_explain_backend backend;
        hf_explain_backend(explain, i, &backend);
        put_backend(&backend, explain->server.asked, json);
    }
    hf_json_array_end(json);
    hf_json_key(json, "overrides");
    hf_json_array(json);
    for (uint32_t i = 0; i < look->overrides.count; i++) {
        if (hf_explain_touches(explain, &look->overrides.items[i])) {
            hf_look_json_override(json, &look->overrides.items[i]);
        }
    }
    hf_json_array_end(json);
    put_enactors(explain, json);
    hf_look_basis(look, 'g', explain->entry != NULL ? explain->entry->gen : 0, basis);
    hf_json_put_text(json, "basis", basis);
}

int hf_explain_show_json(const struct hf_explain *explain)
{
    struct hf_look_json output;
    hf_look_json_begin(explain->look, &output);
    hf_explain_put_json(explain, &output.json);
    return hf_look_json_end(explain->look, &output);
}
