/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill sum: what a run comes to, in the few numbers that are compared: for the run as a whole, and
 * for each dependent. Also its curves over time as shares, for charts.
 */
#ifndef HF_HOLDFAST_DRILL_SUM_H
#define HF_HOLDFAST_DRILL_SUM_H

#include "codec/drill_suite.h"
#include "drill/result.h"

/* Client, manager or fleet: whoever is degraded when the name is gone. */
struct hf_drill_dependent {
    enum hf_drill_part part;
    uint32_t index;
    const char *label;
    const char *what; /* "operations that succeed", "leases held", "capacity in service" */
    const struct hf_drill_health_summary *health;
};

/* False after the last one. */
bool hf_drill_dependent_at(const struct hf_drill_scenario *scenario,
                           const struct hf_drill_result *result, uint32_t at,
                           struct hf_drill_dependent *ret_dependent);

/* Worst over all parts. */
struct hf_drill_sum {
    uint64_t unanswered_us;
    uint64_t degraded_us;
    uint64_t recover_us; /* HF_DRILL_NEVER: not by the end of the run */
    uint64_t queue_peak;
    uint64_t retries;
    double wasted_share; /* of the services' work */
    double worst_after_share;
    double removed_worst_share;
};
struct hf_drill_sum hf_drill_sum_of(const struct hf_drill_scenario *scenario,
                                    const struct hf_drill_result *result);

/*
 * What a bound or a map is about: seconds (INFINITY: never), shares or pieces; the worst of all
 * parts of the kind where "of" is "". False: there is no such part.
 */
bool hf_drill_judge(const struct hf_drill_scenario *scenario, const struct hf_drill_result *result,
                    enum hf_drill_judged judged, const char *of, double *ret_value);

/*
 * A curve over the buckets of a run. Values below 0 say nothing: nothing was asked or offered.
 */
enum hf_drill_curve_kind {
    HF_DRILL_CURVE_ANSWERS,  /* name: share of lookups that got addresses */
    HF_DRILL_CURVE_GOODPUT,  /* client: share of operations that succeed */
    HF_DRILL_CURVE_ATTEMPTS, /* client: attempts a second */
    HF_DRILL_CURVE_RETRIES,  /* client: retries a second */
    HF_DRILL_CURVE_QUEUE,    /* service: the most that waited */
    HF_DRILL_CURVE_DONE,     /* service: requests a second that were done and wanted */
    HF_DRILL_CURVE_WASTED,   /* service: requests a second that were done for nobody */
    HF_DRILL_CURVE_HELD,     /* manager: share of leases held */
    HF_DRILL_CURVE_CLAIMS,   /* manager: attempts of claims a second */
    HF_DRILL_CURVE_SERVING,  /* fleet: share of nodes in service */
    HF_DRILL_CURVE_REMOVED,  /* fleet: share of nodes that work and are out of service */
    HF_DRILL_CURVES
};

struct hf_drill_curve_info {
    const char *title; /* of its chart, with a %s for the part's label */
    const char *word;  /* beside the label, where there is little room; NULL: not shown there */
    const char *unit;
    enum hf_drill_part part;
    bool is_share;
};
const struct hf_drill_curve_info *hf_drill_curve_info(enum hf_drill_curve_kind kind);
double hf_drill_curve_at(const struct hf_drill_scenario *scenario,
                         const struct hf_drill_result *result, enum hf_drill_curve_kind kind,
                         uint32_t part, uint32_t bucket);

enum { HF_DRILL_TIME_TEXT_MAX = 48 };
/* "2h37m", "never", "0s" */
void hf_drill_time_text(uint64_t time_us, char ret_text[HF_DRILL_TIME_TEXT_MAX]);
/* A time of the run: as a time of day where clock_s is one (has_clock), else since its begin. */
void hf_drill_moment_text(uint64_t at_us, bool has_clock, uint32_t clock_s,
                          char ret_text[HF_DRILL_TIME_TEXT_MAX]);

#endif
