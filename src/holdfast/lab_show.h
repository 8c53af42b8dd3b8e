/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all subcommands of holdfast-lab show alike: which world it was, as text and as JSON.
 */
#ifndef HF_HOLDFAST_LAB_SHOW_H
#define HF_HOLDFAST_LAB_SHOW_H

#include "codec/json.h"
#include "holdfast/lab_models.h"
#include "holdfast/term.h"

enum { HF_LAB_JSON_MAX = 16 * 1024 * 1024 };

/* A line: "explore two-phase managers=5"; options that are 0 as by default are left out. */
void hf_lab_title_put(const struct hf_term *term, const char *verb,
                      const struct hf_lab_world *world);

/* The member "options": every option and its value. */
void hf_lab_put_options(struct hf_json *json, const struct hf_lab_world *world);

/* Prints a document and releases it. */
void hf_lab_put_json(const struct hf_term *term, struct hf_buf *buf);

#endif
