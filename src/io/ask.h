/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ask: blocking questions to one zone's server, for commands: single RRsets, and the zone guard
 * with its one way to change it, compare-and-swap.
 */
#ifndef HF_IO_ASK_H
#define HF_IO_ASK_H

#include "codec/config.h"
#include "codec/fence.h"
#include "codec/update.h"
#include "core/step.h"

enum {
    HF_ASK_WHY_MAX = 256,
    HF_ASK_RECORDS_MAX = 128,
    HF_ASK_RDATA_MAX = 512,
};

struct hf_ask;

struct hf_ask_record {
    uint16_t type;
    uint32_t ttl_s;
    uint16_t rdata_size;
    uint8_t rdata[HF_ASK_RDATA_MAX];
};

/* An RRset as it was answered. */
struct hf_answer {
    struct hf_ask_record records[HF_ASK_RECORDS_MAX];
    uint32_t count;
    uint16_t rcode;
};

/*
 * A client for one zone of the configuration. HF_ENOENT: the target's key is not there yet;
 * HF_EMALF: address or key is none. Close with hf_ask_close.
 */
int hf_ask_open(const struct hf_config *config, uint32_t zone, struct hf_ask **ret_ask);
void hf_ask_close(struct hf_ask *ask);

/* All questions together end limit_ms from now: those that have no answer then are HF_ETIMEOUT. */
void hf_ask_limit(struct hf_ask *ask, uint32_t limit_ms);

/* What the last call failed with, in words: server, zone, what happened. */
const char *hf_ask_why(const struct hf_ask *ask);

/* HF_OK also for NXDOMAIN and NODATA (count 0). */
int hf_ask_rrset(struct hf_ask *ask, const uint8_t *owner, uint16_t type,
                 struct hf_answer *ret_answer);

/* The zone guard and whose it is (ret_owner, "" where that cannot be said). instance: our store's.
 */
int hf_ask_guard(struct hf_ask *ask, uint32_t instance, struct hf_zone_guard *ret_guard,
                 char ret_owner[HF_OWNER_MAX + 1]);

/*
 * Replaces the guard that hf_ask_guard read last, whatever it was, by after: HF_OK, HF_ESTALE when
 * it was changed meanwhile, or an error after which it may have happened.
 */
int hf_ask_guard_replace(struct hf_ask *ask, const struct hf_zone_guard *after);

#endif
