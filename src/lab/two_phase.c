/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/two_phase.h"

#include <assert.h>
#include <string.h>

enum manager_state { WORKING, PREPARED, COMMITTED, ABORTED };
enum { STATE_MASK = 3, HEARD = 4, SAID = 8 }; /* "prepared" was heard, was said */
enum { INIT, COMMIT, ABORT };                 /* the coordinator, and what it said */

struct two_phase {
    uint8_t managers[HF_TWO_PHASE_MANAGERS_MAX];
    uint8_t coordinator;
};

static void init(const struct hf_model *model, void *state, uint64_t seed)
{
    (void)model;
    (void)seed;
    memset(state, 0, sizeof(struct two_phase));
}

static bool all_heard(const struct two_phase *now, uint32_t managers)
{
    for (uint32_t i = 0; i < managers; i++) {
        if ((now->managers[i] & HEARD) == 0) {
            return false;
        }
    }
    return true;
}

static bool coordinate(struct two_phase *now, const struct hf_two_phase_options *options,
                       uint32_t what)
{
    if (now->coordinator != INIT) {
        return false;
    }
    if (what == 0) {
        now->coordinator = ABORT;
        return true;
    }
    if (!all_heard(now, options->managers) && options->careless == 0) {
        return false;
    }
    now->coordinator = COMMIT;
    return true;
}

enum { HEAR, PREPARE, CHOOSE_ABORT, HEAR_COMMIT, HEAR_ABORT, ACTIONS };

static bool act(struct two_phase *now, uint32_t manager, uint32_t action)
{
    uint8_t *at = &now->managers[manager];
    uint8_t state = *at & STATE_MASK;
    uint8_t marks = *at & (HEARD | SAID);
    switch (action) {
    case HEAR:
        *at |= HEARD;
        return now->coordinator == INIT && (marks & SAID) != 0;
    case PREPARE:
        *at = marks | SAID | PREPARED;
        return state == WORKING;
    case CHOOSE_ABORT:
        *at = marks | ABORTED;
        return state == WORKING;
    case HEAR_COMMIT:
        *at = marks | COMMITTED;
        return now->coordinator == COMMIT;
    default:
        *at = marks | ABORTED;
        return now->coordinator == ABORT;
    }
}

static bool is_split(const struct two_phase *now, uint32_t managers)
{
    bool seen[STATE_MASK + 1] = {false};
    for (uint32_t i = 0; i < managers; i++) {
        seen[now->managers[i] & STATE_MASK] = true;
    }
    return seen[COMMITTED] && seen[ABORTED];
}

static enum hf_step step(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    const struct hf_two_phase_options *options = model->options;
    struct two_phase *now = state;
    uint32_t what = hf_choose(choice, 2 + ACTIONS * options->managers);
    bool enabled = what < 2 ? coordinate(now, options, what)
                            : act(now, (what - 2) / ACTIONS, (what - 2) % ACTIONS);
    if (!enabled) {
        return HF_STEP_DISABLED;
    }
    return is_split(now, options->managers) ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

/* By the bits of mask; stable. */
static void sort(uint8_t *bytes, uint32_t count, uint8_t mask)
{
    for (uint32_t i = 1; i < count; i++) {
        uint8_t value = bytes[i];
        uint32_t at = i;
        for (; at > 0 && (bytes[at - 1] & mask) > (value & mask); at--) {
            bytes[at] = bytes[at - 1];
        }
        bytes[at] = value;
    }
}

static size_t encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes)
{
    const struct hf_two_phase_options *options = model->options;
    const struct two_phase *now = state;
    memcpy(ret_bytes, now->managers, options->managers);
    if (options->symmetry != HF_TWO_PHASE_NO_SYMMETRY) {
        bool perfect = options->symmetry == HF_TWO_PHASE_PERFECT;
        sort(ret_bytes, options->managers, perfect ? UINT8_MAX : STATE_MASK);
    }
    ret_bytes[options->managers] = now->coordinator;
    return options->managers + 1;
}

static void decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state)
{
    struct two_phase *now = state;
    init(model, state, 0);
    memcpy(now->managers, bytes, size - 1);
    now->coordinator = bytes[size - 1];
}

static const char *why(const struct hf_model *model, const void *state)
{
    (void)model;
    (void)state;
    return "agreement: one resource manager has committed and another aborted";
}

static void tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                 const void *after, struct hf_buf *ret_line)
{
    static const char *const actions[ACTIONS] = {"is heard to be prepared", "prepares",
                                                 "aborts on its own", "commits as told",
                                                 "aborts as told"};
    (void)model;
    (void)before;
    (void)after;
    uint32_t what = choice->given[0];
    if (what < 2) {
        hf_buf_printf(ret_line, "coordinator %s", what == 0 ? "aborts" : "commits");
    } else {
        hf_buf_printf(ret_line, "manager %u %s", (what - 2) / ACTIONS + 1,
                      actions[(what - 2) % ACTIONS]);
    }
}

void hf_two_phase_model(struct hf_model *ret_model, const struct hf_two_phase_options *options)
{
    assert(options->managers >= 1 && options->managers <= HF_TWO_PHASE_MANAGERS_MAX);
    *ret_model = (struct hf_model){.name = "two-phase",
                                   .options = options,
                                   .state_size = sizeof(struct two_phase),
                                   .encoded_max = HF_TWO_PHASE_MANAGERS_MAX + 1,
                                   .init = init,
                                   .step = step,
                                   .encode = encode,
                                   .decode = decode,
                                   .why = why,
                                   .tell = tell};
}
