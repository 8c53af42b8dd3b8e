/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "holdfast/metrics_internal.h"

void hf_metrics_plain(struct hf_metrics_scene *scene, uint64_t value, unsigned decimals)
{
    hf_exposition_put(&scene->exposition, NULL, 0, value, decimals);
}

void hf_metrics_labelled(struct hf_metrics_scene *scene, const char *name, const char *text,
                         uint64_t value)
{
    struct hf_exposition_label label = {name, text};
    hf_exposition_put(&scene->exposition, &label, 1, value, 0);
}

uint64_t hf_metrics_u64(const void *base, size_t member)
{
    uint64_t value;
    memcpy(&value, (const char *)base + member, sizeof(value));
    return value;
}

uint32_t hf_metrics_u32(const void *base, size_t member)
{
    uint32_t value;
    memcpy(&value, (const char *)base + member, sizeof(value));
    return value;
}

/* --- what there is: docs/reference/metrics.md has the same rows --- */

static const struct hf_metrics_row rows[] = {
    {.family = {"holdfast_info", "gauge", "version, installation",
                "Always 1: which Holdfast this is."},
     .put = hf_metrics_put_info},
    {.family = {"holdfast_view_timestamp_seconds", "gauge", "",
                "When what is told here was read from the store."},
     .put = hf_metrics_put_seen,
     .decimals = 3},
    {.family = {"holdfast_read_problems", "gauge", "",
                "Things in the store that could not be read."},
     .put = hf_metrics_put_problems},
    {.family =
         {"holdfast_store_state", "gauge", "state",
          "1 for the state that the store is in: open, missing, locked, damaged, foreign, failed."},
     .put = hf_metrics_put_store},
    {.family =
         {"holdfast_alerts", "gauge", "code, severity",
          "What needs somebody, as in holdfast status; severity is critical, warning or notice."},
     .put = hf_metrics_put_alerts},
    {.family = {"holdfast_alerts_urgent", "gauge", "",
                "What needs somebody and is more than a notice."},
     .put = hf_metrics_put_urgent},
    {.family = {"holdfast_head_generation", "gauge", "", "Generation of the head plan."},
     .put = hf_metrics_put_head_gen},
    {.family = {"holdfast_head_created_timestamp_seconds", "gauge", "",
                "When the head plan was published."},
     .put = hf_metrics_put_head_created,
     .decimals = 3},
    {.family =
         {"holdfast_overrides", "gauge", "kind",
          "What operators have said and not taken back: drains, freezes, rollbacks and others."},
     .put = hf_metrics_put_overrides},
    {.family = {"holdfast_configured_endpoints", "gauge", "", "Endpoints in the configuration."},
     .put = hf_metrics_put_configured},
    {.family = {"holdfast_endpoints", "gauge", "state",
                "Endpoints of the head plan by state; one may be in several. in_step and behind "
                "are those of the furthest enactor."},
     .put = hf_metrics_put_endpoints},
    {.family = {"holdfast_role_up", "gauge", "role, enactor",
                "1 while planner, janitor or an enactor gives signs of life."},
     .put = hf_metrics_put_roles,
     .member = offsetof(struct hf_metrics_role, is_up)},
    {.family = {"holdfast_role_last_seen_timestamp_seconds", "gauge", "role, enactor",
                "The last sign of life."},
     .put = hf_metrics_put_roles,
     .member = offsetof(struct hf_metrics_role, at_ms),
     .decimals = 3},
    {.family = {"holdfast_role_start_time_seconds", "gauge", "role, enactor",
                "When the process began; its counters begin at 0 then."},
     .put = hf_metrics_put_roles,
     .member = offsetof(struct hf_metrics_role, started_ms),
     .decimals = 3},
    {.family = {"holdfast_role_trouble", "gauge", "role, enactor",
                "1 while it reports trouble with the store or the configuration."},
     .put = hf_metrics_put_roles,
     .member = offsetof(struct hf_metrics_role, has_trouble)},
    {.family = {"holdfast_planner_plans_published_total", "counter", "",
                "Plans published by this planner."},
     .put = hf_metrics_put_planner,
     .member = offsetof(struct hf_planner_status, published)},
    {.family = {"holdfast_planner_frozen", "gauge", "",
                "1 while an operator has frozen everything."},
     .put = hf_metrics_put_planner_frozen},
    {.family = {"holdfast_planner_stopped", "gauge", "",
                "1 after fences were ahead of the store too often: somebody else writes as this "
                "installation."},
     .put = hf_metrics_put_planner_stopped},
    {.family = {"holdfast_janitor_rounds_total", "counter", "", "Rounds of the janitor."},
     .put = hf_metrics_put_janitor,
     .member = offsetof(struct hf_janitor_status, rounds)},
    {.family = {"holdfast_janitor_objects_deleted_total", "counter", "",
                "Objects of old plans that the janitor deleted."},
     .put = hf_metrics_put_janitor,
     .member = offsetof(struct hf_janitor_status, deleted)},
    {.family = {"holdfast_janitor_tombstones_removed_total", "counter", "",
                "Fences of retired endpoints that the janitor took out of zones."},
     .put = hf_metrics_put_janitor,
     .member = offsetof(struct hf_janitor_status, cleaned)},
    {.family = {"holdfast_enactor_zone_state", "gauge", "enactor, zone, target, state",
                "1 for the state of the zone as the enactor sees it: open, frozen, refused, "
                "unreachable, starting."},
     .put = hf_metrics_put_zone_states},
    {.family = {"holdfast_enactor_zone_plan_generation", "gauge", "enactor, zone, target",
                "Generation that the enactor works towards."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, plan_gen)},
    {.family = {"holdfast_enactor_zone_floor_generation", "gauge", "enactor, zone, target",
                "Floor in the zone's guard; 0 while it is unknown."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, floor)},
    {.family = {"holdfast_enactor_zone_ahead_generation", "gauge", "enactor, zone, target",
                "Highest generation in the zone above the head plan; 0 when there is none."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, ahead_gen)},
    {.family = {"holdfast_enactor_zone_endpoints", "gauge", "enactor, zone, target",
                "Endpoints of the plan in the zone."},
     .put = hf_metrics_put_zones_u32,
     .member = offsetof(struct hf_report_zone, endpoints)},
    {.family = {"holdfast_enactor_zone_in_step_endpoints", "gauge", "enactor, zone, target",
                "Endpoints whose fence the enactor saw at the plan's generation."},
     .put = hf_metrics_put_zones_u32,
     .member = offsetof(struct hf_report_zone, in_step)},
    {.family = {"holdfast_enactor_zone_behind_endpoints", "gauge", "enactor, zone, target",
                "The others: still to be written, or not yet seen to be."},
     .put = hf_metrics_put_zones_u32,
     .member = offsetof(struct hf_report_zone, behind)},
    {.family = {"holdfast_enactor_zone_listed_endpoints", "gauge", "enactor, zone, target, list",
                "Endpoints that want attention: claimed, gone, stamp, ahead, foreign, contested."},
     .put = hf_metrics_put_zone_lists},
    {.family = {"holdfast_enactor_endpoints_written_total", "counter", "enactor, zone, target",
                "Endpoints whose write the server acknowledged."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, written)},
    {.family = {"holdfast_enactor_endpoints_healed_total", "counter", "enactor, zone, target",
                "Endpoints written again since somebody else had edited their records."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, healed)},
    {.family = {"holdfast_enactor_endpoints_read_total", "counter", "enactor, zone, target",
                "Endpoints read back one by one."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, read)},
    {.family = {"holdfast_enactor_updates_total", "counter", "enactor, zone, target",
                "UPDATE messages sent."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, messages)},
    {.family =
         {"holdfast_enactor_updates_refused_total", "counter", "enactor, zone, target",
          "UPDATE messages that the fence or the zone guard refused: somebody had written before."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, refused)},
    {.family =
         {"holdfast_enactor_updates_unknown_total", "counter", "enactor, zone, target",
          "UPDATE messages of which nobody knows what became: no reply, or a server failure."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, unknown)},
    {.family = {"holdfast_enactor_update_duration_seconds", "gauge", "enactor, zone, target",
                "How long the server takes for an UPDATE, smoothed."},
     .put = hf_metrics_put_zones_u64,
     .member = offsetof(struct hf_report_zone, latency_ms),
     .decimals = 3},
    {.family = {"holdfast_enactor_window_updates", "gauge", "enactor, zone, target",
                "UPDATE messages that may be in flight at once."},
     .put = hf_metrics_put_zones_u32,
     .member = offsetof(struct hf_report_zone, window)},
    {.family = {"holdfast_pool_backends", "gauge", "pool, verdict",
                "Backends by verdict: up, down, unknown."},
     .put = hf_metrics_put_pool_verdicts},
    {.family = {"holdfast_pool_drained_backends", "gauge", "pool",
                "Backends that an operator has drained, by name or by site."},
     .put = hf_metrics_put_pools_u64,
     .member = offsetof(struct hf_metrics_pool, drained)},
    {.family = {"holdfast_pool_check_duration_max_seconds", "gauge", "pool",
                "The slowest last check among the pool's backends."},
     .put = hf_metrics_put_pools_u64,
     .member = offsetof(struct hf_metrics_pool, slowest_us),
     .decimals = 6},
    {.family = {"holdfast_backends_timestamp_seconds", "gauge", "",
                "When the planner wrote what it knows of backends."},
     .put = hf_metrics_put_backends_at,
     .decimals = 3},
    {.family = {"holdfast_backend_up", "gauge", "backend, pool, site",
                "1 while its verdict is up. Only with backend_metrics."},
     .put = hf_metrics_put_backend_up},
    {.family = {"holdfast_backend_drained", "gauge", "backend, pool, site",
                "1 while it is drained. Only with backend_metrics."},
     .put = hf_metrics_put_backend_drained},
    {.family = {"holdfast_backend_check_duration_seconds", "gauge", "backend, pool, site",
                "How long its last check took. Only with backend_metrics."},
     .put = hf_metrics_put_backend_duration,
     .decimals = 6},
    {.family = {"holdfast_backend_flaps", "gauge", "backend, pool, site",
                "How often it went down within the flap window. Only with backend_metrics."},
     .put = hf_metrics_put_backend_flaps},
    {.family = {"holdfast_metrics_omitted_rows", "gauge", "kind",
                "Zones, pools and backends left out here since there are too many."},
     .put = hf_metrics_put_omitted},
    {.family = {"holdfast_api_requests_total", "counter", "code",
                "Requests that the API answered, by class of status."},
     .put = hf_metrics_put_requests},
    {.family = {"holdfast_api_refused_total", "counter", "why",
                "Requests refused before they were looked at: busy, token, origin."},
     .put = hf_metrics_put_serve_refused},
    {.family = {"holdfast_api_streams_dropped_total", "counter", "",
                "Event streams closed since their reader did not keep up."},
     .put = hf_metrics_put_serve_u64,
     .member = offsetof(struct hf_serve_counters, streams_dropped)},
    {.family = {"holdfast_api_connections", "gauge", "", "Open connections."},
     .put = hf_metrics_put_serve_u32,
     .member = offsetof(struct hf_serve_counters, connections)},
    {.family = {"holdfast_api_streams", "gauge", "", "Open event streams."},
     .put = hf_metrics_put_serve_u32,
     .member = offsetof(struct hf_serve_counters, streams)},
    {.family = {"holdfast_api_waiting_requests", "gauge", "", "Requests that wait for an answer."},
     .put = hf_metrics_put_serve_u32,
     .member = offsetof(struct hf_serve_counters, waiting)},
};

