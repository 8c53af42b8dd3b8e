/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    MESSAGES_MAX = 100, /* of one transfer */
    TRANSFER_TRIES = 3,
};

void client_init(struct client *client, uint16_t port, const knot_tsig_key_t *key)
{
    client->port = port;
    client->key = key;
    client->fd = -1;
    client->message_id = 1;
}

void client_release(struct client *client)
{
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    client->fd = -1;
}

static bool fail(struct client *client, const char *what)
{
    (void)snprintf(client->why, sizeof(client->why), "%s", what);
    return false;
}

static bool connect_server(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(client->port)};
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    const int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (client->fd >= 0) {
        return true;
    }
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 ||
        setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)fail(client, strerror(errno));
        client_release(client);
        return false;
    }
    return true;
}

static bool send_frame(struct client *client, const uint8_t *wire, size_t size)
{
    if (!connect_server(client)) {
        return false;
    }
    client->frame[0] = (uint8_t)(size >> 8);
    client->frame[1] = (uint8_t)size;
    memcpy(client->frame + 2, wire, size);
    return send(client->fd, client->frame, size + 2, MSG_NOSIGNAL) == (ssize_t)size + 2 ||
           fail(client, "cannot be sent");
}

/* Octets of the stream into frame. Anything but ANSWER_RCODE ends the connection. */
static enum answer receive(struct client *client, size_t size)
{
    const int one = 1;
    for (size_t at = 0; at < size;) {
        /* A server that sends a transfer in pieces would wait for each late acknowledgement. */
        (void)setsockopt(client->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
        ssize_t got = recv(client->fd, client->frame + at, size - at, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            bool late = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
            (void)fail(client, late ? "no answer in time" : "connection closed");
            client_release(client);
            return late ? ANSWER_NONE : ANSWER_CLOSED;
        }
        at += (size_t)got;
    }
    return ANSWER_RCODE;
}

/* The next message into frame, without its length. */
static enum answer receive_frame(struct client *client)
{
    enum answer answer = receive(client, 2);
    if (answer == ANSWER_RCODE) {
        client->size = (size_t)(client->frame[0] << 8 | client->frame[1]);
        answer = receive(client, client->size);
    }
    if (answer == ANSWER_RCODE && (client->size < KNOT_WIRE_HEADER_SIZE ||
                                   knot_wire_get_id(client->frame) != client->message_id)) {
        (void)fail(client, "an answer to something else");
        client_release(client);
        return ANSWER_CLOSED;
    }
    return answer;
}

enum answer client_update(struct client *client, struct parcel *parcel, uint8_t *ret_rcode)
{
    client->message_id++;
    parcel_sign(parcel, client->key, client->message_id);
    if (!send_frame(client, parcel->wire, parcel->size)) {
        client_release(client);
        return ANSWER_CLOSED;
    }
    enum answer answer = receive_frame(client);
    if (answer == ANSWER_RCODE) {
        *ret_rcode = knot_wire_get_rcode(client->frame);
    }
    return answer;
}

/* --- AXFR --- */

static bool send_question(struct client *client, const uint8_t *apex)
{
    uint8_t wire[1024] = {0};
    uint8_t digest[64];
    size_t digest_size = sizeof(digest);
    knot_pkt_t *pkt = knot_pkt_new(wire, sizeof(wire), NULL);
    client->message_id++;
    knot_wire_set_id(pkt->wire, client->message_id);
    int error = knot_pkt_put_question(pkt, apex, KNOT_CLASS_IN, KNOT_RRTYPE_AXFR);
    size_t size = pkt->size;
    knot_pkt_free(pkt);
    if (error == KNOT_EOK) {
        error = knot_tsig_sign(wire, &size, sizeof(wire), NULL, 0, digest, &digest_size,
                               client->key, 0, 0);
    }
    assert(error == KNOT_EOK);
    return send_frame(client, wire, size);
}

static bool take_record(struct client *client, const struct universe *universe,
                        const knot_rrset_t *rrset, uint32_t *soa_count, struct hf_server_zone *zone)
{
    struct hf_server_rr rr = {
        .owner = universe_owner(universe, rrset->owner), .type = rrset->type, .ttl_s = rrset->ttl};
    const knot_rdata_t *rdata = rrset->rrs.rdata;
    if (rr.owner == HF_SERVER_OWNER_OUTSIDE) {
        return fail(client, "the zone holds a name that no message had");
    }
    if (!universe_number(universe, rr.type, rdata->data, rdata->len, &rr.rdata)) {
        char type[32] = "?";
        (void)knot_rrtype_to_string(rr.type, type, sizeof(type));
        (void)snprintf(client->why, sizeof(client->why),
                       "the zone holds a record of type %s with a value that no message had", type);
        return false;
    }
    if (rr.type == KNOT_RRTYPE_SOA && (*soa_count)++ > 0) {
        return true;
    }
    return hf_server_put(zone, &rr) ||
           fail(client, "the zone holds more than the model has room for");
}

static bool take_message(struct client *client, const struct universe *universe,
                         uint32_t *soa_count, struct hf_server_zone *zone)
{
    knot_pkt_t *pkt = knot_pkt_new(client->frame, (uint16_t)client->size, NULL);
    bool good = knot_pkt_parse(pkt, 0) == KNOT_EOK || fail(client, "a malformed answer");
    uint8_t rcode = knot_wire_get_rcode(client->frame);
    if (good && rcode != KNOT_RCODE_NOERROR) {
        (void)snprintf(client->why, sizeof(client->why), "transfer: rcode %u", rcode);
        good = false;
    }
    const knot_pktsection_t *section = knot_pkt_section(pkt, KNOT_ANSWER);
    for (uint16_t i = 0; good && i < section->count; i++) {
        good = take_record(client, universe, knot_pkt_rr(section, i), soa_count, zone);
    }
    knot_pkt_free(pkt);
    return good;
}

bool client_transfer(struct client *client, const struct universe *universe,
                     struct hf_server_zone *ret_zone)
{
    struct hf_server_zone zone = {0};
    uint32_t soa_count = 0;
    bool good = true;
    for (int tries = 0; tries < TRANSFER_TRIES; tries++) {
        good = send_question(client, universe_name(universe, OWNER_APEX)) &&
               receive_frame(client) == ANSWER_RCODE;
        if (good) {
            break;
        }
        client_release(client); /* a server may close where it has seen a malformed message */
    }
    for (uint32_t i = 0; good; i++) {
        good = (i < MESSAGES_MAX || fail(client, "a transfer without end")) &&
               take_message(client, universe, &soa_count, &zone);
        if (soa_count >= 2) {
            break;
        }
        good = good && receive_frame(client) == ANSWER_RCODE;
    }
    if (good) {
        *ret_zone = zone;
    } else {
        client_release(client);
    }
    return good;
}
