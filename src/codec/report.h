/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Report: what one enactor tells the planner and the operator, under the ref
 * "report/ENACTOR"; an object as JSON, replaced by the enactor at most once a second, when it
 * changed, and every HF_REPORT_ALIVE_MS as a sign of life.
 */
#ifndef HF_CODEC_REPORT_H
#define HF_CODEC_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
    HF_REPORT_ALIVE_MS = 5000,
    HF_REPORT_NAMES_MAX = 1000,  /* of each list and zone; the rest follows in later reports */
    HF_REPORT_WAITING_MAX = 100, /* names of HF_REPORT_WAITING, which nobody acts upon */
    HF_REPORT_WRITES_MAX = 32,   /* the latest of each kind */
    HF_REPORT_ZONES_MAX = 4096,
    HF_REPORT_BYTES_MAX = 32 * 1024 * 1024, /* of the object */
};

enum hf_report_list {
    HF_REPORT_CLAIMED,   /* our fence was seen, the plan does not say so yet */
    HF_REPORT_GONE,      /* retired, and nothing of ours is there or can come back */
    HF_REPORT_STAMP,     /* fence gone and generation not above the floor */
    HF_REPORT_AHEAD,     /* fence ahead of the head that the enactor read afterwards */
    HF_REPORT_FOREIGN,   /* records without a fence, or another owner's fence: left alone */
    HF_REPORT_CONTESTED, /* edited again and again: healing stopped */
    HF_REPORT_WAITING,   /* to be written, or read before that is decided; not those under way */
    HF_REPORT_LISTS
};
const char *hf_report_list_name(enum hf_report_list list); /* "claimed" */

/* What came of one write of one endpoint. */
enum hf_write_kind {
    HF_WRITE_DONE,    /* the server took it */
    HF_WRITE_HEALED,  /* it took it, and it repaired what others had done */
    HF_WRITE_UNKNOWN, /* no answer, or none that says */
    HF_WRITE_LOST,    /* refused: another enactor had written the same generation */
    HF_WRITE_STALE,   /* refused: a newer generation was there; nothing was changed by it */
    HF_WRITE_REFUSED, /* refused for what was wrong elsewhere: guard, another endpoint, an edit */
    HF_WRITE_KINDS
};
const char *hf_write_kind_name(enum hf_write_kind kind); /* "written", "healed", "unknown", … */

struct hf_report_names {
    const char **names; /* endpoints, text */
    uint32_t count;     /* in names */
    uint32_t total;     /* in the zone: may be more than count */
};

struct hf_report_zone {
    const char *zone;
    const char *state;  /* "open", "frozen", "refused", "unreachable", "starting" */
    const char *why;    /* for people; "" when all is well */
    uint64_t floor;     /* of the guard, 0 unknown */
    uint64_t ahead_gen; /* highest generation seen in the zone that is above the head; 0: none */
    uint64_t plan_gen;  /* the head plan that the enactor works towards */
    uint32_t endpoints, in_step, behind;
    uint64_t written, refused, unknown, healed, messages; /* counters since start */
    uint64_t read;       /* endpoints that were read back one by one, since start */
    uint64_t latency_ms; /* of an UPDATE, smoothed */
    uint32_t window;     /* messages in flight that are allowed now */
    struct hf_report_names lists[HF_REPORT_LISTS];
};

/* One of them. Refusals are told when the fence was read afterwards. */
struct hf_report_write {
    uint64_t number; /* rises by one with each write since the enactor started */
    uint64_t at_ms;
    const char *zone;
    const char *endpoint;
    const char *met_writer; /* whose fence was found after a refusal, "" none of ours */
    uint64_t gen;           /* that was written, or tried */
    uint64_t met_gen;       /* of the fence that was found after a refusal, 0 none of ours */
    enum hf_write_kind kind;
};

struct hf_report {
    const char *enactor;
    uint64_t at_ms; /* wall clock */
    uint64_t started_ms;
    int64_t pid;
    const char *trouble; /* store or configuration trouble, "" when none */
    struct hf_report_zone *zones;
    struct hf_report_write *writes; /* in order of number: HF_REPORT_WRITES_MAX of each kind */
    uint32_t zone_count, write_count;
    struct hf_arena arena; /* of a decoded report */
};

/*
 * Appends {"version":1,"enactor":...,"zones":[...]}, keys as the members above. Numbers above
 * 2^53 - 1, which generations seen in a zone may hold, are written as strings: readers that keep
 * numbers as doubles would change them. What does not fit into the buf is sticky there.
 */
void hf_report_encode(const struct hf_report *report, struct hf_buf *ret_json);
/*
 * HF_EMALF for what is no report. Unknown keys are passed over: a newer enactor may say more.
 * ret_report owns everything it points to: hf_report_release.
 */
int hf_report_decode(const void *bytes, size_t size, struct hf_report *ret_report);
void hf_report_release(struct hf_report *report);

#endif
