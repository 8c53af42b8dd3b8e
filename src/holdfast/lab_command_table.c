/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new subcommand: its file in meson.build, its declaration in the header, and a row here. */
#include "holdfast/lab_command.h"

static const struct hf_lab_command *const commands[] = {
    &hf_lab_explore,
    &hf_lab_simulate,
    &hf_lab_replay,
    &hf_lab_compare,
};

const struct hf_lab_command *const *hf_lab_commands(size_t *ret_count)
{
    *ret_count = sizeof(commands) / sizeof(commands[0]);
    return commands;
}
