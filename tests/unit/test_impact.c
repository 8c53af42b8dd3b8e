/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/impact.h"

static void test_harm(void **state)
{
    (void)state;
    assert_int_equal(hf_impact_harm(0, 0), 0);
    assert_int_equal(hf_impact_harm(1000, 0), 1000);
    assert_int_equal(hf_impact_harm(0, 1000), 250);
    /* half is lost, the other half is stale and counts a quarter */
    assert_int_equal(hf_impact_harm(500, 1000), 625);
    assert_int_equal(hf_impact_harm(1000, 1000), 1000);
    assert_int_equal(hf_impact_harm(5000, 9000), 1000);
}

/* docs/operating/incidents.md works this example out. */
static void test_lost_time(void **state)
{
    (void)state;
    struct hf_impact impact = {0};
    assert_int_equal(hf_impact_lost_ms(&impact, 5000), 0);
    hf_impact_set(&impact, 100, 1000000);
    assert_int_equal(hf_impact_lost_ms(&impact, 1000000), 0);
    assert_int_equal(hf_impact_lost_ms(&impact, 1600000), 60000); /* a tenth of 600 s */
    hf_impact_set(&impact, 500, 1600000);
    hf_impact_set(&impact, 0, 1720000); /* half of 120 s */
    assert_int_equal(hf_impact_lost_ms(&impact, 1720000), 120000);
    assert_int_equal(hf_impact_lost_ms(&impact, 9999999), 120000);
    assert_int_equal(impact.highest_share, 500);
    assert_int_equal(impact.share, 0);
}

static void test_clock_set_back(void **state)
{
    (void)state;
    struct hf_impact impact = {0};
    hf_impact_set(&impact, 1000, 1000000);
    hf_impact_set(&impact, 1000, 400000);
    assert_int_equal(hf_impact_lost_ms(&impact, 300000), 0);
    assert_int_equal(hf_impact_lost_ms(&impact, 401000), 1000);
}

static void test_score(void **state)
{
    (void)state;
    assert_int_equal(hf_impact_score(0, 900000), 0);
    assert_int_equal(hf_impact_score(0, 0), 0);
    assert_int_equal(hf_impact_score(900000, 900000), 500);
    assert_int_equal(hf_impact_score(100000, 900000), 100);
    assert_int_equal(hf_impact_score(120000, 300000), 285); /* 120 / 420 */
    assert_int_equal(hf_impact_score(5, 0), 1000);
    assert_int_equal(hf_impact_score(UINT64_MAX, 60000), 999);
    assert_int_equal(hf_impact_score(UINT64_MAX, UINT64_MAX), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harm),
        cmocka_unit_test(test_lost_time),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
