/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request as pieces: the input is a list of fields, each a letter and a text that ends with a
 * line feed, so that a target, header fields, a tokens file and events mix as they do in earnest.
 * The mutator knows the pieces: it puts in, takes out, swaps and splices whole ones, with values
 * that mean something, and leaves the rest to libFuzzer.
 *
 *   t TARGET      m METHOD      1 and so on: the value of that field of enum hf_serve_field
 *   d FLAGS       the door      k LINE: one line of the tokens file      e JSON: an event
 *
 * What must hold: a decoded path and its parameters are clean UTF-8; who is let in without a token
 * is on loopback, on the Unix socket, or at what is open; only operators change anything; whom the
 * judge refuses has no role; readers of events get every octet once, in pieces of any size.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/serve_events.h"
#include "codec/serve_field.h"
#include "codec/serve_judge.h"
#include "codec/serve_target.h"
#include "codec/utf8.h"

enum { INPUT_MAX = 4096, PIECES_MAX = 64, BODY_MAX = 65536, BACKLOG_MAX = 512 };

struct input {
    char text[INPUT_MAX + 1];
    char *pieces[PIECES_MAX]; /* letter, then the value */
    uint32_t count;
};

static const char letters[] = "tmdke123456789:;<";

static const char *const values[] = {
    "/",
    "/api/v1/endpoints/a%2Fb",
    "/a?b=c&d=%26",
    "/%2e%2e/",
    "/healthz",
    "/?a=1&b=2&c&&d=+",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "localhost",
    "127.0.0.1:8053",
    "[::1]:8053",
    "evil.example",
    "status.example",
    "Bearer reader-token-0123456789",
    "Bearer operator-token-0123456",
    "Basic dTpw",
    "read page reader-token-0123456789",
    "operator o operator-token-0123456",
    "# words",
    "chunked",
    "gzip",
    "0",
    "1",
    "65536",
    "65537",
    "99999999999999999999",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "\"a\"",
    "W/\"a-gzip\"",
    "\"b\", \"a\"",
    "*",
    "00000007-0",
    "00000007-3",
    "00000008-1",
    "http://localhost",
    "https://evil.example",
    "null",
    "same-origin",
    "cross-site",
    "none",
    "navigate",
    "gzip;q=0",
    "br, gzip;q=0.5",
    "{}",
    "{\"gen\":1}",
    "u",
    "l",
    "o",
    "ulon",
    "%c3%a4%00",
    "%",
};

static void split(struct input *input, const uint8_t *bytes, size_t size)
{
    size = size < INPUT_MAX ? size : INPUT_MAX;
    memcpy(input->text, bytes, size);
    for (size_t i = 0; i < size; i++) { /* no C string has a NUL inside */
        input->text[i] = input->text[i] == 0 ? '0' : input->text[i];
    }
    input->text[size] = 0;
    char *at = input->text;
    input->count = 0;
    while (*at != 0 && input->count < PIECES_MAX) {
        char *end = strchr(at, '\n');
        input->pieces[input->count++] = at;
        if (end == NULL) {
            break;
        }
        *end = 0;
        at = end + 1;
    }
}

static char *value_of(const struct input *input, char letter)
{
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->pieces[i][0] == letter) {
            return input->pieces[i] + 1;
        }
    }
    return NULL;
}

static void expect_clean(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    while (at < end) {
        size_t octets = hf_utf8_size(at, (size_t)(end - at));
        assert(octets > 0 && *at >= 0x20 && *at != 0x7f);
        at += octets;
    }
}

static void try_target(const struct input *input)
{
    struct hf_serve_target target;
    const char *why = NULL;
    char *text = value_of(input, 't');
    size_t size = text == NULL ? 0 : strlen(text);
    if (text == NULL || hf_serve_target_parse(text, &target, &why) != HF_OK) {
        assert(text == NULL || why != NULL);
        return;
    }
    expect_clean(target.path);
    assert(target.path[0] == '/' && strstr(target.path, "//") == NULL);
    assert(strstr(target.path, "/../") == NULL && strstr(target.path, "/./") == NULL);
    assert(strlen(target.path) <= size && target.query_count <= HF_SERVE_QUERY_MAX);
    for (uint32_t i = 0; i < target.query_count; i++) {
        assert(target.query[i].name[0] != 0);
        expect_clean(target.query[i].name);
        expect_clean(target.query[i].value);
        assert(target.query[i].value + strlen(target.query[i].value) <= text + size);
    }
}

