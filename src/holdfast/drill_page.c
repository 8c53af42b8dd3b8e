/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_page.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/html.h"
#include "holdfast/drill_html.h"
#include "holdfast/drill_sum.h"
#include "holdfast/tool.h"

struct page {
    struct hf_buf *html;
    const struct hf_drill_set *set;
    const struct hf_drill_job *runs;
};

static const struct hf_drill_scenario *scenario_of(const struct page *page, uint32_t run)
{
    return &page->set->variants[run].file->scenario;
}

/* --- what it came to --- */

static void put_time(struct hf_buf *html, uint64_t time_us)
{
    char text[HF_DRILL_TIME_TEXT_MAX];
    hf_drill_time_text(time_us, text);
    hf_buf_printf(html, "<td%s>%s</td>", time_us == HF_DRILL_NEVER ? " class=bad" : "", text);
}

static void put_total(struct page *page, const struct hf_drill_sum *sum, int row)
{
    char text[HF_TOOL_SHORT_MAX];
    switch (row) {
    case 0:
        put_time(page->html, sum->unanswered_us);
        break;
    case 1:
        put_time(page->html, sum->degraded_us);
        break;
    case 2:
        put_time(page->html, sum->recover_us);
        break;
    case 3:
        hf_tool_count_text(sum->queue_peak, text);
        hf_buf_printf(page->html, "<td>%s</td>", text);
        break;
    case 4:
        hf_buf_printf(page->html, "<td>%.1f %%</td>", sum->wasted_share * 100);
        break;
    default:
        hf_buf_printf(page->html, "<td>%.1f %%</td>", sum->removed_worst_share * 100);
        break;
    }
}

static void put_totals(struct page *page)
{
    static const char *const rows[] = {"Time without answers",
                                       "Time degraded (the worst)",
                                       "Time to recover after the repair (the worst)",
                                       "Peak queue",
                                       "Work done for nobody",
                                       "Healthy capacity removed at most"};
    hf_buf_put_text(page->html, "<h2>What it came to</h2>\n<div class=wide><table><thead><tr><th>");
    for (uint32_t run = 0; run < page->set->count; run++) {
        hf_buf_put_text(page->html, "<th scope=col>");
        hf_html_put_text(page->html, hf_drill_set_title(page->set, run));
    }
    hf_buf_put_text(page->html, "</thead>\n");
    for (int row = 0; row < (int)(sizeof(rows) / sizeof(rows[0])); row++) {
        hf_buf_printf(page->html, "<tr><td>%s</td>", rows[row]);
        for (uint32_t run = 0; run < page->set->count; run++) {
            struct hf_drill_sum sum =
                hf_drill_sum_of(scenario_of(page, run), &page->runs[run].result);
            put_total(page, &sum, row);
        }
        hf_buf_put_text(page->html, "</tr>\n");
    }
}

