/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conditions of a status: one for each alert above notice, and those that show in several alerts
 * only (a target of whose zones none can be written) or are no alert at once (endpoints that are
 * behind).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/name.h"
#include "holdfast/incidents_internal.h"

enum {
    TEXTS_MAX = 4 * 1024 * 1024,
    BEHIND_MAX = 32,  /* zones that are told to be behind */
    BEHIND_PART = 20, /* more than one in so many: what waits for its turn is no backlog */
};

static const struct {
    const char *code;
    enum hf_condition_kind kind;
} codes[] = {
    {"planner-missing", HF_CONDITION_PLANNER_DEAD},
    {"planner-dead", HF_CONDITION_PLANNER_DEAD},
    {"planner-stopped", HF_CONDITION_PLANNER_STOPPED},
    {"janitor-dead", HF_CONDITION_JANITOR_DEAD},
    {"enactor-dead", HF_CONDITION_ENACTOR_DEAD},
    {"no-enactor", HF_CONDITION_NO_ENACTOR},
    {"contested", HF_CONDITION_CONTESTED},
    {"foreign", HF_CONDITION_FOREIGN},
    {"ahead", HF_CONDITION_AHEAD},
    {"zone-refused", HF_CONDITION_ZONE_REFUSED},
    {"zone-unreachable", HF_CONDITION_ZONE_UNREACHABLE},
    {"zone-frozen", HF_CONDITION_FREEZE_ZONE},
    {"frozen", HF_CONDITION_FREEZE_ALL},
    {"min-healthy", HF_CONDITION_TOO_FEW},
    {"held", HF_CONDITION_HELD},
    {"site-down", HF_CONDITION_SITE_DOWN},
    {"pool-down", HF_CONDITION_POOL_DOWN},
};

enum hf_condition_kind hf_sight_kind(const struct hf_alert *alert)
{
    if (strncmp(alert->code, "store-", 6) == 0) {
        return HF_CONDITION_STORE;
    }
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].code, alert->code) == 0) {
            return codes[i].kind;
        }
    }
    return HF_CONDITION_TROUBLE;
}

const char *hf_sight_subject(enum hf_condition_kind kind, const struct hf_alert *alert)
{
    switch (kind) {
    case HF_CONDITION_STORE:
    case HF_CONDITION_PLANNER_DEAD:
    case HF_CONDITION_PLANNER_STOPPED:
    case HF_CONDITION_JANITOR_DEAD:
    case HF_CONDITION_NO_ENACTOR:
    case HF_CONDITION_FREEZE_ALL:
    case HF_CONDITION_TOO_FEW:
    case HF_CONDITION_HELD: /* another plan may be held a moment later */
        return "";
    default:
        return alert->subject != NULL ? alert->subject : alert->code;
    }
}

static const char *keep(struct hf_sights *sights, const char *text)
{
    const char *copy = hf_arena_copy(&sights->arena, text, strlen(text));
    return copy != NULL ? copy : "";
}

static struct hf_incident_sight *add(struct hf_sights *sights, enum hf_condition_kind kind,
                                     enum hf_severity severity, const char *subject)
{
    if (sights->count == HF_CONDITIONS_MAX) {
        sights->is_complete = false;
        return NULL;
    }
    struct hf_incident_sight *sight = &sights->rows[sights->count++];
    *sight = (struct hf_incident_sight){.kind = kind,
                                        .severity = severity,
                                        .code = hf_condition_kind_name(kind),
                                        .subject = keep(sights, subject),
                                        .text = "",
                                        .scopes = {"", "", "", ""}};
    return sight;
}

/* --- what they are about --- */

static void scope_zone(const struct hf_look *look, const char *zone,
                       struct hf_incident_sight *sight)
{
    sight->scopes[HF_SCOPE_ZONE] = zone;
    sight->scopes[HF_SCOPE_TARGET] = hf_look_target(look, zone);
}

