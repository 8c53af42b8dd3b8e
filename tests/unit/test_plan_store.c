/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans in a real store file: publishing, loading, and stores that were restored or damaged. */
#include "plan_store_help.h"

static void a_store_without_a_plan(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    hf_plan_init(&plan);
    assert_int_equal(load(store, &plan), 0);
    (void)sample_set(&plan, 1, 1, 0, 2);
    assert_int_equal(load(store, &plan), 0);
    assert_int_equal(sample_in_plan(&plan), 0);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static void count_change(void *context, uint32_t row)
{
    (void)row;
    ++*(uint32_t *)context;
}

static void a_follower_reads_what_is_new(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan follower;
    uint32_t changes = 0;
    uint64_t gen = 0;
    const struct hf_plan_events events = {.changed = count_change, .context = &changes};
    hf_plan_init(&plan);
    hf_plan_init(&follower);
    publish_first(store, &plan, 100);
    assert_int_equal(load(store, &follower), 1);
    sample_plans_equal(&plan, &follower);
    assert_int_equal(publish_one(store, &plan, 5, 50, 3), HF_OK);
    assert_false(plan.head.snapshot);
    assert_int_equal(publish_one(store, &plan, 6, 51, 0), HF_OK);
    assert_int_equal(hf_plan_load(store, &follower, &events, &gen), HF_OK);
    assert_int_equal(gen, 3);
    assert_int_equal(changes, 2);
    sample_plans_equal(&plan, &follower);
    assert_int_equal(hf_plan_load(store, &follower, &events, &gen), HF_OK);
    assert_int_equal(changes, 2);
    expect_stored(store, &plan);
    hf_plan_release(&follower);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static void of_two_publishers_one_wins(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan one;
    struct hf_plan two;
    hf_plan_init(&one);
    hf_plan_init(&two);
    publish_first(store, &one, 20);
    assert_int_equal(publish_one(store, &two, 1, 9, 9), HF_ESTALE); /* as if there were none */
    assert_int_equal(load(store, &two), 1);
    sample_plans_equal(&one, &two);
    assert_int_equal(publish_one(store, &one, 1, 5, 1), HF_OK);
    assert_int_equal(publish_one(store, &two, 2, 6, 1), HF_ESTALE);
    assert_true(two.edited);
    expect_stored(store, &one);
    assert_int_equal(load(store, &two), 2);
    sample_plans_equal(&one, &two);
    assert_int_equal(publish_one(store, &two, 2, 6, 1), HF_OK);
    expect_stored(store, &two);
    hf_plan_release(&one);
    hf_plan_release(&two);
    hf_store_close(store);
}

static void a_generation_must_rise(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    struct hf_plan_head head = {.gen = 1};
    hf_plan_init(&plan);
    publish_first(store, &plan, 3);
    uint32_t row = sample_set(&plan, 1, 2, 7, 1);
    assert_int_equal(hf_plan_publish(store, &plan, &head, &row, 1), HF_EINVAL);
    expect_words(hf_store_why(store), *state, "plan 1 cannot follow plan 1");
    head.gen = 1000; /* above what a zone was seen to hold */
    assert_int_equal(hf_plan_publish(store, &plan, &head, &row, 1), HF_OK);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

/* Rows of a publication that failed are not forgotten by the next. */
static void nothing_is_left_out_after_a_failure(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    char aside[320];
    hf_plan_init(&plan);
    publish_first(store, &plan, 100);
    assert_int_equal(rename(place->path, place_beside(place, ".aside", aside)), 0);
    assert_int_equal(publish_one(store, &plan, 1, 60, 1), HF_ENOENT);
    assert_int_equal(rename(aside, place->path), 0);
    assert_int_equal(publish_one(store, &plan, 2, 61, 1), HF_OK);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static void a_plan_in_parts(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    hf_plan_init(&plan);
    publish_first(store, &plan, 30000);
    assert_true(plan.head.snapshot_bytes > 2 * HF_PLAN_PART_BYTES);
    expect_stored(store, &plan);
    assert_int_equal(publish_one(store, &plan, 2, 61, 50), HF_OK);
    assert_false(plan.head.snapshot);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

/* Puts an object as another program would, without waiting for the disk. */
static void put_raw(sqlite3 *db, const struct hf_digest *name, const struct hf_buf *object)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "INSERT INTO object (name, put_ms, bytes) VALUES (?1, 1, ?2)";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    (void)sqlite3_bind_blob(statement, 1, name->bytes, sizeof(name->bytes), SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 2, object->bytes, (int)object->size, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

/* Puts count deltas on top of the image's head in one transaction, and moves the head to them. */
static void add_deltas(const struct place *place, struct hf_store *store, struct hf_plan *plan,
                       uint32_t count, bool forged)
{
    char before[HF_PLAN_REF_MAX];
    char after[HF_PLAN_REF_MAX];
    struct hf_buf object;
    hf_buf_init(&object, 1 << 16);
    hf_plan_ref_format(plan->head.gen, &plan->name, before);
    sqlite3 *db = open_raw(place->path);
    run_raw(db, "BEGIN");
    for (uint32_t i = 0; i < count; i++) {
        struct hf_plan_head head = plan->head;
        head.gen = plan->head.gen + 1;
        head.parent_gen = plan->head.gen;
        head.parent = plan->name;
        head.snapshot = false;
        head.chain_count = forged ? 0 : head.chain_count;
        uint32_t row = sample_set(plan, i, head.gen, i + 1, 1);
        hf_buf_clear(&object);
        assert_int_equal(hf_plan_encode(plan, &head, &row, 1, NULL, NULL, &object), HF_OK);
        hf_digest_of(object.bytes, object.size, &plan->name);
        assert_int_equal(hf_plan_decode_head(object.bytes, object.size, &plan->head), HF_OK);
        put_raw(db, &plan->name, &object);
    }
    plan->edited = false;
    run_raw(db, "COMMIT");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    hf_plan_ref_format(plan->head.gen, &plan->name, after);
    assert_int_equal(move_ref(store, HF_PLAN_REF, before, after), HF_OK);
    hf_buf_release(&object);
}

/* However long a planner runs, a reader has a bounded way to a snapshot. */
static void chains_are_bounded(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    hf_plan_init(&plan);
    publish_first(store, &plan, 12000);
    add_deltas(*state, store, &plan, HF_PLAN_CHAIN_MAX - 1, false);
    assert_int_equal(publish_one(store, &plan, 1, 5, 1), HF_OK);
    assert_int_equal(plan.head.chain_count, HF_PLAN_CHAIN_MAX);
    expect_stored(store, &plan);
    assert_int_equal(publish_one(store, &plan, 2, 5, 1), HF_OK);
    assert_true(plan.head.snapshot);
    expect_stored(store, &plan);

    /* Nobody writes this. */
    struct hf_plan fresh;
    hf_plan_init(&fresh);
    add_deltas(*state, store, &plan, HF_PLAN_CHAIN_MAX, true);
    expect_stored(store, &plan);
    add_deltas(*state, store, &plan, 1, true);
    expect_refused(store, &fresh, HF_EMALF, *state, "no snapshot");
    hf_plan_release(&fresh);
    hf_plan_release(&plan);
    hf_store_close(store);
}

/* The deltas of a small plan outgrow half of its snapshot long before. */
static void chains_cost_no_more_than_the_plan(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_plan plan;
    uint32_t snapshots = 0;
    hf_plan_init(&plan);
    publish_first(store, &plan, 10);
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(publish_one(store, &plan, i % 10, i, 1), HF_OK);
        assert_true(plan.head.chain_bytes <= plan.head.snapshot_bytes);
        snapshots += plan.head.snapshot;
        expect_stored(store, &plan);
    }
    assert_in_range(snapshots, 3, 15);

    /* A delta of most rows would cost as much as a snapshot, and a snapshot after it. */
    struct edits edits = {0};
    (void)sample_set(&plan, 100, plan.head.gen + 1, 1, 50);
    plan.head.chain_count = HF_PLAN_CHAIN_MAX;
    assert_int_equal(publish(store, &plan, &edits), HF_OK);
    for (uint32_t count = 5; count <= 6; count++) {
        for (uint32_t i = 0; i < count; i++) {
            edits_add(&edits, sample_set(&plan, i, plan.head.gen + 1, i, 1));
        }
        assert_int_equal(publish(store, &plan, &edits), HF_OK);
        assert_int_equal(plan.head.snapshot, count > 5);
    }
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

static void a_restored_store(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    struct hf_plan follower;
    struct hf_plan old;
    char copy[320];
    hf_plan_init(&plan);
    hf_plan_init(&follower);
    hf_plan_init(&old);
    publish_first(store, &plan, 50);
    assert_int_equal(publish_one(store, &plan, 1, 10, 1), HF_OK);
    (void)load(store, &old);
    copy_over(place->path, place_beside(place, ".copy", copy));
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(publish_one(store, &plan, 2 + i, 20, 1), HF_OK);
    }
    (void)load(store, &follower);

    /* Back to generation 2: what came after is gone. */
    assert_int_equal(rename(copy, place->path), 0);
    assert_int_equal(load(store, &follower), 2);
    sample_plans_equal(&old, &follower);

    /* The one that does not know of it cannot publish. */
    assert_int_equal(publish_one(store, &plan, 30, 1, 1), HF_ESTALE);
    assert_int_equal(load(store, &plan), 2);

    /* Another generation 3 and 4 than before, while the follower has the first 3 and 4. */
    assert_int_equal(publish_one(store, &plan, 40, 1, 1), HF_OK);
    assert_int_equal(publish_one(store, &plan, 41, 1, 1), HF_OK);
    (void)load(store, &follower);
    sample_plans_equal(&plan, &follower);
    hf_plan_release(&plan);
    hf_plan_release(&follower);
    hf_plan_release(&old);
    hf_store_close(store);
}

static void a_forked_store(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    struct hf_plan follower;
    char copy[320];
    hf_plan_init(&plan);
    hf_plan_init(&follower);
    publish_first(store, &plan, 50);
    copy_over(place->path, place_beside(place, ".copy", copy));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(publish_one(store, &plan, 10 + i, 20, 1), HF_OK);
    }
    assert_int_equal(load(store, &follower), 4);
    assert_int_equal(rename(copy, place->path), 0);
    assert_int_equal(load(store, &plan), 1);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(publish_one(store, &plan, 30 + i, 21, 1), HF_OK);
        if (i == 2) {
            assert_int_equal(load(store, &follower), 4); /* the same number, another plan */
            sample_plans_equal(&plan, &follower);
        }
    }
    assert_int_equal(load(store, &follower), 6);
    sample_plans_equal(&plan, &follower);
    hf_plan_release(&plan);
    hf_plan_release(&follower);
    hf_store_close(store);
}

static void an_emptied_store_and_none(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    uint32_t changes = 0;
    uint64_t gen = 7;
    const struct hf_plan_events events = {.changed = count_change, .context = &changes};
    hf_plan_init(&plan);
    publish_first(store, &plan, 50);
    assert_int_equal(unlink(place->path), 0);
    expect_refused(store, &plan, HF_ENOENT, place, "no such file");
    assert_int_equal(sample_in_plan(&plan), 50);
    hf_store_close(store);
    store = store_made(place);
    assert_int_equal(hf_plan_load(store, &plan, &events, &gen), HF_OK);
    assert_int_equal(gen, 0);
    assert_int_equal(changes, 50);
    publish_first(store, &plan, 20);
    expect_stored(store, &plan);
    hf_plan_release(&plan);
    hf_store_close(store);
}

/* An object in the middle of the chain is gone: who has what it led to goes on. */
static void a_missing_object(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    struct hf_plan before;
    struct hf_plan after;
    char text[HF_DIGEST_TEXT_SIZE];
    hf_plan_init(&plan);
    hf_plan_init(&before);
    hf_plan_init(&after);
    publish_first(store, &plan, 50);
    (void)load(store, &before);
    assert_int_equal(publish_one(store, &plan, 1, 9, 1), HF_OK);
    struct hf_digest missing = plan.name;
    hf_digest_text(&missing, text);
    (void)load(store, &after);
    assert_int_equal(publish_one(store, &plan, 2, 8, 1), HF_OK);
    assert_int_equal(hf_store_delete(store, &missing), HF_OK);

    expect_refused(store, &before, HF_ENOENT, place, text);
    expect_refused(store, &before, HF_ENOENT, place, "plan 2 ");
    assert_int_equal(load(store, &after), 3);
    sample_plans_equal(&plan, &after);

    /* The way out: any image on top of the head that cannot be read, as a snapshot. */
    uint64_t gen = 0;
    (void)sample_set(&before, 49, 2, 5, 5);
    assert_int_equal(hf_plan_take_head(store, &before, &gen), HF_OK);
    assert_int_equal(gen, 3);
    assert_int_equal(publish_one(store, &before, 1, 7, 1), HF_OK);
    assert_int_equal(before.head.gen, 4);
    expect_stored(store, &before);
    assert_int_equal(load(store, &after), 4);
    sample_plans_equal(&before, &after);
    hf_plan_release(&plan);
    hf_plan_release(&before);
    hf_plan_release(&after);
    hf_store_close(store);
}

static void damaged_objects(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    struct hf_plan fresh;
    hf_plan_init(&plan);
    hf_plan_init(&fresh);
    publish_first(store, &plan, 50);
    change_raw(place->path, "UPDATE object SET bytes = CAST(bytes || x'00' AS BLOB)");
    expect_refused(store, &fresh, HF_ECORRUPT, place, "plan 1 ");
    assert_int_equal(load(store, &plan), 1);

    /* An object that is none, and a ref that holds no generation. */
    char ref[HF_PLAN_REF_MAX];
    char other[HF_PLAN_REF_MAX];
    struct hf_digest name;
    hf_plan_ref_format(1, &plan.name, ref);
    assert_int_equal(hf_store_put(store, "no plan", 7, &name), HF_OK);
    hf_plan_ref_format(2, &name, other);
    assert_int_equal(move_ref(store, HF_PLAN_REF, ref, other), HF_OK);
    expect_refused(store, &plan, HF_EMALF, place, "is no plan object");
    assert_int_equal(move_ref(store, HF_PLAN_REF, other, "nonsense"), HF_OK);
    expect_refused(store, &plan, HF_EMALF, place, "ref head");
    hf_plan_release(&plan);
    hf_plan_release(&fresh);
    hf_store_close(store);
}

static void the_head_must_be_of_its_generation(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plan;
    struct hf_plan fresh;
    char ref[HF_PLAN_REF_MAX];
    char other[HF_PLAN_REF_MAX];
    hf_plan_init(&plan);
    hf_plan_init(&fresh);
    publish_first(store, &plan, 5);
    hf_plan_ref_format(1, &plan.name, ref);
    hf_plan_ref_format(2, &plan.name, other);
    assert_int_equal(move_ref(store, HF_PLAN_REF, ref, other), HF_OK);
    expect_refused(store, &fresh, HF_EMALF, place, "plan 2");
    hf_plan_release(&plan);
    hf_plan_release(&fresh);
    hf_store_close(store);
}

enum { PROPERTY_STEPS = 250, PROPERTY_ENDPOINTS = 40 };

static void edit_some(struct hf_plan *plan, struct edits *edits, uint64_t *seed)
{
    uint32_t count = 1 + sample_random(seed, 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t endpoint = sample_random(seed, PROPERTY_ENDPOINTS);
        if (sample_random(seed, 8) == 0) {
            edits_add(edits, sample_remove(plan, endpoint));
        } else {
            edits_add(edits, sample_set(plan, endpoint, plan->head.gen + 1,
                                        sample_random(seed, 300), sample_random(seed, 9)));
        }
    }
}

/* Whatever two images do in turn on one store, after loading they are equal, as is a fresh one. */
static void two_images_agree(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_plan plans[2];
    uint64_t seed = 20251019;
    char copy[320];
    hf_plan_init(&plans[0]);
    hf_plan_init(&plans[1]);
    (void)place_beside(place, ".copy", copy);
    copy_over(place->path, copy);
    for (uint32_t step = 0; step < PROPERTY_STEPS; step++) {
        struct edits edits = {0};
        uint32_t who = sample_random(&seed, 2);
        bool current = sample_random(&seed, 3) != 0;
        uint64_t head = current ? load(store, &plans[who]) : plans[who].head.gen;
        edit_some(&plans[who], &edits, &seed);
        int error = publish(store, &plans[who], &edits);
        assert_true(error == HF_OK || (error == HF_ESTALE && !current));
        assert_int_equal(plans[who].head.gen, error == HF_OK ? head + 1 : head);
        if (sample_random(&seed, 16) == 0) {
            copy_over(place->path, copy);
        } else if (sample_random(&seed, 32) == 0) {
            char fresh[320];
            copy_over(copy, place_beside(place, ".fresh", fresh));
            assert_int_equal(rename(fresh, place->path), 0);
        }
        if (sample_random(&seed, 4) == 0) {
            assert_int_equal(load(store, &plans[0]), load(store, &plans[1]));
            sample_plans_equal(&plans[0], &plans[1]);
            expect_stored(store, &plans[0]);
        }
    }
    hf_plan_release(&plans[0]);
    hf_plan_release(&plans[1]);
    hf_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_without_a_plan, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_follower_reads_what_is_new, place_make, place_remove),
        cmocka_unit_test_setup_teardown(of_two_publishers_one_wins, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_generation_must_rise, place_make, place_remove),
        cmocka_unit_test_setup_teardown(nothing_is_left_out_after_a_failure, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_plan_in_parts, place_make, place_remove),
        cmocka_unit_test_setup_teardown(chains_are_bounded, place_make, place_remove),
        cmocka_unit_test_setup_teardown(chains_cost_no_more_than_the_plan, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_restored_store, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_forked_store, place_make, place_remove),
        cmocka_unit_test_setup_teardown(an_emptied_store_and_none, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_missing_object, place_make, place_remove),
        cmocka_unit_test_setup_teardown(damaged_objects, place_make, place_remove),
        cmocka_unit_test_setup_teardown(the_head_must_be_of_its_generation, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(two_images_agree, place_make, place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
