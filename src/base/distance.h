/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distance: how far two words are apart, for "did you mean". */
#ifndef HF_BASE_DISTANCE_H
#define HF_BASE_DISTANCE_H

#include <stddef.h>

enum { HF_DISTANCE_MAX = 255 }; /* octets of a word that are looked at */

/*
 * How many letters are to be inserted, deleted, changed, or swapped with their neighbour, to make
 * one word the other.
 */
size_t hf_distance(const char *a, const char *b);

#endif
