/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trace files: what is read, what is refused and why, and that writing is reading's reverse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "lab/trace.h"

enum { STEPS_MAX = 8, PROBLEM_MAX = 500 };

#define HEAD "# holdfast-lab trace 1\n"
#define UP_TO_SEED HEAD "model two-phase\nseed 0\n"
#define UP_TO_STEPS UP_TO_SEED "expect holds\n"

static int parse(const char *text, struct hf_schedule steps[STEPS_MAX], struct hf_trace *ret_trace,
                 uint32_t *ret_line, struct hf_buf *ret_problem)
{
    return hf_trace_parse(text, strlen(text), steps, STEPS_MAX, ret_trace, ret_line, ret_problem);
}

static void test_all_of_it(void **state)
{
    (void)state;
    struct hf_schedule steps[STEPS_MAX];
    struct hf_trace trace;
    struct hf_buf problem;
    uint32_t line = 0;
    hf_buf_init(&problem, PROBLEM_MAX);
    const char *text = HEAD "\n# for the reader\nmodel world enactors=3 crashes=1\n"
                            "seed 18446744073709551615\nexpect broken I2\r\n"
                            "step 3 0 65535\n  # what it did\nstep\nheal";
    assert_int_equal(parse(text, steps, &trace, &line, &problem), HF_OK);
    assert_string_equal(trace.model, "world");
    assert_int_equal(trace.option_count, 2);
    assert_string_equal(trace.options[1].name, "crashes");
    assert_int_equal(trace.options[0].value, 3);
    assert_true(trace.seed == UINT64_MAX);
    assert_int_equal(trace.expect, HF_TRACE_BROKEN);
    assert_string_equal(trace.word, "I2");
    assert_int_equal(trace.step_count, 2);
    assert_int_equal(steps[0].count, 3);
    assert_int_equal(steps[0].given[2], 65535);
    assert_int_equal(steps[1].count, 0);
    assert_true(trace.heals);
    hf_buf_release(&problem);
}

static void test_written_is_read(void **state)
{
    (void)state;
    struct hf_schedule steps[STEPS_MAX] = {{.given = {1, 2}, .count = 2}, {.count = 0}};
    struct hf_schedule read[STEPS_MAX];
    struct hf_trace trace = {.model = "world", .seed = 42, .steps = steps}, again;
    struct hf_buf file, problem;
    uint32_t line = 0;
    hf_buf_init(&file, 10000);
    hf_buf_init(&problem, PROBLEM_MAX);
    hf_trace_expect_end(&trace, HF_RUN_RESTLESS, "I5: never, ever");
    hf_trace_put_head(&file, &trace);
    hf_trace_put_step(&file, &steps[0]);
    hf_trace_put_note(&file, "one line\nheal");
    hf_trace_put_step(&file, &steps[1]);
    hf_trace_put_heal(&file);
    assert_string_equal(hf_buf_text(&file), HEAD "model world\nseed 42\nexpect restless I5\n"
                                                 "step 1 2\n# one line\n# heal\nstep\nheal\n");
    assert_int_equal(parse(hf_buf_text(&file), read, &again, &line, &problem), HF_OK);
    assert_int_equal(again.step_count, 2);
    assert_int_equal(read[0].given[1], 2);
    assert_int_equal(again.expect, HF_TRACE_RESTLESS);
    hf_buf_release(&file);
    hf_buf_release(&problem);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *problem;
    } rows[] = {
        {"", 1, "found the end of the file, expected model, seed and expect"},
        {"model x\n", 1, "found 'model x', expected '# holdfast-lab trace 1'"},
        {"# holdfast-lab trace 2\n", 1,
         "found '# holdfast-lab trace 2', expected '# holdfast-lab trace 1'"},
        {HEAD "seed 1\n", 2, "found 'seed', expected model"},
        {HEAD "model\n", 2, "found the end of the line, expected the name of a model"},
        {HEAD "model x y\n", 2, "found 'y', expected NAME=NUMBER"},
        {HEAD "model x y=\n", 2, "found 'y=', expected NAME=NUMBER"},
        {HEAD "model x y=4294967296\n", 2, "found 'y=4294967296', expected NAME=NUMBER"},
        {HEAD "model x =1\n", 2, "found '=1', expected NAME=NUMBER"},
        {HEAD "model x\nseed -1\n", 3, "found '-1', expected a number of 64 bits"},
        {HEAD "model x\nseed 18446744073709551616\n", 3,
         "found '18446744073709551616', expected a number of 64 bits"},
        {HEAD "model x\nseed 1 2\n", 3, "found '2', expected the end of the line"},
        {UP_TO_SEED "step 1\n", 4, "found 'step', expected expect"},
        {UP_TO_SEED "expect fine\n", 4, "found 'fine', expected holds, broken, restless or wedge"},
        {UP_TO_SEED "expect broken\n", 4,
         "found the end of the line, expected the name of an invariant, at most 31 letters"},
        {UP_TO_STEPS "step 65536\n", 5, "found '65536', expected a number below 65536"},
        {UP_TO_STEPS "step 0x1\n", 5, "found '0x1', expected a number below 65536"},
        {UP_TO_STEPS "stop\n", 5, "found 'stop', expected step or heal"},
        {UP_TO_STEPS "heal\nstep\n", 6, "found 'step', expected nothing after heal"},
        {UP_TO_STEPS "heal now\n", 5, "found 'now', expected the end of the line"},
        {UP_TO_STEPS "step 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4\n", 5,
         "found '4', expected no more choices than 24"},
        {UP_TO_STEPS "step\nstep\nstep\nstep\nstep\nstep\nstep\nstep\nstep\n", 13,
         "found 'step', expected no more steps than room is for"},
        {HEAD "model x\n", 3, "found the end of the file, expected model, seed and expect"},
    };
    struct hf_schedule steps[STEPS_MAX];
    struct hf_trace trace;
    struct hf_buf problem;
    hf_buf_init(&problem, PROBLEM_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t line = 0;
        hf_buf_clear(&problem);
        assert_int_equal(parse(rows[i].text, steps, &trace, &line, &problem), HF_EMALF);
        assert_string_equal(hf_buf_text(&problem), rows[i].problem);
        assert_int_equal(line, rows[i].line);
    }
    hf_buf_release(&problem);
}

