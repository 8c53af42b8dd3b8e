/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/error.h"
#include "codec/name.h"
#include "core/fence.h"

static void sort_drops_duplicates(void **state)
{
    (void)state;
    uint8_t a[] = {127, 0, 0, 200, 10, 0, 0, 1, 127, 0, 0, 3, 10, 0, 0, 1, 127, 0, 0, 200};
    const uint8_t sorted[] = {10, 0, 0, 1, 127, 0, 0, 3, 127, 0, 0, 200};
    assert_int_equal(hf_records_sort(a, 5, 4), 3);
    assert_memory_equal(a, sorted, sizeof(sorted));
    assert_int_equal(hf_records_sort(a, 0, 4), 0);
    assert_int_equal(hf_records_sort(NULL, 0, 16), 0);
    uint8_t aaaa[3 * 16] = {[0] = 0xfd, [15] = 2, [16] = 0xfd, [31] = 1, [32] = 0xfd, [47] = 2};
    assert_int_equal(hf_records_sort(aaaa, 3, 16), 2);
    assert_int_equal(aaaa[15], 1);
    assert_int_equal(aaaa[31], 2);
}

/* The canonical form spelled out by hand; RFC 4034 section 6.2. */
static void sum_is_of_the_canonical_form(void **state)
{
    (void)state;
    uint8_t owner[HF_NAME_MAX];
    assert_int_equal(hf_name_parse("API.test", owner), HF_OK);
    const uint8_t bytes[] = {127, 0, 0, 11, 127, 0, 0, 12, 0xfd, 0, 0, 0,
                             0,   0, 0, 0,  0,   0, 0, 0,  0,    0, 0, 7};
    const struct hf_records records = {.bytes = bytes, .ttl_s = 30, .a_count = 2, .aaaa_count = 1};
    static const char canonical[] = "\3api\4test\0\0\1\0\1\0\0\0\x1e\0\4\x7f\0\0\x0b"
                                    "\3api\4test\0\0\1\0\1\0\0\0\x1e\0\4\x7f\0\0\x0c"
                                    "\3api\4test\0\0\x1c\0\1\0\0\0\x1e\0\x10"
                                    "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7";
    struct hf_digest digest;
    hf_digest_of(canonical, sizeof(canonical) - 1, &digest);
    assert_true(hf_records_sum(owner, &records) == hf_digest_head(&digest));
    struct hf_digester *digester = hf_digester_new();
    assert_true(hf_records_sum_by(digester, owner, &records) == hf_digest_head(&digest));
    hf_digester_free(digester);

    struct hf_records other = records;
    other.ttl_s = 31;
    assert_true(hf_records_sum(owner, &other) != hf_digest_head(&digest));
    other = records;
    other.a_count = 1;
    assert_true(hf_records_sum(owner, &other) != hf_digest_head(&digest));
}

static void sum_of_nothing_and_of_the_most(void **state)
{
    (void)state;
    char text[254];
    uint8_t owner[HF_NAME_MAX];
    for (size_t i = 0; i < 253; i++) {
        text[i] = i % 2 == 0 ? 'a' : '.';
    }
    text[253] = 0;
    assert_int_equal(hf_name_parse(text, owner), HF_OK);
    const struct hf_records none = {.ttl_s = 30};
    struct hf_digest digest;
    hf_digest_of("", 0, &digest);
    assert_true(hf_records_sum(owner, &none) == HF_SUM_EMPTY);
    assert_true(hf_digest_head(&digest) == HF_SUM_EMPTY);
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    const struct hf_records most = {
        .bytes = bytes, .ttl_s = 30, .a_count = HF_RECORDS_MAX, .aaaa_count = HF_RECORDS_MAX};
    assert_int_equal(hf_records_size(&most), HF_RECORDS_BYTES_MAX);
    assert_true(hf_records_sum(owner, &most) != HF_SUM_EMPTY);
}

static void equality(void **state)
{
    (void)state;
    const uint8_t one[] = {10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4};
    uint8_t two[sizeof(one)];
    memcpy(two, one, sizeof(one));
    const struct hf_records a = {.bytes = one, .ttl_s = 5, .a_count = 4};
    struct hf_records b = {.bytes = two, .ttl_s = 5, .a_count = 4};
    assert_true(hf_records_equal(&a, &b));
    b.ttl_s = 6;
    assert_false(hf_records_equal(&a, &b));
    b = (struct hf_records){.bytes = two, .ttl_s = 5, .aaaa_count = 1}; /* the same octets */
    assert_false(hf_records_equal(&a, &b));
    b = a;
    b.bytes = two;
    two[15] = 5;
    assert_false(hf_records_equal(&a, &b));
    /* The TTL of no records means nothing. */
    const struct hf_records none = {.ttl_s = 5};
    const struct hf_records nothing = {.ttl_s = 6};
    assert_true(hf_records_equal(&none, &nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_drops_duplicates),
        cmocka_unit_test(sum_is_of_the_canonical_form),
        cmocka_unit_test(sum_of_nothing_and_of_the_most),
        cmocka_unit_test(equality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
