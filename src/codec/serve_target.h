/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve target: the target of a request (RFC 9112 3.2.1) as path and parameters, decoded. Pure.
 *
 * What could be read in two ways is refused: a path that does not begin with a slash, an empty, "."
 * or ".." segment (also where the dots or the slash were percent-encoded), half an escape, control
 * characters, octets that are no UTF-8. An encoded slash inside a segment is a slash.
 */
#ifndef HF_CODEC_SERVE_TARGET_H
#define HF_CODEC_SERVE_TARGET_H

#include <stdint.h>

enum { HF_SERVE_QUERY_MAX = 16 }; /* parameters of a query; beyond, 400 */

struct hf_serve_parameter {
    const char *name, *value; /* decoded, UTF-8, without control characters */
};

struct hf_serve_target {
    const char *path;
    struct hf_serve_parameter query[HF_SERVE_QUERY_MAX];
    uint32_t query_count;
};

/*
 * Decodes text in place; the target's strings lie in it. A plus in the query is a space, a
 * parameter without "=" has the value "", a name may come again. HF_EMALF, or HF_ELIMIT for more
 * than HF_SERVE_QUERY_MAX parameters; ret_why then receives a static text for people.
 */
int hf_serve_target_parse(char *text, struct hf_serve_target *ret_target, const char **ret_why);

#endif
