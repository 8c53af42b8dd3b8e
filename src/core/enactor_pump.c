/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pump: which operations are begun now, in order of urgency. */
#include <assert.h>

#include "core/enactor_internal.h"

enum { READ_BATCH = 128, AUDIT_DELAYS_MAX = 3 };

struct hf_enactor_op *hf_enactor_op_find(struct hf_enactor *enactor, uint32_t number)
{
    uint32_t slot = number & ((1U << HF_OP_SLOT_BITS) - 1);
    if (number == 0 || slot >= enactor->op_room || enactor->ops[slot].number != number) {
        return NULL;
    }
    return &enactor->ops[slot];
}

/* A new operation and its action, or NULL when a slot or room in the outbox is missing. */
static struct hf_enactor_action *begin(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                                       enum hf_enactor_op_kind kind)
{
    if (outbox->count == HF_ENACTOR_OUTBOX_MAX) {
        return NULL;
    }
    uint32_t slot = 0;
    while (slot < enactor->op_room && enactor->ops[slot].number != 0) {
        slot++;
    }
    if (slot == enactor->op_room) {
        return NULL;
    }
    enactor->next_op = (enactor->next_op + 1) & (UINT32_MAX >> HF_OP_SLOT_BITS);
    if (enactor->next_op == 0) {
        enactor->next_op = 1;
    }
    uint32_t number = enactor->next_op << HF_OP_SLOT_BITS | slot;
    enactor->ops[slot] = (struct hf_enactor_op){
        .number = number, .kind = (uint8_t)kind, .lane_first = HF_BITSET_NONE};
    struct hf_enactor_action *action = &outbox->actions[outbox->count++];
    *action = (struct hf_enactor_action){
        .op = number, .kind = (uint8_t)kind, .lane_first = HF_BITSET_NONE};
    return action;
}

/* Takes lanes from a set, in the order of the roll, into the operation. */
static void take_lanes(struct hf_enactor *enactor, struct hf_enactor_action *action,
                       enum hf_need need, uint32_t max, struct hf_roll *roll, uint64_t now_ms)
{
    struct hf_enactor_op *op = hf_enactor_op_find(enactor, action->op);
    uint32_t slot = action->op & ((1U << HF_OP_SLOT_BITS) - 1);
    uint32_t last = HF_BITSET_NONE;
    while (op->lane_count < max) {
        uint32_t at = hf_roll_next(roll, &enactor->sets[need]);
        if (at == HF_BITSET_NONE) {
            break;
        }
        struct hf_lane *lane = &enactor->lanes[at];
        lane->slot = (uint16_t)(slot + 1);
        lane->next = HF_BITSET_NONE;
        hf_lane_settle(enactor, at, now_ms);
        if (enactor->audit_op != 0) {
            hf_bitset_remove(&enactor->auditing, at);
        }
        if (last == HF_BITSET_NONE) {
            op->lane_first = at;
        } else {
            enactor->lanes[last].next = at;
        }
        last = at;
        op->lane_count++;
        hf_roll_took(roll, at);
    }
    action->lane_first = op->lane_first;
    action->lane_count = op->lane_count;
}

/* A READ_ZONE is about to tell what others wrote, and does not wait until they are done. */
static bool is_told_soon(const struct hf_enactor *enactor, uint64_t now_ms)
{
    return enactor->looking && now_ms >= enactor->patient_ms;
}

/* The guard, and lanes that no READ_ZONE is about to tell of. */
static bool pump_read(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox, uint64_t now_ms)
{
    struct hf_enactor_action *action = begin(enactor, outbox, HF_ENACTOR_READ);
    if (action == NULL) {
        return false;
    }
    struct hf_roll from_first = {.stage = HF_ROLL_ALL};
    if (enactor->zone_known && !is_told_soon(enactor, now_ms)) {
        take_lanes(enactor, action, HF_NEED_READ, READ_BATCH, &from_first, now_ms);
        enactor->counters.read += action->lane_count;
    }
    enactor->reads++;
    return true;
}

