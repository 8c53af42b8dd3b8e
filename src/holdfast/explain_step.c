/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which step is missing between what is planned and what is answered. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "holdfast/explain.h"

static void say(struct hf_explain *explain, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(struct hf_explain *explain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct hf_explain *explain, const char *code, const char *format, ...)
{
    va_list arguments;
    explain->code = code;
    va_start(arguments, format);
    (void)vsnprintf(explain->text, sizeof(explain->text), format, arguments);
    va_end(arguments);
}

static void add(struct hf_explain *explain, const char *format, ...)
{
    size_t used = strlen(explain->text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(explain->text + used, sizeof(explain->text) - used, format, arguments);
    va_end(arguments);
}

static void help(struct hf_explain *explain, const char *command, const char *subject)
{
    (void)snprintf(explain->command, sizeof(explain->command), "holdfast %s%s%.1000s", command,
                   subject[0] != 0 ? " " : "", subject);
}

/* --- who has to do the missing step, and whether he can --- */

/* A living enactor's view of the zone in which something stands in the way, else any, or NULL. */
static const struct hf_report_zone *find_view(const struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    const struct hf_report_zone *view = NULL;
    if (explain->zone == UINT32_MAX) {
        return NULL;
    }
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *zone =
            hf_look_is_alive(look, report->at_ms)
                ? hf_look_zone(report, look->config->zones[explain->zone].name)
                : NULL;
        bool is_first = zone != NULL && view == NULL;
        bool is_blocked = zone != NULL && strcmp(zone->state, "open") != 0;
        view = is_first || is_blocked ? zone : view;
    }
    return view;
}

static bool is_listed(const struct hf_explain *explain, enum hf_report_list list)
{
    const struct hf_look *look = explain->look;
    for (uint32_t i = 0; i < look->reports.count && explain->zone != UINT32_MAX; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *zone =
            hf_look_zone(report, look->config->zones[explain->zone].name);
        if (zone != NULL && hf_look_is_alive(look, report->at_ms) &&
            hf_look_names(&zone->lists[list], explain->name)) {
            return true;
        }
    }
    return false;
}

static void add_enactors(struct hf_explain *explain)
{
    const struct hf_report_zone *view = find_view(explain);
    if (view == NULL) {
        add(explain, "; no enactor is alive to write it");
    } else if (strcmp(view->state, "refused") == 0) {
        size_t size = strcspn(view->why, ";");
        add(explain, "; its zone is refused: %.*s", (int)size, view->why);
        help(explain, "adopt --zone", view->zone);
    } else if (strcmp(view->state, "frozen") == 0) {
        add(explain, "; its zone is frozen");
        bool is_all = hf_overrides_find(&explain->look->overrides, HF_OVERRIDE_FREEZE, "*") != NULL;
        help(explain, "thaw", is_all ? "" : view->zone);
    } else if (strcmp(view->state, "unreachable") == 0) {
        add(explain, "; the zone's server cannot be written to: %s", view->why);
    } else if (is_listed(explain, HF_REPORT_CONTESTED)) {
        add(explain, "; it is contested: healing stopped, because somebody else edits it again and "
                     "again");
        help(explain, "adopt", explain->name);
    } else {
        add(explain, "; an enactor writes it next");
    }
}

static void add_planner(struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    if (look->store == NULL) {
        add(explain, "; there is no store yet: start the planner");
    } else if (!look->has_planner) {
        add(explain, "; no planner has worked on this store yet");
    } else if (!hf_look_is_alive(look, look->planner.at_ms)) {
        char ago[HF_TERM_SHORT_MAX];
        hf_look_ago(look, look->planner.at_ms, ago);
        add(explain, "; the planner gave its last sign of life %s", ago);
    } else if (hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*") != NULL) {
        add(explain, "; everything is frozen");
        help(explain, "thaw", "");
    } else if (look->planner.stopped) {
        add(explain, "; the planner has stopped: see holdfast status");
    } else if (look->planner.trouble[0] != 0) {
        add(explain, "; the planner has trouble: %s", look->planner.trouble);
    } else {
        add(explain, "; the planner publishes it next");
    }
}

/* --- plan against server --- */

static bool has_records(const struct hf_explain_server *server)
{
    return server->records.a_count + server->records.aaaa_count > 0 || server->is_odd;
}

static void step_unfenced(struct hf_explain *explain)
{
    const struct hf_explain_server *server = &explain->server;
    bool is_claimed = (explain->entry->flags & HF_ROW_CLAIMED) != 0;
    if (server->fence.kind == HF_FENCE_ALIEN) {
        say(explain, "foreign", "the name has the fence of another installation: it is left alone");
        help(explain, "adopt", explain->name);
    } else if (server->fence.kind == HF_FENCE_DAMAGED) {
        say(explain, "fence-damaged", "its fence was edited and cannot be understood");
        add_enactors(explain);
    } else if (is_claimed) {
        say(explain, "fence-missing", "its fence was deleted by somebody else");
        add_enactors(explain);
    } else if (has_records(server)) {
        say(explain, "foreign", "the name has records that are not ours: they are left alone");
        help(explain, "adopt", explain->name);
    } else {
        say(explain, "not-written", "generation %" PRIu64 " was not written to the server yet",
            explain->entry->gen);
        add_enactors(explain);
    }
}

static void step_fenced(struct hf_explain *explain)
{
    const struct hf_explain_server *server = &explain->server;
    const struct hf_plan_entry *entry = explain->entry;
    uint64_t gen = server->fence.gen;
    if (gen < entry->gen) {
        say(explain, "behind", "the server answers generation %" PRIu64 ", the plan has %" PRIu64,
            gen, entry->gen);
        add_enactors(explain);
    } else if (gen > entry->gen) {
        say(explain, "ahead",
            "the server has generation %" PRIu64 ", the plan only %" PRIu64
            ": the store lost history",
            gen, entry->gen);
        add(explain, "; the planner publishes above it next");
    } else if (server->fence.sum != entry->sum) {
        say(explain, "forked",
            "fence and plan have generation %" PRIu64
            " and do not agree on its content: the store's history is another one; the planner "
            "stamps it anew",
            gen);
    } else if (server->is_odd || server->sum != server->fence.sum) {
        say(explain, "edited", "the records are not those of their fence: somebody edited them");
        add_enactors(explain);
    } else {
        say(explain, "in-step", "the server answers what the plan says, generation %" PRIu64, gen);
    }
}

static bool is_pending(const struct hf_explain *explain)
{
    if (explain->planning == NULL || explain->endpoint == UINT32_MAX ||
        !hf_bitset_has(&explain->planning->planner.publishing, explain->endpoint)) {
        return false;
    }
    struct hf_planner_entry next;
    hf_planner_next(&explain->planning->planner, explain->endpoint, &next);
    return !next.same_answer && next.cause != HF_CAUSE_ROTATION;
}

static void step_pending(struct hf_explain *explain)
{
    struct hf_planner_entry next;
    char words[HF_LOOK_SENTENCE_MAX];
    hf_planner_next(&explain->planning->planner, explain->endpoint, &next);
    uint32_t cause = next.row->cause_backend;
    hf_look_cause(next.cause,
                  cause == UINT32_MAX ? NULL : hf_planning_backend_name(explain->planning, cause),
                  words);
    say(explain, "pending", "the server answers what the plan says, and another plan is due (%s)",
        words);
    add_planner(explain);
}

void hf_explain_step(struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    const struct hf_explain_server *server = &explain->server;
    if (!server->asked) {
        say(explain, "server-silent", "the server could not be asked: %s", server->why);
    } else if (explain->planning == NULL) {
        say(explain, "plan-unknown", "the plan cannot be read: %s",
            look->problem_count > 0 ? look->problems[0].why : "unknown");
    } else if (explain->entry == NULL) {
        say(explain, "not-planned", "it is not in the plan yet");
        add_planner(explain);
    } else if (server->fence.kind != HF_FENCE_OURS) {
        step_unfenced(explain);
    } else {
        step_fenced(explain);
    }
    if (strcmp(explain->code, "in-step") == 0 && is_pending(explain)) {
        step_pending(explain);
    }
}
