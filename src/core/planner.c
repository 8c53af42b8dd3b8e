/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory of the planner, and what each event marks.
 */
#include "core/planner.h"

#include <assert.h>
#include <string.h>

#include "core/planner_internal.h"

/* Generations that leave no room above them are nobody's but an attacker's. */
#define GEN_MAX (UINT64_MAX - 2)

/* Hands out memory from the front; only counts where there is none. */
struct carver {
    unsigned char *memory;
    size_t used;
};

static void *carve(struct carver *carver, uint64_t count, size_t size)
{
    void *piece = carver->memory == NULL ? NULL : carver->memory + carver->used;
    size_t octets = (size_t)count * size;
    carver->used += (octets + 7) / 8 * 8;
    return piece;
}

static void carve_set(struct carver *carver, struct hf_bitset *set, uint32_t size)
{
    uint64_t *words = carve(carver, hf_bitset_words(size), sizeof *words);
    if (words != NULL) {
        hf_bitset_init(set, words, size);
    }
}

static uint32_t most_members(const struct hf_fleet *fleet)
{
    uint32_t most = 0;
    for (uint32_t e = 0; e < fleet->endpoint_count; e++) {
        uint32_t count = fleet->endpoints[e].member_count;
        most = count > most ? count : most;
    }
    return most;
}

static size_t arrange(struct hf_planner *planner, const struct hf_fleet *fleet, void *memory)
{
    struct carver carver = {.memory = memory};
    uint32_t endpoints = fleet->endpoint_count;
    planner->rows = carve(&carver, endpoints, sizeof *planner->rows);
    planner->verdicts = carve(&carver, fleet->backend_count, sizeof *planner->verdicts);
    planner->drained = carve(&carver, fleet->backend_count, sizeof *planner->drained);
    planner->in = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->pick_a = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->pick_aaaa = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->pinned = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->candidates = carve(&carver, most_members(fleet), sizeof *planner->candidates);
    carve_set(&carver, &planner->dirty, endpoints);
    carve_set(&carver, &planner->held, endpoints);
    carve_set(&carver, &planner->rotating, endpoints);
    carve_set(&carver, &planner->waiting, endpoints);
    carve_set(&carver, &planner->claiming, endpoints);
    carve_set(&carver, &planner->publishing, endpoints);
    planner->next_rows = carve(&carver, endpoints, sizeof *planner->next_rows);
    planner->next_in = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->next_pick_a = carve(&carver, fleet->octet_count, sizeof *planner->in);
    planner->next_pick_aaaa = carve(&carver, fleet->octet_count, sizeof *planner->in);
    return carver.used;
}

size_t hf_planner_layout(const struct hf_fleet *fleet)
{
    struct hf_planner only_counted;
    return arrange(&only_counted, fleet, NULL);
}

void *hf_planner_spare(const struct hf_planner *planner, size_t *ret_size)
{
    *ret_size = planner->op != 0 ? 0
                                 : (size_t)(planner->next_pick_aaaa + planner->fleet->octet_count -
                                            (const uint8_t *)planner->next_rows);
    return planner->next_rows;
}

void hf_planner_init(struct hf_planner *planner, const struct hf_fleet *fleet, void *memory,
                     uint64_t head_gen, const struct hf_budget *changed)
{
    assert(memory != NULL && fleet->max_changed_permille <= 1000);
    *planner = (struct hf_planner){
        .fleet = fleet,
        .changed = *changed,
        .head_gen = head_gen,
        .oldest_gen = UINT64_MAX,
        .start_ms = HF_NEVER,
        .wake_ms = HF_NEVER,
        .claim_ms = HF_NEVER,
        .next_op = 1,
    };
    (void)arrange(planner, fleet, memory);
    for (uint32_t e = 0; e < fleet->endpoint_count; e++) {
        planner->rows[e].cause_backend = UINT32_MAX;
        hf_bitset_add(&planner->dirty, e);
    }
}

void hf_planner_inherit(struct hf_planner *planner, const struct hf_planner *earlier)
{
    assert(planner->start_ms == HF_NEVER);
    planner->next_op = earlier->next_op;
    planner->ahead_count = earlier->ahead_count;
    planner->ahead_at_ms = earlier->ahead_at_ms;
    planner->frozen = earlier->frozen;
    planner->stopped = earlier->stopped;
    planner->now_ms = earlier->now_ms;
    /* A head that is beyond it now has been moved by somebody who knew. */
    if (earlier->ahead_gen > planner->head_gen) {
        planner->ahead_gen = earlier->ahead_gen;
        planner->stamp_all = earlier->stamp_all || earlier->stamping;
    }
}

