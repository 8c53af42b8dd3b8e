/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store says and does when its file, its folder or its disk is not as it should be. */
#include "store_help.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void expect_open(const struct place *place, bool create, int error, const char *words)
{
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    int found = hf_store_open_why(place->path, create, why, &store);
    assert_int_equal(found, error);
    assert_null(store);
    expect_words(why, place, words);
    assert_int_equal(hf_store_open(place->path, create, &store), error);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_store_is_refused_and_left_alone(void **state)
{
    struct place *place = *state;
    char text[64];
    assert_int_equal(mkdir(place->path, 0700), 0);
    expect_open(place, true, HF_EIO, "a folder, not a file");
    assert_int_equal(rmdir(place->path), 0);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    expect_open(place, true, HF_EIO, "special file");
    assert_int_equal(unlink(place->path), 0);

    write_file(place->path, "installation: prod\nstore: sqlite:/var/lib/holdfast/holdfast.db\n");
    expect_open(place, true, HF_ECORRUPT, "not a store");
    write_file(place->path, "");
    expect_open(place, false, HF_ENOENT, "empty");

    change_raw(place->path, "CREATE TABLE ref (name, value); INSERT INTO ref VALUES ('head', 1)");
    expect_open(place, true, HF_EMALF, "another program");
    read_raw(place->path, "SELECT count(*) FROM ref", text, sizeof(text));
    assert_string_equal(text, "1");
}

static void an_empty_file_becomes_a_store(void **state)
{
    struct place *place = *state;
    uint32_t instance = 0;
    write_file(place->path, "");
    struct hf_store *store = store_made(place);
    assert_int_equal(hf_store_instance(store, &instance), HF_OK);
    hf_store_close(store);
}

static void a_newer_schema_is_refused_with_words(void **state)
{
    struct place *place = *state;
    hf_store_close(store_made(place));
    change_raw(place->path, "PRAGMA user_version = 2");
    expect_open(place, true, HF_EMALF, "schema version 2");
}

static void a_missing_folder_is_named(void **state)
{
    struct place *place = *state;
    (void)snprintf(place->path, sizeof(place->path), "%s/none/holdfast.db", place->folder);
    expect_open(place, true, HF_ENOENT, "its folder does not exist");
    expect_open(place, false, HF_ENOENT, "no such file");
}

static void wal_mode_is_turned_off(void **state)
{
    struct place *place = *state;
    char mode[16];
    hf_store_close(store_made(place));
    read_raw(place->path, "PRAGMA journal_mode = WAL", mode, sizeof(mode));
    assert_string_equal(mode, "wal");
    hf_store_close(store_made(place));
    read_raw(place->path, "PRAGMA journal_mode", mode, sizeof(mode));
    assert_string_equal(mode, "delete"); /* what a plain connection uses where it is not WAL */
}

static void a_damaged_object_is_told_and_mended(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_digest name;
    struct hf_buf buf;
    hf_buf_init(&buf, 64);
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    change_raw(place->path, "UPDATE object SET bytes = CAST('plam' AS BLOB)");
    assert_int_equal(hf_store_get(store, &name, &buf), HF_ECORRUPT);
    assert_int_equal(buf.size, 0);
    expect_words(hf_store_why(store), place, "is damaged");
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    assert_int_equal(hf_store_get(store, &name, &buf), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "plan");

    change_raw(place->path, "UPDATE object SET name = x'00'");
    struct hf_store_object object;
    size_t count;
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_ECORRUPT);
    change_raw(place->path, "UPDATE ref SET value = x'00' WHERE name = 'instance'");
    uint32_t instance;
    assert_int_equal(hf_store_instance(store, &instance), HF_ECORRUPT);
    hf_buf_release(&buf);
    hf_store_close(store);
}

static void a_truncated_file_is_told(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct stat info;
    struct hf_digest name;
    char bytes[20000];
    uint64_t changes;
    memset(bytes, 'b', sizeof(bytes));
    assert_int_equal(hf_store_put(store, bytes, sizeof(bytes), &name), HF_OK);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(truncate(place->path, info.st_size / 2), 0);
    assert_int_equal(hf_store_changes(store, &changes), HF_ECORRUPT);
    expect_words(hf_store_why(store), place, "put a backup in its place");
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_ECORRUPT);
    expect_open(place, true, HF_ECORRUPT, "damaged");
    assert_int_equal(truncate(place->path, 0), 0);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_ENOENT);
    expect_words(hf_store_why(store), place, "empty");
    hf_store_close(store);
}

