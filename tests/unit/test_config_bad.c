/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations that are refused. Those in config-bad/ say in comments beginning with "#:" what
 * is reported about them; here is what cannot be said in a comment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/config.h"
#include "config_help.h"

#define CORPUS "tests/unit/config-bad/"

enum {
    CORPUS_MIN = 200, /* fewer would mean that it was not found */
};

/* Reads bytes that must be refused with exactly these problems. */
static void refuse(const char *bytes, size_t size, int expected_error, const char *expected)
{
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_config_read_text(bytes, size, "test.yaml", &config, &problems);
    assert_string_equal(hf_buf_text(&problems), expected);
    assert_int_equal(error, expected_error);
    assert_null(config);
    hf_buf_release(&problems);
}

/* The lines of a corpus file that begin with "#:". */
static void expected_of(const char *path, struct hf_buf *expected)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char line[4096];
    while (fgets(line, sizeof(line), file) != NULL && line[0] == '#') {
        if (line[1] == ':') {
            hf_buf_put_text(expected, line + 3);
        }
    }
    (void)fclose(file);
}

/* Without the corpus' folder, and without what depends on how it was checked out. */
static void put_reported(const char *text, struct hf_buf *reported)
{
    const char *end;
    for (; *text != 0; text = end) {
        end = strchr(text, '\n') + 1;
        const char *mode = strstr(text, "that everybody may read");
        if (mode != NULL && mode < end) {
            continue;
        }
        const char *folder;
        while ((folder = strstr(text, CORPUS)) != NULL && folder < end) {
            hf_buf_put(reported, text, (size_t)(folder - text));
            text = folder + strlen(CORPUS);
        }
        hf_buf_put(reported, text, (size_t)(end - text));
    }
}

/* True when the file is refused, and with the problems that it says. */
static bool corpus_file_agrees(const char *path)
{
    struct hf_buf problems;
    struct hf_buf expected;
    struct hf_buf reported;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    hf_buf_init(&expected, TEXT_MAX);
    hf_buf_init(&reported, TEXT_MAX);
    expected_of(path, &expected);
    int error = hf_config_read(path, &config, &problems);
    put_reported(hf_buf_text(&problems), &reported);
    bool only_warnings = expected.size > 0;
    const char *line = hf_buf_text(&expected);
    for (const char *end; *line != 0; line = end) {
        end = strchr(line, '\n') + 1;
        const char *warning = strstr(line, ": warning: ");
        only_warnings = only_warnings && warning != NULL && warning < end;
    }
    bool agrees = strcmp(hf_buf_text(&expected), hf_buf_text(&reported)) == 0 &&
                  expected.size > 0 && error == (only_warnings ? HF_OK : HF_EMALF);
    if (!agrees) {
        print_error("%s: error %d\nexpected:\n%sreported:\n%s", path, error, hf_buf_text(&expected),
                    hf_buf_text(&reported));
    }
    hf_config_free(config);
    hf_buf_release(&problems);
    hf_buf_release(&expected);
    hf_buf_release(&reported);
    return agrees;
}

static void test_corpus(void **state)
{
    (void)state;
    DIR *folder = opendir(CORPUS);
    assert_non_null(folder);
    size_t count = 0;
    size_t failed = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        size_t size = strlen(entry->d_name);
        if (size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0) {
            char path[512];
            (void)snprintf(path, sizeof(path), CORPUS "%s", entry->d_name);
            count++;
            failed += !corpus_file_agrees(path);
        }
    }
    (void)closedir(folder);
    assert_int_equal(failed, 0);
    assert_true(count >= CORPUS_MIN);
}

static void test_other_encodings(void **state)
{
    (void)state;
    static const char utf16[] = "\xff\xfei\0n\0";
    refuse(utf16, sizeof(utf16) - 1, HF_EMALF,
           "test.yaml:1:1: found UTF-16, expected a file in UTF-8\n");
    refuse("", 0, HF_EMALF,
           "test.yaml:1:1: found an empty file, expected a configuration in YAML\n");
    refuse("a\0b", 3, HF_EMALF, "test.yaml:1:2: found octet 0x00, expected text in UTF-8\n");
}

