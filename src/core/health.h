/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Health: turns the results of one backend's checks into a verdict, with asymmetric thresholds
 * and a hold-down that grows while the backend flaps. Pure.
 *
 * UNKNOWN until the first fall failures or the first success. A backend that is UP leaves after
 * fall failures in a row; one that is DOWN returns after rise successes in a row, and not before
 * its hold-down has passed. Each time it falls again within the flap window of its return, its
 * hold-down doubles up to a maximum; it goes back to the first value only after the backend was
 * UP for the flap window without falling.
 * now_ms may stand still or jump: one that goes back extends a hold-down to at most the longest
 * one, and restarts the flap window.
 * A result that is late (the checker itself was not scheduled in time) says nothing of the
 * backend: it changes no counter.
 */
#ifndef HF_CORE_HEALTH_H
#define HF_CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum hf_verdict {
    HF_VERDICT_UNKNOWN,
    HF_VERDICT_UP,
    HF_VERDICT_DOWN,
};

struct hf_health_policy {
    uint16_t rise;             /* at least 1 */
    uint16_t fall;             /* at least 1 */
    uint32_t hold_down_ms;     /* first hold-down after a flap; 0: none */
    uint32_t hold_down_max_ms; /* bound of its growth */
    uint32_t flap_window_ms;   /* a fall this soon after a return is a flap */
};

struct hf_health {
    uint64_t verdict_at_ms; /* when the verdict became what it is */
    uint64_t held_until_ms; /* not UP before this time */
    uint32_t hold_down_ms;  /* the present length, 0 when not flapping */
    uint32_t flap_count;    /* flaps since the last quiet flap window */
    uint16_t run;           /* results in a row that speak against the verdict */
    uint8_t verdict;        /* enum hf_verdict */
    bool returned;          /* UP, and DOWN before that: a fall now may be a flap */
};

enum hf_check_result {
    HF_CHECK_PASSED,
    HF_CHECK_FAILED,
    HF_CHECK_LATE, /* the checker was late: no statement */
};

void hf_health_init(struct hf_health *health);

/* One result. True when the verdict changed. */
bool hf_health_step(struct hf_health *health, const struct hf_health_policy *policy,
                    enum hf_check_result result, uint64_t now_ms);

/*
 * A verdict known from elsewhere (another tool's file, an earlier run): no thresholds, and no
 * memory of flaps. True when the verdict changed. Who knows of a hold-down as well sets
 * held_until_ms afterwards.
 */
bool hf_health_set(struct hf_health *health, enum hf_verdict verdict, uint64_t now_ms);

#endif
