/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traces of conditions and what the machine says of them, and walks by chance with invariants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/incident.h"

/* Scopes of the tests: number 1 of each. */
enum { SITE = 1, POOL = 1, TARGET = 1, ZONE = 1 };
enum { HOLD_MS = 30000, REOPEN_MS = 600000, START_MS = 1000000, TRACE_MAX = 4096 };

struct world {
    struct hf_incident_table table;
    struct hf_incident_changes changes;
    struct hf_condition on[HF_CONDITIONS_MAX];
    uint32_t count;
    uint64_t now_ms;
    char trace[TRACE_MAX];
};

static void begin(struct world *world)
{
    memset(world, 0, sizeof(*world));
    hf_incident_table_init(&world->table, HOLD_MS, REOPEN_MS);
    world->now_ms = START_MS;
}

static void on(struct world *world, enum hf_condition_kind kind, uint64_t subject)
{
    world->on[world->count++] = (struct hf_condition){
        .key = (uint64_t)kind * 100 + subject + 1,
        .scopes = {TARGET, subject, SITE, POOL},
        .kind = kind,
    };
}

static void off(struct world *world, enum hf_condition_kind kind, uint64_t subject)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (world->on[i].key == (uint64_t)kind * 100 + subject + 1) {
            world->on[i] = world->on[--world->count];
            return;
        }
    }
    fail();
}

/* What happened, as "opened 1, joined 1". */
static const char *step(struct world *world, uint64_t after_ms, bool is_complete)
{
    static const char *const names[] = {"opened",  "reopened", "joined", "cause",
                                        "cleared", "returned", "merged", "closed"};
    size_t used = 0;
    world->now_ms += after_ms;
    hf_incident_step(&world->table, world->on, world->count, is_complete, world->now_ms,
                     &world->changes);
    world->trace[0] = 0;
    for (uint32_t i = 0; i < world->changes.count; i++) {
        const struct hf_incident_change *row = &world->changes.rows[i];
        int more = snprintf(world->trace + used, TRACE_MAX - used, "%s%s %u", i == 0 ? "" : ", ",
                            names[row->event], (unsigned)row->number);
        assert_true(more > 0 && (size_t)more < TRACE_MAX - used);
        used += (size_t)more;
        if (row->into != 0) {
            used += (size_t)snprintf(world->trace + used, TRACE_MAX - used, " into %u",
                                     (unsigned)row->into);
        }
    }
    return world->trace;
}

static void test_open_and_close(void **state)
{
    struct world *world = *state;
    begin(world);
    assert_string_equal(step(world, 0, true), "");
    on(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, 1000, true), "opened 1");
    assert_string_equal(step(world, 1000, true), "");
    off(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, 1000, true), "cleared 1");
    uint64_t cleared = world->now_ms;
    assert_int_equal(hf_incident_deadline_ms(&world->table), cleared + HOLD_MS);
    assert_string_equal(step(world, HOLD_MS - 1, true), "");
    assert_string_equal(step(world, 1, true), "closed 1");
    assert_int_equal(world->changes.rows[0].at_ms, cleared);
    assert_int_equal(hf_incident_deadline_ms(&world->table), UINT64_MAX);
}

static void test_flapping_stays_one(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_POOL_DOWN, POOL);
    assert_string_equal(step(world, 0, true), "opened 1");
    for (int i = 0; i < 10; i++) {
        off(world, HF_CONDITION_POOL_DOWN, POOL);
        assert_string_equal(step(world, 5000, true), "cleared 1");
        on(world, HF_CONDITION_POOL_DOWN, POOL);
        assert_string_equal(step(world, HOLD_MS - 1, true), "returned 1");
    }
    off(world, HF_CONDITION_POOL_DOWN, POOL);
    assert_string_equal(step(world, 5000, true), "cleared 1");
    assert_string_equal(step(world, HOLD_MS, true), "closed 1");
    /* Soon afterwards it is the same incident, long afterwards another. */
    on(world, HF_CONDITION_POOL_DOWN, POOL);
    assert_string_equal(step(world, REOPEN_MS - HOLD_MS - 1, true), "reopened 1, returned 1");
    off(world, HF_CONDITION_POOL_DOWN, POOL);
    assert_string_equal(step(world, 1, true), "cleared 1");
    assert_string_equal(step(world, HOLD_MS, true), "closed 1");
    assert_string_equal(step(world, REOPEN_MS, true), "");
    assert_int_equal(world->table.case_count, 0);
    on(world, HF_CONDITION_POOL_DOWN, POOL);
    assert_string_equal(step(world, 1, true), "opened 2");
}

