/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What everything stands on: arena, buf, cursor, digest, index and the list of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/index.h"

/* --- arena --- */

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void an_arena_gives_zeroed_memory_up_to_its_cap(void **state)
{
    struct hf_arena arena;
    (void)state;
    hf_arena_init(&arena, 1024);
    unsigned char *first = hf_arena_alloc(&arena, 1);
    unsigned char *second = hf_arena_alloc(&arena, 1);
    assert_non_null(first);
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
    assert_ptr_not_equal(first, second);
    size_t left = arena.cap_bytes - arena.used_bytes;
    assert_null(hf_arena_alloc(&arena, left + 1));
    unsigned char *rest = hf_arena_alloc(&arena, left);
    assert_non_null(rest);
    assert_true(is_zero(rest, left));
    memset(rest, 0xff, left);
    assert_int_equal(arena.used_bytes, arena.cap_bytes);
    assert_null(hf_arena_alloc(&arena, 1));
    assert_non_null(hf_arena_alloc(&arena, 0));
    assert_true(is_zero(first, 1) && is_zero(second, 1));

    hf_arena_release(&arena);
    assert_int_equal(arena.used_bytes, 0);
    first = hf_arena_alloc(&arena, 1024);
    assert_non_null(first);
    assert_true(is_zero(first, 1024));
    hf_arena_release(&arena);
    hf_arena_release(&arena);
}

static void arena_sizes_that_overflow_are_refused(void **state)
{
    struct hf_arena arena;
    (void)state;
    hf_arena_init(&arena, SIZE_MAX);
    assert_null(hf_arena_alloc(&arena, SIZE_MAX));
    assert_null(hf_arena_array(&arena, SIZE_MAX / 8 + 1, 8));
    assert_null(hf_arena_copy(&arena, "x", SIZE_MAX));
    assert_null(hf_arena_array(&arena, SIZE_MAX / 2, 2));
    assert_non_null(hf_arena_array(&arena, SIZE_MAX, 0));
    assert_non_null(hf_arena_array(&arena, 3, 5));
    hf_arena_release(&arena);
}

/* Small and big allocations in turns: none overlaps another. */
static void big_allocations_leave_the_current_block_in_use(void **state)
{
    enum { COUNT = 300 };
    struct hf_arena arena;
    unsigned char *pieces[COUNT];
    size_t sizes[COUNT];
    (void)state;
    hf_arena_init(&arena, 64 * 1024 * 1024);
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i % 7 == 3 ? 100000 + i : i % 5 == 0 ? 65536 : 1 + i * 11;
        pieces[i] = hf_arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_true(is_zero(pieces[i], sizes[i]));
        memset(pieces[i], (int)(i % 255 + 1), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(pieces[i][k], i % 255 + 1);
        }
    }
    hf_arena_release(&arena);
}

static void arena_copies_end_with_a_nul(void **state)
{
    struct hf_arena arena;
    (void)state;
    hf_arena_init(&arena, 64);
    assert_string_equal(hf_arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(hf_arena_copy(&arena, NULL, 0), "");
    assert_null(hf_arena_copy(&arena, "a text that is longer than what is left of it", 40));
    hf_arena_release(&arena);
}

/* --- buf --- */

static void a_buf_writes_network_byte_order(void **state)
{
    struct hf_buf buf;
    (void)state;
    const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'x', 'y'};
    hf_buf_init(&buf, 1000);
    hf_buf_put_u8(&buf, 0x01);
    hf_buf_put_u16(&buf, 0x0203);
    hf_buf_put_u32(&buf, 0x04050607);
    hf_buf_put_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    hf_buf_put(&buf, "xy", 2);
    hf_buf_put(&buf, NULL, 0);
    assert_int_equal(buf.size, sizeof(expected));
    assert_memory_equal(buf.bytes, expected, sizeof(expected));
    assert_int_equal(hf_buf_error(&buf), HF_OK);
    hf_buf_release(&buf);
}

