/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "holdfast/command_help.h"

static const char *const default_configs[] = {"./holdfast.yaml", "/etc/holdfast/holdfast.yaml"};

enum {
    COMMON_COUNT = 8,
    FIRST_LONG = 256, /* getopt's values of options without a letter */
    OWN_FIRST = 512,  /* its values of the subcommand's options */
    LETTERS_MAX = 3 * (COMMON_COUNT + HF_COMMAND_OPTIONS_MAX) + 2,
};

enum common {
    COMMON_CONFIG = 'c',
    COMMON_HELP = 'h',
    COMMON_VERSION = 'V',
    COMMON_OUTPUT = FIRST_LONG,
    COMMON_COLOUR,
    COMMON_LOG_LEVEL,
    COMMON_LOG_FORMAT,
    COMMON_DIRECT,
};

/* What getopt_long wants, made from the two tables. */
struct parser {
    struct option options[COMMON_COUNT + HF_COMMAND_OPTIONS_MAX + 1];
    char letters[LETTERS_MAX];
};

struct choices {
    enum hf_colour_choice colour;
    bool wants_help, wants_version;
};

static void make_parser(struct parser *parser, const struct hf_program *program,
                        const struct hf_command *command)
{
    static const struct option common[COMMON_COUNT] = {
        {"help", no_argument, NULL, COMMON_HELP},
        {"version", no_argument, NULL, COMMON_VERSION},
        {"output", required_argument, NULL, COMMON_OUTPUT},
        {"color", required_argument, NULL, COMMON_COLOUR},
        {"config", required_argument, NULL, COMMON_CONFIG}, /* from here: configured programs */
        {"log-level", required_argument, NULL, COMMON_LOG_LEVEL},
        {"log-format", required_argument, NULL, COMMON_LOG_FORMAT},
        {"direct", no_argument, NULL, COMMON_DIRECT},
    };
    size_t count = program->is_configured ? COMMON_COUNT : COMMON_COUNT - HF_COMMAND_CONFIGURED;
    *parser = (struct parser){.letters = "hV"};
    memcpy(parser->options, common, count * sizeof(common[0]));
    size_t letters = strlen(parser->letters);
    if (program->is_configured) {
        memcpy(parser->letters + letters, "c:", 3);
        letters += 2;
    }
    if (command == NULL) {
        /* What follows the subcommand's name is not looked at yet. */
        memmove(parser->letters + 1, parser->letters, letters + 1);
        parser->letters[0] = '+';
        return;
    }
    const struct hf_option *own = command->options;
    for (int i = 0; own != NULL && own[i].name != NULL; i++) {
        assert(i < HF_COMMAND_OPTIONS_MAX);
        int has_arg = own[i].argument != NULL ? required_argument : no_argument;
        parser->options[count + (size_t)i] =
            (struct option){own[i].name, has_arg, NULL, OWN_FIRST + i};
        if (own[i].letter != 0) {
            parser->letters[letters++] = own[i].letter;
            if (has_arg == required_argument) {
                parser->letters[letters++] = ':';
            }
        }
    }
}

static int choose_colour(const char *text, enum hf_colour_choice *ret_choice)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_choice = (enum hf_colour_choice)i;
            return HF_OK;
        }
    }
    return HF_EINVAL;
}

static int take_common(struct hf_invocation *invocation, struct choices *choices, int value,
                       const char *text)
{
    const char *expected = NULL;
    switch (value) {
    case COMMON_CONFIG:
        invocation->config_path = text;
        break;
    case COMMON_HELP:
        choices->wants_help = true;
        break;
    case COMMON_VERSION:
        choices->wants_version = true;
        break;
    case COMMON_DIRECT:
        invocation->direct = true;
        break;
    case COMMON_OUTPUT:
        invocation->json = strcmp(text, "json") == 0;
        expected = invocation->json || strcmp(text, "text") == 0 ? NULL : "text or json";
        break;
    case COMMON_COLOUR:
        expected = choose_colour(text, &choices->colour) == HF_OK ? NULL : "auto, always or never";
        break;
    case COMMON_LOG_LEVEL:
        expected = hf_log_level_parse(text, &invocation->log_level) == HF_OK
                       ? NULL
                       : "debug, info, warning or error";
        break;
    case COMMON_LOG_FORMAT:
        invocation->log_format = text;
        expected =
            strcmp(text, "auto") == 0 || strcmp(text, "logfmt") == 0 || strcmp(text, "json") == 0
                ? NULL
                : "auto, logfmt or json";
        break;
    default:
        return HF_EINVAL; /* getopt said what is wrong */
    }
    if (expected != NULL) {
        hf_term_put(&invocation->err, HF_STYLE_BAD, "%s: found '%s', expected %s\n",
                    invocation->program->name, text, expected);
        return HF_EINVAL;
    }
    return HF_OK;
}

