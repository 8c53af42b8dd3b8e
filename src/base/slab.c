/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPAN_BITS = 13, /* units in a span */
    SPAN_UNITS = HF_SLAB_SPAN_BYTES / HF_SLAB_UNIT,
    SPANS_MAX = 1 << (32 - SPAN_BITS),
    SPANS_FIRST = 16,
    CLASS_LARGE = 0, /* of pieces that point to memory of their own */
    LARGE_UNITS = sizeof(void *) / HF_SLAB_UNIT,
};

/* Memory for pieces of one class, in a list with others of its class while it has room. */
struct hf_slab_span {
    uint8_t *bytes;
    uint32_t next, previous; /* number + 1; 0: none */
    uint16_t live;           /* pieces in use */
    uint16_t carved;         /* units that were in use once; what is behind them is untouched */
    uint16_t vacant;         /* first unit of a piece that was freed, + 1; 0: none */
    uint8_t class;           /* units of a piece, or CLASS_LARGE */
    bool is_open;
};

_Static_assert(SPAN_UNITS == 1 << SPAN_BITS, "a piece's name is its span and unit");
_Static_assert(sizeof(void *) % HF_SLAB_UNIT == 0, "a pointer fits whole units");

void hf_slab_init(struct hf_slab *slab)
{
    *slab = (struct hf_slab){0};
}

void hf_slab_release(struct hf_slab *slab)
{
    for (uint32_t i = 0; i < slab->span_count; i++) {
        free(slab->spans[i].bytes);
    }
    free(slab->spans);
    hf_slab_init(slab);
}

static uint32_t units_of(uint8_t class)
{
    return class == CLASS_LARGE ? LARGE_UNITS : class;
}

static void list_open(struct hf_slab *slab, uint32_t number)
{
    struct hf_slab_span *span = &slab->spans[number];
    uint32_t first = slab->open[span->class];
    span->previous = 0;
    span->next = first;
    span->is_open = true;
    if (first != 0) {
        slab->spans[first - 1].previous = number + 1;
    }
    slab->open[span->class] = number + 1;
}

static void list_close(struct hf_slab *slab, uint32_t number)
{
    struct hf_slab_span *span = &slab->spans[number];
    if (span->next != 0) {
        slab->spans[span->next - 1].previous = span->previous;
    }
    if (span->previous != 0) {
        slab->spans[span->previous - 1].next = span->next;
    } else {
        slab->open[span->class] = span->next;
    }
    span->is_open = false;
}

/* A span without memory: one that was given back, or a new one. */
static uint32_t take_number(struct hf_slab *slab)
{
    if (slab->idle != 0) {
        uint32_t number = slab->idle - 1;
        slab->idle = slab->spans[number].next;
        return number;
    }
    if (slab->span_count == slab->span_room) {
        uint32_t room = slab->span_room == 0 ? SPANS_FIRST : slab->span_room * 2;
        slab->spans = realloc(slab->spans, room * sizeof(*slab->spans));
        if (slab->spans == NULL || slab->span_count == SPANS_MAX) {
            abort();
        }
        slab->span_room = room;
    }
    return slab->span_count++;
}

static void open_span(struct hf_slab *slab, uint8_t class)
{
    uint32_t number = take_number(slab);
    uint8_t *bytes = malloc(HF_SLAB_SPAN_BYTES);
    if (bytes == NULL) {
        abort();
    }
    slab->spans[number] = (struct hf_slab_span){.bytes = bytes, .class = class};
    list_open(slab, number);
}

static bool has_room(const struct hf_slab_span *span)
{
    return span->vacant != 0 || span->carved + units_of(span->class) <= SPAN_UNITS;
}

static uint32_t take_piece(struct hf_slab *slab, uint8_t class)
{
    if (slab->open[class] == 0) {
        open_span(slab, class);
    }
    uint32_t number = slab->open[class] - 1;
    struct hf_slab_span *span = &slab->spans[number];
    uint32_t unit;
    if (span->vacant != 0) {
        unit = span->vacant - 1U;
        memcpy(&span->vacant, span->bytes + (size_t)unit * HF_SLAB_UNIT, sizeof(span->vacant));
    } else {
        unit = span->carved;
        span->carved = (uint16_t)(unit + units_of(class));
    }
    span->live++;
    if (!has_room(span)) {
        list_close(slab, number);
    }
    return number << SPAN_BITS | unit;
}

static uint8_t *place_of(const struct hf_slab *slab, uint32_t piece)
{
    assert(piece >> SPAN_BITS < slab->span_count);
    return slab->spans[piece >> SPAN_BITS].bytes + (size_t)(piece % SPAN_UNITS) * HF_SLAB_UNIT;
}

uint32_t hf_slab_alloc(struct hf_slab *slab, size_t size)
{
    assert(size > 0);
    if (size <= HF_SLAB_PIECE_MAX) {
        return take_piece(slab, (uint8_t)((size + HF_SLAB_UNIT - 1) / HF_SLAB_UNIT));
    }
    void *bytes = malloc(size);
    if (bytes == NULL) {
        abort();
    }
    uint32_t piece = take_piece(slab, CLASS_LARGE);
    memcpy(place_of(slab, piece), (void *)&bytes, sizeof(bytes));
    return piece;
}

void *hf_slab_at(const struct hf_slab *slab, uint32_t piece)
{
    uint8_t *place = place_of(slab, piece);
    if (slab->spans[piece >> SPAN_BITS].class != CLASS_LARGE) {
        return place;
    }
    void *bytes;
    memcpy((void *)&bytes, place, sizeof(bytes));
    return bytes;
}

void hf_slab_free(struct hf_slab *slab, uint32_t piece)
{
    uint32_t number = piece >> SPAN_BITS;
    uint8_t *place = place_of(slab, piece);
    struct hf_slab_span *span = &slab->spans[number];
    assert(span->live > 0);
    if (span->class == CLASS_LARGE) {
        free(hf_slab_at(slab, piece));
    }
    memcpy(place, &span->vacant, sizeof(span->vacant));
    span->vacant = (uint16_t)(piece % SPAN_UNITS + 1);
    span->live--;
    if (!span->is_open) {
        list_open(slab, number);
    }
    /* The last open one of a class stays: a piece that comes and goes must not cost a span. */
    if (span->live == 0 && (span->next != 0 || span->previous != 0)) {
        list_close(slab, number);
        free(span->bytes);
        *span = (struct hf_slab_span){.next = slab->idle};
        slab->idle = number + 1;
    }
}
