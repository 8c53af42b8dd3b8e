/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the traces and the small worlds do not show: shares over hours, windows that outlive a
 * process, endpoints of more than a word of members, fleets of a million endpoints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "planner_help.h"

enum { V4 = HF_FLEET_HAS_A, V6 = HF_FLEET_HAS_AAAA };

static const struct hf_fleet_policy usual = {
    .ttl_s = 30,
    .min_healthy = 1,
    .max_removal_ms = 60000,
    .max_removal_permille = 340,
    .answers_max = 8,
};

static struct help *new_help(void)
{
    struct help *help = calloc(1, sizeof *help);
    assert_non_null(help);
    help_init(help);
    return help;
}

static void end(struct help *help)
{
    help_release(help);
    free(help);
}

/* A fleet of one endpoint of count equal backends, all healthy, created. */
static struct help *one_endpoint(uint32_t count, struct hf_fleet_policy policy)
{
    struct help *help = new_help();
    uint32_t members[HELP_BACKENDS];
    for (uint32_t i = 0; i < count; i++) {
        members[i] = help_backend(help, 100, 10, V4);
    }
    (void)help_endpoint(help, help_policy(help, policy), members, count);
    help_start(help, 0);
    for (uint32_t i = 0; i < count; i++) {
        help_verdict(help, i, HF_VERDICT_UP);
    }
    assert_true(help_publish(help));
    return help;
}

/* Shares of both families, with other members each, as the machine publishes them. */
static void test_shares_as_published(void **state)
{
    (void)state;
    static const struct {
        uint16_t weight;
        uint8_t flags;
    } backends[] = {{10, V4}, {1, V4 | V6}, {5, V6}, {3, V4 | V6}, {0, V4}, {2, V6}};
    enum { COUNT = sizeof backends / sizeof backends[0] };
    for (uint32_t ttl_s = 1; ttl_s <= 30; ttl_s += ttl_s == 1 ? 4 : 25) {
        struct help *help = new_help();
        uint32_t members[COUNT], shares[2][COUNT] = {0}, sums[2] = {0}, weights[2] = {0};
        for (uint32_t i = 0; i < COUNT; i++) {
            members[i] = help_backend(help, 100, backends[i].weight, backends[i].flags);
            weights[0] += (backends[i].flags & V4) != 0 ? backends[i].weight : 0;
            weights[1] += (backends[i].flags & V6) != 0 ? backends[i].weight : 0;
        }
        struct hf_fleet_policy policy = usual;
        policy.ttl_s = ttl_s;
        (void)help_endpoint(help, help_policy(help, policy), members, COUNT);
        help_start(help, 0);
        for (uint32_t i = 0; i < COUNT; i++) {
            help_verdict(help, i, HF_VERDICT_UP);
        }
        help->now_ms += 1234567;
        for (uint32_t slot = 0; slot < 3600 / ttl_s; slot++, help->now_ms += ttl_s * 1000) {
            assert_true(hf_planner_deadline_ms(&help->planner) <= help->now_ms);
            (void)help_publish(help);
            for (uint32_t i = 0; i < COUNT; i++) {
                shares[0][i] += (uint32_t)(help->planner.pick_a[0] >> i & 1);
                shares[1][i] += (uint32_t)(help->planner.pick_aaaa[0] >> i & 1);
            }
        }
        for (uint32_t family = 0; family < 2; family++) {
            for (uint32_t i = 0; i < COUNT; i++) {
                sums[family] += shares[family][i];
            }
            for (uint32_t i = 0; i < COUNT; i++) {
                bool has = (backends[i].flags & (family == 0 ? V4 : V6)) != 0;
                int32_t wanted = has ? 100000 * backends[i].weight / (int32_t)weights[family] : 0;
                int32_t share = (int32_t)(UINT64_C(100000) * shares[family][i] / sums[family]);
                assert_in_range(share - wanted + 1000, 0, 2000);
            }
        }
        end(help);
    }
}