/* Index of a subcommand's option in its table, from getopt's value; -1: none of its own. */
static int own_option(const struct hf_command *command, int value)
{
    if (command == NULL || command->options == NULL || value == '?') {
        return -1;
    }
    for (int i = 0; command->options[i].name != NULL; i++) {
        if (value == OWN_FIRST + i || value == command->options[i].letter) {
            return i;
        }
    }
    return -1;
}

/* Parses up to the subcommand's name (command NULL) or all options of a subcommand. */
static int parse(struct hf_invocation *invocation, struct choices *choices, int argc, char **argv)
{
    struct parser parser;
    make_parser(&parser, invocation->program, invocation->command);
    optind = 0; /* glibc: begin anew */
    for (;;) {
        int value = getopt_long(argc, argv, parser.letters, parser.options, NULL);
        if (value == -1) {
            break;
        }
        int own = own_option(invocation->command, value);
        if (own >= 0) {
            invocation->values[own] = optarg != NULL ? optarg : "";
        } else if (take_common(invocation, choices, value, optarg != NULL ? optarg : "") != HF_OK) {
            return HF_EINVAL;
        }
    }
    invocation->arguments = argv + optind;
    invocation->argument_count = argc - optind;
    return HF_OK;
}

static const char *find_config(void)
{
    for (size_t i = 0; i < sizeof(default_configs) / sizeof(default_configs[0]); i++) {
        if (access(default_configs[i], F_OK) == 0) {
            return default_configs[i];
        }
    }
    return default_configs[0];
}

static const struct hf_command *find_command(const struct hf_program *program, const char *name)
{
    for (size_t i = 0; i < program->command_count; i++) {
        if (strcmp(program->commands[i]->name, name) == 0) {
            return program->commands[i];
        }
    }
    return NULL;
}

static int refuse_unknown(const struct hf_invocation *invocation, const char *name)
{
    const char *nearest = hf_help_nearest(invocation->program, name);
    hf_term_put(&invocation->err, HF_STYLE_BAD, "%s: no command '%s'", invocation->program->name,
                name);
    if (nearest != NULL) {
        hf_term_put(&invocation->err, HF_STYLE_PLAIN, "; did you mean '%s'?\n", nearest);
    } else {
        hf_term_put(&invocation->err, HF_STYLE_PLAIN, "; see %s --help\n",
                    invocation->program->name);
    }
    return HF_EXIT_USAGE;
}

static int call(struct hf_invocation *invocation)
{
    const struct hf_command *command = invocation->command;
    int count = invocation->argument_count;
    if (count < command->arguments_min) {
        return hf_command_misuse(invocation, "found %d arguments, expected %s", count,
                                 command->arguments);
    }
    if (count > command->arguments_max) {
        return hf_command_misuse(invocation, "unexpected argument '%s'",
                                 invocation->arguments[command->arguments_max]);
    }
    int status = HF_EXIT_FAILED;
    if (invocation->direct || command->remote == NULL || !command->remote(invocation, &status)) {
        status = command->run(invocation);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        hf_term_put(&invocation->err, HF_STYLE_BAD, "%s: cannot write standard output\n",
                    invocation->program->name);
        return status == HF_EXIT_DONE ? HF_EXIT_FAILED : status;
    }
    return status;
}

