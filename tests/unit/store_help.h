/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the store share: a folder of their own, and short ways to move refs. */
#ifndef HF_TESTS_STORE_HELP_H
#define HF_TESTS_STORE_HELP_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/store.h"

struct place {
    char folder[256];
    char path[300];
};

static inline int place_make(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    const char *parent = getenv("TMPDIR");
    (void)snprintf(place->folder, sizeof(place->folder), "%s/hf-store-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    if (mkdtemp(place->folder) == NULL) {
        free(place);
        return -1;
    }
    (void)snprintf(place->path, sizeof(place->path), "%s/holdfast.db", place->folder);
    *state = place;
    return 0;
}

static inline int place_remove_entry(const char *path, const struct stat *info, int type,
                                     struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int place_remove(void **state)
{
    struct place *place = *state;
    (void)chmod(place->folder, 0700);
    int code = nftw(place->folder, place_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return code;
}

/* A path beside the store's; one at a time. */
static inline const char *place_beside(struct place *place, const char *ending, char path[320])
{
    (void)snprintf(path, 320, "%s%s", place->path, ending);
    return path;
}

static inline struct hf_store *store_made(const struct place *place)
{
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    if (hf_store_open_why(place->path, true, why, &store) != HF_OK) {
        fail_msg("%s", why);
    }
    return store;
}

static inline int move_ref(struct hf_store *store, const char *name, const char *before,
                           const char *after)
{
    return hf_store_ref_cas(store, name, before, before != NULL ? strlen(before) : 0, after,
                            after != NULL ? strlen(after) : 0);
}

/* Fails the test unless the ref has this value; NULL: unless it does not exist. */
static inline void expect_ref(struct hf_store *store, const char *name, const char *value)
{
    struct hf_buf buf;
    hf_buf_init(&buf, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, name, &buf);
    if (value == NULL) {
        assert_int_equal(error, HF_ENOENT);
    } else {
        assert_string_equal(hf_store_why(store), "");
        assert_int_equal(error, HF_OK);
        assert_string_equal(hf_buf_text(&buf), value);
    }
    hf_buf_release(&buf);
}

/* Fails the test unless the reason holds the words, and so does the path. */
static inline void expect_words(const char *why, const struct place *place, const char *words)
{
    if (strstr(why, words) == NULL || strncmp(why, place->folder, strlen(place->folder)) != 0) {
        fail_msg("\"%s\" is not of %s or lacks \"%s\"", why, place->folder, words);
    }
}

/* Opens the file as another program would. */
static inline sqlite3 *open_raw(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static inline void run_raw(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

static inline void change_raw(const char *path, const char *sql)
{
    sqlite3 *db = open_raw(path);
    run_raw(db, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row as text, at most size - 1 bytes of it. */
static inline void read_raw(const char *path, const char *sql, char *ret_text, size_t size)
{
    sqlite3 *db = open_raw(path);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    (void)snprintf(ret_text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void expect_sound(const char *path)
{
    char text[64];
    read_raw(path, "PRAGMA integrity_check", text, sizeof(text));
    assert_string_equal(text, "ok");
}

/* Copies over the inode that is there, as cp does. */
static inline void copy_over(const char *from, const char *to)
{
    FILE *source = fopen(from, "rb");
    FILE *target = fopen(to, "wb");
    char block[8192];
    size_t size;
    assert_non_null(source);
    assert_non_null(target);
    while ((size = fread(block, 1, sizeof(block), source)) > 0) {
        assert_int_equal(fwrite(block, 1, size, target), size);
    }
    assert_int_equal(fclose(source), 0);
    assert_int_equal(fclose(target), 0);
}

#endif
