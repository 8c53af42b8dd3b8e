/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-drill advise FILE KEY=RANGE...: which settings make the recovery shortest. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "holdfast/drill_export.h"
#include "holdfast/drill_grid.h"

enum { STEPS = 7, ROUNDS_MAX = 12, OUTPUT_CAP = 1 << 20 };

static const struct hf_option options[] = {
    HF_GRID_OPTIONS,
    HF_DRILL_VARIANT_OPTIONS,
    {NULL, 0, NULL, NULL},
};

/* What was tried around the best point: every value of every axis, the others left as they are. */
struct search {
    const struct hf_grid *grid;
    struct hf_grid_point best;
    struct hf_grid_score as_is, best_score;
    struct hf_grid_point points[1 + HF_GRID_AXES_MAX * HF_GRID_STEPS_MAX];
    struct hf_grid_score scores[1 + HF_GRID_AXES_MAX * HF_GRID_STEPS_MAX];
    uint32_t count;
    uint32_t runs;
};

/*
 * Shorter by so much that it is worth a change: an hundredth, at least a second. What never
 * recovers is compared by how long it is degraded, and by how far it came.
 */
static bool is_better(const struct hf_grid_score *a, const struct hf_grid_score *b)
{
    if (isinf(a->recover_s) != isinf(b->recover_s)) {
        return isinf(b->recover_s);
    }
    double more = isinf(a->recover_s) ? a->degraded_s : a->recover_s;
    double less = isinf(b->recover_s) ? b->degraded_s : b->recover_s;
    if (fabs(more - less) > fmax(1, less / 100)) {
        return more < less;
    }
    return isinf(a->recover_s) && a->end_share > b->end_share + 0.01;
}

/* The best point itself, then its neighbours along each axis. */
static void list_points(struct search *search)
{
    search->count = 0;
    search->points[search->count++] = search->best;
    for (uint32_t axis = 0; axis < search->grid->axis_count; axis++) {
        for (uint32_t i = 0; i < search->grid->axes[axis].count; i++) {
            struct hf_grid_point point = search->best;
            point.at[axis] = i;
            search->points[search->count++] = point;
        }
    }
}

/* One step along the axis that helps most, until none does. */
static enum hf_grid_end climb(const struct hf_invocation *invocation, struct search *search)
{
    for (uint32_t i = 0; i < HF_GRID_AXES_MAX; i++) {
        search->best.at[i] = HF_GRID_UNSET;
    }
    for (int round = 0; round < ROUNDS_MAX; round++) {
        list_points(search);
        enum hf_grid_end end =
            hf_grid_run(invocation, search->grid, search->points, search->count, search->scores);
        if (end != HF_GRID_DONE) {
            return end;
        }
        search->runs += search->count * search->grid->question.seeds;
        search->as_is = round == 0 ? search->scores[0] : search->as_is;
        uint32_t best = 0;
        for (uint32_t i = 1; i < search->count; i++) {
            best = is_better(&search->scores[i], &search->scores[best]) ? i : best;
        }
        search->best_score = search->scores[best];
        if (best == 0) {
            return HF_GRID_DONE;
        }
        search->best = search->points[best];
    }
    return HF_GRID_DONE;
}

static void recover_text(double seconds, char ret_text[HF_QUANTITY_TEXT_MAX])
{
    if (isinf(seconds)) {
        (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "never");
    } else {
        hf_quantity_text(seconds, HF_QUANTITY_DURATION, ret_text);
    }
}

static const char *chosen(const struct search *search, uint32_t axis)
{
    uint32_t at = search->best.at[axis];
    return at == HF_GRID_UNSET ? "as it is" : search->grid->axes[axis].texts[at];
}

static bool is_flat(const struct hf_grid_score *scores, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (scores[i].recover_s != scores[0].recover_s ||
            scores[i].degraded_s != scores[0].degraded_s) {
            return false;
        }
    }
    return true;
}

