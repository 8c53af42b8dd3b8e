/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_compare_show.h"

#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "holdfast/lab_show.h"
#include "holdfast/tool.h"

enum { INDENT = 2, TEXT_COLUMNS_LEAST = 40 };

/* How bad what was ever answered is; later ones are worse. */
enum worst { WORST_RISING, WORST_OLDER, WORST_EMPTY };

static const char *worst_name(enum worst worst)
{
    static const char *const names[] = {"rising", "older", "empty"};
    return names[worst];
}

/* One side, line by line: the highest plan that each endpoint has answered so far. */
struct side {
    const struct hf_timeline *timeline;
    uint32_t endpoints;
    uint8_t highest[HF_TIMELINE_ENDPOINTS_MAX];
};

static void side_init(struct side *side, const struct hf_timeline *timeline, uint32_t endpoints)
{
    *side = (struct side){.timeline = timeline, .endpoints = endpoints};
    memset(side->highest, 1, sizeof(side->highest)); /* plan 1 is everywhere at the start */
}

static enum worst judge(struct side *side, uint32_t endpoint, uint8_t plan)
{
    uint8_t *highest = &side->highest[endpoint];
    *highest = plan > *highest ? plan : *highest;
    return plan == 0 ? WORST_EMPTY : plan < *highest ? WORST_OLDER : WORST_RISING;
}

static enum worst worst_of(const struct hf_timeline *timeline, uint32_t endpoints)
{
    struct side side;
    enum worst worst = WORST_RISING;
    side_init(&side, timeline, endpoints);
    for (uint32_t i = 0; i < timeline->count; i++) {
        for (uint32_t e = 0; e < endpoints; e++) {
            enum worst now = judge(&side, e, timeline->lines[i].answers[e]);
            worst = now > worst ? now : worst;
        }
    }
    return worst;
}

/* --- text --- */

/* Octets of text that are printed now, so that a line has at most so many columns: whole words
 * where there are some. */
static size_t piece_of(const char *text, size_t columns)
{
    size_t size = strlen(text);
    if (size <= columns) {
        return size;
    }
    for (size_t at = columns; at > 0; at--) {
        if (text[at] == ' ') {
            return at;
        }
    }
    return columns;
}

static void put_answers(struct hf_table *table, struct side *side, const uint8_t *answers)
{
    static const enum hf_style styles[] = {HF_STYLE_DIM, HF_STYLE_WARN, HF_STYLE_BAD};
    for (uint32_t e = 0; e < side->endpoints; e++) {
        enum worst worst = judge(side, e, answers[e]);
        if (worst == WORST_EMPTY) {
            hf_table_put(table, styles[worst], "none");
        } else {
            hf_table_put(table, styles[worst], "%s%u", worst == WORST_OLDER ? "old " : "",
                         answers[e]);
        }
    }
}

/* A line of a timeline, in as many rows as it needs. */
static void put_line(struct hf_table *table, struct side *side, const struct hf_timeline_line *line,
                     bool is_first, size_t columns)
{
    static const char *const marks[] = {"", "refused", "harm"};
    static const enum hf_style styles[] = {HF_STYLE_PLAIN, HF_STYLE_WARN, HF_STYLE_BAD};
    const char *text = line->text;
    bool begins = true;
    do {
        size_t size = piece_of(text, columns);
        if (begins && is_first) {
            hf_table_put(table, HF_STYLE_DIM, "%u", line->row + 1U);
        } else {
            hf_table_put(table, HF_STYLE_DIM, "%s", "");
        }
        if (begins) {
            put_answers(table, side, line->answers);
        }
        for (uint32_t e = 0; !begins && e < side->endpoints; e++) {
            hf_table_put(table, HF_STYLE_PLAIN, "%s", "");
        }
        hf_table_put(table, styles[line->kind], "%s", begins ? marks[line->kind] : "");
        hf_table_put(table, styles[line->kind], "%.*s", (int)size, text);
        text += size + (text[size] == ' ');
        begins = false;
    } while (text[0] != '\0');
}

/* Rows first to end - 1 of a side. */
static void show_rows(const struct hf_term *out, struct side *side, uint32_t first, uint32_t end)
{
    /* step, answers, mark: as wide as they get, and two blanks after each */
    size_t taken = INDENT + 4 + 2 + side->endpoints * 7U + 7 + 2;
    size_t columns =
        out->width > taken + TEXT_COLUMNS_LEAST ? out->width - taken : TEXT_COLUMNS_LEAST;
    const struct hf_timeline *timeline = side->timeline;
    struct hf_table table;
    char titles[64] = ">STEP";
    for (uint32_t e = 0; e < side->endpoints; e++) {
        (void)strncat(titles, "|>", sizeof(titles) - strlen(titles) - 1);
        (void)strncat(titles, hf_cloud_endpoint_name(e), sizeof(titles) - strlen(titles) - 1);
    }
    (void)strncat(titles, "||", sizeof(titles) - strlen(titles) - 1);
    hf_table_init(&table, titles);
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct hf_timeline_line *line = &timeline->lines[i];
        bool is_first = i == 0 || timeline->lines[i - 1].row != line->row;
        if (line->row >= first && line->row < end) {
            put_line(&table, side, line, is_first, columns);
        }
    }
    hf_table_print(&table, out, INDENT);
    hf_table_release(&table);
}