static void test_delay(void **state)
{
    struct world *world = *state;
    uint32_t delay = hf_condition_delay_ms(HF_CONDITION_BEHIND);
    begin(world);
    on(world, HF_CONDITION_BEHIND, ZONE);
    assert_string_equal(step(world, 0, true), "");
    assert_int_equal(hf_incident_deadline_ms(&world->table), START_MS + delay);
    assert_string_equal(step(world, delay - 1, true), "");
    off(world, HF_CONDITION_BEHIND, ZONE); /* a moment without it: it begins anew */
    assert_string_equal(step(world, 0, true), "");
    on(world, HF_CONDITION_BEHIND, ZONE);
    assert_string_equal(step(world, 1, true), "");
    assert_string_equal(step(world, delay - 1, true), "");
    assert_string_equal(step(world, 1, true), "opened 1");
}

static void test_cause_first(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_BEHIND, ZONE);
    on(world, HF_CONDITION_FREEZE_ZONE, ZONE);
    assert_string_equal(step(world, 0, true), "opened 1");
    assert_string_equal(step(world, 60000, true), "joined 1");
    /* Of another zone: nothing to do with it. */
    on(world, HF_CONDITION_FREEZE_ZONE, ZONE + 1);
    assert_string_equal(step(world, 0, true), "opened 2");
    /* The cause ended, its effect goes on: one incident still. */
    off(world, HF_CONDITION_FREEZE_ZONE, ZONE);
    assert_string_equal(step(world, 1, true), "cleared 1");
    assert_string_equal(step(world, HOLD_MS * 2, true), "");
    off(world, HF_CONDITION_BEHIND, ZONE);
    assert_string_equal(step(world, 1, true), "cleared 1");
    assert_string_equal(step(world, HOLD_MS, true), "closed 1");
}

/* What was only an effect opens an incident of its own when it comes alone. */
static void test_effect_returns_alone(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_FREEZE_ALL, 0);
    on(world, HF_CONDITION_FREEZE_ZONE, ZONE);
    assert_string_equal(step(world, 0, true), "opened 1, joined 1");
    off(world, HF_CONDITION_FREEZE_ALL, 0);
    off(world, HF_CONDITION_FREEZE_ZONE, ZONE);
    (void)step(world, 1, true);
    assert_string_equal(step(world, HOLD_MS, true), "closed 1");
    on(world, HF_CONDITION_FREEZE_ZONE, ZONE);
    assert_string_equal(step(world, 1, true), "opened 2");
    /* The cause, when it returns, is the old incident again, and takes the new one in. */
    on(world, HF_CONDITION_FREEZE_ALL, 0);
    assert_string_equal(step(world, 1, true), "reopened 1, returned 1, merged 2 into 1");
    assert_int_equal(hf_incident_case(&world->table, 1)->cause, HF_CONDITION_FREEZE_ALL * 100 + 1);
}

static void test_cause_last_merges(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_CONTESTED, 9);
    on(world, HF_CONDITION_ZONE_UNREACHABLE, 1);
    assert_string_equal(step(world, 0, true), "opened 1");
    assert_string_equal(step(world, 5000, true), "opened 2");
    on(world, HF_CONDITION_ZONE_UNREACHABLE, 2);
    assert_string_equal(step(world, 0, true), "");
    assert_string_equal(step(world, 5000, true), "opened 3");
    on(world, HF_CONDITION_TARGET_UNREACHABLE, 0);
    assert_string_equal(step(world, 0, true), "");
    assert_string_equal(step(world, 5000, true), "merged 3 into 2, joined 2, cause 2");
    const struct hf_incident_case *incident = hf_incident_case(&world->table, 2);
    assert_int_equal(incident->cause, HF_CONDITION_TARGET_UNREACHABLE * 100 + 1);
    assert_null(hf_incident_case(&world->table, 3));
    on(world, HF_CONDITION_ZONE_UNREACHABLE, 3);
    assert_string_equal(step(world, 0, true), "");
    assert_string_equal(step(world, 5000, true), "joined 2");
}

