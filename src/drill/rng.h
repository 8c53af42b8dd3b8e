/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rng: chance, the same on every machine. xoshiro256++ (Blackman and Vigna), seeded by splitmix64;
 * logarithm and exponential are of our own, since those of C libraries differ in their last bit.
 */
#ifndef HF_DRILL_RNG_H
#define HF_DRILL_RNG_H

#include <stdbool.h>
#include <stdint.h>

#include "drill/scenario.h"

struct hf_rng {
    uint64_t s[4];
};

/* Streams of one seed are independent of each other. */
void hf_rng_init(struct hf_rng *rng, uint64_t seed, uint64_t stream);

uint64_t hf_rng_next(struct hf_rng *rng);

/* 0 <= x < 1 */
double hf_rng_unit(struct hf_rng *rng);

/* True with this probability; 0 and below and 1 and above draw nothing. */
bool hf_rng_chance(struct hf_rng *rng, double probability);

/* 0 to below - 1; below is at least 1. */
uint64_t hf_rng_below(struct hf_rng *rng, uint64_t below);

double hf_rng_exponential(struct hf_rng *rng, double mean);

/* Mean 0, standard deviation 1. */
double hf_rng_normal(struct hf_rng *rng);

/* One draw, not below 0, not rounded. */
double hf_rng_dist(struct hf_rng *rng, const struct hf_drill_dist *dist);

/* Within 1e-14 of the true value, relative to it or absolutely. x is above 0. */
double hf_rng_ln(double x);

/* For x from -700 to 700. */
double hf_rng_exp(double x);

#endif
