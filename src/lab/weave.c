/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/weave.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

enum {
    FORMS_MAX = 1 << 27,
    WAYS_MAX = 1 << 28,
    PLACES_MAX = 1 << 29,
    PLACES_FIRST = 1 << 12,
};

#define OCTETS_MAX (UINT64_C(1) << 36)
#define STEPS_MAX (UINT64_C(1) << 32)
#define NO_PART UINT32_MAX

/* A woven state. */
struct woven {
    uint32_t rest;
    uint32_t parts[HF_MODEL_PARTS_MAX - 1]; /* in order of their numbers */
};

static size_t up_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Hands memory out piece by piece; only counts where there is none. */
static void *piece(void *memory, size_t *used, size_t size)
{
    void *at = memory == NULL ? NULL : (unsigned char *)memory + *used;
    *used += up_to_8(size);
    return at;
}

static size_t lay_out(struct hf_weave *weave, const struct hf_model *base, void *memory)
{
    size_t used = 0;
    weave->state = piece(memory, &used, 2 * up_to_8(base->state_size));
    weave->work = piece(memory, &used, base->state_size);
    weave->encoded = piece(memory, &used, 2 * base->encoded_max);
    weave->octets = piece(memory, &used, OCTETS_MAX);
    weave->forms = piece(memory, &used, FORMS_MAX * sizeof *weave->forms);
    weave->ways = piece(memory, &used, WAYS_MAX * sizeof *weave->ways);
    weave->steps = piece(memory, &used, STEPS_MAX * sizeof *weave->steps);
    weave->form_index.places = piece(memory, &used, PLACES_MAX * sizeof(uint32_t));
    weave->ways_index.places = piece(memory, &used, PLACES_MAX * sizeof(uint32_t));
    return used;
}

size_t hf_weave_layout(const struct hf_model *base)
{
    struct hf_weave only_counted;
    return lay_out(&only_counted, base, NULL);
}

size_t hf_weave_memory(const struct hf_weave *weave)
{
    return weave->octet_count + weave->form_count * sizeof *weave->forms +
           weave->ways_count * sizeof *weave->ways + weave->step_count * sizeof *weave->steps +
           ((size_t)weave->form_index.room + weave->ways_index.room) * sizeof(uint32_t);
}

bool hf_weave_is_full(const struct hf_weave *weave)
{
    size_t most = weave->base->encoded_max;
    return weave->form_count >= FORMS_MAX - HF_MODEL_PARTS_MAX ||
           weave->ways_count >= WAYS_MAX - HF_MODEL_PARTS_MAX ||
           weave->octet_count + HF_MODEL_PARTS_MAX * most >= OCTETS_MAX ||
           weave->step_count + UINT16_MAX >= STEPS_MAX;
}

/* --- indices --- */

static void index_put(struct hf_weave_index *index, uint64_t hash, uint32_t number)
{
    uint32_t at = (uint32_t)hash & (index->room - 1);
    while (index->places[at] != 0) {
        at = (at + 1) & (index->room - 1);
    }
    index->places[at] = number + 1;
}

static uint64_t hash_form(const struct hf_weave *weave, uint32_t number)
{
    const struct hf_weave_form *form = &weave->forms[number];
    return XXH3_64bits(weave->octets + form->at, form->size);
}

static uint64_t hash_key(uint32_t rest, uint32_t part, uint64_t taken)
{
    uint64_t hash = ((uint64_t)rest << 32 | part) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 29 ^ taken) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

static uint64_t hash_ways(const struct hf_weave *weave, uint32_t number)
{
    const struct hf_weave_ways *ways = &weave->ways[number];
    return hash_key(ways->rest, ways->part, ways->taken);
}

/* Three quarters full at most; all are put in anew when there is more room. */
static void index_grow(struct hf_weave *weave, struct hf_weave_index *index, uint32_t count,
                       uint64_t (*hash)(const struct hf_weave *, uint32_t))
{
    if ((uint64_t)count * 4 < (uint64_t)index->room * 3) {
        return;
    }
    index->room = index->room == 0 ? PLACES_FIRST : index->room * 2;
    assert(index->room <= PLACES_MAX);
    memset(index->places, 0, index->room * sizeof index->places[0]);
    for (uint32_t i = 0; i < count; i++) {
        index_put(index, hash(weave, i), i);
    }
}

/* --- forms --- */

