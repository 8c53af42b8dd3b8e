/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { BY_FACTORS_FROM = 30 };

/* The kind that both ends are of. */
static bool find_quantity(const char *low, const char *high, struct hf_grid_axis *axis,
                          double *ret_low, double *ret_high)
{
    static const enum hf_quantity kinds[] = {HF_QUANTITY_COUNT, HF_QUANTITY_RATE, HF_QUANTITY_SHARE,
                                             HF_QUANTITY_DURATION};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (hf_quantity_parse(low, kinds[i], ret_low) == HF_OK &&
            hf_quantity_parse(high, kinds[i], ret_high) == HF_OK) {
            axis->quantity = kinds[i];
            return true;
        }
    }
    return false;
}

/* Whole numbers where the ends are, and there is room between them. */
static void fill_axis(struct hf_grid_axis *axis, double low, double high)
{
    uint32_t last = axis->count - 1;
    bool by_factors = low > 0 && high / low >= BY_FACTORS_FROM;
    bool is_whole = low == floor(low) && high == floor(high) && high - low >= last;
    for (uint32_t i = 0; i < axis->count; i++) {
        double share = last == 0 ? 0 : (double)i / last;
        double value = by_factors ? low * pow(high / low, share) : low + (high - low) * share;
        axis->values[i] = is_whole ? round(value) : value;
        hf_quantity_text(axis->values[i], axis->quantity, axis->texts[i]);
    }
}

int hf_grid_axis_parse(const struct hf_invocation *invocation, const char *argument, uint32_t steps,
                       struct hf_grid_axis *ret_axis)
{
    char low[HF_QUANTITY_TEXT_MAX], high[HF_QUANTITY_TEXT_MAX];
    struct hf_grid_axis axis = {.count = steps};
    double from = 0, to = 0;
    const char *equals = strchr(argument, '=');
    const char *dots = strstr(equals, "..");
    /* A rate has a slash of its own: only a number after the last one counts steps. */
    const char *slash = strrchr(dots, '/');
    bool has_steps = slash != NULL && slash[1] >= '0' && slash[1] <= '9';
    size_t high_size = has_steps ? (size_t)(slash - dots - 2) : strlen(dots + 2);
    if (has_steps) {
        axis.count = (uint32_t)strtoul(slash + 1, NULL, 10);
    }
    (void)snprintf(axis.key, sizeof(axis.key), "%.*s", (int)(equals - argument), argument);
    (void)snprintf(low, sizeof(low), "%.*s", (int)(dots - equals - 1), equals + 1);
    (void)snprintf(high, sizeof(high), "%.*s", (int)high_size, dots + 2);
    if (!find_quantity(low, high, &axis, &from, &to) || from >= to || axis.count < 2 ||
        axis.count > HF_GRID_STEPS_MAX) {
        return hf_command_misuse(invocation,
                                 "found '%s', expected KEY=LOW..HIGH or KEY=LOW..HIGH/STEPS with 2 "
                                 "to %d steps, such as services.db.queue_max=1k..1M/9",
                                 argument, HF_GRID_STEPS_MAX);
    }
    fill_axis(&axis, from, to);
    *ret_axis = axis;
    return HF_EXIT_DONE;
}

