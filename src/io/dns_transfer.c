/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transfers (RFC 5936, RFC 1995): one question, any number of messages. The first and the last one
 * are signed, and of those between at least every hundredth (RFC 8945 section 5.3.1): a signature
 * covers all messages since the one before it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/dns_internal.h"
#include "io/dns_sequence.h"

enum {
    DIGESTED_MAX = (HF_DNS_UNSIGNED_MAX + 1) * HF_DNS_FRAME_MAX,
};

struct hf_dns_transfer {
    struct hf_dns *dns;
    struct hf_dns_conn *conn;
    struct hf_dns_asked asked; /* tsig: of the last signature */
    uint16_t message_id;
    uint64_t deadline_ms;
    uint64_t started_ns;
    hf_dns_each *each;     /* of an AXFR */
    hf_dns_change *change; /* of an IXFR */
    hf_dns_done *done;
    void *context;
    struct hf_dns_sequence sequence;
    uint16_t unsigned_count; /* messages since the last signature */
    struct hf_buf digested;  /* and their octets */
    bool over;               /* done was called; only the frame that is looked at holds us */
    bool looking;            /* in on_frame */
};

static bool transfer_has_begun(const struct hf_dns_transfer *transfer)
{
    return transfer->sequence.stage != HF_DNS_STAGE_FIRST;
}

static void transfer_free(struct hf_dns_transfer *transfer)
{
    hf_buf_release(&transfer->digested);
    free(transfer);
}

static void transfer_end(struct hf_dns_transfer *transfer, int result, uint16_t rcode,
                         const char *text)
{
    struct hf_dns *dns = transfer->dns;
    assert(dns->transfer == transfer && !transfer->over);
    dns->transfer = NULL;
    transfer->over = true;
    if (transfer->conn != NULL) {
        hf_dns_conn_close(transfer->conn);
    }
    const struct hf_dns_outcome outcome = {
        .result = result,
        .rcode = rcode,
        .latency_ms = (uv_hrtime() - transfer->started_ns) / 1000000,
        .why = hf_dns_why(dns, text),
    };
    transfer->done(transfer->context, &outcome);
    if (!transfer->looking) {
        transfer_free(transfer);
    }
}

/* One record; false ends the message: something is wrong, or the receiver closed us. */
static bool visit_record(void *context, const struct hf_dns_record *record)
{
    struct hf_dns_transfer *transfer = context;
    enum hf_dns_sense sense;
    bool is_mark;
    if (hf_dns_sequence_next(&transfer->sequence, record, &sense, &is_mark) != HF_OK) {
        return false;
    }
    if (is_mark) {
        return true;
    }
    if (transfer->change != NULL) {
        transfer->change(transfer->context, record, sense);
    } else {
        transfer->each(transfer->context, record);
    }
    return !transfer->over;
}

/* Checks the signature of a message or puts it off to the next one that is signed. */
static bool transfer_is_signed(struct hf_dns_transfer *transfer, struct hf_dns_verdict *verdict)
{
    const knot_pkt_t *pkt = verdict->pkt;
    const knot_rrset_t *tsig = pkt->tsig_rr;
    struct hf_tsig_state *last = &transfer->asked.tsig;
    bool first = !transfer_has_begun(transfer);
    if (transfer->asked.key == NULL) {
        return true;
    }
    if (tsig == NULL || transfer->unsigned_count > 0) {
        hf_buf_put(&transfer->digested, pkt->wire, pkt->size);
    }
    if (tsig == NULL) {
        transfer->unsigned_count++;
        if (transfer->unsigned_count <= HF_DNS_UNSIGNED_MAX) {
            return true;
        }
        verdict->result = HF_EAUTH;
        verdict->text = "too many messages of the transfer are not signed";
        return false;
    }
    bool alone = transfer->unsigned_count == 0;
    const uint8_t *octets = alone ? pkt->wire : transfer->digested.bytes;
    size_t octet_count = alone ? pkt->size : transfer->digested.size;
    const knot_tsig_key_t *key = transfer->asked.key;
    int error = first ? knot_tsig_client_check(tsig, octets, octet_count, last->digest,
                                               last->digest_size, key, 0)
                      : knot_tsig_client_check_next(tsig, octets, octet_count, last->digest,
                                                    last->digest_size, key, 0);
    if (!hf_dns_reply_is_signed(error, verdict)) {
        return false;
    }
    size_t size = knot_tsig_rdata_mac_length(tsig);
    assert(size <= sizeof(last->digest));
    memcpy(last->digest, knot_tsig_rdata_mac(tsig), size);
    last->digest_size = size;
    transfer->unsigned_count = 0;
    hf_buf_clear(&transfer->digested);
    return true;
}

/* Judges one message up to its records. */
static bool transfer_is_good(struct hf_dns_transfer *transfer, uint8_t *wire, size_t size,
                             struct hf_dns_verdict *verdict)
{
    bool first = !transfer_has_begun(transfer);
    struct hf_dns *dns = transfer->dns;
    if (!hf_dns_reply_parse(&transfer->asked, wire, size, &dns->arena, verdict)) {
        return false;
    }
    /* Between the first and the last message a signature may be missing. */
    bool must_be_signed = first || verdict->pkt->tsig_rr != NULL;
    if (must_be_signed && !hf_dns_reply_is_accepted(&transfer->asked, verdict)) {
        return false;
    }
    if (!transfer_is_signed(transfer, verdict)) {
        return false;
    }
    if ((first || verdict->rcode != KNOT_RCODE_NOERROR) &&
        !hf_dns_reply_is_answer(&transfer->asked, verdict)) {
        return false;
    }
    if (verdict->rcode != KNOT_RCODE_NOERROR) {
        verdict->result = HF_EREFUSED;
        verdict->text = "the server has no such zone";
        return false;
    }
    return true;
}

