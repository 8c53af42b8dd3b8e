/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * State files. One timer for each file starts a look at it in the thread pool; only a file that
 * is another one than at the last look is read. Probes ask the table in memory.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/states.h"
#include "io/check_probe.h"

/* What tells one version of a file from another. */
struct version {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
};

/*
 * A file written twice within one tick of the file system's clock has one time stamp for two
 * contents: one that is this young when it is read is read again.
 */
enum { YOUNG_MS = 50 };

struct hf_check_source {
    struct hf_check_source *next;
    struct hf_checker *checker;
    char *path;
    uint32_t recipe_count;
    uint32_t open_count; /* the timer, and a look under way */
    bool is_looking;
    uv_timer_t timer;
    uv_work_t work;
    /* What the last look found; written by the loop thread only. */
    bool is_read, is_usable, is_young;
    struct version version;
    struct hf_states states;
    char why[HF_CHECK_WHY_MAX]; /* not usable: why */
    /* The look under way; the worker's while is_looking. */
    struct {
        bool is_changed, is_usable, is_young;
        struct version version;
        struct hf_states states;
        char why[HF_CHECK_WHY_MAX];
    } found;
};

static int64_t now_real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t age_ms(const struct version *version)
{
    return now_real_ms() -
           ((int64_t)version->written.tv_sec * 1000 + version->written.tv_nsec / 1000000);
}

static struct version version_of(const struct stat *status)
{
    return (struct version){status->st_dev, status->st_ino, status->st_size, status->st_mtim};
}

static bool is_same(const struct version *left, const struct version *right)
{
    return left->device == right->device && left->inode == right->inode &&
           left->size == right->size && left->written.tv_sec == right->written.tv_sec &&
           left->written.tv_nsec == right->written.tv_nsec;
}

/* All of the file, as it was between two looks at its version; *ret_text is to be freed. */
static int read_whole(int file, const struct version *version, char **ret_text)
{
    size_t size = (size_t)version->size;
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    size_t at = 0;
    int error = HF_OK;
    while (at < size && error == HF_OK) {
        ssize_t got = read(file, text + at, size - at);
        if (got > 0) {
            at += (size_t)got;
        } else if (got == 0) {
            error = HF_ESTALE;
        } else if (errno != EINTR) {
            error = HF_EIO;
        }
    }
    struct stat after;
    if (error == HF_OK && fstat(file, &after) != 0) {
        error = HF_EIO;
    }
    if (error == HF_OK) {
        struct version present = version_of(&after);
        error = is_same(version, &present) ? HF_OK : HF_ESTALE;
    }
    if (error != HF_OK) {
        free(text);
        return error;
    }
    *ret_text = text;
    return HF_OK;
}

static void take(struct hf_check_source *source, int file)
{
    char *text = NULL;
    int error = read_whole(file, &source->found.version, &text);
    if (error != HF_OK) {
        (void)snprintf(source->found.why, HF_CHECK_WHY_MAX, "state file: %s", hf_strerror(error));
        source->found.is_young = true; /* it is being written: look again */
        return;
    }
    struct hf_states_problem problem;
    error =
        hf_states_read(text, (size_t)source->found.version.size, &source->found.states, &problem);
    free(text);
    source->found.is_usable = error == HF_OK;
    if (error != HF_OK) {
        (void)snprintf(source->found.why, HF_CHECK_WHY_MAX, "state file, line %" PRIu32 ": %s",
                       problem.line, problem.why);
    }
}

/* Runs in the thread pool. */
static void look(uv_work_t *work)
{
    struct hf_check_source *source = work->data;
    source->found.is_changed = true;
    source->found.is_usable = false;
    source->found.is_young = false;
    source->found.version = (struct version){0};
    /* Not blocking: the path may lead to a pipe that nobody writes to. */
    int file = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        (void)snprintf(source->found.why, HF_CHECK_WHY_MAX, "state file: %s",
                       uv_strerror(uv_translate_sys_error(errno)));
    } else if (!S_ISREG(status.st_mode)) {
        (void)snprintf(source->found.why, HF_CHECK_WHY_MAX, "state file: not a regular file");
    } else if (status.st_size > HF_STATES_SIZE_MAX) {
        (void)snprintf(source->found.why, HF_CHECK_WHY_MAX, "state file: larger than 64 MiB");
    } else {
        source->found.version = version_of(&status);
        if (source->is_read && !source->is_young &&
            is_same(&source->version, &source->found.version)) {
            source->found.is_changed = false;
        } else {
            source->found.is_young = age_ms(&source->found.version) < YOUNG_MS;
            take(source, file);
        }
    }
    if (file >= 0) {
        (void)close(file);
    }
}

