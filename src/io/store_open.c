/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/store_db.h"
#include "io/store_journal.h"

enum {
    APPLICATION_ID = 0x48467374, /* "HFst" */
    SCHEMA_VERSION = 1,
    JOURNAL_KEPT_BYTES = 1024 * 1024,
    DATA_VERSION_NONE = -1, /* what SQLite never says: the next question finds a change */
};

/* Rows with bytes far larger than a page belong in a table with rowids; put_ms stands before
 * bytes, so that a listing does not walk the overflow pages. */
#define SCHEMA                                                                                     \
    "CREATE TABLE object (name BLOB NOT NULL PRIMARY KEY, put_ms INTEGER NOT NULL, "               \
    "bytes BLOB NOT NULL) STRICT;"                                                                 \
    "CREATE TABLE ref (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;"

static const char *const sql_texts[] = {
#define SQL_TEXT(name, text) [HF_STORE_SQL_##name] = (text),
    HF_STORE_SQLS(SQL_TEXT)
#undef SQL_TEXT
};

static int run_text(struct hf_store *store, const char *sql)
{
    errno = 0;
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return hf_store_db_fail(store);
    }
    return HF_OK;
}

static int read_pragma(struct hf_store *store, const char *sql, int *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int error = HF_OK;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        error = hf_store_db_fail(store);
    } else {
        *ret_value = sqlite3_column_int(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return error;
}

/* Makes an empty database a store; the folder is locked. */
static int fill_new(struct hf_store *store)
{
    uint32_t instance;
    char sql[sizeof(SCHEMA) + 512];
    if (getrandom(&instance, sizeof(instance), 0) != (ssize_t)sizeof(instance)) {
        return hf_store_db_refuse(store, HF_ESYS, "no random number (%s)", strerror(errno));
    }
    int size = snprintf(sql, sizeof(sql),
                        "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d; "
                        "%s INSERT INTO ref (name, value) "
                        "VALUES ('instance', CAST('%08x' AS BLOB)); COMMIT",
                        APPLICATION_ID, SCHEMA_VERSION, SCHEMA, (unsigned)instance);
    assert(size > 0 && (size_t)size < sizeof(sql));
    return run_text(store, sql);
}

/* Reads the file for the first time: what is it? ret_schema is 0 for one that is empty. */
static int identify(struct hf_store *store, bool create, int *ret_schema)
{
    int application = 0;
    int schema = 0;
    int version = 0;
    int error = read_pragma(store, "PRAGMA application_id", &application);
    if (error == HF_OK) {
        error = read_pragma(store, "PRAGMA schema_version", &schema);
    }
    if (error == HF_OK) {
        error = read_pragma(store, "PRAGMA user_version", &version);
    }
    if (error != HF_OK) {
        return error;
    }
    bool empty = application == 0 && schema == 0;
    if (empty && !create) {
        return hf_store_db_refuse(store, HF_ENOENT,
                                  "empty: its creation was interrupted, or somebody emptied it; "
                                  "put a backup in its place, or start the planner, which makes "
                                  "it a new store");
    }
    if (!empty && application != APPLICATION_ID) {
        return hf_store_db_refuse(store, HF_EMALF,
                                  "a database of another program (application_id %d); name "
                                  "another file as the store",
                                  application);
    }
    if (!empty && version != SCHEMA_VERSION) {
        return hf_store_db_refuse(store, HF_EMALF,
                                  "has schema version %d, this program (%s) knows up to %d; use "
                                  "the newer program that wrote it",
                                  version, HF_VERSION, SCHEMA_VERSION);
    }
    *ret_schema = schema;
    return HF_OK;
}

/* What every connection needs; only after the file is known to be ours. */
static int configure(struct hf_store *store)
{
    char sql[256];
    sqlite3_stmt *statement = NULL;
    /* Without cache_spill the journal is written in one piece and always holds page 1. */
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous = FULL; PRAGMA cache_spill = OFF; "
                   "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; "
                   "PRAGMA journal_size_limit = %d",
                   JOURNAL_KEPT_BYTES);
    int error = run_text(store, sql);
    if (error != HF_OK) {
        return error;
    }
    if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = PERSIST", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        error = hf_store_db_fail(store);
    } else if (strcmp((const char *)sqlite3_column_text(statement, 0), "persist") != 0) {
        error = hf_store_db_refuse(store, HF_EBUSY,
                                   "another program has it open in another journal mode (%s)",
                                   (const char *)sqlite3_column_text(statement, 0));
    }
    (void)sqlite3_finalize(statement);
    return error;
}

static int prepare(struct hf_store *store)
{
    for (int i = 0; i < HF_STORE_SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(store->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK) {
            return hf_store_db_fail(store);
        }
    }
    return HF_OK;
}

static int lock_folder(struct hf_store *store, const char *file)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s", file) >= (int)sizeof(folder)) {
        return hf_store_db_refuse(store, HF_ELIMIT, "a path is below %d bytes", PATH_MAX);
    }
    const char *name = dirname(folder);
    store->folder_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->folder_fd < 0 && errno == ENOENT) {
        return hf_store_db_refuse(store, HF_ENOENT,
                                  "its folder does not exist; create it, writable by user %u",
                                  (unsigned)geteuid());
    }
    if (store->folder_fd < 0) {
        return hf_store_db_refuse(store, HF_EIO, "its folder cannot be opened (%s) by user %u",
                                  strerror(errno), (unsigned)geteuid());
    }
    return hf_store_db_lock(store);
}

