/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server sends in reply to an UPDATE or a question, signed or not. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/tsig.h"
#include "io/dns_internal.h"

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
    }
    hf_arena_release(&arena);
    free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t owner[] = "\1e\1z";
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
    hf_tsig_release(&key);
    return 0;
}
