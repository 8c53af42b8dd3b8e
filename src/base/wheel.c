/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/wheel.h"

#include <stddef.h>

enum { RING_BITS = 8, SLOT_MASK = HF_WHEEL_SLOTS - 1, WORD_BITS = 64 };

static const uint64_t reach[HF_WHEEL_RINGS] = {1U << 8, 1U << 16, 1U << 24};

static bool is_empty(const struct hf_wheel_link *slot)
{
    return slot->next == slot;
}

static void mark(struct hf_wheel *wheel, uint32_t slot, bool is_used)
{
    uint64_t *word = &wheel->used[slot / HF_WHEEL_SLOTS][slot % HF_WHEEL_SLOTS / WORD_BITS];
    uint64_t bit = UINT64_C(1) << slot % WORD_BITS;
    *word = is_used ? *word | bit : *word & ~bit;
}

void hf_wheel_init(struct hf_wheel *wheel, uint64_t now)
{
    *wheel = (struct hf_wheel){.now = now};
    for (uint32_t i = 0; i < HF_WHEEL_RINGS * HF_WHEEL_SLOTS; i++) {
        wheel->slots[i] = (struct hf_wheel_link){&wheel->slots[i], &wheel->slots[i]};
    }
}

static uint32_t slot_of(const struct hf_wheel *wheel, uint64_t due)
{
    uint64_t at = due > wheel->now ? due : wheel->now;
    uint32_t ring = 0;
    while (ring < HF_WHEEL_RINGS - 1 && at - wheel->now >= reach[ring]) {
        ring++;
    }
    if (at - wheel->now >= reach[ring]) { /* as far as the wheel reaches; looked at again then */
        at = wheel->now + reach[ring] - 1;
    }
    return ring * HF_WHEEL_SLOTS + (uint32_t)(at >> (ring * RING_BITS) & SLOT_MASK);
}

static void put(struct hf_wheel *wheel, struct hf_wheel_entry *entry)
{
    uint32_t slot = slot_of(wheel, entry->due);
    struct hf_wheel_link *head = &wheel->slots[slot];
    entry->slot = slot;
    entry->link = (struct hf_wheel_link){head, head->previous};
    head->previous->next = &entry->link;
    head->previous = &entry->link;
    mark(wheel, slot, true);
}

void hf_wheel_add(struct hf_wheel *wheel, struct hf_wheel_entry *entry, uint64_t due)
{
    hf_wheel_remove(wheel, entry);
    entry->due = due;
    put(wheel, entry);
}

void hf_wheel_remove(struct hf_wheel *wheel, struct hf_wheel_entry *entry)
{
    if (!hf_wheel_has(entry)) {
        return;
    }
    entry->link.next->previous = entry->link.previous;
    entry->link.previous->next = entry->link.next;
    entry->link = (struct hf_wheel_link){NULL, NULL};
    if (is_empty(&wheel->slots[entry->slot])) {
        mark(wheel, entry->slot, false);
    }
}

bool hf_wheel_has(const struct hf_wheel_entry *entry)
{
    return entry->link.next != NULL;
}

/* How many places behind `from` the next used one of a ring is, 1 to 256; 0: there is none. */
static uint32_t distance(const uint64_t *used, uint32_t from)
{
    uint32_t step = 1;
    while (step <= HF_WHEEL_SLOTS) {
        uint32_t place = (from + step) & SLOT_MASK;
        uint64_t rest = used[place / WORD_BITS] >> place % WORD_BITS;
        if (rest != 0) {
            step += (uint32_t)__builtin_ctzll(rest);
            return step <= HF_WHEEL_SLOTS ? step : 0;
        }
        step += WORD_BITS - place % WORD_BITS;
    }
    return 0;
}

uint64_t hf_wheel_next(const struct hf_wheel *wheel)
{
    uint64_t next = HF_WHEEL_NEVER;
    if (!is_empty(&wheel->slots[wheel->now & SLOT_MASK])) {
        return wheel->now;
    }
    for (uint32_t ring = 0; ring < HF_WHEEL_RINGS; ring++) {
        uint64_t turn = wheel->now >> (ring * RING_BITS);
        uint32_t steps = distance(wheel->used[ring], (uint32_t)(turn & SLOT_MASK));
        uint64_t at = (turn + steps) << (ring * RING_BITS);
        if (steps != 0 && at < next) {
            next = at;
        }
    }
    return next;
}

/* The slot's time has come: its entries move to where they are due from here. */
static void move_inward(struct hf_wheel *wheel, uint32_t slot)
{
    struct hf_wheel_link *head = &wheel->slots[slot];
    struct hf_wheel_link *link = head->next;
    head->previous->next = NULL;
    *head = (struct hf_wheel_link){head, head};
    mark(wheel, slot, false);
    while (link != NULL && link != head) {
        struct hf_wheel_link *next = link->next;
        put(wheel, (struct hf_wheel_entry *)link);
        link = next;
    }
}

static void advance(struct hf_wheel *wheel, uint64_t now)
{
    wheel->now = now;
    for (uint32_t ring = HF_WHEEL_RINGS - 1; ring > 0; ring--) {
        uint64_t turn = now >> (ring * RING_BITS);
        if (turn << (ring * RING_BITS) == now) {
            move_inward(wheel, ring * HF_WHEEL_SLOTS + (uint32_t)(turn & SLOT_MASK));
        }
    }
}

struct hf_wheel_entry *hf_wheel_pop(struct hf_wheel *wheel, uint64_t now)
{
    for (;;) {
        struct hf_wheel_link *first = wheel->slots[wheel->now & SLOT_MASK].next;
        if (!is_empty(first)) {
            struct hf_wheel_entry *entry = (struct hf_wheel_entry *)first;
            hf_wheel_remove(wheel, entry);
            return entry;
        }
        if (wheel->now >= now) {
            return NULL;
        }
        uint64_t next = hf_wheel_next(wheel);
        advance(wheel, next < now ? next : now);
    }
}
