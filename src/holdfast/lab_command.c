/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/lab_command.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/distance.h"

enum { NAME_SIZE = 64, DISTANCE_MAX = 2 };

/* One argument: an option, or a word that is none (name is empty then). */
struct argument {
    char name[NAME_SIZE];
    const char *value; /* of an option that takes one; NULL: it is missing */
    const char *word;
};

struct scan {
    int argc, at;
    char **argv;
    const struct hf_lab_command *command; /* NULL: not known yet */
};

struct choices {
    enum hf_colour_choice colour;
    bool wants_help, wants_version;
};

static const struct hf_lab_flag *find_flag(const struct hf_lab_command *command, const char *name,
                                           size_t *ret_at)
{
    for (size_t i = 0; command != NULL && command->flags[i].name != NULL; i++) {
        assert(i < HF_LAB_FLAGS_MAX);
        if (strcmp(command->flags[i].name, name) == 0) {
            *ret_at = i;
            return &command->flags[i];
        }
    }
    return NULL;
}

static bool takes_value(const struct hf_lab_command *command, const char *name)
{
    size_t at = 0;
    const struct hf_lab_flag *flag = find_flag(command, name, &at);
    bool is_switch = flag != NULL && flag->kind == HF_LAB_SWITCH;
    return !is_switch && strcmp(name, "help") != 0 && strcmp(name, "version") != 0;
}

/* False after the last one. */
static bool next_argument(struct scan *scan, struct argument *ret_argument)
{
    if (scan->at == scan->argc) {
        return false;
    }
    const char *text = scan->argv[scan->at++];
    *ret_argument = (struct argument){.word = text};
    if (strcmp(text, "-h") == 0 || strcmp(text, "-V") == 0) {
        (void)snprintf(ret_argument->name, NAME_SIZE, "%s", text[1] == 'h' ? "help" : "version");
        return true;
    }
    if (text[0] != '-' || text[1] == '\0') {
        return true;
    }
    const char *name = text + 1 + (text[1] == '-');
    const char *equals = strchrnul(name, '=');
    (void)snprintf(ret_argument->name, NAME_SIZE, "%.*s", (int)(equals - name), name);
    if (*equals != '\0') {
        ret_argument->value = equals + 1;
    } else if (takes_value(scan->command, ret_argument->name) && scan->at < scan->argc) {
        ret_argument->value = scan->argv[scan->at++];
    }
    return true;
}

static void say(const struct hf_lab_call *call, const char *format, va_list arguments)
{
    char text[4096];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    const char *name = call->command != NULL ? call->command->name : "";
    hf_term_put(&call->err, HF_STYLE_BAD, "holdfast-lab%s%s:", name[0] != '\0' ? " " : "", name);
    hf_term_put(&call->err, HF_STYLE_PLAIN, " %s\n", text);
}

int hf_lab_fail(const struct hf_lab_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(call, format, arguments);
    va_end(arguments);
    return HF_LAB_FAILED;
}

int hf_lab_misuse(const struct hf_lab_call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(call, format, arguments);
    va_end(arguments);
    const char *name = call->command != NULL ? call->command->name : "";
    const char *model = call->world.kind != NULL ? call->world.kind->name : "";
    hf_term_put(&call->err, HF_STYLE_DIM, "See holdfast-lab%s%s%s%s --help.\n",
                name[0] != '\0' ? " " : "", name, model[0] != '\0' ? " " : "", model);
    return HF_LAB_USAGE;
}

static bool parse_number(const char *text, bool is_size, uint64_t *ret_number)
{
    static const char units[] = "KMGT";
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (at == text) {
        return false;
    }
    const char *unit = is_size && *at != '\0' ? strchr(units, *at) : NULL;
    if (unit != NULL) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (number > UINT64_MAX >> shift) {
            return false;
        }
        number <<= shift;
        at++;
    }
    *ret_number = number;
    return *at == '\0';
}

static int take_flag(struct hf_lab_call *call, const struct hf_lab_flag *flag, size_t at,
                     const char *value)
{
    uint64_t number = 0;
    call->texts[at] = flag->kind == HF_LAB_SWITCH ? "" : value;
    if (flag->kind == HF_LAB_NUMBER || flag->kind == HF_LAB_SIZE) {
        bool is_size = flag->kind == HF_LAB_SIZE;
        if (!parse_number(value, is_size, &number) || number < flag->min || number > flag->max) {
            return hf_lab_misuse(
                call, "--%s: found '%s', expected a %s %" PRIu64 " to %" PRIu64, flag->name, value,
                is_size ? "size (a number, and K, M, G or T)" : "number", flag->min, flag->max);
        }
        call->numbers[at] = number;
    }
    return HF_LAB_DONE;
}