static void on_frame(void *context, uint8_t *wire, size_t size)
{
    struct hf_dns_transfer *transfer = context;
    struct hf_dns *dns = transfer->dns;
    struct hf_dns_verdict verdict;
    if (knot_wire_get_id(wire) != transfer->message_id) {
        return;
    }
    transfer->deadline_ms = uv_now(dns->loop) + dns->options.timeout_ms;
    hf_arena_release(&dns->arena);
    if (!transfer_is_good(transfer, wire, size, &verdict)) {
        transfer_end(transfer, verdict.result, verdict.rcode, verdict.text);
        return;
    }
    transfer->looking = true;
    hf_dns_reply_visit(verdict.pkt, visit_record, transfer);
    transfer->looking = false;
    const struct hf_dns_sequence *sequence = &transfer->sequence;
    if (transfer->over) {
        transfer_free(transfer);
    } else if (sequence->broken != NULL) {
        transfer_end(transfer, HF_EMALF, verdict.rcode, sequence->broken);
    } else if (!transfer_has_begun(transfer)) {
        transfer_end(transfer, HF_EMALF, verdict.rcode, "the transfer is empty");
    } else if (hf_dns_sequence_is_over(sequence) && transfer->unsigned_count > 0) {
        transfer_end(transfer, HF_EAUTH, verdict.rcode, "the transfer's end is not signed");
    } else if (hf_dns_sequence_is_over(sequence)) {
        transfer_end(transfer, HF_OK, verdict.rcode, "transferred");
    }
}

static void on_lost(void *context, const char *why)
{
    struct hf_dns_transfer *transfer = context;
    transfer_end(transfer, HF_ECONN, 0, why);
}

uint64_t hf_dns_transfer_deadline_ms(const struct hf_dns *dns)
{
    return dns->transfer != NULL ? dns->transfer->deadline_ms : 0;
}

void hf_dns_transfer_abort(struct hf_dns *dns, int result, const char *text)
{
    if (dns->transfer != NULL) {
        transfer_end(dns->transfer, result, 0, text);
    }
}

/* HF_EINVAL, HF_EBUSY: none can be begun now. */
static int transfer_new(struct hf_dns *dns, uint16_t type, struct hf_dns_transfer **ret_transfer)
{
    if (dns->closing || dns->transfer != NULL) {
        return dns->closing ? HF_EINVAL : HF_EBUSY;
    }
    struct hf_dns_transfer *transfer = calloc(1, sizeof(*transfer));
    if (transfer == NULL) {
        abort();
    }
    hf_buf_init(&transfer->digested, DIGESTED_MAX);
    transfer->dns = dns;
    transfer->message_id = ++dns->next_id;
    transfer->asked = (struct hf_dns_asked){
        .key = dns->options.key,
        .opcode = KNOT_OPCODE_QUERY,
        .type = type,
        .owner = dns->options.zone,
    };
    *ret_transfer = transfer;
    return HF_OK;
}

/* Sends the question; the transfer is gone when that fails. */
static int transfer_start(struct hf_dns_transfer *transfer, hf_dns_done *done, void *context)
{
    static const struct hf_dns_conn_events events = {.frame = on_frame, .lost = on_lost};
    struct hf_dns *dns = transfer->dns;
    uint8_t wire[HF_DNS_QUERY_MAX];
    size_t size = 0;
    transfer->started_ns = uv_hrtime();
    transfer->deadline_ms = uv_now(dns->loop) + dns->options.timeout_ms;
    transfer->done = done;
    transfer->context = context;
    int error = hf_dns_question_write(&transfer->asked, transfer->message_id, wire, &size,
                                      &transfer->asked.tsig);
    if (error == HF_OK) {
        error = hf_dns_conn_open(dns, &events, transfer, &transfer->conn);
    }
    if (error != HF_OK) {
        transfer_free(transfer);
        return error;
    }
    dns->transfer = transfer;
    hf_dns_conn_send(transfer->conn, wire, size);
    hf_dns_timer_arm(dns);
    return HF_OK;
}

int hf_dns_axfr(struct hf_dns *dns, hf_dns_each *each, hf_dns_done *done, void *context)
{
    struct hf_dns_transfer *transfer = NULL;
    int error = transfer_new(dns, KNOT_RRTYPE_AXFR, &transfer);
    if (error != HF_OK) {
        return error;
    }
    hf_dns_sequence_axfr(&transfer->sequence, dns->options.zone);
    transfer->each = each;
    return transfer_start(transfer, done, context);
}

int hf_dns_ixfr(struct hf_dns *dns, uint32_t serial, hf_dns_change *each, hf_dns_done *done,
                void *context)
{
    struct hf_dns_transfer *transfer = NULL;
    int error = transfer_new(dns, KNOT_RRTYPE_IXFR, &transfer);
    if (error != HF_OK) {
        return error;
    }
    hf_dns_sequence_ixfr(&transfer->sequence, dns->options.zone, serial);
    transfer->asked.serial = serial;
    transfer->change = each;
    return transfer_start(transfer, done, context);
}
