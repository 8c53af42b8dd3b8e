/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios and suites as files. Those in drill-bad/ say in comments beginning with "#:" what is
 * reported about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_suite.h"

#define CORPUS "tests/unit/drill-bad/"
#define EXAMPLES "examples/drill/"

enum { TEXT_MAX = 1 << 20, CORPUS_MIN = 70 };

static const char scenario_text[] =
    "scenario: small\nlength: 10m\nnames: { db: { ttl: 60s } }\n"
    "resolvers: { r: { preset: bind, instances: 2, negative_max: 5s } }\n"
    "services:\n  db: { workers: 4, time: normal 10ms 2ms, queue_max: 100 }\n"
    "clients:\n  users: { rate: 10/s, call: { service: db, name: db, resolver: r, "
    "retries: forever, backoff: fixed, backoff_base: 1s } }\n"
    "leases:\n  h.1: { holders: 1k, period: 1m, lifetime: 5m, claim: { service: db } }\n"
    "actions:\n  - { at: 1m, name: gone, answer: db, to: empty }\n"
    "remedies:\n"
    "  more: { about: more of them, services: { db: { workers: 8 } } }\n"
    "  back: { actions: [ { at: 2m, answer: db, to: right } ] }\n";

static struct hf_drill_file *read_ok(const struct hf_drill_choice *choice)
{
    struct hf_buf problems;
    struct hf_drill_file *file = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_drill_file_read_text(scenario_text, strlen(scenario_text), "s.yaml", choice,
                                        &file, &problems);
    assert_string_equal(hf_buf_text(&problems), "");
    assert_int_equal(error, HF_OK);
    hf_buf_release(&problems);
    return file;
}

static void refuse(const struct hf_drill_choice *choice, const char *expected)
{
    struct hf_buf problems;
    struct hf_drill_file *file = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_drill_file_read_text(scenario_text, strlen(scenario_text), "s.yaml", choice,
                                        &file, &problems);
    assert_string_equal(hf_buf_text(&problems), expected);
    assert_int_equal(error, HF_EMALF);
    assert_null(file);
    hf_buf_release(&problems);
}

static void test_what_is_read(void **state)
{
    (void)state;
    struct hf_drill_file *file = read_ok(&(struct hf_drill_choice){0});
    const struct hf_drill_scenario *scenario = &file->scenario;
    assert_string_equal(scenario->label, "small");
    assert_int_equal(scenario->length_us, 600000000);
    assert_int_equal(scenario->services[0].workers, 4);
    assert_int_equal(scenario->services[0].time.kind, HF_DRILL_NORMAL);
    assert_true(scenario->services[0].time.spread_us == 2000);
    assert_int_equal(scenario->resolvers[0].negative_max_s, 5);
    assert_int_equal(scenario->resolvers[0].upstream, HF_DRILL_NONE);
    assert_int_equal(scenario->clients[0].call.retries_max, UINT32_MAX);
    assert_int_equal(scenario->managers[0].claim.service, 0);
    assert_int_equal(scenario->action_count, 1);
    assert_int_equal(scenario->actions[0].verb, HF_DRILL_ANSWER);
    assert_true(scenario->actions[0].value == HF_DRILL_EMPTY);
    assert_int_equal(file->remedy_count, 2);
    assert_string_equal(file->remedies[0].about, "more of them");
    assert_int_equal(file->hosts, 1000);
    hf_drill_file_free(file);
}

static void test_remedies(void **state)
{
    (void)state;
    struct hf_drill_file *file = read_ok(&(struct hf_drill_choice){.remedies = "more"});
    assert_int_equal(file->scenario.services[0].workers, 8);
    assert_int_equal(file->scenario.services[0].queue_max, 100);
    assert_int_equal(file->scenario.action_count, 1);
    hf_drill_file_free(file);
    for (int i = 0; i < 2; i++) {
        file = read_ok(&(struct hf_drill_choice){.remedies = i == 0 ? "all" : "back+more"});
        assert_int_equal(file->scenario.services[0].workers, 8);
        assert_int_equal(file->scenario.action_count, 2);
        hf_drill_file_free(file);
    }
    refuse(&(struct hf_drill_choice){.remedies = "mote"},
           "s.yaml:14:3: found no remedy \"mote\" in this file (did you mean \"more\"?)\n");
}

