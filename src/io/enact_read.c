/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ: the guard and single fences by pipelined queries; the records of a lane where it has no
 * fence, or where the lanes are few: then no audit of the whole zone has to vouch for them. They
 * are read after the fence; where others write between the two, they do not match, and the repair
 * that is then tried is refused. The answers of one READ are given to the machine together, the
 * guard first.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/enact_internal.h"

enum { RECORDS_OF_MAX = 16 }; /* lanes of a READ whose records are read in any case */

enum read_stage {
    READ_FENCE,
    READ_A,
    READ_AAAA,
};

struct read_op;

/* One name that is asked for: the guard (lane UINT32_MAX) or a lane. */
struct read_item {
    struct read_op *op;
    uint32_t lane;
    enum read_stage stage;
    struct hf_fence fence;
    struct hf_enact_txt *txt; /* while the fence is asked for */
    uint8_t *a;               /* records, made when the first comes */
    uint8_t *aaaa;
    uint32_t ttl_s;
    uint16_t a_count, aaaa_count;
    bool other; /* a CNAME, TTLs that differ, too many */
};

struct read_op {
    struct hf_enact_zone *zone;
    struct read_item *items;
    struct hf_dns_outcome outcome; /* the first that failed */
    char why[HF_DNS_WHY_MAX];
    enum hf_result result;
    uint32_t op, item_count, open;
};

static void ask(struct read_item *item);

static const uint8_t *owner_of(const struct read_item *item)
{
    struct hf_enact_zone *zone = item->op->zone;
    return hf_plan_owner(&zone->enact->plan, zone->lane_rows[item->lane]);
}

static bool note_address(uint8_t **bytes, uint16_t *count, const struct hf_dns_record *record,
                         size_t size)
{
    if (record->rdata_size != size || *count == HF_RECORDS_MAX) {
        return false;
    }
    if (*bytes == NULL) {
        *bytes = calloc(HF_RECORDS_MAX, size);
        if (*bytes == NULL) {
            abort();
        }
    }
    memcpy(*bytes + *count * size, record->rdata, size);
    (*count)++;
    return true;
}

static void on_record(void *context, const struct hf_dns_record *record)
{
    struct read_item *item = context;
    if (item->stage == READ_FENCE) {
        if (record->type == KNOT_RRTYPE_TXT) {
            hf_enact_txt_add(item->txt, record->rdata, record->rdata_size);
        } else {
            item->txt->overflow = true; /* a CNAME where a fence belongs */
        }
        return;
    }
    bool first = item->a_count + item->aaaa_count == 0;
    bool fits = false;
    if (record->type == KNOT_RRTYPE_A) {
        fits = note_address(&item->a, &item->a_count, record, 4);
    } else if (record->type == KNOT_RRTYPE_AAAA) {
        fits = note_address(&item->aaaa, &item->aaaa_count, record, 16);
    }
    item->other = item->other || !fits || (!first && record->ttl_s != item->ttl_s);
    item->ttl_s = record->ttl_s;
}

static void item_records(const struct read_item *item, struct hf_enactor_event *event)
{
    uint8_t bytes[HF_RECORDS_BYTES_MAX];
    if (item->other) {
        event->records = HF_RECORDS_OTHER;
        return;
    }
    if (item->a_count + item->aaaa_count == 0) {
        event->records = HF_RECORDS_NONE;
        event->sum = HF_SUM_EMPTY;
        return;
    }
    struct hf_records records = {.bytes = bytes, .ttl_s = item->ttl_s};
    if (item->a_count > 0) {
        records.a_count = hf_records_sort(item->a, item->a_count, 4);
        memcpy(bytes, item->a, records.a_count * 4U);
    }
    if (item->aaaa_count > 0) {
        records.aaaa_count = hf_records_sort(item->aaaa, item->aaaa_count, 16);
        memcpy(bytes + records.a_count * 4U, item->aaaa, records.aaaa_count * 16U);
    }
    event->records = HF_RECORDS_SUM;
    event->sum = hf_records_sum(owner_of(item), &records);
}

static void tell(struct read_op *op, const struct read_item *item)
{
    struct hf_enact_zone *zone = op->zone;
    struct hf_enactor_event event = {.op = op->op, .lane = item->lane};
    if (item->lane == UINT32_MAX) {
        event.type = HF_ENACTOR_EV_GUARD;
        hf_enact_guard_of(zone, item->txt, &event.guard);
        hf_enact_guard_note(zone, &event.guard);
    } else {
        event.type = HF_ENACTOR_EV_SEEN;
        event.fence = item->fence;
        if (item->stage == READ_AAAA) {
            item_records(item, &event);
        }
    }
    hf_enact_feed(zone, &event);
    if (item->lane != UINT32_MAX) {
        hf_enact_settle_past(zone, item->lane);
    }
}

