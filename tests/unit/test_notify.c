/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What receivers of alerts are told, and when. A test reads as a trace: incidents are observed at a
 * time, messages begin and finish, and what is under way is written as its incidents' numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/notify.h"

enum { MANAGER, HOOK, REPEAT_MS = 60000, START_MS = 10000000 };

struct world {
    struct hf_notify_machine machine;
    struct hf_notify_message message;
    struct hf_notice notices[HF_NOTIFY_INCIDENTS_MAX + 8];
    uint32_t count;
    uint64_t now_ms;
};

static int set_up(void **state)
{
    static const struct hf_notify_options options[] = {
        [MANAGER] = {HF_NOTIFY_ALERTMANAGER, HF_SEVERITY_NOTICE, REPEAT_MS},
        [HOOK] = {HF_NOTIFY_WEBHOOK, HF_SEVERITY_WARNING, 0},
    };
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->now_ms = START_MS;
    hf_notify_machine_init(&world->machine, options, 2, world->now_ms);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static struct hf_notice *notice_of(struct world *world, uint64_t number)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->notices[i].number == number) {
            return &world->notices[i];
        }
    }
    world->notices[world->count] = (struct hf_notice){.number = number,
                                                      .severity = HF_SEVERITY_WARNING,
                                                      .code = "held",
                                                      .subject = "",
                                                      .title = "A plan is held",
                                                      .text = "",
                                                      .opened_ms = world->now_ms};
    return &world->notices[world->count++];
}

static void observe(struct world *world)
{
    hf_notify_observe(&world->machine, world->notices, world->count, world->now_ms);
}

static void opens(struct world *world, uint64_t number)
{
    (void)notice_of(world, number);
    observe(world);
}

static void closes(struct world *world, uint64_t number)
{
    notice_of(world, number)->closed_ms = world->now_ms;
    observe(world);
}

/* "1 2": the incidents of the message that begins now; "" when none does. */
static void begins(struct world *world, uint32_t receiver, const char *expected)
{
    char text[4096] = "";
    if (hf_notify_begin(&world->machine, receiver, world->now_ms, &world->message)) {
        for (uint32_t i = 0; i < world->message.count; i++) {
            size_t size = strlen(text);
            (void)snprintf(text + size, sizeof(text) - size, "%s%" PRIu64, i == 0 ? "" : " ",
                           world->machine.incidents[world->message.places[i]].number);
        }
    }
    assert_string_equal(text, expected);
}

static void finishes(struct world *world, uint32_t receiver, enum hf_notify_result result)
{
    hf_notify_finish(&world->machine, receiver, &world->message, result, world->now_ms);
}

static void tells(struct world *world, uint32_t receiver, const char *expected)
{
    begins(world, receiver, expected);
    finishes(world, receiver, HF_NOTIFY_DONE);
}

/* --- */

static void an_incident_is_told_once_and_its_end_once(void **state)
{
    struct world *world = *state;
    observe(world);
    begins(world, HOOK, "");
    opens(world, 1);
    tells(world, HOOK, "1");
    observe(world);
    begins(world, HOOK, "");
    notice_of(world, 1)->text = "more is known";
    observe(world);
    begins(world, HOOK, "");
    closes(world, 1);
    tells(world, HOOK, "1");
    tells(world, MANAGER, "1");
    observe(world);
    begins(world, HOOK, "");
    begins(world, MANAGER, "");
    assert_true(hf_notify_deadline_ms(&world->machine) >= world->now_ms + REPEAT_MS);
}

static void what_is_news_is_told_again(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    tells(world, HOOK, "1");
    notice_of(world, 1)->title = "Two plans are held";
    observe(world);
    tells(world, HOOK, "1");
    notice_of(world, 1)->severity = HF_SEVERITY_CRITICAL;
    observe(world);
    tells(world, HOOK, "1");
    begins(world, HOOK, "");
}

static void alertmanager_hears_of_what_is_open_again_and_again(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    opens(world, 2);
    tells(world, MANAGER, "1 2");
    begins(world, MANAGER, "");
    assert_int_equal(hf_notify_deadline_ms(&world->machine), 0); /* the webhook was told nothing */
    tells(world, HOOK, "1");
    tells(world, HOOK, "2");
    assert_int_equal(hf_notify_deadline_ms(&world->machine), START_MS + REPEAT_MS);
    world->now_ms += REPEAT_MS - 1;
    begins(world, MANAGER, "");
    world->now_ms += 1;
    tells(world, MANAGER, "1 2");
    closes(world, 1);
    tells(world, MANAGER, "1 2");
    world->now_ms += REPEAT_MS;
    tells(world, MANAGER, "2");
    closes(world, 2);
    tells(world, MANAGER, "2");
    world->now_ms += REPEAT_MS;
    begins(world, MANAGER, "");
}

