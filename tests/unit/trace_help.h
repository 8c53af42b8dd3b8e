/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden decision traces: a file of events, each with what the machine answered to it in lines that
 * begin with two spaces. Those are computed anew and must be the same; with UPDATE_TRACES=1 they
 * are written instead. Lines that begin with # are for the reader.
 */
#ifndef HF_TESTS_TRACE_HELP_H
#define HF_TESTS_TRACE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 300, TRACE_SIZE = 64 * 1024, WORDS_MAX = 24, NAME_SIZE = 20 };

struct text {
    char line[LINE_SIZE];
    char *words[WORDS_MAX];
    uint32_t word_count;
    char said[TRACE_SIZE]; /* the whole trace as it should be */
    size_t said_size;
};

__attribute__((format(printf, 2, 3))) static inline void say(struct text *text, const char *format,
                                                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof text->said - text->said_size;
    int size = vsnprintf(text->said + text->said_size, room, format, arguments);
    va_end(arguments);
    assert_in_range(size, 0, room - 1);
    text->said_size += (size_t)size;
}

static inline void split(struct text *text)
{
    text->word_count = 0;
    char *rest = text->line;
    char *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != 0) {
            assert_in_range(text->word_count, 0, WORDS_MAX - 1);
            text->words[text->word_count++] = word;
        }
    }
}

/* The word at a place, "" after the last. */
static inline const char *word(const struct text *text, uint32_t i)
{
    return i < text->word_count ? text->words[i] : "";
}

static inline bool is(const struct text *text, uint32_t i, const char *wanted)
{
    return strcmp(word(text, i), wanted) == 0;
}

static inline uint64_t number(const struct text *text, uint32_t i)
{
    char *end = NULL;
    uint64_t value = strtoull(word(text, i), &end, 10);
    if (end == word(text, i) || *end != 0) {
        fail_msg("'%s' is not a number, after '%s'", word(text, i),
                 i == 0 ? "" : word(text, i - 1));
    }
    return value;
}

static inline void text_compare(const char *path, const char *wanted, const char *said)
{
    for (unsigned line = 1; *wanted != 0 || *said != 0; line++) {
        size_t wanted_size = strcspn(wanted, "\n"), said_size = strcspn(said, "\n");
        if (wanted_size != said_size || memcmp(wanted, said, said_size) != 0) {
            fail_msg("%s:%u: wrote '%.*s', the machine says '%.*s'", path, line, (int)wanted_size,
                     wanted, (int)said_size, said);
        }
        wanted += wanted_size + (wanted[wanted_size] != 0);
        said += said_size + (said[said_size] != 0);
    }
}

/* Feeds every line of the file that is an event, in words, to replay_line. */
static inline void text_replay(struct text *text, const char *path, void *context,
                               void (*replay_line)(void *context))
{
    char *wanted = calloc(1, TRACE_SIZE);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
    }
    (void)fread(wanted, 1, TRACE_SIZE - 1, file);
    (void)fclose(file);
    for (const char *at = wanted; *at != 0;) {
        size_t size = strcspn(at, "\n");
        assert_in_range(size, 0, LINE_SIZE - 1);
        if (strncmp(at, "  ", 2) != 0) {
            say(text, "%.*s\n", (int)size, at);
            memcpy(text->line, at, size);
            text->line[size] = 0;
            split(text);
            if (text->word_count > 0 && word(text, 0)[0] != '#') {
                replay_line(context);
            }
        }
        at += size + (at[size] != 0);
    }
    if (getenv("UPDATE_TRACES") != NULL) {
        file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(text->said, 1, text->said_size, file), text->said_size);
        (void)fclose(file);
    } else {
        text_compare(path, wanted, text->said);
    }
    free(wanted);
}

#endif