static void a_buf_at_its_cap_keeps_its_error_until_it_is_cleared(void **state)
{
    struct hf_buf buf;
    (void)state;
    hf_buf_init(&buf, 5);
    assert_string_equal(hf_buf_text(&buf), "");
    hf_buf_put_text(&buf, "abc");
    hf_buf_put_u16(&buf, 0x6465);
    assert_string_equal(hf_buf_text(&buf), "abcde");
    hf_buf_put(&buf, "", 0);
    assert_int_equal(hf_buf_error(&buf), HF_OK);
    hf_buf_put_u8(&buf, 'f');
    assert_int_equal(hf_buf_error(&buf), HF_ELIMIT);
    assert_int_equal(buf.size, 5);
    assert_string_equal(hf_buf_text(&buf), "");
    hf_buf_clear(&buf);
    hf_buf_printf(&buf, "%s", "toolong");
    hf_buf_printf(&buf, "%d", 1); /* would fit, but the error stays */
    assert_int_equal(hf_buf_error(&buf), HF_ELIMIT);
    assert_int_equal(buf.size, 0);
    hf_buf_clear(&buf);
    hf_buf_printf(&buf, "%d-%s", 12, "ab");
    assert_string_equal(hf_buf_text(&buf), "12-ab");
    hf_buf_release(&buf);
    hf_buf_put_u8(&buf, 1);
    assert_int_equal(buf.size, 1);
    hf_buf_release(&buf);
}

static void a_buf_grows_over_every_size(void **state)
{
    struct hf_buf buf;
    (void)state;
    hf_buf_init(&buf, 100000);
    for (uint32_t i = 0; i < 25000; i++) {
        hf_buf_put_u32(&buf, i);
    }
    assert_int_equal(hf_buf_error(&buf), HF_OK);
    hf_buf_put_u8(&buf, 0);
    assert_int_equal(hf_buf_error(&buf), HF_ELIMIT);
    struct hf_cursor cursor;
    hf_cursor_init(&cursor, buf.bytes, buf.size);
    for (uint32_t i = 0; i < 25000; i++) {
        assert_int_equal(hf_cursor_u32(&cursor), i);
    }
    assert_int_equal(hf_cursor_left(&cursor), 0);
    hf_buf_release(&buf);
}

/* --- cursor --- */

static void a_cursor_reads_until_the_end_and_then_only_zeros(void **state)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
    struct hf_cursor cursor;
    (void)state;
    hf_cursor_init(&cursor, bytes, sizeof(bytes));
    assert_int_equal(hf_cursor_u8(&cursor), 0x01);
    assert_int_equal(hf_cursor_u16(&cursor), 0x0203);
    assert_int_equal(hf_cursor_u32(&cursor), 0x04050607);
    assert_true(hf_cursor_u64(&cursor) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(hf_cursor_left(&cursor), 2);
    assert_ptr_equal(hf_cursor_bytes(&cursor, 0), bytes + 15);
    assert_ptr_equal(hf_cursor_bytes(&cursor, 2), bytes + 15);
    assert_int_equal(hf_cursor_left(&cursor), 0);
    assert_non_null(hf_cursor_bytes(&cursor, 0));
    assert_int_equal(cursor.error, HF_OK);

    hf_cursor_init(&cursor, bytes, 3);
    assert_int_equal(hf_cursor_u32(&cursor), 0);
    assert_int_equal(cursor.error, HF_EMALF);
    assert_int_equal(hf_cursor_left(&cursor), 0);
    assert_int_equal(hf_cursor_u8(&cursor), 0); /* it would be there: the error stays */
    assert_null(hf_cursor_bytes(&cursor, 1));
    assert_null(hf_cursor_bytes(&cursor, 0));
    assert_true(hf_cursor_u64(&cursor) == 0);

    hf_cursor_init(&cursor, bytes, 3);
    assert_null(hf_cursor_bytes(&cursor, SIZE_MAX));
    hf_cursor_init(&cursor, NULL, 0);
    assert_int_equal(hf_cursor_left(&cursor), 0);
    assert_int_equal(hf_cursor_u16(&cursor), 0);
    assert_int_equal(cursor.error, HF_EMALF);
}