/* A rotation is published only when its slot is over, and only for its own TTL. */
static void test_rotation_marks_its_ttl_only(void **state)
{
    (void)state;
    struct help *help = new_help();
    struct hf_fleet_policy fast = usual, slow = usual;
    fast.answers_max = slow.answers_max = 1;
    fast.ttl_s = 5;
    slow.ttl_s = 60;
    uint32_t members[3];
    for (uint32_t i = 0; i < 3; i++) {
        members[i] = help_backend(help, 100, 10, V4);
    }
    (void)help_endpoint(help, help_policy(help, fast), members, 3);
    (void)help_endpoint(help, help_policy(help, slow), members, 3);
    help_start(help, 0);
    for (uint32_t i = 0; i < 3; i++) {
        help_verdict(help, i, HF_VERDICT_UP);
    }
    assert_true(help_publish(help));
    uint64_t fast_gen = help->planner.rows[0].gen, slow_gen = help->planner.rows[1].gen;
    for (uint32_t second = 1; second < 60; second++) {
        help->now_ms += 1000;
        bool published = help_publish(help);
        assert_true(!published || second % 5 == 0);
        assert_int_equal(help->planner.rows[1].gen, slow_gen);
    }
    assert_true(help->planner.rows[0].gen > fast_gen);
    assert_int_equal(help->planner.rows[0].cause, HF_CAUSE_ROTATION);
    assert_int_equal(help->planner.rows[0].flags, HF_ROW_EXISTS);
    assert_int_equal(hf_planner_deadline_ms(&help->planner), HELP_BEGIN_MS + 60000);
    end(help);
}

/* A new machine adopts what the last one published, and goes on counting its window. */
static void test_budget_outlives_the_machine(void **state)
{
    (void)state;
    struct help *help = one_endpoint(3, usual);
    help_verdict(help, 0, HF_VERDICT_DOWN);
    assert_true(help_publish(help));
    assert_int_equal(help_in(help, 0), 6);
    struct hf_planner_entry now;
    hf_planner_now(&help->planner, 0, &now);
    struct hf_planner_row row = *now.row;
    uint8_t in = now.in[0], a = now.pick_a[0], aaaa = now.pick_aaaa[0];
    uint64_t head_gen = help->planner.head_gen;
    assert_int_equal(row.budget.spent, 100);

    help_start(help, head_gen);
    hf_planner_adopt(&help->planner, 0, &row, &in, &a, &aaaa);
    help->now_ms += 30000;
    help_verdict(help, 0, HF_VERDICT_DOWN);
    help_verdict(help, 1, HF_VERDICT_DOWN);
    help_verdict(help, 2, HF_VERDICT_UP);
    assert_false(help_publish(help));
    assert_int_equal(help->planner.rows[0].hold, HF_HOLD_REMOVAL);
    assert_int_equal(hf_planner_deadline_ms(&help->planner), HELP_BEGIN_MS + 60000);
    help->now_ms += 30000;
    assert_true(help_publish(help));
    assert_int_equal(help_in(help, 0), 4);
    end(help);
}

/* The serial says what is held back: a machine that starts anew says the same. */
static void test_hold_serial_outlives_the_machine(void **state)
{
    (void)state;
    uint32_t serials[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct hf_fleet_policy policy = usual;
        policy.min_healthy = 2;
        struct help *help = one_endpoint(3, policy);
        for (uint32_t noise = 0; noise < i; noise++) {
            help_verdict(help, 0, HF_VERDICT_DOWN);
            help_drain(help, 1, true);
            help_tick(help);
            help_drain(help, 1, false);
        }
        help_verdict(help, 0, HF_VERDICT_DOWN);
        help_verdict(help, 1, HF_VERDICT_DOWN);
        help_tick(help);
        serials[i] = help->planner.hold_serial;
        end(help);
    }
    assert_int_not_equal(serials[0], 0);
    assert_int_equal(serials[0], serials[1]);
}

/* What was asked for before a RELOAD is not taken for an answer after it. */
static void test_operations_are_told_apart(void **state)
{
    (void)state;
    struct help *help = one_endpoint(3, usual);
    help_verdict(help, 0, HF_VERDICT_DOWN);
    help_tick(help);
    uint32_t op = help->planner.op;
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_PUBLISHED, .op = op + 1});
    assert_int_equal(help->planner.op, op);
    help_published(help, HF_RESULT_REFUSED);
    assert_true(help->planner.reload);
    assert_int_equal(hf_planner_deadline_ms(&help->planner), HF_NEVER);
    struct hf_planner old = help->planner;
    help_start(help, 7);
    hf_planner_inherit(&help->planner, &old);
    help_verdict(help, 0, HF_VERDICT_UP);
    help_tick(help);
    assert_int_equal(help->planner.op, op + 1);
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_PUBLISHED, .op = op});
    assert_int_equal(help->planner.op, op + 1);
    end(help);
}

