/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Term: what people read: colours, aligned tables, times and sizes.
 *
 * Text that came from elsewhere (zones, servers, files) may hold control characters; everything
 * here writes '?' for each of them, so that nothing can play tricks on a terminal.
 */
#ifndef HF_HOLDFAST_TERM_H
#define HF_HOLDFAST_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

enum hf_style {
    HF_STYLE_PLAIN,
    HF_STYLE_BOLD,
    HF_STYLE_DIM,
    HF_STYLE_GOOD, /* green */
    HF_STYLE_WARN, /* yellow */
    HF_STYLE_BAD,  /* red */
    HF_STYLE_NAME, /* cyan: names of things */
};

enum hf_colour_choice { HF_COLOUR_AUTO, HF_COLOUR_ALWAYS, HF_COLOUR_NEVER };

struct hf_term {
    FILE *stream; /* borrowed */
    bool colour;
    unsigned width; /* columns; 80 where it is no terminal */
};

/* auto: a terminal, NO_COLOR not set (or empty) and TERM not "dumb". */
bool hf_term_wants_colour(int fd, enum hf_colour_choice choice);
void hf_term_init(struct hf_term *term, FILE *stream, enum hf_colour_choice choice);

/* Writes formatted text in a style. '\n' passes, other control characters become '?'. */
void hf_term_put(const struct hf_term *term, enum hf_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Columns that the text takes: one per UTF-8 character (wide and combining ones are not known). */
size_t hf_term_columns(const char *text);

/*
 * A table: cells are put row by row, left to right, and printed in one go with two blanks between
 * columns. Numbers look best in columns aligned right.
 */
enum { HF_TABLE_COLUMNS_MAX = 16, HF_TABLE_CELLS_MAX = 4 * 1000 * 1000 };

struct hf_cell {
    const char *text; /* in the arena */
    enum hf_style style;
};

struct hf_table {
    unsigned column_count;
    const char *titles[HF_TABLE_COLUMNS_MAX];
    bool right[HF_TABLE_COLUMNS_MAX];
    struct hf_cell *cells;
    size_t cell_count, cell_room;
    struct hf_arena arena;
};

/* titles: separated by '|', "NAME|>SIZE|"; a leading '>' aligns the column to the right; all titles
 * empty: none are printed. titles is not kept. */
void hf_table_init(struct hf_table *table, const char *titles);
/* Beyond HF_TABLE_CELLS_MAX cells are dropped. */
void hf_table_put(struct hf_table *table, enum hf_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void hf_table_print(const struct hf_table *table, const struct hf_term *term, unsigned indent);
void hf_table_release(struct hf_table *table);

enum { HF_TERM_SHORT_MAX = 32 };

/* "now" below a second, "3s ago", "5m ago", "2h ago", "4d ago"; then_ms after now_ms: "now". */
void hf_term_ago(uint64_t now_ms, uint64_t then_ms, char ret_text[HF_TERM_SHORT_MAX]);
/* "250ms", "3s", "5m", "2h", "4d". */
void hf_term_duration(uint64_t duration_ms, char ret_text[HF_TERM_SHORT_MAX]);
/* "512 B", "1.5 KiB", "3.0 GiB". */
void hf_term_size(uint64_t size_bytes, char ret_text[HF_TERM_SHORT_MAX]);
/* RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.123Z". */
void hf_term_timestamp(uint64_t wall_ms, char ret_text[HF_TERM_SHORT_MAX]);

#endif
