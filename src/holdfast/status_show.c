/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "holdfast/status.h"

enum {
    ZONE_ROWS_MAX = 24, /* with more, those that are well are only counted */
    BACKEND_ROWS_MAX = 12,
    ALERT_INDENT = 4,
};

static void put_count(const struct hf_term *out, enum hf_style style, uint32_t count,
                      const char *what)
{
    if (count > 0) {
        hf_term_put(out, HF_STYLE_PLAIN, ", ");
        hf_term_put(out, style, "%u %s", count, what);
    }
}

/* --- the top --- */

static void show_head(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    uint32_t urgent = hf_status_urgent(status);
    hf_term_put(out, HF_STYLE_BOLD, "%s", look->config->installation);
    if (urgent == 0) {
        hf_term_put(out, HF_STYLE_GOOD, "  nothing needs a person\n");
    } else {
        bool is_critical = status->alerts[0].severity == HF_SEVERITY_CRITICAL;
        hf_term_put(out, is_critical ? HF_STYLE_BAD : HF_STYLE_WARN,
                    "  %u thing%s need%s a person\n", urgent, hf_look_plural(urgent),
                    urgent == 1 ? "s" : "");
    }
    for (uint32_t i = 0; i < status->alert_count; i++) {
        const struct hf_alert *alert = &status->alerts[i];
        enum hf_style style = alert->severity == HF_SEVERITY_CRITICAL  ? HF_STYLE_BAD
                              : alert->severity == HF_SEVERITY_WARNING ? HF_STYLE_WARN
                                                                       : HF_STYLE_DIM;
        hf_term_put(out, style, "  ! ");
        hf_look_wrap(out, ALERT_INDENT, alert->text);
        if (alert->command != NULL) {
            hf_term_put(out, HF_STYLE_NAME, "      %s\n", alert->command);
        }
        if (alert->incident != 0) {
            hf_term_put(out, HF_STYLE_DIM, "      incident %" PRIu64 "\n", alert->incident);
        }
    }
    if (status->alerts_dropped > 0) {
        hf_term_put(out, HF_STYLE_DIM, "    and %u more\n", status->alerts_dropped);
    }
}

static void show_plan(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    const struct hf_plan_head *head = &look->plan.head;
    hf_term_put(out, HF_STYLE_BOLD, "\nPlan       ");
    if (!look->has_plan) {
        hf_term_put(out, HF_STYLE_DIM, "unknown (store %s: %s)\n", look->config->store_path,
                    look->store_state);
    } else if (head->gen == 0) {
        hf_term_put(out, HF_STYLE_DIM, "nothing was published yet\n");
    } else {
        char ago[HF_TERM_SHORT_MAX];
        hf_look_ago(look, head->created_ms, ago);
        hf_term_put(out, HF_STYLE_PLAIN, "generation %" PRIu64 ", %s, by %s\n", head->gen, ago,
                    head->planner);
    }
}

static void show_endpoints(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    const struct hf_status_counts *counts = &status->counts;
    hf_term_put(out, HF_STYLE_BOLD, "Endpoints  ");
    if (!look->has_plan) {
        hf_term_put(out, HF_STYLE_PLAIN, "%u configured\n", look->config->endpoint_count);
        return;
    }
    hf_term_put(out, HF_STYLE_PLAIN, "%u", counts->planned);
    put_count(out, HF_STYLE_GOOD, counts->in_step, "in step");
    put_count(out, HF_STYLE_WARN, counts->behind, "behind");
    put_count(out, HF_STYLE_WARN, counts->held, "held");
    put_count(out, HF_STYLE_BAD, counts->contested, "contested");
    put_count(out, HF_STYLE_WARN, counts->foreign, "foreign");
    put_count(out, HF_STYLE_WARN, counts->frozen, "in frozen zones");
    put_count(out, HF_STYLE_NAME, counts->pinned, "rolled back");
    put_count(out, HF_STYLE_DIM, counts->retired, "retired");
    put_count(out, HF_STYLE_WARN, counts->orphans, "not in the configuration");
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
}

