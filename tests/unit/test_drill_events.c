/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timing wheel: order, bounds, sweeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "drill/events.h"
#include "drill/rng.h"

static bool is_odd(void *owner, const struct hf_event *event)
{
    (void)owner;
    return event->subject % 2 == 1;
}

/* Against an order that is known: times in a scrambled order, over all rings. */
static void test_events(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    size_t size = hf_events_layout(COUNT, UINT64_MAX >> 15);
    struct hf_events *events = calloc(1, sizeof *events);
    void *memory = calloc(1, size);
    hf_events_init(events, memory, COUNT, UINT64_MAX >> 15);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t k = i * UINT64_C(7919) % COUNT; /* each once */
        struct hf_event event = {.at_us = k * k * k / 50 * 50, .subject = i, .kind = 1};
        assert_true(hf_events_add(events, &event));
    }
    struct hf_event event = {.at_us = 0, .subject = 0, .kind = 1}, last = {0};
    assert_int_equal(events->count, COUNT);
    hf_events_sweep(events, is_odd, NULL);
    assert_int_equal(events->count, COUNT / 2);
    for (uint32_t i = 0; i < COUNT / 2; i++) {
        assert_true(hf_events_next(events, UINT64_MAX >> 15, &event));
        assert_true(event.at_us > last.at_us ||
                    (event.at_us == last.at_us && (i == 0 || event.subject > last.subject)));
        assert_int_equal(event.subject % 2, 1);
        last = event;
    }
    assert_false(hf_events_next(events, UINT64_MAX >> 15, &event));
    free(memory);
    free(events);
}

/* As full as it may be, and one more only after a sweep. */
static void test_events_are_bounded(void **state)
{
    (void)state;
    enum { COUNT = 700 };
    struct hf_events *events = calloc(1, sizeof *events);
    void *memory = calloc(1, hf_events_layout(COUNT, UINT64_MAX >> 15));
    hf_events_init(events, memory, COUNT, UINT64_MAX >> 15);
    uint32_t added = 0;
    struct hf_event event = {.at_us = 5, .kind = 1};
    while (hf_events_add(events, &event)) {
        event.subject = ++added;
    }
    assert_true(added >= COUNT);
    hf_events_sweep(events, is_odd, NULL);
    assert_true(hf_events_add(events, &event));
    free(memory);
    free(events);
}

enum { RIVALS = 600 };

/* Events in the order in which they were added, to look for the next one by hand. */
struct rivals {
    struct hf_event events[RIVALS];
    uint32_t count;
};

static uint32_t first_of(const struct rivals *rivals)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < rivals->count; i++) {
        first = rivals->events[i].at_us < rivals->events[first].at_us ? i : first;
    }
    return first;
}

static void take_out(struct rivals *rivals, uint32_t place)
{
    rivals->count--;
    memmove(&rivals->events[place], &rivals->events[place + 1],
            (rivals->count - place) * sizeof(struct hf_event));
}

/* What comes next is what is first in a plain list, swept now and then. */
static void test_events_like_a_list(void **state)
{
    (void)state;
    struct rivals rivals = {.count = 0};
    struct hf_events *events = calloc(1, sizeof *events);
    void *memory = calloc(1, hf_events_layout(RIVALS, UINT64_MAX >> 15));
    hf_events_init(events, memory, RIVALS, UINT64_MAX >> 15);
    struct hf_rng rng;
    hf_rng_init(&rng, 7, 0);
    static const uint64_t spans_us[] = {1, 3, 500, 5000, 3000000, 4000000000};
    for (uint32_t i = 0; i < 300000; i++) {
        bool adds = rivals.count == 0 || (rivals.count < RIVALS && hf_rng_chance(&rng, 0.52));
        if (adds) {
            uint64_t delay_us = hf_rng_below(&rng, spans_us[hf_rng_below(&rng, 6)]);
            struct hf_event event = {.at_us = events->now_us + delay_us, .subject = i, .kind = 3};
            assert_true(hf_events_add(events, &event));
            rivals.events[rivals.count++] = event;
        } else {
            uint32_t first = first_of(&rivals);
            struct hf_event event;
            assert_true(hf_events_next(events, UINT64_MAX >> 15, &event));
            assert_int_equal(event.at_us, rivals.events[first].at_us);
            assert_int_equal(event.subject, rivals.events[first].subject);
            take_out(&rivals, first);
        }
        if (hf_rng_chance(&rng, 0.001)) {
            hf_events_sweep(events, is_odd, NULL);
            for (uint32_t k = rivals.count; k-- > 0;) {
                if (rivals.events[k].subject % 2 == 0) {
                    take_out(&rivals, k);
                }
            }
        }
        assert_int_equal(events->count, rivals.count);
    }
    free(memory);
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_like_a_list),
        cmocka_unit_test(test_events_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
