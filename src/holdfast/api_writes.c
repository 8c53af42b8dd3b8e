/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/json_in.h"
#include "codec/name.h"
#include "holdfast/api.h"

/* What was taken of an enactor before; one that was started anew counts from one again. */
static struct hf_api_heard *heard_of(struct hf_api_writes *writes, const struct hf_report *report)
{
    struct hf_api_heard *heard = NULL;
    for (uint32_t i = 0; i < writes->heard_count && heard == NULL; i++) {
        if (strcmp(writes->heard[i].enactor, report->enactor) == 0) {
            heard = &writes->heard[i];
        }
    }
    if (heard == NULL) {
        /* Reports are no more than this; one whose enactor is gone for good makes room. */
        uint32_t at = writes->heard_count < HF_REPORTS_MAX ? writes->heard_count++ : 0;
        heard = &writes->heard[at];
        *heard = (struct hf_api_heard){.started_ms = report->started_ms};
        (void)snprintf(heard->enactor, sizeof(heard->enactor), "%s", report->enactor);
    }
    if (heard->started_ms != report->started_ms) {
        heard->started_ms = report->started_ms;
        heard->number = 0;
    }
    return heard;
}

static char *put_text(char *at, const char *text, const char **ret_text)
{
    size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    *ret_text = at;
    return at + size;
}

static void add(struct hf_api_writes *writes, const char *enactor,
                const struct hf_report_write *told)
{
    struct hf_api_write *row = &writes->rows[writes->count++ % HF_API_WRITES_MAX];
    size_t room = strlen(enactor) + strlen(told->zone) + strlen(told->endpoint) +
                  strlen(told->met_writer) + 4;
    writes->since_ms = row->texts != NULL ? row->at_ms : writes->since_ms;
    free(row->texts);
    *row = (struct hf_api_write){.at_ms = told->at_ms,
                                 .gen = told->gen,
                                 .met_gen = told->met_gen,
                                 .texts = malloc(room),
                                 .kind = told->kind};
    if (row->texts == NULL) {
        abort();
    }
    char *at = put_text(row->texts, enactor, &row->enactor);
    at = put_text(at, told->zone, &row->zone);
    at = put_text(at, told->endpoint, &row->endpoint);
    (void)put_text(at, told->met_writer, &row->met_writer);
}

/* Repairs and what the plan has replaced since say nothing of how long a change takes. */
static void measure(struct hf_delays *delays, const struct hf_plan *plan,
                    const struct hf_report_write *told)
{
    uint8_t owner[HF_NAME_MAX];
    struct hf_plan_entry entry;
    bool is_name = told->kind == HF_WRITE_DONE && hf_name_parse(told->endpoint, owner) == HF_OK;
    uint32_t row = is_name ? hf_plan_find(plan, owner) : UINT32_MAX;
    if (row == UINT32_MAX || hf_plan_gen(plan, row) != told->gen) {
        return;
    }
    hf_plan_get(plan, row, &entry);
    hf_delays_add(delays, told->at_ms > entry.changed_ms ? told->at_ms - entry.changed_ms : 0);
}

void hf_api_writes_refresh(struct hf_api_writes *writes, const struct hf_look *look)
{
    for (uint32_t i = 0; i < look->reports.count; i++) {
        const struct hf_report *report = &look->reports.rows[i];
        struct hf_api_heard *heard = heard_of(writes, report);
        for (uint32_t k = 0; k < report->write_count; k++) {
            if (report->writes[k].number > heard->number) {
                heard->number = report->writes[k].number;
                add(writes, report->enactor, &report->writes[k]);
                measure(&writes->delays, &look->plan, &report->writes[k]);
            }
        }
    }
}

void hf_api_writes_release(struct hf_api_writes *writes)
{
    for (uint32_t i = 0; i < HF_API_WRITES_MAX; i++) {
        free(writes->rows[i].texts);
    }
}

void hf_api_write_put_json(const struct hf_api_write *write, struct hf_json *json)
{
    hf_json_object(json);
    hf_json_put_u64(json, "at_ms", write->at_ms);
    hf_json_put_text(json, "enactor", write->enactor);
    hf_json_put_text(json, "zone", write->zone);
    hf_json_put_text(json, "endpoint", write->endpoint);
    hf_json_put_text(json, "kind", hf_write_kind_name(write->kind));
    hf_json_put_number(json, "generation", write->gen);
    if (write->met_gen != 0) {
        hf_json_put_number(json, "met_generation", write->met_gen);
    } else {
        hf_json_put_null(json, "met_generation");
    }
    hf_json_put_text(json, "met_writer", write->met_writer[0] != 0 ? write->met_writer : NULL);
    hf_json_object_end(json);
}
