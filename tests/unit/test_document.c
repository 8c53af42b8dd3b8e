/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents under refs, and overrides as the one that several operators write. */
#include "plan_store_help.h"

static int put_text(struct hf_store *store, const char *ref, const char *text)
{
    struct hf_buf document;
    hf_buf_init(&document, 1024);
    hf_buf_put_text(&document, text);
    int error = hf_document_put(store, ref, &document);
    hf_buf_release(&document);
    return error;
}

static void expect_document(struct hf_store *store, const char *ref, const char *text)
{
    struct hf_buf document;
    hf_buf_init(&document, 1024);
    hf_buf_put_text(&document, "<"); /* it is appended */
    assert_int_equal(hf_document_get(store, ref, &document), HF_OK);
    assert_int_equal(document.bytes[0], '<');
    assert_string_equal(hf_buf_text(&document) + 1, text);
    hf_buf_release(&document);
}

static size_t object_count(struct hf_store *store)
{
    struct hf_store_object objects[16];
    size_t count = 0;
    assert_int_equal(hf_store_list(store, NULL, objects, 16, &count), HF_OK);
    return count;
}

static void a_document_replaces_the_one_before(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_buf document;
    hf_buf_init(&document, 1024);
    assert_int_equal(hf_document_get(store, "report/edge-1", &document), HF_ENOENT);
    expect_words(hf_store_why(store), place, "report/edge-1");
    assert_int_equal(put_text(store, "report/edge-1", "{\"at\":1}"), HF_OK);
    expect_document(store, "report/edge-1", "{\"at\":1}");
    assert_int_equal(put_text(store, "report/edge-2", "{\"at\":2}"), HF_OK);
    assert_int_equal(put_text(store, "report/edge-1", "{\"at\":3}"), HF_OK);
    expect_document(store, "report/edge-1", "{\"at\":3}");
    expect_document(store, "report/edge-2", "{\"at\":2}");
    assert_int_equal(object_count(store), 2);
    assert_int_equal(put_text(store, "report/edge-1", "{\"at\":3}"), HF_OK); /* the same again */
    expect_document(store, "report/edge-1", "{\"at\":3}");
    hf_buf_release(&document);
    hf_store_close(store);
}

static void a_document_that_is_lost(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_buf document;
    hf_buf_init(&document, 1024);
    assert_int_equal(put_text(store, "report/edge-1", "{}"), HF_OK);
    change_raw(place->path, "DELETE FROM object");
    assert_int_equal(hf_document_get(store, "report/edge-1", &document), HF_ECORRUPT);
    expect_words(hf_store_why(store), place, "report/edge-1");
    assert_int_equal(document.size, 0);
    /* Putting another mends it. */
    assert_int_equal(put_text(store, "report/edge-1", "{\"at\":2}"), HF_OK);
    expect_document(store, "report/edge-1", "{\"at\":2}");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(hf_document_get(store, "report/edge-1", &document), HF_ENOENT);
    assert_int_equal(put_text(store, "report/edge-1", "{}"), HF_ENOENT);
    expect_words(hf_store_why(store), place, "no such file");
    hf_buf_release(&document);
    hf_store_close(store);
}

static void drain(struct hf_overrides *overrides, const char *backend)
{
    struct hf_override item = {.kind = HF_OVERRIDE_DRAIN_BACKEND, .subject = backend, .at_ms = 1};
    assert_int_equal(hf_overrides_set(overrides, &item), HF_OK);
}

static void nobody_has_said_anything(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_overrides overrides;
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    assert_int_equal(hf_overrides_load(store, &overrides, &value), HF_OK);
    assert_int_equal(overrides.count, 0);
    assert_int_equal(value.size, 0);
    /* A store that is not there has said nothing at all. */
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(hf_overrides_load(store, &overrides, &value), HF_ENOENT);
    expect_words(hf_store_why(store), place, "no such file");
    hf_buf_release(&value);
    hf_overrides_release(&overrides);
    hf_store_close(store);
}

static void of_two_operators_none_is_lost(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_overrides one;
    struct hf_overrides two;
    struct hf_buf one_value;
    struct hf_buf two_value;
    hf_buf_init(&one_value, HF_STORE_REF_VALUE_MAX);
    hf_buf_init(&two_value, HF_STORE_REF_VALUE_MAX);
    assert_int_equal(hf_overrides_load(store, &one, &one_value), HF_OK);
    assert_int_equal(hf_overrides_load(store, &two, &two_value), HF_OK);
    drain(&one, "web-1");
    drain(&two, "web-2");
    assert_int_equal(hf_overrides_save(store, &one, &one_value), HF_OK);
    assert_int_equal(hf_overrides_save(store, &two, &two_value), HF_ESTALE);
    hf_overrides_release(&two);
    assert_int_equal(hf_overrides_load(store, &two, &two_value), HF_OK);
    drain(&two, "web-2");
    assert_int_equal(hf_overrides_save(store, &two, &two_value), HF_OK);
    hf_overrides_release(&one);
    assert_int_equal(hf_overrides_load(store, &one, &one_value), HF_OK);
    assert_int_equal(one.count, 2);
    assert_int_equal(object_count(store), 1);
    hf_overrides_release(&one);
    hf_overrides_release(&two);
    hf_buf_release(&one_value);
    hf_buf_release(&two_value);
    hf_store_close(store);
}

/*
 * The same words said again are another object: a writer that is slow to delete what it replaced
 * would delete what came back otherwise.
 */
static void no_two_objects_are_alike(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_overrides overrides;
    struct hf_buf value;
    char first[HF_STORE_REF_VALUE_MAX + 1] = "";
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(hf_overrides_load(store, &overrides, &value), HF_OK);
        assert_int_equal(overrides.revision, round);
        if (round == 1) {
            (void)snprintf(first, sizeof(first), "%s", hf_buf_text(&value));
        } else if (round == 2) {
            assert_string_not_equal(first, hf_buf_text(&value));
        }
        assert_int_equal(hf_overrides_save(store, &overrides, &value), HF_OK);
        hf_overrides_release(&overrides);
    }
    hf_buf_release(&value);
    hf_store_close(store);
}

static void what_cannot_be_understood_is_an_error(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_overrides overrides;
    struct hf_buf value;
    hf_buf_init(&value, HF_STORE_REF_VALUE_MAX);
    assert_int_equal(put_text(store, "overrides", "{\"version\":1}"), HF_OK);
    assert_int_equal(hf_overrides_load(store, &overrides, &value), HF_EMALF);
    expect_words(hf_store_why(store), place, "ref overrides cannot be understood");
    change_raw(place->path, "DELETE FROM object");
    assert_int_equal(hf_overrides_load(store, &overrides, &value), HF_ECORRUPT);
    hf_buf_release(&value);
    hf_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_replaces_the_one_before, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(a_document_that_is_lost, place_make, place_remove),
        cmocka_unit_test_setup_teardown(nobody_has_said_anything, place_make, place_remove),
        cmocka_unit_test_setup_teardown(of_two_operators_none_is_lost, place_make, place_remove),
        cmocka_unit_test_setup_teardown(no_two_objects_are_alike, place_make, place_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_understood_is_an_error, place_make,
                                        place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
