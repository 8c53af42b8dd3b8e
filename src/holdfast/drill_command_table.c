/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new subcommand: its file in meson.build, its name in this list. */
#include "holdfast/drill_program.h"

#define HF_DRILL_COMMANDS(X)                                                                       \
    X(run)                                                                                         \
    X(sweep)                                                                                       \
    X(advise)                                                                                      \
    X(test)                                                                                        \
    X(from_config)

#define HF_DRILL_DECLARE(name) extern const struct hf_command hf_drill_command_##name;
HF_DRILL_COMMANDS(HF_DRILL_DECLARE)
#undef HF_DRILL_DECLARE

#define HF_DRILL_ROW(name) &hf_drill_command_##name,
static const struct hf_command *const commands[] = {HF_DRILL_COMMANDS(HF_DRILL_ROW)};
#undef HF_DRILL_ROW

const struct hf_program hf_program_drill = {
    .name = "holdfast-drill",
    .about = "Simulates what an empty name does to everything behind it, and how that recovers.",
    .group_titles = {"Simulate", "Begin", ""},
    .is_configured = false,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};
