/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/address.h"
#include "io/folder.h"
#include "io/port.h"
#include "io/process.h"

enum { PATIENCE_MS = 10000 };

/* A template for mkdtemp and mkostemp. */
static void temporary(char ret_path[PATH_MAX])
{
    const char *place = getenv("TMPDIR");
    (void)snprintf(ret_path, PATH_MAX, "%s/hf-XXXXXX", place != NULL ? place : P_tmpdir);
}

/* `sh -c SCRIPT`, with the rest of the options as given. */
static int start_shell(const char *script, struct hf_process_options options,
                       struct hf_process *ret_process)
{
    char why[256] = "";
    char *copy = strdup(script);
    char name[] = "sh";
    char flag[] = "-c";
    char *argv[] = {name, flag, copy, NULL};
    options.program = "/bin/sh";
    options.argv = argv;
    int status = hf_process_start(&options, why, sizeof(why), ret_process);
    free(copy);
    return status;
}

static const char *wait_end(struct hf_process *process, char text[HF_PROCESS_ENDED_MAX])
{
    struct pollfd ready = {.fd = process->pidfd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_true(hf_process_ended(process, text));
    assert_int_equal(process->pid, 0);
    return text;
}

static void test_how_it_ended(void **state)
{
    (void)state;
    static const struct {
        const char *script, *how;
    } rows[] = {
        {"exit 0", "exit status 0"},
        {"exit 7", "exit status 7"},
        {"kill -KILL $$", "killed by SIGKILL"},
        {"test -z \"$NOTIFY_SOCKET\"", "exit status 0"},
    };
    assert_int_equal(setenv("NOTIFY_SOCKET", "/run/x", 1), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_process process;
        char text[HF_PROCESS_ENDED_MAX];
        struct hf_process_options options = {.kept_fd = -1};
        assert_int_equal(start_shell(rows[i].script, options, &process), HF_OK);
        assert_string_equal(wait_end(&process, text), rows[i].how);
        assert_false(hf_process_ended(&process, text));
    }
}

static void test_a_program_that_is_none(void **state)
{
    (void)state;
    char why[256] = "";
    char name[] = "x";
    char *argv[] = {name, NULL};
    struct hf_process process = {.pid = 42};
    struct hf_process_options options = {
        .program = "/nonexistent/program",
        .argv = argv,
        .kept_fd = -1,
    };
    assert_int_equal(hf_process_start(&options, why, sizeof(why), &process), HF_ENOENT);
    assert_string_equal(why, "/nonexistent/program: cannot start: No such file or directory");
    assert_int_equal(process.pid, 42);
    options.program = "/etc/passwd";
    assert_int_equal(hf_process_start(&options, why, sizeof(why), &process), HF_ESYS);
    options.program = "/bin/true";
    options.folder = "/nonexistent";
    assert_int_equal(hf_process_start(&options, why, sizeof(why), &process), HF_ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_folder_and_output(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    char path[PATH_MAX + 8];
    char text[HF_PROCESS_ENDED_MAX];
    char said[2 * PATH_MAX];
    struct hf_process process;
    temporary(folder);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/output", folder);
    struct hf_process_options options = {.folder = folder, .output = path, .kept_fd = -1};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(start_shell("pwd; echo error >&2; read x", options, &process), HF_OK);
        (void)wait_end(&process, text);
    }
    assert_int_equal(hf_file_read(path, said, sizeof(said)), HF_OK);
    char expected[2 * PATH_MAX + 16];
    (void)snprintf(expected, sizeof(expected), "%s\nerror\n%s\nerror\n", folder, folder);
    assert_string_equal(said, expected);

    assert_int_equal(start_shell("kill -STOP $$", options, &process), HF_OK);
    assert_true(hf_process_works_in(&process, folder));
    assert_false(hf_process_works_in(&process, "/"));
    hf_process_signal(&process, SIGKILL);
    (void)wait_end(&process, text);
    hf_process_signal(&process, SIGKILL); /* no process, no effect */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A lock that a child inherits is held until the child ends: how a private knotd is found. */
static void test_a_kept_descriptor_keeps_its_lock(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char text[HF_PROCESS_ENDED_MAX];
    struct hf_process process;
    temporary(path);
    int fd = mkostemp(path, O_CLOEXEC);
    int other = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    struct hf_process_options options = {.kept_fd = fd, .own_session = true};
    assert_int_equal(start_shell("sleep 60", options, &process), HF_OK);
    assert_int_equal(getsid(process.pid), process.pid);
    (void)close(fd);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);

    struct hf_process adopted;
    assert_int_equal(hf_process_adopt(process.pid, &adopted), HF_OK);
    (void)killpg(process.pid, SIGKILL);
    assert_string_equal(wait_end(&adopted, text), "ended");
    assert_string_equal(wait_end(&process, text), "killed by SIGKILL");
    assert_int_equal(flock(other, LOCK_EX), 0);
    (void)close(other);
    (void)unlink(path);
    assert_int_equal(hf_process_adopt(1 << 30, &adopted), HF_ENOENT);
    assert_int_equal(hf_process_adopt(0, &adopted), HF_ENOENT);
}

static void test_programs_are_found(void **state)
{
    (void)state;
    char path[256];
    assert_int_equal(setenv("PATH", "relative::/nonexistent:/bin", 1), 0);
    assert_int_equal(hf_process_find_program("sh", path, sizeof(path)), HF_OK);
    assert_string_equal(path, "/bin/sh");
    assert_int_equal(hf_process_find_program("sh", path, 7), HF_ENOENT); /* does not fit */
    assert_int_equal(hf_process_find_program("no-such-program", path, sizeof(path)), HF_ENOENT);
    assert_int_equal(hf_process_find_program("/no/such", path, sizeof(path)), HF_ENOENT);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(hf_process_find_program("ldconfig", path, sizeof(path)), HF_OK); /* sbin */
}

static void test_ports(void **state)
{
    (void)state;
    char why[512] = "";
    char owner[64];
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(hf_address_parse("127.0.0.1", 0, &address), HF_OK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(hf_port_check(&address, why, sizeof(why)), HF_EBUSY);
    (void)snprintf(owner, sizeof(owner), "(pid %ld)", (long)getpid());
    assert_non_null(strstr(why, owner));
    (void)close(fd);
    assert_int_equal(hf_port_check(&address, why, sizeof(why)), HF_OK);
    assert_int_equal(hf_address_parse("192.0.2.1", 5300, &address), HF_OK);
    assert_int_equal(hf_port_check(&address, why, sizeof(why)), HF_ESYS);
    assert_non_null(strstr(why, "192.0.2.1@5300: Cannot assign requested address; it is not"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_ended),
        cmocka_unit_test(test_a_program_that_is_none),
        cmocka_unit_test(test_folder_and_output),
        cmocka_unit_test(test_a_kept_descriptor_keeps_its_lock),
        cmocka_unit_test(test_programs_are_found),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
