/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers, what they work on, and what that calls. */
#include <assert.h>

#include "drill/internal.h"

static struct hf_drill_service_bucket *counts_of(struct hf_drill *drill, uint16_t service)
{
    return &drill->services[service].buckets[drill->bucket];
}

void hf_service_account(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    double passed_us = (double)(drill->now_us - service->changed_us);
    service->changed_us = drill->now_us;
    service->system_area_us += passed_us * (service->busy + service->length);
    service->busy_us += passed_us * service->busy;
}

static uint32_t attempt_new(struct hf_drill_service_now *service, struct hf_attempt *attempts)
{
    uint32_t attempt = service->attempt_free;
    if (attempt != HF_DRILL_NOBODY) {
        service->attempt_free = attempts[attempt].op;
        return attempt;
    }
    return service->attempt_fresh < service->attempt_count
               ? service->attempt_first + service->attempt_fresh++
               : HF_DRILL_NOBODY;
}

static void attempt_free(struct hf_drill *drill, uint32_t attempt)
{
    struct hf_attempt *freed = &drill->attempts[attempt];
    struct hf_drill_service_now *service = &drill->services[freed->service];
    freed->flags = 0;
    freed->op = service->attempt_free;
    service->attempt_free = attempt;
}

static bool can_begin(const struct hf_drill *drill, const struct hf_drill_service_now *service)
{
    return service->busy < service->workers && service->speed > 0 &&
           drill->now_us >= service->down_until_us;
}

static void begin(struct hf_drill *drill, uint16_t number, uint32_t attempt)
{
    struct hf_drill_service_now *service = &drill->services[number];
    struct hf_attempt *begun = &drill->attempts[attempt];
    uint64_t wait_us = drill->now_us - begun->at_us;
    if (drill->is_measuring) {
        service->waits++;
        service->wait_us += (double)wait_us;
        service->wait_max_us = wait_us > service->wait_max_us ? wait_us : service->wait_max_us;
    }
    double work_us = hf_rng_dist(&service->rng, &drill->scenario.services[number].time);
    work_us *= (begun->flags & HF_ATTEMPT_SLOW) != 0 ? service->slow : 1;
    work_us /= service->speed;
    double load = drill->scenario.manager_count > 0 ? hf_manager_load(drill, number) : 0;
    if (load > 0) {
        double left = 1 - load / service->workers;
        work_us /= left > 0.01 ? left : 0.01;
    }
    begun->at_us = drill->now_us;
    begun->flags |= HF_ATTEMPT_WORKING;
    service->busy++;
    hf_drill_at(drill, hf_drill_after(drill, work_us), HF_EVENT_FINISH, attempt);
}

static void begin_next(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    while (service->length > 0 && can_begin(drill, service)) {
        uint32_t attempt = hf_queue_pop(drill, number);
        if (attempt == HF_DRILL_NOBODY) {
            break;
        }
        begin(drill, number, attempt);
    }
    if (service->length == 0) {
        service->codel.empty_us = drill->now_us;
    }
}

/* A worker is free again. */
static void release(struct hf_drill *drill, uint16_t number, uint32_t attempt)
{
    struct hf_drill_service_now *service = &drill->services[number];
    hf_service_account(drill, number);
    drill->attempts[attempt].flags &= (uint8_t)~HF_ATTEMPT_WORKING;
    assert(service->busy > 0);
    service->busy--;
    uint64_t handover_us = drill->scenario.services[number].handover_us;
    if (handover_us > 0) {
        hf_drill_at(drill, drill->now_us + handover_us, HF_EVENT_PULL, number);
    } else {
        begin_next(drill, number);
    }
}

void hf_service_pull(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    if (service->length == 0 || !can_begin(drill, service)) {
        return; /* somebody was faster */
    }
    hf_service_account(drill, number);
    uint32_t attempt = hf_queue_pop(drill, number);
    if (attempt != HF_DRILL_NOBODY) {
        begin(drill, number, attempt);
    }
    if (service->length == 0) {
        service->codel.empty_us = drill->now_us;
    }
}

static bool is_shed(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    uint32_t from = drill->scenario.services[number].shed_from;
    if (service->length >= service->bound) {
        return true;
    }
    return from > 0 && service->length >= from &&
           hf_rng_chance(&service->rng,
                         (service->length - from + 1.0) / (service->bound - from + 1.0));
}

static bool is_throttled(struct hf_drill *drill, struct hf_drill_service_now *service)
{
    if (service->rate_max <= 0) {
        return false;
    }
    double passed_s = (double)(drill->now_us - service->tokens_us) / HF_DRILL_SECOND_US;
    double depth = service->rate_max > 1 ? service->rate_max : 1;
    service->tokens += passed_s * service->rate_max;
    service->tokens = service->tokens < depth ? service->tokens : depth;
    service->tokens_us = drill->now_us;
    if (service->tokens < 1) {
        return true;
    }
    service->tokens -= 1;
    return false;
}