static void show_title(const struct hf_lab_call *call, const struct hf_compare_result *result)
{
    const struct hf_compare_options *options = &result->options;
    hf_term_put(&call->out, HF_STYLE_BOLD, "compare");
    hf_term_put(&call->out, HF_STYLE_DIM,
                " enactors=%" PRIu32 " endpoints=%" PRIu32 " plans=%" PRIu32 " age=%" PRIu32,
                options->enactors, options->endpoints, options->plans, options->age);
    hf_term_put(&call->out, HF_STYLE_NAME, "%s\n", options->careless ? " careless" : "");
    hf_term_put(&call->out, HF_STYLE_DIM,
                "Beside each step: the plan that each endpoint answers. At the start it is 1.\n");
}

static void show_cloud(const struct hf_lab_call *call, const struct hf_compare_result *result)
{
    struct side side;
    uint32_t all = result->outage_rows + result->wedge_rows;
    side_init(&side, &result->cloud, result->options.endpoints);
    hf_term_put(&call->out, HF_STYLE_BOLD, "\nThe cloud's protocol: the shortest outage\n");
    show_rows(&call->out, &side, 0, result->outage_rows);
    hf_term_put(&call->out, HF_STYLE_BOLD, "\nThe cloud's protocol: can anybody mend it?\n");
    show_rows(&call->out, &side, result->outage_rows, all);
    hf_term_put(&call->out, HF_STYLE_BAD,
                "  Wedged: every later transaction fails like these, until people mend it.\n");
}

static void show_end(const struct hf_lab_call *call, const struct hf_compare_result *result)
{
    char states[HF_TOOL_SHORT_MAX];
    const struct hf_term *out = &call->out;
    hf_tool_count_text(result->outage_states + result->wedge_states, states);
    hf_term_put(out, HF_STYLE_BAD, "\nThe cloud's protocol: ");
    hf_term_put(out, HF_STYLE_PLAIN,
                "empty after step %" PRIu32 ", wedged after step %" PRIu32
                " (%s states searched).\n",
                result->outage_rows, result->outage_rows + result->wedge_rows, states);
    hf_term_put(out, result->in_step ? HF_STYLE_GOOD : HF_STYLE_BAD, "Holdfast: ");
    hf_term_put(out, HF_STYLE_PLAIN, "%" PRIu32 " %s refused by the server; %s.\n", result->refused,
                result->refused == 1 ? "write" : "writes",
                result->in_step ? "no answer is ever empty or older than before,\n"
                                  "and at the end everybody is in step"
                                : "and yet an answer was lost, or somebody is not in step");
    if (call->page_path != NULL) {
        hf_term_put(out, HF_STYLE_PLAIN, "\nBoth side by side, for a browser: ");
        hf_term_put(out, HF_STYLE_BOLD, "%s\n", call->page_path);
    }
}

/* --- JSON --- */

static void put_timeline(struct hf_json *json, const char *key, const struct hf_timeline *timeline,
                         uint32_t endpoints)
{
    static const char *const kinds[] = {"normal", "refused", "harm"};
    hf_json_key(json, key);
    hf_json_array(json);
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct hf_timeline_line *line = &timeline->lines[i];
        hf_json_object(json);
        hf_json_put_u64(json, "step", line->row + 1U);
        hf_json_put_text(json, "kind", kinds[line->kind]);
        hf_json_put_text(json, "text", line->text);
        hf_json_key(json, "answers");
        hf_json_array(json);
        for (uint32_t e = 0; e < endpoints; e++) {
            hf_json_u64(json, line->answers[e]);
        }
        hf_json_array_end(json);
        hf_json_object_end(json);
    }
    hf_json_array_end(json);
}

static void show_json(const struct hf_lab_call *call, const struct hf_compare_result *result)
{
    const struct hf_compare_options *options = &result->options;
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, HF_LAB_JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_key(&json, "options");
    hf_json_object(&json);
    hf_json_put_u64(&json, "enactors", options->enactors);
    hf_json_put_u64(&json, "endpoints", options->endpoints);
    hf_json_put_u64(&json, "plans", options->plans);
    hf_json_put_u64(&json, "age", options->age);
    hf_json_put_u64(&json, "careless", options->careless);
    hf_json_object_end(&json);
    hf_json_put_u64(&json, "outage_steps", result->outage_rows);
    hf_json_put_u64(&json, "wedge_steps", result->wedge_rows);
    hf_json_put_u64(&json, "outage_states", result->outage_states);
    hf_json_put_u64(&json, "wedge_states", result->wedge_states);
    hf_json_put_text(&json, "cloud_worst",
                     worst_name(worst_of(&result->cloud, options->endpoints)));
    hf_json_put_u64(&json, "refused", result->refused);
    hf_json_put_text(&json, "holdfast_worst",
                     worst_name(worst_of(&result->fenced, options->endpoints)));
    hf_json_put_bool(&json, "holds", result->in_step);
    hf_json_put_text(&json, "page", call->page_path);
    put_timeline(&json, "cloud", &result->cloud, options->endpoints);
    put_timeline(&json, "holdfast", &result->fenced, options->endpoints);
    hf_json_object_end(&json);
    hf_lab_put_json(&call->out, &buf);
}

void hf_lab_compare_show(const struct hf_lab_call *call, const struct hf_compare_result *result)
{
    if (call->json) {
        show_json(call, result);
        return;
    }
    struct side fenced;
    show_title(call, result);
    show_cloud(call, result);
    side_init(&fenced, &result->fenced, result->options.endpoints);
    hf_term_put(&call->out, HF_STYLE_BOLD, "\nHoldfast's enactors: the same schedule\n");
    show_rows(&call->out, &fenced, 0, result->outage_rows + result->wedge_rows + 1);
    show_end(call, result);
}
