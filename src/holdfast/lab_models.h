/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Models that holdfast-lab knows. A model's options are a struct of uint32_t fields only; the
 * table here gives each field its name, default and limits. Flags of the command line, help, and
 * the `model` line of trace files all come from it.
 *
 * A new model: its options, their table and its make in lab_models.c, and a row in the list there.
 * Two models may be one with other defaults (world, storm).
 */
#ifndef HF_HOLDFAST_LAB_MODELS_H
#define HF_HOLDFAST_LAB_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include "lab/model.h"
#include "lab/trace.h"

enum { HF_LAB_OPTIONS_MAX = HF_TRACE_OPTIONS_MAX };

struct hf_lab_option {
    const char *name; /* without the dashes; letters, digits and '_' or '-' */
    size_t offset;    /* of its uint32_t in the options */
    uint32_t standard;
    uint32_t min, max;
    const char *help; /* one line, upper case first, no full stop */
};

struct hf_lab_model {
    const char *name;
    const char *help; /* one line, lower case first, no full stop */
    size_t options_size;
    const struct hf_lab_option *options; /* ends with a row whose name is NULL */
    uint32_t steps;                      /* of simulate, unless it is said; 0: as of any model */
    void (*make)(struct hf_model *ret_model, const void *options);
    /* What the options must be together, or NULL when they are; NULL: no such rule. */
    const char *(*check)(const void *options);
};

/* A model with options of its own. */
struct hf_lab_world {
    const struct hf_lab_model *kind;
    uint32_t values[HF_LAB_OPTIONS_MAX]; /* the options: a struct of uint32_t */
    struct hf_model model;               /* after hf_lab_world_make */
};

/* All models; ret_count of them. */
const struct hf_lab_model *hf_lab_models(size_t *ret_count);

/* NULL: there is none of that name. */
const struct hf_lab_model *hf_lab_model_find(const char *name);

/* NULL: it has none of that name. */
const struct hf_lab_option *hf_lab_option_find(const struct hf_lab_model *kind, const char *name);

/* Every option as by default. */
void hf_lab_world_init(struct hf_lab_world *world, const struct hf_lab_model *kind);

uint32_t *hf_lab_option_at(struct hf_lab_world *world, const struct hf_lab_option *option);
uint32_t hf_lab_option_value(const struct hf_lab_world *world, const struct hf_lab_option *option);

/* Fills in model, which borrows the options: world must not move then. What is wrong with the
 * options together, or NULL. */
const char *hf_lab_world_make(struct hf_lab_world *world);

/* The model line of a trace: name, and options that are not as by default. */
void hf_lab_world_to_trace(const struct hf_lab_world *world, struct hf_trace *trace);

/* The world that a trace names, made; what is wrong with it goes to ret_problem: HF_EINVAL. */
int hf_lab_world_of_trace(struct hf_lab_world *world, const struct hf_trace *trace,
                          struct hf_buf *ret_problem);

#endif
