/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small world that is walked in full, and what must hold after every step of it: nothing that
 * answers is empty, in no family (I1); no window sees more capacity leave than the limit unapproved
 * (I6); generations rise, and only of what changed; work that is left is due.
 */
#ifndef HF_TESTS_PLANNER_WORLD_H
#define HF_TESTS_PLANNER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "planner_help.h"

enum {
    WINDOW_MS = 60000,
    STATE_SIZE = 4096, /* of a machine's memory */
    MET_SIZE = 1 << 22,
    DEPTH_MAX = 16,
    ENDPOINTS_MAX = 3,
};

enum what {
    UP,
    DOWN,
    UNKNOWN,
    DRAIN,
    TICK,
    LATER, /* half a window passes, then TICK */
    PUBLISHED_OK,
    PUBLISHED_REFUSED,
    PUBLISHED_UNKNOWN, /* it did happen */
    APPROVE,
    RETIRE,
    PIN,
    STAMP,
    AHEAD,
    CLAIMED,
};

/* What the checks remember beside the machine. */
struct ghost {
    uint64_t now_ms;
    uint64_t gens[ENDPOINTS_MAX];
    uint64_t most[ENDPOINTS_MAX][2]; /* capacity planned at this time, and half a window ago */
    uint32_t changes[2]; /* endpoints that changed at this time, and half a window ago */
    bool answered_a[ENDPOINTS_MAX], answered_aaaa[ENDPOINTS_MAX];
};

struct moment {
    struct hf_planner planner;
    struct ghost ghost;
    unsigned char memory[STATE_SIZE];
};

struct world {
    struct help help;
    struct ghost ghost;
    size_t memory_size;
    uint32_t events; /* bits: 1 << enum what */
    bool is_bounded; /* nobody approves or pins: max_removal holds */
    uint64_t *met;   /* digest of a state, with the steps that were left in its low 4 bits */
    uint64_t steps, states;
    struct moment moments[DEPTH_MAX];
    char path[DEPTH_MAX][20];
    int depth;
};

__attribute__((format(printf, 2, 3))) static inline void wrong(const struct world *world,
                                                               const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (int i = 0; i < world->depth; i++) {
        print_error("  %s\n", world->path[i]);
    }
    fail_msg("%s", text);
}

static inline uint64_t capacity_of(const struct world *world, uint32_t endpoint, uint64_t in)
{
    const struct hf_fleet_endpoint *shape = &world->help.endpoints[endpoint];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < shape->member_count; i++) {
        uint32_t backend = world->help.members[shape->member_first + i];
        sum += (in >> i & 1) != 0 ? world->help.backends[backend].capacity : 0;
    }
    return sum;
}

static inline bool is_configured(const struct world *world, uint32_t endpoint, uint8_t family)
{
    const struct hf_fleet_endpoint *shape = &world->help.endpoints[endpoint];
    for (uint32_t i = 0; i < shape->member_count; i++) {
        uint8_t flags = world->help.backends[world->help.members[shape->member_first + i]].flags;
        if ((flags & family) != 0 && (flags & HF_FLEET_GONE) == 0) {
            return true;
        }
    }
    return false;
}

/* I1 of what is published or planned. */
static inline void check_answer(struct world *world, uint32_t endpoint, uint8_t flags, uint64_t in,
                                uint64_t a, uint64_t aaaa)
{
    struct ghost *ghost = &world->ghost;
    if ((flags & HF_ROW_EXISTS) == 0 || (flags & HF_ROW_RETIRED) != 0) {
        ghost->answered_a[endpoint] = ghost->answered_aaaa[endpoint] = false;
        if (in != 0 || a != 0 || aaaa != 0) {
            wrong(world, "what does not answer has addresses");
        }
        return;
    }
    if (in == 0 || (a | aaaa) == 0 || ((a | aaaa) & ~in) != 0) {
        wrong(world, "serving %#jx, answered %#jx and %#jx", (uintmax_t)in, (uintmax_t)a,
              (uintmax_t)aaaa);
    }
    if ((flags & HF_ROW_PINNED) == 0 && ((ghost->answered_a[endpoint] && a == 0 &&
                                          is_configured(world, endpoint, HF_FLEET_HAS_A)) ||
                                         (ghost->answered_aaaa[endpoint] && aaaa == 0 &&
                                          is_configured(world, endpoint, HF_FLEET_HAS_AAAA)))) {
        if (world->is_bounded) {
            wrong(world, "a family of endpoint %u is empty", endpoint);
        }
    }
    ghost->answered_a[endpoint] = a != 0;
    ghost->answered_aaaa[endpoint] = aaaa != 0;
}

