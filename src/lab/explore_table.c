/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/explore_table.h"

#include <assert.h>
#include <string.h>

/*
 * What does not find a place goes on behind the last one. At nine tenths, a run of this many taken
 * places does not occur: its probability falls by a fifth with every place.
 */
enum { OVERFLOW_PLACES = 1024, FIRST_PLACES = 1024, FULL_TENTHS = 9, GROW_BY = 8 };

size_t hf_explore_table_places(uint32_t states_max)
{
    size_t places = (size_t)states_max + states_max / FULL_TENTHS + 12;
    return (places < FIRST_PLACES ? FIRST_PLACES : places) + OVERFLOW_PLACES;
}

static void set_room(struct hf_explore *explore, size_t room)
{
    size_t limit = room / 10 * FULL_TENTHS;
    explore->seen_room = room;
    explore->grow_at = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

void hf_explore_table_init(struct hf_explore *explore)
{
    set_room(explore, FIRST_PLACES);
    memset(explore->seen, 0, hf_explore_table_size(explore));
}

size_t hf_explore_table_size(const struct hf_explore *explore)
{
    return (explore->seen_room + OVERFLOW_PLACES) * sizeof(uint64_t);
}

static size_t next_room(const struct hf_explore *explore)
{
    size_t most = hf_explore_table_places(explore->options.states_max) - OVERFLOW_PLACES;
    size_t room = explore->seen_room + explore->seen_room / GROW_BY;
    return room < most ? room : most;
}

size_t hf_explore_table_next_size(const struct hf_explore *explore)
{
    return (next_room(explore) + OVERFLOW_PLACES) * sizeof(uint64_t);
}

/*
 * All fingerprints are pushed to the end of the larger table, in the order in which they lie,
 * which is nearly that of their new places. Then each is taken from there and put where it
 * belongs: far below what is still to be taken, but for the last few, where the overflow places
 * keep the distance.
 */
void hf_explore_table_grow(struct hf_explore *explore)
{
    uint64_t *seen = explore->seen;
    size_t from = explore->seen_room + OVERFLOW_PLACES;
    size_t end = next_room(explore) + OVERFLOW_PLACES;
    assert(end > from);
    size_t to = end;
    while (from > 0) {
        uint64_t fingerprint = seen[--from];
        seen[to - 1] = fingerprint; /* without a branch that nobody could foretell */
        to -= fingerprint != 0;
    }
    memset(seen, 0, to * sizeof(seen[0]));
    set_room(explore, end - OVERFLOW_PLACES);
    for (; to < end; to++) {
        uint64_t fingerprint = seen[to];
        seen[to] = 0;
        uint64_t *at = hf_explore_table_home(explore, fingerprint);
        while (*at != 0) {
            at++;
        }
        assert(at <= seen + to);
        *at = fingerprint;
    }
}

bool hf_explore_table_is_short(const struct hf_explore *explore, uint32_t more)
{
    return more > explore->grow_at - explore->states && next_room(explore) > explore->seen_room;
}
