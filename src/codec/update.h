/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Update: builds one UPDATE message (RFC 2136) for any number of endpoints of one zone.
 *
 * The message changes all of them or nothing: the prerequisites are the zone guard's value and
 * each endpoint's fence (section 2.4.2), or that it does not exist (2.4.3). Within an endpoint,
 * deletions come before additions (servers apply a message literally), and the fence last.
 * Prerequisites have TTL 0. A TTL change is never sent as a difference (Knot keeps the old TTL).
 * No change leaves an RRset empty that is to hold records, whatever hands did to it before.
 *
 *   hf_update_begin, hf_update_add for each endpoint until HF_ELIMIT, hf_update_finish.
 */
#ifndef HF_CODEC_UPDATE_H
#define HF_CODEC_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/records.h"
#include "codec/tsig.h"

enum { HF_UPDATE_WIRE_MAX = 65535 };

/* A TXT RRset as it must be: each record as 16-bit RDLENGTH and RDATA; size 0: must not exist. */
struct hf_txt_set {
    const uint8_t *bytes;
    size_t size;
};

/* What is known of, or demanded of, the RRsets that a change replaces. */
enum hf_update_expect {
    HF_EXPECT_ANY,   /* A, AAAA and a CNAME are deleted whole */
    HF_EXPECT_NONE,  /* no A, AAAA or CNAME may exist (prerequisite) */
    HF_EXPECT_EXACT, /* the A and AAAA RRsets must be before (prerequisite) */
    /*
     * They were before when they were last looked at, and the fence has not changed since: only
     * the records that differ are sent. What hands did to them meanwhile stays until the next look.
     */
    HF_EXPECT_AUDITED,
};

struct hf_update_change {
    const uint8_t *endpoint;        /* owner name, wire */
    struct hf_txt_set fence_before; /* prerequisite */
    const uint8_t *fence_after;     /* RDATA of the one new fence; NULL: none (tombstone gone) */
    size_t fence_after_size;
    enum hf_update_expect expect;
    struct hf_records before; /* for EXACT and AUDITED */
    struct hf_records after;  /* both counts 0: the endpoint has no records from now on */
    bool fence_only;          /* leave the RRsets as they are */
};

struct hf_update;

/*
 * Starts a message. zone: apex, wire. guard_before: the prerequisite on the guard (size 0: it
 * must not exist). guard_after: RDATA of the guard's new value, or NULL to leave it.
 * With a key, room for the TSIG record is reserved. Release with hf_update_free.
 */
struct hf_update *hf_update_begin(const uint8_t *zone, const struct hf_txt_set *guard_before,
                                  const uint8_t *guard_after, size_t guard_after_size,
                                  const knot_tsig_key_t *key);

/*
 * HF_ELIMIT when the endpoint does not fit any more; HF_EINVAL when it is outside of the zone, its
 * fence's name is too long, a TXT set is malformed, or records are not in canonical order. In any
 * failure the message is as if it had not been tried.
 */
int hf_update_add(struct hf_update *update, const struct hf_update_change *change);

/* How many endpoints were added. */
uint32_t hf_update_count(const struct hf_update *update);

/*
 * Sets the message id, signs, and gives the wire bytes, which belong to update.
 * now is not needed: libknot reads the clock for TSIG itself.
 */
int hf_update_finish(struct hf_update *update, uint16_t message_id, const uint8_t **ret_wire,
                     size_t *ret_size, struct hf_tsig_state *ret_tsig);

void hf_update_free(struct hf_update *update);

#endif
