/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drill/events.h"

#include <assert.h>
#include <string.h>

enum {
    SLOT_MASK = HF_EVENTS_SLOTS - 1,
    WORD = 64,
    LINE = 64,
    CHUNKS_AHEAD = 64,
    NO_SLOT = HF_EVENTS_SLOTS,
    ENTRY_BITS = 4, /* a chunk is 16 entries long, the first of them is its head */
    TAKEN = HF_EVENTS_KINDS,
};

static uint64_t chunks_for(uint64_t events_max, uint64_t end_us)
{
    uint64_t slots = 1; /* that there can be events in: the present, and those of the other rings */
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
    assert(count < UINT32_MAX >> ENTRY_BITS);
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

static void mark_used(struct hf_events *events, unsigned ring, unsigned place)
{
    events->used[ring][place / WORD] |= UINT64_C(1) << (place % WORD);
    events->words[ring] |= UINT64_C(1) << (place / WORD);
}

static void mark_empty(struct hf_events *events, unsigned ring, unsigned place)
{
    uint64_t left = events->used[ring][place / WORD] &= ~(UINT64_C(1) << (place % WORD));
    if (left == 0) {
        events->words[ring] &= ~(UINT64_C(1) << (place / WORD));
    }
}

/* The first used slot of the ring behind place. */
static unsigned next_used(const struct hf_events *events, unsigned ring, unsigned place)
{
    unsigned word = place / WORD;
    uint64_t bits = events->used[ring][word] & (UINT64_MAX - 1) << (place % WORD);
    if (bits == 0) {
        uint64_t words = events->words[ring] & (UINT64_MAX - 1) << word;
        if (words == 0) {
            return NO_SLOT;
        }
        word = (unsigned)__builtin_ctzll(words);
        bits = events->used[ring][word];
    }
    return word * WORD + (unsigned)__builtin_ctzll(bits);
}

static struct hf_events_entry *entry_at(struct hf_events *events, uint32_t entry)
{
    return (struct hf_events_entry *)events->chunks + entry;
}

/* The number of the new entry; 0: the memory is full. */
static uint32_t append(struct hf_events *events, struct hf_events_slot *list,
                       const struct hf_events_entry *entry)
{
    struct hf_events_chunk *chunk = list->last == 0 ? NULL : chunk_at(events, list->last);
    if (chunk == NULL || chunk->count == HF_EVENTS_IN_CHUNK) {
        uint32_t number = chunk_new(events);
        if (number == 0) {
            return 0;
        }
        if (chunk == NULL) {
            list->first = number;
        } else {
            chunk->next = number;
        }
        list->last = number;
        chunk = chunk_at(events, number);
    }
    chunk->entries[chunk->count++] = *entry;
    return ((list->last - 1) << ENTRY_BITS) + chunk->count;
}

/* Behind the others of its microsecond. */
static void thread(struct hf_events *events, uint32_t number)
{
    struct hf_events_entry *entry = entry_at(events, number);
    unsigned place = (unsigned)entry->at_us & SLOT_MASK;
    struct hf_events_slot *slot = &events->slots[0][place];
    entry->next = 0;
    if (slot->first == 0) {
        slot->first = number;
        mark_used(events, 0, place);
    } else {
        entry_at(events, slot->last)->next = number;
    }
    slot->last = number;
}

bool hf_events_add(struct hf_events *events, const struct hf_event *event)
{
    assert(event->at_us >= events->now_us && event->kind < HF_EVENTS_KINDS);
    struct hf_events_entry entry = {.at_us = event->at_us & HF_EVENTS_AT_MAX,
                                    .kind = event->kind & UINT8_MAX,
                                    .subject = event->subject};
    unsigned ring = ring_of(events, event->at_us);
    unsigned place = place_of(event->at_us, ring);
    uint32_t number =
        append(events, ring == 0 ? &events->present : &events->slots[ring][place], &entry);
    if (number == 0) {
        return false;
    }
    if (ring == 0) {
        thread(events, number);
    } else {
        mark_used(events, ring, place);
    }
    events->count++;
    return true;
}

static struct hf_events_slot slot_take(struct hf_events *events, unsigned ring, unsigned place)
{
    struct hf_events_slot slot = events->slots[ring][place];
    events->slots[ring][place] = (struct hf_events_slot){0};
    mark_empty(events, ring, place);
    return slot;
}

/*
 * Several of these are under way at once, so that memory answers while time goes on. Not in line,
 * gcc takes a function that does nothing but prefetch for one that does nothing.
 */
static inline __attribute__((always_inline)) void fetch(const struct hf_events *events,
                                                        const struct hf_events_entry *entry)
{
    const struct hf_events_subjects *subjects = &events->subjects[entry->kind];
    if (subjects->base == NULL) {
        return;
    }
    const unsigned char *subject = subjects->base + entry->subject * subjects->stride;
    __builtin_prefetch(subject, 1);
    if (subjects->then_base != NULL) {
        uint32_t number;
        memcpy(&number, subject + subjects->offset, sizeof number);
        __builtin_prefetch(subjects->then_base + number * subjects->then_stride, 1);
    }
}

static inline __attribute__((always_inline)) void fetch_chunk(const struct hf_events_chunk *chunk)
{
    const unsigned char *octets = (const unsigned char *)chunk;
    for (size_t i = 0; i < sizeof *chunk; i += LINE) {
        __builtin_prefetch(octets + i, 1);
    }
}

/* Puts an event of a list that was taken back to where it belongs now: there is room for it. */
static void put_back(struct hf_events *events, const struct hf_events_entry *entry)
{
    struct hf_event event = {.at_us = entry->at_us, .subject = entry->subject, .kind = entry->kind};
    bool added = hf_events_add(events, &event);
    assert(added);
    (void)added;
    events->count--;
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
            put_back(events, &chunk.entries[i]);
        }
        number = chunk.next;
    }
}

