/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "lab/compare.h"
int main(void)
{
    struct hf_compare_result *r = calloc(1, sizeof *r);
    void *m = malloc(hf_compare_layout(&hf_compare_usual));
    int e = hf_compare_run(&hf_compare_usual, m, r);
    print_message("%d rows %u+%u states %u %u refused %u in step %d\n", e, r->outage_rows, r->wedge_rows, r->outage_states, r->wedge_states, r->refused, r->in_step);
    uint32_t f = 0;
    for (uint32_t i = 0; i < r->cloud.count || f < r->fenced.count; i++) {
        if (i < r->cloud.count)
        print_message("%2u C %-95s | %u %u\n", i, r->cloud.lines[i].text, r->cloud.lines[i].answers[0], r->cloud.lines[i].answers[1]);
        for (; f < r->fenced.count && r->fenced.lines[f].row == i; f++)
            print_message("   H %-95s | %u %u %s\n", r->fenced.lines[f].text, r->fenced.lines[f].answers[0], r->fenced.lines[f].answers[1], r->fenced.lines[f].kind == 1 ? "REFUSED" : "");
    }
}
