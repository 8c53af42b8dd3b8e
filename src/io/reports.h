/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of all enactors that are in a store: blocking, for a worker thread or a command. */
#ifndef HF_IO_REPORTS_H
#define HF_IO_REPORTS_H

#include "codec/report.h"
#include "io/store.h"

enum { HF_REPORTS_MAX = 64 }; /* enactors of one installation */

struct hf_reports {
    struct hf_report rows[HF_REPORTS_MAX];
    uint32_t count;
};

/* One that cannot be read is left out: its enactor writes another soon. */
int hf_reports_load(struct hf_store *store, struct hf_reports *ret_reports);
void hf_reports_release(struct hf_reports *reports);

#endif
