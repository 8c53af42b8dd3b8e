/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's six operations, their bounds, and the question what changed, on a healthy file. */
#include "store_help.h"

#include <time.h>

static void a_new_store_is_private_and_has_an_instance(void **state)
{
    struct place *place = *state;
    struct hf_store *store = NULL;
    struct stat info;
    uint32_t instance = 0;
    uint32_t again = 0;
    char journal[320];
    mode_t mask = umask(0777);
    store = store_made(place);
    assert_int_equal(hf_store_instance(store, &instance), HF_OK);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    (void)umask(mask);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(place_beside(place, "-journal", journal), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    hf_store_close(store);

    store = store_made(place);
    assert_int_equal(hf_store_instance(store, &again), HF_OK);
    assert_int_equal(instance, again);
    expect_ref(store, "head", "1");
    hf_store_close(store);
    expect_sound(place->path);
}

static void instances_differ(void **state)
{
    struct place *place = *state;
    struct place other = *place;
    uint32_t one = 0;
    uint32_t two = 0;
    (void)snprintf(other.path, sizeof(other.path), "%s/other.db", place->folder);
    struct hf_store *first = store_made(place);
    struct hf_store *second = store_made(&other);
    assert_int_equal(hf_store_instance(first, &one), HF_OK);
    assert_int_equal(hf_store_instance(second, &two), HF_OK);
    assert_int_not_equal(one, two);
    hf_store_close(first);
    hf_store_close(second);
}

static void opening_without_create_makes_nothing(void **state)
{
    struct place *place = *state;
    struct hf_store *store = NULL;
    char why[HF_STORE_WHY_MAX];
    assert_int_equal(hf_store_open_why(place->path, false, why, &store), HF_ENOENT);
    assert_null(store);
    expect_words(why, place, "no such file");
    assert_int_equal(access(place->path, F_OK), -1);
}

static void objects_are_named_by_their_digest(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_digest name;
    struct hf_digest expected;
    struct hf_buf buf;
    hf_buf_init(&buf, 64);
    hf_buf_put_text(&buf, "<");
    hf_digest_of("plan", 4, &expected);

    assert_int_equal(hf_store_get(store, &expected, &buf), HF_ENOENT);
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    assert_memory_equal(&name, &expected, sizeof(name));
    assert_int_equal(hf_store_get(store, &name, &buf), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "<plan");
    assert_int_equal(hf_store_put(store, "", 0, &name), HF_OK);
    assert_int_equal(hf_store_get(store, &name, &buf), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "<plan");

    assert_int_equal(hf_store_delete(store, &expected), HF_OK);
    assert_int_equal(hf_store_delete(store, &expected), HF_OK);
    assert_int_equal(hf_store_get(store, &expected, &buf), HF_ENOENT);
    assert_string_equal(hf_buf_text(&buf), "<plan");
    hf_buf_release(&buf);
    hf_store_close(store);
}

static void an_object_may_be_as_large_as_the_limit(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_digest name;
    struct hf_buf buf;
    size_t size = HF_STORE_OBJECT_MAX;
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', size + 1);
    assert_int_equal(hf_store_put(store, bytes, size + 1, &name), HF_ELIMIT);
    assert_non_null(strstr(hf_store_why(store), "67108864"));
    assert_int_equal(hf_store_put(store, bytes, size, &name), HF_OK);
    hf_buf_init(&buf, size - 1);
    assert_int_equal(hf_store_get(store, &name, &buf), HF_ELIMIT);
    assert_int_equal(hf_buf_error(&buf), HF_OK);
    assert_int_equal(buf.size, 0);
    buf.cap = size;
    assert_int_equal(hf_store_get(store, &name, &buf), HF_OK);
    assert_int_equal(buf.size, size);
    assert_memory_equal(buf.bytes, bytes, size);
    hf_buf_release(&buf);
    free(bytes);
    hf_store_close(store);
}

static void listing_goes_on_where_it_stopped(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_store_object objects[4];
    struct hf_digest name;
    struct timespec now;
    size_t count = 99;
    size_t seen = 0;
    char text[16];
    assert_int_equal(hf_store_list(store, NULL, objects, 4, &count), HF_OK);
    assert_int_equal(count, 0);
    for (int i = 0; i < 10; i++) {
        int size = snprintf(text, sizeof(text), "%0*d", i + 1, i);
        assert_int_equal(hf_store_put(store, text, (size_t)size, &name), HF_OK);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t size_sum = 0;
    const struct hf_digest *after = NULL;
    do {
        assert_int_equal(hf_store_list(store, after, objects, 4, &count), HF_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(i == 0 || memcmp(&objects[i - 1].name, &objects[i].name, sizeof(name)) < 0);
            assert_true(after == NULL || memcmp(&name, &objects[i].name, sizeof(name)) < 0);
            size_sum += objects[i].size_bytes;
            assert_true(objects[i].put_ms / 1000 + 60 > (uint64_t)now.tv_sec);
            assert_true(objects[i].put_ms / 1000 <= (uint64_t)now.tv_sec);
        }
        seen += count;
        name = objects[3].name;
        after = &name;
    } while (count == 4);
    assert_int_equal(seen, 10);
    assert_int_equal(size_sum, 55);
    hf_store_close(store);
}

static void refs_move_only_from_where_they_stand(void **state)
{
    struct hf_store *store = store_made(*state);
    expect_ref(store, "head", NULL);
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", "1", NULL), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", NULL, NULL), HF_OK);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", NULL, NULL), HF_ESTALE);
    assert_non_null(strstr(hf_store_why(store), "head"));
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_OK);
    assert_int_equal(move_ref(store, "head", "1", "3"), HF_ESTALE);
    expect_ref(store, "head", "2");
    assert_int_equal(move_ref(store, "head", "2", ""), HF_OK);
    expect_ref(store, "head", "");
    assert_int_equal(move_ref(store, "head", "2", NULL), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", "", NULL), HF_OK);
    expect_ref(store, "head", NULL);
    hf_store_close(store);
}

