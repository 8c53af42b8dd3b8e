/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/http.h"

#include <string.h>

#include "base/error.h"
#include "codec/http_internal.h"

static const char http_version[] = "HTTP/1.";

int hf_http_broken(struct hf_http *http, int error, const char *why)
{
    http->stage = HF_HTTP_BROKEN;
    http->why = why;
    return error;
}

static void enter(struct hf_http *http, enum hf_http_stage stage)
{
    http->stage = (uint8_t)stage;
    http->position = 0;
}

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

/* tchar of RFC 9110 5.6.2; the words are the bits of !#$%&'*+-. and digits, and so on. */
static bool is_token(uint8_t octet)
{
    static const uint32_t tokens[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return (tokens[octet / 32] >> octet % 32 & 1) != 0;
}

/* What may stand in a field value or a reason phrase, white space included. */
static bool is_text(uint8_t octet)
{
    return octet == '\t' || (octet >= ' ' && octet != 0x7f);
}

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + 'a' - 'A') : octet;
}

static int hex_value(uint8_t octet)
{
    if (is_digit(octet)) {
        return octet - '0';
    }
    octet = lower(octet);
    return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

void hf_http_init(struct hf_http *http, struct hf_buf *content, uint64_t content_max)
{
    *http = (struct hf_http){.content = content, .content_max = content_max};
}

/* An interim response was read: the next status line begins. */
static void start_response(struct hf_http *http)
{
    http->status = 0;
    http->has_length = false;
    http->has_coding = false;
    http->has_close = false;
    enter(http, HF_HTTP_VERSION);
}

static int read_version(struct hf_http *http, uint8_t octet)
{
    uint16_t at = http->position++;
    if (at < sizeof http_version - 1) {
        return octet == (uint8_t)http_version[at]
                   ? HF_OK
                   : hf_http_broken(http, HF_EMALF, "not an HTTP/1 response");
    }
    if (at == sizeof http_version - 1) {
        if (octet != '0' && octet != '1') {
            return hf_http_broken(http, HF_EMALF, "not an HTTP/1.0 or HTTP/1.1 response");
        }
        http->minor = (uint8_t)(octet - '0');
        return HF_OK;
    }
    if (octet != ' ') {
        return hf_http_broken(http, HF_EMALF, "no space behind the HTTP version");
    }
    enter(http, HF_HTTP_STATUS_CODE);
    return HF_OK;
}

static int read_status_code(struct hf_http *http, uint8_t octet)
{
    if (!is_digit(octet)) {
        return hf_http_broken(http, HF_EMALF, "a status code that is no number");
    }
    http->status = (uint16_t)(http->status * 10 + (octet - '0'));
    if (++http->position < 3) {
        return HF_OK;
    }
    if (http->status < 100 || http->status > 599) {
        return hf_http_broken(http, HF_EMALF, "a status code outside 100 to 599");
    }
    enter(http, HF_HTTP_STATUS_SPACE);
    return HF_OK;
}

static int read_status_end(struct hf_http *http, uint8_t octet)
{
    if (octet == '\r') {
        enter(http, HF_HTTP_STATUS_LF);
        return HF_OK;
    }
    if (http->stage == HF_HTTP_STATUS_SPACE && octet != ' ') {
        return hf_http_broken(http, HF_EMALF, "a status code that is no number of three digits");
    }
    if (!is_text(octet)) {
        return hf_http_broken(http, HF_EMALF, "a control character in the status line");
    }
    enter(http, HF_HTTP_REASON);
    return HF_OK;
}

static int read_field_start(struct hf_http *http, uint8_t octet)
{
    if (octet == '\r') {
        enter(http, HF_HTTP_SECTION_LF);
        return HF_OK;
    }
    if (octet == ' ' || octet == '\t') {
        return hf_http_broken(http, HF_EMALF, "a folded header field");
    }
    if (++http->field_count > HF_HTTP_FIELDS_MAX) {
        return hf_http_broken(http, HF_ELIMIT, "too many header fields");
    }
    http->name_size = 0;
    http->value_size = 0;
    enter(http, HF_HTTP_FIELD_NAME);
    return HF_OK;
}

static int read_field_name(struct hf_http *http, uint8_t octet)
{
    if (octet == ':' && http->name_size > 0) {
        enter(http, HF_HTTP_FIELD_VALUE);
        return HF_OK;
    }
    if (!is_token(octet)) {
        return hf_http_broken(http, HF_EMALF, "a header field whose name is no token");
    }
    /* A name that fills the room is none of those that matter. */
    if (http->name_size < HF_HTTP_NAME_ROOM) {
        http->name[http->name_size++] = (char)lower(octet);
    }
    return HF_OK;
}

static int read_field_value(struct hf_http *http, uint8_t octet)
{
    if (octet == '\r') {
        enter(http, HF_HTTP_FIELD_LF);
        return HF_OK;
    }
    if (!is_text(octet)) {
        return hf_http_broken(http, HF_EMALF, "a control character in a header field");
    }
    bool leading_space = http->value_size == 0 && (octet == ' ' || octet == '\t');
    if (leading_space || http->value_size > HF_HTTP_VALUE_ROOM) {
        return HF_OK;
    }
    if (http->value_size < HF_HTTP_VALUE_ROOM) {
        http->value[http->value_size] = (char)lower(octet);
    }
    http->value_size++;
    return HF_OK;
}

/* RFC 9112 6.3: how the content of this response ends. */
static int frame_content(struct hf_http *http)
{
    if (http->status == 101) {
        return hf_http_broken(http, HF_EMALF, "an upgrade that nobody asked for");
    }
    if (http->status < 200) {
        if (++http->interim_count > HF_HTTP_INTERIM_MAX) {
            return hf_http_broken(http, HF_ELIMIT, "too many interim responses");
        }
        start_response(http);
        return HF_OK;
    }
    if (http->has_length && http->has_coding) {
        return hf_http_broken(http, HF_EMALF, "both Content-Length and Transfer-Encoding");
    }
    enter(http, http->has_coding ? HF_HTTP_CHUNK_SIZE : HF_HTTP_CONTENT);
    http->left = 0;
    if (http->status == 204 || http->status == 304) {
        http->framing = HF_HTTP_LENGTH;
        enter(http, HF_HTTP_DONE);
    } else if (http->has_coding) {
        http->framing = HF_HTTP_CHUNKED;
    } else if (http->has_length) {
        http->framing = HF_HTTP_LENGTH;
        http->left = http->length;
        if (http->left == 0) {
            enter(http, HF_HTTP_DONE);
        }
    } else {
        http->framing = HF_HTTP_UNTIL_CLOSE;
        http->left = UINT64_MAX;
    }
    return HF_OK;
}

static int read_line_feed(struct hf_http *http, uint8_t octet)
{
    if (octet != '\n') {
        return hf_http_broken(http, HF_EMALF, "a carriage return without line feed");
    }
    switch (http->stage) {
    case HF_HTTP_STATUS_LF:
        enter(http, HF_HTTP_FIELD_START);
        return HF_OK;
    case HF_HTTP_FIELD_LF:
        enter(http, HF_HTTP_FIELD_START);
        return hf_http_take_field(http);
    case HF_HTTP_CHUNK_END_LF:
        http->left = 0;
        enter(http, HF_HTTP_CHUNK_SIZE);
        return HF_OK;
    case HF_HTTP_CHUNK_LF:
        http->in_trailer = http->left == 0;
        enter(http, http->in_trailer ? HF_HTTP_FIELD_START : HF_HTTP_CHUNK_CONTENT);
        return HF_OK;
    default: /* HF_HTTP_SECTION_LF */
        if (http->in_trailer) {
            enter(http, HF_HTTP_DONE);
            return HF_OK;
        }
        return frame_content(http);
    }
}

static int read_chunk_size(struct hf_http *http, uint8_t octet)
{
    int digit = hex_value(octet);
    if (digit >= 0) {
        if (++http->position > 15) {
            return hf_http_broken(http, HF_EMALF, "a chunk size with more than 15 digits");
        }
        http->left = http->left * 16 + (uint64_t)digit;
        return HF_OK;
    }
    if (http->position == 0) {
        return hf_http_broken(http, HF_EMALF, "a chunk without a size");
    }
    if (octet == '\r') {
        enter(http, HF_HTTP_CHUNK_LF);
        return HF_OK;
    }
    if (octet != ';' && octet != ' ' && octet != '\t') {
        return hf_http_broken(http, HF_EMALF, "a chunk size that is no number");
    }
    enter(http, HF_HTTP_CHUNK_EXTENSION);
    return HF_OK;
}

static int read_chunk_extension(struct hf_http *http, uint8_t octet)
{
    if (octet == '\r') {
        enter(http, HF_HTTP_CHUNK_LF);
        return HF_OK;
    }
    if (!is_text(octet)) {
        return hf_http_broken(http, HF_EMALF, "a control character in a chunk extension");
    }
    if (++http->position > HF_HTTP_CHUNK_LINE_MAX) {
        return hf_http_broken(http, HF_ELIMIT, "a chunk extension that is too long");
    }
    return HF_OK;
}

static int read_chunk_end(struct hf_http *http, uint8_t octet)
{
    if (octet != '\r') {
        return hf_http_broken(http, HF_EMALF, "a chunk that is longer than its size");
    }
    enter(http, HF_HTTP_CHUNK_END_LF);
    return HF_OK;
}

static int read_octet(struct hf_http *http, uint8_t octet)
{
    switch (http->stage) {
    case HF_HTTP_VERSION:
        return read_version(http, octet);
    case HF_HTTP_STATUS_CODE:
        return read_status_code(http, octet);
    case HF_HTTP_STATUS_SPACE:
    case HF_HTTP_REASON:
        return read_status_end(http, octet);
    case HF_HTTP_FIELD_START: {
        int error = read_field_start(http, octet);
        return error == HF_OK && http->stage == HF_HTTP_FIELD_NAME ? read_field_name(http, octet)
                                                                   : error;
    }
    case HF_HTTP_FIELD_NAME:
        return read_field_name(http, octet);
    case HF_HTTP_FIELD_VALUE:
        return read_field_value(http, octet);
    case HF_HTTP_CHUNK_SIZE:
        return read_chunk_size(http, octet);
    case HF_HTTP_CHUNK_EXTENSION:
        return read_chunk_extension(http, octet);
    case HF_HTTP_CHUNK_END_CR:
        return read_chunk_end(http, octet);
    default: /* the stages that wait for a line feed */
        return read_line_feed(http, octet);
    }
}

/*
 * Most of a header is names and values: they are read in a loop of their own. Takes at least one
 * octet; how many is *ret_taken.
 */
static int read_field_run(struct hf_http *http, const uint8_t *bytes, size_t size,
                          size_t *ret_taken)
{
    size_t taken = 0;
    uint8_t stage = http->stage;
    int error = HF_OK;
    while (taken < size && http->stage == stage && error == HF_OK) {
        uint8_t octet = bytes[taken++];
        error = stage == HF_HTTP_FIELD_NAME ? read_field_name(http, octet)
                                            : read_field_value(http, octet);
    }
    *ret_taken = taken;
    return error;
}

static int read_head(struct hf_http *http, const uint8_t *bytes, size_t size, size_t *ret_taken)
{
    size_t room = HF_HTTP_HEAD_MAX - http->head_size;
    if (room == 0) {
        return hf_http_broken(http, HF_ELIMIT, "a header longer than 16 KiB");
    }
    size_t taken = 1;
    int error;
    if (http->stage == HF_HTTP_FIELD_NAME || http->stage == HF_HTTP_FIELD_VALUE) {
        error = read_field_run(http, bytes, size < room ? size : room, &taken);
    } else {
        error = read_octet(http, *bytes);
    }
    http->head_size += (uint32_t)taken;
    *ret_taken = taken;
    return error;
}

/* Takes content from the front of bytes; how many octets it took. */
static size_t read_content(struct hf_http *http, const uint8_t *bytes, size_t size)
{
    size_t take = size < http->left ? size : (size_t)http->left;
    uint64_t room = http->content_max - http->content_size;
    if (take > room) {
        take = (size_t)room;
        http->truncated = true;
    }
    if (http->content != NULL) {
        hf_buf_put(http->content, bytes, take);
    }
    http->content_size += take;
    if (http->framing != HF_HTTP_UNTIL_CLOSE) {
        http->left -= take;
    }
    if (http->truncated) {
        enter(http, HF_HTTP_DONE);
    } else if (http->left == 0) {
        enter(http, http->framing == HF_HTTP_CHUNKED ? HF_HTTP_CHUNK_END_CR : HF_HTTP_DONE);
    }
    return take;
}

static bool is_content(const struct hf_http *http)
{
    return http->stage == HF_HTTP_CONTENT || http->stage == HF_HTTP_CHUNK_CONTENT;
}

static bool is_head(const struct hf_http *http)
{
    return http->stage <= HF_HTTP_SECTION_LF;
}

int hf_http_read(struct hf_http *http, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0 && http->stage != HF_HTTP_DONE) {
        if (http->stage == HF_HTTP_BROKEN) {
            return HF_EMALF;
        }
        size_t taken = 1;
        int error = HF_OK;
        if (is_content(http)) {
            taken = read_content(http, at, size);
        } else if (is_head(http)) {
            error = read_head(http, at, size, &taken);
        } else {
            error = read_octet(http, *at);
        }
        if (error != HF_OK) {
            return error;
        }
        at += taken;
        size -= taken;
    }
    http->has_surplus = http->has_surplus || size > 0;
    return http->stage == HF_HTTP_BROKEN ? HF_EMALF : HF_OK;
}

