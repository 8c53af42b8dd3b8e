/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/log_line.h"

#include <stdio.h>
#include <string.h>

#include "codec/timestamp.h"
#include "codec/utf8.h"

/* Kept for "...", the ends of a string and an object, of a colour and of the line. */
enum { RESERVE = 16 };

static void put(struct hf_log_line *line, const char *text, size_t size)
{
    size_t room = HF_LOG_LINE_MAX - RESERVE - line->size;
    if (size > room) {
        size = room;
        line->is_cut = true;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void put_text(struct hf_log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Behind what was cut, too. */
static void put_end(struct hf_log_line *line, const char *text)
{
    size_t size = strlen(text);
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

/* C0, DEL, and the first octet of a C1 control in UTF-8, which some terminals obey. */
static bool is_control(const char *value, size_t size, size_t at)
{
    unsigned char octet = (unsigned char)value[at];
    bool is_c1 = octet == 0xc2 && at + 1 < size && ((unsigned char)value[at + 1] & 0xe0) == 0x80;
    return octet < 0x20 || octet == 0x7f || is_c1;
}

/* --- logfmt --- */

static void put_quoted(struct hf_log_line *line, const char *value, size_t size)
{
    put_text(line, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char octet = (unsigned char)value[i];
        char escaped[8];
        if (octet == '"' || octet == '\\') {
            (void)snprintf(escaped, sizeof(escaped), "\\%c", octet);
        } else if (octet == '\n') {
            (void)snprintf(escaped, sizeof(escaped), "\\n");
        } else if (is_control(value, size, i)) {
            (void)snprintf(escaped, sizeof(escaped), "\\x%02x", octet);
        } else {
            put(line, value + i, 1);
            continue;
        }
        put_text(line, escaped);
    }
    put_text(line, "\"");
}

static void put_value(struct hf_log_line *line, const char *value, size_t size)
{
    bool is_plain = size > 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char octet = (unsigned char)value[i];
        if (octet == ' ' || octet == '"' || octet == '\\' || octet == '=' ||
            is_control(value, size, i)) {
            is_plain = false;
        }
    }
    if (is_plain) {
        put(line, value, size);
    } else {
        put_quoted(line, value, size);
    }
}

static void put_pairs(struct hf_log_line *line, const struct hf_log_event *event)
{
    for (uint32_t i = 0; i < event->pair_count; i++) {
        const struct hf_log_pair *pair = &event->pairs[i];
        put_text(line, " ");
        put(line, pair->key, pair->key_size);
        put_text(line, "=");
        put_value(line, pair->value, pair->value_size);
    }
}

void hf_log_line_logfmt(const struct hf_log_event *event, struct hf_log_line *ret_line)
{
    struct hf_log_line *line = ret_line;
    char time[HF_TIMESTAMP_MAX];
    bool has_colour = event->colour != NULL;
    line->size = 0;
    line->is_cut = false;
    hf_timestamp(event->at_ms, time);
    put_text(line, "ts=");
    put_text(line, time);
    put_text(line, " level=");
    put_text(line, has_colour ? event->colour : "");
    put_text(line, event->level);
    put_text(line, has_colour ? "\x1b[0m" : "");
    if (event->role[0] != 0) {
        put_text(line, " role=");
        put_value(line, event->role, strlen(event->role));
    }
    put_text(line, " event=");
    put_text(line, has_colour ? "\x1b[1m" : "");
    put_text(line, event->event);
    put_text(line, has_colour ? "\x1b[0m" : "");
    put_pairs(line, event);
    put_end(line, line->is_cut ? "...\n" : "\n");
}

/* --- JSON --- */

/* All of it or, where there is no room, nothing; and nothing behind what was cut. */
static bool put_whole(struct hf_log_line *line, const char *text, size_t size)
{
    line->is_cut = line->is_cut || size > HF_LOG_LINE_MAX - RESERVE - line->size;
    if (!line->is_cut) {
        put(line, text, size);
    }
    return !line->is_cut;
}

/* One character of a string, at most 6 octets; returns how many octets of value it was. */
static size_t put_character(struct hf_log_line *line, const char *value, size_t size)
{
    char escaped[8];
    size_t step = hf_utf8_size((const uint8_t *)value, size);
    unsigned char octet = (unsigned char)value[0];
    if (step == 0) {
        (void)put_whole(line, "\xef\xbf\xbd", 3);
        return 1;
    }
    if (octet == '"' || octet == '\\') {
        (void)snprintf(escaped, sizeof(escaped), "\\%c", octet);
    } else if (is_control(value, size, 0)) {
        (void)snprintf(escaped, sizeof(escaped), "\\u%04x",
                       step == 2 ? (unsigned char)value[1] : octet);
    } else {
        (void)put_whole(line, value, step);
        return step;
    }
    (void)put_whole(line, escaped, strlen(escaped));
    return step;
}

static void put_member(struct hf_log_line *line, const char *key, size_t key_size,
                       const char *value, size_t value_size)
{
    char head[80];
    int size = snprintf(head, sizeof(head), "%s\"%.*s\":\"", line->size == 0 ? "{" : ",",
                        (int)key_size, key);
    if (size < 0 || (size_t)size >= sizeof(head) || !put_whole(line, head, (size_t)size)) {
        return;
    }
    for (size_t at = 0; at < value_size && !line->is_cut;) {
        at += put_character(line, value + at, value_size - at);
    }
    put_end(line, line->is_cut ? "...\"" : "\"");
}

static void put_text_member(struct hf_log_line *line, const char *key, const char *value)
{
    put_member(line, key, strlen(key), value, strlen(value));
}

void hf_log_line_json(const struct hf_log_event *event, struct hf_log_line *ret_line)
{
    struct hf_log_line *line = ret_line;
    char time[HF_TIMESTAMP_MAX];
    line->size = 0;
    line->is_cut = false;
    hf_timestamp(event->at_ms, time);
    put_text_member(line, "ts", time);
    put_text_member(line, "level", event->level);
    if (event->role[0] != 0) {
        put_text_member(line, "role", event->role);
    }
    put_text_member(line, "event", event->event);
    for (uint32_t i = 0; i < event->pair_count; i++) {
        const struct hf_log_pair *pair = &event->pairs[i];
        put_member(line, pair->key, pair->key_size, pair->value, pair->value_size);
    }
    put_end(line, "}\n");
}

/* --- journald --- */

struct datagram {
    char *bytes;
    size_t size;
};

/* A field whose value has a line feed is told by its size, 64 bits, least octet first. */
static void put_field(struct datagram *datagram, const char *name, size_t name_size,
                      const char *value, size_t value_size)
{
    bool is_sized = memchr(value, '\n', value_size) != NULL;
    if (name_size + value_size + 16 > HF_LOG_DATAGRAM_MAX - datagram->size) {
        return;
    }
    char *at = datagram->bytes + datagram->size;
    memcpy(at, name, name_size);
    at += name_size;
    *at++ = is_sized ? '\n' : '=';
    for (unsigned i = 0; is_sized && i < 8; i++) {
        *at++ = (char)(value_size >> (8 * i) & 0xff);
    }
    memcpy(at, value, value_size);
    at[value_size] = '\n';
    datagram->size = (size_t)(at + value_size + 1 - datagram->bytes);
}

static void put_named(struct datagram *datagram, const char *key, size_t key_size,
                      const char *value, size_t value_size)
{
    char name[64] = "HOLDFAST_"; /* journald takes no longer one */
    size_t size = strlen(name);
    for (size_t i = 0; i < key_size && size < sizeof(name); i++) {
        bool is_small = key[i] >= 'a' && key[i] <= 'z';
        name[size++] = (char)(is_small ? key[i] - 'a' + 'A' : key[i]);
    }
    put_field(datagram, name, size, value, value_size);
}

size_t hf_log_line_journal(const struct hf_log_event *event, char ret_datagram[HF_LOG_DATAGRAM_MAX])
{
    struct datagram datagram = {.bytes = ret_datagram};
    struct hf_log_line message = {.size = 0};
    char priority = (char)('0' + event->priority);
    put_text(&message, event->event);
    put_pairs(&message, event);
    put_end(&message, message.is_cut ? "..." : "");
    put_field(&datagram, "MESSAGE", 7, message.text, message.size);
    put_field(&datagram, "PRIORITY", 8, &priority, 1);
    put_field(&datagram, "SYSLOG_IDENTIFIER", 17, "holdfast", 8);
    put_named(&datagram, "event", 5, event->event, strlen(event->event));
    if (event->role[0] != 0) {
        put_named(&datagram, "role", 4, event->role, strlen(event->role));
    }
    for (uint32_t i = 0; i < event->pair_count; i++) {
        const struct hf_log_pair *pair = &event->pairs[i];
        put_named(&datagram, pair->key, pair->key_size, pair->value, pair->value_size);
    }
    return datagram.size;
}