int hf_grid_read(const struct hf_invocation *invocation, enum hf_drill_judged judged,
                 uint32_t axes_max, uint32_t steps, struct hf_drill_set *set, struct hf_grid *grid)
{
    const char *ranges[HF_DRILL_SETTINGS_MAX];
    uint64_t seeds = 3, threads = 0;
    uint32_t range_count = 0;
    const char *of = hf_option_value(invocation, "of");
    *grid = (struct hf_grid){.set = set};
    if (hf_option_number(invocation, "seeds", 1, HF_SUITE_SEEDS_MAX, &seeds) != HF_OK ||
        hf_option_number(invocation, "jobs", 1, 256, &threads) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    int status = hf_drill_set_read(invocation, set, ranges, &range_count);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    if (set->count != 1 || range_count < 1 || range_count > axes_max) {
        hf_drill_set_free(set);
        return hf_command_misuse(invocation,
                                 "found %" PRIu32 " scenarios and %" PRIu32
                                 " ranges, expected one scenario and 1 to %" PRIu32
                                 " KEY=LOW..HIGH",
                                 set->count, range_count, axes_max);
    }
    for (uint32_t i = 0; i < range_count && status == HF_EXIT_DONE; i++) {
        status = hf_grid_axis_parse(invocation, ranges[i], steps, &grid->axes[i]);
    }
    grid->axis_count = range_count;
    grid->question = (struct hf_grid_question){.judged = judged,
                                               .of = of != NULL ? of : "",
                                               .seeds = (uint32_t)seeds,
                                               .threads_max = (uint32_t)threads};
    if (status != HF_EXIT_DONE) {
        hf_drill_set_free(set);
    }
    return status;
}

/* The scenario at a point. */
static struct hf_drill_file *open_point(const struct hf_invocation *invocation,
                                        const struct hf_grid *grid,
                                        const struct hf_grid_point *point)
{
    struct hf_drill_setting settings[HF_DRILL_SETTINGS_MAX + HF_GRID_AXES_MAX];
    const struct hf_drill_variant *variant = &grid->set->variants[0];
    uint32_t count = grid->set->setting_count;
    memcpy(settings, grid->set->settings, count * sizeof(settings[0]));
    for (uint32_t i = 0; i < grid->axis_count; i++) {
        if (point->at[i] != HF_GRID_UNSET) {
            settings[count++] =
                (struct hf_drill_setting){grid->axes[i].key, grid->axes[i].texts[point->at[i]]};
        }
    }
    bool is_plain = strcmp(variant->remedies, "none") == 0;
    struct hf_drill_choice choice = {.remedies = is_plain ? NULL : variant->remedies,
                                     .settings = settings,
                                     .setting_count = count,
                                     .scale = variant->scale};
    return hf_drill_open(invocation, variant->file->path, &choice, 0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool score_point(const struct hf_grid *grid, const struct hf_drill_job *jobs,
                        struct hf_grid_score *ret_score)
{
    uint32_t seeds = grid->question.seeds, collapsed = 0;
    double values[HF_SUITE_SEEDS_MAX];
    struct hf_grid_score score = {.is_known = true, .end_share = 1};
    for (uint32_t i = 0; i < seeds; i++) {
        const struct hf_drill_job *job = &jobs[i];
        double recover = 0, degraded = 0, end = 1;
        if (job->state != HF_DRILL_JOB_DONE) {
            return true; /* not known, and no mistake */
        }
        if (!hf_drill_judge(job->scenario, &job->result, grid->question.judged, grid->question.of,
                            &values[i])) {
            return false;
        }
        bool has_of = grid->question.judged <= HF_JUDGED_END;
        const char *of = has_of ? grid->question.of : "";
        (void)hf_drill_judge(job->scenario, &job->result, HF_JUDGED_RECOVER, of, &recover);
        (void)hf_drill_judge(job->scenario, &job->result, HF_JUDGED_DEGRADED, of, &degraded);
        (void)hf_drill_judge(job->scenario, &job->result, HF_JUDGED_END, of, &end);
        score.recover_s = fmax(score.recover_s, recover);
        score.degraded_s = fmax(score.degraded_s, degraded);
        score.end_share = fmin(score.end_share, end);
        collapsed += isinf(recover) != 0;
    }
    qsort(values, seeds, sizeof(values[0]), compare);
    score.value = values[seeds / 2];
    score.collapsed = 2 * collapsed > seeds;
    *ret_score = score;
    return true;
}

static enum hf_grid_end run_files(const struct hf_invocation *invocation,
                                  const struct hf_grid *grid, struct hf_drill_file *const *files,
                                  uint32_t count, struct hf_grid_score *ret_scores)
{
    uint32_t seeds = grid->question.seeds;
    struct hf_drill_job *runs = calloc((size_t)count * seeds, sizeof(*runs));
    if (runs == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < count * seeds; i++) {
        runs[i].scenario = &files[i / seeds]->scenario;
        runs[i].seed = i % seeds + 1;
    }
    struct hf_drill_jobs jobs = {runs, count * seeds, grid->question.threads_max};
    enum hf_grid_end end = HF_GRID_FAILED;
    if (hf_drill_jobs_fit(invocation, &jobs)) {
        end = hf_drill_jobs_run(invocation, &jobs) ? HF_GRID_DONE : HF_GRID_INTERRUPTED;
        for (uint32_t i = 0; i < count && end != HF_GRID_FAILED; i++) {
            if (!score_point(grid, &runs[i * seeds], &ret_scores[i])) {
                (void)hf_command_misuse(invocation, "--of: found '%s', which has no %s",
                                        grid->question.of,
                                        hf_drill_judged_name(grid->question.judged));
                end = HF_GRID_FAILED;
            }
        }
    }
    free(runs);
    return end;
}

enum hf_grid_end hf_grid_run(const struct hf_invocation *invocation, const struct hf_grid *grid,
                             const struct hf_grid_point *points, uint32_t point_count,
                             struct hf_grid_score *ret_scores)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    struct hf_drill_file **files = calloc(point_count, sizeof(*files));
    if (files == NULL) {
        abort();
    }
    enum hf_grid_end end = HF_GRID_DONE;
    for (uint32_t i = 0; i < point_count && end == HF_GRID_DONE; i++) {
        files[i] = open_point(invocation, grid, &points[i]);
        end = files[i] == NULL ? HF_GRID_FAILED : HF_GRID_DONE;
    }
    if (end == HF_GRID_DONE) {
        end = run_files(invocation, grid, files, point_count, ret_scores);
    }
    for (uint32_t i = 0; i < point_count; i++) {
        hf_drill_file_free(files[i]);
    }
    free(files);
    return end;
}

void hf_grid_value_text(const struct hf_grid *grid, const struct hf_grid_score *score,
                        char ret_text[HF_QUANTITY_TEXT_MAX])
{
    if (!score->is_known) {
        (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "?");
    } else if (isinf(score->value)) {
        (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "never");
    } else {
        hf_quantity_text(score->value, hf_drill_judged_quantity(grid->question.judged), ret_text);
    }
}
