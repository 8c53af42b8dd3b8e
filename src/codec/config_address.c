/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of servers and backends: numeric, and such that something can answer there.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/config_reader.h"

enum { DNS_PORT = 53 };

bool hf_read_address(const char *text, uint8_t ret_a[4], uint8_t ret_aaaa[16], bool *ret_is_ipv6)
{
    if (inet_pton(AF_INET, text, ret_a) == 1) {
        *ret_is_ipv6 = false;
        return true;
    }
    if (inet_pton(AF_INET6, text, ret_aaaa) == 1) {
        *ret_is_ipv6 = true;
        return true;
    }
    return false;
}

/* 1 to 5 digits, 1 to 65535. */
static bool read_port(const char *text, uint16_t *ret_port)
{
    uint32_t port = 0;
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size) {
        return false;
    }
    for (; *text != 0; text++) {
        port = port * 10 + (uint32_t)(*text - '0');
    }
    if (port == 0 || port > UINT16_MAX) {
        return false;
    }
    *ret_port = (uint16_t)port;
    return true;
}

bool hf_read_server(struct hf_reader *reader, uint32_t node, const char **ret_host,
                    uint16_t *ret_port)
{
    static const char expected[] = "ADDRESS@PORT with a numeric address, such as 127.0.0.1@5300 "
                                   "or ::1@53";
    const char *text = hf_read_text(reader, node, expected);
    if (text == NULL) {
        return false;
    }
    const char *at = strchr(text, '@');
    size_t size = at == NULL ? strlen(text) : (size_t)(at - text);
    char host[INET6_ADDRSTRLEN];
    uint16_t port = DNS_PORT;
    uint8_t a[4];
    uint8_t aaaa[16];
    bool is_ipv6 = false;
    if (size < sizeof(host)) {
        memcpy(host, text, size);
        host[size] = 0;
    }
    if (size >= sizeof(host) || !hf_read_address(host, a, aaaa, &is_ipv6) ||
        (at != NULL && !read_port(at + 1, &port))) {
        hf_expected(reader, node, expected);
        return false;
    }
    *ret_host = hf_pack_text(reader, host);
    *ret_port = port;
    return true;
}
