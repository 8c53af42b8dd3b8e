/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to receivers of alerts, octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/notify.h"

enum { MANAGER, HOOK, TEXT_MAX = 65536 };

#define START_MS UINT64_C(1700000000123) /* 2023-11-14T22:13:20.123Z */

struct world {
    struct hf_notify_machine machine;
    struct hf_notify_message message;
    struct hf_notice notice;
    struct hf_notify_sender sender;
    struct hf_buf text;
};

static int set_up(void **state)
{
    static const struct hf_notify_options options[] = {
        [MANAGER] = {HF_NOTIFY_ALERTMANAGER, HF_SEVERITY_NOTICE, 60000},
        [HOOK] = {HF_NOTIFY_WEBHOOK, HF_SEVERITY_NOTICE, 0},
    };
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    hf_notify_machine_init(&world->machine, options, 2, START_MS);
    hf_buf_init(&world->text, TEXT_MAX);
    world->sender = (struct hf_notify_sender){"prod", "https://dns.example.test/holdfast/"};
    world->notice = (struct hf_notice){.number = 12,
                                       .severity = HF_SEVERITY_WARNING,
                                       .code = "zone-unreachable",
                                       .subject = "example.test.",
                                       .title = "The \"edge\" is away",
                                       .text = "",
                                       .opened_ms = START_MS - 1000};
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    hf_buf_release(&world->text);
    free(world);
    return 0;
}

static void expect(struct world *world, uint32_t receiver, const char *expected)
{
    hf_notify_observe(&world->machine, &world->notice, 1, START_MS);
    assert_true(hf_notify_begin(&world->machine, receiver, START_MS, &world->message));
    hf_buf_clear(&world->text);
    (receiver == MANAGER ? hf_notify_alerts : hf_notify_webhook)(
        &world->machine, receiver, &world->message, &world->sender, &world->text);
    assert_int_equal(hf_buf_error(&world->text), HF_OK);
    assert_string_equal(hf_buf_text(&world->text), expected);
    hf_notify_finish(&world->machine, receiver, &world->message, HF_NOTIFY_DONE, START_MS);
}

#define ALERT(severity, ends)                                                                      \
    "{\"labels\":{\"alertname\":\"HoldfastIncident\",\"installation\":\"prod\",\"incident\":"      \
    "\"12\",\"code\":\"zone-unreachable\",\"subject\":\"example.test.\",\"severity\":\"" severity  \
    "\"},\"annotations\":{\"summary\":\"The \\\"edge\\\" is away\"},"                              \
    "\"startsAt\":\"2023-11-14T22:13:19.123Z\",\"endsAt\":\"" ends "\","                           \
    "\"generatorURL\":\"https://dns.example.test/holdfast/#/incidents/12\"}"

static void an_alert_ends_unless_it_is_repeated(void **state)
{
    expect(*state, MANAGER, "[" ALERT("warning", "2023-11-14T22:17:20.123Z") "]");
}

static void another_severity_ends_the_old_alert(void **state)
{
    struct world *world = *state;
    an_alert_ends_unless_it_is_repeated(state);
    world->notice.severity = HF_SEVERITY_CRITICAL;
    expect(world, MANAGER,
           "[" ALERT("warning", "2023-11-14T22:13:20.123Z") "," ALERT(
               "critical", "2023-11-14T22:17:20.123Z") "]");
}

static void a_closed_incident_ends_when_it_closed(void **state)
{
    struct world *world = *state;
    an_alert_ends_unless_it_is_repeated(state);
    world->notice.closed_ms = START_MS - 123;
    expect(world, MANAGER, "[" ALERT("warning", "2023-11-14T22:13:20.000Z") "]");
}

#define HOOK_BODY(event, closed)                                                                   \
    "{\"version\":1,\"event\":\"" event "\",\"installation\":\"prod\",\"at_ms\":1700000000123,"    \
    "\"incident\":{\"number\":12,\"severity\":\"warning\",\"code\":\"zone-unreachable\","          \
    "\"subject\":\"example.test.\",\"title\":\"The \\\"edge\\\" is away\",\"text\":\"3 of 3\","    \
    "\"opened_ms\":1699999999123,\"closed_ms\":" closed "}}"

static void a_webhook_hears_what_became_of_it(void **state)
{
    struct world *world = *state;
    char first[HF_NOTIFY_DELIVERY_MAX];
    char second[HF_NOTIFY_DELIVERY_MAX];
    world->sender.url = NULL;
    world->notice.text = "3 of 3";
    expect(world, HOOK, HOOK_BODY("opened", "null"));
    hf_notify_delivery(&world->machine, &world->message, &world->sender, first);
    assert_int_equal(strncmp(first, "prod-12-", 8), 0);
    world->notice.closed_ms = 1700000000000;
    hf_notify_observe(&world->machine, &world->notice, 1, START_MS);
    hf_notify_delivery(&world->machine, &world->message, &world->sender, second);
    assert_string_not_equal(first, second);
    expect(world, HOOK, HOOK_BODY("closed", "1700000000000"));
}

/* printf %s '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef */
static void a_signature_is_over_time_and_body(void **state)
{
    char text[HF_NOTIFY_SIGNATURE_MAX];
    (void)state;
    hf_notify_sign("0123456789abcdef", 16, 1700000000999, "{\"a\":1}", 7, text);
    assert_string_equal(
        text, "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23");
}

/* Dates around the ends of months and years, and where leap years are none. */
static void dates_are_right(void **state)
{
    static const struct {
        uint64_t at_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1709251199000, "2024-02-29T23:59:59.000Z"},
        {1709251200000, "2024-03-01T00:00:00.000Z"},
        {1735689599000, "2024-12-31T23:59:59.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world->notice.opened_ms = cases[i].at_ms;
        hf_notify_observe(&world->machine, &world->notice, 1, START_MS);
        world->machine.receivers[MANAGER].repeat_ms = 1;
        assert_true(hf_notify_begin(&world->machine, MANAGER, START_MS, &world->message));
        hf_buf_clear(&world->text);
        hf_notify_alerts(&world->machine, MANAGER, &world->message, &world->sender, &world->text);
        assert_non_null(strstr(hf_buf_text(&world->text), cases[i].text));
        hf_notify_finish(&world->machine, MANAGER, &world->message, HF_NOTIFY_DONE, START_MS);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_alert_ends_unless_it_is_repeated),   TEST(another_severity_ends_the_old_alert),
        TEST(a_closed_incident_ends_when_it_closed), TEST(a_webhook_hears_what_became_of_it),
        TEST(a_signature_is_over_time_and_body),     TEST(dates_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