/* What the events of the slot after this one are about. */
static inline __attribute__((always_inline)) void fetch_ahead(const struct hf_events *events,
                                                              unsigned place)
{
    unsigned next = next_used(events, 1, place);
    uint32_t number = next == NO_SLOT ? 0 : events->slots[1][next].first;
    for (int i = 0; number != 0 && i < CHUNKS_AHEAD; i++) {
        const struct hf_events_chunk *chunk = &events->chunks[number - 1];
        if (chunk->next != 0) {
            fetch_chunk(&events->chunks[chunk->next - 1]);
        }
        for (uint32_t k = 0; k < chunk->count; k++) {
            fetch(events, &chunk->entries[k]);
        }
        number = chunk->next;
    }
}

/* Time has come to the beginning of a slot of ring 1: its events stay where they are. */
static void begin_present(struct hf_events *events, unsigned place)
{
    events->present = slot_take(events, 1, place);
    for (uint32_t number = events->present.first; number != 0;) {
        const struct hf_events_chunk *chunk = chunk_at(events, number);
        for (uint32_t i = 1; i <= chunk->count; i++) {
            thread(events, ((number - 1) << ENTRY_BITS) + i);
        }
        number = chunk->next;
    }
    fetch_ahead(events, place);
}

/* All its events were taken. */
static void end_present(struct hf_events *events)
{
    if (events->present.first != 0) {
        chunk_at(events, events->present.last)->next = events->chunk_free;
        events->chunk_free = events->present.first;
        events->present = (struct hf_events_slot){0};
    }
}

/* Moves on to the next slot with events; false: it begins after until_us. */
static bool advance(struct hf_events *events, uint64_t until_us)
{
    for (unsigned ring = 0; ring < HF_EVENTS_RINGS; ring++) {
        unsigned place = next_used(events, ring, place_of(events->now_us, ring));
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
            end_present(events);
        }
        if (ring == 1) {
            begin_present(events, place);
        } else if (ring > 1) {
            move_inward(events, ring, place);
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
        if (slot->first != 0) {
            struct hf_events_entry *entry = entry_at(events, slot->first);
            *ret_event = (struct hf_event){
                .at_us = entry->at_us, .subject = entry->subject, .kind = entry->kind};
            entry->kind = TAKEN;
            slot->first = entry->next;
            if (slot->first == 0) {
                mark_empty(events, 0, place);
            }
            events->count--;
            return true;
        }
        if (!advance(events, until_us)) {
            return false;
        }
    }
}

static void sweep_list(struct hf_events *events, struct hf_events_slot list,
                       bool (*is_live)(void *owner, const struct hf_event *), void *owner)
{
    for (uint32_t number = list.first; number != 0;) {
        struct hf_events_chunk chunk = *chunk_at(events, number);
        chunk_give_back(events, number);
        for (uint32_t i = 0; i < chunk.count; i++) {
            const struct hf_events_entry *entry = &chunk.entries[i];
            struct hf_event event = {
                .at_us = entry->at_us, .subject = entry->subject, .kind = entry->kind};
            if (event.kind == TAKEN) {
                continue;
            }
            if (is_live(owner, &event)) {
                put_back(events, entry);
            } else {
                events->count--;
            }
        }
        number = chunk.next;
    }
}

void hf_events_sweep(struct hf_events *events,
                     bool (*is_live)(void *owner, const struct hf_event *), void *owner)
{
    struct hf_events_slot present = events->present;
    events->present = (struct hf_events_slot){0};
    memset(events->slots[0], 0, sizeof events->slots[0]);
    memset(events->used[0], 0, sizeof events->used[0]);
    events->words[0] = 0;
    sweep_list(events, present, is_live, owner);
    for (unsigned ring = 1; ring < HF_EVENTS_RINGS; ring++) {
        /* Nothing is in the slot of the present itself: that is in the rings further in. */
        unsigned place = next_used(events, ring, place_of(events->now_us, ring));
        while (place != NO_SLOT) {
            sweep_list(events, slot_take(events, ring, place), is_live, owner);
            place = next_used(events, ring, place);
        }
    }
}
