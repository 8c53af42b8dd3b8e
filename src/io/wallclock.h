/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wall clock. Timers use uv_now; this is for times that outlive a process. */
#ifndef HF_IO_WALLCLOCK_H
#define HF_IO_WALLCLOCK_H

#include <stdint.h>

/* Milliseconds since 1970. */
uint64_t hf_wallclock_ms(void);

#endif