static void test_missing_file(void **state)
{
    (void)state;
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_config_read("no-such-folder/h.yaml", &config, &problems), HF_ENOENT);
    assert_string_equal(hf_buf_text(&problems),
                        "no-such-folder/h.yaml:1:1: No such file or directory\n");
    assert_null(config);
    hf_buf_clear(&problems);
    assert_int_equal(hf_config_read("tests", &config, &problems), HF_EMALF);
    assert_string_equal(hf_buf_text(&problems), "tests:1:1: Is a directory\n");
    hf_buf_release(&problems);
}

static void test_too_big(void **state)
{
    (void)state;
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    size_t size = (64 << 20) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    assert_int_equal(hf_config_read_text(text, size, "big.yaml", &config, &problems), HF_ELIMIT);
    assert_string_equal(hf_buf_text(&problems),
                        "big.yaml:1:1: found 67108865 octets, expected at most 67108864: fleets "
                        "go in backends_file and endpoints_file\n");
    assert_null(config);
    free(text);
    hf_buf_release(&problems);
}

static const char with_secret[] =
    "installation: prod\nstore: sqlite:h.db\n"
    "targets:\n"
    "  edge: { type: rfc2136, server: 127.0.0.1, tsig: { name: k, secret_file: tsig.key } }\n"
    "zones: { example.test: { target: edge } }\n"
    "pools: { web: { check: { type: none }, backends: [ { name: w, address: 192.0.2.1 } ] } }\n"
    "endpoints: { api.example.test: { pools: [web] } }\n";

static void test_secret_that_everybody_may_read(void **state)
{
    struct folder *folder = *state;
    assert_int_equal(chmod(write_file(folder, "tsig.key",
                                      " c2VjcmV0LW9mLXRlc3RzLXRoYXQtcHJvdGVjdHMtbm90aGluZw==\n\n"),
                           0644),
                     0);
    const char *path = write_file(folder, "h.yaml", with_secret);
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_config_read(path, &config, &problems), HF_OK);
    assert_non_null(
        strstr(hf_buf_text(&problems), ":4:75: warning: targets.edge.tsig.secret_file: "));
    assert_non_null(strstr(hf_buf_text(&problems), "expected mode 0600 or 0640\n"));
    assert_int_equal(config->targets[0].port, 53);
    hf_config_free(config);
    hf_buf_release(&problems);
}

static void test_secret_that_nobody_may_read(void **state)
{
    if (geteuid() == 0) {
        skip(); /* root may read everything */
    }
    struct folder *folder = *state;
    assert_int_equal(chmod(write_file(folder, "tsig.key", "AAAA\n"), 0), 0);
    const char *path = write_file(folder, "h.yaml", with_secret);
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_config_read(path, &config, &problems), HF_EMALF);
    assert_non_null(strstr(hf_buf_text(&problems), "tsig.key: Permission denied\n"));
    hf_buf_release(&problems);
}

static void test_a_pipe_is_no_file(void **state)
{
    struct folder *folder = *state;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/tsig.key", folder->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_config_read(write_file(folder, "h.yaml", with_secret), &config, &problems),
                     HF_EMALF);
    assert_non_null(strstr(hf_buf_text(&problems), "tsig.key, expected a regular file\n"));
    hf_buf_release(&problems);
}

