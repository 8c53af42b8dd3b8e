/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "io/wallclock.h"

/* Stands between pairs while a line is made. A value that holds it makes the line one text. */
#define SEPARATOR '\x1f'

enum { FORMAT_MAX = 1000 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const level_colours[] = {"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};

/*
 * Other processes share the open file behind descriptor 2, so O_NONBLOCK must not be set on it; a
 * pipe or a terminal can be opened once more with a mode of its own.
 */
void hf_log_init(struct hf_log *log, const char *role, bool colour)
{
    *log = (struct hf_log){
        .fd = STDERR_FILENO,
        .level_min = HF_LOG_INFO,
        .colour = colour,
        .journal_fd = -1,
    };
    if (role != NULL) {
        (void)snprintf(log->role, sizeof(log->role), "%s", role);
    }
    struct stat kind;
    if (fstat(STDERR_FILENO, &kind) != 0) {
        return;
    }
    log->is_socket = S_ISSOCK(kind.st_mode);
    if (S_ISFIFO(kind.st_mode) || isatty(STDERR_FILENO)) {
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) {
            log->fd = fd;
            log->is_own_fd = true;
        }
    }
}

static void close_journal(struct hf_log *log)
{
    if (log->journal_fd >= 0 && !log->is_shared) {
        (void)close(log->journal_fd);
    }
    log->journal_fd = -1;
}

/* journald names the pipe or socket that it reads as DEVICE:INODE. */
static bool is_journal(void)
{
    const char *told = getenv("JOURNAL_STREAM");
    struct stat kind;
    char own[64];
    if (told == NULL || fstat(STDERR_FILENO, &kind) != 0) {
        return false;
    }
    (void)snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)kind.st_dev,
                   (unsigned long long)kind.st_ino);
    return strcmp(own, told) == 0;
}

int hf_log_use(struct hf_log *log, const char *format)
{
    bool is_auto = strcmp(format, "auto") == 0;
    bool is_json = strcmp(format, "json") == 0;
    if (!is_auto && !is_json && strcmp(format, "logfmt") != 0) {
        return HF_EINVAL;
    }
    close_journal(log);
    log->is_json = is_json;
    if (is_auto && is_journal()) {
        const char *path = getenv("HOLDFAST_JOURNAL_SOCKET");
        log->journal_path = path != NULL ? path : "/run/systemd/journal/socket";
        log->journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    return HF_OK;
}

void hf_log_release(struct hf_log *log)
{
    if (log->is_own_fd && !log->is_shared) {
        (void)close(log->fd);
    }
    log->is_own_fd = false;
    log->fd = STDERR_FILENO;
    close_journal(log);
}

void hf_log_share(const struct hf_log *log, struct hf_log *ret_log)
{
    *ret_log = *log;
    ret_log->is_shared = true;
    ret_log->dropped_count = 0;
}

int hf_log_level_parse(const char *text, enum hf_log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum hf_log_level)i;
            return HF_OK;
        }
    }
    return HF_EINVAL;
}

const char *hf_log_level_name(enum hf_log_level level)
{
    return level_names[level];
}

/* Length of the key at text when a '=' follows it, else 0. */
static size_t key_size(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[size] == '=' ? size : 0;
}

/* Replaces the blanks between pairs of a format; returns how many pairs there are. */
static size_t mark_pairs(const char *pairs, char marked[FORMAT_MAX])
{
    size_t size = strlen(pairs);
    assert(size < FORMAT_MAX);
    memcpy(marked, pairs, size + 1);
    size_t count = size > 0 ? 1 : 0;
    for (size_t i = 0; i < size; i++) {
        if (marked[i] == ' ' && key_size(marked + i + 1) > 0) {
            marked[i] = SEPARATOR;
            count++;
        }
    }
    return count;
}

static size_t count_separators(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == SEPARATOR;
    }
    return count;
}

/* The pairs of a text that was marked; where a value forged one, the whole text is one value. */
static void find_pairs(struct hf_log_event *event, const char *text, size_t pair_count)
{
    if (pair_count == 0) {
        return;
    }
    if (count_separators(text) >= pair_count || pair_count > HF_LOG_PAIRS_MAX) {
        event->pairs[event->pair_count++] = (struct hf_log_pair){"text", text, 4, strlen(text)};
        return;
    }
    while (text != NULL) {
        const char *end = strchr(text, SEPARATOR);
        size_t key = key_size(text);
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        size_t skipped = key < size ? key + 1 : size;
        event->pairs[event->pair_count++] =
            (struct hf_log_pair){text, text + skipped, key, size - skipped};
        text = end != NULL ? end + 1 : NULL;
    }
}

static bool write_line(const struct hf_log *log, const struct hf_log_line *line)
{
    if (log->is_socket) {
        return send(log->fd, line->text, line->size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
               (ssize_t)line->size;
    }
    if (!log->is_own_fd) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
            return false;
        }
    }
    return write(log->fd, line->text, line->size) == (ssize_t)line->size;
}

/* False where journald is not there, or does not keep up: then the text goes where it always does.
 */
static bool tell_journal(const struct hf_log *log, const struct hf_log_event *event)
{
    char datagram[HF_LOG_DATAGRAM_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (log->journal_fd < 0) {
        return false;
    }
    size_t size = hf_log_line_journal(event, datagram);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", log->journal_path);
    return sendto(log->journal_fd, datagram, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&address, sizeof(address)) == (ssize_t)size;
}

static bool tell(const struct hf_log *log, struct hf_log_event *event, enum hf_log_level level)
{
    static const int priorities[] = {7, 6, 4, 3};
    struct hf_log_line line;
    event->at_ms = hf_wallclock_ms();
    event->level = level_names[level];
    event->priority = priorities[level];
    event->colour = log->colour ? level_colours[level] : NULL;
    event->role = log->role;
    if (tell_journal(log, event)) {
        return true;
    }
    if (log->is_json) {
        hf_log_line_json(event, &line);
    } else {
        hf_log_line_logfmt(event, &line);
    }
    return write_line(log, &line);
}

static void tell_dropped(struct hf_log *log)
{
    char count[32];
    int size = snprintf(count, sizeof(count), "%" PRIu64, log->dropped_count);
    struct hf_log_event notice = {.event = "log_dropped", .pair_count = 1};
    notice.pairs[0] = (struct hf_log_pair){"lines", count, 5, (size_t)size};
    if (tell(log, &notice, HF_LOG_WARNING)) {
        log->dropped_count = 0;
    }
}

void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *pairs, ...)
{
    if (level < log->level_min) {
        return;
    }
    int saved_errno = errno;
    if (log->dropped_count > 0) {
        tell_dropped(log);
    }
    char marked[FORMAT_MAX];
    char text[HF_LOG_LINE_MAX];
    size_t pair_count = mark_pairs(pairs, marked);
    va_list arguments;
    va_start(arguments, pairs);
    (void)vsnprintf(text, sizeof(text), marked, arguments);
    va_end(arguments);
    struct hf_log_event said = {.event = event};
    find_pairs(&said, text, pair_count);
    if (!tell(log, &said, level)) {
        log->dropped_count++;
    }
    errno = saved_errno;
}
