/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Audit: what operators did, in the order in which they did it. Overrides say what holds now; this
 * says who did what when, and why, also of what was taken back since.
 *
 * A history is kept in segments, JSON objects of up to HF_AUDIT_SEGMENT_MAX entries each, under the
 * refs "audit/NUMBER": io/audit.h appends and reads.
 */
#ifndef HF_CODEC_AUDIT_H
#define HF_CODEC_AUDIT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "codec/json.h"

enum {
    HF_AUDIT_SEGMENT_MAX = 500,
    HF_AUDIT_SEGMENT_BYTES_MAX = 4 * 1024 * 1024,
    HF_AUDIT_TEXT_MAX = 1000, /* octets of each text; the rest is cut off */
};

struct hf_audit_entry {
    uint64_t number; /* rises by one over all segments */
    uint64_t at_ms;
    uint64_t gen;        /* that a rollback went back to, else 0 */
    const char *command; /* "drain" */
    const char *subject; /* backend, site, zone, endpoint, held plan; "*": all */
    const char *who;
    const char *why;
    const char *via;  /* "command", "api" */
    const char *text; /* what came of it */
};

struct hf_audit_segment {
    struct hf_audit_entry entries[HF_AUDIT_SEGMENT_MAX];
    uint32_t count;
    struct hf_arena arena; /* owns texts that were decoded */
};

/* The entry as JSON members, for segments and for who asks. */
void hf_audit_put_json(const struct hf_audit_entry *entry, struct hf_json *json);

/* {"version":1,"entries":[…]}, appended; texts are cut at HF_AUDIT_TEXT_MAX. */
void hf_audit_encode(const struct hf_audit_segment *segment, struct hf_buf *ret_json);
/* HF_EMALF for what is none; unknown keys are passed over. ret_segment: hf_audit_release. */
int hf_audit_decode(const void *bytes, size_t size, struct hf_audit_segment *ret_segment);
void hf_audit_release(struct hf_audit_segment *segment);

#endif