/* By the nodes in front of it, which may be none, or ones that do not work. */
static enum hf_arrival route(struct hf_drill *drill, uint16_t number)
{
    uint16_t fleet = drill->scenario.services[number].fleet;
    if (fleet == HF_DRILL_NONE) {
        return HF_ARRIVAL_TAKEN;
    }
    const struct hf_fleet_now *now = &drill->fleets[fleet];
    if (now->serving == 0) {
        return HF_ARRIVAL_REFUSED;
    }
    double dead = (double)(now->serving - now->serving_good) / now->serving;
    return hf_rng_chance(&drill->services[number].rng, dead) ? HF_ARRIVAL_LOST : HF_ARRIVAL_TAKEN;
}

static enum hf_arrival refuse(struct hf_drill *drill, uint16_t number)
{
    counts_of(drill, number)->refused++;
    return HF_ARRIVAL_REFUSED;
}

static void note_queue(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    struct hf_drill_service_bucket *counts = counts_of(drill, number);
    counts->queue_peak =
        service->length > counts->queue_peak ? service->length : counts->queue_peak;
    if (drill->is_measuring && service->length > service->queue_peak) {
        service->queue_peak = service->length;
        service->queue_peak_at_us = drill->now_us;
    }
}

enum hf_arrival hf_service_arrive(struct hf_drill *drill, uint16_t number, uint32_t op,
                                  uint64_t deadline_us, uint32_t *ret_attempt)
{
    struct hf_drill_service_now *service = &drill->services[number];
    enum hf_arrival routed = route(drill, number);
    counts_of(drill, number)->arrived++;
    if (routed == HF_ARRIVAL_LOST) {
        return routed;
    }
    bool begins = can_begin(drill, service);
    if (routed == HF_ARRIVAL_REFUSED || drill->now_us < service->down_until_us ||
        is_throttled(drill, service) || (!begins && is_shed(drill, number))) {
        return refuse(drill, number);
    }
    uint32_t attempt = attempt_new(service, drill->attempts);
    if (attempt == HF_DRILL_NOBODY) {
        return refuse(drill, number);
    }
    drill->attempts[attempt] = (struct hf_attempt){
        .at_us = drill->now_us, .deadline_us = deadline_us, .op = op, .service = number};
    if (service->slow_left > 0) {
        service->slow_left--;
        drill->attempts[attempt].flags = HF_ATTEMPT_SLOW;
    }
    hf_service_account(drill, number);
    if (begins) {
        begin(drill, number, attempt);
    } else {
        hf_queue_push(drill, number, attempt);
        note_queue(drill, number);
    }
    *ret_attempt = attempt;
    return HF_ARRIVAL_TAKEN;
}

void hf_service_drop(struct hf_drill *drill, uint32_t attempt)
{
    counts_of(drill, drill->attempts[attempt].service)->dropped++;
    hf_call_refused(drill, attempt);
    attempt_free(drill, attempt);
}

static void count_work(struct hf_drill *drill, const struct hf_attempt *attempt, bool is_wanted)
{
    struct hf_drill_service_now *service = &drill->services[attempt->service];
    bool frees = drill->scenario.services[attempt->service].free_worker;
    double work_us = frees ? attempt->work_us : (double)(drill->now_us - attempt->at_us);
    struct hf_drill_service_bucket *counts = counts_of(drill, attempt->service);
    counts->good += is_wanted;
    counts->wasted += !is_wanted;
    if (!is_wanted && attempt->op < drill->holder_count) {
        uint16_t manager = drill->links[drill->ops[attempt->op].link].owner;
        drill->managers[manager].buckets[drill->bucket].overtaken++;
    }
    if (is_wanted) {
        service->second_good_us += work_us;
    } else {
        service->second_wasted_us += work_us;
        service->wasted_us += work_us;
    }
}

static void done(struct hf_drill *drill, uint32_t attempt)
{
    struct hf_attempt *ended = &drill->attempts[attempt];
    uint16_t number = ended->service;
    bool is_good = (ended->flags & HF_ATTEMPT_CALL_FAILED) == 0;
    bool is_wanted = hf_call_reply(drill, attempt, is_good) && is_good;
    count_work(drill, ended, is_wanted);
    bool works = (ended->flags & HF_ATTEMPT_WORKING) != 0;
    if (works) {
        release(drill, number, attempt);
    }
    attempt_free(drill, attempt);
}

/* One call, or all of them at once; what cannot even begin has failed. */
static void make_calls(struct hf_drill *drill, uint32_t attempt)
{
    struct hf_attempt *caller = &drill->attempts[attempt];
    const struct hf_drill_service *facts = &drill->scenario.services[caller->service];
    uint8_t until = facts->parallel ? facts->call_count : (uint8_t)(caller->call + 1);
    caller->pending++; /* so that it does not end while calls begin */
    while (caller->call < until) {
        uint8_t link = drill->service_links[caller->service][caller->call++];
        uint32_t op = hf_op_new(drill, link);
        caller->pending++;
        if (op == HF_DRILL_NOBODY) {
            hf_service_called(drill, attempt, false);
            continue;
        }
        drill->ops[op].parent = attempt;
        hf_call_begin(drill, op);
    }
    hf_service_called(drill, attempt, true);
}

