/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void hf_digest_of(const void *bytes, size_t size, struct hf_digest *ret_digest)
{
    SHA256(bytes, size, ret_digest->bytes);
}

struct hf_digester {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

struct hf_digester *hf_digester_new(void)
{
    struct hf_digester *digester = calloc(1, sizeof(*digester));
    if (digester == NULL) {
        abort();
    }
    digester->method = EVP_MD_fetch(NULL, "SHA256", NULL);
    digester->context = EVP_MD_CTX_new();
    if (digester->method == NULL || digester->context == NULL) {
        abort();
    }
    return digester;
}

void hf_digester_free(struct hf_digester *digester)
{
    if (digester != NULL) {
        EVP_MD_CTX_free(digester->context);
        EVP_MD_free(digester->method);
        free(digester);
    }
}

void hf_digester_of(struct hf_digester *digester, const void *bytes, size_t size,
                    struct hf_digest *ret_digest)
{
    EVP_MD_CTX *context = digester->context;
    int fine = EVP_DigestInit_ex(context, digester->method, NULL);
    fine = fine == 1 ? EVP_DigestUpdate(context, bytes, size) : fine;
    fine = fine == 1 ? EVP_DigestFinal_ex(context, ret_digest->bytes, NULL) : fine;
    assert(fine == 1); /* nothing that depends on the input can fail */
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