/* A backend more than a pool can have, and a file of nothing but mistakes. */
static void test_limits_of_files(void **state)
{
    struct folder *folder = *state;
    struct hf_buf lines;
    hf_buf_init(&lines, 16 << 20);
    for (int i = 0; i <= HF_CONFIG_POOL_MEMBERS_MAX; i++) {
        hf_buf_printf(&lines, "{\"name\":\"web-%d\",\"address\":\"10.%d.%d.%d\"}\n", i, i >> 16,
                      (i >> 8) & 255, i & 255);
    }
    write_file(folder, "backends.jsonl", hf_buf_text(&lines));
    hf_buf_clear(&lines);
    for (int i = 0; i < 1000; i++) {
        hf_buf_put_text(&lines, "{\"name\":\"web.example.test\",\"pools\":[\"we\"]}\n");
    }
    write_file(folder, "endpoints.jsonl", hf_buf_text(&lines));
    hf_buf_release(&lines);
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    const char *path =
        write_file(folder, "h.yaml",
                   "installation: prod\nstore: sqlite:h.db\n"
                   "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
                   "zones: { example.test: { target: edge } }\n"
                   "pools: { web: { check: { type: none }, backends_file: backends.jsonl } }\n"
                   "endpoints_file: endpoints.jsonl\n");
    assert_int_equal(hf_config_read(path, &config, &problems), HF_EMALF);
    const char *text = hf_buf_text(&problems);
    assert_non_null(
        strstr(text, "backends.jsonl:100001:1: found more than 100000 backends in one pool\n"));
    assert_non_null(strstr(text, "endpoints.jsonl:19:37: pools: found \"we\", expected the name of "
                                 "a pool (did you mean \"web\"?)\nstopped after 20 problems\n"));
    hf_buf_release(&problems);
}

static void test_long_line(void **state)
{
    struct folder *folder = *state;
    enum { LINE = 300000 };
    struct hf_buf line;
    hf_buf_init(&line, 1 << 20);
    hf_buf_put_text(&line, "\n");
    for (int i = 0; i < LINE; i++) {
        hf_buf_put_text(&line, "[");
    }
    write_file(folder, "endpoints.jsonl", hf_buf_text(&line));
    hf_buf_release(&line);
    struct hf_buf problems;
    struct hf_config *config = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    const char *path =
        write_file(folder, "h.yaml",
                   "installation: prod\nstore: sqlite:h.db\n"
                   "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
                   "zones: { example.test: { target: edge } }\n"
                   "pools: { w: { check: { type: none }, backends: [ { name: a, address: "
                   "192.0.2.1 } ] } }\n"
                   "endpoints_file: endpoints.jsonl\n");
    assert_int_equal(hf_config_read(path, &config, &problems), HF_EMALF);
    assert_non_null(strstr(hf_buf_text(&problems),
                           "endpoints.jsonl:2:1: found a line of more than 262144 octets\n"));
    hf_buf_release(&problems);
}

/* Who writes plans into zones is not stopped by what is wrong with pools and endpoints. */
static void test_zones_only(void **state)
{
    struct folder *folder = *state;
    const char *path = write_file(folder, "h.yaml",
                                  "installation: prod\nstore: sqlite:h.db\n"
                                  "targets: { edge: { type: knot, listen: 127.0.0.1@5300 } }\n"
                                  "zones: { example.test: { target: edge } }\n"
                                  "pools: { w: { backends: [ { name: a } ] } }\n"
                                  "endpoints_file: no-such-file.jsonl\n");
    struct hf_buf problems;
    struct hf_config *config = NULL;
    struct hf_config *again = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_config_read(path, &config, &problems), HF_EMALF);
    hf_buf_clear(&problems);
    assert_int_equal(hf_config_read_zones(path, &config, &problems), HF_OK);
    assert_int_equal(hf_config_read_again(config, &again, &problems), HF_OK);
    assert_string_equal(hf_buf_text(&problems), "");
    for (uint32_t i = 0; i < 2; i++) {
        const struct hf_config *read = i == 0 ? config : again;
        assert_int_equal(read->zone_count, 1);
        assert_int_equal(read->target_count, 1);
        assert_int_equal(read->pool_count + read->backend_count + read->endpoint_count, 0);
    }
    hf_config_free(config);
    hf_config_free(again);
    (void)write_file(folder, "h.yaml", "installation: prod\nstore: sqlite:h.db\n");
    assert_int_equal(hf_config_read_zones(path, &config, &problems), HF_EMALF);
    assert_non_null(strstr(hf_buf_text(&problems), "zones"));
    hf_buf_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_other_encodings),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test_setup_teardown(test_secret_that_everybody_may_read, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(test_secret_that_nobody_may_read, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(test_a_pipe_is_no_file, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_limits_of_files, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_zones_only, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_long_line, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