/* The same dependent in another run; false: it has none. */
static bool find_dependent(const struct page *page, uint32_t run,
                           const struct hf_drill_dependent *wanted,
                           struct hf_drill_dependent *ret_found)
{
    for (uint32_t i = 0;
         hf_drill_dependent_at(scenario_of(page, run), &page->runs[run].result, i, ret_found);
         i++) {
        if (ret_found->part == wanted->part && strcmp(ret_found->label, wanted->label) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_ever_degraded(const struct page *page, const struct hf_drill_dependent *wanted)
{
    struct hf_drill_dependent found;
    for (uint32_t run = 0; run < page->set->count; run++) {
        if (find_dependent(page, run, wanted, &found) && found.health->degraded_us > 0) {
            return true;
        }
    }
    return false;
}

/* Those that have nothing to tell, in one sentence. */
static void put_well(struct page *page)
{
    struct hf_drill_dependent at;
    bool is_begun = false;
    for (uint32_t i = 0; hf_drill_dependent_at(scenario_of(page, 0), &page->runs[0].result, i, &at);
         i++) {
        if (!is_ever_degraded(page, &at)) {
            hf_buf_put_text(page->html, is_begun ? "; " : "<p>Never degraded: ");
            hf_html_put_text(page->html, at.label);
            hf_buf_printf(page->html, " (%s)", at.what);
            is_begun = true;
        }
    }
    hf_buf_put_text(page->html, is_begun ? ".</p>\n" : "");
}

/* Degraded and recovered, of each dependent of the first run. */
static void put_dependents(struct page *page)
{
    struct hf_drill_dependent at, other;
    for (uint32_t i = 0; hf_drill_dependent_at(scenario_of(page, 0), &page->runs[0].result, i, &at);
         i++) {
        if (!is_ever_degraded(page, &at)) {
            continue;
        }
        hf_buf_printf(page->html, "<tr class=part><th colspan=%" PRIu32 ">", page->set->count + 1);
        hf_html_put_text(page->html, at.label);
        hf_buf_printf(page->html, ": %s</th></tr>\n", at.what);
        for (int row = 0; row < 2; row++) {
            hf_buf_printf(page->html, "<tr><td>%s</td>",
                          row == 0 ? "Time degraded" : "Time to recover");
            for (uint32_t run = 0; run < page->set->count; run++) {
                if (find_dependent(page, run, &at, &other)) {
                    put_time(page->html,
                             row == 0 ? other.health->degraded_us : other.health->recover_us);
                } else {
                    hf_buf_put_text(page->html, "<td>-</td>");
                }
            }
            hf_buf_put_text(page->html, "</tr>\n");
        }
    }
    hf_buf_put_text(page->html, "</table></div>\n");
    put_well(page);
}

/* --- what was done when --- */

static void put_actions(struct page *page, uint32_t run)
{
    const struct hf_drill_file *file = page->set->variants[run].file;
    const struct hf_drill_result *result = &page->runs[run].result;
    assert(file != NULL);
    hf_buf_put_text(page->html, "<h2>What was done: ");
    hf_html_put_text(page->html, page->set->variants[run].label);
    hf_buf_put_text(page->html, "</h2>\n<ol>\n");
    for (uint32_t i = 0; i < result->note_count && i < HF_DRILL_MARKS_MAX; i++) {
        const struct hf_drill_note *note = &result->notes[i];
        const struct hf_drill_rule *rule =
            note->by_rule ? &file->scenario.rules[note->index] : NULL;
        char text[HF_DRILL_WORDS_MAX], moment[HF_DRILL_TIME_TEXT_MAX];
        hf_drill_action_text(&file->scenario,
                             rule != NULL ? &rule->action : &file->scenario.actions[note->index],
                             text);
        hf_drill_moment_text(note->at_us, file->has_clock, file->clock_s, moment);
        hf_buf_printf(page->html, "<li><time>%s</time>", moment);
        hf_html_put_text(page->html, text);
        hf_html_put_text(page->html, rule != NULL ? ", by rule " : "");
        hf_html_put_text(page->html, rule != NULL ? rule->label : "");
        hf_buf_put_text(page->html, "</li>\n");
    }
    hf_buf_put_text(page->html, "</ol>\n");
}

/* --- curves --- */

/* Each point is the mean of its buckets, of queues the most. */
static void fill_line(const struct page *page, uint32_t run, enum hf_drill_curve_kind kind,
                      uint32_t part, struct hf_drill_line *line)
{
    const struct hf_drill_scenario *scenario = scenario_of(page, run);
    const struct hf_drill_result *result = &page->runs[run].result;
    uint64_t all = scenario->length_us / scenario->bucket_us;
    line->run = run;
    line->is_there = true;
    for (uint32_t p = 0; p < HF_DRILL_POINTS; p++) {
        uint64_t first = p * all / HF_DRILL_POINTS, last = (p + 1) * all / HF_DRILL_POINTS;
        double sum = 0, most = 0;
        uint32_t count = 0;
        last = last > first ? last : first + 1;
        for (uint64_t b = first; b < last && b < result->bucket_count; b++) {
            double value = hf_drill_curve_at(scenario, result, kind, part, (uint32_t)b);
            most = value > most ? value : most;
            sum += value >= 0 ? value : 0;
            count += value >= 0;
        }
        line->values[p] = count == 0 ? NAN : kind == HF_DRILL_CURVE_QUEUE ? most : sum / count;
    }
}

static bool says_something(const struct hf_drill_chart *chart)
{
    for (uint32_t i = 0; i < chart->line_count; i++) {
        for (uint32_t p = 0; chart->lines[i].is_there && p < HF_DRILL_POINTS; p++) {
            if (!isnan(chart->lines[i].values[p]) && chart->lines[i].values[p] != 0) {
                return true;
            }
        }
    }
    return false;
}

static void put_chart(struct page *page, struct hf_drill_chart *chart,
                      enum hf_drill_curve_kind kind, const char *label)
{
    const struct hf_drill_curve_info *info = hf_drill_curve_info(kind);
    char title[HF_DRILL_LABEL_SIZE + 64];
    (void)snprintf(title, sizeof(title), info->title, label);
    chart->title = title;
    chart->unit = info->unit;
    chart->is_share = info->is_share;
    for (uint32_t run = 0; run < page->set->count; run++) {
        uint16_t part = hf_drill_find(scenario_of(page, run), info->part, label);
        chart->lines[run].is_there = false;
        if (part != HF_DRILL_NONE) {
            fill_line(page, run, kind, part, &chart->lines[run]);
        }
    }
    if (says_something(chart)) {
        hf_drill_chart_write(page->html, chart);
    }
    chart->title = NULL; /* ended with this call */
}

static void put_key(struct page *page)
{
    hf_buf_put_text(page->html, "<div class=key>");
    for (uint32_t run = 0; run < page->set->count; run++) {
        hf_buf_printf(page->html,
                      "<span><b style=\"background:var(--c%" PRIu32 ")\"></b>%" PRIu32 " ", run,
                      run + 1);
        hf_html_put_text(page->html, hf_drill_set_title(page->set, run));
        hf_buf_put_text(page->html, "</span>");
    }
    hf_buf_put_text(page->html, "<span><b style=\"background:var(--fg)\"></b>repaired</span>"
                                "</div>\n");
}

static void put_charts(struct page *page)
{
    const struct hf_drill_file *file = page->set->variants[0].file;
    struct hf_drill_line *lines = calloc(page->set->count, sizeof(*lines));
    if (lines == NULL) {
        abort();
    }
    struct hf_drill_chart chart = {.length_us = file->scenario.length_us,
                                   .has_clock = file->has_clock,
                                   .clock_s = file->clock_s,
                                   .repaired_us = file->scenario.repaired_us,
                                   .lines = lines,
                                   .line_count = page->set->count};
    for (uint32_t i = 0; i < page->runs[0].result.note_count && i < HF_DRILL_MARKS_MAX; i++) {
        chart.marks_us[chart.mark_count++] = page->runs[0].result.notes[i].at_us;
    }
    hf_buf_printf(page->html, "<h2>Over time%s%s</h2>\n", file->has_clock ? ", " : "",
                  file->has_clock ? file->clock_zone : "");
    put_key(page);
    for (int kind = 0; kind < HF_DRILL_CURVES; kind++) {
        enum hf_drill_part part = hf_drill_curve_info((enum hf_drill_curve_kind)kind)->part;
        for (uint32_t i = 0; hf_drill_label(&file->scenario, part, i)[0] != 0; i++) {
            put_chart(page, &chart, (enum hf_drill_curve_kind)kind,
                      hf_drill_label(&file->scenario, part, i));
        }
    }
    free(lines);
}

void hf_drill_page_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                         struct hf_buf *ret_html)
{
    struct page page = {.html = ret_html, .set = set, .runs = runs};
    hf_drill_html_begin(ret_html, set->variants[0].file->scenario.label,
                        set->variants[0].file->about);
    put_totals(&page);
    put_dependents(&page);
    put_charts(&page);
    for (uint32_t run = 0; run < set->count; run++) {
        put_actions(&page, run);
    }
    hf_drill_html_end(ret_html);
}
