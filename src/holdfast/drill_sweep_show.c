/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_sweep_show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "codec/html.h"
#include "codec/json.h"
#include "holdfast/drill_html.h"

enum { CELL = 8 };

static const struct hf_grid_score *score_at(const struct hf_sweep *sweep, uint32_t row,
                                            uint32_t column)
{
    return &sweep->scores[row * sweep->columns + column];
}

/* Whether the border runs between two points. */
static bool is_border(const struct hf_grid_score *a, const struct hf_grid_score *b)
{
    return a->is_known && b->is_known && a->collapsed != b->collapsed;
}

/* 0 to 1 between the lowest and the highest value that are finite. */
static double level_of(const struct hf_sweep *sweep, const struct hf_grid_score *score)
{
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < sweep->rows * sweep->columns; i++) {
        const struct hf_grid_score *at = &sweep->scores[i];
        if (at->is_known && isfinite(at->value)) {
            low = fmin(low, at->value);
            high = fmax(high, at->value);
        }
    }
    return high > low ? (score->value - low) / (high - low) : 0;
}

static enum hf_style style_of(const struct hf_sweep *sweep, const struct hf_grid_score *score)
{
    if (!score->is_known) {
        return HF_STYLE_DIM;
    }
    if (score->collapsed) {
        return HF_STYLE_BAD;
    }
    return level_of(sweep, score) > 0.5 ? HF_STYLE_WARN : HF_STYLE_GOOD;
}

static void show_row(const struct hf_term *term, const struct hf_sweep *sweep, uint32_t row)
{
    const struct hf_grid_axis *axis = &sweep->grid->axes[1];
    hf_term_put(term, HF_STYLE_NAME, "%10s ", sweep->grid->axis_count > 1 ? axis->texts[row] : "");
    for (uint32_t column = 0; column < sweep->columns; column++) {
        const struct hf_grid_score *score = score_at(sweep, row, column);
        char text[HF_QUANTITY_TEXT_MAX];
        bool has_border = column > 0 && is_border(score, score_at(sweep, row, column - 1));
        hf_grid_value_text(sweep->grid, score, text);
        hf_term_put(term, HF_STYLE_BOLD, "%s", column == 0 ? "" : has_border ? "┃" : " ");
        hf_term_put(term, style_of(sweep, score), "%*.*s", CELL - 1, CELL - 1, text);
    }
    hf_term_put(term, HF_STYLE_PLAIN, "\n");
}

/* The border between a row and the one below it, where there is one. */
static void show_border(const struct hf_term *term, const struct hf_sweep *sweep, uint32_t row)
{
    bool is_there = false;
    for (uint32_t column = 0; column < sweep->columns; column++) {
        is_there =
            is_there || is_border(score_at(sweep, row, column), score_at(sweep, row - 1, column));
    }
    if (!is_there) {
        return;
    }
    hf_term_put(term, HF_STYLE_PLAIN, "%10s ", "");
    for (uint32_t column = 0; column < sweep->columns; column++) {
        bool here = is_border(score_at(sweep, row, column), score_at(sweep, row - 1, column));
        hf_term_put(term, HF_STYLE_BOLD, "%s%s",
                    column == 0 ? ""
                    : here      ? "━"
                                : " ",
                    here ? "━━━━━━━" : "       ");
    }
    hf_term_put(term, HF_STYLE_PLAIN, "\n");
}

static const char *subject_of(const struct hf_grid *grid)
{
    return grid->question.of[0] != 0 ? grid->question.of : "all parts, the worst";
}

static bool is_flat(const struct hf_sweep *sweep)
{
    for (uint32_t i = 0; i < sweep->rows * sweep->columns; i++) {
        const struct hf_grid_score *score = &sweep->scores[i], *first = &sweep->scores[0];
        if (!score->is_known || score->collapsed != first->collapsed ||
            score->value != first->value) {
            return false;
        }
    }
    return true;
}

