/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/trace.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"

static const char first_line[] = "# holdfast-lab trace 1";

static const char *const expectations[] = {
    [HF_TRACE_HOLDS] = "holds",
    [HF_TRACE_BROKEN] = "broken",
    [HF_TRACE_RESTLESS] = "restless",
    [HF_TRACE_WEDGE] = "wedge",
};

enum part { PART_MODEL, PART_SEED, PART_EXPECT, PART_STEPS, PART_END };

struct reader {
    const char *at, *end; /* of the line that is read, then of its rest */
    struct hf_trace *trace;
    uint32_t room;
    enum part part; /* what is expected next */
    struct hf_buf *problem;
};

struct word {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; of size 0 at its end. */
static struct word next_word(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at)) {
        reader->at++;
    }
    const char *from = reader->at;
    while (reader->at < reader->end && !is_blank(*reader->at)) {
        reader->at++;
    }
    return (struct word){.at = from, .size = (size_t)(reader->at - from)};
}

static bool is(struct word word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.at, text, word.size) == 0;
}

static int wrong(const struct reader *reader, struct word found, const char *expected)
{
    enum { SHOWN_MAX = 40 };
    hf_buf_clear(reader->problem);
    if (found.size == 0) {
        hf_buf_put_text(reader->problem, "found the end of the line");
    } else {
        int shown = found.size < SHOWN_MAX ? (int)found.size : SHOWN_MAX;
        hf_buf_printf(reader->problem, "found '%.*s'", shown, found.at);
    }
    hf_buf_printf(reader->problem, ", expected %s", expected);
    return HF_EMALF;
}

static bool parse_number(struct word word, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < word.size; i++) {
        uint64_t digit = (uint64_t)(unsigned char)word.at[i] - '0';
        if (digit > 9 || number > (max - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return word.size > 0;
}

static bool copy_name(struct word word, char ret_name[HF_TRACE_NAME_SIZE])
{
    if (word.size == 0 || word.size >= HF_TRACE_NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] <= ' ' || word.at[i] > '~' || word.at[i] == '=') {
            return false;
        }
    }
    memcpy(ret_name, word.at, word.size);
    ret_name[word.size] = 0;
    return true;
}

static int parse_option(struct reader *reader, struct word word)
{
    struct hf_trace *trace = reader->trace;
    if (trace->option_count == HF_TRACE_OPTIONS_MAX) {
        return wrong(reader, word, "no more options than 48");
    }
    struct hf_trace_option *option = &trace->options[trace->option_count];
    const char *equals = memchr(word.at, '=', word.size);
    uint64_t value = 0;
    if (equals == NULL) {
        return wrong(reader, word, "NAME=NUMBER");
    }
    struct word name = {.at = word.at, .size = (size_t)(equals - word.at)};
    struct word number = {.at = equals + 1, .size = word.size - name.size - 1};
    if (!copy_name(name, option->name) || !parse_number(number, UINT32_MAX, &value)) {
        return wrong(reader, word, "NAME=NUMBER");
    }
    option->value = (uint32_t)value;
    trace->option_count++;
    return HF_OK;
}

static int parse_model(struct reader *reader)
{
    struct word word = next_word(reader);
    if (!copy_name(word, reader->trace->model)) {
        return wrong(reader, word, "the name of a model");
    }
    for (word = next_word(reader); word.size > 0; word = next_word(reader)) {
        int error = parse_option(reader, word);
        if (error != HF_OK) {
            return error;
        }
    }
    return HF_OK;
}

static int parse_seed(struct reader *reader)
{
    struct word word = next_word(reader);
    return parse_number(word, UINT64_MAX, &reader->trace->seed)
               ? HF_OK
               : wrong(reader, word, "a number of 64 bits");
}

static int parse_expect(struct reader *reader)
{
    struct hf_trace *trace = reader->trace;
    struct word word = next_word(reader);
    size_t at = 0;
    while (at < sizeof expectations / sizeof expectations[0] && !is(word, expectations[at])) {
        at++;
    }
    if (at == sizeof expectations / sizeof expectations[0]) {
        return wrong(reader, word, "holds, broken, restless or wedge");
    }
    trace->expect = (enum hf_trace_expect)at;
    if (trace->expect == HF_TRACE_BROKEN || trace->expect == HF_TRACE_RESTLESS) {
        word = next_word(reader);
        if (!copy_name(word, trace->word)) {
            return wrong(reader, word, "the name of an invariant, at most 31 letters");
        }
    }
    return HF_OK;
}

static int parse_step(struct reader *reader, struct word line)
{
    struct hf_trace *trace = reader->trace;
    if (trace->step_count == reader->room) {
        return wrong(reader, line, "no more steps than room is for");
    }
    struct hf_schedule *step = &trace->steps[trace->step_count];
    *step = (struct hf_schedule){.count = 0};
    for (struct word word = next_word(reader); word.size > 0; word = next_word(reader)) {
        uint64_t choice = 0;
        if (step->count == HF_CHOICES_MAX) {
            return wrong(reader, word, "no more choices than 24");
        }
        if (!parse_number(word, UINT16_MAX, &choice)) {
            return wrong(reader, word, "a number below 65536");
        }
        step->given[step->count++] = (uint16_t)choice;
    }
    trace->step_count++;
    return HF_OK;
}

static int parse_action(struct reader *reader, struct word word)
{
    if (is(word, "step")) {
        return parse_step(reader, word);
    }
    if (is(word, "heal")) {
        reader->trace->heals = true;
        reader->part = PART_END;
        return HF_OK;
    }
    return wrong(reader, word, "step or heal");
}