static void who_was_away_hears_the_latest_once(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    begins(world, HOOK, "1");
    notice_of(world, 1)->title = "changed under way";
    observe(world);
    finishes(world, HOOK, HF_NOTIFY_FAILED);
    closes(world, 1);
    begins(world, HOOK, "");
    world->now_ms += 1000;
    tells(world, HOOK, "1");
    begins(world, HOOK, "");
    assert_int_equal(world->machine.receivers[HOOK].sent, 1);
    assert_int_equal(world->machine.receivers[HOOK].failed, 1);
}

static void what_changes_under_way_is_told_afterwards(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    begins(world, HOOK, "1");
    closes(world, 1);
    begins(world, HOOK, "");                   /* one message at a time */
    assert_int_equal(world->message.count, 1); /* that is under way */
    finishes(world, HOOK, HF_NOTIFY_DONE);
    assert_int_equal(world->machine.receivers[HOOK].told[0].sending, 0);
    tells(world, HOOK, "1");
    begins(world, HOOK, "");
}

static void the_pauses_double_up_to_a_minute(void **state)
{
    static const uint64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct world *world = *state;
    opens(world, 1);
    tells(world, MANAGER, "1");
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        begins(world, HOOK, "1");
        finishes(world, HOOK, HF_NOTIFY_FAILED);
        assert_int_equal(world->machine.receivers[HOOK].pause_ms, pauses[i]);
        world->now_ms += pauses[i] - 1;
        begins(world, HOOK, "");
        world->now_ms += 1;
    }
    tells(world, HOOK, "1");
    opens(world, 2);
    begins(world, HOOK, "2");
    finishes(world, HOOK, HF_NOTIFY_FAILED);
    assert_int_equal(world->machine.receivers[HOOK].pause_ms, 1000);
}

static void what_one_webhook_refuses_does_not_hold_up_others(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    world->now_ms++;
    opens(world, 2);
    begins(world, HOOK, "1");
    finishes(world, HOOK, HF_NOTIFY_REFUSED);
    tells(world, HOOK, "2");
    begins(world, HOOK, "");
    for (int i = 1; i < HF_NOTIFY_REFUSALS_MAX; i++) {
        world->now_ms += UINT64_C(1000) << (2 * i);
        begins(world, HOOK, "1");
        finishes(world, HOOK, HF_NOTIFY_REFUSED);
    }
    assert_int_equal(world->machine.receivers[HOOK].refused, HF_NOTIFY_REFUSALS_MAX);
    assert_int_equal(world->machine.receivers[HOOK].dropped, 1);
    world->now_ms += 100000000;
    begins(world, HOOK, "");
    closes(world, 1); /* these news it has not refused yet */
    tells(world, HOOK, "1");
}

static void an_alertmanager_that_refuses_is_asked_again(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    for (int i = 0; i < 3 * HF_NOTIFY_REFUSALS_MAX; i++) {
        begins(world, MANAGER, "1");
        finishes(world, MANAGER, HF_NOTIFY_REFUSED);
        world->now_ms += HF_NOTIFY_PAUSE_MAX_MS;
    }
    tells(world, MANAGER, "1");
}

static void small_things_are_not_told_to_who_wants_large_ones(void **state)
{
    struct world *world = *state;
    notice_of(world, 1)->severity = HF_SEVERITY_NOTICE;
    observe(world);
    begins(world, HOOK, "");
    tells(world, MANAGER, "1");
    notice_of(world, 1)->severity = HF_SEVERITY_WARNING;
    observe(world);
    tells(world, HOOK, "1");
    notice_of(world, 1)->severity = HF_SEVERITY_NOTICE;
    observe(world);
    tells(world, HOOK, "1"); /* who heard of it hears of it to its end */
    closes(world, 1);
    tells(world, HOOK, "1");
}

