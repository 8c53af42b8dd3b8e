/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `PROGRAM --help`, `PROGRAM COMMAND --help` and `--version` print.
 */
#ifndef HF_HOLDFAST_COMMAND_HELP_H
#define HF_HOLDFAST_COMMAND_HELP_H

#include "holdfast/command.h"

enum { HF_COMMAND_CONFIGURED = 4 }; /* common options of programs that have a configuration */

/* command NULL: the list of subcommands. */
void hf_help_print(const struct hf_term *term, const struct hf_program *program,
                   const struct hf_command *command);
void hf_help_version(const struct hf_term *term, const struct hf_program *program);

/* The subcommand that name was most likely meant to be, or NULL. */
const char *hf_help_nearest(const struct hf_program *program, const char *name);

#endif
