/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What needs a person. Each function adds what it finds; the order is set at the end. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holdfast/status.h"

enum { TEXT_MAX = 1024, TEXTS_MAX = 16 * 1024 * 1024, NAMES_SHOWN = 3, POOLS_TOLD = 16 };

static const char *keep(struct hf_status *status, const char *text)
{
    return text == NULL ? NULL : hf_arena_copy(&status->arena, text, strlen(text));
}

static void add(struct hf_status *status, enum hf_severity severity, const char *code,
                const char *subject, const char *command, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static void add(struct hf_status *status, enum hf_severity severity, const char *code,
                const char *subject, const char *command, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    if (status->alert_count == HF_ALERTS_MAX) {
        status->alerts_dropped++;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    status->alerts[status->alert_count++] = (struct hf_alert){.severity = severity,
                                                              .code = code,
                                                              .subject = keep(status, subject),
                                                              .text = keep(status, text),
                                                              .command = keep(status, command)};
}

/* --- store and roles --- */

static void add_problems(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    for (uint32_t i = 0; i < look->problem_count; i++) {
        const struct hf_look_problem *problem = &look->problems[i];
        bool is_store = strcmp(problem->what, "store") == 0;
        char code[64];
        (void)snprintf(code, sizeof(code), "store-%s",
                       is_store || strcmp(look->store_state, "locked") == 0 ? look->store_state
                                                                            : "unreadable");
        add(status, HF_SEVERITY_CRITICAL, keep(status, code), problem->what, NULL, "%s%s",
            problem->why, is_store ? "; the DNS servers go on answering as they last did" : "");
    }
}

static void add_planner(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_planner_status *planner = &look->planner;
    char ago[HF_TERM_SHORT_MAX];
    if (look->store == NULL || strcmp(look->store_state, "open") != 0) {
        return; /* nobody knows */
    }
    if (!look->has_planner) {
        add(status, HF_SEVERITY_CRITICAL, "planner-missing", "planner", "holdfast planner",
            "no planner has worked on this store yet: nothing follows the backends");
        return;
    }
    if (!hf_look_is_alive(look, planner->at_ms)) {
        hf_look_ago(look, planner->at_ms, ago);
        add(status, HF_SEVERITY_CRITICAL, "planner-dead", planner->planner, NULL,
            "the planner gave its last sign of life %s (process %" PRIi64
            "): answers stay as they are, whatever happens to backends",
            ago, planner->pid);
    }
    if (planner->stopped) {
        add(status, HF_SEVERITY_CRITICAL, "planner-stopped", planner->planner, "holdfast thaw",
            "the planner has stopped: fences were ahead of the plan again and again, so somebody "
            "else writes as %s. Find them first",
            look->config->installation);
    }
    if (planner->trouble[0] != 0) {
        add(status, HF_SEVERITY_WARNING, "planner-trouble", planner->planner, NULL,
            "the planner has trouble: %s", planner->trouble);
    }
}

static void add_janitor(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    if (!look->has_janitor) {
        return;
    }
    if (!hf_look_janitor_is_alive(look)) {
        char ago[HF_TERM_SHORT_MAX];
        hf_look_ago(look, look->janitor.at_ms, ago);
        add(status, HF_SEVERITY_WARNING, "janitor-dead", "janitor", NULL,
            "the janitor gave its last sign of life %s: old plans pile up", ago);
    }
    if (look->janitor.trouble[0] != 0) {
        add(status, HF_SEVERITY_WARNING, "janitor-trouble", "janitor", NULL,
            "the janitor has trouble: %s", look->janitor.trouble);
    }
}

static void add_enactors(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    uint32_t alive = 0;
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        if (hf_look_is_alive(look, report->at_ms)) {
            alive++;
            if (report->trouble[0] != 0) {
                add(status, HF_SEVERITY_WARNING, "enactor-trouble", report->enactor, NULL,
                    "%s has trouble: %s", report->enactor, report->trouble);
            }
            continue;
        }
        char ago[HF_TERM_SHORT_MAX];
        hf_look_ago(look, report->at_ms, ago);
        add(status, HF_SEVERITY_WARNING, "enactor-dead", report->enactor, NULL,
            "%s gave its last sign of life %s (process %" PRIi64 ")", report->enactor, ago,
            report->pid);
    }
    if (alive == 0 && look->store != NULL && strcmp(look->store_state, "open") == 0) {
        add(status, HF_SEVERITY_CRITICAL, "no-enactor", NULL, "holdfast enactor --name NAME",
            "no enactor is alive: nothing that is planned reaches the DNS servers");
    }
}

/* --- zones --- */

static void list_names(const struct hf_report_names *names, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = 0;
    for (uint32_t i = 0; i < names->count && i < NAMES_SHOWN && used < size; i++) {
        int more =
            snprintf(ret_text + used, size - used, "%s%s", i == 0 ? "" : ", ", names->names[i]);
        used += more > 0 ? (size_t)more : 0;
    }
    if (names->total > NAMES_SHOWN && used < size) {
        (void)snprintf(ret_text + used, size - used, " and %u more", names->total - NAMES_SHOWN);
    }
}

static void add_names(struct hf_status *status, const struct hf_report_zone *zone)
{
    char text[TEXT_MAX / 2];
    char command[TEXT_MAX];
    const struct hf_report_names *contested = &zone->lists[HF_REPORT_CONTESTED];
    const struct hf_report_names *foreign = &zone->lists[HF_REPORT_FOREIGN];
    if (contested->total > 0) {
        list_names(contested, text, sizeof(text));
        (void)snprintf(command, sizeof(command), "holdfast adopt %s",
                       contested->count > 0 ? contested->names[0] : "NAME");
        add(status, HF_SEVERITY_CRITICAL, "contested", zone->zone, command,
            "%s: edited by somebody else again and again, healing stopped", text);
    }
    if (foreign->total > 0) {
        list_names(foreign, text, sizeof(text));
        (void)snprintf(command, sizeof(command), "holdfast adopt %s",
                       foreign->count > 0 ? foreign->names[0] : "NAME");
        add(status, HF_SEVERITY_WARNING, "foreign", zone->zone, command,
            "%s: the zone has records there that are not ours; they are left alone", text);
    }
    if (zone->ahead_gen > status->look->plan.head.gen) {
        add(status, HF_SEVERITY_WARNING, "ahead", zone->zone, NULL,
            "%s has fences of generation %" PRIu64
            ", above the plan: the store lost history; the planner publishes above it",
            zone->zone, zone->ahead_gen);
    }
}

/* Living enactors that report this state of a zone; ret_why of the last. */
static uint32_t count_state(const struct hf_look *look, const char *zone, const char *state,
                            uint32_t *ret_alive, const char **ret_why)
{
    uint32_t count = 0;
    *ret_alive = 0;
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *row =
            hf_look_is_alive(look, report->at_ms) ? hf_look_zone(report, zone) : NULL;
        *ret_alive += row != NULL;
        if (row != NULL && strcmp(row->state, state) == 0) {
            *ret_why = row->why;
            count++;
        }
    }
    return count;
}

