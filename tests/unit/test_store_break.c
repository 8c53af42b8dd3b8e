/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that stand still with a lock of the store in hand. */
#include "store_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "io/store_break.h"

/* A transaction that is begun and never ended. */
static void hold_lock(const struct place *place, int told)
{
    sqlite3 *db = NULL;
    bool good = sqlite3_open(place->path, &db) == SQLITE_OK &&
                sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    (void)!write(told, good ? "y" : "n", 1);
    for (;;) {
        (void)pause();
    }
}

/* Where it stands in the way of opening, too. */
static void a_stopped_holder_of_the_folder_is_killed(void **state)
{
    struct place *place = *state;
    char why[HF_STORE_WHY_MAX];
    int told[2], status = 0;
    char answer = 0;
    struct hf_store *store = store_made(place);
    hf_store_close(store);
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        int folder = open(place->folder, O_RDONLY);
        int file = open(place->path, O_RDONLY);
        bool good = file >= 0 && folder >= 0 && flock(folder, LOCK_EX) == 0;
        (void)!write(told[1], good ? "y" : "n", 1);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(read(told[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_int_equal(hf_store_open_breaking(place->path, false, why, &store), HF_OK);
    assert_int_equal(hf_store_broken(store), child);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(told[0]);
    (void)close(told[1]);
    hf_store_close(store);
}

static void a_stopped_holder_of_the_lock_is_killed(void **state)
{
    struct place *place = *state;
    struct stat file, folder;
    struct hf_digest name;
    char why[HF_STORE_WHY_MAX];
    int told[2], status = 0;
    char answer = 0;
    struct hf_store *store = store_made(place);
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        hold_lock(place, told[1]);
    }
    assert_int_equal(read(told[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(stat(place->path, &file), 0);
    assert_int_equal(stat(place->folder, &folder), 0);
    assert_int_equal(hf_store_break(&file, &folder), 0); /* it runs: it may end its transaction */
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    struct stat other = {.st_dev = file.st_dev, .st_ino = file.st_ino + 1};
    assert_int_equal(hf_store_break(&other, &other), 0); /* nor who has another file */
    hf_store_close(store);
    assert_int_equal(hf_store_open_breaking(place->path, false, why, &store), HF_OK);
    assert_int_equal(hf_store_put(store, "a", 1, &name), HF_OK);
    assert_int_equal(hf_store_broken(store), child);
    assert_int_equal(hf_store_broken(store), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)close(told[0]);
    (void)close(told[1]);
    hf_store_close(store);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_stopped_holder_of_the_lock_is_killed),
        STORE_TEST(a_stopped_holder_of_the_folder_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
