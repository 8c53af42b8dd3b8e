/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_simulate.h"

#include <inttypes.h>
#include <string.h>

#include "holdfast/lab_show.h"

static double per_second(const struct hf_lab_simulation *all, uint64_t number)
{
    return all->seconds > 0 ? (double)number / all->seconds : 0;
}

void hf_lab_simulate_progress(const struct hf_lab_simulation *all,
                              struct hf_tool_progress *progress)
{
    enum { BAR = 24 };
    uint64_t runs = atomic_load(&all->board->runs), seeds = all->board->plan.seeds;
    char bar[BAR + 1], done[HF_TOOL_SHORT_MAX], whole[HF_TOOL_SHORT_MAX], rate[HF_TOOL_SHORT_MAX];
    char left[HF_TOOL_SHORT_MAX] = "-", text[256];
    double part = (double)runs / (double)seeds;
    int filled = (int)(part * BAR);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)filled);
    bar[BAR] = '\0';
    hf_tool_count_text(runs, done);
    hf_tool_count_text(seeds, whole);
    hf_tool_rate_text(per_second(all, runs), rate);
    if (runs > 0) {
        hf_tool_seconds_text((double)(seeds - runs) * all->seconds / (double)runs, left);
    }
    (void)snprintf(text, sizeof(text), "[%s] %s of %s worlds  %s/s  %s left", bar, done, whole,
                   rate, left);
    hf_tool_progress_put(progress, text);
}

static const char *why_of(const struct hf_lab_simulation *all)
{
    return all->failure_count > 0 ? all->failures[0]->why : "";
}

static void show_json(const struct hf_lab_call *call, const struct hf_lab_simulation *all)
{
    struct hf_buf buf;
    struct hf_json json;
    uint64_t runs = atomic_load(&all->board->runs);
    hf_buf_init(&buf, HF_LAB_JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_text(&json, "model", call->world.kind->name);
    hf_lab_put_options(&json, &call->world);
    hf_json_put_u64(&json, "first", all->board->plan.first);
    hf_json_put_u64(&json, "seeds", runs);
    hf_json_put_u64(&json, "failures", all->failure_count);
    hf_json_put_u64(&json, "steps", atomic_load(&all->board->steps));
    hf_json_put_double(&json, "seconds", all->seconds);
    hf_json_put_double(&json, "runs_per_second", per_second(all, runs));
    hf_json_put_u64(&json, "simulated_ms", atomic_load(&all->board->simulated_ms));
    hf_json_put_bool(&json, "interrupted", all->is_interrupted);
    hf_json_put_text(&json, "why", why_of(all));
    hf_json_put_text(&json, "trace", call->trace_path);
    hf_json_key(&json, "failed");
    hf_json_array(&json);
    for (uint32_t i = 0; i < all->failure_count; i++) {
        hf_json_object(&json);
        hf_json_put_u64(&json, "seed", all->failures[i]->seed);
        hf_json_put_text(&json, "why", all->failures[i]->why);
        hf_json_object_end(&json);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_lab_put_json(&call->out, &buf);
}

static void put(struct hf_table *table, const char *name, const char *text)
{
    hf_table_put(table, HF_STYLE_PLAIN, "%s", name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", text);
}

static void put_count(struct hf_table *table, const char *name, uint64_t number)
{
    char text[HF_TOOL_SHORT_MAX];
    hf_tool_count_text(number, text);
    put(table, name, text);
}

static void show_table(const struct hf_lab_call *call, const struct hf_lab_simulation *all)
{
    struct hf_table table;
    char text[64], short_text[HF_TOOL_SHORT_MAX];
    uint64_t runs = atomic_load(&all->board->runs);
    uint64_t simulated_ms = atomic_load(&all->board->simulated_ms);
    hf_table_init(&table, "|>");
    put_count(&table, "worlds", runs);
    put_count(&table, "failures", all->failure_count);
    put_count(&table, "steps", atomic_load(&all->board->steps));
    hf_tool_seconds_text(all->seconds, text);
    put(&table, "time", text);
    hf_tool_rate_text(per_second(all, runs), text);
    put(&table, "worlds per second", text);
    hf_tool_rate_text(per_second(all, atomic_load(&all->board->steps)), text);
    put(&table, "steps per second", text);
    if (call->world.model.time_ms != NULL) {
        hf_tool_seconds_text((double)simulated_ms / 1000, text);
        put(&table, "simulated time", text);
        hf_tool_rate_text(per_second(all, simulated_ms) / 1000, short_text);
        (void)snprintf(text, sizeof(text), "%s : 1", short_text);
        put(&table, "simulated to real time", text);
    }
    hf_table_print(&table, &call->out, 2);
    hf_table_release(&table);
}

/* One line for each failure, and how to run the first one again. */
static void show_failures(const struct hf_lab_call *call, const struct hf_lab_simulation *all)
{
    struct hf_table table;
    hf_term_put(&call->out, HF_STYLE_BAD, "\nFailures\n");
    hf_table_init(&table, "|");
    for (uint32_t i = 0; i < all->failure_count; i++) {
        hf_table_put(&table, HF_STYLE_NAME, "seed %" PRIu64, all->failures[i]->seed);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", all->failures[i]->why);
    }
    hf_table_print(&table, &call->out, 2);
    hf_table_release(&table);
    if (all->failure_count == HF_LAB_FAILURES_MAX) {
        hf_term_put(&call->out, HF_STYLE_DIM, "  stopped after %d failures\n", HF_LAB_FAILURES_MAX);
    }
    if (all->failures[0]->kind == HF_LAB_RUN_CRASHED) {
        hf_term_put(&call->out, HF_STYLE_PLAIN, "\nTo see it again, add");
        hf_term_put(&call->out, HF_STYLE_BOLD, " --first %" PRIu64 " --seeds 1 --jobs 1\n",
                    all->failures[0]->seed);
    }
}

void hf_lab_simulate_show(const struct hf_lab_call *call, const struct hf_lab_simulation *all)
{
    if (call->json) {
        show_json(call, all);
        return;
    }
    if (all->failure_count > 0 && all->failures[0]->kind == HF_LAB_RUN_FAILED) {
        hf_term_put(&call->out, HF_STYLE_PLAIN, "\n");
    }
    hf_lab_title_put(&call->out, "simulate", &call->world);
    show_table(call, all);
    if (all->failure_count > 0) {
        show_failures(call, all);
    } else if (all->is_interrupted) {
        hf_term_put(&call->out, HF_STYLE_WARN, "\nInterrupted: no run has failed so far.\n");
    } else {
        hf_term_put(&call->out, HF_STYLE_GOOD, "\nNo run failed.\n");
    }
}
