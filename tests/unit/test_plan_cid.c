/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The correlation of a plan: in its object, and in images. */
#include "plan_sample.h"

/* Version 2 is version 1 with a correlation; an image knows those of the objects applied last. */
static void test_correlation(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    for (uint64_t gen = 1; gen <= HF_PLAN_CIDS_MAX + 1; gen++) {
        uint32_t row = sample_set(&plan, 1, gen, 0, 1);
        struct hf_plan_head head = {.gen = gen,
                                    .parent_gen = plan.head.gen,
                                    .parent = plan.name,
                                    .cid = gen == 2 ? 0 : 0xabc000 + gen,
                                    .snapshot = gen == 1,
                                    .chain_count = plan.head.chain_count};
        hf_buf_clear(&object);
        assert_int_equal(hf_plan_encode(&plan, &head, &row, 1, NULL, NULL, &object), HF_OK);
        assert_int_equal(object.bytes[4], gen == 2 ? 1 : 2);
        assert_int_equal(hf_plan_decode_head(object.bytes, object.size, &plan.head), HF_OK);
        assert_int_equal(plan.head.cid, head.cid);
        plan.name = (struct hf_digest){.bytes = {(uint8_t)gen}};
        assert_int_equal(
            hf_plan_apply(&copy, &plan.name, object.bytes, object.size, sample_get, NULL, NULL),
            HF_OK);
        assert_int_equal(hf_plan_cid(&copy, gen), head.cid);
    }
    assert_int_equal(hf_plan_cid(&copy, 1), 0); /* too long ago */
    assert_int_equal(hf_plan_cid(&copy, 3), 0xabc003);
    assert_int_equal(hf_plan_cid(&copy, 1000), 0);
    memset(object.bytes + 6, 0, 8); /* it has one, or it is version 1 */
    struct hf_plan_head head;
    assert_int_equal(hf_plan_decode_head(object.bytes, object.size, &head), HF_EMALF);
    object.bytes[4] = 3;
    assert_int_equal(hf_plan_decode_head(object.bytes, object.size, &head), HF_EMALF);
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correlation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
