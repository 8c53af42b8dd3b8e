/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * States: a table of which backends are up, written by another tool, one line a backend:
 *
 *   web-1 up
 *   {"name": "web-2", "state": "down"}
 *
 * A line that begins with a brace is a JSON object, whose other keys are the writer's own; empty
 * lines and lines that begin with # are passed over. The two forms may be mixed. A file is taken
 * whole or not at all: a line that cannot be read, a name twice, or a last line without line feed
 * (it is being written) refuse it, because half a file would let backends fall.
 * The table owns its memory until hf_states_release.
 */
#ifndef HF_CODEC_STATES_H
#define HF_CODEC_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/index.h"

enum {
    HF_STATES_SIZE_MAX = 64 * 1024 * 1024,
    HF_STATES_LINE_MAX = 4096,
    HF_STATES_NAME_MAX = 63,
};

enum hf_state {
    HF_STATE_ABSENT, /* no line names this backend */
    HF_STATE_UP,
    HF_STATE_DOWN,
};

struct hf_states_row {
    const char *name;
    enum hf_state state;
};

struct hf_states {
    struct hf_states_row *rows;
    uint32_t count;
    struct hf_index index;
    struct hf_arena arena;
};

struct hf_states_problem {
    uint32_t line;   /* from 1 */
    const char *why; /* static text: what is wrong with it */
};

/* HF_EMALF or HF_ELIMIT (ret_problem says what and where) leave ret_states untouched. */
int hf_states_read(const char *text, size_t size, struct hf_states *ret_states,
                   struct hf_states_problem *ret_problem);
void hf_states_release(struct hf_states *states);

enum hf_state hf_states_find(const struct hf_states *states, const char *name);

#endif
