/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planner: turns verdicts and the operator's overrides into plans, within the guards. Pure: a
 * step is a function of state and event; it allocates nothing, reads no clock, does no I/O.
 *
 * The driver owns all memory (hf_planner_layout says how much), feeds events, and performs the
 * actions that a step leaves in the outbox. Events that change inputs only mark endpoints; TICK
 * plans the marked ones and asks for one PUBLISH at most. Until its completion (PUBLISHED) no
 * other is asked for. The driver builds the plan object from hf_planner_next for each endpoint in
 * planner.publishing and from planner.changed, and moves the head by compare-and-swap from
 * planner.head_gen.
 *
 *   PUBLISHED OK       what was planned is what is published now
 *   PUBLISHED REFUSED  the head was moved by somebody else: RELOAD is asked for
 *   PUBLISHED UNKNOWN  it may have happened: RELOAD is asked for
 *   RELOAD             the driver reads the head, makes the machine anew (hf_planner_init,
 *                      hf_planner_inherit), lets it adopt every entry, and feeds verdicts,
 *                      overrides and the enactors' reports again; this one does nothing more
 *
 * What an endpoint answers: its members that serve ("in"), and of these the picked ones.
 * A member is wanted in when its verdict is UP and it is not drained, out when it is DOWN, drained
 * or GONE; with an UNKNOWN verdict it stays as it is: an unknown source is not an empty source.
 * Guards, in this order (each has its enum hf_hold; docs/internals/machine-planner.md):
 *   min_healthy  fewer than min_healthy (or none) of the members wanted in: nobody leaves (members
 *                that became healthy still enter)
 *   family       the last address of a family that the endpoint answers with does not leave while
 *                a member of that family, this one included, remains configured
 *   removal      capacity beyond max_removal stays until the window passes or is approved
 *   changed      over max_changed endpoints in a window: changes (but creations and rotations)
 *                wait until the window passes or are approved
 * An endpoint that never answered is created when min_healthy of its members are wanted in, when
 * every member has a verdict, or HF_FIRST_WAIT_MS after the first TICK; it takes all its members
 * (but drained ones, where others remain) where too few are healthy. After AHEAD it may have
 * answered in a history that is lost: then min_healthy alone does not create it. As long, GONE
 * members stay while configured ones have no verdict: a new address enters no later than the old
 * one leaves.
 * An endpoint whose set would be empty cannot be published: it is asserted.
 * PIN and RETIRE are the operator's own words for one endpoint: no guard holds them back, but they
 * count.
 * Whatever is held back is in planner.held. hold_serial is a digest of all that (0: nothing), the
 * same after a restart, and APPROVE with the current serial lets all of it pass that is still the
 * same at the next TICK, except that no approval makes a set empty.
 *
 * Generations: a PUBLISH has generation head + 1, and so do the entries whose answer changed.
 * Where only marks, or members that are not picked, changed, the entry keeps its generation.
 * After AHEAD (a fence or floor above the head, or a fence that no entry can have written: the
 * store lost history) the next PUBLISH is above that generation and stamps every entry anew; an
 * AHEAD below every entry's generation has been answered and is ignored, and so is one that is not
 * above the PUBLISH under way: report again what still is so. More than HF_AHEAD_MAX of
 * these within HF_AHEAD_WINDOW_MS mean that somebody else writes as us: the planner stops
 * publishing, and asks for STOP; FREEZE on and then off lets it start again. STAMP stamps one
 * endpoint anew (its fence is gone and its generation is not above the floor); above the head it
 * means AHEAD, too.
 */
#ifndef HF_CORE_PLANNER_H
#define HF_CORE_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bitset.h"
#include "core/fleet.h"
#include "core/guard.h"
#include "core/health.h"
#include "core/pick.h"
#include "core/step.h"

enum {
    HF_AHEAD_MAX = 3,
    HF_AHEAD_WINDOW_MS = 600000,
    HF_FIRST_WAIT_MS = 10000, /* for verdicts, before an endpoint is created without them */
    HF_CLAIM_WAIT_MS = 1000,  /* claimed marks alone wait this long to be published together */
    HF_PLANNER_OUTBOX_MAX = 4,
};

enum hf_planner_event_type {
    HF_PLANNER_TICK,
    HF_PLANNER_VERDICT,   /* backend, verdict */
    HF_PLANNER_DRAIN,     /* backend, on */
    HF_PLANNER_PIN,       /* endpoint, bits: serve exactly these members until UNPIN (rollback);
                             ignored with no bits, and for an orphan */
    HF_PLANNER_UNPIN,     /* endpoint */
    HF_PLANNER_RETIRE,    /* endpoint: publish a tombstone */
    HF_PLANNER_UNRETIRE,  /* endpoint: create it again; ignored for an orphan */
    HF_PLANNER_FORGET,    /* endpoint, gen: seen to have no fence under that floor */
    HF_PLANNER_CLAIMED,   /* endpoint: an enactor saw our fence at it */
    HF_PLANNER_STAMP,     /* endpoint, gen: needs a generation above gen */
    HF_PLANNER_AHEAD,     /* gen: the highest generation seen in zones */
    HF_PLANNER_APPROVE,   /* serial: as hold_serial */
    HF_PLANNER_FREEZE,    /* on: publish nothing; off after on: also leaves STOP behind */
    HF_PLANNER_PUBLISHED, /* op, result */
};

