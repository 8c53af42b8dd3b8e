/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/store_db.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "io/store_break.h"

enum {
    WAIT_FIRST_US = 100,
    WAIT_EACH = 4,      /* looks before the pause between them is doubled */
    WAIT_DOUBLINGS = 4, /* up to 1.6 ms; a commit is mostly over before */
    BREAK_PAUSE_MS = 250,
};

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void hf_store_db_start(struct hf_store *store)
{
    store->why[0] = 0;
    store->waited_ms = monotonic_ms();
    store->deadline_ms = store->waited_ms + HF_STORE_BUSY_MS;
    store->break_ms = store->waited_ms + HF_STORE_BREAK_MS;
}

pid_t hf_store_broken(struct hf_store *store)
{
    pid_t broken = store->broken;
    store->broken = 0;
    return broken;
}

static void break_lock(struct hf_store *store, uint64_t now_ms)
{
    struct stat file, folder;
    store->break_ms = now_ms + BREAK_PAUSE_MS;
    if (stat(store->path, &file) == 0 && fstat(store->folder_fd, &folder) == 0) {
        pid_t pid = hf_store_break(&file, &folder);
        store->broken = pid != 0 ? pid : store->broken;
    }
}

/* Waits a little for a lock that somebody else holds; 0 when the call has waited long enough. */
static int wait_for_lock(void *context, int attempt)
{
    struct hf_store *store = context;
    uint64_t now_ms = monotonic_ms();
    if (now_ms >= store->deadline_ms) {
        return 0;
    }
    if (now_ms - store->waited_ms > BREAK_PAUSE_MS) {
        /* We stood still ourselves, as all do after Ctrl-Z: they may go on only now, too. */
        store->break_ms = now_ms + HF_STORE_BREAK_MS;
    }
    store->waited_ms = now_ms;
    if (store->breaks_locks && now_ms >= store->break_ms) {
        break_lock(store, now_ms);
    }
    int doublings = attempt / WAIT_EACH < WAIT_DOUBLINGS ? attempt / WAIT_EACH : WAIT_DOUBLINGS;
    struct timespec pause = {.tv_nsec = (WAIT_FIRST_US << doublings) * 1000L};
    (void)nanosleep(&pause, NULL);
    return 1;
}

int hf_store_db_lock(struct hf_store *store)
{
    for (int attempt = 0; flock(store->folder_fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return hf_store_db_refuse(store, HF_EIO, "its folder cannot be locked (%s)",
                                      strerror(errno));
        }
        if (wait_for_lock(store, attempt) == 0) {
            return hf_store_db_refuse(store, HF_EBUSY, HF_STORE_BUSY_TEXT);
        }
    }
    return HF_OK;
}

void hf_store_db_unlock(struct hf_store *store)
{
    /* Not left to close(2): a child between fork and exec still has the open folder. */
    (void)flock(store->folder_fd, LOCK_UN);
}

bool hf_store_db_moved(const struct hf_store *store)
{
    struct stat now;
    return stat(store->path, &now) != 0 || now.st_dev != store->device ||
           now.st_ino != store->inode;
}

void hf_store_db_close(struct hf_store *store)
{
    for (int i = 0; i < HF_STORE_SQL_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    int code = sqlite3_close(store->db);
    assert(code == SQLITE_OK);
    store->db = NULL;
    if (store->folder_fd >= 0) {
        (void)close(store->folder_fd);
        store->folder_fd = -1;
    }
    store->doubtful = false;
}

void hf_store_db_watch_locks(struct hf_store *store)
{
    (void)sqlite3_busy_handler(store->db, wait_for_lock, store);
}

int hf_store_db_step(struct hf_store *store, enum hf_store_sql which, bool *ret_row)
{
    errno = 0;
    int code = sqlite3_step(store->statements[which]);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return hf_store_db_fail(store);
    }
    *ret_row = code == SQLITE_ROW;
    return HF_OK;
}

void hf_store_db_reset(struct hf_store *store, enum hf_store_sql which)
{
    (void)sqlite3_reset(store->statements[which]);
    (void)sqlite3_clear_bindings(store->statements[which]);
}

int hf_store_db_run(struct hf_store *store, enum hf_store_sql which)
{
    bool row = false;
    int error = hf_store_db_step(store, which, &row);
    assert(!row);
    hf_store_db_reset(store, which);
    return error;
}

int hf_store_db_refuse(struct hf_store *store, int error, const char *format, ...)
{
    int size = snprintf(store->why, sizeof(store->why), "%s: ", store->path);
    if (size > 0 && (size_t)size < sizeof(store->why)) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(store->why + size, sizeof(store->why) - (size_t)size, format, args);
        va_end(args);
    }
    return error;
}

static bool is_full(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

/*
 * The operating system's part in SQLite's last failure; 0 when it has none. SQLite notes it in most
 * places but not where a COMMIT fails; there errno is still what the failed call left.
 */
static int system_errno(sqlite3 *db, int code, int last)
{
    if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN) {
        return 0;
    }
    return is_full(last) ? last : sqlite3_system_errno(db);
}

static int fail_to_write(struct hf_store *store, const char *words)
{
    return hf_store_db_refuse(store, HF_EIO,
                              "cannot be written (%s); the file and its folder must be writable "
                              "by user %u and not be mounted read-only",
                              words, (unsigned)geteuid());
}

int hf_store_db_fail(struct hf_store *store)
{
    int last = errno;
    int code = sqlite3_errcode(store->db) & 0xff;
    int system = system_errno(store->db, code, last);
    const char *words = system != 0 ? strerror(system) : sqlite3_errmsg(store->db);
    if (code == SQLITE_FULL || is_full(system)) {
        return hf_store_db_refuse(store, HF_EFULL,
                                  "no space left (%s); free some on its disk, or raise the quota "
                                  "or file size limit: nothing is lost and nothing needs repair",
                                  words);
    }
    switch (code) {
    case SQLITE_NOMEM:
        abort();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return hf_store_db_refuse(store, HF_EBUSY, HF_STORE_BUSY_TEXT);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
        store->doubtful = true;
        return hf_store_db_refuse(store, HF_ECORRUPT,
                                  "damaged, or not a store (%s); move it away together with "
                                  "its -journal and put a backup in its place, or let a new one "
                                  "be created: no answer depends on it",
                                  words);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return fail_to_write(store, words);
    case SQLITE_TOOBIG:
        return hf_store_db_refuse(store, HF_ELIMIT, "%s", words);
    default:
        store->doubtful = true;
        return hf_store_db_refuse(store, HF_EIO, "input or output failed (%s; SQLite's code %d)",
                                  words, sqlite3_extended_errcode(store->db));
    }
}
