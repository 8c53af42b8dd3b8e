/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new subcommand: its file cmd_NAME.c in meson.build, its name in this list. */
#include "holdfast/command.h"

#define HF_COMMANDS(X)                                                                             \
    X(run)                                                                                         \
    X(planner)                                                                                     \
    X(enactor)                                                                                     \
    X(janitor)                                                                                     \
    X(api)                                                                                         \
    X(status)                                                                                      \
    X(explain)                                                                                     \
    X(history)                                                                                     \
    X(incident)                                                                                    \
    X(statuspage)                                                                                  \
    X(plan)                                                                                        \
    X(check_config)                                                                                \
    X(drain)                                                                                       \
    X(undrain)                                                                                     \
    X(freeze)                                                                                      \
    X(thaw)                                                                                        \
    X(approve)                                                                                     \
    X(adopt)                                                                                       \
    X(retire)                                                                                      \
    X(rollback)                                                                                    \
    X(release)

#define HF_COMMAND_DECLARE(name) extern const struct hf_command hf_command_##name;
HF_COMMANDS(HF_COMMAND_DECLARE)
#undef HF_COMMAND_DECLARE

#define HF_COMMAND_ROW(name) &hf_command_##name,
static const struct hf_command *const commands[] = {HF_COMMANDS(HF_COMMAND_ROW)};
#undef HF_COMMAND_ROW

const struct hf_program hf_program_holdfast = {
    .name = "holdfast",
    .about = "Holdfast keeps DNS endpoints answered.",
    .group_titles = {"Run", "Look", "Change"},
    .is_configured = true,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};
