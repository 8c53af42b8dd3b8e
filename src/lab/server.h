/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server: what an authoritative server does to one small zone with an UPDATE (RFC 2136 section 3).
 * Plain data, no allocation: a zone is copied by assignment.
 *
 * Names and RDATA are numbers that the caller gives meaning to; equal numbers are equal names and
 * equal RDATA. Types, classes and response codes are those of the DNS. tests/differential sends the
 * same messages, as octets, to real servers, and holds this model to what all of them do alike.
 *
 * Beyond RFC 2136: signatures, forwarding and access control are not modelled.
 */
#ifndef HF_LAB_SERVER_H
#define HF_LAB_SERVER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HF_SERVER_RRS_MAX = 48,         /* in a zone; an UPDATE that needs more on its way: SERVFAIL */
    HF_SERVER_MESSAGE_RRS_MAX = 64, /* prerequisites and updates of a message together */
    HF_SERVER_OWNER_APEX = 0,       /* owner of SOA and NS */
    HF_SERVER_OWNER_OUTSIDE = 255,  /* any name that is not in the zone */
};

struct hf_server_rr {
    uint64_t rdata; /* of a SOA: its serial in the low 32 bits, the rest in the high ones */
    uint32_t ttl_s;
    uint16_t type;
    uint16_t class; /* IN in a zone */
    uint8_t owner;
    bool has_rdata; /* RDLENGTH is not 0; true in a zone */
};

/* In order of owner, type, RDATA. The records of an RRset have one TTL (RFC 2181 section 5.2). */
struct hf_server_zone {
    struct hf_server_rr rrs[HF_SERVER_RRS_MAX];
    uint32_t count;
};

struct hf_server_message {
    struct hf_server_rr rrs[HF_SERVER_MESSAGE_RRS_MAX]; /* prerequisites, then updates */
    uint32_t prerequisite_count, update_count;
    uint16_t zone_type;  /* SOA, else FORMERR (section 3.1.1) */
    uint16_t zone_class; /* IN, else NOTAUTH (section 3.1.2) */
    uint8_t zone_owner;  /* the apex, else NOTAUTH */
};

/* A zone of a SOA with that serial and one NS record of RDATA 0; TTL 0. */
void hf_server_zone_init(struct hf_server_zone *zone, uint32_t serial);

/* The zone's serial. */
uint32_t hf_server_serial(const struct hf_server_zone *zone);

/*
 * All of the message or nothing (section 3.4.2.7). Returns the response code. A zone that changed
 * gets the next serial (section 3.6), where the message did not set a higher one itself; a message
 * whose changes cancel out has changed nothing. The prerequisites are looked at in their order,
 * and the first that fails decides; those on values come last, as in section 3.2.5. Class IN
 * without RDATA is FORMERR, and so is class NONE without RDATA in an update.
 */
uint8_t hf_server_update(struct hf_server_zone *zone, const struct hf_server_message *message);

/*
 * Puts a record into a zone as it is, also beside a CNAME, and leaves the serial: what people do by
 * hand. A SOA or CNAME replaces the one that is there; the RRset takes the TTL. False when there is
 * no room.
 */
bool hf_server_put(struct hf_server_zone *zone, const struct hf_server_rr *rr);

/* Removes an RRset, as people do by hand; not the SOA of the apex. */
void hf_server_remove(struct hf_server_zone *zone, uint8_t owner, uint16_t type);

/*
 * The records of one RRset lie together: their number (0: there is none) and the first of them,
 * valid until the zone changes.
 */
uint32_t hf_server_rrset(const struct hf_server_zone *zone, uint8_t owner, uint16_t type,
                         const struct hf_server_rr **ret_first);

#endif
