/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "holdfast/statuspage.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define NOW_MS (UINT64_C(20000) * DAY_MS + 1000) /* a second after midnight */

enum { TEXT_MAX = 1 << 20 };

static const char config_text[] =
    "installation: prod\n"
    "store: sqlite:holdfast.db\n"
    "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
    "zones: { example.test: { target: edge } }\n"
    "pools:\n"
    "  web: { check: { type: none }, backends: [{ name: web-1, address: 192.0.2.1 }] }\n"
    "endpoints: { api.example.test: { pools: [web] } }\n"
    "services:\n"
    "  shop: { title: \"A<b>&\\\"'\\u202e\", endpoints: [api.example.test] }\n"
    "  mail: { endpoints: [api.example.test] }\n"
    "statuspage: { title: Us & them }\n";

struct world {
    struct hf_config *config;
    struct hf_incident_log log;
    struct hf_statuspage page;
    struct hf_incident_condition condition;
    struct hf_incident_affected services[1];
    struct hf_incident_message messages[2];
    struct hf_incident incident;
};

static int begin(void **state)
{
    static const char *const none[HF_SCOPE_COUNT] = {"", "", "", ""};
    struct world *world = test_calloc(1, sizeof(*world));
    struct hf_buf problems;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(
        hf_config_read_text(config_text, strlen(config_text), "t", &world->config, &problems),
        HF_OK);
    hf_buf_release(&problems);
    world->condition.sight.kind = HF_CONDITION_TARGET_UNREACHABLE;
    memcpy(world->condition.sight.scopes, none, sizeof(none));
    world->services[0] = (struct hf_incident_affected){.name = "shop", .title = "A<b>"};
    world->messages[0] = (struct hf_incident_message){
        .at_ms = NOW_MS, .who = "ann", .text = "in the house", .is_public = false};
    world->messages[1] = (struct hf_incident_message){
        .at_ms = NOW_MS, .who = "ann", .text = "]]> a\x01z\xef\xbf\xbf", .is_public = true};
    world->incident = (struct hf_incident){.number = 7,
                                           .opened_ms = NOW_MS - DAY_MS,
                                           .title = "Target edge cannot be reached",
                                           .conditions = &world->condition,
                                           .condition_count = 1,
                                           .services = world->services,
                                           .service_count = 1,
                                           .messages = world->messages};
    world->log = (struct hf_incident_log){
        .incidents = &world->incident, .count = 1, .since_ms = NOW_MS - 10 * DAY_MS};
    world->page =
        (struct hf_statuspage){.config = world->config, .log = &world->log, .now_ms = NOW_MS};
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    hf_config_free(world->config);
    test_free(world);
    return 0;
}

static void test_what_is_public(void **state)
{
    struct world *world = *state;
    /* It hits nobody. */
    assert_null(hf_statuspage_incident(&world->page, 0));
    assert_int_equal(hf_statuspage_overall(&world->page), HF_SERVICE_OPERATIONAL);
    /* A message for the house changes nothing, one for everybody does. */
    world->incident.message_count = 1;
    assert_null(hf_statuspage_incident(&world->page, 0));
    world->incident.message_count = 2;
    assert_non_null(hf_statuspage_incident(&world->page, 0));
    assert_null(hf_statuspage_incident(&world->page, 1));
    assert_int_equal(hf_statuspage_overall(&world->page), HF_SERVICE_WATCHED);
    /* Answers that are lost do, too, unless another incident tells it. */
    world->incident.message_count = 0;
    world->services[0].impact.highest_share = 1;
    assert_non_null(hf_statuspage_incident(&world->page, 0));
    world->incident.merged_into = 1;
    assert_null(hf_statuspage_incident(&world->page, 0));
}

static void test_states(void **state)
{
    struct world *world = *state;
    struct hf_impact *impact = &world->services[0].impact;
    const struct hf_config_service *shop = &world->config->services[0];
    const struct hf_config_service *mail = &world->config->services[1];
    *impact = (struct hf_impact){.share = 499, .highest_share = 600};
    assert_int_equal(hf_statuspage_now(&world->page, shop), HF_SERVICE_DEGRADED);
    assert_int_equal(hf_statuspage_now(&world->page, mail), HF_SERVICE_OPERATIONAL);
    impact->share = HF_STATUSPAGE_OUTAGE_PERMILLE;
    assert_int_equal(hf_statuspage_now(&world->page, shop), HF_SERVICE_OUTAGE);
    impact->share = 0;
    assert_int_equal(hf_statuspage_now(&world->page, shop), HF_SERVICE_WATCHED);
    world->incident.closed_ms = NOW_MS;
    assert_int_equal(hf_statuspage_now(&world->page, shop), HF_SERVICE_OPERATIONAL);
}

static void test_days(void **state)
{
    struct world *world = *state;
    enum hf_service_state days[HF_STATUSPAGE_DAYS];
    world->services[0].impact = (struct hf_impact){.share = 1, .highest_share = 1};
    world->incident.closed_ms = NOW_MS - 1500; /* half a second before midnight */
    hf_statuspage_days(&world->page, &world->config->services[0], days);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 1], HF_SERVICE_OPERATIONAL);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 2], HF_SERVICE_DEGRADED);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 3], HF_SERVICE_OPERATIONAL);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 11], HF_SERVICE_OPERATIONAL);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 12], HF_SERVICE_UNKNOWN);
    world->incident.closed_ms = 0;
    hf_statuspage_days(&world->page, &world->config->services[0], days);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 1], HF_SERVICE_DEGRADED);
    hf_statuspage_days(&world->page, &world->config->services[1], days);
    assert_int_equal(days[HF_STATUSPAGE_DAYS - 1], HF_SERVICE_OPERATIONAL);
}

static void test_escaping(void **state)
{
    (void)state;
    struct hf_buf text;
    hf_buf_init(&text, TEXT_MAX);
    hf_statuspage_put(&text, "<a href='x'>&\"\t\n\x1b\xff\xc3\xa9\xef\xbf\xbe");
    assert_string_equal(hf_buf_text(&text),
                        "&#60;a href=&#39;x&#39;&#62;&#38;&#34;\t\n\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9"
                        "\xef\xbf\xbd");
    hf_buf_release(&text);
}

static void test_files(void **state)
{
    struct world *world = *state;
    static const char *const secrets[] = {"<b>",          "in the house", "ann",     "edge",
                                          "example.test", "web-1",        "192.0.2", "\x01",
                                          "\xef\xbf\xbf", "]]>"};
    void (*const parts[])(const struct hf_statuspage *, struct hf_buf *) = {
        hf_statuspage_html, hf_statuspage_atom, hf_statuspage_json};
    world->incident.message_count = 2;
    world->services[0].impact = (struct hf_impact){.share = 900, .highest_share = 900};
    for (size_t part = 0; part < 3; part++) {
        bool is_json = part == 2;
        struct hf_buf text;
        hf_buf_init(&text, TEXT_MAX);
        parts[part](&world->page, &text);
        assert_int_equal(hf_buf_error(&text), HF_OK);
        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
            bool is_harmless = is_json && (i == 0 || i >= 7); /* JSON has its own escapes */
            assert_true(is_harmless || strstr(hf_buf_text(&text), secrets[i]) == NULL);
        }
        assert_non_null(strstr(hf_buf_text(&text), "Changes are delayed"));
        hf_buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_public, begin, end),
        cmocka_unit_test_setup_teardown(test_states, begin, end),
        cmocka_unit_test_setup_teardown(test_days, begin, end),
        cmocka_unit_test(test_escaping),
        cmocka_unit_test_setup_teardown(test_files, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
