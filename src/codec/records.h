/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records: an endpoint's A and AAAA RRsets, compact and in canonical order.
 *
 * Only RDATA is kept, in RFC 1035 wire format and sorted (RFC 4034 section 6.3), without
 * duplicates: a_count times 4 octets, then aaaa_count times 16. Owner, class and type are the
 * same in every record of an RRset and would make a plan four times as large.
 */
#ifndef HF_CODEC_RECORDS_H
#define HF_CODEC_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

enum {
    HF_RECORDS_MAX = 100, /* records in one RRset: BIND refuses more */
    HF_RECORDS_BYTES_MAX = HF_RECORDS_MAX * (4 + 16),
};

struct hf_records {
    const uint8_t *bytes; /* borrowed */
    uint32_t ttl_s;
    uint16_t a_count;
    uint16_t aaaa_count;
};

size_t hf_records_size(const struct hf_records *records); /* of bytes */
bool hf_records_equal(const struct hf_records *a, const struct hf_records *b);

/* Sorts count addresses of size octets (4 or 16) in place, removes duplicates, gives the count. */
uint16_t hf_records_sort(uint8_t *bytes, uint16_t count, size_t size);

/*
 * The fence's sum: the first 64 bits of SHA-256 over the RRsets of owner in canonical form
 * (RFC 4034 section 6.2: owner, type, class IN, TTL, RDLENGTH, RDATA for each record), A first.
 * No records: HF_SUM_EMPTY. For sums of a whole plan there is one digester; NULL: just this one.
 */
uint64_t hf_records_sum(const uint8_t *owner, const struct hf_records *records);
uint64_t hf_records_sum_by(struct hf_digester *digester, const uint8_t *owner,
                           const struct hf_records *records);

#endif
