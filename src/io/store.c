/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "io/store_db.h"

/* One request; a unit of work reads what it needs and fills the rest. */
struct store_request {
    const void *bytes; /* of an object */
    size_t size;
    struct hf_digest object;
    uint64_t put_ms;
    const char *ref;
    const void *before;
    size_t before_size;
    const void *after;
    size_t after_size;
    struct hf_buf *buf;
    const struct hf_digest *list_after;
    struct hf_store_object *objects;
    size_t object_max;
    size_t object_count;
    hf_store_ref_each *each;
    void *each_context;
    uint64_t changes;
};

typedef int store_work(struct hf_store *store, struct store_request *request);

static void bind_bytes(sqlite3_stmt *statement, int place, const void *bytes, size_t size)
{
    /* A NULL pointer would bind NULL, which an empty byte string is not. */
    int code = sqlite3_bind_blob64(statement, place, size > 0 ? bytes : "", size, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    int code = sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

/* One transaction on the open file; ret_again when the path meanwhile leads elsewhere. */
static int write_once(struct hf_store *store, store_work *work, struct store_request *request,
                      bool *ret_again)
{
    int error = hf_store_db_lock(store);
    if (error != HF_OK) {
        return error;
    }
    if (hf_store_db_moved(store)) {
        *ret_again = true;
        hf_store_db_unlock(store);
        return HF_OK;
    }
    error = hf_store_db_run(store, HF_STORE_SQL_BEGIN);
    if (error == HF_OK) {
        error = work(store, request);
    }
    if (error == HF_OK) {
        error = hf_store_db_run(store, HF_STORE_SQL_COMMIT);
    }
    if (error == HF_OK) {
        store->changes++;
    }
    if (sqlite3_get_autocommit(store->db) == 0) {
        /* Its own failure adds nothing: the journal stays, and the next reader rolls back. */
        (void)sqlite3_step(store->statements[HF_STORE_SQL_ROLLBACK]);
        hf_store_db_reset(store, HF_STORE_SQL_ROLLBACK);
    }
    *ret_again = hf_store_db_moved(store);
    hf_store_db_unlock(store);
    return error;
}

static int call(struct hf_store *store, bool write, store_work *work, struct store_request *request)
{
    assert(!store->in_call && !(write && store->in_reads));
    store->in_call = true;
    hf_store_db_start(store);
    int error = HF_OK;
    bool again = true;
    for (int i = 0; again; i++) {
        again = false;
        if (i == HF_STORE_REPLACED_MAX) {
            error = hf_store_db_refuse(store, HF_EBUSY, "replaced again and again");
            break;
        }
        bool is_ready = store->in_reads && store->db != NULL;
        error = is_ready ? HF_OK : hf_store_db_ready(store, false);
        if (error == HF_OK) {
            error = write ? write_once(store, work, request, &again) : work(store, request);
        }
    }
    if (store->doubtful) {
        hf_store_db_close(store);
    }
    store->in_call = false;
    return error;
}

static int reads_work(struct hf_store *store, struct store_request *request)
{
    (void)request;
    return hf_store_db_run(store, HF_STORE_SQL_BEGIN_READS);
}

int hf_store_reads_begin(struct hf_store *store)
{
    assert(!store->in_reads);
    int error = call(store, false, reads_work, &(struct store_request){0});
    store->in_reads = error == HF_OK;
    return error;
}

void hf_store_reads_end(struct hf_store *store)
{
    assert(store->in_reads && !store->in_call);
    store->in_reads = false;
    if (store->db != NULL && sqlite3_get_autocommit(store->db) == 0) {
        (void)sqlite3_step(store->statements[HF_STORE_SQL_COMMIT]);
        hf_store_db_reset(store, HF_STORE_SQL_COMMIT);
    }
}

static int put_work(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_PUT];
    bind_bytes(statement, 1, request->object.bytes, HF_DIGEST_SIZE);
    (void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)request->put_ms);
    bind_bytes(statement, 3, request->bytes, request->size);
    return hf_store_db_run(store, HF_STORE_SQL_PUT);
}

