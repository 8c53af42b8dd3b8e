/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP, inside: what http.c and http_field.c share. Nobody else includes this. */
#ifndef HF_CODEC_HTTP_INTERNAL_H
#define HF_CODEC_HTTP_INTERNAL_H

#include "codec/http.h"

/* Returns error. */
int hf_http_broken(struct hf_http *http, int error, const char *why);

/* A field is whole: http->name and http->value. */
int hf_http_take_field(struct hf_http *http);

#endif
