/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's file is replaced, deleted and put back under open stores, by rename and by copying
 * over it, also beside the journal of a process that was killed in the middle of a transaction.
 */
#include "store_help.h"

#include <signal.h>
#include <sys/wait.h>

static uint64_t changes_of(struct hf_store *store)
{
    uint64_t changes = 0;
    assert_int_equal(hf_store_changes(store, &changes), HF_OK);
    return changes;
}

/* A whole copy of the store beside it, as of now. */
static void back_up(struct place *place, const char *ending)
{
    char path[320];
    char sql[400];
    (void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", place_beside(place, ending, path));
    (void)unlink(path);
    change_raw(place->path, sql);
}

static void put_in_place(struct place *place, const char *ending)
{
    char path[320];
    assert_int_equal(rename(place_beside(place, ending, path), place->path), 0);
}

static void a_file_moved_into_place_is_used_at_once(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_digest name;
    struct hf_buf buf;
    hf_buf_init(&buf, 64);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    back_up(place, ".week-ago");
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    uint64_t last = changes_of(store);

    put_in_place(place, ".week-ago");
    assert_int_not_equal(changes_of(store), last);
    last = changes_of(store);
    assert_int_equal(changes_of(store), last);
    expect_ref(store, "head", "1");
    assert_int_equal(hf_store_get(store, &name, &buf), HF_ENOENT);
    assert_int_equal(move_ref(store, "head", "2", "3"), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", "1", "3"), HF_OK);
    hf_store_close(store);
    store = store_made(place);
    expect_ref(store, "head", "3");
    hf_store_close(store);
    hf_buf_release(&buf);
}

static void a_write_goes_to_the_new_file_without_a_read_before(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    back_up(place, ".copy");
    put_in_place(place, ".copy");
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    hf_store_close(store);
    store = store_made(place);
    expect_ref(store, "head", "2");
    hf_store_close(store);
}

/* Until their end they see what was there at their beginning; then the new file. */
static void reads_that_belong_together_see_one_file(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    sqlite3 *other = NULL;
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    assert_int_equal(move_ref(store, "tail", NULL, "1"), HF_OK);
    back_up(place, ".copy");
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    assert_int_equal(move_ref(store, "tail", "1", "2"), HF_OK);
    assert_int_equal(hf_store_reads_begin(store), HF_OK);
    expect_ref(store, "head", "2");
    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "UPDATE ref SET value = x'39'", NULL, NULL, NULL),
                     SQLITE_BUSY);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    put_in_place(place, ".copy");
    expect_ref(store, "tail", "2");
    hf_store_reads_end(store);
    expect_ref(store, "tail", "1");
    assert_int_equal(move_ref(store, "head", "1", "3"), HF_OK);
    assert_int_equal(hf_store_reads_begin(store), HF_OK);
    expect_ref(store, "head", "3");
    hf_store_reads_end(store);
    hf_store_close(store);
}

static void a_copy_over_the_open_file_is_used_at_once(void **state)
{
    struct place *place = *state;
    char path[320];
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    back_up(place, ".week-ago");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(move_ref(store, i % 2 == 0 ? "even" : "odd", NULL, "x"), HF_OK);
        assert_int_equal(move_ref(store, i % 2 == 0 ? "even" : "odd", "x", NULL), HF_OK);
    }
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    expect_ref(store, "head", "2");
    uint64_t last = changes_of(store);

    copy_over(place_beside(place, ".week-ago", path), place->path);
    assert_int_not_equal(changes_of(store), last);
    expect_ref(store, "head", "1");
    assert_int_equal(move_ref(store, "head", "1", "3"), HF_OK);
    expect_sound(place->path);
    hf_store_close(store);
}

static void a_deleted_file_is_told_and_not_made_anew(void **state)
{
    struct place *place = *state;
    char path[320];
    uint64_t changes;
    struct hf_digest name;
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    assert_int_equal(rename(place->path, place_beside(place, ".away", path)), 0);
    assert_int_equal(hf_store_changes(store, &changes), HF_ENOENT);
    expect_words(hf_store_why(store), place, "no such file");
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_ENOENT);
    assert_int_equal(hf_store_put(store, "x", 1, &name), HF_ENOENT);
    assert_int_equal(access(place->path, F_OK), -1);

    put_in_place(place, ".away");
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    assert_int_equal(unlink(place->path), 0);
    struct hf_store *anew = store_made(place);
    expect_ref(store, "head", NULL);
    uint32_t one;
    uint32_t two;
    assert_int_equal(hf_store_instance(store, &one), HF_OK);
    assert_int_equal(hf_store_instance(anew, &two), HF_OK);
    assert_int_equal(one, two);
    hf_store_close(anew);
    hf_store_close(store);
}

static void what_is_no_store_in_its_place_is_told(void **state)
{
    struct place *place = *state;
    char path[320];
    uint64_t changes;
    struct hf_store *store = store_made(place);
    back_up(place, ".sound");
    change_raw(place_beside(place, ".other", path), "CREATE TABLE t (x)");
    put_in_place(place, ".other");
    assert_int_equal(hf_store_changes(store, &changes), HF_EMALF);
    expect_words(hf_store_why(store), place, "another program");
    copy_over("/proc/self/cmdline", place->path);
    assert_int_equal(hf_store_changes(store, &changes), HF_ECORRUPT);
    put_in_place(place, ".sound");
    assert_int_equal(hf_store_changes(store, &changes), HF_OK);

    /* The same under an open file. */
    back_up(place, ".sound");
    copy_over("/proc/self/cmdline", place->path);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_ECORRUPT);
    copy_over(place_beside(place, ".sound", path), place->path);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    expect_sound(place->path);
    hf_store_close(store);
}

