/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill runs: one figure of a scenario over many seeds, with its 95 % confidence interval printed
 * beside what it should be. Include it after cmocka.h.
 */
#ifndef TESTS_UNIT_DRILL_RUNS_H
#define TESTS_UNIT_DRILL_RUNS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "drill/drill.h"

enum { SECOND = 1000000 };

#define MINUTE (UINT64_C(60) * SECOND)
#define HOUR (UINT64_C(3600) * SECOND)

typedef double hf_figure(const struct hf_drill_result *result);

struct estimate {
    double mean, half; /* mean - half to mean + half */
};

static inline struct hf_drill *run_new(const struct hf_drill_scenario *scenario, uint64_t seed,
                                       struct hf_drill_result *ret_result)
{
    struct hf_drill_problem problem;
    int checked = hf_drill_check(scenario, &problem);
    if (checked != HF_OK) {
        fail_msg("part %d, %s: found %g, expected %s", problem.part, problem.field, problem.found,
                 problem.expected);
    }
    size_t size = hf_drill_memory(scenario);
    void *block = calloc(1, size);
    assert_non_null(block);
    struct hf_drill *drill = hf_drill_init(scenario, seed, block, size);
    while (hf_drill_run(drill, HF_DRILL_NEVER, 1000000)) {
    }
    hf_drill_result(drill, ret_result);
    return drill;
}

static inline double run_once(const struct hf_drill_scenario *scenario, uint64_t seed,
                              hf_figure *figure)
{
    struct hf_drill_result *result = calloc(1, sizeof *result);
    assert_non_null(result);
    struct hf_drill *drill = run_new(scenario, seed, result);
    double found = figure(result);
    free(drill);
    free(result);
    return found;
}

static inline double root(double square)
{
    double root = square > 1 ? square : 1;
    for (int i = 0; i < 60; i++) {
        root = (root + square / root) / 2;
    }
    return root;
}

/* Student's t for 95 %, from 4 runs on; a little too wide between the rows. */
static inline double student(int runs)
{
    return runs < 6 ? 3.19 : runs < 11 ? 2.58 : runs < 21 ? 2.23 : 2.09;
}

static inline struct estimate run_many(const struct hf_drill_scenario *scenario, int runs,
                                       hf_figure *figure)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < runs; i++) {
        double found = run_once(scenario, (uint64_t)i + 1, figure);
        sum += found;
        squares += found * found;
    }
    double mean = sum / runs, variance = (squares - sum * mean) / (runs - 1);
    double half = variance > 0 ? student(runs) * root(variance / runs) : 0;
    return (struct estimate){mean, half};
}

/* The mean over the runs is within tolerance, a share of what is expected. */
static inline void expect_figure(const char *name, const struct hf_drill_scenario *scenario,
                                 int runs, hf_figure *figure, double expected, double tolerance)
{
    struct estimate found = run_many(scenario, runs, figure);
    print_message("# %s: %.4g expected within %.2g %%, found %.4g +- %.2g (95 %%, %d seeds)\n",
                  name, expected, tolerance * 100, found.mean, found.half, runs);
    double off = found.mean - expected;
    off = off < 0 ? -off : off;
    if (off > tolerance * expected) {
        fail_msg("%s: found %g, expected %g", name, found.mean, expected);
    }
}

#endif