static void test_limits_of_the_model_line(void **state)
{
    (void)state;
    struct hf_schedule steps[STEPS_MAX];
    struct hf_trace trace;
    struct hf_buf file, problem;
    uint32_t line = 0;
    hf_buf_init(&file, 10000);
    hf_buf_init(&problem, PROBLEM_MAX);
    hf_buf_put_text(&file, HEAD "model a-name-of-thirty-one-octets-xxxx");
    assert_int_equal(parse(hf_buf_text(&file), steps, &trace, &line, &problem), HF_EMALF);
    hf_buf_clear(&file);
    hf_buf_put_text(&file, HEAD "model x");
    for (int i = 0; i < HF_TRACE_OPTIONS_MAX + 1; i++) {
        hf_buf_printf(&file, " o%d=1", i);
    }
    assert_int_equal(parse(hf_buf_text(&file), steps, &trace, &line, &problem), HF_EMALF);
    assert_string_equal(hf_buf_text(&problem), "found 'o48=1', expected no more options than 48");
    hf_buf_release(&file);
    hf_buf_release(&problem);
}

static void test_expectations(void **state)
{
    (void)state;
    struct hf_trace trace = {.model = "x"};
    hf_trace_expect_end(&trace, HF_RUN_BROKEN, "I2: never backwards");
    assert_true(hf_trace_is_met(&trace, HF_RUN_BROKEN, "I2 in other words"));
    assert_false(hf_trace_is_met(&trace, HF_RUN_BROKEN, "I3: another one"));
    assert_false(hf_trace_is_met(&trace, HF_RUN_RESTLESS, "I2: never backwards"));
    assert_false(hf_trace_is_met(&trace, HF_RUN_GOING, ""));
    hf_trace_expect_end(&trace, HF_RUN_GOING, "");
    assert_true(hf_trace_is_met(&trace, HF_RUN_HEALED, ""));
    assert_true(hf_trace_is_met(&trace, HF_RUN_STILL, ""));
    assert_false(hf_trace_is_met(&trace, HF_RUN_WEDGE, "nothing can happen"));
    hf_trace_expect_end(&trace, HF_RUN_BROKEN, "an-invariant-whose-name-is-much-too-long breaks");
    assert_string_equal(trace.word, "an-invariant-whose-name-is-much");
    hf_trace_expect_end(&trace, HF_RUN_BROKEN, "");
    assert_string_equal(trace.word, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it),       cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_limits_of_the_model_line),
        cmocka_unit_test(test_expectations),
    };
    return cmocka_run_group_tests_name("lab trace", tests, NULL, NULL);
}
