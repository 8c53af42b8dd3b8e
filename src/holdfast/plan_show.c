/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/plan_show.h"

#include <string.h>

#include "holdfast/history.h"

struct put_context {
    const struct hf_look *look;
    const struct hf_plan_difference *row;
};

static void put_address(void *context, char sign, const uint8_t *bytes, size_t size)
{
    const struct put_context *put = context;
    const struct hf_term *out = &put->look->invocation->out;
    char text[HF_LOOK_ADDRESS_MAX];
    const struct hf_plan_entry *entry = sign == '-' ? &put->row->before : &put->row->after;
    const char *backend = hf_plan_diff_backend(&put->look->plan, entry, bytes, size);
    enum hf_style style = sign == '+' ? HF_STYLE_GOOD : sign == '-' ? HF_STYLE_BAD : HF_STYLE_DIM;
    hf_look_address(bytes, size, text);
    hf_term_put(out, style, "      %c %-15s", sign, text);
    hf_term_put(out, HF_STYLE_DIM, "  %s\n", backend != NULL ? backend : "");
}

static void put_head(const struct hf_term *out, const struct hf_plan_difference *row)
{
    static const struct {
        char sign;
        enum hf_style style;
    } signs[] = {
        [HF_PLAN_CREATE] = {'+', HF_STYLE_GOOD}, [HF_PLAN_CHANGE] = {'~', HF_STYLE_WARN},
        [HF_PLAN_ROTATE] = {'~', HF_STYLE_DIM},  [HF_PLAN_RETIRE] = {'-', HF_STYLE_BAD},
        [HF_PLAN_LEAVE] = {'-', HF_STYLE_DIM},   [HF_PLAN_MARK] = {'=', HF_STYLE_DIM},
    };
    char words[HF_LOOK_SENTENCE_MAX];
    hf_look_cause(row->cause, row->backend, words);
    if (row->action == HF_PLAN_LEAVE) {
        (void)snprintf(words, sizeof(words), "its tombstone is gone: it leaves the plan");
    } else if (row->action == HF_PLAN_MARK && row->cause != HF_CAUSE_CLAIMED) {
        size_t size = strlen(words);
        (void)snprintf(words + size, sizeof(words) - size, "; the answer stays");
    }
    hf_term_put(out, signs[row->action].style, "  %c ", signs[row->action].sign);
    hf_term_put(out, HF_STYLE_BOLD, "%s", row->name);
    hf_term_put(out, HF_STYLE_PLAIN, "  %s\n", words);
}

static void put_difference(const struct hf_look *look, const struct hf_plan_difference *row)
{
    const struct hf_term *out = &look->invocation->out;
    struct put_context put = {.look = look, .row = row};
    put_head(out, row);
    if (row->action == HF_PLAN_MARK) {
        return;
    }
    hf_history_compare(&row->before.records, &row->after.records, put_address, &put);
    uint32_t before = row->before.records.ttl_s;
    uint32_t after = row->after.records.ttl_s;
    if (row->action == HF_PLAN_CREATE) {
        hf_term_put(out, HF_STYLE_GOOD, "      + ttl %us\n", after);
    } else if (before != after && row->after.gen != 0) {
        hf_term_put(out, HF_STYLE_WARN, "      ~ ttl %us, was %us\n", after, before);
    }
}

/* --- what is held --- */

static void put_members(const struct hf_look *look, const struct hf_plan_diff *diff,
                        const struct hf_plan_hold *hold)
{
    const struct hf_term *out = &look->invocation->out;
    struct hf_planner_entry now;
    hf_planner_now(&diff->planning->planner, hold->endpoint, &now);
    for (uint32_t i = 0; i < now.member_count; i++) {
        enum hf_reason reason = hf_planner_reason(&diff->planning->planner, hold->endpoint, i);
        const char *name = hf_planning_backend_name(diff->planning, now.members[i]);
        if (reason == HF_REASON_IN_HELD) {
            hf_term_put(out, HF_STYLE_WARN, "      - %-15s", name);
            hf_term_put(out, HF_STYLE_DIM, "  stays\n");
        } else if (reason == HF_REASON_OUT_PENDING && hold->hold == HF_HOLD_CHANGED) {
            hf_term_put(out, HF_STYLE_WARN, "      + %-15s", name);
            hf_term_put(out, HF_STYLE_DIM, "  waits\n");
        }
    }
}

static void put_holds(const struct hf_look *look, const struct hf_plan_shown *shown)
{
    const struct hf_term *out = &look->invocation->out;
    const struct hf_plan_diff *diff = shown->diff;
    if (diff->hold_count == 0) {
        return;
    }
    hf_term_put(out, HF_STYLE_BOLD, "\nHeld back by guards\n");
    for (uint32_t i = 0; i < diff->hold_count && i < shown->max; i++) {
        const struct hf_plan_hold *hold = &diff->holds[i];
        hf_term_put(out, HF_STYLE_WARN, "  ! ");
        hf_term_put(out, HF_STYLE_BOLD, "%s", hold->name);
        hf_term_put(out, HF_STYLE_PLAIN, "  %s: %s", hf_hold_name(hold->hold),
                    hf_look_hold(hold->hold));
        if (hold->until_ms > look->now_ms) {
            char text[HF_TERM_SHORT_MAX];
            hf_term_duration(hold->until_ms - look->now_ms, text);
            hf_term_put(out, HF_STYLE_DIM, ", for %s at least", text);
        }
        hf_term_put(out, HF_STYLE_PLAIN, "\n");
        put_members(look, diff, hold);
    }
}

