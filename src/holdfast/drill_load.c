/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which scenarios a command line of holdfast-drill is about.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/quantity.h"
#include "holdfast/drill_program.h"
#include "holdfast/tool.h"

enum { PROBLEMS_CAP = 256 << 10 };

int hf_drill_option_double(const struct hf_invocation *invocation, const char *name,
                           double *ret_value)
{
    const char *text = hf_option_value(invocation, name);
    if (text == NULL) {
        return HF_OK;
    }
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || errno != 0 || !(value > 0) || value > 1e9) {
        (void)hf_command_misuse(invocation, "--%s: found '%s', expected a number above 0", name,
                                text);
        return HF_EINVAL;
    }
    *ret_value = value;
    return HF_OK;
}

int hf_drill_option_hosts(const struct hf_invocation *invocation, uint64_t *ret_hosts)
{
    const char *text = hf_option_value(invocation, "hosts");
    double hosts = 0;
    if (text == NULL) {
        return HF_OK;
    }
    if (hf_quantity_parse(text, HF_QUANTITY_COUNT, &hosts) != HF_OK || hosts < 1 ||
        hosts > HF_DRILL_HOLDERS_MAX || hosts != (double)(uint64_t)hosts) {
        (void)hf_command_misuse(invocation, "--hosts: found '%s', expected 1 to 20M, such as 10k",
                                text);
        return HF_EINVAL;
    }
    *ret_hosts = (uint64_t)hosts;
    return HF_OK;
}

static struct hf_drill_file *open_once(const struct hf_invocation *invocation, const char *path,
                                       const struct hf_drill_choice *choice)
{
    struct hf_drill_file *file = NULL;
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_CAP);
    int error = hf_drill_file_read(path, choice, &file, &problems);
    if (problems.size > 0) {
        hf_term_put(&invocation->err, error == HF_OK ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%s",
                    hf_buf_text(&problems));
    }
    hf_buf_release(&problems);
    return error == HF_OK ? file : NULL;
}

struct hf_drill_file *hf_drill_open(const struct hf_invocation *invocation, const char *path,
                                    struct hf_drill_choice *choice, uint64_t hosts)
{
    struct hf_drill_file *file = open_once(invocation, path, choice);
    if (file == NULL || hosts == 0) {
        return file;
    }
    double base = choice->scale > 0 ? choice->scale : 1;
    uint64_t before = file->hosts;
    hf_drill_file_free(file);
    if (before == 0) {
        (void)hf_command_fail(invocation, "%s: found neither leases nor users, which hosts count",
                              path);
        return NULL;
    }
    choice->scale = base * (double)hosts / (double)before;
    return open_once(invocation, path, choice);
}

/* One more variant of the file. */
static int add_variant(const struct hf_invocation *invocation, struct hf_drill_set *set,
                       const char *path, const char *remedies, uint64_t hosts)
{
    if (set->count == HF_DRILL_RUNS_MAX) {
        return hf_command_misuse(invocation, "more than %d runs at a time", HF_DRILL_RUNS_MAX);
    }
    struct hf_drill_variant *variant = &set->variants[set->count];
    bool is_plain = remedies == NULL || strcmp(remedies, "none") == 0;
    struct hf_drill_choice choice = {.remedies = is_plain ? NULL : remedies,
                                     .settings = set->settings,
                                     .setting_count = set->setting_count,
                                     .scale = set->scale};
    variant->file = hf_drill_open(invocation, path, &choice, hosts);
    if (variant->file == NULL) {
        return HF_EXIT_FAILED;
    }
    variant->scale = choice.scale;
    (void)snprintf(variant->remedies, sizeof(variant->remedies), "%s",
                   is_plain ? "none" : remedies);
    (void)snprintf(variant->label, sizeof(variant->label), "%s%s%s", variant->file->scenario.label,
                   is_plain ? "" : ", ", is_plain ? "" : remedies);
    set->count++;
    return HF_EXIT_DONE;
}

