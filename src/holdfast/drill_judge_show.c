/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Verdicts, for people, programs and build servers.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "codec/html.h"
#include "holdfast/drill_judge.h"
#include "holdfast/tool.h"

enum { TEXT_MAX = 160, JSON_CAP = 16 << 20 };

static void value_text(const struct hf_drill_bound *bound, double value, char ret_text[TEXT_MAX])
{
    char text[HF_QUANTITY_TEXT_MAX] = "never";
    if (isfinite(value)) {
        hf_quantity_text(value, hf_drill_judged_quantity(bound->judged), text);
    }
    (void)snprintf(ret_text, TEXT_MAX, "%s", text);
}

/* "recover of droplets at most 10m" */
static void bound_text(const struct hf_drill_bound *bound, char ret_text[TEXT_MAX])
{
    char limit[TEXT_MAX];
    value_text(bound, bound->limit, limit);
    (void)snprintf(ret_text, TEXT_MAX, "%s%s%s %s %.24s", hf_drill_judged_name(bound->judged),
                   bound->of[0] != 0 ? " of " : "", bound->of,
                   isinf(bound->limit) ? "is"
                   : bound->at_least   ? "at least"
                                       : "at most",
                   limit);
}

static void margin_text(const struct hf_trial_verdict *row, char ret_text[TEXT_MAX])
{
    if (isnan(row->margin)) {
        ret_text[0] = 0;
    } else if (row->margin > 9.99) {
        (void)snprintf(ret_text, TEXT_MAX, "%.0f times", row->margin + 1);
    } else {
        (void)snprintf(ret_text, TEXT_MAX, "%+.0f %%", row->margin * 100);
    }
}

static void put_row(struct hf_table *table, const struct hf_trial *trial,
                    const struct hf_drill_bound *bound, const struct hf_trial_verdict *row)
{
    char hosts[HF_QUANTITY_TEXT_MAX], what[TEXT_MAX], worst[TEXT_MAX] = "", margin[TEXT_MAX];
    hf_quantity_text((double)trial->file->hosts, HF_QUANTITY_COUNT, hosts);
    bound_text(bound, what);
    margin_text(row, margin);
    if (row->is_judged) {
        value_text(bound, row->worst, worst);
    }
    hf_table_put(table,
                 row->passed      ? HF_STYLE_GOOD
                 : row->is_judged ? HF_STYLE_BAD
                                  : HF_STYLE_WARN,
                 "%s",
                 row->passed      ? "pass"
                 : row->is_judged ? "FAIL"
                                  : "not run");
    hf_table_put(table, HF_STYLE_NAME, "%s", trial->test->name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s",
                 trial->test->with == NULL ? ""
                 : trial->is_without       ? "without"
                                           : trial->test->with);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", trial->file->hosts > 0 ? hosts : "");
    hf_table_put(table, HF_STYLE_PLAIN, "%" PRIu32, trial->seeds);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", what);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", worst);
    hf_table_put(table, row->passed ? HF_STYLE_DIM : HF_STYLE_BAD, "%s", margin);
}

struct count {
    uint32_t passed, failed, open;
};

static void count_row(struct count *count, const struct hf_trial_verdict *row)
{
    count->passed += row->passed;
    count->failed += !row->passed && row->is_judged;
    count->open += !row->is_judged;
}

static void show_text(const struct hf_invocation *invocation, const struct hf_trials *trials,
                      struct count *count)
{
    struct hf_table table;
    char took[HF_TOOL_SHORT_MAX];
    hf_table_init(&table, "|TEST|WITH|>HOSTS|>SEEDS|BOUND|>WORST|>MARGIN");
    for (uint32_t i = 0; i < trials->count; i++) {
        const struct hf_trial *trial = &trials->rows[i];
        for (uint32_t b = 0; b < trial->bounds->count; b++) {
            struct hf_trial_verdict row = hf_trial_judge(trials, trial, &trial->bounds->rows[b]);
            put_row(&table, trial, &trial->bounds->rows[b], &row);
            count_row(count, &row);
        }
    }
    hf_table_print(&table, &invocation->out, 0);
    hf_table_release(&table);
    hf_tool_seconds_text(trials->took_s, took);
    hf_term_put(&invocation->out, count->failed > 0 ? HF_STYLE_BAD : HF_STYLE_GOOD,
                "\n%" PRIu32 " passed, %" PRIu32 " failed", count->passed, count->failed);
    if (count->open > 0) {
        hf_term_put(&invocation->out, HF_STYLE_WARN, ", %" PRIu32 " not run", count->open);
    }
    hf_term_put(&invocation->out, HF_STYLE_DIM, "  (%" PRIu32 " runs in %s)\n", trials->job_count,
                took);
}

