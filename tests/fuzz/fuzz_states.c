/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads arbitrary octets as a state file; every row of one that is taken is found by its name. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "codec/states.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_states states;
    struct hf_states_problem problem;
    if (hf_states_read((const char *)bytes, size, &states, &problem) != HF_OK) {
        assert(problem.why != NULL);
        return 0;
    }
    for (uint32_t row = 0; row < states.count; row++) {
        assert(hf_states_find(&states, states.rows[row].name) == states.rows[row].state);
        assert(states.rows[row].state != HF_STATE_ABSENT);
    }
    hf_states_release(&states);
    return 0;
}
