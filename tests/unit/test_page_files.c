/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page's files inside the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "holdfast/page_files.h"
#include "io/serve_internal.h"

static void test_every_file_is_found(void **state)
{
    (void)state;
    assert_true(hf_page_files_count > 0);
    for (size_t i = 0; i < hf_page_files_count; i++) {
        const struct hf_page_file *file = &hf_page_files[i];
        assert_true(i == 0 || strcmp(hf_page_files[i - 1].path, file->path) < 0);
        assert_ptr_equal(hf_page_files_find(file->path), file);
        assert_true(file->path[0] == '/' && file->size > 0);
        assert_true(file->etag[0] == '"' && file->etag[strlen(file->etag) - 1] == '"');
    }
    assert_ptr_equal(hf_page_files_find("/"), hf_page_files_find("/index.html"));
    assert_true(hf_page_files_has("/"));
    static const char *const others[] = {
        "", "/index", "/index.html/", "/INDEX.HTML", "index.html", "/../index.html", "/nothing.js"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(hf_page_files_has(others[i]));
    }
}

static void test_a_file_is_answered_compressed(void **state)
{
    (void)state;
    struct hf_serve_answer answer = {0};
    struct hf_buf plain;
    hf_buf_init(&answer.body, HF_SERVE_ANSWER_MAX);
    hf_buf_init(&plain, HF_SERVE_ANSWER_MAX);
    hf_page_files_answer(hf_page_files_find("/"), &answer);
    assert_true(answer.is_gzip);
    assert_string_equal(answer.content_type, "text/html; charset=utf-8");
    assert_int_equal(hf_serve_gunzip(&answer.body, &plain), HF_OK);
    assert_non_null(strstr(hf_buf_text(&plain), "<title>Holdfast</title>"));
    hf_buf_release(&answer.body);
    hf_buf_release(&plain);
}

/* What is compressed is what comes out, and what is cut or foreign is an error. */
static void test_compression(void **state)
{
    (void)state;
    struct hf_buf plain, packed, again, small;
    hf_buf_init(&plain, HF_SERVE_ANSWER_MAX);
    hf_buf_init(&packed, HF_SERVE_ANSWER_MAX);
    hf_buf_init(&again, HF_SERVE_ANSWER_MAX);
    hf_buf_init(&small, 1000);
    for (unsigned i = 0; i < 100000; i++) {
        hf_buf_printf(&plain, "%u,", i * i);
    }
    assert_int_equal(hf_serve_gzip(&plain, &packed), HF_OK);
    assert_true(packed.size < plain.size);
    assert_int_equal(hf_serve_gunzip(&packed, &again), HF_OK);
    assert_int_equal(again.size, plain.size);
    assert_memory_equal(again.bytes, plain.bytes, plain.size);
    assert_int_equal(hf_serve_gunzip(&packed, &small), HF_ELIMIT);
    hf_buf_clear(&again);
    packed.size /= 2;
    assert_int_equal(hf_serve_gunzip(&packed, &again), HF_EMALF);
    hf_buf_clear(&again);
    assert_int_equal(hf_serve_gunzip(&plain, &again), HF_EMALF);
    hf_buf_release(&plain);
    hf_buf_release(&packed);
    hf_buf_release(&again);
    hf_buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_file_is_found),
        cmocka_unit_test(test_a_file_is_answered_compressed),
        cmocka_unit_test(test_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
