/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

int hf_address_from_bytes(const uint8_t *bytes, size_t family_bytes, uint16_t port,
                          struct sockaddr_storage *ret_address)
{
    struct sockaddr_storage address = {0};
    if (family_bytes == sizeof(struct in_addr)) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)&address;
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        memcpy(&ipv4->sin_addr, bytes, family_bytes);
    } else if (family_bytes == sizeof(struct in6_addr)) {
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&address;
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        memcpy(&ipv6->sin6_addr, bytes, family_bytes);
    } else {
        return HF_EINVAL;
    }
    *ret_address = address;
    return HF_OK;
}

int hf_address_parse(const char *host, uint16_t port, struct sockaddr_storage *ret_address)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, host, bytes) == 1) {
        return hf_address_from_bytes(bytes, 4, port, ret_address);
    }
    if (inet_pton(AF_INET6, host, bytes) == 1) {
        return hf_address_from_bytes(bytes, 16, port, ret_address);
    }
    return HF_EMALF;
}

void hf_address_text(const struct sockaddr_storage *address, char ret_text[HF_ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    const void *bytes = NULL;
    in_port_t port = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
        bytes = &ipv4->sin_addr;
        port = ipv4->sin_port;
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
        bytes = &ipv6->sin6_addr;
        port = ipv6->sin6_port;
    }
    if (bytes == NULL || inet_ntop(address->ss_family, bytes, host, sizeof(host)) == NULL) {
        (void)snprintf(ret_text, HF_ADDRESS_TEXT_MAX, "none");
        return;
    }
    int size = snprintf(ret_text, HF_ADDRESS_TEXT_MAX, "%s@%u", host, (unsigned)ntohs(port));
    assert(size > 0 && size < HF_ADDRESS_TEXT_MAX);
}
