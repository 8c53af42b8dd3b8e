/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A slab against memory of malloc, by chance, and what it gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/slab.h"

enum { PIECES = 4000, TURNS = 200000 };

struct piece {
    uint32_t name;
    size_t size; /* 0: free */
    uint8_t mark;
};

/* Sizes as rows have them, and now and then one that is a piece of its own. */
static size_t random_size(uint32_t random)
{
    if (random % 50 == 0) {
        return HF_SLAB_PIECE_MAX - 2 + random / 50 % 2000;
    }
    return 1 + random / 7 % 200;
}

static void expect(const struct hf_slab *slab, const struct piece *piece)
{
    const uint8_t *bytes = hf_slab_at(slab, piece->name);
    for (size_t i = 0; i < piece->size; i++) {
        assert_int_equal(bytes[i], piece->mark);
    }
}

static void pieces_do_not_touch_each_other(void **state)
{
    struct hf_slab slab;
    struct piece *pieces = calloc(PIECES, sizeof(*pieces));
    uint64_t random = 42;
    (void)state;
    assert_non_null(pieces);
    hf_slab_init(&slab);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        struct piece *piece = &pieces[(random >> 33) % PIECES];
        if (piece->size > 0) {
            expect(&slab, piece);
            hf_slab_free(&slab, piece->name);
            piece->size = 0;
        } else {
            piece->size = random_size((uint32_t)(random >> 13));
            piece->mark = (uint8_t)(random >> 50);
            piece->name = hf_slab_alloc(&slab, piece->size);
            memset(hf_slab_at(&slab, piece->name), piece->mark, piece->size);
        }
    }
    for (uint32_t i = 0; i < PIECES; i++) {
        if (pieces[i].size > 0) {
            expect(&slab, &pieces[i]);
            hf_slab_free(&slab, pieces[i].name);
        }
    }
    hf_slab_release(&slab);
    free(pieces);
}

/* A fleet whose rows all grow, and shrink again, needs no more spans than before. */
static void spans_are_given_back(void **state)
{
    enum { ROWS = 20000, SMALL = 96, BIG = 120 };
    struct hf_slab slab;
    uint32_t *names = calloc(ROWS, sizeof(*names));
    (void)state;
    assert_non_null(names);
    hf_slab_init(&slab);
    for (uint32_t i = 0; i < ROWS; i++) {
        names[i] = hf_slab_alloc(&slab, SMALL);
    }
    uint32_t spans = slab.span_count;
    assert_in_range(spans, ROWS * SMALL / HF_SLAB_SPAN_BYTES,
                    ROWS * SMALL / HF_SLAB_SPAN_BYTES + 1);
    for (uint32_t turn = 0; turn < 10; turn++) {
        for (uint32_t i = 0; i < ROWS; i++) {
            uint32_t fresh = hf_slab_alloc(&slab, turn % 2 == 0 ? BIG : SMALL);
            hf_slab_free(&slab, names[i]);
            names[i] = fresh;
        }
    }
    assert_in_range(slab.span_count, spans, spans * BIG / SMALL + 4);
    hf_slab_release(&slab);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_touch_each_other),
        cmocka_unit_test(spans_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
