/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One op from its begin to its end: lookups, attempts, time-outs, retries, hedges. */
#include <assert.h>

#include "drill/internal.h"

enum failure { FAILURE_TIMEOUT, FAILURE_REFUSED, FAILURE_ERROR, FAILURE_SUPPRESSED };

static struct hf_link *link_of(struct hf_drill *drill, uint32_t op)
{
    return &drill->links[drill->ops[op].link];
}

static struct hf_instance *instance_of(struct hf_drill *drill, uint32_t op)
{
    return &drill->instances[drill->ops[op].instance];
}

static void count_try(struct hf_op *op)
{
    if (op->tries < UINT16_MAX) {
        op->tries++;
    }
}

static void end(struct hf_drill *drill, uint32_t op, bool is_good)
{
    const struct hf_link *link = link_of(drill, op);
    uint32_t parent = drill->ops[op].parent;
    uint64_t tried_us = drill->ops[op].tried_us;
    switch (link->part) {
    case HF_DRILL_PART_CLIENT:
        hf_client_ended(drill, op, is_good);
        break;
    case HF_DRILL_PART_MANAGER:
        hf_manager_claimed(drill, op, is_good, tried_us);
        break;
    default:
        hf_op_free(drill, op);
        hf_service_called(drill, parent, is_good);
        break;
    }
}

static uint64_t caller_deadline_us(const struct hf_drill *drill, const struct hf_op *op)
{
    return op->parent == HF_DRILL_NOBODY ? HF_DRILL_NEVER : drill->attempts[op->parent].deadline_us;
}

static uint64_t timeout_at_us(const struct hf_drill *drill, const struct hf_op *op)
{
    const struct hf_drill_call *call = &drill->links[op->link].call;
    uint64_t at_us = call->timeout_us == 0 ? HF_DRILL_NEVER : op->tried_us + call->timeout_us;
    uint64_t caller_us = call->caller_deadline ? caller_deadline_us(drill, op) : HF_DRILL_NEVER;
    return at_us < caller_us ? at_us : caller_us;
}

static void fail(struct hf_drill *drill, uint32_t op, enum failure failure)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_instance *instance = instance_of(drill, op);
    struct hf_drill_client_bucket *counts = hf_drill_counts(drill, link);
    struct hf_op *now = &drill->ops[op];
    counts->timeouts += failure == FAILURE_TIMEOUT;
    counts->refused += failure == FAILURE_REFUSED;
    counts->suppressed += failure == FAILURE_SUPPRESSED;
    if (failure != FAILURE_SUPPRESSED) {
        hf_limit_failed(drill, link, instance, failure == FAILURE_TIMEOUT);
    }
    bool is_refusal = failure == FAILURE_REFUSED || failure == FAILURE_SUPPRESSED;
    bool may = now->tries <= link->call.retries_max && (!is_refusal || link->call.retry_rejected) &&
               hf_rng_chance(&link->rng, link->call.retry_share);
    if (may && !hf_limit_retries(drill, link, instance)) {
        counts->suppressed++;
        may = false;
    }
    uint64_t again_us = may ? drill->now_us + hf_limit_backoff_us(link, now) : HF_DRILL_NEVER;
    if (may && link->call.caller_deadline && again_us >= caller_deadline_us(drill, now)) {
        may = false;
    }
    if (!may) {
        end(drill, op, false);
        return;
    }
    now->state = HF_OP_BACKOFF;
    hf_op_arm(drill, op, again_us);
}

/* The next of those that wait for the window of the instance. */
static void line_next(struct hf_drill *drill, struct hf_instance *instance)
{
    while (instance->line_length > 0 && instance->flight < instance->window_256 / 256) {
        uint32_t op = instance->line_first;
        instance->line_first = drill->ops[op].next;
        instance->line_length--;
        drill->ops[op].next = op; /* it has its place in flight, and must not ask for one */
        drill->ops[op].state = HF_OP_BACKOFF;
        hf_op_arm(drill, op, drill->now_us);
        instance->flight++;
    }
}

static void flight_ends(struct hf_drill *drill, uint32_t op)
{
    struct hf_instance *instance = instance_of(drill, op);
    assert(instance->flight > 0);
    instance->flight--;
    line_next(drill, instance);
}

static void arm_sent(struct hf_drill *drill, uint32_t op)
{
    struct hf_op *now = &drill->ops[op];
    const struct hf_drill_call *call = &drill->links[now->link].call;
    uint64_t due_us = call->late_notice ? HF_DRILL_NEVER : timeout_at_us(drill, now);
    if (call->hedge_after_us > 0 && now->hedge == HF_DRILL_NOBODY) {
        uint64_t hedge_us = now->tried_us + call->hedge_after_us;
        due_us = hedge_us > drill->now_us && hedge_us < due_us ? hedge_us : due_us;
    }
    hf_op_arm(drill, op, due_us);
}

static bool reaches(struct hf_drill *drill, struct hf_link *link, enum hf_seen seen)
{
    return seen != HF_SEEN_OLD ||
           hf_rng_chance(&link->rng, drill->scenario.names[link->call.name].stale_works);
}

