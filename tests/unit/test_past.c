/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/past.h"

enum { LANES = 300, STEPS = 200000 };

static struct hf_records sample(uint8_t bytes[HF_RECORDS_BYTES_MAX], uint64_t sum)
{
    uint16_t a_count = (uint16_t)(sum % 7);
    uint16_t aaaa_count = (uint16_t)(sum / 7 % 5);
    memset(bytes, (int)(sum & 0xff), a_count * 4U + aaaa_count * 16U);
    return (struct hf_records){
        .bytes = bytes, .ttl_s = (uint32_t)sum, .a_count = a_count, .aaaa_count = aaaa_count};
}

static void expect(const struct hf_past *past, uint32_t lane, uint64_t sum)
{
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    struct hf_records wanted = sample(bytes, sum);
    struct hf_records found;
    assert_false(hf_past_find(past, lane, sum + 1, &found));
    assert_int_equal(hf_past_find(past, lane, sum, &found), sum != 0);
    if (sum != 0) {
        assert_int_equal(found.ttl_s, wanted.ttl_s);
        assert_true(hf_records_equal(&found, &wanted));
    }
}

/* Against an array of what must be there, through many compactions. */
static void keeps_what_was_kept_last(void **state)
{
    (void)state;
    struct hf_past past = {0};
    uint64_t sums[LANES] = {0};
    uint64_t random = 1;
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    for (uint32_t i = 0; i < STEPS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t lane = (uint32_t)(random >> 33) % LANES;
        if ((random >> 20) % 3 == 0) {
            hf_past_drop(&past, lane);
            sums[lane] = 0;
        } else {
            sums[lane] = random >> 40 | 1;
            struct hf_records records = sample(bytes, sums[lane]);
            hf_past_keep(&past, lane, sums[lane], &records);
        }
        expect(&past, lane, sums[lane]);
    }
    for (uint32_t lane = 0; lane < LANES; lane++) {
        expect(&past, lane, sums[lane]);
    }
    assert_true(past.room <= 4U * LANES * (24 + 6 * 4 + 4 * 16));
    hf_past_release(&past);
}

static void costs_nothing_when_empty(void **state)
{
    (void)state;
    struct hf_past past;
    struct hf_records found;
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    hf_past_init(&past);
    assert_false(hf_past_find(&past, 7, 9, &found));
    hf_past_drop(&past, 7);
    struct hf_records records = sample(bytes, 9);
    hf_past_keep(&past, 7, 9, &records);
    expect(&past, 7, 9);
    hf_past_keep(&past, 4000000000, 9, &records); /* the last of many lanes costs no more */
    expect(&past, 4000000000, 9);
    assert_true(past.slot_count <= 16 && past.room <= 4096);
    hf_past_drop(&past, 4000000000);
    hf_past_drop(&past, 7);
    assert_null(past.slots);
    assert_null(past.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_was_kept_last),
        cmocka_unit_test(costs_nothing_when_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
