/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completions: what is believed after an operation, and what is not. */
#include <assert.h>

#include "core/enactor_internal.h"
#include "core/window.h"

enum {
    REFUSALS_IN_A_ROW = 8, /* so many without a success between them are no race any more */
    AUDIT_SHARE = 20,
};

void hf_enactor_back_off(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    if (event->now_ms < enactor->not_before_ms) {
        return; /* many in flight fail together: one failure */
    }
    uint32_t next = enactor->backoff_ms == 0 ? HF_ENACTOR_BACKOFF_MS : enactor->backoff_ms * 2;
    enactor->backoff_ms = next > HF_ENACTOR_BACKOFF_MAX_MS ? HF_ENACTOR_BACKOFF_MAX_MS : next;
    /* Half fixed, half random: enactors that failed together do not come back together. */
    uint32_t half = enactor->backoff_ms / 2;
    enactor->not_before_ms = event->now_ms + half + event->random % (half + 1);
}

static void follow_latency(struct hf_enactor *enactor, uint32_t latency_ms)
{
    enactor->latency_ms =
        enactor->latency_ms == 0 ? latency_ms : (enactor->latency_ms * 7 + latency_ms) / 8;
    uint32_t max_256 = enactor->options.window_max * 256U;
    enactor->help_256 += enactor->help_256 < max_256 ? 256 : 0;
    enactor->window_256 = hf_window_follow(enactor->window_256, max_256, latency_ms);
}

/* What was done about edits of others, so that no fight with them goes on for ever. */
static void count_heal(struct hf_enactor *enactor, struct hf_lane *lane, uint64_t now_ms)
{
    if (now_ms >= hf_lane_heal_until_ms(lane)) {
        lane->heal_until_s = (uint32_t)((now_ms + HF_ENACTOR_HEAL_WINDOW_MS + 999) / 1000);
        lane->heals = 0;
    }
    if (lane->heals < HF_ENACTOR_HEALS_MAX) {
        lane->heals++;
    }
    enactor->counters.healed++;
}

static void lane_written(struct hf_enactor *enactor, struct hf_lane *lane, uint64_t count,
                         uint64_t now_ms)
{
    bool odd = lane->records == HF_RECORDS_OTHER;
    if (hf_lane_was_healed(lane)) {
        count_heal(enactor, lane, now_ms);
    }
    lane->fence = (struct hf_fence){.kind = HF_FENCE_OURS,
                                    .gen = lane->sent_gen,
                                    .sum = lane->sent_sum,
                                    .count = count,
                                    .writer = enactor->options.writer};
    lane->flags &= (uint8_t) ~(unsigned)HF_LANE_AHEAD;
    lane->records = lane->sent_sum == HF_SUM_EMPTY ? HF_RECORDS_NONE : HF_RECORDS_SUM;
    lane->records_sum = lane->sent_sum;
    if (odd) {
        /* Servers ignore additions beside what does not go with them: look soon. */
        lane->records = HF_RECORDS_UNKNOWN;
        enactor->records_doubted = true;
        enactor->next_audit_ms = now_ms;
    }
}

/*
 * Somebody writes what we write. In a rollout that is shared, what they have written is looked at
 * before more is sent; help begins anew, with one message.
 */
static void give_way(struct hf_enactor *enactor, const struct hf_roll *roll, uint64_t now_ms)
{
    if (hf_roll_is_shared(roll) && now_ms >= enactor->next_look_ms) {
        enactor->look_wanted = true;
        enactor->looking = true;
    }
    if (roll->stage == HF_ROLL_OWN) {
        enactor->patient_ms = 0; /* in the own share: that cannot wait until they are done */
    }
    enactor->help_256 = 256;
}

/* A few refusals in a row are races; more of them are something that haste does not help. */
static void note_refusal(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    enactor->refusal_streak++;
    if (enactor->refusal_streak > REFUSALS_IN_A_ROW) {
        enactor->write_failed = true;
        hf_enactor_back_off(enactor, event);
    }
}

void hf_enactor_share_done(struct hf_enactor *enactor, uint64_t now_ms)
{
    enactor->look_wanted = true;
    if (enactor->patient_ms == HF_NEVER) {
        uint64_t took_ms = now_ms - enactor->rolled_ms;
        bool is_short = took_ms < HF_ENACTOR_PATIENCE_MIN_MS;
        enactor->patient_ms = now_ms + (is_short ? HF_ENACTOR_PATIENCE_MIN_MS : took_ms);
    }
}

/* What lies in the server's queue with ours is probably that of others, too. */
static void share_written(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    if (enactor->share_writes == 0 || hf_enactor_op_count(event->op) > enactor->share_op) {
        return;
    }
    enactor->share_writes--;
    if (enactor->share_writes == 0) {
        hf_enactor_share_done(enactor, event->now_ms);
    }
}

static void write_done(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    share_written(enactor, event);
    switch (event->result) {
    case HF_RESULT_OK:
        enactor->refusal_streak = 0;
        enactor->backoff_ms = 0;
        enactor->write_failed = false;
        if (enactor->batch < enactor->options.batch) {
            enactor->batch++;
        }
        follow_latency(enactor, event->latency_ms);
        break;
    case HF_RESULT_REFUSED:
        enactor->counters.refused++;
        enactor->guard.kind = HF_FENCE_UNKNOWN;
        enactor->write_failed = false;
        for (int pace = 0; pace < HF_PACES; pace++) {
            give_way(enactor, &enactor->rolls[pace], event->now_ms);
        }
        note_refusal(enactor, event);
        break;
    default:
        enactor->counters.unknown++;
        enactor->guard.kind = HF_FENCE_UNKNOWN;
        enactor->write_failed = true;
        /* One endpoint that a server cannot bear must not hold up those beside it. */
        enactor->batch = enactor->batch > 1 ? enactor->batch / 2 : 1;
        enactor->window_256 = hf_window_fail(enactor->window_256);
        hf_enactor_back_off(enactor, event);
        break;
    }
}