/* With an address: to the service. */
static enum hf_arrival send(struct hf_drill *drill, uint32_t op, enum hf_seen seen,
                            uint32_t *ret_attempt)
{
    struct hf_link *link = link_of(drill, op);
    const struct hf_op *now = &drill->ops[op];
    bool tells = link->call.propagate;
    uint64_t deadline_us = tells ? timeout_at_us(drill, now) : HF_DRILL_NEVER;
    if (tells && deadline_us > caller_deadline_us(drill, now)) {
        deadline_us = caller_deadline_us(drill, now);
    }
    *ret_attempt = HF_DRILL_NOBODY;
    return reaches(drill, link, seen)
               ? hf_service_arrive(drill, link->call.service, op, deadline_us, ret_attempt)
               : HF_ARRIVAL_LOST;
}

/* is_new: not over a connection that was kept. */
static void with_answer(struct hf_drill *drill, uint32_t op, enum hf_seen seen, bool is_new)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_op *now = &drill->ops[op];
    bool is_known = seen != HF_SEEN_EMPTY && seen != HF_SEEN_FAILED;
    uint32_t attempt = HF_DRILL_NOBODY;
    enum hf_arrival arrival = is_known ? send(drill, op, seen, &attempt) : HF_ARRIVAL_REFUSED;
    bool is_heard = link->call.timeout_us == 0 || link->call.late_notice;
    if (arrival == HF_ARRIVAL_REFUSED || (arrival == HF_ARRIVAL_LOST && is_heard)) {
        flight_ends(drill, op);
        fail(drill, op, FAILURE_REFUSED);
        return;
    }
    if (arrival == HF_ARRIVAL_TAKEN && is_new) {
        hf_limit_connected(drill, link, instance_of(drill, op));
    }
    now->attempt = attempt;
    now->state = HF_OP_SENT;
    arm_sent(drill, op);
}

static bool joins_line(struct hf_drill *drill, uint32_t op)
{
    struct hf_instance *instance = instance_of(drill, op);
    if (instance->line_length >= link_of(drill, op)->call.wait_max) {
        return false;
    }
    if (instance->line_length == 0) {
        instance->line_first = op;
    } else {
        drill->ops[instance->line_last].next = op;
    }
    instance->line_last = op;
    instance->line_length++;
    drill->ops[op].state = HF_OP_LINE;
    return true;
}

/* One more attempt is in flight from here on. */
static void launch(struct hf_drill *drill, uint32_t op)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_instance *instance = instance_of(drill, op);
    struct hf_op *now = &drill->ops[op];
    struct hf_drill_client_bucket *counts = hf_drill_counts(drill, link);
    bool has_connection =
        link->call.pool_max > 0 && instance->flight <= hf_limit_pool(drill, link, instance);
    counts->attempts++;
    counts->retries += now->tries > 0;
    count_try(now);
    now->tried_us = drill->now_us;
    if (link->part == HF_DRILL_PART_MANAGER) {
        drill->managers[link->owner].buckets[drill->bucket].claims++;
    }
    if (link->call.name == HF_DRILL_NONE || has_connection) {
        with_answer(drill, op, HF_SEEN_RIGHT, !has_connection);
        return;
    }
    uint32_t number = now->instance - link->instance_first;
    if (link->is_hosts || link->call.instances == 1) {
        number = now->host;
    }
    struct hf_lookup lookup = hf_resolver_ask(drill, link->call.resolver, number, link->call.name);
    if (lookup.latency_us == 0) {
        with_answer(drill, op, lookup.seen, true);
        return;
    }
    now->state = HF_OP_LOOKUP;
    now->attempt = (uint32_t)lookup.seen; /* until it is sent */
    hf_op_arm(drill, op, drill->now_us + lookup.latency_us);
}

static void try_now(struct hf_drill *drill, uint32_t op)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_instance *instance = instance_of(drill, op);
    if (!hf_limit_admits(drill, link, instance)) {
        count_try(&drill->ops[op]);
        fail(drill, op, FAILURE_SUPPRESSED);
        return;
    }
    if (link->call.window_max > 0 && instance->flight >= instance->window_256 / 256) {
        if (!joins_line(drill, op)) {
            count_try(&drill->ops[op]);
            fail(drill, op, FAILURE_SUPPRESSED);
        }
        return;
    }
    instance->flight++;
    launch(drill, op);
}

void hf_call_begin(struct hf_drill *drill, uint32_t op)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_op *now = &drill->ops[op];
    now->tries = 0;
    now->slept_us = 0;
    now->tried_us = drill->now_us;
    now->attempt = now->hedge = HF_DRILL_NOBODY;
    now->instance = link->instance_first + link->instance_next;
    link->instance_next =
        link->instance_next + 1 < link->call.instances ? link->instance_next + 1 : 0;
    hf_limit_began(drill, link, instance_of(drill, op));
    if (link->call.cache_keys > 0) {
        double hit = link->call.cache_share * link->cache_filled / (double)link->call.cache_keys;
        if (hf_rng_chance(&link->rng, hit)) {
            end(drill, op, true);
            return;
        }
    }
    try_now(drill, op);
}

