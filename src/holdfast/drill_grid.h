/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill grid: runs of one scenario with some of its values changed: axes of values, points on them,
 * and a score for each point. Sweep and advise are made of these.
 */
#ifndef HF_HOLDFAST_DRILL_GRID_H
#define HF_HOLDFAST_DRILL_GRID_H

#include "codec/quantity.h"
#include "holdfast/drill_program.h"
#include "holdfast/drill_sum.h"

enum {
    HF_GRID_AXES_MAX = 6,
    HF_GRID_STEPS_MAX = 64,
    HF_GRID_POINTS_MAX = 4096,
    HF_GRID_KEY_MAX = 128,
};

/* KEY=LOW..HIGH or KEY=LOW..HIGH/STEPS: evenly, or by factors where HIGH is 30 times LOW or more.
 */
struct hf_grid_axis {
    char key[HF_GRID_KEY_MAX];
    enum hf_quantity quantity;
    double values[HF_GRID_STEPS_MAX];
    char texts[HF_GRID_STEPS_MAX][HF_QUANTITY_TEXT_MAX]; /* as YAML would have them */
    uint32_t count;
};

/* HF_EXIT_DONE, or HF_EXIT_USAGE after a message. steps: where the argument does not say. */
int hf_grid_axis_parse(const struct hf_invocation *invocation, const char *argument, uint32_t steps,
                       struct hf_grid_axis *ret_axis);

/* Over all seeds: the median of what is asked for, and whether most of them never recovered. */
struct hf_grid_score {
    double value;
    double recover_s, degraded_s, end_share; /* of the worst seed */
    bool collapsed;
    bool is_known; /* all its runs ended */
};

/* What to look at in each run. */
struct hf_grid_question {
    enum hf_drill_judged judged;
    const char *of;
    uint32_t seeds, threads_max;
};

struct hf_grid {
    const struct hf_drill_set *set; /* its first variant is what is changed */
    struct hf_grid_axis axes[HF_GRID_AXES_MAX];
    uint32_t axis_count;
    struct hf_grid_question question;
};

#define HF_GRID_UNSET UINT32_MAX

/* A point: which value of each axis; HF_GRID_UNSET: what the file says. */
struct hf_grid_point {
    uint32_t at[HF_GRID_AXES_MAX];
};

enum hf_grid_end { HF_GRID_DONE, HF_GRID_INTERRUPTED, HF_GRID_FAILED };

/* Runs all points; FAILED after a message: a value that cannot be, memory. */
enum hf_grid_end hf_grid_run(const struct hf_invocation *invocation, const struct hf_grid *grid,
                             const struct hf_grid_point *points, uint32_t point_count,
                             struct hf_grid_score *ret_scores);

/*
 * What sweep and advise have in common on their command line: one scenario in one variant, ranges,
 * --of, --seeds, --jobs; judged is the question. The set is the caller's to free after
 * HF_EXIT_DONE.
 */
#define HF_GRID_OPTIONS                                                                            \
    {"measure", 'm', "NAME",                                                                       \
     "What is shown: recover, degraded, worst-after, queue-peak, … "                             \
     "(recover)"},                                                                                 \
        {"of", 0, "NAME", "Of that part (the worst of all)"},                                      \
        {"seeds", 0, "N", "Runs of each point (3)"},                                               \
    {                                                                                              \
        "jobs", 'j', "N", "So many runs at a time (all cores)"                                     \
    }
int hf_grid_read(const struct hf_invocation *invocation, enum hf_drill_judged judged,
                 uint32_t axes_max, uint32_t steps, struct hf_drill_set *set, struct hf_grid *grid);

/* A value of the question: "12m", "never", "34%". */
void hf_grid_value_text(const struct hf_grid *grid, const struct hf_grid_score *score,
                        char ret_text[HF_QUANTITY_TEXT_MAX]);

#endif
