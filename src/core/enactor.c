/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events: how what was seen and what came back changes the facts of lanes and zone. */
#include "core/enactor.h"

#include <assert.h>
#include <string.h>

#include "core/enactor_internal.h"

static uint32_t op_room_of(const struct hf_enactor_options *options)
{
    /* READ_ZONE, WRITE_GUARD and HEAD have one slot each. */
    return (uint32_t)options->window_max + HF_ENACTOR_FAST_RESERVE + HF_ENACTOR_READS_MAX + 3;
}

size_t hf_enactor_layout(const struct hf_enactor_options *options, uint32_t lane_room)
{
    size_t sets = HF_NEEDS - HF_NEED_READ + 2;
    return lane_room * sizeof(struct hf_lane) + op_room_of(options) * sizeof(struct hf_enactor_op) +
           sets * hf_bitset_words(lane_room) * sizeof(uint64_t);
}

/* Lays lanes, operations and sets out in memory. */
static void lay_out(struct hf_enactor *enactor, void *memory, uint32_t lane_room)
{
    unsigned char *at = memory;
    enactor->lanes = (struct hf_lane *)at;
    at += lane_room * sizeof(struct hf_lane);
    enactor->ops = (struct hf_enactor_op *)at;
    at += enactor->op_room * sizeof(struct hf_enactor_op);
    size_t words = hf_bitset_words(lane_room);
    for (uint32_t need = HF_NEED_READ; need < HF_NEEDS; need++) {
        hf_bitset_init(&enactor->sets[need], (uint64_t *)at, lane_room);
        at += words * sizeof(uint64_t);
    }
    hf_bitset_init(&enactor->auditing, (uint64_t *)at, lane_room);
    at += words * sizeof(uint64_t);
    hf_bitset_init(&enactor->confirming, (uint64_t *)at, lane_room);
    enactor->lane_room = lane_room;
}

void hf_enactor_init(struct hf_enactor *enactor, const struct hf_enactor_options *options,
                     void *memory, uint32_t lane_room)
{
    assert(options->batch >= 1 && options->batch <= HF_ENACTOR_BATCH_MAX);
    assert(options->window_max >= 1 && op_room_of(options) <= 256);
    memset(enactor, 0, sizeof(*enactor));
    enactor->options = *options;
    enactor->op_room = op_room_of(options);
    enactor->batch = options->batch;
    enactor->window_256 =
        256U * (options->window_max < HF_ENACTOR_WINDOW_FIRST ? options->window_max
                                                              : (unsigned)HF_ENACTOR_WINDOW_FIRST);
    enactor->heal_wake_ms = HF_NEVER;
    lay_out(enactor, memory, lane_room);
}

