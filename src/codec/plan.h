/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plan: what every endpoint should answer, as an image in memory and as objects in the store.
 *
 * Objects form a chain, newest first: a *delta* holds what one generation changed, a *snapshot*
 * the whole plan at its generation; every object names its parent. The ref "head" holds
 * "GENERATION DIGEST" of the newest. A snapshot is written in place of a delta when the deltas
 * since the last one have grown larger than half of it, so that reading a plan costs in proportion
 * to the plan and publishing in proportion to the change (hf_plan_publish in io/plan_store.h
 * decides). Bodies above HF_PLAN_PART_BYTES are cut into parts, objects of their own, named in the
 * plan object. Every object carries the backends that its rows name, so that each can be read
 * without the others. The byte format is in docs/internals/plan-objects.md. Integers in network
 * byte order; RDATA in RFC 1035 wire format in canonical order: what goes into an UPDATE is
 * copied, not encoded again.
 *
 * The image holds rows: endpoints (by owner name) and plan backends (by number). A backend's
 * number stands for one name with one set of addresses for the life of the image; a backend whose
 * addresses change gets a new number. Rows are never renumbered while the image lives, and rows
 * of backends are never given back: an image that has passed HF_PLAN_ROWS_MAX is to be released
 * and loaded anew.
 *
 * Rows are packed: a million of them are most of the memory of a planner and an enactor. Read
 * entries by hf_plan_get, and backends as they lie; change them by hf_plan_set only. Pointers in an
 * entry (owner, members, records) are valid until that row is set or an object is applied. A row
 * that cannot exist cannot be set: an entry in the plan that is not retired has at least one
 * address.
 */
#ifndef HF_CODEC_PLAN_H
#define HF_CODEC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/index.h"
#include "base/slab.h"
#include "codec/records.h"
#include "core/guard.h"

enum {
    HF_PLAN_PART_BYTES = 1024 * 1024, /* a part that is one row may be larger */
    HF_PLAN_PARTS_MAX = 16384,
    HF_PLAN_MEMBERS_MAX = 3200000, /* of one entry: all that a configuration allows, and as many
                                      that are on their way out */
    HF_PLAN_ROWS_MAX = 32 * 1024 * 1024, /* endpoints, and backends, in one image */
    HF_PLAN_NAME_MAX = 63,               /* of a backend, octets of text */
    HF_PLAN_CHAIN_MAX = 1024,            /* deltas on top of one snapshot */
    HF_PLAN_CIDS_MAX = 64,               /* generations of which an image knows the correlation */
};

struct hf_plan_backend {
    const char *name;
    uint32_t capacity;
    bool has_a, has_aaaa;
    uint8_t a[4];
    uint8_t aaaa[16];
};

/*
 * The plan backends that serve an endpoint ("in"), ascending and packed: each number as its
 * distance from the one before (the first from 0, the others less one) in groups of 7 bits, least
 * first, the high bit set on all but the last (LEB128). Equal sets have equal octets.
 */
struct hf_plan_members {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t count;
};

enum { HF_PLAN_MEMBER_OCTETS_MAX = 5 };

/* Packs count numbers into ret_bytes (room for HF_PLAN_MEMBER_OCTETS_MAX each). */
struct hf_plan_members hf_plan_members_pack(const uint32_t *numbers, uint32_t count,
                                            uint8_t *ret_bytes);
/* Unpacks into ret_numbers, room for members->count. */
void hf_plan_members_unpack(const struct hf_plan_members *members, uint32_t *ret_numbers);

/* One number after the other: for (walk = hf_plan_walk(&members); hf_plan_walk_next(…);) */
struct hf_plan_walk {
    const uint8_t *at;
    uint32_t left;
    uint32_t least; /* what the next number can be */
};
struct hf_plan_walk hf_plan_walk(const struct hf_plan_members *members);
/* False at the end. */
bool hf_plan_walk_next(struct hf_plan_walk *walk, uint32_t *ret_number);

/* One endpoint's entry. flags: HF_ROW_… of core/planner.h (EXISTS, RETIRED, CLAIMED, …). */
struct hf_plan_entry {
    const uint8_t *owner; /* wire */
    uint64_t gen;         /* generation in which the answer last changed */
    uint64_t sum;         /* hf_records_sum: hf_plan_set computes it */
    struct hf_records records;
    struct hf_plan_members members;
    struct hf_budget budget;
    uint64_t changed_ms;    /* wall clock of the change */
    uint32_t cause_backend; /* plan backend number, or UINT32_MAX */
    uint8_t cause;          /* enum hf_cause */
    uint8_t flags;
};

