/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What changed in a zone since it was last read becomes what the machine is told of each lane.
 *
 * Changes are kept in the order in which they happened, chained by lane, and put at the end on top
 * of what is known of the lane. That may already hold some of them, our own writes: a record that
 * is deleted and added again and again is there if the last change added it, whatever was there
 * before. What is known of a lane whose fence is in doubt is what it was before the doubt.
 *
 * A fence that goes where none was known says that the basis is older than the changes: the name
 * was read by itself before it was created, and the transfer that told of that was not believed,
 * because it overlapped that reading. What was created is not among the changes, and was not taken
 * away by anybody: the lane is read again.
 *
 * Only news are told. Where the basis is not known the lane is told as changed and no more.
 */
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum {
    /* Octets; with more than that a whole zone is the shorter story, and it is read instead. */
    CHANGES_FIRST = 1024 * 1024,
    CHANGES_EACH = 1024, /* lane, beyond the first */
    CHANGES_MAX = 256 * 1024 * 1024,
    FENCES_MAX = 4, /* TXT records of one owner at a time */
};

static const uint32_t NONE = UINT32_MAX; /* not in the enumeration: it does not fit an int */

/* One record deleted or added; RDATA follows, in a multiple of 4 octets. */
struct change {
    uint32_t next; /* of the same lane, as an offset; NONE */
    uint32_t ttl_s;
    uint16_t type; /* TXT: of the fence */
    uint16_t rdata_size;
    bool added;
};

struct touched {
    uint32_t lane, first, last; /* offsets of changes */
};

struct hf_enact_changes {
    struct hf_enact_zone *zone;
    uint32_t op;
    uint32_t lane_count;
    uint32_t *places; /* of a lane in touched, plus 1; made when the first lane is touched */
    struct touched *touched;
    uint32_t touched_count, touched_room;
    struct hf_buf bytes;
    uint64_t stray_gen; /* highest of a fence of ours without a lane */
    bool stray, foreign, guard;
    uint8_t owner[HF_NAME_MAX]; /* of the record before, and its lane */
    uint32_t lane;
};

/* Records of an owner, each with its TTL, in canonical order. */
struct family {
    uint8_t bytes[HF_RECORDS_MAX * 16];
    uint32_t ttls_s[HF_RECORDS_MAX];
    uint16_t count;
    uint16_t size; /* of an address */
    bool full;
};

struct state {
    struct hf_fence fences[FENCES_MAX];
    uint32_t fence_count;
    bool fence_known, records_known, other;
    bool was_absent; /* the fence, as far as was known */
    struct family a, aaaa;
};

/* --- gathering --- */

static struct touched *touch(struct hf_enact_changes *changes, uint32_t lane)
{
    if (changes->places == NULL) {
        changes->places = calloc(changes->lane_count, sizeof(*changes->places));
        if (changes->places == NULL) {
            abort();
        }
    }
    if (changes->places[lane] == 0) {
        if (changes->touched_count == changes->touched_room) {
            changes->touched_room = changes->touched_room == 0 ? 64 : changes->touched_room * 2;
            changes->touched =
                realloc(changes->touched, changes->touched_room * sizeof(*changes->touched));
            if (changes->touched == NULL) {
                abort();
            }
        }
        changes->touched[changes->touched_count++] =
            (struct touched){.lane = lane, .first = NONE, .last = NONE};
        changes->places[lane] = changes->touched_count;
    }
    return &changes->touched[changes->places[lane] - 1];
}

static struct change *change_at(const struct hf_enact_changes *changes, uint32_t offset)
{
    return (struct change *)(void *)(changes->bytes.bytes + offset);
}

static void keep(struct hf_enact_changes *changes, uint32_t lane,
                 const struct hf_dns_record *record, bool added)
{
    static const uint8_t padding[3];
    struct change change = {.next = NONE,
                            .ttl_s = record->ttl_s,
                            .type = record->type,
                            .rdata_size = record->rdata_size,
                            .added = added};
    size_t offset = changes->bytes.size;
    hf_buf_put(&changes->bytes, &change, sizeof(change));
    hf_buf_put(&changes->bytes, record->rdata, record->rdata_size);
    hf_buf_put(&changes->bytes, padding, (4 - record->rdata_size % 4U) % 4);
    if (hf_buf_error(&changes->bytes) != HF_OK) {
        return;
    }
    struct touched *touched = touch(changes, lane);
    if (touched->first == NONE) {
        touched->first = (uint32_t)offset;
    } else {
        change_at(changes, touched->last)->next = (uint32_t)offset;
    }
    touched->last = (uint32_t)offset;
}

