/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keeps a caller from trying, or from trying again; and how long it waits before. */
#include "core/window.h"
#include "drill/internal.h"

static void slide(struct hf_sliding *sliding, uint64_t window_us, uint64_t now_us)
{
    uint64_t passed = now_us - sliding->begun_us;
    if (passed < window_us) {
        return;
    }
    bool is_next = passed < 2 * window_us;
    for (int i = 0; i < 2; i++) {
        sliding->before[i] = is_next ? sliding->now[i] : 0;
        sliding->now[i] = 0;
    }
    sliding->begun_us = is_next ? sliding->begun_us + window_us : now_us;
}

static double in_window(const struct hf_sliding *sliding, int which, uint64_t window_us,
                        uint64_t now_us)
{
    double rest = 1 - (double)(now_us - sliding->begun_us) / (double)window_us;
    return sliding->now[which] + sliding->before[which] * rest;
}

static bool throttle_admits(struct hf_drill *drill, struct hf_link *link,
                            struct hf_instance *instance)
{
    uint64_t window_us = link->call.throttle_window_us;
    slide(&instance->throttle, window_us, drill->now_us);
    double requests = in_window(&instance->throttle, 0, window_us, drill->now_us);
    double accepts = in_window(&instance->throttle, 1, window_us, drill->now_us);
    instance->throttle.now[0] += 1;
    double reject = (requests - link->call.throttle_k * accepts) / (requests + 1);
    return !hf_rng_chance(&link->rng, reject);
}

static bool breaker_admits(const struct hf_drill *drill, struct hf_instance *instance)
{
    if (instance->breaker == HF_BREAKER_CLOSED) {
        return true;
    }
    if (drill->now_us < instance->breaker_until_us) {
        return false;
    }
    /* One tries; where nothing is ever heard of it, another one after as long again. */
    instance->breaker = HF_BREAKER_TRIAL;
    return true;
}

bool hf_limit_admits(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance)
{
    if (link->call.breaker_failures > 0) {
        if (!breaker_admits(drill, instance)) {
            return false;
        }
        if (instance->breaker == HF_BREAKER_TRIAL) {
            instance->breaker_until_us = hf_drill_after(drill, (double)link->call.breaker_open_us);
        }
    }
    return link->call.throttle_k <= 0 || throttle_admits(drill, link, instance);
}

void hf_limit_began(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance)
{
    instance->firsts += 1;
    if (link->call.budget_share > 0) {
        slide(&instance->budget, link->call.budget_window_us, drill->now_us);
        instance->budget.now[0] += 1;
    }
}

bool hf_limit_retries(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance)
{
    const struct hf_drill_call *call = &link->call;
    if (call->budget_share > 0) {
        slide(&instance->budget, call->budget_window_us, drill->now_us);
        double firsts = in_window(&instance->budget, 0, call->budget_window_us, drill->now_us);
        double retries = in_window(&instance->budget, 1, call->budget_window_us, drill->now_us);
        if (retries + 1 > call->budget_share * firsts) {
            return false;
        }
        instance->budget.now[1] += 1;
    }
    if (call->bucket_size > 0) {
        if (instance->tokens < 1) {
            return false;
        }
        instance->tokens -= 1;
    }
    return true;
}

void hf_limit_succeeded(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance,
                        uint64_t latency_us)
{
    const struct hf_drill_call *call = &link->call;
    instance->tokens += call->bucket_deposit;
    if (instance->tokens > call->bucket_size) {
        instance->tokens = call->bucket_size;
    }
    if (call->throttle_k > 0) {
        slide(&instance->throttle, call->throttle_window_us, drill->now_us);
        instance->throttle.now[1] += 1;
    }
    instance->failures = 0;
    instance->breaker = HF_BREAKER_CLOSED;
    if (call->window_max > 0) {
        uint64_t latency_ms = latency_us / 1000;
        instance->window_256 =
            hf_window_follow(instance->window_256, call->window_max * HF_WINDOW_ONE,
                             latency_ms < UINT32_MAX ? (uint32_t)latency_ms : UINT32_MAX);
    }
}

void hf_limit_failed(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance,
                     bool is_silent)
{
    const struct hf_drill_call *call = &link->call;
    instance->failures += instance->failures < UINT32_MAX;
    bool opens =
        instance->breaker == HF_BREAKER_TRIAL ||
        (instance->breaker == HF_BREAKER_CLOSED && instance->failures >= call->breaker_failures);
    if (call->breaker_failures > 0 && opens) {
        instance->breaker = HF_BREAKER_OPEN;
        instance->breaker_until_us = hf_drill_after(drill, (double)call->breaker_open_us);
    }
    if (call->window_max > 0 && is_silent) {
        instance->window_256 = hf_window_fail(instance->window_256);
    }
}

bool hf_limit_hedges(struct hf_link *link, struct hf_instance *instance)
{
    double share = link->call.hedge_share;
    if (share > 0 && instance->hedges + 1 > share * instance->firsts) {
        return false;
    }
    instance->hedges += 1;
    return true;
}

static double grown(const struct hf_drill_call *call, uint32_t tries)
{
    double cap = (double)call->backoff_cap_us, sleep = (double)call->backoff_base_us;
    for (uint32_t i = 1; i < tries && sleep < cap; i++) {
        sleep *= call->backoff_factor;
    }
    return sleep < cap ? sleep : cap;
}

uint64_t hf_limit_backoff_us(struct hf_link *link, struct hf_op *op)
{
    const struct hf_drill_call *call = &link->call;
    double base = (double)call->backoff_base_us, cap = (double)call->backoff_cap_us, sleep = 0;
    switch (call->backoff) {
    case HF_DRILL_BACKOFF_FIXED:
        sleep = base;
        break;
    case HF_DRILL_BACKOFF_EXPONENTIAL:
        sleep = grown(call, op->tries);
        break;
    case HF_DRILL_BACKOFF_FULL_JITTER:
        sleep = grown(call, op->tries) * hf_rng_unit(&link->rng);
        break;
    case HF_DRILL_BACKOFF_EQUAL_JITTER:
        sleep = grown(call, op->tries) * (1 + hf_rng_unit(&link->rng)) / 2;
        break;
    case HF_DRILL_BACKOFF_DECORRELATED: {
        double last = op->slept_us == 0 ? base : op->slept_us;
        sleep = base + (3 * last - base) * hf_rng_unit(&link->rng);
        sleep = sleep < cap ? sleep : cap;
        break;
    }
    default:
        break;
    }
    op->slept_us = sleep < UINT32_MAX ? (uint32_t)sleep : UINT32_MAX;
    return (uint64_t)(sleep + 0.5);
}

uint32_t hf_limit_pool(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance)
{
    double mean = (double)link->call.connection_us;
    while (mean > 0 && instance->pool > 0 && instance->pool_until_us <= drill->now_us) {
        instance->pool--;
        if (instance->pool > 0) {
            instance->pool_until_us +=
                (uint64_t)(hf_rng_exponential(&link->rng, mean / instance->pool) + 0.5);
        }
    }
    return instance->pool;
}

void hf_limit_connected(struct hf_drill *drill, struct hf_link *link, struct hf_instance *instance)
{
    if (hf_limit_pool(drill, link, instance) >= link->call.pool_max) {
        return;
    }
    instance->pool++;
    if (link->call.connection_us > 0) {
        /* Ends are memoryless: the next one of all can be drawn anew with every new connection. */
        double mean = (double)link->call.connection_us / instance->pool;
        instance->pool_until_us = hf_drill_after(drill, hf_rng_exponential(&link->rng, mean));
    }
}