static bool pump_write(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                       enum hf_pace pace, uint64_t now_ms)
{
    struct hf_enactor_action *action = begin(enactor, outbox, HF_ENACTOR_WRITE);
    if (action == NULL) {
        return false;
    }
    take_lanes(enactor, action, hf_pace_need(pace), enactor->batch, &enactor->rolls[pace], now_ms);
    for (uint32_t at = action->lane_first; at != HF_BITSET_NONE; at = enactor->lanes[at].next) {
        enactor->lanes[at].sent_gen = enactor->lanes[at].want_gen;
        enactor->lanes[at].sent_sum = enactor->lanes[at].want_sum;
    }
    action->guard = enactor->guard;
    action->fast = pace == HF_PACE_FAST;
    action->count = enactor->options.write_count++;
    hf_enactor_op_find(enactor, action->op)->count = action->count;
    enactor->writes++;
    enactor->counters.messages++;
    return true;
}

static void pump_guard_write(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                             uint64_t floor, bool frozen)
{
    struct hf_enactor_action *action = begin(enactor, outbox, HF_ENACTOR_WRITE_GUARD);
    if (action == NULL) {
        return;
    }
    action->guard = enactor->guard;
    action->guard_after = (struct hf_zone_guard){.kind = HF_FENCE_OURS,
                                                 .instance = enactor->options.instance,
                                                 .floor = floor,
                                                 .frozen = frozen};
    enactor->guard_after = action->guard_after;
    enactor->guard_op = action->op;
}

/* Without a guard: ours that somebody deleted is restored, a new zone is claimed, else refused. */
static void pump_guard_absent(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox)
{
    if (enactor->guard_known_once || enactor->claimed > 0) {
        /* Its floor is lost: above every generation that the plan has, nothing can come back. */
        uint64_t floor =
            enactor->restore_floor > enactor->plan_gen ? enactor->restore_floor : enactor->plan_gen;
        pump_guard_write(enactor, outbox, floor, enactor->was_frozen || enactor->want_frozen);
    } else if (!enactor->fences_seen) {
        pump_guard_write(enactor, outbox, 0, enactor->want_frozen);
    } else {
        enactor->state = HF_ZONE_REFUSED;
    }
}

static void pump_guard(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                       uint64_t now_ms)
{
    if (enactor->guard_op != 0) {
        return;
    }
    bool poll =
        enactor->state != HF_ZONE_OPEN && enactor->zone_known && now_ms >= enactor->next_guard_ms;
    bool unknown = enactor->guard.kind == HF_FENCE_UNKNOWN && enactor->zone_known;
    if ((poll || unknown) && enactor->reads == 0) {
        enactor->next_guard_ms = now_ms + HF_ENACTOR_GUARD_POLL_MS;
        (void)pump_read(enactor, outbox, now_ms);
    } else if (enactor->guard.kind == HF_FENCE_ABSENT && enactor->zone_known) {
        pump_guard_absent(enactor, outbox);
    } else if (enactor->guard.kind == HF_FENCE_OURS && enactor->want_frozen) {
        pump_guard_write(enactor, outbox, enactor->guard.floor, true);
    }
}

static bool is_rolling(const struct hf_enactor *enactor)
{
    bool is_shared = false;
    for (int pace = 0; pace < HF_PACES; pace++) {
        is_shared = is_shared || hf_roll_is_shared(&enactor->rolls[pace]);
    }
    return is_shared;
}

/* In a rollout nearly everything that an audit reads is what this enactor has just written. */
static uint64_t audit_delay_ms(const struct hf_enactor *enactor)
{
    return is_rolling(enactor) ? AUDIT_DELAYS_MAX * (uint64_t)enactor->options.audit_ms : 0;
}

static void pump_audit(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                       uint64_t now_ms)
{
    bool is_due = (enactor->look_wanted && now_ms >= enactor->next_look_ms) ||
                  now_ms >= enactor->next_audit_ms + audit_delay_ms(enactor);
    if (enactor->audit_op != 0 || !is_due) {
        return;
    }
    struct hf_enactor_action *action = begin(enactor, outbox, HF_ENACTOR_READ_ZONE);
    if (action == NULL) {
        return;
    }
    /* What a rollout asks for is only what changed. */
    bool is_audit = !enactor->look_wanted;
    action->whole = enactor->records_doubted && is_audit;
    action->at_rest = now_ms < enactor->patient_ms && !is_audit;
    enactor->records_doubted = enactor->records_doubted && !action->whole;
    enactor->audit_op = action->op;
    enactor->look_wanted = false;
    enactor->counters.audits++;
    enactor->stray_gen = 0;
    enactor->audit_fences = false;
    hf_bitset_clear(&enactor->auditing);
    hf_bitset_fill(&enactor->auditing, enactor->lane_count);
    for (uint32_t slot = 0; slot < enactor->op_room; slot++) {
        const struct hf_enactor_op *op = &enactor->ops[slot];
        for (uint32_t at = op->number != 0 ? op->lane_first : HF_BITSET_NONE; at != HF_BITSET_NONE;
             at = enactor->lanes[at].next) {
            hf_bitset_remove(&enactor->auditing, at);
        }
    }
}