static void add_zone(struct hf_status *status, const struct hf_config_zone *config)
{
    const struct hf_look *look = status->look;
    const char *why = "";
    uint32_t alive;
    char command[TEXT_MAX];
    const char *zone = config->name;
    if (count_state(look, zone, "refused", &alive, &why) > 0) {
        size_t size = strcspn(why, ";"); /* behind it: the command */
        (void)snprintf(command, sizeof(command), "holdfast adopt --zone %s", zone);
        add(status, HF_SEVERITY_CRITICAL, "zone-refused", zone, command, "%s is refused: %.*s",
            zone, (int)size, why);
    }
    uint32_t unreachable = count_state(look, zone, "unreachable", &alive, &why);
    if (unreachable > 0) {
        const struct hf_config_target *target = &look->config->targets[config->target];
        add(status, unreachable == alive ? HF_SEVERITY_CRITICAL : HF_SEVERITY_WARNING,
            "zone-unreachable", zone, NULL, "%s: %u of %u enactors cannot write to %s@%u: %s", zone,
            unreachable, alive, target->host, target->port, why);
    }
    const struct hf_override *freeze =
        hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, zone);
    if (freeze == NULL && hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*") == NULL &&
        count_state(look, zone, "frozen", &alive, &why) > 0) {
        (void)snprintf(command, sizeof(command), "holdfast thaw %s", zone);
        add(status, HF_SEVERITY_WARNING, "zone-frozen", zone, command,
            "%s is frozen: its server refuses every write", zone);
    }
    const struct hf_report_zone *best = hf_status_zone(look, zone);
    if (best != NULL) {
        add_names(status, best);
    }
}

static void add_freezes(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    for (uint32_t i = 0; i < look->overrides.count; i++) {
        const struct hf_override *item = &look->overrides.items[i];
        if (item->kind != HF_OVERRIDE_FREEZE) {
            continue;
        }
        char ago[HF_TERM_SHORT_MAX];
        char command[TEXT_MAX];
        bool is_all = strcmp(item->subject, "*") == 0;
        hf_look_ago(look, item->at_ms, ago);
        (void)snprintf(command, sizeof(command), "holdfast thaw%s%s", is_all ? "" : " ",
                       is_all ? "" : item->subject);
        add(status, HF_SEVERITY_WARNING, is_all ? "frozen" : "zone-frozen", item->subject, command,
            "%s frozen by %s %s%s%s", is_all ? "everything is" : "zone is", item->who, ago,
            item->why[0] != 0 ? ": " : "", item->why);
    }
}

