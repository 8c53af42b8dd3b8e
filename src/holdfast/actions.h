/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Actions: what operators did, newest first: `holdfast history --actions` and the API. */
#ifndef HF_HOLDFAST_ACTIONS_H
#define HF_HOLDFAST_ACTIONS_H

#include "codec/audit.h"
#include "codec/json.h"
#include "holdfast/look.h"

struct hf_actions_query {
    const char *subject; /* or NULL: of any */
    const char *who;     /* or NULL: of anybody */
    uint64_t below;      /* only those of a lower number; 0: all */
    uint32_t max;
};

struct hf_actions {
    struct hf_audit_entry *rows;
    uint32_t count;
    bool has_more;
    /* private from here */
    struct hf_arena arena;
    const struct hf_actions_query *query;
};

int hf_actions_load(struct hf_store *store, const struct hf_actions_query *query,
                    struct hf_actions *ret_actions);
void hf_actions_release(struct hf_actions *actions);

void hf_actions_show(const struct hf_look *look, const struct hf_term *out,
                     const struct hf_actions *actions);
/* Members "actions" and "next". */
void hf_actions_put_json(const struct hf_actions *actions, struct hf_json *json);

#endif
