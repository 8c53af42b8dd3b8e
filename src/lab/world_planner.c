/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A planner's process: what io/lead*.c does around the machine. */
#include <assert.h>
#include <string.h>

#include "core/planner_internal.h"
#include "lab/world_internal.h"

enum { TTL_S = 30 };

static void feed(struct hf_world *world, uint32_t number, struct hf_world_desk *desk,
                 struct hf_planner_event event);

/* --- what is published --- */

static uint16_t picks_of(const struct hf_planner_entry *entry)
{
    return (uint16_t)(entry->pick_a[0] | entry->pick_aaaa[0] << 4);
}

/* The plan as it is, with what is being published. */
static void draw_plan(const struct hf_world *world, const struct hf_planner *machine,
                      struct hf_world_plan *ret_plan)
{
    *ret_plan = (struct hf_world_plan){.gen = (uint32_t)machine->publish_gen};
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_planner_entry entry;
        if (hf_bitset_has(&machine->publishing, e)) {
            hf_planner_next(machine, e, &entry);
        } else {
            hf_planner_now(machine, e, &entry);
        }
        if (entry.row->gen == 0 || (entry.row->flags & HF_ROW_FORGOTTEN) != 0) {
            continue;
        }
        ret_plan->entries[e] = (struct hf_world_entry){.gen = (uint32_t)entry.row->gen,
                                                       .content = picks_of(&entry),
                                                       .in = (uint8_t)entry.in[0],
                                                       .flags = entry.row->flags,
                                                       .cause = entry.row->cause};
    }
}

/* A delta where the head is known and its chain is short, else a snapshot. */
static uint32_t put_plan(struct hf_world *world, const struct hf_world_planner *planner,
                         const struct hf_world_plan *plan)
{
    bool is_on_top = planner->object != 0 && planner->object == world->store.head &&
                     hf_world_chain(&world->store, planner->object) < HF_WORLD_CHAIN_MAX;
    return hf_world_put(world, plan, is_on_top ? planner->object : 0);
}

/*
 * The head moves from what the planner knows, by compare-and-swap, in one transaction with the
 * object that it leads to then.
 */
static enum hf_result move_head(struct hf_world *world, uint32_t number,
                                const struct hf_planner *machine)
{
    struct hf_world_planner *planner = &world->planners[number];
    struct hf_world_store *store = &world->store;
    bool is_same = store->head == planner->object && store->instance == planner->instance;
    if (!is_same && world->shape.canary != HF_WORLD_NO_CAS) {
        return HF_RESULT_REFUSED;
    }
    struct hf_world_plan plan;
    draw_plan(world, machine, &plan);
    if (plan.gen <= store->plan.gen && is_same && store->head != 0) {
        hf_world_broken(world, "plan: generation %u is published over %u", plan.gen,
                        store->plan.gen);
    }
    if (!is_same) {
        hf_world_broken(world, "plan: generation %u is published over one that was never seen",
                        plan.gen);
    }
    uint64_t now_ms = hf_world_clock(world, planner->skew_ms);
    hf_world_law_plan(world, &plan, machine->planned_ms < now_ms ? machine->planned_ms : now_ms);
    if (world->shape.restores > 0 && (!world->shape.random || world->now_ms % 4 == 0)) {
        world->saved = *store;
    }
    store->plan = plan;
    store->head = put_plan(world, planner, &plan);
    store->changed = machine->changed;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        bool is_next = hf_bitset_has(&machine->publishing, e);
        store->budgets[e] = is_next ? machine->next_rows[e].budget : machine->rows[e].budget;
    }
    hf_world_store_changed(world);
    return HF_RESULT_OK;
}

/* With time: whether this reply of the store does not come. */
static bool loses_reply(struct hf_world *world)
{
    bool is_lost = world->shape.random && world->left[HF_BOUND_LOST_REPLIES] > 0 &&
                   world->weights[HF_MOVE_LOSE] > 0 && world->now_ms % 5 == 0;
    world->left[HF_BOUND_LOST_REPLIES] -= is_lost;
    return is_lost;
}

static void publish(struct hf_world *world, uint32_t number, struct hf_world_desk *desk)
{
    struct hf_world_planner *planner = &world->planners[number];
    bool is_lost = loses_reply(world);
    bool happens = !is_lost || world->now_ms % 2 == 0;
    enum hf_result result = happens ? move_head(world, number, &desk->machine) : HF_RESULT_UNKNOWN;
    result = is_lost ? HF_RESULT_UNKNOWN : result;
    if (result == HF_RESULT_OK) {
        planner->object = world->store.head;
    }
    planner->asks = false;
    feed(world, number, desk,
         (struct hf_planner_event){
             .type = HF_PLANNER_PUBLISHED, .op = desk->machine.op, .result = (uint8_t)result});
    if (result != HF_RESULT_OK && !desk->machine.reload) {
        hf_world_broken(world, "read-back: a plan was refused and its planner does not reload");
    }
}