void hf_sweep_show(const struct hf_term *term, const struct hf_sweep *sweep)
{
    const struct hf_grid *grid = sweep->grid;
    hf_term_put(term, HF_STYLE_BOLD, "%s", grid->set->variants[0].label);
    hf_term_put(term, HF_STYLE_PLAIN, ": %s of %s, median of %" PRIu32 " runs a point\n\n",
                hf_drill_judged_name(grid->question.judged), subject_of(grid),
                grid->question.seeds);
    if (grid->axis_count > 1) {
        hf_term_put(term, HF_STYLE_NAME, "%s, upward\n", grid->axes[1].key);
    }
    /* The last row on top, as in a chart. */
    for (uint32_t row = sweep->rows; row-- > 0;) {
        show_row(term, sweep, row);
        if (row > 0) {
            show_border(term, sweep, row);
        }
    }
    hf_term_put(term, HF_STYLE_PLAIN, "%10s ", "");
    for (uint32_t column = 0; column < sweep->columns; column++) {
        hf_term_put(term, HF_STYLE_NAME, "%s%*s", column == 0 ? "" : " ", CELL - 1,
                    grid->axes[0].texts[column]);
    }
    hf_term_put(term, HF_STYLE_NAME, "\n%10s  %s\n", "", grid->axes[0].key);
    hf_term_put(term, HF_STYLE_DIM,
                is_flat(sweep)
                    ? "\nIt is the same everywhere: what was varied does not matter here.\n"
                    : "\nnever: degraded to the end of the run; the line is the border "
                      "of collapse.\n");
}

/* --- for other tools --- */

void hf_sweep_csv(const struct hf_sweep *sweep, struct hf_buf *buf)
{
    const struct hf_grid *grid = sweep->grid;
    hf_buf_printf(buf, "%s%s%s,%s,collapsed\n", grid->axes[0].key, grid->axis_count > 1 ? "," : "",
                  grid->axis_count > 1 ? grid->axes[1].key : "",
                  hf_drill_judged_name(grid->question.judged));
    for (uint32_t i = 0; i < sweep->rows * sweep->columns; i++) {
        const struct hf_grid_score *score = &sweep->scores[i];
        if (!score->is_known) {
            continue;
        }
        hf_buf_printf(buf, "%.9g,", grid->axes[0].values[i % sweep->columns]);
        if (grid->axis_count > 1) {
            hf_buf_printf(buf, "%.9g,", grid->axes[1].values[i / sweep->columns]);
        }
        if (isfinite(score->value)) {
            hf_buf_printf(buf, "%.9g", score->value);
        }
        hf_buf_printf(buf, ",%d\n", score->collapsed ? 1 : 0);
    }
}

void hf_sweep_json(const struct hf_sweep *sweep, struct hf_buf *buf)
{
    const struct hf_grid *grid = sweep->grid;
    struct hf_json json;
    hf_json_init(&json, buf, HF_JSON_COMPACT);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "scenario", grid->set->variants[0].file->scenario.label);
    hf_json_put_text(&json, "remedies", grid->set->variants[0].remedies);
    hf_json_put_text(&json, "measure", hf_drill_judged_name(grid->question.judged));
    hf_json_put_text(&json, "of", grid->question.of);
    hf_json_key(&json, "points");
    hf_json_array(&json);
    for (uint32_t i = 0; i < sweep->rows * sweep->columns; i++) {
        const struct hf_grid_score *score = &sweep->scores[i];
        hf_json_object(&json);
        hf_json_put_text(&json, grid->axes[0].key, grid->axes[0].texts[i % sweep->columns]);
        if (grid->axis_count > 1) {
            hf_json_put_text(&json, grid->axes[1].key, grid->axes[1].texts[i / sweep->columns]);
        }
        hf_json_put_double(&json, "value", score->is_known ? score->value : NAN);
        hf_json_put_bool(&json, "known", score->is_known);
        hf_json_put_bool(&json, "collapsed", score->collapsed);
        hf_json_object_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(buf, "\n");
}

/* --- the page --- */

enum { BOX_W = 74, BOX_H = 40, AXIS_W = 90, AXIS_H = 46 };

static void put_box(struct hf_buf *html, const struct hf_sweep *sweep, uint32_t row,
                    uint32_t column)
{
    const struct hf_grid_score *score = score_at(sweep, row, column);
    uint32_t x = AXIS_W + column * BOX_W, y = (sweep->rows - 1 - row) * BOX_H;
    char text[HF_QUANTITY_TEXT_MAX];
    hf_grid_value_text(sweep->grid, score, text);
    /* From green over yellow to orange; what never comes back is dark red. */
    double hue = 140 - 110 * (score->is_known && !score->collapsed ? level_of(sweep, score) : 0);
    if (!score->is_known) {
        hf_buf_printf(html, "<rect x=%u y=%u width=%d height=%d fill=\"none\" />", x, y, BOX_W,
                      BOX_H);
    } else if (score->collapsed) {
        hf_buf_printf(html, "<rect x=%u y=%u width=%d height=%d fill=\"#8f1d14\" />", x, y, BOX_W,
                      BOX_H);
    } else {
        hf_buf_printf(html, "<rect x=%u y=%u width=%d height=%d fill=\"hsl(%.0f 55%% 38%%)\" />", x,
                      y, BOX_W, BOX_H, hue);
    }
    hf_buf_printf(html, "<text%s x=%u y=%u text-anchor=middle>%s</text>",
                  score->is_known ? " class=on" : "", x + BOX_W / 2, y + BOX_H / 2 + 4, text);
}

