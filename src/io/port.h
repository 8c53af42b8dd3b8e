/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Port: whether a DNS server can be started on an address, and who is in the way.
 */
#ifndef HF_IO_PORT_H
#define HF_IO_PORT_H

#include <stddef.h>
#include <sys/socket.h>

/*
 * Binds UDP and TCP for a moment. HF_OK both are free; HF_EBUSY one is taken; HF_ESYS the address
 * is not this machine's, or the port needs rights. why receives a text for people which, for
 * HF_EBUSY, names the process where /proc shows it to this user, else how to find it.
 */
int hf_port_check(const struct sockaddr_storage *address, char *why, size_t why_size);

#endif
