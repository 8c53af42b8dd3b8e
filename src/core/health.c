/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/health.h"

#include <assert.h>
#include <string.h>

static uint64_t add_ms(uint64_t at_ms, uint64_t length_ms)
{
    return length_ms > UINT64_MAX - at_ms ? UINT64_MAX : at_ms + length_ms;
}

/* A clock that went back must not hold a backend for longer than any hold-down. */
static void follow_clock(struct hf_health *health, const struct hf_health_policy *policy,
                         uint64_t now_ms)
{
    if (health->verdict_at_ms > now_ms) {
        health->verdict_at_ms = now_ms;
    }
    uint64_t held_at_most_ms = add_ms(now_ms, policy->hold_down_max_ms);
    if (health->held_until_ms > held_at_most_ms) {
        health->held_until_ms = held_at_most_ms;
    }
}

static void become(struct hf_health *health, enum hf_verdict verdict, uint64_t now_ms)
{
    health->returned = verdict == HF_VERDICT_UP && health->verdict == HF_VERDICT_DOWN;
    health->verdict = (uint8_t)verdict;
    health->verdict_at_ms = now_ms;
    health->run = 0;
}

static void calm(struct hf_health *health)
{
    health->hold_down_ms = 0;
    health->held_until_ms = 0;
    health->flap_count = 0;
}

static uint32_t grown_hold_down_ms(uint32_t present_ms, const struct hf_health_policy *policy)
{
    uint64_t next_ms = present_ms == 0 ? policy->hold_down_ms : (uint64_t)present_ms * 2;
    return next_ms < policy->hold_down_max_ms ? (uint32_t)next_ms : policy->hold_down_max_ms;
}

static void fall(struct hf_health *health, const struct hf_health_policy *policy, uint64_t now_ms)
{
    bool quiet = now_ms - health->verdict_at_ms >= policy->flap_window_ms;
    bool flapped = health->returned && !quiet;
    become(health, HF_VERDICT_DOWN, now_ms);
    if (!flapped) {
        calm(health);
        return;
    }
    if (health->flap_count < UINT32_MAX) {
        health->flap_count++;
    }
    if (policy->hold_down_ms > 0) {
        health->hold_down_ms = grown_hold_down_ms(health->hold_down_ms, policy);
    } else {
        health->hold_down_ms = 0; /* switched off by a reload */
    }
    health->held_until_ms = add_ms(now_ms, health->hold_down_ms);
}

static bool step_unknown(struct hf_health *health, const struct hf_health_policy *policy,
                         bool passed, uint64_t now_ms)
{
    if (passed) {
        become(health, HF_VERDICT_UP, now_ms);
        return true;
    }
    if (++health->run < policy->fall) {
        return false;
    }
    become(health, HF_VERDICT_DOWN, now_ms);
    return true;
}

static bool step_up(struct hf_health *health, const struct hf_health_policy *policy, bool passed,
                    uint64_t now_ms)
{
    if (passed) {
        health->run = 0;
        if (now_ms - health->verdict_at_ms >= policy->flap_window_ms) {
            calm(health);
        }
        return false;
    }
    if (++health->run < policy->fall) {
        return false;
    }
    fall(health, policy, now_ms);
    return true;
}

static bool step_down(struct hf_health *health, const struct hf_health_policy *policy, bool passed,
                      uint64_t now_ms)
{
    if (!passed) {
        health->run = 0;
        return false;
    }
    /* Successes under a hold-down count, so that the first one after it can end the outage. */
    if (health->run < UINT16_MAX) {
        health->run++;
    }
    if (health->run < policy->rise || now_ms < health->held_until_ms) {
        return false;
    }
    become(health, HF_VERDICT_UP, now_ms);
    return true;
}

void hf_health_init(struct hf_health *health)
{
    memset(health, 0, sizeof *health);
}

bool hf_health_step(struct hf_health *health, const struct hf_health_policy *policy,
                    enum hf_check_result result, uint64_t now_ms)
{
    assert(policy->rise >= 1 && policy->fall >= 1);
    assert(health->verdict <= HF_VERDICT_DOWN);
    if (result == HF_CHECK_LATE) {
        return false;
    }
    assert(result == HF_CHECK_PASSED || result == HF_CHECK_FAILED);
    bool passed = result == HF_CHECK_PASSED;
    follow_clock(health, policy, now_ms);
    switch ((enum hf_verdict)health->verdict) {
    case HF_VERDICT_UNKNOWN:
        return step_unknown(health, policy, passed, now_ms);
    case HF_VERDICT_UP:
        return step_up(health, policy, passed, now_ms);
    case HF_VERDICT_DOWN:
        return step_down(health, policy, passed, now_ms);
    }
    return false;
}

bool hf_health_set(struct hf_health *health, enum hf_verdict verdict, uint64_t now_ms)
{
    bool changed = health->verdict != verdict;
    calm(health);
    health->run = 0;
    if (changed) {
        become(health, verdict, now_ms);
    }
    /* A return under no thresholds says nothing of flapping. */
    health->returned = false;
    return changed;
}
