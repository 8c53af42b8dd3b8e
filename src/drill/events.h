/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events: what happens when, for very many events; a timing wheel over arrays (Varghese and Lauck,
 * 1987) whose cost for an event does not depend on how many there are.
 *
 * Time is whole microseconds. Five rings of 1,024 slots: one for each microsecond of the present
 * 1,024, one for each 1,024 microseconds of the present 2^20, and so on. A slot is a list of chunks
 * of events, filled in order, so that a machine's caches see runs and not single places. When time
 * reaches a slot of an outer ring its events move inward; only the last time they stay where they
 * are, and are strung together by microsecond. Events of the same microsecond come in the order in
 * which they were added.
 *
 * Events cannot be taken out. Who changes its mind ignores one when it comes; where the memory is
 * full of such ones, hf_events_sweep throws them away.
 */
#ifndef HF_DRILL_EVENTS_H
#define HF_DRILL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_EVENTS_RINGS = 5,
    HF_EVENTS_SLOTS = 1024,
    HF_EVENTS_SLOT_BITS = 10,
    HF_EVENTS_IN_CHUNK = 15,
    HF_EVENTS_KINDS = 16,
};

#define HF_EVENTS_AT_MAX ((UINT64_C(1) << 56) - 1)

struct hf_event {
    uint64_t at_us;
    uint32_t subject;
    uint32_t kind;
};

/* An event that waits. */
struct hf_events_entry {
    uint64_t at_us : 56;
    uint64_t kind : 8;
    uint32_t subject;
    uint32_t next; /* in the present: the next one of the same microsecond; 0: none */
};

struct hf_events_chunk {
    uint32_t next; /* 0: none; chunks are numbered from 1 */
    uint32_t count;
    uint64_t unused;
    struct hf_events_entry entries[HF_EVENTS_IN_CHUNK];
};

/* A list: of chunks, or, in the innermost ring, of entries by their place in all chunks. */
struct hf_events_slot {
    uint32_t first, last;
};

/*
 * What events of a kind are about: subject i is at base + i x stride (base NULL: nothing), and the
 * 32 bits at offset in it are the number of something else, which is needed as well.
 */
struct hf_events_subjects {
    const unsigned char *base, *then_base;
    size_t stride, offset, then_stride;
};

struct hf_events {
    /* Fetched into the machine's caches a little before the event comes. */
    struct hf_events_subjects subjects[HF_EVENTS_KINDS];
    uint64_t now_us;
    uint64_t count;
    struct hf_events_chunk *chunks;
    uint32_t chunk_count;            /* all there are */
    uint32_t chunk_fresh;            /* so many were used at least once */
    uint32_t chunk_free;             /* list of those that were given back */
    struct hf_events_slot present;   /* chunks of the events of the innermost ring */
    uint64_t words[HF_EVENTS_RINGS]; /* which words of used are not 0 */
    uint64_t used[HF_EVENTS_RINGS][HF_EVENTS_SLOTS / 64];
    struct hf_events_slot slots[HF_EVENTS_RINGS][HF_EVENTS_SLOTS];
};

/* Octets of chunks for so many events at a time, none of them later than end_us. */
size_t hf_events_layout(uint64_t events_max, uint64_t end_us);

/* memory is zeroed, aligned to 16; the struct is zeroed, too. */
void hf_events_init(struct hf_events *events, void *memory, uint64_t events_max, uint64_t end_us);

/* False: the memory is full; sweep, then it has room for what hf_events_layout was told. */
bool hf_events_add(struct hf_events *events, const struct hf_event *event);

/* The next event at or before until_us; false: there is none, and it is until_us now. */
bool hf_events_next(struct hf_events *events, uint64_t until_us, struct hf_event *ret_event);

/* Throws away events that is_live says are not. */
void hf_events_sweep(struct hf_events *events,
                     bool (*is_live)(void *owner, const struct hf_event *), void *owner);

#endif
