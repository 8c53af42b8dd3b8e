/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/log.h"

/* Descriptor 2 is replaced by one end of a pipe while a log is made. */
struct capture {
    struct hf_log log;
    int reader;
    int saved;
    char text[131072]; /* more than a pipe holds */
};

static void capture_fds(struct capture *capture, int reader, int writer, const char *role)
{
    capture->reader = reader;
    capture->saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
    (void)close(writer);
    hf_log_init(&capture->log, role, false);
}

static void capture_start(struct capture *capture, const char *role)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    capture_fds(capture, ends[0], ends[1], role);
}

static const char *capture_read(struct capture *capture)
{
    struct pollfd ready = {.fd = capture->reader, .events = POLLIN};
    size_t size = 0;
    while (poll(&ready, 1, 0) == 1 && size < sizeof(capture->text) - 1) {
        ssize_t got = read(capture->reader, capture->text + size, sizeof(capture->text) - 1 - size);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
    }
    capture->text[size] = '\0';
    return capture->text;
}

static void capture_end(struct capture *capture)
{
    hf_log_release(&capture->log);
    (void)dup2(capture->saved, STDERR_FILENO);
    (void)close(capture->saved);
    if (capture->reader >= 0) {
        (void)close(capture->reader);
    }
}

/* What follows "ts=....Z ". */
static const char *after_ts(const char *line)
{
    assert_memory_equal(line, "ts=", 3);
    assert_int_equal(strcspn(line, " "), strlen("ts=2026-01-31T12:00:00.123Z"));
    return line + strlen("ts=2026-01-31T12:00:00.123Z ");
}

static void test_pairs(void **state)
{
    (void)state;
    struct capture capture;
    capture_start(&capture, "enactor-1");
    hf_log(&capture.log, HF_LOG_INFO, "write_done", "zone=%s endpoints=%d why=%s: %s",
           "example.test.", 3, "as planned", "a=b");
    assert_string_equal(after_ts(capture_read(&capture)),
                        "level=info role=enactor-1 event=write_done zone=example.test. "
                        "endpoints=3 why=\"as planned: a=b\"\n");
    hf_log(&capture.log, HF_LOG_ERROR, "bare", "");
    hf_log(&capture.log, HF_LOG_DEBUG, "unseen", "a=%d", 1);
    assert_string_equal(after_ts(capture_read(&capture)),
                        "level=error role=enactor-1 event=bare\n");
    capture_end(&capture);
}

static void test_quoting(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"line\nbreak\x1b[31m", "\"line\\nbreak\\x1b[31m\""},
        {"\xc2\x9b"
         "31m",
         "\"\\xc2\x9b"
         "31m\""},
        {"k=v", "\"k=v\""},
        {"gr\xc3\xbcn", "gr\xc3\xbcn"},
    };
    struct capture capture;
    capture_start(&capture, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "level=warning event=e why=%s\n",
                       rows[i].written);
        hf_log(&capture.log, HF_LOG_WARNING, "e", "why=%s", rows[i].value);
        assert_string_equal(after_ts(capture_read(&capture)), expected);
    }
    capture_end(&capture);
}

/* A value cannot pretend to be another pair. */
static void test_forged_pair(void **state)
{
    (void)state;
    struct capture capture;
    capture_start(&capture, NULL);
    hf_log(&capture.log, HF_LOG_INFO, "e", "why=%s gen=%d", "x\x1fgen=7", 5);
    assert_string_equal(after_ts(capture_read(&capture)),
                        "level=info event=e text=\"why=x\\x1fgen=7\\x1fgen=5\"\n");
    hf_log(&capture.log, HF_LOG_INFO, "e", "why=%s gen=%d", "x gen=7", 5);
    assert_string_equal(after_ts(capture_read(&capture)),
                        "level=info event=e why=\"x gen=7\" gen=5\n");
    capture_end(&capture);
}

static void test_long_line_is_cut(void **state)
{
    (void)state;
    static char value[2 * HF_LOG_LINE_MAX];
    memset(value, 'x', sizeof(value) - 1);
    struct capture capture;
    capture_start(&capture, NULL);
    hf_log(&capture.log, HF_LOG_INFO, "e", "why=%s", value);
    const char *line = capture_read(&capture);
    assert_true(strlen(line) <= HF_LOG_LINE_MAX);
    assert_string_equal(line + strlen(line) - 5, "x...\n");
    capture_end(&capture);
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) {
        count++;
    }
    return count;
}

/* A reader that stopped reading costs lines, never time; every lost line is counted. */
static void test_full_pipe(void **state)
{
    (void)state;
    struct capture capture;
    capture_start(&capture, NULL);
    unsigned written = 0;
    while (capture.log.dropped_count < 3) {
        hf_log(&capture.log, HF_LOG_INFO, "fill", "why=%0500d", 0);
        assert_true(++written < 10000);
    }
    unsigned seen = count_of(capture_read(&capture), "event=fill");
    unsigned noticed = count_of(capture.text, "event=log_dropped lines=1\n");
    assert_int_equal(count_of(capture.text, "event=log_dropped"), noticed);
    assert_int_equal(written, seen + noticed + 3);
    hf_log(&capture.log, HF_LOG_INFO, "again", "a=%d", 1);
    assert_non_null(strstr(capture_read(&capture), "level=warning event=log_dropped lines=3\n"));
    assert_non_null(strstr(capture.text, "event=again a=1\n"));
    assert_int_equal(capture.log.dropped_count, 0);
    capture_end(&capture);
}

