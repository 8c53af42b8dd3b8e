/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/page.h"

#include <string.h>

#include "codec/html.h"
#include "lab/page_style.h"

/* --- pieces --- */

/* Of one side: what the page has said so far. */
struct side {
    const struct hf_timeline *timeline;
    uint32_t endpoints;
    uint32_t next; /* line */
    uint8_t highest[HF_TIMELINE_ENDPOINTS_MAX];
    uint8_t last[HF_TIMELINE_ENDPOINTS_MAX];
};

static void side_init(struct side *side, const struct hf_timeline *timeline, uint32_t endpoints)
{
    *side = (struct side){.timeline = timeline, .endpoints = endpoints};
    memset(side->highest, 1, sizeof(side->highest));
    memset(side->last, 1, sizeof(side->last));
}

static void put_line(struct hf_buf *html, const struct hf_timeline_line *line)
{
    static const char *const classes[] = {"n", "r", "d"};
    static const char *const marks[] = {"&#9679;", "&#8856;", "&#10006;"};
    hf_buf_printf(html, "<li class=%s><i class=l%u>%s</i><span>", classes[line->kind], line->lane,
                  marks[line->kind]);
    hf_html_put_text(html, line->text);
    hf_buf_put_text(html, "</span></li>");
}

static void put_answer(struct hf_buf *html, const char *name, uint32_t plan, uint32_t highest,
                       bool changed)
{
    const char *class = plan == 0 ? "no" : plan < highest ? "old" : "ok";
    hf_buf_printf(html, "<b class=\"%s%s\">", class, changed ? " new" : "");
    hf_html_put_text(html, name);
    if (plan == 0) {
        hf_buf_put_text(html, " nothing");
    } else {
        hf_buf_printf(html, " %u%s", plan, plan < highest ? " older" : "");
    }
    hf_buf_put_text(html, "</b>");
}

static void put_answers(struct hf_buf *html, struct side *side, const uint8_t *answers)
{
    hf_buf_put_text(html, "<p class=a>");
    for (uint32_t e = 0; e < side->endpoints; e++) {
        side->highest[e] = answers[e] > side->highest[e] ? answers[e] : side->highest[e];
        put_answer(html, hf_cloud_endpoint_name(e), answers[e], side->highest[e],
                   answers[e] != side->last[e]);
        side->last[e] = answers[e];
    }
    hf_buf_put_text(html, "</p>");
}

/* All lines of a row, and what is answered after the last of them. */
static void put_cell(struct hf_buf *html, struct side *side, uint32_t row, const char *label)
{
    const struct hf_timeline *timeline = side->timeline;
    const uint8_t *answers = side->last;
    hf_buf_printf(html, "<td data-side=\"%s\"><ul>", label);
    for (; side->next < timeline->count && timeline->lines[side->next].row == row; side->next++) {
        put_line(html, &timeline->lines[side->next]);
        answers = timeline->lines[side->next].answers;
    }
    hf_buf_put_text(html, "</ul>");
    put_answers(html, side, answers);
    hf_buf_put_text(html, "</td>");
}

static void put_part(struct hf_buf *html, const char *title)
{
    hf_buf_printf(html, "<tr class=part><th colspan=3 scope=rowgroup>%s</th></tr>\n", title);
}

static void put_lane_names(struct hf_buf *html, uint32_t enactors, const char *title)
{
    hf_buf_printf(html, "<th scope=col>%s<small><i class=l0>P</i>", title);
    for (uint32_t i = 1; i <= enactors; i++) {
        hf_buf_printf(html, "<i class=l%u>%u</i>", i, i);
    }
    hf_buf_put_text(html, "</small></th>");
}

/* --- the page --- */

static void put_head(struct hf_buf *html, const struct hf_compare_result *result)
{
    uint32_t lanes = result->options.enactors + 1;
    hf_buf_put_text(html, "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
                          "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                          "<meta name=color-scheme content=\"light dark\">\n"
                          "<title>One schedule, two protocols</title>\n<style>\n");
    hf_buf_printf(html, ":root{--lanes:%u}\n", lanes);
    hf_buf_put_text(html, HF_PAGE_STYLE);
    hf_buf_put_text(html, "</style>\n");
}

static void put_story(struct hf_buf *html)
{
    hf_buf_put_text(
        html,
        "<h1>One schedule, two protocols</h1>\n"
        "<p>Late on 19 October 2025 the DNS automation of a large cloud removed every address of "
        "its database's name, and much of a region was down until the next afternoon. "
        "A writer that had been held up for long put an old plan over a newer one, and the "
        "clean-up of another writer, already under way, deleted that old plan while it was being "
        "answered. Whatever the automation tried then needed the deleted plan first, so that "
        "people had to mend the records by hand.</p>\n");
}