/* The number of the form with these octets, which lie where the next form's octets go. */
static uint32_t intern(struct hf_weave *weave, size_t size, uint64_t held, uint64_t looked_at)
{
    struct hf_weave_index *index = &weave->form_index;
    const uint8_t *bytes = weave->octets + weave->octet_count;
    index_grow(weave, index, weave->form_count, hash_form);
    uint64_t hash = XXH3_64bits(bytes, size);
    uint32_t at = (uint32_t)hash & (index->room - 1);
    for (; index->places[at] != 0; at = (at + 1) & (index->room - 1)) {
        const struct hf_weave_form *form = &weave->forms[index->places[at] - 1];
        if (form->size == size && memcmp(weave->octets + form->at, bytes, size) == 0) {
            return index->places[at] - 1;
        }
    }
    index->places[at] = weave->form_count + 1;
    weave->forms[weave->form_count] = (struct hf_weave_form){
        .at = weave->octet_count, .held = held, .looked_at = looked_at, .size = (uint32_t)size};
    weave->octet_count += size;
    return weave->form_count++;
}

static uint32_t split(struct hf_weave *weave, const void *state, uint32_t part)
{
    const struct hf_model_parts *parts = weave->base->parts;
    size_t size = parts->split(weave->base, state, part, weave->octets + weave->octet_count);
    uint64_t held, looked_at;
    parts->values(weave->base, state, part, &held, &looked_at);
    return intern(weave, size, held, looked_at);
}

/* The form of a part that does not know the rest as it is any more. */
static uint32_t forget(struct hf_weave *weave, uint32_t number)
{
    struct hf_weave_form *form = &weave->forms[number];
    if (form->forgetful == 0) {
        uint8_t *bytes = weave->octets + weave->octet_count;
        memcpy(bytes, weave->octets + form->at, form->size);
        bytes[0] = 0;
        form->forgetful = intern(weave, form->size, form->held, form->looked_at) + 1;
    }
    return form->forgetful - 1;
}

static void join(const struct hf_weave *weave, const uint32_t *numbers, uint32_t count,
                 uint64_t taken, void *ret_state)
{
    const uint8_t *bytes[HF_MODEL_PARTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = weave->octets + weave->forms[numbers[i]].at;
    }
    weave->base->parts->join(weave->base, bytes, count, taken, ret_state);
}

/* --- what can happen --- */

static void join_way(const struct hf_weave *weave, const struct hf_weave_ways *ways)
{
    const uint32_t numbers[] = {ways->rest, ways->part};
    join(weave, numbers, ways->part == NO_PART ? 1 : 2, ways->taken, weave->state);
}

static enum hf_step take(const struct hf_weave *weave, const struct hf_weave_ways *ways,
                         struct hf_choice *choice)
{
    memcpy(weave->work, weave->state, weave->base->state_size);
    return weave->base->parts->step(weave->base, weave->work, ways->part == NO_PART, choice);
}

/* By taking every step of the base. */
static void find_out(struct hf_weave *weave, struct hf_weave_ways *ways)
{
    const struct hf_model *base = weave->base;
    struct hf_choice choice = {0};
    join_way(weave, ways);
    hf_choice_begin(&choice, 0);
    do {
        enum hf_step step = take(weave, ways, &choice);
        weave->base_steps++;
        if (step == HF_STEP_DISABLED) {
            continue;
        }
        struct hf_weave_step *way = &weave->steps[weave->step_count++];
        *way = (struct hf_weave_step){.broken = step == HF_STEP_BROKEN};
        if (step == HF_STEP_TAKEN) {
            way->rest = split(weave, weave->work, 0);
            way->part = ways->part == NO_PART ? NO_PART : split(weave, weave->work, 1);
            way->forgets = base->parts->forgets(base, weave->work);
        }
        ways->count++;
    } while (hf_choice_next(&choice));
}

static const struct hf_weave_ways *look_up(struct hf_weave *weave, uint32_t rest, uint32_t part,
                                           uint64_t taken)
{
    struct hf_weave_index *index = &weave->ways_index;
    index_grow(weave, index, weave->ways_count, hash_ways);
    uint64_t hash = hash_key(rest, part, taken);
    uint32_t at = (uint32_t)hash & (index->room - 1);
    for (; index->places[at] != 0; at = (at + 1) & (index->room - 1)) {
        const struct hf_weave_ways *ways = &weave->ways[index->places[at] - 1];
        if (ways->rest == rest && ways->part == part && ways->taken == taken) {
            return ways;
        }
    }
    index->places[at] = weave->ways_count + 1;
    struct hf_weave_ways *ways = &weave->ways[weave->ways_count++];
    *ways = (struct hf_weave_ways){
        .rest = rest, .part = part, .taken = taken, .first = weave->step_count};
    if (!hf_weave_is_full(weave)) {
        find_out(weave, ways);
    }
    return ways;
}