/* An empty file where there is none, readable by nobody else from its first moment. */
static int create_file(struct hf_store *store, const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        return HF_OK;
    }
    /* fchmod: a umask may have taken bits away. fsync of the folder: the name is durable. */
    bool made = fd >= 0 && fchmod(fd, 0600) == 0 && fsync(store->folder_fd) == 0;
    int code = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (made) {
        return HF_OK;
    }
    return hf_store_db_refuse(store, code == ENOSPC || code == EDQUOT ? HF_EFULL : HF_EIO,
                              "cannot be created (%s) by user %u", strerror(code),
                              (unsigned)geteuid());
}

/* Looks at a file before anything opens it: opening a FIFO would hang. */
static int inspect(struct hf_store *store, const char *file, struct stat *ret_found)
{
    struct stat found = {0};
    if (stat(file, &found) != 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        return hf_store_db_refuse(store, missing ? HF_ENOENT : HF_EIO,
                                  missing ? "there is no such file (%s); put a backup in its "
                                            "place, or start the planner, which creates it"
                                          : "cannot be looked at (%s)",
                                  strerror(errno));
    }
    if (!S_ISREG(found.st_mode)) {
        return hf_store_db_refuse(store, HF_EIO, "%s, not a file; name a file as the store",
                                  S_ISDIR(found.st_mode) ? "a folder" : "a special file");
    }
    *ret_found = found;
    return HF_OK;
}

/* Opens file with the folder locked: no transaction of a Holdfast process is in hand. */
static int open_locked(struct hf_store *store, const char *file, bool create)
{
    struct stat found = {0};
    int error = create ? create_file(store, file) : HF_OK;
    if (error == HF_OK) {
        error = inspect(store, file, &found);
    }
    if (error != HF_OK) {
        return error;
    }
    store->device = found.st_dev;
    store->inode = found.st_ino;
    if (sqlite3_open_v2(file, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        return hf_store_db_fail(store);
    }
    hf_store_db_watch_locks(store);
    if (hf_store_journal_check(store->db, file) != HF_OK) {
        return hf_store_db_refuse(store, HF_EIO,
                                  "its -journal belongs to another copy of the file and cannot be "
                                  "moved aside (%s); move it away by hand",
                                  strerror(errno));
    }
    int schema = 0;
    error = identify(store, create, &schema);
    if (error == HF_OK) {
        error = configure(store);
    }
    if (error == HF_OK && schema == 0) {
        error = fill_new(store);
    }
    return error != HF_OK ? error : prepare(store);
}

/* ret_moved: the path already leads to another file, so that the result says nothing of it. */
static int open_once(struct hf_store *store, bool create, bool *ret_moved)
{
    char *real = realpath(store->path, NULL);
    const char *file = real != NULL ? real : store->path;
    int renamed = 0;
    int error = lock_folder(store, file);
    if (error == HF_OK) {
        error = open_locked(store, file, create);
        hf_store_db_unlock(store);
    }
    if (store->db != NULL) {
        (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &renamed);
        *ret_moved = renamed != 0 || hf_store_db_moved(store);
    }
    free(real);
    if (error != HF_OK || *ret_moved) {
        hf_store_db_close(store);
    }
    return error;
}

int hf_store_db_ready(struct hf_store *store, bool create)
{
    struct stat found;
    if (store->db != NULL && !hf_store_db_moved(store)) {
        return HF_OK;
    }
    hf_store_db_close(store);
    int error = create ? HF_OK : inspect(store, store->path, &found);
    bool moved = error == HF_OK;
    for (int i = 0; moved && i < HF_STORE_REPLACED_MAX; i++) {
        moved = false;
        error = open_once(store, create, &moved);
    }
    if (moved) {
        error = hf_store_db_refuse(store, HF_EBUSY, "replaced again and again");
    }
    store->data_version = DATA_VERSION_NONE;
    return error;
}

static int open_new(const char *path, bool create, bool breaks_locks,
                    char ret_why[HF_STORE_WHY_MAX], struct hf_store **ret_store)
{
    struct hf_store *store = calloc(1, sizeof(*store));
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (store == NULL || asprintf(&store->path, "%s%s%s", here != NULL ? here : "",
                                  here != NULL ? "/" : "", path) < 0) {
        abort();
    }
    free(here);
    store->folder_fd = -1;
    store->breaks_locks = breaks_locks;
    hf_store_db_start(store);
    int error = hf_store_db_ready(store, create);
    memcpy(ret_why, store->why, HF_STORE_WHY_MAX);
    if (error != HF_OK) {
        hf_store_close(store);
        return error;
    }
    *ret_store = store;
    return HF_OK;
}

int hf_store_open_why(const char *path, bool create, char ret_why[HF_STORE_WHY_MAX],
                      struct hf_store **ret_store)
{
    return open_new(path, create, false, ret_why, ret_store);
}

int hf_store_open_breaking(const char *path, bool create, char ret_why[HF_STORE_WHY_MAX],
                           struct hf_store **ret_store)
{
    return open_new(path, create, true, ret_why, ret_store);
}

int hf_store_open(const char *path, bool create, struct hf_store **ret_store)
{
    char why[HF_STORE_WHY_MAX];
    return hf_store_open_why(path, create, why, ret_store);
}

void hf_store_close(struct hf_store *store)
{
    if (store != NULL) {
        assert(!store->in_call);
        hf_store_db_close(store);
        free(store->path);
        free(store);
    }
}

const char *hf_store_why(const struct hf_store *store)
{
    return store->why;
}