static void put_count(struct hf_buf *html, uint32_t count)
{
    if (count >= 1000000) {
        hf_buf_printf(html, "%u,%03u,%03u", count / 1000000, count / 1000 % 1000, count % 1000);
    } else if (count >= 1000) {
        hf_buf_printf(html, "%u,%03u", count / 1000, count % 1000);
    } else {
        hf_buf_printf(html, "%u", count);
    }
}

static void put_summary(struct hf_buf *html, const struct hf_compare_result *result)
{
    uint32_t all = result->outage_rows + result->wedge_rows;
    hf_buf_printf(
        html,
        "<div class=sum><section><h2>The cloud&rsquo;s protocol, as published</h2><p>"
        "Of all the ways that it can go, this is the shortest to an empty answer: "
        "<strong>step %u</strong>. By step <strong>%u</strong> every enactor has failed to "
        "install a newer plan, and none ever can. Found among ",
        result->outage_rows, all);
    put_count(html, result->outage_states + result->wedge_states);
    hf_buf_put_text(html, " states.</p></section>");
    hf_buf_printf(html,
                  "<section><h2>Holdfast, the same schedule</h2><p>Its own enactors, step for "
                  "step: what wins the lock at left reaches the server at right, as late. The "
                  "server refuses <strong>%u</strong> writes whose fence has moved on; %s</p>"
                  "</section></div>\n",
                  result->refused,
                  result->in_step
                      ? "nothing is ever empty or older than before, and one plan later "
                        "<strong>everybody is in step</strong>."
                      : "<strong>and yet an answer was lost or somebody is not in step.</strong>");
    hf_buf_put_text(html,
                    "<p class=key>P is the planner, numbers are enactors; plan 1 is everywhere at "
                    "the start. <i>&#9679;</i> a step <i class=r>&#8856;</i> a write that the "
                    "server refuses <i class=d>&#10006;</i> harm. After each step, the plan that "
                    "each endpoint answers: <b class=ok>api 4</b> <b class=old>api 2 older</b> "
                    "<b class=no>api nothing</b></p>\n");
}

static void put_table(struct hf_buf *html, const struct hf_compare_result *result)
{
    struct side cloud, fenced;
    uint32_t rows = result->outage_rows + result->wedge_rows;
    side_init(&cloud, &result->cloud, result->options.endpoints);
    side_init(&fenced, &result->fenced, result->options.endpoints);
    hf_buf_put_text(html, "<table><thead><tr><th scope=col>Step</th>");
    put_lane_names(html, result->options.enactors, "The cloud");
    put_lane_names(html, result->options.enactors, "Holdfast");
    hf_buf_put_text(html, "</tr></thead>\n<tbody>\n");
    for (uint32_t row = 0; row <= rows; row++) {
        if (row == 0) {
            put_part(html, "The outage");
        } else if (row == result->outage_rows) {
            put_part(html, "Afterwards: can anybody mend it?");
        }
        bool end = row == rows;
        hf_buf_put_text(html, end ? "<tr class=end>" : "<tr>");
        hf_buf_printf(html, end ? "<th scope=row>end</th>" : "<th scope=row>%u</th>", row + 1);
        if (end) {
            hf_buf_put_text(html, "<td data-side=\"The cloud\"><ul><li class=d><i>&#10006;</i>"
                                  "<span>wedged: every later transaction fails like these, until "
                                  "people mend the records</span></li></ul>");
            put_answers(html, &cloud, cloud.last);
            hf_buf_put_text(html, "</td>");
        } else {
            put_cell(html, &cloud, row, "The cloud");
        }
        put_cell(html, &fenced, row, "Holdfast");
        hf_buf_put_text(html, "</tr>\n");
    }
    hf_buf_put_text(html, "</tbody></table>\n");
}

void hf_page_write(const struct hf_compare_result *result, struct hf_buf *ret_html)
{
    put_head(ret_html, result);
    hf_buf_put_text(ret_html, "<main>\n");
    put_story(ret_html);
    put_summary(ret_html, result);
    put_table(ret_html, result);
    hf_buf_put_text(ret_html,
                    "<footer>Written by <code>holdfast-lab compare</code>. Left: a model of what "
                    "the cloud published. Right: the production code of Holdfast&rsquo;s enactor, "
                    "before a model of a DNS server.</footer>\n</main>\n</html>\n");
}
