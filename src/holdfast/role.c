/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/role.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "holdfast/open.h"
#include "io/signals.h"

enum {
    PROBLEMS_MAX = 64 * 1024,
    FILES_MAX = 65536,         /* descriptors: one for each check under way, and some */
    LARGE_BYTES = 128 * 1024,  /* memory in pieces of this size goes back when it is freed */
    SPARE_BYTES = 1024 * 1024, /* of small pieces, kept for the next ones */
};

/*
 * A plan is read and a zone transferred by way of large buffers that are needed once. The C library
 * takes each as a reason to keep more of the next ones, up to 64 MiB for every thread, where
 * malloc_trim does not reach them. A limit that is set stays.
 */
static void give_memory_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, SPARE_BYTES);
}

/* Checks are what needs descriptors: all that the operating system lets us have. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void log_problems(struct hf_log *log, struct hf_buf *problems)
{
    const char *text = hf_buf_text(problems);
    while (*text != 0) {
        size_t size = strcspn(text, "\n");
        hf_log(log, HF_LOG_ERROR, "config_wrong", "problem=%.*s", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

struct hf_config *hf_role_read_again(struct hf_config *config, struct hf_log *log)
{
    struct hf_config *fresh = NULL;
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_MAX);
    if (hf_config_read_again(config, &fresh, &problems) == HF_OK) {
        hf_log(log, HF_LOG_INFO, "config_read", "path=%s", fresh->path);
        hf_config_free(config);
        config = fresh;
    } else {
        log_problems(log, &problems);
        hf_log(log, HF_LOG_ERROR, "config_kept", "why=%s", "the running configuration goes on");
    }
    hf_buf_release(&problems);
    return config;
}

int hf_role_loop(const struct hf_invocation *invocation, const char *role, bool with_fleet,
                 hf_role_run *run, void *context)
{
    struct hf_config *config = NULL;
    hf_signals_hold();
    int status = with_fleet ? hf_open_config(invocation, &config)
                            : hf_open_config_zones(invocation, &config);
    if (status != HF_OK) {
        return HF_EXIT_FAILED;
    }
    struct hf_log log;
    hf_open_log(invocation, config, role, &log);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    give_memory_back();
    enum hf_role_end end = HF_ROLE_RELOAD;
    int error = HF_OK;
    for (;;) {
        error = run(context, config, &log, &end);
        if (error != HF_OK || end == HF_ROLE_STOPPED) {
            break;
        }
        config = hf_role_read_again(config, &log);
        hf_open_log_form(invocation, config, &log);
    }
    hf_config_free(config);
    hf_log_release(&log);
    return error == HF_OK ? HF_EXIT_DONE : HF_EXIT_FAILED;
}
