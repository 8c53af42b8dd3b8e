/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "io/dns_internal.h"

static void *arena_take(void *arena, size_t size)
{
    return hf_arena_alloc(arena, size);
}

static void arena_leave(void *bytes)
{
    (void)bytes; /* the arena is released whole */
}

/* Fills in the verdict and says false: the step failed. */
static bool refuse(struct hf_dns_verdict *verdict, int result, const char *text)
{
    verdict->result = result;
    verdict->text = text;
    return false;
}

/* The SOA that says which serial we have (RFC 1995 section 3); nobody reads the rest of it. */
static size_t soa_write(uint8_t *ret_wire, uint32_t serial)
{
    enum { OWNER = 0xC000 | HF_DNS_HEADER_SIZE, RDATA_AT = 12, SERIAL_AT = RDATA_AT + 2 };
    memset(ret_wire, 0, HF_DNS_SOA_ROOM);
    knot_wire_write_u16(ret_wire, OWNER); /* compressed: as in the question */
    knot_wire_write_u16(ret_wire + 2, KNOT_RRTYPE_SOA);
    knot_wire_write_u16(ret_wire + 4, KNOT_CLASS_IN);
    knot_wire_write_u16(ret_wire + 10, HF_DNS_SOA_ROOM - RDATA_AT);
    knot_wire_write_u32(ret_wire + SERIAL_AT, serial);
    return HF_DNS_SOA_ROOM;
}

int hf_dns_question_write(const struct hf_dns_asked *asked, uint16_t message_id,
                          uint8_t ret_wire[HF_DNS_QUERY_MAX], size_t *ret_size,
                          struct hf_tsig_state *ret_tsig)
{
    size_t owner_size = hf_name_size(asked->owner);
    size_t size = HF_DNS_HEADER_SIZE;
    struct hf_tsig_state tsig = {.digest_size = sizeof(tsig.digest)};
    memset(ret_wire, 0, HF_DNS_HEADER_SIZE);
    knot_wire_set_id(ret_wire, message_id);
    knot_wire_set_opcode(ret_wire, asked->opcode);
    knot_wire_set_qdcount(ret_wire, 1);
    memcpy(ret_wire + size, asked->owner, owner_size);
    size += owner_size;
    knot_wire_write_u16(ret_wire + size, asked->type);
    knot_wire_write_u16(ret_wire + size + 2, KNOT_CLASS_IN);
    size += 4;
    if (asked->type == KNOT_RRTYPE_IXFR) {
        knot_wire_set_nscount(ret_wire, 1);
        size += soa_write(ret_wire + size, asked->serial);
    }
    if (asked->key == NULL) {
        tsig.digest_size = 0;
    } else if (knot_tsig_sign(ret_wire, &size, HF_DNS_QUERY_MAX, NULL, 0, tsig.digest,
                              &tsig.digest_size, asked->key, 0, 0) != KNOT_EOK) {
        return HF_EINVAL;
    }
    *ret_size = size;
    *ret_tsig = tsig;
    return HF_OK;
}

bool hf_dns_reply_parse(const struct hf_dns_asked *asked, uint8_t *wire, size_t size,
                        struct hf_arena *arena, struct hf_dns_verdict *ret_verdict)
{
    struct hf_dns_verdict *verdict = ret_verdict;
    *verdict = (struct hf_dns_verdict){.result = HF_OK, .text = "answered"};
    assert(size >= HF_DNS_HEADER_SIZE && size <= HF_DNS_FRAME_MAX);
    verdict->rcode = knot_wire_get_rcode(wire);
    if (!knot_wire_get_qr(wire) || knot_wire_get_opcode(wire) != asked->opcode) {
        return refuse(verdict, HF_EMALF, "what came back is no reply to what was asked");
    }
    if (knot_wire_get_tc(wire)) {
        return refuse(verdict, HF_EMALF, "the reply is truncated, over TCP");
    }
    knot_mm_t mm = {.ctx = arena, .alloc = arena_take, .free = arena_leave};
    knot_pkt_t *pkt = knot_pkt_new(wire, (uint16_t)size, &mm);
    if (pkt == NULL || knot_pkt_parse(pkt, 0) != KNOT_EOK) {
        return refuse(verdict, HF_EMALF, "the reply is malformed");
    }
    verdict->pkt = pkt;
    verdict->rcode = knot_pkt_ext_rcode(pkt);
    return true;
}

bool hf_dns_reply_is_accepted(const struct hf_dns_asked *asked, struct hf_dns_verdict *verdict)
{
    const knot_rrset_t *tsig = verdict->pkt->tsig_rr;
    if (tsig == NULL) {
        if (asked->key == NULL) {
            return true;
        }
        switch (verdict->rcode) {
        case KNOT_RCODE_REFUSED:
            return refuse(verdict, HF_EAUTH,
                          "REFUSED, and not signed: the server does not have the zone, or did not "
                          "accept our TSIG key (name, secret, rights, or clocks that differ)");
        case KNOT_RCODE_NOTAUTH:
            return refuse(verdict, HF_EAUTH,
                          "NOTAUTH, and not signed: the server does not have the zone, or did not "
                          "accept our TSIG key");
        default:
            return refuse(verdict, HF_EAUTH, "the reply is not signed");
        }
    }
    switch (knot_tsig_rdata_error(tsig)) {
    case KNOT_RCODE_NOERROR:
        break;
    case KNOT_RCODE_BADKEY:
        return refuse(verdict, HF_EAUTH, "BADKEY: the server does not know our TSIG key");
    case KNOT_RCODE_BADSIG:
        return refuse(verdict, HF_EAUTH, "BADSIG: the server has another secret for our TSIG key");
    case KNOT_RCODE_BADTIME:
        return refuse(verdict, HF_EAUTH,
                      "BADTIME: the server's clock and ours differ by more than TSIG allows");
    default:
        return refuse(verdict, HF_EAUTH, "the server did not accept our TSIG record");
    }
    return asked->key != NULL ||
           refuse(verdict, HF_EMALF, "the reply is signed and the question was not");
}

