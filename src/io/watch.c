/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/index.h"

enum { PROBLEMS_MAX = 64 * 1024 };

struct hf_watch {
    uv_timer_t timer;
    const struct hf_config *config;
    struct hf_log *log;
    hf_watch_changed *changed;
    void *context;
    bool fleet;
    uint64_t seen; /* hash over what stat says of all files */
};

static uint64_t look_at(const char *path)
{
    struct stat status;
    uint64_t facts[5] = {0};
    if (stat(path, &status) == 0) {
        facts[0] = (uint64_t)status.st_ino;
        facts[1] = (uint64_t)status.st_size;
        facts[2] = (uint64_t)status.st_mtim.tv_sec;
        facts[3] = (uint64_t)status.st_mtim.tv_nsec;
        facts[4] = (uint64_t)status.st_dev;
    }
    return hf_hash64(facts, sizeof(facts));
}

static uint64_t look(const struct hf_watch *watch)
{
    uint64_t sum = look_at(watch->config->path);
    for (uint32_t i = 0; watch->fleet && i < watch->config->file_count; i++) {
        sum = sum * 31 + look_at(watch->config->files[i]);
    }
    return sum;
}

static void log_problems(struct hf_watch *watch, struct hf_buf *problems)
{
    const char *text = hf_buf_text(problems);
    while (*text != 0) {
        size_t size = strcspn(text, "\n");
        hf_log(watch->log, HF_LOG_ERROR, "config_wrong", "problem=%.*s", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct hf_watch *watch = timer->data;
    uint64_t seen = look(watch);
    if (seen == watch->seen) {
        return;
    }
    watch->seen = seen;
    struct hf_buf problems;
    hf_buf_init(&problems, PROBLEMS_MAX);
    struct hf_config *trial = NULL;
    int error = hf_config_read_again(watch->config, &trial, &problems);
    if (error == HF_OK) {
        hf_config_free(trial);
        watch->changed(watch->context);
    } else {
        log_problems(watch, &problems);
    }
    hf_buf_release(&problems);
}

void hf_watch_start(uv_loop_t *loop, const struct hf_config *config, bool fleet, struct hf_log *log,
                    hf_watch_changed *changed, void *context, struct hf_watch **ret_watch)
{
    struct hf_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        abort();
    }
    watch->config = config;
    watch->log = log;
    watch->changed = changed;
    watch->context = context;
    watch->fleet = fleet;
    watch->seen = look(watch);
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_timer, HF_WATCH_POLL_MS, HF_WATCH_POLL_MS);
    *ret_watch = watch;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void hf_watch_stop(struct hf_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, on_closed);
}