static void test_reader_gone(void **state)
{
    (void)state;
    struct capture capture;
    (void)signal(SIGPIPE, SIG_IGN);
    capture_start(&capture, NULL);
    (void)close(capture.reader);
    capture.reader = -1;
    hf_log(&capture.log, HF_LOG_INFO, "e", "a=%d", 1);
    assert_int_equal(capture.log.dropped_count, 1);
    capture_end(&capture);
}

static void test_socket(void **state)
{
    (void)state;
    int ends[2];
    struct capture capture;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    capture_fds(&capture, ends[0], ends[1], NULL);
    hf_log(&capture.log, HF_LOG_INFO, "e", "a=%d", 1);
    assert_string_equal(after_ts(capture_read(&capture)), "level=info event=e a=1\n");
    unsigned written = 0;
    while (capture.log.dropped_count == 0) {
        hf_log(&capture.log, HF_LOG_INFO, "fill", "why=%0500d", 0);
        assert_true(++written < 100000);
    }
    capture_end(&capture);
}

static void test_json(void **state)
{
    (void)state;
    struct capture capture;
    capture_start(&capture, "janitor");
    assert_int_equal(hf_log_use(&capture.log, "xml"), HF_EINVAL);
    assert_int_equal(hf_log_use(&capture.log, "json"), HF_OK);
    hf_log(&capture.log, HF_LOG_INFO, "e", "why=%s gen=%d", "two words", 5);
    const char *line = capture_read(&capture);
    assert_memory_equal(line, "{\"ts\":\"20", 9);
    assert_non_null(strstr(line, "\"role\":\"janitor\",\"event\":\"e\",\"why\":\"two words\","
                                 "\"gen\":\"5\"}\n"));
    capture_end(&capture);
}

/* A journald that takes datagrams, then one that is gone: text goes on to standard error. */
static void test_journal(void **state)
{
    (void)state;
    struct capture capture;
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct stat kind;
    char told[64];
    char folder[64];
    const char *parent = getenv("TMPDIR");
    char datagram[1024];
    (void)snprintf(folder, sizeof(folder), "%s/holdfast-log-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(place.sun_path, sizeof(place.sun_path), "%s/socket", folder);
    int journald = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(journald, (struct sockaddr *)&place, sizeof(place)), 0);
    capture_start(&capture, "planner");
    assert_int_equal(fstat(STDERR_FILENO, &kind), 0);
    (void)snprintf(told, sizeof(told), "%llu:%llu", (unsigned long long)kind.st_dev,
                   (unsigned long long)kind.st_ino);
    (void)setenv("HOLDFAST_JOURNAL_SOCKET", place.sun_path, 1);
    (void)setenv("JOURNAL_STREAM", "1:1", 1); /* another's: not our standard error */
    assert_int_equal(hf_log_use(&capture.log, "auto"), HF_OK);
    hf_log(&capture.log, HF_LOG_INFO, "e", "a=%d", 1);
    assert_string_equal(after_ts(capture_read(&capture)), "level=info role=planner event=e a=1\n");
    (void)setenv("JOURNAL_STREAM", told, 1);
    assert_int_equal(hf_log_use(&capture.log, "auto"), HF_OK);
    hf_log(&capture.log, HF_LOG_ERROR, "e", "a=%d", 2);
    ssize_t size = recv(journald, datagram, sizeof(datagram), MSG_DONTWAIT);
    assert_true(size > 0);
    assert_non_null(memmem(datagram, (size_t)size, "MESSAGE=e a=2\nPRIORITY=3\n", 24));
    assert_string_equal(capture_read(&capture), "");
    (void)close(journald);
    hf_log(&capture.log, HF_LOG_INFO, "e", "a=%d", 3);
    assert_string_equal(after_ts(capture_read(&capture)), "level=info role=planner event=e a=3\n");
    (void)unsetenv("JOURNAL_STREAM");
    (void)unsetenv("HOLDFAST_JOURNAL_SOCKET");
    (void)unlink(place.sun_path);
    (void)rmdir(folder);
    capture_end(&capture);
}

static void test_levels(void **state)
{
    (void)state;
    enum hf_log_level level = HF_LOG_DEBUG;
    assert_int_equal(hf_log_level_parse("warning", &level), HF_OK);
    assert_int_equal(level, HF_LOG_WARNING);
    assert_int_equal(hf_log_level_parse("loud", &level), HF_EINVAL);
    assert_int_equal(level, HF_LOG_WARNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),       cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_forged_pair), cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_full_pipe),   cmocka_unit_test(test_reader_gone),
        cmocka_unit_test(test_socket),      cmocka_unit_test(test_levels),
        cmocka_unit_test(test_json),        cmocka_unit_test(test_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