bool hf_dns_reply_is_signed(int knot_error, struct hf_dns_verdict *verdict)
{
    switch (knot_error) {
    case KNOT_EOK:
        return true;
    case KNOT_TSIG_EBADTIME:
        return refuse(verdict, HF_EAUTH,
                      "the reply was signed at another time: the server's clock and ours differ");
    default:
        return refuse(verdict, HF_EAUTH, "the reply's signature is wrong");
    }
}

bool hf_dns_reply_is_answer(const struct hf_dns_asked *asked, struct hf_dns_verdict *verdict)
{
    const knot_pkt_t *pkt = verdict->pkt;
    switch (verdict->rcode) {
    case KNOT_RCODE_NOERROR:
    case KNOT_RCODE_NXDOMAIN:
        break;
    case KNOT_RCODE_SERVFAIL:
        return refuse(verdict, HF_ESERVFAIL, "SERVFAIL: the server failed");
    case KNOT_RCODE_REFUSED:
        return refuse(verdict, HF_EREFUSED, "REFUSED: the server does not let us read");
    case KNOT_RCODE_FORMERR:
        return refuse(verdict, HF_EREFUSED, "FORMERR: the server does not understand the question");
    case KNOT_RCODE_NOTIMPL:
        return refuse(verdict, HF_EREFUSED, "NOTIMP: the server does not answer such questions");
    case KNOT_RCODE_NOTAUTH:
        return refuse(verdict, HF_EREFUSED,
                      "NOTAUTH: the server is not authoritative for the zone, or wants a key");
    default:
        return refuse(verdict, HF_EREFUSED, "the server refused, with an unusual rcode");
    }
    if (knot_wire_get_qdcount(pkt->wire) != 1 || knot_pkt_qtype(pkt) != asked->type ||
        knot_pkt_qclass(pkt) != KNOT_CLASS_IN || !hf_name_equal(pkt->lower_qname, asked->owner)) {
        return refuse(verdict, HF_EMALF, "the reply is to another question");
    }
    /* Knot 3.2 leaves the bit out of transfers, against RFC 5936 section 2.2.1. */
    bool is_transfer = asked->type == KNOT_RRTYPE_AXFR || asked->type == KNOT_RRTYPE_IXFR;
    if (!knot_wire_get_aa(pkt->wire) && !is_transfer) {
        return refuse(verdict, HF_EREFUSED, "the server is not authoritative for the zone");
    }
    return true;
}

static const char *update_text(uint16_t rcode)
{
    switch (rcode) {
    case KNOT_RCODE_NOERROR:
        return "written";
    case KNOT_RCODE_NXRRSET:
        return "NXRRSET: what was read before has changed";
    case KNOT_RCODE_YXRRSET:
        return "YXRRSET: something is there that was not";
    case KNOT_RCODE_YXDOMAIN:
    case KNOT_RCODE_NXDOMAIN:
        return "a name that must not be there is, or the other way round";
    case KNOT_RCODE_SERVFAIL:
        return "SERVFAIL: the server failed; it may have written";
    case KNOT_RCODE_FORMERR:
        return "FORMERR: the server does not understand the UPDATE";
    case KNOT_RCODE_NOTIMPL:
        return "NOTIMP: the server takes no UPDATE";
    case KNOT_RCODE_REFUSED:
        return "REFUSED: the server does not let us write";
    case KNOT_RCODE_NOTAUTH:
        return "NOTAUTH: the server is not authoritative for the zone, or wants a key";
    case KNOT_RCODE_NOTZONE:
        return "NOTZONE: a name is outside of the zone";
    default:
        return "the server refused, with an unusual rcode";
    }
}

void hf_dns_reply_judge(const struct hf_dns_asked *asked, uint8_t *wire, size_t size,
                        struct hf_arena *arena, struct hf_dns_verdict *ret_verdict)
{
    struct hf_dns_verdict *verdict = ret_verdict;
    if (!hf_dns_reply_parse(asked, wire, size, arena, verdict) ||
        !hf_dns_reply_is_accepted(asked, verdict)) {
        return;
    }
    const knot_pkt_t *pkt = verdict->pkt;
    if (asked->key != NULL &&
        !hf_dns_reply_is_signed(knot_tsig_client_check(pkt->tsig_rr, pkt->wire, pkt->size,
                                                       asked->tsig.digest, asked->tsig.digest_size,
                                                       asked->key, 0),
                                verdict)) {
        return;
    }
    if (asked->opcode == KNOT_OPCODE_UPDATE) {
        verdict->text = update_text(verdict->rcode);
    } else {
        (void)hf_dns_reply_is_answer(asked, verdict);
    }
}

void hf_dns_reply_visit(const knot_pkt_t *pkt, hf_dns_visit *visit, void *context)
{
    const knot_pktsection_t *answer = knot_pkt_section(pkt, KNOT_ANSWER);
    for (uint16_t i = 0; i < answer->count; i++) {
        const knot_rrset_t *rr = knot_pkt_rr(answer, i);
        for (uint16_t j = 0; j < rr->rrs.count; j++) {
            const knot_rdata_t *rdata = knot_rdataset_at(&rr->rrs, j);
            const struct hf_dns_record record = {
                .owner = rr->owner,
                .type = rr->type,
                .ttl_s = rr->ttl,
                .rdata = rdata->data,
                .rdata_size = rdata->len,
            };
            if (!visit(context, &record)) {
                return;
            }
        }
    }
}
