/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drill suite: which scenarios have to recover, at which scales, and within which bounds; read from
 * YAML with the same kind of messages as a scenario. The keys are in docs/reference/drill.md.
 *
 * A test with remedies also says what has to happen without them: a suite that passes without the
 * protection proves nothing.
 */
#ifndef HF_CODEC_DRILL_SUITE_H
#define HF_CODEC_DRILL_SUITE_H

#include "codec/drill_file.h"
#include "codec/quantity.h"

enum {
    HF_SUITE_TESTS_MAX = 64,
    HF_SUITE_BOUNDS_MAX = 16, /* of one test */
    HF_SUITE_HOSTS_MAX = 8,
    HF_SUITE_SEEDS_MAX = 1000,
    HF_SUITE_SETTINGS_MAX = 16,
};

/* What a run is judged by. Those of dependents without "of": the worst of all dependents. */
enum hf_drill_judged {
    HF_JUDGED_RECOVER,       /* time from the repair until it is good for good */
    HF_JUDGED_DEGRADED,      /* time */
    HF_JUDGED_WORST,         /* lowest share */
    HF_JUDGED_WORST_AFTER,   /* the same after the repair */
    HF_JUDGED_END,           /* share at the end */
    HF_JUDGED_UNANSWERED,    /* name: time */
    HF_JUDGED_QUEUE_PEAK,    /* service */
    HF_JUDGED_WASTED,        /* service: share of its work that was for nobody */
    HF_JUDGED_AMPLIFICATION, /* client: attempts an operation */
    HF_JUDGED_REMOVED,       /* fleet: most of the capacity that worked and was out of service */
    HF_JUDGED_COUNT
};

const char *hf_drill_judged_name(enum hf_drill_judged judged); /* "recover", "worst-after", … */
enum hf_quantity hf_drill_judged_quantity(enum hf_drill_judged judged);
/* UINT32_MAX: none is called so. */
uint32_t hf_drill_judged_find(const char *name);

/* A value in seconds, shares of 1 or pieces; INFINITY for a time that never came. */
struct hf_drill_bound {
    enum hf_drill_judged judged;
    char of[HF_DRILL_LABEL_SIZE]; /* "": the worst of all */
    bool at_least;                /* else at most */
    double limit;
    uint32_t line, column; /* where it was written */
};

struct hf_drill_bounds {
    struct hf_drill_bound rows[HF_SUITE_BOUNDS_MAX];
    uint32_t count;
};

struct hf_drill_test {
    const char *name, *about;
    const char *scenario; /* path, resolved against the suite's folder */
    const char *with;     /* remedies, or NULL */
    struct hf_drill_setting settings[HF_SUITE_SETTINGS_MAX];
    uint32_t setting_count;
    uint64_t hosts[HF_SUITE_HOSTS_MAX]; /* none: as the scenario has it */
    uint32_t host_count;
    uint32_t seeds;
    struct hf_drill_bounds expect, without;
};

struct hf_drill_suite {
    const char *path, *name;
    struct hf_drill_test tests[HF_SUITE_TESTS_MAX];
    uint32_t test_count;
    struct hf_arena arena;
};

/* As hf_drill_file_read. */
int hf_drill_suite_read(const char *path, struct hf_drill_suite **ret_suite,
                        struct hf_buf *problems);
int hf_drill_suite_read_text(const char *text, size_t size, const char *name,
                             struct hf_drill_suite **ret_suite, struct hf_buf *problems);
void hf_drill_suite_free(struct hf_drill_suite *suite);

#endif