static inline bool is_ordered(const struct hf_planner_entry *entry)
{
    return entry->cause == HF_CAUSE_APPROVED || entry->cause == HF_CAUSE_PIN ||
           (entry->row->flags & HF_ROW_RETIRED) != 0;
}

/* I6 of what is planned. */
static inline void check_removal(struct world *world, uint32_t endpoint,
                                 const struct hf_planner_entry *entry)
{
    const struct hf_fleet_endpoint *shape = &world->help.endpoints[endpoint];
    uint64_t *most = world->ghost.most[endpoint];
    uint64_t have = capacity_of(world, endpoint, entry->in[0]);
    uint64_t whole = capacity_of(world, endpoint, (UINT64_C(1) << shape->member_count) - 1);
    uint64_t limit = whole * world->help.policies[shape->policy].max_removal_permille / 1000;
    uint64_t had = most[0] > most[1] ? most[0] : most[1];
    if (is_ordered(entry)) {
        most[0] = most[1] = have;
    } else if (had > have && had - have > limit) {
        wrong(world, "endpoint %u had %ju, has %ju in a window, limit %ju", endpoint,
              (uintmax_t)had, (uintmax_t)have, (uintmax_t)limit);
    }
    most[0] = have > most[0] ? have : most[0];
}

/* max_changed of what is planned. */
static inline void check_changes(struct world *world, const struct hf_planner_entry *entry)
{
    const struct hf_fleet *fleet = &world->help.fleet;
    bool is_free = is_ordered(entry) || entry->cause == HF_CAUSE_CREATED ||
                   entry->cause == HF_CAUSE_RECREATED || entry->cause == HF_CAUSE_STAMP ||
                   entry->cause == HF_CAUSE_CLAIMED || entry->row->gen == 0;
    uint32_t *changes = world->ghost.changes;
    changes[0] += is_free ? 0 : 1;
    uint64_t limit = hf_pace_limit(fleet->endpoint_count, fleet->max_changed_permille);
    if (fleet->max_changed_permille < 1000 && changes[0] + changes[1] > limit && !is_free) {
        wrong(world, "%u endpoints changed in a window", changes[0] + changes[1]);
    }
}

static inline void check_plan(struct world *world)
{
    const struct hf_planner *planner = &world->help.planner;
    for (uint32_t e = hf_bitset_next(&planner->publishing, 0); e != HF_BITSET_NONE;
         e = hf_bitset_next(&planner->publishing, e + 1)) {
        struct hf_planner_entry now, next;
        hf_planner_now(planner, e, &now);
        hf_planner_next(planner, e, &next);
        bool same = now.pick_a[0] == next.pick_a[0] && now.pick_aaaa[0] == next.pick_aaaa[0] &&
                    now.row->ttl_s == next.row->ttl_s && now.row->gen != 0;
        bool is_gone = (next.row->flags & HF_ROW_FORGOTTEN) != 0;
        if (!is_gone && next.same_answer != same && next.cause != HF_CAUSE_STAMP &&
            next.cause != HF_CAUSE_RETIRED) {
            wrong(world, "endpoint %u: the answer %s, generation %ju after %ju", e,
                  same ? "stays" : "changes", (uintmax_t)next.row->gen, (uintmax_t)now.row->gen);
        }
        if (next.same_answer && now.in[0] == next.in[0] && now.row->flags == next.row->flags) {
            wrong(world, "endpoint %u is published for nothing", e);
        }
        check_answer(world, e, next.row->flags, next.in[0], next.pick_a[0], next.pick_aaaa[0]);
        check_removal(world, e, &next);
        check_changes(world, &next);
    }
}

