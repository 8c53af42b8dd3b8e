/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom an incident hits: its conditions mark endpoints of the configuration, and what each marked
 * endpoint loses of its answers adds up to services and dependents. How is defined in
 * docs/operating/incidents.md; the sums are those of core/impact.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/incidents_internal.h"

enum {
    TOUCHED = 1,   /* by a condition of the incident that is being looked at */
    CONTESTED = 2, /* others edit it */
    FOREIGN = 4,   /* others' records are there */
    WAITING = 8,   /* to be written: of all incidents */
    OF_INCIDENT = TOUCHED | CONTESTED | FOREIGN,
    ADDRESS_SIZE = 17, /* family, and 4 or 16 octets */
};

struct touch {
    const struct hf_look *look;
    const struct hf_config *config;
    uint8_t *marks;      /* of each endpoint */
    uint32_t *zone_rest; /* permille of a zone's endpoints that wait, of those without a name */
    struct hf_status_fleet fleet;
    uint8_t (*down)[ADDRESS_SIZE]; /* addresses of backends that are down, in order */
    uint32_t down_count;
};

static void *allocate(size_t count, size_t size)
{
    void *rows = calloc(count == 0 ? 1 : count, size);
    if (rows == NULL) {
        abort();
    }
    return rows;
}

/* --- addresses of backends that are down --- */

static int compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, ADDRESS_SIZE);
}

static void add_down(struct touch *touch, uint8_t family, const uint8_t *bytes, size_t size)
{
    uint8_t *row = touch->down[touch->down_count++];
    row[0] = family;
    memcpy(row + 1, bytes, size);
}

static void find_down(struct touch *touch)
{
    const struct hf_look *look = touch->look;
    touch->down = allocate((size_t)look->backend_count * 2, ADDRESS_SIZE);
    for (uint32_t i = 0; i < look->backend_count && hf_look_has_verdicts(look); i++) {
        uint32_t number = look->backends[i].verdict == HF_VERDICT_DOWN
                              ? hf_config_find_backend(touch->config, look->backends[i].name)
                              : UINT32_MAX;
        if (number == UINT32_MAX) {
            continue;
        }
        const struct hf_config_backend *backend = &touch->config->backends[number];
        if (backend->has_a) {
            add_down(touch, 4, backend->a, sizeof(backend->a));
        }
        if (backend->has_aaaa) {
            add_down(touch, 6, backend->aaaa, sizeof(backend->aaaa));
        }
    }
    qsort(touch->down, touch->down_count, ADDRESS_SIZE, compare_addresses);
}

static bool is_down(const struct touch *touch, uint8_t family, const uint8_t *bytes, size_t size)
{
    uint8_t key[ADDRESS_SIZE] = {family};
    memcpy(key + 1, bytes, size);
    return bsearch(key, touch->down, touch->down_count, ADDRESS_SIZE, compare_addresses) != NULL;
}

/* --- what an endpoint loses --- */

/* Of the addresses that are planned, those of backends that are down. */
static uint32_t lost_of_plan(const struct touch *touch, const uint8_t *owner)
{
    struct hf_plan_entry entry;
    uint32_t row = hf_plan_find(&touch->look->plan, owner);
    if (row == UINT32_MAX || touch->down_count == 0) {
        return 0;
    }
    hf_plan_get(&touch->look->plan, row, &entry);
    uint32_t total = (uint32_t)entry.records.a_count + entry.records.aaaa_count;
    uint32_t lost = 0;
    const uint8_t *at = entry.records.bytes;
    for (uint32_t i = 0; i < total; i++) {
        bool is_a = i < entry.records.a_count;
        size_t size = is_a ? 4 : 16;
        lost += is_down(touch, is_a ? 4 : 6, at, size);
        at += size;
    }
    return total == 0 ? 0 : lost * HF_IMPACT_WHOLE / total;
}