/* --- digest --- */

/* FIPS 180-4's examples, and a million times "a". */
static void digests_are_sha_256(void **state)
{
    static const struct {
        const char *text, *digest;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct hf_digest digest;
    struct hf_digest again;
    char text[HF_DIGEST_TEXT_SIZE];
    struct hf_digester *digester = hf_digester_new();
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        hf_digest_of(known[i].text, strlen(known[i].text), &digest);
        hf_digest_text(&digest, text);
        assert_string_equal(text, known[i].digest);
        assert_int_equal(hf_digest_parse(text, &again), HF_OK);
        assert_memory_equal(&digest, &again, sizeof(digest));
        hf_digester_of(digester, known[i].text, strlen(known[i].text), &again);
        assert_memory_equal(&digest, &again, sizeof(digest));
    }
    hf_digester_free(digester);
    hf_digester_free(NULL);
    hf_digest_of("abc", 3, &digest);
    assert_true(hf_digest_head(&digest) == UINT64_C(0xba7816bf8f01cfea));
    hf_digest_of(NULL, 0, &digest);
    hf_digest_text(&digest, text);
    assert_string_equal(text, known[0].digest);
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    hf_digest_of(million, 1000000, &digest);
    hf_digest_text(&digest, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void texts_that_no_digest_writes_are_malformed(void **state)
{
    char text[HF_DIGEST_TEXT_SIZE + 1];
    struct hf_digest digest;
    struct hf_digest before;
    (void)state;
    memset(&digest, 0x5a, sizeof(digest));
    before = digest;
    for (size_t at = 0; at < HF_DIGEST_TEXT_SIZE - 1; at += 7) {
        for (const char *bad = "gG A/:`@\n"; *bad != 0; bad++) {
            memset(text, 'a', HF_DIGEST_TEXT_SIZE - 1);
            text[HF_DIGEST_TEXT_SIZE - 1] = 0;
            text[at] = *bad;
            assert_int_equal(hf_digest_parse(text, &digest), HF_EMALF);
        }
    }
    memset(text, 'a', HF_DIGEST_TEXT_SIZE);
    text[HF_DIGEST_TEXT_SIZE] = 0; /* one too many */
    assert_int_equal(hf_digest_parse(text, &digest), HF_EMALF);
    text[HF_DIGEST_TEXT_SIZE - 2] = 0; /* one too few */
    assert_int_equal(hf_digest_parse(text, &digest), HF_EMALF);
    assert_int_equal(hf_digest_parse("", &digest), HF_EMALF);
    assert_memory_equal(&digest, &before, sizeof(digest));
}

/* --- index --- */

static bool number_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    const uint32_t *numbers = context;
    return key_size == sizeof(*numbers) && memcmp(&numbers[row], key, key_size) == 0;
}

static void an_index_finds_every_row_while_it_grows(void **state)
{
    enum { ROWS = 50000 };
    struct hf_index index;
    uint32_t *numbers = calloc(ROWS, sizeof(*numbers));
    (void)state;
    assert_non_null(numbers);
    hf_index_init(&index);
    uint32_t key = 1;
    assert_int_equal(hf_index_find(&index, &key, sizeof(key), number_equal, numbers),
                     HF_INDEX_NONE);
    for (uint32_t row = 0; row < ROWS; row++) {
        numbers[row] = row * 2654435761U;
        hf_index_add(&index, &numbers[row], sizeof(numbers[row]), row);
        assert_true(index.row_count < index.slot_count);
        if (row < 200 || row % 9973 == 0) {
            for (uint32_t i = 0; i <= row; i++) {
                assert_int_equal(hf_index_find(&index, &numbers[i], 4, number_equal, numbers), i);
            }
        }
    }
    assert_int_equal(index.row_count, ROWS);
    for (uint32_t row = ROWS; row < 2 * ROWS; row++) {
        key = row * 2654435761U;
        assert_int_equal(hf_index_find(&index, &key, 4, number_equal, numbers), HF_INDEX_NONE);
    }
    hf_index_release(&index);
    assert_int_equal(hf_index_find(&index, numbers, 4, number_equal, numbers), HF_INDEX_NONE);
    hf_index_add(&index, numbers, 4, 0);
    assert_int_equal(hf_index_find(&index, numbers, 4, number_equal, numbers), 0);
    hf_index_reserve(&index, ROWS);
    uint32_t slot_count = index.slot_count;
    for (uint32_t row = 1; row < ROWS; row++) {
        hf_index_add(&index, &numbers[row], 4, row);
    }
    assert_int_equal(index.slot_count, slot_count);
    assert_true(slot_count < ROWS + ROWS / 6);
    hf_index_trim(&index);
    for (uint32_t row = 0; row < ROWS; row++) {
        assert_int_equal(hf_index_find(&index, &numbers[row], 4, number_equal, numbers), row);
    }
    hf_index_release(&index);
    free(numbers);
}

/* Rows with one hash are told apart by their keys: here all keys hash alike, being empty. */
static bool context_equal(const void *context, uint32_t row, const void *key, size_t key_size)
{
    (void)key;
    return key_size == 0 && row == *(const uint32_t *)context;
}

static void rows_of_one_hash_are_told_apart(void **state)
{
    struct hf_index index;
    (void)state;
    hf_index_init(&index);
    for (uint32_t row = 0; row < 500; row++) {
        hf_index_add(&index, "", 0, row);
    }
    for (uint32_t row = 0; row < 500; row++) {
        assert_int_equal(hf_index_find(&index, "", 0, context_equal, &row), row);
    }
    uint32_t none = 500;
    assert_int_equal(hf_index_find(&index, "", 0, context_equal, &none), HF_INDEX_NONE);
    hf_index_release(&index);
}

/* Other machines and releases find the same seeds: the hash is XXH3's. */
static void the_hash_is_the_same_everywhere(void **state)
{
    (void)state;
    assert_true(hf_hash64("", 0) == UINT64_C(0x2d06800538d394c2));
    assert_true(hf_hash64("abc", 3) == UINT64_C(0x78af5f94892f3950));
}

/* --- errors --- */

static void every_error_has_a_text_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(hf_strerror(HF_OK), "done");
    assert_string_equal(hf_strerror(1), "unknown error");
    assert_string_equal(hf_strerror(-HF_ERROR_END), "unknown error");
    assert_string_equal(hf_strerror(HF_EMALF), "malformed input");
    for (int error = 1; error < HF_ERROR_END; error++) {
        const char *text = hf_strerror(-error);
        assert_string_not_equal(text, "unknown error");
        assert_true(text[0] >= 'a' && text[0] <= 'z' && text[strlen(text) - 1] != '.');
        for (int other = 1; other < error; other++) {
            assert_string_not_equal(text, hf_strerror(-other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_zeroed_memory_up_to_its_cap),
        cmocka_unit_test(arena_sizes_that_overflow_are_refused),
        cmocka_unit_test(big_allocations_leave_the_current_block_in_use),
        cmocka_unit_test(arena_copies_end_with_a_nul),
        cmocka_unit_test(a_buf_writes_network_byte_order),
        cmocka_unit_test(a_buf_at_its_cap_keeps_its_error_until_it_is_cleared),
        cmocka_unit_test(a_buf_grows_over_every_size),
        cmocka_unit_test(a_cursor_reads_until_the_end_and_then_only_zeros),
        cmocka_unit_test(digests_are_sha_256),
        cmocka_unit_test(texts_that_no_digest_writes_are_malformed),
        cmocka_unit_test(an_index_finds_every_row_while_it_grows),
        cmocka_unit_test(rows_of_one_hash_are_told_apart),
        cmocka_unit_test(the_hash_is_the_same_everywhere),
        cmocka_unit_test(every_error_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
