/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/knotd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "io/address.h"
#include "io/folder.h"
#include "io/knotd_conf.h"
#include "io/knotd_probe.h"
#include "io/port.h"

enum {
    SECRET_SIZE = 32, /* as long as the digest of hmac-sha256 */
    SECRET_TEXT_MAX = 1024,
    CONF_MAX = 4 * 1024 * 1024,
};

/* FOLDER/NAME; cannot be cut, as HF_KNOTD_FOLDER_MAX leaves room. */
static void path_in(const struct hf_knotd *knotd, const char *name, char ret_path[PATH_MAX])
{
    (void)snprintf(ret_path, PATH_MAX, "%s/%s", knotd->folder, name);
}

static int make_folders(const struct hf_config *config, const char *target, char *why,
                        size_t why_size, struct hf_knotd *knotd)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s/knot-%s", config->data_dir, target);
    if (size < 0 || (size_t)size >= sizeof(path)) {
        (void)snprintf(why, why_size, "%s: the path is too long", config->data_dir);
        return HF_ELIMIT;
    }
    int status = hf_folder_make(path, why, why_size);
    if (status != HF_OK) {
        return status;
    }
    char *absolute = realpath(path, NULL);
    if (absolute == NULL || strlen(absolute) >= sizeof(knotd->folder)) {
        (void)snprintf(why, why_size, "%s: %s", path,
                       absolute == NULL ? strerror(errno) : "the path is too long");
        free(absolute);
        return HF_ELIMIT;
    }
    memcpy(knotd->folder, absolute, strlen(absolute) + 1);
    free(absolute);
    path_in(knotd, "zones", path);
    status = hf_folder_make(path, why, why_size);
    if (status == HF_OK) {
        path_in(knotd, "run", path);
        status = hf_folder_make(path, why, why_size);
    }
    return status;
}

static int make_key(const char *path, char *why, size_t why_size)
{
    uint8_t secret[SECRET_SIZE];
    unsigned char text[4 * ((SECRET_SIZE + 2) / 3) + 2];
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
        (void)snprintf(why, why_size, "%s: no random octets: %s", path, strerror(errno));
        return HF_ESYS;
    }
    int size = EVP_EncodeBlock(text, secret, SECRET_SIZE);
    text[size++] = '\n';
    int status = hf_folder_make_for(path, why, why_size);
    if (status == HF_OK) {
        status = hf_file_create(path, 0600, text, (size_t)size, why, why_size);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(text, sizeof(text));
    return status == HF_EEXIST ? HF_OK : status;
}

/* The secret of the target's key, which is made where there is none. */
static int get_secret(const struct hf_config_target *target, char *why, size_t why_size,
                      char ret_secret[SECRET_TEXT_MAX])
{
    const char *path = target->tsig_secret_file;
    int status = hf_file_read(path, ret_secret, SECRET_TEXT_MAX);
    if (status == HF_ENOENT) {
        status = make_key(path, why, why_size);
        if (status != HF_OK) {
            return status;
        }
        status = hf_file_read(path, ret_secret, SECRET_TEXT_MAX);
    }
    if (status != HF_OK) {
        (void)snprintf(why, why_size, "%s: cannot read the key: %s", path, hf_strerror(status));
        return status;
    }
    ret_secret[strcspn(ret_secret, " \t\r\n")] = '\0';
    /* It is copied into knot.conf, between double quotes. */
    bool is_base64 = ret_secret[0] != '\0' &&
                     strspn(ret_secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                        "0123456789+/=") == strlen(ret_secret);
    if (!is_base64) {
        (void)snprintf(why, why_size, "%s: found something else, expected the secret in base64",
                       path);
        return HF_EMALF;
    }
    return HF_OK;
}

static int make_zones(const struct hf_config *config, uint32_t target, char *why, size_t why_size,
                      struct hf_knotd *knotd)
{
    struct hf_buf text;
    int status = HF_OK;
    hf_buf_init(&text, 4096);
    for (uint32_t i = 0; i < config->zone_count && status == HF_OK; i++) {
        const struct hf_config_zone *zone = &config->zones[i];
        char file[HF_KNOTD_FILE_NAME_MAX + 1];
        char path[PATH_MAX];
        if (zone->target != target) {
            continue;
        }
        if (hf_knotd_zone_file(zone->name, file) != HF_OK) {
            (void)snprintf(why, why_size,
                           "zone %s: with type knot the name of a zone has letters, digits, '-', "
                           "'_' and '/' only",
                           zone->name);
            status = HF_EINVAL;
            break;
        }
        (void)snprintf(path, sizeof(path), "%s/zones/%s", knotd->folder, file);
        if (access(path, F_OK) != 0) {
            hf_buf_clear(&text);
            hf_knotd_zone_put(&text, zone->name);
            status = hf_file_create(path, 0640, text.bytes, text.size, why, why_size);
            status = status == HF_EEXIST ? HF_OK : status;
        }
    }
    hf_buf_release(&text);
    return status;
}