/* --- the woven model --- */

static struct hf_weave *weave_of(const struct hf_model *model)
{
    return (struct hf_weave *)(uintptr_t)model->options;
}

static void sort(uint32_t *parts, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint32_t part = parts[i], at = i;
        for (; at > 0 && parts[at - 1] > part; at--) {
            parts[at] = parts[at - 1];
        }
        parts[at] = part;
    }
}

static void init(const struct hf_model *model, void *state, uint64_t seed)
{
    struct hf_weave *weave = weave_of(model);
    struct woven *now = state;
    memset(now, 0, sizeof *now);
    weave->base->init(weave->base, weave->work, seed);
    now->rest = split(weave, weave->work, 0);
    for (uint32_t i = 0; i < weave->base->parts->count; i++) {
        now->parts[i] = split(weave, weave->work, i + 1);
    }
    sort(now->parts, weave->base->parts->count);
}

/* What the other parts hold and a part with its rest looks at. */
static uint64_t taken_by_others(const struct hf_weave *weave, const struct woven *now,
                                uint32_t part)
{
    uint64_t held = 0;
    for (uint32_t i = 0; i < weave->base->parts->count; i++) {
        held |= i == part ? 0 : weave->forms[now->parts[i]].held;
    }
    return held & (weave->forms[now->rest].looked_at | weave->forms[now->parts[part]].looked_at);
}

/* All that can happen in a state, ways[0] by the rest alone. Parts that are equal do the same. */
static void look_around(struct hf_weave *weave, const struct woven *now)
{
    uint32_t count = weave->base->parts->count;
    weave->at_ways[0] = look_up(weave, now->rest, NO_PART, 0);
    weave->at_count = weave->at_ways[0]->count;
    for (uint32_t i = 0; i < count; i++) {
        bool is_same = i > 0 && now->parts[i] == now->parts[i - 1];
        uint64_t taken = is_same ? 0 : taken_by_others(weave, now, i);
        weave->at_ways[i + 1] = is_same ? NULL : look_up(weave, now->rest, now->parts[i], taken);
        weave->at_count += is_same ? 0 : weave->at_ways[i + 1]->count;
        weave->at_parts[i] = now->parts[i];
    }
    weave->at_rest = now->rest;
    weave->at_known = true;
}

static bool is_looked_at(const struct hf_weave *weave, const struct woven *now)
{
    return weave->at_known && weave->at_rest == now->rest &&
           memcmp(weave->at_parts, now->parts, weave->base->parts->count * sizeof now->parts[0]) ==
               0;
}

/* Why a step breaks an invariant: it is taken once more. */
static void tell_why(struct hf_weave *weave, const struct hf_weave_ways *ways, uint32_t number)
{
    struct hf_choice choice = {0};
    join_way(weave, ways);
    hf_choice_begin(&choice, 0);
    do {
        if (take(weave, ways, &choice) != HF_STEP_DISABLED && number-- == 0) {
            break;
        }
    } while (hf_choice_next(&choice));
    const char *why = weave->base->why(weave->base, weave->work);
    memset(weave->why, 0, sizeof weave->why);
    memcpy(weave->why, why, strlen(why) < sizeof weave->why ? strlen(why) : sizeof weave->why - 1);
}

static enum hf_step step(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    struct hf_weave *weave = weave_of(model);
    struct woven *now = state;
    uint32_t count = weave->base->parts->count;
    if (!is_looked_at(weave, now)) {
        look_around(weave, now);
    }
    if (weave->at_count == 0) {
        return HF_STEP_DISABLED;
    }
    uint32_t number = hf_choose(choice, weave->at_count), who = 0;
    while (weave->at_ways[who] == NULL || number >= weave->at_ways[who]->count) {
        number -= weave->at_ways[who] == NULL ? 0 : weave->at_ways[who]->count;
        who++;
    }
    const struct hf_weave_step *way = &weave->steps[weave->at_ways[who]->first + number];
    if (way->broken) {
        tell_why(weave, weave->at_ways[who], number);
        return HF_STEP_BROKEN;
    }
    now->rest = way->rest;
    for (uint32_t i = 0; way->forgets && i < count; i++) {
        now->parts[i] = forget(weave, now->parts[i]);
    }
    if (who > 0) {
        now->parts[who - 1] = way->part;
    }
    if (who > 0 || way->forgets) {
        sort(now->parts, count);
    }
    return HF_STEP_TAKEN;
}

