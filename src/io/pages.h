/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages: memory that is needed again later and holds nothing of worth until then.
 */
#ifndef HF_IO_PAGES_H
#define HF_IO_PAGES_H

#include <stddef.h>

/*
 * Gives whole pages within back to the operating system: they stay usable and read as zeros. What
 * is in them is lost, what is around them is kept. memory is from malloc or calloc.
 */
void hf_pages_forget(void *memory, size_t size);

#endif
