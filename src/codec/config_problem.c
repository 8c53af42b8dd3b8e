/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Problems of a configuration: FILE:LINE:COLUMN: KEY: found X, expected Y.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"
#include "base/error.h"
#include "codec/config_reader.h"
#include "codec/utf8.h"

enum {
    SHOWN_OCTETS_MAX = 60, /* of a wrong value */
    MESSAGE_MAX = 768,     /* of one problem, without its position */
    PART_DISTANCE = 2,     /* what leaving out a part of a word counts as */
    PART_MIN = 4,          /* shorter parts of a word suggest nothing */
    NEAREST_TEXT_MAX = 64, /* longer words get no suggestion */
};

void hf_enter(struct hf_reader *reader, const char *key)
{
    assert(reader->depth < HF_READER_PATH_MAX);
    reader->path[reader->depth++] = key;
}

void hf_leave(struct hf_reader *reader)
{
    assert(reader->depth > 0);
    reader->depth--;
}

void hf_reader_fail(struct hf_reader *reader, int error)
{
    if (reader->error == HF_OK) {
        reader->error = error;
    }
}

/* Text of the file goes to terminals: nothing but printable characters, and not too many. */
static void put_safe(struct hf_buf *buf, const char *text, size_t size_max)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t size = strlen(text);
    size_t at = 0;
    while (at < size && at < size_max) {
        size_t step = hf_utf8_size(bytes + at, size - at);
        bool c1 = step == 2 && bytes[at] == 0xc2 && bytes[at + 1] < 0xa0;
        if (step == 0 || bytes[at] < 0x20 || bytes[at] == 0x7f || c1) {
            hf_buf_put_text(buf, "?");
            at += step == 0 ? 1 : step;
        } else {
            hf_buf_put(buf, bytes + at, step);
            at += step;
        }
    }
    if (at < size) {
        hf_buf_put_text(buf, "...");
    }
}