void hf_service_called(struct hf_drill *drill, uint32_t attempt, bool is_good)
{
    struct hf_attempt *caller = &drill->attempts[attempt];
    const struct hf_drill_service *facts = &drill->scenario.services[caller->service];
    caller->flags |= is_good ? 0 : HF_ATTEMPT_CALL_FAILED;
    assert(caller->pending > 0);
    caller->pending--;
    if (caller->pending > 0) {
        return;
    }
    if ((caller->flags & HF_ATTEMPT_STOPPED) != 0) {
        attempt_free(drill, attempt);
    } else if (caller->call < facts->call_count && (caller->flags & HF_ATTEMPT_CALL_FAILED) == 0) {
        make_calls(drill, attempt);
    } else {
        done(drill, attempt);
    }
}

void hf_service_finish(struct hf_drill *drill, uint32_t attempt)
{
    struct hf_attempt *ended = &drill->attempts[attempt];
    const struct hf_drill_service *facts = &drill->scenario.services[ended->service];
    if ((ended->flags & HF_ATTEMPT_STOPPED) != 0) {
        attempt_free(drill, attempt);
        return;
    }
    uint64_t work_us = drill->now_us - ended->at_us;
    ended->work_us = work_us < UINT32_MAX ? (uint32_t)work_us : UINT32_MAX;
    if (facts->call_count == 0) {
        done(drill, attempt);
        return;
    }
    ended->flags |= HF_ATTEMPT_CALLING;
    if (facts->free_worker) {
        release(drill, ended->service, attempt);
    }
    make_calls(drill, attempt);
}

/* The worker turns to something else; calls under way, or the event of its work, come to nothing.
 */
static void abandon(struct hf_drill *drill, uint32_t attempt)
{
    struct hf_attempt *left = &drill->attempts[attempt];
    count_work(drill, left, false);
    left->flags |= HF_ATTEMPT_STOPPED | HF_ATTEMPT_GIVEN_UP;
}

void hf_service_stop(struct hf_drill *drill, uint32_t attempt)
{
    const struct hf_attempt *left = &drill->attempts[attempt];
    if ((left->flags & HF_ATTEMPT_WORKING) == 0 || (left->flags & HF_ATTEMPT_STOPPED) != 0) {
        return;
    }
    abandon(drill, attempt);
    release(drill, left->service, attempt);
}

void hf_service_restart(struct hf_drill *drill, uint16_t number)
{
    const struct hf_drill_service *facts = &drill->scenario.services[number];
    struct hf_drill_service_now *service = &drill->services[number];
    hf_service_account(drill, number);
    service->down_until_us = drill->now_us + facts->restart_us;
    uint32_t attempts = service->attempt_first + service->attempt_fresh;
    for (uint32_t i = service->attempt_first; i < attempts; i++) {
        struct hf_attempt *attempt = &drill->attempts[i];
        bool is_under_way = (attempt->flags & (HF_ATTEMPT_WORKING | HF_ATTEMPT_CALLING)) != 0;
        if (is_under_way && (attempt->flags & HF_ATTEMPT_STOPPED) == 0) {
            hf_call_refused(drill, i);
            abandon(drill, i);
            attempt->flags &= (uint8_t)~HF_ATTEMPT_WORKING;
        }
    }
    service->busy = 0;
    while (service->length > 0) {
        uint32_t attempt = service->queue[service->first];
        service->first = service->first + 1 < service->room ? service->first + 1 : 0;
        service->length--;
        hf_service_drop(drill, attempt);
    }
    hf_call_cut(drill, number);
    hf_drill_at(drill, service->down_until_us, HF_EVENT_UP, number);
    for (uint32_t i = 0; i < drill->cell_count; i++) {
        hf_cell_update(drill, i);
    }
}

void hf_service_up(struct hf_drill *drill, uint16_t number)
{
    if (drill->now_us < drill->services[number].down_until_us) {
        return; /* restarted once more */
    }
    hf_service_follow(drill, number);
    for (uint32_t i = 0; i < drill->cell_count; i++) {
        hf_cell_update(drill, i);
    }
}

void hf_service_follow(struct hf_drill *drill, uint16_t number)
{
    struct hf_drill_service_now *service = &drill->services[number];
    uint16_t fleet = drill->scenario.services[number].fleet;
    hf_service_account(drill, number);
    service->workers = service->workers_set;
    if (fleet != HF_DRILL_NONE) {
        uint64_t share = (uint64_t)service->workers_set * drill->fleets[fleet].serving_good;
        service->workers = (uint32_t)(share / drill->scenario.fleets[fleet].nodes);
    }
    begin_next(drill, number);
}
