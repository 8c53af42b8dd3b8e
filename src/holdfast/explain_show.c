/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "holdfast/explain.h"

enum { LABEL_COLUMNS = 9, BACKEND_ROWS_MAX = 200 };

static void put_label(const struct hf_term *out, const char *label)
{
    hf_term_put(out, HF_STYLE_BOLD, "%-*s", LABEL_COLUMNS, label);
}

static void put_records(const struct hf_term *out, const struct hf_records *records)
{
    uint32_t total = records->a_count + (uint32_t)records->aaaa_count;
    for (uint32_t i = 0; i < total; i++) {
        char text[HF_LOOK_ADDRESS_MAX];
        bool is_a = i < records->a_count;
        const uint8_t *at =
            is_a ? records->bytes + i * 4
                 : records->bytes + records->a_count * 4U + (i - records->a_count) * 16;
        hf_look_address(at, is_a ? 4 : 16, text);
        hf_term_put(out, HF_STYLE_PLAIN, "%s%s", i == 0 ? "" : ", ", text);
    }
    if (total == 0) {
        hf_term_put(out, HF_STYLE_DIM, "no address");
    } else {
        hf_term_put(out, HF_STYLE_DIM, "  ttl %us", records->ttl_s);
    }
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
}

static enum hf_style style_of_code(const char *code)
{
    static const char *const calm[] = {"behind", "pending", "not-written", "not-planned"};
    if (strcmp(code, "in-step") == 0) {
        return HF_STYLE_GOOD;
    }
    for (size_t i = 0; i < sizeof(calm) / sizeof(calm[0]); i++) {
        if (strcmp(code, calm[i]) == 0) {
            return HF_STYLE_WARN;
        }
    }
    return HF_STYLE_BAD;
}

/* --- name, server, plan --- */

static void show_head(const struct hf_explain *explain)
{
    const struct hf_term *out = &explain->look->invocation->out;
    hf_term_put(out, HF_STYLE_BOLD, "%s", explain->name);
    hf_term_put(out, style_of_code(explain->code), "  %s\n", explain->text);
    if (explain->command[0] != 0) {
        hf_term_put(out, HF_STYLE_NAME, "    %s\n", explain->command);
    }
    if (strcmp(explain->kind, "orphan") == 0) {
        hf_term_put(out, HF_STYLE_WARN,
                    "It is not in the configuration any more, and answered until it is retired:\n");
        hf_term_put(out, HF_STYLE_NAME, "    holdfast retire %s\n", explain->name);
    } else if (strcmp(explain->kind, "retired") == 0) {
        hf_term_put(out, HF_STYLE_DIM, "It is retired: it answers nothing on purpose.\n");
    }
}

static void show_fence(const struct hf_term *out, const struct hf_explain_server *server)
{
    put_label(out, "");
    switch (server->fence.kind) {
    case HF_FENCE_OURS:
        hf_term_put(out, HF_STYLE_PLAIN, "generation %" PRIu64 ", written by %s; ",
                    server->fence.gen, server->writer);
        if (!server->is_odd && server->sum == server->fence.sum) {
            hf_term_put(out, HF_STYLE_GOOD, "records and fence agree\n");
        } else {
            hf_term_put(out, HF_STYLE_BAD, "records and fence do not agree\n");
        }
        break;
    case HF_FENCE_ABSENT:
        hf_term_put(out, HF_STYLE_WARN, "no fence\n");
        break;
    default:
        hf_term_put(out, HF_STYLE_BAD, "%s: \"%s\"\n",
                    server->fence.kind == HF_FENCE_ALIEN ? "somebody else's fence"
                                                         : "a fence that is none",
                    server->text);
    }
}