static void ref_bounds_hold(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_buf buf;
    char name[HF_STORE_REF_NAME_MAX + 2];
    char value[HF_STORE_REF_VALUE_MAX + 1];
    memset(name, 'n', sizeof(name));
    memset(value, 'v', sizeof(value));
    name[HF_STORE_REF_NAME_MAX + 1] = 0;
    hf_buf_init(&buf, sizeof(value));
    assert_int_equal(move_ref(store, name, NULL, "1"), HF_ELIMIT);
    assert_int_equal(move_ref(store, "", NULL, "1"), HF_ELIMIT);
    assert_int_equal(hf_store_ref_get(store, name, &buf), HF_ELIMIT);
    name[HF_STORE_REF_NAME_MAX] = 0;
    assert_int_equal(hf_store_ref_cas(store, name, NULL, 0, value, sizeof(value)), HF_ELIMIT);
    assert_int_equal(hf_store_ref_cas(store, name, NULL, 0, value, sizeof(value) - 1), HF_OK);
    buf.cap = sizeof(value) - 2;
    assert_int_equal(hf_store_ref_get(store, name, &buf), HF_ELIMIT);
    buf.cap = sizeof(value) - 1;
    assert_int_equal(hf_store_ref_get(store, name, &buf), HF_OK);
    assert_int_equal(buf.size, sizeof(value) - 1);
    hf_buf_release(&buf);
    hf_store_close(store);
}

static void publishing_is_all_or_nothing(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_store_object object;
    size_t count = 99;
    assert_int_equal(hf_store_put_cas(store, "p1", 2, "head", "0", 1, "1", 1), HF_ESTALE);
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_OK);
    assert_int_equal(count, 0);
    assert_int_equal(hf_store_put_cas(store, "p1", 2, "head", NULL, 0, "1", 1), HF_OK);
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_OK);
    assert_int_equal(count, 1);
    assert_int_equal(object.size_bytes, 2);
    expect_ref(store, "head", "1");
    hf_store_close(store);
}

static int collect(void *context, const char *name, const void *value, size_t size)
{
    struct hf_buf *buf = context;
    hf_buf_printf(buf, "%s=%.*s ", name, (int)size, (const char *)value);
    return strcmp(name, "hold/stop") == 0 ? 7 : 0;
}

static void refs_are_listed_by_prefix(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_buf buf;
    hf_buf_init(&buf, 1024);
    assert_int_equal(move_ref(store, "drain/b", NULL, "2"), HF_OK);
    assert_int_equal(move_ref(store, "drain/a", NULL, "1"), HF_OK);
    assert_int_equal(move_ref(store, "drain0", NULL, "9"), HF_OK);
    assert_int_equal(move_ref(store, "drai", NULL, "9"), HF_OK);
    assert_int_equal(move_ref(store, "hold/a", NULL, ""), HF_OK);
    assert_int_equal(move_ref(store, "hold/stop", NULL, "s"), HF_OK);
    assert_int_equal(move_ref(store, "hold/z", NULL, "z"), HF_OK);
    assert_int_equal(hf_store_ref_list(store, "drain/", collect, &buf), HF_OK);
    assert_int_equal(hf_store_ref_list(store, "hold/", collect, &buf), 7);
    assert_int_equal(hf_store_ref_list(store, "zzz", collect, &buf), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "drain/a=1 drain/b=2 hold/a= hold/stop=s ");
    hf_buf_release(&buf);
    hf_store_close(store);
}

