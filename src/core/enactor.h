/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Enactor: brings one zone to what the plan says, by writes that the DNS server itself refuses
 * when they are not fresh. Pure: a step is a function of state and event.
 *
 * One lane per endpoint of the zone: what the plan wants (its entry's generation and sum), what
 * the fence in the zone was last seen to be, and the operation under way. Everything else follows
 * from these by one decision (hf_lane_need): read, write, nothing, or a trouble that is reported.
 * Enactors take no locks. Each begins a rollout with its own share of the endpoints that have to
 * be written and then looks at the zone for what is left of the others' (core/roll.h); a refused
 * write is only a reason to read again.
 *
 * The driver owns the memory, keeps for every lane the endpoint's name and records, feeds events
 * and performs actions. A step leaves at most one action for each free operation slot.
 *
 *   READ_ZONE  transfer the zone; GUARD once, SEEN for every lane with a fence or records (both
 *              known), STRAY for every fence of ours without a lane; DONE at the end. Lanes that
 *              were not named have neither. Where the action does not say whole, what changed since
 *              the last transfer will do: GUARD, SEEN and STRAY for that alone, and DONE with
 *              unchanged set. What was not named then is as it was. A SEEN whose fence is UNKNOWN
 *              says that the lane changed, and no more. Where the action says at_rest and the zone
 *              has changed since the last such question, nothing is told but DONE with moving set.
 *   READ       ask for the guard, then for the fences of the lanes: GUARD, SEEN for each; the
 *              records are read where there is no fence, and may be elsewhere. DONE at the end.
 *   WRITE      one UPDATE: prerequisites are the action's guard and each lane's fence as in the
 *              machine now; it writes want_gen and want_sum with by=WRITER.count. DONE.
 *   WRITE_GUARD  one UPDATE that changes only the guard, from guard to guard_after. DONE.
 *   HEAD       read the head of the store afresh: ENTRY for what changed, then HEAD.
 *
 * DONE has the result: after REFUSED and UNKNOWN nothing is believed that was not read since.
 */
#ifndef HF_CORE_ENACTOR_H
#define HF_CORE_ENACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bitset.h"
#include "core/fence.h"
#include "core/roll.h"
#include "core/step.h"

enum {
    HF_ENACTOR_OUTBOX_MAX = 8,
    HF_ENACTOR_BATCH_MAX = 512,  /* lanes in one READ or WRITE */
    HF_ENACTOR_READS_MAX = 4,    /* READs under way */
    HF_ENACTOR_FAST_RESERVE = 4, /* WRITEs of the fast lane beyond the window */
    HF_ENACTOR_FAST_MAX = 1024,  /* urgent lanes of one plan that go in the fast lane */
    HF_ENACTOR_WINDOW_FIRST = 16,
    HF_ENACTOR_LOOK_SHARE = 4, /* looks of rollouts are apart by so many times what the last took */
    HF_ENACTOR_LOOK_MIN_MS = 250,
    HF_ENACTOR_LOOK_MAX_MS = 2000, /* and by no less, and no more */
    HF_ENACTOR_TURN_MS = 25, /* beside twice the latency: for one enactor's only message before
                                 the next one looks what became of it */
    HF_ENACTOR_PATIENCE_MIN_MS = 1000, /* at least, while others write their share */
    HF_ENACTOR_HEALS_MAX = 3,          /* of one lane in a window */
    HF_ENACTOR_HEAL_WINDOW_MS = 60000,
    HF_ENACTOR_BACKOFF_MS = 200, /* first back-off of the zone, doubles */
    HF_ENACTOR_BACKOFF_MAX_MS = 15000,
    HF_ENACTOR_GUARD_POLL_MS = 2000, /* while frozen or refused */
    HF_ENACTOR_HEAD_RETRY_MS = 1000, /* where the store does not answer */
};

enum hf_lane_flag {
    HF_LANE_CLAIMED = 1, /* the plan says that our fence was seen here */
    HF_LANE_RETIRED = 2, /* the entry is a tombstone */
    HF_LANE_URGENT = 4,  /* the entry removes an address that should not be answered */
    HF_LANE_ADOPT = 8,   /* the operator said: take over what is there */
    HF_LANE_AHEAD = 16,  /* ahead of, or missing under, a head that was read after the fence was */
    HF_LANE_CROWD = 32,  /* urgent, with more others than the fast lane takes */
};

/* What a lane needs; its place in the machine's sets. */
enum hf_need {
    HF_NEED_NOTHING, /* not in the plan */
    HF_NEED_BUSY,    /* an operation is under way */
    HF_NEED_IN_STEP, /* nothing: the zone is as the plan wants it */
    HF_NEED_READ,
    HF_NEED_WRITE, /* bulk */
    HF_NEED_FAST,  /* write ahead of all else */
    HF_NEED_CROWD, /* write ahead of bulk: urgent, but so many that one more must pass them */
    HF_NEED_HEAD,  /* its fence is ahead, or missing beside other records: is our plan old? */
    HF_NEED_CLAIM, /* in step, and the plan does not know yet that it is claimed */
    HF_NEED_GONE,  /* nothing: retired, and without a fence; the plan may forget it below the floor
                    */
    HF_NEED_STAMP, /* fence gone, generation not above the floor */
    HF_NEED_HISTORY, /* ahead of the head: the store lost history */
    HF_NEED_ADOPT,   /* foreign: left alone */
    HF_NEED_PEACE,   /* contested: healed too often in this window */
    HF_NEEDS
};

struct hf_lane {
    struct hf_fence fence; /* as last read or written */
    uint64_t want_gen;     /* 0: not in the plan */
    uint64_t want_sum;
    uint64_t sent_gen; /* what the WRITE under way writes */
    uint64_t sent_sum;
    uint64_t records_sum;
    uint32_t heal_until_s; /* end of the window that heals counts in, rounded up */
    uint32_t next;         /* lane of the same operation, or HF_BITSET_NONE */
    uint16_t slot;         /* operation under way: its slot + 1; 0: none */
    uint8_t records;       /* enum hf_records_kind: seen under the present fence */
    uint8_t flags;         /* enum hf_lane_flag */
    uint8_t heals;
    uint8_t need; /* enum hf_need: the set that it is in */
};

/* How writes are ordered: each pace has a set of lanes and a roll of its own. */
enum hf_pace { HF_PACE_BULK, HF_PACE_CROWD, HF_PACE_FAST, HF_PACES };

enum hf_enactor_op_kind {
    HF_ENACTOR_OP_NONE,
    HF_ENACTOR_READ_ZONE,
    HF_ENACTOR_READ,
    HF_ENACTOR_WRITE,
    HF_ENACTOR_WRITE_GUARD,
    HF_ENACTOR_HEAD,
};

struct hf_enactor_op {
    uint64_t count;      /* WRITE: of by= */
    uint32_t number;     /* 0: slot is free */
    uint32_t lane_first; /* chained by next */
    uint32_t lane_count;
    uint8_t kind;
};

enum hf_zone_state {
    HF_ZONE_STARTING, /* not read yet */
    HF_ZONE_OPEN,
    HF_ZONE_FROZEN,
    HF_ZONE_REFUSED, /* guard of another installation or store, or damaged */
};

struct hf_enactor_options {
    uint64_t write_count; /* first by= counter: unique to this process's life */
    uint32_t instance;    /* of the store */
    uint32_t writer;      /* our name, as the driver numbers it */
    uint32_t audit_ms;    /* between READ_ZONEs */
    uint16_t batch;       /* lanes in a WRITE, at most HF_ENACTOR_BATCH_MAX */
    uint16_t window_max;  /* WRITEs in flight */
    uint32_t offset;      /* where this enactor's share of a rollout begins, in HF_ROLL_WHOLEths */
    uint32_t share;       /* and how much it is; 0: all from there on */
};

enum hf_enactor_event_type {
    HF_ENACTOR_EV_TICK,
    HF_ENACTOR_EV_ENTRY,  /* lane: want_gen, want_sum, flags (CLAIMED, RETIRED, URGENT) */
    HF_ENACTOR_EV_ADOPT,  /* lane, on */
    HF_ENACTOR_EV_FREEZE, /* the operator froze this zone: on once, when it was read anew */
    HF_ENACTOR_EV_HEAD,   /* op, result, gen: the head that ENTRYs have brought us to */
    HF_ENACTOR_EV_GUARD,  /* op, guard */
    HF_ENACTOR_EV_SEEN,   /* op, lane, fence, records, records_sum */
    HF_ENACTOR_EV_STRAY,  /* op, gen; foreign set: another owner's fence */
    HF_ENACTOR_EV_DONE,   /* op, result, latency_ms, unchanged */
};

struct hf_enactor_event {
    uint64_t now_ms; /* monotonic */
    uint64_t random; /* for jitter */
    uint64_t gen, sum;
    struct hf_fence fence;
    struct hf_zone_guard guard;
    uint32_t op, lane;
    uint32_t latency_ms;
    uint8_t type;
    uint8_t flags;
    uint8_t records;
    uint8_t result;
    bool on, unchanged, moving, foreign;
};

struct hf_enactor_action {
    uint32_t op;
    uint32_t lane_first; /* chained by next in the lanes */
    uint32_t lane_count;
    uint64_t count;                   /* WRITE: of by= */
    struct hf_zone_guard guard;       /* WRITE, WRITE_GUARD: the prerequisite */
    struct hf_zone_guard guard_after; /* WRITE_GUARD */
    uint8_t kind;                     /* enum hf_enactor_op_kind */
    bool whole;   /* READ_ZONE: there are records that the last transfer did not vouch for */
    bool at_rest; /* READ_ZONE: only if nobody is writing it now */
    bool fast;    /* WRITE: not to wait behind others */
};

struct hf_enactor_outbox {
    struct hf_enactor_action actions[HF_ENACTOR_OUTBOX_MAX];
    uint32_t count;
};

/* Sums since start, for reports. */
struct hf_enactor_counters {
    uint64_t messages;         /* WRITEs */
    uint64_t written;          /* lanes whose WRITE was acknowledged */
    uint64_t refused, unknown; /* WRITEs */
    uint64_t read;             /* lanes read one by one */
    uint64_t healed;           /* lanes written again for drift */
    uint64_t audits;
};

struct hf_enactor {
    struct hf_enactor_options options;
    struct hf_lane *lanes;
    struct hf_enactor_op *ops;
    struct hf_bitset sets[HF_NEEDS];  /* lanes by need, from HF_NEED_READ on */
    struct hf_bitset auditing;        /* lanes of which the READ_ZONE under way may speak */
    struct hf_bitset confirming;      /* lanes that wait for the HEAD under way */
    struct hf_zone_guard guard;       /* kind UNKNOWN: must be read before anything is written */
    struct hf_zone_guard guard_after; /* what the WRITE_GUARD under way writes */
    struct hf_enactor_counters counters;
    uint64_t plan_gen;      /* head that we work towards */
    uint64_t stray_gen;     /* highest generation of a STRAY in the last audit */
    uint64_t ahead_gen;     /* confirmed: highest generation seen that is above plan_gen; 0 */
    uint64_t not_before_ms; /* back-off of the zone */
    uint64_t next_audit_ms;
    uint64_t next_guard_ms; /* next poll of the guard while frozen or refused */
    uint64_t next_head_ms;  /* the store is not asked before */
    uint64_t next_look_ms;  /* no READ_ZONE that a rollout asks for begins before */
    uint64_t rolled_ms;     /* when the last own share of a rollout was begun */
    uint64_t patient_ms;    /* until then others that still write are not helped; HF_NEVER: until
                               the own share was acknowledged, and then as long again */
    uint64_t now_ms;        /* of the last step */
    uint64_t heal_wake_ms;  /* first end of a heal window of a contested lane */
    uint64_t restore_floor; /* highest floor ever seen: a guard that is restored has at least it */
    uint32_t lane_count, lane_room, op_room;
    uint32_t in_step;                     /* lanes with need IN_STEP, CLAIM or GONE */
    uint32_t planned;                     /* lanes in the plan */
    uint32_t claimed;                     /* lanes with CLAIMED */
    uint32_t writes, reads;               /* operations under way */
    uint32_t audit_op, head_op, guard_op; /* 0: none under way */
    uint32_t next_op;
    struct hf_roll rolls[HF_PACES];
    uint32_t window_256;   /* allowed WRITEs in flight, in 256ths */
    uint32_t help_256;     /* and of help */
    uint32_t share_op;     /* the last operation that was begun when a share was done, */
    uint32_t share_writes; /* and how many WRITEs up to it are still under way */
    uint32_t latency_ms;   /* smoothed */
    uint32_t backoff_ms;   /* of the last failure; 0: the last answer was good */
    uint32_t batch;        /* lanes in a WRITE now: shrinks where the server fails on messages */
    uint32_t refusal_streak;
    uint8_t state;         /* enum hf_zone_state */
    bool look_wanted;      /* a rollout asks for a READ_ZONE */
    bool looking;          /* it is wanted or under way */
    bool want_frozen;      /* the operator froze: guard to be written */
    bool was_frozen;       /* last state seen of a guard of ours */
    bool guard_known_once; /* a guard of ours was seen in this life */
    bool head_asked;       /* a stray or the floor is ahead: ask for HEAD */
    bool fences_seen;      /* the last audit met fences, ours or others' */
    bool audit_fences;     /* so did the one under way */
    bool records_doubted;  /* some records were not seen since: the next audit is whole */
    bool write_failed;     /* the last write is in doubt: reads that succeed prove little */
    bool plan_known;       /* a HEAD came: before it nothing is asked or written */
    bool zone_known;       /* a whole transfer came: before it nothing is written */
};

/* Octets for lane_room lanes and the operation slots of options; zeroed, aligned to 8. */
size_t hf_enactor_layout(const struct hf_enactor_options *options, uint32_t lane_room);

/* memory stays the caller's. No lanes yet. */
void hf_enactor_init(struct hf_enactor *enactor, const struct hf_enactor_options *options,
                     void *memory, uint32_t lane_room);

/*
 * Moves everything to a larger memory (lane_room not below the old one); the old memory may be
 * freed after. Sets are rebuilt; operations go on.
 */
void hf_enactor_grow(struct hf_enactor *enactor, void *memory, uint32_t lane_room);

/* A new lane, without an entry; lane_count must be below lane_room. */
uint32_t hf_enactor_add_lane(struct hf_enactor *enactor);

void hf_enactor_step(struct hf_enactor *enactor, const struct hf_enactor_event *event,
                     struct hf_enactor_outbox *outbox);

/*
 * When the driver must TICK at the latest; HF_NEVER when only completions are awaited. A full
 * outbox means that there is more to begin: TICK again at once.
 */
uint64_t hf_enactor_deadline_ms(const struct hf_enactor *enactor);

/*
 * Whether it is this enactor's turn with the plan of that generation: what fits one message is
 * written by one enactor first, by another one with every plan. In a server's queue the same three
 * messages would wait for each other.
 */
bool hf_enactor_is_turn(const struct hf_enactor_options *options, uint64_t gen);

/* The one decision: what a lane needs now. */
enum hf_need hf_lane_need(const struct hf_enactor *enactor, const struct hf_lane *lane,
                          uint64_t now_ms);

/* True when the write of this lane that has just succeeded repaired what others did; asked before
 * its DONE. */
bool hf_lane_was_healed(const struct hf_lane *lane);

/*
 * Whether the records beside the lane's fence were seen, or written by us, and are those that it
 * names: only the records that differ from what the plan wants need be sent.
 */
bool hf_lane_is_audited(const struct hf_lane *lane);

#endif