static void test_link_between_two(void **state)
{
    struct world *world = *state;
    begin(world);
    /* Held: explained by a pool; the pool, which comes last, by the site that came first. */
    on(world, HF_CONDITION_TOO_FEW, 0);
    world->on[0].scopes[HF_SCOPE_SITE] = 0;
    assert_string_equal(step(world, 0, true), "opened 1");
    on(world, HF_CONDITION_SITE_DOWN, 0);
    assert_string_equal(step(world, 1, true), "opened 2");
    on(world, HF_CONDITION_POOL_DOWN, 0);
    assert_string_equal(step(world, 1, true), "merged 2 into 1, joined 1, cause 1");
    assert_int_equal(hf_incident_case(&world->table, 1)->cause, HF_CONDITION_SITE_DOWN * 100 + 1);
}

/* What two have to do with each other shows only later. */
static void test_scopes_known_later(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_TOO_FEW, 0);
    world->on[0].scopes[HF_SCOPE_SITE] = 0;
    world->on[0].scopes[HF_SCOPE_POOL] = 0;
    assert_string_equal(step(world, 0, true), "opened 1");
    on(world, HF_CONDITION_SITE_DOWN, 0);
    assert_string_equal(step(world, 1, true), "opened 2");
    world->on[0].scopes[HF_SCOPE_SITE] = SITE;
    assert_string_equal(step(world, 1, true), "merged 2 into 1, cause 1");
    world->on[0].scopes[HF_SCOPE_SITE] = 0; /* it stays known */
    assert_string_equal(step(world, 1, true), "");
    assert_int_equal(hf_incident_case(&world->table, 1)->cause, HF_CONDITION_SITE_DOWN * 100 + 1);
}

static void test_incomplete_ends_nothing(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, 0, true), "opened 1");
    off(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, HOLD_MS * 10, false), "");
    assert_string_equal(step(world, 1, true), "cleared 1");
}

static void test_clock_set_back(void **state)
{
    struct world *world = *state;
    begin(world);
    on(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, 0, true), "opened 1");
    off(world, HF_CONDITION_CONTESTED, ZONE);
    assert_string_equal(step(world, 900000, true), "cleared 1");
    world->now_ms = START_MS / 2;
    assert_string_equal(step(world, 0, true), "");
    assert_string_equal(step(world, HOLD_MS, true), "closed 1");
}

static void test_full(void **state)
{
    struct world *world = *state;
    begin(world);
    for (uint32_t i = 0; i < HF_INCIDENT_CASES_MAX + 3; i++) {
        on(world, HF_CONDITION_CONTESTED, i);
    }
    (void)step(world, 0, true);
    assert_int_equal(world->table.case_count, HF_INCIDENT_CASES_MAX);
    assert_int_equal(world->table.unplaced, 3);
    /* Room when others have closed. */
    off(world, HF_CONDITION_CONTESTED, 0);
    off(world, HF_CONDITION_CONTESTED, 1);
    off(world, HF_CONDITION_CONTESTED, 2);
    (void)step(world, 1, true);
    (void)step(world, HOLD_MS, true);
    assert_string_equal(step(world, 1, true), "opened 65, opened 66, opened 67");
    assert_int_equal(world->table.case_count, HF_INCIDENT_CASES_MAX);
    /* More conditions than a step takes: nothing ends. */
    struct hf_condition many[HF_CONDITIONS_MAX + 1];
    for (uint32_t i = 0; i <= HF_CONDITIONS_MAX; i++) {
        many[i] = (struct hf_condition){.key = 1000000 + i, .kind = HF_CONDITION_TROUBLE};
    }
    hf_incident_step(&world->table, many, HF_CONDITIONS_MAX + 1, true, world->now_ms,
                     &world->changes);
    assert_int_equal(world->changes.count, 0);
}

