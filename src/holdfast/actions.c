/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/audit.h"

enum { TEXTS_MAX = 64 * 1024 * 1024 };

static const char *keep(struct hf_actions *actions, const char *text)
{
    return hf_arena_copy(&actions->arena, text, strlen(text));
}

static int take(void *context, const struct hf_audit_entry *entry)
{
    struct hf_actions *actions = context;
    const struct hf_actions_query *query = actions->query;
    bool is_wanted = (query->below == 0 || entry->number < query->below) &&
                     (query->subject == NULL || strcmp(query->subject, entry->subject) == 0) &&
                     (query->who == NULL || strcmp(query->who, entry->who) == 0);
    if (!is_wanted) {
        return 0;
    }
    if (actions->count == query->max) {
        actions->has_more = true;
        return 1;
    }
    struct hf_audit_entry *row = &actions->rows[actions->count++];
    *row = *entry;
    row->command = keep(actions, entry->command);
    row->subject = keep(actions, entry->subject);
    row->who = keep(actions, entry->who);
    row->why = keep(actions, entry->why);
    row->via = keep(actions, entry->via);
    row->text = keep(actions, entry->text);
    return 0;
}

int hf_actions_load(struct hf_store *store, const struct hf_actions_query *query,
                    struct hf_actions *ret_actions)
{
    struct hf_actions actions = {.query = query};
    actions.rows = calloc(query->max + 1U, sizeof(*actions.rows));
    if (actions.rows == NULL) {
        abort();
    }
    hf_arena_init(&actions.arena, TEXTS_MAX);
    int error = hf_audit_read(store, take, &actions);
    if (error != HF_OK) {
        hf_actions_release(&actions);
        return error;
    }
    *ret_actions = actions;
    return HF_OK;
}

void hf_actions_release(struct hf_actions *actions)
{
    free(actions->rows);
    hf_arena_release(&actions->arena);
    *actions = (struct hf_actions){0};
}

void hf_actions_show(const struct hf_look *look, const struct hf_term *out,
                     const struct hf_actions *actions)
{
    struct hf_table table;
    char text[HF_TERM_SHORT_MAX];
    hf_table_init(&table, "WHEN|WHO|DID|TO|WHY");
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct hf_audit_entry *row = &actions->rows[i];
        hf_look_ago(look, row->at_ms, text);
        hf_table_put(&table, HF_STYLE_DIM, "%s", text);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", row->who);
        hf_table_put(&table, HF_STYLE_BOLD, "%s", row->command);
        hf_table_put(&table, HF_STYLE_NAME, "%s",
                     strcmp(row->subject, "*") == 0 ? "all" : row->subject);
        if (row->gen != 0) {
            hf_table_put(&table, HF_STYLE_PLAIN, "to generation %llu%s%s",
                         (unsigned long long)row->gen, row->why[0] != 0 ? ": " : "", row->why);
        } else {
            hf_table_put(&table, HF_STYLE_PLAIN, "%s", row->why);
        }
    }
    hf_table_print(&table, out, 0);
    hf_table_release(&table);
    if (actions->count == 0) {
        hf_term_put(out, HF_STYLE_PLAIN, "Nobody did anything in the last %d days.\n",
                    HF_AUDIT_DAYS);
    }
}

void hf_actions_put_json(const struct hf_actions *actions, struct hf_json *json)
{
    char next[32] = "";
    hf_json_key(json, "actions");
    hf_json_array(json);
    for (uint32_t i = 0; i < actions->count; i++) {
        hf_audit_put_json(&actions->rows[i], json);
        (void)snprintf(next, sizeof(next), "%llu", (unsigned long long)actions->rows[i].number);
    }
    hf_json_array_end(json);
    hf_json_put_text(json, "next", actions->has_more ? next : NULL);
}