/* What lies in the zone is not known in detail: of its pools' backends those that are down. */
static uint32_t lost_of_pools(const struct touch *touch, const struct hf_config_endpoint *endpoint)
{
    uint64_t total = 0;
    uint64_t down = 0;
    for (uint32_t i = 0; i < endpoint->pool_count; i++) {
        uint32_t pool = touch->config->endpoint_pools[endpoint->pool_first + i];
        total += touch->config->pools[pool].backend_count;
        down += touch->fleet.pool_down[pool];
    }
    return total == 0 ? 0 : (uint32_t)(down * HF_IMPACT_WHOLE / total);
}

static uint32_t harm_of(const struct touch *touch, uint32_t number)
{
    const struct hf_config_endpoint *endpoint = &touch->config->endpoints[number];
    uint8_t marks = touch->marks[number];
    if ((marks & TOUCHED) == 0) {
        return 0;
    }
    if ((marks & CONTESTED) != 0) {
        return HF_IMPACT_WHOLE;
    }
    uint32_t waiting =
        (marks & (WAITING | FOREIGN)) != 0 ? HF_IMPACT_WHOLE : touch->zone_rest[endpoint->zone];
    uint32_t lost = 0;
    if (waiting < HF_IMPACT_WHOLE) {
        lost = lost_of_plan(touch, endpoint->owner) * (HF_IMPACT_WHOLE - waiting);
    }
    if (waiting > 0) {
        lost += lost_of_pools(touch, endpoint) * waiting;
    }
    return hf_impact_harm(lost / HF_IMPACT_WHOLE, waiting);
}

/* --- which endpoints --- */

static void mark_name(struct touch *touch, const char *name, uint8_t mark)
{
    uint8_t owner[HF_NAME_MAX];
    uint32_t row = hf_name_parse(name, owner) == HF_OK
                       ? hf_config_find_endpoint(touch->config, owner)
                       : UINT32_MAX;
    if (row != UINT32_MAX) {
        touch->marks[row] |= mark;
    }
}

static void mark_list(struct touch *touch, const char *zone, enum hf_report_list list, uint8_t mark)
{
    const struct hf_report_zone *report = hf_status_zone(touch->look, zone);
    for (uint32_t i = 0; report != NULL && i < report->lists[list].count; i++) {
        mark_name(touch, report->lists[list].names[i], mark);
    }
}

/* Of all incidents: who waits to be written. Reports name the first of them only. */
static void mark_waiting(struct touch *touch)
{
    touch->zone_rest = allocate(touch->config->zone_count, sizeof(*touch->zone_rest));
    for (uint32_t i = 0; i < touch->config->zone_count; i++) {
        const struct hf_report_zone *zone =
            hf_status_zone(touch->look, touch->config->zones[i].name);
        if (zone == NULL) {
            continue;
        }
        const struct hf_report_names *list = &zone->lists[HF_REPORT_WAITING];
        mark_list(touch, zone->zone, HF_REPORT_WAITING, WAITING);
        if (list->total > list->count && zone->endpoints > list->count) {
            uint64_t rest = (uint64_t)(list->total - list->count) * HF_IMPACT_WHOLE /
                            (zone->endpoints - list->count);
            touch->zone_rest[i] = rest < HF_IMPACT_WHOLE ? (uint32_t)rest : HF_IMPACT_WHOLE;
        }
    }
}

static void mark_held(struct touch *touch, bool is_lacking)
{
    struct hf_held_line line;
    const char *at = touch->look->has_planner ? touch->look->planner.held_lines : "";
    while (hf_held_next(&at, &line)) {
        char name[HF_NAME_TEXT_MAX];
        bool is_min = strncmp(line.guard, "min_healthy", (size_t)line.guard_size) == 0;
        if (is_min == is_lacking && (size_t)line.name_size < sizeof(name)) {
            memcpy(name, line.name, (size_t)line.name_size);
            name[line.name_size] = 0;
            mark_name(touch, name, TOUCHED);
        }
    }
}

/* Endpoints of a zone, of all zones of a target, or (both UINT32_MAX) of all. */
static void mark_zones(struct touch *touch, uint32_t zone, uint32_t target)
{
    const struct hf_config *config = touch->config;
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        uint32_t own = config->endpoints[i].zone;
        if ((zone == UINT32_MAX || own == zone) &&
            (target == UINT32_MAX || config->zones[own].target == target)) {
            touch->marks[i] |= TOUCHED;
        }
    }
}