/* --- what is held --- */

static void add_held(struct hf_status *status)
{
    const struct hf_look *look = status->look;
    char first[TEXT_MAX / 2] = "";
    char lacking[TEXT_MAX / 2] = "";
    uint32_t waits = 0;
    uint32_t lacks = 0;
    struct hf_held_line line;
    const char *at = look->has_planner ? look->planner.held_lines : "";
    while (hf_held_next(&at, &line)) {
        bool is_lacking = strncmp(line.guard, "min_healthy", (size_t)line.guard_size) == 0;
        char *list = is_lacking ? lacking : first;
        uint32_t *count = is_lacking ? &lacks : &waits;
        size_t used = strlen(list);
        if ((*count)++ < NAMES_SHOWN) {
            (void)snprintf(list + used, TEXT_MAX / 2 - used, "%s%.*s (%.*s)", used == 0 ? "" : ", ",
                           line.name_size, line.name, line.guard_size, line.guard);
        }
    }
    if (lacks > 0) {
        add(status, HF_SEVERITY_CRITICAL, "min-healthy", NULL, NULL,
            "%u endpoint%s keep%s the last good answer, too few backends are healthy: %s%s", lacks,
            hf_look_plural(lacks), lacks == 1 ? "s" : "", lacking,
            lacks > NAMES_SHOWN ? ", others" : "");
    }
    if (waits > 0) {
        char command[TEXT_MAX];
        (void)snprintf(command, sizeof(command), "holdfast approve %.16s", look->planner.held_id);
        add(status, HF_SEVERITY_WARNING, "held", look->planner.held_id, command,
            "%u endpoint%s held back by guards: %s%s", waits, waits == 1 ? " is" : "s are", first,
            waits > NAMES_SHOWN ? ", others" : "");
    }
}

/* --- backends --- */

/* Pools that are down because a site is are not told one by one. */
static void add_fleet(struct hf_status *status)
{
    const struct hf_config *config = status->look->config;
    struct hf_status_fleet fleet;
    uint32_t pools = 0;
    hf_status_fleet_count(status->look, &fleet);
    for (uint32_t i = 0; i < config->site_count; i++) {
        if (hf_status_fleet_site_is_down(&fleet, i)) {
            add(status, HF_SEVERITY_WARNING, "site-down", config->sites[i], NULL,
                "all %u backends of site %s are down", fleet.site_down[i], config->sites[i]);
        }
    }
    for (uint32_t i = 0; i < config->pool_count && pools < POOLS_TOLD; i++) {
        if (hf_status_fleet_pool_is_down(&fleet, config, i) && fleet.pool_site[i] == UINT32_MAX) {
            add(status, HF_SEVERITY_WARNING, "pool-down", config->pools[i].name, NULL,
                "%u of the %u backends of pool %s are down", fleet.pool_down[i],
                config->pools[i].backend_count, config->pools[i].name);
            pools++;
        }
    }
    hf_status_fleet_release(&fleet);
}

/* --- together --- */

static void sort(struct hf_status *status)
{
    /* Stable: within a severity the order in which they were added. */
    for (uint32_t i = 1; i < status->alert_count; i++) {
        struct hf_alert alert = status->alerts[i];
        uint32_t at = i;
        while (at > 0 && status->alerts[at - 1].severity > alert.severity) {
            status->alerts[at] = status->alerts[at - 1];
            at--;
        }
        status->alerts[at] = alert;
    }
}

void hf_status_alerts(struct hf_status *status)
{
    hf_arena_init(&status->arena, TEXTS_MAX);
    const struct hf_look *look = status->look;
    add_problems(status);
    for (uint32_t i = 0; i < look->config->zone_count; i++) {
        add_zone(status, &look->config->zones[i]);
    }
    add_planner(status);
    add_enactors(status);
    add_held(status);
    add_freezes(status);
    add_janitor(status);
    add_fleet(status);
    sort(status);
}

void hf_status_release(struct hf_status *status)
{
    hf_arena_release(&status->arena);
}

uint32_t hf_status_urgent(const struct hf_status *status)
{
    uint32_t count = status->alerts_dropped;
    for (uint32_t i = 0; i < status->alert_count; i++) {
        count += status->alerts[i].severity < HF_SEVERITY_NOTICE;
    }
    return count;
}