static void show_server(const struct hf_explain *explain)
{
    const struct hf_term *out = &explain->look->invocation->out;
    const struct hf_config *config = explain->look->config;
    const struct hf_explain_server *server = &explain->server;
    if (explain->zone == UINT32_MAX) {
        return;
    }
    const struct hf_config_zone *zone = &config->zones[explain->zone];
    const struct hf_config_target *target = &config->targets[zone->target];
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
    put_label(out, "Answers");
    if (server->asked) {
        put_records(out, &server->records);
        if (server->is_odd) {
            put_label(out, "");
            hf_term_put(out, HF_STYLE_BAD, "and something that is no address of one TTL\n");
        }
        show_fence(out, server);
    } else {
        hf_term_put(out, HF_STYLE_BAD, "unknown: %s\n", server->why);
    }
    put_label(out, "");
    hf_term_put(out, HF_STYLE_DIM, "zone %s on %s, %s@%u\n", zone->name, target->name, target->host,
                target->port);
}

static void show_plan(const struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    const struct hf_term *out = &look->invocation->out;
    const struct hf_plan_entry *entry = explain->entry;
    put_label(out, "Plan");
    if (entry == NULL) {
        hf_term_put(out, HF_STYLE_WARN, "%s\n",
                    explain->planning != NULL ? "does not have it" : "cannot be read");
        return;
    }
    char words[HF_LOOK_SENTENCE_MAX];
    char ago[HF_TERM_SHORT_MAX];
    const char *backend = entry->cause_backend < look->plan.backend_count
                              ? look->plan.backends[entry->cause_backend].name
                              : NULL;
    put_records(out, &entry->records);
    hf_look_cause((enum hf_cause)entry->cause, backend, words);
    hf_look_ago(look, entry->changed_ms, ago);
    put_label(out, "");
    hf_term_put(out, HF_STYLE_PLAIN, "generation %" PRIu64 ", %s: %s\n", entry->gen, ago, words);
}

static void show_guard(const struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    const struct hf_term *out = &look->invocation->out;
    uint32_t number = hf_config_find_endpoint(look->config, explain->owner);
    uint64_t until_ms;
    enum hf_hold hold = hf_explain_hold(explain, &until_ms);
    if (number == UINT32_MAX) {
        return;
    }
    const struct hf_config_policy *policy =
        &look->config->policies[look->config->endpoints[number].policy];
    char window[HF_TERM_SHORT_MAX];
    hf_term_duration(policy->max_removal_ms, window);
    put_label(out, "Guards");
    hf_term_put(out, HF_STYLE_PLAIN, "min_healthy %u, max_removal %u.%u%% per %s, answers.max %u\n",
                policy->min_healthy, policy->max_removal_permille / 10U,
                policy->max_removal_permille % 10U, window, policy->answers_max);
    if (hold == HF_HOLD_NONE) {
        return;
    }
    put_label(out, "");
    hf_term_put(out, HF_STYLE_WARN, "held by %s: %s", hf_hold_name(hold), hf_look_hold(hold));
    if (until_ms != 0) {
        hf_term_duration(until_ms - look->now_ms, window);
        hf_term_put(out, HF_STYLE_WARN, ", for %s at least", window);
    }
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
}

/* --- backends --- */

