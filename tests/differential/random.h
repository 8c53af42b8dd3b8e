/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random: numbers that follow from a seed (the generator is splitmix64, which is public domain). */
#ifndef HF_DIFFERENTIAL_RANDOM_H
#define HF_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 0 to bound - 1. */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)(random_next(random) >> 32) % bound;
}

static inline bool random_percent(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

#endif
