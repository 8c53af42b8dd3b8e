/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a trace file holds: what is accepted reads the same after it was written again, and its
 * world can be made or is refused with a reason. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "holdfast/lab_models.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { STEPS_MAX = 64, TEXT_MAX = 64 * 1024, INPUT_MAX = 8 * 1024 };

static void write_all(struct hf_buf *file, const struct hf_trace *trace)
{
    hf_trace_put_head(file, trace);
    for (uint32_t i = 0; i < trace->step_count; i++) {
        hf_trace_put_step(file, &trace->steps[i]);
    }
    if (trace->heals) {
        hf_trace_put_heal(file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_schedule steps[STEPS_MAX], steps_again[STEPS_MAX];
    struct hf_trace trace, again;
    struct hf_buf problem, file, file_again;
    uint32_t line = 0;
    if (size > INPUT_MAX) {
        return 0;
    }
    hf_buf_init(&problem, TEXT_MAX);
    hf_buf_init(&file, TEXT_MAX);
    hf_buf_init(&file_again, TEXT_MAX);
    if (hf_trace_parse(bytes, size, steps, STEPS_MAX, &trace, &line, &problem) == HF_OK) {
        assert(trace.step_count <= hf_trace_room(bytes, size));
        write_all(&file, &trace);
        assert(hf_buf_error(&file) == HF_OK);
        int error =
            hf_trace_parse(file.bytes, file.size, steps_again, STEPS_MAX, &again, &line, &problem);
        assert(error == HF_OK);
        write_all(&file_again, &again);
        assert(file.size == file_again.size &&
               memcmp(file.bytes, file_again.bytes, file.size) == 0);
        struct hf_lab_world world;
        error = hf_lab_world_of_trace(&world, &trace, &problem);
        assert((error == HF_OK) == (problem.size == 0));
    } else {
        assert(line >= 1 && problem.size > 0);
    }
    hf_buf_release(&problem);
    hf_buf_release(&file);
    hf_buf_release(&file_again);
    return 0;
}
