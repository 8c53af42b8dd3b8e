/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP: writes one GET request and reads one HTTP/1.x response (RFC 9112), octet by octet.
 *
 * The reader takes the response in pieces of any size and holds none of them: what it remembers
 * is fixed in size, and the content goes into the caller's buf. It is strict where leniency lets
 * a response be read in two ways: bare line feeds, folded or nameless fields, space before a
 * colon, conflicting lengths, a length together with a transfer coding, codings other than
 * chunked, and control characters all end it with HF_EMALF. A status line without a reason phrase
 * is taken with and without its space.
 * Limits: HF_HTTP_HEAD_MAX octets and HF_HTTP_FIELDS_MAX fields in status lines, header and
 * trailer sections together, HF_HTTP_INTERIM_MAX interim (1xx) responses. Content beyond
 * content_max is not read: the response is done, and truncated.
 */
#ifndef HF_CODEC_HTTP_H
#define HF_CODEC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    HF_HTTP_HEAD_MAX = 16 * 1024,
    HF_HTTP_FIELDS_MAX = 128,
    HF_HTTP_INTERIM_MAX = 8,
    HF_HTTP_CHUNK_LINE_MAX = 256, /* size and extensions of one chunk */
    HF_HTTP_NAME_ROOM = 20,       /* longer than any field name that is looked at */
    HF_HTTP_VALUE_ROOM = 24,      /* longer than any value that is taken */
};

enum hf_http_stage {
    HF_HTTP_VERSION,
    HF_HTTP_STATUS_CODE,
    HF_HTTP_STATUS_SPACE,
    HF_HTTP_REASON,
    HF_HTTP_STATUS_LF,
    HF_HTTP_FIELD_START,
    HF_HTTP_FIELD_NAME,
    HF_HTTP_FIELD_VALUE,
    HF_HTTP_FIELD_LF,
    HF_HTTP_SECTION_LF,
    HF_HTTP_CONTENT,
    HF_HTTP_CHUNK_SIZE,
    HF_HTTP_CHUNK_EXTENSION,
    HF_HTTP_CHUNK_LF,
    HF_HTTP_CHUNK_CONTENT,
    HF_HTTP_CHUNK_END_CR,
    HF_HTTP_CHUNK_END_LF,
    HF_HTTP_DONE,
    HF_HTTP_BROKEN,
};

enum hf_http_framing {
    HF_HTTP_UNTIL_CLOSE,
    HF_HTTP_LENGTH,
    HF_HTTP_CHUNKED,
};

struct hf_http {
    struct hf_buf *content; /* borrowed, or NULL: content is counted only */
    uint64_t content_max;
    uint64_t content_size; /* octets of content read */
    uint64_t length;       /* Content-Length */
    uint64_t left;         /* octets until the end of the content or of the chunk */
    const char *why;       /* static text: what is wrong with a broken response */
    uint32_t head_size;
    uint16_t status; /* of the final response once its line was read, else 0 */
    uint16_t field_count;
    uint16_t position; /* octets taken in the present element */
    uint8_t minor;     /* HTTP/1.minor */
    uint8_t interim_count;
    uint8_t stage;   /* enum hf_http_stage */
    uint8_t framing; /* enum hf_http_framing */
    uint8_t name_size;
    uint8_t value_size; /* at most HF_HTTP_VALUE_ROOM + 1, which means longer */
    bool has_length, has_coding, in_trailer;
    bool has_close;   /* the server says that it closes */
    bool has_surplus; /* there were octets behind the end */
    bool truncated;   /* there was more content than content_max */
    char name[HF_HTTP_NAME_ROOM];
    char value[HF_HTTP_VALUE_ROOM];
};

void hf_http_init(struct hf_http *http, struct hf_buf *content, uint64_t content_max);

/*
 * Reads the next octets; those behind the end of the response are ignored. HF_EMALF for what
 * breaks HTTP, HF_ELIMIT for a limit passed; http->why says which. Broken stays broken.
 */
int hf_http_read(struct hf_http *http, const void *bytes, size_t size);

/* The server closed: HF_OK when the response is whole, else HF_EMALF and why. */
int hf_http_read_close(struct hf_http *http);

bool hf_http_is_done(const struct hf_http *http);

/* Done, and the connection can take another request (RFC 9112 9.3): HTTP/1.1 only. */
bool hf_http_is_reusable(const struct hf_http *http);

/* Which part of the response the reader waits for: "status line", "header", "body". */
const char *hf_http_waits_for(const struct hf_http *http);

/*
 * Appends a GET request that asks the server to close, unless keep_open. target is the request
 * target in origin form (RFC 9112 3.2.1), host the Host field. HF_EINVAL where either has an octet
 * that does not belong there (a space, a control character), or target does not start with a slash.
 */
int hf_http_put_get(struct hf_buf *buf, const char *target, const char *host, bool keep_open);

#endif