/* A power of two, so that a file system whose size changes a little changes nothing here. */
static uint64_t disk_size(const char *folder)
{
    struct statvfs disk;
    uint64_t size = 1;
    if (statvfs(folder, &disk) == 0) {
        uint64_t real = (uint64_t)disk.f_blocks * disk.f_frsize;
        while (size <= real / 2) {
            size *= 2;
        }
    }
    return size;
}

/* Reads the knot.conf of the last start; an empty text where there is none. */
static char *read_old_conf(const char *path)
{
    char *text = calloc(1, CONF_MAX);
    if (text == NULL) {
        abort();
    }
    if (hf_file_read(path, text, CONF_MAX) != HF_OK) {
        text[0] = '\0';
    }
    return text;
}

static int make_conf(const struct hf_config *config, uint32_t target, const char *secret, char *why,
                     size_t why_size, const struct hf_knotd *knotd,
                     struct hf_knotd_changes *ret_changes)
{
    char path[PATH_MAX];
    size_t head_size = 0;
    struct hf_buf conf;
    path_in(knotd, "knot.conf", path);
    hf_buf_init(&conf, CONF_MAX - 1);
    char *old = read_old_conf(path);
    int status =
        hf_knotd_conf_put(&conf, config, target, secret, disk_size(knotd->folder), &head_size);
    if (status != HF_OK) {
        (void)snprintf(why, why_size, "%s: %s", path, hf_strerror(status));
        goto out;
    }
    const char *text = hf_buf_text(&conf);
    struct hf_knotd_changes changes = {
        .server = strncmp(text, old, head_size) != 0,
        .zones = strcmp(text, old) != 0,
    };
    if (changes.zones) {
        status = hf_file_replace(path, 0600, conf.bytes, conf.size, why, why_size);
    }
    if (status == HF_OK) {
        *ret_changes = changes;
    }
out:
    OPENSSL_cleanse(old, CONF_MAX);
    free(old);
    if (conf.bytes != NULL) {
        OPENSSL_cleanse(conf.bytes, conf.room);
    }
    hf_buf_release(&conf);
    return status;
}

static int find_program(const char *name, char *why, size_t why_size, struct hf_knotd *knotd)
{
    int status = hf_process_find_program(name, knotd->program, sizeof(knotd->program));
    if (status != HF_OK) {
        (void)snprintf(why, why_size, "%s: no such program; Debian has it in the package knot",
                       name);
    }
    return status;
}

