/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

struct unit {
    const char *name;
    uint32_t ms;
};

/* Longest first, so that the first that divides is the largest. */
static const struct unit units[] = {
    {"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1},
};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits up to a value that cannot be exceeded by what follows; NULL when there are none. */
static const char *take_number(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        value = value > UINT32_MAX ? value : value * 10 + (uint64_t)(*text - '0');
    }
    *ret_value = value;
    return text;
}

/* A duration that ends where the unit's letters end. */
static int take_duration(const char **text, uint32_t *ret_ms)
{
    uint64_t value = 0;
    const char *at = take_number(*text, &value);
    if (at == NULL) {
        return HF_EMALF;
    }
    size_t letters = strspn(at, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strlen(units[i].name) == letters && memcmp(at, units[i].name, letters) == 0) {
            if (value > UINT32_MAX / units[i].ms) {
                return HF_ELIMIT;
            }
            *text = at + letters;
            *ret_ms = (uint32_t)value * units[i].ms;
            return HF_OK;
        }
    }
    return HF_EMALF;
}

int hf_duration_parse(const char *text, uint32_t *ret_ms)
{
    uint32_t ms = 0;
    int error = take_duration(&text, &ms);
    if (error != HF_OK) {
        return error;
    }
    if (*text != 0) {
        return HF_EMALF;
    }
    *ret_ms = ms;
    return HF_OK;
}

int hf_duration_range_parse(const char *text, uint32_t *ret_low_ms, uint32_t *ret_high_ms)
{
    uint32_t low = 0;
    int error = take_duration(&text, &low);
    if (error != HF_OK) {
        return error;
    }
    uint32_t high = low;
    if (strncmp(text, "..", 2) == 0) {
        text += 2;
        error = take_duration(&text, &high);
        if (error != HF_OK) {
            return error;
        }
    }
    if (*text != 0 || high < low) {
        return HF_EMALF;
    }
    *ret_low_ms = low;
    *ret_high_ms = high;
    return HF_OK;
}

static const char *take_permille(const char *text, uint16_t *ret_permille)
{
    uint64_t percent = 0;
    text = take_number(text, &percent);
    if (text == NULL || percent > 100) {
        return NULL;
    }
    uint64_t permille = percent * 10;
    if (*text == '.') {
        if (!is_digit(text[1])) {
            return NULL;
        }
        permille += (uint64_t)(text[1] - '0');
        text += 2;
    }
    if (permille > 1000) {
        return NULL;
    }
    *ret_permille = (uint16_t)permille;
    return text;
}

int hf_rate_parse(const char *text, uint16_t *ret_permille, uint32_t *ret_window_ms)
{
    uint16_t permille = 0;
    text = take_permille(text, &permille);
    if (text == NULL) {
        return HF_EMALF;
    }
    text += strspn(text, " ");
    if (*text++ != '%') {
        return HF_EMALF;
    }
    text += strspn(text, " ");
    if (strncmp(text, "per ", 4) != 0) {
        return HF_EMALF;
    }
    text += 4;
    text += strspn(text, " ");
    uint32_t window = 0;
    int error = hf_duration_parse(text, &window);
    if (error != HF_OK) {
        return error;
    }
    if (window == 0) {
        return HF_EMALF;
    }
    *ret_permille = permille;
    *ret_window_ms = window;
    return HF_OK;
}

void hf_duration_text(uint32_t ms, char ret_text[HF_DURATION_TEXT_MAX])
{
    size_t unit = ms == 0 ? 3 : 0;
    while (ms % units[unit].ms != 0) {
        unit++;
    }
    (void)snprintf(ret_text, HF_DURATION_TEXT_MAX, "%" PRIu32 "%s", ms / units[unit].ms,
                   units[unit].name);
}
