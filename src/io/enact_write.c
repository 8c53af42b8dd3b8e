/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WRITE and WRITE_GUARD: lanes become UPDATE messages.
 *
 * A lane's change is built from the plan's entry, and only if that entry is the very one that the
 * machine decided to write. Lanes that do not fit into one message go into further ones of the
 * same operation, whose result is the worst of theirs.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum { FAST_REST_MS = 30000 }; /* of the fast connection after it failed */

struct write_op {
    struct hf_enact_zone *zone;
    struct hf_dns_outcome outcome; /* of the worst message */
    char why[HF_DNS_WHY_MAX];
    enum hf_result result;
    uint32_t op, open;
    struct hf_dns *dns;
    uint32_t lane_first; /* chained in the machine until the operation is done */
};

static int severity(enum hf_result result)
{
    switch (result) {
    case HF_RESULT_OK:
        return 0;
    case HF_RESULT_REFUSED:
        return 1;
    default:
        return 2;
    }
}

static void note_outcome(struct write_op *op, enum hf_result result,
                         const struct hf_dns_outcome *outcome)
{
    if (severity(result) > severity(op->result) || op->outcome.why == NULL) {
        op->result = result;
        op->outcome = *outcome;
        (void)snprintf(op->why, sizeof(op->why), "%s", outcome->why != NULL ? outcome->why : "");
        op->outcome.why = op->why;
    }
    if (outcome->latency_ms > op->outcome.latency_ms) {
        op->outcome.latency_ms = outcome->latency_ms;
    }
}

/* What lanes answered with until now; but not what they answer with and the plan replaced since. */
static void forget_replaced(const struct write_op *op)
{
    struct hf_past *past = &op->zone->past;
    const struct hf_lane *lanes = op->zone->machine.lanes;
    struct hf_records records;
    for (uint32_t at = op->lane_first; at != HF_BITSET_NONE && past->kept > 0;
         at = lanes[at].next) {
        if (!hf_past_find(past, at, lanes[at].sent_sum, &records)) {
            hf_past_drop(past, at);
        }
    }
}

/* Of plans that only rotate picks, and of those too old to know, at level debug. */
static void log_written(const struct write_op *op)
{
    const struct hf_enact_zone *zone = op->zone;
    const struct hf_lane *lanes = zone->machine.lanes;
    char first[HF_NAME_TEXT_MAX];
    uint64_t gen = 0;
    uint32_t count = 0;
    if (op->lane_first == HF_BITSET_NONE) {
        return; /* the zone guard */
    }
    for (uint32_t at = op->lane_first; at != HF_BITSET_NONE; at = lanes[at].next) {
        gen = lanes[at].sent_gen > gen ? lanes[at].sent_gen : gen;
        count++;
    }
    uint64_t cid = hf_plan_cid(&zone->enact->plan, gen);
    hf_name_text(hf_plan_owner(&zone->enact->plan, zone->lane_rows[op->lane_first]), first);
    hf_log(zone->enact->log, cid != 0 ? HF_LOG_INFO : HF_LOG_DEBUG, "written",
           "zone=%s gen=%llu endpoints=%u first=%s ms=%llu cid=%016llx", zone->zone->name,
           (unsigned long long)gen, count, first, (unsigned long long)op->outcome.latency_ms,
           (unsigned long long)cid);
}

static void finish_one(struct write_op *op)
{
    op->open--;
    if (op->open > 0) {
        return;
    }
    if (op->result == HF_RESULT_OK) {
        forget_replaced(op);
        log_written(op);
    }
    if (!op->zone->enact->stopping) {
        hf_enact_note_write(op->zone, op->result, op->lane_first);
    }
    hf_enact_done(op->zone, op->op, op->result, &op->outcome);
    free(op);
}

