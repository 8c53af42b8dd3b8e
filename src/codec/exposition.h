/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exposition: Prometheus' text format, version 0.0.4, appended to a buf. Pure.
 *
 * A family is a metric's name with its help and type, followed by all of its samples: begin one,
 * then put samples. The head is written with the first sample, so a family without samples leaves
 * no trace. Labels whose value is "" are left out, which Prometheus takes for the same. Values of
 * labels may hold anything: quotes, backslashes and line feeds are escaped, and octets that are not
 * UTF-8 become U+FFFD. Errors are the buf's own (sticky); Prometheus refuses a text that is cut, so
 * one with an error is to be thrown away.
 */
#ifndef HF_CODEC_EXPOSITION_H
#define HF_CODEC_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { HF_EXPOSITION_LABELS_MAX = 4 };

struct hf_exposition_family {
    const char *name;   /* [a-z_]+, base unit last: "holdfast_check_duration_seconds" */
    const char *type;   /* "gauge", "counter", whose name ends in _total, or "histogram" */
    const char *labels; /* names of labels as documented: "enactor, zone"; "" for none */
    const char *help;   /* one line */
};

struct hf_exposition_label {
    const char *name;
    const char *value; /* NULL as "" */
};

struct hf_exposition {
    struct hf_buf *text;
    const struct hf_exposition_family *family;
    bool is_headed; /* its head is written */
};

void hf_exposition_begin(struct hf_exposition *exposition,
                         const struct hf_exposition_family *family);

/*
 * One sample. value is a whole number of units of which 10^decimals make the family's unit:
 * milliseconds with 3 decimals are seconds.
 */
void hf_exposition_put(struct hf_exposition *exposition, const struct hf_exposition_label *labels,
                       uint32_t label_count, uint64_t value, unsigned decimals);

/*
 * All samples of a family of type "histogram", without labels of its own. counts: of values up to
 * each bound and above the one before, and one more, above all bounds. sum: of all values.
 */
void hf_exposition_put_histogram(struct hf_exposition *exposition, const uint64_t *bounds,
                                 const uint64_t *counts, uint32_t bound_count, uint64_t sum,
                                 unsigned decimals);

#endif
