/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clean.c (the process and the store) and clean_zone.c (tombstones) share. */
#ifndef HF_IO_CLEAN_INTERNAL_H
#define HF_IO_CLEAN_INTERNAL_H

#include <uv.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"
#include "codec/plan.h"
#include "core/janitor.h"
#include "core/planner.h"
#include "io/clean.h"
#include "io/dns.h"
#include "io/signals.h"
#include "io/store_async.h"
#include "io/watch.h"

enum {
    HF_CLEAN_TOMBSTONES_MAX = 64, /* in one UPDATE; more wait for the next round */
    HF_CLEAN_WHY_MAX = 256,
};

struct hf_clean;

/* A TXT RRset of one record, as it was read. */
struct hf_clean_txt {
    uint8_t bytes[2 + HF_FENCE_RDATA_MAX]; /* RDLENGTH and RDATA */
    size_t size;
    uint32_t count;
};

struct hf_tombstone {
    struct hf_clean_zone *zone;
    uint8_t owner[HF_NAME_MAX];
    uint64_t gen;
    struct hf_clean_txt fence;
};

struct hf_clean_zone {
    struct hf_clean *clean;
    const struct hf_config_zone *zone;
    struct hf_dns *dns;
    knot_tsig_key_t key;
    bool has_key;
    struct hf_tombstone tombstones[HF_CLEAN_TOMBSTONES_MAX];
    uint32_t count;
    struct hf_clean_txt guard;
    uint64_t floor_after;
    uint32_t open; /* queries under way */
    bool failed;
};

struct hf_clean {
    const struct hf_config *config;
    struct hf_log *log;
    uv_loop_t loop;
    struct hf_signals *signals;
    uv_timer_t timer, status_timer;
    struct hf_store_async *store;
    struct hf_watch *watch;
    struct hf_janitor machine;
    struct hf_clean_zone *zones;
    uint32_t zones_open; /* zones that a CLEAN still works on */
    uint32_t clean_op;
    enum hf_result clean_result;
    uint32_t instance;
    uint64_t started_ms, cleaned;
    uint64_t status_ms, status_hash;
    bool status_pending, stopping;
    enum hf_role_end end;
    char trouble[HF_CLEAN_WHY_MAX];
};

int hf_clean_zone_init(struct hf_clean_zone *zone, struct hf_clean *clean, uint32_t number);
void hf_clean_zone_release(struct hf_clean_zone *zone);

/* Removes the zone's tombstones that were collected; hf_clean_zone_done at the end. */
void hf_clean_zone_start(struct hf_clean_zone *zone);

/* In clean.c: one zone of a CLEAN is through. */
void hf_clean_zone_done(struct hf_clean *clean, enum hf_result result);

void hf_clean_trouble(struct hf_clean *clean, const char *why);

#endif
