/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client: one TCP connection to a server, one request at a time, waiting for its answer. It opens
 * the connection again after the server has closed it. Signatures of answers are not checked:
 * tests/integration/test_dns.py does that.
 */
#ifndef HF_DIFFERENTIAL_CLIENT_H
#define HF_DIFFERENTIAL_CLIENT_H

#include <libknot/libknot.h>

#include "parcel.h"

enum {
    CLIENT_TIMEOUT_S = 10,
    CLIENT_FRAME_MAX = 2 + 65535,
    CLIENT_WHY_MAX = 200,
};

enum answer {
    ANSWER_RCODE,
    ANSWER_CLOSED, /* the connection, without an answer */
    ANSWER_NONE,   /* in CLIENT_TIMEOUT_S */
};

struct client {
    uint16_t port; /* of 127.0.0.1 */
    const knot_tsig_key_t *key;
    int fd; /* -1: not connected */
    uint16_t message_id;
    size_t size; /* of the last frame, without its length */
    char why[CLIENT_WHY_MAX];
    uint8_t frame[CLIENT_FRAME_MAX];
};

void client_init(struct client *client, uint16_t port, const knot_tsig_key_t *key);
void client_release(struct client *client);

/* Signs and sends. ret_rcode is that of an answer of ANSWER_RCODE. */
enum answer client_update(struct client *client, struct parcel *parcel, uint8_t *ret_rcode);

/* Reads the zone by AXFR; false when that cannot be done, and why then says why. */
bool client_transfer(struct client *client, const struct universe *universe,
                     struct hf_server_zone *ret_zone);

#endif
