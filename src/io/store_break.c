/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/store_break.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { PROC_PATH_MAX = 64, LINE_MAX_BYTES = 256 };

/* The last part of the path of the program that a process runs; "" where it cannot be told. */
static void program_of(const char *process, char ret_name[PATH_MAX])
{
    char link[PROC_PATH_MAX], path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/%s/exe", process);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[size > 0 ? size : 0] = 0;
    char *gone = strstr(path, " (deleted)"); /* replaced by a newer one */
    if (gone != NULL) {
        *gone = 0;
    }
    const char *slash = strrchr(path, '/');
    (void)snprintf(ret_name, PATH_MAX, "%s", slash != NULL ? slash + 1 : path);
}

static bool is_same_program(const char *process)
{
    char own[PATH_MAX], other[PATH_MAX];
    program_of("self", own);
    program_of(process, other);
    return own[0] != 0 && strcmp(own, other) == 0;
}

static bool is_stopped(const char *process)
{
    char path[PROC_PATH_MAX], line[LINE_MAX_BYTES] = "";
    (void)snprintf(path, sizeof(path), "/proc/%s/stat", process);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    (void)fgets(line, sizeof(line), file);
    (void)fclose(file);
    const char *name_end = strrchr(line, ')');                      /* "PID (NAME) STATE ..." */
    return name_end != NULL && (strncmp(name_end, ") T", 3) == 0 || /* stopped */
                                strncmp(name_end, ") t", 3) == 0);  /* traced */
}

static bool has_open(const char *process, const struct stat *file)
{
    char path[PROC_PATH_MAX];
    bool found = false;
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", process);
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
        struct stat open_file;
        found = fstatat(dirfd(folder), entry->d_name, &open_file, 0) == 0 &&
                open_file.st_dev == file->st_dev && open_file.st_ino == file->st_ino;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return found;
}

/* By a descriptor that was there before the looks: the number cannot mean another one meanwhile. */
static bool kill_if_ours(pid_t pid, const struct stat *file)
{
    char process[16];
    (void)snprintf(process, sizeof(process), "%d", (int)pid);
    int pidfd = pidfd_open(pid, 0);
    bool killed = pidfd >= 0 && is_stopped(process) && is_same_program(process) &&
                  has_open(process, file) && pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0;
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    return killed;
}

static const char *word_at(const char *line, int number)
{
    for (int i = 0; i < number; i++) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return line;
}

/*
 * The holder that a line of /proc/locks tells of ("3: FLOCK ADVISORY WRITE 4711 fe:00:815 0 EOF"),
 * if its lock lies on one of the two; 0 for another lock, for a process that only waits ("->") and
 * for one that cannot be seen from here. Devices are not compared: some file systems say other ones
 * there than in stat(2).
 */
static pid_t holder_in(const char *line, const struct stat *file, const struct stat *folder)
{
    enum { WORD_CLASS = 1, WORD_PID = 4, WORD_PLACE = 5 };
    const char *place = word_at(line, WORD_PLACE);
    place += strcspn(place, ":");
    place += strspn(place, ":");
    place += strcspn(place, ":");
    long pid = strtol(word_at(line, WORD_PID), NULL, 10);
    unsigned long long inode = place[0] == ':' ? strtoull(place + 1, NULL, 10) : 0;
    bool is_here = inode == file->st_ino || inode == folder->st_ino;
    bool is_waiting = word_at(line, WORD_CLASS)[0] == '-';
    return is_here && !is_waiting && pid > 0 && pid != getpid() ? (pid_t)pid : 0;
}

pid_t hf_store_break(const struct stat *file, const struct stat *folder)
{
    char line[LINE_MAX_BYTES];
    pid_t killed = 0;
    FILE *locks = fopen("/proc/locks", "re");
    while (locks != NULL && killed == 0 && fgets(line, sizeof(line), locks) != NULL) {
        pid_t pid = holder_in(line, file, folder);
        killed = pid != 0 && kill_if_ours(pid, file) ? pid : 0;
    }
    if (locks != NULL) {
        (void)fclose(locks);
    }
    return killed;
}
