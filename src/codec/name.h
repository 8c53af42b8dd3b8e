/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Name: domain names in wire format (RFC 1035 section 3.1), always lower case and uncompressed.
 *
 * A name is a pointer to its wire bytes; its size is found by hf_name_size. Text is presentation
 * format (RFC 1035 section 5.1) with a final dot; parsing takes names with or without one.
 */
#ifndef HF_CODEC_NAME_H
#define HF_CODEC_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_NAME_MAX = 255,       /* octets of wire format */
    HF_NAME_TEXT_MAX = 1024, /* escapes, final dot and NUL included */
};

#define HF_FENCE_LABEL "_holdfast"
#define HF_GUARD_LABEL "_holdfast-zone"

/* HF_EMALF for what is no domain name; blanks and octets outside of printable ASCII must be
 * escaped. Upper case letters become lower case. */
int hf_name_parse(const char *text, uint8_t ret_wire[HF_NAME_MAX]);
void hf_name_text(const uint8_t *wire, char ret_text[HF_NAME_TEXT_MAX]);

/* Octets, the root label included. */
size_t hf_name_size(const uint8_t *wire);
bool hf_name_equal(const uint8_t *a, const uint8_t *b);
/* True also when name is the zone's apex. */
bool hf_name_is_within(const uint8_t *name, const uint8_t *zone);
/* Canonical order (RFC 4034 section 6.1): negative, 0, positive. */
int hf_name_compare(const uint8_t *a, const uint8_t *b);

/* label.name; HF_ELIMIT when that is longer than a name can be. */
int hf_name_prefix(const char *label, const uint8_t *name, uint8_t ret_wire[HF_NAME_MAX]);

/* The owner of an endpoint's fence, and the endpoint of a fence's owner (HF_ENOENT if it is not
 * a fence's owner). */
int hf_name_fence_of(const uint8_t *endpoint, uint8_t ret_wire[HF_NAME_MAX]);
int hf_name_endpoint_of(const uint8_t *fence_owner, const uint8_t **ret_endpoint);
/* The owner of a zone's guard. */
int hf_name_guard_of(const uint8_t *apex, uint8_t ret_wire[HF_NAME_MAX]);

#endif
