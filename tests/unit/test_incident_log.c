/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/incident_log.h"

enum { HOLD_MS = 30000, START_MS = 1000000 };

struct world {
    struct hf_incident_log log;
    struct hf_incident_waiting waiting;
    struct hf_incident_changes changes;
    struct hf_incident_sight sights[8];
    uint32_t count;
    uint64_t now_ms;
};

static void begin(struct world *world)
{
    memset(world, 0, sizeof(*world));
    hf_incident_log_init(&world->log);
    world->now_ms = START_MS;
}

static void see(struct world *world, enum hf_condition_kind kind, const char *subject,
                const char *zone)
{
    world->sights[world->count++] = (struct hf_incident_sight){
        .kind = kind,
        .severity = HF_SEVERITY_WARNING,
        .code = hf_condition_kind_name(kind),
        .subject = subject,
        .text = "it is \"so\"\n",
        .scopes = {"edge", zone, "", ""},
    };
}

static bool step(struct world *world, uint64_t after_ms)
{
    world->now_ms += after_ms;
    return hf_incident_log_step(&world->log, world->sights, world->count, true, HOLD_MS,
                                world->now_ms, &world->waiting, &world->changes);
}

/* Encodes, decodes, and takes the outcome for the log: nothing may be lost. */
static void through_store(struct world *world)
{
    struct hf_buf one;
    struct hf_buf other;
    struct hf_incident_log log;
    hf_buf_init(&one, HF_INCIDENT_LOG_BYTES_MAX);
    hf_buf_init(&other, HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_log_encode(&world->log, &one);
    assert_int_equal(hf_incident_log_decode(one.bytes, one.size, &log), HF_OK);
    hf_incident_log_release(&world->log);
    world->log = log;
    hf_incident_log_encode(&world->log, &other);
    assert_string_equal(hf_buf_text(&one), hf_buf_text(&other));
    hf_buf_release(&one);
    hf_buf_release(&other);
}

static void test_story(void **state)
{
    struct world *world = *state;
    begin(world);
    assert_false(step(world, 0));
    see(world, HF_CONDITION_FREEZE_ZONE, "example.test.", "example.test.");
    assert_true(step(world, 0));
    through_store(world);
    assert_false(step(world, 1000));
    struct hf_incident *incident =
        hf_incident_log_of(&world->log, HF_CONDITION_FREEZE_ZONE, "example.test.");
    assert_non_null(incident);
    assert_int_equal(incident->number, 1);
    assert_string_equal(incident->title, "Zone example.test. is frozen");
    assert_string_equal(incident->conditions[0].sight.text, "it is \"so\"\n");
    assert_int_equal(incident->severity, HF_SEVERITY_WARNING);

    see(world, HF_CONDITION_BEHIND, "example.test.", "example.test.");
    assert_false(step(world, 0));
    assert_int_equal(world->waiting.due_ms, world->now_ms + 60000);
    assert_true(step(world, 60000));
    through_store(world);
    world->sights[1].severity = HF_SEVERITY_CRITICAL;
    assert_true(step(world, 0));
    assert_int_equal(world->log.incidents[0].severity, HF_SEVERITY_CRITICAL);

    world->count = 0;
    assert_true(step(world, 1000));
    uint64_t cleared = world->now_ms;
    through_store(world);
    assert_null(hf_incident_log_of(&world->log, HF_CONDITION_BEHIND, "example.test."));
    assert_true(step(world, HOLD_MS));
    through_store(world);
    incident = hf_incident_log_find(&world->log, 1);
    assert_int_equal(incident->closed_ms, cleared);
    assert_int_equal(incident->timeline_count, 5); /* opened, joined, twice cleared, closed */
    assert_int_equal(incident->timeline[4].event, HF_INCIDENT_CLOSED);

    see(world, HF_CONDITION_FREEZE_ZONE, "example.test.", "example.test.");
    assert_true(step(world, 1000));
    assert_int_equal(world->log.count, 1);
    assert_int_equal(world->log.incidents[0].reopened, 1);
    assert_int_equal(world->log.incidents[0].closed_ms, 0);
    hf_incident_log_release(&world->log);
}

static void test_merge_keeps_all(void **state)
{
    struct world *world = *state;
    begin(world);
    see(world, HF_CONDITION_ZONE_UNREACHABLE, "a.test.", "a.test.");
    (void)step(world, 0);
    (void)step(world, 5000);
    see(world, HF_CONDITION_ZONE_UNREACHABLE, "b.test.", "b.test.");
    (void)step(world, 0);
    (void)step(world, 5000);
    assert_int_equal(world->log.count, 2);
    struct hf_incident_affected service = {.name = "shop", .title = "Shop", .criticality = ""};
    struct hf_incident *second = hf_incident_log_find(&world->log, 2);
    assert_true(hf_incident_log_hit(&world->log, second, false, &service, 500, world->now_ms));
    assert_false(hf_incident_log_hit(&world->log, second, false, &service, 500, world->now_ms));
    assert_true(hf_incident_log_endpoint(&world->log, second, "www.b.test."));
    assert_false(hf_incident_log_endpoint(&world->log, second, "www.b.test."));
    see(world, HF_CONDITION_TARGET_UNREACHABLE, "edge", "");
    (void)step(world, 0);
    through_store(world);
    (void)step(world, 5000);
    through_store(world);
    struct hf_incident *first = hf_incident_log_find(&world->log, 1);
    second = hf_incident_log_find(&world->log, 2);
    assert_int_equal(second->merged_into, 1);
    assert_int_equal(second->closed_ms, world->now_ms);
    assert_int_equal(first->condition_count, 3);
    assert_string_equal(first->title, "Target edge cannot be reached");
    assert_string_equal(first->endpoints[0], "www.b.test.");
    assert_int_equal(hf_impact_lost_ms(&first->services[0].impact, world->now_ms), 2500);
    /* Both zones and the target end: one incident closes. */
    world->count = 0;
    (void)step(world, 1000);
    (void)step(world, HOLD_MS);
    first = hf_incident_log_find(&world->log, 1);
    assert_true(first->closed_ms != 0);
    assert_int_equal(first->services[0].impact.share, 0);
    hf_incident_log_release(&world->log);
}

/* An effect that comes back before its cause: in the end it is the old incident, and it goes on. */
static void test_effect_returns_first(void **state)
{
    struct world *world = *state;
    begin(world);
    see(world, HF_CONDITION_FREEZE_ALL, "", "");
    see(world, HF_CONDITION_FREEZE_ZONE, "a.test.", "a.test.");
    (void)step(world, 0);
    world->count = 0;
    (void)step(world, 1000);
    (void)step(world, HOLD_MS);
    see(world, HF_CONDITION_FREEZE_ZONE, "a.test.", "a.test.");
    (void)step(world, 1000);
    through_store(world);
    assert_int_equal(world->log.count, 2);
    see(world, HF_CONDITION_FREEZE_ALL, "", "");
    (void)step(world, 1000);
    through_store(world);
    struct hf_incident *first = hf_incident_log_find(&world->log, 1);
    assert_int_equal(first->closed_ms, 0);
    assert_int_equal(first->reopened, 1);
    assert_int_equal(first->conditions[1].cleared_ms, 0);
    assert_int_equal(hf_incident_log_find(&world->log, 2)->merged_into, 1);
    assert_ptr_equal(hf_incident_log_of(&world->log, HF_CONDITION_FREEZE_ZONE, "a.test."), first);
    world->count = 0;
    (void)step(world, 1000);
    (void)step(world, HOLD_MS);
    assert_int_not_equal(hf_incident_log_find(&world->log, 1)->closed_ms, 0);
    hf_incident_log_release(&world->log);
}

static void test_clock_set_back(void **state)
{
    struct world *world = *state;
    begin(world);
    see(world, HF_CONDITION_CONTESTED, "a.test.", "a.test.");
    (void)step(world, 0);
    world->count = 0;
    (void)step(world, 500000);
    world->now_ms = START_MS / 2;
    assert_true(step(world, 0));
    through_store(world);
    assert_true(step(world, HOLD_MS));
    assert_true(world->log.incidents[0].closed_ms != 0);
    hf_incident_log_release(&world->log);
}

static void test_messages(void **state)
{
    struct world *world = *state;
    char text[HF_INCIDENT_MESSAGE_BYTES_MAX + 2];
    begin(world);
    see(world, HF_CONDITION_HELD, "", "");
    (void)step(world, 0);
    (void)step(world, 5000);
    struct hf_incident_message message = {.at_ms = 7, .who = "ann", .text = "h\xc3\xa9 <b>&"};
    assert_int_equal(hf_incident_log_say(&world->log, 9, &message), HF_ENOENT);
    message.is_public = true;
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_OK);
    through_store(world);
    assert_string_equal(world->log.incidents[0].messages[0].text, "h\xc3\xa9 <b>&");
    assert_true(world->log.incidents[0].messages[0].is_public);
    message.text = " \n";
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_EINVAL);
    message.text = "\xff";
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_EINVAL);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = 0;
    message.text = text;
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_ELIMIT);
    text[sizeof(text) - 2] = 0;
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_OK);
    message.text = "again";
    for (int i = 2; i < HF_INCIDENT_MESSAGES_MAX; i++) {
        assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_OK);
    }
    assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_ELIMIT);
    through_store(world);
    hf_incident_log_release(&world->log);
}