/* AHEAD and STOP survive a RELOAD, unless the head has gone beyond what was ahead. */
static void test_ahead_is_inherited(void **state)
{
    (void)state;
    for (uint32_t beyond = 0; beyond < 2; beyond++) {
        struct help *help = one_endpoint(2, usual);
        help_endpoint_event(help, HF_PLANNER_AHEAD, 0, 50);
        help_tick(help);
        assert_int_equal(help->outbox.actions[0].gen, 51);
        help_published(help, HF_RESULT_REFUSED);
        struct hf_planner old = help->planner;
        help_start(help, beyond == 0 ? 2 : 60);
        hf_planner_inherit(&help->planner, &old);
        struct hf_planner_row row = {.gen = 1, .ttl_s = 30, .cause_backend = UINT32_MAX};
        uint8_t in = 3, none = 0;
        hf_planner_adopt(&help->planner, 0, &row, &in, &in, &none);
        help_tick(help);
        assert_int_equal(help->outbox.count, beyond == 0 ? 1 : 0);
        if (beyond == 0) {
            assert_int_equal(help->outbox.actions[0].gen, 51);
        }
        end(help);
    }
}

/* After AHEAD an endpoint may answer with more than has a verdict yet: it waits for all of them. */
static void test_lost_history_waits_for_verdicts(void **state)
{
    (void)state;
    for (uint32_t lost = 0; lost < 3; lost++) {
        struct help *help = one_endpoint(3, usual);
        help_start(help, lost == 2 ? 50 : 0); /* 2: a head that nobody can read */
        if (lost > 0) {
            help_endpoint_event(help, HF_PLANNER_AHEAD, 0, 50);
        }
        help_verdict(help, 0, HF_VERDICT_UP);
        assert_int_equal(help_publish(help), lost == 0);
        help_verdict(help, 1, HF_VERDICT_UP);
        help_verdict(help, 2, HF_VERDICT_UP);
        assert_true(help_publish(help));
        assert_int_equal(help_in(help, 0), 7);
        end(help);
    }
}

/* An entry that says it serves nobody is made anew, as if it had never answered. */
static void test_adopted_without_members(void **state)
{
    (void)state;
    struct help *help = one_endpoint(3, usual);
    help_start(help, 40);
    struct hf_planner_row row = {.gen = 40, .ttl_s = 30, .cause_backend = UINT32_MAX};
    uint8_t none = 0;
    hf_planner_adopt(&help->planner, 0, &row, &none, &none, &none);
    help_verdict(help, 1, HF_VERDICT_UP);
    assert_true(help_publish(help));
    assert_int_equal(help_in(help, 0), 2);
    assert_int_equal(help->planner.rows[0].gen, 41);
    end(help);
}

static void test_endpoint_without_members_is_never_published(void **state)
{
    (void)state;
    struct help *help = one_endpoint(1, usual);
    (void)help_endpoint(help, 0, NULL, 0);
    help_start(help, 0);
    help_verdict(help, 0, HF_VERDICT_UP);
    assert_true(help_publish(help));
    assert_int_equal(help->planner.rows[1].gen, 0);
    help->now_ms += 20000;
    assert_false(help_publish(help));
    assert_int_equal(hf_planner_deadline_ms(&help->planner), HF_NEVER);
    end(help);
}

