/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/reports.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "io/plan_store.h"

struct names {
    char refs[HF_REPORTS_MAX][HF_STORE_REF_NAME_MAX + 1];
    uint32_t count;
};

static int note_ref(void *context, const char *name, const void *value, size_t size)
{
    struct names *names = context;
    (void)value;
    (void)size;
    (void)snprintf(names->refs[names->count], sizeof(names->refs[0]), "%s", name);
    names->count++;
    return names->count == HF_REPORTS_MAX;
}

int hf_reports_load(struct hf_store *store, struct hf_reports *ret_reports)
{
    struct names *names = calloc(1, sizeof(*names));
    if (names == NULL) {
        abort();
    }
    ret_reports->count = 0;
    int error = hf_store_ref_list(store, "report/", note_ref, names);
    error = error > 0 ? HF_OK : error;
    for (uint32_t i = 0; i < names->count && error == HF_OK; i++) {
        struct hf_buf json;
        hf_buf_init(&json, HF_REPORT_BYTES_MAX);
        struct hf_report *row = &ret_reports->rows[ret_reports->count];
        if (hf_document_get(store, names->refs[i], &json) == HF_OK &&
            hf_report_decode(json.bytes, json.size, row) == HF_OK) {
            ret_reports->count++;
        }
        hf_buf_release(&json);
    }
    free(names);
    return error;
}

void hf_reports_release(struct hf_reports *reports)
{
    for (uint32_t i = 0; i < reports->count; i++) {
        hf_report_release(&reports->rows[i]);
    }
    reports->count = 0;
}
