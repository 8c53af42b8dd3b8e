/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/error.h"

void hf_digest_of(const void *bytes, size_t size, struct hf_digest *ret_digest)
{
    SHA256(bytes, size, ret_digest->bytes);
}

uint64_t hf_digest_head(const struct hf_digest *digest)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++) {
        head = head << 8 | digest->bytes[i];
    }
    return head;
}

void hf_digest_text(const struct hf_digest *digest, char ret_text[HF_DIGEST_TEXT_SIZE])
{
    const char *digits = "0123456789abcdef";
    for (size_t i = 0; i < HF_DIGEST_SIZE; i++) {
        ret_text[2 * i] = digits[digest->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    ret_text[HF_DIGEST_TEXT_SIZE - 1] = 0;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int hf_digest_parse(const char *text, struct hf_digest *ret_digest)
{
    struct hf_digest digest;
    if (strlen(text) != HF_DIGEST_TEXT_SIZE - 1) {
        return HF_EMALF;
    }
    for (size_t i = 0; i < HF_DIGEST_SIZE; i++) {
        int high = digit_value(text[2 * i]);
        int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return HF_EMALF;
        }
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_digest = digest;
    return HF_OK;
}