struct hf_planner_event {
    uint64_t now_ms; /* wall clock, ms since 1970: budgets outlive the process */
    uint64_t gen;
    const uint8_t *bits; /* PIN: hf_fleet_octets(member_count) octets */
    uint32_t endpoint, backend;
    uint32_t op, serial;
    uint8_t type;    /* enum hf_planner_event_type */
    uint8_t verdict; /* enum hf_verdict */
    uint8_t result;  /* enum hf_result */
    bool on;
};

enum hf_planner_action_type {
    HF_PLANNER_PUBLISH, /* op, gen: see above */
    HF_PLANNER_RELOAD,
    HF_PLANNER_STOP, /* gen: too many AHEAD: freeze every zone and alert */
};

struct hf_planner_action {
    uint64_t gen;
    uint32_t op;
    uint8_t type;
};

struct hf_planner_outbox {
    struct hf_planner_action actions[HF_PLANNER_OUTBOX_MAX];
    uint32_t count;
};

enum hf_hold {
    HF_HOLD_NONE,
    HF_HOLD_MIN_HEALTHY,
    HF_HOLD_FAMILY,
    HF_HOLD_REMOVAL,
    HF_HOLD_CHANGED,
};

/* Why an entry is new: what history shows. */
enum hf_cause {
    HF_CAUSE_NONE,
    HF_CAUSE_CREATED,
    HF_CAUSE_HEALTH,   /* cause_backend's verdict changed (the first of several) */
    HF_CAUSE_DRAIN,    /* cause_backend was drained or undrained */
    HF_CAUSE_CONFIG,   /* members, addresses, TTL or policy changed */
    HF_CAUSE_ROTATION, /* weights: time for another pick */
    HF_CAUSE_PIN,      /* rolled back, or released */
    HF_CAUSE_RETIRED,
    HF_CAUSE_RECREATED,
    HF_CAUSE_STAMP, /* stamped anew above lost history or a floor */
    HF_CAUSE_APPROVED,
    HF_CAUSE_CLAIMED, /* only marks, same generation: of a publication, never of a row */
};

enum {
    HF_ROW_EXISTS = 1,     /* in the published plan */
    HF_ROW_RETIRED = 2,    /* a tombstone */
    HF_ROW_CLAIMED = 4,    /* its fence was seen in the zone */
    HF_ROW_PINNED = 8,     /* rolled back: health does not change it */
    HF_ROW_URGENT = 16,    /* this change removes an address that should not be answered */
    HF_ROW_FORGOTTEN = 32, /* leaves the plan */
};

/* One endpoint in the published plan. */
struct hf_planner_row {
    struct hf_budget budget; /* capacity that left */
    uint64_t gen;            /* 0: not in the plan */
    uint32_t ttl_s;
    uint32_t cause_backend; /* or UINT32_MAX */
    uint32_t hold_digest;   /* of what is held back; 0: nothing */
    uint8_t flags;          /* HF_ROW_… */
    uint8_t cause;          /* enum hf_cause: of the last change of answer or members */
    uint8_t hold;           /* enum hf_hold: the strongest reason why it is in held */
    uint8_t want;           /* implementation: overrides and reports that are to be followed */
};

struct hf_planner {
    const struct hf_fleet *fleet;
    struct hf_planner_row *rows;      /* published; hold, hold_digest and want: now */
    struct hf_planner_row *next_rows; /* of endpoints in publishing: as they will be */
    uint8_t *verdicts;                /* of backends, enum hf_verdict */
    uint8_t *drained; /* of backends: 0, 1 drained, 2 undrained since its verdict changed */
    /* Membership bits, fleet->octet_count octets each. */
    uint8_t *in, *pick_a, *pick_aaaa;                /* published */
    uint8_t *next_in, *next_pick_a, *next_pick_aaaa; /* planned, for endpoints in publishing */
    uint8_t *pinned;
    struct hf_pick_candidate *candidates; /* room for one endpoint's */
    struct hf_bitset dirty;               /* to be planned at the next TICK */
    struct hf_bitset held;                /* something of it is held back */
    struct hf_bitset rotating;            /* its pick changes with time */
    struct hf_bitset waiting;             /* waits for verdicts: to be created, or for GONE ones */
    struct hf_bitset claiming;            /* its claimed mark is to be published */
    struct hf_bitset publishing;          /* in the plan that is being published */
    struct hf_budget changed; /* pace of endpoints that change, publishing ones included */
    uint64_t head_gen;
    uint64_t publish_gen; /* of the PUBLISH under way */
    uint64_t planned_ms;  /* when it was planned */
    uint64_t ahead_gen;   /* the next PUBLISH is above it */
    uint64_t ahead_at_ms; /* when the first of ahead_count was published */
    uint64_t oldest_gen;  /* no entry's generation is below; UINT64_MAX: no entry */
    uint64_t start_ms;    /* the first TICK; UINT64_MAX: none yet */
    uint64_t now_ms;      /* of the last event */
    uint64_t rotated_ms;  /* when rotation was looked at */
    uint64_t wake_ms;     /* next time something is due, HF_NEVER: nothing */
    uint64_t claim_ms;    /* when claiming is due, HF_NEVER: empty */
    uint32_t ahead_count; /* stampings of everything that were published in this window */
    uint32_t op;          /* of the PUBLISH under way, 0: none */
    uint32_t next_op;
    uint32_t hold_serial;
    bool frozen, stopped, reload;
    bool stamp_all; /* the next PUBLISH stamps every entry anew */
    bool stamping;  /* the PUBLISH under way does */
};