/* What an object says of itself. */
struct hf_plan_head {
    uint64_t gen;
    uint64_t parent_gen; /* 0: no parent */
    struct hf_digest parent;
    uint64_t created_ms; /* wall clock */
    uint64_t cid;        /* correlation: of the verdict, or word, that it began with; 0: none */
    uint32_t instance;   /* of the store it was made for */
    bool snapshot;
    char planner[33];         /* who made it */
    struct hf_budget changed; /* the planner's max_changed budget */
    uint64_t chain_bytes;     /* bodies of the deltas since the last snapshot, this one included */
    uint64_t snapshot_bytes;  /* body of that snapshot */
    uint32_t chain_count;     /* how many deltas that is */
};

/* The correlation of a generation. */
struct hf_plan_cid {
    uint64_t gen, cid;
};

struct hf_plan {
    struct hf_plan_head head; /* of the newest object applied; gen 0: empty image */
    struct hf_digest name;    /* of that object */
    struct hf_plan_backend *backends;
    uint32_t entry_count, backend_count; /* rows, also those whose entry left the plan (gen 0) */
    bool edited; /* by hf_plan_set since: the rows are not those of the object name */
    /* private from here */
    bool answers_only;
    uint32_t *rows; /* pieces of slab */
    struct hf_slab slab;
    struct hf_index entry_index, backend_index;
    uint32_t entry_room, backend_room;
    struct hf_arena names;
    struct hf_digester *digester;              /* made when it is needed first */
    struct hf_plan_cid cids[HF_PLAN_CIDS_MAX]; /* a ring: of the objects applied last */
    uint32_t cid_count;
};

void hf_plan_init(struct hf_plan *plan);
/*
 * An image for who only reads answers: of an entry it keeps owner, gen, sum, records and flags, and
 * no backends at all; the rest is as in an entry that has none. Its rows cannot be set or encoded.
 */
void hf_plan_init_answers(struct hf_plan *plan);
void hf_plan_release(struct hf_plan *plan);

/* Row of an owner name, or UINT32_MAX. */
uint32_t hf_plan_find(const struct hf_plan *plan, const uint8_t *owner);
/* The row, made where there is none (gen 0: not in the plan). owner is copied. */
uint32_t hf_plan_row(struct hf_plan *plan, const uint8_t *owner);
/*
 * Number of a backend with this name (1..HF_PLAN_NAME_MAX octets) and these addresses (at least
 * one), made where there is none; its capacity is set to backend's (0: stays as it is, and is 1
 * where there was none). name is copied.
 */
uint32_t hf_plan_backend_number(struct hf_plan *plan, const struct hf_plan_backend *backend);

/* The row's owner name and generation (0: it is not in the plan), without the rest. */
const uint8_t *hf_plan_owner(const struct hf_plan *plan, uint32_t row);
uint64_t hf_plan_gen(const struct hf_plan *plan, uint32_t row);

/* The correlation of a generation among the HF_PLAN_CIDS_MAX that were applied last; 0: none. */
uint64_t hf_plan_cid(const struct hf_plan *plan, uint64_t gen);

/* Room for this many rows in all, where it is known; otherwise rows are made as they come. */
void hf_plan_reserve(struct hf_plan *plan, uint32_t row_count);

/* What the row holds. */
void hf_plan_get(const struct hf_plan *plan, uint32_t row, struct hf_plan_entry *ret_entry);

/*
 * Replaces the row's entry by a copy (owner is kept; sum is computed here, whatever entry says).
 * gen 0 removes it from the plan: nothing else of the entry is kept then. Records and members may
 * be the row's own. Addresses must be in canonical order, members ascending, TTLs below 2^31.
 */
void hf_plan_set(struct hf_plan *plan, uint32_t row, const struct hf_plan_entry *entry);

/* --- objects --- */

/* Puts one part and gives its name; returns 0 or an error that ends the encoding. */
typedef int hf_plan_put_part(void *context, const void *bytes, size_t size,
                             struct hf_digest *ret_name);
/* Appends a part's bytes to ret_bytes. */
typedef int hf_plan_get_part(void *context, const struct hf_digest *name, struct hf_buf *ret_bytes);