static void put_line(struct hf_buf *html, uint32_t x1, uint32_t y1, uint32_t x2, uint32_t y2)
{
    hf_buf_printf(html,
                  "<line x1=%u y1=%u x2=%u y2=%u stroke=\"var(--fg)\" stroke-width=5 "
                  "stroke-linecap=square />",
                  x1, y1, x2, y2);
}

static void put_borders(struct hf_buf *html, const struct hf_sweep *sweep)
{
    for (uint32_t row = 0; row < sweep->rows; row++) {
        for (uint32_t column = 0; column < sweep->columns; column++) {
            const struct hf_grid_score *score = score_at(sweep, row, column);
            uint32_t x = AXIS_W + column * BOX_W, y = (sweep->rows - 1 - row) * BOX_H;
            if (column > 0 && is_border(score, score_at(sweep, row, column - 1))) {
                put_line(html, x, y, x, y + BOX_H);
            }
            if (row > 0 && is_border(score, score_at(sweep, row - 1, column))) {
                put_line(html, x, y + BOX_H, x + BOX_W, y + BOX_H);
            }
        }
    }
}

static void put_axes(struct hf_buf *html, const struct hf_sweep *sweep)
{
    const struct hf_grid *grid = sweep->grid;
    uint32_t foot = sweep->rows * BOX_H;
    for (uint32_t row = 0; row < sweep->rows && grid->axis_count > 1; row++) {
        hf_buf_printf(html, "<text x=%d y=%u text-anchor=end>%s</text>", AXIS_W - 8,
                      (sweep->rows - 1 - row) * BOX_H + BOX_H / 2 + 4, grid->axes[1].texts[row]);
    }
    for (uint32_t column = 0; column < sweep->columns; column++) {
        hf_buf_printf(html, "<text x=%u y=%u text-anchor=middle>%s</text>",
                      AXIS_W + column * BOX_W + BOX_W / 2, foot + 18, grid->axes[0].texts[column]);
    }
    hf_buf_printf(html, "<text x=%u y=%u text-anchor=middle>", AXIS_W + sweep->columns * BOX_W / 2,
                  foot + 40);
    hf_html_put_text(html, grid->axes[0].key);
    hf_buf_put_text(html, "</text>");
}

void hf_sweep_page(const struct hf_sweep *sweep, struct hf_buf *html)
{
    const struct hf_grid *grid = sweep->grid;
    hf_drill_html_begin(html, grid->set->variants[0].label, grid->set->variants[0].file->about);
    hf_buf_printf(html, "<h2>%s of ", hf_drill_judged_name(grid->question.judged));
    hf_html_put_text(html, subject_of(grid));
    hf_buf_printf(html, ", median of %" PRIu32 " runs a point</h2>\n<p>Up: ", grid->question.seeds);
    hf_html_put_text(html, grid->axis_count > 1 ? grid->axes[1].key : "-");
    hf_buf_put_text(html, ". Across: ");
    hf_html_put_text(html, grid->axes[0].key);
    hf_buf_printf(html,
                  ". The thick line is the border of collapse: beyond it the recovery never "
                  "comes.</p>\n<svg viewBox=\"0 0 %u %u\" style=\"max-width:%upx\"><g class=map>",
                  AXIS_W + sweep->columns * BOX_W + 4, sweep->rows * BOX_H + AXIS_H,
                  AXIS_W + sweep->columns * BOX_W + 4);
    for (uint32_t i = 0; i < sweep->rows * sweep->columns; i++) {
        put_box(html, sweep, i / sweep->columns, i % sweep->columns);
    }
    put_borders(html, sweep);
    put_axes(html, sweep);
    hf_buf_put_text(html, "</g></svg>\n");
    hf_drill_html_end(html);
}
