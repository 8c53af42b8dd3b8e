/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sequence: what each record of a transfer is, told by its place among the others. No I/O; how the
 * records are cut into messages does not matter, but for one thing: see hf_dns_sequence_is_over.
 *
 *   whole zone (RFC 5936):  SOA, records, the same SOA
 *   differences (RFC 1995): SOA, one or more of (SOA before, deleted, SOA after, added), the SOA
 *   nothing newer:          SOA
 *
 * Differences must lead without a gap from the serial asked for to that of the first SOA, each to
 * a newer one (RFC 1982). To a question for differences any of the three is an answer, but a whole
 * zone must hold more than its SOA, unless it has the serial asked for.
 */
#ifndef HF_IO_DNS_SEQUENCE_H
#define HF_IO_DNS_SEQUENCE_H

#include "codec/name.h"
#include "io/dns.h"

enum {
    HF_DNS_SOA_TAIL = 20, /* octets behind the two names: serial and timers */
    HF_DNS_SOA_MAX = 2 * HF_NAME_MAX + HF_DNS_SOA_TAIL,
};

enum hf_dns_stage {
    HF_DNS_STAGE_FIRST,  /* the opening SOA is expected */
    HF_DNS_STAGE_SECOND, /* and now what tells differences from a whole zone */
    HF_DNS_STAGE_WHOLE,
    HF_DNS_STAGE_DELETED,
    HF_DNS_STAGE_ADDED,
    HF_DNS_STAGE_END, /* the closing SOA was seen */
};

struct hf_dns_sequence {
    const uint8_t *zone; /* apex; borrowed */
    enum hf_dns_stage stage;
    bool incremental;
    uint32_t serial;    /* asked for; then where the differences have led to */
    uint32_t newest;    /* of the opening SOA */
    const char *broken; /* a text for people, once hf_dns_sequence_next has failed */
    size_t soa_size;
    uint8_t soa[HF_DNS_SOA_MAX];
};

void hf_dns_sequence_axfr(struct hf_dns_sequence *sequence, const uint8_t *zone);
void hf_dns_sequence_ixfr(struct hf_dns_sequence *sequence, const uint8_t *zone, uint32_t serial);

/*
 * Takes the next record. ret_is_mark: it is a SOA that only separates others, and has no sense.
 * HF_EMALF: it has no place here; broken says why, and nothing more must be taken.
 */
int hf_dns_sequence_next(struct hf_dns_sequence *sequence, const struct hf_dns_record *record,
                         enum hf_dns_sense *ret_sense, bool *ret_is_mark);

/*
 * To be asked between two messages. A SOA alone is all that a server sends when it has nothing
 * newer; when it has, it is the first message of several.
 */
bool hf_dns_sequence_is_over(const struct hf_dns_sequence *sequence);

#endif