/* Opens the file and reads its objects: every one that is given is whole. */
static void read_all(const struct place *place, const struct hf_digest *names, size_t count)
{
    struct hf_store *store = NULL;
    struct hf_buf buf;
    if (hf_store_open(place->path, false, &store) != HF_OK) {
        return;
    }
    hf_buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        struct hf_digest found;
        hf_buf_clear(&buf);
        if (hf_store_get(store, &names[i], &buf) == HF_OK) {
            hf_digest_of(buf.bytes, buf.size, &found);
            assert_memory_equal(&found, &names[i], sizeof(found));
        } else {
            assert_string_not_equal(hf_store_why(store), "");
        }
    }
    (void)move_ref(store, "head", "1", "2");
    hf_buf_release(&buf);
    hf_store_close(store);
}

static void flipped_bits_never_give_a_wrong_object(void **state)
{
    struct place *place = *state;
    enum { OBJECTS = 6, ROUNDS = 200 };
    struct hf_digest names[OBJECTS];
    char bytes[6000];
    char sound[320];
    struct stat info;
    struct hf_store *store = store_made(place);
    for (size_t i = 0; i < OBJECTS; i++) {
        memset(bytes, (int)('a' + i), sizeof(bytes));
        assert_int_equal(hf_store_put(store, bytes, 100 + i * 1100, &names[i]), HF_OK);
    }
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    hf_store_close(store);
    copy_over(place->path, place_beside(place, ".sound", sound));
    assert_int_equal(stat(sound, &info), 0);
    unsigned seed = 20251019;
    for (int i = 0; i < ROUNDS; i++) {
        copy_over(sound, place->path);
        int fd = open(place->path, O_RDWR);
        off_t offset = (off_t)rand_r(&seed) % (i % 2 == 0 ? info.st_size : 200);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, offset), 1);
        byte = (uint8_t)(byte ^ (1 << i % 8));
        assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
        assert_int_equal(close(fd), 0);
        read_all(place, names, OBJECTS);
    }
}

static void set_file_size_limit(rlim_t limit)
{
    struct rlimit sizes;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &sizes), 0);
    sizes.rlim_cur = limit < sizes.rlim_max ? limit : sizes.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &sizes), 0);
}

/* Publishes with a limit at every place where a write can hit it. */
static void a_full_disk_loses_nothing_at_any_point(void **state)
{
    struct place *place = *state;
    enum { OBJECT_SIZE = 60000, STEP = 1500 };
    struct hf_store *store = store_made(place);
    char *bytes = calloc(1, OBJECT_SIZE);
    char before[16] = "0";
    char after[16];
    int refused = 0;
    int done = 0;
    assert_non_null(bytes);
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(move_ref(store, "head", NULL, before), HF_OK);
    for (rlim_t limit = 0; done < 2; limit += STEP) {
        int size = snprintf(bytes, OBJECT_SIZE, "%d", (int)limit);
        (void)snprintf(after, sizeof(after), "%.*s", size, bytes);
        if (refused % 8 == 0) {
            hf_store_close(store); /* also with a journal that is still to be rolled back */
            store = store_made(place);
        }
        set_file_size_limit(limit);
        int error = hf_store_put_cas(store, bytes, OBJECT_SIZE, "head", before, strlen(before),
                                     after, strlen(after));
        set_file_size_limit(RLIM_INFINITY);
        if (error == HF_OK) {
            memcpy(before, after, sizeof(before));
            done++;
        } else {
            assert_int_equal(error, HF_EFULL);
            expect_words(hf_store_why(store), place, "no space left");
            refused++;
        }
        expect_ref(store, "head", before);
        expect_sound(place->path);
    }
    assert_true(refused > 8);
    assert_int_equal(move_ref(store, "head", before, "space again"), HF_OK);
    (void)signal(SIGXFSZ, old);
    free(bytes);
    hf_store_close(store);
}

static void a_new_store_on_a_full_disk_is_told(void **state)
{
    struct place *place = *state;
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    set_file_size_limit(4096);
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    int error = hf_store_open_why(place->path, true, why, &store);
    set_file_size_limit(RLIM_INFINITY);
    (void)signal(SIGXFSZ, old);
    assert_int_equal(error, HF_EFULL);
    expect_words(why, place, "no space left");
    hf_store_close(store_made(place));
}

/* Makes root obey permissions, or no longer. */
static void obey_permissions(bool obey)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    assert_int_equal(syscall(SYS_capget, &header, sets), 0);
    uint32_t bits = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    sets[0].effective =
        obey ? sets[0].effective & ~bits : sets[0].effective | (sets[0].permitted & bits);
    assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

