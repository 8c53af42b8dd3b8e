/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drill/rng.h"

#include <assert.h>
#include <string.h>

#define LN_2 0.69314718055994530942
#define ROOT_HALF 0.70710678118654752440

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void hf_rng_init(struct hf_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = splitmix(&state) ^ (stream * UINT64_C(0xd1342543de82ef95));
    for (int i = 0; i < 4; i++) {
        rng->s[i] = splitmix(&state);
    }
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t hf_rng_next(struct hf_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double hf_rng_unit(struct hf_rng *rng)
{
    return (double)(hf_rng_next(rng) >> 11) * 0x1p-53;
}

bool hf_rng_chance(struct hf_rng *rng, double probability)
{
    if (probability <= 0) {
        return false;
    }
    return probability >= 1 || hf_rng_unit(rng) < probability;
}

uint64_t hf_rng_below(struct hf_rng *rng, uint64_t below)
{
    assert(below > 0);
    uint64_t drawn = (uint64_t)(hf_rng_unit(rng) * (double)below);
    return drawn < below ? drawn : below - 1;
}

/* x = m x 2^k with m near 1; ln m = 2 artanh((m - 1) / (m + 1)), whose series falls fast. */
double hf_rng_ln(double x)
{
    assert(x > 0);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int power = (int)(bits >> 52) - 1022;
    bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3fe0000000000000);
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m < ROOT_HALF) {
        m *= 2;
        power--;
    }
    /* 1 + y/3 + y^2/5 + ... + y^9/19, in halves that do not wait for each other. */
    double z = (m - 1) / (m + 1), y = z * z, y2 = y * y, y4 = y2 * y2;
    double low = (1 + y * (1.0 / 3)) + y2 * (1.0 / 5 + y * (1.0 / 7));
    double middle = (1.0 / 9 + y * (1.0 / 11)) + y2 * (1.0 / 13 + y * (1.0 / 15));
    double high = 1.0 / 17 + y * (1.0 / 19);
    return 2 * z * (low + y4 * (middle + y4 * high)) + power * LN_2;
}

double hf_rng_exp(double x)
{
    assert(x >= -700 && x <= 700);
    int power = (int)(x / LN_2 + (x < 0 ? -0.5 : 0.5));
    double rest = x - power * LN_2, sum = 1;
    for (int i = 14; i >= 1; i--) {
        sum = 1 + sum * rest / i;
    }
    uint64_t bits = (uint64_t)(power + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

double hf_rng_exponential(struct hf_rng *rng, double mean)
{
    return -mean * hf_rng_ln(1 - hf_rng_unit(rng));
}

/* Marsaglia's polar method: no sine. The second value of the pair is not kept. */
double hf_rng_normal(struct hf_rng *rng)
{
    double x, square;
    do {
        x = 2 * hf_rng_unit(rng) - 1;
        double y = 2 * hf_rng_unit(rng) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square <= 0);
    return x * __builtin_sqrt(-2 * hf_rng_ln(square) / square);
}

static double lognormal(struct hf_rng *rng, const struct hf_drill_dist *dist)
{
    if (dist->mean_us <= 0) {
        return 0;
    }
    double ratio = dist->spread_us / dist->mean_us;
    double variance = hf_rng_ln(1 + ratio * ratio);
    double exponent =
        hf_rng_ln(dist->mean_us) - variance / 2 + __builtin_sqrt(variance) * hf_rng_normal(rng);
    return hf_rng_exp(exponent < 40 ? exponent : 40);
}

double hf_rng_dist(struct hf_rng *rng, const struct hf_drill_dist *dist)
{
    double drawn = dist->mean_us;
    switch (dist->kind) {
    case HF_DRILL_EXPONENTIAL:
        drawn = hf_rng_exponential(rng, dist->mean_us);
        break;
    case HF_DRILL_NORMAL:
        drawn += dist->spread_us * hf_rng_normal(rng);
        break;
    case HF_DRILL_LOGNORMAL:
        drawn = lognormal(rng, dist);
        break;
    case HF_DRILL_UNIFORM:
        drawn += dist->spread_us * (2 * hf_rng_unit(rng) - 1);
        break;
    default:
        break;
    }
    return drawn > 0 ? drawn : 0;
}
