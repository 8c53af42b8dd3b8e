/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serve field: what the values of a request's header fields say (RFC 9110). Pure.
 */
#ifndef HF_CODEC_SERVE_FIELD_H
#define HF_CODEC_SERVE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/serve_tokens.h"

/* Behind the entity tag of a compressed answer, which must differ (RFC 9110 8.8.3.3). */
#define HF_SERVE_ETAG_GZIP "-gzip"

enum { HF_SERVE_HOST_ROOM = 256 };

/* application/json, with or without parameters. */
bool hf_serve_field_is_json(const char *content_type);

/* Accept-Encoding names gzip (or *) with a weight above 0; NULL is false. */
bool hf_serve_field_takes_gzip(const char *accept_encoding);

/*
 * A list of entity tags has this one, quotes included, or is "*" (RFC 9110 13.1.2: the weak
 * comparison). The tag of the compressed form is the same.
 */
bool hf_serve_field_has_etag(const char *list, const char *etag);

/* In place: tags of compressed forms become those of what was compressed. */
void hf_serve_field_strip_gzip(char *list);

/* The token of an Authorization field with the scheme Bearer (RFC 6750 2.1); else HF_EMALF. */
int hf_serve_field_token(const char *authorization, const char **ret_token, size_t *ret_size);

/*
 * The name of a Host field ("name", "name:port", "192.0.2.1:8053", "[::1]:8053"), in lower case
 * without port, brackets and final dot. HF_EMALF where it is none.
 */
int hf_serve_field_host(const char *host, char ret_name[HF_SERVE_HOST_ROOM]);

/* The name means this machine's loopback: localhost, 127.0.0.0/8, ::1. */
bool hf_serve_field_is_loopback(const char *name);

/* Origin names the same host and port as Host, by http or https. */
bool hf_serve_field_is_same_origin(const char *origin, const char *host);

#endif
