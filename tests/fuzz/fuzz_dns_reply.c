/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server sends in reply to an UPDATE, a question or a transfer, signed or not. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/tsig.h"
#include "io/dns_internal.h"
#include "io/dns_sequence.h"

static const uint8_t owner[] = "\1e\1z"; /* of questions; and the zone of transfers */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool visit(void *context, const struct hf_dns_record *record)
{
    uint32_t *sum = context;
    assert(hf_name_size(record->owner) <= HF_NAME_MAX);
    for (uint16_t i = 0; i < record->rdata_size; i++) {
        *sum += record->rdata[i];
    }
    return true;
}

struct taken {
    struct hf_dns_sequence sequence;
    uint32_t marks, senses[HF_DNS_WHOLE + 1];
};

static bool take(void *context, const struct hf_dns_record *record)
{
    struct taken *taken = context;
    enum hf_dns_sense sense = HF_DNS_NEWEST;
    bool is_mark = false;
    int error = hf_dns_sequence_next(&taken->sequence, record, &sense, &is_mark);
    assert((error == HF_OK) == (taken->sequence.broken == NULL));
    if (error != HF_OK) {
        return false;
    }
    assert(!is_mark || record->type == KNOT_RRTYPE_SOA);
    assert(is_mark || (sense == HF_DNS_NEWEST) == (taken->senses[HF_DNS_NEWEST] == 0));
    taken->marks += is_mark;
    taken->senses[sense] += !is_mark;
    return true;
}

/* The records of a message that need not be a good one, as a transfer of one message. */
static void transfer(const knot_pkt_t *pkt, bool incremental, uint32_t serial)
{
    struct taken taken = {.marks = 0};
    if (incremental) {
        hf_dns_sequence_ixfr(&taken.sequence, owner, serial);
    } else {
        hf_dns_sequence_axfr(&taken.sequence, owner);
    }
    hf_dns_reply_visit(pkt, take, &taken);
    uint32_t differing = taken.senses[HF_DNS_DELETED] + taken.senses[HF_DNS_ADDED];
    assert(differing == 0 || taken.senses[HF_DNS_WHOLE] == 0);
    assert(incremental || differing == 0);
    if (taken.sequence.broken == NULL && hf_dns_sequence_is_over(&taken.sequence)) {
        assert(differing == 0 || taken.sequence.serial == taken.sequence.newest);
        assert(differing == 0 || (taken.marks >= 3 && taken.marks % 2 == 1));
    }
}

static void judge(const struct hf_dns_asked *asked, const uint8_t *bytes, size_t size)
{
    struct hf_arena arena;
    struct hf_dns_verdict verdict;
    uint32_t sum = 0;
    uint8_t *wire = malloc(size); /* of exactly this size: reading past it is seen */
    assert(wire != NULL);
    memcpy(wire, bytes, size);
    hf_arena_init(&arena, HF_DNS_ARENA_MAX);
    hf_dns_reply_judge(asked, wire, size, &arena, &verdict);
    assert(verdict.text != NULL);
    assert(asked->key == NULL || verdict.result != HF_OK); /* nobody guesses a signature */
    if (verdict.pkt != NULL) {
        hf_dns_reply_visit(verdict.pkt, visit, &sum);
        transfer(verdict.pkt, false, 0);
        transfer(verdict.pkt, true, 3);
    }
    hf_arena_release(&arena);
    free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    knot_tsig_key_t key;
    if (size < HF_DNS_HEADER_SIZE || size > HF_DNS_FRAME_MAX ||
        hf_tsig_init("k", "hmac-sha256", "c2VjcmV0", &key) != HF_OK) {
        return 0;
    }
    struct hf_dns_asked asked = {.opcode = KNOT_OPCODE_UPDATE, .tsig = {.digest_size = 32}};
    judge(&asked, bytes, size);
    asked.key = &key;
    judge(&asked, bytes, size);
    asked =
        (struct hf_dns_asked){.opcode = KNOT_OPCODE_QUERY, .type = KNOT_RRTYPE_TXT, .owner = owner};
    judge(&asked, bytes, size);
    asked.type = KNOT_RRTYPE_AXFR;
    judge(&asked, bytes, size);
    asked.type = KNOT_RRTYPE_IXFR;
    judge(&asked, bytes, size);
    hf_tsig_release(&key);
    return 0;
}
