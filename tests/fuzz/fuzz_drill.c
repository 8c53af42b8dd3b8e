/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios and suites: what is read can be run for a moment, and what is refused says why.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/drill_suite.h"
#include "drill/drill.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses up to 4 KiB over a scalar with a run of eight or more doubled quotes. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void run(const struct hf_drill_scenario *scenario)
{
    enum { MEMORY_MAX = 4 << 20, EVENTS = 2000 };
    size_t memory = hf_drill_memory(scenario);
    if (memory > MEMORY_MAX) {
        return;
    }
    void *block = calloc(1, memory);
    require(block != NULL);
    struct hf_drill *drill = hf_drill_init(scenario, 1, block, memory);
    (void)hf_drill_run(drill, HF_DRILL_NEVER, EVENTS);
    require(hf_drill_now_us(drill) <= scenario->length_us);
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hf_buf problems;
    struct hf_drill_file *file = NULL;
    struct hf_drill_suite *suite = NULL;
    struct hf_drill_choice choice = {.remedies = "all"};
    hf_buf_init(&problems, 1 << 20);
    int error =
        hf_drill_file_read_text((const char *)bytes, size, "f.yaml", &choice, &file, &problems);
    if (error == HF_OK) {
        for (uint32_t i = 0; i < file->scenario.action_count; i++) {
            char text[HF_DRILL_WORDS_MAX];
            hf_drill_action_text(&file->scenario, &file->scenario.actions[i], text);
        }
        run(&file->scenario);
    } else {
        require(file == NULL && problems.size > 0 && hf_buf_error(&problems) == HF_OK);
    }
    hf_buf_clear(&problems);
    error = hf_drill_suite_read_text((const char *)bytes, size, "f.yaml", &suite, &problems);
    require(error == HF_OK ? suite != NULL : problems.size > 0);
    hf_drill_file_free(file);
    hf_drill_suite_free(suite);
    hf_buf_release(&problems);
    return 0;
}
