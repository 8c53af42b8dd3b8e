/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

struct unit {
    const char *name;
    double size;
};

/* Each from the largest down. */
static const struct unit times[] = {{"d", 86400}, {"h", 3600},  {"m", 60},
                                    {"s", 1},     {"ms", 1e-3}, {"us", 1e-6}};
static const struct unit powers[] = {{"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}};
static const struct unit rates[] = {
    {"/d", 1 / 86400.0}, {"/h", 1 / 3600.0}, {"/m", 1 / 60.0}, {"/s", 1}};
static const struct unit shares[] = {{"%", 0.01}};
enum { TIME_COUNT = 6, POWER_COUNT = 4, RATE_COUNT = 4 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Digits, and after a point more of them; NULL: there are none. The value is to be divided last,
 * after the unit, so that 1.001k is 1001 and not a little less.
 */
static const char *take_number(const char *text, double *ret_value, double *ret_divisor)
{
    double divisor = 1;
    double value = 0;
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        value = value * 10 + (*text - '0');
    }
    if (*text == '.') {
        text++;
        if (!is_digit(*text)) {
            return NULL;
        }
        for (; is_digit(*text); text++, divisor *= 10) {
            value = value * 10 + (*text - '0');
        }
    }
    *ret_value = value;
    *ret_divisor = divisor;
    return text;
}

/* The unit that text begins with, as long as there is; NULL: none. */
static const struct unit *take_unit(const char **text, const struct unit *units, size_t count)
{
    const struct unit *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(units[i].name);
        if (strncmp(*text, units[i].name, size) == 0 && (found == NULL || size > longest)) {
            found = &units[i];
            longest = size;
        }
    }
    *text += longest;
    return found;
}

static int parse_duration(const char *text, double *ret_value)
{
    double sum = 0;
    const struct unit *last = NULL;
    do {
        double number = 0, divisor = 1;
        text = take_number(text, &number, &divisor);
        if (text == NULL) {
            return HF_EMALF;
        }
        const struct unit *unit = take_unit(&text, times, TIME_COUNT);
        if (unit == NULL || (last != NULL && unit <= last)) {
            return HF_EMALF;
        }
        sum += number * unit->size / divisor;
        last = unit;
    } while (*text != 0);
    *ret_value = sum;
    return HF_OK;
}

static int parse_one(const char *text, enum hf_quantity kind, double *ret_value)
{
    double number = 0, divisor = 1;
    text = take_number(text, &number, &divisor);
    if (text == NULL) {
        return HF_EMALF;
    }
    if (kind == HF_QUANTITY_COUNT || kind == HF_QUANTITY_RATE) {
        number *= take_unit(&text, powers, POWER_COUNT)->size;
    }
    if (kind == HF_QUANTITY_RATE || kind == HF_QUANTITY_SHARE) {
        const struct unit *unit = kind == HF_QUANTITY_RATE ? take_unit(&text, rates, RATE_COUNT)
                                                           : take_unit(&text, shares, 1);
        if (unit == NULL) {
            return HF_EMALF;
        }
        number *= unit->size;
    }
    *ret_value = number / divisor;
    return *text == 0 ? HF_OK : HF_EMALF;
}

int hf_quantity_parse(const char *text, enum hf_quantity kind, double *ret_value)
{
    double value = 0;
    int error =
        kind == HF_QUANTITY_DURATION ? parse_duration(text, &value) : parse_one(text, kind, &value);
    if (error == HF_OK && !(value <= HF_QUANTITY_MAX)) {
        return HF_ELIMIT;
    }
    if (error == HF_OK) {
        *ret_value = value;
    }
    return error;
}

const char *hf_quantity_expected(enum hf_quantity kind)
{
    static const char *const expected[] = {
        [HF_QUANTITY_DURATION] = "a duration: numbers with units, such as 250us, 2s or 1h30m",
        [HF_QUANTITY_COUNT] = "a count: a number, such as 200, 20k or 1.5M",
        [HF_QUANTITY_RATE] = "a rate: a number and its unit, such as 500/s, 20k/s or 90/m",
        [HF_QUANTITY_SHARE] = "a share: a number and %, such as 30% or 2.5%",
        [HF_QUANTITY_RATIO] = "a number, such as 2 or 1.1",
    };
    return expected[kind];
}

/* The two largest units that say it well: 5400 s is 1h30m, 0.25 s is 250ms. */
static void duration_text(double value, char ret_text[HF_QUANTITY_TEXT_MAX])
{
    for (size_t i = 0; i < 3; i++) {
        double small = times[i + 1].size;
        if (value + small / 2 >= times[i].size) {
            double whole = (double)(long long)(value / small + 0.5);
            double per = times[i].size / small;
            double large = (double)(long long)(whole / per);
            double rest = whole - large * per;
            int size = snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "%.0f%s", large, times[i].name);
            if (rest > 0) {
                (void)snprintf(ret_text + size, HF_QUANTITY_TEXT_MAX - (size_t)size, "%.0f%s", rest,
                               times[i + 1].name);
            }
            return;
        }
    }
    size_t unit = value >= 1 || value == 0 ? 3 : value >= 1e-3 ? 4 : 5;
    (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "%.3g%s", value / times[unit].size,
                   times[unit].name);
}

void hf_quantity_text(double value, enum hf_quantity kind, char ret_text[HF_QUANTITY_TEXT_MAX])
{
    if (kind == HF_QUANTITY_DURATION) {
        duration_text(value, ret_text);
        return;
    }
    if (kind == HF_QUANTITY_SHARE || kind == HF_QUANTITY_RATIO) {
        bool is_share = kind == HF_QUANTITY_SHARE;
        (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "%.4g%s", is_share ? value * 100 : value,
                       is_share ? "%" : "");
        return;
    }
    size_t power = value >= 1e9 ? 0 : value >= 1e6 ? 1 : value >= 9999.5 ? 2 : 3;
    (void)snprintf(ret_text, HF_QUANTITY_TEXT_MAX, "%.4g%s%s", value / powers[power].size,
                   powers[power].name, kind == HF_QUANTITY_RATE ? "/s" : "");
}
