/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-drill sweep FILE KEY=RANGE [KEY=RANGE]: where a recovery turns into a collapse. */
#include <stdlib.h>

#include "holdfast/drill_export.h"
#include "holdfast/drill_sweep_show.h"

enum { OUTPUT_CAP = 16 << 20, AXES = 2, STEPS = 9 };

static const struct hf_option options[] = {
    {"measure", 'm', "NAME",
     "What is shown: recover, degraded, worst-after, queue-peak… (recover)"},
    HF_GRID_OPTIONS,
    HF_DRILL_VARIANT_OPTIONS,
    {"html", 0, "FILE", "Write the map as a page that stands alone"},
    {"csv", 0, "FILE", "Write a line for each point; - is standard output"},
    {NULL, 0, NULL, NULL},
};

typedef void write_form(const struct hf_sweep *sweep, struct hf_buf *buf);

static int write_file(const struct hf_invocation *invocation, const char *path,
                      const struct hf_sweep *sweep, write_form *form)
{
    struct hf_buf buf;
    hf_buf_init(&buf, OUTPUT_CAP);
    form(sweep, &buf);
    int status = hf_drill_write(invocation, path, &buf);
    hf_buf_release(&buf);
    return status;
}

static int report(const struct hf_invocation *invocation, const struct hf_sweep *sweep)
{
    const char *html = hf_option_value(invocation, "html");
    const char *csv = hf_option_value(invocation, "csv");
    int status = HF_EXIT_DONE;
    if (invocation->json) {
        status = write_file(invocation, "-", sweep, hf_sweep_json);
    } else {
        hf_sweep_show(&invocation->out, sweep);
    }
    if (csv != NULL && status == HF_EXIT_DONE) {
        status = write_file(invocation, csv, sweep, hf_sweep_csv);
    }
    if (html != NULL && status == HF_EXIT_DONE) {
        status = write_file(invocation, html, sweep, hf_sweep_page);
        if (status == HF_EXIT_DONE && !invocation->json) {
            (void)fflush(invocation->out.stream); /* the report's name comes last */
            hf_term_put(&invocation->err, HF_STYLE_DIM, "\nReport: %s\n", html);
        }
    }
    return status;
}

static int run_grid(const struct hf_invocation *invocation, const struct hf_grid *grid)
{
    struct hf_sweep sweep = {.grid = grid, .columns = grid->axes[0].count};
    sweep.rows = grid->axis_count > 1 ? grid->axes[1].count : 1;
    uint32_t count = sweep.columns * sweep.rows;
    struct hf_grid_point *points = calloc(count, sizeof(*points));
    struct hf_grid_score *scores = calloc(count, sizeof(*scores));
    if (points == NULL || scores == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        points[i].at[0] = i % sweep.columns;
        points[i].at[1] = i / sweep.columns;
    }
    sweep.scores = scores;
    enum hf_grid_end end = hf_grid_run(invocation, grid, points, count, scores);
    int status = HF_EXIT_FAILED;
    if (end != HF_GRID_FAILED) {
        status = report(invocation, &sweep);
        status = end == HF_GRID_INTERRUPTED
                     ? hf_command_fail(invocation, "interrupted: \"?\" was not run")
                     : status;
    }
    free(points);
    free(scores);
    return status;
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_drill_set set;
    struct hf_grid grid;
    const char *measure = hf_option_value(invocation, "measure");
    uint32_t judged = measure == NULL ? HF_JUDGED_RECOVER : hf_drill_judged_find(measure);
    if (judged == UINT32_MAX) {
        return hf_command_misuse(invocation,
                                 "--measure: found '%s', expected recover, degraded, worst, "
                                 "worst-after, end, unanswered, queue-peak, wasted, amplification "
                                 "or removed",
                                 measure);
    }
    int status = hf_grid_read(invocation, (enum hf_drill_judged)judged, AXES, STEPS, &set, &grid);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    status = run_grid(invocation, &grid);
    hf_drill_set_free(&set);
    return status;
}

const struct hf_command hf_drill_command_sweep = {
    .name = "sweep",
    .group = HF_COMMAND_RUN,
    .arguments = "FILE KEY=LOW..HIGH[/STEPS]...",
    .summary = "run a scenario over ranges and draw where it collapses",
    .details = "One or two values of the scenario go through a range each, evenly or, where HIGH\n"
               "is 30 times LOW or more, by factors. The map says how long the recovery takes at\n"
               "each point; a line is drawn around where it never comes.",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2 + HF_DRILL_SETTINGS_MAX,
    .run = run,
};