/* The part of the command line behind the subcommand's name. */
static int run_subcommand(struct hf_invocation *invocation, struct choices *choices)
{
    int argc = invocation->argument_count;
    char **argv = invocation->arguments;
    const char *name = argv[0];
    if (strcmp(name, "help") == 0) {
        choices->wants_help = true;
        name = argc > 1 ? argv[1] : NULL;
        argc = 1;
    }
    invocation->command = name != NULL ? find_command(invocation->program, name) : NULL;
    if (name != NULL && invocation->command == NULL) {
        return refuse_unknown(invocation, name);
    }
    char title[64];
    (void)snprintf(title, sizeof(title), "%s%s%s", invocation->program->name,
                   name != NULL ? " " : "", name != NULL ? name : "");
    argv[0] = title; /* what getopt begins its messages with */
    if (parse(invocation, choices, argc, argv) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    hf_term_init(&invocation->out, stdout, choices->colour);
    hf_term_init(&invocation->err, stderr, choices->colour);
    if (choices->wants_help) {
        hf_help_print(&invocation->out, invocation->program, invocation->command);
        return HF_EXIT_DONE;
    }
    if (choices->wants_version) {
        hf_help_version(&invocation->out, invocation->program);
        return HF_EXIT_DONE;
    }
    return call(invocation);
}

int hf_program_main(const struct hf_program *program, int argc, char **argv)
{
    struct hf_invocation invocation = {.program = program, .log_level = HF_LOG_INFO};
    struct choices choices = {.colour = HF_COLOUR_AUTO};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error like a full disk */
    char title[64];
    (void)snprintf(title, sizeof(title), "%s", program->name);
    if (argc > 0) {
        argv[0] = title;
    }
    hf_term_init(&invocation.out, stdout, HF_COLOUR_AUTO);
    hf_term_init(&invocation.err, stderr, HF_COLOUR_AUTO);
    if (parse(&invocation, &choices, argc, argv) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    if (program->is_configured && invocation.config_path == NULL) {
        invocation.config_path = find_config();
    }
    if (invocation.argument_count > 0) {
        return run_subcommand(&invocation, &choices);
    }
    if (choices.wants_version) {
        hf_help_version(&invocation.out, program);
        return HF_EXIT_DONE;
    }
    hf_help_print(choices.wants_help ? &invocation.out : &invocation.err, program, NULL);
    return choices.wants_help ? HF_EXIT_DONE : HF_EXIT_USAGE;
}

const char *hf_option_value(const struct hf_invocation *invocation, const char *name)
{
    const struct hf_option *options = invocation->command->options;
    for (int i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return invocation->values[i];
        }
    }
    assert(!"an option that the subcommand does not have");
    return NULL;
}

bool hf_option_given(const struct hf_invocation *invocation, const char *name)
{
    return hf_option_value(invocation, name) != NULL;
}

int hf_option_number(const struct hf_invocation *invocation, const char *name, uint64_t low,
                     uint64_t high, uint64_t *ret_number)
{
    const char *text = hf_option_value(invocation, name);
    if (text == NULL) {
        return HF_OK;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool is_digits = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
    if (!is_digits || errno != 0 || number < low || number > high) {
        (void)hf_command_misuse(invocation, "--%s: found '%s', expected a number %llu to %llu",
                                name, text, (unsigned long long)low, (unsigned long long)high);
        return HF_EINVAL;
    }
    *ret_number = number;
    return HF_OK;
}

static void say(const struct hf_invocation *invocation, const char *format, va_list arguments)
{
    char text[4096];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    hf_term_put(&invocation->err, HF_STYLE_BAD, "%s %s:", invocation->program->name,
                invocation->command->name);
    hf_term_put(&invocation->err, HF_STYLE_PLAIN, " %s\n", text);
}

int hf_command_fail(const struct hf_invocation *invocation, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(invocation, format, arguments);
    va_end(arguments);
    return HF_EXIT_FAILED;
}

int hf_command_misuse(const struct hf_invocation *invocation, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(invocation, format, arguments);
    va_end(arguments);
    hf_term_put(&invocation->err, HF_STYLE_DIM, "See %s %s --help.\n", invocation->program->name,
                invocation->command->name);
    return HF_EXIT_USAGE;
}
