/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What /metrics tells of an installation that is made by hand, and that its reference is complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/metrics.h"

enum { TEXT_MAX = 64 * 1024 * 1024, ZONES = 2 };

static const char config_text[] = "installation: prod\n"
                                  "store: sqlite:/nowhere/store.db\n"
                                  "targets:\n"
                                  "  edge: { type: rfc2136, server: 127.0.0.1@5300 }\n"
                                  "zones:\n"
                                  "  example.test: { target: edge }\n"
                                  "pools:\n"
                                  "  web:\n"
                                  "    check: { type: tcp, port: 80 }\n"
                                  "    backends:\n"
                                  "      - { name: web-1, address: 192.0.2.1, site: a }\n"
                                  "      - { name: web-2, address: 192.0.2.2, site: b }\n"
                                  "      - { name: web-3, address: 192.0.2.3, site: b }\n"
                                  "endpoints:\n"
                                  "  api.example.test:\n"
                                  "    pools: [web]\n";

struct world {
    struct hf_config *config;
    struct hf_look look;
    struct hf_status status;
    struct hf_report_zone zones[ZONES];
    struct hf_backend_status backends[2];
    struct hf_buf text;
};

static void fill(struct world *world)
{
    struct hf_look *look = &world->look;
    look->now_ms = 1700000010500;
    look->store_state = "open";
    look->has_planner = true;
    look->planner = (struct hf_planner_status){.planner = "p",
                                               .at_ms = look->now_ms - 1000,
                                               .started_ms = 1700000000000,
                                               .published = 7,
                                               .trouble = "",
                                               .held_id = "",
                                               .held_lines = ""};
    world->zones[0] = (struct hf_report_zone){.zone = "example.test.",
                                              .state = "open",
                                              .why = "",
                                              .plan_gen = 42,
                                              .endpoints = 9,
                                              .behind = 2,
                                              .written = 11,
                                              .latency_ms = 13};
    world->zones[0].lists[HF_REPORT_CONTESTED].total = 3;
    world->zones[1] = (struct hf_report_zone){.zone = "odd\\\"\n.", .state = "refused", .why = ""};
    look->reports.count = 1;
    look->reports.rows[0] = (struct hf_report){.enactor = "e1",
                                               .at_ms = look->now_ms - 60000,
                                               .started_ms = 1700000000250,
                                               .trouble = "",
                                               .zones = world->zones,
                                               .zone_count = ZONES};
    world->backends[0] =
        (struct hf_backend_status){.name = "web-1", .verdict = HF_VERDICT_UP, .duration_us = 1500};
    world->backends[1] = (struct hf_backend_status){
        .name = "web-2", .verdict = HF_VERDICT_DOWN, .drained = true, .duration_us = 2500};
    look->backends = world->backends;
    look->backend_count = 2;
    look->backends_at_ms = look->now_ms;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct hf_buf problems;
    assert_non_null(world);
    hf_buf_init(&problems, 65536);
    hf_buf_init(&world->text, TEXT_MAX);
    if (hf_config_read_text(config_text, sizeof(config_text) - 1, "test", &world->config,
                            &problems) != HF_OK) {
        fail_msg("%s", hf_buf_text(&problems));
    }
    hf_buf_release(&problems);
    hf_plan_init(&world->look.plan);
    hf_overrides_init(&world->look.overrides);
    hf_arena_init(&world->look.arena, TEXT_MAX);
    world->look.config = world->config;
    world->status.look = &world->look;
    fill(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    hf_buf_release(&world->text);
    hf_config_free(world->config);
    hf_plan_release(&world->look.plan);
    hf_overrides_release(&world->look.overrides);
    hf_arena_release(&world->look.arena);
    free(world);
    return 0;
}

static const char *written(struct world *world, const struct hf_serve_counters *counters)
{
    hf_buf_clear(&world->text);
    hf_metrics_write(&world->status, counters, &world->text);
    assert_int_equal(hf_buf_error(&world->text), HF_OK);
    return hf_buf_text(&world->text);
}

/* The text has this whole line. */
static void expect_line(const char *text, const char *line)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(text, whole) == NULL) {
        fail_msg("no line '%s' in\n%s", line, text);
    }
}

static void expect_no(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        fail_msg("'%s' is in\n%s", part, text);
    }
}