static void put_backend(struct hf_table *table, const struct hf_explain *explain,
                        const struct hf_explain_backend *backend)
{
    char addresses[2 * HF_LOOK_ADDRESS_MAX];
    bool is_held = backend->reason == HF_REASON_IN_HELD;
    bool is_resting = backend->is_in && !backend->is_picked;
    hf_look_backend_addresses(backend->plan, addresses);
    hf_table_put(table, HF_STYLE_NAME, "%s", backend->name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", addresses);
    hf_table_put(table, HF_STYLE_DIM, "%s",
                 backend->config != NULL ? explain->look->config->sites[backend->config->site]
                                         : "-");
    hf_table_put(table,
                 is_held          ? HF_STYLE_WARN
                 : is_resting     ? HF_STYLE_DIM
                 : backend->is_in ? HF_STYLE_GOOD
                                  : HF_STYLE_BAD,
                 "%s",
                 is_resting       ? "rests"
                 : backend->is_in ? "in"
                                  : "out");
    hf_table_put(table, backend->is_answered ? HF_STYLE_PLAIN : HF_STYLE_DIM, "%s",
                 !explain->server.asked ? "?"
                 : backend->is_answered ? "yes"
                                        : "no");
    hf_table_put(table, is_held ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%s", backend->why);
}

static void show_backends(const struct hf_explain *explain)
{
    const struct hf_term *out = &explain->look->invocation->out;
    uint32_t count = hf_explain_members(explain);
    struct hf_table table;
    if (count == 0) {
        return;
    }
    hf_table_init(&table, "BACKEND|ADDRESS|SITE|PLAN|ANSWERED|WHY");
    for (uint32_t i = 0; i < count && i < BACKEND_ROWS_MAX; i++) {
        struct hf_explain_backend backend;
        hf_explain_backend(explain, i, &backend);
        put_backend(&table, explain, &backend);
    }
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
    hf_table_print(&table, out, 0);
    hf_table_release(&table);
    if (count > BACKEND_ROWS_MAX) {
        hf_term_put(out, HF_STYLE_DIM, "%u more, see --output json\n", count - BACKEND_ROWS_MAX);
    }
}

/* --- overrides and enactors --- */

static void show_overrides(const struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    struct hf_table table;
    hf_table_init(&table, "OPERATORS SAID|ABOUT|WHO|WHEN|WHY");
    for (uint32_t i = 0; i < look->overrides.count; i++) {
        const struct hf_override *item = &look->overrides.items[i];
        char ago[HF_TERM_SHORT_MAX];
        if (!hf_explain_touches(explain, item)) {
            continue;
        }
        hf_look_ago(look, item->at_ms, ago);
        hf_table_put(&table, HF_STYLE_WARN, "%s", hf_override_kind_name(item->kind));
        hf_table_put(&table, HF_STYLE_NAME, "%s", item->subject);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", item->who);
        hf_table_put(&table, HF_STYLE_DIM, "%s", ago);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", item->why);
    }
    if (table.cell_count > 0) {
        hf_term_put(&look->invocation->out, HF_STYLE_PLAIN, "\n");
        hf_table_print(&table, &look->invocation->out, 0);
    }
    hf_table_release(&table);
}

/* What an enactor notes of the endpoint: "contested, stamp". */
static void list_notes(const struct hf_explain *explain, const struct hf_report_zone *zone,
                       char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = 0;
    for (int i = 0; i < HF_REPORT_LISTS && used < size; i++) {
        if (hf_look_names(&zone->lists[i], explain->name)) {
            int more = snprintf(ret_text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                hf_report_list_name((enum hf_report_list)i));
            used += more > 0 ? (size_t)more : 0;
        }
    }
}

static void show_enactors(const struct hf_explain *explain)
{
    const struct hf_look *look = explain->look;
    struct hf_table table;
    hf_table_init(&table, "ENACTOR|ZONE IS|>WORKS TOWARDS|NOTES");
    for (uint32_t i = 0; i < look->reports.count && explain->zone != UINT32_MAX; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        const struct hf_report_zone *zone =
            hf_look_zone(report, look->config->zones[explain->zone].name);
        char notes[HF_LOOK_SENTENCE_MAX];
        if (zone == NULL) {
            continue;
        }
        bool is_alive = hf_look_is_alive(look, report->at_ms);
        list_notes(explain, zone, notes, sizeof(notes));
        hf_table_put(&table, HF_STYLE_NAME, "%s", report->enactor);
        hf_table_put(&table,
                     is_alive && strcmp(zone->state, "open") == 0 ? HF_STYLE_GOOD : HF_STYLE_BAD,
                     "%s", is_alive ? zone->state : "(dead)");
        hf_table_put(&table, HF_STYLE_PLAIN, "%" PRIu64, zone->plan_gen);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s%s%s", notes,
                     notes[0] != 0 && zone->why[0] != 0 ? "; " : "", zone->why);
    }
    if (table.cell_count > 0) {
        hf_term_put(&look->invocation->out, HF_STYLE_PLAIN, "\n");
        hf_table_print(&table, &look->invocation->out, 0);
    }
    hf_table_release(&table);
}

void hf_explain_show(const struct hf_explain *explain)
{
    show_head(explain);
    show_server(explain);
    show_plan(explain);
    show_guard(explain);
    show_backends(explain);
    show_overrides(explain);
    show_enactors(explain);
}
