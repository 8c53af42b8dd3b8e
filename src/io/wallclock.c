/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/wallclock.h"

#include <time.h>

uint64_t hf_wallclock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
