/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Wheel: when entries are due, for very many of them; pure, allocates nothing.
 *
 * Time is counted in ticks that never fall. Adding, removing and finding what is due cost the same
 * however many entries there are: three rings of 256 slots, for the next 256 ticks, the next 65,536
 * and what is beyond; entries of an outer ring move inward when their time comes near (Varghese and
 * Lauck, 1987). Entries are the caller's and must stay where they are while they are in the wheel;
 * all zero is an entry that is in none.
 */
#ifndef HF_BASE_WHEEL_H
#define HF_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { HF_WHEEL_RINGS = 3, HF_WHEEL_SLOTS = 256 };

#define HF_WHEEL_NEVER UINT64_MAX

struct hf_wheel_link {
    struct hf_wheel_link *next, *previous;
};

struct hf_wheel_entry {
    struct hf_wheel_link link; /* first: an entry is found by its link */
    uint64_t due;
    uint32_t slot; /* ring * HF_WHEEL_SLOTS + place in it */
};

struct hf_wheel {
    uint64_t now;
    struct hf_wheel_link slots[HF_WHEEL_RINGS * HF_WHEEL_SLOTS];
    uint64_t used[HF_WHEEL_RINGS][HF_WHEEL_SLOTS / 64]; /* one bit for each slot with entries */
};

/* The wheel points into itself: it must not be moved. */
void hf_wheel_init(struct hf_wheel *wheel, uint64_t now);

/* In whichever wheel slot it was, the entry is now due at that tick; what is past is due at once.
 */
void hf_wheel_add(struct hf_wheel *wheel, struct hf_wheel_entry *entry, uint64_t due);
void hf_wheel_remove(struct hf_wheel *wheel, struct hf_wheel_entry *entry);
bool hf_wheel_has(const struct hf_wheel_entry *entry);

/*
 * Takes an entry out that is due at or before now, earlier ones first, or NULL. Ticks below the
 * last now are past.
 */
struct hf_wheel_entry *hf_wheel_pop(struct hf_wheel *wheel, uint64_t now);

/* No entry is due before this tick (one may be due later only); HF_WHEEL_NEVER: none is there. */
uint64_t hf_wheel_next(const struct hf_wheel *wheel);

#endif
