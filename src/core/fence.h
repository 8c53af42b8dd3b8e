/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fence: the values that the TXT records beside endpoints and zones carry, as the machines see
 * them. Their text form is in codec/fence.h; the protocol is in docs/internals/protocol.md.
 */
#ifndef HF_CORE_FENCE_H
#define HF_CORE_FENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The sum of no RRsets at all: what a tombstone's fence carries (SHA-256 of nothing). */
#define HF_SUM_EMPTY UINT64_C(0xe3b0c44298fc1c14)

enum hf_fence_kind {
    HF_FENCE_UNKNOWN, /* not read, or in doubt since it was */
    HF_FENCE_ABSENT,  /* read: there is none */
    HF_FENCE_OURS,    /* read: gen, sum, writer and count say what it holds */
    HF_FENCE_ALIEN,   /* read: another owner's */
    HF_FENCE_DAMAGED, /* read: not one TXT record of our form; the driver keeps its exact bytes */
};

struct hf_fence {
    uint64_t gen;    /* generation of the entry that the endpoint answers with */
    uint64_t sum;    /* first 64 bits of SHA-256 over the entry's RRsets */
    uint64_t count;  /* by=WRITER.COUNT: makes every value unique */
    uint32_t writer; /* the enactor's name, as a number that the driver keeps */
    uint8_t kind;    /* enum hf_fence_kind */
};

/* What was seen at an endpoint's owner name beside the fence. */
enum hf_records_kind {
    HF_RECORDS_UNKNOWN, /* not read */
    HF_RECORDS_NONE,    /* no A, no AAAA, no CNAME */
    HF_RECORDS_SUM,     /* A and AAAA RRsets with the sum beside this kind */
    HF_RECORDS_OTHER,   /* something that an entry cannot be: a CNAME, mixed TTLs */
};

/* The zone guard, at _holdfast-zone.<apex>; every write is conditional on its value. */
struct hf_zone_guard {
    uint64_t floor;    /* an endpoint without a fence is created only above this generation */
    uint32_t instance; /* drawn when the store was created */
    uint8_t kind;      /* enum hf_fence_kind; ALIEN also for another instance of our owner */
    bool frozen;       /* state=frozen */
};

#endif
