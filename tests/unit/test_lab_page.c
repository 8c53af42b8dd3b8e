/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page stands alone, is whole and says what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "lab/page.h"

static uint32_t count_text(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void make(struct hf_compare_result *ret_result)
{
    void *memory = malloc(hf_compare_layout(&hf_compare_usual));
    assert_non_null(memory);
    assert_int_equal(hf_compare_run(&hf_compare_usual, memory, ret_result), HF_OK);
    free(memory);
}

static void test_stands_alone(void **state)
{
    (void)state;
    static const char *const outside[] = {"http",    "//",      "src=",    "href=", "url(",
                                          "@import", "<script", "<iframe", "<link"};
    struct hf_compare_result result;
    struct hf_buf html;
    make(&result);
    hf_buf_init(&html, HF_PAGE_SIZE_MAX);
    hf_page_write(&result, &html);
    assert_int_equal(hf_buf_error(&html), HF_OK);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        const char *found = strstr(hf_buf_text(&html), outside[i]);
        if (found != NULL) {
            fail_msg("%s at %.40s", outside[i], found);
        }
    }
    hf_buf_release(&html);
}

static void test_is_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"table", "thead", "tbody", "tr",     "td",
                                        "th",    "ul",    "li",    "span",   "b",
                                        "main",  "div",   "html",  "section"};
    struct hf_compare_result result;
    struct hf_buf html;
    make(&result);
    hf_buf_init(&html, HF_PAGE_SIZE_MAX);
    hf_page_write(&result, &html);
    const char *text = hf_buf_text(&html);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char open[16], open_more[16], close[16];
        (void)snprintf(open, sizeof open, "<%s>", names[i]);
        (void)snprintf(open_more, sizeof open_more, "<%s ", names[i]);
        (void)snprintf(close, sizeof close, "</%s>", names[i]);
        uint32_t opened = count_text(text, open) + count_text(text, open_more);
        assert_true(opened > 0);
        assert_int_equal(opened, count_text(text, close));
    }
    /* A cell for each side of each row, and of the end. */
    assert_int_equal(count_text(text, "<td "), 2 * (result.cloud.count + 1));
    assert_int_equal(count_text(text, "<li "), result.cloud.count + 1 + result.fenced.count);
    hf_buf_release(&html);
}

static void test_says_what_happened(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "<strong>step 14</strong>",
        "By step <strong>26</strong>",
        "<strong>everybody is in step</strong>",
        "deletes plan 2: api answers nothing</span>",
        "<b class=\"no new\">api nothing</b>",
        "<b class=\"old new\">api 2 older</b>",
        "<b class=\"ok new\">api 5</b>",
    };
    struct hf_compare_result result;
    struct hf_buf html;
    make(&result);
    hf_buf_init(&html, HF_PAGE_SIZE_MAX);
    hf_page_write(&result, &html);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(hf_buf_text(&html), parts[i]) == NULL) {
            fail_msg("the page lacks: %s", parts[i]);
        }
    }
    hf_buf_clear(&html);
    result.in_step = false;
    hf_page_write(&result, &html);
    assert_null(strstr(hf_buf_text(&html), "everybody is in step"));
    hf_buf_release(&html);
}

static void test_escapes(void **state)
{
    (void)state;
    struct hf_compare_result result;
    struct hf_buf html;
    make(&result);
    (void)snprintf(result.cloud.lines[3].text, HF_TIMELINE_TEXT_SIZE, "%s", "<i onx=\"1\">&amp;");
    hf_buf_init(&html, HF_PAGE_SIZE_MAX);
    hf_page_write(&result, &html);
    assert_non_null(strstr(hf_buf_text(&html), "&lt;i onx=&quot;1&quot;&gt;&amp;amp;"));
    assert_null(strstr(hf_buf_text(&html), "<i onx"));
    hf_buf_release(&html);
}

static void test_limit(void **state)
{
    (void)state;
    struct hf_compare_result result;
    struct hf_buf html;
    make(&result);
    hf_buf_init(&html, 5000);
    hf_page_write(&result, &html);
    assert_int_equal(hf_buf_error(&html), HF_ELIMIT);
    hf_buf_release(&html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stands_alone),
        cmocka_unit_test(test_is_whole),
        cmocka_unit_test(test_says_what_happened),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests_name("lab page", tests, NULL, NULL);
}