/* Endpoints with a pool that is marked. */
static void mark_pools(struct touch *touch, const bool *pools)
{
    const struct hf_config *config = touch->config;
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        const struct hf_config_endpoint *endpoint = &config->endpoints[i];
        for (uint32_t k = 0; k < endpoint->pool_count; k++) {
            if (pools[config->endpoint_pools[endpoint->pool_first + k]]) {
                touch->marks[i] |= TOUCHED;
            }
        }
    }
}

static void mark_fleet(struct touch *touch, const struct hf_incident_sight *sight)
{
    const struct hf_config *config = touch->config;
    bool *pools = allocate(config->pool_count, sizeof(*pools));
    uint32_t pool = hf_config_find_pool(config, sight->subject);
    uint32_t site = hf_config_find_site(config, sight->subject);
    if (sight->kind == HF_CONDITION_POOL_DOWN && pool != UINT32_MAX) {
        pools[pool] = true;
    }
    for (uint32_t i = 0; sight->kind == HF_CONDITION_SITE_DOWN && i < config->backend_count; i++) {
        if (config->backends[i].site == site) {
            pools[config->backends[i].pool] = true;
        }
    }
    mark_pools(touch, pools);
    free(pools);
}

static void mark_condition(struct touch *touch, const struct hf_incident_sight *sight)
{
    switch (sight->kind) {
    case HF_CONDITION_STORE:
    case HF_CONDITION_NO_ENACTOR:
    case HF_CONDITION_PLANNER_DEAD:
    case HF_CONDITION_PLANNER_STOPPED:
    case HF_CONDITION_FREEZE_ALL:
        mark_zones(touch, UINT32_MAX, UINT32_MAX);
        break;
    case HF_CONDITION_TARGET_UNREACHABLE:
        mark_zones(touch, UINT32_MAX, hf_config_find_target(touch->config, sight->subject));
        break;
    case HF_CONDITION_ZONE_UNREACHABLE:
    case HF_CONDITION_FREEZE_ZONE:
    case HF_CONDITION_ZONE_REFUSED:
    case HF_CONDITION_AHEAD:
    case HF_CONDITION_BEHIND:
        if (hf_config_find_zone(touch->config, sight->subject) != UINT32_MAX) {
            mark_zones(touch, hf_config_find_zone(touch->config, sight->subject), UINT32_MAX);
        }
        break;
    case HF_CONDITION_CONTESTED:
        mark_list(touch, sight->subject, HF_REPORT_CONTESTED, TOUCHED | CONTESTED);
        break;
    case HF_CONDITION_FOREIGN:
        mark_list(touch, sight->subject, HF_REPORT_FOREIGN, TOUCHED | FOREIGN);
        break;
    case HF_CONDITION_SITE_DOWN:
    case HF_CONDITION_POOL_DOWN:
        mark_fleet(touch, sight);
        break;
    case HF_CONDITION_TOO_FEW:
    case HF_CONDITION_HELD:
        mark_held(touch, sight->kind == HF_CONDITION_TOO_FEW);
        break;
    case HF_CONDITION_ENACTOR_DEAD:
    case HF_CONDITION_JANITOR_DEAD:
    case HF_CONDITION_TROUBLE:
    case HF_CONDITION_KIND_COUNT:
        break;
    }
}

/* --- services and dependents --- */

static uint32_t share_of_service(const struct touch *touch, const struct hf_config_service *service,
                                 bool *ret_touched)
{
    uint64_t harm = 0;
    for (uint32_t i = 0; i < service->endpoint_count; i++) {
        uint32_t row = touch->config->service_endpoints[service->endpoint_first + i];
        *ret_touched = *ret_touched || (touch->marks[row] & TOUCHED) != 0;
        harm += harm_of(touch, row);
    }
    return service->endpoint_count == 0 ? 0 : (uint32_t)(harm / service->endpoint_count);
}

static bool known(const struct hf_incident_affected *rows, uint32_t count, const char *name)
{
    uint32_t i = 0;
    while (i < count && strcmp(rows[i].name, name) != 0) {
        i++;
    }
    return i < count;
}