static void feed(struct hf_world *world, uint32_t number, struct hf_world_desk *desk,
                 struct hf_planner_event event)
{
    struct hf_planner_outbox outbox;
    event.now_ms = hf_world_clock(world, world->planners[number].skew_ms);
    hf_planner_step(&desk->machine, &event, &outbox);
    for (uint32_t i = 0; i < outbox.count; i++) {
        if (outbox.actions[i].type == HF_PLANNER_PUBLISH) {
            world->planners[number].asks = true;
            hf_world_law_planned(world, &desk->machine);
        } else if (outbox.actions[i].type == HF_PLANNER_STOP) {
            world->store.overrides.frozen = true;
            hf_world_store_changed(world);
        }
    }
}

/* --- loading --- */

static void feed_overrides(struct hf_world *world, uint32_t number, struct hf_world_desk *desk)
{
    struct hf_world_planner *planner = &world->planners[number];
    const struct hf_world_overrides *overrides = &planner->overrides;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        uint8_t flags = desk->machine.rows[e].flags;
        uint8_t bits = overrides->pins[e];
        if ((flags & HF_ROW_PINNED) != 0 && !hf_bit8(overrides->pinned, e)) {
            feed(world, number, desk,
                 (struct hf_planner_event){.type = HF_PLANNER_UNPIN, .endpoint = e});
        }
        if ((flags & HF_ROW_RETIRED) != 0 && !hf_bit8(overrides->retired, e)) {
            feed(world, number, desk,
                 (struct hf_planner_event){.type = HF_PLANNER_UNRETIRE, .endpoint = e});
        }
        if (hf_bit8(overrides->retired, e)) {
            feed(world, number, desk,
                 (struct hf_planner_event){.type = HF_PLANNER_RETIRE, .endpoint = e});
        }
        if (hf_bit8(overrides->pinned, e)) {
            feed(world, number, desk,
                 (struct hf_planner_event){.type = HF_PLANNER_PIN, .endpoint = e, .bits = &bits});
        }
    }
}

static void feed_drains(struct hf_world *world, uint32_t number, struct hf_world_desk *desk)
{
    for (uint32_t b = 0; b < hf_world_backends(world); b++) {
        bool is_on = hf_bit8(world->planners[number].overrides.drained, b);
        if (is_on != (desk->machine.drained[b] == HF_DRAIN_ON)) {
            feed(world, number, desk,
                 (struct hf_planner_event){.type = HF_PLANNER_DRAIN, .backend = b, .on = is_on});
        }
    }
}

static void feed_freeze(struct hf_world *world, uint32_t number, struct hf_world_desk *desk)
{
    bool is_frozen = world->planners[number].overrides.frozen;
    if (is_frozen != desk->machine.frozen) {
        feed(world, number, desk,
             (struct hf_planner_event){.type = HF_PLANNER_FREEZE, .on = is_frozen});
    }
}

/* A machine over these rows; the one before it hands over what no plan says. */
static void rebuild(struct hf_world *world, uint32_t number, struct hf_world_desk *desk)
{
    struct hf_world_planner *planner = &world->planners[number];
    struct hf_planner earlier = desk->machine;
    struct hf_planner_row rows[HF_WORLD_ENDPOINTS_MAX];
    memcpy(rows, planner->rows, sizeof rows);
    memset(desk->memory, 0, sizeof desk->memory);
    hf_planner_init(&desk->machine, &desk->fleet.fleet, desk->memory, planner->head_gen,
                    &planner->changed);
    if (planner->loaded) {
        hf_planner_inherit(&desk->machine, &earlier);
    }
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        uint8_t in = planner->in[e];
        uint8_t a = planner->picks[e] & 15U, aaaa = (uint8_t)(planner->picks[e] >> 4);
        if (rows[e].gen != 0) {
            hf_planner_adopt(&desk->machine, e, &rows[e], &in, &a, &aaaa);
        }
    }
    feed_overrides(world, number, desk);
    feed_drains(world, number, desk);
    feed_freeze(world, number, desk);
    for (uint32_t b = 0; b < hf_world_backends(world); b++) {
        feed(world, number, desk,
             (struct hf_planner_event){
                 .type = HF_PLANNER_VERDICT, .backend = b, .verdict = planner->seen[b]});
    }
}