/* --- the whole --- */

static void put_notes(const struct hf_look *look, const struct hf_plan_shown *shown)
{
    const struct hf_term *out = &look->invocation->out;
    const struct hf_plan_verdicts *verdicts = &shown->verdicts;
    if (look->store == NULL) {
        hf_term_put(out, HF_STYLE_WARN, "There is no store at %s yet: everything is a creation.\n",
                    look->config->store_path);
    }
    bool is_known = strcmp(verdicts->source, "none") != 0;
    if (!is_known && verdicts->unknown > 0) {
        hf_term_put(out, HF_STYLE_WARN,
                    "No verdicts are known: backends stay as they are, and a new endpoint takes "
                    "all of them.\nTo check them now: holdfast plan --check\n");
    } else if (is_known) {
        char text[HF_TERM_SHORT_MAX];
        hf_look_ago(look, verdicts->at_ms, text);
        hf_term_put(out, HF_STYLE_DIM, "Verdicts of %s: %u up, %u down, %u unknown\n",
                    strcmp(verdicts->source, "checks") == 0 ? "checks just made" : text,
                    verdicts->up, verdicts->down, verdicts->unknown);
    }
    const struct hf_override *freeze = hf_overrides_find(&look->overrides, HF_OVERRIDE_FREEZE, "*");
    if (freeze != NULL) {
        hf_term_put(out, HF_STYLE_WARN,
                    "Everything is frozen by %s: nothing of this is published before "
                    "`holdfast thaw`.\n",
                    freeze->who);
    }
    if (look->has_planner && look->planner.stopped) {
        hf_term_put(out, HF_STYLE_BAD, "The planner has stopped: see holdfast status.\n");
    }
}

static void put_summary(const struct hf_look *look, const struct hf_plan_diff *diff)
{
    const struct hf_term *out = &look->invocation->out;
    bool is_empty = diff->row_count == 0 && diff->hold_count == 0;
    if (is_empty) {
        hf_term_put(out, HF_STYLE_GOOD, "\nNothing would change.");
        hf_term_put(out, HF_STYLE_PLAIN, " Generation %llu is what is wanted.\n",
                    (unsigned long long)diff->head_gen);
        return;
    }
    hf_term_put(out, HF_STYLE_BOLD, "\nPlan: ");
    hf_term_put(out, HF_STYLE_PLAIN, "%u to create, %u to change, %u to retire, %u held",
                diff->counts[HF_PLAN_CREATE], diff->counts[HF_PLAN_CHANGE],
                diff->counts[HF_PLAN_RETIRE], diff->hold_count);
    uint32_t quiet =
        diff->counts[HF_PLAN_ROTATE] + diff->counts[HF_PLAN_MARK] + diff->counts[HF_PLAN_LEAVE];
    if (quiet > 0) {
        hf_term_put(out, HF_STYLE_DIM, " (%u to rotate, %u only marked, %u to forget)",
                    diff->counts[HF_PLAN_ROTATE], diff->counts[HF_PLAN_MARK],
                    diff->counts[HF_PLAN_LEAVE]);
    }
    if (diff->next_gen != diff->head_gen) {
        hf_term_put(out, HF_STYLE_DIM, "; generation %llu -> %llu",
                    (unsigned long long)diff->head_gen, (unsigned long long)diff->next_gen);
    }
    hf_term_put(out, HF_STYLE_PLAIN, ".\n");
    bool is_planners = look->has_planner && strcmp(look->planner.held_id, diff->held_id) == 0;
    if (diff->held_id[0] != 0 && is_planners) {
        hf_term_put(out, HF_STYLE_PLAIN, "To let what is held pass: ");
        hf_term_put(out, HF_STYLE_NAME, "holdfast approve %.16s\n", diff->held_id);
    }
}

void hf_plan_show_text(const struct hf_look *look, const struct hf_plan_shown *shown)
{
    const struct hf_term *out = &look->invocation->out;
    const struct hf_plan_diff *diff = shown->diff;
    put_notes(look, shown);
    if (diff->row_count > 0) {
        hf_term_put(out, HF_STYLE_BOLD, "\nChanges\n");
    }
    for (uint32_t i = 0; i < diff->row_count && i < shown->max; i++) {
        put_difference(look, &diff->rows[i]);
    }
    if (diff->row_count > shown->max) {
        hf_term_put(out, HF_STYLE_DIM, "  ... and %llu more (--max)\n",
                    (unsigned long long)(diff->row_count - shown->max));
    }
    put_holds(look, shown);
    if (diff->orphan_count > 0) {
        hf_term_put(out, HF_STYLE_BOLD, "\nNot in the configuration, and answered as before\n");
    }
    for (uint32_t i = 0; i < diff->orphan_count && i < shown->max; i++) {
        hf_term_put(out, HF_STYLE_PLAIN, "    %s", diff->orphans[i]);
        hf_term_put(out, HF_STYLE_DIM, "  until holdfast retire %s\n", diff->orphans[i]);
    }
    put_summary(look, diff);
}