static bool is_before(const struct hf_reader_line *a, const struct hf_reader_line *b)
{
    if (a->file != b->file) {
        return a->file < b->file;
    }
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void put_problem(struct hf_reader *reader, uint32_t line, uint32_t column, bool is_warning,
                        const char *message)
{
    struct hf_buf *texts = &reader->texts;
    struct hf_reader_line fresh = {
        .file = reader->file_row, .line = line, .column = column, .text = texts->size};
    put_safe(texts, reader->file, SIZE_MAX);
    hf_buf_printf(texts, ":%" PRIu32 ":%" PRIu32 ": %s", line, column,
                  is_warning ? "warning: " : "");
    for (uint32_t i = 0; i < reader->depth; i++) {
        /* A key in brackets is a place in a list: it follows its list without a dot. */
        hf_buf_put_text(texts, i > 0 && reader->path[i][0] != '[' ? "." : "");
        put_safe(texts, reader->path[i], SHOWN_OCTETS_MAX);
    }
    hf_buf_put_text(texts, reader->depth > 0 ? ": " : "");
    put_safe(texts, message, SIZE_MAX); /* paths and names are in it as they were written */
    hf_buf_put_text(texts, "\n");
    fresh.size = texts->size - fresh.text;
    /* They are found in the order in which parts refer to each other, and shown from the top. */
    assert(reader->line_count < HF_READER_LINES_MAX);
    uint32_t at = reader->line_count++;
    while (at > 0 && is_before(&fresh, &reader->lines[at - 1])) {
        reader->lines[at] = reader->lines[at - 1];
        at--;
    }
    reader->lines[at] = fresh;
}

void hf_problems_end(struct hf_reader *reader)
{
    for (uint32_t i = 0; i < reader->line_count; i++) {
        const struct hf_reader_line *line = &reader->lines[i];
        hf_buf_put(reader->problems, reader->texts.bytes + line->text, line->size);
    }
    if (reader->stopped && reader->error_count >= HF_CONFIG_PROBLEMS_MAX) {
        hf_buf_printf(reader->problems, "stopped after %d problems\n", HF_CONFIG_PROBLEMS_MAX);
    }
    if (reader->warning_count > HF_CONFIG_PROBLEMS_MAX) {
        hf_buf_printf(reader->problems, "%" PRIu32 " more warnings\n",
                      reader->warning_count - HF_CONFIG_PROBLEMS_MAX);
    }
}

static void count_problem(struct hf_reader *reader)
{
    reader->error_count++;
    hf_reader_fail(reader, HF_EMALF);
    reader->stopped = reader->stopped || reader->error_count == HF_CONFIG_PROBLEMS_MAX;
}

void hf_problem_at(struct hf_reader *reader, uint32_t line, uint32_t column, const char *text)
{
    if (!reader->stopped) {
        put_problem(reader, line, column, false, text);
        count_problem(reader);
    }
}

static void place_of(const struct hf_reader *reader, uint32_t node, uint32_t *ret_line,
                     uint32_t *ret_column)
{
    bool known = node != 0 && reader->tree != NULL;
    *ret_line = known ? hf_tree_at(reader->tree, node)->line : 1;
    *ret_column = known ? hf_tree_at(reader->tree, node)->column : 1;
}

void hf_problem(struct hf_reader *reader, uint32_t node, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    uint32_t line = 1;
    uint32_t column = 1;
    place_of(reader, node, &line, &column);
    hf_problem_at(reader, line, column, message);
}

void hf_warning(struct hf_reader *reader, uint32_t node, const char *format, ...)
{
    if (reader->stopped || ++reader->warning_count > HF_CONFIG_PROBLEMS_MAX) {
        return;
    }
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    uint32_t line = 1;
    uint32_t column = 1;
    place_of(reader, node, &line, &column);
    put_problem(reader, line, column, true, message);
}

const char *hf_shown(const struct hf_reader *reader, uint32_t node, char ret_text[HF_SHOWN_MAX])
{
    uint32_t kind = node == 0 ? HF_TREE_NOTHING : hf_tree_at(reader->tree, node)->kind;
    if (kind != HF_TREE_PLAIN && kind != HF_TREE_TEXT) {
        const char *name = kind == HF_TREE_LIST ? "list" : "map";
        uint32_t count = node == 0 ? 0 : hf_tree_at(reader->tree, node)->count;
        if (kind == HF_TREE_NOTHING) {
            (void)snprintf(ret_text, HF_SHOWN_MAX, "nothing");
        } else if (kind == HF_TREE_LIST && count > 0) {
            (void)snprintf(ret_text, HF_SHOWN_MAX, "a list of %" PRIu32, count);
        } else {
            (void)snprintf(ret_text, HF_SHOWN_MAX, "%s %s", count == 0 ? "an empty" : "a", name);
        }
        return ret_text;
    }
    struct hf_buf buf;
    hf_buf_init(&buf, HF_SHOWN_MAX - 1);
    const char *quote = kind == HF_TREE_TEXT ? "\"" : "";
    hf_buf_put_text(&buf, quote);
    put_safe(&buf, hf_tree_text(reader->tree, node), SHOWN_OCTETS_MAX);
    hf_buf_put_text(&buf, quote);
    (void)snprintf(ret_text, HF_SHOWN_MAX, "%s", hf_buf_text(&buf));
    hf_buf_release(&buf);
    return ret_text;
}

void hf_expected(struct hf_reader *reader, uint32_t node, const char *expected)
{
    char shown[HF_SHOWN_MAX];
    hf_problem(reader, node, "found %s, expected %s", hf_shown(reader, node, shown), expected);
}

void hf_nearest_try(struct hf_nearest *nearest, const char *candidate)
{
    size_t text_size = strlen(nearest->text);
    size_t size = strlen(candidate);
    if (text_size == 0 || text_size > NEAREST_TEXT_MAX || size > NEAREST_TEXT_MAX) {
        return;
    }
    size_t longer = text_size > size ? text_size : size;
    size_t apart = longer - (text_size > size ? size : text_size);
    uint32_t most = (uint32_t)(longer + 2) / 3; /* more than that is another word */
    bool is_part = text_size >= PART_MIN && strstr(candidate, nearest->text) != NULL;
    if (apart > most && !is_part) {
        return;
    }
    uint32_t distance = is_part && apart > PART_DISTANCE
                            ? PART_DISTANCE
                            : (uint32_t)hf_distance(nearest->text, candidate);
    if (distance <= most && (nearest->best == NULL || distance < nearest->distance)) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}

const char *hf_nearest_hint(const struct hf_nearest *nearest, char ret_text[HF_SHOWN_MAX])
{
    ret_text[0] = 0;
    if (nearest->best != NULL) {
        (void)snprintf(ret_text, HF_SHOWN_MAX, " (did you mean \"%s\"?)", nearest->best);
    }
    return ret_text;
}