/*
 * One piece of memory for all arrays, zeroed by the caller, aligned to 8 octets: about 104 octets
 * for each endpoint of up to 8 members, 2 for each backend.
 */
size_t hf_planner_layout(const struct hf_fleet *fleet);

/*
 * Memory that is in use only while a PUBLISH is under way (size 0: it is): whoever owns it may lose
 * what is in it, so that a plan of the whole fleet does not keep a quarter of the memory for good.
 */
void *hf_planner_spare(const struct hf_planner *planner, size_t *ret_size);

/* fleet and memory stay the caller's and must outlive the planner. head_gen 0: no plan at all. */
void hf_planner_init(struct hf_planner *planner, const struct hf_fleet *fleet, void *memory,
                     uint64_t head_gen, const struct hf_budget *changed);

/*
 * Takes over what an earlier machine of this process knows and no plan says: operation numbers,
 * what was AHEAD, FREEZE and STOP. Right after hf_planner_init, before its memory is given up.
 */
void hf_planner_inherit(struct hf_planner *planner, const struct hf_planner *earlier);

/*
 * Takes over an entry of the head plan, before the first event. row: gen, flags, ttl_s, budget,
 * cause as published; the bits are of hf_fleet_octets(member_count) octets. A retired entry stays
 * retired until UNRETIRE, a pinned one pinned to in until UNPIN.
 */
void hf_planner_adopt(struct hf_planner *planner, uint32_t endpoint,
                      const struct hf_planner_row *row, const uint8_t *in, const uint8_t *pick_a,
                      const uint8_t *pick_aaaa);

/* One event. The outbox is emptied first. */
void hf_planner_step(struct hf_planner *planner, const struct hf_planner_event *event,
                     struct hf_planner_outbox *outbox);

/* What an endpoint has in a plan. The pointers are into the planner and valid until its next step.
 */
struct hf_planner_entry {
    const struct hf_planner_row *row;
    const uint8_t *in;                 /* members that serve */
    const uint8_t *pick_a, *pick_aaaa; /* members whose A, AAAA records are answered */
    const uint32_t *members;           /* backend numbers; bit i stands for members[i] */
    uint32_t member_count;
    enum hf_cause cause; /* next: of this publication; now: of the row */
    bool same_answer;    /* next: the entry keeps its generation */
};

/* Of an endpoint in planner.publishing: as it will be. Flag HF_ROW_FORGOTTEN: it leaves the plan.
 */
void hf_planner_next(const struct hf_planner *planner, uint32_t endpoint,
                     struct hf_planner_entry *ret_entry);

/* As published; row->gen 0 where it is not in the plan. */
void hf_planner_now(const struct hf_planner *planner, uint32_t endpoint,
                    struct hf_planner_entry *ret_entry);

/* When the driver must TICK at the latest: 0 at once, HF_NEVER no need. O(1). */
uint64_t hf_planner_deadline_ms(const struct hf_planner *planner);

/* Why a member is in or out of an endpoint's answer: what explain shows. */
enum hf_reason {
    HF_REASON_IN,         /* healthy, answered */
    HF_REASON_IN_UNKNOWN, /* no verdict yet: stays as it was */
    HF_REASON_IN_HELD,    /* should leave; the endpoint's hold says why it stays */
    HF_REASON_IN_PINNED,  /* rolled back to it */
    HF_REASON_RESTING,    /* healthy, not picked now: weights or answers.max */
    HF_REASON_OUT_DOWN,
    HF_REASON_OUT_DRAINED,
    HF_REASON_OUT_GONE,
    HF_REASON_OUT_UNKNOWN, /* no verdict yet and it was not in */
    HF_REASON_OUT_PINNED,  /* rolled back to a content without it */
    HF_REASON_OUT_PENDING, /* healthy, enters with the next plan */
    HF_REASON_OUT_RETIRED,
    HF_REASON_IN_ORPHAN, /* not configured any more: answered until the endpoint is retired */
};
enum hf_reason hf_planner_reason(const struct hf_planner *planner, uint32_t endpoint,
                                 uint32_t member);

/* The names of causes, holds and reasons as commands and objects write them: "health". */
const char *hf_cause_name(enum hf_cause cause);
const char *hf_hold_name(enum hf_hold hold);
const char *hf_reason_name(enum hf_reason reason);

#endif
