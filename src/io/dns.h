/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS client: one authoritative server and one zone on it, over pipelined TCP (RFC 7766).
 *
 * Requests are sent at once, up to HF_DNS_INFLIGHT_MAX wait for their replies, which are matched
 * by message id in any order and checked with TSIG (RFC 8945) when there is a key. The connection
 * is made when it is needed, and made again after it was cut; every request that waited then
 * completes with HF_ECONN: for an UPDATE that means "unknown", never "not done".
 * Every request completes exactly once, at the latest after its time limit.
 * A connection on which nothing was heard while a request ran out of time is given up. The process
 * must ignore SIGPIPE. Callbacks run on the loop, never within the call that asks, and may call
 * this client again, hf_dns_close included.
 * Whole zones are read by AXFR (RFC 5936), what changed in them by IXFR (RFC 1995), each on a
 * connection of its own. With udp set, single questions go over UDP first, a few at a time;
 * whatever UDP does not bring is asked over TCP.
 */
#ifndef HF_IO_DNS_H
#define HF_IO_DNS_H

#include <libknot/libknot.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "codec/update.h"

enum {
    HF_DNS_INFLIGHT_MAX = 1024,
    HF_DNS_DATAGRAMS_MAX = 16, /* questions under way over UDP; more go over TCP */
    HF_DNS_WHY_MAX = 256,
};

struct hf_dns_options {
    struct sockaddr_storage server;
    const knot_tsig_key_t *key; /* or NULL; borrowed */
    const uint8_t *zone;        /* apex, wire; borrowed */
    bool udp;                   /* see above */
    uint32_t timeout_ms;        /* for each request; a transfer: between two messages */
};

struct hf_dns;

/* HF_EINVAL: no IPv4 or IPv6 address, no zone or no time limit. Nothing is sent yet. */
int hf_dns_open(uv_loop_t *loop, const struct hf_dns_options *options, struct hf_dns **ret_dns);
/* A further client with the same options, and so a connection of its own. */
int hf_dns_open_twin(const struct hf_dns *dns, struct hf_dns **ret_dns);
/* Completes what waits with HF_ECONN, then closed runs (on the loop) and dns is gone. */
void hf_dns_close(struct hf_dns *dns, void (*closed)(void *context), void *context);

/*
 * How a request ended. result: HF_OK: a reply, TSIG checked, with rcode (extended and TSIG errors
 * as libknot's KNOT_RCODE_…); HF_ECONN, HF_ETIMEOUT: no reply; HF_EAUTH: the reply's TSIG is wrong
 * or missing, or the server did not accept ours (why says BADKEY, BADSIG or, for BADTIME, "clock");
 * HF_EMALF: the reply makes no sense. Of questions and transfers HF_OK means an authoritative
 * NOERROR or NXDOMAIN; SERVFAIL is HF_ESERVFAIL and any other rcode HF_EREFUSED.
 * why is a text for people: server, zone, what happened; valid during the call.
 */
struct hf_dns_outcome {
    int result;
    uint16_t rcode;
    uint64_t latency_ms;
    const char *why;
};

/*
 * Sends a finished-to-be UPDATE: sets its id, signs and sends it; update stays the caller's and
 * may be freed when this returns. HF_EBUSY: HF_DNS_INFLIGHT_MAX requests wait already; HF_ECONN:
 * no attempt to connect could be made. After an error done is not called; so for all requests.
 */
typedef void hf_dns_updated(void *context, const struct hf_dns_outcome *outcome);
int hf_dns_update(struct hf_dns *dns, struct hf_update *update, hf_dns_updated *done,
                  void *context);

/* One record of an answer or a transfer. Names lower case; views valid during the call. */
struct hf_dns_record {
    const uint8_t *owner;
    uint16_t type;
    uint32_t ttl_s;
    const uint8_t *rdata;
    uint16_t rdata_size;
};

/*
 * Asks for one RRset. each is called for every record of the answer section, then done (a CNAME in
 * its place is such a record). NXDOMAIN and NODATA are HF_OK with rcode and no records. An answer
 * without the AA bit is HF_EREFUSED ("not authoritative").
 */
typedef void hf_dns_each(void *context, const struct hf_dns_record *record);
typedef void hf_dns_done(void *context, const struct hf_dns_outcome *outcome);
int hf_dns_query(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                 hf_dns_done *done, void *context);

/*
 * Reads the whole zone. At most one transfer of a client at a time (HF_EBUSY). each gets every
 * record as it arrives, the SOA once and first; they are the zone only when done says HF_OK.
 */
int hf_dns_axfr(struct hf_dns *dns, hf_dns_each *each, hf_dns_done *done, void *context);

/* What a record of an incremental transfer is. */
enum hf_dns_sense {
    HF_DNS_NEWEST,  /* the zone's SOA now; exactly once and first */
    HF_DNS_DELETED, /* was deleted; SOA records are left out from here on */
    HF_DNS_ADDED,
    HF_DNS_WHOLE, /* the server sent the whole zone instead: this record is in it */
};

/*
 * Reads what changed in the zone since serial. each gets every record deleted and added, difference
 * by difference in the order in which it happened, the deletions of one before its additions; a
 * record whose TTL changed was deleted and added. A server that cannot or will not tell sends the
 * whole zone: all records are WHOLE then. All of it counts only when done says HF_OK. Differences
 * that do not lead without a gap from serial to NEWEST's are HF_EMALF, and so is a whole zone
 * of nothing but its SOA, which could not be told from one that did not change.
 * NEWEST alone: nothing else changed, unless its serial is *older* than the one asked for, or 2^31
 * away (RFC 1982). Then the zone is another one (restored, say), the server tells no more, and the
 * caller, who must compare the two, reads it by hf_dns_axfr.
 * hf_dns_ixfr and hf_dns_axfr share the limit of one transfer at a time.
 */
typedef void hf_dns_change(void *context, const struct hf_dns_record *record,
                           enum hf_dns_sense sense);
int hf_dns_ixfr(struct hf_dns *dns, uint32_t serial, hf_dns_change *each, hf_dns_done *done,
                void *context);

/* How many requests wait for a reply. */
uint32_t hf_dns_inflight(const struct hf_dns *dns);

#endif