static void note_stray(struct hf_enact_changes *changes, const struct hf_dns_record *record)
{
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    hf_fence_parse(changes->zone->enact->config->installation, record->rdata, record->rdata_size,
                   &fence, writer);
    if (fence.kind != HF_FENCE_OURS) {
        changes->foreign = true;
    } else {
        changes->stray = true;
        changes->stray_gen = fence.gen > changes->stray_gen ? fence.gen : changes->stray_gen;
    }
}

/* The lane that a record belongs to; records of one owner come together. */
static uint32_t lane_of(struct hf_enact_changes *changes, const struct hf_dns_record *record)
{
    const uint8_t *endpoint = record->owner;
    if (changes->owner[0] != 0 && hf_name_equal(changes->owner, record->owner)) {
        return changes->lane;
    }
    bool is_fence = record->type == KNOT_RRTYPE_TXT;
    memcpy(changes->owner, record->owner, hf_name_size(record->owner));
    changes->lane = NONE;
    if (!is_fence || hf_name_endpoint_of(record->owner, &endpoint) == HF_OK) {
        uint32_t lane = hf_enact_lane_of(changes->zone, endpoint);
        changes->lane = lane < changes->lane_count ? lane : NONE;
    }
    return changes->lane;
}

void hf_enact_changes_add(struct hf_enact_changes *changes, const struct hf_dns_record *record,
                          bool added)
{
    const uint8_t *endpoint;
    uint32_t lane;
    switch (record->type) {
    case KNOT_RRTYPE_TXT:
        if (hf_name_equal(record->owner, changes->zone->guard_owner)) {
            changes->guard = true;
            return;
        }
        if (hf_name_endpoint_of(record->owner, &endpoint) != HF_OK) {
            return; /* a TXT record of somebody */
        }
        lane = lane_of(changes, record);
        if (lane == NONE && added) {
            note_stray(changes, record);
        }
        break;
    case KNOT_RRTYPE_A:
    case KNOT_RRTYPE_AAAA:
    case KNOT_RRTYPE_CNAME:
        lane = lane_of(changes, record);
        break;
    default:
        return;
    }
    if (lane != NONE) {
        keep(changes, lane, record, added);
    }
}

/* --- what is known --- */

static void family_fill(struct family *family, const uint8_t *bytes, uint16_t count, uint16_t size,
                        uint32_t ttl_s)
{
    family->count = count;
    family->size = size;
    family->full = false;
    if (count > 0) {
        memcpy(family->bytes, bytes, (size_t)count * size);
    }
    for (uint16_t i = 0; i < count; i++) {
        family->ttls_s[i] = ttl_s;
    }
}

static void state_init(struct state *state, const struct hf_enact_zone *zone, uint32_t lane_number)
{
    const struct hf_lane *lane = &zone->machine.lanes[lane_number];
    /* A fence in doubt has kept its value; one that was never read has none. */
    bool is_ours = lane->fence.kind == HF_FENCE_OURS ||
                   (lane->fence.kind == HF_FENCE_UNKNOWN && lane->fence.gen != 0);
    state->fence_known = is_ours || lane->fence.kind == HF_FENCE_ABSENT;
    state->fence_count = is_ours;
    state->was_absent = lane->fence.kind == HF_FENCE_ABSENT;
    state->fences[0] = lane->fence;
    state->fences[0].kind = HF_FENCE_OURS;
    struct hf_records records = {0};
    state->records_known = lane->records == HF_RECORDS_NONE ||
                           (lane->records == HF_RECORDS_SUM &&
                            hf_enact_records_of(zone, lane_number, lane->records_sum, &records));
    state->other = false;
    family_fill(&state->a, records.bytes, records.a_count, 4, records.ttl_s);
    const uint8_t *aaaa =
        records.a_count > 0 ? records.bytes + records.a_count * 4U : records.bytes;
    family_fill(&state->aaaa, aaaa, records.aaaa_count, 16, records.ttl_s);
}

/* --- changes on top --- */

static bool fence_equal(const struct hf_fence *a, const struct hf_fence *b)
{
    return a->kind == b->kind && a->gen == b->gen && a->sum == b->sum && a->count == b->count &&
           a->writer == b->writer;
}

