/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-drill run FILE...: one or more variants of a scenario, side by side. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/drill_export.h"
#include "holdfast/drill_page.h"
#include "holdfast/drill_show.h"

enum { OUTPUT_CAP = 256 << 20 };

static const struct hf_option options[] = {
    HF_DRILL_VARIANT_OPTIONS,
    {"seed", 0, "N", "Of the random numbers (1); the same seed is the same run"},
    {"html", 0, "FILE", "Write a report with charts, which stands alone"},
    {"csv", 0, "FILE", "Write all curves, a line for each value; - is standard output"},
    {"jobs", 'j', "N", "So many runs at a time (all cores)"},
    {NULL, 0, NULL, NULL},
};

typedef void write_form(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                        struct hf_buf *buf);

static int write_file(const struct hf_invocation *invocation, const char *path,
                      const struct hf_drill_set *set, const struct hf_drill_job *runs,
                      write_form *form)
{
    struct hf_buf buf;
    hf_buf_init(&buf, OUTPUT_CAP);
    form(set, runs, &buf);
    int status = hf_drill_write(invocation, path, &buf);
    hf_buf_release(&buf);
    return status;
}

static int report(const struct hf_invocation *invocation, const struct hf_drill_set *set,
                  const struct hf_drill_job *runs)
{
    const char *html = hf_option_value(invocation, "html");
    const char *csv = hf_option_value(invocation, "csv");
    int status = HF_EXIT_DONE;
    if (invocation->json) {
        status = write_file(invocation, "-", set, runs, hf_drill_json_write);
    } else if (csv == NULL || strcmp(csv, "-") != 0) {
        hf_drill_show(&invocation->out, set, runs);
    }
    if (csv != NULL && status == HF_EXIT_DONE) {
        status = write_file(invocation, csv, set, runs, hf_drill_csv_write);
    }
    if (html != NULL && status == HF_EXIT_DONE) {
        status = write_file(invocation, html, set, runs, hf_drill_page_write);
        if (status == HF_EXIT_DONE && !invocation->json) {
            (void)fflush(invocation->out.stream); /* the report's name comes last */
            hf_term_put(&invocation->err, HF_STYLE_DIM, "\nReport: %s\n", html);
        }
    }
    return status;
}

static int run_all(const struct hf_invocation *invocation, const struct hf_drill_set *set,
                   uint64_t seed, uint64_t threads)
{
    struct hf_drill_job *runs = calloc(set->count, sizeof(*runs));
    if (runs == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < set->count; i++) {
        runs[i].scenario = &set->variants[i].file->scenario;
        runs[i].seed = seed;
        runs[i].keeps_series = true;
    }
    struct hf_drill_jobs jobs = {
        .jobs = runs, .count = set->count, .threads_max = (uint32_t)threads};
    int status = HF_EXIT_FAILED;
    if (hf_drill_jobs_fit(invocation, &jobs)) {
        bool complete = hf_drill_jobs_run(invocation, &jobs);
        struct hf_drill_set begun = *set;
        for (begun.count = 0; begun.count < set->count; begun.count++) {
            enum hf_drill_job_state state = runs[begun.count].state;
            if (state != HF_DRILL_JOB_DONE && state != HF_DRILL_JOB_STOPPED) {
                break;
            }
        }
        status = begun.count > 0 ? report(invocation, &begun, runs) : HF_EXIT_FAILED;
        if (begun.count < set->count) {
            status = hf_command_fail(invocation, "%s: %s", set->variants[begun.count].label,
                                     complete ? "no memory" : "was not begun");
        }
        status = complete ? status : HF_EXIT_FAILED;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        hf_drill_job_release(&runs[i]);
    }
    free(runs);
    return status;
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_drill_set set;
    uint64_t seed = 1, threads = 0;
    if (hf_option_number(invocation, "seed", 0, UINT64_MAX, &seed) != HF_OK ||
        hf_option_number(invocation, "jobs", 1, 256, &threads) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    int status = hf_drill_set_read(invocation, &set, NULL, NULL);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    status = run_all(invocation, &set, seed, threads);
    hf_drill_set_free(&set);
    return status;
}

const struct hf_command hf_drill_command_run = {
    .name = "run",
    .group = HF_COMMAND_RUN,
    .arguments = "FILE... [KEY=VALUE]...",
    .summary = "run scenarios and say how long everybody was down",
    .details = "Each FILE is a scenario. Several files, or several variants of one (--with), are\n"
               "run side by side and compared: `--with none,all` is the day as it was, and with\n"
               "every remedy that the file has. KEY=VALUE sets a value of the file for this run,\n"
               "such as services.db.queue_max=20k. Ctrl-C ends early and prints what is known.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 2 * HF_DRILL_SETTINGS_MAX,
    .run = run,
};