static void a_start_tells_what_is_open_and_what_closed_lately(void **state)
{
    struct world *world = *state;
    notice_of(world, 1)->closed_ms = START_MS - HF_NOTIFY_RECENT_MS - 1;
    notice_of(world, 2)->closed_ms = START_MS - HF_NOTIFY_RECENT_MS;
    notice_of(world, 3)->opened_ms = 1;
    observe(world);
    tells(world, MANAGER, "2 3");
    tells(world, HOOK, "2");
    tells(world, HOOK, "3");
    observe(world);
    begins(world, HOOK, "");
    begins(world, MANAGER, "");
}

static void one_that_came_and_went_between_two_looks_is_told(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    tells(world, HOOK, "1");
    notice_of(world, 2)->closed_ms = world->now_ms;
    observe(world);
    tells(world, HOOK, "2");
    tells(world, MANAGER, "1 2");
    observe(world);
    begins(world, HOOK, "");
}

static void what_vanishes_has_closed(void **state)
{
    struct world *world = *state;
    opens(world, 1);
    tells(world, HOOK, "1");
    world->count = 0;
    observe(world);
    begins(world, HOOK, "1");
    assert_int_equal(world->machine.incidents[world->message.places[0]].closed_ms, START_MS);
}

static void the_table_is_bounded(void **state)
{
    struct world *world = *state;
    for (uint64_t i = 1; i <= HF_NOTIFY_INCIDENTS_MAX; i++) {
        (void)notice_of(world, i);
    }
    observe(world);
    assert_int_equal(world->machine.omitted, 0);
    opens(world, HF_NOTIFY_INCIDENTS_MAX + 1);
    observe(world);
    assert_int_equal(world->machine.omitted, 1);
    assert_int_equal(hf_notify_pending(&world->machine, HOOK), HF_NOTIFY_INCIDENTS_MAX);
    assert_int_equal(world->machine.receivers[HOOK].dropped, 0);
    notice_of(world, 7)->closed_ms = world->now_ms;
    notice_of(world, 9)->closed_ms = world->now_ms;
    observe(world); /* 7 gives its place to the new one, untold */
    assert_int_equal(world->machine.omitted, 0);
    assert_int_equal(world->machine.receivers[HOOK].dropped, 1);
    assert_int_equal(world->machine.receivers[MANAGER].dropped, 1);
    assert_true(hf_notify_begin(&world->machine, MANAGER, world->now_ms, &world->message));
    assert_int_equal(world->message.count, HF_NOTIFY_INCIDENTS_MAX);
    opens(world, HF_NOTIFY_INCIDENTS_MAX + 2); /* 9 is under way: its place is not free */
    assert_int_equal(world->machine.omitted, 1);
    finishes(world, MANAGER, HF_NOTIFY_DONE);
    observe(world);
    assert_int_equal(world->machine.omitted, 0);
    assert_int_equal(world->machine.receivers[HOOK].dropped, 2);
    assert_int_equal(world->machine.receivers[MANAGER].dropped, 1);
}

static void long_texts_are_cut_at_a_character(void **state)
{
    struct world *world = *state;
    char title[HF_NOTIFY_TITLE_MAX + 16];
    memset(title, 'a', sizeof(title));
    memcpy(title + HF_NOTIFY_TITLE_MAX - 1, "\xc3\xa9\xc3\xa9", 5);
    notice_of(world, 1)->title = title;
    observe(world);
    assert_int_equal(strlen(world->machine.incidents[0].title), HF_NOTIFY_TITLE_MAX - 1);
    title[HF_NOTIFY_TITLE_MAX - 2] = 0;
    memcpy(title + HF_NOTIFY_TITLE_MAX - 2, "\xc3\xa9", 3);
    observe(world);
    assert_int_equal(strlen(world->machine.incidents[0].title), HF_NOTIFY_TITLE_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_incident_is_told_once_and_its_end_once),
        TEST(what_is_news_is_told_again),
        TEST(alertmanager_hears_of_what_is_open_again_and_again),
        TEST(who_was_away_hears_the_latest_once),
        TEST(what_changes_under_way_is_told_afterwards),
        TEST(the_pauses_double_up_to_a_minute),
        TEST(what_one_webhook_refuses_does_not_hold_up_others),
        TEST(an_alertmanager_that_refuses_is_asked_again),
        TEST(small_things_are_not_told_to_who_wants_large_ones),
        TEST(a_start_tells_what_is_open_and_what_closed_lately),
        TEST(one_that_came_and_went_between_two_looks_is_told),
        TEST(what_vanishes_has_closed),
        TEST(the_table_is_bounded),
        TEST(long_texts_are_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