static int take_model_option(struct hf_lab_call *call, const struct hf_lab_option *option,
                             const char *value)
{
    uint64_t number = 0;
    if (!parse_number(value, false, &number) || number < option->min || number > option->max) {
        return hf_lab_misuse(call, "--%s: found '%s', expected a number %" PRIu32 " to %" PRIu32,
                             option->name, value, option->min, option->max);
    }
    *hf_lab_option_at(&call->world, option) = (uint32_t)number;
    return HF_LAB_DONE;
}

/* One of the options that every subcommand has. */
static int take_common(struct hf_lab_call *call, struct choices *choices, const char *name,
                       const char *value)
{
    static const char *const colours[] = {"auto", "always", "never"};
    if (strcmp(name, "output") == 0) {
        call->json = strcmp(value, "json") == 0;
        return call->json || strcmp(value, "text") == 0
                   ? HF_LAB_DONE
                   : hf_lab_misuse(call, "--output: found '%s', expected text or json", value);
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, colours[i]) == 0) {
            choices->colour = (enum hf_colour_choice)i;
            return HF_LAB_DONE;
        }
    }
    return hf_lab_misuse(call, "--color: found '%s', expected auto, always or never", value);
}

/* The name of an option that was perhaps meant, or NULL. */
static const char *nearest_option(const struct hf_lab_call *call, const char *name)
{
    const char *nearest = NULL;
    size_t best = DISTANCE_MAX + 1;
    const struct hf_lab_flag *flags = call->command->flags;
    for (size_t i = 0; flags[i].name != NULL; i++) {
        size_t far = hf_distance(name, flags[i].name);
        nearest = far < best ? flags[i].name : nearest;
        best = far < best ? far : best;
    }
    const struct hf_lab_option *option =
        call->world.kind != NULL ? call->world.kind->options : NULL;
    for (; option != NULL && option->name != NULL; option++) {
        size_t far = hf_distance(name, option->name);
        nearest = far < best ? option->name : nearest;
        best = far < best ? far : best;
    }
    return nearest;
}

static int refuse_option(const struct hf_lab_call *call, const char *name, bool is_long)
{
    const char *nearest = call->command != NULL ? nearest_option(call, name) : NULL;
    const char *dashes = is_long ? "--" : "-";
    if (nearest != NULL) {
        return hf_lab_misuse(call, "no option %s%s; did you mean --%s?", dashes, name, nearest);
    }
    return hf_lab_misuse(call, "no option %s%s", dashes, name);
}

static int take_option(struct hf_lab_call *call, struct choices *choices,
                       const struct argument *argument)
{
    const char *name = argument->name, *value = argument->value;
    bool is_long = strncmp(argument->word, "--", 2) == 0;
    if (strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
        choices->wants_help |= name[0] == 'h';
        choices->wants_version |= name[0] == 'v';
        return HF_LAB_DONE;
    }
    size_t at = 0;
    const struct hf_lab_flag *flag = find_flag(call->command, name, &at);
    const struct hf_lab_option *option =
        call->world.kind != NULL ? hf_lab_option_find(call->world.kind, name) : NULL;
    bool is_common = strcmp(name, "output") == 0 || strcmp(name, "color") == 0;
    if (!is_long || (!is_common && flag == NULL && option == NULL)) {
        return refuse_option(call, name, is_long);
    }
    bool is_switch = flag != NULL && flag->kind == HF_LAB_SWITCH;
    if (is_switch != (value == NULL)) {
        return hf_lab_misuse(call, is_switch ? "--%s takes no value" : "--%s needs a value", name);
    }
    if (flag != NULL) {
        return take_flag(call, flag, at, value);
    }
    return option != NULL ? take_model_option(call, option, value)
                          : take_common(call, choices, name, value);
}

static int find_command(struct hf_lab_call *call, const char *name)
{
    const char *nearest = NULL;
    size_t best = DISTANCE_MAX + 1, count = 0;
    const struct hf_lab_command *const *commands = hf_lab_commands(&count);
    for (size_t i = 0; i < count; i++) {
        size_t far = hf_distance(name, commands[i]->name);
        if (far == 0) {
            call->command = commands[i];
            return HF_LAB_DONE;
        }
        nearest = far < best ? commands[i]->name : nearest;
        best = far < best ? far : best;
    }
    return nearest != NULL
               ? hf_lab_misuse(call, "no command '%s'; did you mean '%s'?", name, nearest)
               : hf_lab_misuse(call, "no command '%s'", name);
}

