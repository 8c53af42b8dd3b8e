/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TSIG keys (RFC 8945) over libknot, and the digest state between a request and its replies.
 */
#ifndef HF_CODEC_TSIG_H
#define HF_CODEC_TSIG_H

#include <libknot/libknot.h>

/* One message's worth of state that the reply (or the next message of an AXFR) is checked with. */
struct hf_tsig_state {
    uint8_t digest[64];
    size_t digest_size;
};

/*
 * name: the key's name; algorithm: hmac-sha256 and the others that libknot knows; secret: base64.
 * HF_EMALF when one of them is not. Release with hf_tsig_release, which wipes the secret.
 */
int hf_tsig_init(const char *name, const char *algorithm, const char *secret,
                 knot_tsig_key_t *ret_key);
void hf_tsig_release(knot_tsig_key_t *key);

#endif
