/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

/* Where Debian keeps daemons; not in the PATH of ordinary users. */
#define DAEMON_FOLDERS "/usr/local/sbin:/usr/sbin:/sbin"

static int redirect(const struct hf_process_options *options)
{
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
        return -1;
    }
    if (null != STDIN_FILENO) {
        (void)close(null);
    }
    if (options->output == NULL) {
        return 0;
    }
    int file = open(options->output, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0) {
        return -1;
    }
    return file > STDERR_FILENO ? close(file) : 0;
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
}

/* In the child: becomes the program, or returns with errno set. */
static void become(const struct hf_process_options *options, pid_t parent)
{
    if (options->dies_with_us) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) {
            _exit(1); /* it ended before the line above */
        }
    }
    if (options->own_session) {
        (void)setsid();
    } else if (options->own_group) {
        (void)setpgid(0, 0);
    }
    if (redirect(options) != 0) {
        return;
    }
    if (options->folder != NULL && chdir(options->folder) != 0) {
        return;
    }
    if (options->kept_fd >= 0 && fcntl(options->kept_fd, F_SETFD, 0) != 0) {
        return;
    }
    (void)unsetenv("NOTIFY_SOCKET"); /* systemd listens to the supervisor only */
    reset_signals();
    (void)execv(options->program, options->argv);
}

/* The child's errno through the pipe; 0: the pipe was closed by a successful exec. */
static int read_error(int fd)
{
    int error = 0;
    ssize_t got = 0;
    do {
        got = read(fd, &error, sizeof(error));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(error) ? error : 0;
}

int hf_process_start(const struct hf_process_options *options, char *why, size_t why_size,
                     struct hf_process *ret_process)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)snprintf(why, why_size, "%s: no pipe: %s", options->program, strerror(errno));
        return HF_ESYS;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(options, parent);
        int error = errno;
        ssize_t written = write(ends[1], &error, sizeof(error));
        _exit(written > 0 ? 127 : 126);
    }
    int error = pid < 0 ? errno : 0;
    (void)close(ends[1]);
    if (pid > 0) {
        error = read_error(ends[0]);
    }
    (void)close(ends[0]);
    int pidfd = error == 0 ? pidfd_open(pid, 0) : -1;
    if (error == 0 && pidfd < 0) {
        error = errno;
        (void)kill(pid, SIGKILL);
    }
    if (error != 0) {
        if (pid > 0) {
            (void)waitpid(pid, NULL, 0);
        }
        (void)snprintf(why, why_size, "%s: cannot start: %s", options->program, strerror(error));
        return error == ENOENT ? HF_ENOENT : HF_ESYS;
    }
    *ret_process = (struct hf_process){.pid = pid, .pidfd = pidfd, .is_child = true};
    return HF_OK;
}

int hf_process_adopt(pid_t pid, struct hf_process *ret_process)
{
    if (pid <= 1) {
        return HF_ENOENT;
    }
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        return errno == ESRCH || errno == EINVAL ? HF_ENOENT : HF_ESYS;
    }
    *ret_process = (struct hf_process){.pid = pid, .pidfd = pidfd};
    return HF_OK;
}

void hf_process_signal(const struct hf_process *process, int number)
{
    if (process->pid > 0) {
        (void)pidfd_send_signal(process->pidfd, number, NULL, 0);
    }
}

void hf_process_forget(struct hf_process *process)
{
    if (process->pid > 0) {
        (void)close(process->pidfd);
    }
    *process = (struct hf_process){.pidfd = -1};
}

bool hf_process_ended(struct hf_process *process, char ret_text[HF_PROCESS_ENDED_MAX])
{
    struct pollfd ready = {.fd = process->pidfd, .events = POLLIN};
    if (process->pid == 0 || poll(&ready, 1, 0) != 1) {
        return false;
    }
    int status = 0;
    (void)snprintf(ret_text, HF_PROCESS_ENDED_MAX, "ended");
    if (process->is_child && waitpid(process->pid, &status, 0) == process->pid) {
        if (WIFEXITED(status)) {
            (void)snprintf(ret_text, HF_PROCESS_ENDED_MAX, "exit status %d", WEXITSTATUS(status));
        } else if (WIFSIGNALED(status)) {
            const char *name = sigabbrev_np(WTERMSIG(status));
            (void)snprintf(ret_text, HF_PROCESS_ENDED_MAX, "killed by SIG%s",
                           name != NULL ? name : "?");
        }
    }
    hf_process_forget(process);
    return true;
}

bool hf_process_works_in(const struct hf_process *process, const char *folder)
{
    char link[64];
    struct stat theirs;
    struct stat wanted;
    (void)snprintf(link, sizeof(link), "/proc/%ld/cwd", (long)process->pid);
    return stat(link, &theirs) == 0 && stat(folder, &wanted) == 0 &&
           theirs.st_dev == wanted.st_dev && theirs.st_ino == wanted.st_ino;
}

static int find_in(const char *folders, const char *name, char *ret_path, size_t room)
{
    const char *folder = folders;
    while (*folder != '\0') {
        size_t size = strcspn(folder, ":");
        char path[PATH_MAX];
        int written = snprintf(path, sizeof(path), "%.*s/%s", (int)size, folder, name);
        bool fits = written > 0 && (size_t)written < sizeof(path) && (size_t)written < room;
        /* An empty or relative folder in PATH is no place to run a daemon from. */
        if (folder[0] == '/' && fits && access(path, X_OK) == 0) {
            memcpy(ret_path, path, (size_t)written + 1);
            return HF_OK;
        }
        folder += size;
        folder += *folder == ':';
    }
    return HF_ENOENT;
}

int hf_process_find_program(const char *name, char *ret_path, size_t room)
{
    if (strchr(name, '/') != NULL) {
        char *path = realpath(name, NULL);
        if (path == NULL || strlen(path) >= room) {
            int status = path == NULL ? HF_ENOENT : HF_ELIMIT;
            free(path);
            return status;
        }
        memcpy(ret_path, path, strlen(path) + 1);
        free(path);
        return HF_OK;
    }
    const char *folders = getenv("PATH");
    if (folders != NULL && find_in(folders, name, ret_path, room) == HF_OK) {
        return HF_OK;
    }
    return find_in(DAEMON_FOLDERS, name, ret_path, room);
}
