/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drill/events.h"

#include <assert.h>
#include <string.h>

enum {
    SLOT_MASK = HF_EVENTS_SLOTS - 1,
    WORD = 64,
    LINE = 64,
    CHUNKS_AHEAD = 64,
    NO_SLOT = HF_EVENTS_SLOTS
};

static uint64_t chunks_for(uint64_t events_max, uint64_t end_us)
{
    uint64_t slots = HF_EVENTS_SLOTS; /* that there can be events in */
    for (uint64_t rest = end_us >> HF_EVENTS_SLOT_BITS; rest > 0; rest >>= HF_EVENTS_SLOT_BITS) {
        slots += rest < HF_EVENTS_SLOTS ? rest + 1 : HF_EVENTS_SLOTS;
    }
    uint64_t broken = events_max < slots ? events_max : slots; /* at most one of a slot not full */
    return events_max / HF_EVENTS_IN_CHUNK + broken + 2;
}

size_t hf_events_layout(uint64_t events_max, uint64_t end_us)
{
    return (size_t)(chunks_for(events_max, end_us) * sizeof(struct hf_events_chunk));
}

void hf_events_init(struct hf_events *events, void *memory, uint64_t events_max, uint64_t end_us)
{
    uint64_t count = chunks_for(events_max, end_us);
    assert(count < UINT32_MAX);
    events->chunks = memory;
    events->chunk_count = (uint32_t)count;
}

static struct hf_events_chunk *chunk_at(struct hf_events *events, uint32_t number)
{
    return &events->chunks[number - 1];
}

static uint32_t chunk_new(struct hf_events *events)
{
    uint32_t number = events->chunk_free;
    if (number != 0) {
        events->chunk_free = chunk_at(events, number)->next;
    } else if (events->chunk_fresh < events->chunk_count) {
        number = ++events->chunk_fresh;
    } else {
        return 0;
    }
    struct hf_events_chunk *chunk = chunk_at(events, number);
    chunk->next = 0;
    chunk->count = 0;
    return number;
}

static void chunk_give_back(struct hf_events *events, uint32_t number)
{
    chunk_at(events, number)->next = events->chunk_free;
    events->chunk_free = number;
}

static unsigned ring_of(const struct hf_events *events, uint64_t at_us)
{
    uint64_t differ = at_us ^ events->now_us;
    unsigned ring =
        differ == 0 ? 0 : (63U - (unsigned)__builtin_clzll(differ)) / HF_EVENTS_SLOT_BITS;
    assert(ring < HF_EVENTS_RINGS);
    return ring;
}

static unsigned place_of(uint64_t at_us, unsigned ring)
{
    return (unsigned)(at_us >> (ring * HF_EVENTS_SLOT_BITS)) & SLOT_MASK;
}

bool hf_events_add(struct hf_events *events, const struct hf_event *event)
{
    assert(event->at_us >= events->now_us);
    unsigned ring = ring_of(events, event->at_us), place = place_of(event->at_us, ring);
    struct hf_events_slot *slot = &events->slots[ring][place];
    struct hf_events_chunk *chunk = slot->last == 0 ? NULL : chunk_at(events, slot->last);
    if (chunk == NULL || chunk->count == HF_EVENTS_IN_CHUNK) {
        uint32_t number = chunk_new(events);
        if (number == 0) {
            return false;
        }
        if (chunk == NULL) {
            slot->first = number;
            events->used[ring][place / WORD] |= UINT64_C(1) << (place % WORD);
        } else {
            chunk->next = number;
        }
        slot->last = number;
        chunk = chunk_at(events, number);
    }
    chunk->events[chunk->count++] = *event;
    events->count++;
    return true;
}

/* The first used slot of the ring from place on. */
static unsigned next_used(const struct hf_events *events, unsigned ring, unsigned place)
{
    for (unsigned word = place / WORD; word < HF_EVENTS_SLOTS / WORD; word++) {
        uint64_t bits = events->used[ring][word];
        if (word == place / WORD) {
            bits &= UINT64_MAX << (place % WORD);
        }
        if (bits != 0) {
            return word * WORD + (unsigned)__builtin_ctzll(bits);
        }
    }
    return NO_SLOT;
}

static struct hf_events_slot slot_take(struct hf_events *events, unsigned ring, unsigned place)
{
    struct hf_events_slot slot = events->slots[ring][place];
    events->slots[ring][place] = (struct hf_events_slot){0};
    events->used[ring][place / WORD] &= ~(UINT64_C(1) << (place % WORD));
    return slot;
}

/*
 * Several of these are under way at once, so that memory answers while time goes on. Not in line,
 * gcc takes a function that does nothing but prefetch for one that does nothing.
 */
static inline __attribute__((always_inline)) void fetch(const struct hf_events *events,
                                                        const struct hf_event *event)
{
    const struct hf_events_subjects *subjects = &events->subjects[event->kind];
    if (subjects->base == NULL) {
        return;
    }
    const unsigned char *subject = subjects->base + event->subject * subjects->stride;
    __builtin_prefetch(subject, 1);
    if (subjects->then_base != NULL) {
        uint32_t number;
        memcpy(&number, subject + subjects->offset, sizeof number);
        __builtin_prefetch(subjects->then_base + number * subjects->then_stride, 1);
    }
}

