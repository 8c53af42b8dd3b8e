/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/states.h"

static void test_both_forms(void **state)
{
    (void)state;
    static const char text[] = "# written by the load balancer\n"
                               "\n"
                               "web-1 up\n"
                               "  web-2\t down \r\n"
                               "{\"name\": \"web-3\", \"state\": \"up\", \"since\": 17}\n"
                               " {\"state\": \"down\", \"name\": \"web-4\"}\n"
                               "up down\n";
    struct hf_states states;
    struct hf_states_problem problem;
    assert_int_equal(hf_states_read(text, sizeof text - 1, &states, &problem), HF_OK);
    assert_int_equal(states.count, 5);
    assert_int_equal(hf_states_find(&states, "web-1"), HF_STATE_UP);
    assert_int_equal(hf_states_find(&states, "web-2"), HF_STATE_DOWN);
    assert_int_equal(hf_states_find(&states, "web-3"), HF_STATE_UP);
    assert_int_equal(hf_states_find(&states, "web-4"), HF_STATE_DOWN);
    assert_int_equal(hf_states_find(&states, "up"), HF_STATE_DOWN);
    assert_int_equal(hf_states_find(&states, "web"), HF_STATE_ABSENT);
    assert_int_equal(hf_states_find(&states, "web-11"), HF_STATE_ABSENT);
    assert_int_equal(hf_states_find(&states, ""), HF_STATE_ABSENT);
    hf_states_release(&states);
}

static void test_empty_file(void **state)
{
    (void)state;
    struct hf_states states;
    struct hf_states_problem problem;
    assert_int_equal(hf_states_read("", 0, &states, &problem), HF_OK);
    assert_int_equal(hf_states_find(&states, "web-1"), HF_STATE_ABSENT);
    hf_states_release(&states);
}

static void test_refused_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *why;
    } table[] = {
        {"a up\nb up", 2, "a last line without a line feed"},
        {"a\x01 up\n", 1, "a control character in a name"},
        {"{\"name\": \"a\\n\", \"state\": \"up\"}\n", 1, "a control character in a name"},
        {"a up\nb\n", 2, "expected NAME up or NAME down"},
        {"a UP\n", 1, "expected NAME up or NAME down"},
        {"a up down\n", 1, "expected NAME up or NAME down"},
        {"a maybe\n", 1, "expected NAME up or NAME down"},
        {"a up\n\n#\na down\n", 4, "a name that stands in the file twice"},
        {"a up\n{\"name\": \"a\", \"state\": \"up\"}\n", 2, "a name that stands in the file twice"},
        {"{\"name\": \"a\", \"state\": \"u", 1, "a last line without a line feed"},
        {"{\"name\": \"a\", \"state\": \"u\n", 1, "not a JSON object"},
        {"{\"name\": \"a\", \"name\": \"b\", \"state\": \"up\"}\n", 1, "not a JSON object"},
        {"{\"name\": \"a\", \"state\": \"up\"} x\n", 1, "not a JSON object"},
        {"{\"name\": 1, \"state\": \"up\"}\n", 1, "expected a string as \"name\""},
        {"{\"state\": \"up\"}\n", 1, "expected a string as \"name\""},
        {"{\"name\": \"a\"}\n", 1, "expected \"up\" or \"down\" as \"state\""},
        {"{\"name\": \"a\", \"state\": true}\n", 1, "expected \"up\" or \"down\" as \"state\""},
        {"{\"name\": \"a\", \"state\": \"ok\"}\n", 1, "expected \"up\" or \"down\" as \"state\""},
        {"{\"name\": \"\", \"state\": \"up\"}\n", 1,
         "a name that is empty or longer than 63 octets"},
        {"0123456789012345678901234567890123456789012345678901234567890123 up\n", 1,
         "a name that is empty or longer than 63 octets"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct hf_states states = {.count = 77};
        struct hf_states_problem problem = {0};
        int error = hf_states_read(table[i].text, strlen(table[i].text), &states, &problem);
        assert_int_equal(error, HF_EMALF);
        assert_int_equal(problem.line, table[i].line);
        assert_string_equal(problem.why, table[i].why);
        assert_int_equal(states.count, 77);
    }
}

static int read_line_of(size_t size)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, ' ', size);
    memcpy(text, "a up", 4);
    text[size] = '\n';
    struct hf_states states;
    struct hf_states_problem problem;
    int error = hf_states_read(text, size + 1, &states, &problem);
    if (error == HF_OK) {
        hf_states_release(&states);
    }
    free(text);
    return error;
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(read_line_of(HF_STATES_LINE_MAX), HF_OK);
    assert_int_equal(read_line_of(HF_STATES_LINE_MAX + 1), HF_EMALF);

    struct hf_states states;
    struct hf_states_problem problem;
    static const char name[] =
        "012345678901234567890123456789012345678901234567890123456789012 up\n";
    assert_int_equal(hf_states_read(name, sizeof name - 1, &states, &problem), HF_OK);
    hf_states_release(&states);

    char *text = calloc(1, (size_t)HF_STATES_SIZE_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', (size_t)HF_STATES_SIZE_MAX + 1);
    assert_int_equal(hf_states_read(text, (size_t)HF_STATES_SIZE_MAX + 1, &states, &problem),
                     HF_ELIMIT);
    free(text);
}

static void test_fleet(void **state)
{
    (void)state;
    struct hf_buf buf;
    hf_buf_init(&buf, HF_STATES_SIZE_MAX);
    for (unsigned i = 0; i < 20000; i++) {
        hf_buf_printf(&buf, "backend-%u %s\n", i, i % 3 == 0 ? "down" : "up");
    }
    struct hf_states states;
    struct hf_states_problem problem;
    assert_int_equal(hf_states_read(hf_buf_text(&buf), buf.size, &states, &problem), HF_OK);
    hf_buf_release(&buf); /* the table holds its own copies */
    assert_int_equal(states.count, 20000);
    for (unsigned i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof name, "backend-%u", i);
        assert_int_equal(hf_states_find(&states, name), i % 3 == 0 ? HF_STATE_DOWN : HF_STATE_UP);
    }
    hf_states_release(&states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms),    cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_refused_files), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_fleet),
    };
    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