static void json_row(struct hf_json *json, const struct hf_trial *trial,
                     const struct hf_drill_bound *bound, const struct hf_trial_verdict *row)
{
    char what[TEXT_MAX];
    bound_text(bound, what);
    hf_json_object(json);
    hf_json_put_text(json, "test", trial->test->name);
    hf_json_put_text(json, "with", trial->is_without ? NULL : trial->test->with);
    hf_json_put_u64(json, "hosts", trial->file->hosts);
    hf_json_put_u64(json, "seeds", trial->seeds);
    hf_json_put_text(json, "bound", what);
    hf_json_put_text(json, "verdict", row->passed ? "pass" : row->is_judged ? "fail" : "not run");
    hf_json_put_double(json, "worst", row->is_judged ? row->worst : NAN);
    hf_json_put_u64(json, "worst_seed", row->seed);
    hf_json_put_double(json, "margin", row->margin);
    hf_json_object_end(json);
}

static int show_json(const struct hf_invocation *invocation, const struct hf_trials *trials,
                     struct count *count)
{
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, JSON_CAP);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_u64(&json, "version", 1);
    hf_json_put_text(&json, "suite", trials->suite->name);
    hf_json_key(&json, "verdicts");
    hf_json_array(&json);
    for (uint32_t i = 0; i < trials->count; i++) {
        const struct hf_trial *trial = &trials->rows[i];
        for (uint32_t b = 0; b < trial->bounds->count; b++) {
            struct hf_trial_verdict row = hf_trial_judge(trials, trial, &trial->bounds->rows[b]);
            json_row(&json, trial, &trial->bounds->rows[b], &row);
            count_row(count, &row);
        }
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(&buf, "\n");
    int status = hf_drill_write(invocation, "-", &buf);
    hf_buf_release(&buf);
    return status;
}

int hf_trials_show(const struct hf_invocation *invocation, const struct hf_trials *trials)
{
    struct count count = {0};
    int status = HF_EXIT_DONE;
    if (invocation->json) {
        status = show_json(invocation, trials, &count);
    } else {
        show_text(invocation, trials, &count);
    }
    return count.failed + count.open > 0 ? HF_EXIT_FAILED : status;
}

static void junit_case(const struct hf_trials *trials, const struct hf_trial *trial,
                       const struct hf_drill_bound *bound, struct hf_buf *xml)
{
    char what[TEXT_MAX], worst[TEXT_MAX];
    struct hf_trial_verdict row = hf_trial_judge(trials, trial, bound);
    bound_text(bound, what);
    value_text(bound, row.worst, worst);
    hf_buf_put_text(xml, "    <testcase classname=\"");
    hf_html_put_text(xml, trial->test->name);
    hf_buf_printf(xml, "\" name=\"%s", trial->is_without ? "without: " : "");
    if (trial->file->hosts > 0) {
        hf_buf_printf(xml, "%" PRIu64 " hosts: ", trial->file->hosts);
    }
    hf_html_put_text(xml, what);
    hf_buf_put_text(xml, "\">");
    if (!row.is_judged) {
        hf_buf_put_text(xml, "<skipped/>");
    } else if (!row.passed) {
        hf_buf_put_text(xml, "<failure message=\"found ");
        hf_html_put_text(xml, worst);
        hf_buf_printf(xml, " with seed %" PRIu64 "\"/>", row.seed);
    }
    hf_buf_put_text(xml, "</testcase>\n");
}

void hf_trials_junit(const struct hf_trials *trials, struct hf_buf *xml)
{
    struct count count = {0};
    for (uint32_t i = 0; i < trials->count; i++) {
        for (uint32_t b = 0; b < trials->rows[i].bounds->count; b++) {
            struct hf_trial_verdict row =
                hf_trial_judge(trials, &trials->rows[i], &trials->rows[i].bounds->rows[b]);
            count_row(&count, &row);
        }
    }
    hf_buf_put_text(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
                         "name=\"");
    hf_html_put_text(xml, trials->suite->name);
    hf_buf_printf(xml,
                  "\" tests=\"%" PRIu32 "\" failures=\"%" PRIu32 "\" skipped=\"%" PRIu32
                  "\" time=\"%.3f\">\n",
                  count.passed + count.failed + count.open, count.failed, count.open,
                  trials->took_s);
    for (uint32_t i = 0; i < trials->count; i++) {
        for (uint32_t b = 0; b < trials->rows[i].bounds->count; b++) {
            junit_case(trials, &trials->rows[i], &trials->rows[i].bounds->rows[b], xml);
        }
    }
    hf_buf_put_text(xml, "  </testsuite>\n</testsuites>\n");
}
