/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "holdfast/command_help.h"
#include "holdfast/term.h"

struct page {
    struct hf_term term;
    char *text;
    size_t size;
};

static void page_open(struct page *page, bool colour)
{
    page->text = NULL;
    page->term = (struct hf_term){
        .stream = open_memstream(&page->text, &page->size),
        .colour = colour,
        .width = 80,
    };
    assert_non_null(page->term.stream);
}

static void page_expect(struct page *page, const char *expected)
{
    (void)fclose(page->term.stream);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): fclose has set the text anew */
    assert_string_equal(page->text, expected);
    free(page->text);
}

static void test_styles(void **state)
{
    (void)state;
    struct page page;
    page_open(&page, true);
    hf_term_put(&page.term, HF_STYLE_BAD, "%d", 7);
    hf_term_put(&page.term, HF_STYLE_PLAIN, " plain");
    hf_term_put(&page.term, HF_STYLE_GOOD, "%s", "");
    page_expect(&page, "\x1b[31m7\x1b[0m plain");
    page_open(&page, false);
    hf_term_put(&page.term, HF_STYLE_BAD, "%d", 7);
    page_expect(&page, "7");
}

/* Names come from zones and files: they must not move the cursor or set a title. */
static void test_controls_are_harmless(void **state)
{
    (void)state;
    struct page page;
    page_open(&page, false);
    hf_term_put(&page.term, HF_STYLE_PLAIN, "%s",
                "a\x1b[2J\x07\tb\nc\x7f\xc2\x9b"
                "m gr\xc3\xbcn");
    page_expect(&page, "a?[2J??b\nc???m gr\xc3\xbcn");
}

static void test_table_is_aligned(void **state)
{
    (void)state;
    struct page page;
    struct hf_table table;
    page_open(&page, false);
    hf_table_init(&table, "NAME|>GEN|WHY");
    hf_table_put(&table, HF_STYLE_PLAIN, "%s", "\xc3\xbc");
    hf_table_put(&table, HF_STYLE_PLAIN, "%d", 5);
    hf_table_put(&table, HF_STYLE_PLAIN, "%s", "x");
    hf_table_put(&table, HF_STYLE_PLAIN, "%s", "longer");
    hf_table_put(&table, HF_STYLE_BAD, "%d", 12345);
    hf_table_put(&table, HF_STYLE_PLAIN, "%s", "");
    hf_table_print(&table, &page.term, 2);
    hf_table_release(&table);
    page_expect(&page, "  NAME      GEN  WHY\n"
                       "  \xc3\xbc           5  x\n"
                       "  longer  12345  \n");
}

static void test_table_without_titles_and_with_many_rows(void **state)
{
    (void)state;
    struct page page;
    struct hf_table table;
    page_open(&page, true);
    hf_table_init(&table, "|");
    for (int i = 0; i < 200; i++) {
        hf_table_put(&table, HF_STYLE_NAME, "%d", i);
        hf_table_put(&table, HF_STYLE_PLAIN, "x");
    }
    hf_table_print(&table, &page.term, 0);
    hf_table_release(&table);
    (void)fflush(page.term.stream);
    assert_memory_equal(page.text, "\x1b[36m0\x1b[0m    x\n", 14);
    assert_non_null(strstr(page.text, "\x1b[36m199\x1b[0m  x\n"));
    (void)fclose(page.term.stream);
    free(page.text);
}

static void test_times_and_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *duration, *ago;
    } times[] = {
        {0, "0ms", "now"},           {999, "999ms", "now"},
        {1000, "1s", "1s ago"},      {119999, "119s", "119s ago"},
        {120000, "2m", "2m ago"},    {7200000, "2h", "2h ago"},
        {172800000, "2d", "2d ago"}, {8640000000000, "100000d", "100000d ago"},
    };
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1536, "1.5 KiB"},
        {3ull << 30, "3.0 GiB"},
        {UINT64_MAX, "16384.0 PiB"},
    };
    char text[HF_TERM_SHORT_MAX];
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        hf_term_duration(times[i].ms, text);
        assert_string_equal(text, times[i].duration);
        hf_term_ago(times[i].ms + 5, 5, text);
        assert_string_equal(text, times[i].ago);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        hf_term_size(sizes[i].bytes, text);
        assert_string_equal(text, sizes[i].text);
    }
    hf_term_ago(5, 6000, text); /* clocks of two machines differ */
    assert_string_equal(text, "now");
    hf_term_timestamp(1769860800123, text);
    assert_string_equal(text, "2026-01-31T12:00:00.123Z");
    hf_term_timestamp(UINT64_MAX, text);
    assert_string_equal(text, "-");
}

static void test_colour_choice(void **state)
{
    (void)state;
    assert_true(hf_term_wants_colour(STDOUT_FILENO, HF_COLOUR_ALWAYS));
    assert_false(hf_term_wants_colour(STDOUT_FILENO, HF_COLOUR_NEVER));
    int fd = fileno(tmpfile());
    assert_false(hf_term_wants_colour(fd, HF_COLOUR_AUTO));
}

static void test_nearest_command(void **state)
{
    (void)state;
    assert_string_equal(hf_help_nearest(&hf_program_holdfast, "rnu"), "run");
    assert_string_equal(hf_help_nearest(&hf_program_holdfast, "plannner"), "planner");
    assert_string_equal(hf_help_nearest(&hf_program_holdfast, "check"), "check-config");
    assert_null(hf_help_nearest(&hf_program_holdfast, "xyzzy"));
    assert_null(hf_help_nearest(&hf_program_holdfast, ""));
    assert_null(hf_help_nearest(&hf_program_holdfast, "q"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_controls_are_harmless),
        cmocka_unit_test(test_table_is_aligned),
        cmocka_unit_test(test_table_without_titles_and_with_many_rows),
        cmocka_unit_test(test_times_and_sizes),
        cmocka_unit_test(test_colour_choice),
        cmocka_unit_test(test_nearest_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
