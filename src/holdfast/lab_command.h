/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frame around every `holdfast-lab SUBCOMMAND`: options, those of the model among them, help,
 * and how problems are said. A subcommand is one `const struct hf_lab_command`, named in the list
 * in lab_command_table.c. Results go to standard output, messages and progress to standard error.
 */
#ifndef HF_HOLDFAST_LAB_COMMAND_H
#define HF_HOLDFAST_LAB_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holdfast/lab_models.h"
#include "holdfast/term.h"

enum {
    HF_LAB_DONE = 0,
    HF_LAB_FAILED = 1, /* something was found, or something went wrong */
    HF_LAB_USAGE = 2,  /* wrong use: nothing was done */
};

enum { HF_LAB_FLAGS_MAX = 16 };

enum hf_lab_flag_kind {
    HF_LAB_SWITCH, /* takes no argument */
    HF_LAB_NUMBER, /* decimal, min to max */
    HF_LAB_SIZE,   /* octets: a number and nothing, K, M, G or T, in powers of 1024 */
    HF_LAB_TEXT,
};

/* An option of a subcommand; a table of them ends with a row whose name is NULL. */
struct hf_lab_flag {
    const char *name;
    enum hf_lab_flag_kind kind;
    uint64_t min, max;
    const char *help; /* one line, upper case first, no full stop */
};

enum hf_lab_subject {
    HF_LAB_OF_MODEL, /* MODEL, and its options */
    HF_LAB_OF_FILE,
    HF_LAB_OF_NOTHING,
};

struct hf_lab_call;

struct hf_lab_command {
    const char *name;
    enum hf_lab_subject subject; /* of its one argument */
    const char *summary;         /* one line, lower case first, no full stop */
    const char *details;         /* paragraphs of --help, lines up to 79 columns */
    const struct hf_lab_flag *flags;
    int (*run)(struct hf_lab_call *call);
};

/* One call of a subcommand, parsed. Texts are borrowed from argv. */
struct hf_lab_call {
    const struct hf_lab_command *command;
    bool json;
    struct hf_term out, err;
    const char *file;          /* of HF_LAB_OF_FILE */
    struct hf_lab_world world; /* of HF_LAB_OF_MODEL, made */
    const char *texts[HF_LAB_FLAGS_MAX];
    uint64_t numbers[HF_LAB_FLAGS_MAX];
    char standard_path[HF_TRACE_NAME_SIZE + 64]; /* of a trace file, where --trace is not given */
    const char *trace_path;                      /* of the one that was written, or NULL */
    const char *page_path;                       /* the same of compare's page */
};

/* What main does. */
int hf_lab_main(int argc, char **argv);

/* A flag that the command has, by name. Number: standard when it was not given. Text: NULL then. */
uint64_t hf_lab_number(const struct hf_lab_call *call, const char *name, uint64_t standard);
const char *hf_lab_text(const struct hf_lab_call *call, const char *name);

/* Prints "holdfast-lab NAME: MESSAGE" to standard error and returns HF_LAB_FAILED. */
int hf_lab_fail(const struct hf_lab_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same and where to find help; returns HF_LAB_USAGE. */
int hf_lab_misuse(const struct hf_lab_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

extern const struct hf_lab_command hf_lab_explore;
extern const struct hf_lab_command hf_lab_simulate;
extern const struct hf_lab_command hf_lab_replay;
extern const struct hf_lab_command hf_lab_compare;

/* All subcommands; ret_count of them. */
const struct hf_lab_command *const *hf_lab_commands(size_t *ret_count);

/* What --help prints: of a subcommand, and of a model beside it (either NULL: none). */
void hf_lab_help(const struct hf_term *term, const struct hf_lab_command *command,
                 const struct hf_lab_model *model);

#endif