static void test_settings(void **state)
{
    (void)state;
    const struct hf_drill_setting settings[] = {
        {"services.db.workers", "20"},
        {"leases.h.1.holders", "2k"},
        {"actions.gone.to", "servfail"},
        {"actions.1.at", "2m"},
        {"length", "20m"},
        {"leases.h.1.renew.name", "db"},
        {"leases.h.1.renew.resolver", "r"},
    };
    struct hf_drill_file *file = read_ok(&(struct hf_drill_choice){
        .settings = settings, .setting_count = sizeof(settings) / sizeof(settings[0])});
    assert_int_equal(file->scenario.services[0].workers, 20);
    assert_int_equal(file->scenario.managers[0].holders, 2000);
    assert_int_equal(file->scenario.managers[0].renew.name, 0);
    assert_int_equal(file->scenario.length_us, 1200000000);
    assert_int_equal(file->scenario.actions[0].at_us, 120000000);
    assert_true(file->scenario.actions[0].value == HF_DRILL_SERVFAIL);
    hf_drill_file_free(file);
    static const struct {
        struct hf_drill_setting setting;
        const char *problem;
    } wrong[] = {
        {{"services.web.workers", "20"},
         "s.yaml:1:1: services.web.workers=20: found nothing called \"web.workers\" that can be "
         "set, expected one of db\n"},
        {{"services.db", "20"},
         "s.yaml:1:1: services.db=20: found nothing called \"db\" that can be set\n"},
        {{"services.db.workers", "-1"},
         "s.yaml:6:18: services.db.workers: found -1, expected a count: a number, such as 200, 20k "
         "or 1.5M\n"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuse(&(struct hf_drill_choice){.settings = &wrong[i].setting, .setting_count = 1},
               wrong[i].problem);
    }
}

static void test_scale(void **state)
{
    (void)state;
    struct hf_drill_file *file = read_ok(&(struct hf_drill_choice){.scale = 0.1});
    assert_int_equal(file->scenario.managers[0].holders, 100);
    assert_int_equal(file->scenario.services[0].workers, 1); /* 0.4, but there must be one */
    assert_int_equal(file->scenario.services[0].queue_max, 10);
    assert_true(fabs(file->scenario.clients[0].rate_per_s - 1) < 1e-9);
    assert_int_equal(file->scenario.resolvers[0].instances, 2); /* how many processes stays */
    hf_drill_file_free(file);
}

static void test_words(void **state)
{
    (void)state;
    struct hf_drill_file *file = read_ok(&(struct hf_drill_choice){0});
    char text[HF_DRILL_WORDS_MAX];
    hf_drill_action_text(&file->scenario, &file->scenario.actions[0], text);
    assert_string_equal(text, "answer db: empty");
    hf_drill_file_free(file);
}

/* --- the corpus --- */

static void expected_of(const char *path, struct hf_buf *expected)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char line[4096];
    while (fgets(line, sizeof(line), file) != NULL && line[0] == '#') {
        hf_buf_put_text(expected, line[1] == ':' ? CORPUS : "");
        hf_buf_put_text(expected, line[1] == ':' ? line + 3 : "");
    }
    (void)fclose(file);
}

static bool agrees(const char *path)
{
    struct hf_buf problems, expected;
    struct hf_drill_file *file = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    hf_buf_init(&expected, TEXT_MAX);
    expected_of(path, &expected);
    int error = hf_drill_file_read(path, &(struct hf_drill_choice){0}, &file, &problems);
    bool is_alike = error != HF_OK && expected.size > 0 &&
                    strcmp(hf_buf_text(&problems), hf_buf_text(&expected)) == 0;
    if (!is_alike) {
        print_error("%s: error %d\nexpected:\n%sreported:\n%s", path, error, hf_buf_text(&expected),
                    hf_buf_text(&problems));
    }
    hf_drill_file_free(file);
    hf_buf_release(&problems);
    hf_buf_release(&expected);
    return is_alike;
}

