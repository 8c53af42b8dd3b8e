/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_html.h"

#include <math.h>
#include <stdio.h>

#include "codec/html.h"
#include "codec/quantity.h"
#include "holdfast/drill_html_style.h"
#include "holdfast/drill_sum.h"

enum { VIEW = 1100, LEFT = 62, RIGHT = 12, TOP = 18, PLOT = 96, BOTTOM = 20 };
enum { WIDTH = VIEW - LEFT - RIGHT, FOOT = TOP + PLOT, HEIGHT = FOOT + BOTTOM };

void hf_drill_html_begin(struct hf_buf *html, const char *title, const char *about)
{
    hf_buf_put_text(html, "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
                          "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                          "<title>");
    hf_html_put_text(html, title);
    hf_buf_put_text(html, "</title>\n<style>\n" HF_DRILL_STYLE "</style>\n<main>\n<h1>");
    hf_html_put_text(html, title);
    hf_buf_put_text(html, "</h1>\n<p>");
    hf_html_put_text(html, about);
    hf_buf_put_text(html, "</p>\n");
}

void hf_drill_html_end(struct hf_buf *html)
{
    hf_buf_put_text(html, "<footer>Written by holdfast-drill " HF_VERSION
                          ". A simulation: it says what follows from the numbers that it was "
                          "given.</footer>\n</main>\n" HF_DRILL_SCRIPT);
}

/* The highest value, rounded up so that it reads well. */
static double top_of(const struct hf_drill_chart *chart)
{
    double most = 0;
    for (uint32_t i = 0; i < chart->line_count; i++) {
        for (uint32_t p = 0; p < HF_DRILL_POINTS && chart->lines[i].is_there; p++) {
            double value = chart->lines[i].values[p];
            most = value > most ? value : most;
        }
    }
    if (chart->is_share) {
        return most > 1 ? most : 1;
    }
    double step = 1;
    while (step * 10 < most) {
        step *= 10;
    }
    return step * fmax(1, ceil(most / step));
}

/* Hours, or less of them for short runs. */
static uint64_t tick_us(uint64_t length_us)
{
    static const uint32_t steps_s[] = {1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400};
    enum { TICKS_MAX = 16, STEPS = sizeof(steps_s) / sizeof(steps_s[0]) };
    for (size_t i = 0; i < STEPS; i++) {
        if (length_us / (steps_s[i] * UINT64_C(1000000)) <= TICKS_MAX) {
            return steps_s[i] * UINT64_C(1000000);
        }
    }
    return length_us / 10 + 1;
}

static double x_of(const struct hf_drill_chart *chart, uint64_t at_us)
{
    return LEFT + (double)at_us / (double)chart->length_us * WIDTH;
}

static void put_axes(struct hf_buf *html, const struct hf_drill_chart *chart, double top)
{
    for (int i = 0; i <= 2; i++) {
        char text[HF_QUANTITY_TEXT_MAX];
        double y = FOOT - i * PLOT / 2.0;
        hf_quantity_text(top * i / 2, chart->is_share ? HF_QUANTITY_SHARE : HF_QUANTITY_COUNT,
                         text);
        hf_buf_printf(html,
                      "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f /><text x=%d y=%.1f "
                      "text-anchor=end>%s%s</text>",
                      LEFT, VIEW - RIGHT, y, y, LEFT - 6, y + 4, text,
                      chart->is_share ? "" : chart->unit);
    }
    uint64_t step = tick_us(chart->length_us);
    uint64_t begin = chart->has_clock ? chart->clock_s * UINT64_C(1000000) : 0;
    uint64_t first = (step - begin % step) % step;
    for (uint64_t at = first; at <= chart->length_us; at += step) {
        char text[HF_DRILL_TIME_TEXT_MAX];
        hf_drill_moment_text(at, chart->has_clock, chart->clock_s, text);
        hf_buf_printf(html,
                      "<line class=grid x1=%.1f x2=%.1f y1=%d y2=%d /><text x=%.1f y=%d "
                      "text-anchor=middle>%s</text>",
                      x_of(chart, at), x_of(chart, at), FOOT, FOOT + 4, x_of(chart, at), HEIGHT - 4,
                      text);
    }
}

static void put_marks(struct hf_buf *html, const struct hf_drill_chart *chart)
{
    for (uint32_t i = 0; i < chart->mark_count; i++) {
        double x = x_of(chart, chart->marks_us[i]);
        hf_buf_printf(html, "<line class=mark x1=%.1f x2=%.1f y1=%d y2=%d />", x, x, TOP, FOOT);
    }
    if (chart->repaired_us > 0) {
        double x = x_of(chart, chart->repaired_us);
        hf_buf_printf(html, "<line class=repaired x1=%.1f x2=%.1f y1=%d y2=%d />", x, x, TOP, FOOT);
    }
}

/* One or more lines: what is not there is left out. */
static void put_curve(struct hf_buf *html, const struct hf_drill_line *line, double top)
{
    bool is_open = false;
    for (uint32_t p = 0; p < HF_DRILL_POINTS; p++) {
        double value = line->values[p];
        if (isnan(value)) {
            hf_buf_put_text(html, is_open ? "\" />" : "");
            is_open = false;
            continue;
        }
        if (!is_open) {
            hf_buf_printf(html, "<polyline style=\"stroke:var(--c%u)\" data-n=%u points=\"",
                          line->run, line->run + 1);
        }
        double x = LEFT + (p + 0.5) / HF_DRILL_POINTS * WIDTH;
        hf_buf_printf(html, "%s%.1f,%.1f", is_open ? " " : "", x, FOOT - value / top * PLOT);
        is_open = true;
    }
    hf_buf_put_text(html, is_open ? "\" />" : "");
}

void hf_drill_chart_write(struct hf_buf *html, const struct hf_drill_chart *chart)
{
    double top = top_of(chart);
    hf_buf_put_text(html, "<h3>");
    hf_html_put_text(html, chart->title);
    hf_buf_printf(html,
                  "</h3>\n<svg viewBox=\"0 0 %d %d\" data-s=%.0f data-o=%ld data-v=%d data-x=%d "
                  "data-w=%d data-t=%d data-b=%d data-m=%.9g data-u=\"%s\">",
                  VIEW, HEIGHT, (double)chart->length_us / 1e6,
                  chart->has_clock ? (long)chart->clock_s : -1L, VIEW, LEFT, WIDTH, TOP, FOOT,
                  chart->is_share ? top * 100 : top, chart->is_share ? "%" : chart->unit);
    put_axes(html, chart, top);
    put_marks(html, chart);
    for (uint32_t i = 0; i < chart->line_count; i++) {
        if (chart->lines[i].is_there) {
            put_curve(html, &chart->lines[i], top);
        }
    }
    hf_buf_printf(html, "<line class=at y1=%d y2=%d /><text class=read x=%d y=12></text></svg>\n",
                  TOP, FOOT, LEFT);
}
