/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of a service: who is next, and who is not worth it any more. */
#include <assert.h>

#include "drill/internal.h"

void hf_queue_push(struct hf_drill *drill, uint16_t number, uint32_t attempt)
{
    struct hf_drill_service_now *service = &drill->services[number];
    assert(service->length < service->room);
    uint32_t place = service->room - service->first > service->length
                         ? service->first + service->length
                         : service->length - (service->room - service->first);
    service->queue[place] = attempt;
    service->length++;
}

static uint32_t pop_oldest(struct hf_drill_service_now *service)
{
    uint32_t attempt = service->queue[service->first];
    service->first = service->first + 1 < service->room ? service->first + 1 : 0;
    service->length--;
    return attempt;
}

static uint32_t pop_newest(struct hf_drill_service_now *service)
{
    service->length--;
    uint32_t place = service->room - service->first > service->length
                         ? service->first + service->length
                         : service->length - (service->room - service->first);
    return service->queue[place];
}

static uint64_t waited_us(const struct hf_drill *drill, uint32_t attempt)
{
    return drill->now_us - drill->attempts[attempt].at_us;
}

/* RFC 8289, section 5: what is dropped while the delay stands above the target. */
static uint64_t control_law(uint64_t at_us, uint64_t interval_us, uint32_t count)
{
    return at_us + (uint64_t)((double)interval_us / __builtin_sqrt((double)count));
}

static bool is_above(const struct hf_drill *drill, const struct hf_drill_service *facts,
                     struct hf_drill_service_now *service, uint32_t attempt)
{
    struct hf_codel *codel = &service->codel;
    if (waited_us(drill, attempt) < facts->codel_target_us || service->length == 0) {
        codel->above_since_us = 0;
        return false;
    }
    if (codel->above_since_us == 0) {
        codel->above_since_us = drill->now_us + facts->codel_interval_us;
        return false;
    }
    return drill->now_us >= codel->above_since_us;
}

static bool codel_drops(const struct hf_drill *drill, const struct hf_drill_service *facts,
                        struct hf_drill_service_now *service, uint32_t attempt)
{
    struct hf_codel *codel = &service->codel;
    uint64_t now_us = drill->now_us, interval_us = facts->codel_interval_us;
    bool above = is_above(drill, facts, service, attempt);
    if (codel->is_dropping) {
        if (!above) {
            codel->is_dropping = false;
        } else if (now_us >= codel->drop_next_us) {
            codel->count++;
            codel->drop_next_us = control_law(codel->drop_next_us, interval_us, codel->count);
            return true;
        }
        return false;
    }
    if (!above) {
        return false;
    }
    codel->is_dropping = true;
    bool is_recent = codel->drop_next_us > 0 && now_us - codel->drop_next_us < 16 * interval_us &&
                     now_us >= codel->drop_next_us;
    codel->count = is_recent && codel->count > 2 ? codel->count - 2 : 1;
    codel->drop_next_us = control_law(now_us, interval_us, codel->count);
    return true;
}

/* No empty queue for an interval: it stands. Then nobody waits longer than the target. */
static uint32_t pop_bounded(struct hf_drill *drill, const struct hf_drill_service *facts,
                            struct hf_drill_service_now *service)
{
    bool stands = drill->now_us - service->codel.empty_us > facts->codel_interval_us;
    uint64_t bound_us = stands ? facts->codel_target_us : facts->codel_interval_us;
    while (service->length > 0 && waited_us(drill, service->queue[service->first]) > bound_us) {
        hf_service_drop(drill, pop_oldest(service));
    }
    if (service->length == 0) {
        return HF_DRILL_NOBODY;
    }
    return stands ? pop_newest(service) : pop_oldest(service);
}

static uint32_t pop_one(struct hf_drill *drill, const struct hf_drill_service *facts,
                        struct hf_drill_service_now *service)
{
    switch (service->discipline) {
    case HF_DRILL_LIFO:
        return pop_newest(service);
    case HF_DRILL_ADAPTIVE_LIFO:
        return service->length > facts->lifo_above ? pop_newest(service) : pop_oldest(service);
    case HF_DRILL_CODEL_LIFO:
        return pop_bounded(drill, facts, service);
    default:
        return pop_oldest(service);
    }
}

uint32_t hf_queue_pop(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_service *facts = &drill->scenario.services[number];
    struct hf_drill_service_now *service = &drill->services[number];
    while (service->length > 0) {
        uint32_t attempt = pop_one(drill, facts, service);
        if (attempt == HF_DRILL_NOBODY) {
            break;
        }
        bool is_expired =
            facts->drop_expired && drill->attempts[attempt].deadline_us <= drill->now_us;
        if (!is_expired && (service->discipline != HF_DRILL_CODEL ||
                            !codel_drops(drill, facts, service, attempt))) {
            return attempt;
        }
        hf_service_drop(drill, attempt);
    }
    return HF_DRILL_NOBODY;
}
