/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "holdfast/lab_command.h"

static void print_flags(const struct hf_term *term, const struct hf_lab_flag *flags)
{
    static const char *const arguments[] = {[HF_LAB_SWITCH] = "",
                                            [HF_LAB_NUMBER] = " N",
                                            [HF_LAB_SIZE] = " SIZE",
                                            [HF_LAB_TEXT] = " FILE"};
    struct hf_table table;
    hf_term_put(term, HF_STYLE_BOLD, "\nOptions\n");
    hf_table_init(&table, "|");
    for (size_t i = 0; flags[i].name != NULL; i++) {
        hf_table_put(&table, HF_STYLE_NAME, "    --%s%s", flags[i].name, arguments[flags[i].kind]);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", flags[i].help);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

static void print_model_options(const struct hf_term *term, const struct hf_lab_model *model)
{
    struct hf_table table;
    hf_term_put(term, HF_STYLE_BOLD, "\nOptions of model %s\n", model->name);
    hf_table_init(&table, "|");
    for (const struct hf_lab_option *option = model->options; option->name != NULL; option++) {
        hf_table_put(&table, HF_STYLE_NAME, "    --%s N", option->name);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s, %" PRIu32 " to %" PRIu32 " (%" PRIu32 ")",
                     option->help, option->min, option->max, option->standard);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

static void print_models(const struct hf_term *term)
{
    struct hf_table table;
    size_t count = 0;
    const struct hf_lab_model *models = hf_lab_models(&count);
    hf_term_put(term, HF_STYLE_BOLD, "\nModels\n");
    hf_table_init(&table, "|");
    for (size_t i = 0; i < count; i++) {
        hf_table_put(&table, HF_STYLE_NAME, "%-14s", models[i].name);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", models[i].help);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

/* What the command wants beside its name, with a blank before it. */
static const char *subject_of(const struct hf_lab_command *command)
{
    static const char *const names[] = {
        [HF_LAB_OF_MODEL] = " MODEL", [HF_LAB_OF_FILE] = " FILE", [HF_LAB_OF_NOTHING] = ""};
    return names[command->subject];
}

static void print_commands(const struct hf_term *term)
{
    struct hf_table table;
    size_t count = 0;
    const struct hf_lab_command *const *commands = hf_lab_commands(&count);
    hf_term_put(term, HF_STYLE_BOLD, "\nCommands\n");
    hf_table_init(&table, "|");
    for (size_t i = 0; i < count; i++) {
        hf_table_put(&table, HF_STYLE_NAME, "%s%s", commands[i]->name, subject_of(commands[i]));
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", commands[i]->summary);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

static void print_common(const struct hf_term *term)
{
    static const char *const rows[][2] = {
        {"    --output FORMAT", "text or json (text)"},
        {"    --color WHEN", "auto, always or never; NO_COLOR means never (auto)"},
        {"-h, --help", "Print this and exit; beside MODEL also its options"},
        {"-V, --version", "Print the version and exit"},
    };
    struct hf_table table;
    hf_term_put(term, HF_STYLE_BOLD, "\nCommon options\n");
    hf_table_init(&table, "|");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hf_table_put(&table, HF_STYLE_NAME, "%s", rows[i][0]);
        hf_table_put(&table, HF_STYLE_PLAIN, "%s", rows[i][1]);
    }
    hf_table_print(&table, term, 2);
    hf_table_release(&table);
}

void hf_lab_help(const struct hf_term *term, const struct hf_lab_command *command,
                 const struct hf_lab_model *model)
{
    bool is_of_model = command == NULL || command->subject == HF_LAB_OF_MODEL;
    hf_term_put(term, HF_STYLE_BOLD, "Usage");
    if (command == NULL) {
        hf_term_put(term, HF_STYLE_PLAIN, "  holdfast-lab COMMAND [MODEL|FILE] [options]\n\n");
        hf_term_put(term, HF_STYLE_PLAIN,
                    "Searches and simulates worlds in which Holdfast's own code runs.\n");
        print_commands(term);
    } else {
        hf_term_put(term, HF_STYLE_PLAIN, "  holdfast-lab %s%s%s [options]\n\n", command->name,
                    model != NULL ? " " : "", model != NULL ? model->name : subject_of(command));
        hf_term_put(term, HF_STYLE_PLAIN, "holdfast-lab %s: %s.\n\n%s\n", command->name,
                    command->summary, command->details);
        print_flags(term, command->flags);
    }
    if (model != NULL) {
        print_model_options(term, model);
    } else if (is_of_model) {
        print_models(term);
    }
    print_common(term);
    hf_term_put(term, HF_STYLE_PLAIN,
                "\nExit status: 0 done, 1 failed, 2 wrong use. Manual: holdfast-lab(1).\n");
}