static inline __attribute__((always_inline)) void fetch_chunk(const struct hf_events_chunk *chunk)
{
    for (int i = 0; i < HF_EVENTS_IN_CHUNK; i += LINE / (int)sizeof(struct hf_event)) {
        __builtin_prefetch(&chunk->events[i], 1);
    }
}

/* Time has come to the beginning of this slot: its events go to where they are near now. */
static void move_inward(struct hf_events *events, unsigned ring, unsigned place)
{
    struct hf_events_slot slot = slot_take(events, ring, place);
    for (uint32_t number = slot.first; number != 0;) {
        struct hf_events_chunk chunk = *chunk_at(events, number);
        /* The next one was asked for a round ago, so that the one after it is known by now. */
        uint32_t after = chunk.next != 0 ? chunk_at(events, chunk.next)->next : 0;
        if (after != 0) {
            fetch_chunk(chunk_at(events, after));
        }
        /* Given back first: what is moved out of it needs at most as many anew. */
        chunk_give_back(events, number);
        for (uint32_t i = 0; i < chunk.count; i++) {
            bool added = hf_events_add(events, &chunk.events[i]);
            assert(added);
            (void)added;
            events->count--;
        }
        number = chunk.next;
    }
}

/*
 * What the events of the slot after this one are about. One slot ahead is as soon as it can be of
 * use where there are few events, and not too soon to be forgotten again where there are many.
 */
static void fetch_ahead(struct hf_events *events, unsigned place)
{
    unsigned next = place + 1 < HF_EVENTS_SLOTS ? next_used(events, 1, place + 1) : NO_SLOT;
    if (next == NO_SLOT) {
        return;
    }
    uint32_t number = events->slots[1][next].first;
    for (int i = 0; number != 0 && i < CHUNKS_AHEAD; i++) {
        const struct hf_events_chunk *chunk = &events->chunks[number - 1];
        if (chunk->next != 0) {
            fetch_chunk(&events->chunks[chunk->next - 1]);
        }
        for (uint32_t k = 0; k < chunk->count; k++) {
            fetch(events, &chunk->events[k]);
        }
        events->fetched += chunk->count;
        number = chunk->next;
    }
}

/* Moves on to the next slot with events; false: it begins after until_us. */
static bool advance(struct hf_events *events, uint64_t until_us)
{
    for (unsigned ring = 0; ring < HF_EVENTS_RINGS; ring++) {
        unsigned here = place_of(events->now_us, ring);
        unsigned place = here + 1 < HF_EVENTS_SLOTS ? next_used(events, ring, here + 1) : NO_SLOT;
        if (place == NO_SLOT) {
            continue;
        }
        unsigned shift = ring * HF_EVENTS_SLOT_BITS;
        uint64_t outer = events->now_us >> (shift + HF_EVENTS_SLOT_BITS);
        uint64_t at_us = (outer << HF_EVENTS_SLOT_BITS | place) << shift;
        if (at_us > until_us) {
            break;
        }
        events->now_us = at_us;
        if (ring > 0) {
            move_inward(events, ring, place);
        }
        if (ring == 1) {
            fetch_ahead(events, place);
        }
        return true;
    }
    events->now_us = until_us > events->now_us ? until_us : events->now_us;
    return false;
}

bool hf_events_next(struct hf_events *events, uint64_t until_us, struct hf_event *ret_event)
{
    if (events->now_us > until_us) {
        return false;
    }
    for (;;) {
        unsigned place = place_of(events->now_us, 0);
        struct hf_events_slot *slot = &events->slots[0][place];
        while (slot->first != 0) {
            uint32_t number = slot->first;
            struct hf_events_chunk *chunk = chunk_at(events, number);
            if (events->taken < chunk->count) {
                *ret_event = chunk->events[events->taken++];
                events->count--;
                return true;
            }
            events->taken = 0;
            if (chunk->next != 0) {
                slot->first = chunk->next;
            } else {
                (void)slot_take(events, 0, place);
            }
            chunk_give_back(events, number);
        }
        if (!advance(events, until_us)) {
            return false;
        }
    }
}

static void sweep_slot(struct hf_events *events, unsigned ring, unsigned place,
                       bool (*is_live)(void *owner, const struct hf_event *), void *owner)
{
    bool is_present = ring == 0 && place == place_of(events->now_us, 0);
    uint32_t from = is_present ? events->taken : 0;
    events->taken = is_present ? 0 : events->taken;
    struct hf_events_slot slot = slot_take(events, ring, place);
    for (uint32_t number = slot.first; number != 0; from = 0) {
        struct hf_events_chunk chunk = *chunk_at(events, number);
        chunk_give_back(events, number);
        for (uint32_t i = from; i < chunk.count; i++) {
            events->count--;
            if (is_live(owner, &chunk.events[i])) {
                bool added = hf_events_add(events, &chunk.events[i]);
                assert(added);
                (void)added;
            }
        }
        number = chunk.next;
    }
}

void hf_events_sweep(struct hf_events *events,
                     bool (*is_live)(void *owner, const struct hf_event *), void *owner)
{
    for (unsigned ring = 0; ring < HF_EVENTS_RINGS; ring++) {
        for (unsigned place = next_used(events, ring, 0); place != NO_SLOT;
             place = place + 1 < HF_EVENTS_SLOTS ? next_used(events, ring, place + 1) : NO_SLOT) {
            sweep_slot(events, ring, place, is_live, owner);
        }
    }
}