/* More members than an octet has bits: every rule works on the last ones, too. */
static void test_many_members(void **state)
{
    (void)state;
    struct hf_fleet_policy policy = usual;
    policy.answers_max = 100;
    struct help *help = one_endpoint(HELP_BACKENDS, policy);
    uint8_t want[HELP_BACKENDS / 8];
    memset(want, 0xff, sizeof want);
    assert_memory_equal(help->planner.pick_a, want, sizeof want);
    for (uint32_t i = 60; i < HELP_BACKENDS; i++) {
        help_verdict(help, i, HF_VERDICT_DOWN);
    }
    assert_true(help_publish(help));
    memset(want + 60 / 8, 0, sizeof want - 60 / 8);
    want[60 / 8] = 0x0f;
    assert_memory_equal(help->planner.in, want, sizeof want);
    uint8_t pinned[HELP_BACKENDS / 8] = {[HELP_BACKENDS / 8 - 1] = 0x80};
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_PIN, .bits = pinned});
    assert_true(help_publish(help));
    assert_memory_equal(help->planner.pick_a, pinned, sizeof pinned);
    assert_int_equal(hf_planner_reason(&help->planner, 0, HELP_BACKENDS - 1), HF_REASON_IN_PINNED);
    end(help);
}

/* No order can make an endpoint empty. */
static void test_pin_to_nobody_is_ignored(void **state)
{
    (void)state;
    struct help *help = one_endpoint(3, usual);
    uint8_t nobody = 0;
    help_step(help, (struct hf_planner_event){.type = HF_PLANNER_PIN, .bits = &nobody});
    assert_false(help_publish(help));
    assert_int_equal(help_in(help, 0), 7);
    end(help);
}

/* Time that jumps about, at random: nothing is ever empty, and nothing asserts. */
static void test_wild_clock(void **state)
{
    (void)state;
    struct hf_fleet_policy policy = usual;
    policy.answers_max = 2;
    struct help *help = one_endpoint(5, policy);
    uint64_t random = 42;
    for (uint32_t i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t dice = random >> 33;
        uint64_t jump_ms = dice % 100000;
        help->now_ms = dice % 7 == 0    ? help->now_ms - jump_ms
                       : dice % 97 == 0 ? dice << 10
                                        : help->now_ms + jump_ms / 50;
        help_verdict(help, (uint32_t)(dice % 5), (enum hf_verdict)(1 + dice / 8 % 2));
        uint64_t before = help_in(help, 0);
        (void)help_publish(help);
        uint64_t after = help_in(help, 0);
        assert_int_not_equal(after, 0);
        assert_int_not_equal(help->planner.pick_a[0], 0);
        if (__builtin_popcountll(after) + 1 < __builtin_popcountll(before)) {
            fail_msg("two of five left at once");
        }
    }
    end(help);
}