static void change_fence(struct state *state, struct hf_enact_zone *zone,
                         const struct change *change)
{
    struct hf_fence fence;
    char writer[HF_WRITER_MAX + 1];
    hf_fence_parse(zone->enact->config->installation, (const uint8_t *)(change + 1),
                   change->rdata_size, &fence, writer);
    fence.writer = fence.kind == HF_FENCE_OURS ? hf_enact_writer(zone->enact, writer) : 0;
    if (fence.kind != HF_FENCE_OURS || fence.writer == UINT32_MAX) {
        state->fence_known = false; /* its exact value is kept where it is read by itself */
        return;
    }
    uint32_t at = 0;
    while (at < state->fence_count && !fence_equal(&state->fences[at], &fence)) {
        at++;
    }
    bool is_lost = change->added ? at == FENCES_MAX : at == state->fence_count && state->was_absent;
    if (is_lost) {
        state->fence_known = false;
    } else if (!change->added && at < state->fence_count) {
        state->fences[at] = state->fences[--state->fence_count];
    } else if (change->added && at == state->fence_count) {
        state->fences[state->fence_count++] = fence;
    }
}

static void change_family(struct family *family, const struct change *change)
{
    const uint8_t *rdata = (const uint8_t *)(change + 1);
    size_t size = family->size;
    uint16_t at = 0;
    while (at < family->count && memcmp(family->bytes + at * size, rdata, size) < 0) {
        at++;
    }
    uint8_t *place = family->bytes + at * size;
    uint32_t *ttl_s = &family->ttls_s[at];
    size_t behind = family->count - (size_t)at;
    bool is_there = behind > 0 && memcmp(place, rdata, size) == 0;
    if (!change->added && is_there) {
        memmove(place, place + size, (behind - 1) * size);
        memmove(ttl_s, ttl_s + 1, (behind - 1) * sizeof(*ttl_s));
        family->count--;
    } else if (change->added && !is_there && family->count == HF_RECORDS_MAX) {
        family->full = true;
    } else if (change->added) {
        if (!is_there) {
            memmove(place + size, place, behind * size);
            memmove(ttl_s + 1, ttl_s, behind * sizeof(*ttl_s));
            memcpy(place, rdata, size);
            family->count++;
        }
        *ttl_s = change->ttl_s;
    }
}

static void change_state(struct state *state, struct hf_enact_zone *zone,
                         const struct change *change)
{
    switch (change->type) {
    case KNOT_RRTYPE_TXT:
        change_fence(state, zone, change);
        break;
    case KNOT_RRTYPE_CNAME:
        state->other = change->added;
        break;
    case KNOT_RRTYPE_A:
        change_family(&state->a, change);
        break;
    default:
        change_family(&state->aaaa, change);
        break;
    }
}

/* --- telling --- */

static bool has_one_ttl(const struct state *state)
{
    uint32_t ttl_s = state->a.count > 0 ? state->a.ttls_s[0] : state->aaaa.ttls_s[0];
    for (uint16_t i = 0; i < state->a.count; i++) {
        if (state->a.ttls_s[i] != ttl_s) {
            return false;
        }
    }
    for (uint16_t i = 0; i < state->aaaa.count; i++) {
        if (state->aaaa.ttls_s[i] != ttl_s) {
            return false;
        }
    }
    return true;
}

/* The sum of records; that of the plan's entry is not computed again. */
static uint64_t sum_of(const struct hf_enact_zone *zone, uint32_t lane,
                       const struct hf_records *records)
{
    struct hf_plan_entry entry;
    hf_plan_get(&zone->enact->plan, zone->lane_rows[lane], &entry);
    bool is_wanted = entry.gen != 0 && entry.records.ttl_s == records->ttl_s &&
                     hf_records_equal(&entry.records, records);
    return is_wanted ? entry.sum : hf_records_sum(entry.owner, records);
}

static void fill_records(const struct state *state, const struct hf_enact_zone *zone, uint32_t lane,
                         struct hf_enactor_event *event)
{
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    struct hf_records records = {
        .bytes = bytes, .a_count = state->a.count, .aaaa_count = state->aaaa.count};
    event->records = HF_RECORDS_UNKNOWN;
    if (state->other || state->a.full || state->aaaa.full || !has_one_ttl(state)) {
        event->records = HF_RECORDS_OTHER;
    } else if (state->records_known && records.a_count + records.aaaa_count == 0) {
        event->records = HF_RECORDS_NONE;
        event->sum = HF_SUM_EMPTY;
    } else if (state->records_known) {
        size_t a_size = records.a_count * 4U;
        records.ttl_s = records.a_count > 0 ? state->a.ttls_s[0] : state->aaaa.ttls_s[0];
        memcpy(bytes, state->a.bytes, a_size);
        memcpy(bytes + a_size, state->aaaa.bytes, records.aaaa_count * 16U);
        event->records = HF_RECORDS_SUM;
        event->sum = sum_of(zone, lane, &records);
    }
}