static void lanes_done(struct hf_enactor *enactor, const struct hf_enactor_op *op,
                       const struct hf_enactor_event *event)
{
    uint32_t next;
    for (uint32_t at = op->lane_first; at != HF_BITSET_NONE; at = next) {
        struct hf_lane *lane = &enactor->lanes[at];
        next = lane->next;
        lane->slot = 0;
        lane->next = HF_BITSET_NONE;
        if (op->kind == HF_ENACTOR_WRITE && event->result == HF_RESULT_OK) {
            lane_written(enactor, lane, op->count, event->now_ms);
            enactor->counters.written++;
        } else if (op->kind == HF_ENACTOR_WRITE) {
            lane->fence.kind = HF_FENCE_UNKNOWN;
        }
        hf_lane_settle(enactor, at, event->now_ms);
    }
}

static void read_done(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    if (event->result != HF_RESULT_OK) {
        hf_enactor_back_off(enactor, event);
    } else if (!enactor->write_failed) {
        enactor->backoff_ms = 0;
    }
}

/* Between two looks that find the same serial several commits of the server must have had time. */
static uint64_t look_pause_ms(const struct hf_enactor *enactor, uint32_t took_ms)
{
    uint64_t pause_ms = (uint64_t)took_ms * HF_ENACTOR_LOOK_SHARE;
    uint64_t commits_ms = (uint64_t)enactor->latency_ms * 2;
    pause_ms = pause_ms > commits_ms ? pause_ms : commits_ms;
    pause_ms = pause_ms > HF_ENACTOR_LOOK_MIN_MS ? pause_ms : HF_ENACTOR_LOOK_MIN_MS;
    return pause_ms < HF_ENACTOR_LOOK_MAX_MS ? pause_ms : HF_ENACTOR_LOOK_MAX_MS;
}

static void zone_done(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    enactor->audit_op = 0;
    enactor->next_look_ms = event->now_ms + look_pause_ms(enactor, event->latency_ms);
    if (event->moving) {
        enactor->look_wanted = true; /* again, until it rests or patience ends */
        hf_bitset_clear(&enactor->auditing);
        return;
    }
    /* Somebody may have asked since this one began, or waits to ask. */
    enactor->looking = enactor->look_wanted || enactor->share_writes > 0;
    if (event->result != HF_RESULT_OK) {
        enactor->records_doubted = true;
        hf_bitset_clear(&enactor->auditing);
        hf_enactor_back_off(enactor, event);
        return;
    }
    read_done(enactor, event);
    /* Looks never take more than a twentieth of the time, however large the zone. */
    uint64_t pause_ms = (uint64_t)event->latency_ms * AUDIT_SHARE;
    pause_ms = pause_ms > enactor->options.audit_ms ? pause_ms : enactor->options.audit_ms;
    if (!event->unchanged || !enactor->records_doubted) {
        enactor->next_audit_ms = event->now_ms + pause_ms;
    }
    if (event->unchanged) {
        hf_bitset_clear(&enactor->auditing);
        enactor->fences_seen = enactor->fences_seen || enactor->audit_fences;
        return;
    }
    for (uint32_t at = hf_bitset_next(&enactor->auditing, 0); at != HF_BITSET_NONE;
         at = hf_bitset_next(&enactor->auditing, at + 1)) {
        struct hf_lane *lane = &enactor->lanes[at];
        lane->fence = (struct hf_fence){.kind = HF_FENCE_ABSENT};
        lane->flags &= (uint8_t) ~(unsigned)HF_LANE_AHEAD;
        lane->records = HF_RECORDS_NONE;
        hf_lane_settle(enactor, at, event->now_ms);
    }
    hf_bitset_clear(&enactor->auditing);
    enactor->fences_seen = enactor->audit_fences;
    enactor->zone_known = true;
}

static void guard_done(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    enactor->guard_op = 0;
    if (event->result == HF_RESULT_OK) {
        enactor->backoff_ms = 0;
        enactor->refusal_streak = 0;
        enactor->write_failed = false;
        hf_enactor_guard_seen(enactor, &enactor->guard_after, event->now_ms);
        return;
    }
    enactor->guard.kind = HF_FENCE_UNKNOWN;
    if (event->result == HF_RESULT_UNKNOWN) {
        enactor->write_failed = true;
        hf_enactor_back_off(enactor, event);
    } else {
        note_refusal(enactor, event);
    }
}

void hf_enactor_done(struct hf_enactor *enactor, const struct hf_enactor_event *event)
{
    struct hf_enactor_op *slot = hf_enactor_op_find(enactor, event->op);
    if (slot == NULL) {
        return;
    }
    struct hf_enactor_op op = *slot;
    slot->number = 0;
    switch (op.kind) {
    case HF_ENACTOR_READ_ZONE:
        zone_done(enactor, event);
        break;
    case HF_ENACTOR_READ:
        enactor->reads--;
        read_done(enactor, event);
        break;
    case HF_ENACTOR_WRITE:
        enactor->writes--;
        write_done(enactor, event);
        break;
    default:
        assert(op.kind == HF_ENACTOR_WRITE_GUARD);
        guard_done(enactor, event);
        break;
    }
    lanes_done(enactor, &op, event);
}