static void take_image(struct hf_world *world, struct hf_world_planner *planner)
{
    const struct hf_world_store *store = &world->store;
    planner->head_gen = store->plan.gen;
    planner->changed = store->changed;
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        const struct hf_world_entry *entry = &store->plan.entries[e];
        planner->rows[e] = (struct hf_planner_row){.budget = store->budgets[e],
                                                   .gen = entry->gen,
                                                   .ttl_s = TTL_S,
                                                   .cause_backend = UINT32_MAX,
                                                   .flags = entry->flags,
                                                   .cause = entry->cause};
        planner->in[e] = entry->in;
        planner->picks[e] = entry->content;
    }
}

static void load(struct hf_world *world, uint32_t number)
{
    struct hf_world_planner *planner = &world->planners[number];
    const struct hf_world_store *store = &world->store;
    struct hf_world_desk desk;
    if (planner->instance != 0 && planner->instance != store->instance) {
        hf_world_planner_start(world, number);
    }
    bool is_readable = hf_world_readable(store, 0); /* what it has is verified, too */
    hf_world_sit(world, number, &desk);
    planner->instance = store->instance;
    planner->overrides = store->overrides;
    planner->object = store->head;
    planner->changed_store = false;
    if (is_readable) {
        take_image(world, planner);
    }
    rebuild(world, number, &desk);
    planner->loaded = true;
    if (!is_readable) {
        /* What it knows goes on top of the head that nobody can read. */
        uint64_t gen = store->plan.gen > planner->head_gen ? store->plan.gen : planner->head_gen;
        feed(world, number, &desk, (struct hf_planner_event){.type = HF_PLANNER_AHEAD, .gen = gen});
    }
    hf_world_rise(world, number, &desk);
}

/* Something in the store is new: another's head, or what an operator said. */
static void follow(struct hf_world *world, uint32_t number)
{
    struct hf_world_planner *planner = &world->planners[number];
    const struct hf_world_store *store = &world->store;
    bool is_known = planner->instance == store->instance && planner->object == store->head &&
                    hf_world_readable(store, 0);
    planner->changed_store = false;
    if (!is_known) {
        load(world, number);
        return;
    }
    struct hf_world_overrides before = planner->overrides;
    struct hf_world_desk desk;
    if (hf_world_same_overrides(&before, &store->overrides)) {
        return;
    }
    planner->overrides = store->overrides;
    hf_world_sit(world, number, &desk);
    bool rebuilds =
        before.retired != store->overrides.retired || before.pinned != store->overrides.pinned;
    if (rebuilds) {
        rebuild(world, number, &desk);
    } else {
        feed_drains(world, number, &desk);
        feed_freeze(world, number, &desk);
    }
    if (store->overrides.approved && !before.approved) {
        feed(world, number, &desk,
             (struct hf_planner_event){.type = HF_PLANNER_APPROVE,
                                       .serial = desk.machine.hold_serial});
    }
    hf_world_rise(world, number, &desk);
}

/* --- turns --- */

void hf_world_planner_start(struct hf_world *world, uint32_t number)
{
    struct hf_world_planner *planner = &world->planners[number];
    struct hf_world_planner fresh = {.start_ms = HF_NEVER,
                                     .wake_ms = HF_NEVER,
                                     .claim_ms = HF_NEVER,
                                     .oldest_gen = HF_NEVER,
                                     .next_op = 1,
                                     .skew_ms = planner->skew_ms,
                                     .changed_store = true};
    memcpy(fresh.seen, planner->seen, sizeof fresh.seen);
    *planner = fresh;
}

static uint64_t deadline(const struct hf_world *world, uint32_t number)
{
    struct hf_world_desk desk;
    hf_world_sit(world, number, &desk);
    return hf_planner_deadline_ms(&desk.machine);
}

bool hf_world_planner_due(const struct hf_world *world, uint32_t number)
{
    const struct hf_world_planner *planner = &world->planners[number];
    bool is_waiting = planner->op != 0 || planner->frozen || planner->stopped;
    return planner->asks || !planner->loaded || planner->reload || planner->changed_store ||
           (!is_waiting && (planner->dirty != 0 || planner->stamp_all));
}

void hf_world_planner_act(struct hf_world *world, uint32_t number)
{
    struct hf_world_planner *planner = &world->planners[number];
    struct hf_world_desk desk;
    if (planner->asks) {
        hf_world_sit(world, number, &desk);
        publish(world, number, &desk);
        hf_world_rise(world, number, &desk);
    } else if (!planner->loaded || planner->reload) {
        load(world, number);
    } else if (planner->changed_store) {
        follow(world, number);
    } else {
        hf_world_sit(world, number, &desk);
        feed(world, number, &desk, (struct hf_planner_event){.type = HF_PLANNER_TICK});
        hf_world_rise(world, number, &desk);
    }
}

