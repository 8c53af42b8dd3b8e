/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/states.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"

struct line {
    const char *text;
    size_t size;
};

/* A name and its state as they stand in a line; the name is a view or belongs to json. */
struct statement {
    const char *name;
    size_t name_size;
    enum hf_state state;
};

static bool is_space(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

static struct line trimmed(struct line line)
{
    while (line.size > 0 && is_space(line.text[0])) {
        line.text++;
        line.size--;
    }
    while (line.size > 0 && is_space(line.text[line.size - 1])) {
        line.size--;
    }
    return line;
}

static enum hf_state state_of(const char *word, size_t size)
{
    if (size == 2 && memcmp(word, "up", 2) == 0) {
        return HF_STATE_UP;
    }
    return size == 4 && memcmp(word, "down", 4) == 0 ? HF_STATE_DOWN : HF_STATE_ABSENT;
}

static const char *read_words(struct line line, struct statement *ret_statement)
{
    size_t name_size = 0;
    while (name_size < line.size && !is_space(line.text[name_size])) {
        name_size++;
    }
    struct line word = {line.text + name_size, line.size - name_size};
    word = trimmed(word);
    *ret_statement = (struct statement){line.text, name_size, state_of(word.text, word.size)};
    return ret_statement->state == HF_STATE_ABSENT ? "expected NAME up or NAME down" : NULL;
}

static const char *read_object(const json_t *object, struct statement *ret_statement)
{
    const json_t *name = json_object_get(object, "name");
    const json_t *state = json_object_get(object, "state");
    if (!json_is_string(name)) {
        return "expected a string as \"name\"";
    }
    if (!json_is_string(state)) {
        return "expected \"up\" or \"down\" as \"state\"";
    }
    *ret_statement =
        (struct statement){json_string_value(name), json_string_length(name),
                           state_of(json_string_value(state), json_string_length(state))};
    return ret_statement->state == HF_STATE_ABSENT ? "expected \"up\" or \"down\" as \"state\""
                                                   : NULL;
}

static bool is_row_named(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const struct hf_states *states = context;
    const char *name = states->rows[row].name;
    return strlen(name) == key_size && memcmp(name, key, key_size) == 0;
}

static bool has_control(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = (uint8_t)name[i];
        if (octet < ' ' || octet == 0x7f) {
            return true;
        }
    }
    return false;
}

static const char *add(struct hf_states *states, const struct statement *statement)
{
    if (statement->name_size == 0 || statement->name_size > HF_STATES_NAME_MAX) {
        return "a name that is empty or longer than 63 octets";
    }
    if (has_control(statement->name, statement->name_size)) {
        return "a control character in a name";
    }
    uint32_t row = states->count;
    if (hf_index_find(&states->index, statement->name, statement->name_size, is_row_named,
                      states) != HF_INDEX_NONE) {
        return "a name that stands in the file twice";
    }
    char *name = hf_arena_copy(&states->arena, statement->name, statement->name_size);
    if (name == NULL) {
        return "a file that is too large";
    }
    states->rows[row] = (struct hf_states_row){name, statement->state};
    hf_index_add(&states->index, statement->name, statement->name_size, row);
    states->count++;
    return NULL;
}

static const char *read_line(struct hf_states *states, struct line line)
{
    if (line.size > HF_STATES_LINE_MAX) {
        return "a line longer than 4096 octets";
    }
    line = trimmed(line);
    if (line.size == 0 || line.text[0] == '#') {
        return NULL;
    }
    struct statement statement;
    if (line.text[0] != '{') {
        const char *why = read_words(line, &statement);
        return why == NULL ? add(states, &statement) : why;
    }
    json_error_t error;
    json_t *object = json_loadb(line.text, line.size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        return "not a JSON object";
    }
    const char *why = read_object(object, &statement);
    if (why == NULL) {
        why = add(states, &statement);
    }
    json_decref(object);
    return why;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t count = 0;
    const char *end = text + size;
    for (const char *at = text; at < end; count++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        at = feed == NULL ? end : feed + 1;
    }
    return count;
}

static const char *read_lines(struct hf_states *states, const char *text, size_t size,
                              uint32_t *ret_line)
{
    uint32_t number = 0;
    const char *end = text + size;
    const char *why = NULL;
    for (const char *at = text; at < end && why == NULL;) {
        number++;
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        if (feed == NULL) {
            why = "a last line without a line feed";
            break;
        }
        why = read_line(states, (struct line){at, (size_t)(feed - at)});
        at = feed + 1;
    }
    *ret_line = number;
    return why;
}

int hf_states_read(const char *text, size_t size, struct hf_states *ret_states,
                   struct hf_states_problem *ret_problem)
{
    if (size > HF_STATES_SIZE_MAX) {
        *ret_problem = (struct hf_states_problem){0, "a file larger than 64 MiB"};
        return HF_ELIMIT;
    }
    struct hf_states states = {0};
    hf_arena_init(&states.arena, (size_t)HF_STATES_SIZE_MAX * 16);
    hf_index_init(&states.index);
    states.rows = hf_arena_array(&states.arena, count_lines(text, size) + 1, sizeof *states.rows);
    uint32_t line = 0;
    const char *why =
        states.rows == NULL ? "a file of too many lines" : read_lines(&states, text, size, &line);
    if (why != NULL) {
        hf_states_release(&states);
        *ret_problem = (struct hf_states_problem){line, why};
        return HF_EMALF;
    }
    *ret_states = states;
    return HF_OK;
}

void hf_states_release(struct hf_states *states)
{
    hf_index_release(&states->index);
    hf_arena_release(&states->arena);
    states->rows = NULL;
    states->count = 0;
}

enum hf_state hf_states_find(const struct hf_states *states, const char *name)
{
    uint32_t row = hf_index_find(&states->index, name, strlen(name), is_row_named, states);
    return row == HF_INDEX_NONE ? HF_STATE_ABSENT : states->rows[row].state;
}
