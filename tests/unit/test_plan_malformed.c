/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is no plan object is refused as a whole: the image stays as it was. Objects are broken one
 * place at a time; the places are found in the bytes by what is written there.
 */
#include "plan_sample.h"

static const struct hf_digest object_name = {.bytes = {9}};

/* Generation 9 of two endpoints: e1 with two IPv4 addresses, e2 with one of each family. */
static void make_object(bool snapshot, struct hf_buf *ret_object)
{
    struct hf_plan plan;
    hf_plan_init(&plan);
    uint32_t rows[2] = {sample_set(&plan, 1, 9, 100, 2), sample_set(&plan, 2, 9, 102, 1)};
    struct hf_plan_head head = {.gen = 9, .parent_gen = 8, .snapshot = snapshot, .planner = "p"};
    head.parent.bytes[0] = 8;
    hf_buf_init(ret_object, 1 << 16);
    assert_int_equal(hf_plan_encode(&plan, &head, rows, 2, NULL, NULL, ret_object), HF_OK);
    hf_plan_release(&plan);
}

static int get_nothing(void *context, const struct hf_digest *name, struct hf_buf *ret_bytes)
{
    (void)context;
    (void)name;
    (void)ret_bytes;
    return HF_ENOENT;
}

static void never(void *context, uint32_t row)
{
    (void)context;
    fail_msg("row %u changed", row);
}

/* Applies the bytes, in memory of exactly their size, to an image with one entry. */
static int apply(const void *bytes, size_t size)
{
    struct hf_plan plan;
    struct hf_plan untouched;
    hf_plan_init(&plan);
    hf_plan_init(&untouched);
    (void)sample_set(&plan, 7, 8, 1, 3);
    (void)sample_set(&untouched, 7, 8, 1, 3);
    plan.head.gen = 8;
    plan.name.bytes[0] = 8;
    plan.edited = false;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    if (size > 0) {
        memcpy(exact, bytes, size);
    }
    int error = hf_plan_apply(&plan, &object_name, exact, size, get_nothing, NULL, NULL);
    free(exact);
    if (error != HF_OK) {
        assert_int_equal(plan.entry_count, 1);
        assert_int_equal(plan.backend_count, 3);
        assert_int_equal(plan.head.gen, 8);
        sample_plans_equal(&plan, &untouched);
    }
    hf_plan_release(&plan);
    hf_plan_release(&untouched);
    return error;
}

static void test_cut_at_every_octet(void **state)
{
    (void)state;
    for (int snapshot = 0; snapshot < 2; snapshot++) {
        struct hf_buf object;
        make_object(snapshot == 1, &object);
        for (size_t size = 0; size < object.size; size++) {
            assert_int_equal(apply(object.bytes, size), HF_EMALF);
        }
        assert_int_equal(apply(object.bytes, object.size), HF_OK);
        hf_buf_put_u8(&object, 0);
        assert_int_equal(apply(object.bytes, object.size), HF_EMALF);
        hf_buf_release(&object);
    }
}

/* Every octet becomes every value: most are refused, none crashes, none goes half way. */
static void test_every_octet_changed(void **state)
{
    (void)state;
    struct hf_buf object;
    make_object(true, &object);
    uint32_t refused = 0;
    for (size_t i = 0; i < object.size; i++) {
        uint8_t was = object.bytes[i];
        for (unsigned value = 0; value < 256; value += value < 4 || value > 250 ? 1 : 13) {
            object.bytes[i] = (uint8_t)value;
            int error = apply(object.bytes, object.size);
            refused += error == HF_EMALF;
            assert_true(error == HF_OK || error == HF_EMALF || error == HF_ENOENT ||
                        error == HF_ESTALE);
        }
        object.bytes[i] = was;
    }
    assert_true(refused > object.size);
    hf_buf_release(&object);
}

struct wound {
    const char *what;
    const uint8_t *find; /* octets at the place, which comes once */
    size_t size;
    int offset; /* from there */
    const uint8_t *put;
    size_t put_size;
};

#define OCTETS(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static size_t place_of(const struct hf_buf *object, const struct wound *wound)
{
    const uint8_t *at = memmem(object->bytes, object->size, wound->find, wound->size);
    assert_non_null(at);
    size_t place = (size_t)(at - object->bytes);
    assert_null(memmem(at + 1, object->size - place - 1, wound->find, wound->size));
    return wound->offset < 0 ? place - (size_t)-wound->offset : place + (size_t)wound->offset;
}

#define E1 2, 'e', '1', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'
#define E2 2, 'e', '2', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'
#define WEB100 'w', 'e', 'b', '-', '1', '0', '0'
enum { E1_SIZE = 17 }; /* e1.example.test. */
#define E1_RDATA 2, 0, 10, 0, 0, 100, 10, 0, 0, 101

