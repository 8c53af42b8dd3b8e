/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void hf_pages_forget(void *memory, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + size) / page * page;
    if (first < end) {
        /* Where it fails nothing but memory is lost. */
        (void)madvise((void *)first, end - first, MADV_DONTNEED);
    }
}
