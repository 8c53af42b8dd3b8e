/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/name.h"
#include "core/fence.h"

enum {
    A_SIZE = 4,
    AAAA_SIZE = 16,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    RR_FIXED_SIZE = 2 + 2 + 4 + 2, /* type, class, TTL, RDLENGTH */
    CANONICAL_MAX = HF_RECORDS_MAX * (2 * (HF_NAME_MAX + RR_FIXED_SIZE) + A_SIZE + AAAA_SIZE),
};

size_t hf_records_size(const struct hf_records *records)
{
    return (size_t)records->a_count * A_SIZE + (size_t)records->aaaa_count * AAAA_SIZE;
}

bool hf_records_equal(const struct hf_records *a, const struct hf_records *b)
{
    if (a->a_count != b->a_count || a->aaaa_count != b->aaaa_count) {
        return false;
    }
    size_t size = hf_records_size(a);
    return size == 0 || (a->ttl_s == b->ttl_s && memcmp(a->bytes, b->bytes, size) == 0);
}

static int a_compare(const void *a, const void *b)
{
    return memcmp(a, b, A_SIZE);
}

static int aaaa_compare(const void *a, const void *b)
{
    return memcmp(a, b, AAAA_SIZE);
}

uint16_t hf_records_sort(uint8_t *bytes, uint16_t count, size_t size)
{
    assert(size == A_SIZE || size == AAAA_SIZE);
    uint16_t sorted = 1;
    while (sorted < count &&
           memcmp(bytes + (sorted - 1U) * size, bytes + sorted * size, size) < 0) {
        sorted++;
    }
    if (sorted >= count) {
        return count; /* as most come */
    }
    qsort(bytes, count, size, size == A_SIZE ? a_compare : aaaa_compare);
    uint16_t kept = 1;
    for (uint16_t i = 1; i < count; i++) {
        const uint8_t *next = bytes + i * size;
        if (memcmp(next, bytes + (kept - 1U) * size, size) != 0) {
            memmove(bytes + kept * size, next, size);
            kept++;
        }
    }
    return kept;
}

static uint8_t *put_big_endian(uint8_t *at, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    return at + size;
}

/* Writes count records in canonical form to at; returns where they end. */
static uint8_t *put_rrset(uint8_t *at, const uint8_t *owner, size_t owner_size, uint16_t type,
                          uint32_t ttl_s, const uint8_t *rdata, uint16_t count, size_t size)
{
    if (count == 0) {
        return at;
    }
    /* What is in front of RDATA is the same in all of them. */
    const uint8_t *first = at;
    memcpy(at, owner, owner_size);
    at = put_big_endian(at + owner_size, type, 2);
    at = put_big_endian(at, CLASS_IN, 2);
    at = put_big_endian(at, ttl_s, 4);
    at = put_big_endian(at, (uint32_t)size, 2);
    size_t front_size = owner_size + RR_FIXED_SIZE;
    memcpy(at, rdata, size);
    at += size;
    for (uint16_t i = 1; i < count; i++) {
        memcpy(at, first, front_size);
        memcpy(at + front_size, rdata + i * size, size);
        at += front_size + size;
    }
    return at;
}

uint64_t hf_records_sum(const uint8_t *owner, const struct hf_records *records)
{
    return hf_records_sum_by(NULL, owner, records);
}

uint64_t hf_records_sum_by(struct hf_digester *digester, const uint8_t *owner,
                           const struct hf_records *records)
{
    assert(records->a_count <= HF_RECORDS_MAX && records->aaaa_count <= HF_RECORDS_MAX);
    if (records->a_count == 0 && records->aaaa_count == 0) {
        return HF_SUM_EMPTY;
    }
    uint8_t canonical[CANONICAL_MAX];
    size_t owner_size = hf_name_size(owner);
    const uint8_t *aaaa = records->bytes + (size_t)records->a_count * A_SIZE;
    uint8_t *end = put_rrset(canonical, owner, owner_size, TYPE_A, records->ttl_s, records->bytes,
                             records->a_count, A_SIZE);
    end = put_rrset(end, owner, owner_size, TYPE_AAAA, records->ttl_s, aaaa, records->aaaa_count,
                    AAAA_SIZE);
    struct hf_digest digest;
    if (digester != NULL) {
        hf_digester_of(digester, canonical, (size_t)(end - canonical), &digest);
    } else {
        hf_digest_of(canonical, (size_t)(end - canonical), &digest);
    }
    return hf_digest_head(&digest);
}