static void show_backend_counts(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    const struct hf_status_counts *counts = &status->counts;
    hf_term_put(out, HF_STYLE_BOLD, "Backends   ");
    hf_term_put(out, HF_STYLE_PLAIN, "%u", counts->backends);
    put_count(out, HF_STYLE_GOOD, counts->up, "up");
    put_count(out, HF_STYLE_BAD, counts->down, "down");
    put_count(out, HF_STYLE_WARN, counts->unknown, "unknown");
    put_count(out, HF_STYLE_NAME, counts->drained, "drained");
    if (look->backends_at_ms != 0 && !hf_look_is_alive(look, look->backends_at_ms)) {
        char ago[HF_TERM_SHORT_MAX];
        hf_look_ago(look, look->backends_at_ms, ago);
        hf_term_put(out, HF_STYLE_WARN, ", as of %s", ago);
    }
    hf_term_put(out, HF_STYLE_PLAIN, "\n");
}

/* --- roles --- */

static void put_role(struct hf_table *table, const struct hf_look *look, const char *name,
                     int64_t pid, uint64_t at_ms, bool is_alive)
{
    char ago[HF_TERM_SHORT_MAX];
    hf_look_ago(look, at_ms, ago);
    hf_table_put(table, HF_STYLE_NAME, "%s", name);
    hf_table_put(table, is_alive ? HF_STYLE_GOOD : HF_STYLE_BAD, "%s", is_alive ? "alive" : "dead");
    hf_table_put(table, HF_STYLE_DIM, "%s", ago);
    hf_table_put(table, HF_STYLE_DIM, "%" PRIi64, pid);
}

static void put_enactor(struct hf_table *table, const struct hf_look *look,
                        const struct hf_report *report)
{
    uint64_t written = 0;
    uint64_t messages = 0;
    uint64_t refused = 0;
    uint64_t unknown = 0;
    uint64_t healed = 0;
    for (uint32_t i = 0; i < report->zone_count; i++) {
        written += report->zones[i].written;
        messages += report->zones[i].messages;
        refused += report->zones[i].refused;
        unknown += report->zones[i].unknown;
        healed += report->zones[i].healed;
    }
    put_role(table, look, report->enactor, report->pid, report->at_ms,
             hf_look_is_alive(look, report->at_ms));
    hf_table_put(table, HF_STYLE_PLAIN,
                 "%" PRIu64 " written in %" PRIu64 " messages, %" PRIu64 " refused, %" PRIu64
                 " unknown, %" PRIu64 " healed",
                 written, messages, refused, unknown, healed);
}

static void show_roles(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    struct hf_table table;
    if (!look->has_planner && !look->has_janitor && look->reports.count == 0) {
        return;
    }
    hf_table_init(&table, "ROLE||SEEN|>PID|SINCE IT STARTED");
    if (look->has_planner) {
        put_role(&table, look, look->planner.planner, look->planner.pid, look->planner.at_ms,
                 hf_look_is_alive(look, look->planner.at_ms));
        hf_table_put(&table, HF_STYLE_PLAIN, "%" PRIu64 " plans published",
                     look->planner.published);
    }
    if (look->has_janitor) {
        put_role(&table, look, "janitor", look->janitor.pid, look->janitor.at_ms,
                 hf_look_janitor_is_alive(look));
        hf_table_put(&table, HF_STYLE_PLAIN,
                     "%" PRIu64 " plans deleted, %" PRIu64 " tombstones removed",
                     look->janitor.deleted, look->janitor.cleaned);
    }
    for (uint32_t i = 0; i < look->reports.count; i++) {
        put_enactor(&table, look, &look->reports.rows[i]);
    }
    hf_term_put(&look->invocation->out, HF_STYLE_PLAIN, "\n");
    hf_table_print(&table, &look->invocation->out, 0);
    hf_table_release(&table);
}

/* --- zones --- */

static enum hf_style style_of_state(const char *state)
{
    if (strcmp(state, "open") == 0) {
        return HF_STYLE_GOOD;
    }
    return strcmp(state, "refused") == 0 || strcmp(state, "unreachable") == 0 ? HF_STYLE_BAD
                                                                              : HF_STYLE_WARN;
}

