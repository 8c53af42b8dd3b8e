/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans as objects: what is encoded and decoded again. */
#include "plan_sample.h"

/* Encodes what follows the image's head, as generation gen; the name is made of gen. */
static int encode(const struct hf_plan *plan, uint64_t gen, bool snapshot, const uint32_t *rows,
                  uint32_t row_count, struct sample_parts *parts, struct hf_buf *ret_object)
{
    struct hf_plan_head head = {
        .gen = gen,
        .parent_gen = plan->head.gen,
        .parent = plan->name,
        .created_ms = 1700000000000,
        .instance = 0x5e1f09c2,
        .snapshot = snapshot,
        .planner = "planner-1",
        .changed = {.quiet_at_ms = 1, .base = 2, .spent = 3},
        .chain_bytes = plan->head.chain_bytes,
        .chain_count = plan->head.chain_count,
        .snapshot_bytes = plan->head.snapshot_bytes,
    };
    return hf_plan_encode(plan, &head, rows, row_count, parts != NULL ? sample_put : NULL, parts,
                          ret_object);
}

static struct hf_digest name_of(uint64_t gen)
{
    return (struct hf_digest){.bytes = {(uint8_t)gen, 0xaa}};
}

/* The image becomes what it would be after publishing the object. */
static void publish(struct hf_plan *plan, const struct hf_buf *object)
{
    assert_int_equal(hf_plan_decode_head(object->bytes, object->size, &plan->head), HF_OK);
    plan->name = name_of(plan->head.gen);
    plan->edited = false;
}

struct changes {
    const struct hf_plan *plan;
    uint32_t rows[64];
    uint32_t count;
    uint64_t gen_sum; /* of the entries that were replaced */
    uint32_t changing_count;
};

/* Before the row is replaced: it is not among those that have changed, and has its old entry. */
static void note_old(void *context, uint32_t row)
{
    struct changes *changes = context;
    struct hf_plan_entry old;
    assert_int_equal(changes->count, 0);
    hf_plan_get(changes->plan, row, &old);
    changes->gen_sum += old.gen;
    changes->changing_count++;
    if (old.gen != 0) {
        assert_int_equal(old.sum, hf_records_sum(old.owner, &old.records));
    }
}

static void note(void *context, uint32_t row)
{
    struct changes *changes = context;
    assert_true(changes->count < 64);
    changes->rows[changes->count++] = row;
}

static int apply(struct hf_plan *plan, const struct hf_buf *object, struct sample_parts *parts,
                 struct changes *changes)
{
    struct hf_plan_head head = {0};
    (void)hf_plan_decode_head(object->bytes, object->size, &head);
    struct hf_digest name = name_of(head.gen);
    struct hf_plan_events events = {.changing = note_old, .changed = note, .context = changes};
    if (changes != NULL) {
        *changes = (struct changes){.plan = plan};
    }
    return hf_plan_apply(plan, &name, object->bytes, object->size, sample_get, parts,
                         changes != NULL ? &events : NULL);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct hf_buf object;
    struct changes changes = {0};
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    uint32_t rows[3] = {sample_set(&plan, 1, 5, 0, 8), sample_set(&plan, 2, 5, 3, 1),
                        sample_set(&plan, 3, 5, 0, 0)};
    assert_int_equal(encode(&plan, 5, true, NULL, 0, NULL, &object), HF_OK);
    publish(&plan, &object);
    assert_int_equal(apply(&copy, &object, NULL, &changes), HF_OK);
    assert_int_equal(changes.count, 3);
    sample_plans_equal(&plan, &copy);
    assert_int_equal(copy.head.gen, 5);
    assert_string_equal(copy.head.planner, "planner-1");
    assert_int_equal(copy.head.instance, 0x5e1f09c2);
    assert_int_equal(copy.head.changed.spent, 3);
    assert_int_equal(copy.head.chain_count, 0);
    assert_true(copy.head.snapshot && copy.head.snapshot_bytes > 100);

