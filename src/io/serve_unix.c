/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Unix socket's file. Who makes one holds flock(2) on its folder, so that of two processes that
 * find the socket of a dead one, only one replaces it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/serve_internal.h"

enum { SOCKET_MODE = 0660, BACKLOG = 512, LOCK_TRIES = 100, LOCK_STEP_US = 10000 };

static int refuse(int error, char *why, size_t why_size, const char *path, const char *text)
{
    (void)snprintf(why, why_size, "%s: %s", path, text);
    return error;
}

/* A descriptor of the locked folder, or -1. */
static int lock_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        abort();
    }
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    for (int try = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; try++) {
        if (errno != EWOULDBLOCK || try == LOCK_TRIES) {
            (void)close(fd);
            return -1;
        }
        (void)usleep(LOCK_STEP_US);
    }
    return fd;
}

/* HF_OK: nobody listens there, and what was there is gone. */
static int remove_stale(const struct sockaddr_un *address, char *why, size_t why_size)
{
    struct stat file;
    if (lstat(address->sun_path, &file) != 0) {
        return HF_OK;
    }
    if (!S_ISSOCK(file.st_mode)) {
        return refuse(HF_EIO, why, why_size, address->sun_path, "is there and is no socket");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return refuse(HF_EIO, why, why_size, address->sun_path, strerror(errno));
    }
    int failed = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int reason = failed == 0 ? 0 : errno;
    (void)close(fd);
    if (reason != ECONNREFUSED) {
        return refuse(HF_EIO, why, why_size, address->sun_path,
                      reason == 0 || reason == EAGAIN ? "another process listens there"
                                                      : strerror(reason));
    }
    if (unlink(address->sun_path) != 0) {
        return refuse(HF_EIO, why, why_size, address->sun_path, strerror(errno));
    }
    return HF_OK;
}

/* The mode of the descriptor becomes that of the file: at no time may more than 0660 connect. */
static int bind_and_listen(const struct sockaddr_un *address, char *why, size_t why_size,
                           int *ret_fd, struct stat *ret_file)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || fchmod(fd, SOCKET_MODE) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        chmod(address->sun_path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0 ||
        lstat(address->sun_path, ret_file) != 0) {
        int error = refuse(HF_EIO, why, why_size, address->sun_path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return error;
    }
    *ret_fd = fd;
    return HF_OK;
}

int hf_serve_unix_listen(const char *path, char *why, size_t why_size, int *ret_fd,
                         struct stat *ret_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return refuse(HF_EMALF, why, why_size, path, "a socket's path has at most 107 octets");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int folder = lock_folder(path);
    if (folder < 0) {
        return refuse(HF_EIO, why, why_size, path, "its folder cannot be opened or locked");
    }
    int error = remove_stale(&address, why, why_size);
    if (error == HF_OK) {
        error = bind_and_listen(&address, why, why_size, ret_fd, ret_file);
    }
    (void)close(folder);
    return error;
}
