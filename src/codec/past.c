/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/past.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 8,
    FIRST_PLACES = 64,
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
    free(past->places);
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

/* NULL when the lane has none. */
static struct item *item_of(const struct hf_past *past, uint32_t lane)
{
    if (lane >= past->place_count || past->places[lane] == 0) {
        return NULL;
    }
    return item_at(past, (size_t)(past->places[lane] - 1) * ALIGNMENT);
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
            past->places[item->lane] = (uint32_t)(to / ALIGNMENT) + 1;
            memmove(past->bytes + to, item, size);
            to += size;
        }
    }
    past->size = to;
    past->dead = 0;
}

static void need_place(struct hf_past *past, uint32_t lane)
{
    if (lane < past->place_count) {
        return;
    }
    uint32_t count = past->place_count == 0 ? FIRST_PLACES : past->place_count;
    while (count <= lane) {
        count *= 2;
    }
    past->places = grown(past->places, count * sizeof(*past->places));
    memset(past->places + past->place_count, 0,
           (count - past->place_count) * sizeof(*past->places));
    past->place_count = count;
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
    item->lane = UINT32_MAX;
    past->places[lane] = 0;
    past->kept--;
}

void hf_past_keep(struct hf_past *past, uint32_t lane, uint64_t sum,
                  const struct hf_records *records)
{
    forget(past, lane);
    size_t size = item_size(records);
    need_place(past, lane);
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
    past->places[lane] = (uint32_t)(past->size / ALIGNMENT) + 1;
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