/* One line that is for the machine. */
static int parse_line(struct reader *reader)
{
    static const struct {
        const char *keyword;
        int (*parse)(struct reader *reader);
    } heads[] = {
        [PART_MODEL] = {"model", parse_model},
        [PART_SEED] = {"seed", parse_seed},
        [PART_EXPECT] = {"expect", parse_expect},
    };
    struct word word = next_word(reader);
    if (word.size == 0 || word.at[0] == '#') {
        return HF_OK;
    }
    int error = HF_OK;
    if (reader->part == PART_END) {
        return wrong(reader, word, "nothing after heal");
    }
    if (reader->part == PART_STEPS) {
        error = parse_action(reader, word);
    } else if (!is(word, heads[reader->part].keyword)) {
        return wrong(reader, word, heads[reader->part].keyword);
    } else {
        error = heads[reader->part].parse(reader);
        reader->part++;
    }
    if (error != HF_OK) {
        return error;
    }
    word = next_word(reader);
    return word.size == 0 ? HF_OK : wrong(reader, word, "the end of the line");
}

int hf_trace_parse(const void *bytes, size_t size, struct hf_schedule *steps, uint32_t room,
                   struct hf_trace *ret_trace, uint32_t *ret_line, struct hf_buf *ret_problem)
{
    *ret_trace = (struct hf_trace){.steps = steps};
    struct reader reader = {.trace = ret_trace, .room = room, .problem = ret_problem};
    const char *at = bytes, *end = at + size;
    for (*ret_line = 1; at < end; ++*ret_line) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        reader.at = at;
        reader.end = newline != NULL ? newline : end;
        struct word whole = {.at = at, .size = (size_t)(reader.end - at)};
        if (*ret_line == 1 && !is(whole, first_line)) {
            return wrong(&reader, whole, "'# holdfast-lab trace 1'");
        }
        if (parse_line(&reader) != HF_OK) {
            return HF_EMALF;
        }
        at = newline != NULL ? newline + 1 : end;
    }
    if (reader.part < PART_STEPS) {
        hf_buf_clear(ret_problem);
        hf_buf_put_text(ret_problem, "found the end of the file, expected model, seed and expect");
        return HF_EMALF;
    }
    return HF_OK;
}

uint32_t hf_trace_room(const void *bytes, size_t size)
{
    const char *at = bytes, *end = at + size;
    uint32_t lines = 0;
    while (at < end && lines < HF_TRACE_STEPS_MAX) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline != NULL ? newline + 1 : end;
        lines++;
    }
    return lines;
}

static void first_word(const char *why, char ret_word[HF_TRACE_NAME_SIZE])
{
    size_t size = hf_run_word(why);
    size = size < HF_TRACE_NAME_SIZE ? size : HF_TRACE_NAME_SIZE - 1;
    for (size_t i = 0; i < size; i++) {
        bool is_plain = why[i] > ' ' && why[i] <= '~' && why[i] != '=';
        ret_word[i] = '?';
        if (is_plain) {
            ret_word[i] = why[i];
        }
    }
    ret_word[size] = 0;
    if (size == 0) {
        memcpy(ret_word, "?", 2);
    }
}

void hf_trace_expect_end(struct hf_trace *trace, enum hf_run_end end, const char *why)
{
    trace->word[0] = 0;
    switch (end) {
    case HF_RUN_BROKEN:
        trace->expect = HF_TRACE_BROKEN;
        first_word(why, trace->word);
        break;
    case HF_RUN_RESTLESS:
        trace->expect = HF_TRACE_RESTLESS;
        first_word(why, trace->word);
        break;
    case HF_RUN_WEDGE:
        trace->expect = HF_TRACE_WEDGE;
        break;
    default:
        trace->expect = HF_TRACE_HOLDS;
        break;
    }
}

bool hf_trace_is_met(const struct hf_trace *trace, enum hf_run_end end, const char *why)
{
    struct hf_trace other = {.model = ""};
    hf_trace_expect_end(&other, end, why);
    return other.expect == trace->expect && strcmp(other.word, trace->word) == 0;
}

void hf_trace_put_expect(struct hf_buf *buf, const struct hf_trace *trace)
{
    hf_buf_printf(buf, "%s%s%s", expectations[trace->expect], trace->word[0] != 0 ? " " : "",
                  trace->word);
}

void hf_trace_put_head(struct hf_buf *buf, const struct hf_trace *trace)
{
    hf_buf_printf(buf, "%s\nmodel %s", first_line, trace->model);
    for (uint32_t i = 0; i < trace->option_count; i++) {
        hf_buf_printf(buf, " %s=%" PRIu32, trace->options[i].name, trace->options[i].value);
    }
    hf_buf_printf(buf, "\nseed %" PRIu64 "\nexpect ", trace->seed);
    hf_trace_put_expect(buf, trace);
    hf_buf_put_text(buf, "\n");
}

void hf_trace_put_step(struct hf_buf *buf, const struct hf_schedule *schedule)
{
    assert(schedule->count <= HF_CHOICES_MAX);
    hf_buf_put_text(buf, "step");
    for (uint32_t i = 0; i < schedule->count; i++) {
        hf_buf_printf(buf, " %u", schedule->given[i]);
    }
    hf_buf_put_text(buf, "\n");
}

void hf_trace_put_note(struct hf_buf *buf, const char *text)
{
    hf_buf_put_text(buf, "# ");
    for (const char *at = text; *at != 0;) {
        size_t size = strcspn(at, "\n");
        hf_buf_put(buf, at, size);
        hf_buf_put_text(buf, at[size] != 0 ? "\n# " : "");
        at += size + (at[size] != 0);
    }
    hf_buf_put_text(buf, "\n");
}

void hf_trace_put_heal(struct hf_buf *buf)
{
    hf_buf_put_text(buf, "heal\n");
}