static void test_memory_per_endpoint(void **state)
{
    (void)state;
    struct hf_fleet_endpoint shape = {.member_count = 8};
    struct hf_fleet_endpoint *shapes = calloc(100000, sizeof *shapes);
    assert_non_null(shapes);
    for (uint32_t i = 0; i < 100000; i++) {
        shapes[i] = shape;
    }
    struct hf_fleet fleet = {.endpoints = shapes, .endpoint_count = 100000, .octet_count = 100000};
    size_t octets = hf_planner_layout(&fleet) / 100000;
    print_message("# %zu octets for each endpoint of up to 8 members\n", octets);
    assert_in_range(octets, 100, 110);
    free(shapes);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum { MANY = 1000000, MANY_BACKENDS = 8000, MANY_MEMBERS = 8 };

/* A million endpoints of eight members each: runs of members are shared by a thousand of them. */
static struct hf_fleet large_fleet(void)
{
    struct hf_fleet_backend *backends = calloc(MANY_BACKENDS, sizeof *backends);
    struct hf_fleet_policy *policy = calloc(1, sizeof *policy);
    struct hf_fleet_endpoint *endpoints = calloc(MANY, sizeof *endpoints);
    uint32_t *members = calloc(MANY_BACKENDS, sizeof *members);
    struct hf_fleet_run *user_runs = calloc(MANY_BACKENDS, sizeof *user_runs);
    uint32_t *users = calloc((size_t)MANY * MANY_MEMBERS, sizeof *users);
    assert_true(backends && policy && endpoints && members && user_runs && users);
    *policy = usual;
    for (uint32_t b = 0; b < MANY_BACKENDS; b++) {
        backends[b] = (struct hf_fleet_backend){.capacity = 100, .weight = 10, .flags = V4};
        members[b] = b;
        uint32_t count = MANY / (MANY_BACKENDS / MANY_MEMBERS);
        user_runs[b] = (struct hf_fleet_run){.first = b * count, .count = count};
        for (uint32_t u = 0; u < count; u++) {
            users[b * count + u] = b / MANY_MEMBERS + u * (MANY_BACKENDS / MANY_MEMBERS);
        }
    }
    for (uint32_t e = 0; e < MANY; e++) {
        endpoints[e] = (struct hf_fleet_endpoint){
            .octet_first = e,
            .member_first = e % (MANY_BACKENDS / MANY_MEMBERS) * MANY_MEMBERS,
            .member_count = MANY_MEMBERS,
            .seed = e,
        };
    }
    return (struct hf_fleet){.backends = backends,
                             .policies = policy,
                             .endpoints = endpoints,
                             .members = members,
                             .user_runs = user_runs,
                             .users = users,
                             .octet_count = MANY,
                             .backend_count = MANY_BACKENDS,
                             .policy_count = 1,
                             .endpoint_count = MANY,
                             .max_changed_ms = 60000,
                             .max_changed_permille = 1000};
}

static void free_fleet(const struct hf_fleet *fleet)
{
    free((void *)(uintptr_t)fleet->backends);
    free((void *)(uintptr_t)fleet->policies);
    free((void *)(uintptr_t)fleet->endpoints);
    free((void *)(uintptr_t)fleet->members);
    free((void *)(uintptr_t)fleet->user_runs);
    free((void *)(uintptr_t)fleet->users);
}

static void test_a_million_endpoints(void **state)
{
    (void)state;
    struct hf_fleet fleet = large_fleet();
    struct help *help = new_help();
    help->memory = calloc(1, hf_planner_layout(&fleet));
    assert_non_null(help->memory);
    struct hf_budget none = {0};
    hf_planner_init(&help->planner, &fleet, help->memory, 0, &none);
    double begin = seconds();
    for (uint32_t b = 0; b < MANY_BACKENDS; b++) {
        help_verdict(help, b, HF_VERDICT_UP);
    }
    double verdicts = seconds();
    help_tick(help);
    double planned = seconds();
    assert_int_equal(help->planner.publishing.count, MANY);
    help_published(help, HF_RESULT_OK);
    double published = seconds();
    print_message(
        "# %u endpoints of %u members: verdicts %.0f ms, plan %.0f ms, take over %.0f ms\n", MANY,
        MANY_MEMBERS, (verdicts - begin) * 1e3, (planned - verdicts) * 1e3,
        (published - planned) * 1e3);

    /* One backend: its thousand users, and nobody else, are touched. */
    begin = seconds();
    help_verdict(help, 4321, HF_VERDICT_DOWN);
    assert_int_equal(help->planner.dirty.count, MANY / (MANY_BACKENDS / MANY_MEMBERS));
    help_tick(help);
    assert_int_equal(help->planner.publishing.count, MANY / (MANY_BACKENDS / MANY_MEMBERS));
    for (uint32_t e = hf_bitset_next(&help->planner.publishing, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&help->planner.publishing, e + 1)) {
        assert_int_equal(e % (MANY_BACKENDS / MANY_MEMBERS), 4321 / MANY_MEMBERS);
    }
    help_published(help, HF_RESULT_OK);
    print_message("# one backend of %u of them fails: %.2f ms\n",
                  MANY / (MANY_BACKENDS / MANY_MEMBERS), (seconds() - begin) * 1e3);
    end(help);
    free_fleet(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_as_published),
        cmocka_unit_test(test_rotation_marks_its_ttl_only),
        cmocka_unit_test(test_budget_outlives_the_machine),
        cmocka_unit_test(test_hold_serial_outlives_the_machine),
        cmocka_unit_test(test_operations_are_told_apart),
        cmocka_unit_test(test_ahead_is_inherited),
        cmocka_unit_test(test_lost_history_waits_for_verdicts),
        cmocka_unit_test(test_adopted_without_members),
        cmocka_unit_test(test_endpoint_without_members_is_never_published),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_pin_to_nobody_is_ignored),
        cmocka_unit_test(test_wild_clock),
        cmocka_unit_test(test_memory_per_endpoint),
        cmocka_unit_test(test_a_million_endpoints),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
