/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory and files of a configuration.
 */
#define _POSIX_C_SOURCE 200809L
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "codec/config_reader.h"

enum {
    PACK_CHUNK = 32 << 10,
    ROWS_FIRST_ROOM = 16,
    SMALL_FILE_MAX = 4096,
};

void *hf_rows_add(struct hf_rows *rows)
{
    if (rows->count == rows->room) {
        uint32_t room = rows->room == 0 ? ROWS_FIRST_ROOM : rows->room + rows->room / 2;
        assert(room > rows->room);
        void *grown = realloc(rows->rows, (size_t)room * rows->row_size);
        if (grown == NULL) {
            abort();
        }
        rows->rows = grown;
        rows->room = room;
    }
    void *row = (char *)rows->rows + (size_t)rows->count++ * rows->row_size;
    memset(row, 0, rows->row_size);
    return row;
}

void hf_rows_trim(struct hf_rows *rows)
{
    if (rows->count < rows->room && rows->count > 0) {
        void *trimmed = realloc(rows->rows, (size_t)rows->count * rows->row_size);
        if (trimmed != NULL) {
            rows->rows = trimmed;
            rows->room = rows->count;
        }
    }
}

char *hf_pack(struct hf_reader *reader, const void *bytes, size_t size)
{
    struct hf_arena *arena = reader->arena;
    if (size + 1 > PACK_CHUNK / 4) {
        char *copy = hf_arena_copy(arena, bytes, size);
        assert(copy != NULL); /* the limits on files and rows keep below the arena's cap */
        return copy;
    }
    if (size + 1 > reader->text_left) {
        reader->text_chunk = hf_arena_alloc(arena, PACK_CHUNK);
        assert(reader->text_chunk != NULL);
        reader->text_left = PACK_CHUNK;
    }
    char *copy = reader->text_chunk;
    memcpy(copy, bytes, size);
    copy[size] = 0;
    reader->text_chunk += size + 1;
    reader->text_left -= size + 1;
    return copy;
}

char *hf_pack_text(struct hf_reader *reader, const char *text)
{
    return hf_pack(reader, text, strlen(text));
}

const char *hf_resolve(struct hf_reader *reader, const char *path)
{
    if (path[0] == '/' || reader->folder[0] == 0) {
        return hf_pack_text(reader, path);
    }
    struct hf_buf buf;
    hf_buf_init(&buf, HF_READER_FILE_MAX);
    hf_buf_put_text(&buf, reader->folder);
    hf_buf_put_text(&buf, path);
    const char *resolved = hf_pack_text(reader, hf_buf_text(&buf));
    hf_buf_release(&buf);
    return resolved;
}

uint32_t hf_file_note(struct hf_reader *reader, const char *path)
{
    const char **row = hf_rows_add(reader->files);
    *row = path;
    return reader->files->count - 1;
}

FILE *hf_file_open(struct hf_reader *reader, uint32_t node, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        hf_problem(reader, node, "%s: %s", path, strerror(errno));
        return NULL;
    }
    /* Devices and pipes could keep a reader waiting for ever. */
    if (!S_ISREG(status.st_mode)) {
        hf_problem(reader, node, "found %s, expected a regular file", path);
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        hf_problem(reader, node, "%s: %s", path, strerror(errno));
    }
    return file;
}

bool hf_file_is_public(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool hf_file_small(struct hf_reader *reader, uint32_t node, const char *path, struct hf_buf *buf)
{
    FILE *file = hf_file_open(reader, node, path);
    if (file == NULL) {
        return false;
    }
    char bytes[SMALL_FILE_MAX + 1];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || size > SMALL_FILE_MAX) {
        hf_problem(reader, node, "%s: %s", path,
                   failed ? "reading failed" : "found more than 4096 octets");
        return false;
    }
    size_t start = 0;
    while (start < size && is_space((uint8_t)bytes[start])) {
        start++;
    }
    while (size > start && is_space((uint8_t)bytes[size - 1])) {
        size--;
    }
    hf_buf_put(buf, bytes + start, size - start);
    return true;
}

/* The folder of a path, with a final slash; "" for a name without one. */
static const char *folder_of(struct hf_reader *reader, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? "" : hf_pack(reader, path, (size_t)(slash - path) + 1);
}

void hf_reader_begin(struct hf_reader *reader, struct hf_arena *arena, struct hf_rows *files,
                     const char *name, struct hf_buf *problems)
{
    *reader = (struct hf_reader){.arena = arena, .files = files, .problems = problems};
    hf_buf_init(&reader->texts, HF_READER_FILE_MAX);
    reader->file = hf_pack_text(reader, name);
    reader->folder = folder_of(reader, reader->file);
    reader->file_row = hf_file_note(reader, reader->file);
}

bool hf_reader_parse(struct hf_reader *reader, struct hf_tree *tree, const char *text, size_t size,
                     const char *advice)
{
    struct hf_tree_error wrong;
    if (size > HF_READER_FILE_MAX) {
        hf_problem(reader, 0, "found %zu octets, expected at most %d: %s", size, HF_READER_FILE_MAX,
                   advice);
        reader->error = HF_ELIMIT;
        return false;
    }
    if (hf_tree_read_yaml(tree, text, size, &wrong) != HF_OK) {
        hf_problem_at(reader, wrong.line, wrong.column, wrong.text);
        return false;
    }
    reader->tree = tree;
    return true;
}

void hf_reader_end(struct hf_reader *reader)
{
    hf_problems_end(reader);
    hf_buf_release(&reader->texts);
}

int hf_read_whole(const char *path, const char *advice, struct hf_buf *buf, struct hf_buf *problems)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        hf_buf_printf(problems, "%s:1:1: %s\n", path, strerror(errno));
        return errno == ENOENT ? HF_ENOENT : HF_EMALF;
    }
    char bytes[16 << 10];
    size_t size;
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0 && hf_buf_error(buf) == HF_OK) {
        hf_buf_put(buf, bytes, size);
    }
    int error = HF_OK;
    if (ferror(file) != 0) {
        hf_buf_printf(problems, "%s:1:1: %s\n", path, strerror(errno));
        error = HF_EMALF;
    } else if (hf_buf_error(buf) != HF_OK) {
        hf_buf_printf(problems, "%s:1:1: found more than %d octets, expected less: %s\n", path,
                      HF_READER_FILE_MAX, advice);
        error = HF_ELIMIT;
    }
    (void)fclose(file);
    return error;
}
