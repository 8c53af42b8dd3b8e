/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit: the history of what operators did, in the store: blocking, for commands and workers.
 *
 * It is bounded: entries are told for HF_AUDIT_DAYS, of the latest HF_AUDIT_SEGMENTS_MAX segments.
 * Appending replaces one segment by compare-and-swap; no entry is lost when several write.
 */
#ifndef HF_IO_AUDIT_H
#define HF_IO_AUDIT_H

#include "codec/audit.h"
#include "io/store.h"

enum {
    HF_AUDIT_DAYS = 90,
    HF_AUDIT_SEGMENTS_MAX = 20, /* 10,000 entries */
};

/* number is given here, and at_ms where it is 0. HF_ESTALE after many races with others. */
int hf_audit_append(struct hf_store *store, const struct hf_audit_entry *entry);

/*
 * Calls each for every entry, newest first, until it returns other than 0. A segment that cannot be
 * read is passed over. HF_OK, or an error of the store.
 */
typedef int hf_audit_each(void *context, const struct hf_audit_entry *entry);
int hf_audit_read(struct hf_store *store, hf_audit_each *each, void *context);

#endif
