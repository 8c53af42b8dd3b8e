/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Address: an IPv4 or IPv6 address with a port, written as Knot does: 127.0.0.1@5300, ::1@53.
 */
#ifndef HF_IO_ADDRESS_H
#define HF_IO_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { HF_ADDRESS_TEXT_MAX = 64 };

/* family_bytes is 4 or 16, else HF_EINVAL; bytes in network order, port in host order. */
int hf_address_from_bytes(const uint8_t *bytes, size_t family_bytes, uint16_t port,
                          struct sockaddr_storage *ret_address);
/* Reads a numeric address; HF_EMALF for anything else. */
int hf_address_parse(const char *host, uint16_t port, struct sockaddr_storage *ret_address);
/* "none" for an address of any other family. */
void hf_address_text(const struct sockaddr_storage *address, char ret_text[HF_ADDRESS_TEXT_MAX]);

#endif