static void copy_members(struct hf_bitset *to, const struct hf_bitset *from)
{
    for (uint32_t at = hf_bitset_next(from, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(from, at + 1)) {
        hf_bitset_add(to, at);
    }
}

void hf_enactor_grow(struct hf_enactor *enactor, void *memory, uint32_t lane_room)
{
    assert(lane_room >= enactor->lane_room);
    struct hf_enactor old = *enactor;
    lay_out(enactor, memory, lane_room);
    memcpy(enactor->ops, old.ops, old.op_room * sizeof(*old.ops));
    if (old.lane_count > 0) {
        memcpy(enactor->lanes, old.lanes, old.lane_count * sizeof(*old.lanes));
    }
    for (uint32_t need = HF_NEED_READ; need < HF_NEEDS; need++) {
        copy_members(&enactor->sets[need], &old.sets[need]);
    }
    copy_members(&enactor->auditing, &old.auditing);
    copy_members(&enactor->confirming, &old.confirming);
}

uint32_t hf_enactor_add_lane(struct hf_enactor *enactor)
{
    assert(enactor->lane_count < enactor->lane_room);
    enactor->lanes[enactor->lane_count] = (struct hf_lane){.next = HF_BITSET_NONE};
    return enactor->lane_count++;
}

static void on_entry(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    struct hf_lane *lane = &enactor->lanes[event->lane];
    const uint8_t from_plan = HF_LANE_CLAIMED | HF_LANE_RETIRED | HF_LANE_URGENT;
    bool was_claimed = (lane->flags & HF_LANE_CLAIMED) != 0;
    bool was_retired = (lane->flags & HF_LANE_RETIRED) != 0;
    enactor->claimed -= was_claimed;
    enactor->planned -= lane->want_gen != 0;
    lane->want_gen = event->gen;
    lane->want_sum = event->sum;
    lane->flags = (uint8_t)((lane->flags & HF_LANE_ADOPT) | (event->flags & from_plan));
    enactor->claimed += (lane->flags & HF_LANE_CLAIMED) != 0;
    enactor->planned += lane->want_gen != 0;
    bool is_news = (!was_claimed && lane->flags & HF_LANE_CLAIMED) ||
                   (!was_retired && lane->flags & HF_LANE_RETIRED);
    if (is_news && lane->fence.kind == HF_FENCE_ABSENT) {
        /* Somebody saw our fence since we saw none: that is no edit that needs healing. And what
         * is to be forgotten is looked at first. */
        lane->fence.kind = HF_FENCE_UNKNOWN;
        if (enactor->audit_op != 0) {
            hf_bitset_remove(&enactor->auditing, event->lane);
        }
    }
    hf_lane_settle(enactor, event->lane, event->now_ms);
}

static void on_adopt(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    struct hf_lane *lane = &enactor->lanes[event->lane];
    lane->flags =
        (uint8_t)(event->on ? lane->flags | HF_LANE_ADOPT : lane->flags & ~(unsigned)HF_LANE_ADOPT);
    lane->heals = 0;
    hf_lane_settle(enactor, event->lane, event->now_ms);
}

/* Below the floor a name may be forgotten that has no fence: seen after the floor was. */
static void doubt_gone(struct hf_enactor *enactor, uint64_t now_ms)
{
    const struct hf_bitset *gone = &enactor->sets[HF_NEED_GONE];
    for (uint32_t at = hf_bitset_next(gone, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(gone, at + 1)) {
        enactor->lanes[at].fence.kind = HF_FENCE_UNKNOWN;
        hf_lane_settle(enactor, at, now_ms);
    }
}

void hf_enactor_guard_seen(struct hf_enactor *enactor, const struct hf_zone_guard *guard,
                           uint64_t now_ms)
{
    if (guard->kind == HF_FENCE_UNKNOWN) {
        enactor->guard.kind = HF_FENCE_UNKNOWN; /* it changed: it is read before it is used */
        return;
    }
    uint64_t floor_before = enactor->guard.floor;
    enactor->guard = *guard;
    switch (guard->kind) {
    case HF_FENCE_OURS:
        enactor->guard_known_once = true;
        enactor->was_frozen = guard->frozen;
        enactor->want_frozen = enactor->want_frozen && !guard->frozen;
        enactor->state = guard->frozen ? HF_ZONE_FROZEN : HF_ZONE_OPEN;
        break;
    case HF_FENCE_ABSENT:
        /* Until it is claimed or restored, conditional on its absence. */
        enactor->state = HF_ZONE_STARTING;
        break;
    default:
        enactor->state = HF_ZONE_REFUSED;
        break;
    }
    if (guard->kind != HF_FENCE_OURS) {
        enactor->guard.floor = floor_before; /* the last that was ours */
    }
    if (guard->kind == HF_FENCE_OURS && guard->floor > enactor->restore_floor) {
        enactor->restore_floor = guard->floor;
    }
    if (guard->kind == HF_FENCE_OURS && guard->floor > enactor->plan_gen) {
        enactor->head_asked = enactor->head_asked || enactor->ahead_gen < guard->floor;
    }
    if (enactor->guard.floor != floor_before) {
        doubt_gone(enactor, now_ms);
        const uint8_t without_fence[] = {HF_NEED_WRITE, HF_NEED_CROWD, HF_NEED_FAST,
                                         HF_NEED_STAMP, HF_NEED_ADOPT, HF_NEED_PEACE};
        for (size_t i = 0; i < sizeof(without_fence); i++) {
            hf_lane_settle_set(enactor, without_fence[i], now_ms);
        }
    }
}

/*
 * A fence in doubt that is read back as it was has not been written since, nor have the RRsets
 * beside it: what was known of them still holds.
 */
static bool fence_same(const struct hf_fence *before, const struct hf_fence *now)
{
    bool doubted = before->kind == HF_FENCE_UNKNOWN && now->kind == HF_FENCE_OURS;
    return (before->kind == now->kind || doubted) && before->gen == now->gen &&
           before->sum == now->sum && before->count == now->count && before->writer == now->writer;
}

static void on_seen(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    const struct hf_enactor_op *op = hf_enactor_op_find(enactor, event->op);
    if (op == NULL) {
        return;
    }
    struct hf_lane *lane = &enactor->lanes[event->lane];
    if (op->kind == HF_ENACTOR_READ_ZONE) {
        enactor->audit_fences = enactor->audit_fences || event->fence.kind != HF_FENCE_ABSENT;
        if (!hf_bitset_has(&enactor->auditing, event->lane)) {
            enactor->records_doubted = true;
            return; /* it was touched since: what the transfer says of it is old */
        }
        hf_bitset_remove(&enactor->auditing, event->lane);
    } else if (lane->slot == 0 || &enactor->ops[lane->slot - 1] != op) {
        return;
    }
    bool same = fence_same(&lane->fence, &event->fence);
    if (event->records != HF_RECORDS_UNKNOWN || !same) {
        lane->records = event->records;
        lane->records_sum = event->sum;
    }
    enactor->records_doubted = enactor->records_doubted || lane->records == HF_RECORDS_UNKNOWN;
    lane->fence = event->fence;
    if (!same) {
        lane->flags &= (uint8_t) ~(unsigned)HF_LANE_AHEAD;
    }
    hf_lane_settle(enactor, event->lane, event->now_ms);
}

static void on_stray(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    if (hf_enactor_op_find(enactor, event->op) == NULL) {
        return;
    }
    enactor->audit_fences = true;
    if (event->foreign || event->gen <= enactor->stray_gen) {
        return;
    }
    enactor->stray_gen = event->gen;
    if (event->gen > enactor->plan_gen && event->gen > enactor->ahead_gen) {
        enactor->head_asked = true;
    }
}

static uint64_t min_ms(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_gen(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/*
 * A backend of very many endpoints has failed: all of them are urgent. They go ahead of bulk, but
 * the next failure, of a few endpoints, must not wait behind them.
 */
static void part_crowd(struct hf_enactor *enactor, uint64_t now_ms)
{
    const struct hf_bitset *fast = &enactor->sets[HF_NEED_FAST];
    if (fast->count <= HF_ENACTOR_FAST_MAX) {
        return;
    }
    for (uint32_t at = hf_bitset_next(fast, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(fast, at + 1)) {
        enactor->lanes[at].flags |= HF_LANE_CROWD;
        hf_lane_settle(enactor, at, now_ms);
    }
}

/* What is ahead of a head that was read after it was seen has been lost by the store. */
static void on_head(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    struct hf_enactor_op *op = hf_enactor_op_find(enactor, event->op);
    bool asked = op != NULL && op->kind == HF_ENACTOR_HEAD;
    if (asked) {
        op->number = 0;
        enactor->head_op = 0;
    }
    if (event->result != HF_RESULT_OK) {
        enactor->head_asked = enactor->head_asked || asked;
        enactor->next_head_ms = event->now_ms + HF_ENACTOR_HEAD_RETRY_MS;
        return;
    }
    if (event->gen > enactor->plan_gen) {
        /* News may be urgent, and what fails may be something else: one attempt soon. */
        uint64_t soon_ms = event->now_ms + HF_ENACTOR_BACKOFF_MS;
        enactor->not_before_ms = min_ms(enactor->not_before_ms, soon_ms);
    }
    part_crowd(enactor, event->now_ms);
    enactor->plan_known = true;
    enactor->plan_gen = event->gen;
    uint64_t ahead = enactor->ahead_gen;
    if (asked) {
        ahead = max_gen(enactor->stray_gen, enactor->guard.floor);
        for (uint32_t at = hf_bitset_next(&enactor->confirming, 0); at != HF_BITSET_NONE;
             at = hf_bitset_next(&enactor->confirming, at + 1)) {
            struct hf_lane *lane = &enactor->lanes[at];
            if (lane->need == HF_NEED_HEAD) {
                lane->flags |= HF_LANE_AHEAD;
                ahead = max_gen(ahead, lane->fence.gen);
                hf_lane_settle(enactor, at, event->now_ms);
            }
        }
        hf_bitset_clear(&enactor->confirming);
        ahead = max_gen(ahead, enactor->ahead_gen);
    }
    enactor->ahead_gen = ahead > enactor->plan_gen ? ahead : 0;
}

void hf_enactor_step(struct hf_enactor *enactor, const struct hf_enactor_event *event,
                     struct hf_enactor_outbox *outbox)
{
    outbox->count = 0;
    enactor->now_ms = event->now_ms;
    switch (event->type) {
    case HF_ENACTOR_EV_ENTRY:
        on_entry(enactor, event);
        return; /* entries come in crowds: the TICK or HEAD after them acts */
    case HF_ENACTOR_EV_SEEN:
        on_seen(enactor, event);
        return; /* so do these, before their DONE */
    case HF_ENACTOR_EV_STRAY:
        on_stray(enactor, event);
        return;
    case HF_ENACTOR_EV_ADOPT:
        on_adopt(enactor, event);
        break;
    case HF_ENACTOR_EV_FREEZE:
        enactor->want_frozen = event->on;
        break;
    case HF_ENACTOR_EV_HEAD:
        on_head(enactor, event);
        break;
    case HF_ENACTOR_EV_GUARD:
        if (hf_enactor_op_find(enactor, event->op) != NULL) {
            hf_enactor_guard_seen(enactor, &event->guard, event->now_ms);
        }
        return;
    case HF_ENACTOR_EV_DONE:
        hf_enactor_done(enactor, event);
        break;
    default:
        assert(event->type == HF_ENACTOR_EV_TICK);
        break;
    }
    if (event->now_ms >= enactor->heal_wake_ms) {
        enactor->heal_wake_ms = HF_NEVER;
        hf_lane_settle_set(enactor, HF_NEED_PEACE, event->now_ms);
    }
    hf_enactor_pump(enactor, event, outbox);
}

/* The earlier of two times, of those that lie ahead: what is due and was not done waits for
 * something else. */
static uint64_t sooner(const struct hf_enactor *enactor, uint64_t due_ms, uint64_t other_ms)
{
    return other_ms > enactor->now_ms && other_ms < due_ms ? other_ms : due_ms;
}

uint64_t hf_enactor_deadline_ms(const struct hf_enactor *enactor)
{
    if (!enactor->plan_known) {
        return HF_NEVER;
    }
    uint64_t due = sooner(enactor, HF_NEVER, enactor->not_before_ms);
    due = sooner(enactor, due, enactor->heal_wake_ms);
    due = sooner(enactor, due, enactor->next_head_ms);
    due = sooner(enactor, due, enactor->next_audit_ms);
    due = sooner(enactor, due, enactor->look_wanted ? enactor->next_look_ms : HF_NEVER);
    return sooner(enactor, due, enactor->state != HF_ZONE_OPEN ? enactor->next_guard_ms : HF_NEVER);
}