static uint64_t changes_of(struct hf_store *store)
{
    uint64_t changes = 0;
    assert_int_equal(hf_store_changes(store, &changes), HF_OK);
    return changes;
}

static void every_commit_of_anybody_is_a_change(void **state)
{
    struct hf_store *store = store_made(*state);
    struct hf_store *other = store_made(*state);
    struct hf_digest name;
    uint64_t last = changes_of(store);
    assert_int_equal(changes_of(store), last);

    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    assert_int_not_equal(changes_of(store), last);
    last = changes_of(store);
    assert_int_equal(move_ref(other, "head", "1", "2"), HF_OK);
    expect_ref(store, "head", "2"); /* a read between must not swallow the change */
    assert_int_not_equal(changes_of(store), last);
    last = changes_of(store);
    assert_int_equal(hf_store_put(other, "x", 1, &name), HF_OK);
    assert_int_not_equal(changes_of(store), last);
    last = changes_of(store);
    assert_int_equal(move_ref(other, "head", "1", "2"), HF_ESTALE);
    assert_int_equal(move_ref(store, "head", "1", "2"), HF_ESTALE);
    expect_ref(store, "head", "2");
    assert_int_equal(changes_of(store), last);
    hf_store_close(other);
    hf_store_close(store);
}

static void putting_again_renews_the_time(void **state)
{
    struct place *place = *state;
    struct hf_store *store = store_made(place);
    struct hf_store_object object;
    struct hf_digest name;
    size_t count = 0;
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    change_raw(place->path, "UPDATE object SET put_ms = 5");
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_OK);
    assert_int_equal(object.put_ms, 5);
    assert_int_equal(hf_store_put(store, "plan", 4, &name), HF_OK);
    assert_int_equal(hf_store_list(store, NULL, &object, 1, &count), HF_OK);
    assert_true(object.put_ms > 5);
    hf_store_close(store);
}

static void a_relative_path_outlives_a_change_of_folder(void **state)
{
    struct place *place = *state;
    struct hf_store *store = NULL;
    char *here = getcwd(NULL, 0);
    assert_int_equal(chdir(place->folder), 0);
    assert_int_equal(hf_store_open("holdfast.db", true, &store), HF_OK);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(move_ref(store, "head", NULL, "1"), HF_OK);
    expect_ref(store, "head", "1");
    hf_store_close(store);
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void a_link_is_followed_and_noticed(void **state)
{
    struct place *place = *state;
    struct place linked = *place;
    (void)snprintf(linked.path, sizeof(linked.path), "%s/link.db", place->folder);
    struct hf_store *store = store_made(place);
    assert_int_equal(move_ref(store, "head", NULL, "real"), HF_OK);
    assert_int_equal(symlink("holdfast.db", linked.path), 0);
    struct hf_store *through = store_made(&linked);
    expect_ref(through, "head", "real");
    assert_int_equal(move_ref(through, "head", "real", "link"), HF_OK);
    expect_ref(store, "head", "link");

    struct place other = *place;
    (void)snprintf(other.path, sizeof(other.path), "%s/other.db", place->folder);
    hf_store_close(store_made(&other));
    assert_int_equal(unlink(linked.path), 0);
    assert_int_equal(symlink("other.db", linked.path), 0);
    expect_ref(through, "head", NULL);
    hf_store_close(through);
    hf_store_close(store);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_store_is_private_and_has_an_instance),
        STORE_TEST(instances_differ),
        STORE_TEST(opening_without_create_makes_nothing),
        STORE_TEST(objects_are_named_by_their_digest),
        STORE_TEST(an_object_may_be_as_large_as_the_limit),
        STORE_TEST(listing_goes_on_where_it_stopped),
        STORE_TEST(refs_move_only_from_where_they_stand),
        STORE_TEST(ref_bounds_hold),
        STORE_TEST(publishing_is_all_or_nothing),
        STORE_TEST(refs_are_listed_by_prefix),
        STORE_TEST(every_commit_of_anybody_is_a_change),
        STORE_TEST(putting_again_renews_the_time),
        STORE_TEST(a_relative_path_outlives_a_change_of_folder),
        STORE_TEST(a_link_is_followed_and_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
