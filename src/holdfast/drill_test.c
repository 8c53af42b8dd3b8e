/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-drill test SUITE: do recoveries recover, at every scale, and collapse without remedies?
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/drill_judge.h"
#include "holdfast/tool.h"

enum { PROBLEMS_CAP = 256 << 10, JUNIT_CAP = 16 << 20 };

static const struct hf_option options[] = {
    {"only", 0, "WORD", "Only tests with this in their name"},
    {"hosts", 0, "N", "At this scale instead of those that a test has"},
    {"seeds", 0, "N", "So many seeds each instead of what the suite says"},
    {"junit", 0, "FILE", "Write the verdicts as JUnit XML"},
    {"jobs", 'j', "N", "So many runs at a time (all cores)"},
    {NULL, 0, NULL, NULL},
};

static struct hf_drill_suite *open_suite(const struct hf_invocation *invocation)
{
    struct hf_drill_suite *suite = NULL;
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_CAP);
    (void)hf_drill_suite_read(invocation->arguments[0], &suite, &problems);
    if (problems.size > 0) {
        hf_term_put(&invocation->err, HF_STYLE_PLAIN, "%s", hf_buf_text(&problems));
    }
    hf_buf_release(&problems);
    return suite;
}

/* The trials of one test: at each scale with its remedies, and without them. */
static bool add_trials(const struct hf_invocation *invocation, struct hf_trials *trials,
                       const struct hf_drill_test *test, uint64_t hosts, uint64_t seeds)
{
    hosts = test->host_count > 0 ? hosts : 0; /* who has no scales keeps the scenario's */
    uint32_t scales = hosts != 0 || test->host_count == 0 ? 1 : test->host_count;
    for (uint32_t i = 0; i < scales; i++) {
        for (int without = 0; without <= (test->with != NULL); without++) {
            struct hf_drill_choice choice = {.remedies = without ? NULL : test->with,
                                             .settings = test->settings,
                                             .setting_count = test->setting_count};
            struct hf_trial *trial = hf_trials_add(trials);
            trial->test = test;
            trial->is_without = without != 0;
            trial->bounds = without ? &test->without : &test->expect;
            trial->seeds = seeds != 0 ? (uint32_t)seeds : test->seeds;
            trial->file = hf_drill_open(invocation, test->scenario, &choice,
                                        hosts != 0              ? hosts
                                        : test->host_count != 0 ? test->hosts[i]
                                                                : 0);
            if (trial->file == NULL || !hf_trial_check(invocation, trials, trial)) {
                return false;
            }
        }
    }
    return true;
}

static int write_junit(const struct hf_invocation *invocation, const struct hf_trials *trials)
{
    struct hf_buf buf;
    hf_buf_init(&buf, JUNIT_CAP);
    hf_trials_junit(trials, &buf);
    int status = hf_drill_write(invocation, hf_option_value(invocation, "junit"), &buf);
    hf_buf_release(&buf);
    return status;
}

static int run_suite(const struct hf_invocation *invocation, struct hf_trials *trials)
{
    uint64_t hosts = 0, seeds = 0, threads = 0;
    const char *only = hf_option_value(invocation, "only");
    if (hf_drill_option_hosts(invocation, &hosts) != HF_OK ||
        hf_option_number(invocation, "seeds", 1, HF_SUITE_SEEDS_MAX, &seeds) != HF_OK ||
        hf_option_number(invocation, "jobs", 1, 256, &threads) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    for (uint32_t i = 0; i < trials->suite->test_count; i++) {
        const struct hf_drill_test *test = &trials->suite->tests[i];
        if ((only == NULL || strstr(test->name, only) != NULL) &&
            !add_trials(invocation, trials, test, hosts, seeds)) {
            return HF_EXIT_FAILED;
        }
    }
    if (trials->count == 0) {
        return hf_command_fail(invocation, "no test is called like '%s'", only);
    }
    if (!hf_trials_run(invocation, trials, (uint32_t)threads)) {
        return HF_EXIT_FAILED;
    }
    int status = hf_trials_show(invocation, trials);
    if (hf_option_given(invocation, "junit") && write_junit(invocation, trials) != HF_EXIT_DONE) {
        status = HF_EXIT_FAILED;
    }
    return status;
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_trials trials = {.suite = open_suite(invocation)};
    if (trials.suite == NULL) {
        return HF_EXIT_FAILED;
    }
    int status = run_suite(invocation, &trials);
    hf_trials_free(&trials);
    hf_drill_suite_free(trials.suite);
    return status;
}

const struct hf_command hf_drill_command_test = {
    .name = "test",
    .group = HF_COMMAND_RUN,
    .arguments = "SUITE",
    .summary = "run a recovery test suite; exit 1 when a recovery fails",
    .details = "SUITE says which scenarios have to recover, at which scales and within which\n"
               "bounds. Each runs with many seeds and is judged by the worst of them. What a\n"
               "remedy protects is also run without it, and has to collapse: a suite that passes\n"
               "without the protection proves nothing.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
