/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/tsig.h"

#include <openssl/crypto.h>

#include "base/error.h"

int hf_tsig_init(const char *name, const char *algorithm, const char *secret,
                 knot_tsig_key_t *ret_key)
{
    knot_tsig_key_t key = {0};
    if (name == NULL || algorithm == NULL || secret == NULL || name[0] == 0 || secret[0] == 0) {
        return HF_EMALF;
    }
    if (knot_tsig_key_init(&key, algorithm, name, secret) != KNOT_EOK) {
        return HF_EMALF;
    }
    if (key.secret.size == 0) {
        hf_tsig_release(&key);
        return HF_EMALF;
    }
    knot_dname_to_lower(key.name);
    *ret_key = key;
    return HF_OK;
}

void hf_tsig_release(knot_tsig_key_t *key)
{
    if (key->secret.data != NULL) {
        OPENSSL_cleanse(key->secret.data, key->secret.size);
    }
    knot_tsig_key_deinit(key);
}
