/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages that are given back to the operating system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/pages.h"

/* Whole pages within are zeros afterwards; what is around them stays. */
static void forgotten_pages_are_zeros(void **state)
{
    enum { PAGES = 16 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = PAGES * page;
    unsigned char *memory = malloc(size);
    (void)state;
    assert_non_null(memory);
    memset(memory, 7, size);
    hf_pages_forget(memory + page / 2, size - page);
    assert_int_equal(memory[page / 2 - 1], 7);
    assert_int_equal(memory[size - page / 2], 7);
    size_t zeros = 0;
    for (size_t i = 0; i < size; i++) {
        zeros += memory[i] == 0;
    }
    assert_in_range(zeros / page, PAGES - 3, PAGES - 1);
    assert_int_equal(zeros % page, 0);
    hf_pages_forget(memory, page / 2);
    hf_pages_forget(memory, 0);
    assert_int_equal(memory[0], 7);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgotten_pages_are_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