static int start_put(struct hf_store *store, const void *bytes, size_t size,
                     struct store_request *request)
{
    if (size > HF_STORE_OBJECT_MAX) {
        return hf_store_db_refuse(store, HF_ELIMIT, "an object of %zu bytes; the most is %d", size,
                                  HF_STORE_OBJECT_MAX);
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    request->bytes = bytes;
    request->size = size;
    request->put_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    hf_digest_of(bytes, size, &request->object);
    return HF_OK;
}

int hf_store_put(struct hf_store *store, const void *bytes, size_t size, struct hf_digest *ret_name)
{
    struct store_request request = {0};
    int error = start_put(store, bytes, size, &request);
    if (error == HF_OK) {
        error = call(store, true, put_work, &request);
    }
    if (error == HF_OK) {
        *ret_name = request.object;
    }
    return error;
}

static int get_row(struct hf_store *store, const struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_GET];
    char text[HF_DIGEST_TEXT_SIZE];
    struct hf_digest found;
    const void *bytes = sqlite3_column_blob(statement, 0);
    size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    hf_digest_text(&request->object, text);
    hf_digest_of(size > 0 ? bytes : "", size, &found);
    if (memcmp(&found, &request->object, sizeof(found)) != 0) {
        return hf_store_db_refuse(store, HF_ECORRUPT,
                                  "object %s is damaged; the next plan does not need it", text);
    }
    if (hf_buf_error(request->buf) != HF_OK || size > request->buf->cap - request->buf->size) {
        return hf_store_db_refuse(store, HF_ELIMIT, "object %s has %zu bytes, more than expected",
                                  text, size);
    }
    hf_buf_put(request->buf, bytes, size);
    return HF_OK;
}

static int get_work(struct hf_store *store, struct store_request *request)
{
    bool row = false;
    bind_bytes(store->statements[HF_STORE_SQL_GET], 1, request->object.bytes, HF_DIGEST_SIZE);
    int error = hf_store_db_step(store, HF_STORE_SQL_GET, &row);
    if (error == HF_OK && row) {
        error = get_row(store, request);
    } else if (error == HF_OK) {
        char text[HF_DIGEST_TEXT_SIZE];
        hf_digest_text(&request->object, text);
        error = hf_store_db_refuse(store, HF_ENOENT, "there is no object %s", text);
    }
    hf_store_db_reset(store, HF_STORE_SQL_GET);
    return error;
}

int hf_store_get(struct hf_store *store, const struct hf_digest *name, struct hf_buf *ret_bytes)
{
    struct store_request request = {.object = *name, .buf = ret_bytes};
    return call(store, false, get_work, &request);
}

static int delete_work(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_DELETE];
    bind_bytes(statement, 1, request->object.bytes, HF_DIGEST_SIZE);
    (void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)request->put_ms);
    return hf_store_db_run(store, HF_STORE_SQL_DELETE);
}

int hf_store_delete(struct hf_store *store, const struct hf_digest *name)
{
    return hf_store_delete_if(store, name, 0);
}

int hf_store_delete_if(struct hf_store *store, const struct hf_digest *name, uint64_t put_ms)
{
    struct store_request request = {.object = *name, .put_ms = put_ms};
    return call(store, true, delete_work, &request);
}

static int list_row(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_LIST];
    struct hf_store_object *object = &request->objects[request->object_count];
    if (sqlite3_column_bytes(statement, 0) != HF_DIGEST_SIZE) {
        return hf_store_db_refuse(store, HF_ECORRUPT,
                                  "an object's name is not a digest; put a backup in its place");
    }
    memcpy(object->name.bytes, sqlite3_column_blob(statement, 0), HF_DIGEST_SIZE);
    object->size_bytes = (uint64_t)sqlite3_column_int64(statement, 1);
    object->put_ms = (uint64_t)sqlite3_column_int64(statement, 2);
    request->object_count++;
    return HF_OK;
}