static size_t encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes)
{
    size_t size = sizeof(uint32_t) * (1 + weave_of(model)->base->parts->count);
    memcpy(ret_bytes, state, size);
    return size;
}

static void decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state)
{
    (void)model;
    memset(state, 0, sizeof(struct woven));
    memcpy(state, bytes, size);
}

static void join_all(const struct hf_weave *weave, const struct woven *now, void *ret_state)
{
    uint32_t numbers[HF_MODEL_PARTS_MAX] = {now->rest};
    memcpy(numbers + 1, now->parts, sizeof now->parts);
    join(weave, numbers, weave->base->parts->count + 1, 0, ret_state);
}

static enum hf_step heal(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    struct hf_weave *weave = weave_of(model);
    join_all(weave, state, weave->work);
    enum hf_step step = weave->base->heal(weave->base, weave->work, choice);
    if (step == HF_STEP_BROKEN) {
        const char *why = weave->base->why(weave->base, weave->work);
        memset(weave->why, 0, sizeof weave->why);
        memcpy(weave->why, why,
               strlen(why) < sizeof weave->why ? strlen(why) : sizeof weave->why - 1);
    }
    return step;
}

static const char *why_of(const struct hf_model *model, const void *state)
{
    (void)state;
    return weave_of(model)->why;
}

void hf_weave_init(struct hf_weave *weave, const struct hf_model *base, void *memory,
                   struct hf_model *ret_model)
{
    assert(base->parts != NULL && base->parts->count < HF_MODEL_PARTS_MAX);
    memset(weave, 0, sizeof *weave);
    weave->base = base;
    weave->size = lay_out(weave, base, memory);
    *ret_model = (struct hf_model){.name = base->name,
                                   .options = weave,
                                   .state_size = sizeof(struct woven),
                                   .encoded_max = sizeof(struct woven),
                                   .init = init,
                                   .step = step,
                                   .encode = encode,
                                   .decode = decode,
                                   .heal = base->heal == NULL ? NULL : heal,
                                   .why = why_of};
}

/* --- back to the base's own steps --- */

/* The base's step from real that leads to the octets in encoded, or breaks as the woven one. */
static int take_alike(struct hf_weave *weave, void *real, enum hf_step wanted, size_t size,
                      struct hf_schedule *ret_schedule)
{
    const struct hf_model *base = weave->base;
    uint8_t *found = weave->encoded + base->encoded_max;
    struct hf_choice choice = {0};
    hf_choice_begin(&choice, 0);
    do {
        memcpy(weave->work, real, base->state_size);
        if (base->step(base, weave->work, &choice) != wanted) {
            continue;
        }
        bool is_alike = wanted == HF_STEP_BROKEN
                            ? strcmp(base->why(base, weave->work), weave->why) == 0
                            : base->encode(base, weave->work, found) == size &&
                                  memcmp(weave->encoded, found, size) == 0;
        if (is_alike) {
            memcpy(real, weave->work, base->state_size);
            hf_choice_keep(&choice, ret_schedule);
            return HF_OK;
        }
    } while (hf_choice_next(&choice));
    return HF_ECORRUPT;
}

int hf_weave_unravel(struct hf_weave *weave, const struct hf_model *woven,
                     struct hf_schedule *steps, uint32_t count)
{
    const struct hf_model *base = weave->base;
    struct woven now;
    unsigned char *real = (unsigned char *)weave->state + up_to_8(base->state_size);
    init(woven, &now, 0);
    base->init(base, real, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct hf_choice choice = {0};
        hf_choice_begin_with(&choice, &steps[i]);
        enum hf_step taken = step(woven, &now, &choice);
        size_t size = 0;
        if (taken == HF_STEP_TAKEN) {
            join_all(weave, &now, weave->work);
            size = base->encode(base, weave->work, weave->encoded);
        }
        int error = take_alike(weave, real, taken, size, &steps[i]);
        if (error != HF_OK) {
            return error;
        }
    }
    return HF_OK;
}
