/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Golden traces of the lab: every tests/trace/lab/NAME.trace ends as it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdlib.h>

#include "base/error.h"
#include "holdfast/lab_timeline.h"
#include "holdfast/tool.h"

enum { FILE_MAX = 4 * 1024 * 1024, PROBLEM_MAX = 500 };

static void replay(const char *path)
{
    struct hf_buf file, problem;
    struct hf_trace trace;
    struct hf_lab_world world;
    struct hf_lab_ending ending;
    uint32_t line = 0;
    hf_buf_init(&file, FILE_MAX);
    hf_buf_init(&problem, PROBLEM_MAX);
    assert_int_equal(hf_tool_read(path, &file), HF_OK);
    uint32_t room = hf_trace_room(file.bytes, file.size);
    struct hf_schedule *steps = calloc(room, sizeof(steps[0]));
    assert_non_null(steps);
    if (hf_trace_parse(file.bytes, file.size, steps, room, &trace, &line, &problem) != HF_OK) {
        fail_msg("%s:%u: %s", path, line, hf_buf_text(&problem));
    }
    if (hf_lab_world_of_trace(&world, &trace, &problem) != HF_OK) {
        fail_msg("%s: %s", path, hf_buf_text(&problem));
    }
    hf_lab_timeline(&world, &trace, NULL, NULL, &ending);
    if (ending.stuck != 0) {
        fail_msg("%s: step %u leads nowhere", path, ending.stuck);
    }
    if (!hf_trace_is_met(&trace, ending.end, ending.why)) {
        hf_buf_clear(&problem);
        hf_trace_put_expect(&problem, &trace);
        fail_msg("%s: expected %s, ended: %s %s", path, hf_buf_text(&problem),
                 hf_lab_end_name(ending.end), ending.why);
    }
    free(steps);
    hf_buf_release(&file);
    hf_buf_release(&problem);
}

static void test_every_trace(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("tests/trace/lab/*.trace", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 2);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        replay(found.gl_pathv[i]);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_trace),
    };
    return cmocka_run_group_tests_name("lab traces", tests, NULL, NULL);
}
