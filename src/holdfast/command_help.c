/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/command_help.h"

#include <string.h>

#include "base/distance.h"

enum {
    DISTANCE_MAX = 2, /* typing errors that are forgiven */
};

/* The first HF_COMMAND_CONFIGURED are of programs that have a configuration. */
static const struct hf_option common_options[] = {
    {"config", 'c', "FILE", "Read this (./holdfast.yaml, /etc/holdfast/holdfast.yaml)"},
    {"log-level", 0, "LEVEL", "debug, info, warning or error (info)"},
    {"log-format", 0, "FORM", "auto, logfmt or json (as configured)"},
    {"direct", 0, NULL, "Ask no daemon that runs: read and write the store itself"},
    {"output", 0, "FORMAT", "text or json (text)"},
    {"color", 0, "WHEN", "auto, always or never; NO_COLOR means never (auto)"},
    {"help", 'h', NULL, "Print this and exit"},
    {"version", 'V', NULL, "Print the version and exit"},
    {NULL, 0, NULL, NULL},
};

static void print_options(const struct hf_term *term, const char *title,
                          const struct hf_option *options)
{
    struct hf_table table;
    hf_term_put(term, HF_STYLE_BOLD, "\n%s\n", title);
    hf_table_init(&table, "|");
    for (size_t i = 0; options[i].name != NULL; i++) {
        const struct hf_option *option = &options[i];
        char letter[] = "-x, ";
        letter[1] = option->letter;
        hf_table_put(&table, HF_STYLE_NAME, "%s--%s%s%s", option->letter != 0 ? letter : "    ",
                     option->name, option->argument != NULL ? " " : "",
                     option->argument != NULL ? option->argument : "");
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", option->help);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

static void print_commands(const struct hf_term *term, const struct hf_program *program)
{
    const struct hf_command *const *commands = program->commands;
    for (int group = 0; group < HF_COMMAND_GROUP_COUNT; group++) {
        struct hf_table table;
        hf_table_init(&table, "|");
        /* A row that is as wide as any, so that the groups are aligned with each other. */
        for (size_t i = 0; i < program->command_count; i++) {
            if ((int)commands[i]->group == group) {
                hf_table_put(&table, HF_STYLE_NAME, "%-12s %-14s", commands[i]->name,
                             commands[i]->arguments);
                hf_table_put(&table, HF_STYLE_PLAIN, "%s", commands[i]->summary);
            }
        }
        if (table.cell_count > 0) {
            hf_term_put(term, HF_STYLE_BOLD, "\n%s\n", program->group_titles[group]);
            hf_table_print(&table, term, 2);
        }
        hf_table_release(&table);
    }
}

void hf_help_print(const struct hf_term *term, const struct hf_program *program,
                   const struct hf_command *command)
{
    if (command == NULL) {
        hf_term_put(term, HF_STYLE_BOLD, "Usage");
        hf_term_put(term, HF_STYLE_PLAIN, "  %s COMMAND [options] [arguments]\n\n%s\n",
                    program->name, program->about);
        print_commands(term, program);
    } else {
        hf_term_put(term, HF_STYLE_BOLD, "Usage");
        hf_term_put(term, HF_STYLE_PLAIN, "  %s %s [options]%s%s\n\n", program->name, command->name,
                    command->arguments[0] != '\0' ? " " : "", command->arguments);
        hf_term_put(term, HF_STYLE_PLAIN, "%s %s: %s.\n", program->name, command->name,
                    command->summary);
        if (command->details != NULL) {
            hf_term_put(term, HF_STYLE_PLAIN, "\n%s\n", command->details);
        }
        if (command->options != NULL) {
            print_options(term, "Options", command->options);
        }
    }
    print_options(term, "Common options",
                  common_options + (program->is_configured ? 0 : HF_COMMAND_CONFIGURED));
    hf_term_put(term, HF_STYLE_PLAIN,
                "\nExit status: 0 done, 1 failed, 2 wrong use%s. Manual: %s(1).\n",
                command != NULL && strcmp(command->name, "plan") == 0
                    ? ", 3 changes wait (with --exit-code)"
                    : "",
                program->name);
}

void hf_help_version(const struct hf_term *term, const struct hf_program *program)
{
    hf_term_put(term, HF_STYLE_PLAIN, "%s %s\n", program->name, HF_VERSION);
}

const char *hf_help_nearest(const struct hf_program *program, const char *name)
{
    size_t best = DISTANCE_MAX + 1;
    const char *nearest = NULL;
    const struct hf_command *const *commands = program->commands;
    for (size_t i = 0; i < program->command_count; i++) {
        size_t size = strlen(name);
        bool is_start = size >= 3 && strncmp(commands[i]->name, name, size) == 0;
        size_t far = is_start ? 1 : hf_distance(name, commands[i]->name);
        if (far < best && far < size) {
            best = far;
            nearest = commands[i]->name;
        }
    }
    return nearest;
}
