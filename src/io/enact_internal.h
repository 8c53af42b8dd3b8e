/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the enactor's driver share.
 *
 * enact.c       the process: store, plan, overrides, signals
 * enact_zone.c  one zone: feeds its machine, begins what it asks for
 * enact_read.c  READ: single fences
 * enact_audit.c READ_ZONE: when and how the zone is read
 * enact_whole.c what a whole zone says of each lane
 * enact_changes.c what changes say of each lane
 * enact_write.c WRITE and WRITE_GUARD
 * enact_note.c  what came of writes, for the report
 * enact_report.c
 */
#ifndef HF_IO_ENACT_INTERNAL_H
#define HF_IO_ENACT_INTERNAL_H

#include <uv.h>

#include "base/error.h"
#include "codec/fence.h"
#include "codec/name.h"
#include "codec/overrides.h"
#include "codec/past.h"
#include "codec/plan.h"
#include "codec/report.h"
#include "core/enactor.h"
#include "core/planner.h"
#include "io/dns.h"
#include "io/enact.h"
#include "io/plan_fetch.h"
#include "io/plan_store.h"
#include "io/signals.h"
#include "io/store_async.h"
#include "io/target.h"
#include "io/watch.h"

enum {
    HF_ENACT_WRITERS_MAX = 4096,
    HF_ENACT_TXT_MAX = 4096, /* octets of a TXT RRset that is kept as it was found */
    HF_ENACT_WHY_MAX = 256,
};

/* A TXT RRset as it was read: RDLENGTH and RDATA of each record, in the order of arrival. */
struct hf_enact_txt {
    uint8_t bytes[HF_ENACT_TXT_MAX];
    size_t size;
    uint32_t count;
    bool overflow;
};

/* The exact TXT RRset of a lane whose fence is not of our form: what a repair is conditional on. */
struct hf_enact_raw {
    struct hf_enact_raw *next;
    uint32_t lane; /* UINT32_MAX: the guard */
    size_t size;
    uint8_t bytes[];
};

/* What came of one write: hf_report_write without its texts. */
struct hf_enact_note {
    uint64_t number, at_ms, gen, met_gen;
    uint32_t zone, lane;
    uint32_t met_writer; /* as enact->writers has it; UINT32_MAX: none of ours */
};

/* The latest of each kind: rings. */
struct hf_enact_notes {
    struct hf_enact_note rows[HF_WRITE_KINDS][HF_REPORT_WRITES_MAX];
    uint32_t counts[HF_WRITE_KINDS]; /* since start, of all that were ever put */
    uint64_t number;
};

struct hf_enact;
struct hf_enact_whole;
struct hf_enact_changes;

struct hf_enact_zone {
    struct hf_enact *enact;
    const struct hf_config_zone *zone;
    const struct hf_config_target *target;
    struct hf_dns *dns;
    struct hf_dns *fast; /* urgent writes do not wait behind bulk on one connection; where this one
                            fails they take the other for a while */
    knot_tsig_key_t key;
    bool has_key;
    uint8_t guard_owner[HF_NAME_MAX];
    struct hf_enactor machine;
    void *memory;
    uint32_t *lane_rows; /* plan row of each lane */
    struct hf_enact_raw *raws;
    uint64_t *refused_words; /* of refused */
    struct hf_bitset
        refused;         /* lanes whose write was refused, and whose fence was not read since */
    struct hf_past past; /* what lanes still answer with, or may, and the plan has replaced */
    uv_timer_t timer;
    uint32_t head_waiting;   /* op of a HEAD that waits for the next load, 0: none */
    uint64_t fast_again_ms;  /* the loop's time: until then urgent writes go with the others */
    uint64_t whole_again_ms; /* the loop's time: then the zone is transferred whole in any case */
    uint32_t serial;         /* at the last transfer */
    uint32_t serial_at_rest; /* when it was asked last whether the zone rests */
    struct hf_zone_guard guard_noted; /* last said in the log */
    bool serial_known;
    bool was_frozen_by_override;
    bool pumping;
    char guard_owner_seen[HF_OWNER_MAX + 1]; /* of an alien guard */
    char why[HF_ENACT_WHY_MAX];              /* last trouble with the server, "" when all is well */
};

/* Where a plan row's lane is. */
struct hf_enact_place {
    uint32_t zone; /* UINT32_MAX: in no zone of the configuration */
    uint32_t lane;
};

struct hf_enact {
    const struct hf_config *config;
    const struct hf_enact_options *options;
    struct hf_log *log;
    uv_loop_t loop;
    struct hf_signals *signals;
    uv_timer_t report_timer, load_timer;
    struct hf_store_async *store;
    struct hf_plan plan;
    struct hf_enact_place *places; /* by plan row */
    uint32_t place_count, place_room;
    struct hf_watch *watch;
    struct hf_enact_zone *zones;
    char (*writers)[HF_WRITER_MAX + 1]; /* names by number; 0 is ours */
    uint32_t writer_count;
    struct hf_overrides overrides;
    uint32_t instance;
    bool instance_known;
    bool loading, load_again; /* a load is under way; another is wanted after it */
    bool reporting;
    bool stopping;
    enum hf_role_end end;
    uint64_t started_ms; /* wall clock */
    uint64_t random;     /* state of the jitter generator */
    uint64_t reported_ms;
    uint64_t reported_hash;
    struct hf_enact_notes notes;
    char trouble[HF_ENACT_WHY_MAX]; /* with the store, "" when none */
};