static void put_zone(struct hf_table *table, const struct hf_look *look,
                     const struct hf_report *report, const struct hf_report_zone *zone)
{
    bool is_alive = hf_look_is_alive(look, report->at_ms);
    uint64_t head = look->plan.head.gen;
    uint64_t lag = head > zone->plan_gen ? head - zone->plan_gen : 0;
    hf_table_put(table, HF_STYLE_NAME, "%s", zone->zone);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", hf_look_target(look, zone->zone));
    hf_table_put(table, is_alive ? HF_STYLE_PLAIN : HF_STYLE_DIM, "%s", report->enactor);
    hf_table_put(table, is_alive ? style_of_state(zone->state) : HF_STYLE_DIM, "%s",
                 is_alive ? zone->state : "dead");
    hf_table_put(table, HF_STYLE_PLAIN, "%u", zone->in_step);
    hf_table_put(table, zone->behind > 0 ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%u", zone->behind);
    hf_table_put(table, lag > 0 ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%" PRIu64, lag);
    hf_table_put(table, HF_STYLE_PLAIN, "%" PRIu64 "ms", zone->latency_ms);
    hf_table_put(table, HF_STYLE_DIM, "%" PRIu64, zone->floor);
}

static void show_zones(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    struct hf_table table;
    uint64_t total = (uint64_t)look->config->zone_count * look->reports.count;
    uint32_t shown = 0;
    uint32_t well = 0;
    hf_table_init(&table, "ZONE|TARGET|ENACTOR|STATE|>IN STEP|>BEHIND|>LAG|>LATENCY|>FLOOR");
    for (uint32_t i = 0; i < look->config->zone_count; i++) {
        for (uint32_t k = 0; k < look->reports.count; k++) {
            const struct hf_report *report = &look->reports.rows[k];
            const struct hf_report_zone *zone = hf_look_zone(report, look->config->zones[i].name);
            bool is_well = zone == NULL || (strcmp(zone->state, "open") == 0 && zone->behind == 0);
            if (zone != NULL && (total <= ZONE_ROWS_MAX || (!is_well && shown < ZONE_ROWS_MAX))) {
                put_zone(&table, look, report, zone);
                shown++;
            } else {
                well += zone != NULL;
            }
        }
    }
    if (shown > 0) {
        hf_term_put(out, HF_STYLE_PLAIN, "\n");
        hf_table_print(&table, out, 0);
    }
    if (well > 0) {
        hf_term_put(out, HF_STYLE_DIM, "%s%u more views of zones, see --output json\n",
                    shown == 0 ? "\n" : "", well);
    }
    hf_table_release(&table);
}

/* --- backends that are not up --- */

static void put_backend(struct hf_table *table, const struct hf_look *look,
                        const struct hf_backend_status *row)
{
    char ago[HF_TERM_SHORT_MAX];
    enum hf_style style = row->verdict == HF_VERDICT_UP     ? HF_STYLE_GOOD
                          : row->verdict == HF_VERDICT_DOWN ? HF_STYLE_BAD
                                                            : HF_STYLE_WARN;
    hf_look_ago(look, row->since_ms, ago);
    hf_table_put(table, HF_STYLE_NAME, "%s", row->name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", row->pool);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", row->site);
    hf_table_put(table, style, "%s", hf_verdict_name(row->verdict));
    hf_table_put(table, HF_STYLE_DIM, "%s", row->since_ms == 0 ? "-" : ago);
    hf_table_put(table, HF_STYLE_PLAIN, "%s%s%s", row->drained ? "drained" : "",
                 row->drained && row->why[0] != 0 ? "; " : "", row->why);
}

static void show_backends(const struct hf_status *status)
{
    const struct hf_look *look = status->look;
    const struct hf_term *out = &look->invocation->out;
    struct hf_table table;
    uint32_t shown = 0;
    uint32_t more = 0;
    hf_table_init(&table, "BACKEND|POOL|SITE|VERDICT|SINCE|LAST CHECK");
    for (uint32_t i = 0; i < look->config->backend_count; i++) {
        const struct hf_backend_status *row = hf_look_backend(look, look->config->backends[i].name);
        if (row == NULL || (row->verdict == HF_VERDICT_UP && !row->drained)) {
            continue;
        }
        if (shown < BACKEND_ROWS_MAX) {
            put_backend(&table, look, row);
            shown++;
        } else {
            more++;
        }
    }
    if (shown > 0) {
        hf_term_put(out, HF_STYLE_PLAIN, "\n");
        hf_table_print(&table, out, 0);
    }
    if (more > 0) {
        hf_term_put(out, HF_STYLE_DIM, "%u more, see --output json\n", more);
    }
    hf_table_release(&table);
}

void hf_status_show(const struct hf_status *status)
{
    show_head(status);
    show_plan(status);
    show_endpoints(status);
    show_backend_counts(status);
    show_roles(status);
    show_zones(status);
    show_backends(status);
}