/*
 * Encodes an object from rows of the image: the given rows (each once) for a delta, all rows that
 * are in the plan for a snapshot (head->snapshot; rows are not looked at). Rows with gen 0 become
 * removals in a delta. Of head, gen, parent, parent_gen, created_ms, cid, instance, snapshot,
 * planner and changed are written; chain_bytes, chain_count and snapshot_bytes are to be the
 * parent's, and are written with this object counted in. Appends the object to ret_object.
 * HF_EINVAL: a row has a generation above head->gen, or comes twice, or a delta has no parent;
 * HF_ELIMIT: more than HF_PLAN_PARTS_MAX parts, or ret_object is full.
 */
int hf_plan_encode(const struct hf_plan *plan, const struct hf_plan_head *head,
                   const uint32_t *rows, uint32_t row_count, hf_plan_put_part *put, void *context,
                   struct hf_buf *ret_object);

/* Only the head of an object. */
int hf_plan_decode_head(const void *bytes, size_t size, struct hf_plan_head *ret_head);

/* Calls each for every part that an object names, in order; stops when each returns non-zero. */
typedef int hf_plan_each_part(void *context, const struct hf_digest *name);
int hf_plan_parts(const void *bytes, size_t size, hf_plan_each_part *each, void *context);

/* An object in memory, its parts with it, checked in full. */
struct hf_plan_object;

/*
 * Reads an object (bytes are copied) and its parts. HF_EMALF for whatever hf_plan_encode would not
 * have written: a wrong length or count, RDATA that is not in canonical order, a sum that does not
 * match, an empty answer, a name that is none or comes twice, a backend that is not there, a
 * generation above the head's. Errors of get are passed on. ret_object: hf_plan_object_free.
 */
int hf_plan_object_read(const struct hf_digest *name, const void *bytes, size_t size,
                        hf_plan_get_part *get, void *context, struct hf_plan_object **ret_object);
void hf_plan_object_free(struct hf_plan_object *object);
const struct hf_plan_head *hf_plan_object_head(const struct hf_plan_object *object);
const struct hf_digest *hf_plan_object_name(const struct hf_plan_object *object);

/*
 * Who hears of rows whose entry differs from before, once for each of them; either call may be
 * NULL. changing comes just before the row is replaced: hf_plan_get still gives the old entry
 * (gen 0: it was not in the plan), and nothing else of the image is to be asked. changed comes
 * after all is applied.
 */
typedef void hf_plan_changed(void *context, uint32_t row);
struct hf_plan_events {
    hf_plan_changed *changing;
    hf_plan_changed *changed;
    void *context;
};

/*
 * Applies an object to the image: a delta to its parent's image (HF_ESTALE to any other, and to an
 * edited one), a snapshot to any (rows that the snapshot does not name leave the plan). events (or
 * NULL) hears of every row that changes. HF_ELIMIT: HF_PLAN_ROWS_MAX might be passed. Any error
 * leaves the image as it was and is told nobody. The object's memory is given back while it is
 * applied: afterwards it can only be freed.
 */
int hf_plan_object_apply(struct hf_plan *plan, struct hf_plan_object *object,
                         const struct hf_plan_events *events);

/*
 * Puts into an empty image only what the object's own generation changed: every row of a delta
 * (removals as rows with gen 0), and of a snapshot the rows with the snapshot's generation. For
 * history; such an image is no plan to apply deltas to (it is marked as edited).
 */
void hf_plan_object_changes(struct hf_plan_object *object, struct hf_plan *plan);

/* Read, apply and free in one. */
int hf_plan_apply(struct hf_plan *plan, const struct hf_digest *name, const void *bytes,
                  size_t size, hf_plan_get_part *get, void *get_context,
                  const struct hf_plan_events *events);

/* Takes every row out of the plan: the image of a store that has no plan. */
void hf_plan_clear(struct hf_plan *plan, const struct hf_plan_events *events);

/* --- the ref "head" --- */

#define HF_PLAN_REF "head"
enum { HF_PLAN_REF_MAX = 20 + 1 + 64 + 1 };
void hf_plan_ref_format(uint64_t gen, const struct hf_digest *name, char ret_text[HF_PLAN_REF_MAX]);
/* HF_EMALF for what hf_plan_ref_format does not write. */
int hf_plan_ref_parse(const char *text, uint64_t *ret_gen, struct hf_digest *ret_name);

#endif