/* What is added to rows that were read does not lie upon others. */
static void test_rows_grow_after_reading(void **state)
{
    struct world *world = *state;
    begin(world);
    see(world, HF_CONDITION_FREEZE_ALL, "", "");
    (void)step(world, 0);
    for (int i = 0; i < 20; i++) {
        char text[] = {(char)('a' + i), 0};
        struct hf_incident_message message = {.at_ms = 7, .who = text, .text = text};
        assert_int_equal(hf_incident_log_say(&world->log, 1, &message), HF_OK);
        assert_true(hf_incident_log_endpoint(&world->log, &world->log.incidents[0], text));
        through_store(world);
    }
    for (int i = 0; i < 20; i++) {
        char text[] = {(char)('a' + i), 0};
        assert_string_equal(world->log.incidents[0].messages[i].text, text);
        assert_string_equal(world->log.incidents[0].messages[i].who, text);
        assert_string_equal(world->log.incidents[0].endpoints[i], text);
    }
    hf_incident_log_release(&world->log);
}

static void test_flapping_is_bounded(void **state)
{
    struct world *world = *state;
    begin(world);
    see(world, HF_CONDITION_CONTESTED, "a.test.", "a.test.");
    for (int i = 0; i < 150; i++) {
        world->count = 1;
        (void)step(world, 1000);
        world->count = 0;
        (void)step(world, 1000);
    }
    assert_int_equal(world->log.count, 1);
    assert_int_equal(world->log.incidents[0].timeline_count, HF_INCIDENT_TIMELINE_MAX);
    assert_int_equal(world->log.incidents[0].timeline_dropped, 100);
    through_store(world);
    for (int i = 0; i < HF_INCIDENT_ENDPOINTS_MAX + 5; i++) {
        char name[16] = {(char)('a' + i % 26), (char)('a' + i / 26), 0};
        assert_int_equal(hf_incident_log_endpoint(&world->log, &world->log.incidents[0], name),
                         i < HF_INCIDENT_ENDPOINTS_MAX);
    }
    through_store(world);
    hf_incident_log_release(&world->log);
}