/* What the time to recover is along an axis, the others at their best. */
static void show_axis(const struct hf_term *term, const struct search *search, uint32_t axis,
                      uint32_t first)
{
    const struct hf_grid_axis *at = &search->grid->axes[axis];
    struct hf_table table;
    hf_term_put(term, HF_STYLE_NAME, "\n%s", at->key);
    hf_term_put(term, HF_STYLE_BOLD, "  %s\n", chosen(search, axis));
    if (is_flat(&search->scores[first], at->count)) {
        char text[HF_QUANTITY_TEXT_MAX];
        recover_text(search->scores[first].recover_s, text);
        hf_term_put(term, HF_STYLE_PLAIN, "    %s to %s: %s, it does not matter here\n",
                    at->texts[0], at->texts[at->count - 1], text);
        return;
    }
    hf_table_init(&table, "|>|");
    for (uint32_t i = 0; i < at->count; i++) {
        const struct hf_grid_score *score = &search->scores[first + i];
        char text[HF_QUANTITY_TEXT_MAX], degraded[HF_QUANTITY_TEXT_MAX];
        bool is_best = search->best.at[axis] == i;
        recover_text(score->recover_s, text);
        hf_table_put(&table, is_best ? HF_STYLE_GOOD : HF_STYLE_PLAIN, "%s %s", is_best ? "*" : " ",
                     at->texts[i]);
        hf_table_put(&table,
                     isinf(score->recover_s) ? HF_STYLE_BAD
                     : is_best               ? HF_STYLE_GOOD
                                             : HF_STYLE_PLAIN,
                     "%s", text);
        recover_text(score->degraded_s, degraded);
        hf_table_put(&table, HF_STYLE_DIM, "degraded %s in all", degraded);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

static void show(const struct hf_term *term, const struct search *search)
{
    const struct hf_grid *grid = search->grid;
    char before[HF_QUANTITY_TEXT_MAX], after[HF_QUANTITY_TEXT_MAX];
    recover_text(search->as_is.recover_s, before);
    recover_text(search->best_score.recover_s, after);
    hf_term_put(term, HF_STYLE_BOLD, "%s", grid->set->variants[0].label);
    hf_term_put(term, HF_STYLE_PLAIN, ": time to recover of %s, the worst of %" PRIu32 " seeds\n\n",
                grid->question.of[0] != 0 ? grid->question.of : "all parts", grid->question.seeds);
    hf_term_put(term, HF_STYLE_PLAIN, "  as it is    ");
    hf_term_put(term, isinf(search->as_is.recover_s) ? HF_STYLE_BAD : HF_STYLE_PLAIN, "%s\n",
                before);
    hf_term_put(term, HF_STYLE_PLAIN, "  best found  ");
    hf_term_put(term, isinf(search->best_score.recover_s) ? HF_STYLE_BAD : HF_STYLE_GOOD, "%s",
                after);
    hf_term_put(term, HF_STYLE_DIM, "  (%" PRIu32 " runs)\n", search->runs);
    uint32_t first = 1;
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        show_axis(term, search, axis, first);
        first += grid->axes[axis].count;
    }
    hf_term_put(term, HF_STYLE_PLAIN, "\nTo see it: holdfast-drill run %s",
                grid->set->variants[0].file->path);
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        if (search->best.at[axis] != HF_GRID_UNSET) {
            hf_term_put(term, HF_STYLE_PLAIN, " %s=%s", grid->axes[axis].key, chosen(search, axis));
        }
    }
    hf_term_put(term, HF_STYLE_PLAIN, "\n");
}

static int show_json(const struct hf_invocation *invocation, const struct search *search)
{
    const struct hf_grid *grid = search->grid;
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, OUTPUT_CAP);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "scenario", grid->set->variants[0].file->scenario.label);
    hf_json_put_double(&json, "as_it_is_recover_s", search->as_is.recover_s);
    hf_json_put_double(&json, "best_recover_s", search->best_score.recover_s);
    hf_json_key(&json, "settings");
    hf_json_array(&json);
    uint32_t at = 1;
    for (uint32_t axis = 0; axis < grid->axis_count; axis++) {
        bool is_set = search->best.at[axis] != HF_GRID_UNSET;
        hf_json_object(&json);
        hf_json_put_text(&json, "key", grid->axes[axis].key);
        hf_json_put_text(&json, "best", is_set ? chosen(search, axis) : NULL);
        hf_json_key(&json, "tried");
        hf_json_array(&json);
        for (uint32_t i = 0; i < grid->axes[axis].count; i++, at++) {
            hf_json_object(&json);
            hf_json_put_text(&json, "value", grid->axes[axis].texts[i]);
            hf_json_put_double(&json, "recover_s", search->scores[at].recover_s);
            hf_json_put_double(&json, "degraded_s", search->scores[at].degraded_s);
            hf_json_object_end(&json);
        }
        hf_json_array_end(&json);
        hf_json_object_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(&buf, "\n");
    int status = hf_drill_write(invocation, "-", &buf);
    hf_buf_release(&buf);
    return status;
}

static int run(const struct hf_invocation *invocation)
{
    struct hf_drill_set set;
    struct hf_grid grid;
    int status = hf_grid_read(invocation, HF_JUDGED_RECOVER, HF_GRID_AXES_MAX, STEPS, &set, &grid);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    struct search *search = calloc(1, sizeof(*search));
    if (search == NULL) {
        abort();
    }
    search->grid = &grid;
    switch (climb(invocation, search)) {
    case HF_GRID_DONE:
        status = HF_EXIT_DONE;
        if (invocation->json) {
            status = show_json(invocation, search);
        } else {
            show(&invocation->out, search);
        }
        break;
    case HF_GRID_INTERRUPTED:
        status = hf_command_fail(invocation, "interrupted before the search came to an end");
        break;
    case HF_GRID_FAILED:
        status = HF_EXIT_FAILED;
        break;
    }
    free(search);
    hf_drill_set_free(&set);
    return status;
}

const struct hf_command hf_drill_command_advise = {
    .name = "advise",
    .group = HF_COMMAND_RUN,
    .arguments = "FILE KEY=LOW..HIGH[/STEPS]...",
    .summary = "search settings for the smallest time to recover",
    .details = "Begins with the file as it is and changes one of the settings that are named at a\n"
               "time, whichever helps most, until none does. Then it says what the time to\n"
               "recover is along each setting, the others at their best: how much depends on it.",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2 + HF_DRILL_SETTINGS_MAX,
    .run = run,
};