static const struct wound wounds[] = {
    {"magic", OCTETS('H', 'F', 'P', 'L'), 0, OCTETS('h')},
    {"version", OCTETS('H', 'F', 'P', 'L'), 4, OCTETS(2)},
    {"kind", OCTETS('H', 'F', 'P', 'L'), 5, OCTETS(2)},
    {"generation not above the parent's", OCTETS('H', 'F', 'P', 'L'), 21, OCTETS(9)},
    {"planner with a space", OCTETS(1, 'p'), 1, OCTETS(' ')},
    {"owner with a capital", OCTETS(E1), 1, OCTETS('E')},
    {"label of 64 octets", OCTETS(E1), 0, OCTETS(64)},
    {"owner that comes twice", OCTETS(E2), 2, OCTETS('1')},
    {"entry above the generation", OCTETS(E1), E1_SIZE + 7, OCTETS(10)},
    {"removal in a snapshot", OCTETS(E1), E1_SIZE + 7, OCTETS(0)},
    {"unknown form", OCTETS(E1), E1_SIZE + 8, OCTETS(2)},
    {"unknown flag", OCTETS(E1), E1_SIZE + 9, OCTETS(0x41)},
    {"retired with an address", OCTETS(E1), E1_SIZE + 9, OCTETS(HF_ROW_RETIRED)},
    {"unknown cause", OCTETS(E1), E1_SIZE + 10, OCTETS(0xff)},
    {"cause backend that is none", OCTETS(E1), E1_SIZE + 14, OCTETS(3)},
    {"another sum", OCTETS(E1), E1_SIZE + 23, OCTETS(0, 0)},
    {"TTL of 2^31", OCTETS(E1_RDATA), -4, OCTETS(0x80)},
    {"another TTL than the sum's", OCTETS(E1_RDATA), -1, OCTETS(31)},
    {"RDATA not in order", OCTETS(E1_RDATA), 5, OCTETS(102)},
    {"RDATA that comes twice", OCTETS(E1_RDATA), 5, OCTETS(101)},
    {"more records than there are", OCTETS(E1_RDATA), 0, OCTETS(101)},
    {"no record", OCTETS(E1_RDATA), 0, OCTETS(0)},
    {"more members than octets", OCTETS(E1_RDATA), 10, OCTETS(0, 1)},
    {"member that is no backend", OCTETS(E1_RDATA), 14, OCTETS(3)},
    {"member too far", OCTETS(E1_RDATA), 14, OCTETS(0xff)},
    {"family of none", OCTETS(WEB100), -2, OCTETS(0)},
    {"third family", OCTETS(WEB100), -2, OCTETS(4)},
    {"backend without a name", OCTETS(WEB100), -1, OCTETS(0)},
    {"backend with a long name", OCTETS(WEB100), -1, OCTETS(64)},
    {"NUL in a name", OCTETS(WEB100), 3, OCTETS(0)},
};

static void test_wounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wounds) / sizeof(wounds[0]); i++) {
        struct hf_buf object;
        make_object(true, &object);
        assert_int_equal(apply(object.bytes, object.size), HF_OK);
        size_t place = place_of(&object, &wounds[i]);
        assert_true(memcmp(object.bytes + place, wounds[i].put, wounds[i].put_size) != 0);
        memcpy(object.bytes + place, wounds[i].put, wounds[i].put_size);
        if (apply(object.bytes, object.size) != HF_EMALF) {
            fail_msg("not refused: %s", wounds[i].what);
        }
        hf_buf_release(&object);
    }
}

static void test_backend_that_comes_twice(void **state)
{
    (void)state;
    struct hf_buf object;
    make_object(true, &object);
    /* web-101 becomes web-100, name and address; both have one family. */
    uint8_t *at = memmem(object.bytes, object.size, "web-101", 7);
    assert_non_null(at);
    at[6] = '0';
    assert_int_equal(apply(object.bytes, object.size), HF_OK); /* another address still */
    assert_int_equal(at[10], 101);
    at[10] = 100;
    assert_int_equal(apply(object.bytes, object.size), HF_EMALF);
    hf_buf_release(&object);
}

/* A member's distance has one form only: 0 is not 0x80 0x00. */
static void test_needless_octets(void **state)
{
    (void)state;
    struct hf_buf object;
    make_object(true, &object);
    struct hf_buf longer;
    hf_buf_init(&longer, 1 << 16);
    size_t size = object.size;
    assert_int_equal(object.bytes[size - 1], 2); /* e2's only member: number 2 */
    hf_buf_put(&longer, object.bytes, size - 1);
    hf_buf_put_u8(&longer, 0x82);
    hf_buf_put_u8(&longer, 0x00);
    assert_int_equal(apply(longer.bytes, longer.size), HF_EMALF);
    longer.size -= 2;
    hf_buf_put_u8(&longer, 0x02);
    assert_int_equal(apply(longer.bytes, longer.size), HF_OK);
    hf_buf_release(&longer);
    hf_buf_release(&object);
}

/* Counts that no body could hold are refused before memory is taken for them. */
static void test_counts(void **state)
{
    (void)state;
    const size_t planner_size = 1;
    const size_t counts = 4 + 2 + 8 + 8 + 32 + 8 + 4 + 1 + planner_size + 24 + 8 + 8 + 4;
    for (size_t i = 0; i < 3; i++) {
        struct hf_buf object;
        make_object(true, &object);
        object.bytes[counts + 4 * i] = 0x01; /* 16 million more */
        assert_int_equal(apply(object.bytes, object.size), HF_EMALF);
        object.bytes[counts + 4 * i] = 0xff;
        assert_int_equal(apply(object.bytes, object.size), HF_EMALF);
        hf_buf_release(&object);
    }
}

static void test_nothing_changes(void **state)
{
    (void)state;
    struct hf_buf object;
    struct hf_plan plan;
    const struct hf_plan_events events = {.changing = never, .changed = never};
    hf_plan_init(&plan);
    make_object(true, &object);
    object.bytes[object.size - 1] = 0x7f;
    assert_int_equal(
        hf_plan_apply(&plan, &object_name, object.bytes, object.size, get_nothing, NULL, &events),
        HF_EMALF);
    assert_int_equal(plan.entry_count + plan.backend_count, 0);
    hf_buf_release(&object);
    hf_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_octet),
        cmocka_unit_test(test_every_octet_changed),
        cmocka_unit_test(test_wounds),
        cmocka_unit_test(test_backend_that_comes_twice),
        cmocka_unit_test(test_needless_octets),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
