/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML to tree over libfyaml's events: its own document tree takes four kilobytes for a row.
 */
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_tree.h"
#include "codec/utf8.h"

struct yaml_reader {
    struct hf_tree *tree;
    struct hf_tree_error *error;
    uint32_t line, column; /* of the last token that had a position */
    uint32_t document_count;
};

static int fail(struct yaml_reader *reader, const char *text)
{
    reader->error->line = reader->line;
    reader->error->column = reader->column;
    (void)snprintf(reader->error->text, sizeof(reader->error->text), "%s", text);
    return HF_EMALF;
}

static bool is_control(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

/* What a YAML parser would report in riddles: other encodings, binary files, tabs as indentation.
 */
static int check_text(struct yaml_reader *reader, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    bool indenting = true;
    reader->line = 1;
    reader->column = 1;
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        return fail(reader, "found UTF-16, expected a file in UTF-8");
    }
    for (size_t at = 0; at < size;) {
        uint8_t byte = bytes[at];
        size_t step = hf_utf8_size(bytes + at, size - at);
        if (step == 0 || is_control(byte)) {
            char message[64];
            (void)snprintf(message, sizeof(message), "found octet 0x%02x, expected text in UTF-8",
                           byte);
            return fail(reader, message);
        }
        if (indenting && byte == '\t') {
            return fail(reader, "found a tab, expected spaces as indentation");
        }
        indenting = byte == '\n' || (indenting && byte == ' ');
        at += step;
        reader->column++;
        if (byte == '\n') {
            reader->line++;
            reader->column = 1;
        }
    }
    return HF_OK;
}

static void move_to(struct yaml_reader *reader, struct fy_token *token)
{
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark != NULL && mark->line >= 0 && mark->column >= 0) {
        reader->line = (uint32_t)mark->line + 1;
        reader->column = (uint32_t)mark->column + 1;
    }
}

static int add(struct yaml_reader *reader, enum hf_tree_kind kind, const char *text, size_t size)
{
    if (hf_tree_add(reader->tree, kind, reader->line, reader->column, text, size) == 0) {
        return fail(reader, reader->tree->depth == HF_TREE_DEPTH_MAX
                                ? "found lists and maps too deep inside each other"
                                : "found more than a configuration can hold");
    }
    return HF_OK;
}

static bool is_null(const char *text, size_t size)
{
    return size == 0 || (size == 1 && text[0] == '~') ||
           (size == 4 && memcmp(text, "null", 4) == 0);
}

static int add_scalar(struct yaml_reader *reader, struct fy_token *token)
{
    move_to(reader, token);
    size_t size = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &size) : "";
    if (text == NULL) {
        return fail(reader, "found a value that cannot be read");
    }
    enum fy_scalar_style style = token == NULL ? FYSS_PLAIN : fy_token_scalar_style(token);
    bool plain = style == FYSS_PLAIN;
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && reader->column > 1) {
        reader->column--; /* the mark is behind the quote */
    }
    if (plain && is_null(text, size)) {
        return add(reader, HF_TREE_NOTHING, NULL, 0);
    }
    if (memchr(text, 0, size) != NULL) {
        return fail(reader, "found the character U+0000 in a text");
    }
    return add(reader, plain ? HF_TREE_PLAIN : HF_TREE_TEXT, text, size);
}

/* Anchors, aliases and tags are not needed and make positions and sizes lie. */
static int refuse_decoration(struct yaml_reader *reader, struct fy_token *anchor,
                             struct fy_token *tag)
{
    if (anchor != NULL) {
        move_to(reader, anchor);
        if (reader->column > 1) {
            reader->column--; /* the mark is behind the & */
        }
        return fail(reader, "found an anchor (&), expected a value: anchors and aliases are not "
                            "supported, use defaults or a pool");
    }
    if (tag != NULL) {
        move_to(reader, tag);
        return fail(reader, "found a tag (!), expected a value: tags are not supported");
    }
    return HF_OK;
}

static int open_node(struct yaml_reader *reader, enum hf_tree_kind kind, struct fy_token *start,
                     struct fy_token *anchor, struct fy_token *tag)
{
    int error = refuse_decoration(reader, anchor, tag);
    if (error != HF_OK) {
        return error;
    }
    move_to(reader, start);
    return add(reader, kind, NULL, 0);
}

static int take_event(struct yaml_reader *reader, struct fy_event *event)
{
    int error = HF_OK;
    switch (event->type) {
    case FYET_DOCUMENT_START:
        move_to(reader, event->document_start.document_start);
        if (++reader->document_count > 1) {
            error = fail(reader, "found a second document, expected the end of the file");
        }
        break;
    case FYET_SCALAR:
        error = refuse_decoration(reader, event->scalar.anchor, event->scalar.tag);
        if (error == HF_OK) {
            error = add_scalar(reader, event->scalar.value);
        }
        break;
    case FYET_ALIAS:
        move_to(reader, event->alias.anchor);
        error = fail(reader, "found an alias (*), expected a value: anchors and aliases are not "
                             "supported, use defaults or a pool");
        break;
    case FYET_MAPPING_START:
        error = open_node(reader, HF_TREE_MAP, event->mapping_start.mapping_start,
                          event->mapping_start.anchor, event->mapping_start.tag);
        break;
    case FYET_SEQUENCE_START:
        error = open_node(reader, HF_TREE_LIST, event->sequence_start.sequence_start,
                          event->sequence_start.anchor, event->sequence_start.tag);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        hf_tree_close(reader->tree);
        break;
    default:
        break;
    }
    return error;
}

static int parser_failed(struct yaml_reader *reader, struct fy_diag *diag)
{
    void *iterator = NULL;
    struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
    if (first == NULL) {
        return fail(reader, "found something that is not YAML");
    }
    if (first->line > 0) {
        reader->line = (uint32_t)first->line;
        reader->column = first->column > 0 ? (uint32_t)first->column : 1;
    }
    char message[200];
    (void)snprintf(message, sizeof(message), "not YAML: %s", first->msg);
    return fail(reader, message);
}

static int read_events(struct yaml_reader *reader, struct fy_parser *parser, struct fy_diag *diag)
{
    int error = HF_OK;
    while (error == HF_OK) {
        struct fy_event *event = fy_parser_parse(parser);
        if (event == NULL) {
            return fy_parser_get_stream_error(parser) ? parser_failed(reader, diag) : HF_OK;
        }
        error = take_event(reader, event);
        fy_parser_event_free(parser, event);
    }
    return error;
}

int hf_tree_read_yaml(struct hf_tree *tree, const char *text, size_t size,
                      struct hf_tree_error *ret_error)
{
    struct yaml_reader reader = {.tree = tree, .error = ret_error, .line = 1, .column = 1};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    int error = check_text(&reader, text, size);
    if (error != HF_OK) {
        return error;
    }
    reader.line = reader.column = 1;
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    if (diag == NULL) {
        abort();
    }
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg config = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&config);
    if (parser == NULL) {
        abort();
    }
    error = fy_parser_set_string(parser, text, size) == 0
                ? read_events(&reader, parser, diag)
                : fail(&reader, "found something that is not YAML");
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return error;
}