static void an_installation_is_told(void **state)
{
    struct world *world = *state;
    world->status.counts.planned = 9;
    const char *text = written(world, NULL);
    expect_line(text, "holdfast_info{version=\"" HF_VERSION "\",installation=\"prod\"} 1");
    expect_line(text, "holdfast_view_timestamp_seconds 1700000010.500");
    expect_line(text, "holdfast_store_state{state=\"open\"} 1");
    expect_line(text, "holdfast_store_state{state=\"locked\"} 0");
    expect_line(text, "holdfast_endpoints{state=\"planned\"} 9");
    expect_line(text, "holdfast_role_up{role=\"planner\"} 1");
    expect_line(text, "holdfast_role_up{role=\"enactor\",enactor=\"e1\"} 0");
    expect_line(text, "holdfast_role_start_time_seconds{role=\"enactor\",enactor=\"e1\"} "
                      "1700000000.250");
    expect_line(text, "holdfast_planner_plans_published_total 7");
    expect_line(text, "# TYPE holdfast_planner_plans_published_total counter");
    expect_no(text, "holdfast_janitor_rounds_total");
    expect_no(text, "holdfast_api_");
}

static void zones_are_told_as_each_enactor_sees_them(void **state)
{
    const char *text = written(*state, NULL);
#define LABELS "{enactor=\"e1\",zone=\"example.test.\",target=\"edge\""
    expect_line(text, "holdfast_enactor_zone_state" LABELS ",state=\"open\"} 1");
    expect_line(text, "holdfast_enactor_zone_plan_generation" LABELS "} 42");
    expect_line(text, "holdfast_enactor_zone_behind_endpoints" LABELS "} 2");
    expect_line(text, "holdfast_enactor_endpoints_written_total" LABELS "} 11");
    expect_line(text, "holdfast_enactor_update_duration_seconds" LABELS "} 0.013");
    expect_line(text, "holdfast_enactor_zone_listed_endpoints" LABELS ",list=\"contested\"} 3");
#undef LABELS
    expect_line(text, "holdfast_enactor_zone_state"
                      "{enactor=\"e1\",zone=\"odd\\\\\\\"\\n.\",state=\"refused\"} 1");
}

static void backends_are_told_by_pool_and_one_by_one_only_when_asked(void **state)
{
    struct world *world = *state;
    const char *text = written(world, NULL);
    expect_line(text, "holdfast_pool_backends{pool=\"web\",verdict=\"up\"} 1");
    expect_line(text, "holdfast_pool_backends{pool=\"web\",verdict=\"down\"} 1");
    expect_line(text, "holdfast_pool_backends{pool=\"web\",verdict=\"unknown\"} 1");
    expect_line(text, "holdfast_pool_drained_backends{pool=\"web\"} 1");
    expect_line(text, "holdfast_pool_check_duration_max_seconds{pool=\"web\"} 0.002500");
    expect_no(text, "web-1");
    world->config->api.backend_metrics = true;
    text = written(world, NULL);
    expect_line(text, "holdfast_backend_up{backend=\"web-1\",pool=\"web\",site=\"a\"} 1");
    expect_line(text, "holdfast_backend_drained{backend=\"web-2\",pool=\"web\",site=\"b\"} 1");
    expect_no(text, "web-3"); /* nothing was said of it */
}

static void alerts_are_counted_by_code_and_severity(void **state)
{
    struct world *world = *state;
    static const struct hf_alert alerts[] = {
        {.severity = HF_SEVERITY_CRITICAL, .code = "zone-unreachable", .subject = "a."},
        {.severity = HF_SEVERITY_CRITICAL, .code = "zone-unreachable", .subject = "b."},
        {.severity = HF_SEVERITY_WARNING, .code = "zone-unreachable", .subject = "c."},
        {.severity = HF_SEVERITY_NOTICE, .code = "pinned", .subject = "c."},
    };
    memcpy(world->status.alerts, alerts, sizeof(alerts));
    world->status.alert_count = 4;
    world->status.alerts_dropped = 5;
    const char *text = written(world, NULL);
    expect_line(text, "holdfast_alerts{code=\"zone-unreachable\",severity=\"critical\"} 2");
    expect_line(text, "holdfast_alerts{code=\"zone-unreachable\",severity=\"warning\"} 1");
    expect_line(text, "holdfast_alerts{code=\"pinned\",severity=\"notice\"} 1");
    expect_line(text, "holdfast_alerts_urgent 8");
}

static void the_api_tells_of_itself(void **state)
{
    const struct hf_serve_counters counters = {.requests = {0, 0, 12, 1, 2, 3},
                                               .refused_token = 4,
                                               .streams_dropped = 5,
                                               .connections = 6,
                                               .streams = 7,
                                               .waiting = 8};
    const char *text = written(*state, &counters);
    expect_line(text, "holdfast_api_requests_total{code=\"2xx\"} 12");
    expect_line(text, "holdfast_api_requests_total{code=\"5xx\"} 3");
    expect_line(text, "holdfast_api_refused_total{why=\"token\"} 4");
    expect_line(text, "holdfast_api_streams_dropped_total 5");
    expect_line(text, "holdfast_api_connections 6");
    expect_line(text, "holdfast_api_streams 7");
    expect_line(text, "holdfast_api_waiting_requests 8");
}