/* A server may let us have one connection and not two: urgent writes take the other one then. */
static void note_line(const struct write_op *op, const struct hf_dns_outcome *outcome)
{
    struct hf_enact_zone *zone = op->zone;
    bool is_lost = outcome->result == HF_ECONN || outcome->result == HF_ETIMEOUT;
    if (op->dns == zone->fast && is_lost) {
        zone->fast_again_ms = uv_now(&zone->enact->loop) + FAST_REST_MS;
    }
}

static void on_updated(void *context, const struct hf_dns_outcome *outcome)
{
    struct write_op *op = context;
    note_line(op, outcome);
    note_outcome(op, hf_target_result(outcome), outcome);
    finish_one(op);
}

static void send_update(struct write_op *op, struct hf_update *update)
{
    op->open++;
    int error = hf_dns_update(op->dns, update, on_updated, op);
    hf_update_free(update);
    if (error != HF_OK) {
        struct hf_dns_outcome failed = {.result = error, .why = hf_strerror(error)};
        note_line(op, &failed);
        note_outcome(op, HF_RESULT_UNKNOWN, &failed);
        op->open--;
    }
}

/* A TXT set of one record. */
struct one_txt {
    uint8_t bytes[2 + HF_FENCE_RDATA_MAX];
    size_t size;
};

static void one_txt_seal(struct one_txt *txt, size_t rdata_size)
{
    txt->bytes[0] = (uint8_t)(rdata_size >> 8);
    txt->bytes[1] = (uint8_t)rdata_size;
    txt->size = rdata_size + 2;
}

static struct hf_txt_set guard_set(const struct hf_enact_zone *zone,
                                   const struct hf_zone_guard *guard, struct one_txt *room)
{
    if (guard->kind == HF_FENCE_ABSENT) {
        return (struct hf_txt_set){0};
    }
    assert(guard->kind == HF_FENCE_OURS);
    size_t size;
    hf_zone_guard_format(zone->enact->config->installation, guard, room->bytes + 2, &size);
    one_txt_seal(room, size);
    return (struct hf_txt_set){.bytes = room->bytes, .size = room->size};
}

static struct hf_txt_set fence_set(const struct hf_enact_zone *zone, uint32_t lane_number,
                                   struct one_txt *room)
{
    const struct hf_fence *fence = &zone->machine.lanes[lane_number].fence;
    if (fence->kind == HF_FENCE_ABSENT) {
        return (struct hf_txt_set){0};
    }
    if (fence->kind == HF_FENCE_OURS) {
        size_t size;
        const struct hf_enact *enact = zone->enact;
        hf_fence_format(enact->config->installation, enact->writers[fence->writer], fence,
                        room->bytes + 2, &size);
        one_txt_seal(room, size);
        return (struct hf_txt_set){.bytes = room->bytes, .size = room->size};
    }
    const struct hf_enact_raw *raw = hf_enact_raw_find(zone, lane_number);
    return (struct hf_txt_set){.bytes = raw->bytes, .size = raw->size};
}

/* An odd fence whose bytes are not kept: a transfer under way has seen another since. */
static bool fence_is_lost(const struct hf_enact_zone *zone, uint32_t lane_number)
{
    uint8_t kind = zone->machine.lanes[lane_number].fence.kind;
    return (kind == HF_FENCE_DAMAGED || kind == HF_FENCE_ALIEN) &&
           hf_enact_raw_find(zone, lane_number) == NULL;
}

/* What may be demanded of, or done to, the RRsets that lie there. */
static void fill_records(const struct hf_enact_zone *zone, uint32_t lane_number,
                         const struct hf_plan_entry *entry, struct hf_update_change *change)
{
    const struct hf_lane *lane = &zone->machine.lanes[lane_number];
    change->after = entry->records;
    change->expect = HF_EXPECT_ANY;
    if (lane->fence.kind != HF_FENCE_ABSENT) {
        /* A tombstone says that nothing is there: everything is deleted. */
        if (lane->sent_sum != HF_SUM_EMPTY && hf_lane_is_audited(lane) &&
            hf_enact_records_of(zone, lane_number, lane->fence.sum, &change->before)) {
            change->expect = HF_EXPECT_AUDITED;
        }
        return;
    }
    if (lane->records == HF_RECORDS_NONE) {
        change->expect = HF_EXPECT_NONE;
    } else if (lane->records == HF_RECORDS_SUM && lane->records_sum == entry->sum) {
        change->expect = HF_EXPECT_EXACT;
        change->before = entry->records;
        change->fence_only = true;
    }
}