static void pump_head(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox, uint64_t now_ms)
{
    struct hf_bitset *suspects = &enactor->sets[HF_NEED_HEAD];
    bool wanted = suspects->count > 0 || enactor->head_asked;
    if (enactor->head_op != 0 || !wanted || now_ms < enactor->next_head_ms) {
        return;
    }
    struct hf_enactor_action *action = begin(enactor, outbox, HF_ENACTOR_HEAD);
    if (action == NULL) {
        return;
    }
    enactor->head_op = action->op;
    enactor->head_asked = false;
    hf_bitset_clear(&enactor->confirming);
    for (uint32_t at = hf_bitset_next(suspects, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(suspects, at + 1)) {
        hf_bitset_add(&enactor->confirming, at);
    }
}

static bool is_one_message(const struct hf_enactor *enactor, enum hf_pace pace)
{
    return enactor->sets[hf_pace_need(pace)].count <= enactor->options.batch;
}

bool hf_enactor_is_turn(const struct hf_enactor_options *options, uint64_t gen)
{
    if (options->share == 0) {
        return true;
    }
    uint32_t count = (HF_ROLL_WHOLE + options->share / 2) / options->share;
    uint32_t own = (options->offset + options->share / 2) / options->share;
    return gen % count == own;
}

static bool is_own_turn(const struct hf_enactor *enactor)
{
    return hf_enactor_is_turn(&enactor->options, enactor->plan_gen);
}

/*
 * Leaves it to another one, and looks a little later what became of it. Not where a look is wanted
 * or a whole transfer under way, or others would wait for this look.
 */
static bool waits_for_turn(struct hf_enactor *enactor, enum hf_pace pace, uint64_t now_ms)
{
    if (!is_one_message(enactor, pace) || is_own_turn(enactor) || enactor->looking ||
        enactor->audit_op != 0 || is_rolling(enactor)) {
        return false;
    }
    enactor->rolls[pace].stage = HF_ROLL_LOOK;
    enactor->looking = true;
    enactor->look_wanted = true;
    enactor->patient_ms = 0;
    enactor->next_look_ms = now_ms + HF_ENACTOR_TURN_MS + 2 * (uint64_t)enactor->latency_ms;
    return true;
}

/* The turn has come before the look: that is due at once, and what is under way is not awaited. */
static bool is_look_over(struct hf_enactor *enactor, enum hf_pace pace, uint64_t now_ms)
{
    if (enactor->looking && is_one_message(enactor, pace) && is_own_turn(enactor)) {
        enactor->next_look_ms = enactor->next_look_ms < now_ms ? enactor->next_look_ms : now_ms;
        return enactor->audit_op != 0;
    }
    return !enactor->looking;
}

/*
 * The share is done, or none was begun. What others have left of theirs is looked at before it is
 * divided again: when nobody writes the zone any more, or when they have taken twice our time. Then
 * the first message alone says whether they still write there.
 */
static void next_share(struct hf_enactor *enactor, enum hf_pace pace, uint64_t now_ms)
{
    const struct hf_enactor_options *options = &enactor->options;
    const struct hf_bitset *lanes = &enactor->sets[hf_pace_need(pace)];
    struct hf_roll *roll = &enactor->rolls[pace];
    uint32_t share = options->share != 0 ? options->share : HF_ROLL_WHOLE;
    /* What is urgent is nobody's share. */
    uint32_t few_max = pace == HF_PACE_FAST ? HF_ENACTOR_FAST_MAX : options->batch;
    switch (roll->stage) {
    case HF_ROLL_LOOK:
        if (is_look_over(enactor, pace, now_ms)) {
            hf_roll_begin(roll, HF_ROLL_HELP, lanes, options->offset, share, few_max);
        }
        break;
    case HF_ROLL_OWN:
    case HF_ROLL_HELP:
        if (roll->stage == HF_ROLL_OWN) {
            enactor->help_256 = 256;
            enactor->patient_ms = HF_NEVER;
        }
        roll->stage = HF_ROLL_LOOK;
        enactor->looking = true;
        enactor->share_op = enactor->next_op;
        enactor->share_writes = enactor->writes;
        if (enactor->writes == 0) {
            hf_enactor_share_done(enactor, now_ms);
        }
        break;
    default:
        if (waits_for_turn(enactor, pace, now_ms)) {
            break;
        }
        hf_roll_begin(roll, HF_ROLL_OWN, lanes, options->offset, share, few_max);
        enactor->rolled_ms = roll->stage == HF_ROLL_OWN ? now_ms : enactor->rolled_ms;
        break;
    }
}

/* The own share of one pace does not wait for what others do in another. */
static bool waits_for_look(const struct hf_enactor *enactor, const struct hf_roll *roll,
                           uint64_t now_ms)
{
    bool is_own = roll->stage == HF_ROLL_OWN && !is_told_soon(enactor, now_ms);
    return enactor->looking && hf_roll_is_shared(roll) && !is_own;
}

static uint32_t window_of(const struct hf_enactor *enactor, const struct hf_roll *roll)
{
    bool is_help = roll->stage == HF_ROLL_HELP && enactor->help_256 < enactor->window_256;
    return (is_help ? enactor->help_256 : enactor->window_256) / 256;
}

/*
 * Writes of one pace until the window, and so many beyond it, are in flight; false when there is
 * no room for another action.
 */
static bool pump_pace(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                      enum hf_pace pace, uint32_t beyond, uint64_t now_ms)
{
    const struct hf_bitset *lanes = &enactor->sets[hf_pace_need(pace)];
    struct hf_roll *roll = &enactor->rolls[pace];
    while (lanes->count > 0 && enactor->writes < window_of(enactor, roll) + beyond) {
        if (hf_roll_next(roll, lanes) == HF_BITSET_NONE) {
            next_share(enactor, pace, now_ms);
        }
        if (waits_for_look(enactor, roll, now_ms)) {
            return true;
        }
        if (!pump_write(enactor, outbox, pace, now_ms)) {
            return false;
        }
    }
    if (lanes->count == 0) {
        *roll = (struct hf_roll){.stage = HF_ROLL_NONE};
    }
    return true;
}

static void pump_writes(struct hf_enactor *enactor, struct hf_enactor_outbox *outbox,
                        uint64_t now_ms)
{
    if (pump_pace(enactor, outbox, HF_PACE_FAST, HF_ENACTOR_FAST_RESERVE, now_ms) &&
        pump_pace(enactor, outbox, HF_PACE_CROWD, 0, now_ms)) {
        (void)pump_pace(enactor, outbox, HF_PACE_BULK, 0, now_ms);
    }
}

void hf_enactor_pump(struct hf_enactor *enactor, const struct hf_enactor_event *event,
                     struct hf_enactor_outbox *outbox)
{
    uint64_t now_ms = event->now_ms;
    if (!enactor->plan_known || now_ms < enactor->not_before_ms) {
        return;
    }
    pump_audit(enactor, outbox, now_ms);
    pump_guard(enactor, outbox, now_ms);
    if (!enactor->zone_known) {
        return;
    }
    pump_head(enactor, outbox, now_ms);
    while (enactor->sets[HF_NEED_READ].count > 0 && !is_told_soon(enactor, now_ms) &&
           enactor->reads < HF_ENACTOR_READS_MAX) {
        if (!pump_read(enactor, outbox, now_ms)) {
            return;
        }
    }
    if (enactor->state == HF_ZONE_OPEN && enactor->guard.kind == HF_FENCE_OURS &&
        enactor->guard_op == 0) {
        pump_writes(enactor, outbox, now_ms);
    }
    pump_audit(enactor, outbox, now_ms); /* a rollout may have asked for it */
}
