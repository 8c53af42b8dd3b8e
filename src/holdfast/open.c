/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/open.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/folder.h"

enum { PROBLEMS_MAX = 1024 * 1024 };

/* One line per problem: FILE:LINE:COLUMN: text. */
static void print_problems(const struct hf_term *term, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        const char *warning = memmem(text, size, ": warning: ", strlen(": warning: "));
        const char *place_end = memmem(text, size, ": ", 2);
        size_t place = place_end != NULL ? (size_t)(place_end - text) : 0;
        hf_term_put(term, HF_STYLE_BOLD, "%.*s", (int)place, text);
        hf_term_put(term, warning != NULL ? HF_STYLE_WARN : HF_STYLE_BAD, "%.*s\n",
                    (int)(size - place), text + place);
        text += size;
        text += *text == '\n';
    }
}

typedef int config_read(const char *path, struct hf_config **ret_config, struct hf_buf *problems);

static int open_config(const struct hf_invocation *invocation, config_read *read,
                       struct hf_config **ret_config)
{
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_MAX);
    int status = read(invocation->config_path, ret_config, &problems);
    print_problems(&invocation->err, hf_buf_text(&problems));
    if (status == HF_ENOENT && problems.size == 0) {
        (void)hf_command_fail(invocation, "%s: no such file; name a configuration with -c FILE",
                              invocation->config_path);
    } else if (status != HF_OK && problems.size == 0) {
        (void)hf_command_fail(invocation, "%s: %s", invocation->config_path, hf_strerror(status));
    }
    hf_buf_release(&problems);
    return status;
}

int hf_open_config(const struct hf_invocation *invocation, struct hf_config **ret_config)
{
    return open_config(invocation, hf_config_read, ret_config);
}

int hf_open_config_zones(const struct hf_invocation *invocation, struct hf_config **ret_config)
{
    return open_config(invocation, hf_config_read_zones, ret_config);
}

int hf_open_store(const struct hf_invocation *invocation, const struct hf_config *config,
                  bool create, struct hf_store **ret_store)
{
    char why[HF_STORE_WHY_MAX];
    if (create) {
        int status = hf_folder_make_for(config->store_path, why, sizeof(why));
        if (status != HF_OK) {
            (void)hf_command_fail(invocation, "%s", why);
            return status;
        }
    }
    int status = hf_store_open_why(config->store_path, create, why, ret_store);
    if (status != HF_OK) {
        (void)hf_command_fail(invocation, "%s", why);
    }
    return status;
}

void hf_open_log_form(const struct hf_invocation *invocation, const struct hf_config *config,
                      struct hf_log *log)
{
    const char *given = invocation->log_format;
    int error = hf_log_use(log, given != NULL ? given : config->log_format);
    assert(error == HF_OK); /* both were checked when they were read */
}

void hf_open_log(const struct hf_invocation *invocation, const struct hf_config *config,
                 const char *role, struct hf_log *ret_log)
{
    hf_log_init(ret_log, role, invocation->err.colour);
    ret_log->level_min = invocation->log_level;
    hf_open_log_form(invocation, config, ret_log);
}
