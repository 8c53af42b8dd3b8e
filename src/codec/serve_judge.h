/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve judge: whether a request is let in, and as whom; from its header, the connection that it
 * came by and the tokens. Pure: the rules of io/serve.h in one place.
 *
 * In this order: Method: 405. Framing that a proxy could read otherwise (a length with a transfer
 * coding, a field that may stand once standing twice), a body where none belongs: 400; one that is
 * too long: 413. Host: 400 where it is missing or is no host, 421 where it is not ours; without
 * this check a page of any site could have its name resolve to us and read everything. Token: 401.
 * Cross-site requests, which browsers mark with Sec-Fetch-Site and Origin: 403, but for the
 * navigation to the page. For what changes something: a body that is not JSON: 415; role: 403.
 */
#ifndef HF_CODEC_SERVE_JUDGE_H
#define HF_CODEC_SERVE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/serve_tokens.h"

/* The fields that are looked at, in the order of their names in serve_judge.c. */
enum hf_serve_field {
    HF_SERVE_ACCEPT_ENCODING,
    HF_SERVE_AUTHORIZATION,
    HF_SERVE_CONTENT_LENGTH,
    HF_SERVE_CONTENT_TYPE,
    HF_SERVE_HOST,
    HF_SERVE_IF_MATCH,
    HF_SERVE_IF_NONE_MATCH,
    HF_SERVE_LAST_EVENT,
    HF_SERVE_ORIGIN,
    HF_SERVE_FETCH_MODE,
    HF_SERVE_FETCH_SITE,
    HF_SERVE_TRANSFER_CODING,
    HF_SERVE_FIELD_COUNT,
};

struct hf_serve_head {
    const char *values[HF_SERVE_FIELD_COUNT]; /* borrowed; NULL: absent */
    bool is_repeated;                         /* one of them, of which there may be one only */
};

/* Takes one field of the header; those that are not looked at are passed over. */
void hf_serve_head_add(struct hf_serve_head *head, const char *name, const char *value);

/* The connection that a request came by, and what the server was told. */
struct hf_serve_door {
    bool is_unix, is_loopback;
    enum hf_serve_role role; /* by the peer's credentials, for is_unix */
    const char *address;     /* that it came to, without port; for Host */
    const char *const *names;
    uint32_t name_count;
    const struct hf_serve_tokens *tokens; /* or NULL: none are configured */
    bool is_open;                         /* the path needs no token */
    uint64_t body_max;
};

struct hf_serve_verdict {
    uint16_t status;         /* 0: let in */
    bool asks_for_token;     /* the answer needs WWW-Authenticate */
    const char *code;        /* static; stable, for programs */
    const char *text;        /* static; for people */
    enum hf_serve_role role; /* when let in */
    const char *who;         /* token's name, borrowed of the tokens; or NULL */
};

void hf_serve_judge(const struct hf_serve_door *door, const char *method,
                    const struct hf_serve_head *head, struct hf_serve_verdict *ret_verdict);

#endif
