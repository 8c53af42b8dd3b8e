/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Command: the frame around every subcommand of `holdfast` and `holdfast-drill`.
 *
 * A subcommand is one file cmd_NAME.c that defines one `const struct hf_command hf_command_NAME`,
 * named in the list of its program (command_table.c, drill_command_table.c). The frame parses
 * options (the common ones and those of the subcommand), prints --help, checks how many arguments
 * there are, and calls run.
 * Results go to standard output, messages and problems to standard error.
 */
#ifndef HF_HOLDFAST_COMMAND_H
#define HF_HOLDFAST_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holdfast/term.h"
#include "io/log.h"

enum hf_exit {
    HF_EXIT_DONE = 0,
    HF_EXIT_FAILED = 1,
    HF_EXIT_USAGE = 2,   /* wrong use: nothing was done */
    HF_EXIT_CHANGES = 3, /* plan --exit-code: changes wait */
};

enum { HF_COMMAND_OPTIONS_MAX = 16 };

/* One option of a subcommand; a table of them ends with a row whose name is NULL. */
struct hf_option {
    const char *name;     /* long name without the dashes */
    char letter;          /* short name, or 0; not h, V, and c where it is taken */
    const char *argument; /* what --help calls its argument (NAME), or NULL: takes none */
    const char *help;     /* one line, upper case first, no full stop */
};

enum hf_command_group {                    /* the order of `holdfast --help` */
                        HF_COMMAND_RUN,    /* long-running roles */
                        HF_COMMAND_LOOK,   /* reads only */
                        HF_COMMAND_CHANGE, /* changes store or zone */
                        HF_COMMAND_GROUP_COUNT,
};

struct hf_command;

/* What the subcommands of one program have in common. */
struct hf_program {
    const char *name;                                 /* "holdfast" */
    const char *about;                                /* a sentence, with its full stop */
    const char *group_titles[HF_COMMAND_GROUP_COUNT]; /* in --help */
    bool is_configured; /* has -c and --log-level; else their letters and names are free */
    const struct hf_command *const *commands; /* in the order of --help */
    size_t command_count;
};

/* `holdfast` itself (command_table.c). */
extern const struct hf_program hf_program_holdfast;

/* One call of a subcommand, parsed. Texts are borrowed from argv. */
struct hf_invocation {
    const struct hf_program *program;
    const struct hf_command *command;
    const char *config_path; /* -c, else the first default path that exists, else ./holdfast.yaml */
    bool json;               /* --output json */
    bool direct;             /* --direct: no daemon is asked */
    enum hf_log_level log_level;
    const char *log_format; /* --log-format, or NULL: as the configuration says */
    struct hf_term out;     /* standard output and error: stream, colour, width */
    struct hf_term err;
    char **arguments; /* what is left after the options */
    int argument_count;
    const char *values[HF_COMMAND_OPTIONS_MAX]; /* of command->options; use hf_option_value */
    /* Of a change that was asked for over the API; NULL: by a command. */
    const struct hf_remote *remote;
};

struct hf_remote {
    bool has_revision;
    uint64_t revision; /* of what operators said: on another one nothing is changed */
};

struct hf_command {
    const char *name;
    enum hf_command_group group;
    const char *arguments; /* shown in the usage line: "NAME", "[ZONE]", "" */
    const char *summary;   /* one line, lower case first, no full stop: as in `holdfast --help` */
    const char *details;   /* paragraphs of --help, lines up to 79 columns, or NULL */
    const struct hf_option *options; /* or NULL */
    int arguments_min;
    int arguments_max;
    int (*run)(const struct hf_invocation *invocation); /* returns an enum hf_exit */
    /* Lets a running daemon do it; false: run it. Or NULL. See remote.h. */
    bool (*remote)(const struct hf_invocation *invocation, int *ret_exit);
};

/* What main does. */
int hf_program_main(const struct hf_program *program, int argc, char **argv);

/* The text after the option, "" for one that takes no argument, NULL if it was not given. Giving an
 * option that is not in the table is a broken invariant. */
const char *hf_option_value(const struct hf_invocation *invocation, const char *name);
bool hf_option_given(const struct hf_invocation *invocation, const char *name);

/* The option as a number low..high into ret_number (untouched if not given); HF_EINVAL after a
 * message: return HF_EXIT_USAGE then. */
int hf_option_number(const struct hf_invocation *invocation, const char *name, uint64_t low,
                     uint64_t high, uint64_t *ret_number);

/* Prints "PROGRAM NAME: MESSAGE" to standard error, in colour, and returns HF_EXIT_FAILED. */
int hf_command_fail(const struct hf_invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same and where to find help; returns HF_EXIT_USAGE. */
int hf_command_misuse(const struct hf_invocation *invocation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