static int list_work(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_LIST];
    bool row = true;
    int error = HF_OK;
    bind_bytes(statement, 1, request->list_after, request->list_after != NULL ? HF_DIGEST_SIZE : 0);
    (void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)request->object_max);
    while (error == HF_OK && row) {
        error = hf_store_db_step(store, HF_STORE_SQL_LIST, &row);
        if (error == HF_OK && row) {
            error = list_row(store, request);
        }
    }
    hf_store_db_reset(store, HF_STORE_SQL_LIST);
    return error;
}

int hf_store_list(struct hf_store *store, const struct hf_digest *after,
                  struct hf_store_object *ret_objects, size_t max, size_t *ret_count)
{
    struct store_request request = {.list_after = after, .objects = ret_objects, .object_max = max};
    int error = call(store, false, list_work, &request);
    if (error == HF_OK) {
        *ret_count = request.object_count;
    }
    return error;
}

static int check_ref(struct hf_store *store, const char *name, size_t before_size,
                     size_t after_size)
{
    size_t size = strlen(name);
    if (size == 0 || size > HF_STORE_REF_NAME_MAX) {
        return hf_store_db_refuse(store, HF_ELIMIT, "a ref's name has 1 to %d bytes",
                                  HF_STORE_REF_NAME_MAX);
    }
    if (before_size > HF_STORE_REF_VALUE_MAX || after_size > HF_STORE_REF_VALUE_MAX) {
        return hf_store_db_refuse(store, HF_ELIMIT, "a ref's value has at most %d bytes",
                                  HF_STORE_REF_VALUE_MAX);
    }
    return HF_OK;
}

/* Leaves the statement on its row, to be reset by the caller. */
static int find_ref(struct hf_store *store, const char *name, bool *ret_row)
{
    bind_text(store->statements[HF_STORE_SQL_REF_GET], 1, name);
    return hf_store_db_step(store, HF_STORE_SQL_REF_GET, ret_row);
}

static int ref_get_work(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_REF_GET];
    bool row = false;
    int error = find_ref(store, request->ref, &row);
    if (error == HF_OK && !row) {
        error = hf_store_db_refuse(store, HF_ENOENT, "ref %s was never set", request->ref);
    } else if (error == HF_OK) {
        size_t size = (size_t)sqlite3_column_bytes(statement, 0);
        if (hf_buf_error(request->buf) != HF_OK || size > request->buf->cap - request->buf->size) {
            error = hf_store_db_refuse(store, HF_ELIMIT, "ref %s has %zu bytes, more than expected",
                                       request->ref, size);
        } else {
            hf_buf_put(request->buf, sqlite3_column_blob(statement, 0), size);
        }
    }
    hf_store_db_reset(store, HF_STORE_SQL_REF_GET);
    return error;
}

int hf_store_ref_get(struct hf_store *store, const char *name, struct hf_buf *ret_value)
{
    struct store_request request = {.ref = name, .buf = ret_value};
    int error = check_ref(store, name, 0, 0);
    return error != HF_OK ? error : call(store, false, ref_get_work, &request);
}

int hf_store_instance(struct hf_store *store, uint32_t *ret_instance)
{
    struct hf_buf value;
    char *end = NULL;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    int error = hf_store_ref_get(store, "instance", &value);
    unsigned long instance = 0;
    if (error == HF_OK) {
        const char *text = hf_buf_text(&value);
        instance = strtoul(text, &end, 16);
        if (value.size != 8 || end != text + 8) {
            error =
                hf_store_db_refuse(store, HF_ECORRUPT, "ref instance is not 8 hexadecimal digits");
        }
    }
    if (error == HF_OK) {
        *ret_instance = (uint32_t)instance;
    }
    hf_buf_release(&value);
    return error;
}

/* The statement that moves the ref, only if it stands where it is expected to. */
static enum hf_store_sql cas_sql(const struct store_request *request)
{
    if (request->before == NULL) {
        return HF_STORE_SQL_REF_INSERT;
    }
    return request->after != NULL ? HF_STORE_SQL_REF_UPDATE : HF_STORE_SQL_REF_DELETE;
}

