/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/serve_tokens.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

struct word {
    const char *text;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct word next_word(const char **at, const char *end)
{
    while (*at < end && is_blank(**at)) {
        (*at)++;
    }
    struct word word = {.text = *at};
    while (*at < end && !is_blank(**at)) {
        (*at)++;
    }
    word.size = (size_t)(*at - word.text);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.text, text, word.size) == 0;
}

static bool is_alphanumeric(char c)
{
    char lower = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

static bool is_token(struct word word)
{
    size_t size = word.size;
    while (size > 0 && word.text[size - 1] == '=') {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        char c = word.text[i];
        if (!is_alphanumeric(c) && (c == 0 || strchr("-._~+/", c) == NULL)) {
            return false;
        }
    }
    return size > 0 && word.size >= HF_SERVE_TOKEN_MIN && word.size <= HF_SERVE_TOKEN_MAX;
}

static bool is_name(struct word word)
{
    for (size_t i = 0; i < word.size; i++) {
        if (word.text[i] <= 0x20 || word.text[i] >= 0x7f) {
            return false;
        }
    }
    return word.size > 0 && word.size < HF_SERVE_WHO_ROOM;
}

static int read_line(const char *at, const char *end, struct hf_serve_tokens *tokens,
                     const char **ret_why)
{
    struct word role = next_word(&at, end), name = next_word(&at, end), token = next_word(&at, end);
    if (role.size == 0 || role.text[0] == '#') {
        return HF_OK;
    }
    struct hf_serve_token line = {.role = word_is(role, "operator") ? HF_SERVE_OPERATOR
                                          : word_is(role, "read")   ? HF_SERVE_READ
                                                                    : HF_SERVE_NOBODY};
    if (line.role == HF_SERVE_NOBODY) {
        *ret_why = "the line must begin with read or operator";
    } else if (!is_name(name)) {
        *ret_why = "the second word must be a name of at most 63 visible ASCII characters";
    } else if (!is_token(token)) {
        *ret_why = "the third word must be a token of 16 to 255 letters, digits and -._~+/";
    } else if (next_word(&at, end).size > 0) {
        *ret_why = "there is something after the token";
    } else if (hf_serve_tokens_find(tokens, token.text, token.size) != NULL) {
        *ret_why = "the token stands in an earlier line";
    } else if (tokens->count == HF_SERVE_TOKENS_MAX) {
        *ret_why = "there are more than 256 tokens";
        return HF_ELIMIT;
    } else {
        memcpy(line.name, name.text, name.size);
        hf_digest_of(token.text, token.size, &line.digest);
        tokens->tokens[tokens->count++] = line;
        return HF_OK;
    }
    return HF_EMALF;
}

int hf_serve_tokens_parse(struct hf_serve_tokens *tokens, const char *text, size_t size,
                          uint32_t *ret_line, const char **ret_why)
{
    const char *end = text + size;
    uint32_t number = 1;
    tokens->count = 0;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (line_end == NULL) {
            line_end = end;
        }
        int error = read_line(text, line_end, tokens, ret_why);
        if (error != HF_OK) {
            *ret_line = number;
            return error;
        }
        text = line_end + (line_end < end);
        number++;
    }
    return HF_OK;
}

const struct hf_serve_token *hf_serve_tokens_find(const struct hf_serve_tokens *tokens,
                                                  const char *token, size_t size)
{
    struct hf_digest digest;
    hf_digest_of(token, size, &digest);
    const struct hf_serve_token *found = NULL;
    for (uint32_t i = 0; i < tokens->count; i++) {
        if (CRYPTO_memcmp(digest.bytes, tokens->tokens[i].digest.bytes, sizeof digest.bytes) == 0) {
            found = &tokens->tokens[i];
        }
    }
    return found;
}