static void read_tokens(const struct input *input, struct hf_serve_tokens *tokens)
{
    static char text[INPUT_MAX + PIECES_MAX];
    size_t size = 0;
    uint32_t line = 0;
    const char *why = NULL;
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->pieces[i][0] == 'k') {
            size_t length = strlen(input->pieces[i] + 1);
            memcpy(text + size, input->pieces[i] + 1, length);
            text[size + length] = '\n';
            size += length + 1;
        }
    }
    int error = hf_serve_tokens_parse(tokens, text, size, &line, &why);
    assert(error == HF_OK || (line > 0 && why != NULL));
    for (uint32_t i = 0; i < tokens->count; i++) {
        assert(tokens->tokens[i].role != HF_SERVE_NOBODY && tokens->tokens[i].name[0] != 0);
        expect_clean(tokens->tokens[i].name);
    }
}

static void expect_lawful(const struct hf_serve_door *door, const char *method,
                          const struct hf_serve_head *head, const struct hf_serve_verdict *verdict)
{
    bool has_token = head->values[HF_SERVE_AUTHORIZATION] != NULL;
    char host[HF_SERVE_HOST_ROOM];
    if (verdict->status != 0) {
        assert(verdict->status >= 400 && verdict->status < 500 && verdict->text != NULL);
        assert(verdict->role == HF_SERVE_NOBODY && verdict->who == NULL);
        assert(verdict->asks_for_token == (verdict->status == 401));
        return;
    }
    assert(!head->is_repeated);
    assert(hf_serve_field_host(head->values[HF_SERVE_HOST], host) == HF_OK);
    assert(strcmp(host, "evil.example") != 0 || door->is_unix);
    assert(has_token == (verdict->who != NULL));
    assert(has_token || door->is_unix || door->is_loopback || door->is_open);
    assert(has_token || door->is_unix || verdict->role != HF_SERVE_OPERATOR);
    if (strcmp(method, "POST") == 0) {
        assert(verdict->role == HF_SERVE_OPERATOR);
        assert(hf_serve_field_is_json(head->values[HF_SERVE_CONTENT_TYPE]));
    } else {
        assert(head->values[HF_SERVE_TRANSFER_CODING] == NULL);
    }
}

static const char *const field_names[HF_SERVE_FIELD_COUNT] = {
    "accept-encoding", "Authorization",     "content-length", "Content-Type", "HOST",
    "If-Match",        "If-None-Match",     "Last-Event-ID",  "Origin",       "Sec-Fetch-Mode",
    "Sec-Fetch-Site",  "Transfer-Encoding",
};

static void try_judge(const struct input *input, const struct hf_serve_tokens *tokens)
{
    static const char *const names[] = {"status.example"};
    struct hf_serve_head head = {0};
    struct hf_serve_verdict verdict = {0};
    const char *flags = value_of(input, 'd') == NULL ? "" : value_of(input, 'd');
    const char *method = value_of(input, 'm') == NULL ? "GET" : value_of(input, 'm');
    struct hf_serve_door door = {
        .is_unix = strchr(flags, 'u') != NULL,
        .is_loopback = strchr(flags, 'l') != NULL,
        .role = strchr(flags, 'r') != NULL ? HF_SERVE_READ : HF_SERVE_OPERATOR,
        .address = "192.0.2.1",
        .names = names,
        .name_count = strchr(flags, 'n') != NULL,
        .tokens = strchr(flags, 'x') != NULL ? NULL : tokens,
        .is_open = strchr(flags, 'o') != NULL,
        .body_max = BODY_MAX,
    };
    for (uint32_t i = 0; i < input->count; i++) {
        unsigned field = (unsigned)(uint8_t)input->pieces[i][0] - '1';
        if (field < HF_SERVE_FIELD_COUNT) {
            hf_serve_head_add(&head, field_names[field], input->pieces[i] + 1);
        }
    }
    hf_serve_judge(&door, method, &head, &verdict);
    expect_lawful(&door, method, &head, &verdict);
    (void)hf_serve_field_takes_gzip(head.values[HF_SERVE_ACCEPT_ENCODING]);
    char *list = value_of(input, (char)('1' + HF_SERVE_IF_NONE_MATCH));
    if (list != NULL) {
        bool had = hf_serve_field_has_etag(list, "\"a\"");
        hf_serve_field_strip_gzip(list);
        assert(!had || hf_serve_field_has_etag(list, "\"a\""));
    }
}