static void receivers_are_told_of(void **state)
{
    struct world *world = *state;
    const struct hf_notify_counters receivers[] = {
        {.receiver = "am", .sent = 5, .failed = 2, .dropped = 1, .acknowledged_ms = 1700000000500},
        {.receiver = "hook", .refused = 3, .pending = 4},
    };
    hf_metrics_write_notify(receivers, 2, &world->text);
    const char *text = hf_buf_text(&world->text);
    expect_line(text, "holdfast_notify_messages_total{receiver=\"am\",result=\"failed\"} 2");
    expect_line(text, "holdfast_notify_messages_total{receiver=\"hook\",result=\"refused\"} 3");
    expect_line(text, "holdfast_notify_incidents_dropped_total{receiver=\"am\"} 1");
    expect_line(text, "holdfast_notify_pending_incidents{receiver=\"hook\"} 4");
    expect_line(text,
                "holdfast_notify_acknowledged_timestamp_seconds{receiver=\"am\"} 1700000000.500");
    expect_no(text, "holdfast_notify_acknowledged_timestamp_seconds{receiver=\"hook\"}");
}

static void delays_are_a_histogram(void **state)
{
    struct world *world = *state;
    struct hf_delays delays = {0};
    const uint64_t each_ms[] = {0, 25, 26, 100, 2500, 300000, 300001};
    for (size_t i = 0; i < sizeof(each_ms) / sizeof(each_ms[0]); i++) {
        hf_delays_add(&delays, each_ms[i]);
    }
    hf_metrics_write_delays(&delays, &world->text);
    const char *text = hf_buf_text(&world->text);
    expect_line(text, "# TYPE holdfast_write_delay_seconds histogram");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"0.025\"} 2");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"0.1\"} 4");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"1\"} 4");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"2.5\"} 5");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"300\"} 6");
    expect_line(text, "holdfast_write_delay_seconds_bucket{le=\"+Inf\"} 7");
    expect_line(text, "holdfast_write_delay_seconds_sum 602.652");
    expect_line(text, "holdfast_write_delay_seconds_count 7");
}

static uint32_t count_of(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void zones_stop_at_the_limit(void **state)
{
    struct world *world = *state;
    uint32_t counts[] = {HF_METRICS_ZONE_ROWS_MAX, HF_METRICS_ZONE_ROWS_MAX + 3};
    struct hf_report_zone *zones = calloc(counts[1], sizeof(*zones));
    assert_non_null(zones);
    for (uint32_t i = 0; i < counts[1]; i++) {
        zones[i] = (struct hf_report_zone){.zone = "a.", .state = "open", .why = ""};
    }
    world->look.reports.rows[0].zones = zones;
    for (int i = 0; i < 2; i++) {
        world->look.reports.rows[0].zone_count = counts[i];
        const char *text = written(world, NULL);
        assert_int_equal(count_of(text, "\nholdfast_enactor_updates_total{"), counts[0]);
        expect_line(text, i == 0 ? "holdfast_metrics_omitted_rows{kind=\"zone\"} 0"
                                 : "holdfast_metrics_omitted_rows{kind=\"zone\"} 3");
    }
    free(zones);
}

/* Row by row: docs/reference/metrics.md names all families, in this order, and no others. */
static void the_reference_has_every_metric(void **state)
{
    FILE *file = fopen("docs/reference/metrics.md", "r");
    char line[1024];
    uint32_t number = 0;
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        const struct hf_exposition_family *family = hf_metrics_family(number);
        char expected[1024];
        if (strncmp(line, "| `holdfast_", 12) != 0) {
            continue;
        }
        assert_non_null(family);
        (void)snprintf(expected, sizeof(expected), "| `%s` | %s | %s | %s |\n", family->name,
                       family->type, family->labels, family->help);
        assert_string_equal(line, expected);
        number++;
    }
    (void)fclose(file);
    assert_null(hf_metrics_family(number));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_installation_is_told),
        TEST(zones_are_told_as_each_enactor_sees_them),
        TEST(backends_are_told_by_pool_and_one_by_one_only_when_asked),
        TEST(alerts_are_counted_by_code_and_severity),
        TEST(the_api_tells_of_itself),
        TEST(receivers_are_told_of),
        TEST(delays_are_a_histogram),
        TEST(zones_stop_at_the_limit),
        cmocka_unit_test(the_reference_has_every_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
