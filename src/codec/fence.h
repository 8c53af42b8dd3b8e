/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fence and zone guard as TXT RDATA (one character-string, RFC 1035 section 3.3.14):
 *
 *   holdfast=1 owner=prod gen=42 sum=9f86d081884c7d65 by=edge-1.7
 *   holdfast=1 owner=prod instance=5e1f09c2 floor=17 state=open
 *
 * Only the exact text that the formatter makes is accepted back (lower case, single spaces, no
 * leading zeros): what is parsed can be written again as a prerequisite octet for octet.
 */
#ifndef HF_CODEC_FENCE_H
#define HF_CODEC_FENCE_H

#include <stddef.h>
#include <stdint.h>

#include "core/fence.h"

enum {
    HF_OWNER_MAX = 32,            /* installation name: [a-z0-9] and inner hyphens */
    HF_WRITER_MAX = 32,           /* enactor name: the same */
    HF_FENCE_RDATA_MAX = 1 + 255, /* one character-string */
};

/* HF_OK if text is an installation's or enactor's name, else HF_EMALF. */
int hf_label_check(const char *text);

/* RDATA of a fence (kind is not looked at); the size is returned in ret_size. */
void hf_fence_format(const char *owner, const char *writer, const struct hf_fence *fence,
                     uint8_t ret_rdata[HF_FENCE_RDATA_MAX], size_t *ret_size);

/*
 * Parses RDATA. ret_fence->kind is OURS when the owner is ours, ALIEN when the form is right and
 * the owner is not, DAMAGED when the form is wrong; writer (of OURS) goes into ret_writer and
 * ret_fence->writer is left 0 for the caller to fill in.
 */
void hf_fence_parse(const char *owner, const uint8_t *rdata, size_t size,
                    struct hf_fence *ret_fence, char ret_writer[HF_WRITER_MAX + 1]);

void hf_zone_guard_format(const char *owner, const struct hf_zone_guard *guard,
                          uint8_t ret_rdata[HF_FENCE_RDATA_MAX], size_t *ret_size);

/* kind is ALIEN for another owner or another instance; then ret_owner says whose (for messages). */
void hf_zone_guard_parse(const char *owner, uint32_t instance, const uint8_t *rdata, size_t size,
                         struct hf_zone_guard *ret_guard, char ret_owner[HF_OWNER_MAX + 1]);

#endif
