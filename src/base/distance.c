/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/distance.h"

#include <stdbool.h>
#include <string.h>

static size_t word_size(const char *word)
{
    const char *end = memchr(word, 0, HF_DISTANCE_MAX);
    return end != NULL ? (size_t)(end - word) : HF_DISTANCE_MAX;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t hf_distance(const char *a, const char *b)
{
    size_t rows[3][HF_DISTANCE_MAX + 1] = {{0}};
    size_t a_size = word_size(a);
    size_t b_size = word_size(b);
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(changed, least(row[j - 1], above[j]) + 1);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) {
                row[j] = least(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}
