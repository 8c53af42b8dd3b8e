/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metrics: what GET /metrics answers, in Prometheus' text format.
 *
 * Everything is read from a status, so a scrape costs no question to anybody: what roles counted is
 * as they last reported it in the store. Series are bounded by what the configuration names (roles,
 * zones, targets, pools), never by endpoints; by backends only where the configuration says `api: {
 * backend_metrics: true }`. Each kind stops at the limit below, and holdfast_metrics_omitted_rows
 * says how many rows were left out.
 *
 * Counters begin at 0 with each process that counts; holdfast_role_start_time_seconds moves then,
 * and Prometheus' rate() and increase() take a fall for such a beginning.
 */
#ifndef HF_HOLDFAST_METRICS_H
#define HF_HOLDFAST_METRICS_H

#include "base/buf.h"
#include "codec/exposition.h"
#include "holdfast/status.h"
#include "io/notify.h"
#include "io/serve.h"

enum {
    HF_METRICS_ZONE_ROWS_MAX = 8192, /* enactors times zones */
    HF_METRICS_POOLS_MAX = 10000,
    HF_METRICS_BACKENDS_MAX = 100000, /* of series per backend */
};

/* Appends everything to ret_text. counters may be NULL: a process that serves nothing. */
void hf_metrics_write(const struct hf_status *status, const struct hf_serve_counters *counters,
                      struct hf_buf *ret_text);

/* What became of messages to receivers of alerts; to be written behind the others. */
void hf_metrics_write_notify(const struct hf_notify_counters *receivers, uint32_t count,
                             struct hf_buf *ret_text);

/*
 * Delays of writes in a histogram; to be written behind all others.
 *
 *     hf_delays_add(&delays, acknowledged_ms - decided_ms) for each
 */
enum { HF_DELAY_BOUNDS = 12 };
struct hf_delays {
    uint64_t counts[HF_DELAY_BOUNDS + 1]; /* by bound; the last: longer */
    uint64_t sum_ms;
};
void hf_delays_add(struct hf_delays *delays, uint64_t delay_ms);
void hf_metrics_write_delays(const struct hf_delays *delays, struct hf_buf *ret_text);

/* The families in the order in which they are written; NULL behind the last. */
const struct hf_exposition_family *hf_metrics_family(uint32_t number);

#endif
