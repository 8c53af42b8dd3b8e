/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/serve_field.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

/* Text behind a word that stands before, or NULL. */
static const char *after_word(const char *text, const char *word)
{
    size_t size = strlen(word);
    return strncasecmp(text, word, size) == 0 ? text + size : NULL;
}

bool hf_serve_field_is_json(const char *content_type)
{
    const char *rest = after_word(content_type, "application/json");
    if (rest == NULL) {
        return false;
    }
    rest = skip_blanks(rest);
    return *rest == 0 || *rest == ';';
}

/* ";q=0", ";q=0.00" and nothing else is a weight of 0. */
static bool is_refused(const char *parameters, size_t size)
{
    const char *end = parameters + size;
    const char *at = memchr(parameters, '=', size);
    if (at == NULL) {
        return false;
    }
    for (at = skip_blanks(at + 1); at < end; at++) {
        if (*at != '0' && *at != '.' && !is_blank(*at)) {
            return false;
        }
    }
    return true;
}

bool hf_serve_field_takes_gzip(const char *accept_encoding)
{
    const char *at = accept_encoding == NULL ? "" : accept_encoding;
    while (*at != 0) {
        at = skip_blanks(at);
        size_t size = strcspn(at, ",");
        size_t name = strcspn(at, ",; \t");
        bool is_gzip = (name == 4 && strncasecmp(at, "gzip", 4) == 0) || (name == 1 && *at == '*');
        if (is_gzip) {
            return !is_refused(at + name, size - name);
        }
        at += size + (at[size] == ',');
    }
    return false;
}

void hf_serve_field_strip_gzip(char *list)
{
    static const char suffix[] = HF_SERVE_ETAG_GZIP "\"";
    const size_t cut = sizeof suffix - 2; /* the quote stays */
    for (char *found = list; (found = strstr(found, suffix)) != NULL; found++) {
        memmove(found, found + cut, strlen(found + cut) + 1);
    }
}

static bool is_etag(const char *tag, size_t size, const char *etag)
{
    static const char suffix[] = HF_SERVE_ETAG_GZIP "\"";
    const size_t suffix_size = sizeof suffix - 1;
    size_t etag_size = strlen(etag);
    if (size == etag_size && memcmp(tag, etag, size) == 0) {
        return true;
    }
    return etag_size > 0 && size == etag_size - 1 + suffix_size &&
           memcmp(tag, etag, etag_size - 1) == 0 &&
           memcmp(tag + etag_size - 1, suffix, suffix_size) == 0;
}

bool hf_serve_field_has_etag(const char *list, const char *etag)
{
    const char *at = skip_blanks(list);
    if (at[0] == '*' && *skip_blanks(at + 1) == 0) {
        return true;
    }
    while (*at != 0) {
        if (at[0] == 'W' && at[1] == '/') {
            at += 2;
        }
        size_t size = at[0] == '"' ? strcspn(at + 1, "\"") + 2 : 0;
        if (size == 0 || at[size - 1] != '"') {
            return false;
        }
        if (is_etag(at, size, etag)) {
            return true;
        }
        at = skip_blanks(at + size);
        if (*at == ',') {
            at = skip_blanks(at + 1);
        }
    }
    return false;
}

int hf_serve_field_token(const char *authorization, const char **ret_token, size_t *ret_size)
{
    const char *token = after_word(authorization, "Bearer ");
    if (token == NULL) {
        return HF_EMALF;
    }
    token = skip_blanks(token);
    size_t size = strcspn(token, " \t");
    if (size == 0 || size > HF_SERVE_TOKEN_MAX) {
        return HF_EMALF;
    }
    *ret_token = token;
    *ret_size = size;
    return HF_OK;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

static bool is_host_octet(char c, bool in_brackets)
{
    char letter = lower(c);
    return (c >= '0' && c <= '9') || (letter >= 'a' && letter <= 'z') || c == '.' ||
           (in_brackets ? c == ':' : c == '-' || c == '_');
}

int hf_serve_field_host(const char *host, char ret_name[HF_SERVE_HOST_ROOM])
{
    bool in_brackets = host[0] == '[';
    const char *at = host + in_brackets;
    char name[HF_SERVE_HOST_ROOM];
    size_t size = 0;
    for (; is_host_octet(*at, in_brackets) && size < sizeof name - 1; at++) {
        name[size++] = lower(*at);
    }
    if (in_brackets && *at++ != ']') {
        return HF_EMALF;
    }
    if (*at == ':') {
        at += 1 + strspn(at + 1, "0123456789");
    }
    if (size > 1 && name[size - 1] == '.') {
        size--;
    }
    if (*at != 0 || size == 0) {
        return HF_EMALF;
    }
    memcpy(ret_name, name, size);
    ret_name[size] = 0;
    return HF_OK;
}

/* 127.0.0.0/8 in the usual form: a name such as 127.evil.example is none. */
static bool is_loopback_v4(const char *name)
{
    unsigned parts = 0;
    for (;;) {
        size_t digits = strspn(name, "0123456789");
        if (digits == 0 || digits > 3 || (parts == 0 && strncmp(name, "127.", 4) != 0)) {
            return false;
        }
        parts++;
        name += digits;
        if (parts == 4) {
            return *name == 0;
        }
        if (*name++ != '.') {
            return false;
        }
    }
}

bool hf_serve_field_is_loopback(const char *name)
{
    return strcmp(name, "localhost") == 0 || strcmp(name, "::1") == 0 || is_loopback_v4(name);
}

bool hf_serve_field_is_same_origin(const char *origin, const char *host)
{
    const char *authority = after_word(origin, "http://");
    if (authority == NULL) {
        authority = after_word(origin, "https://");
    }
    return authority != NULL && strcasecmp(authority, host) == 0;
}