    /* A delta: one changed, one left, one new; the third row stays as it is. */
    rows[0] = sample_set(&plan, 1, 6, 2, 3);
    rows[1] = sample_remove(&plan, 2);
    rows[2] = sample_set(&plan, 9, 6, 40, 2);
    hf_buf_clear(&object);
    assert_int_equal(encode(&plan, 6, false, rows, 3, NULL, &object), HF_OK);
    publish(&plan, &object);
    assert_int_equal(apply(&copy, &object, NULL, &changes), HF_OK);
    assert_int_equal(changes.count, 3);
    assert_int_equal(changes.changing_count, 3);
    assert_int_equal(changes.gen_sum, 5 + 5 + 0);
    sample_plans_equal(&plan, &copy);
    assert_int_equal(copy.head.parent_gen, 5);
    assert_int_equal(copy.head.chain_count, 1);
    assert_true(copy.head.chain_bytes > 0);
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

static void test_snapshot_replaces(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct hf_buf object;
    struct changes changes = {0};
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    for (uint32_t i = 0; i < 10; i++) {
        (void)sample_set(&plan, i, 1, i, 2);
        (void)sample_set(&copy, 10 - i, 1, 10 - i, 2); /* 1 to 10, in another order */
    }
    (void)sample_set(&copy, 5, 3, 7, 7);
    assert_int_equal(encode(&plan, 4, true, NULL, 0, NULL, &object), HF_OK);
    assert_int_equal(apply(&copy, &object, NULL, &changes), HF_OK);
    /* 0 is new, 10 left, 5 differed. */
    assert_int_equal(changes.count, 3);
    assert_int_equal(changes.gen_sum, 0 + 1 + 3);
    sample_plans_equal(&plan, &copy);
    assert_int_equal(sample_in_plan(&copy), 10);
    hf_plan_clear(&copy, &(struct hf_plan_events){.changed = note, .context = &changes});
    assert_int_equal(changes.count, 13);
    assert_int_equal(sample_in_plan(&copy), 0);
    assert_int_equal(copy.head.gen, 0);
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

/* Whatever differs in an entry, its row is said to have changed. */
static void test_every_difference_counts(void **state)
{
    (void)state;
    struct hf_plan plan;
    struct hf_plan copy;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    uint32_t row = sample_set(&plan, 1, 1, 0, 4);
    for (int what = 0; what < 9; what++) {
        struct hf_plan_entry entry = plan.entries[row];
        entry.flags ^= what == 1 ? HF_ROW_CLAIMED : 0;
        entry.cause_backend = what == 2 ? UINT32_MAX : entry.cause_backend;
        entry.cause = what == 3 ? HF_CAUSE_PIN : entry.cause;
        entry.changed_ms += what == 4;
        entry.budget.spent += what == 5;
        entry.member_count -= what == 6;
        entry.records.ttl_s += what == 7;
        entry.gen += what == 8;
        hf_plan_set(&plan, row, &entry);
        struct changes changes = {0};
        struct hf_buf object;
        hf_buf_init(&object, 1 << 20);
        assert_int_equal(encode(&plan, 9, true, NULL, 0, NULL, &object), HF_OK);
        assert_int_equal(apply(&copy, &object, NULL, &changes), HF_OK);
        assert_int_equal(changes.count, 1);
        sample_plans_equal(&plan, &copy);
        changes.count = 0;
        assert_int_equal(apply(&copy, &object, NULL, &changes), HF_OK);
        assert_int_equal(changes.count, 0);
        hf_buf_release(&object);
    }
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

/* What health takes out of an answer is its cause and not its member any more. */
static void test_cause_that_is_no_member(void **state)
{
    (void)state;
    struct hf_plan plan;
    struct hf_plan copy;
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    uint32_t row = sample_set(&plan, 1, 1, 10, 4);
    struct hf_plan_entry entry = plan.entries[row];
    entry.cause_backend = sample_backend(&plan, 5);
    hf_plan_set(&plan, row, &entry);
    assert_int_equal(encode(&plan, 1, true, NULL, 0, NULL, &object), HF_OK);
    assert_int_equal(apply(&copy, &object, NULL, NULL), HF_OK);
    sample_plans_equal(&plan, &copy);
    assert_string_equal(copy.backends[copy.entries[0].cause_backend].name, "web-5");
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

static void test_only_to_the_parent(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct hf_buf snapshot, delta;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&snapshot, 1 << 20);
    hf_buf_init(&delta, 1 << 20);
    uint32_t row = sample_set(&plan, 1, 1, 0, 8);
    assert_int_equal(encode(&plan, 1, true, NULL, 0, NULL, &snapshot), HF_OK);
    publish(&plan, &snapshot);
    (void)sample_set(&plan, 1, 2, 0, 4);
    assert_int_equal(encode(&plan, 2, false, &row, 1, NULL, &delta), HF_OK);
    assert_int_equal(apply(&copy, &delta, NULL, NULL), HF_ESTALE);
    assert_int_equal(apply(&copy, &snapshot, NULL, NULL), HF_OK);
    copy.name.bytes[1]++;
    assert_int_equal(apply(&copy, &delta, NULL, NULL), HF_ESTALE);
    copy.name.bytes[1]--;
    (void)sample_set(&copy, 2, 1, 0, 4);
    assert_int_equal(apply(&copy, &delta, NULL, NULL), HF_ESTALE);
    assert_int_equal(apply(&copy, &snapshot, NULL, NULL), HF_OK);
    assert_int_equal(apply(&copy, &delta, NULL, NULL), HF_OK);
    sample_plans_equal(&plan, &copy);
    hf_buf_release(&snapshot);
    hf_buf_release(&delta);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

static void test_encode_refuses(void **state)
{
    (void)state;
    struct hf_plan plan;
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_buf_init(&object, 1 << 20);
    uint32_t rows[2] = {sample_set(&plan, 1, 5, 0, 8), 0};
    assert_int_equal(encode(&plan, 4, true, NULL, 0, NULL, &object), HF_EINVAL);
    assert_int_equal(encode(&plan, 5, false, rows, 1, NULL, &object), HF_EINVAL);
    assert_int_equal(encode(&plan, 0, true, NULL, 0, NULL, &object), HF_EINVAL);
    plan.head.gen = 4;
    assert_int_equal(encode(&plan, 5, false, rows, 2, NULL, &object), HF_EINVAL);
    rows[0] = 1;
    assert_int_equal(encode(&plan, 5, false, rows, 1, NULL, &object), HF_EINVAL);
    rows[0] = 0;
    plan.head.chain_count = HF_PLAN_CHAIN_MAX;
    assert_int_equal(encode(&plan, 5, false, rows, 1, NULL, &object), HF_EINVAL);
    plan.head.chain_count = HF_PLAN_CHAIN_MAX - 1;
    assert_int_equal(object.size, 0);
    assert_int_equal(encode(&plan, 5, false, rows, 1, NULL, &object), HF_OK);
    hf_buf_release(&object);
    hf_plan_release(&plan);
}

/* What the format is: a change here needs another version in the object. */
static void test_golden(void **state)
{
    (void)state;
    struct hf_plan plan;
    struct hf_buf object, text;
    hf_plan_init(&plan);
    hf_buf_init(&object, 1 << 20);
    hf_buf_init(&text, 1 << 20);
    plan.head = (struct hf_plan_head){.gen = 8, .chain_bytes = 16, .snapshot_bytes = 4096};
    plan.head.chain_count = 1;
    uint32_t rows[2] = {sample_set(&plan, 1, 9, 3, 2), sample_remove(&plan, 2)};
    assert_int_equal(encode(&plan, 9, false, rows, 2, NULL, &object), HF_OK);
    for (size_t i = 0; i < object.size; i++) {
        hf_buf_printf(&text, "%02x", object.bytes[i]);
    }
    assert_string_equal(hf_buf_text(&text),
                        "4846504c01000000000000000009000000000000000800000000000000000000000000"
                        "000000000000000000000000000000000000000000018bcfe568005e1f09c209706c61"
                        "6e6e65722d310000000000000001000000000000000200000000000000030000000000"
                        "0000c30000000000001000000000020000000200000002000000000000006703057765"
                        "622d330a00000320010db80000000000000000000000030000006801057765622d340a"
                        "000004026531076578616d706c65047465737400000000000000000901010200000000"
                        "0000018bcfe56809cbb7cf124d3e34950000001e02010a0000030a00000420010db800"
                        "0000000000000000000003000000000000000900000000000000640000000000000003"
                        "000000020000026532076578616d706c650474657374000000000000000000");
    hf_buf_release(&text);
    hf_buf_release(&object);
    hf_plan_release(&plan);
}

static void make_big(struct hf_plan *plan, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        (void)sample_set(plan, i, 1, i % 2000, 8);
    }
}

static int count_part(void *context, const struct hf_digest *name)
{
    uint32_t *count = context;
    assert_int_equal(name->bytes[0], *count);
    ++*count;
    return HF_OK;
}

static void test_parts(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct sample_parts parts = {.missing = UINT32_MAX};
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    make_big(&plan, 20000);
    assert_int_equal(encode(&plan, 1, true, NULL, 0, NULL, &object), HF_ELIMIT);
    assert_int_equal(object.size, 0);
    assert_int_equal(encode(&plan, 1, true, NULL, 0, &parts, &object), HF_OK);
    assert_true(parts.count > 2);
    assert_int_equal(parts.large_count, 0);
    assert_true(object.size < 4096);
    uint32_t count = 0;
    assert_int_equal(hf_plan_parts(object.bytes, object.size, count_part, &count), HF_OK);
    assert_int_equal(count, parts.count);

    parts.missing = 1;
    assert_int_equal(apply(&copy, &object, &parts, NULL), HF_ENOENT);
    parts.missing = UINT32_MAX;
    parts.parts[1].size--;
    assert_int_equal(apply(&copy, &object, &parts, NULL), HF_EMALF);
    parts.parts[1].size++;
    assert_int_equal(copy.entry_count + copy.backend_count, 0);
    assert_int_equal(apply(&copy, &object, &parts, NULL), HF_OK);
    sample_plans_equal(&plan, &copy);
    assert_int_equal(apply(&copy, &object, &parts, NULL), HF_OK);
    sample_plans_equal(&plan, &copy);
    sample_parts_release(&parts);
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

enum { MANY_MEMBERS = HF_PLAN_PART_BYTES + 1000 }; /* one octet each */

/* A row that is larger than a part is a part of its own. */
static void test_many_members(void **state)
{
    (void)state;
    struct hf_plan plan, copy;
    struct sample_parts parts = {.missing = UINT32_MAX};
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_plan_init(&copy);
    hf_buf_init(&object, 1 << 20);
    uint32_t row = sample_set(&plan, 1, 1, 0, 8);
    struct hf_plan_entry entry = plan.entries[row];
    uint32_t *members = malloc(MANY_MEMBERS * sizeof(*members));
    assert_non_null(members);
    for (uint32_t i = 0; i < MANY_MEMBERS; i++) {
        members[i] = sample_backend(&plan, i);
    }
    entry.members = members;
    entry.member_count = MANY_MEMBERS;
    hf_plan_set(&plan, row, &entry);
    assert_int_equal(encode(&plan, 1, true, NULL, 0, &parts, &object), HF_OK);
    assert_int_equal(apply(&copy, &object, &parts, NULL), HF_OK);
    assert_int_equal(parts.large_count, 1);
    uint32_t other = hf_plan_find(&copy, plan.entries[row].owner);
    assert_int_equal(copy.entries[other].member_count, MANY_MEMBERS);
    for (uint32_t i = 0; i < MANY_MEMBERS; i += 999) {
        assert_string_equal(copy.backends[copy.entries[other].members[i]].name,
                            plan.backends[members[i]].name);
    }
    free(members);
    sample_parts_release(&parts);
    hf_buf_release(&object);
    hf_plan_release(&plan);
    hf_plan_release(&copy);
}

static void show(const struct hf_buf *object, struct hf_plan *ret_changes)
{
    struct hf_plan_object *read = NULL;
    struct hf_digest name = name_of(1);
    assert_int_equal(
        hf_plan_object_read(&name, object->bytes, object->size, sample_get, NULL, &read), HF_OK);
    hf_plan_init(ret_changes);
    hf_plan_object_changes(read, ret_changes);
    hf_plan_object_free(read);
}

static void test_changes(void **state)
{
    (void)state;
    struct hf_plan plan, changes;
    struct hf_buf object;
    hf_plan_init(&plan);
    hf_buf_init(&object, 1 << 20);
    (void)sample_set(&plan, 1, 3, 0, 8);
    uint32_t rows[2] = {sample_set(&plan, 2, 4, 9, 2), sample_remove(&plan, 3)};
    assert_int_equal(encode(&plan, 4, true, NULL, 0, NULL, &object), HF_OK);
    show(&object, &changes);
    assert_int_equal(changes.entry_count, 1);
    sample_entries_equal(&plan, &plan.entries[rows[0]], &changes, &changes.entries[0]);
    assert_string_equal(changes.backends[changes.entries[0].cause_backend].name, "web-9");
    hf_plan_release(&changes);

    plan.head.gen = 3;
    hf_buf_clear(&object);
    assert_int_equal(encode(&plan, 4, false, rows, 2, NULL, &object), HF_OK);
    show(&object, &changes);
    assert_int_equal(changes.entry_count, 2);
    assert_int_equal(changes.entries[0].gen, 4);
    assert_int_equal(changes.entries[1].gen, 0);
    assert_true(changes.edited);
    hf_plan_release(&changes);
    hf_buf_release(&object);
    hf_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_snapshot_replaces),
        cmocka_unit_test(test_every_difference_counts),
        cmocka_unit_test(test_cause_that_is_no_member),
        cmocka_unit_test(test_only_to_the_parent),
        cmocka_unit_test(test_encode_refuses),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
