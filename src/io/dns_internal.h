/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the DNS client share: connections (dns_conn.c), the judgement of replies
 * (dns_reply.c), transfers (dns_transfer.c, dns_sequence.c), requests over TCP (dns.c) and over
 * UDP (dns_udp.c).
 */
#ifndef HF_IO_DNS_INTERNAL_H
#define HF_IO_DNS_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/name.h"
#include "io/address.h"
#include "io/dns.h"

enum {
    HF_DNS_FRAME_MAX = 65535, /* octets of a message; two more say its size (RFC 7766 section 8) */
    HF_DNS_HEADER_SIZE = 12,
    HF_DNS_ARENA_MAX = 64 * 1024 * 1024, /* one parsed message */
    HF_DNS_UNSIGNED_MAX = 99,            /* RFC 8945 section 5.3.1 */
    HF_DNS_TSIG_ROOM = 1024,             /* a TSIG record with the longest names */
    HF_DNS_SOA_ROOM = 34,                /* the SOA of an IXFR question */
    HF_DNS_QUERY_MAX = HF_DNS_HEADER_SIZE + HF_NAME_MAX + 4 + HF_DNS_SOA_ROOM + HF_DNS_TSIG_ROOM,
};

/*
 * Connection of a client. frame is called for each whole message, which may be written to; lost
 * when the connection could not be made or was cut, and then the owner must close it. The owner
 * may close it within frame and lost; after that nothing is called. The client lives until all of
 * its connections are closed (hf_dns_gone).
 */
struct hf_dns_conn;

struct hf_dns_conn_events {
    void (*frame)(void *context, uint8_t *wire, size_t size);
    void (*lost)(void *context, const char *why);
};

/* HF_ECONN when the attempt cannot even begin; then nothing is called. */
int hf_dns_conn_open(struct hf_dns *dns, const struct hf_dns_conn_events *events, void *context,
                     struct hf_dns_conn **ret_conn);
/*
 * Queues a message of at most HF_DNS_FRAME_MAX octets; it is copied. What is queued in one turn of
 * the loop goes out together: a server that commits what has arrived (Knot) then commits it at
 * once.
 */
void hf_dns_conn_send(struct hf_dns_conn *conn, const uint8_t *wire, size_t size);
void hf_dns_conn_close(struct hf_dns_conn *conn);
bool hf_dns_conn_is_connected(const struct hf_dns_conn *conn);
/* The loop's time when something was last read, 0 if never. */
uint64_t hf_dns_conn_heard_ms(const struct hf_dns_conn *conn);

/* What a request put on the wire needs for its reply to be judged. */
struct hf_dns_asked {
    const knot_tsig_key_t *key; /* or NULL */
    struct hf_tsig_state tsig;
    uint8_t opcode;
    uint16_t type;        /* of the question */
    const uint8_t *owner; /* of the question; NULL: the reply need not repeat it */
    uint32_t serial;      /* of an IXFR: the one we have */
};

/*
 * What came of a message: result as in hf_dns_outcome, text for people. pkt lives in the arena and
 * is NULL when there is nothing to be read from the message.
 */
struct hf_dns_verdict {
    int result;
    uint16_t rcode;
    const char *text;
    knot_pkt_t *pkt;
};

/* Writes a signed question and what its reply is judged by. */
int hf_dns_question_write(const struct hf_dns_asked *asked, uint16_t message_id,
                          uint8_t ret_wire[HF_DNS_QUERY_MAX], size_t *ret_size,
                          struct hf_tsig_state *ret_tsig);

/* Judges the reply to an UPDATE or a question; wire is changed. The arena must be empty. */
void hf_dns_reply_judge(const struct hf_dns_asked *asked, uint8_t *wire, size_t size,
                        struct hf_arena *arena, struct hf_dns_verdict *ret_verdict);

/* The steps of it that transfers take in another order. A failed step fills in the verdict. */
bool hf_dns_reply_parse(const struct hf_dns_asked *asked, uint8_t *wire, size_t size,
                        struct hf_arena *arena, struct hf_dns_verdict *ret_verdict);
/* Whether the server says that it did not accept our TSIG, or does not sign at all. */
bool hf_dns_reply_is_accepted(const struct hf_dns_asked *asked, struct hf_dns_verdict *verdict);
/* What libknot says of a signature, as a verdict. */
bool hf_dns_reply_is_signed(int knot_error, struct hf_dns_verdict *verdict);
/* Whether the answer is an authoritative one to what was asked. */
bool hf_dns_reply_is_answer(const struct hf_dns_asked *asked, struct hf_dns_verdict *verdict);

/* Calls each for the records of the answer section for as long as it returns true. */
typedef bool hf_dns_visit(void *context, const struct hf_dns_record *record);
void hf_dns_reply_visit(const knot_pkt_t *pkt, hf_dns_visit *visit, void *context);

struct hf_dns_request;
struct hf_dns_transfer;
struct hf_dns_datagram;

struct hf_dns {
    uv_loop_t *loop;
    struct hf_dns_options options;
    uv_timer_t timer;
    bool graced;        /* the timer ran out once: what lies in the socket is read first */
    uint64_t graced_ms; /* when it did */
    uint32_t handle_count;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;

    struct hf_dns_conn *conn;
    uint64_t conn_number;          /* counts connections: which requests go down with one */
    struct hf_dns_request **slots; /* slot_count pointers, by the low bits of the message id */
    uint32_t slot_count;           /* a power of two */
    uint32_t inflight;
    uint16_t next_id;
    struct hf_dns_request *first; /* oldest; deadlines rise from here */
    struct hf_dns_request *last;

    struct hf_dns_datagram *datagrams; /* questions under way over UDP */
    uint32_t datagram_count;

    struct hf_dns_transfer *transfer;
    struct hf_arena arena; /* the message that is looked at */
    char why[HF_DNS_WHY_MAX];
};

/* Fills dns->why with server, zone and text. */
const char *hf_dns_why(struct hf_dns *dns, const char *text);
/* Sets the timer to the next deadline. */
void hf_dns_timer_arm(struct hf_dns *dns);
/* A handle of dns is closed; the last one frees dns when it is closing. */
void hf_dns_gone(struct hf_dns *dns);

/* False when it is not to go, or could not go, over UDP: nothing was begun. */
bool hf_dns_udp_ask(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                    hf_dns_done *done, void *context);
/* Ends every question that is under way over UDP. */
void hf_dns_udp_abort(struct hf_dns *dns);
/* hf_dns_query, over TCP in any case. */
int hf_dns_query_tcp(struct hf_dns *dns, const uint8_t *owner, uint16_t type, hf_dns_each *each,
                     hf_dns_done *done, void *context);

/* 0 when no transfer runs. */
uint64_t hf_dns_transfer_deadline_ms(const struct hf_dns *dns);
/* Ends the transfer, if there is one. */
void hf_dns_transfer_abort(struct hf_dns *dns, int result, const char *text);

#endif