/*
 * Dies in a transaction; with pages_written it has begun to change the database itself, and only
 * then is there something to roll back.
 */
static void die_in_a_transaction(const struct place *place, bool pages_written)
{
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;
        const char *sql = pages_written ? "PRAGMA journal_mode = PERSIST; PRAGMA cache_size = 2; "
                                          "BEGIN IMMEDIATE; UPDATE ref SET value = x'40'; "
                                          "INSERT INTO object VALUES (x'01', 1, zeroblob(400000)); "
                                          "UPDATE object SET bytes = zeroblob(3000)"
                                        : "PRAGMA journal_mode = PERSIST; BEGIN IMMEDIATE; "
                                          "UPDATE ref SET value = x'40'";
        if (sqlite3_open(place->path, &db) == SQLITE_OK) {
            (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
        }
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* Objects that spread over the file, and a value of head that tells which copy it is. */
static void fill(struct place *place, const char *head, size_t objects)
{
    struct hf_store *store = store_made(place);
    struct hf_digest name;
    char bytes[5000];
    memset(bytes, 'o', sizeof(bytes));
    for (size_t i = 0; i < objects; i++) {
        (void)snprintf(bytes, sizeof(bytes), "%s %zu", head, i);
        assert_int_equal(hf_store_put(store, bytes, sizeof(bytes), &name), HF_OK);
    }
    assert_int_equal(move_ref(store, "head", NULL, head), HF_OK);
    hf_store_close(store);
}

static bool journal_is_aside(struct place *place)
{
    char path[320];
    return access(place_beside(place, "-journal.foreign", path), F_OK) == 0;
}

static void expect_whole(struct place *place, const char *head)
{
    struct hf_store *store = store_made(place);
    struct hf_store_object objects[64];
    struct hf_buf buf;
    size_t count = 0;
    expect_ref(store, "head", head);
    hf_buf_init(&buf, 1 << 20);
    assert_int_equal(hf_store_list(store, NULL, objects, 64, &count), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_buf_clear(&buf);
        assert_int_equal(hf_store_get(store, &objects[i].name, &buf), HF_OK);
    }
    hf_buf_release(&buf);
    hf_store_close(store);
    expect_sound(place->path);
}

static void its_own_journal_is_rolled_back(void **state)
{
    struct place *place = *state;
    fill(place, "mine", 20);
    for (int i = 0; i < 2; i++) {
        die_in_a_transaction(place, i == 1);
        expect_whole(place, "mine");
        assert_false(journal_is_aside(place));
    }
}

/* A file of another size and history lies at .other; the store's own writer was killed. */
static void make_other_and_die(struct place *place, size_t objects, bool pages_written)
{
    char path[320];
    struct place other = *place;
    (void)snprintf(other.path, sizeof(other.path), "%s/holdfast.db.other", place->folder);
    fill(&other, "other", objects);
    (void)unlink(place_beside(&other, "-journal", path));
    fill(place, "mine", 20);
    die_in_a_transaction(place, pages_written);
}

static void the_journal_of_a_file_moved_away_is_put_aside(void **state)
{
    struct place *place = *state;
    char path[320];
    for (int i = 0; i < 4; i++) {
        make_other_and_die(place, i % 2 == 0 ? 3 : 40, i / 2 == 1);
        put_in_place(place, ".other");
        expect_whole(place, "other");
        assert_int_equal(journal_is_aside(place), i / 2 == 1);
        assert_int_equal(unlink(place->path), 0);
        (void)unlink(place_beside(place, "-journal.foreign", path));
    }
}

static void a_copy_over_the_file_beside_a_journal_is_kept_whole(void **state)
{
    struct place *place = *state;
    char path[320];
    for (int i = 0; i < 4; i++) {
        make_other_and_die(place, i % 2 == 0 ? 3 : 40, i / 2 == 1);
        copy_over(place_beside(place, ".other", path), place->path);
        expect_whole(place, "other");
        assert_int_equal(journal_is_aside(place), i / 2 == 1);
        assert_int_equal(unlink(place->path), 0);
        assert_int_equal(unlink(path), 0);
        (void)unlink(place_beside(place, "-journal.foreign", path));
    }
}

static void an_open_store_survives_the_move_beside_a_journal(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "open", NULL, "1"), HF_OK);
    make_other_and_die(place, 40, true);
    put_in_place(place, ".other");
    expect_ref(store, "head", "other");
    assert_int_equal(move_ref(store, "head", "other", "later"), HF_OK);
    hf_store_close(store);
    expect_whole(place, "later");
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_file_moved_into_place_is_used_at_once),
        STORE_TEST(a_write_goes_to_the_new_file_without_a_read_before),
        STORE_TEST(reads_that_belong_together_see_one_file),
        STORE_TEST(a_copy_over_the_open_file_is_used_at_once),
        STORE_TEST(a_deleted_file_is_told_and_not_made_anew),
        STORE_TEST(what_is_no_store_in_its_place_is_told),
        STORE_TEST(its_own_journal_is_rolled_back),
        STORE_TEST(the_journal_of_a_file_moved_away_is_put_aside),
        STORE_TEST(a_copy_over_the_file_beside_a_journal_is_kept_whole),
        STORE_TEST(an_open_store_survives_the_move_beside_a_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