/* The file as it is, with each of its remedies alone, and with all of them. */
static int add_each(const struct hf_invocation *invocation, struct hf_drill_set *set,
                    const char *path, uint64_t hosts)
{
    int status = add_variant(invocation, set, path, NULL, hosts);
    if (status != HF_EXIT_DONE) {
        return status;
    }
    const struct hf_drill_file *first = set->variants[set->count - 1].file;
    for (uint32_t i = 0; i < first->remedy_count && status == HF_EXIT_DONE; i++) {
        status = add_variant(invocation, set, path, first->remedies[i].name, hosts);
    }
    return status == HF_EXIT_DONE && first->remedy_count > 1
               ? add_variant(invocation, set, path, "all", hosts)
               : status;
}

static int add_file(const struct hf_invocation *invocation, struct hf_drill_set *set,
                    const char *path, uint64_t hosts)
{
    const char *with = hf_option_value(invocation, "with");
    int status = HF_EXIT_DONE;
    if (with == NULL) {
        return add_variant(invocation, set, path, NULL, hosts);
    }
    while (status == HF_EXIT_DONE && *with != 0) {
        char remedies[HF_DRILL_RUN_LABEL_MAX];
        size_t size = strcspn(with, ",");
        (void)snprintf(remedies, sizeof(remedies), "%.*s", (int)size, with);
        status = strcmp(remedies, "each") == 0
                     ? add_each(invocation, set, path, hosts)
                     : add_variant(invocation, set, path, remedies, hosts);
        with += size + (with[size] == ',');
    }
    return status;
}

/* KEY=VALUE; true when the argument is one. Texts are cut in place. */
static bool take_setting(struct hf_drill_set *set, char *argument, const char **ranges,
                         uint32_t *range_count)
{
    char *equals = strchr(argument, '=');
    if (equals == NULL) {
        return false;
    }
    if (ranges != NULL && strstr(equals, "..") != NULL) {
        if (*range_count < HF_DRILL_SETTINGS_MAX) {
            ranges[(*range_count)++] = argument;
        }
        return true;
    }
    if (set->setting_count < HF_DRILL_SETTINGS_MAX) {
        *equals = 0;
        set->settings[set->setting_count++] =
            (struct hf_drill_setting){.path = argument, .value = equals + 1};
    }
    return true;
}

int hf_drill_set_read(const struct hf_invocation *invocation, struct hf_drill_set *set,
                      const char **ret_ranges, uint32_t *ret_range_count)
{
    const char *paths[HF_DRILL_RUNS_MAX];
    uint32_t path_count = 0;
    uint64_t hosts = 0;
    *set = (struct hf_drill_set){.scale = 1};
    if (hf_drill_option_hosts(invocation, &hosts) != HF_OK ||
        hf_drill_option_double(invocation, "scale", &set->scale) != HF_OK) {
        return HF_EXIT_USAGE;
    }
    for (int i = 0; i < invocation->argument_count; i++) {
        char *argument = invocation->arguments[i];
        if (take_setting(set, argument, ret_ranges, ret_range_count)) {
            continue;
        }
        if (path_count == HF_DRILL_RUNS_MAX) {
            return hf_command_misuse(invocation, "more than %d files", HF_DRILL_RUNS_MAX);
        }
        paths[path_count++] = argument;
    }
    if (path_count == 0) {
        return hf_command_misuse(invocation, "found no scenario, expected a file");
    }
    int status = HF_EXIT_DONE;
    for (uint32_t i = 0; i < path_count && status == HF_EXIT_DONE; i++) {
        status = add_file(invocation, set, paths[i], hosts);
    }
    if (status != HF_EXIT_DONE) {
        hf_drill_set_free(set);
    }
    return status;
}

const char *hf_drill_set_title(const struct hf_drill_set *set, uint32_t run)
{
    bool is_one_file = set->count > 1;
    for (uint32_t i = 1; i < set->count; i++) {
        is_one_file =
            is_one_file && strcmp(set->variants[i].file->path, set->variants[0].file->path) == 0;
    }
    return is_one_file ? set->variants[run].remedies : set->variants[run].label;
}

void hf_drill_set_free(struct hf_drill_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        hf_drill_file_free(set->variants[i].file);
    }
    set->count = 0;
}
