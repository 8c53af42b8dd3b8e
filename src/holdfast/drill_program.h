/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program holdfast-drill: its subcommands, and what they share: which scenarios the command
 * line names, and in which variants.
 */
#ifndef HF_HOLDFAST_DRILL_PROGRAM_H
#define HF_HOLDFAST_DRILL_PROGRAM_H

#include "codec/drill_file.h"
#include "holdfast/command.h"
#include "holdfast/drill_jobs.h"

extern const struct hf_program hf_program_drill;

enum {
    HF_DRILL_RUNS_MAX = 12, /* overlaid */
    HF_DRILL_RUN_LABEL_MAX = 160,
};

/* One scenario in one variant. */
struct hf_drill_variant {
    char label[HF_DRILL_RUN_LABEL_MAX]; /* "outage-2025-10, throttle" */
    char remedies[HF_DRILL_RUN_LABEL_MAX];
    double scale; /* of what grows with the fleet */
    struct hf_drill_file *file;
};

struct hf_drill_set {
    struct hf_drill_variant variants[HF_DRILL_RUNS_MAX];
    uint32_t count;
    struct hf_drill_setting settings[HF_DRILL_SETTINGS_MAX];
    uint32_t setting_count;
    double scale;
};

/* Options that every subcommand with scenarios has: --with, --scale, --hosts. */
#define HF_DRILL_VARIANT_OPTIONS                                                                   \
    {"with", 'w', "LIST",                                                                          \
     "Remedies: names joined by +, all, each or none; a comma: one more run"},                     \
        {"hosts", 0, "N", "Scale everything that grows with the fleet to N hosts"},                \
    {                                                                                              \
        "scale", 0, "FACTOR", "The same by a factor"                                               \
    }

/*
 * Reads the arguments: FILEs in the variants that --with says, KEY=VALUEs that are set in all of
 * them; those whose VALUE is a range stay behind in ret_ranges (their count in ret_range_count),
 * or are refused where that is NULL. An enum hf_exit; problems were printed.
 */
int hf_drill_set_read(const struct hf_invocation *invocation, struct hf_drill_set *set,
                      const char **ret_ranges, uint32_t *ret_range_count);
void hf_drill_set_free(struct hf_drill_set *set);

/* What tells a run from the others: its remedies where all are of one file, else its label. */
const char *hf_drill_set_title(const struct hf_drill_set *set, uint32_t run);

/*
 * One file in one variant. hosts above 0: the choice's scale becomes what makes so many of them.
 * NULL after the problems were printed.
 */
struct hf_drill_file *hf_drill_open(const struct hf_invocation *invocation, const char *path,
                                    struct hf_drill_choice *choice, uint64_t hosts);

/* --hosts as a count, such as 10k; HF_EINVAL after a message. Untouched if not given. */
int hf_drill_option_hosts(const struct hf_invocation *invocation, uint64_t *ret_hosts);

/* An option as a decimal number above 0; HF_EINVAL after a message. Untouched if not given. */
int hf_drill_option_double(const struct hf_invocation *invocation, const char *name,
                           double *ret_value);

#endif