static int find_subject(struct hf_lab_call *call, const char *word)
{
    if (call->command->subject == HF_LAB_OF_FILE) {
        call->file = word;
        return HF_LAB_DONE;
    }
    const struct hf_lab_model *kind = hf_lab_model_find(word);
    if (kind != NULL) {
        hf_lab_world_init(&call->world, kind);
        return HF_LAB_DONE;
    }
    char names[1024] = "";
    size_t count = 0, size = 0;
    const struct hf_lab_model *models = hf_lab_models(&count);
    for (size_t i = 0; i < count && size < sizeof(names); i++) {
        size += (size_t)snprintf(names + size, sizeof(names) - size, "%s%s", i > 0 ? ", " : "",
                                 models[i].name);
    }
    return hf_lab_misuse(call, "found model '%s', expected one of: %s", word, names);
}

/* The words that are not options: subcommand and subject. */
static int take_words(struct hf_lab_call *call, int argc, char **argv)
{
    struct scan scan = {.argc = argc, .at = 1, .argv = argv};
    struct argument argument;
    bool has_subject = false;
    while (next_argument(&scan, &argument)) {
        if (argument.name[0] != '\0') {
            continue;
        }
        int status = HF_LAB_DONE;
        if (call->command == NULL) {
            status = find_command(call, argument.word);
            scan.command = call->command;
        } else if (!has_subject && call->command->subject != HF_LAB_OF_NOTHING) {
            status = find_subject(call, argument.word);
            has_subject = true;
        } else {
            status = hf_lab_misuse(call, "unexpected argument '%s'", argument.word);
        }
        if (status != HF_LAB_DONE) {
            return status;
        }
    }
    return HF_LAB_DONE;
}

static int take_options(struct hf_lab_call *call, struct choices *choices, int argc, char **argv)
{
    struct scan scan = {.argc = argc, .at = 1, .argv = argv, .command = call->command};
    struct argument argument;
    while (next_argument(&scan, &argument)) {
        if (argument.name[0] != '\0' && take_option(call, choices, &argument) != HF_LAB_DONE) {
            return HF_LAB_USAGE;
        }
    }
    return HF_LAB_DONE;
}

static int call_command(struct hf_lab_call *call)
{
    enum hf_lab_subject subject = call->command->subject;
    bool is_of_model = subject == HF_LAB_OF_MODEL;
    if (is_of_model ? call->world.kind == NULL : subject == HF_LAB_OF_FILE && call->file == NULL) {
        return hf_lab_misuse(call, "expected a %s: holdfast-lab %s %s",
                             is_of_model ? "model" : "file", call->command->name,
                             is_of_model ? "MODEL" : "FILE");
    }
    const char *problem = is_of_model ? hf_lab_world_make(&call->world) : NULL;
    if (problem != NULL) {
        return hf_lab_misuse(call, "%s", problem);
    }
    int status = call->command->run(call);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)hf_lab_fail(call, "cannot write standard output");
        return status == HF_LAB_DONE ? HF_LAB_FAILED : status;
    }
    return status;
}

int hf_lab_main(int argc, char **argv)
{
    struct hf_lab_call call = {.command = NULL};
    struct choices choices = {.colour = HF_COLOUR_AUTO};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error like a full disk */
    hf_term_init(&call.out, stdout, HF_COLOUR_AUTO);
    hf_term_init(&call.err, stderr, HF_COLOUR_AUTO);
    if (take_words(&call, argc, argv) != HF_LAB_DONE ||
        take_options(&call, &choices, argc, argv) != HF_LAB_DONE) {
        return HF_LAB_USAGE;
    }
    hf_term_init(&call.out, stdout, choices.colour);
    hf_term_init(&call.err, stderr, choices.colour);
    if (choices.wants_version) {
        hf_term_put(&call.out, HF_STYLE_PLAIN, "holdfast-lab %s\n", HF_VERSION);
        return HF_LAB_DONE;
    }
    if (choices.wants_help || call.command == NULL) {
        hf_lab_help(choices.wants_help ? &call.out : &call.err, call.command, call.world.kind);
        return choices.wants_help ? HF_LAB_DONE : HF_LAB_USAGE;
    }
    return call_command(&call);
}

uint64_t hf_lab_number(const struct hf_lab_call *call, const char *name, uint64_t standard)
{
    size_t at = 0;
    const struct hf_lab_flag *flag = find_flag(call->command, name, &at);
    assert(flag != NULL);
    return call->texts[at] != NULL ? call->numbers[at] : standard;
}

const char *hf_lab_text(const struct hf_lab_call *call, const char *name)
{
    size_t at = 0;
    const struct hf_lab_flag *flag = find_flag(call->command, name, &at);
    assert(flag != NULL);
    return call->texts[at];
}