static void scope_pool(const struct hf_look *look, const struct hf_status_fleet *fleet,
                       uint32_t pool, struct hf_incident_sight *sight)
{
    uint32_t site = fleet->pool_site[pool];
    sight->scopes[HF_SCOPE_POOL] = look->config->pools[pool].name;
    sight->scopes[HF_SCOPE_SITE] = site == UINT32_MAX ? "" : look->config->sites[site];
}

/* The pool that is down, or lost a site, of an endpoint that is held in this way, or UINT32_MAX. */
static uint32_t held_pool(const struct hf_look *look, const struct hf_status_fleet *fleet,
                          bool is_lacking)
{
    const struct hf_config *config = look->config;
    struct hf_held_line line;
    const char *at = look->has_planner ? look->planner.held_lines : "";
    while (hf_held_next(&at, &line)) {
        char name[HF_NAME_TEXT_MAX];
        uint8_t owner[HF_NAME_MAX];
        (void)snprintf(name, sizeof(name), "%.*s", line.name_size, line.name);
        bool is_min = strncmp(line.guard, "min_healthy", (size_t)line.guard_size) == 0;
        uint32_t row = is_min != is_lacking || hf_name_parse(name, owner) != 0
                           ? UINT32_MAX
                           : hf_config_find_endpoint(config, owner);
        for (uint32_t i = 0; row != UINT32_MAX && i < config->endpoints[row].pool_count; i++) {
            uint32_t pool = config->endpoint_pools[config->endpoints[row].pool_first + i];
            if (hf_status_fleet_pool_is_down(fleet, config, pool) ||
                fleet->pool_site[pool] != UINT32_MAX) {
                return pool;
            }
        }
    }
    return UINT32_MAX;
}

static void find_scopes(const struct hf_look *look, const struct hf_status_fleet *fleet,
                        struct hf_incident_sight *sight)
{
    uint32_t pool = UINT32_MAX;
    switch (sight->kind) {
    case HF_CONDITION_ZONE_UNREACHABLE:
    case HF_CONDITION_ZONE_REFUSED:
    case HF_CONDITION_FREEZE_ZONE:
    case HF_CONDITION_AHEAD:
    case HF_CONDITION_CONTESTED:
    case HF_CONDITION_FOREIGN:
    case HF_CONDITION_BEHIND:
        scope_zone(look, sight->subject, sight);
        break;
    case HF_CONDITION_TARGET_UNREACHABLE:
        sight->scopes[HF_SCOPE_TARGET] = sight->subject;
        break;
    case HF_CONDITION_SITE_DOWN:
        sight->scopes[HF_SCOPE_SITE] = sight->subject;
        break;
    case HF_CONDITION_POOL_DOWN:
        pool = hf_config_find_pool(look->config, sight->subject);
        break;
    case HF_CONDITION_TOO_FEW:
    case HF_CONDITION_HELD:
        pool = held_pool(look, fleet, sight->kind == HF_CONDITION_TOO_FEW);
        break;
    default:
        break;
    }
    if (pool != UINT32_MAX) {
        scope_pool(look, fleet, pool, sight);
    }
}

/* --- of alerts --- */

/* Who froze it and why, without how long ago that was: it will be read later. */
static const char *freeze_text(const struct hf_look *look, struct hf_sights *sights,
                               const struct hf_alert *alert)
{
    const struct hf_override *item =
        alert->subject == NULL
            ? NULL
            : hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, alert->subject);
    char text[HF_INCIDENT_TEXT_BYTES_MAX];
    if (item == NULL) {
        return keep(sights, alert->text);
    }
    bool is_all = strcmp(item->subject, "*") == 0;
    (void)snprintf(text, sizeof(text), "%s frozen by %s%s%s",
                   is_all ? "everything was" : "the zone was", item->who,
                   item->why[0] != 0 ? ": " : "", item->why);
    return keep(sights, text);
}

