/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <signal.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/folder.h"

/* A folder of its own for every test, which works in it. */
static int enter(void **state)
{
    const char *place = getenv("TMPDIR");
    char *folder = NULL;
    assert_true(asprintf(&folder, "%s/hf-folder-XXXXXX", place != NULL ? place : P_tmpdir) > 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    *state = folder;
    return 0;
}

static int leave(void **state)
{
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
    assert_int_equal(chdir("/"), 0);
    int status = system(command); // NOLINT(cert-env33-c): a fixed command
    free(*state);
    return status;
}

static mode_t mode_of(const char *path)
{
    struct stat kind;
    assert_int_equal(stat(path, &kind), 0);
    return kind.st_mode & 07777;
}

static void test_folders_are_made(void **state)
{
    (void)state;
    char why[256] = "";
    assert_int_equal(hf_folder_make("a/b//c/", why, sizeof(why)), HF_OK);
    assert_int_equal(mode_of("a/b/c"), 0750);
    assert_int_equal(hf_folder_make("a/b/c", why, sizeof(why)), HF_OK);
    assert_int_equal(hf_folder_make_for("d/e/file", why, sizeof(why)), HF_OK);
    assert_int_equal(mode_of("d/e"), 0750);
    assert_int_equal(access("d/e/file", F_OK), -1);
    assert_int_equal(hf_folder_make_for("file", why, sizeof(why)), HF_OK);
    assert_int_equal(hf_folder_make_for("/file", why, sizeof(why)), HF_OK);
}

static void test_a_file_in_the_way_is_named(void **state)
{
    (void)state;
    char why[256] = "";
    assert_int_equal(hf_file_create("a", 0600, "x", 1, why, sizeof(why)), HF_OK);
    assert_int_equal(hf_folder_make("a/b", why, sizeof(why)), HF_EIO);
    assert_non_null(strstr(why, "a: cannot make the folder: Not a directory"));
    assert_int_equal(hf_folder_make("", why, sizeof(why)), HF_EIO);
}

static void test_create_never_overwrites(void **state)
{
    (void)state;
    char why[256] = "";
    char text[16] = "before";
    assert_int_equal(hf_file_create("key", 0600, "one", 3, why, sizeof(why)), HF_OK);
    assert_int_equal(mode_of("key"), 0600);
    assert_int_equal(hf_file_create("key", 0600, "two", 3, why, sizeof(why)), HF_EEXIST);
    assert_int_equal(hf_file_read("key", text, sizeof(text)), HF_OK);
    assert_string_equal(text, "one");
    assert_int_equal(hf_file_replace("key", 0644, "three", 5, why, sizeof(why)), HF_OK);
    assert_int_equal(hf_file_read("key", text, sizeof(text)), HF_OK);
    assert_string_equal(text, "three");
    assert_int_equal(mode_of("key"), 0644);
}

static void test_read_knows_its_room(void **state)
{
    (void)state;
    char why[256] = "";
    char text[4] = "old";
    assert_int_equal(hf_file_read("none", text, sizeof(text)), HF_ENOENT);
    assert_int_equal(hf_file_create("f", 0600, "abc", 3, why, sizeof(why)), HF_OK);
    assert_int_equal(hf_file_read("f", text, sizeof(text)), HF_OK);
    assert_string_equal(text, "abc");
    assert_int_equal(hf_file_replace("f", 0600, "abcd", 4, why, sizeof(why)), HF_OK);
    assert_int_equal(hf_file_read("f", text, sizeof(text)), HF_ELIMIT);
    assert_int_equal(hf_file_read(".", text, sizeof(text)), HF_EIO);
}

/* A write that fails half-way leaves the old file and nothing beside it. */
static void test_a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    char why[256] = "";
    char text[16];
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    assert_int_equal(hf_file_create("f", 0600, "old", 3, why, sizeof(why)), HF_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = hf_file_replace("f", 0600, "much longer", 11, why, sizeof(why));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, HF_EIO);
    assert_non_null(strstr(why, "f: cannot write the file: "));
    assert_int_equal(hf_file_read("f", text, sizeof(text)), HF_OK);
    assert_string_equal(text, "old");
    assert_int_equal(unlink("f"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(*state), 0); /* empty */
    assert_int_equal(mkdir(*state, 0700), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folders_are_made, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_file_in_the_way_is_named, enter, leave),
        cmocka_unit_test_setup_teardown(test_create_never_overwrites, enter, leave),
        cmocka_unit_test_setup_teardown(test_read_knows_its_room, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_failed_write_leaves_the_old_file, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