/* Adds a lane's change; HF_ESTALE when plan or fence is not what the machine knows any more. */
static int add_lane(struct hf_enact_zone *zone, struct hf_update *update,
                    const struct hf_enactor_action *action, uint32_t lane_number)
{
    const struct hf_lane *lane = &zone->machine.lanes[lane_number];
    struct hf_plan_entry entry;
    hf_plan_get(&zone->enact->plan, zone->lane_rows[lane_number], &entry);
    if (entry.gen != lane->sent_gen || entry.sum != lane->sent_sum ||
        fence_is_lost(zone, lane_number)) {
        return HF_ESTALE;
    }
    struct hf_update_change change = {.endpoint = entry.owner};
    struct one_txt before;
    uint8_t after[HF_FENCE_RDATA_MAX];
    change.fence_before = fence_set(zone, lane_number, &before);
    struct hf_fence fence = {.kind = HF_FENCE_OURS,
                             .gen = lane->sent_gen,
                             .sum = lane->sent_sum,
                             .count = action->count};
    hf_fence_format(zone->enact->config->installation, zone->enact->writers[0], &fence, after,
                    &change.fence_after_size);
    change.fence_after = after;
    fill_records(zone, lane_number, &entry, &change);
    return hf_update_add(update, &change);
}

static struct hf_update *begin_update(struct hf_enact_zone *zone, const struct hf_zone_guard *guard,
                                      const struct hf_zone_guard *guard_after)
{
    struct one_txt before;
    uint8_t after[HF_FENCE_RDATA_MAX];
    size_t after_size = 0;
    struct hf_txt_set set = guard_set(zone, guard, &before);
    if (guard_after != NULL) {
        hf_zone_guard_format(zone->enact->config->installation, guard_after, after, &after_size);
    }
    return hf_update_begin(zone->zone->apex, &set, guard_after != NULL ? after : NULL, after_size,
                           zone->has_key ? &zone->key : NULL);
}

static struct write_op *op_new(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    struct write_op *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        abort();
    }
    op->zone = zone;
    op->op = action->op;
    bool is_fast = action->fast && uv_now(&zone->enact->loop) >= zone->fast_again_ms;
    op->dns = is_fast ? zone->fast : zone->dns;
    op->lane_first = action->lane_first;
    op->result = HF_RESULT_OK;
    op->open = 1; /* until all messages are sent */
    return op;
}

void hf_enact_write(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    struct write_op *op = op_new(zone, action);
    struct hf_update *update = begin_update(zone, &action->guard, NULL);
    uint32_t lane = action->lane_first;
    while (lane != HF_BITSET_NONE) {
        int error = add_lane(zone, update, action, lane);
        if (error == HF_ELIMIT && hf_update_count(update) > 0) {
            send_update(op, update);
            update = begin_update(zone, &action->guard, NULL);
            continue; /* the same lane into the next message */
        }
        if (error != HF_OK) {
            /* Nothing of this lane was sent: reading again is all that it costs. */
            note_outcome(op, HF_RESULT_REFUSED,
                         &(struct hf_dns_outcome){.result = error, .why = hf_strerror(error)});
        }
        lane = zone->machine.lanes[lane].next;
    }
    if (hf_update_count(update) > 0) {
        send_update(op, update);
    } else {
        hf_update_free(update);
    }
    finish_one(op);
}

void hf_enact_write_guard(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    struct write_op *op = op_new(zone, action);
    send_update(op, begin_update(zone, &action->guard, &action->guard_after));
    finish_one(op);
}