static int cas_work(struct hf_store *store, struct store_request *request)
{
    bool moved = false;
    int error;
    if (request->before == NULL && request->after == NULL) {
        bool row = false;
        error = find_ref(store, request->ref, &row);
        hf_store_db_reset(store, HF_STORE_SQL_REF_GET);
        moved = !row;
    } else {
        enum hf_store_sql which = cas_sql(request);
        sqlite3_stmt *statement = store->statements[which];
        bind_text(statement, 1, request->ref);
        if (request->after != NULL) {
            bind_bytes(statement, 2, request->after, request->after_size);
        }
        if (request->before != NULL) {
            bind_bytes(statement, 3, request->before, request->before_size);
        }
        error = hf_store_db_run(store, which);
        moved = sqlite3_changes(store->db) == 1;
    }
    if (error == HF_OK && !moved) {
        error =
            hf_store_db_refuse(store, HF_ESTALE, "ref %s was moved by somebody else", request->ref);
    }
    return error;
}

int hf_store_ref_cas(struct hf_store *store, const char *name, const void *before,
                     size_t before_size, const void *after, size_t after_size)
{
    struct store_request request = {.ref = name,
                                    .before = before,
                                    .before_size = before_size,
                                    .after = after,
                                    .after_size = after_size};
    int error = check_ref(store, name, before_size, after_size);
    return error != HF_OK ? error : call(store, true, cas_work, &request);
}

static int put_cas_work(struct hf_store *store, struct store_request *request)
{
    int error = cas_work(store, request);
    return error != HF_OK ? error : put_work(store, request);
}

int hf_store_put_cas(struct hf_store *store, const void *bytes, size_t size, const char *name,
                     const void *before, size_t before_size, const void *after, size_t after_size)
{
    struct store_request request = {.ref = name,
                                    .before = before,
                                    .before_size = before_size,
                                    .after = after,
                                    .after_size = after_size};
    int error = check_ref(store, name, before_size, after_size);
    if (error == HF_OK) {
        error = start_put(store, bytes, size, &request);
    }
    return error != HF_OK ? error : call(store, true, put_cas_work, &request);
}

static int ref_list_work(struct hf_store *store, struct store_request *request)
{
    sqlite3_stmt *statement = store->statements[HF_STORE_SQL_REF_LIST];
    size_t prefix_size = strlen(request->ref);
    int error = HF_OK;
    bind_text(statement, 1, request->ref);
    while (error == HF_OK) {
        bool row = false;
        error = hf_store_db_step(store, HF_STORE_SQL_REF_LIST, &row);
        if (error != HF_OK || !row) {
            break;
        }
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (strncmp(name, request->ref, prefix_size) != 0) {
            break;
        }
        const void *value = sqlite3_column_blob(statement, 1);
        size_t size = (size_t)sqlite3_column_bytes(statement, 1);
        error = request->each(request->each_context, name, size > 0 ? value : "", size);
    }
    hf_store_db_reset(store, HF_STORE_SQL_REF_LIST);
    return error;
}

int hf_store_ref_list(struct hf_store *store, const char *prefix, hf_store_ref_each *each,
                      void *context)
{
    struct store_request request = {.ref = prefix, .each = each, .each_context = context};
    return call(store, false, ref_list_work, &request);
}

static int changes_work(struct hf_store *store, struct store_request *request)
{
    bool row = false;
    int error = hf_store_db_step(store, HF_STORE_SQL_DATA_VERSION, &row);
    if (error == HF_OK) {
        int now = sqlite3_column_int(store->statements[HF_STORE_SQL_DATA_VERSION], 0);
        /* SQLite's number does not move with this connection's own commits: write_once counts
         * those. It starts anew with every connection: hf_store_db_ready forgets the old one. */
        store->changes += now != store->data_version ? 1 : 0;
        store->data_version = now;
        request->changes = store->changes;
    }
    hf_store_db_reset(store, HF_STORE_SQL_DATA_VERSION);
    return error;
}

int hf_store_changes(struct hf_store *store, uint64_t *ret_changes)
{
    struct store_request request = {0};
    int error = call(store, false, changes_work, &request);
    if (error == HF_OK) {
        *ret_changes = request.changes;
    }
    return error;
}