static void a_read_only_folder_can_be_read_and_says_why_not_written(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_digest name;
    char journal[320];
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    hf_store_close(store);
    assert_int_equal(unlink(place_beside(place, "-journal", journal)), 0);
    assert_int_equal(chmod(place->folder, 0500), 0);
    obey_permissions(true);
    int opened = hf_store_open(place->path, true, &store);
    obey_permissions(false);
    assert_int_equal(opened, HF_OK);

    obey_permissions(true);
    int written = hf_store_put(store, "x", 1, &name);
    obey_permissions(false);
    assert_int_equal(written, HF_EIO);
    expect_words(hf_store_why(store), place, "must be writable by user");
    expect_ref(store, "head", "1");
    assert_int_equal(chmod(place->folder, 0700), 0);
    assert_int_equal(hf_store_put(store, "x", 1, &name), HF_OK);
    hf_store_close(store);

    assert_int_equal(chmod(place->path, 0400), 0);
    obey_permissions(true);
    opened = hf_store_open(place->path, true, &store);
    written = opened == HF_OK ? hf_store_put(store, "y", 1, &name) : HF_OK;
    obey_permissions(false);
    assert_int_equal(opened, HF_OK);
    assert_int_equal(written, HF_EIO);
    expect_words(hf_store_why(store), place, "must be writable by user");
    hf_store_close(store);
}

static void a_store_that_may_not_be_created_or_read_says_so(void **state)
{
    struct place *place = *state;
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    assert_int_equal(chmod(place->folder, 0500), 0);
    obey_permissions(true);
    int error = hf_store_open_why(place->path, true, why, &store);
    obey_permissions(false);
    assert_int_equal(error, HF_EIO);
    expect_words(why, place, "cannot be created");
    assert_int_equal(chmod(place->folder, 0700), 0);
    hf_store_close(store_made(place));
    assert_int_equal(chmod(place->path, 0000), 0);
    obey_permissions(true);
    error = hf_store_open_why(place->path, true, why, &store);
    obey_permissions(false);
    assert_int_equal(error, HF_EIO);
    expect_words(why, place, "by user");
}

/* One process that waits for a lock until the call gives up; true when it said so rightly. */
static bool busy_is_told(const struct place *place, bool folder)
{
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    bool told = false;
    if (folder) {
        int fd = open(place->folder, O_RDONLY | O_DIRECTORY);
        told = flock(fd, LOCK_EX) == 0 &&
               hf_store_open_why(place->path, false, why, &store) == HF_EBUSY;
        (void)close(fd);
    } else {
        sqlite3 *db = NULL;
        if (hf_store_open(place->path, false, &store) == HF_OK &&
            sqlite3_open(place->path, &db) == SQLITE_OK &&
            sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK) {
            told = move_ref(store, "head", NULL, "1") == HF_EBUSY;
            (void)snprintf(why, sizeof(why), "%s", hf_store_why(store));
        }
        (void)sqlite3_close(db);
        told = told && move_ref(store, "head", NULL, "1") == HF_OK;
        hf_store_close(store);
    }
    return told && strstr(why, "locked by another process for 5000 ms") != NULL;
}

static void a_lock_that_stays_is_told_after_its_time(void **state)
{
    struct place *place = *state;
    struct place second = *place;
    (void)snprintf(second.path, sizeof(second.path), "%s/b/holdfast.db", place->folder);
    (void)snprintf(second.folder, sizeof(second.folder), "%.200s/b", place->folder);
    assert_int_equal(mkdir(second.folder, 0700), 0);
    hf_store_close(store_made(place));
    hf_store_close(store_made(&second));
    pid_t child = fork();
    if (child == 0) {
        _exit(busy_is_told(&second, true) ? 0 : 1);
    }
    assert_true(busy_is_told(place, false));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_no_store_is_refused_and_left_alone),
        STORE_TEST(an_empty_file_becomes_a_store),
        STORE_TEST(a_newer_schema_is_refused_with_words),
        STORE_TEST(a_missing_folder_is_named),
        STORE_TEST(wal_mode_is_turned_off),
        STORE_TEST(a_damaged_object_is_told_and_mended),
        STORE_TEST(a_truncated_file_is_told),
        STORE_TEST(flipped_bits_never_give_a_wrong_object),
        STORE_TEST(a_full_disk_loses_nothing_at_any_point),
        STORE_TEST(a_new_store_on_a_full_disk_is_told),
        STORE_TEST(a_read_only_folder_can_be_read_and_says_why_not_written),
        STORE_TEST(a_store_that_may_not_be_created_or_read_says_so),
        STORE_TEST(a_lock_that_stays_is_told_after_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
