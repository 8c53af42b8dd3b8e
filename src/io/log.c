/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

/* Stands between pairs while a line is made. A value that holds it makes the line one text. */
#define SEPARATOR '\x1f'

enum { FORMAT_MAX = 1000 };

struct line {
    char text[HF_LOG_LINE_MAX + 1];
    size_t size;
    bool is_cut;
};

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

void hf_log_release(struct hf_log *log)
{
    if (log->is_own_fd) {
        (void)close(log->fd);
    }
    log->is_own_fd = false;
    log->fd = STDERR_FILENO;
}

void hf_log_share(const struct hf_log *log, struct hf_log *ret_log)
{
    *ret_log = *log;
    ret_log->is_own_fd = false;
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

static void put(struct line *line, const char *text, size_t size)
{
    /* The end is kept for "...", a colour's end and the line's end. */
    size_t room = HF_LOG_LINE_MAX - 16 - line->size;
    if (size > room) {
        size = room;
        line->is_cut = true;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* C0, DEL, and the first octet of a C1 control in UTF-8, which some terminals obey. */
static bool is_control(const char *value, size_t size, size_t at)
{
    unsigned char octet = (unsigned char)value[at];
    bool is_c1 = octet == 0xc2 && at + 1 < size && ((unsigned char)value[at + 1] & 0xe0) == 0x80;
    return octet < 0x20 || octet == 0x7f || is_c1;
}

static void put_quoted(struct line *line, const char *value, size_t size)
{
    put_text(line, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char octet = (unsigned char)value[i];
        char escaped[8];
        if (octet == '"' || octet == '\\') {
            (void)snprintf(escaped, sizeof(escaped), "\\%c", octet);
        } else if (octet == '\n') {
            (void)snprintf(escaped, sizeof(escaped), "\\n");
        } else if (is_control(value, size, i)) {
            (void)snprintf(escaped, sizeof(escaped), "\\x%02x", octet);
        } else {
            put(line, value + i, 1);
            continue;
        }
        put_text(line, escaped);
    }
    put_text(line, "\"");
}

static void put_value(struct line *line, const char *value, size_t size)
{
    bool is_plain = size > 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char octet = (unsigned char)value[i];
        if (octet == ' ' || octet == '"' || octet == '\\' || octet == '=' ||
            is_control(value, size, i)) {
            is_plain = false;
        }
    }
    if (is_plain) {
        put(line, value, size);
    } else {
        put_quoted(line, value, size);
    }
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

static void put_pairs(struct line *line, const char *text, size_t pair_count)
{
    if (pair_count == 0) {
        return;
    }
    if (count_separators(text) >= pair_count) {
        put_text(line, " text=");
        put_quoted(line, text, strlen(text));
        return;
    }
    while (text != NULL) {
        const char *end = strchr(text, SEPARATOR);
        size_t key = key_size(text);
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        put_text(line, " ");
        put(line, text, key);
        put_text(line, "=");
        size_t skipped = key < size ? key + 1 : size;
        put_value(line, text + skipped, size - skipped);
        text = end != NULL ? end + 1 : NULL;
    }
}

static void put_head(struct line *line, const struct hf_log *log, enum hf_log_level level,
                     const char *event)
{
    struct timespec now;
    struct tm utc;
    char text[HF_LOG_ROLE_MAX + 64];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) == NULL) {
        utc = (struct tm){.tm_mday = 1, .tm_year = 70};
    }
    size_t size = strftime(text, sizeof(text), "ts=%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + size, sizeof(text) - size, ".%03dZ level=", (int)(now.tv_nsec / 1000000));
    put_text(line, text);
    put_text(line, log->colour ? level_colours[level] : "");
    put_text(line, level_names[level]);
    put_text(line, log->colour ? "\x1b[0m" : "");
    if (log->role[0] != '\0') {
        put_text(line, " role=");
        put_value(line, log->role, strlen(log->role));
    }
    put_text(line, " event=");
    put_text(line, log->colour ? "\x1b[1m" : "");
    put_text(line, event);
    put_text(line, log->colour ? "\x1b[0m" : "");
}

static bool write_line(const struct hf_log *log, struct line *line)
{
    if (line->is_cut) {
        memcpy(line->text + line->size, "...", 3);
        line->size += 3;
    }
    line->text[line->size++] = '\n';
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

void hf_log(struct hf_log *log, enum hf_log_level level, const char *event, const char *pairs, ...)
{
    if (level < log->level_min) {
        return;
    }
    int saved_errno = errno;
    if (log->dropped_count > 0) {
        struct line notice = {.size = 0};
        char count[32];
        (void)snprintf(count, sizeof(count), " lines=%" PRIu64, log->dropped_count);
        put_head(&notice, log, HF_LOG_WARNING, "log_dropped");
        put_text(&notice, count);
        if (write_line(log, &notice)) {
            log->dropped_count = 0;
        }
    }
    char marked[FORMAT_MAX];
    char text[HF_LOG_LINE_MAX];
    size_t pair_count = mark_pairs(pairs, marked);
    va_list arguments;
    va_start(arguments, pairs);
    (void)vsnprintf(text, sizeof(text), marked, arguments);
    va_end(arguments);
    struct line line = {.size = 0};
    put_head(&line, log, level, event);
    put_pairs(&line, text, pair_count);
    if (!write_line(log, &line)) {
        log->dropped_count++;
    }
    errno = saved_errno;
}