/* --- enact.c --- */
void hf_enact_load(struct hf_enact *enact);
uint32_t hf_enact_writer(struct hf_enact *enact, const char *name); /* UINT32_MAX: table full */
uint64_t hf_enact_random(struct hf_enact *enact);

/* --- enact_zone.c --- */
int hf_enact_zone_init(struct hf_enact_zone *zone, struct hf_enact *enact, uint32_t number);
void hf_enact_zone_release(struct hf_enact_zone *zone);
/* One step, and what it asks for; repeated while the outbox was full. */
void hf_enact_feed(struct hf_enact_zone *zone, struct hf_enactor_event *event);
void hf_enact_tick(struct hf_enact_zone *zone);
uint32_t hf_enact_zone_lane(struct hf_enact_zone *zone, uint32_t row); /* a new one */
/* The plan is about to replace the lane's entry: keeps its records where they lie in the zone. */
void hf_enact_keep_past(struct hf_enact_zone *zone, uint32_t lane,
                        const struct hf_plan_entry *entry);
/* The lane's fence may have changed: forgets records that do not lie beside it any more. */
void hf_enact_settle_past(struct hf_enact_zone *zone, uint32_t lane);
/* The records with this sum, of what the plan wants and what it replaced; false: not known. */
bool hf_enact_records_of(const struct hf_enact_zone *zone, uint32_t lane, uint64_t sum,
                         struct hf_records *ret_records);
/* The completion of op, after its outcome was put into words. */
void hf_enact_done(struct hf_enact_zone *zone, uint32_t op, enum hf_result result,
                   const struct hf_dns_outcome *outcome);

/* That of READ_ZONE: what a transfer that succeeded said of lanes that were not told. */
enum hf_enact_extent { HF_ENACT_WHOLE, HF_ENACT_CHANGES, HF_ENACT_MOVING };
void hf_enact_done_reading(struct hf_enact_zone *zone, uint32_t op, enum hf_result result,
                           enum hf_enact_extent extent, const struct hf_dns_outcome *outcome);
/* The zone's lane of an owner; UINT32_MAX: none. */
uint32_t hf_enact_lane_of(const struct hf_enact_zone *zone, const uint8_t *owner);

/* Collects one record of a TXT RRset; turns it into a fence or guard, keeping what is odd. */
void hf_enact_txt_add(struct hf_enact_txt *txt, const uint8_t *rdata, size_t size);
void hf_enact_fence_of(struct hf_enact_zone *zone, uint32_t lane, const struct hf_enact_txt *txt,
                       struct hf_fence *ret_fence);
void hf_enact_guard_of(struct hf_enact_zone *zone, const struct hf_enact_txt *txt,
                       struct hf_zone_guard *ret_guard);
/* Says in the log what changed about the guard. */
void hf_enact_guard_note(struct hf_enact_zone *zone, const struct hf_zone_guard *guard);
const struct hf_enact_raw *hf_enact_raw_find(const struct hf_enact_zone *zone, uint32_t lane);

/* --- enact_note.c --- */

/* The machine has a new memory: room for its lanes. */
void hf_enact_note_room(struct hf_enact_zone *zone);
/* A WRITE ended; before the machine hears of it. lane_first: chained in the machine. */
void hf_enact_note_write(struct hf_enact_zone *zone, enum hf_result result, uint32_t lane_first);
/* A lane's fence was read; before the machine hears of it. */
void hf_enact_note_seen(struct hf_enact_zone *zone, const struct hf_enactor_event *event);
/* All that is kept, by number, for a report whose arena they are in. */
void hf_enact_note_tell(struct hf_enact *enact, struct hf_report *report);

/* --- enact_whole.c: told after the last record was added --- */
struct hf_enact_whole *hf_enact_whole_new(struct hf_enact_zone *zone, uint32_t op);
void hf_enact_whole_add(struct hf_enact_whole *whole, const struct hf_dns_record *record);
void hf_enact_whole_tell(struct hf_enact_whole *whole);
void hf_enact_whole_free(struct hf_enact_whole *whole); /* or NULL */

/* --- enact_changes.c: in the order in which they happened; false: there were too many --- */
struct hf_enact_changes *hf_enact_changes_new(struct hf_enact_zone *zone, uint32_t op);
void hf_enact_changes_add(struct hf_enact_changes *changes, const struct hf_dns_record *record,
                          bool added);
bool hf_enact_changes_tell(struct hf_enact_changes *changes);
void hf_enact_changes_free(struct hf_enact_changes *changes); /* or NULL */

/* --- what actions do --- */
void hf_enact_read(struct hf_enact_zone *zone, const struct hf_enactor_action *action);
void hf_enact_audit(struct hf_enact_zone *zone, const struct hf_enactor_action *action);
void hf_enact_write(struct hf_enact_zone *zone, const struct hf_enactor_action *action);
void hf_enact_write_guard(struct hf_enact_zone *zone, const struct hf_enactor_action *action);
void hf_enact_report(struct hf_enact *enact);

#endif