static void test_forget(void **state)
{
    struct world *world = *state;
    begin(world);
    for (uint32_t i = 0; i < HF_INCIDENTS_MAX + 5; i++) {
        world->count = 0;
        see(world, HF_CONDITION_CONTESTED, "a.test.", "a.test.");
        (void)step(world, HF_INCIDENT_REOPEN_MS + 1);
        world->count = 0;
        (void)step(world, 1);
        (void)step(world, HOLD_MS);
    }
    see(world, HF_CONDITION_FOREIGN, "b.test.", "b.test."); /* stays, whatever its age */
    (void)step(world, 0);
    (void)step(world, 10000);
    assert_int_equal(world->log.count, HF_INCIDENTS_MAX + 6);
    assert_int_equal(hf_incident_log_forget(&world->log, world->now_ms), 6);
    assert_int_equal(world->log.incidents[0].number, 7);
    through_store(world);
    uint64_t closed = world->log.incidents[0].closed_ms;
    assert_int_equal(hf_incident_log_forget(&world->log, closed + HF_INCIDENT_KEPT_MS), 0);
    assert_int_equal(hf_incident_log_forget(&world->log, closed + HF_INCIDENT_KEPT_MS + 1), 1);
    assert_int_equal(hf_incident_log_forget(&world->log, world->now_ms + 2 * HF_INCIDENT_KEPT_MS),
                     998);
    assert_int_equal(world->log.count, 1);
    assert_int_equal(world->log.next_number, HF_INCIDENTS_MAX + 7);
    hf_incident_log_release(&world->log);
}

