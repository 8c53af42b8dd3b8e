/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Sets why from errno and names the code for it. */
static int fail(const char *path, const char *what, char *why, size_t why_size)
{
    int error = errno;
    (void)snprintf(why, why_size, "%s: %s: %s", path, what, strerror(error));
    if (error == ENOSPC || error == EDQUOT) {
        return HF_EFULL;
    }
    return error == EEXIST ? HF_EEXIST : HF_EIO;
}

/* Makes path[0..size). */
static int make_one(const char *path, size_t size, char *why, size_t why_size)
{
    char folder[PATH_MAX];
    memcpy(folder, path, size);
    folder[size] = '\0';
    struct stat kind;
    if (mkdir(folder, 0750) == 0) {
        return HF_OK;
    }
    if (errno != EEXIST) {
        return fail(folder, "cannot make the folder", why, why_size);
    }
    if (stat(folder, &kind) != 0 || !S_ISDIR(kind.st_mode)) {
        errno = ENOTDIR;
        return fail(folder, "cannot make the folder", why, why_size);
    }
    return HF_OK;
}

int hf_folder_make(const char *path, char *why, size_t why_size)
{
    size_t size = strlen(path);
    if (size == 0 || size >= PATH_MAX) {
        errno = size == 0 ? EINVAL : ENAMETOOLONG;
        return fail(path, "cannot make the folder", why, why_size);
    }
    for (size_t i = 1; i <= size; i++) {
        if ((path[i] == '/' || path[i] == '\0') && path[i - 1] != '/') {
            int status = make_one(path, i, why, why_size);
            if (status != HF_OK) {
                return status;
            }
        }
    }
    return HF_OK;
}

int hf_folder_make_for(const char *file_path, char *why, size_t why_size)
{
    const char *slash = strrchr(file_path, '/');
    if (slash == NULL || slash == file_path) {
        return HF_OK;
    }
    char *folder = strndup(file_path, (size_t)(slash - file_path));
    if (folder == NULL) {
        abort();
    }
    int status = hf_folder_make(folder, why, why_size);
    free(folder);
    return status;
}

static int write_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *rest = bytes;
    while (size > 0) {
        ssize_t written = write(fd, rest, size);
        if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            rest += written;
            size -= (size_t)written;
        }
    }
    return fsync(fd);
}

/* A rename is on the disk only when its folder is. */
static void sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(folder);
}

static int put_file(const char *path, bool replaces, mode_t mode, const void *bytes, size_t size,
                    char *why, size_t why_size)
{
    int status = HF_OK;
    int fd = -1;
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
        abort();
    }
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        status = fail(path, "cannot write the file", why, why_size);
        goto out;
    }
    if (fchmod(fd, mode) != 0 || write_all(fd, bytes, size) != 0) {
        status = fail(path, "cannot write the file", why, why_size);
        (void)unlink(beside);
        goto out;
    }
    if ((replaces ? rename(beside, path) : link(beside, path)) != 0) {
        status = fail(path, "cannot put the file in its place", why, why_size);
    }
    if (!replaces || status != HF_OK) {
        (void)unlink(beside);
    }
    sync_folder_of(path);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    free(beside);
    return status;
}

int hf_file_replace(const char *path, mode_t mode, const void *bytes, size_t size, char *why,
                    size_t why_size)
{
    return put_file(path, true, mode, bytes, size, why, why_size);
}

int hf_file_create(const char *path, mode_t mode, const void *bytes, size_t size, char *why,
                   size_t why_size)
{
    return put_file(path, false, mode, bytes, size, why, why_size);
}

int hf_file_read(const char *path, char *ret_text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? HF_ENOENT : HF_EIO;
    }
    size_t size = 0;
    ssize_t got = 0;
    do {
        got = read(fd, ret_text + size, room - size);
        size += got > 0 ? (size_t)got : 0;
    } while (size < room && (got > 0 || (got < 0 && errno == EINTR)));
    (void)close(fd);
    if (got < 0) {
        return HF_EIO;
    }
    if (size == room) {
        return HF_ELIMIT;
    }
    ret_text[size] = '\0';
    return HF_OK;
}
