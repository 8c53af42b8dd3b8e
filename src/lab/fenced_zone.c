/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/fenced_zone.h"

#include <assert.h>
#include <string.h>

enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_TXT = 16, CLASS_IN = 1, CLASS_ANY = 255 };
enum { OWNER_GUARD = 1, OWNER_ENDPOINT = 2, OWNER_FENCE = 16, ANSWER_TTL_S = 30 };
enum { GUARD_OPEN = 1, GEN_SHIFT = 32, WRITER_SHIFT = 24, COUNT_MASK = 0xffffff };

uint64_t hf_fenced_zone_sum(uint64_t plan, uint32_t endpoint)
{
    return plan * 16 + endpoint + 1;
}

static uint64_t fence_rdata(const struct hf_fence *fence)
{
    assert(fence->kind == HF_FENCE_OURS && fence->count <= COUNT_MASK);
    return fence->gen << GEN_SHIFT | (uint64_t)fence->writer << WRITER_SHIFT | fence->count;
}

static struct hf_server_rr fence_rr(uint32_t endpoint, const struct hf_fence *fence)
{
    return (struct hf_server_rr){.owner = (uint8_t)(OWNER_FENCE + endpoint),
                                 .type = TYPE_TXT,
                                 .class = CLASS_IN,
                                 .rdata = fence_rdata(fence),
                                 .has_rdata = true};
}

static struct hf_server_rr answer_rr(uint32_t endpoint, uint64_t plan)
{
    return (struct hf_server_rr){.owner = (uint8_t)(OWNER_ENDPOINT + endpoint),
                                 .type = TYPE_A,
                                 .class = CLASS_IN,
                                 .ttl_s = ANSWER_TTL_S,
                                 .rdata = plan,
                                 .has_rdata = true};
}

static struct hf_server_rr guard_rr(void)
{
    return (struct hf_server_rr){.owner = OWNER_GUARD,
                                 .type = TYPE_TXT,
                                 .class = CLASS_IN,
                                 .rdata = GUARD_OPEN,
                                 .has_rdata = true};
}

/* In an update: deletes the RRset that a record is of. */
static struct hf_server_rr without(struct hf_server_rr rr)
{
    return (struct hf_server_rr){.owner = rr.owner, .type = rr.type, .class = CLASS_ANY};
}

static void put(struct hf_server_zone *zone, struct hf_server_rr rr)
{
    bool there = hf_server_put(zone, &rr);
    assert(there);
    (void)there;
}

void hf_fenced_zone_init(struct hf_server_zone *zone, uint32_t endpoints)
{
    hf_server_zone_init(zone, 1);
    put(zone, guard_rr());
    for (uint32_t e = 0; e < endpoints; e++) {
        struct hf_fence fence = {.kind = HF_FENCE_OURS, .gen = 1};
        put(zone, answer_rr(e, 1));
        put(zone, fence_rr(e, &fence));
    }
}

struct hf_zone_guard hf_fenced_zone_guard(const struct hf_server_zone *zone)
{
    const struct hf_server_rr *rr;
    uint32_t count = hf_server_rrset(zone, OWNER_GUARD, TYPE_TXT, &rr);
    assert(count == 1 && rr->rdata == GUARD_OPEN);
    (void)count;
    return (struct hf_zone_guard){.kind = HF_FENCE_OURS, .instance = HF_FENCED_INSTANCE};
}

struct hf_fence hf_fenced_zone_fence(const struct hf_server_zone *zone, uint32_t endpoint)
{
    const struct hf_server_rr *rr;
    if (hf_server_rrset(zone, (uint8_t)(OWNER_FENCE + endpoint), TYPE_TXT, &rr) != 1) {
        return (struct hf_fence){.kind = HF_FENCE_ABSENT};
    }
    uint64_t gen = rr->rdata >> GEN_SHIFT;
    return (struct hf_fence){.kind = HF_FENCE_OURS,
                             .gen = gen,
                             .sum = hf_fenced_zone_sum(gen, endpoint),
                             .writer = (uint32_t)(rr->rdata >> WRITER_SHIFT & 0xff),
                             .count = rr->rdata & COUNT_MASK};
}

uint32_t hf_fenced_zone_answer(const struct hf_server_zone *zone, uint32_t endpoint)
{
    const struct hf_server_rr *rr;
    uint32_t count = hf_server_rrset(zone, (uint8_t)(OWNER_ENDPOINT + endpoint), TYPE_A, &rr);
    return count == 1 ? (uint32_t)rr->rdata : 0;
}

static void require(struct hf_server_message *message, struct hf_server_rr rr)
{
    assert(message->update_count == 0);
    message->rrs[message->prerequisite_count++] = rr;
}

static void change(struct hf_server_message *message, struct hf_server_rr rr)
{
    message->rrs[message->prerequisite_count + message->update_count++] = without(rr);
    message->rrs[message->prerequisite_count + message->update_count++] = rr;
}

void hf_fenced_zone_message(const struct hf_enactor *enactor,
                            const struct hf_enactor_action *action,
                            struct hf_server_message *ret_message)
{
    memset(ret_message, 0, sizeof(*ret_message));
    ret_message->zone_type = TYPE_SOA;
    ret_message->zone_class = CLASS_IN;
    require(ret_message, guard_rr());
    for (uint32_t e = action->lane_first; e != HF_BITSET_NONE; e = enactor->lanes[e].next) {
        require(ret_message, fence_rr(e, &enactor->lanes[e].fence));
    }
    for (uint32_t e = action->lane_first; e != HF_BITSET_NONE; e = enactor->lanes[e].next) {
        const struct hf_lane *lane = &enactor->lanes[e];
        struct hf_fence fence = {.kind = HF_FENCE_OURS,
                                 .gen = lane->sent_gen,
                                 .writer = enactor->options.writer,
                                 .count = action->count};
        change(ret_message, answer_rr(e, lane->sent_gen));
        change(ret_message, fence_rr(e, &fence));
    }
}

void hf_fenced_zone_trust(struct hf_server_message *message)
{
    memmove(message->rrs, message->rrs + message->prerequisite_count,
            message->update_count * sizeof(message->rrs[0]));
    message->prerequisite_count = 0;
}