static const struct hf_metrics_row notify_rows[] = {
    {.family = {"holdfast_notify_messages_total", "counter", "receiver, result",
                "Messages to receivers of alerts: acknowledged, refused (4xx, redirects) or failed "
                "(5xx, no answer)."},
     .put = hf_metrics_put_messages},
    {.family = {"holdfast_notify_incidents_dropped_total", "counter", "receiver",
                "Incidents of which news were given up: refused too often, or no room."},
     .put = hf_metrics_put_notify_u64,
     .member = offsetof(struct hf_notify_counters, dropped)},
    {.family = {"holdfast_notify_pending_incidents", "gauge", "receiver",
                "Incidents with news that the receiver has not acknowledged."},
     .put = hf_metrics_put_pending},
    {.family = {"holdfast_notify_acknowledged_timestamp_seconds", "gauge", "receiver",
                "When it acknowledged a message last."},
     .put = hf_metrics_put_acknowledged,
     .decimals = 3},
};

static const struct hf_metrics_row delay_row = {
    .family = {"holdfast_write_delay_seconds", "histogram", "",
               "From the planner's decision to the server's acknowledgement, of the writes that "
               "enactors tell: up to 32 a second each."},
    .put = hf_metrics_put_delays,
    .decimals = 3};

enum {
    ROW_COUNT = sizeof(rows) / sizeof(rows[0]),
    NOTIFY_ROW_COUNT = sizeof(notify_rows) / sizeof(notify_rows[0]),
};

