/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digest: SHA-256 (FIPS 180-4) over libcrypto, for names of objects and sums of RRsets.
 */
#ifndef HF_BASE_DIGEST_H
#define HF_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum {
    HF_DIGEST_SIZE = 32,
    HF_DIGEST_TEXT_SIZE = 2 * HF_DIGEST_SIZE + 1,
};

struct hf_digest {
    uint8_t bytes[HF_DIGEST_SIZE];
};

void hf_digest_of(const void *bytes, size_t size, struct hf_digest *ret_digest);

/* Digests of very many small things: half the time of hf_digest_of, which sets up anew each time.
 */
struct hf_digester;
struct hf_digester *hf_digester_new(void);
void hf_digester_free(struct hf_digester *digester); /* NULL: nothing to do */
void hf_digester_of(struct hf_digester *digester, const void *bytes, size_t size,
                    struct hf_digest *ret_digest);

/* The first 64 bits, most significant first: the sum of a fence. */
uint64_t hf_digest_head(const struct hf_digest *digest);

/* Lower case hexadecimal with a NUL. */
void hf_digest_text(const struct hf_digest *digest, char ret_text[HF_DIGEST_TEXT_SIZE]);

/* Reads what hf_digest_text wrote; HF_EMALF for anything else. */
int hf_digest_parse(const char *text, struct hf_digest *ret_digest);

#endif