static void give_up(struct hf_drill *drill, uint32_t op, uint32_t *attempt)
{
    if (*attempt == HF_DRILL_NOBODY) {
        return;
    }
    struct hf_attempt *given = &drill->attempts[*attempt];
    given->flags |= HF_ATTEMPT_GIVEN_UP;
    bool is_told = drill->scenario.services[given->service].stop_expired &&
                   drill->links[drill->ops[op].link].call.propagate;
    uint32_t number = *attempt;
    *attempt = HF_DRILL_NOBODY;
    if (is_told) {
        hf_service_stop(drill, number);
    }
}

static void hedge(struct hf_drill *drill, uint32_t op)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_instance *instance = instance_of(drill, op);
    uint32_t attempt = HF_DRILL_NOBODY;
    if (hf_limit_hedges(link, instance) &&
        send(drill, op, HF_SEEN_RIGHT, &attempt) == HF_ARRIVAL_TAKEN) {
        drill->ops[op].hedge = attempt;
        struct hf_drill_client_bucket *counts = hf_drill_counts(drill, link);
        counts->attempts++;
        counts->hedges++;
    }
    arm_sent(drill, op);
}

static void sent_timer(struct hf_drill *drill, uint32_t op)
{
    struct hf_op *now = &drill->ops[op];
    if (drill->now_us < timeout_at_us(drill, now)) {
        hedge(drill, op);
        return;
    }
    give_up(drill, op, &now->attempt);
    give_up(drill, op, &now->hedge);
    flight_ends(drill, op);
    fail(drill, op, FAILURE_TIMEOUT);
}

void hf_call_timer(struct hf_drill *drill, uint32_t op)
{
    struct hf_op *now = &drill->ops[op];
    switch (now->state) {
    case HF_OP_LOOKUP: {
        enum hf_seen seen = (enum hf_seen)now->attempt;
        now->attempt = HF_DRILL_NOBODY;
        if (drill->now_us >= timeout_at_us(drill, now)) {
            flight_ends(drill, op);
            fail(drill, op, FAILURE_TIMEOUT);
        } else {
            with_answer(drill, op, seen, true);
        }
        break;
    }
    case HF_OP_SENT:
        sent_timer(drill, op);
        break;
    case HF_OP_BACKOFF:
        if (now->next == op) {
            now->next = HF_DRILL_NOBODY;
            launch(drill, op);
        } else {
            try_now(drill, op);
        }
        break;
    default:
        assert(drill->links[now->link].part == HF_DRILL_PART_MANAGER);
        hf_manager_timer(drill, op);
        break;
    }
}

/* One of two attempts has ended; what has come of it counts if the other does not help. */
static bool other_goes_on(struct hf_op *op, uint32_t attempt)
{
    if (op->attempt == attempt) {
        op->attempt = op->hedge;
    } else {
        assert(op->hedge == attempt);
    }
    op->hedge = HF_DRILL_NOBODY;
    return op->attempt != HF_DRILL_NOBODY;
}

static void succeed(struct hf_drill *drill, uint32_t op)
{
    struct hf_link *link = link_of(drill, op);
    struct hf_op *now = &drill->ops[op];
    hf_limit_succeeded(drill, link, instance_of(drill, op), drill->now_us - now->tried_us);
    double keys = (double)link->call.cache_keys;
    if (keys > 0 && hf_rng_chance(&link->rng, 1 - link->cache_filled / keys)) {
        link->cache_filled += 1;
    }
    now->due_us = HF_DRILL_NEVER;
    end(drill, op, true);
}

bool hf_call_reply(struct hf_drill *drill, uint32_t attempt, bool is_good)
{
    if ((drill->attempts[attempt].flags & HF_ATTEMPT_GIVEN_UP) != 0) {
        return false;
    }
    uint32_t op = drill->attempts[attempt].op;
    struct hf_op *now = &drill->ops[op];
    bool is_late =
        drill->links[now->link].call.late_notice && drill->now_us >= timeout_at_us(drill, now);
    if (other_goes_on(now, attempt)) {
        if (!is_good || is_late) {
            return !is_late;
        }
        give_up(drill, op, &now->attempt);
    }
    flight_ends(drill, op);
    if (is_late || !is_good) {
        fail(drill, op, is_late ? FAILURE_TIMEOUT : FAILURE_ERROR);
        return !is_late;
    }
    succeed(drill, op);
    return true;
}

void hf_call_refused(struct hf_drill *drill, uint32_t attempt)
{
    uint32_t op = drill->attempts[attempt].op;
    if ((drill->attempts[attempt].flags & HF_ATTEMPT_GIVEN_UP) != 0 ||
        other_goes_on(&drill->ops[op], attempt)) {
        return;
    }
    flight_ends(drill, op);
    fail(drill, op, FAILURE_REFUSED);
}

void hf_call_cut(struct hf_drill *drill, uint16_t service)
{
    for (uint32_t i = 0; i < drill->link_count; i++) {
        const struct hf_link *link = &drill->links[i];
        for (uint32_t k = 0; link->call.service == service && k < link->call.instances; k++) {
            drill->instances[link->instance_first + k].pool = 0;
        }
    }
}