/* What the machine knows, or expects of its own write under way, is no news. */
static bool is_news(const struct hf_enact_zone *zone, const struct hf_enactor_event *event)
{
    const struct hf_lane *lane = &zone->machine.lanes[event->lane];
    const struct hf_fence *fence = &event->fence;
    bool is_sent = lane->slot != 0 && fence->kind == HF_FENCE_OURS && fence->writer == 0 &&
                   fence->gen == lane->sent_gen && fence->sum == lane->sent_sum &&
                   event->records == HF_RECORDS_SUM && event->sum == lane->sent_sum;
    bool is_known = fence->kind != HF_FENCE_UNKNOWN && fence_equal(fence, &lane->fence) &&
                    event->records == lane->records &&
                    (event->records != HF_RECORDS_SUM || event->sum == lane->records_sum);
    return !is_sent && !is_known;
}

static void tell_lane(struct hf_enact_changes *changes, const struct touched *touched)
{
    struct hf_enact_zone *zone = changes->zone;
    struct state state;
    state_init(&state, zone, touched->lane);
    const struct change *change = NULL;
    for (uint32_t at = touched->first; at != NONE; at = change->next) {
        change = change_at(changes, at);
        change_state(&state, zone, change);
    }
    struct hf_enactor_event event = {
        .type = HF_ENACTOR_EV_SEEN, .op = changes->op, .lane = touched->lane};
    if (state.fence_known && state.fence_count <= 1) {
        event.fence =
            state.fence_count == 1 ? state.fences[0] : (struct hf_fence){.kind = HF_FENCE_ABSENT};
        fill_records(&state, zone, touched->lane, &event);
    }
    if (is_news(zone, &event)) {
        hf_enact_feed(zone, &event);
        hf_enact_settle_past(zone, touched->lane);
    }
}

/* Lanes in doubt that did not change are as they were before the doubt. */
static void tell_unchanged(struct hf_enact_changes *changes)
{
    struct hf_enact_zone *zone = changes->zone;
    const struct hf_bitset *doubted = &zone->machine.sets[HF_NEED_READ];
    uint32_t next;
    for (uint32_t at = hf_bitset_next(doubted, 0); at < changes->lane_count; at = next) {
        next = hf_bitset_next(doubted, at + 1);
        const struct hf_lane *lane = &zone->machine.lanes[at];
        bool is_touched = changes->places != NULL && changes->places[at] != 0;
        if (is_touched || lane->fence.kind != HF_FENCE_UNKNOWN || lane->fence.gen == 0) {
            continue;
        }
        struct hf_enactor_event event = {.type = HF_ENACTOR_EV_SEEN,
                                         .op = changes->op,
                                         .lane = at,
                                         .fence = lane->fence,
                                         .records = lane->records,
                                         .sum = lane->records_sum};
        event.fence.kind = HF_FENCE_OURS;
        hf_enact_feed(zone, &event);
    }
}

bool hf_enact_changes_tell(struct hf_enact_changes *changes)
{
    struct hf_enact_zone *zone = changes->zone;
    if (hf_buf_error(&changes->bytes) != HF_OK) {
        return false;
    }
    struct hf_enactor_event event = {.op = changes->op};
    if (changes->guard) {
        event.type = HF_ENACTOR_EV_GUARD; /* of kind UNKNOWN: it changed */
        hf_enact_feed(zone, &event);
    }
    if (changes->stray || changes->foreign) {
        event = (struct hf_enactor_event){.type = HF_ENACTOR_EV_STRAY,
                                          .op = changes->op,
                                          .gen = changes->stray_gen,
                                          .foreign = !changes->stray};
        hf_enact_feed(zone, &event);
    }
    for (uint32_t i = 0; i < changes->touched_count; i++) {
        tell_lane(changes, &changes->touched[i]);
    }
    tell_unchanged(changes);
    return true;
}

/* --- life --- */

struct hf_enact_changes *hf_enact_changes_new(struct hf_enact_zone *zone, uint32_t op)
{
    struct hf_enact_changes *changes = calloc(1, sizeof(*changes));
    if (changes == NULL) {
        abort();
    }
    changes->zone = zone;
    changes->op = op;
    changes->lane_count = zone->machine.lane_count;
    size_t room = CHANGES_FIRST + (size_t)changes->lane_count * CHANGES_EACH;
    hf_buf_init(&changes->bytes, room < CHANGES_MAX ? room : CHANGES_MAX);
    return changes;
}

void hf_enact_changes_free(struct hf_enact_changes *changes)
{
    if (changes != NULL) {
        hf_buf_release(&changes->bytes);
        free(changes->places);
        free(changes->touched);
        free(changes);
    }
}