static void test_corpus(void **state)
{
    (void)state;
    DIR *folder = opendir(CORPUS);
    assert_non_null(folder);
    size_t count = 0, failed = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[512];
        (void)snprintf(path, sizeof(path), CORPUS "%s", entry->d_name);
        if (entry->d_name[0] != '.') {
            count++;
            failed += !agrees(path);
        }
    }
    (void)closedir(folder);
    assert_int_equal(failed, 0);
    assert_true(count >= CORPUS_MIN);
}

/* --- what is shipped --- */

static void test_examples(void **state)
{
    (void)state;
    static const char *const names[] = {"outage-2025-10", "leases",    "retries",
                                        "cache",          "balancers", "negative-ttl"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int all = 0; all < 2; all++) {
            struct hf_buf problems;
            struct hf_drill_file *file = NULL;
            char path[256];
            hf_buf_init(&problems, TEXT_MAX);
            (void)snprintf(path, sizeof(path), EXAMPLES "%s.yaml", names[i]);
            struct hf_drill_choice choice = {.remedies = all ? "all" : NULL};
            int error = hf_drill_file_read(path, &choice, &file, &problems);
            assert_string_equal(hf_buf_text(&problems), "");
            assert_int_equal(error, HF_OK);
            assert_true(file->remedy_count > 1);
            hf_drill_file_free(file);
            hf_buf_release(&problems);
        }
    }
}

static void suite_says(const char *text, const char *expected)
{
    struct hf_buf problems;
    struct hf_drill_suite *suite = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    int error = hf_drill_suite_read_text(text, strlen(text), "t/s.yaml", &suite, &problems);
    assert_string_equal(hf_buf_text(&problems), expected);
    assert_int_equal(error == HF_OK, expected[0] == 0);
    hf_drill_suite_free(suite);
    hf_buf_release(&problems);
}

static void test_suites(void **state)
{
    (void)state;
    struct hf_buf problems;
    struct hf_drill_suite *suite = NULL;
    hf_buf_init(&problems, TEXT_MAX);
    assert_int_equal(hf_drill_suite_read(EXAMPLES "suite.yaml", &suite, &problems), HF_OK);
    assert_string_equal(suite->tests[0].name, "leases-queue-bound");
    assert_string_equal(suite->tests[0].scenario, EXAMPLES "leases.yaml");
    assert_int_equal(suite->tests[0].hosts[1], 100000);
    assert_true(suite->tests[0].expect.rows[0].limit == 2400);
    assert_true(isinf(suite->tests[0].without.rows[0].limit));
    hf_drill_suite_free(suite);
    hf_buf_release(&problems);
    suite_says("tests: { a: { scenario: x.yaml, expect: [ { measure: end, at_least: 95% } ] } }",
               "");
    suite_says("tests: { a: { scenario: x.yaml, with: b, expect: [ { measure: end, at_least: 95% } "
               "] } }",
               "t/s.yaml:1:13: tests.a: found only one of \"with\" and \"without\", expected both: "
               "what passes without a remedy as well proves nothing about it\n");
    suite_says(
        "tests: { a: { scenario: x.yaml, expect: [ { measure: end, at_least: 10m } ] } }",
        "t/s.yaml:1:69: tests.a.expect[1]: found 10m, expected a share: a number and %, such "
        "as 30% or 2.5%\n");
    suite_says(
        "tests: { a: { scenario: x.yaml, hosts: [0], expect: [ { measure: ends } ] } }",
        "t/s.yaml:1:41: tests.a.hosts: found 0, expected at least 1 host\n"
        "t/s.yaml:1:66: tests.a.expect[1]: found ends, expected recover, degraded, worst, "
        "worst-after, end, unanswered, queue-peak, wasted, amplification or removed (did you "
        "mean \"end\"?)\n");
    suite_says("", "t/s.yaml:1:1: found an empty file, expected a suite with its tests\n");
    suite_says(
        "seeds: 0\ntests: {}\n",
        "t/s.yaml:1:8: seeds: found 0, expected a whole number from 1 to 1000\n"
        "t/s.yaml:2:8: tests: found an empty map, expected a map of tests, each with its name "
        "as the key\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_remedies),
        cmocka_unit_test(test_settings),     cmocka_unit_test(test_scale),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_examples),     cmocka_unit_test(test_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
