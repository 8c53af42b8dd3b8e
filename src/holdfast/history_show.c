/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "holdfast/history.h"

enum { CAUSES_SHOWN = 3 };

/* --- plans --- */

/* The causes of a plan with how often, most frequent first as they came. */
static void put_causes(struct hf_table *table, const struct hf_history_plan *plan)
{
    char line[HF_LOOK_SENTENCE_MAX * 2] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < plan->cause_count && i < CAUSES_SHOWN && used < sizeof(line); i++) {
        char words[HF_LOOK_SENTENCE_MAX];
        const struct hf_history_cause *cause = &plan->causes[i];
        hf_look_cause(cause->cause, cause->backend, words);
        int size = plan->cause_count == 1 ? snprintf(line, sizeof(line), "%s", words)
                                          : snprintf(line + used, sizeof(line) - used, "%s%s (%u)",
                                                     i == 0 ? "" : ", ", words, cause->count);
        used += size > 0 ? (size_t)size : 0;
    }
    bool is_more = plan->cause_count > CAUSES_SHOWN || plan->has_more_causes;
    hf_table_put(table, HF_STYLE_PLAIN, "%s%s", line, is_more ? ", others" : "");
}

static void show_plans(const struct hf_look *look, const struct hf_term *out,
                       const struct hf_history *history)
{
    struct hf_table table;
    char text[HF_TERM_SHORT_MAX];
    hf_table_init(&table, ">GENERATION|WHEN|ENDPOINTS|CAUSE|PLANNER");
    for (uint32_t i = 0; i < history->plan_count; i++) {
        const struct hf_history_plan *plan = &history->plans[i];
        hf_table_put(&table, HF_STYLE_BOLD, "%llu", (unsigned long long)plan->gen);
        hf_look_ago(look, plan->created_ms, text);
        hf_table_put(&table, HF_STYLE_DIM, "%s", text);
        if (plan->changed == 1) {
            hf_table_put(&table, HF_STYLE_NAME, "%s", plan->first_name);
        } else {
            hf_table_put(&table, HF_STYLE_PLAIN, "%u", plan->changed);
        }
        put_causes(&table, plan);
        hf_table_put(&table, HF_STYLE_DIM, "%s", plan->planner);
    }
    hf_table_print(&table, out, 0);
    hf_table_release(&table);
    if (history->plan_count == 0) {
        hf_term_put(out, HF_STYLE_PLAIN, "Nothing was published yet.\n");
    } else if (history->is_complete) {
        hf_term_put(out, HF_STYLE_DIM, "Older plans are not kept.\n");
    }
}

/* --- one endpoint --- */

static void put_address(const struct hf_term *out, char sign, const uint8_t *bytes, size_t size)
{
    char text[HF_LOOK_ADDRESS_MAX];
    hf_look_address(bytes, size, text);
    enum hf_style style = sign == '+' ? HF_STYLE_GOOD : sign == '-' ? HF_STYLE_BAD : HF_STYLE_PLAIN;
    hf_term_put(out, style, "    %c %s\n", sign, text);
}

struct put_context {
    const struct hf_term *out;
};

static void put_difference(void *context, char sign, const uint8_t *bytes, size_t size)
{
    const struct put_context *put = context;
    put_address(put->out, sign, bytes, size);
}

static void show_change(const struct hf_look *look, const struct hf_term *out,
                        const struct hf_history *history, uint32_t i)
{
    const struct hf_history_change *change = &history->changes[i];
    bool has_before = i + 1 < history->change_count;
    char words[HF_LOOK_SENTENCE_MAX];
    char ago[HF_TERM_SHORT_MAX];
    char stamp[HF_TERM_SHORT_MAX];
    hf_look_cause(change->cause, change->backend, words);
    hf_look_ago(look, change->changed_ms, ago);
    hf_term_timestamp(change->changed_ms, stamp);
    hf_term_put(out, HF_STYLE_BOLD, "generation %llu", (unsigned long long)change->gen);
    hf_term_put(out, HF_STYLE_PLAIN, "  %s", change->is_removed ? "left the plan" : words);
    hf_term_put(out, HF_STYLE_DIM, "  %s, %s\n", ago, stamp);
    struct put_context put = {.out = out};
    struct hf_records none = {.ttl_s = change->records.ttl_s};
    bool is_new = change->cause == HF_CAUSE_CREATED || change->cause == HF_CAUSE_RECREATED;
    const struct hf_records *before = has_before ? &history->changes[i + 1].records : &none;
    if (has_before || is_new) {
        hf_history_compare(is_new ? &none : before, &change->records, put_difference, &put);
        if (has_before && !is_new && before->ttl_s != change->records.ttl_s &&
            change->records.a_count + change->records.aaaa_count > 0) {
            hf_term_put(out, HF_STYLE_WARN, "    ~ ttl %us, was %us\n", change->records.ttl_s,
                        before->ttl_s);
        }
    } else {
        hf_history_compare(&change->records, &change->records, put_difference, &put);
    }
}

static void show_changes(const struct hf_look *look, const struct hf_term *out,
                         const struct hf_history *history)
{
    for (uint32_t i = 0; i < history->change_count && i < history->max; i++) {
        show_change(look, out, history, i);
    }
    if (history->is_complete && history->change_count <= history->max) {
        hf_term_put(out, HF_STYLE_DIM, "Older plans are not kept.\n");
    }
}

void hf_history_show(const struct hf_look *look, const struct hf_term *out,
                     const struct hf_history *history)
{
    if (history->name == NULL) {
        show_plans(look, out, history);
    } else {
        show_changes(look, out, history);
    }
}
