/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve tokens: who may ask with which bearer token.
 *
 * A line is "ROLE NAME TOKEN", fields apart by spaces or tabs; ROLE is "read" or "operator", NAME
 * 1 to 63 octets of visible ASCII, TOKEN 16 to 255 octets of the alphabet of RFC 6750
 * (A-Z a-z 0-9 - . _ ~ + / and = at the end). Empty lines, and lines that begin with #, say
 * nothing. Only digests of tokens are kept, and a token is compared with every one of them, so that
 * the time tells nothing.
 */
#ifndef HF_CODEC_SERVE_TOKENS_H
#define HF_CODEC_SERVE_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

enum {
    HF_SERVE_TOKENS_MAX = 256,
    HF_SERVE_TOKENS_FILE_MAX = 128 * 1024, /* octets of the file */
    HF_SERVE_TOKEN_MIN = 16,
    HF_SERVE_TOKEN_MAX = 255,
    HF_SERVE_WHO_ROOM = 64,
};

enum hf_serve_role { HF_SERVE_NOBODY, HF_SERVE_READ, HF_SERVE_OPERATOR };

struct hf_serve_token {
    enum hf_serve_role role;
    char name[HF_SERVE_WHO_ROOM];
    struct hf_digest digest;
};

struct hf_serve_tokens {
    uint32_t count;
    struct hf_serve_token tokens[HF_SERVE_TOKENS_MAX];
};

/*
 * Fills tokens anew. HF_EMALF, or HF_ELIMIT for more than HF_SERVE_TOKENS_MAX: then tokens has the
 * lines before, ret_line is the line's number and ret_why a static text that holds nothing of the
 * file. Two lines with one token are HF_EMALF.
 */
int hf_serve_tokens_parse(struct hf_serve_tokens *tokens, const char *text, size_t size,
                          uint32_t *ret_line, const char **ret_why);

/* The token's line, or NULL. */
const struct hf_serve_token *hf_serve_tokens_find(const struct hf_serve_tokens *tokens,
                                                  const char *token, size_t size);

#endif