static void add_alerts(const struct hf_status *status, struct hf_sights *sights)
{
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        enum hf_condition_kind kind = hf_sight_kind(alert);
        if (alert->severity >= HF_SEVERITY_NOTICE) {
            continue;
        }
        struct hf_incident_sight *sight =
            add(sights, kind, alert->severity, hf_sight_subject(kind, alert));
        if (sight != NULL) {
            bool is_freeze = kind == HF_CONDITION_FREEZE_ZONE || kind == HF_CONDITION_FREEZE_ALL;
            sight->code = keep(sights, alert->code);
            sight->text =
                is_freeze ? freeze_text(status->look, sights, alert) : keep(sights, alert->text);
        }
    }
}

/* --- of several of them --- */

/* A target of whose zones none can be written by anybody. */
static void add_targets(const struct hf_status *status, struct hf_sights *sights)
{
    const struct hf_config *config = status->look->config;
    uint32_t unreachable[HF_CONFIG_TARGETS_MAX] = {0};
    uint32_t zones[HF_CONFIG_TARGETS_MAX] = {0};
    for (uint32_t i = 0; i < config->zone_count; i++) {
        zones[config->zones[i].target]++;
    }
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        uint32_t zone = hf_sight_kind(alert) == HF_CONDITION_ZONE_UNREACHABLE &&
                                alert->severity == HF_SEVERITY_CRITICAL
                            ? hf_config_find_zone(config, alert->subject)
                            : UINT32_MAX;
        if (zone != UINT32_MAX) {
            unreachable[config->zones[zone].target]++;
        }
    }
    for (uint32_t i = 0; i < config->target_count; i++) {
        char text[HF_INCIDENT_TEXT_BYTES_MAX];
        struct hf_incident_sight *sight = zones[i] > 0 && unreachable[i] == zones[i]
                                              ? add(sights, HF_CONDITION_TARGET_UNREACHABLE,
                                                    HF_SEVERITY_CRITICAL, config->targets[i].name)
                                              : NULL;
        if (sight != NULL) {
            (void)snprintf(text, sizeof(text), "no enactor can write to %s (%s@%u)",
                           config->targets[i].name, config->targets[i].host,
                           config->targets[i].port);
            sight->text = keep(sights, text);
        }
    }
}

static void add_behind(const struct hf_status *status, struct hf_sights *sights)
{
    const struct hf_look *look = status->look;
    uint32_t told = 0;
    for (uint32_t i = 0; i < look->config->zone_count; i++) {
        const struct hf_report_zone *zone = hf_status_zone(look, look->config->zones[i].name);
        if (zone == NULL || (uint64_t)zone->behind * BEHIND_PART <= zone->endpoints) {
            continue;
        }
        if (told++ == BEHIND_MAX) {
            sights->is_complete = false;
            return;
        }
        struct hf_incident_sight *sight =
            add(sights, HF_CONDITION_BEHIND, HF_SEVERITY_WARNING, zone->zone);
        if (sight != NULL) {
            char text[HF_INCIDENT_TEXT_BYTES_MAX];
            (void)snprintf(text, sizeof(text), "%u of %u endpoints of %s are behind the plan",
                           zone->behind, zone->endpoints, zone->zone);
            sight->text = keep(sights, text);
        }
    }
}

void hf_sights_make(const struct hf_status *status, struct hf_sights *ret_sights)
{
    const struct hf_look *look = status->look;
    struct hf_status_fleet fleet;
    ret_sights->count = 0;
    ret_sights->is_complete = look->store != NULL && look->problem_count == 0 &&
                              strcmp(look->store_state, "open") == 0 && status->alerts_dropped == 0;
    hf_arena_init(&ret_sights->arena, TEXTS_MAX);
    add_targets(status, ret_sights);
    add_alerts(status, ret_sights);
    add_behind(status, ret_sights);
    hf_status_fleet_count(look, &fleet);
    for (uint32_t i = 0; i < ret_sights->count; i++) {
        find_scopes(look, &fleet, &ret_sights->rows[i]);
    }
    hf_status_fleet_release(&fleet);
}

void hf_sights_release(struct hf_sights *sights)
{
    hf_arena_release(&sights->arena);
}