/* --- by chance --- */

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static void check(const struct world *world)
{
    const struct hf_incident_table *table = &world->table;
    for (uint32_t i = 0; i < table->member_count; i++) {
        assert_non_null(hf_incident_case(table, table->members[i].number));
        for (uint32_t k = 0; k < i; k++) {
            assert_true(table->members[k].condition.key != table->members[i].condition.key);
        }
    }
    for (uint32_t i = 0; i < table->case_count; i++) {
        const struct hf_incident_case *incident = &table->cases[i];
        bool has_cause = false;
        for (uint32_t k = 0; k < table->member_count; k++) {
            const struct hf_incident_member *member = &table->members[k];
            has_cause = has_cause || (member->number == incident->number &&
                                      member->condition.key == incident->cause);
            assert_false(member->number == incident->number && incident->closed_ms != 0 &&
                         member->cleared_ms == 0);
        }
        assert_true(has_cause);
        assert_true(incident->number < table->next_number);
        assert_true(i == 0 || table->cases[i - 1].number < incident->number);
    }
    /* What holds and is not waiting belongs to exactly one open incident. */
    for (uint32_t i = 0; i < world->count; i++) {
        const struct hf_incident_member *member = hf_incident_member(table, world->on[i].key);
        bool is_pending = false;
        for (uint32_t k = 0; k < table->pending_count; k++) {
            is_pending = is_pending || (table->pending[k].key == world->on[i].key &&
                                        table->pending[k].due_ms > world->now_ms);
        }
        assert_true(is_pending || (member != NULL && member->cleared_ms == 0));
    }
}

static void test_by_chance(void **state)
{
    struct world *world = *state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t chance = seed;
        begin(world);
        for (int i = 0; i < 400; i++) {
            enum hf_condition_kind kind =
                (enum hf_condition_kind)draw(&chance, HF_CONDITION_KIND_COUNT);
            uint64_t subject = draw(&chance, 3);
            bool is_on = false;
            for (uint32_t k = 0; k < world->count; k++) {
                is_on = is_on || world->on[k].key == (uint64_t)kind * 100 + subject + 1;
            }
            if (is_on) {
                off(world, kind, subject);
            } else {
                on(world, kind, subject);
            }
            uint64_t deadline = hf_incident_deadline_ms(&world->table);
            bool to_deadline = draw(&chance, 4) == 0 && deadline != UINT64_MAX;
            (void)step(world,
                       to_deadline && deadline > world->now_ms ? deadline - world->now_ms
                                                               : draw(&chance, 20000),
                       true);
            check(world);
        }
        assert_int_equal(world->table.unplaced, 0);
        world->count = 0;
        (void)step(world, 1, true);
        (void)step(world, HOLD_MS, true);
        (void)step(world, REOPEN_MS, true);
        assert_int_equal(world->table.case_count, 0);
        assert_int_equal(world->table.member_count, 0);
    }
}

static void test_twice_the_same(void **state)
{
    struct world *world = *state;
    struct hf_incident_table before;
    begin(world);
    on(world, HF_CONDITION_FREEZE_ALL, 0);
    on(world, HF_CONDITION_BEHIND, ZONE);
    (void)step(world, 0, true);
    (void)step(world, 60000, true);
    before = world->table;
    assert_string_equal(step(world, 0, true), "");
    assert_memory_equal(&before, &world->table, sizeof(before));
}

int main(void)
{
    struct world *state = calloc(1, sizeof(*state));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_open_and_close, state),
        cmocka_unit_test_prestate(test_flapping_stays_one, state),
        cmocka_unit_test_prestate(test_delay, state),
        cmocka_unit_test_prestate(test_cause_first, state),
        cmocka_unit_test_prestate(test_effect_returns_alone, state),
        cmocka_unit_test_prestate(test_cause_last_merges, state),
        cmocka_unit_test_prestate(test_link_between_two, state),
        cmocka_unit_test_prestate(test_scopes_known_later, state),
        cmocka_unit_test_prestate(test_incomplete_ends_nothing, state),
        cmocka_unit_test_prestate(test_clock_set_back, state),
        cmocka_unit_test_prestate(test_full, state),
        cmocka_unit_test_prestate(test_by_chance, state),
        cmocka_unit_test_prestate(test_twice_the_same, state),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(state);
    return failed;
}
