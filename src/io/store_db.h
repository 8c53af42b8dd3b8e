/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store db: the open file under a store. Private to store.c.
 *
 * Opening, creating, noticing that the path leads to another file now, waiting for locks with one
 * deadline a call, and words for what SQLite and the operating system refuse.
 *
 * Two locks. SQLite's own, on the database file, orders transactions. flock(2) on the containing
 * folder is held to write and to open, because SQLite's locks belong to an inode while its journal
 * belongs to a name: without it, a process that opens a file put in place of the old one could meet
 * the journal of a transaction that another process still has in hand on the old one.
 */
#ifndef HF_IO_STORE_DB_H
#define HF_IO_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/store.h"

#define HF_STORE_SQLS(X)                                                                           \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(BEGIN_READS, "BEGIN")                                                                        \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(DATA_VERSION, "PRAGMA data_version")                                                         \
    X(PUT, "INSERT INTO object (name, put_ms, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (name) "      \
           "DO UPDATE SET put_ms = max(excluded.put_ms, put_ms + 1), bytes = excluded.bytes")      \
    X(GET, "SELECT bytes FROM object WHERE name = ?1")                                             \
    X(DELETE, "DELETE FROM object WHERE name = ?1 AND (?2 = 0 OR put_ms = ?2)")                    \
    X(LIST, "SELECT name, length(bytes), put_ms FROM object WHERE name > ?1 ORDER BY name "        \
            "LIMIT ?2")                                                                            \
    X(REF_GET, "SELECT value FROM ref WHERE name = ?1")                                            \
    X(REF_INSERT, "INSERT INTO ref (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING")   \
    X(REF_UPDATE, "UPDATE ref SET value = ?2 WHERE name = ?1 AND value = ?3")                      \
    X(REF_DELETE, "DELETE FROM ref WHERE name = ?1 AND value = ?3")                                \
    X(REF_LIST, "SELECT name, value FROM ref WHERE name >= ?1 ORDER BY name")

#define HF_STORE_BUSY_TEXT                                                                         \
    "locked by another process for %d ms; look for one that is stopped or hangs "                  \
    "(fuser -v FILE)",                                                                             \
        HF_STORE_BUSY_MS

enum hf_store_sql {
#define HF_STORE_SQL_NUMBER(name, text) HF_STORE_SQL_##name,
    HF_STORE_SQLS(HF_STORE_SQL_NUMBER)
#undef HF_STORE_SQL_NUMBER
        HF_STORE_SQL_COUNT
};

/* How often one call follows a file that is replaced again and again. */
enum { HF_STORE_REPLACED_MAX = 8 };

struct hf_store {
    char *path;  /* absolute, as the caller wrote it */
    sqlite3 *db; /* NULL while closed */
    sqlite3_stmt *statements[HF_STORE_SQL_COUNT];
    int folder_fd; /* -1 while closed */
    dev_t device;  /* of the open file */
    ino_t inode;
    uint64_t changes;
    int data_version; /* as of the last hf_store_changes */
    uint64_t deadline_ms;
    uint64_t waited_ms; /* when the lock was looked at last */
    uint64_t break_ms;  /* not before then is a stopped holder of it looked for */
    pid_t broken;       /* see hf_store_broken */
    bool breaks_locks;
    bool in_call;
    bool in_reads;
    bool doubtful; /* a fault that only a fresh look at the file can explain */
    char why[HF_STORE_WHY_MAX];
};

/* Begins a call: no reason, HF_STORE_BUSY_MS to wait from now. */
void hf_store_db_start(struct hf_store *store);

/* Makes sure that the file that the path leads to is open. */
int hf_store_db_ready(struct hf_store *store, bool create);
void hf_store_db_close(struct hf_store *store);

/* True when the path leads to another file than the open one, or to none. */
bool hf_store_db_moved(const struct hf_store *store);

/* Makes SQLite wait for its locks until the call's deadline. */
void hf_store_db_watch_locks(struct hf_store *store);

/* The lock on the folder; HF_EBUSY after the deadline. */
int hf_store_db_lock(struct hf_store *store);
void hf_store_db_unlock(struct hf_store *store);

/* Runs a statement that gives no row, and resets it. */
int hf_store_db_run(struct hf_store *store, enum hf_store_sql which);

/* Steps a statement that the caller resets; ret_row is false when there are no more rows. */
int hf_store_db_step(struct hf_store *store, enum hf_store_sql which, bool *ret_row);

/* Ends use of a statement: releases SQLite's read lock and what was bound. */
void hf_store_db_reset(struct hf_store *store, enum hf_store_sql which);

/* Notes why and returns error. */
int hf_store_db_refuse(struct hf_store *store, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The error of SQLite's last failure, with its words and what to do noted. */
int hf_store_db_fail(struct hf_store *store);

#endif
