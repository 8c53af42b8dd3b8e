/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the planner's driver share.
 *
 * lead.c         the process: signals, timers, ticks of the machine
 * lead_load.c    head into image into machine; publishing
 * lead_follow.c  overrides and reports
 * lead_override.c overrides that the planner itself changes
 * lead_health.c  checks become verdicts
 * lead_cid.c     one number from verdict through plan to write, for the log
 * lead_status.c  what is told under "status/…"
 *
 * The image belongs to the store's worker while lead.busy (a load or a publication is under way),
 * else to the loop.
 */
#ifndef HF_IO_LEAD_INTERNAL_H
#define HF_IO_LEAD_INTERNAL_H

#include <uv.h>

#include "base/error.h"
#include "codec/planning.h"
#include "codec/report.h"
#include "codec/status.h"
#include "io/check.h"
#include "io/lead.h"
#include "io/plan_store.h"
#include "io/signals.h"
#include "io/store_async.h"
#include "io/watch.h"

enum {
    HF_LEAD_WHY_MAX = 256,
    HF_LEAD_RETRY_MS = 1000, /* after trouble with the store */
    HF_LEAD_REPORTS_MAX = 64,
    HF_LEAD_ADDRESSES_MAX = 64, /* of one backend, one of each family, as text */
    HF_LEAD_VERIFY_MS = 10000,  /* between two looks whether the head could be read anew */
};

/* One configured backend. */
struct hf_lead_backend {
    struct hf_health health;
    uint64_t checked_ms; /* wall clock of the last result, 0: none */
    uint64_t duration_us;
    uint64_t late_count;
    char why[HF_CHECK_WHY_MAX];
    char addresses[HF_LEAD_ADDRESSES_MAX]; /* as status rows say them */
};

struct hf_lead {
    const struct hf_config *config;
    const char *name;
    struct hf_log *log;
    uv_loop_t loop;
    struct hf_signals *signals;
    uv_timer_t tick_timer, status_timer, retry_timer, follow_timer;
    struct hf_store_async *store;
    struct hf_checker *checker;
    struct hf_watch *watch;
    struct hf_plan plan;
    struct hf_planning *planning; /* NULL until the head was read */
    struct hf_lead_backend *backends;
    struct hf_overrides overrides;
    uint64_t overrides_hash;
    uint32_t instance;
    bool instance_known;
    bool busy;        /* the image is the worker's */
    bool load_wanted; /* read the head and build the machine anew */
    bool following;   /* a follow job is under way */
    bool follow_again;
    bool verdicts_restored;
    bool overrides_known; /* were read once: without them nothing is planned */
    bool status_pending;
    bool pruning;
    bool stopping;
    enum hf_role_end end;
    uint64_t started_ms;
    uint64_t status_hash, status_ms;
    uint64_t backends_hash, backends_ms;
    uint64_t backends_next_ms; /* not before: their document took its time */
    uint64_t published_count;
    uint32_t spare_used; /* endpoints published since spare memory was given back */
    uint64_t cid;        /* of the verdicts since the last plan, 0: none yet */
    uint64_t cid_ms;     /* when it was drawn, on the loop's clock */
    uint64_t cid_count;  /* how many were drawn */
    uint64_t publish_started_ms;
    uint64_t verified_ms; /* when the head was last looked at */
    uint64_t broken_gen;  /* of a head that this process knows and nobody else can read, or 0 */
    char trouble[HF_LEAD_WHY_MAX];
    char approved_id[HF_DIGEST_TEXT_SIZE]; /* of the last approval that was followed */
    char held_id[HF_DIGEST_TEXT_SIZE];     /* digest of what is held now, "" when nothing is */
};

/* --- lead.c --- */
/* The machine is ticked before the loop waits again. */
void hf_lead_tick_soon(struct hf_lead *lead);
void hf_lead_step(struct hf_lead *lead, struct hf_planner_event *event);
void hf_lead_trouble(struct hf_lead *lead, const char *why);
/* The head is read again in HF_LEAD_RETRY_MS, and then as often until it could be read. */
void hf_lead_retry_later(struct hf_lead *lead);
void hf_lead_end(struct hf_lead *lead, enum hf_role_end end);

/* --- lead_load.c --- */
void hf_lead_load(struct hf_lead *lead);
void hf_lead_publish(struct hf_lead *lead, const struct hf_planner_action *action);
/* Builds the machine anew from image, overrides and verdicts. */
void hf_lead_rebuild(struct hf_lead *lead);

/* --- lead_follow.c --- */
void hf_lead_follow(struct hf_lead *lead);
void hf_lead_approvals(struct hf_lead *lead);

/* --- lead_override.c --- */
void hf_lead_freeze_all(struct hf_lead *lead);
/* The object of the overrides is gone: what this process knows is put in its place. */
void hf_lead_mend_overrides(struct hf_lead *lead);
/* Takes out what has been followed: approvals, and adoptions that are done. */
void hf_lead_prune(struct hf_lead *lead);

/* --- lead_health.c --- */
int hf_lead_checks_start(struct hf_lead *lead);
void hf_lead_address_text(const struct hf_config_backend *backend,
                          char ret_text[HF_LEAD_ADDRESSES_MAX]);
void hf_lead_feed_verdicts(struct hf_lead *lead);

/* --- lead_cid.c --- */
/* The correlation of what is seen now: the same until a plan takes it. */
uint64_t hf_lead_cid(struct hf_lead *lead);
/* For a plan that is to be published; given back where it was not. */
uint64_t hf_lead_cid_take(struct hf_lead *lead);
void hf_lead_cid_give_back(struct hf_lead *lead, uint64_t cid);

/* --- lead_status.c --- */
void hf_lead_status(struct hf_lead *lead);
/* Verdicts of the last planner's life, from "status/backends". */
void hf_lead_restore(struct hf_lead *lead, const struct hf_backend_status *rows, uint32_t count,
                     uint64_t at_ms);

#endif