static inline void check_state(struct world *world)
{
    const struct hf_planner *planner = &world->help.planner;
    uint32_t serial = 0;
    for (uint32_t e = 0; e < world->help.fleet.endpoint_count; e++) {
        struct hf_planner_entry now;
        hf_planner_now(planner, e, &now);
        if (now.row->gen < world->ghost.gens[e] && now.row->gen != 0) {
            wrong(world, "endpoint %u: generation %ju after %ju", e, (uintmax_t)now.row->gen,
                  (uintmax_t)world->ghost.gens[e]);
        }
        if (now.row->gen > planner->head_gen) {
            wrong(world, "endpoint %u is above the head", e);
        }
        world->ghost.gens[e] = now.row->gen;
        if (planner->op == 0) {
            check_answer(world, e, now.row->flags, now.in[0], now.pick_a[0], now.pick_aaaa[0]);
        }
        serial += now.row->hold_digest;
        if (hf_bitset_has(&planner->held, e) != (now.row->hold != HF_HOLD_NONE)) {
            wrong(world, "endpoint %u: hold %u", e, now.row->hold);
        }
    }
    if (serial != planner->hold_serial) {
        wrong(world, "the serial is not that of what is held back");
    }
    if (planner->op == 0 && planner->dirty.count > 0 && hf_planner_deadline_ms(planner) != 0) {
        wrong(world, "work is left and not due");
    }
}

static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 31;
}

static inline uint64_t since(const struct world *world, uint64_t at_ms)
{
    return at_ms == HF_NEVER || at_ms == 0 ? at_ms : at_ms - world->help.now_ms;
}

/* Of all that decides what comes; generations only by their distance from the head. */
static inline uint64_t digest(const struct world *world)
{
    const struct hf_planner *p = &world->help.planner;
    uint64_t hash = mix(mix(mix(1, p->op != 0), since(world, p->wake_ms)), p->stamp_all);
    hash = mix(hash, p->op != 0 ? since(world, p->planned_ms) : 0);
    uint64_t started = p->start_ms == HF_NEVER ? 1 : since(world, p->start_ms);
    uint64_t waited = world->help.now_ms - p->start_ms >= HF_FIRST_WAIT_MS;
    hash = mix(mix(hash, p->start_ms == HF_NEVER ? started : waited), p->head_gen - p->oldest_gen);
    hash = mix(mix(hash, since(world, p->claim_ms)), p->ahead_count | (uint64_t)p->stopped << 8);
    hash = mix(mix(hash, since(world, p->changed.quiet_at_ms)), p->changed.spent);
    hash = mix(mix(hash, p->changed.base), p->ahead_gen > p->head_gen);
    hash = mix(hash, world->ghost.changes[0] | (uint64_t)world->ghost.changes[1] << 32);
    for (uint32_t b = 0; b < p->fleet->backend_count; b++) {
        hash = mix(mix(hash, p->verdicts[b]), p->drained[b]);
    }
    for (uint32_t e = 0; e < p->fleet->endpoint_count; e++) {
        const struct hf_planner_row *row = &p->rows[e], *next = &p->next_rows[e];
        uint64_t first = p->fleet->endpoints[e].octet_first;
        hash = mix(mix(hash, row->flags), row->want | (uint64_t)row->hold << 8);
        hash = mix(mix(hash, row->hold_digest), p->head_gen - row->gen);
        hash = mix(mix(hash, since(world, row->budget.quiet_at_ms)), row->budget.spent);
        hash = mix(mix(hash, row->budget.base), p->in[first]);
        hash = mix(mix(hash, p->pick_a[first]), p->pick_aaaa[first]);
        hash = mix(hash, p->pinned[first]);
        hash = mix(hash, (uint64_t)hf_bitset_has(&p->dirty, e) |
                             (uint64_t)hf_bitset_has(&p->waiting, e) << 1 |
                             (uint64_t)hf_bitset_has(&p->claiming, e) << 2);
        hash = mix(mix(hash, world->ghost.most[e][0]), world->ghost.most[e][1]);
        if (hf_bitset_has(&p->publishing, e)) {
            hash = mix(mix(hash, next->flags), p->next_in[first]);
            hash = mix(mix(hash, since(world, next->budget.quiet_at_ms)), next->budget.spent);
            hash = mix(mix(hash, next->gen == row->gen), next->budget.base);
        }
    }
    return hash;
}

#endif