void hf_planner_adopt(struct hf_planner *planner, uint32_t endpoint,
                      const struct hf_planner_row *row, const uint8_t *in, const uint8_t *pick_a,
                      const uint8_t *pick_aaaa)
{
    const struct hf_fleet_endpoint *shape = &planner->fleet->endpoints[endpoint];
    uint32_t octets = hf_fleet_octets(shape->member_count);
    assert(row->gen != 0 && row->gen <= planner->head_gen);
    struct hf_planner_row *own = &planner->rows[endpoint];
    *own = *row;
    own->flags &= HF_ROW_RETIRED | HF_ROW_CLAIMED | HF_ROW_PINNED | HF_ROW_URGENT;
    own->flags |= HF_ROW_EXISTS;
    own->hold = HF_HOLD_NONE;
    own->hold_digest = 0;
    own->want = 0;
    memcpy(planner->in + shape->octet_first, in, octets);
    memcpy(planner->pick_a + shape->octet_first, pick_a, octets);
    memcpy(planner->pick_aaaa + shape->octet_first, pick_aaaa, octets);
    if ((own->flags & HF_ROW_RETIRED) != 0) {
        own->want = HF_WANT_RETIRED;
    } else if ((own->flags & HF_ROW_PINNED) != 0 && !hf_bits_empty(in, octets)) {
        own->want = HF_WANT_PINNED;
        memcpy(planner->pinned + shape->octet_first, in, octets);
    }
    planner->oldest_gen = row->gen < planner->oldest_gen ? row->gen : planner->oldest_gen;
}

static void mark_users(struct hf_planner *planner, uint32_t backend)
{
    const struct hf_fleet *fleet = planner->fleet;
    const struct hf_fleet_run *run = &fleet->user_runs[backend];
    for (uint32_t i = 0; i < run->count; i++) {
        hf_bitset_add(&planner->dirty, fleet->users[run->first + i]);
    }
}

static void step_backend(struct hf_planner *planner, const struct hf_planner_event *event)
{
    uint32_t backend = event->backend;
    assert(backend < planner->fleet->backend_count && event->verdict <= HF_VERDICT_DOWN);
    if (event->type == HF_PLANNER_VERDICT) {
        if (planner->verdicts[backend] == event->verdict) {
            return;
        }
        planner->verdicts[backend] = event->verdict;
        planner->drained[backend] &= HF_DRAIN_ON;
    } else {
        if (((planner->drained[backend] & HF_DRAIN_ON) != 0) == event->on) {
            return;
        }
        planner->drained[backend] = event->on ? HF_DRAIN_ON : HF_DRAIN_LIFTED;
    }
    mark_users(planner, backend);
}

static bool step_pin(struct hf_planner *planner, const struct hf_planner_event *event)
{
    const struct hf_fleet_endpoint *shape = &planner->fleet->endpoints[event->endpoint];
    uint32_t octets = hf_fleet_octets(shape->member_count);
    if (shape->orphan != 0 || hf_bits_empty(event->bits, octets)) {
        return false;
    }
    assert(shape->member_count % 8 == 0 ||
           event->bits[octets - 1] >> (shape->member_count % 8) == 0);
    memcpy(planner->pinned + shape->octet_first, event->bits, octets);
    planner->rows[event->endpoint].want |= HF_WANT_PINNED;
    return true;
}

static bool step_claimed(struct hf_planner *planner, const struct hf_planner_event *event)
{
    struct hf_planner_row *row = &planner->rows[event->endpoint];
    row->want |= HF_WANT_CLAIMED;
    if (row->gen != 0 && (row->flags & HF_ROW_CLAIMED) == 0 &&
        !hf_bitset_has(&planner->claiming, event->endpoint)) {
        hf_bitset_add(&planner->claiming, event->endpoint);
        uint64_t due_ms = event->now_ms + HF_CLAIM_WAIT_MS;
        planner->claim_ms = due_ms < planner->claim_ms ? due_ms : planner->claim_ms;
    }
    return false;
}

static void step_ahead(struct hf_planner *planner, uint64_t gen, uint64_t now_ms,
                       struct hf_planner_outbox *outbox)
{
    /* What is being published may have been seen already by a quick enactor. */
    uint64_t known_gen = planner->op != 0 ? planner->publish_gen : planner->head_gen;
    bool is_answered = gen <= known_gen && (planner->op != 0 || gen < planner->oldest_gen);
    if (is_answered && planner->oldest_gen == HF_NEVER && planner->ahead_gen < gen) {
        planner->ahead_gen = gen; /* there are no entries to stamp, yet something has been */
    }
    if (is_answered || planner->stopped) {
        return;
    }
    if (now_ms - planner->ahead_at_ms >= HF_AHEAD_WINDOW_MS) {
        planner->ahead_count = 0;
    }
    if (planner->ahead_count >= HF_AHEAD_MAX || gen > GEN_MAX) {
        planner->stopped = true;
        hf_planner_act(outbox, HF_PLANNER_STOP, 0, gen);
        return;
    }
    planner->stamp_all = true;
    planner->ahead_gen = gen > planner->ahead_gen ? gen : planner->ahead_gen;
}

