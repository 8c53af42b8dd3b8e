/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/timestamp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* The civil date of a day number in the Gregorian calendar, counted from March. */
void hf_timestamp(uint64_t at_ms, char ret_text[HF_TIMESTAMP_MAX])
{
    uint64_t days = at_ms / 86400000 + 719468; /* since 1 March of year 0 */
    uint64_t era = days / 146097;
    uint64_t day = days % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t of_year = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153; /* from March */
    uint64_t ms = at_ms % 86400000;
    bool is_late = month >= 10;
    (void)snprintf(ret_text, HF_TIMESTAMP_MAX,
                   "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 "T%02" PRIu64 ":%02" PRIu64
                   ":%02" PRIu64 ".%03" PRIu64 "Z",
                   year + era * 400 + is_late, is_late ? month - 9 : month + 3,
                   of_year - (153 * month + 2) / 5 + 1, ms / 3600000, ms / 60000 % 60,
                   ms / 1000 % 60, ms % 1000);
}