static void let_go(struct hf_check_source *source)
{
    if (--source->open_count > 0) {
        return;
    }
    struct hf_checker *checker = source->checker;
    if (source->is_usable) {
        hf_states_release(&source->states);
    }
    free(source->path);
    free(source);
    hf_check_let_go(checker);
}

static void looked(uv_work_t *work, int status)
{
    (void)status;
    struct hf_check_source *source = work->data;
    source->is_looking = false;
    if (source->found.is_changed) {
        if (source->is_usable) {
            hf_states_release(&source->states);
        }
        source->is_read = true;
        source->is_usable = source->found.is_usable;
        source->is_young = source->found.is_young;
        source->version = source->found.version;
        source->states = source->found.states;
        memcpy(source->why, source->found.why, sizeof source->why);
    }
    let_go(source);
}

static void start_look(uv_timer_t *timer)
{
    struct hf_check_source *source = timer->data;
    if (source->is_looking) {
        return; /* a slow disk: one look at a time */
    }
    source->work.data = source;
    if (uv_queue_work(source->checker->loop, &source->work, look, looked) == 0) {
        source->is_looking = true;
        source->open_count++;
    }
}

struct hf_check_source *hf_check_source_get(struct hf_checker *checker, const char *path)
{
    for (struct hf_check_source *source = checker->sources; source != NULL; source = source->next) {
        if (strcmp(source->path, path) == 0) {
            source->recipe_count++;
            return source;
        }
    }
    struct hf_check_source *source = calloc(1, sizeof *source);
    char *copy = strdup(path);
    if (source == NULL || copy == NULL) {
        abort();
    }
    source->next = checker->sources;
    source->checker = checker;
    source->path = copy;
    source->recipe_count = 1;
    source->open_count = 1;
    source->timer.data = source;
    checker->sources = source;
    checker->open_count++;
    uv_timer_init(checker->loop, &source->timer);
    uv_timer_start(&source->timer, start_look, HF_CHECK_FILE_LOOK_MS, HF_CHECK_FILE_LOOK_MS);
    start_look(&source->timer);
    return source;
}

static void timer_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

void hf_check_source_put(struct hf_checker *checker, struct hf_check_source *source)
{
    if (--source->recipe_count > 0) {
        return;
    }
    struct hf_check_source **at = &checker->sources;
    while (*at != source) {
        at = &(*at)->next;
    }
    *at = source->next;
    uv_close((uv_handle_t *)&source->timer, timer_closed);
}

enum hf_check_result hf_check_source_ask(struct hf_check_source *source, const char *name,
                                         uint32_t stale_ms, char ret_why[HF_CHECK_WHY_MAX])
{
    if (!source->is_read) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "state file: not read yet");
        return HF_CHECK_LATE;
    }
    if (!source->is_usable) {
        memcpy(ret_why, source->why, HF_CHECK_WHY_MAX);
        return HF_CHECK_LATE;
    }
    int64_t age = age_ms(&source->version);
    if (age > (int64_t)stale_ms || age < -(int64_t)stale_ms) {
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX,
                       "state file: written %" PRId64 " ms %s, more than %" PRIu32 " ms",
                       age < 0 ? -age : age, age < 0 ? "from now" : "ago", stale_ms);
        return HF_CHECK_LATE;
    }
    switch (hf_states_find(&source->states, name)) {
    case HF_STATE_UP:
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "up in the state file");
        return HF_CHECK_PASSED;
    case HF_STATE_DOWN:
        (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "down in the state file");
        return HF_CHECK_FAILED;
    case HF_STATE_ABSENT:
        break;
    }
    (void)snprintf(ret_why, HF_CHECK_WHY_MAX, "state file: does not name this backend");
    return HF_CHECK_LATE;
}
