/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/term.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    WIDTH_DEFAULT = 80,
    CELL_MAX = 4096,
    TABLE_BYTES_MAX = 1024 * 1024 * 1024,
};

static const char *const style_starts[] = {
    [HF_STYLE_PLAIN] = "",        [HF_STYLE_BOLD] = "\x1b[1m",  [HF_STYLE_DIM] = "\x1b[2m",
    [HF_STYLE_GOOD] = "\x1b[32m", [HF_STYLE_WARN] = "\x1b[33m", [HF_STYLE_BAD] = "\x1b[31m",
    [HF_STYLE_NAME] = "\x1b[36m",
};

bool hf_term_wants_colour(int fd, enum hf_colour_choice choice)
{
    if (choice != HF_COLOUR_AUTO) {
        return choice == HF_COLOUR_ALWAYS;
    }
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool is_refused = no_color != NULL && no_color[0] != '\0';
    bool is_dumb = term == NULL || strcmp(term, "dumb") == 0;
    return !is_refused && !is_dumb && isatty(fd) == 1;
}

void hf_term_init(struct hf_term *term, FILE *stream, enum hf_colour_choice choice)
{
    struct winsize size = {.ws_col = 0};
    int fd = fileno(stream);
    bool has_size = isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *term = (struct hf_term){
        .stream = stream,
        .colour = hf_term_wants_colour(fd, choice),
        .width = has_size ? size.ws_col : WIDTH_DEFAULT,
    };
}

static void make_harmless(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char octet = (unsigned char)*text;
        bool is_c1 = octet == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80;
        if ((octet < 0x20 && octet != '\n') || octet == 0x7f || is_c1) {
            *text = '?';
        }
        if (is_c1) {
            text[1] = '?';
        }
    }
}

static void put_styled(const struct hf_term *term, enum hf_style style, const char *text)
{
    bool is_styled = term->colour && style != HF_STYLE_PLAIN && text[0] != '\0';
    (void)fputs(is_styled ? style_starts[style] : "", term->stream);
    (void)fputs(text, term->stream);
    (void)fputs(is_styled ? "\x1b[0m" : "", term->stream);
}

void hf_term_put(const struct hf_term *term, enum hf_style style, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0) {
        abort();
    }
    make_harmless(text);
    put_styled(term, style, text);
    free(text);
}

size_t hf_term_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return columns;
}

void hf_table_init(struct hf_table *table, const char *titles)
{
    *table = (struct hf_table){.column_count = 0};
    hf_arena_init(&table->arena, TABLE_BYTES_MAX);
    const char *end = NULL;
    do {
        end = strchrnul(titles, '|');
        unsigned column = table->column_count++;
        assert(column < HF_TABLE_COLUMNS_MAX);
        table->right[column] = titles[0] == '>';
        titles += table->right[column];
        table->titles[column] = hf_arena_copy(&table->arena, titles, (size_t)(end - titles));
        titles = end + 1;
    } while (*end != '\0');
}

void hf_table_release(struct hf_table *table)
{
    free(table->cells);
    hf_arena_release(&table->arena);
    *table = (struct hf_table){.column_count = 0};
}