static bool hit_services(const struct touch *touch, struct hf_incident_log *log,
                         struct hf_incident *incident, uint32_t *shares)
{
    bool is_changed = false;
    for (uint32_t i = 0; i < touch->config->service_count; i++) {
        const struct hf_config_service *service = &touch->config->services[i];
        struct hf_incident_affected row = {
            .name = service->name, .title = service->title, .criticality = ""};
        bool is_touched = known(incident->services, incident->service_count, service->name);
        shares[i] = share_of_service(touch, service, &is_touched);
        if (is_touched) {
            is_changed |=
                hf_incident_log_hit(log, incident, false, &row, shares[i], touch->look->now_ms);
        }
    }
    return is_changed;
}

static bool hit_dependents(const struct touch *touch, struct hf_incident_log *log,
                           struct hf_incident *incident, const uint32_t *shares)
{
    bool is_changed = false;
    for (uint32_t i = 0; i < touch->config->dependent_count; i++) {
        const struct hf_config_dependent *dependent = &touch->config->dependents[i];
        struct hf_incident_affected row = {.name = dependent->name,
                                           .title = dependent->title,
                                           .criticality = dependent->criticality,
                                           .tolerated_ms = dependent->tolerated_ms};
        bool is_touched = known(incident->dependents, incident->dependent_count, dependent->name);
        uint64_t share = 0;
        for (uint32_t k = 0; k < dependent->service_count; k++) {
            uint32_t service = touch->config->dependent_services[dependent->service_first + k];
            is_touched = is_touched || known(incident->services, incident->service_count,
                                             touch->config->services[service].name);
            share += shares[service];
        }
        if (is_touched && dependent->service_count > 0) {
            is_changed |= hf_incident_log_hit(log, incident, true, &row,
                                              (uint32_t)(share / dependent->service_count),
                                              touch->look->now_ms);
        }
    }
    return is_changed;
}

static bool note_endpoints(const struct touch *touch, struct hf_incident_log *log,
                           struct hf_incident *incident)
{
    bool is_changed = false;
    uint32_t total = 0;
    for (uint32_t i = 0; i < touch->config->endpoint_count; i++) {
        char name[HF_NAME_TEXT_MAX];
        if ((touch->marks[i] & TOUCHED) == 0) {
            continue;
        }
        if (total++ < HF_INCIDENT_ENDPOINTS_MAX) {
            hf_name_text(touch->config->endpoints[i].owner, name);
            is_changed |= hf_incident_log_endpoint(log, incident, name);
        }
    }
    if (total > incident->endpoint_total) {
        incident->endpoint_total = total;
        is_changed = true;
    }
    return is_changed;
}

static bool touch_incident(struct touch *touch, struct hf_incident_log *log,
                           struct hf_incident *incident)
{
    uint32_t *shares = allocate(touch->config->service_count, sizeof(*shares));
    for (uint32_t i = 0; i < touch->config->endpoint_count; i++) {
        touch->marks[i] &= (uint8_t)~OF_INCIDENT;
    }
    for (uint32_t i = 0; i < incident->condition_count; i++) {
        if (incident->conditions[i].cleared_ms == 0) {
            mark_condition(touch, &incident->conditions[i].sight);
        }
    }
    bool is_changed = note_endpoints(touch, log, incident);
    is_changed |= hit_services(touch, log, incident, shares);
    is_changed |= hit_dependents(touch, log, incident, shares);
    free(shares);
    return is_changed;
}

bool hf_incidents_touch(struct hf_incident_log *log, const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    struct touch touch = {.look = look, .config = look->config};
    bool is_changed = false;
    touch.marks = allocate(look->config->endpoint_count, 1);
    hf_status_fleet_count(look, &touch.fleet);
    find_down(&touch);
    mark_waiting(&touch);
    for (uint32_t i = 0; i < log->count; i++) {
        if (log->incidents[i].closed_ms == 0) {
            is_changed |= touch_incident(&touch, log, &log->incidents[i]);
        }
    }
    free(touch.marks);
    free(touch.zone_rest);
    free(touch.down);
    hf_status_fleet_release(&touch.fleet);
    return is_changed;
}
