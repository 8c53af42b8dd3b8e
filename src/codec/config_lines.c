/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON Lines: a file of any size, one line in memory at a time.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"

struct line_file {
    FILE *file;
    char *bytes; /* HF_READER_LINE_MAX of them */
    size_t start, end;
    uint32_t line;
    bool ended;
};

/* Moves what is left to the front and reads more behind it. False on a read error. */
static bool refill(struct line_file *lines)
{
    memmove(lines->bytes, lines->bytes + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    size_t want = HF_READER_LINE_MAX - lines->end;
    size_t size = fread(lines->bytes + lines->end, 1, want, lines->file);
    lines->end += size;
    lines->ended = size < want;
    return ferror(lines->file) == 0;
}

enum next { NEXT_LINE, NEXT_END, NEXT_TOO_LONG, NEXT_FAILED };

static enum next next_line(struct line_file *lines, const char **ret_text, size_t *ret_size)
{
    char *text = lines->bytes + lines->start;
    char *newline = memchr(text, '\n', lines->end - lines->start);
    if (newline == NULL && !lines->ended) {
        if (!refill(lines)) {
            return NEXT_FAILED;
        }
        text = lines->bytes;
        newline = memchr(text, '\n', lines->end);
        if (newline == NULL && !lines->ended) {
            lines->line++;
            return NEXT_TOO_LONG;
        }
    }
    size_t size = newline != NULL ? (size_t)(newline - text) : lines->end - lines->start;
    if (newline == NULL && size == 0) {
        return NEXT_END;
    }
    lines->start += size + (newline != NULL);
    lines->line++;
    if (lines->line == 1 && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    *ret_text = text;
    *ret_size = size;
    return NEXT_LINE;
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void read_row_at(struct hf_reader *reader, struct hf_tree *tree, const char *text,
                        size_t size, uint32_t line, hf_row_read *read_row, void *context)
{
    struct hf_tree_error wrong;
    hf_tree_clear(tree);
    if (hf_tree_read_json(tree, text, size, line, &wrong) != HF_OK) {
        hf_problem_at(reader, wrong.line, wrong.column, wrong.text);
        return;
    }
    if (hf_tree_at(tree, tree->root)->kind != HF_TREE_MAP) {
        hf_expected(reader, tree->root, "one object in braces on each line");
        return;
    }
    read_row(reader, tree->root, context);
}

static void read_rows(struct hf_reader *reader, struct line_file *lines, hf_row_read *read_row,
                      void *context)
{
    struct hf_tree tree;
    hf_tree_init(&tree);
    reader->tree = &tree;
    const char *text;
    size_t size;
    enum next next = NEXT_LINE;
    while (!reader->stopped && (next = next_line(lines, &text, &size)) == NEXT_LINE) {
        if (!is_blank(text, size)) {
            read_row_at(reader, &tree, text, size, lines->line, read_row, context);
        }
    }
    if (next == NEXT_TOO_LONG) {
        char message[80];
        (void)snprintf(message, sizeof(message), "found a line of more than %d octets",
                       HF_READER_LINE_MAX);
        hf_problem_at(reader, lines->line, 1, message);
    } else if (next == NEXT_FAILED) {
        hf_problem_at(reader, lines->line, 1, "reading failed");
    }
    hf_tree_release(&tree);
}

void hf_read_lines(struct hf_reader *reader, uint32_t node, const char *path, hf_row_read *read_row,
                   void *context)
{
    struct line_file lines = {.file = hf_file_open(reader, node, path)};
    if (lines.file == NULL) {
        return;
    }
    lines.bytes = calloc(1, HF_READER_LINE_MAX);
    if (lines.bytes == NULL) {
        abort();
    }
    /* Positions are now in this file; the keys that led here are not. */
    const struct hf_tree *tree = reader->tree;
    const char *file = reader->file;
    uint32_t file_row = reader->file_row;
    uint32_t depth = reader->depth;
    reader->file = path;
    reader->file_row = hf_file_note(reader, path);
    reader->depth = 0;
    read_rows(reader, &lines, read_row, context);
    reader->tree = tree;
    reader->file = file;
    reader->file_row = file_row;
    reader->depth = depth;
    free(lines.bytes);
    (void)fclose(lines.file);
}
