/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guard: how much may leave or change, and how fast. Pure.
 *
 * Both kinds of allowance are plain data of the same form that lives in the plan, so that a planner
 * that starts anew goes on counting where the last one stopped. Times are wall clock. A clock that
 * jumps forward opens a window early by at most the jump; one that goes back never does, and never
 * prolongs a window to more than its length from now.
 *
 * A *budget* counts capacity that left. Its window begins with the first removal and is prolonged
 * by every further one, so that in no stretch of time as long as the window more leaves than the
 * limit. What returns meanwhile is given back, up to what was spent: a backend that comes and goes
 * does not use the budget up, and a plan that replaces everything at once is not let through
 * because as much enters as leaves.
 *
 * A *pace* counts changes, which nothing gives back. Windows follow each other without a gap and
 * what the one before spent still counts in the present one: no stretch as long as a window sees
 * more than the limit, steady changes at up to half of the limit a window never wait, and after a
 * burst of the whole limit the next change waits for one to two windows.
 */
#ifndef HF_CORE_GUARD_H
#define HF_CORE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct hf_budget {
    uint64_t quiet_at_ms; /* the window ends then; 0: no window */
    uint64_t base;        /* budget: what there was when the window began; pace: what the window
                             before this one spent */
    uint64_t spent;       /* budget: what has left since, less what returned; pace: changes */
};

/* Forgets a window that has passed and follows a clock that went back. */
void hf_budget_follow(struct hf_budget *budget, uint32_t window_ms, uint64_t now_ms);

/*
 * How much may leave now: limit_permille of base (of have, where no window is open; rounded
 * down), less what is spent already.
 */
uint64_t hf_budget_left(const struct hf_budget *budget, uint64_t have, uint32_t limit_permille,
                        uint64_t now_ms);

/*
 * Books returned, then removed (at most have), at now; opens, prolongs or closes the window.
 */
void hf_budget_book(struct hf_budget *budget, uint64_t have, uint64_t removed, uint64_t returned,
                    uint32_t window_ms, uint64_t now_ms);

/* Moves on to the window that now lies in. Call it before hf_pace_left. */
void hf_pace_follow(struct hf_budget *pace, uint32_t window_ms, uint64_t now_ms);

/* How many changes more are within the limit. */
uint64_t hf_pace_left(const struct hf_budget *pace, uint64_t limit);

void hf_pace_book(struct hf_budget *pace, uint64_t changes, uint32_t window_ms, uint64_t now_ms);

/* limit_permille of count, rounded up, so that a small fleet can change at all. */
uint64_t hf_pace_limit(uint64_t count, uint32_t limit_permille);

#endif