static bool step_stamp(struct hf_planner *planner, const struct hf_planner_event *event,
                       struct hf_planner_outbox *outbox)
{
    struct hf_planner_row *row = &planner->rows[event->endpoint];
    uint64_t gen = hf_bitset_has(&planner->publishing, event->endpoint)
                       ? planner->next_rows[event->endpoint].gen
                       : row->gen;
    if (row->gen == 0 || gen > event->gen) {
        return false;
    }
    if (event->gen > planner->head_gen) {
        step_ahead(planner, event->gen, event->now_ms, outbox);
    }
    row->want |= HF_WANT_STAMP;
    return true;
}

/* Events about one endpoint; true when it is to be planned anew. */
static bool step_endpoint(struct hf_planner *planner, const struct hf_planner_event *event,
                          struct hf_planner_outbox *outbox)
{
    assert(event->endpoint < planner->fleet->endpoint_count);
    struct hf_planner_row *row = &planner->rows[event->endpoint];
    switch ((enum hf_planner_event_type)event->type) {
    case HF_PLANNER_PIN:
        return step_pin(planner, event);
    case HF_PLANNER_UNPIN:
        row->want &= (uint8_t)~HF_WANT_PINNED;
        return true;
    case HF_PLANNER_RETIRE:
        row->want |= HF_WANT_RETIRED;
        row->want &= (uint8_t)~HF_WANT_PINNED;
        return true;
    case HF_PLANNER_UNRETIRE:
        if (planner->fleet->endpoints[event->endpoint].orphan != 0) {
            return false;
        }
        row->want &= (uint8_t) ~(HF_WANT_RETIRED | HF_WANT_FORGOTTEN);
        return true;
    case HF_PLANNER_FORGET:
        if ((row->flags & HF_ROW_RETIRED) == 0 || row->gen > event->gen) {
            return false;
        }
        row->want |= HF_WANT_FORGOTTEN;
        return true;
    case HF_PLANNER_CLAIMED:
        return step_claimed(planner, event);
    case HF_PLANNER_STAMP:
        return step_stamp(planner, event, outbox);
    default:
        assert(false);
        return false;
    }
}

static void step_approve(struct hf_planner *planner, uint32_t serial)
{
    if (serial != planner->hold_serial) {
        return;
    }
    for (uint32_t e = hf_bitset_next(&planner->held, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->held, e + 1)) {
        if ((planner->rows[e].want & HF_WANT_APPROVED) == 0) {
            planner->rows[e].want |= HF_WANT_APPROVED;
            hf_bitset_add(&planner->dirty, e);
        }
    }
}

static void step_freeze(struct hf_planner *planner, bool on)
{
    if (planner->frozen && !on) {
        planner->stopped = false;
        planner->ahead_count = 0;
    }
    planner->frozen = on;
}

/* A clock that went back must not make anything wait for longer than it would have. */
static void follow_clock(struct hf_planner *planner, uint64_t now_ms)
{
    if (now_ms < planner->now_ms) {
        bool has_started = planner->start_ms != HF_NEVER;
        if (has_started && planner->start_ms > now_ms) {
            planner->start_ms = now_ms;
        }
        if (planner->ahead_at_ms > now_ms) {
            planner->ahead_at_ms = now_ms;
        }
        if (planner->claim_ms != HF_NEVER && planner->claim_ms > now_ms + HF_CLAIM_WAIT_MS) {
            planner->claim_ms = now_ms + HF_CLAIM_WAIT_MS;
        }
        planner->wake_ms = planner->wake_ms == HF_NEVER ? HF_NEVER : now_ms;
    }
    planner->now_ms = now_ms;
}

void hf_planner_step(struct hf_planner *planner, const struct hf_planner_event *event,
                     struct hf_planner_outbox *outbox)
{
    outbox->count = 0;
    follow_clock(planner, event->now_ms);
    switch ((enum hf_planner_event_type)event->type) {
    case HF_PLANNER_TICK:
        hf_planner_tick(planner, event->now_ms, outbox);
        break;
    case HF_PLANNER_VERDICT:
    case HF_PLANNER_DRAIN:
        step_backend(planner, event);
        break;
    case HF_PLANNER_AHEAD:
        step_ahead(planner, event->gen, event->now_ms, outbox);
        break;
    case HF_PLANNER_APPROVE:
        step_approve(planner, event->serial);
        break;
    case HF_PLANNER_FREEZE:
        step_freeze(planner, event->on);
        break;
    case HF_PLANNER_PUBLISHED:
        hf_planner_published(planner, event, outbox);
        break;
    default:
        if (step_endpoint(planner, event, outbox)) {
            hf_bitset_add(&planner->dirty, event->endpoint);
        }
    }
}

uint64_t hf_planner_deadline_ms(const struct hf_planner *planner)
{
    if (planner->op != 0 || planner->frozen || planner->stopped || planner->reload) {
        return HF_NEVER;
    }
    if (planner->dirty.count > 0 || planner->stamp_all) {
        return 0;
    }
    return planner->wake_ms < planner->claim_ms ? planner->wake_ms : planner->claim_ms;
}
