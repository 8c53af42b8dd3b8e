/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Store: where plans, the head and the operator's overrides live. One SQLite file.
 *
 * Two kinds of things, as in git: *objects* are immutable byte strings named by their SHA-256, and
 * are verified when read; *refs* are named small values that move by compare-and-swap. Six
 * operations, so that another store (etcd) can stand in: object put, get, delete, list; ref get,
 * compare-and-swap. "Watch" is hf_store_changes, a cheap question that never misses a change.
 *
 * Any number of processes use one file at once. Each call is one transaction and durable when it
 * returns HF_OK (synchronous=FULL); a process killed at any moment leaves the file valid. Reads may
 * be bracketed into one transaction (hf_store_reads_begin), which stays on the file of its begin.
 * The journal mode is PERSIST and never WAL: see docs/internals/store.md.
 *
 * A file that was replaced or deleted under an open store is noticed: every call compares the
 * open file with the path and opens the new one, or returns HF_ENOENT where there is none. A write
 * that went into a file while it was being replaced is done again on the new one before it returns.
 * No call but hf_store_open creates a file: somebody may be about to put a backup there.
 *
 * Calls block (at most HF_STORE_BUSY_MS where another process holds the lock), so an event loop
 * uses store_async.h. One struct hf_store must not be used by two threads at once.
 *
 * Errors of every call: HF_ENOENT file or thing missing (an empty file counts as missing);
 * HF_EBUSY lock held too long; HF_EFULL disk, quota or file size limit full; HF_ECORRUPT the file
 * is damaged or no database, or an object does not match its name; HF_EMALF it is a database of
 * another program or of a newer Holdfast; HF_EIO any other failure; HF_ELIMIT a bound below
 * passed. After HF_EIO from a write it may have happened: read before concluding anything.
 * hf_store_why says it in words: the path, what is wrong and what to do.
 */
#ifndef HF_IO_STORE_H
#define HF_IO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/digest.h"

enum {
    HF_STORE_BUSY_MS = 5000,
    HF_STORE_BREAK_MS = 1000,
    HF_STORE_OBJECT_MAX = 64 * 1024 * 1024,
    HF_STORE_REF_NAME_MAX = 128,
    HF_STORE_REF_VALUE_MAX = 1024,
    HF_STORE_WHY_MAX = 1024,
};

struct hf_store;

/*
 * Opens the store at path (HF_ENOENT if there is none). With create, makes one where there is
 * none, atomically: two processes that create at once end with one and the same store. A new
 * store draws its instance, a random 32-bit number in ref "instance" (8 hexadecimal digits).
 * File mode 0600. ret_store is to be closed with hf_store_close.
 */
int hf_store_open(const char *path, bool create, struct hf_store **ret_store);

/* The same; on failure ret_why holds what hf_store_why would say, else "". */
int hf_store_open_why(const char *path, bool create, char ret_why[HF_STORE_WHY_MAX],
                      struct hf_store **ret_store);
void hf_store_close(struct hf_store *store);

/*
 * The same; besides, this and every later call that has waited HF_STORE_BREAK_MS for a lock kills
 * the process that holds it, where that is one of ours and is stopped (store_break.h).
 */
int hf_store_open_breaking(const char *path, bool create, char ret_why[HF_STORE_WHY_MAX],
                           struct hf_store **ret_store);

/* The process that was killed so since this was asked last, or 0. */
pid_t hf_store_broken(struct hf_store *store);

/* The number drawn when the store was created. */
int hf_store_instance(struct hf_store *store, uint32_t *ret_instance);

/*
 * Puts an object and gives its name. Putting an object that is there already writes it anew: that
 * renews put_ms, so that a janitor sees it as young, and mends it if it was damaged.
 */
int hf_store_put(struct hf_store *store, const void *bytes, size_t size,
                 struct hf_digest *ret_name);

/*
 * The reads between these two see one state and cost one lock. They must be few and small: nobody
 * can write meanwhile. No write may be between them. After an error of begin nothing is to be
 * ended; after one of a read, end.
 */
int hf_store_reads_begin(struct hf_store *store);
void hf_store_reads_end(struct hf_store *store);

/* Appends the object's bytes to ret_bytes (untouched on failure; HF_ELIMIT beyond its cap). */
int hf_store_get(struct hf_store *store, const struct hf_digest *name, struct hf_buf *ret_bytes);

/* Deletes an object; one that is not there is HF_OK. */
int hf_store_delete(struct hf_store *store, const struct hf_digest *name);

/*
 * The same, but only if the object was not put again since it was listed with this put_ms: each
 * put of an object makes its put_ms greater, whatever the clock says.
 */
int hf_store_delete_if(struct hf_store *store, const struct hf_digest *name, uint64_t put_ms);

/* One object as the janitor sees it. */
struct hf_store_object {
    struct hf_digest name;
    uint64_t size_bytes;
    uint64_t put_ms; /* wall clock of the process that put it, ms since 1970 */
};

/*
 * Up to max objects whose name is greater than after (NULL: from the start), in order of name.
 * ret_count below max means the end.
 */
int hf_store_list(struct hf_store *store, const struct hf_digest *after,
                  struct hf_store_object *ret_objects, size_t max, size_t *ret_count);

/* Appends the ref's value; HF_ENOENT if it was never set. */
int hf_store_ref_get(struct hf_store *store, const char *name, struct hf_buf *ret_value);

/*
 * Moves the ref from the value before to the value after, or changes nothing and returns
 * HF_ESTALE. before NULL: the ref must not exist; after NULL: the ref is removed.
 */
int hf_store_ref_cas(struct hf_store *store, const char *name, const void *before,
                     size_t before_size, const void *after, size_t after_size);

/* Puts an object and moves the ref in one transaction (one fsync): what publishing needs. */
int hf_store_put_cas(struct hf_store *store, const void *bytes, size_t size, const char *name,
                     const void *before, size_t before_size, const void *after, size_t after_size);

/*
 * Calls each for every ref whose name begins with prefix, in order of name; stops when it returns
 * non-zero, and returns that. each must not use the store.
 */
typedef int hf_store_ref_each(void *context, const char *name, const void *value, size_t size);
int hf_store_ref_list(struct hf_store *store, const char *prefix, hf_store_ref_each *each,
                      void *context);

/*
 * A number that differs from the last one whenever any process committed in between, or the file
 * was replaced. Costs microseconds.
 */
int hf_store_changes(struct hf_store *store, uint64_t *ret_changes);

/* What went wrong in the last failed call, in words, with the path; valid until the next call. */
const char *hf_store_why(const struct hf_store *store);

#endif
