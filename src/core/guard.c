/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/guard.h"

#include <assert.h>

enum { PERMILLE = 1000 };

static uint64_t add_ms(uint64_t at_ms, uint64_t length_ms)
{
    return length_ms > UINT64_MAX - at_ms ? UINT64_MAX : at_ms + length_ms;
}

/* A window never ends later than its length from now, whatever clock it was booked by. */
static void follow_clock(struct hf_budget *budget, uint32_t window_ms, uint64_t now_ms)
{
    uint64_t latest_ms = add_ms(now_ms, window_ms);
    if (budget->quiet_at_ms > latest_ms) {
        budget->quiet_at_ms = latest_ms;
    }
}

void hf_budget_follow(struct hf_budget *budget, uint32_t window_ms, uint64_t now_ms)
{
    follow_clock(budget, window_ms, now_ms);
    if (now_ms >= budget->quiet_at_ms) {
        *budget = (struct hf_budget){0};
    }
}

uint64_t hf_budget_left(const struct hf_budget *budget, uint64_t have, uint32_t limit_permille,
                        uint64_t now_ms)
{
    assert(limit_permille <= PERMILLE);
    bool is_open = now_ms < budget->quiet_at_ms;
    uint64_t base = is_open ? budget->base : have;
    uint64_t spent = is_open ? budget->spent : 0;
    assert(base <= UINT64_MAX / PERMILLE);
    uint64_t limit = base * limit_permille / PERMILLE;
    return limit > spent ? limit - spent : 0;
}

void hf_budget_book(struct hf_budget *budget, uint64_t have, uint64_t removed, uint64_t returned,
                    uint32_t window_ms, uint64_t now_ms)
{
    assert(removed <= have);
    hf_budget_follow(budget, window_ms, now_ms);
    budget->spent -= returned < budget->spent ? returned : budget->spent;
    if (removed == 0) {
        return;
    }
    if (budget->quiet_at_ms == 0) {
        budget->base = have;
    }
    budget->spent += removed;
    budget->quiet_at_ms = add_ms(now_ms, window_ms);
}

void hf_pace_follow(struct hf_budget *pace, uint32_t window_ms, uint64_t now_ms)
{
    follow_clock(pace, window_ms, now_ms);
    if (now_ms < pace->quiet_at_ms) {
        return;
    }
    bool is_next = pace->spent > 0 && now_ms - pace->quiet_at_ms < window_ms;
    *pace = is_next ? (struct hf_budget){.quiet_at_ms = add_ms(pace->quiet_at_ms, window_ms),
                                         .base = pace->spent}
                    : (struct hf_budget){0};
}

uint64_t hf_pace_left(const struct hf_budget *pace, uint64_t limit)
{
    assert(pace->base <= UINT64_MAX - pace->spent);
    uint64_t spent = pace->base + pace->spent;
    return limit > spent ? limit - spent : 0;
}

void hf_pace_book(struct hf_budget *pace, uint64_t changes, uint32_t window_ms, uint64_t now_ms)
{
    hf_pace_follow(pace, window_ms, now_ms);
    if (changes == 0) {
        return;
    }
    if (pace->quiet_at_ms == 0) {
        pace->quiet_at_ms = add_ms(now_ms, window_ms);
    }
    pace->spent += changes;
}

uint64_t hf_pace_limit(uint64_t count, uint32_t limit_permille)
{
    assert(limit_permille <= PERMILLE && count <= UINT64_MAX / PERMILLE - 1);
    return (count * limit_permille + PERMILLE - 1) / PERMILLE;
}
