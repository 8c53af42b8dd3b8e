/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/port.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "io/address.h"

enum {
    INODES_MAX = 64, /* sockets on one port that are looked for */
    TCP_LISTEN_STATE = 10,
};

/* Sockets bound to a port, from /proc/net. */
struct inodes {
    uint64_t numbers[INODES_MAX];
    size_t count;
};

static uint16_t port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    }
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode */
static void read_table(const char *path, uint16_t port, bool is_tcp, struct inodes *inodes)
{
    char line[512];
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        unsigned local = 0;
        unsigned state = 0;
        uint64_t inode = 0;
        /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
        int fields = sscanf(line, "%*s %*[0-9A-F]:%X %*s %X %*s %*s %*s %*s %*s %" SCNu64, &local,
                            &state, &inode);
        bool counts = !is_tcp || state == TCP_LISTEN_STATE;
        if (fields == 3 && local == port && counts && inodes->count < INODES_MAX) {
            inodes->numbers[inodes->count++] = inode;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* Whether one of the process's descriptors is one of the sockets. */
static bool holds(const char *pid, const struct inodes *inodes)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    bool found = false;
    struct dirent *entry = NULL;
    while (!found && folder != NULL && (entry = readdir(folder)) != NULL) {
        char target[64];
        uint64_t inode = 0;
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        /* NOLINTNEXTLINE(cert-err34-c): the same */
        if (sscanf(target, "socket:[%" SCNu64, &inode) != 1) {
            continue;
        }
        for (size_t i = 0; i < inodes->count; i++) {
            found = found || inodes->numbers[i] == inode;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return found;
}

static void read_name(const char *pid, char ret_name[32])
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    (void)snprintf(ret_name, 32, "?");
    if (file != NULL) {
        if (fgets(ret_name, 32, file) != NULL) {
            ret_name[strcspn(ret_name, "\n")] = '\0';
        }
        (void)fclose(file);
    }
}

/* A text such as "named (pid 123)"; false where this user cannot see who it is. */
static bool find_owner(uint16_t port, char *ret_text, size_t room)
{
    struct inodes inodes = {.count = 0};
    read_table("/proc/net/udp", port, false, &inodes);
    read_table("/proc/net/udp6", port, false, &inodes);
    read_table("/proc/net/tcp", port, true, &inodes);
    read_table("/proc/net/tcp6", port, true, &inodes);
    DIR *processes = opendir("/proc");
    bool found = false;
    struct dirent *entry = NULL;
    while (!found && processes != NULL && (entry = readdir(processes)) != NULL) {
        bool is_pid = strspn(entry->d_name, "0123456789") == strlen(entry->d_name);
        if (is_pid && holds(entry->d_name, &inodes)) {
            char name[32];
            read_name(entry->d_name, name);
            (void)snprintf(ret_text, room, "%s (pid %s)", name, entry->d_name);
            found = true;
        }
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
    return found;
}

/* errno of a bind, 0 when it worked. */
static int try_bind(const struct sockaddr_storage *address, int type)
{
    int fd = socket(address->ss_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int on = 1;
    if (type == SOCK_STREAM) { /* connections of an earlier server may still be in TIME-WAIT */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    if (error == 0 && type == SOCK_STREAM && listen(fd, 1) != 0) {
        error = errno;
    }
    (void)close(fd);
    return error;
}

int hf_port_check(const struct sockaddr_storage *address, char *why, size_t why_size)
{
    char text[HF_ADDRESS_TEXT_MAX];
    hf_address_text(address, text);
    int error = try_bind(address, SOCK_DGRAM);
    if (error == 0) {
        error = try_bind(address, SOCK_STREAM);
    }
    if (error == 0) {
        return HF_OK;
    }
    uint16_t port = port_of(address);
    if (error == EADDRINUSE) {
        char owner[320];
        if (find_owner(port, owner, sizeof(owner))) {
            (void)snprintf(why, why_size, "%s is taken by %s: end it, or listen on another port",
                           text, owner);
        } else {
            (void)snprintf(why, why_size,
                           "%s is taken by a process of another user (as root: ss -lntup 'sport = "
                           ":%u'): end it, or listen on another port",
                           text, port);
        }
        return HF_EBUSY;
    }
    const char *hint = error == EACCES && port < 1024
                           ? "; ports below 1024 need root or CAP_NET_BIND_SERVICE"
                       : error == EADDRNOTAVAIL ? "; it is not an address of this machine"
                                                : "";
    (void)snprintf(why, why_size, "cannot listen on %s: %s%s", text, strerror(error), hint);
    return HF_ESYS;
}