/* Two readers of the same events, one octet by octet, must get the same octets. */
static void try_events(const struct input *input)
{
    struct hf_serve_events *events = malloc(sizeof *events);
    if (events == NULL) {
        abort();
    }
    hf_serve_events_init(events, 7);
    const char *last_id = value_of(input, (char)('1' + HF_SERVE_LAST_EVENT));
    struct hf_serve_reader slow, fast;
    bool has_begun = false;
    char whole[INPUT_MAX], one;
    for (uint32_t i = 0; i < input->count; i++) {
        if (input->pieces[i][0] == 'd') {
            has_begun = true;
            hf_serve_reader_init(&slow, events, last_id, BACKLOG_MAX);
            fast = slow;
        } else if (input->pieces[i][0] == 'e' && strchr(input->pieces[i], '\r') == NULL) {
            hf_serve_events_add(events, "fuzz", input->pieces[i] + 1);
        }
        size_t size = has_begun ? hf_serve_reader_take(&fast, events, whole, sizeof whole) : 0;
        assert(!has_begun || hf_serve_reader_behind(&slow, events) >= size);
        for (size_t at = 0; at < size; at++) {
            assert(hf_serve_reader_take(&slow, events, &one, 1) == 1 && one == whole[at]);
        }
    }
    hf_serve_events_release(events);
    free(events);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t size_max);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input *input = malloc(sizeof *input);
    struct hf_serve_tokens *tokens = malloc(sizeof *tokens);
    if (input == NULL || tokens == NULL) {
        abort();
    }
    split(input, bytes, size);
    read_tokens(input, tokens);
    try_judge(input, tokens);
    try_events(input);
    try_target(input);
    free(tokens);
    free(input);
    return 0;
}

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % below;
}

/* One more piece at the end, with a value that means something. */
static size_t add_piece(uint8_t *bytes, size_t size, size_t size_max, unsigned *seed)
{
    const char *value = values[draw(seed, sizeof values / sizeof values[0])];
    size_t length = strlen(value);
    if (size + length + 2 > size_max) {
        return size;
    }
    bytes[size++] = (uint8_t)letters[draw(seed, sizeof letters - 1)];
    memcpy(bytes + size, value, length);
    bytes[size + length] = '\n';
    return size + length + 1;
}

/* Moves one piece to the end, or takes it out. */
static size_t move_piece(uint8_t *bytes, size_t size, bool takes_out, unsigned *seed)
{
    static uint8_t piece[INPUT_MAX];
    size_t start = draw(seed, (unsigned)size + 1);
    while (start > 0 && bytes[start - 1] != '\n') {
        start--;
    }
    const uint8_t *end = memchr(bytes + start, '\n', size - start);
    size_t length = end == NULL ? 0 : (size_t)(end - bytes) + 1 - start;
    if (length == 0 || length > sizeof piece) {
        return size;
    }
    memcpy(piece, bytes + start, length);
    memmove(bytes + start, bytes + start + length, size - start - length);
    if (takes_out) {
        return size - length;
    }
    memcpy(bytes + size - length, piece, length);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed)
{
    unsigned count = 1 + draw(&seed, 4);
    for (unsigned i = 0; i < count; i++) {
        switch (draw(&seed, 5)) {
        case 0:
        case 1:
            size = add_piece(bytes, size, size_max, &seed);
            break;
        case 2:
            size = move_piece(bytes, size, draw(&seed, 2) == 0, &seed);
            break;
        default:
            size = LLVMFuzzerMutate(bytes, size, size_max);
        }
    }
    return size;
}
