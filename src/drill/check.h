/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Check: what check.c and check_parts.c share. */
#ifndef HF_DRILL_CHECK_H
#define HF_DRILL_CHECK_H

#include "drill/scenario.h"

struct hf_check_at {
    const struct hf_drill_scenario *scenario;
    struct hf_drill_problem *problem;
    enum hf_drill_part part;
    uint16_t index;
    uint8_t call;
};

/* Writes the problem down; HF_EINVAL. */
int hf_check_found(const struct hf_check_at *at, const char *field, double found,
                   const char *expected);

/* HF_OK where low <= found <= high; no number is not. */
int hf_check_range(const struct hf_check_at *at, const char *field, double found, double low,
                   double high, const char *expected);

/* HF_OK for an index below count, or NONE where that may be. */
int hf_check_index(const struct hf_check_at *at, const char *field, uint16_t found, uint16_t count,
                   bool may_be_none, const char *expected);
int hf_check_time(const struct hf_check_at *at, const char *field, uint64_t found, uint64_t low);
int hf_check_share(const struct hf_check_at *at, const char *field, double found);
int hf_check_dist(const struct hf_check_at *at, const char *field,
                  const struct hf_drill_dist *dist);

/* Every part by itself, and what it names. */
int hf_check_parts(struct hf_check_at *at);

#endif
