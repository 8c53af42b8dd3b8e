/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_explore_show.h"

#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "holdfast/lab_show.h"

static double per_second(const struct hf_lab_search *search, double number)
{
    return search->seconds > 0 ? number / search->seconds : 0;
}

static double bytes_per_state(const struct hf_explore *explore)
{
    return explore->states > 0 ? (double)hf_explore_stored(explore) / explore->states : 0;
}

void hf_lab_explore_progress(const struct hf_lab_search *search, struct hf_tool_progress *progress)
{
    const struct hf_explore *explore = &search->explore;
    char states[HF_TOOL_SHORT_MAX], waiting[HF_TOOL_SHORT_MAX], rate[HF_TOOL_SHORT_MAX];
    char memory[HF_TERM_SHORT_MAX], seconds[HF_TOOL_SHORT_MAX], text[256];
    hf_tool_count_text(explore->states, states);
    hf_tool_count_text(explore->states - explore->expanded, waiting);
    hf_tool_rate_text(per_second(search, explore->states), rate);
    hf_term_size(hf_explore_memory(explore) +
                     (search->is_woven ? hf_weave_memory(&search->weave) : 0),
                 memory);
    hf_tool_seconds_text(search->seconds, seconds);
    (void)snprintf(text, sizeof(text), "%s states, %s wait  depth %" PRIu32 "  %s/s  %s  %s",
                   states, waiting, explore->depth, rate, memory, seconds);
    hf_tool_progress_put(progress, text);
}

static const char *end_name(const struct hf_lab_search *search)
{
    static const char *const names[] = {
        [HF_EXPLORE_GOING] = "interrupted", [HF_EXPLORE_COMPLETE] = "complete",
        [HF_EXPLORE_BROKEN] = "broken",     [HF_EXPLORE_WEDGE] = "wedge",
        [HF_EXPLORE_RESTLESS] = "restless", [HF_EXPLORE_FULL] = "full",
    };
    return names[search->explore.end];
}

static void show_json(const struct hf_lab_call *call, const struct hf_lab_search *search)
{
    const struct hf_explore *explore = &search->explore;
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, HF_LAB_JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_text(&json, "model", call->world.kind->name);
    hf_lab_put_options(&json, &call->world);
    hf_json_put_u64(&json, "states", explore->states);
    hf_json_put_u64(&json, "transitions", explore->transitions);
    hf_json_put_u64(&json, "depth", explore->depth);
    hf_json_put_u64(&json, "finals", explore->finals);
    hf_json_put_u64(&json, "healed", explore->healed);
    hf_json_put_double(&json, "seconds", search->seconds);
    hf_json_put_double(&json, "states_per_second", per_second(search, explore->states));
    hf_json_put_double(&json, "bytes_per_state", bytes_per_state(explore));
    if (search->is_woven) {
        hf_json_put_u64(&json, "forms", search->weave.form_count);
        hf_json_put_u64(&json, "base_steps", search->weave.base_steps);
    }
    hf_json_put_u64(&json, "memory_bytes", hf_tool_memory_peak());
    hf_json_put_double(&json, "missed", hf_explore_missed(explore));
    hf_json_put_text(&json, "end", end_name(search));
    hf_json_put_text(&json, "why", explore->why);
    hf_json_put_text(&json, "trace", call->trace_path);
    hf_json_object_end(&json);
    hf_lab_put_json(&call->out, &buf);
}

static void put_count(struct hf_table *table, const char *name, uint64_t number)
{
    char text[HF_TOOL_SHORT_MAX];
    hf_tool_count_text(number, text);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", text);
}

static void put_text(struct hf_table *table, const char *name, const char *text)
{
    hf_table_put(table, HF_STYLE_PLAIN, "%s", name);
    hf_table_put(table, HF_STYLE_PLAIN, "%s", text);
}

static void show_table(const struct hf_lab_call *call, const struct hf_lab_search *search)
{
    const struct hf_explore *explore = &search->explore;
    struct hf_table table;
    char text[64], memory[HF_TERM_SHORT_MAX], rate[HF_TOOL_SHORT_MAX];
    hf_table_init(&table, "|>");
    put_count(&table, "states", explore->states);
    put_count(&table, "transitions", explore->transitions);
    put_count(&table, "depth", explore->depth);
    put_count(&table, "states without steps", explore->finals);
    if (call->world.model.heal != NULL) {
        put_count(&table, "healed states", explore->healed);
    }
    if (explore->states > explore->expanded) {
        put_count(&table, "states that still wait", explore->states - explore->expanded);
    }
    hf_tool_seconds_text(search->seconds, text);
    put_text(&table, "time", text);
    hf_tool_rate_text(per_second(search, explore->states), rate);
    put_text(&table, "states per second", rate);
    (void)snprintf(text, sizeof(text), "%.1f", bytes_per_state(explore));
    put_text(&table, "bytes per stored state", text);
    if (search->is_woven) {
        put_count(&table, "forms of parts", search->weave.form_count);
        put_count(&table, "steps taken by the machines", search->weave.base_steps);
    }
    hf_term_size(hf_tool_memory_peak(), memory);
    put_text(&table, "memory of the process", memory);
    (void)snprintf(text, sizeof(text), "%.2g", hf_explore_missed(explore));
    put_text(&table, "expected missed states", text);
    hf_table_print(&table, &call->out, 2);
    hf_table_release(&table);
}

static void show_end(const struct hf_lab_call *call, const struct hf_lab_search *search)
{
    const struct hf_explore *explore = &search->explore;
    const struct hf_term *out = &call->out;
    switch (explore->end) {
    case HF_EXPLORE_COMPLETE:
        hf_term_put(out, HF_STYLE_GOOD, "\nComplete: every invariant holds in every state.\n");
        break;
    case HF_EXPLORE_GOING:
        hf_term_put(out, HF_STYLE_WARN, "\nInterrupted: nothing was found so far.\n");
        break;
    case HF_EXPLORE_FULL:
        hf_term_put(out, HF_STYLE_WARN, "\nFull: %s (see %s). Nothing was found so far.\n",
                    explore->why,
                    explore->states == explore->options.states_max     ? "--states-max"
                    : explore->ring_room == explore->options.ring_size ? "--ring"
                                                                       : "--memory");
        break;
    default: /* said already */
        break;
    }
}

void hf_lab_explore_show(const struct hf_lab_call *call, const struct hf_lab_search *search)
{
    if (call->json) {
        show_json(call, search);
        return;
    }
    if (hf_explore_found(&search->explore)) {
        hf_term_put(&call->out, HF_STYLE_PLAIN, "\n");
    }
    hf_lab_title_put(&call->out, "explore", &call->world);
    show_table(call, search);
    show_end(call, search);
}