static void op_free(struct read_op *op)
{
    for (uint32_t i = 0; i < op->item_count; i++) {
        free(op->items[i].txt);
        free(op->items[i].a);
        free(op->items[i].aaaa);
    }
    free(op->items);
    free(op);
}

static void op_finish(struct read_op *op)
{
    struct hf_enact_zone *zone = op->zone;
    if (zone->enact->stopping) {
        op_free(op);
        return;
    }
    if (op->result == HF_RESULT_OK) {
        for (uint32_t i = 0; i < op->item_count; i++) {
            tell(op, &op->items[i]);
        }
    }
    hf_enact_done(zone, op->op, op->result, &op->outcome);
    op_free(op);
}

static void item_failed(struct read_item *item, const struct hf_dns_outcome *outcome)
{
    struct read_op *op = item->op;
    if (op->result == HF_RESULT_OK) {
        op->result = HF_RESULT_UNKNOWN;
        op->outcome = *outcome;
        (void)snprintf(op->why, sizeof(op->why), "%s", outcome->why != NULL ? outcome->why : "");
        op->outcome.why = op->why;
    }
}

static void on_done(void *context, const struct hf_dns_outcome *outcome)
{
    struct read_item *item = context;
    struct read_op *op = item->op;
    bool well = outcome->result == HF_OK &&
                (outcome->rcode == KNOT_RCODE_NOERROR || outcome->rcode == KNOT_RCODE_NXDOMAIN);
    if (!well) {
        item_failed(item, outcome);
    } else if (item->lane != UINT32_MAX && !op->zone->enact->stopping) {
        if (item->stage == READ_FENCE) {
            hf_enact_fence_of(op->zone, item->lane, item->txt, &item->fence);
        }
        bool wants_records =
            item->fence.kind == HF_FENCE_ABSENT || op->item_count <= RECORDS_OF_MAX + 1;
        if (wants_records && item->stage != READ_AAAA) {
            item->stage = item->stage == READ_FENCE ? READ_A : READ_AAAA;
            ask(item);
        }
    }
    op->open--;
    if (op->open == 0) {
        op_finish(op);
    }
}

static void ask(struct read_item *item)
{
    static const uint16_t types[] = {KNOT_RRTYPE_TXT, KNOT_RRTYPE_A, KNOT_RRTYPE_AAAA};
    struct hf_enact_zone *zone = item->op->zone;
    uint8_t fence_owner[HF_NAME_MAX];
    const uint8_t *owner = zone->guard_owner;
    int error = HF_OK;
    if (item->lane != UINT32_MAX && item->stage == READ_FENCE) {
        error = hf_name_fence_of(owner_of(item), fence_owner);
        owner = fence_owner;
    } else if (item->lane != UINT32_MAX) {
        owner = owner_of(item);
    }
    if (error == HF_OK) {
        error = hf_dns_query(zone->dns, owner, types[item->stage], on_record, on_done, item);
    }
    if (error == HF_OK) {
        item->op->open++;
        return;
    }
    item_failed(item, &(struct hf_dns_outcome){.result = error, .why = hf_strerror(error)});
}

static void item_init(struct read_item *item, struct read_op *op, uint32_t lane)
{
    *item = (struct read_item){.op = op, .lane = lane, .stage = READ_FENCE};
    item->txt = calloc(1, sizeof(*item->txt));
    if (item->txt == NULL) {
        abort();
    }
}

void hf_enact_read(struct hf_enact_zone *zone, const struct hf_enactor_action *action)
{
    struct read_op *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        abort();
    }
    op->zone = zone;
    op->op = action->op;
    op->item_count = action->lane_count + 1;
    op->items = calloc(op->item_count, sizeof(*op->items));
    if (op->items == NULL) {
        abort();
    }
    item_init(&op->items[0], op, UINT32_MAX);
    uint32_t lane = action->lane_first;
    for (uint32_t i = 1; i < op->item_count; i++) {
        assert(lane != HF_BITSET_NONE);
        item_init(&op->items[i], op, lane);
        lane = zone->machine.lanes[lane].next;
    }
    op->open = 1; /* until all are asked */
    for (uint32_t i = 0; i < op->item_count; i++) {
        ask(&op->items[i]);
    }
    op->open--;
    if (op->open == 0) {
        op_finish(op);
    }
}
