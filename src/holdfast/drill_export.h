/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill export: runs for other tools: JSON with summaries and series, CSV with a row a bucket.
 */
#ifndef HF_HOLDFAST_DRILL_EXPORT_H
#define HF_HOLDFAST_DRILL_EXPORT_H

#include "base/buf.h"
#include "codec/json.h"
#include "holdfast/drill_program.h"
#include "holdfast/drill_sum.h"

/* {"version":1,"runs":[…]}: docs/reference/output.md. */
void hf_drill_json_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                         struct hf_buf *buf);

/* run,part,label,measure,time_s,value: one line for each curve and bucket. */
void hf_drill_csv_write(const struct hf_drill_set *set, const struct hf_drill_job *runs,
                        struct hf_buf *buf);

/* The numbers of a sum as members of the open object. Times in seconds, null: never. */
void hf_drill_json_sum(struct hf_json *json, const struct hf_drill_sum *sum);
void hf_drill_json_time(struct hf_json *json, const char *key, uint64_t time_us);

/* Writes what buf holds to path ("-": standard output); HF_EXIT_FAILED after a message. */
int hf_drill_write(const struct hf_invocation *invocation, const char *path, struct hf_buf *buf);

#endif