const struct hf_exposition_family *hf_metrics_family(uint32_t number)
{
    if (number < ROW_COUNT) {
        return &rows[number].family;
    }
    number -= ROW_COUNT;
    return number < NOTIFY_ROW_COUNT    ? &notify_rows[number].family
           : number == NOTIFY_ROW_COUNT ? &delay_row.family
                                        : NULL;
}

static void write_rows(struct hf_metrics_scene *scene, const struct hf_metrics_row *first,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        hf_exposition_begin(&scene->exposition, &first[i].family);
        first[i].put(scene, &first[i]);
    }
}

void hf_metrics_write_notify(const struct hf_notify_counters *receivers, uint32_t count,
                             struct hf_buf *ret_text)
{
    struct hf_metrics_scene scene = {
        .receivers = receivers, .receiver_count = count, .exposition = {.text = ret_text}};
    write_rows(&scene, notify_rows, NOTIFY_ROW_COUNT);
}

void hf_metrics_write_delays(const struct hf_delays *delays, struct hf_buf *ret_text)
{
    struct hf_metrics_scene scene = {.delays = delays, .exposition = {.text = ret_text}};
    write_rows(&scene, &delay_row, 1);
}

void hf_metrics_write(const struct hf_status *status, const struct hf_serve_counters *counters,
                      struct hf_buf *ret_text)
{
    struct hf_metrics_scene scene = {
        .status = status,
        .look = status->look,
        .counters = counters,
        .exposition = {.text = ret_text},
    };
    scene.pools = calloc(status->look->config->pool_count + 1U, sizeof(*scene.pools));
    if (scene.pools == NULL) {
        abort();
    }
    hf_metrics_count_pools(&scene);
    write_rows(&scene, rows, ROW_COUNT);
    free(scene.pools);
}