bool hf_world_planner_waits(const struct hf_world *world, uint32_t number)
{
    const struct hf_world_planner *planner = &world->planners[number];
    bool is_timed = planner->wake_ms != HF_NEVER || planner->claim_ms != HF_NEVER;
    bool is_still = planner->op != 0 || planner->frozen || planner->stopped;
    return is_timed && !is_still && !hf_world_planner_due(world, number);
}

/* Nothing remembers how long ago something was that is over. */
static uint64_t earlier_by(uint64_t at_ms, uint64_t by_ms)
{
    if (at_ms == HF_NEVER || at_ms == 0) {
        return at_ms;
    }
    return at_ms > HF_WORLD_NOW_MS + by_ms ? at_ms - by_ms : HF_WORLD_NOW_MS;
}

static void rebase_budget(struct hf_budget *budget, uint64_t by_ms)
{
    if (budget->quiet_at_ms <= HF_WORLD_NOW_MS + by_ms) {
        *budget = (struct hf_budget){0};
    } else {
        budget->quiet_at_ms -= by_ms;
    }
}

/* Where there is no time, what has passed becomes the present again. */
static void rebase(struct hf_world *world, uint32_t number, uint64_t by_ms)
{
    struct hf_world_planner *planner = &world->planners[number];
    planner->wake_ms = earlier_by(planner->wake_ms, by_ms);
    planner->claim_ms = earlier_by(planner->claim_ms, by_ms);
    planner->now_ms = planner->planned_ms = planner->rotated_ms = HF_WORLD_NOW_MS;
    rebase_budget(&planner->changed, by_ms);
    rebase_budget(&world->store.changed, by_ms);
    for (uint32_t e = 0; e < world->shape.endpoints; e++) {
        struct hf_world_site *site = &world->sites[e];
        rebase_budget(&planner->rows[e].budget, by_ms);
        rebase_budget(&planner->next_rows[e].budget, by_ms);
        rebase_budget(&world->store.budgets[e], by_ms);
        for (uint32_t i = 0; i < HF_WORLD_PAST; i++) {
            uint64_t until_ms = site->past[i].until_ms;
            site->past[i].until_ms = until_ms > by_ms ? until_ms - by_ms : 0;
        }
    }
}

void hf_world_planner_wake(struct hf_world *world, uint32_t number)
{
    struct hf_world_planner *planner = &world->planners[number];
    uint64_t due_ms = deadline(world, number);
    uint64_t now_ms = hf_world_clock(world, planner->skew_ms);
    uint64_t by_ms = due_ms != HF_NEVER && due_ms > now_ms ? due_ms - now_ms : 0;
    if (!world->shape.random) {
        planner->skew_ms += (int32_t)by_ms;
    }
    struct hf_world_desk desk;
    hf_world_sit(world, number, &desk);
    feed(world, number, &desk, (struct hf_planner_event){.type = HF_PLANNER_TICK});
    hf_world_rise(world, number, &desk);
    if (!world->shape.random) {
        planner->skew_ms = 0;
        rebase(world, number, by_ms);
    }
}

static void check(struct hf_world *world, uint32_t number, uint32_t backend)
{
    struct hf_world_planner *planner = &world->planners[number];
    bool was_up = planner->seen[backend] == HF_VERDICT_UP;
    planner->seen[backend] = was_up ? HF_VERDICT_DOWN : HF_VERDICT_UP;
    if (planner->loaded) {
        struct hf_planner_event event = {
            .type = HF_PLANNER_VERDICT, .backend = backend, .verdict = planner->seen[backend]};
        hf_world_planner_feed(world, number, &event);
    }
}

/*
 * Planners that see differently publish against each other for as long as they do. Where there is
 * no time that would be for ever, so they see alike there.
 */
void hf_world_check(struct hf_world *world, uint32_t number, uint32_t backend)
{
    for (uint32_t p = 0; p < world->shape.planners; p++) {
        if (p == number || !world->shape.random) {
            check(world, p, backend);
        }
    }
}

void hf_world_planner_feed(struct hf_world *world, uint32_t number,
                           const struct hf_planner_event *event)
{
    struct hf_world_desk desk;
    hf_world_sit(world, number, &desk);
    feed(world, number, &desk, *event);
    hf_world_rise(world, number, &desk);
}
