/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/past.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 8,
    FIRST_SLOTS = 16, /* a power of two, as all that follow; at most half are taken */
    FIRST_ROOM = 4096,
};

/* Before the octets of the records. */
struct item {
    uint64_t sum;
    uint32_t lane; /* UINT32_MAX: dropped */
    uint32_t ttl_s;
    uint16_t a_count, aaaa_count;
};

void hf_past_init(struct hf_past *past)
{
    *past = (struct hf_past){0};
}

void hf_past_release(struct hf_past *past)
{
    free(past->slots);
    free(past->bytes);
    hf_past_init(past);
}

static void *grown(void *bytes, size_t size)
{
    void *more = realloc(bytes, size);
    if (more == NULL) {
        abort();
    }
    return more;
}

static struct hf_records records_of(const struct item *item)
{
    return (struct hf_records){.bytes = (const uint8_t *)(item + 1),
                               .ttl_s = item->ttl_s,
                               .a_count = item->a_count,
                               .aaaa_count = item->aaaa_count};
}

static size_t item_size(const struct hf_records *records)
{
    size_t size = sizeof(struct item) + hf_records_size(records);
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct item *item_at(const struct hf_past *past, size_t at)
{
    return (struct item *)(void *)(past->bytes + at);
}

static uint32_t next_slot(const struct hf_past *past, uint32_t slot)
{
    return (slot + 1) & (past->slot_count - 1);
}

/* Where the search for a lane begins. */
static uint32_t home_of(const struct hf_past *past, uint32_t lane)
{
    return (uint32_t)(lane * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (past->slot_count - 1);
}

static struct item *item_in(const struct hf_past *past, uint32_t slot)
{
    return item_at(past, (size_t)(past->slots[slot] - 1) * ALIGNMENT);
}

/* The slot with the lane's item, or the free one that ends the search. */
static uint32_t slot_of(const struct hf_past *past, uint32_t lane)
{
    uint32_t slot = home_of(past, lane);
    while (past->slots[slot] != 0 && item_in(past, slot)->lane != lane) {
        slot = next_slot(past, slot);
    }
    return slot;
}

/* NULL when the lane has none. */
static struct item *item_of(const struct hf_past *past, uint32_t lane)
{
    if (past->slot_count == 0) {
        return NULL;
    }
    uint32_t slot = slot_of(past, lane);
    return past->slots[slot] == 0 ? NULL : item_in(past, slot);
}

/* Frees a slot; those behind it that were pushed past it move up, so that searches find them. */
static void free_slot(struct hf_past *past, uint32_t slot)
{
    uint32_t mask = past->slot_count - 1;
    for (uint32_t at = next_slot(past, slot); past->slots[at] != 0; at = next_slot(past, at)) {
        uint32_t home = home_of(past, item_in(past, at)->lane);
        if (((at - home) & mask) >= ((at - slot) & mask)) {
            past->slots[slot] = past->slots[at];
            slot = at;
        }
    }
    past->slots[slot] = 0;
}

static void move_slot(struct hf_past *past, uint32_t lane, size_t from, size_t to)
{
    uint32_t slot = home_of(past, lane);
    while (past->slots[slot] != (uint32_t)(from / ALIGNMENT) + 1) {
        slot = next_slot(past, slot);
    }
    past->slots[slot] = (uint32_t)(to / ALIGNMENT) + 1;
}

/* Closes the gaps that dropped items left. */
static void compact(struct hf_past *past)
{
    size_t to = 0;
    size_t next;
    for (size_t at = 0; at < past->size; at = next) {
        struct item *item = item_at(past, at);
        struct hf_records records = records_of(item);
        size_t size = item_size(&records);
        next = at + size;
        if (item->lane != UINT32_MAX) {
            move_slot(past, item->lane, at, to);
            memmove(past->bytes + to, item, size);
            to += size;
        }
    }
    past->size = to;
    past->dead = 0;
}

static void need_slot(struct hf_past *past)
{
    if (past->kept < past->slot_count / 2) {
        return;
    }
    struct hf_past before = *past;
    past->slot_count = before.slot_count == 0 ? FIRST_SLOTS : before.slot_count * 2;
    past->slots = calloc(past->slot_count, sizeof(*past->slots));
    if (past->slots == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < before.slot_count; i++) {
        if (before.slots[i] != 0) {
            past->slots[slot_of(past, item_in(&before, i)->lane)] = before.slots[i];
        }
    }
    free(before.slots);
}

static void need_room(struct hf_past *past, size_t size)
{
    if (past->dead > past->size / 2) {
        compact(past);
    }
    if (past->room - past->size < size) {
        size_t room = past->room == 0 ? FIRST_ROOM : past->room;
        while (room - past->size < size) {
            room *= 2;
        }
        past->bytes = grown(past->bytes, room);
        past->room = room;
    }
}

static void forget(struct hf_past *past, uint32_t lane)
{
    struct item *item = item_of(past, lane);
    if (item == NULL) {
        return;
    }
    struct hf_records records = records_of(item);
    past->dead += item_size(&records);
    free_slot(past, slot_of(past, lane));
    item->lane = UINT32_MAX;
    past->kept--;
}

void hf_past_keep(struct hf_past *past, uint32_t lane, uint64_t sum,
                  const struct hf_records *records)
{
    forget(past, lane);
    size_t size = item_size(records);
    need_slot(past);
    need_room(past, size);
    assert(past->size / ALIGNMENT < UINT32_MAX);
    struct item *item = item_at(past, past->size);
    *item = (struct item){.sum = sum,
                          .lane = lane,
                          .ttl_s = records->ttl_s,
                          .a_count = records->a_count,
                          .aaaa_count = records->aaaa_count};
    if (hf_records_size(records) > 0) {
        memcpy(item + 1, records->bytes, hf_records_size(records));
    }
    past->slots[slot_of(past, lane)] = (uint32_t)(past->size / ALIGNMENT) + 1;
    past->size += size;
    past->kept++;
}

bool hf_past_find(const struct hf_past *past, uint32_t lane, uint64_t sum,
                  struct hf_records *ret_records)
{
    const struct item *item = item_of(past, lane);
    if (item == NULL || item->sum != sum) {
        return false;
    }
    *ret_records = records_of(item);
    return true;
}

void hf_past_drop(struct hf_past *past, uint32_t lane)
{
    forget(past, lane);
    if (past->kept == 0) {
        hf_past_release(past);
    }
}