static void test_malformed(void **state)
{
    struct world *world = *state;
    struct hf_buf json;
    struct hf_incident_log log;
    begin(world);
    see(world, HF_CONDITION_FREEZE_ALL, "", "");
    (void)step(world, 0);
    struct hf_incident_message message = {.at_ms = 7, .who = "ann", .text = "x"};
    struct hf_incident_affected service = {.name = "shop", .title = "Shop", .criticality = "low"};
    (void)hf_incident_log_say(&world->log, 1, &message);
    (void)hf_incident_log_hit(&world->log, &world->log.incidents[0], true, &service, 5, 9);
    (void)hf_incident_log_endpoint(&world->log, &world->log.incidents[0], "e");
    hf_buf_init(&json, HF_INCIDENT_LOG_BYTES_MAX);
    hf_incident_log_encode(&world->log, &json);
    assert_int_equal(hf_incident_log_decode(json.bytes, json.size - 1, &log), HF_EMALF);
    /* Every key with another letter in it is one that is not known. */
    char *text = (char *)json.bytes;
    uint32_t keys = 0;
    for (size_t i = 1; i + 2 < json.size; i++) {
        if (text[i] == '"' && text[i + 1] == ':') {
            char kept = text[i - 1];
            text[i - 1] = '~';
            assert_int_equal(hf_incident_log_decode(text, json.size, &log), HF_EMALF);
            text[i - 1] = kept;
            keys++;
        }
    }
    assert_true(keys > 40);
    assert_int_equal(hf_incident_log_decode(text, json.size, &log), HF_OK);
    hf_incident_log_release(&log);
    hf_buf_release(&json);
    hf_incident_log_release(&world->log);
}

int main(void)
{
    struct world *state = calloc(1, sizeof(*state));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_story, state),
        cmocka_unit_test_prestate(test_merge_keeps_all, state),
        cmocka_unit_test_prestate(test_effect_returns_first, state),
        cmocka_unit_test_prestate(test_clock_set_back, state),
        cmocka_unit_test_prestate(test_messages, state),
        cmocka_unit_test_prestate(test_rows_grow_after_reading, state),
        cmocka_unit_test_prestate(test_flapping_is_bounded, state),
        cmocka_unit_test_prestate(test_forget, state),
        cmocka_unit_test_prestate(test_malformed, state),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(state);
    return failed;
}