int hf_http_read_close(struct hf_http *http)
{
    switch (http->stage) {
    case HF_HTTP_DONE:
        return HF_OK;
    case HF_HTTP_BROKEN:
        return HF_EMALF;
    case HF_HTTP_CONTENT:
        if (http->framing == HF_HTTP_UNTIL_CLOSE) {
            enter(http, HF_HTTP_DONE);
            return HF_OK;
        }
        return hf_http_broken(http, HF_EMALF, "closed before the end of the body");
    case HF_HTTP_VERSION:
        if (http->head_size == 0) {
            return hf_http_broken(http, HF_EMALF, "closed without a response");
        }
        return hf_http_broken(http, HF_EMALF, "closed before the end of the header");
    default:
        return hf_http_broken(http, HF_EMALF,
                              is_head(http) && !http->in_trailer
                                  ? "closed before the end of the header"
                                  : "closed before the end of the body");
    }
}

bool hf_http_is_done(const struct hf_http *http)
{
    return http->stage == HF_HTTP_DONE;
}

bool hf_http_is_reusable(const struct hf_http *http)
{
    return hf_http_is_done(http) && http->minor == 1 && http->framing != HF_HTTP_UNTIL_CLOSE &&
           !http->has_close && !http->truncated && !http->has_surplus;
}

const char *hf_http_waits_for(const struct hf_http *http)
{
    if (http->stage <= HF_HTTP_STATUS_LF) {
        return "status line";
    }
    return is_head(http) && !http->in_trailer ? "header" : "body";
}

static bool is_visible(const char *text)
{
    for (; *text != 0; text++) {
        uint8_t octet = (uint8_t)*text;
        if (octet <= ' ' || octet >= 0x7f) {
            return false;
        }
    }
    return true;
}

int hf_http_put_get(struct hf_buf *buf, const char *target, const char *host, bool keep_open)
{
    if (target[0] != '/' || !is_visible(target) || host[0] == 0 || !is_visible(host)) {
        return HF_EINVAL;
    }
    hf_buf_put_text(buf, "GET ");
    hf_buf_put_text(buf, target);
    hf_buf_put_text(buf, " HTTP/1.1\r\nHost: ");
    hf_buf_put_text(buf, host);
    hf_buf_put_text(buf, "\r\nUser-Agent: holdfast/" HF_VERSION "\r\nAccept: */*\r\n");
    hf_buf_put_text(buf, keep_open ? "\r\n" : "Connection: close\r\n\r\n");
    return hf_buf_error(buf);
}