void hf_table_put(struct hf_table *table, enum hf_style style, const char *format, ...)
{
    char text[CELL_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (table->cell_count == HF_TABLE_CELLS_MAX || size < 0) {
        return;
    }
    if (table->cell_count == table->cell_room) {
        size_t room = table->cell_room == 0 ? 64 : 2 * table->cell_room;
        struct hf_cell *cells = reallocarray(table->cells, room, sizeof(cells[0]));
        if (cells == NULL) {
            abort();
        }
        table->cells = cells;
        table->cell_room = room;
    }
    make_harmless(text);
    const char *kept = hf_arena_copy(&table->arena, text, strlen(text));
    if (kept != NULL) {
        table->cells[table->cell_count++] = (struct hf_cell){.text = kept, .style = style};
    }
}

static void print_cell(const struct hf_table *table, const struct hf_term *term, unsigned column,
                       const struct hf_cell *cell, size_t width)
{
    size_t columns = hf_term_columns(cell->text);
    int padding = columns < width ? (int)(width - columns) : 0;
    bool is_last = column + 1 == table->column_count;
    if (table->right[column]) {
        (void)fprintf(term->stream, "%*s", padding, "");
    }
    put_styled(term, cell->style, cell->text);
    if (!table->right[column] && !is_last) {
        (void)fprintf(term->stream, "%*s", padding, "");
    }
    (void)fputs(is_last ? "\n" : "  ", term->stream);
}

void hf_table_print(const struct hf_table *table, const struct hf_term *term, unsigned indent)
{
    assert(table->column_count > 0);
    size_t widths[HF_TABLE_COLUMNS_MAX] = {0};
    bool has_titles = false;
    for (unsigned i = 0; i < table->column_count; i++) {
        widths[i] = hf_term_columns(table->titles[i]);
        has_titles = has_titles || widths[i] > 0;
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t columns = hf_term_columns(table->cells[i].text);
        size_t *width = &widths[i % table->column_count];
        *width = columns > *width ? columns : *width;
    }
    for (unsigned i = 0; has_titles && i < table->column_count; i++) {
        struct hf_cell cell = {.text = table->titles[i], .style = HF_STYLE_BOLD};
        (void)fprintf(term->stream, "%*s", i == 0 ? (int)indent : 0, "");
        print_cell(table, term, i, &cell, widths[i]);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        unsigned column = (unsigned)(i % table->column_count);
        (void)fprintf(term->stream, "%*s", column == 0 ? (int)indent : 0, "");
        print_cell(table, term, column, &table->cells[i], widths[column]);
    }
}

void hf_term_duration(uint64_t duration_ms, char ret_text[HF_TERM_SHORT_MAX])
{
    static const struct {
        uint64_t unit_ms, limit_ms;
        const char *unit;
    } units[] = {
        {1, 1000, "ms"},
        {1000, UINT64_C(120) * 1000, "s"},
        {UINT64_C(60) * 1000, UINT64_C(120) * 60 * 1000, "m"},
        {UINT64_C(3600) * 1000, UINT64_C(48) * 3600 * 1000, "h"},
        {UINT64_C(24) * 3600 * 1000, UINT64_MAX, "d"},
    };
    size_t i = 0;
    while (duration_ms >= units[i].limit_ms && i + 1 < sizeof(units) / sizeof(units[0])) {
        i++;
    }
    (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "%" PRIu64 "%s", duration_ms / units[i].unit_ms,
                   units[i].unit);
}

void hf_term_ago(uint64_t now_ms, uint64_t then_ms, char ret_text[HF_TERM_SHORT_MAX])
{
    char duration[HF_TERM_SHORT_MAX];
    if (now_ms < then_ms || now_ms - then_ms < 1000) {
        (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "now");
        return;
    }
    hf_term_duration(now_ms - then_ms, duration);
    (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "%.20s ago", duration);
}

void hf_term_size(uint64_t size_bytes, char ret_text[HF_TERM_SHORT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double size = (double)size_bytes;
    size_t i = 0;
    while (size >= 1024 && i + 1 < sizeof(units) / sizeof(units[0])) {
        size /= 1024;
        i++;
    }
    (void)snprintf(ret_text, HF_TERM_SHORT_MAX, i == 0 ? "%.0f %s" : "%.1f %s", size, units[i]);
}

void hf_term_timestamp(uint64_t wall_ms, char ret_text[HF_TERM_SHORT_MAX])
{
    struct tm utc;
    time_t seconds = (time_t)(wall_ms / 1000);
    char text[HF_TERM_SHORT_MAX];
    if (gmtime_r(&seconds, &utc) == NULL || utc.tm_year > 9999 - 1900) {
        (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "-");
        return;
    }
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(ret_text, HF_TERM_SHORT_MAX, "%.20s.%03dZ", text, (int)(wall_ms % 1000));
}
