/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/name.h"
#include "holdfast/history.h"
#include "holdfast/look.h"

enum { MAX_DEFAULT = 20, MAX_MAX = 1000000, CAUSES_SHOWN = 3 };

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

static void show_plans(const struct hf_look *look, const struct hf_history *history)
{
    const struct hf_term *out = &look->invocation->out;
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

static void show_change(const struct hf_look *look, const struct hf_history *history, uint32_t i)
{
    const struct hf_term *out = &look->invocation->out;
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

static void show_changes(const struct hf_look *look, const struct hf_history *history)
{
    const struct hf_term *out = &look->invocation->out;
    for (uint32_t i = 0; i < history->change_count && i < history->max; i++) {
        show_change(look, history, i);
    }
    if (history->is_complete && history->change_count <= history->max) {
        hf_term_put(out, HF_STYLE_DIM, "Older plans are not kept.\n");
    }
}

/* --- the command --- */

static int show(struct hf_look *look, struct hf_history *history)
{
    if (look->invocation->json) {
        struct hf_look_json output;
        hf_look_json_begin(look, &output);
        hf_history_put_json(history, &output.json);
        return hf_look_json_end(look, &output);
    }
    if (history->name == NULL) {
        show_plans(look, history);
    } else if (history->change_count == 0) {
        return hf_command_fail(look->invocation, "%s is in no plan that is kept", history->name);
    } else {
        show_changes(look, history);
    }
    return HF_EXIT_DONE;
}

static int run(const struct hf_invocation *invocation)
{
    uint64_t max = MAX_DEFAULT;
    uint8_t owner[HF_NAME_MAX];
    bool has_name = invocation->argument_count > 0;
    if (hf_option_number(invocation, "max", 1, MAX_MAX, &max) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    if (has_name && hf_name_parse(invocation->arguments[0], owner) != HF_OK) {
        return hf_command_misuse(invocation, "%s is no domain name", invocation->arguments[0]);
    }
    struct hf_look *look;
    if (hf_look_open(invocation, &look) != HF_EXIT_DONE) {
        return HF_EXIT_FAILED;
    }
    int exit = HF_EXIT_FAILED;
    struct hf_history history;
    if (look->store == NULL) {
        hf_look_put_problems(look);
    } else if (hf_history_load(look, has_name ? owner : NULL, (uint32_t)max, &history) != HF_OK) {
        (void)hf_command_fail(invocation, "%s", hf_store_why(look->store));
    } else {
        exit = show(look, &history);
        hf_history_release(&history);
    }
    hf_look_close(look);
    return exit;
}

static const struct hf_option options[] = {
    {.name = "max", .letter = 'n', .argument = "N", .help = "How many, newest first (20)"},
    {0},
};

const struct hf_command hf_command_history = {
    .name = "history",
    .group = HF_COMMAND_LOOK,
    .arguments = "[NAME]",
    .summary = "plans, or one endpoint's changes, with causes",
    .details = "Without a name: the plans that are kept, newest first. With the name of an\n"
               "endpoint: what changed in its answer, when and why; + is an address that was\n"
               "added, - one that was removed. The janitor deletes old plans (janitor.retention).",
    .options = options,
    .arguments_max = 1,
    .run = run,
};