int hf_knotd_prepare(const struct hf_config *config, uint32_t target, char *why, size_t why_size,
                     struct hf_knotd *ret_knotd, struct hf_knotd_changes *ret_changes)
{
    const struct hf_config_target *row = &config->targets[target];
    struct hf_knotd knotd = {.lock_fd = -1, .probe_fd = -1};
    char secret[SECRET_TEXT_MAX] = "";
    (void)snprintf(knotd.target, sizeof(knotd.target), "%s", row->name);
    int status = hf_address_parse(row->host, row->port, &knotd.address);
    if (status != HF_OK) {
        (void)snprintf(why, why_size, "%s: not a numeric address", row->host);
        return status;
    }
    status = find_program(row->knotd, why, why_size, &knotd);
    if (status == HF_OK) {
        status = make_folders(config, row->name, why, why_size, &knotd);
    }
    if (status == HF_OK) {
        status = get_secret(row, why, why_size, secret);
    }
    if (status == HF_OK) {
        status = make_zones(config, target, why, why_size, &knotd);
    }
    if (status == HF_OK) {
        status = make_conf(config, target, secret, why, why_size, &knotd, ret_changes);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    if (status == HF_OK) {
        hf_knotd_probe_init(&knotd, config, target);
        *ret_knotd = knotd;
    }
    return status;
}

void hf_knotd_release(struct hf_knotd *knotd)
{
    if (knotd->lock_fd >= 0) {
        (void)close(knotd->lock_fd);
    }
    knotd->lock_fd = -1;
    hf_knotd_probe_release(knotd);
}

int hf_knotd_find(struct hf_knotd *knotd, char *why, size_t why_size,
                  struct hf_process *ret_process)
{
    char path[PATH_MAX];
    char text[32] = "";
    path_in(knotd, "knotd.lock", path);
    if (knotd->lock_fd >= 0) {
        return HF_ENOENT;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return HF_EIO;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        knotd->lock_fd = fd;
        return HF_ENOENT;
    }
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    struct hf_process process;
    long pid = strtol(text, NULL, 10);
    if (hf_process_adopt((pid_t)pid, &process) != HF_OK) {
        (void)snprintf(why, why_size, "%s: locked, but there is no process %ld", path, pid);
        return HF_EBUSY;
    }
    if (!hf_process_works_in(&process, knotd->folder)) {
        hf_process_forget(&process);
        (void)snprintf(why, why_size, "%s: locked, but process %ld is not its knotd", path, pid);
        return HF_EBUSY;
    }
    *ret_process = process;
    return HF_OK;
}

int hf_knotd_can_start(const struct hf_knotd *knotd, char *why, size_t why_size)
{
    char journal[PATH_MAX];
    struct statvfs disk;
    path_in(knotd, "journal/data.mdb", journal);
    bool is_new = access(journal, F_OK) != 0;
    if (is_new && statvfs(knotd->folder, &disk) == 0) {
        uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
        if (free_bytes < HF_KNOTD_FREE_MIN) {
            (void)snprintf(why, why_size, "%s: the disk is full: %llu MiB left, expected %d",
                           knotd->folder, (unsigned long long)(free_bytes >> 20),
                           HF_KNOTD_FREE_MIN >> 20);
            return HF_EFULL;
        }
    }
    return hf_port_check(&knotd->address, why, why_size);
}

/* knotd refuses to start when its pid file names a living process, whoever that is by now. */
static void remove_pid_file(const struct hf_knotd *knotd)
{
    char path[PATH_MAX];
    path_in(knotd, "run/knot.pid", path);
    (void)unlink(path);
}

int hf_knotd_start(struct hf_knotd *knotd, char *why, size_t why_size,
                   struct hf_process *ret_process)
{
    char log[PATH_MAX];
    char name[] = "knotd";
    char option[] = "-c";
    char conf[] = "knot.conf";
    char *argv[] = {name, option, conf, NULL};
    int status = hf_knotd_can_start(knotd, why, why_size);
    if (status != HF_OK) {
        return status;
    }
    remove_pid_file(knotd);
    path_in(knotd, "knotd.log", log);
    struct hf_process_options options = {
        .program = knotd->program,
        .argv = argv,
        .folder = knotd->folder,
        .output = log,
        .kept_fd = knotd->lock_fd,
        .own_session = true,
    };
    struct hf_process process;
    status = hf_process_start(&options, why, why_size, &process);
    if (status != HF_OK) {
        return status;
    }
    char pid[32];
    int size = snprintf(pid, sizeof(pid), "%ld\n", (long)process.pid);
    if (ftruncate(knotd->lock_fd, 0) != 0 || pwrite(knotd->lock_fd, pid, (size_t)size, 0) != size) {
        (void)snprintf(why, why_size, "%s/knotd.lock: %s", knotd->folder, strerror(errno));
        hf_process_signal(&process, SIGKILL);
        hf_process_forget(&process);
        return HF_EIO;
    }
    (void)close(knotd->lock_fd); /* the child's copy keeps the lock */
    knotd->lock_fd = -1;
    hf_knotd_ask(knotd);
    *ret_process = process;
    return HF_OK;
}

void hf_knotd_last_words(const struct hf_knotd *knotd, char *ret_text, size_t room)
{
    char path[PATH_MAX];
    char tail[1024];
    path_in(knotd, "knotd.log", path);
    ret_text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    off_t end = lseek(fd, 0, SEEK_END);
    off_t start = end > (off_t)sizeof(tail) - 1 ? end - ((off_t)sizeof(tail) - 1) : 0;
    ssize_t size = pread(fd, tail, sizeof(tail) - 1, start);
    (void)close(fd);
    tail[size > 0 ? size : 0] = '\0';
    size_t length = strlen(tail);
    while (length > 0 && tail[length - 1] == '\n') {
        tail[--length] = '\0';
    }
    const char *newline = strrchr(tail, '\n');
    (void)snprintf(ret_text, room, "%s", newline != NULL ? newline + 1 : tail);
}

void hf_knotd_tidy(const struct hf_knotd *knotd, uint64_t *ret_free_bytes)
{
    char path[PATH_MAX];
    struct stat log;
    struct statvfs disk;
    path_in(knotd, "knotd.log", path);
    if (stat(path, &log) == 0 && log.st_size > HF_KNOTD_LOG_MAX) {
        (void)truncate(path, 0); /* knotd appends: it goes on at the start */
    }
    *ret_free_bytes = UINT64_MAX;
    if (statvfs(knotd->folder, &disk) == 0) {
        *ret_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    }
}
